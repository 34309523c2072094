package execute_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/deployer-cli/deployer/internal/event"
	"github.com/deployer-cli/deployer/internal/execute"
	"github.com/deployer-cli/deployer/internal/plan"
	"github.com/deployer-cli/deployer/stacks"
)

// planned reads every stack as the plan saw it.
type planned struct{}

func (planned) Stack(context.Context, stacks.Access, string) (stacks.Live, error) {
	return stacks.Live{ID: "arn:a"}, nil
}

// Where only the plan thought that there was something to update, that is waited for
// no longer than it takes, but where somebody may have changed the stack a moment ago.
func TestNothingToUpdateIsSoonBelieved(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		lately func() bool
		takes  time.Duration
	}{
		"nobody was there":    {func() bool { return false }, 15 * time.Second},
		"somebody was":        {func() bool { return true }, 63 * time.Second},
		"nobody can be asked": {nil, 63 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := &service{nothing: map[stacks.Path]bool{"a": true}}
				ports := execute.Ports{Changer: s, Mender: s, Watcher: s, Decider: s, Reader: planned{}}
				if c.lately != nil {
					ports.Lately = func(context.Context, *stacks.Stack, *stacks.Live) bool { return c.lately() }
				}
				differs := step("a", plan.Update)
				differs.Changes = []stacks.ResourceChange{{Action: "modify", LogicalID: "Queue"}}
				result, err := execute.Run(t.Context(), job(differs), ports, event.Func(func(event.Event) {}))
				if took := result.Ended.Sub(result.Started); err != nil || result.Outcomes["a"] != execute.Unchanged || took != c.takes {
					t.Errorf("%s after %s, %v", result.Outcomes["a"], took, err)
				}
			})
		})
	}
}
