package cloud_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"

	"github.com/deployer-cli/deployer/internal/awsconf"
	"github.com/deployer-cli/deployer/internal/cloud"
	"github.com/deployer-cli/deployer/internal/sandbox"
	"github.com/deployer-cli/deployer/internal/sandbox/store"
	"github.com/deployer-cli/deployer/stacks"
)

const exercise = `
Resources:
  Topic: {Type: AWS::SNS::Topic, Properties: {TopicName: gameday}}
  Listener: {Type: AWS::Lambda::Function, Properties: {FunctionName: listener, Runtime: python3.13, Handler: i.h, Role: "arn:aws:iam::111111111111:role/x", Code: {ZipFile: "x"}}}
  Errors: {Type: AWS::CloudWatch::Alarm, Properties: {AlarmName: errors, MetricName: Errors, Namespace: App, Statistic: Sum, Period: 60, EvaluationPeriods: 2, Threshold: 1, ComparisonOperator: GreaterThanThreshold}}
  Any: {Type: AWS::CloudWatch::CompositeAlarm, DependsOn: Errors, Properties: {AlarmName: any, AlarmRule: "ALARM(errors)"}}
`

// town is a sandbox with what an exercise tells and asks.
func town(t *testing.T) (*sandbox.Server, *awsconf.Configs, *cloud.Cloud) {
	t.Helper()
	server := sandbox.New(sandbox.Options{Store: store.NewMemory(), Speed: 1, Account: account})
	configs := awsconf.New(awsconf.Options{
		Realm: stacks.RealmSandbox, HTTPClient: server.Client(), Endpoint: sandbox.Endpoint, Keys: &awsconf.Keys{ID: "sandbox", Secret: "sandbox"},
	})
	cfg, err := configs.Config(t.Context(), access)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := cloudformation.NewFromConfig(cfg).CreateStack(t.Context(), &cloudformation.CreateStackInput{StackName: new("exercise"), TemplateBody: new(exercise)}); err != nil {
		t.Fatal(err)
	}
	if _, err := server.Advance(t.Context(), time.Hour); err != nil {
		t.Fatal(err)
	}
	return server, configs, cloud.New(cloud.Options{Config: configs.Config, Realm: stacks.RealmSandbox, Run: "run-1"})
}

func TestAlarmState(t *testing.T) {
	t.Parallel()
	server, configs, c := town(t)
	cfg, err := configs.Config(t.Context(), access)
	if err != nil {
		t.Fatal(err)
	}
	state, since, err := c.AlarmState(t.Context(), access, "errors")
	if state != "INSUFFICIENT_DATA" || since.IsZero() || err != nil {
		t.Errorf("%s since %v, %v", state, since, err)
	}
	rang, err := server.Advance(t.Context(), time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"errors", "any"} {
		if _, err := cloudwatch.NewFromConfig(cfg).SetAlarmState(t.Context(), &cloudwatch.SetAlarmStateInput{AlarmName: &name, StateValue: types.StateValueAlarm, StateReason: new("an exercise")}); err != nil {
			t.Fatal(err)
		}
		for _, by := range []string{name, "arn:aws:cloudwatch:eu-west-1:" + account + ":alarm:" + name} {
			state, since, err := c.AlarmState(t.Context(), stacks.Access{Region: "eu-west-1"}, by)
			if state != "ALARM" || since.Before(rang) || since.After(rang.Add(time.Minute)) || err != nil {
				t.Errorf("%s: %s since %v, %v", by, state, since, err)
			}
		}
	}
	if state, since, err := c.AlarmState(t.Context(), access, "none"); state != "" || !since.IsZero() || err != nil {
		t.Errorf("%s since %v, %v", state, since, err)
	}
}

func TestPublishAndInvoke(t *testing.T) {
	t.Parallel()
	server, configs, c := town(t)
	// Wherever we are, a topic and a function are reached where they are.
	a := c.Announcer(stacks.Access{Region: "us-east-1"})
	topic := "arn:aws:sns:eu-west-1:" + account + ":gameday"
	if err := a.Publish(t.Context(), topic, cloud.Publication{Subject: "EXERCISE", Default: `{"event":"started"}`, Mail: "hello", Attributes: map[string]string{"event": "started", "environment": "dev", "severity": ""}}); err != nil {
		t.Fatal(err)
	}
	got, err := server.Published(t.Context())
	if err != nil || len(got) != 1 || got[0].TopicARN != topic || got[0].Subject != "EXERCISE" || got[0].Text != `{"event":"started"}` ||
		got[0].Protocols["email"] != "hello" || got[0].Attributes["event"] != "started" || got[0].Attributes["environment"] != "dev" || len(got[0].Attributes) != 2 {
		t.Errorf("%+v, %v", got, err)
	}
	if err := a.Invoke(t.Context(), "arn:aws:lambda:eu-west-1:"+account+":function:listener", []byte(`{"event":"started"}`)); err != nil {
		t.Fatal(err)
	}
	calls, err := server.Invocations(t.Context())
	if err != nil || len(calls) != 1 || calls[0].Type != "Event" || string(calls[0].Payload) != `{"event":"started"}` {
		t.Errorf("%+v, %v", calls, err)
	}
	expectMissing(t, a.Publish(t.Context(), topic+"2", cloud.Publication{Default: "x"}), "there is no topic "+topic+"2")
	expectMissing(t, a.Invoke(t.Context(), "listener", nil), "there is no function listener in us-east-1")

	cfg, err := configs.Config(t.Context(), access)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := sns.NewFromConfig(cfg).CreateTopic(t.Context(), &sns.CreateTopicInput{Name: new("in-order.fifo")}); err != nil {
		t.Fatal(err)
	}
	if err := a.Publish(t.Context(), "arn:aws:sns:eu-west-1:"+account+":in-order.fifo", cloud.Publication{Default: "x"}); err != nil {
		t.Error(err)
	}
}

// silent gives no answer.
type silent struct{}

func (silent) Do(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

// TestAnAnnouncementEnds: a service that gives no answer is given up with the
// context, and nobody takes that for an answer.
func TestAnAnnouncementEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		configs := awsconf.New(awsconf.Options{Realm: stacks.RealmSandbox, HTTPClient: silent{}, Endpoint: sandbox.Endpoint, Keys: &awsconf.Keys{ID: "AKID", Secret: "s"}})
		c := cloud.New(cloud.Options{Config: configs.Config, Realm: stacks.RealmSandbox, Run: "run-1"})
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		begun := time.Now()
		err := c.Announcer(access).Publish(ctx, "arn:aws:sns:eu-west-1:111111111111:gameday", cloud.Publication{Default: "x"})
		if err == nil || !strings.Contains(err.Error(), "SNS Publish was interrupted") || time.Since(begun) > 11*time.Second {
			t.Errorf("%v after %v", err, time.Since(begun))
		}
	})
}
