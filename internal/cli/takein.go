package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/deployer-cli/deployer/internal/execute"
	"github.com/deployer-cli/deployer/internal/reattach"
	"github.com/deployer-cli/deployer/stacks"
)

// takesIn creates stacks around what CloudFormation left of them: an ordinary
// creation would make everything anew, or collide with it.
type takesIn struct {
	journaled
	r     *launcher
	other execute.Changer // of the stacks of which nothing was left
}

var _ execute.Changer = takesIn{}

// Create implements execute.Changer.
func (w takesIn) Create(ctx context.Context, c stacks.Change) (stacks.Operation, error) {
	if key := w.r.left.waits(c.Desired.Stack.Path); key != "" {
		return stacks.Operation{}, &stacks.Problem{
			What: "it is gone, and not created yet", Why: "the snapshot for its parameter " + key + " was made only now",
			Tip: "it is found by: deployer recover " + w.r.left.id,
		}
	}
	left, ok := w.r.left.stacks[c.Desired.Stack.Path]
	if !ok {
		return w.other.Create(ctx, c)
	}
	c.StackID = "" // that of what was deleted a moment ago
	fates, err := left.fates(c.Desired)
	if err == nil {
		err = left.refused(fates)
	}
	switch {
	case err != nil:
		return stacks.Operation{}, err
	case len(fates.Of(reattach.ByID)) > 0:
		return w.imported(ctx, c, fates)
	case len(fates.Of(reattach.ByName)) > 0:
		c.Named = true
		op, err := w.proposed(ctx, c, "")
		return op, w.explained(err, fates.Of(reattach.ByName))
	}
	return w.other.Create(ctx, c)
}

// Update implements execute.Changer. A stack that an earlier attempt did not make to its
// end lacks something of what was kept: an import that was rolled back all of it, one
// without the rest what goes by its name. That comes first.
func (w takesIn) Update(ctx context.Context, c stacks.Change) (stacks.Operation, error) {
	left, ok := w.r.left.stacks[c.Desired.Stack.Path]
	step := w.r.planned(c.Desired.Stack.Path)
	if !ok || step == nil || !w.r.left.torso(step) {
		return w.other.Update(ctx, c)
	}
	there, err := w.holds(ctx, c)
	if err != nil {
		return stacks.Operation{}, err
	}
	fates, err := left.fates(c.Desired)
	if err == nil {
		fates = fates.Missing(there)
		err = left.refused(fates)
	}
	switch {
	case err != nil:
		return stacks.Operation{}, err
	case len(fates.Of(reattach.ByID)) > 0:
		return w.imported(ctx, c, fates)
	}
	return w.rest(ctx, c, fates)
}

// holds gives what is in a stack, the physical ids by the logical ones.
func (w takesIn) holds(ctx context.Context, c stacks.Change) (map[string]string, error) {
	list, err := w.r.s.cfn.Resources(ctx, c.Desired.Stack.Access, c.StackID)
	out := map[string]string{}
	for _, r := range list {
		if alive(r) {
			out[r.LogicalID] = r.PhysicalID
		}
	}
	return out, err
}

// Delete implements execute.Changer.
func (w takesIn) Delete(ctx context.Context, t stacks.Target, retain []string) (stacks.Operation, error) {
	return w.other.Delete(ctx, t, retain)
}

// imported takes in by an import, waits for it, and goes on with the update that
// brings the rest of the stack.
func (w takesIn) imported(ctx context.Context, c stacks.Change, fates reattach.Plan) (stacks.Operation, error) {
	only := *c.Desired
	only.Body = fates.Body
	first := c
	first.Desired, first.Token, first.Imports = &only, c.Token+"-i", nil
	for _, f := range fates.Of(reattach.ByID) {
		first.Imports = append(first.Imports, stacks.Import{LogicalID: f.LogicalID, Type: f.Type, Identifier: f.Identifier})
	}
	op, err := w.proposed(ctx, first, "-import")
	if err == nil {
		err = w.ends(ctx, op)
	}
	if err != nil {
		return op, w.explained(err, fates.Of(reattach.ByID))
	}
	c.Verb, c.StackID = stacks.Update, op.StackID
	rest, err := w.rest(ctx, c, fates)
	if _, none := errors.AsType[*stacks.NoChangesError](err); none {
		return op, nil // that was all there is to it
	}
	return rest, err
}

// rest brings what an import could not. Where the run goes by change sets, so does
// this.
func (w takesIn) rest(ctx context.Context, c stacks.Change, fates reattach.Plan) (stacks.Operation, error) {
	c.Named = len(fates.Of(reattach.ByName)) > 0
	if !c.Named && w.r.proposals == nil {
		return w.journaled.Update(ctx, c)
	}
	return w.proposed(ctx, c, "")
}

// proposed makes a change set and carries it out. One that comes to nothing leaves
// nothing behind.
func (w takesIn) proposed(ctx context.Context, c stacks.Change, suffix string) (stacks.Operation, error) {
	cs, err := w.Propose(ctx, c, w.r.left.changeSet(w.r.s.run)+suffix)
	t := targetOf(c)
	t.StackID, t.Token = cs.StackID, c.Token+"-x"
	if err != nil {
		if cs.ID != "" && cs.StackID != "" {
			_ = drop(context.WithoutCancel(ctx), w.journaled, t, cs.ID, c.StackID == "") // what went wrong is the news
		}
		return stacks.Operation{}, err
	}
	return reviewed{w.journaled, w.r}.fresh(ctx, c, t, cs.ID)
}

// ends waits for the end of an import.
func (w takesIn) ends(ctx context.Context, op stacks.Operation) error {
	var events []stacks.Event
	for p, err := range w.r.s.cfn.Watch(ctx, op) {
		if err != nil {
			return err
		}
		events = append(events, p.Events...)
		if !p.Done {
			continue
		}
		if p.Status.Succeeded(op.Verb) {
			return nil
		}
		why := p.Reason
		if e, ok := stacks.RootCause(events); ok && e.Reason != "" {
			why = fmt.Sprintf("%s (%s): %s", e.LogicalID, e.Type, e.Reason)
		}
		return &stacks.Problem{What: fmt.Sprintf("the import into %s ended in %s", op.Path, p.Status), Why: why}
	}
	return &stacks.UnknownError{What: "the watch ended before the import did", Cause: context.Cause(ctx)}
}

// explained says of an import that did not work what can be done.
func (w takesIn) explained(err error, list []reattach.Fate) error {
	if err == nil {
		return nil
	}
	var names []string
	for _, f := range list {
		names = append(names, fmt.Sprintf("%s (%s)", f.LogicalID, f.PhysicalID))
	}
	text := strings.ToLower(err.Error())
	words := []string{"was not found", "does not exist", "notfound"}
	if !slices.ContainsFunc(words, func(s string) bool { return strings.Contains(text, s) }) {
		return err
	}
	return &stacks.Problem{
		What: "what was kept cannot be taken in again: " + strings.Join(names, ", "), Why: err.Error(),
		Tip: "if it is gone for good, make it anew with: deployer launch",
	}
}
