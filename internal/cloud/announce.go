package cloud

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"

	"github.com/deployer-cli/deployer/internal/awsconf"
	"github.com/deployer-cli/deployer/stacks"
)

// Announcer tells topics and functions that the project names about an exercise.
// It reaches no stack, so that it needs no clearance: people are told that
// something is refused, too.
type Announcer struct {
	cloud  *Cloud
	access stacks.Access
}

// Announcer returns what publishes with a's identity.
func (c *Cloud) Announcer(a stacks.Access) *Announcer { return &Announcer{cloud: c, access: a} }

// Publication is a message for a topic of SNS.
type Publication struct {
	Subject    string            // ASCII, at most 100 characters
	Default    string            // for programs: queues, functions, web hooks
	Mail       string            // for people; "" for Default
	Attributes map[string]string // by which subscriptions filter; empty ones are left out
}

// Publish publishes to the topic with an ARN, in the topic's own region.
func (n *Announcer) Publish(ctx context.Context, topic string, p Publication) error {
	a := n.access
	if region, _, ok := fromARN(topic, "sns"); ok {
		a.Region = region
	}
	cfg, err := n.cloud.opts.Config(ctx, a)
	if err != nil {
		return err
	}
	in := &sns.PublishInput{TopicArn: &topic, Subject: &p.Subject, Message: &p.Default, MessageAttributes: map[string]types.MessageAttributeValue{}}
	if p.Subject == "" {
		in.Subject = nil
	}
	if p.Mail != "" {
		both, err := json.Marshal(map[string]string{"default": p.Default, "email": p.Mail})
		if err != nil {
			return err
		}
		in.Message, in.MessageStructure = new(string(both)), new("json")
	}
	for name, text := range p.Attributes {
		if text != "" { // SNS refuses an empty one
			in.MessageAttributes[name] = types.MessageAttributeValue{DataType: new("String"), StringValue: &text}
		}
	}
	if strings.HasSuffix(topic, ".fifo") {
		sum := sha256.Sum256([]byte(p.Default))
		in.MessageGroupId, in.MessageDeduplicationId = new("deployer"), new(hex.EncodeToString(sum[:]))
	}
	_, err = sns.NewFromConfig(cfg).Publish(ctx, in)
	err = explain(ctx, err, awsconf.Call{Service: "SNS", Operation: "Publish", Access: a, Write: true})
	return missing(err, "NotFound", fmt.Sprintf("there is no topic %s", topic))
}

// Invoke hands a payload of JSON to a function of Lambda and does not wait for
// what it does with it. function is a name, or an ARN, which brings its region.
func (n *Announcer) Invoke(ctx context.Context, function string, payload []byte) error {
	a := n.access
	if region, _, ok := fromARN(function, "lambda"); ok {
		a.Region = region
	}
	cfg, err := n.cloud.opts.Config(ctx, a)
	if err != nil {
		return err
	}
	_, err = lambda.NewFromConfig(cfg).Invoke(ctx, &lambda.InvokeInput{
		FunctionName: &function, InvocationType: lambdatypes.InvocationTypeEvent, Payload: payload,
	})
	err = explain(ctx, err, awsconf.Call{Service: "Lambda", Operation: "Invoke", Access: a, Write: true})
	return missing(err, "ResourceNotFoundException", fmt.Sprintf("there is no function %s in %s", function, a.Region))
}
