package execute

import (
	"context"
	"errors"

	"github.com/deployer-cli/deployer/internal/flow"
	"github.com/deployer-cli/deployer/internal/guard"
	"github.com/deployer-cli/deployer/internal/plan"
	"github.com/deployer-cli/deployer/stacks"
)

// mostAnew is how often a step is decided anew because others change its stack.
const mostAnew = 5

const againTip = "run the same command again: it goes on from how the stack is now"

// isBusy tells whether AWS refused because something else goes on with the stack.
func isBusy(err error) bool {
	_, ok := errors.AsType[*stacks.BusyError](err)
	return ok
}

// busy goes on where AWS refused a call because of the status the stack is in,
// which is not the one that was planned with: an operation began after the plan was
// made, or before it by a run that was left, and reads told of the past. It is waited
// for, whoever began it, and the step is decided anew.
func (w *worker) busy(ctx context.Context, refused end) end {
	w.sent.Store(false) // it was refused
	if w.run.job.Fixed {
		return refused
	}
	wait := lookWait
	for range looks {
		if err := w.mayBegin(); err != nil {
			return w.ended(ctx, end{err: err})
		}
		found, err := w.run.ports.Decider.Again(ctx, w.step.Stack)
		switch {
		case err != nil && (ctx.Err() != nil || isUnknown(err)):
			return w.ended(ctx, end{err: err})
		case isRefused(err):
			return w.ended(ctx, end{live: w.step.Live, err: err})
		case err != nil:
			return refused
		case found.Action == plan.Join, w.moved(found.Live):
			return w.anew(ctx, found)
		}
		if err := flow.Pause(ctx, wait); err != nil {
			return w.ended(ctx, end{err: err})
		}
		wait *= 2
	}
	return refused
}

// moved tells whether a stack is shown otherwise than the step was decided with.
func (w *worker) moved(live *stacks.Live) bool {
	old := w.step.Live
	if old == nil || live == nil {
		return old != live
	}
	return old.ID != live.ID || old.Status != live.Status || !old.Changed().Equal(live.Changed())
}

// anew goes on with a step as it was found to be, as far as that is what a person
// has seen planned.
func (w *worker) anew(ctx context.Context, found plan.Step) end {
	w.again++
	planned := found.Action == plan.None || found.Action == plan.Join || found.Action == w.step.Action
	switch {
	case w.again > mostAnew:
		return end{outcome: Failed, live: found.Live, err: w.fail("was not changed", "others keep changing it", againTip)}
	case found.Asks != "" && found.Asks != w.step.Asks && found.Action != plan.Join:
		return end{outcome: Failed, live: found.Live, err: w.fail("needs a person", found.Asks, "run the same command again: it will ask")}
	case !planned:
		return end{outcome: Failed, live: found.Live, err: w.fail("is not as it was planned", "somebody changed it meanwhile: "+found.Cause, againTip)}
	}
	if found.Action != plan.Join {
		if wait := w.unmet(found.Gained); len(wait) > 0 {
			again := *w.step
			again.Late = true // it is decided again when they are done
			w.step = &again
			return end{wait: wait, worker: w}
		}
		found.Late = false // it was decided with what is known now
	}
	found.Resources, found.Hooked = max(found.Resources, w.step.Resources), w.step.Hooked
	w.step = &found
	w.sent.Store(false) // nothing of what was decided now
	return w.perform(ctx)
}

// isRefused tells whether the guard said no to a stack as it was found to be.
func isRefused(err error) bool {
	_, ok := errors.AsType[*guard.Refused](err)
	return ok
}

func isUnknown(err error) bool {
	_, ok := errors.AsType[*stacks.UnknownError](err)
	return ok
}
