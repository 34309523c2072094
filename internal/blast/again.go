package blast

import (
	"fmt"
	"slices"

	"github.com/deployer-cli/deployer/stacks"
)

// Again asks, of facts that were gathered just now, the guards that are asked
// again right before a step's call, and first whether the stack is still the one
// that was chosen. The call may be sent when all verdicts are good, and only then.
func Again(f *Facts, p *Plan, step *Step) []Verdict {
	if p == nil || step == nil {
		return []Verdict{verdict("G9", exitRefused, true, []Finding{{Why: "there is no plan"}})}
	}
	now := *f
	now.Targets, now.Kind, now.Arg, now.Injections = []stacks.Path{step.Stack}, p.Kind, p.Arg, step.Injections
	now.Unfit = slices.DeleteFunc(slices.Clone(f.Unfit), func(u Finding) bool { return u.Stack != step.Stack })
	if now.Break == "" {
		now.Break = p.ID
	}
	now.Stacks.Value = others(now.Stacks.Value, p, step)
	w := newWorld(&now)
	c := w.closure()
	k := w.scope(nil)
	k.radius = w.measure([]Going{{Path: step.Stack, Name: step.Name, StackID: step.StackID}})
	return []Verdict{
		verdict(Moved, exitMoved, true, now.moved(step)),
		verdict("G2", exitRefused, true, k.allowed()),
		verdict("G3", exitRefused, true, k.account()),
		verdict("G4", exitRefused, true, k.tags()),
		verdict("G5", exitRefused, true, k.protected()),
		verdict("G6", exitRefused, true, k.time()),
		verdict("G7", exitOpen, true, k.busy()),
		verdict("G8", exitSteady, true, k.steady(roleGuard)),
		verdict("G9", exitRefused, true, c.stillInside(p, step)),
		verdict("G10", exitRefused, true, k.data()),
		verdict("G12", exitRefused, true, slices.Concat(k.restorable(), k.capsuled(step))),
		verdict("G15", exitRefused, true, k.permitted()),
	}
}

// others leaves out what this break itself is deleting, so that its own work does
// not count as somebody else's. What has to be gone before the step still counts.
func others(all []Seen, p *Plan, step *Step) []Seen {
	ours := func(s Seen) bool {
		return s.Live != nil && s.Live.Status == stacks.DeleteInProgress && s.Live.ID != step.StackID && !slices.Contains(step.After, s.Path()) &&
			slices.ContainsFunc(p.Steps, func(o Step) bool { return o.StackID == s.Live.ID && o.Verb == stacks.Delete })
	}
	return slices.DeleteFunc(slices.Clone(all), ours)
}

// moved tells whether somebody has made the stack anew, or taken it away.
func (f *Facts) moved(step *Step) []Finding {
	if !f.Stacks.Read {
		return []Finding{{Stack: step.Stack, Why: "how it lives now is not known: " + f.Stacks.reason()}}
	}
	var out []Finding
	there := false
	for i := range f.Stacks.Value {
		live := f.Stacks.Value[i].Live
		switch {
		case live == nil || live.Name != step.Name || live.Status == stacks.DeleteComplete:
		case live.ID != step.StackID:
			out = append(out, Finding{Stack: step.Stack, Why: fmt.Sprintf("there is a new stack of this name (%s, %s): somebody is at work on it already", live.ID, live.Status)})
		case live.Status == stacks.CreateInProgress || live.Status == stacks.ReviewInProgress:
			out = append(out, Finding{Stack: step.Stack, Why: "it is being made: " + string(live.Status)})
		default:
			there = true
			if why := step.since(live); why != "" {
				out = append(out, Finding{Stack: step.Stack, Why: why})
			}
		}
	}
	if !there && len(out) == 0 {
		out = append(out, Finding{Stack: step.Stack, Why: "it is gone: somebody else deleted it"})
	}
	return out
}

// since says how a live stack was changed since a step was planned, "" where it was not.
func (s *Step) since(live *stacks.Live) string {
	is := found(live)
	if is == s.Found {
		return ""
	}
	return fmt.Sprintf("somebody changed it since: it was %s, it is %s", s.Found, is)
}

// Since says how a live stack of the plan, told by its id, was changed since the plan was
// made, "" where it was not. What was captured and agreed on is of then.
func (p *Plan) Since(live *stacks.Live) string {
	for i := range p.Steps {
		if p.Steps[i].StackID == live.ID {
			return p.Steps[i].since(live)
		}
	}
	return "the plan does not say how it was"
}

// Planned gives those of what would be done to single resources that the plan does: what
// was left out of it as unsuitable is none of what is left of it. Without a plan it is
// all of them.
func (p *Plan) Planned(found []stacks.Injection) []stacks.Injection {
	if p == nil {
		return found
	}
	return slices.DeleteFunc(slices.Clone(found), func(in stacks.Injection) bool {
		return !slices.ContainsFunc(p.Steps, func(s Step) bool {
			return slices.ContainsFunc(s.Injections, func(was stacks.Injection) bool { return same(was, in) })
		})
	})
}

// Rest compares what is left of a plan, made again to go on with it, with the plan that
// was begun with: each stack has to be as it was, and to hold the data that it held, since
// that is what was captured. It tells everything that moved, each a *StaleError. What goes
// first may be gone by now, and is not compared.
func Rest(begun, rest *Plan) []error {
	var out []error
	stale := func(s stacks.Path, why string) {
		out = append(out, &StaleError{What: string(s) + " moved since the break began", Why: why})
	}
	for i := range rest.Steps {
		is := &rest.Steps[i]
		at := slices.IndexFunc(begun.Steps, func(s Step) bool { return s.StackID == is.StackID })
		if at < 0 {
			stale(is.Stack, "it would have to go now, and is not in its plan")
			continue
		}
		was, now := begun.Radius.of(is.Stack), rest.Radius.of(is.Stack)
		switch {
		case begun.Steps[at].Found != is.Found:
			stale(is.Stack, fmt.Sprintf("it was %s, it is %s", begun.Steps[at].Found, is.Found))
		case !same(begun.Steps[at].Injections, is.Injections):
			stale(is.Stack, "what is done to it is not what was planned")
		case !same(was.Holders, now.Holders) || !same(was.Policies, now.Policies):
			stale(is.Stack, "the data that it takes with it is not what was planned")
		}
	}
	return out
}

// stillInside is G9 right before a call: nothing that has to go first is left, be
// it of the plan or not.
func (c *closure) stillInside(p *Plan, step *Step) []Finding {
	k := &scope{f: c.w.f, refused: c.refused}
	out := k.inside()
	if !slices.ContainsFunc(p.Steps, func(s Step) bool { return s.Stack == step.Stack && s.StackID == step.StackID }) {
		out = append(out, Finding{Stack: step.Stack, Why: "it is not in the plan"})
	}
	for _, g := range c.going {
		if g.Path == step.Stack {
			continue
		}
		why := "it has to be gone first: "
		if !slices.ContainsFunc(p.Steps, func(s Step) bool { return s.StackID == g.StackID }) {
			why = "it is not in the plan, and has to be gone first: "
		}
		out = append(out, Finding{Stack: g.Path, Why: why + g.Why[0], Fix: "plan again"})
	}
	return out
}
