package main_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/deployer-cli/deployer/internal/sandbox"
)

// A service that the run asks for the first time while it is down for minutes is
// waited for like any other.
func TestServiceDownWhenFirstAsked(t *testing.T) {
	t.Parallel()
	for _, service := range []string{"ssm", "s3"} {
		t.Run(service, func(t *testing.T) {
			t.Parallel()
			play(t, 0, 0, func(t *testing.T, s *scene) {
				s.firstAsked(t, service)
				s.fault(t, sandbox.Fault{Stack: "many-dev-a", Hold: 10 * time.Second}, 0)
				time.AfterFunc(5*time.Second, func() { s.fault(t, sandbox.Fault{Status: 503, Service: service}, 3*time.Minute) })
				r := s.launch(t, 0)
				r.result(t).all(t, 2, "created")
				if took := time.Since(s.start); took < 3*time.Minute || took > 5*time.Minute {
					t.Errorf("it took %s", took)
				}
			})
		})
	}
}

// What is never to be had fails the stack it is for, to which nothing was sent; it
// does not make it unknown.
func TestServiceThatNeverAnswers(t *testing.T) {
	t.Parallel()
	for _, service := range []string{"ssm", "s3"} {
		t.Run(service, func(t *testing.T) {
			t.Parallel()
			play(t, 0, 0, func(t *testing.T, s *scene) {
				s.firstAsked(t, service)
				s.fault(t, sandbox.Fault{Stack: "many-dev-a", Hold: 10 * time.Second}, 0)
				time.AfterFunc(5*time.Second, func() { s.fault(t, sandbox.Fault{Status: 503, Service: service}, 0) })
				o := s.launch(t, 1, "--timeout", "3h").result(t)
				if o.Stacks["dev/a"] != "created" || o.Stacks["dev/b"] != "failed" {
					t.Errorf("%v", o.Stacks)
				}
				if err := s.aws.ClearFaults(t.Context()); err != nil {
					t.Fatal(err)
				}
				s.launch(t, 0).result(t).all(t, 2, "unchanged", "created")
			})
		})
	}
}

// firstAsked makes a project of two stacks, the second of which needs a service
// that is asked when its turn comes, and not before.
func (s *scene) firstAsked(t *testing.T, service string) {
	t.Helper()
	write(t, s.dir, "templates/param.yaml", "Resources:\n  P: {Type: AWS::SSM::Parameter, Properties: {Name: /given/x, Type: String, Value: one}}\n")
	write(t, s.dir, "config/dev/a.yaml", "template: {path: param.yaml, type: file}\n")
	if service == "ssm" {
		write(t, s.dir, "config/dev/b.yaml", "template: {path: queue.yaml, type: file}\nparameters: {After: !ssm /given/x}\ndependencies: [dev/a.yaml]\n")
		return
	}
	if _, err := s.aws.Seed(t.Context(), []byte("buckets: [records]\n")); err != nil {
		t.Fatal(err)
	}
	var big strings.Builder
	big.WriteString("Resources:\n")
	for i := range 400 {
		fmt.Fprintf(&big, "  P%03d: {Type: AWS::SSM::Parameter, Properties: {Type: String, Value: one, Description: '%0120d'}}\n", i, i)
	}
	write(t, s.dir, "templates/big.yaml", big.String())
	write(t, s.dir, "config/dev/b.yaml", "template: {path: big.yaml, type: file}\ntemplate_bucket_name: records\ndependencies: [dev/a.yaml]\n")
}
