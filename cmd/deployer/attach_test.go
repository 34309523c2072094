package main_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"github.com/deployer-cli/deployer/internal/sandbox"
)

// client is what another user of the account works with: neither the scene's
// network nor its latency is between it and AWS.
func (s *scene) client() *cloudformation.Client {
	return cloudformation.New(cloudformation.Options{
		Region: "eu-west-1", Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
		HTTPClient: s.aws.Client(), BaseEndpoint: new(sandbox.Endpoint),
	})
}

// live gives every stack's parameters and outputs as AWS has them, such as
// "many-dev-a/Note=two", with all faults cleared.
func (s *scene) live(t *testing.T) map[string]string {
	t.Helper()
	if err := s.aws.ClearFaults(t.Context()); err != nil {
		t.Fatal(err)
	}
	out, err := s.client().DescribeStacks(t.Context(), &cloudformation.DescribeStacksInput{})
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]string{}
	for _, st := range out.Stacks {
		values[*st.StackName] = string(st.StackStatus)
		for _, p := range st.Parameters {
			values[*st.StackName+"/"+*p.ParameterKey] = *p.ParameterValue
		}
	}
	return values
}

// handsDown makes a project in which b takes from a what a is given as its Note.
func (s *scene) handsDown(t *testing.T, note, beside string) {
	t.Helper()
	write(t, s.dir, "templates/out.yaml", "Parameters: {After: {Type: String, Default: none}, Note: {Type: String, Default: none}}\n"+
		"Resources:\n  Queue: {Type: AWS::SQS::Queue, Properties: {Tags: [{Key: after, Value: !Ref After}, {Key: note, Value: !Ref Note}]}}\n"+
		"  P: {Type: AWS::SSM::Parameter, Properties: {Type: String, Value: !Ref Note}}\nOutputs:\n  Note: {Value: !GetAtt P.Value}\n")
	write(t, s.dir, "config/dev/a.yaml", "template: {path: out.yaml, type: file}\nparameters: {Note: "+note+"}\n"+beside)
	write(t, s.dir, "config/dev/b.yaml", "template: {path: out.yaml, type: file}\nparameters: {After: !stack_output 'dev/a.yaml::Note'}\n")
}

// Somebody makes a stack as it is wanted while the run is on its way to it, so
// that there is nothing to update: what depends on it gets the outputs of now.
func TestNothingToUpdateHandsOnTheOutputsOfNow(t *testing.T) {
	t.Parallel()
	play(t, 0, 0, func(t *testing.T, s *scene) {
		files := func(note string) {
			s.handsDown(t, note, "dependencies: [dev/first.yaml]\n")
			write(t, s.dir, "config/dev/first.yaml", "template: {path: out.yaml, type: file}\nparameters: {Note: first-"+note+"}\n")
		}
		files("one")
		s.launch(t, 0)
		time.Sleep(2 * time.Minute)
		files("two")
		s.fault(t, sandbox.Fault{Stack: "many-dev-first", Hold: 40 * time.Second}, 0)
		time.AfterFunc(5*time.Second, func() {
			live, err := s.client().DescribeStacks(t.Context(), &cloudformation.DescribeStacksInput{StackName: new("many-dev-a")})
			if err != nil {
				t.Error(err)
				return
			}
			if _, err = s.client().UpdateStack(t.Context(), &cloudformation.UpdateStackInput{
				StackName: new("many-dev-a"), UsePreviousTemplate: new(true), Tags: live.Stacks[0].Tags,
				Parameters: []types.Parameter{{ParameterKey: new("Note"), ParameterValue: new("two")}, {ParameterKey: new("After"), UsePreviousValue: new(true)}},
			}); err != nil {
				t.Error(err)
			}
		})
		o := s.launch(t, 0).result(t)
		if o.Stacks["dev/a"] != "unchanged" || o.Stacks["dev/b"] != "updated" {
			t.Errorf("%v", o.Stacks)
		}
		if live := s.live(t); live["many-dev-b/After"] != "two" {
			t.Errorf("%v", live)
		}
	})
}

// An update is accepted and its terminal closed; the next launch, told of the
// past, ends with what depends on it as it has to be.
func TestLaunchAfterOneThatWasLeft(t *testing.T) {
	t.Parallel()
	for _, lag := range []time.Duration{0, 5 * time.Second, 20 * time.Second} {
		for _, after := range []time.Duration{0, 8 * time.Second} {
			t.Run(fmt.Sprintf("reads lag %s, %s later", lag, after), func(t *testing.T) {
				t.Parallel()
				play(t, 0, 0, func(t *testing.T, s *scene) {
					s.handsDown(t, "one", "")
					s.launch(t, 0)
					if lag > 0 {
						s.fault(t, sandbox.Fault{Stale: lag, Service: "cloudformation", Phase: "read"}, 0)
					}
					time.Sleep(2 * time.Minute)
					s.launch(t, 0)
					time.Sleep(3 * time.Minute)
					s.handsDown(t, "two", "")
					var once sync.Once
					s.watch = func(action string) {
						if action == "UpdateStack" {
							once.Do(func() { time.AfterFunc(50*time.Millisecond, func() { s.interrupts <- syscall.SIGHUP }) })
						}
					}
					s.launch(t, 130)
					time.Sleep(after)
					s.launch(t, 0)
					if live := s.live(t); live["many-dev-a/Note"] != "two" || live["many-dev-b/After"] != "two" {
						t.Errorf("%v", live)
					}
				})
			})
		}
	}
}

// A stack that is busy when its turn comes is waited for, whoever began what goes
// on with it, and then made as it has to be, once. One that meanwhile is tagged as
// production is left as it is.
func TestBusyStackIsWaitedFor(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		op    string
		class string // as which somebody tags it meanwhile
		blind bool   // it cannot be read when that has ended
	}{
		"launch": {op: "launch"}, "delete": {op: "delete"}, "launch, production": {op: "launch", class: "production"},
		"launch, blind": {op: "launch", blind: true},
	} {
		op := tt.op
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			play(t, 1, 2, func(t *testing.T, s *scene) {
				s.launch(t, 0)
				time.Sleep(time.Minute)
				first, second := "c000-000", "c000-001"
				if op == "delete" {
					first, second = second, first // the dependent goes first
				}
				for _, name := range []string{first, second} {
					text := "template: {path: queue.yaml, type: file}\nstack_tags: {round: two}\n"
					if name == "c000-001" {
						text += "parameters: {After: !stack_output dev/c000-000.yaml::Arn}\n"
					}
					write(t, s.dir, "config/dev/"+name+".yaml", text)
				}
				s.fault(t, sandbox.Fault{Stack: "many-dev-*", Hold: 20 * time.Second}, 0)
				time.AfterFunc(10*time.Second, func() {
					theirs := &cloudformation.UpdateStackInput{
						StackName: new("many-dev-" + second), UsePreviousTemplate: new(true),
						Parameters: []types.Parameter{{ParameterKey: new("After"), ParameterValue: new("theirs")}},
					}
					if tt.class != "" {
						theirs.Tags = []types.Tag{{Key: new("deployer:class"), Value: &tt.class}}
					}
					if _, err := s.client().UpdateStack(t.Context(), theirs); err != nil {
						t.Error(err)
					}
				})
				if tt.blind {
					time.AfterFunc(25*time.Second, func() { // the plan is made, and it goes on
						s.fault(t, sandbox.Fault{Stack: "many-dev-" + second, Action: "GetTemplate", Status: 503}, 0)
					})
				}
				r := s.run(t, op, "dev", "-y", "-o", "json", "--timeout", "30h")
				if tt.blind {
					if o := r.result(t); r.Exit != 1 || o.Stacks["dev/"+second] != "unknown" {
						t.Errorf("exit %d\n%s%s", r.Exit, r.Stdout, r.Stderr)
					}
					return
				}
				if tt.class != "" { // meanwhile, so that the yes is none to this
					if o := r.result(t); r.Exit != 1 || o.Stacks["dev/"+second] != "failed" || !strings.Contains(r.Stdout, "deployer:class=production") {
						t.Errorf("exit %d\n%s%s", r.Exit, r.Stdout, r.Stderr)
					}
					if live := s.live(t); live["many-dev-"+second+"/After"] != "theirs" {
						t.Errorf("%v", live)
					}
					return
				}
				want := map[string]string{"launch": "updated", "delete": "deleted"}[op]
				if r.Exit != 0 {
					t.Fatalf("exit %d\n%s%s", r.Exit, r.Stdout, r.Stderr)
				}
				r.result(t).all(t, 2, want)
				if !strings.Contains(r.Stdout, `"action":"join"`) {
					t.Errorf("nothing was waited for: %s", r.Stdout)
				}
				live := s.live(t)
				if op == "delete" && len(live) > 0 || op == "launch" && live["many-dev-c000-001/After"] == "theirs" {
					t.Errorf("%v", live)
				}
			})
		})
	}
}

// With reads that lag behind a launch that was left a moment ago, its update is
// found by the next one, which waits for it.
func TestBusyWithAnUpdateThatReadsDoNotShow(t *testing.T) {
	t.Parallel()
	play(t, 1, 1, func(t *testing.T, s *scene) {
		s.launch(t, 0)
		s.fault(t, sandbox.Fault{Stale: 10 * time.Second, Service: "cloudformation", Phase: "read"}, 0)
		s.fault(t, sandbox.Fault{Stack: "many-dev-c000-000", Hold: time.Minute}, 0)
		time.Sleep(time.Minute)
		s.launch(t, 0)
		time.Sleep(time.Minute)
		write(t, s.dir, "config/dev/c000-000.yaml", "template: {path: queue.yaml, type: file}\nparameters: {After: changed}\n")
		time.AfterFunc(4*time.Second, func() { s.interrupts <- syscall.SIGHUP })
		s.launch(t, 130)
		s.launch(t, 0)
		if live := s.live(t); live["many-dev-c000-000/After"] != "changed" || live["many-dev-c000-000"] != "UPDATE_COMPLETE" {
			t.Errorf("%v", live)
		}
	})
}

// A deletion right after a launch, told of before it, deletes what is there.
func TestDeleteBelievesNoListing(t *testing.T) {
	t.Parallel()
	for _, journal := range []bool{true, false} { // with what this machine knows, and from another one
		t.Run(fmt.Sprintf("journal %v", journal), func(t *testing.T) {
			t.Parallel()
			play(t, 1, 2, func(t *testing.T, s *scene) {
				s.fault(t, sandbox.Fault{Stale: 20 * time.Second, Service: "cloudformation", Phase: "read"}, 0)
				s.run(t, "status", "dev")
				time.Sleep(40 * time.Second)
				s.launch(t, 0)
				if !journal {
					if err := os.RemoveAll(filepath.Join(s.dir, ".deployer", "aws", "journal")); err != nil {
						t.Fatal(err)
					}
				}
				r := s.run(t, "delete", "dev", "-y", "-o", "json")
				if r.Exit != 0 {
					t.Fatalf("exit %d: %s%s", r.Exit, r.Stdout, r.Stderr)
				}
				r.result(t).all(t, 2, "deleted")
				if live := s.live(t); len(live) > 0 {
					t.Errorf("%v", live)
				}
			})
		})
	}
}

// The next launch knows from the journal what was accepted before, waits until
// AWS shows it, and plans to wait for its end; nothing is sent a second time.
func TestLaunchAttachesByTheJournal(t *testing.T) {
	t.Parallel()
	play(t, 1, 1, func(t *testing.T, s *scene) {
		s.launch(t, 0)
		s.fault(t, sandbox.Fault{Stale: 10 * time.Second, Service: "cloudformation", Phase: "read"}, 0)
		s.fault(t, sandbox.Fault{Stack: "many-dev-c000-000", Hold: 5 * time.Minute}, 0)
		time.Sleep(time.Minute)
		s.launch(t, 0)
		time.Sleep(time.Minute)
		write(t, s.dir, "config/dev/c000-000.yaml", "template: {path: queue.yaml, type: file}\nparameters: {After: changed}\n")
		updates := 0
		s.watch = func(action string) {
			if action == "UpdateStack" {
				updates++
			}
		}
		time.AfterFunc(4*time.Second, func() { s.interrupts <- syscall.SIGHUP })
		s.launch(t, 130)
		r := s.launch(t, 0)
		if !strings.Contains(r.Stdout, `"action":"join"`) || updates != 1 {
			t.Errorf("%d updates\n%s%s", updates, r.Stdout, r.Stderr)
		}
		if live := s.live(t); live["many-dev-c000-000/After"] != "changed" {
			t.Errorf("%v", live)
		}
	})
}
