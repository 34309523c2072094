package sandbox_test

import (
	"bytes"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"github.com/deployer-cli/deployer/internal/sandbox"
	"github.com/deployer-cli/deployer/internal/sandbox/wire"
)

const alarmTemplate = `
Resources:
  Errors:
    Type: AWS::CloudWatch::Alarm
    Properties: {AlarmName: errors, MetricName: Errors, Namespace: App, Statistic: Sum, Period: 60, EvaluationPeriods: 2, Threshold: 1.5, ComparisonOperator: GreaterThanThreshold}
`

func alarmCall(t *testing.T, d door, action, body string) (int, string) {
	t.Helper()
	res, out := send(t, d.s, request{target: "/", body: body, header: map[string]string{
		"X-Amz-Target": "GraniteServiceVersion20100801." + action, "Content-Type": "application/x-amz-json-1.0", "Authorization": signed("A", "eu-west-1", "monitoring"),
	}})
	return res.StatusCode, out
}

// An alarm that a stack made can be rung, and rolls the deployments back that watch
// it; its history tells.
func TestAlarms(t *testing.T) {
	t.Parallel()
	d := inProcess(sandbox.Options{Speed: sandbox.MaxSpeed})
	create(t, d, cloudformation.CreateStackInput{StackName: new("alarms"), TemplateBody: new(alarmTemplate)})
	wantStatus(t, d, "alarms", types.StackStatusCreateComplete)
	if _, out := alarmCall(t, d, "DescribeAlarms", `{"AlarmNames":["errors"]}`); !strings.Contains(out, `"StateValue":"INSUFFICIENT_DATA"`) || !strings.Contains(out, `"Threshold":1.5`) {
		t.Error(out)
	}
	watched := cloudformation.CreateStackInput{StackName: new("app"), TemplateBody: new(topicTemplate), RollbackConfiguration: &types.RollbackConfiguration{
		RollbackTriggers: []types.RollbackTrigger{{Arn: new("arn:aws:cloudwatch:eu-west-1:123456789012:alarm:errors"), Type: new(typeOfAlarm)}},
	}}
	create(t, d, watched)
	wantStatus(t, d, "app", types.StackStatusCreateComplete)
	if status, out := alarmCall(t, d, "SetAlarmState", `{"AlarmName":"errors","StateValue":"ALARM","StateReason":"an exercise"}`); status != http.StatusOK {
		t.Error(status, out)
	}
	_, out := alarmCall(t, d, "DescribeAlarmHistory", `{"AlarmName":"errors","HistoryItemType":"StateUpdate"}`)
	if !strings.Contains(out, "Alarm updated from INSUFFICIENT_DATA to ALARM") {
		t.Error(out)
	}
	must[*cloudformation.UpdateStackOutput](t)(d.cfn().UpdateStack(t.Context(), &cloudformation.UpdateStackInput{
		StackName: new("app"), TemplateBody: new(strings.Replace(topicTemplate, `"AWS::SNS::Topic"`, `"AWS::SNS::Topic", Properties: {DisplayName: x}`, 1)),
	}))
	wantStatus(t, d, "app", types.StackStatusUpdateRollbackComplete)
	if status, out := alarmCall(t, d, "SetAlarmState", `{"AlarmName":"none","StateValue":"OK","StateReason":"x"}`); status != http.StatusNotFound || !strings.Contains(out, "ResourceNotFound") {
		t.Error(status, out)
	}
	must[*cloudformation.DeleteStackOutput](t)(d.cfn().DeleteStack(t.Context(), &cloudformation.DeleteStackInput{StackName: new("alarms")}))
	for range 30 {
		_, _ = d.cfn().DescribeStacks(t.Context(), &cloudformation.DescribeStacksInput{StackName: new("alarms")})
	}
	if _, out := alarmCall(t, d, "DescribeAlarms", `{}`); strings.Contains(out, "errors") {
		t.Error(out)
	}
}

const typeOfAlarm = "AWS::CloudWatch::Alarm"

// Clients speak three protocols to CloudWatch.
func TestAlarmProtocols(t *testing.T) {
	t.Parallel()
	d := inProcess(sandbox.Options{})
	put := `{"AlarmName":"cpu","MetricName":"CPU","Namespace":"App","Period":60,"EvaluationPeriods":1,"Threshold":80,"ComparisonOperator":"GreaterThanThreshold"}`
	if status, out := alarmCall(t, d, "PutMetricAlarm", put); status != http.StatusOK {
		t.Fatal(status, out)
	}
	res, out := send(t, d.s, request{target: "/", body: "Action=DescribeAlarms&Version=2010-08-01&AlarmNames.member.1=cpu", header: map[string]string{"Content-Type": form, "Authorization": signed("A", "eu-west-1", "monitoring")}})
	if res.StatusCode != http.StatusOK || !strings.Contains(out, "<MetricAlarms><member><AlarmName>cpu</AlarmName>") || !strings.Contains(out, "http://monitoring.amazonaws.com/doc/2010-08-01/") {
		t.Error(out)
	}
	cborCall := func(action string, in any) (*http.Response, string) {
		return send(t, d.s, request{target: "/service/GraniteServiceVersion20100801/operation/" + action, body: string(wire.EncodeCBOR(in)), header: map[string]string{
			"Content-Type": "application/cbor", "Smithy-Protocol": "rpc-v2-cbor", "Authorization": signed("A", "eu-west-1", "monitoring"),
		}})
	}
	res, out = cborCall("DescribeAlarms", struct{ AlarmNames []string }{[]string{"cpu"}})
	if res.StatusCode != http.StatusOK || res.Header.Get("Smithy-Protocol") != "rpc-v2-cbor" || !bytes.Contains([]byte(out), []byte("INSUFFICIENT_DATA")) {
		t.Errorf("%v %q", res.Header, out)
	}
	res, out = cborCall("SetAlarmState", struct{ AlarmName, StateValue, StateReason string }{"none", "OK", "x"})
	if res.StatusCode != http.StatusNotFound || res.Header.Get("X-Amzn-Query-Error") != "ResourceNotFound;Sender" || !strings.Contains(out, "ResourceNotFound") {
		t.Errorf("%d %v %q", res.StatusCode, res.Header, out)
	}
	if res, out = cborCall("Fly", struct{}{}); res.StatusCode != http.StatusNotImplemented {
		t.Errorf("%d %q", res.StatusCode, out)
	}
}

func TestPutEvents(t *testing.T) {
	t.Parallel()
	d := inProcess(sandbox.Options{})
	res, out := send(t, d.s, request{target: "/", body: `{"Entries":[{"Source":"deployer","DetailType":"launch","Detail":"{\"a\":1}"},{"Source":"x"},{"Source":"x","DetailType":"y","Detail":"no"}]}`, header: map[string]string{
		"X-Amz-Target": "AWSEvents.PutEvents", "Content-Type": "application/x-amz-json-1.1", "Authorization": signed("A", "eu-west-1", "events"),
	}})
	if res.StatusCode != http.StatusOK || !strings.Contains(out, `"FailedEntryCount":2`) || !strings.Contains(out, "MalformedDetail") {
		t.Error(out)
	}
	events := must[[]sandbox.BusEvent](t)(d.s.BusEvents(t.Context()))
	if len(events) != 1 || events[0].Source != "deployer" || events[0].Bus != "default" || events[0].Region != "eu-west-1" {
		t.Errorf("%+v", events)
	}
}
