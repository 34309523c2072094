package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/deployer-cli/deployer/internal/blast"
	"github.com/deployer-cli/deployer/internal/capsule"
	"github.com/deployer-cli/deployer/internal/cfntemplate"
	"github.com/deployer-cli/deployer/internal/plan"
	"github.com/deployer-cli/deployer/internal/reattach"
	"github.com/deployer-cli/deployer/internal/restype"
	"github.com/deployer-cli/deployer/stacks"
)

// leftovers are what a break left of its stacks, for the launch that recovers them.
type leftovers struct {
	id     string // of the break
	stacks map[stacks.Path]leftover
	given  map[stacks.Path]map[string]string // the snapshots that were left, by parameter
	broken map[stacks.Path]string            // the ids of the stacks that were broken
	again  map[stacks.Path]again             // what lives under their names
	taken  map[stacks.Path]bool              // somebody else is at them, as it was found when max_duration was over
	alone  map[stacks.Path]string            // what a launch would change, and is left as it is
}

// leftover is what CloudFormation left of one stack.
type leftover struct {
	capsule    capsule.Capsule
	kept       []reattach.Kept
	expendable map[string]bool // by logical id: may be lost, says the stack's file
}

// leftoversOf reads off the capsules what was kept of the stacks that are down.
func (b *breaker) leftoversOf(ctx context.Context, k *knownBreak, down []stacks.Path) (*leftovers, error) {
	out := &leftovers{id: b.id, taken: b.taken, stacks: map[stacks.Path]leftover{}, broken: map[stacks.Path]string{}, given: map[stacks.Path]map[string]string{}}
	var err error
	if out.again, err = b.rebuiltOf(ctx, k, down); err != nil {
		return nil, err
	}
	for _, p := range down {
		t := k.state.Targets[p]
		out.broken[p] = t.StackID
		if t.NewID != "" && t.NewStatus.Healthy() || len(t.Deeds) == 0 || t.Deeds[0].Verb != stacks.Delete {
			continue
		}
		c, _, err := b.s.capsule(ctx, k.record, t)
		if err != nil {
			return nil, err
		}
		if out.given[p], err = b.snapshotsOf(ctx, t, c); err != nil {
			return nil, err
		}
		left := leftover{capsule: c, expendable: map[string]bool{}}
		for _, r := range c.Resources {
			if reattach.Keeps(r.DeletionPolicy) && r.PhysicalID != "" {
				left.kept = append(left.kept, reattach.Kept{LogicalID: r.LogicalID, Type: r.Type, PhysicalID: r.PhysicalID})
			}
		}
		for _, h := range holdersOf(b.plan, p) {
			left.expendable[h.LogicalID] = h.Cover == blast.Expendable
		}
		if len(left.kept) > 0 {
			out.stacks[p] = left
		}
	}
	return out, nil
}

// holdersOf lists the holders of data in a stack of a break, as its plan saw them.
func holdersOf(p *blast.Plan, path stacks.Path) []blast.Holder {
	for _, s := range p.Radius.Stacks {
		if s.Stack == path {
			return s.Holders
		}
	}
	return nil
}

// changeSet is the name of the change sets with which a run recovers.
func (l *leftovers) changeSet(run string) string { return l.prefix() + run }

func (l *leftovers) prefix() string { return "deployer-recover-" + l.id + "-" }

// fates says what becomes of everything that was kept of a stack, if it is launched
// as it is wanted now.
func (l leftover) fates(d *stacks.Desired) (reattach.Plan, error) {
	t, err := cfntemplate.Parse(d.Body)
	if err != nil {
		return reattach.Plan{}, err
	}
	if len(t.Transforms) > 0 {
		if !l.captured(d.Body) { // what its macros make of it is not known
			return l.lost("its template has macros, and is not the one that was captured: use --from capsule"), nil
		}
		if t, err = cfntemplate.Parse([]byte(l.capsule.Template.Processed)); err != nil {
			return reattach.Plan{}, err
		}
	}
	return reattach.Make(t, l.env(t, d), l.kept)
}

// captured tells whether a template is the one that was captured, of which is known
// what its macros made.
func (l leftover) captured(body []byte) bool {
	before, err := cfntemplate.Parse([]byte(l.capsule.Template.Original))
	now, err2 := cfntemplate.Parse([]byte(capsule.Kept(string(body))))
	return err == nil && err2 == nil && l.capsule.Template.Processed != "" && plan.Same(before.Doc, now.Doc)
}

// lost is the fate of everything when nothing can be told.
func (l leftover) lost(why string) reattach.Plan {
	var p reattach.Plan
	for _, k := range l.kept {
		p.Fates = append(p.Fates, reattach.Fate{Kept: k, Way: reattach.Lost, Why: why})
	}
	return p
}

// env is what the template will be evaluated in, as far as it is known now.
func (l leftover) env(t *cfntemplate.Template, d *stacks.Desired) *cfntemplate.Env {
	env := &cfntemplate.Env{
		Parameters: map[string]any{}, AccountID: l.capsule.Account, Region: l.capsule.Region, Partition: "aws", URLSuffix: "amazonaws.com",
		StackName: l.capsule.Name, NotificationARNs: d.Notifications,
	}
	if parts := strings.Split(l.capsule.StackID, ":"); len(parts) > 1 {
		env.Partition = parts[1]
	}
	for name, decl := range t.Parameters {
		var v any = cfntemplate.Unknown{Why: "a value that is not known yet"}
		if decl.Default != nil && !decl.IsSSM() {
			v = decl.Value(*decl.Default)
		}
		for _, p := range d.Parameters {
			switch {
			case p.Key != name:
			case p.Unknown || p.Previous || decl.IsSSM():
				v = cfntemplate.Unknown{Why: "a value that is not known yet"}
			default:
				v = decl.Value(p.Value)
			}
		}
		env.Parameters[name] = v
	}
	return env
}

// refused says why a stack is not made: data that was kept for it would be left
// aside, and a new and empty holder made in its place.
func (l leftover) refused(p reattach.Plan) error {
	var why []string
	for _, f := range p.Of(reattach.Lost) {
		if h := restype.Holds(f.Type); l.expendable[f.LogicalID] || h != restype.HoldsLasting && h != restype.HoldsSecret {
			continue
		}
		why = append(why, fmt.Sprintf("%s (%s) was kept and cannot be taken in again: %s", f.LogicalID, f.PhysicalID, f.Why))
	}
	if len(why) == 0 {
		return nil
	}
	return &stacks.Problem{
		What: fmt.Sprintf("%s is not created with a new and empty holder of data", l.capsule.Stack), Why: strings.Join(why, "; "),
		Tip: "rebuild it as it was captured: deployer recover --from capsule; or, if that data may be left aside, launch it: deployer launch " + string(l.capsule.Stack),
	}
}

// agreed takes the question off a step that deletes the rest of what was broken:
// whoever broke that very stack has said yes to it, and to what it holds.
func (l *leftovers) agreed(step *plan.Step) {
	if l.stuck(step) {
		step.Asks = ""
	}
}

// stuck tells whether a step is about what is left of a stack whose deletion did
// not come to its end.
func (l *leftovers) stuck(step *plan.Step) bool {
	return step.Status == stacks.DeleteFailed && step.Action == plan.Recreate && step.StackID != "" && step.StackID == l.broken[step.Stack]
}

// advise says, with what is stuck still, how to go on.
func (l *leftovers) advise(r *launcher) {
	for _, f := range r.done.Failures {
		if strings.Contains(f.Why, "scheduled for deletion") { // Secrets Manager's words
			f.Tip = "a deleted secret keeps its name for its recovery window: delete it for good with: aws secretsmanager delete-secret --secret-id NAME --force-delete-without-recovery; or, if its value is needed, restore it and give it another name; then: deployer recover " + l.id
			continue
		}
		if step := r.planned(f.Stack); step != nil && l.stuck(step) {
			f.Tip = "nothing is forced: clear what holds it, then: deployer recover " + l.id
		}
	}
}

// annotate says in the plan what becomes of what was kept.
func (l *leftovers) annotate(p *plan.Plan) {
	for i := range p.Steps {
		step := &p.Steps[i]
		l.agreed(step)
		l.restores(step)
		left, ok := l.stacks[step.Stack]
		if !ok || step.Desired == nil || step.Action != plan.Create && step.Action != plan.Recreate && !l.torso(step) {
			continue
		}
		if step.Desired.BodyLate {
			step.Cause = "takes in again what was kept, by its template; " + step.Cause
			continue
		}
		fates, err := left.fates(step.Desired)
		if err != nil {
			continue // the launch says what is wrong with the template
		}
		if err := left.refused(fates); err != nil && step.Blocked == "" {
			step.Blocked = err.Error()
		}
		if l.torso(step) && step.Status != stacks.ImportRollbackComplete {
			fates = reattach.Plan{Fates: fates.Of(reattach.ByName)} // the import brought the rest
		}
		step.Cause = strings.Join(append(takenIn(fates), step.Cause), "; ")
	}
}

// takenIn says in words what becomes of what was kept.
func takenIn(p reattach.Plan) []string {
	var out []string
	for _, way := range []reattach.Way{reattach.ByName, reattach.ByID} {
		var names []string
		for _, f := range p.Of(way) {
			names = append(names, fmt.Sprintf("%s (%s)", f.LogicalID, f.PhysicalID))
		}
		if len(names) > 0 {
			out = append(out, fmt.Sprintf("takes in again %s, %s", strings.Join(names, ", "), way))
		}
	}
	for _, f := range p.Of(reattach.Gone) {
		out = append(out, fmt.Sprintf("leaves %s (%s) where it is: %s", f.LogicalID, f.PhysicalID, f.Way))
	}
	return out
}

// ownShells hides, from planning, the shells that an earlier attempt at recovering
// left: nothing but its own change sets waits in them.
func (l *leftovers) ownShells(p *planner) {
	for path := range l.stacks {
		seen, ok := p.snapshot.Get(path)
		if !ok || seen.Live == nil || seen.Live.Status != stacks.ReviewInProgress || len(seen.Proposals) == 0 {
			continue
		}
		if !slices.ContainsFunc(seen.Proposals, func(name string) bool { return !strings.HasPrefix(name, l.prefix()) }) {
			p.snapshot.Put(path, plan.Observation{})
		}
	}
}

// takesIn tells whether a step makes a stack around what was left of it, or of a
// snapshot: that has change sets of its own, made in the run.
func (l *leftovers) takesIn(step *plan.Step) bool {
	if l == nil {
		return false
	}
	_, ok := l.stacks[step.Stack]
	return ok && (step.Action == plan.Create || l.torso(step)) || l.waits(step.Stack) != ""
}

// torso tells whether a step goes on with a stack of which something was kept, and that
// an earlier attempt did not make to its end.
func (l *leftovers) torso(step *plan.Step) bool {
	_, ok := l.stacks[step.Stack]
	_, begun := torso()[step.Status]
	return ok && begun && (step.Changing() || step.Late)
}

// verbs are what recovering a stack of which something was kept takes besides.
func (l *leftovers) verbs(p stacks.Path) []stacks.Verb {
	if _, ok := l.stacks[p]; !ok {
		return nil
	}
	return []stacks.Verb{stacks.Propose, stacks.Execute, stacks.Discard, stacks.Update, stacks.Policy, stacks.Protect}
}
