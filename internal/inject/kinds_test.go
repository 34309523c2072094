package inject_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/deployer-cli/deployer/internal/inject"
	"github.com/deployer-cli/deployer/internal/sandbox"
	"github.com/deployer-cli/deployer/stacks"
)

// up asks the stack's health endpoint.
func (w *world) up() bool {
	w.t.Helper()
	r := httptest.NewRequest(http.MethodGet, sandbox.Endpoint+sandbox.HealthPath+"shop", http.NoBody)
	got, err := w.server.Client().Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	return got.StatusCode == http.StatusOK
}

// TestThereAndBack: each kind that can be undone, by itself and twice.
func TestThereAndBack(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ kind, arg, drift string }{
		"an instance":                     {inject.StopInstances, "Server", "IN_SYNC"},
		"a group":                         {inject.StopInstances, "Fleet", "IN_SYNC"},
		"a security group":                {inject.RevokeIngress, "Firewall", "DRIFTED Firewall MODIFIED"},
		"a function":                      {inject.LambdaZero, "Free", "IN_SYNC"}, // its template says nothing of concurrency
		"a function with its concurrency": {inject.LambdaZero, "Kept", "DRIFTED Kept MODIFIED"},
		"a rule":                          {inject.DisableRule, "Nightly", "DRIFTED Nightly MODIFIED"},
		"a rule of another bus":           {inject.DisableRule, "Ordered", "IN_SYNC"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inShop(t, func(t *testing.T, w *world) {
				ctx := t.Context()
				in := w.captured(c.kind, c.arg)
				w.is(in, stacks.Whole)
				for range 2 {
					if err := w.writer().Do(ctx, in); err != nil {
						t.Fatalf("do: %v", err)
					}
				}
				w.is(in, stacks.Broken)
				if got := strings.TrimSpace(w.drift()); got != c.drift {
					t.Errorf("drift %s, want %s", got, c.drift)
				}
				again, err := w.injector.Capture(ctx, in)
				if err != nil || string(again.Before) != string(in.Before) {
					t.Errorf("captured afterwards: %s %v, want %s", again.Before, err, in.Before)
				}
				if fresh := w.preview(c.kind, c.arg); len(fresh.Before) == 0 {
					if _, err := w.injector.Capture(ctx, fresh); !isA[*inject.UnsuitableError](err) {
						t.Errorf("what is broken was captured: %v", err)
					}
				}
				if err := w.writer().Undo(ctx, in); err != nil {
					t.Fatalf("undo: %v", err)
				}
				w.is(in, stacks.Whole)
				if err := w.injector.Writer(w.clearance(stacks.Inject)).Undo(ctx, in); err != nil {
					t.Fatalf("undo again sends something: %v", err)
				}
				w.is(in, stacks.Whole)
				if got := strings.TrimSpace(w.drift()); got != "IN_SYNC" {
					t.Errorf("drift %s at the end", got)
				}
			})
		})
	}
}

// TestTook: when AWS took a call is told at once, however long what it set going runs.
func TestTook(t *testing.T) {
	t.Parallel()
	inShop(t, func(t *testing.T, w *world) {
		var took []time.Time
		writer, in := w.writer(), w.captured(inject.DeleteResource, "Topic")
		writer.Took = func(_ stacks.Injection, at time.Time) { took = append(took, at) }
		begun := time.Now()
		if err := writer.Do(t.Context(), in); err != nil {
			t.Fatal(err)
		}
		if len(took) != 1 || !took[0].Equal(begun) || !time.Now().After(begun) {
			t.Errorf("begun %s, taken %v, ended %s", begun, took, time.Now())
		}
	})
}

// TestDeleteResource: what was deleted comes back with a change set that reverts
// drift, under the same name or another.
func TestDeleteResource(t *testing.T) {
	t.Parallel()
	for _, id := range []string{"Topic", "Named", "Closed"} {
		t.Run(id, func(t *testing.T) {
			t.Parallel()
			inShop(t, func(t *testing.T, w *world) {
				ctx := t.Context()
				in := w.captured(inject.DeleteResource, id)
				w.is(in, stacks.Whole)
				for range 2 {
					if err := w.writer().Do(ctx, in); err != nil {
						t.Fatalf("do: %v", err)
					}
				}
				w.is(in, stacks.Broken)
				if got := w.drift(); got != "DRIFTED "+id+" DELETED" {
					t.Errorf("drift %s", got)
				}
				if err := w.writer().Undo(ctx, in); !isA[*inject.UnsuitableError](err) {
					t.Errorf("undo: %v", err)
				}
				target := w.target
				target.Token = "revert"
				writer := w.cfn.Writer(w.clearance(stacks.Propose, stacks.Execute, stacks.Discard))
				set, err := writer.ProposeRevert(ctx, target, "revert-drift")
				if err != nil || len(set.Changes) == 0 {
					t.Fatalf("propose: %v %v", set, err)
				}
				op, err := writer.Execute(ctx, target, set.ID, false)
				if err != nil {
					t.Fatal(err)
				}
				w.end(op, stacks.UpdateComplete)
				w.is(in, stacks.Whole)
				if got := strings.TrimSpace(w.drift()); got != "IN_SYNC" {
					t.Errorf("drift %s at the end", got)
				}
				target.Token = "revert-2"
				if _, err := writer.ProposeRevert(ctx, target, "revert-again"); !isA[*stacks.NoChangesError](err) {
					t.Errorf("nothing to revert: %v", err)
				}
				if got, err := w.injector.Anew(ctx, in); err != nil || (got == "") != (id == "Named") {
					t.Errorf("made anew: %q, %v", got, err)
				}
				if id == "Named" {
					return // it has the same name again, and the token of the deletion protects it
				}
				if err := w.writer().Do(ctx, in); !isA[*inject.MovedError](err) {
					t.Errorf("do again after the recovery: %v", err)
				}
				if err := w.writer().Do(ctx, in); err == nil {
					t.Error("no error")
				}
			})
		})
	}
}

// TestSecondDeletionOfTheSameName: the token of a deletion does not delete what
// was made again under the same name.
func TestSecondDeletionOfTheSameName(t *testing.T) {
	t.Parallel()
	inShop(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		in := w.captured(inject.DeleteResource, "Named")
		if err := w.writer().Do(ctx, in); err != nil {
			t.Fatal(err)
		}
		target := w.target
		writer := w.cfn.Writer(w.clearance(stacks.Propose, stacks.Execute, stacks.Discard))
		set, err := writer.ProposeRevert(ctx, target, "revert-drift")
		if err != nil {
			t.Fatal(err)
		}
		target.Token = "execute"
		op, err := writer.Execute(ctx, target, set.ID, false)
		if err != nil {
			t.Fatal(err)
		}
		w.end(op, stacks.UpdateComplete)
		if err := w.writer().Do(ctx, in); err != nil {
			t.Fatal(err)
		}
		w.is(in, stacks.Whole)
	})
}

// TestWhatOthersNeedStays: AWS refuses to delete what something else sits in.
func TestWhatOthersNeedStays(t *testing.T) {
	t.Parallel()
	inShop(t, func(t *testing.T, w *world) {
		in := w.captured(inject.DeleteResource, "Vpc")
		err := w.writer().Do(t.Context(), in)
		if !isA[*stacks.ServiceError](err) || !strings.Contains(err.Error(), "has dependencies and cannot be deleted") {
			t.Errorf("deleted: %v", err)
		}
		w.is(in, stacks.Whole)
	})
}

// TestGroupHealsItself: Auto Scaling replaces what was stopped.
func TestGroupHealsItself(t *testing.T) {
	t.Parallel()
	inShop(t, func(t *testing.T, w *world) {
		in := w.captured(inject.StopInstances, "Fleet")
		if err := w.writer().Do(t.Context(), in); err != nil {
			t.Fatal(err)
		}
		w.is(in, stacks.Broken)
		time.Sleep(5 * time.Second) // five simulated minutes
		w.is(in, stacks.Whole)
		if err := w.writer().Undo(t.Context(), in); err != nil {
			t.Errorf("nothing is left to start: %v", err)
		}
	})
}

// TestUncapturable: what is broken already, or could not be put back, is not
// captured.
func TestUncapturable(t *testing.T) {
	t.Parallel()
	inShop(t, func(t *testing.T, w *world) {
		for id, c := range map[string]struct{ kind, why string }{
			"Closed": {inject.RevokeIngress, "lets nobody in already"},
			"Off":    {inject.DisableRule, "disabled already"},
		} {
			in := w.preview(c.kind, id)
			if _, err := w.injector.Capture(t.Context(), in); !isA[*inject.UnsuitableError](err) || !strings.Contains(err.Error(), c.why) {
				t.Errorf("%s: %v", id, err)
			}
			if err := w.writer().Do(t.Context(), in); !isA[*inject.UnsuitableError](err) {
				t.Errorf("%s was broken without having been captured: %v", id, err)
			}
		}
	})
}

// TestNothingWithoutAClearance: no call leaves without the verb for it.
func TestNothingWithoutAClearance(t *testing.T) {
	t.Parallel()
	inShop(t, func(t *testing.T, w *world) {
		for id, kind := range map[string]string{
			"Server": inject.StopInstances, "Firewall": inject.RevokeIngress, "Free": inject.LambdaZero,
			"Nightly": inject.DisableRule, "Topic": inject.DeleteResource,
		} {
			in := w.captured(kind, id)
			for verb, writer := range map[string]*inject.Writer{
				"nothing": w.injector.Writer(w.clearance(stacks.Update)), "to put right": w.injector.Writer(w.clearance(stacks.Restore)),
			} {
				if err := writer.Do(t.Context(), in); err == nil || !strings.Contains(err.Error(), "was not sent") {
					t.Errorf("%s, cleared for %s: %v", kind, verb, err)
				}
			}
			w.is(in, stacks.Whole)
			if kind == inject.DeleteResource {
				continue
			}
			if err := w.writer().Do(t.Context(), in); err != nil {
				t.Fatal(err)
			}
			if err := w.injector.Writer(w.clearance(stacks.Inject)).Undo(t.Context(), in); err == nil || !strings.Contains(err.Error(), "was not sent") {
				t.Errorf("%s was undone by who may only break: %v", kind, err)
			}
			if err := w.writer().Undo(t.Context(), in); err != nil {
				t.Fatal(err)
			}
			w.is(in, stacks.Whole)
		}
	})
}

// TestLostAnswers: what was accepted, and its answer lost, is done.
func TestLostAnswers(t *testing.T) {
	t.Parallel()
	for action, c := range map[string]struct{ kind, arg string }{
		"StopInstances": {inject.StopInstances, "Server"}, "StartInstances": {inject.StopInstances, "Server"},
		"RevokeSecurityGroupIngress": {inject.RevokeIngress, "Firewall"}, "AuthorizeSecurityGroupIngress": {inject.RevokeIngress, "Firewall"},
		"PutFunctionConcurrency": {inject.LambdaZero, "Free"}, "DeleteFunctionConcurrency": {inject.LambdaZero, "Free"},
		"DisableRule": {inject.DisableRule, "Nightly"}, "EnableRule": {inject.DisableRule, "Nightly"},
		"DeleteResource": {inject.DeleteResource, "Topic"},
	} {
		t.Run(action, func(t *testing.T) {
			t.Parallel()
			inShop(t, func(t *testing.T, w *world) {
				in := w.captured(c.kind, c.arg)
				if _, err := w.server.AddFault(t.Context(), sandbox.Fault{Action: action, Drop: "answer", Count: 1}); err != nil {
					t.Fatal(err)
				}
				if err := w.writer().Do(t.Context(), in); err != nil {
					t.Fatalf("do: %v", err)
				}
				w.is(in, stacks.Broken)
				if c.kind == inject.DeleteResource {
					return
				}
				if err := w.writer().Undo(t.Context(), in); err != nil {
					t.Fatalf("undo: %v", err)
				}
				w.is(in, stacks.Whole)
			})
		})
	}
}

// TestNothingCaptured: what was not captured is not judged, and not undone.
func TestNothingCaptured(t *testing.T) {
	t.Parallel()
	inShop(t, func(t *testing.T, w *world) {
		for id, kind := range map[string]string{"Server": inject.StopInstances, "Firewall": inject.RevokeIngress, "Free": inject.LambdaZero, "Nightly": inject.DisableRule} {
			in := w.preview(kind, id)
			if got, err := w.injector.Check(t.Context(), in); !isA[*inject.UnsuitableError](err) {
				t.Errorf("%s is %s, %v", id, got, err)
			}
			if err := w.writer().Undo(t.Context(), in); !isA[*inject.UnsuitableError](err) {
				t.Errorf("%s was undone: %v", id, err)
			}
		}
	})
}

// TestStackIsGone: what was broken of a stack that was deleted since is broken, and
// nothing is done to it.
func TestStackIsGone(t *testing.T) {
	t.Parallel()
	inShop(t, func(t *testing.T, w *world) {
		in := w.captured(inject.LambdaZero, "Free")
		target := w.target
		target.Token = "delete"
		step := w.clearance(stacks.Delete)
		if _, err := w.cfn.Writer(step).Delete(t.Context(), target, nil); err != nil {
			t.Fatal(err)
		}
		for range 600 {
			time.Sleep(time.Second)
			if l, err := w.cfn.Stack(t.Context(), target.Access, target.StackID); err != nil || l.Status == stacks.DeleteComplete {
				break
			}
		}
		if got, err := w.injector.Check(t.Context(), in); err != nil || got != stacks.Broken {
			t.Errorf("it is %s, %v", got, err)
		}
		if err := w.writer().Do(t.Context(), in); !isA[*inject.MovedError](err) || !strings.Contains(err.Error(), "is not there any more") {
			t.Errorf("done: %v", err)
		}
		if err := w.writer().Undo(t.Context(), in); err != nil {
			t.Errorf("undone: %v", err)
		}
	})
}
