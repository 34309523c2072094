package execute

import (
	"context"

	"github.com/deployer-cli/deployer/internal/flow"
	"github.com/deployer-cli/deployer/internal/plan"
	"github.com/deployer-cli/deployer/stacks"
)

// slot is the room that a running step takes of the job's limit. A step that only
// waits until it may ask AWS gives it up, so that an account that is slow holds up
// no other; before it goes on it gets it back, so that the limit holds.
type slot struct {
	w     *worker
	path  stacks.Path
	turn  flow.Turn // guards given; a step may ask AWS several things at once
	given bool      // back to the run
	queue bool      // for its turn to change its stack
}

// yielding returns the context in which a worker performs its step.
func (r *run) yielding(ctx context.Context, w *worker) context.Context {
	if r.job.Limit == 0 || r.ports.Yielding == nil {
		return ctx
	}
	s := &slot{w: w, path: w.step.Stack, turn: flow.NewTurn()}
	return r.ports.Yielding(ctx, func(change bool) { s.rest(ctx, change) }, s.back)
}

func (s *slot) rest(ctx context.Context, change bool) {
	end, err := s.turn.Take(ctx)
	if err != nil {
		return // we leave
	}
	defer end()
	if !s.given || change && !s.queue {
		s.given, s.queue = true, s.queue || change
		s.w.tell(message{path: s.path, rests: true, change: change})
	}
}

func (s *slot) back(ctx context.Context) error {
	end, err := s.turn.Take(ctx)
	if err != nil {
		return err
	}
	defer end()
	if !s.given {
		return nil
	}
	granted := make(chan struct{})
	s.w.tell(message{path: s.path, wants: granted})
	select {
	case <-granted:
		s.given, s.queue = false, false
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// asker is a step that wants its room back.
type asker struct {
	step    *plan.Step
	granted chan<- struct{}
}

// grant gives room back to those that ask for it, first come, first served, before
// anything new starts.
func (r *run) grant() {
	for len(r.asking) > 0 && r.room() {
		a := r.asking[0]
		r.asking = r.asking[1:]
		r.resumes(a.step)
		close(a.granted)
	}
}

// room tells whether the limit leaves room for one more.
func (r *run) room() bool {
	return r.job.Limit == 0 || len(r.running)-len(r.resting) < r.job.Limit
}

// rests notes that a step takes no room until it may ask AWS. Where it is to change its
// stack, one more that starts there would only wait behind it.
func (r *run) rests(s *plan.Step, change bool) {
	if change && !r.resting[s.Stack] {
		r.heldUp[placeOf(s)]++
	}
	r.resting[s.Stack] = r.resting[s.Stack] || change
}

// resumes notes that a step takes room again, or ended.
func (r *run) resumes(s *plan.Step) {
	if r.resting[s.Stack] {
		r.heldUp[placeOf(s)]--
	}
	delete(r.resting, s.Stack)
}
