package main_test

import (
	"errors"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"github.com/deployer-cli/deployer/internal/sandbox"
)

// Somebody updates or deletes a stack, which a launch joins while half of its reads
// are of before: what it says in the end is so.
func TestJoinedThroughStaleReads(t *testing.T) { //nolint:paralleltest // see play
	const name = "many-dev-c000-000"
	for _, op := range []string{"update", "delete"} { //nolint:paralleltest // see play
		t.Run(op, func(t *testing.T) {
			play(t, 1, 1, func(t *testing.T, s *scene) {
				write(t, s.dir, "config/dev/c000-000.yaml", "template: {path: queue.yaml, type: file}\nparameters: {After: mine}\n")
				s.fault(t, sandbox.Fault{Stale: 30 * time.Second, Probability: 0.5, Service: "cloudformation", Phase: "read"}, 0)
				s.run(t, "launch", "dev", "-y", "-o", "json")
				time.Sleep(5 * time.Minute)
				for range 20 {
					s.run(t, "status", "dev")
					time.Sleep(time.Second)
				}
				s.fault(t, sandbox.Fault{Stack: name, Hold: time.Minute}, 0)
				var err error
				if op == "update" {
					_, err = s.client().UpdateStack(t.Context(), &cloudformation.UpdateStackInput{
						StackName: new(name), UsePreviousTemplate: new(true),
						Parameters: []types.Parameter{{ParameterKey: new("After"), ParameterValue: new("theirs")}},
					})
				} else {
					_, err = s.client().DeleteStack(t.Context(), &cloudformation.DeleteStackInput{StackName: new(name)})
				}
				if err != nil {
					t.Fatal(err)
				}
				time.Sleep(time.Second)
				r := s.run(t, "launch", "dev", "-y", "-o", "json")
				time.Sleep(3 * time.Minute)
				if after := s.live(t)[name+"/After"]; r.Exit == 0 && after != "mine" {
					t.Errorf("exit 0, and After is %q", after)
				}
			})
		})
	}
}

// Our update of a NoEcho value ends while the network is away, and somebody else gives
// it another value meanwhile: what we gave is no longer known to be there.
func TestSecretOfAnotherAfterOurs(t *testing.T) { //nolint:paralleltest // see play
	play(t, 0, 0, func(t *testing.T, s *scene) {
		write(t, s.dir, "templates/sec.yaml", "Parameters: {P: {Type: String, NoEcho: true}}\nResources:\n  Queue: {Type: AWS::SQS::Queue, Properties: {Tags: [{Key: p, Value: !Ref P}]}}\n")
		give := func(value string) {
			write(t, s.dir, "config/dev/a.yaml", "template: {path: sec.yaml, type: file}\nparameters: {P: "+value+"}\n")
		}
		give("one")
		s.launch(t, 0)
		time.Sleep(time.Minute)
		give("two")
		theirs := func() {
			live, err := s.client().DescribeStacks(t.Context(), &cloudformation.DescribeStacksInput{StackName: new("many-dev-a")})
			if err != nil {
				t.Error(err)
				return
			}
			if _, err = s.client().UpdateStack(t.Context(), &cloudformation.UpdateStackInput{
				StackName: new("many-dev-a"), UsePreviousTemplate: new(true), Tags: live.Stacks[0].Tags,
				Parameters: []types.Parameter{{ParameterKey: new("P"), ParameterValue: new("theirs")}},
			}); err != nil {
				t.Error(err)
			}
		}
		var once sync.Once
		s.watch = func(action string) {
			if action != "UpdateStack" {
				return
			}
			once.Do(func() {
				time.AfterFunc(time.Second, func() { s.cut(func(*http.Request) error { return errors.New("gone") }) })
				time.AfterFunc(30*time.Second, theirs)
				time.AfterFunc(90*time.Second, func() { s.cut(nil) })
			})
		}
		if got := s.launch(t, 0).result(t).Stacks["dev/a"]; got != "updated" {
			t.Errorf("ours is told as %s", got)
		}
		time.Sleep(time.Hour)
		if got := s.launch(t, 0).result(t).Stacks["dev/a"]; got != "updated" {
			t.Errorf("the NoEcho parameter is somebody else's, and the stack is told as %s", got)
		}
	})
}
