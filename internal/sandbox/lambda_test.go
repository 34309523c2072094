package sandbox_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	cfntypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	snstypes "github.com/aws/aws-sdk-go-v2/service/sns/types"

	"github.com/deployer-cli/deployer/internal/sandbox"
)

const functionTemplate = `
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties: {AssumeRolePolicyDocument: {Version: "2012-10-17", Statement: [{Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: "sts:AssumeRole"}]}}
  Listener:
    Type: AWS::Lambda::Function
    Properties: {FunctionName: recovery-listener, Runtime: python3.13, Handler: index.handler, Role: !GetAtt Role.Arn, Code: {ZipFile: "def handler(e, c): pass"}}
`

// A function of a stack takes what it is given, by each of its names, for as long
// as its stack lives.
func TestInvoke(t *testing.T) {
	t.Parallel()
	eachDoor(t, sandbox.Options{Speed: sandbox.MaxSpeed}, func(t *testing.T, d door) {
		c := lambda.NewFromConfig(d.config())
		in := &lambda.InvokeInput{FunctionName: new("recovery-listener"), InvocationType: types.InvocationTypeEvent, Payload: []byte(`{"event":"started"}`)}
		if _, err := c.Invoke(t.Context(), in); code(err) != "ResourceNotFoundException" || !strings.Contains(err.Error(), "arn:aws:lambda:eu-west-1:123456789012:function:recovery-listener") {
			t.Fatalf("without a stack: %v", err)
		}
		create(t, d, cloudformation.CreateStackInput{StackName: new("listener"), TemplateBody: new(functionTemplate), Capabilities: []cfntypes.Capability{cfntypes.CapabilityCapabilityIam}})
		wantStatus(t, d, "listener", cfntypes.StackStatusCreateComplete)
		for _, name := range []string{"recovery-listener", "recovery-listener:$LATEST", "123456789012:function:recovery-listener", "arn:aws:lambda:eu-west-1:123456789012:function:recovery-listener"} {
			in.FunctionName = &name
			if out := must[*lambda.InvokeOutput](t)(c.Invoke(t.Context(), in)); out.StatusCode != http.StatusAccepted || len(out.Payload) != 0 {
				t.Errorf("%s: %d %s", name, out.StatusCode, out.Payload)
			}
		}
		out := must[*lambda.InvokeOutput](t)(c.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: new("recovery-listener")}))
		if out.StatusCode != http.StatusOK || string(out.Payload) != "null" || out.FunctionError != nil {
			t.Errorf("%+v", out)
		}
		if out := must[*lambda.InvokeOutput](t)(c.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: new("recovery-listener"), InvocationType: types.InvocationTypeDryRun})); out.StatusCode != http.StatusNoContent {
			t.Errorf("%+v", out)
		}
		kept := must[[]sandbox.Invocation](t)(d.s.Invocations(t.Context()))
		if len(kept) != 5 || kept[0].Function != "recovery-listener" || kept[0].Type != "Event" || string(kept[0].Payload) != `{"event":"started"}` || kept[4].Type != "RequestResponse" {
			t.Errorf("%+v", kept)
		}
		for name, want := range map[string]string{
			"arn:aws:lambda:eu-west-2:123456789012:function:recovery-listener": "ResourceNotFoundException",
			"999999999999:function:recovery-listener":                          "ResourceNotFoundException",
		} {
			if _, err := c.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: &name}); code(err) != want {
				t.Errorf("%s: %v", name, err)
			}
		}
		if _, err := c.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: new("recovery-listener"), Payload: []byte("no json")}); code(err) != "InvalidRequestContentException" {
			t.Error(err)
		}
		if _, err := c.ListFunctions(t.Context(), &lambda.ListFunctionsInput{}, func(o *lambda.Options) { o.RetryMaxAttempts = 1 }); code(err) != "NotImplemented" {
			t.Errorf("what the sandbox has not: %v", err)
		}
		must[*cloudformation.DeleteStackOutput](t)(d.cfn().DeleteStack(t.Context(), &cloudformation.DeleteStackInput{StackName: new("listener")}))
		for range 20 {
			if _, err := d.cfn().DescribeStacks(t.Context(), &cloudformation.DescribeStacksInput{StackName: new("listener")}); err != nil {
				break
			}
		}
		if _, err := c.Invoke(t.Context(), in); code(err) != "ResourceNotFoundException" {
			t.Errorf("after its stack: %v", err)
		}
	})
}

// What is published keeps its attributes, and the text that each protocol gets.
func TestPublishWithAttributes(t *testing.T) {
	t.Parallel()
	d := inProcess(sandbox.Options{})
	c := sns.NewFromConfig(d.config())
	topic := must[*sns.CreateTopicOutput](t)(c.CreateTopic(t.Context(), &sns.CreateTopicInput{Name: new("gameday")})).TopicArn
	text := func(s string) snstypes.MessageAttributeValue {
		return snstypes.MessageAttributeValue{DataType: new("String"), StringValue: &s}
	}
	must[*sns.PublishOutput](t)(c.Publish(t.Context(), &sns.PublishInput{
		TopicArn: topic, Subject: new("x"), Message: new(`{"default":"for programs","email":"for people"}`), MessageStructure: new("json"),
		MessageAttributes: map[string]snstypes.MessageAttributeValue{"event": text("started"), "severity": text("info")},
	}))
	got := must[[]sandbox.Message](t)(d.s.Published(t.Context()))
	if len(got) != 1 || got[0].Text != "for programs" || got[0].Protocols["email"] != "for people" || got[0].Attributes["event"] != "started" || got[0].Attributes["severity"] != "info" {
		t.Errorf("%+v", got)
	}
	for name, in := range map[string]sns.PublishInput{
		"no default":    {Message: new(`{"email":"x"}`), MessageStructure: new("json")},
		"no json":       {Message: new(`x`), MessageStructure: new("json")},
		"other":         {Message: new(`{"default":"x"}`), MessageStructure: new("xml")},
		"too long":      {Message: new(strings.Repeat("x", 256<<10+1))},
		"subject":       {Message: new("x"), Subject: new("é")},
		"empty":         {Message: new("")},
		"bad attribute": {Message: new("x"), MessageAttributes: map[string]snstypes.MessageAttributeValue{"event": text("")}},
	} {
		in.TopicArn = topic
		if _, err := c.Publish(t.Context(), &in); !strings.HasPrefix(code(err), "Invalid") && code(err) != "ParameterValueInvalid" {
			t.Errorf("%s: %v", name, err)
		}
	}
}
