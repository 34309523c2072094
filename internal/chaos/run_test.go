package chaos_test

import (
	"context"
	"errors"
	"iter"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/deployer-cli/deployer/internal/chaos"
	"github.com/deployer-cli/deployer/internal/event"
	"github.com/deployer-cli/deployer/internal/execute"
	steps "github.com/deployer-cli/deployer/internal/plan"
	"github.com/deployer-cli/deployer/stacks"
)

// deletes takes every deletion, and each ends well after a second.
type deletes struct{}

func (deletes) Delete(_ context.Context, t stacks.Target, _ []string) (stacks.Operation, error) {
	return stacks.Operation{Path: t.Path, Verb: stacks.Delete, StackID: t.StackID, Token: t.Token}, nil
}

func (deletes) Watch(_ context.Context, _ stacks.Operation) iter.Seq2[stacks.Progress, error] {
	return func(yield func(stacks.Progress, error) bool) {
		time.Sleep(time.Second)
		yield(stacks.Progress{Status: stacks.DeleteComplete, Done: true}, nil)
	}
}

// nobook writes nothing down.
type nobook struct{}

func (nobook) Write(context.Context, string, any) error { return nil }

// That a stack is being deleted is told after its guards have passed, and never of one
// whose guards refuse.
func TestToldAfterTheGuards(t *testing.T) {
	t.Parallel()
	for _, pause := range []time.Duration{0, time.Minute} {
		synctest.Test(t, func(t *testing.T) {
			var mu sync.Mutex
			var log []string
			say := func(text string) {
				mu.Lock()
				defer mu.Unlock()
				log = append(log, text)
			}
			job := chaos.Job{
				Plan: &steps.Plan{Steps: []steps.Step{
					{Stack: "dev/a", Action: steps.Delete, StackID: "arn:a", Desired: &stacks.Desired{Stack: &stacks.Stack{Path: "dev/a"}}},
					{Stack: "dev/b", Action: steps.Delete, StackID: "arn:b", After: []stacks.Path{"dev/a"}, Desired: &stacks.Desired{Stack: &stacks.Stack{Path: "dev/b"}}},
				}},
				Chosen: []stacks.Path{"dev/a", "dev/b"}, Pause: pause, Token: func(p stacks.Path, _ int) string { return string(p) },
			}
			again := func(_ context.Context, p stacks.Path) error {
				time.Sleep(5 * time.Second)
				say("asked " + string(p))
				if p == "dev/b" {
					return &chaos.Stopped{By: chaos.ByGuard, Why: "no"}
				}
				return nil
			}
			ports := chaos.Ports{Deleter: deletes{}, Watcher: deletes{}, Book: nobook{}, Clock: bubble{}, Again: again, Brake: chaos.NewBrake()}
			_, err := chaos.Run(t.Context(), job, ports, event.Func(func(e event.Event) {
				switch e.Kind {
				case event.StepStarted, event.StepDone, event.StepSkipped:
					say(string(e.Kind) + " " + string(e.Stack))
				case event.StepWaiting:
					if e.Action == event.Guards {
						say("asking " + string(e.Stack))
					}
				default:
				}
			}))
			if err == nil {
				t.Error("it was not stopped")
			}
			want := []string{
				"asking dev/a", "asked dev/a", "step-started dev/a", "step-done dev/a",
				"asking dev/b", "asked dev/b", "step-skipped dev/b",
			}
			if !slices.Equal(log, want) {
				t.Errorf("pause %s: it went\n%v, want\n%v", pause, log, want)
			}
		})
	}
}

// refuses takes no deletion, with credentials that ran out.
type refuses struct{ deletes }

func (refuses) Delete(context.Context, stacks.Target, []string) (stacks.Operation, error) {
	return stacks.Operation{}, &stacks.UnsentError{Cause: &stacks.UnknownError{What: "expired", Cause: errors.New("no"), Tip: "renew them", Everywhere: true}}
}

// wrote keeps what is written down.
type wrote struct{ all []any }

func (w *wrote) Write(_ context.Context, _ string, body any) error {
	w.all = append(w.all, body)
	return nil
}

// A stack whose deletion AWS did not take failed to go, and is not unknown: its intent is
// taken back.
func TestRefusedIsNotUnknown(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		job := chaos.Job{
			Plan: &steps.Plan{Steps: []steps.Step{
				{Stack: "dev/a", Action: steps.Delete, StackID: "arn:a", Desired: &stacks.Desired{Stack: &stacks.Stack{Path: "dev/a"}}},
			}},
			Chosen: []stacks.Path{"dev/a"}, Token: func(p stacks.Path, _ int) string { return string(p) },
		}
		book := &wrote{}
		again := func(context.Context, stacks.Path) error { return nil }
		ports := chaos.Ports{Deleter: refuses{}, Watcher: deletes{}, Book: book, Clock: bubble{}, Again: again, Brake: chaos.NewBrake()}
		result, err := chaos.Run(t.Context(), job, ports, event.Func(func(event.Event) {}))
		if got := result.Outcomes["dev/a"]; got != execute.Failed || err == nil {
			t.Errorf("it is %s: %v", got, err)
		}
		if len(result.Failures) != 1 || result.Failures[0].Tip != "renew them" {
			t.Errorf("it failed with %v", result.Failures)
		}
		if len(book.all) != 2 {
			t.Fatalf("written down: %v", book.all)
		}
		if o, ok := book.all[1].(chaos.Observed); !ok || o.Condition != stacks.Whole {
			t.Errorf("written down: %v", book.all)
		}
	})
}
