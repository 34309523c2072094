package sandbox

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/deployer-cli/deployer/internal/sandbox/engine"
	"github.com/deployer-cli/deployer/internal/sandbox/store"
)

// Message is a message published to a topic of SNS.
type Message struct {
	ID       string    `json:"id"`
	At       time.Time `json:"at"`
	TopicARN string    `json:"topic"`
	Subject  string    `json:"subject,omitempty"`
	Text     string    `json:"text"` // of the protocol default, where each has its own

	Attributes map[string]string `json:"attributes,omitempty"`
	Protocols  map[string]string `json:"protocols,omitempty"` // what others than default are told
}

type (
	createTopicInput struct {
		Name       string
		Attributes map[string]string
	}
	topicOutput  struct{ TopicArn string }
	publishInput struct {
		TopicArn, TargetArn, PhoneNumber string
		Message, Subject                 string
		MessageStructure                 string
		MessageAttributes                map[string]messageAttribute
	}
	messageAttribute struct{ DataType, StringValue, BinaryValue string }
	publishOutput    struct{ MessageId string }
	subscribeInput   struct{ TopicArn, Protocol, Endpoint string }
	subscription     struct {
		SubscriptionArn, Owner, Protocol, Endpoint, TopicArn string
	}
	subscribeOutput  struct{ SubscriptionArn string }
	listTopicsInput  struct{ NextToken string }
	listTopicsOutput struct {
		Topics    []topicOutput `wire:"always"`
		NextToken string
	}
	topicInput  struct{ TopicArn, NextToken string }
	noOutput    struct{}
	listSubsOut struct {
		Subscriptions []subscription `wire:"always"`
		NextToken     string
	}
)

func snsService() service {
	deleteTopic := writes(deleteTopic)
	deleteTopic.noResult = true
	return service{
		"CreateTopic":              writes(createTopic),
		"DeleteTopic":              deleteTopic,
		"Publish":                  writes(publish),
		"Subscribe":                writes(subscribe),
		"ListTopics":               reads(listTopics),
		"ListSubscriptionsByTopic": reads(listSubscriptions),
	}
}

func topicARN(a engine.Account, name string) string {
	return "arn:aws:sns:" + a.Region + ":" + a.AccountID + ":" + name
}

func validTopic(name string) bool {
	return regexp.MustCompile(`^[A-Za-z0-9_-]{1,256}(\.fifo)?$`).MatchString(name)
}

func createTopic(_ *Server, tx store.Tx, c *call, in *createTopicInput) (*topicOutput, error) {
	if !validTopic(in.Name) {
		return nil, invalid("InvalidParameter", "Invalid parameter: Topic Name")
	}
	arn := topicARN(c.account(), in.Name)
	return &topicOutput{arn}, tx.Put(tableTopic, arn, nil)
}

func deleteTopic(_ *Server, tx store.Tx, _ *call, in *topicInput) (*noOutput, error) {
	return &noOutput{}, removeTopic(tx, in.TopicArn)
}

func removeTopic(tx store.Tx, arn string) error {
	subs, err := subscriptions(tx, arn)
	if err != nil {
		return err
	}
	for _, sub := range subs {
		if err := tx.Delete(tableSub, sub.SubscriptionArn); err != nil {
			return err
		}
	}
	return tx.Delete(tableTopic, arn)
}

func publish(s *Server, tx store.Tx, c *call, in *publishInput) (*publishOutput, error) {
	arn := in.TopicArn
	if arn == "" {
		arn = in.TargetArn
	}
	m := Message{At: c.at, TopicARN: arn, Subject: in.Subject}
	if err := m.read(in); err != nil {
		return nil, err
	}
	if in.PhoneNumber == "" {
		if _, found, err := tx.Get(tableTopic, arn); err != nil {
			return nil, err
		} else if !found {
			return nil, fault(404, "NotFound", "Topic does not exist")
		}
	}
	id, err := s.send(tx, m)
	return &publishOutput{id}, err
}

// maxPublished is SNS's bound of a message, in bytes.
// https://docs.aws.amazon.com/sns/latest/api/API_Publish.html
const maxPublished = 256 << 10

// read takes in what is published, and refuses what SNS refuses.
func (m *Message) read(in *publishInput) error {
	switch {
	case in.Message == "":
		return invalid("InvalidParameter", "Invalid parameter: Empty message")
	case len(in.Message) > maxPublished:
		return invalid("InvalidParameter", "Invalid parameter: Message too long")
	case len(in.Subject) > 100 || strings.ContainsFunc(in.Subject, func(r rune) bool { return r < ' ' || r > '~' }):
		return invalid("InvalidParameter", "Invalid parameter: Subject")
	}
	m.Text = in.Message
	if in.MessageStructure != "" {
		if in.MessageStructure != "json" {
			return invalid("InvalidParameter", "Invalid parameter: MessageStructure")
		}
		if err := json.Unmarshal([]byte(in.Message), &m.Protocols); err != nil {
			return invalid("InvalidParameter", "Invalid parameter: Message Structure - JSON message body failed to parse")
		}
		text, ok := m.Protocols["default"]
		if !ok {
			return invalid("InvalidParameter", "Invalid parameter: Message Structure - No default entry in JSON message body")
		}
		m.Text = text
		delete(m.Protocols, "default")
	}
	for name, a := range in.MessageAttributes {
		if a.DataType == "" || a.StringValue == "" && a.BinaryValue == "" {
			return invalid("ParameterValueInvalid", "The message attribute '%.80s' must contain non-empty message attribute value.", name)
		}
		if m.Attributes == nil {
			m.Attributes = map[string]string{}
		}
		m.Attributes[name] = a.StringValue + a.BinaryValue
	}
	return nil
}

// send stores a published message. There is nobody to deliver it to.
func (s *Server) send(tx store.Tx, m Message) (id string, err error) {
	n, err := nextNumber(tx, tableSent)
	if err != nil {
		return "", err
	}
	m.ID = s.id("message", strconv.Itoa(n))
	return m.ID, putJSON(tx, tableSent, fmt.Sprintf("%016x", n), m)
}

func subscribe(s *Server, tx store.Tx, c *call, in *subscribeInput) (*subscribeOutput, error) {
	if _, found, err := tx.Get(tableTopic, in.TopicArn); err != nil {
		return nil, err
	} else if !found {
		return nil, fault(404, "NotFound", "Topic does not exist")
	}
	sub := subscription{
		SubscriptionArn: in.TopicArn + ":" + s.id("subscription", in.TopicArn, in.Protocol, in.Endpoint),
		Owner:           c.caller.Account, Protocol: in.Protocol, Endpoint: in.Endpoint, TopicArn: in.TopicArn,
	}
	return &subscribeOutput{sub.SubscriptionArn}, putJSON(tx, tableSub, sub.SubscriptionArn, sub)
}

func listTopics(_ *Server, tx store.Tx, c *call, in *listTopicsInput) (*listTopicsOutput, error) {
	out := &listTopicsOutput{}
	err := tx.Scan(tableTopic, topicARN(c.account(), ""), in.NextToken, func(arn string, _ []byte) bool {
		if len(out.Topics) == 100 {
			out.NextToken = out.Topics[99].TopicArn
			return false
		}
		out.Topics = append(out.Topics, topicOutput{arn})
		return true
	})
	return out, err
}

func listSubscriptions(_ *Server, tx store.Tx, _ *call, in *topicInput) (*listSubsOut, error) {
	subs, err := subscriptions(tx, in.TopicArn)
	return &listSubsOut{Subscriptions: subs}, err
}

func subscriptions(tx store.Tx, topic string) ([]subscription, error) {
	return scanJSON[subscription](tx, tableSub, topic+":")
}

// id is a UUID that depends on the seed and the words alone.
func (s *Server) id(words ...string) string {
	return uuid(s.chance(words...))
}

// notify publishes a stack's event to its topics, as CloudFormation writes it.
func (s *Server) notify(tx engine.Tx, acct engine.Account, topics []string, ev engine.StackEvent) error {
	physical := ""
	if ev.PhysicalResourceId != nil {
		physical = *ev.PhysicalResourceId
	}
	var text strings.Builder
	for _, line := range [][2]string{
		{"StackId", ev.StackId},
		{"Timestamp", ev.Timestamp.UTC().Format("2006-01-02T15:04:05.000Z")},
		{"EventId", ev.EventId},
		{"LogicalResourceId", ev.LogicalResourceId},
		{"Namespace", acct.AccountID},
		{"PhysicalResourceId", physical},
		{"ResourceProperties", ev.ResourceProperties},
		{"ResourceStatus", ev.ResourceStatus},
		{"ResourceStatusReason", ev.ResourceStatusReason},
		{"ResourceType", ev.ResourceType},
		{"StackName", ev.StackName},
		{"ClientRequestToken", ev.ClientRequestToken},
	} {
		fmt.Fprintf(&text, "%s='%s'\n", line[0], line[1])
	}
	for _, arn := range topics {
		if _, err := s.send(tx, Message{At: ev.Timestamp, TopicARN: arn, Subject: "AWS CloudFormation Notification", Text: text.String()}); err != nil {
			return err
		}
	}
	return nil
}
