package main_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudformation"

	"github.com/deployer-cli/deployer/internal/sandbox"
)

// lateEdge makes a project in which c imports what a exports, by a name that only
// b gives: nobody can know before that c needs a.
func (s *scene) lateEdge(t *testing.T) {
	t.Helper()
	write(t, s.dir, "templates/exp.yaml", "Resources:\n  Queue: {Type: AWS::SQS::Queue}\nOutputs:\n  Arn: {Value: !GetAtt Queue.Arn, Export: {Name: !Sub '${AWS::StackName}-Arn'}}\n")
	write(t, s.dir, "templates/name.yaml", "Resources:\n  P: {Type: AWS::SSM::Parameter, Properties: {Type: String, Value: many-dev-a, Name: which}}\nOutputs:\n  Name: {Value: !GetAtt P.Value}\n")
	write(t, s.dir, "templates/imp.yaml", "Parameters: {From: {Type: String}}\nResources:\n  S: {Type: AWS::SSM::Parameter, Properties: {Type: String, Value: {'Fn::ImportValue': !Sub '${From}-Arn'}}}\n")
	write(t, s.dir, "config/dev/a.yaml", "template: {path: exp.yaml, type: file}\n")
	write(t, s.dir, "config/dev/b.yaml", "template: {path: name.yaml, type: file}\n")
	write(t, s.dir, "config/dev/c.yaml", "template: {path: imp.yaml, type: file}\nparameters: {From: !stack_output 'dev/b.yaml::Name'}\n")
}

// A dependency that comes to light only within the run is waited for, without a
// slot; what fails before it skips what turned out to need it.
func TestLateDependencyIsWaitedFor(t *testing.T) {
	t.Parallel()
	for name, flags := range map[string][]string{"at once": nil, "with two slots": {"--max-concurrency", "2"}} {
		t.Run(strings.ReplaceAll(name, " ", "-"), func(t *testing.T) {
			t.Parallel()
			play(t, 0, 0, func(t *testing.T, s *scene) {
				s.lateEdge(t)
				s.fault(t, sandbox.Fault{Stack: "many-dev-a", Hold: time.Minute}, 0)
				r := s.launch(t, 0, flags...)
				r.result(t).all(t, 3, "created")
				events := r.story(t)
				if done, sent := events.when(t, "step-done", "dev/a"), events.last(t, "step-accepted", "dev/c"); sent.Before(done) {
					t.Errorf("dev/c was sent at %s, dev/a was done at %s", sent, done)
				}
				events.when(t, "step-waiting", "dev/c")
				s.launch(t, 0).result(t).all(t, 3, "unchanged")
			})
		})
	}
	t.Run("what it needs fails", func(t *testing.T) {
		t.Parallel()
		play(t, 0, 0, func(t *testing.T, s *scene) {
			s.lateEdge(t)
			s.fault(t, sandbox.Fault{Stack: "many-dev-a", Hold: time.Minute}, 0)
			s.fault(t, sandbox.Fault{Stack: "many-dev-a", Fail: true, Message: "no more queues", Phase: "create"}, 0)
			o := s.launch(t, 1).result(t)
			if o.Stacks["dev/a"] != "failed" || o.Stacks["dev/b"] != "created" || o.Stacks["dev/c"] != "skipped" || len(o.Errors) != 1 {
				t.Errorf("%+v", o)
			}
		})
	})
}

// A dependency that comes to light within the run and closes a circle fails its
// stack before anything is sent for it.
func TestLateDependencyClosesACircle(t *testing.T) {
	t.Parallel()
	play(t, 0, 0, func(t *testing.T, s *scene) {
		s.lateEdge(t)
		write(t, s.dir, "config/dev/a.yaml", "template: {path: exp.yaml, type: file}\ndependencies: [dev/c.yaml]\n")
		o := s.launch(t, 1).result(t)
		if o.Stacks["dev/b"] != "created" || o.Stacks["dev/c"] != "failed" || o.Stacks["dev/a"] != "skipped" {
			t.Errorf("%+v", o)
		}
		if len(o.Errors) != 1 || !strings.Contains(o.Errors[0].Why, "cycle") {
			t.Errorf("%+v", o.Errors)
		}
		out, err := s.client().DescribeStacks(t.Context(), &cloudformation.DescribeStacksInput{})
		if err != nil || len(out.Stacks) != 1 {
			t.Errorf("%d stacks, %v", len(out.Stacks), err)
		}
	})
}

// last tells when something happened to a stack for the last time.
func (st story) last(t *testing.T, kind, stack string) time.Time {
	t.Helper()
	for _, e := range slices.Backward(st) {
		if e.Kind == kind && e.Stack == stack {
			return e.Time
		}
	}
	t.Fatalf("%s: no event %s", stack, kind)
	return time.Time{}
}
