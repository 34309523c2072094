package execute_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/deployer-cli/deployer/internal/event"
	"github.com/deployer-cli/deployer/internal/execute"
	"github.com/deployer-cli/deployer/internal/plan"
	"github.com/deployer-cli/deployer/stacks"
)

type yieldKey struct{}

type yielded struct {
	rest func(bool)
	back func(context.Context) error
}

// slow waits half a minute before it may ask about slow, and change tells for what.
type slow struct {
	*service
	change bool
}

func (s slow) Update(ctx context.Context, c stacks.Change) (stacks.Operation, error) {
	if c.Desired.Stack.Path == "slow" {
		y, _ := ctx.Value(yieldKey{}).(yielded)
		y.rest(s.change)
		time.Sleep(30 * time.Second)
		if err := y.back(ctx); err != nil {
			return stacks.Operation{}, err
		}
	}
	return s.service.Update(ctx, c)
}

// A step that waits to change its stack holds up what could only wait behind it; one
// that waits for anything else, such as a value of a service that throttles, does not.
func TestWhatHoldsUpAPlace(t *testing.T) {
	t.Parallel()
	for change, want := range map[bool]string{false: "2s x2", true: "30s x2"} {
		t.Run(want, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := &service{takes: map[stacks.Path]time.Duration{"slow": time.Minute, "x1": 2 * time.Second}}
				var started []string
				start := time.Now()
				sink := event.Func(func(e event.Event) {
					if e.Kind == event.StepStarted {
						started = append(started, fmt.Sprintf("%v %s", time.Since(start), e.Stack))
					}
				})
				ports := execute.Ports{Changer: slow{s, change}, Mender: s, Watcher: s, Decider: s}
				ports.Yielding = func(ctx context.Context, rest func(bool), back func(context.Context) error) context.Context {
					return context.WithValue(ctx, yieldKey{}, yielded{rest, back})
				}
				j := job(step("slow", plan.Update), step("x1", plan.Update), step("x2", plan.Update, "x1"))
				j.Limit = 2
				if _, err := execute.Run(t.Context(), j, ports, sink); err != nil || !slices.Contains(started, want) {
					t.Errorf("started %q, want %s; %v", started, want, err)
				}
			})
		})
	}
}
