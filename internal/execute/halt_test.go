package execute_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/deployer-cli/deployer/internal/event"
	"github.com/deployer-cli/deployer/internal/execute"
	"github.com/deployer-cli/deployer/internal/plan"
	"github.com/deployer-cli/deployer/stacks"
)

// reader reads every stack as somebody has just changed it, and tells when it does.
type reader struct{ looked func() }

func (r reader) Stack(context.Context, stacks.Access, string) (stacks.Live, error) {
	r.looked()
	return stacks.Live{
		ID: "arn:a", Status: stacks.UpdateComplete, Updated: time.Unix(9, 0),
		Parameters: []stacks.LiveParameter{{Key: "Note", Value: "theirs"}},
	}, nil
}

// queue lets a call out after a minute, if its gate still does.
type queue struct{ *service }

type gateKey struct{}

func gated(ctx context.Context, gate func() error, _ func()) context.Context {
	return context.WithValue(ctx, gateKey{}, gate)
}

func (q queue) Update(ctx context.Context, c stacks.Change) (stacks.Operation, error) {
	time.Sleep(time.Minute)
	if err := ctx.Value(gateKey{}).(func() error)(); err != nil {
		return stacks.Operation{}, err
	}
	return q.service.Update(ctx, c)
}

// After the run began to drain nothing is sent any more, wherever a step stands;
// what has begun is not cut in two.
func TestNothingIsSentOnceDraining(t *testing.T) {
	t.Parallel()
	joins := step("a", plan.Join)
	joins.Live.Status = stacks.UpdateInProgress
	late := step("a", plan.Update)
	late.Late = true
	stuck := step("a", plan.Update)
	stuck.Live.Status = stacks.UpdateRollbackFailed
	noted := step("a", plan.Update)
	noted.Desired.Parameters = []stacks.Parameter{{Key: "Note", Value: "ours"}}
	busy := map[stacks.Path]error{"a": &stacks.BusyError{Name: "a", Status: stacks.UpdateInProgress}}
	for name, c := range map[string]struct {
		step    plan.Step
		service *service
		found   plan.Action   // by the decider
		at      time.Duration // of the drain; 0: when the decider or the reader is asked
		want    execute.Outcome
		calls   string
	}{
		"busy":                {step("a", plan.Update), &service{refuses: busy}, plan.Update, 0, execute.NotStarted, "update a"},
		"joined":              {joins, &service{}, plan.Update, 5 * time.Second, execute.NotStarted, ""},
		"joined, as wanted":   {joins, &service{}, plan.None, 5 * time.Second, execute.Unchanged, ""},
		"nothing to update":   {noted, &service{nothing: map[stacks.Path]bool{"a": true}}, plan.Update, 0, execute.NotStarted, "update a"},
		"late":                {late, &service{}, plan.Update, 0, execute.NotStarted, ""},
		"waiting in a queue":  {step("a", plan.Update), &service{}, plan.Update, 5 * time.Second, execute.NotStarted, ""},
		"continued":           {stuck, &service{}, plan.Update, 5 * time.Second, execute.NotStarted, "continue a"},
		"to be made again":    {step("a", plan.Recreate), &service{}, plan.Update, 5 * time.Second, execute.Recreated, "delete a, create a"},
		"sent, and not ended": {step("a", plan.Create), &service{}, plan.Update, 5 * time.Second, execute.Created, "create a"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				drain := make(chan struct{})
				stop := sync.OnceFunc(func() { close(drain) })
				if c.at > 0 {
					time.AfterFunc(c.at, stop)
				}
				looked := func() {
					if c.at == 0 {
						stop()
					}
				}
				s := c.service
				s.takes = map[stacks.Path]time.Duration{"a": 10 * time.Second}
				s.decide = func(p stacks.Path) (plan.Step, error) {
					looked()
					found := step(p, c.found)
					found.Live.Updated = time.Unix(1, 0)
					return found, nil
				}
				j := job(c.step)
				j.Drain = drain
				ports := execute.Ports{Changer: s, Mender: s, Watcher: s, Decider: s, Reader: reader{looked}}
				if strings.HasPrefix(name, "waiting") {
					ports.Changer = queue{s}
					ports.Gated = gated
				}
				result, err := execute.Run(t.Context(), j, ports, event.Func(func(event.Event) {}))
				calls := strings.Join(s.calls, ", ")
				if err != nil || result.Outcomes["a"] != c.want || calls != c.calls || result.Interrupted != (c.want == execute.NotStarted) {
					t.Errorf("%s, interrupted %v, calls %q, %v", result.Outcomes["a"], result.Interrupted, calls, err)
				}
			})
		})
	}
}

// What a stack turned out to depend on when it was decided anew is waited for, too.
func TestBusyWaitsForWhatItGained(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &service{
			takes:   map[stacks.Path]time.Duration{"x": time.Minute},
			refuses: map[stacks.Path]error{"a": &stacks.BusyError{Name: "a", Status: stacks.UpdateInProgress}},
		}
		s.decide = func(p stacks.Path) (plan.Step, error) {
			found := step(p, plan.Update)
			found.Live.Updated, found.Gained = time.Unix(1, 0), []stacks.Path{"x"}
			s.mu.Lock()
			defer s.mu.Unlock()
			delete(s.refuses, p)
			return found, nil
		}
		result, lines, err := perform(t.Context(), s, job(step("a", plan.Update), step("x", plan.Update)))
		if err != nil || result.Outcomes["a"] != execute.Updated || result.Ended.Sub(result.Started) != time.Minute {
			t.Errorf("%s after %s, %v", result.Outcomes["a"], result.Ended.Sub(result.Started), err)
		}
		if text := strings.Join(lines, "\n"); !strings.Contains(text, "step-waiting a") || !strings.Contains(text, "1m0s step-accepted a") {
			t.Error(text)
		}
	})
}

// asking is a hook that takes its time before a step, and asks AWS for something after.
type asking struct{ ran []string }

func (h *asking) Run(ctx context.Context, _ *stacks.Stack, moment string, _ func(string)) error {
	if strings.HasPrefix(moment, "before_") {
		time.Sleep(10 * time.Second)
	} else if err := ctx.Value(gateKey{}).(func() error)(); err != nil {
		return err
	}
	h.ran = append(h.ran, moment)
	return nil
}

// What follows a step belongs to it, also where nothing had to be done and the run drains.
func TestHooksAfterAStepRunWhileDraining(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		drain := make(chan struct{})
		time.AfterFunc(time.Second, func() { close(drain) })
		s, h, same := &service{}, &asking{}, step("a", plan.None)
		same.Hooked = true
		j := job(same)
		j.Drain = drain
		result, err := execute.Run(t.Context(), j, execute.Ports{Changer: s, Mender: s, Watcher: s, Decider: s, Hooks: h, Gated: gated}, event.Func(func(event.Event) {}))
		if err != nil || result.Outcomes["a"] != execute.Unchanged || strings.Join(h.ran, " ") != "before_launch after_launch" {
			t.Errorf("%s, %v, %v", result.Outcomes["a"], h.ran, err)
		}
	})
}
