package cli

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/deployer-cli/deployer/internal/chaos"
	"github.com/deployer-cli/deployer/internal/plan"
	"github.com/deployer-cli/deployer/stacks"
)

// again is a stack that lives under the name of one that was broken.
type again struct {
	id string
	by chaos.By // who made it, as its events tell
}

// rebuilt finds out by whose hand what lives again was made.
func (b *breaker) rebuilt(ctx context.Context, t *chaos.Target) (again, error) {
	live, err := b.stackOrNil(ctx, t.Access, t.Name)
	if err != nil || live == nil || live.ID == t.StackID {
		return again{}, err
	}
	events, err := b.s.eventsOf(ctx, t.Access, live.ID)
	by, _ := chaos.HandOf(events, live.ID)
	return again{live.ID, by}, err
}

// rebuiltOf does so for all of them.
func (b *breaker) rebuiltOf(ctx context.Context, k *knownBreak, down []stacks.Path) (map[stacks.Path]again, error) {
	out := map[stacks.Path]again{}
	for _, p := range down {
		var err error
		if out[p], err = b.rebuilt(ctx, k.state.Targets[p]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// leave says why a recovery leaves a stack as it lives, "" where it does not: it
// creates what was broken and is missing, and goes on with what it began itself.
// Everything else is for whoever changed it, in the files or in AWS.
func (l *leftovers) leave(step *plan.Step) string {
	if !step.Changing() && !step.Late || step.Action == plan.Join {
		return "" // what is under way is judged when it has ended
	}
	_, broken := l.broken[step.Stack]
	creates := step.Action == plan.Create || step.Action == plan.Recreate
	switch {
	case l.taken[step.Stack] && creates:
		step.Blocked = cmp.Or(step.Blocked, fmt.Sprintf("it is %s, by somebody else, and is left alone: when it is up, recover again: deployer recover %s", cmp.Or(string(step.Status), "not there"), l.id))
		return ""
	case l.taken[step.Stack]:
		return l.left(step, "somebody else made it", step.Cause)
	case !broken && creates:
		l.missing(step)
		return ""
	case !broken:
		return l.left(step, "it was not broken", step.Cause)
	case creates || l.unfinished(step):
		return ""
	}
	return l.left(step, "it is back", step.Cause)
}

// missing refuses to make what recovery needs and the break did not take: nobody
// agreed to that.
func (*leftovers) missing(step *plan.Step) {
	step.Blocked = cmp.Or(step.Blocked, fmt.Sprintf("it is not there, and was not broken: launch it yourself, and recover again: deployer launch %s", step.Stack))
}

// unfinished tells whether deployer made a stack and did not come to its end: it
// takes in what was kept first, and brings the rest by an update.
func (l *leftovers) unfinished(step *plan.Step) bool {
	made := l.again[step.Stack]
	whole := step.Status == stacks.CreateComplete || step.Status == stacks.UpdateComplete
	return !whole && made.by == chaos.ByDeployer && made.id == step.StackID && len(lossesOf(step)) == 0
}

// left remembers what would change of a stack that is left as it is.
func (l *leftovers) left(step *plan.Step, why, would string) string {
	if l.alone == nil {
		l.alone = map[stacks.Path]string{}
	}
	l.alone[step.Stack] = would
	return fmt.Sprintf("left as it is, %s; a launch would change: %s", why, would)
}

// lossesOf lists the holders of data that a step may lose.
func lossesOf(step *plan.Step) []string {
	return (&plan.Plan{Steps: []plan.Step{*step}}).Losses()
}

// tellAlone says, once for each, what differs of stacks that are left as they are,
// and how to change them.
func (r *launcher) tellAlone() {
	if r.left == nil || len(r.left.alone) == 0 {
		return
	}
	var paths []string
	for i := range r.plan.Steps {
		step := &r.plan.Steps[i]
		if r.left.alone[step.Stack] == "" || step.Action != plan.None {
			continue
		}
		paths = append(paths, string(step.Stack))
		fmt.Fprintf(r.app.talk(), "  %s is %s\n", step.Stack, step.Cause)
	}
	if slices.Sort(paths); len(paths) > 0 {
		fmt.Fprintln(r.app.talk(), r.app.advice("recover changes only what was broken; launch them yourself: deployer launch "+strings.Join(paths, "; deployer launch ")))
	}
}
