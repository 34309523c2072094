package execute_test

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/deployer-cli/deployer/internal/event"
	"github.com/deployer-cli/deployer/internal/execute"
	"github.com/deployer-cli/deployer/internal/guard"
	"github.com/deployer-cli/deployer/internal/plan"
	"github.com/deployer-cli/deployer/stacks"
)

// A step whose stack turns out to be busy is decided anew, as far as that is what
// was planned; where steps are fixed it fails as AWS said.
func TestBusy(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		found   []plan.Action
		asks    string
		fixed   bool
		outcome execute.Outcome
		why     string
	}{
		"it ended as it should be":     {found: []plan.Action{plan.None}, outcome: execute.Unchanged},
		"it runs, and ends so":         {found: []plan.Action{plan.Join, plan.None}, outcome: execute.Unchanged},
		"what was planned is left":     {found: []plan.Action{plan.Join, plan.Update}, outcome: execute.Failed, why: "others keep changing it"}, // since it is always busy
		"something else would be done": {found: []plan.Action{plan.Recreate}, outcome: execute.Failed, why: "is not as it was planned"},
		"a person would be asked":      {found: []plan.Action{plan.Update}, asks: "lose data", outcome: execute.Failed, why: "lose data"},
		"reviewed":                     {found: []plan.Action{plan.None}, fixed: true, outcome: execute.Failed, why: "UPDATE_IN_PROGRESS"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				looks := 0
				s := &service{refuses: map[stacks.Path]error{"a": &stacks.BusyError{Name: "a", Status: stacks.UpdateInProgress}}}
				s.decide = func(p stacks.Path) (plan.Step, error) {
					found := step(p, c.found[min(looks, len(c.found)-1)])
					looks++
					if found.Action == plan.Join {
						found.Live.Status = stacks.UpdateInProgress
						s.running++ // somebody's
					}
					found.Asks, found.Live.Updated = c.asks, time.Unix(int64(looks), 0)
					return found, nil
				}
				j := job(step("a", plan.Update))
				j.Fixed = c.fixed
				result, _, err := perform(t.Context(), s, j)
				if result.Outcomes["a"] != c.outcome || (err == nil) != (c.why == "") || err != nil && !strings.Contains(err.Error(), c.why) {
					t.Errorf("%s, %v", result.Outcomes["a"], err)
				}
			})
		})
	}
}

// Where the guard says no to a stack as it is found, nothing is sent, and that is why.
func TestFoundOtherwiseAndRefused(t *testing.T) {
	t.Parallel()
	_, no := guard.Check(guard.Request{}, nil)
	joins := step("a", plan.Join)
	joins.Live.Status = stacks.UpdateInProgress
	noted := step("a", plan.Update)
	noted.Desired.Parameters = []stacks.Parameter{{Key: "Note", Value: "ours"}}
	for name, c := range map[string]struct {
		step    plan.Step
		service *service
		calls   string
	}{
		"busy":              {step("a", plan.Update), &service{refuses: map[stacks.Path]error{"a": &stacks.BusyError{Name: "a"}}}, "update a"},
		"joined":            {joins, &service{running: 1}, ""},
		"nothing to update": {noted, &service{nothing: map[stacks.Path]bool{"a": true}}, "update a"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := c.service
				s.decide = func(p stacks.Path) (plan.Step, error) { return step(p, plan.Update), no }
				ports := execute.Ports{Changer: s, Mender: s, Watcher: s, Decider: s, Reader: reader{func() {}}}
				result, err := execute.Run(t.Context(), job(c.step), ports, event.Func(func(event.Event) {}))
				if calls := strings.Join(s.calls, ", "); result.Outcomes["a"] != execute.Failed || calls != c.calls || !errors.As(err, new(*guard.Refused)) {
					t.Errorf("%s, calls %q, %v", result.Outcomes["a"], calls, err)
				}
			})
		})
	}
}
