package chaos_test

import (
	"context"
	"errors"
	"iter"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/deployer-cli/deployer/internal/chaos"
	"github.com/deployer-cli/deployer/internal/event"
	deploy "github.com/deployer-cli/deployer/internal/plan"
	"github.com/deployer-cli/deployer/stacks"
)

// ledger is a break's journal, and somebody who does something when an entry has just
// been written.
type ledger struct {
	mu   sync.Mutex
	d    *diary
	then func(kind string)
}

func (l *ledger) Write(_ context.Context, kind string, body any) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.d.add(kind, body)
	l.then(kind)
	return nil
}

// deleter deletes at once, or fails.
type deleter struct {
	fails error
	calls int
}

func (d *deleter) Delete(_ context.Context, t stacks.Target, _ []string) (stacks.Operation, error) {
	d.calls++
	return stacks.Operation{Verb: stacks.Delete, Path: t.Path, StackID: t.StackID, Token: t.Token}, d.fails
}

func (*deleter) Watch(context.Context, stacks.Operation) iter.Seq2[stacks.Progress, error] {
	return func(yield func(stacks.Progress, error) bool) {
		yield(stacks.Progress{Status: stacks.DeleteComplete, Done: true}, nil)
	}
}

// TestBrakeAtTheIntent: a brake that is pulled while an intent is written keeps its call
// from being made, and the journal says so; of a call that may have gone out it does not.
func TestBrakeAtTheIntent(t *testing.T) {
	t.Parallel()
	enough := chaos.Stopped{By: chaos.ByStop, Why: "enough"}
	for name, tt := range map[string]struct {
		pullAt string // the kind of entry
		fails  error
		calls  int
		want   chaos.Status
	}{
		"not pulled":                   {"", nil, 1, chaos.StatusGone},
		"with the intent":              {chaos.KindIntent, nil, 0, chaos.StatusPlanned},
		"before the first attempt":     {"", &enough, 1, chaos.StatusPlanned},
		"between attempts":             {"", &stacks.UnknownError{What: "it may have gone out", Cause: &enough}, 1, chaos.StatusIntended},
		"once AWS has taken the call":  {chaos.KindAccepted, nil, 1, chaos.StatusGone},
		"another error than the brake": {"", errors.New("throttled"), 1, chaos.StatusIntended},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				brake, d := chaos.NewBrake(), &deleter{fails: tt.fails}
				book := &ledger{d: begun(t), then: func(kind string) {
					if kind == tt.pullAt {
						brake.Pull(enough)
					}
				}}
				st := &stacks.Stack{Path: "dev/web", Name: "dev-web"}
				job := chaos.Job{
					Plan:  &deploy.Plan{Steps: []deploy.Step{{Stack: "dev/web", Name: "dev-web", Action: deploy.Delete, StackID: oldID, Live: live(oldID, stacks.CreateComplete, ""), Desired: &stacks.Desired{Stack: st}}}},
					Token: func(stacks.Path, int) string { return "deployer-r1-1-dev-web" },
				}
				_, err := chaos.Run(t.Context(), job, chaos.Ports{
					Deleter: d, Watcher: d, Book: book, Clock: bubble{}, Brake: brake, Again: func(context.Context, stacks.Path) error { return nil },
				}, event.Func(func(event.Event) {}))
				if got := book.d.fold().Targets["dev/web"].Status; d.calls != tt.calls || got != tt.want || (err == nil) != (tt.fails == nil && tt.pullAt == "") {
					t.Errorf("%d calls, it is %s: %v", d.calls, got, err)
				}
			})
		})
	}
}
