package execute

import (
	"context"
	"errors"
	"time"

	"github.com/deployer-cli/deployer/internal/flow"
	"github.com/deployer-cli/deployer/internal/plan"
	"github.com/deployer-cli/deployer/stacks"
)

// How often, and at first how long apart, a stack is looked for that AWS says
// exists although it was not told of: reads lag behind by seconds.
const (
	searches   = 5
	searchWait = time.Second // doubled each time
)

const existsTip = "it was made after the plan, or by a run that was cut off: run the same command again, which goes on from how it is"

// exists goes on where a stack was to be created and is there already: AWS told
// of the past when the plan was made, as after a run that was killed a moment
// ago. A stack that is as it should be, or becomes so by what goes on with it, is
// unchanged, or what outcome says where it was deleted for that; whatever else would
// have to be done was never planned, and is not.
func (w *worker) exists(ctx context.Context, refused end, outcome Outcome) end {
	refused.err = w.fail("was not created", refused.err.Error(), existsTip)
	found, err := w.search(ctx, outcome)
	if err != nil {
		return w.ended(ctx, end{err: err})
	}
	if found.Action == plan.Join && found.Asks == "" {
		w.step = &found
		if e := w.join(ctx); e != nil {
			return *e
		}
		if found, err = w.run.ports.Decider.Decide(ctx, w.step.Stack); err != nil {
			return w.ended(ctx, end{err: err})
		}
	}
	if found.Action != plan.None {
		return refused
	}
	w.step = &found
	if outcome == Created {
		outcome = Unchanged
	}
	return w.after(ctx, end{outcome: outcome, live: found.Live}, "after_launch")
}

// search plans the stack anew until a look finds it, and not the one that was deleted
// before it.
func (w *worker) search(ctx context.Context, outcome Outcome) (plan.Step, error) {
	var found plan.Step
	var err error
	wait := searchWait
	for range searches {
		if found, err = w.run.ports.Decider.Again(ctx, w.step.Stack); err != nil || found.Action != plan.Create && (outcome == Created || found.Action != plan.Recreate) {
			return found, err
		}
		if err := flow.Pause(ctx, wait); err != nil {
			return found, err
		}
		wait *= 2
	}
	return found, nil
}

// isExists tells whether AWS refused because the stack is there.
func isExists(err error) bool {
	_, ok := errors.AsType[*stacks.ExistsError](err)
	return ok
}
