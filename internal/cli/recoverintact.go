package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/deployer-cli/deployer/internal/capsule"
	"github.com/deployer-cli/deployer/internal/cfntemplate"
	"github.com/deployer-cli/deployer/internal/chaos"
	"github.com/deployer-cli/deployer/internal/guard"
	"github.com/deployer-cli/deployer/internal/inject"
	"github.com/deployer-cli/deployer/stacks"
)

// deedKey names one deed of a break.
type deedKey struct {
	stack     stacks.Path
	logicalID string // "" for a drifted parameter
}

// broken tells whether a deed has to be undone: it may be out of order because of
// us, and nobody has put it right, or set it to something else, meanwhile.
func (b *breaker) broken(d *chaos.Deed) bool {
	return d.Status.Broken() && !b.taken[d.Stack] && !b.intact[deedKey{d.Stack, d.LogicalID()}]
}

// findIntact finds out what of the things that were injected, or drifted, is not as
// the break left it any more. That is left as it is, which is said. What was broken in
// a stack that somebody has made anew went with the old one.
func (b *breaker) findIntact(ctx context.Context, k *knownBreak) error {
	b.intact = map[deedKey]bool{}
	for _, p := range k.state.Order {
		t := k.state.Targets[p]
		if !t.Status.Broken() || len(t.Deeds) == 0 || t.Deeds[0].Verb == stacks.Delete {
			continue
		}
		anew, err := b.rebuilt(ctx, t)
		switch {
		case err != nil:
			return err
		case anew.id != "":
			for _, d := range t.Deeds {
				b.intact[deedKey{p, d.LogicalID()}] = true
			}
			fmt.Fprintf(b.app.talk(), "  %s has been made anew, as %s: what was broken went with the old stack\n", p, anew.id)
			continue
		}
		if err := b.intactIn(ctx, t); err != nil {
			return err
		}
	}
	return nil
}

// intactIn finds that out of one target whose stack is the one that was broken.
func (b *breaker) intactIn(ctx context.Context, t *chaos.Target) error {
	live, err := b.stackOrNil(ctx, t.Access, t.StackID)
	if err != nil {
		return err
	}
	conditions, err := b.conditions(ctx, t, live)
	if err != nil {
		return err
	}
	for _, d := range t.Deeds {
		// What AWS may not have taken yet looks whole, too.
		if !d.Status.Broken() || d.Accepted.IsZero() || conditions[d.LogicalID()] != stacks.Whole {
			continue
		}
		b.intact[deedKey{t.Stack, d.LogicalID()}] = true
		list, err := b.s.setSince(ctx, b.record, t, d, live)
		if err != nil {
			return err
		}
		b.leftAlone(d, list)
	}
	return nil
}

// leftAlone says that something is not put right, and why.
func (b *breaker) leftAlone(d *chaos.Deed, list []capsule.Difference) {
	what := string(d.Stack)
	if id := d.LogicalID(); id != "" {
		what += "  " + id
	}
	if len(list) == 0 {
		fmt.Fprintf(b.app.talk(), "  %s is as it was already\n", what)
		return
	}
	for _, l := range list {
		fmt.Fprintf(b.app.talk(), "  %s is left as it is: somebody has set %s to %s since (it was %s)\n", what, l.What, l.Is, l.Was)
	}
}

// setSince tells what somebody has set, since the break, of what one deed broke.
func (s *session) setSince(ctx context.Context, r *breakRecord, t *chaos.Target, d *chaos.Deed, live *stacks.Live) ([]capsule.Difference, error) {
	if d.Verb == stacks.Inject {
		changes, err := s.injector().Changed(ctx, *d.Injection)
		var out []capsule.Difference
		for _, c := range changes {
			out = append(out, capsule.Difference{What: c.What + " of " + d.LogicalID(), Was: c.Was, Is: c.Is})
		}
		return out, err
	}
	state, err := r.fold(ctx)
	if err != nil || live == nil || t.Capsule.Hash == "" {
		return nil, err
	}
	c, _, err := s.capsule(ctx, r, t)
	if err != nil {
		return nil, err
	}
	name, _, _ := strings.Cut(state.Plan.Argument, ":")
	was := slices.IndexFunc(c.Parameters, func(p capsule.Parameter) bool { return p.Key == name })
	is := slices.IndexFunc(live.Parameters, func(p stacks.LiveParameter) bool { return p.Key == name })
	if was < 0 || is < 0 {
		return nil, nil
	}
	now := ""
	if c.Parameters[was].Secret {
		now = s.secretsNow(ctx, t.Stack)[name]
	}
	return setTo(c.Parameters[was], live.Parameters[is].Value, now), nil
}

// setTo tells that a parameter has another value than was captured. Of a secret one, which
// the files say to be now, neither is shown.
func setTo(was capsule.Parameter, is, now string) []capsule.Difference {
	out := capsule.Difference{What: "parameter " + was.Key, Was: was.Value, Is: is}
	switch {
	case was.Secret && is == now || !was.Secret && is == was.Value:
		return nil
	case was.Secret:
		out.Was, out.Is = hiddenValue, hiddenValue
	}
	return []capsule.Difference{out}
}

// onlyOurs refuses a change set that would put back more than what was deleted and
// what refers to it: somebody else has changed that behind CloudFormation's back.
// What refers to it is told.
func (b *breaker) onlyOurs(ctx context.Context, d *chaos.Deed, changes []stacks.ResourceChange) error {
	body, err := b.s.cfn.Processed(ctx, d.Access, d.StackID)
	if err != nil {
		return err
	}
	t, err := cfntemplate.Parse(body)
	if err != nil {
		return err
	}
	dependents, others := sortChanges(t, d.LogicalID(), changes)
	if len(others) > 0 {
		return &guard.Refusal{
			Rule: "drift", Code: exitRefused, What: fmt.Sprintf("%s of %s is not made again", d.LogicalID(), d.Stack),
			Why: "CloudFormation reverts the drift of a whole stack, and would put back what somebody has changed of " + strings.Join(others, ", "),
			Tip: fmt.Sprintf("see: deployer drift show %s; put that into its template, or back as it was, and recover again", d.Stack),
		}
	}
	for _, id := range dependents {
		fmt.Fprintf(b.app.talk(), "  %s  %s refers to it, and is brought to what its template says, too\n", d.Stack, id)
	}
	return nil
}

// sortChanges tells, of what a change set that reverts drift would change, what refers to
// a resource that is made again, at last through others, and what has nothing to do
// with it. A nested stack is in every change set of its parent.
func sortChanges(t *cfntemplate.Template, id string, changes []stacks.ResourceChange) (dependents, others []string) {
	ours := map[string]bool{id: true}
	for grown := true; grown; {
		grown = false
		for name, r := range t.Resources {
			refs, attributes := cfntemplate.Refs(r.Properties)
			for _, a := range attributes {
				refs = append(refs, a[0])
			}
			if !ours[name] && slices.ContainsFunc(refs, func(ref string) bool { return ours[ref] }) {
				ours[name], grown = true, true
			}
		}
	}
	for _, c := range changes {
		switch {
		case c.LogicalID == id:
		case ours[c.LogicalID]:
			dependents = append(dependents, c.LogicalID)
		case c.Type != "AWS::CloudFormation::Stack" || c.Action != "modify":
			others = append(others, c.LogicalID)
		}
	}
	slices.Sort(dependents)
	slices.Sort(others)
	return dependents, others
}

// changedSince adds, to what a comparison with the capsule tells, what somebody has
// set of what was injected: a template may say nothing of it.
func (l *looker) changedSince(ctx context.Context, t *chaos.Target) ([]capsule.Difference, error) {
	var out []capsule.Difference
	for _, d := range t.Deeds {
		if d.Verb != stacks.Inject || d.Injection.Kind == inject.DeleteResource {
			continue
		}
		list, err := l.s.setSince(ctx, l.record, t, d, nil)
		if err != nil {
			return nil, err
		}
		out = append(out, list...)
	}
	return out, nil
}
