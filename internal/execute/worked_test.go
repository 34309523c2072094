package execute_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/deployer-cli/deployer/internal/event"
	"github.com/deployer-cli/deployer/internal/execute"
	"github.com/deployer-cli/deployer/internal/plan"
	"github.com/deployer-cli/deployer/stacks"
)

// What a step waited for its turn says nothing about how long its stack takes.
func TestWorkedHoldsNoQueue(t *testing.T) {
	t.Parallel()
	for action, want := range map[plan.Action][2]float64{
		plan.Update:   {69, 9}, // a minute in the queue
		plan.Create:   {9, 9},
		plan.Recreate: {18, 18},
	} {
		t.Run(string(action), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := &service{takes: map[stacks.Path]time.Duration{"a": 9 * time.Second}}
				var got [2]float64
				sink := event.Func(func(e event.Event) {
					if e.Kind == event.StepDone {
						got = [2]float64{e.Seconds, e.Worked}
					}
				})
				ports := execute.Ports{Changer: queue{s}, Mender: s, Watcher: s, Decider: s}
				ports.Gated = gated
				if _, err := execute.Run(t.Context(), job(step("a", action)), ports, sink); err != nil || got != want {
					t.Errorf("seconds and worked %v, want %v; %v", got, want, err)
				}
			})
		})
	}
}
