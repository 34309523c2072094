package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/deployer-cli/deployer/internal/cfn"
	"github.com/deployer-cli/deployer/internal/execute"
	"github.com/deployer-cli/deployer/internal/guard"
	"github.com/deployer-cli/deployer/internal/journal"
	"github.com/deployer-cli/deployer/internal/plan"
	"github.com/deployer-cli/deployer/stacks"
)

// proposals are the change sets that a plan consists of.
type proposals struct {
	r    *launcher
	name string                        // of every change set of this plan
	sets map[stacks.Path]stacks.Target // those made by this very run, by their stacks
	ids  map[stacks.Path]string
	kept bool // they are in a plan file, or being carried out: do not discard
}

// careful tells whether a class is only ever changed by change sets
// (break.md section 8, "What a plan is").
func careful(c stacks.Class) bool { return c.Strength() >= stacks.Persistent.Strength() }

// proposes tells whether the run makes change sets before anybody is asked.
func (r *launcher) proposes() bool {
	if r.file != nil || r.sets != nil || r.deletes() {
		return false
	}
	if r.opts.out != "" || r.opts.changeSets {
		return true
	}
	for i := range r.plan.Steps {
		step := &r.plan.Steps[i]
		if careful(r.classOf(step)) {
			return true
		}
	}
	return false
}

// classOf is the class in force for a step, live tags included.
func (r *launcher) classOf(step *plan.Step) stacks.Class {
	g := guard.Step{Environment: r.planner.sc.stacks[step.Stack].Environment}
	if step.Live != nil {
		g.LiveTags = step.Live.Tags
	}
	return g.Class()
}

// propose asks CloudFormation what every known step would do. Steps that come
// to nothing become none, and what waited for them is decided again.
func (r *launcher) propose(ctx context.Context) error {
	p := &proposals{r: r, name: changeSetOfRun(r.s.run), sets: map[stacks.Path]stacks.Target{}, ids: map[stacks.Path]string{}}
	r.proposals = p
	clearance, err := r.clearPlanning(ctx, stacks.Propose, stacks.Upload, stacks.Discard)
	if err != nil {
		return err
	}
	j, err := journal.Open(r.s.state("journal"), r.s.run, r.custody.names()...)
	if err != nil {
		return err
	}
	defer j.Close() //nolint:errcheck // every intent was synced
	w := journaled{writer: r.s.cfn.Writer(clearance), journal: j, accounts: r.planner.accounts}
	settled := false
	for i := range r.plan.Steps {
		step := &r.plan.Steps[i]
		if step.Late && settled {
			if err := p.decideAgain(ctx, step); err != nil {
				return err
			}
		}
		none, err := p.step(ctx, w, step)
		if err != nil {
			return err
		}
		settled = settled || none
	}
	r.planner.separate(ctx, r.plan)
	return nil
}

// decideAgain plans a late step anew, now that one it waits for stays as it is.
func (p *proposals) decideAgain(ctx context.Context, step *plan.Step) error {
	desired, err := p.r.s.prepare.Prepare(ctx, p.r.planner.sc.stacks[step.Stack])
	if err != nil {
		return err
	}
	outside := step.Outside
	*step = p.r.planner.builder.Add(desired, p.r.planner.edges(step.Stack))
	step.Outside = outside
	return nil
}

// step makes the change set of one step and takes over what it says.
func (p *proposals) step(ctx context.Context, w journaled, step *plan.Step) (none bool, err error) {
	if step.Late || step.Blocked != "" || (step.Action != plan.Create && step.Action != plan.Update) || p.r.left.takesIn(step) {
		return false, nil
	}
	cs, t, err := p.make(ctx, w, step)
	if _, empty := errors.AsType[*stacks.NoChangesError](err); empty {
		return p.nothing(step), nil
	}
	if err != nil {
		return false, &stacks.UnknownError{What: fmt.Sprintf("the change set of %s could not be made", step.Stack), Cause: err, Tip: hintOf(err)}
	}
	p.sets[step.Stack], p.ids[step.Stack] = t, cs.ID
	step.ChangeSet, step.StackID = cs.ID, cs.StackID
	changes, err := p.r.s.contents(ctx, step.Desired.Stack.Access, cs)
	if err != nil {
		return false, err
	}
	step.Changes, step.MayReplace = changes, []string{}
	for _, c := range changes {
		if c.Replacement == "conditional" {
			step.MayReplace = append(step.MayReplace, c.LogicalID)
		}
	}
	return false, nil
}

func hintOf(err error) string {
	if h, ok := errors.AsType[hinter](err); ok {
		return h.Hint()
	}
	return ""
}

// make sends the proposal. The target is the stack, or the shell that a
// proposed creation leaves.
func (p *proposals) make(ctx context.Context, w journaled, step *plan.Step) (cfn.ChangeSet, stacks.Target, error) {
	verb := stacks.Update
	if step.Action == plan.Create {
		verb = stacks.Create
	}
	p.r.tokens++
	c := stacks.Change{Verb: verb, Desired: step.Desired, Token: token(p.r.s.run, step.Stack, p.r.tokens)}
	if verb == stacks.Update {
		c.StackID = step.StackID
	}
	cs, err := w.Propose(ctx, c, p.name)
	t := targetOf(c)
	t.StackID = cs.StackID
	return cs, t, err
}

// nothing ends a step for which CloudFormation finds nothing to do. What is set
// by calls of its own stays to be done.
func (p *proposals) nothing(step *plan.Step) bool {
	for _, d := range step.Diff {
		if d.Part == "policy" || d.Part == "protection" {
			return false
		}
	}
	step.Action, step.Cause = plan.None, plan.FoundNothing
	step.Changes, step.Diff, step.MayReplace = []stacks.ResourceChange{}, nil, []string{}
	p.r.planner.builder.Landed(step.Stack, step.Live)
	return true
}

// contents lists what a change set would do, those of nested stacks included.
func (s *session) contents(ctx context.Context, a stacks.Access, cs cfn.ChangeSet) ([]stacks.ResourceChange, error) {
	out := changeSetOf(cs).Changes
	for _, id := range cs.Nested {
		nested, err := s.cfn.ChangeSet(ctx, a, "", id)
		if err != nil {
			return nil, err
		}
		inside, err := s.contents(ctx, a, nested)
		if err != nil {
			return nil, err
		}
		for _, c := range inside {
			c.LogicalID = nested.StackName + "/" + c.LogicalID
			out = append(out, c)
		}
	}
	return out, nil
}

// clearPlanning gives a clearance that changes nothing but change sets.
func (r *launcher) clearPlanning(ctx context.Context, verbs ...stacks.Verb) (guard.Clearance, error) {
	request, err := r.request(ctx)
	if err != nil {
		return guard.Clearance{}, err
	}
	for i := range request.Steps {
		request.Steps[i].Verbs, request.Steps[i].Asks, request.Steps[i].Deletes = verbs, "", false
	}
	request.Command, request.DataLoss = "plan", nil
	return guard.Check(request, nil)
}

// discard drops the change sets of a plan that comes to nothing, and the
// shells that proposing new stacks left. It goes on after Ctrl-C.
func (r *launcher) discard(ctx context.Context) error {
	if r.proposals == nil || r.proposals.kept || len(r.proposals.sets) == 0 {
		return nil
	}
	ctx = context.WithoutCancel(ctx)
	targets := r.proposals.sets
	clearance, err := r.clearPlanning(ctx, stacks.Discard)
	if err != nil {
		return err
	}
	j, err := journal.Open(r.s.state("journal"), r.s.run)
	if err != nil {
		return err
	}
	defer j.Close() //nolint:errcheck // every intent was synced
	w := journaled{writer: r.s.cfn.Writer(clearance), journal: j, accounts: r.planner.accounts}
	var errs []error
	for i := range r.plan.Steps {
		step := &r.plan.Steps[i]
		t, ok := targets[step.Stack]
		if !ok {
			continue
		}
		errs = append(errs, drop(ctx, w, t, step.ChangeSet, step.Action == plan.Create))
	}
	r.proposals.kept = true
	return errors.Join(errs...)
}

// drop deletes one change set, and the empty shell around it. Somebody else's
// change set in the shell keeps it.
func drop(ctx context.Context, w journaled, t stacks.Target, id string, shell bool) error {
	if err := w.Discard(ctx, t, id); err != nil || !shell {
		return err
	}
	err := w.DiscardShell(ctx, t)
	if _, busy := errors.AsType[*stacks.BusyError](err); busy {
		return nil
	}
	return err
}

// reviewed carries out the change sets of a plan, and nothing else. Where the
// plan has none, since the step was late, it makes one in the run, and carries
// it out only if it lies within what the plan said.
type reviewed struct {
	journaled
	r *launcher
}

// Create implements execute.Changer.
func (w reviewed) Create(ctx context.Context, c stacks.Change) (stacks.Operation, error) {
	return w.carryOut(ctx, c)
}

// Update implements execute.Changer.
func (w reviewed) Update(ctx context.Context, c stacks.Change) (stacks.Operation, error) {
	return w.carryOut(ctx, c)
}

// Delete implements execute.Changer. What never came up loses its protection
// first, by its id: the yes to the plan was one to that.
func (w reviewed) Delete(ctx context.Context, t stacks.Target, retain []string) (stacks.Operation, error) {
	if step := w.r.planned(t.Path); step != nil && step.Action == plan.Recreate && step.Live != nil && step.Live.TerminationProtection {
		if err := w.Protect(ctx, t, false); err != nil {
			return stacks.Operation{}, err
		}
	}
	return w.journaled.Delete(ctx, t, retain)
}

func (w reviewed) carryOut(ctx context.Context, c stacks.Change) (stacks.Operation, error) {
	t := targetOf(c)
	planned := w.r.planned(t.Path)
	if planned == nil {
		return stacks.Operation{}, &stacks.NoChangesError{Name: t.Name}
	}
	if planned.ChangeSet != "" {
		t.StackID = planned.StackID
		return w.run(ctx, c, t, planned.ChangeSet)
	}
	if !planned.Late && planned.Action == plan.Update {
		return stacks.Operation{}, &stacks.NoChangesError{Name: t.Name}
	}
	return w.late(ctx, c, planned)
}

// late makes the change set of a step that could not be planned to the end.
func (w reviewed) late(ctx context.Context, c stacks.Change, planned *plan.Step) (stacks.Operation, error) {
	if beyond := w.r.planner.builder.Beyond(planned); len(beyond) > 0 {
		return stacks.Operation{}, &beyondError{path: planned.Stack, beyond: beyond, again: w.r.again()}
	}
	if planned.Action == plan.Recreate {
		c.StackID = "" // that of the stack which was just deleted
	}
	cs, err := w.Propose(ctx, c, changeSetOfRun(w.r.s.run))
	if err != nil {
		return stacks.Operation{}, err
	}
	t := targetOf(c)
	t.StackID, t.Token = cs.StackID, c.Token+"-x"
	changes, err := w.r.s.contents(ctx, t.Access, cs)
	if err != nil {
		return stacks.Operation{}, err
	}
	if beyond := planned.Within(changes); len(beyond) > 0 {
		dropped := w.Discard(ctx, t, cs.ID)
		return stacks.Operation{}, errors.Join(&beyondError{path: t.Path, beyond: beyond, again: w.r.again()}, dropped)
	}
	return w.fresh(ctx, c, t, cs.ID)
}

// fresh carries a change set out that was made a moment ago. Where nothing new is begun
// any more it is dropped again: the next run makes one of its own.
func (w reviewed) fresh(ctx context.Context, c stacks.Change, t stacks.Target, id string) (stacks.Operation, error) {
	op, err := w.run(ctx, c, t, id)
	if execute.IsHalted(err) {
		if stays := drop(ctx, w.journaled, t, id, c.StackID == ""); stays != nil {
			err = fmt.Errorf("%w, and its change set stays: %w", err, stays)
		}
	}
	return op, err
}

// run carries a change set out. A new stack gets its termination protection
// before and its policy after, since a change set brings neither.
func (w reviewed) run(ctx context.Context, c stacks.Change, t stacks.Target, id string) (stacks.Operation, error) {
	d := c.Desired
	if want := d.Stack.TerminationProtection; c.Verb == stacks.Create && want != nil && *want {
		if err := w.Protect(ctx, t, true); err != nil {
			return stacks.Operation{}, err
		}
	}
	op, err := w.Execute(ctx, t, id, c.DisableRollback)
	if err == nil && c.Verb == stacks.Create && len(d.Policy) > 0 {
		err = w.SetPolicy(ctx, t, d.Policy)
	}
	return op, err
}

// beyondError says that a late step would do more than was planned. Its change
// set was not carried out.
type beyondError struct {
	path   stacks.Path
	beyond []string
	again  string
}

func (e *beyondError) Error() string {
	return "it would do more than was planned, and was not carried out: " + strings.Join(e.beyond, "; ")
}

func (e *beyondError) Hint() string {
	return "plan the rest, now that more is known: deployer plan " + string(e.path) + " --out F"
}

// planned gives the step as it was planned, nil when it is in no plan.
func (r *launcher) planned(p stacks.Path) *plan.Step {
	for i := range r.plan.Steps { // not copied: others are at work on theirs
		if r.plan.Steps[i].Stack == p {
			return &r.plan.Steps[i]
		}
	}
	return nil
}
