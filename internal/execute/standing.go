package execute

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/deployer-cli/deployer/internal/event"
	"github.com/deployer-cli/deployer/internal/flow"
	"github.com/deployer-cli/deployer/internal/plan"
	"github.com/deployer-cli/deployer/stacks"
)

// Reader reads how one stack lives, by its name or its id.
type Reader interface {
	Stack(ctx context.Context, a stacks.Access, nameOrID string) (stacks.Live, error)
}

const (
	few      = 5           // looks at a stack that nobody is known to have changed of late
	looks    = 7           // at a stack that is not shown as it has to be, until reads can lag behind no more
	lookWait = time.Second // before the second look; doubled each time
)

// standing ends an update that found nothing to do: the stack is as it should be,
// though not always as the plan saw it. Whoever depends on it gets what it is now.
func (w *worker) standing(ctx context.Context) end {
	live, e := w.present(ctx)
	if e != nil {
		return *e
	}
	if live != nil {
		if !w.run.job.Fixed && w.moved(live) && w.differs(live) { // somebody changed it again
			found, err := w.run.ports.Decider.Again(ctx, w.step.Stack)
			switch {
			case isRefused(err):
				return w.ended(ctx, end{live: live, err: err})
			case err == nil && found.Action == plan.Update:
				return w.anew(ctx, found)
			}
		}
		w.step.Live = live
	}
	w.remain()
	out := end{outcome: Unchanged, live: w.step.Live}
	if len(w.step.Diff) > 0 && onlyBeside(w.step.Diff) {
		out.outcome = Updated
	}
	return w.after(ctx, out, "after_update", "after_launch")
}

// remain tells of what is still not as the project wants it, since CloudFormation
// makes no update for it alone.
func (w *worker) remain() {
	live, d := w.step.Live, w.step.Desired
	if live == nil || d.ServiceRole == "" || d.ServiceRole == live.ServiceRole {
		return
	}
	w.emit(event.Event{Kind: event.Warning, Reason: fmt.Sprintf(
		"its role stays %s and does not become %s: CloudFormation makes no update for a role alone, so that it comes with the next change of something else",
		cmp.Or(live.ServiceRole, "that of whoever updates it"), d.ServiceRole)})
}

// present reads the stack that AWS just said to be as it was sent, until it is
// shown so. Nil is for who cannot read. What is never shown so is taken as it is:
// on paper more can look like a change than is one to CloudFormation.
func (w *worker) present(ctx context.Context) (*stacks.Live, *end) {
	if w.run.ports.Reader == nil || w.step.StackID == "" {
		return nil, nil
	}
	var live stacks.Live
	wait := lookWait
	for n := range looks {
		var err error
		if live, err = w.run.ports.Reader.Stack(ctx, w.step.Desired.Stack.Access, w.step.StackID); err != nil {
			return nil, new(w.unread(ctx, err))
		}
		if live.Status.InProgress() { // of somebody who came between
			if e := w.follow(ctx, &live); e != nil {
				return nil, e
			}
			continue
		}
		if !w.behind(&live) || n+1 == few && !w.lately(ctx, &live) {
			break
		}
		if n+1 < looks {
			if err := flow.Pause(ctx, wait); err != nil {
				return nil, new(w.ended(ctx, end{err: err}))
			}
		}
		wait *= 2
	}
	if live.Status == stacks.DeleteComplete {
		return nil, &end{outcome: Failed, err: w.fail("is gone", "somebody deleted it after CloudFormation said that it is as it should be", againTip)}
	}
	return &live, nil
}

// lately tells whether somebody may have changed the stack so short a time ago that
// reads need not show it. Who cannot be asked does not know of nobody.
func (w *worker) lately(ctx context.Context, live *stacks.Live) bool {
	return w.run.ports.Lately == nil || w.run.ports.Lately(ctx, w.step.Desired.Stack, live)
}

// behind tells whether a description contradicts that the stack is as it was
// sent: it has another value, or is the one that the plan saw and meant to change.
func (w *worker) behind(live *stacks.Live) bool {
	return w.moves() && (w.differs(live) || !w.moved(live))
}

// differs tells whether a parameter has another value than it was sent with.
func (w *worker) differs(live *stacks.Live) bool {
	return slices.ContainsFunc(w.step.Desired.Parameters, func(p stacks.Parameter) bool {
		if p.Unknown || p.Previous || p.Secret {
			return false
		}
		i := slices.IndexFunc(live.Parameters, func(have stacks.LiveParameter) bool { return have.Key == p.Key })
		return i >= 0 && live.Parameters[i].Value != hidden && bare(live.Parameters[i].Value) != bare(p.Value)
	})
}

// hidden is how CloudFormation shows the value of a NoEcho parameter.
const hidden = "****"

// bare takes away the blanks that mean nothing within a list.
func bare(value string) string { return strings.ReplaceAll(value, " ", "") }

// moves tells whether the plan saw a change that CloudFormation makes an update
// for, and not one of those that come to nothing: in a description, a parameter that
// nobody reads, a value that could not be compared.
func (w *worker) moves() bool {
	return len(w.step.Changes) > 0 || slices.ContainsFunc(w.step.Diff, func(d plan.Difference) bool {
		return d.Part == "tag" || d.Part == "template" && strings.HasPrefix(d.Key, "Outputs")
	})
}

// follow waits for the end of an operation that was found on the stack.
func (w *worker) follow(ctx context.Context, live *stacks.Live) *end {
	before := w.step.Live
	w.step.Live = live
	defer func() { w.step.Live = before }()
	return w.join(ctx)
}

// unread ends a step of which something could not be read.
func (w *worker) unread(ctx context.Context, err error) end {
	if !isUnknown(err) && ctx.Err() == nil {
		err = &stacks.UnknownError{What: "how the stack is could not be read", Cause: err, Tip: attachTip}
	}
	return w.ended(ctx, end{err: err})
}
