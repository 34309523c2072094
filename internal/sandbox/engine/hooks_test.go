package engine

import (
	"fmt"
	"strings"
	"sync"
	"testing"
)

func TestOtherServicesHearOfResources(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var heard []string
	cfg := w.e.cfg
	cfg.Made = func(_ Tx, m Made) error {
		heard = append(heard, fmt.Sprintf("made %s %s=%v", m.Type, m.Physical, m.Properties["Value"]))
		return nil
	}
	cfg.Gone = func(_ Tx, m Made) error {
		heard = append(heard, "gone "+m.Physical)
		return nil
	}
	w.e = New(cfg)
	w.ssm["/other"] = "resolved"
	template := strings.Replace(oneParameter, "Value: !Ref Value}", `Value: "{{resolve:ssm:/other}}"}`, 1)
	w.create("one", template)
	w.settle()
	w.status("one", createComplete)
	w.delete("one")
	w.settle()
	want(t, strings.Join(heard, "; "), "made AWS::SSM::Parameter /app/one=resolved; gone /app/one")
}

func TestUnresolvableReferenceFails(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.create("one", strings.Replace(oneParameter, "Value: !Ref Value}", `Value: "{{resolve:ssm:/none}}"}`, 1))
	w.settle()
	w.status("one", rollbackComplete)
	w.expectReason("one", "One CREATE_FAILED Parameters: [ssm:/none] cannot be found.")
}

func TestBucketsThatHoldObjectsStay(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	cfg := w.e.cfg
	const full = "The bucket you tried to delete is not empty. You must delete all versions in the bucket."
	cfg.Holds = func(Tx, Made) (string, error) { return full, nil }
	w.e = New(cfg)
	w.create("b", `{"Resources":{"Bucket":{"Type":"AWS::S3::Bucket"}}}`)
	w.settle()
	w.delete("b")
	w.settle()
	st := w.status("b", deleteFailed)
	want(t, st.StackStatusReason, "The following resource(s) failed to delete: [Bucket]. ")
	if !strings.Contains(strings.Join(w.reasons("b"), "\n"), full) {
		t.Errorf("no reason:\n%s", w.stream("b"))
	}
	do[DeleteStackOutput](w, "DeleteStack", &DeleteStackInput{StackName: "b", DeletionMode: "FORCE_DELETE_STACK"})
	w.settle()
	w.status(st.StackId, deleteComplete)
}

func TestRollbackTriggers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	state := "OK"
	cfg := w.e.cfg
	cfg.Alarm = func(Tx, Account, string) (string, error) { return state, nil }
	w.e = New(cfg)
	in := &CreateStackInput{StackName: "watched", TemplateBody: oneParameter, RollbackConfiguration: &RollbackConfiguration{
		MonitoringTimeInMinutes: new(5),
		RollbackTriggers:        []RollbackTrigger{{Arn: "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:errors", Type: "AWS::CloudWatch::Alarm"}},
	}}
	do[CreateStackOutput](w, "CreateStack", in)
	w.pass(2 * 60e9)
	w.status("watched", createInProgress)
	state = "ALARM"
	w.settle()
	w.status("watched", rollbackComplete)
	in.StackName = "calm"
	state = "OK"
	start := w.now
	do[CreateStackOutput](w, "CreateStack", in)
	w.settle()
	w.status("calm", createComplete)
	if took := w.now.Sub(start); took < 5*60e9 {
		t.Errorf("the window was left out: took %v", took)
	}
}

func TestEventPaging(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.create("wide", topics(80))
	w.settle()
	first := do[DescribeStackEventsOutput](w, "DescribeStackEvents", &DescribeStackEventsInput{StackName: "wide"})
	if len(first.StackEvents) != pageSize || first.NextToken == "" {
		t.Fatalf("%d events, token %q", len(first.StackEvents), first.NextToken)
	}
	all := w.events("wide")
	if want := 80*3 + 2; len(all) != want {
		t.Errorf("%d events, want %d", len(all), want)
	}
	for i := 1; i < len(all); i++ {
		if all[i].Timestamp.Before(all[i-1].Timestamp) {
			t.Fatalf("event %d is older than the one before", i)
		}
	}
}

// One engine serves many stores at once: what it keeps must not depend on
// which came first.
func TestEngineIsShared(t *testing.T) {
	t.Parallel()
	first := newWorld(t)
	want := make(chan string, 8)
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			w := newWorld(t)
			w.e = first.e
			w.create("net", network)
			w.settle()
			w.update("net", network, "Cidr", "10.8.0.0/16")
			w.settle()
			want <- w.stream("net")
		})
	}
	wait.Wait()
	close(want)
	one := <-want
	for other := range want {
		if other != one {
			t.Errorf("streams differ:\n%s\n%s", one, other)
		}
	}
}
