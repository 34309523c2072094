package cfn_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/deployer-cli/deployer/internal/awsconf"
	"github.com/deployer-cli/deployer/internal/cfn"
	awscloud "github.com/deployer-cli/deployer/internal/cloud"
	"github.com/deployer-cli/deployer/internal/guard"
	"github.com/deployer-cli/deployer/internal/sandbox"
	"github.com/deployer-cli/deployer/internal/sandbox/store"
	"github.com/deployer-cli/deployer/stacks"
)

// world is the sandbox, reached as the application reaches it.
type world struct {
	server  *sandbox.Server
	cfn     *cfn.Cloud
	counter *awsconf.Counter
}

func newWorld() *world {
	w := &world{
		server:  sandbox.New(sandbox.Options{Store: store.NewMemory(), Speed: 1, Account: account}),
		counter: new(awsconf.Counter),
	}
	configs := awsconf.New(awsconf.Options{
		Realm: stacks.RealmSandbox, HTTPClient: w.server.Client(), Endpoint: sandbox.Endpoint,
		Keys: &awsconf.Keys{ID: "sandbox", Secret: "sandbox"}, Counter: w.counter,
		Limits: awsconf.Limits{Attempts: 8}, // so that bad luck in a row is not taken for an outage
	})
	aws := awscloud.New(awscloud.Options{Config: configs.Config, Realm: stacks.RealmSandbox, Run: run})
	w.cfn = cfn.New(cfn.Options{
		Config: configs.Config, Account: aws.Account, Realm: stacks.RealmSandbox, Run: run,
		Uploader: func(c guard.Clearance, t stacks.Target) cfn.Uploader { return aws.Writer(c, t) },
	})
	return w
}

const (
	queue    = "Resources:\n  Queue: {Type: AWS::SQS::Queue}\nOutputs:\n  Arn: {Value: !GetAtt Queue.Arn}\n"
	twoQueue = "Resources:\n  Queue: {Type: AWS::SQS::Queue}\n  Other: {Type: AWS::SQS::Queue}\nOutputs:\n  Arn: {Value: !GetAtt Other.Arn}\n"
)

// in makes a clearance for a stack that lives, by the id it really has.
func in(t *testing.T, id string) guard.Clearance {
	t.Helper()
	s := step("web", false)
	s.StackID = id
	return clearance(t, s)
}

func (w *world) create(t *testing.T, name, body string) stacks.Operation {
	t.Helper()
	c := change(stacks.Create, name)
	c.Desired.Body = []byte(body)
	op, err := w.cfn.Writer(clearance(t, step(name, false))).Create(t.Context(), c)
	if err != nil {
		t.Fatalf("create %s: %v", name, err)
	}
	return op
}

func (w *world) fault(t *testing.T, f sandbox.Fault) {
	t.Helper()
	if _, err := w.server.AddFault(t.Context(), f); err != nil {
		t.Fatal(err)
	}
}

func TestLifeInTheSandbox(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		op := w.create(t, "web", queue)
		p := w.end(t, op, stacks.CreateComplete)
		if v, _ := p.Live.Output("Arn"); !strings.Contains(v, ":sqs:") {
			t.Errorf("outputs %v", p.Live.Outputs)
		}
		writer := w.cfn.Writer(in(t, op.StackID))

		c := change(stacks.Update, "web")
		c.StackID, c.Token, c.Desired.Body = op.StackID, "token-2", []byte(twoQueue)
		up, err := writer.Update(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := writer.Update(t.Context(), stacks.Change{Verb: stacks.Update, StackID: op.StackID, Token: "token-3", Desired: c.Desired}); !isA[*stacks.BusyError](err) {
			t.Errorf("a second update: %v", err)
		}
		w.end(t, up, stacks.UpdateComplete)
		c.Token = "token-4"
		if _, err := writer.Update(t.Context(), c); !isA[*stacks.NoChangesError](err) {
			t.Errorf("the same again: %v", err)
		}
		w.changeSet(t, writer, op.StackID)

		target := web()
		target.StackID, target.Token = op.StackID, "token-6"
		if err := writer.Protect(t.Context(), target, true); err != nil {
			t.Fatal(err)
		}
		if _, err := writer.Delete(t.Context(), target, nil); !isA[*stacks.ProtectedError](err) {
			t.Errorf("delete of a protected stack: %v", err)
		}
		if err := writer.Protect(t.Context(), target, false); err != nil {
			t.Fatal(err)
		}
		gone, err := writer.Delete(t.Context(), target, nil)
		if err != nil {
			t.Fatal(err)
		}
		w.end(t, gone, stacks.DeleteComplete)
		if _, err := w.cfn.Stack(t.Context(), access, "web"); !isA[*stacks.NotFoundError](err) {
			t.Errorf("afterwards: %v", err)
		}
	})
}

// changeSet proposes and executes the way back to one queue.
func (w *world) changeSet(t *testing.T, writer *cfn.Writer, id string) {
	t.Helper()
	c := change(stacks.Update, "web")
	c.StackID, c.Token, c.Desired.Body = id, "token-5", []byte(queue)
	set, err := writer.Propose(t.Context(), c, "back")
	if err != nil || !set.Ready() || len(set.Changes) != 1 || set.Changes[0].Action != "remove" || set.Changes[0].LogicalID != "Other" {
		t.Fatalf("proposed %+v, %v", set, err)
	}
	target := web()
	target.StackID, target.Token = id, "token-5"
	op, err := writer.Execute(t.Context(), target, set.ID, false)
	if err != nil {
		t.Fatal(err)
	}
	w.end(t, op, stacks.UpdateComplete)
	c.Token = "token-5b"
	if _, err := writer.Propose(t.Context(), c, "nothing"); !isA[*stacks.NoChangesError](err) {
		t.Errorf("proposing nothing: %v", err)
	}
	if sets, err := w.cfn.ChangeSets(t.Context(), access, id); err != nil || len(sets) != 0 {
		t.Errorf("change sets left: %v, %v", sets, err)
	}
}

// end watches an operation to the end that is expected.
func (w *world) end(t *testing.T, op stacks.Operation, want stacks.Status) stacks.Progress {
	t.Helper()
	p, events, err := await(t.Context(), w.cfn, op)
	if err != nil || p.Status != want || !p.Done {
		t.Fatalf("%s ended %s %q, %v; %d events", op.Verb, p.Status, p.Reason, err, len(events))
	}
	return p
}

func isA[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}

func TestFailureInTheSandbox(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.fault(t, sandbox.Fault{Type: "AWS::SQS::Queue", Logical: "Other", Phase: "create", Fail: true, Message: "no more queues"})
		op := w.create(t, "web", twoQueue)
		p, events, err := await(t.Context(), w.cfn, op)
		if err != nil || p.Status != stacks.RollbackComplete {
			t.Fatalf("%+v, %v", p, err)
		}
		if root, ok := stacks.RootCause(events); !ok || root.LogicalID != "Other" || !strings.Contains(root.Reason, "no more queues") {
			t.Errorf("root cause %+v", root)
		}
	})
}

// Whatever the network does, every stack comes up once, and every watcher hears
// the end of its own operation.
func TestBadNetworkInTheSandbox(t *testing.T) {
	t.Parallel()
	tests := map[string]sandbox.Fault{
		"answers lost":        {Drop: "answer", Probability: 0.2},
		"requests lost":       {Drop: "request", Probability: 0.2},
		"broken":              {Status: 503, Probability: 0.2},
		"throttled":           {Rate: 5, Burst: 5},
		"stale reads":         {Stale: 20 * time.Second, Phase: "read"},
		"stale, now and then": {Stale: 20 * time.Second, Phase: "read", Probability: 0.5},
	}
	for name, f := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				const n = 12
				w := newWorld()
				var ids sync.Map
				f.Service = "cloudformation"
				w.fault(t, f)
				var wg sync.WaitGroup
				for i := range n {
					wg.Go(func() {
						name := fmt.Sprintf("s%d", i)
						op := w.create(t, name, queue)
						ids.Store(op.StackID, true)
						w.end(t, op, stacks.CreateComplete)
						c := change(stacks.Update, name)
						c.StackID, c.Token, c.Desired.Body = op.StackID, "again-"+name, []byte(twoQueue)
						s := step(name, false)
						s.StackID = op.StackID
						up, err := w.cfn.Writer(clearance(t, s)).Update(t.Context(), c)
						if err != nil {
							t.Errorf("update %s: %v", name, err)
							return
						}
						p := w.end(t, up, stacks.UpdateComplete)
						if r, err := w.cfn.Resources(t.Context(), access, op.StackID); f.Stale == 0 && (err != nil || len(r) != 2) {
							t.Errorf("%s has %d resources, %v", name, len(r), err)
						}
						if p.Live.Updated.IsZero() {
							t.Errorf("%s: the description is of before the update", name)
						}
					})
				}
				wg.Wait()
				live := 0
				ids.Range(func(any, any) bool { live++; return true })
				if live != n {
					t.Errorf("%d stacks were made for %d names", live, n)
				}
			})
		})
	}
}

func TestLargeTemplateInTheSandbox(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		if _, err := w.server.Seed(t.Context(), []byte("buckets: [templates]\nregion: eu-west-1\n")); err != nil {
			t.Fatal(err)
		}
		c := change(stacks.Create, "web")
		c.Desired.Body = []byte(queue + "# " + strings.Repeat("x", 60_000) + "\n")
		c.Desired.Bucket, c.Desired.Stack.KeyPrefix = "templates", "cf"
		op, err := w.cfn.Writer(clearance(t, step("web", false))).Create(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		w.end(t, op, stacks.CreateComplete)
	})
}
