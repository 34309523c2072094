package blast

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/deployer-cli/deployer/stacks"
)

// Make makes the whole plan of the facts: steps in order, radius, verdicts and
// phrase. The caller fills in ID, Made, By, Version, Commit and Dirty, and seals it.
// A plan with a verdict that is not good is for reading only.
func Make(f *Facts) *Plan {
	w := newWorld(f)
	c := w.closure()
	p := &Plan{
		Schema: Schema, Project: f.Project, Account: f.Account, Region: f.Region, Realm: f.Realm, Endpoint: f.Endpoint,
		Kind: f.Kind, Arg: f.Arg, Choice: f.Choice, Only: f.Only, Targets: stacks.SortPaths(slices.Clone(f.Targets)), Steps: []Step{},
	}
	if f.Environment != nil {
		p.Environment, p.Class = f.Environment.Name, f.Environment.Class
	}
	for i, g := range c.going {
		u := c.units[i]
		step := Step{
			Stack: g.Path, Name: g.Name, StackID: g.StackID, Environment: u.root.Stack.Environment.Name, Verb: verb(f.Kind), Target: g.Target,
			Why: g.Why, After: []stacks.Path{}, Found: found(u.root.Live),
		}
		for before := range c.after.Dependencies(g.Path) {
			step.After = append(step.After, before)
		}
		for _, i := range f.Injections {
			if i.Stack == g.Path {
				if f.Veil.Names(i.PhysicalID) { // it is refused, and shown
					i.PhysicalID, i.Says = f.Veil.Masked(i.PhysicalID), f.Veil.Masked(i.Says)
				}
				step.Injections = append(step.Injections, i)
			}
		}
		if f.Kind == DriftParameter {
			step.Changes = f.Changes[g.Path]
		}
		p.Steps = append(p.Steps, step)
	}
	p.Radius = w.measure(c.going)
	p.Verdicts = w.guards(c.going, c.refused, p.Radius)
	p.Phrase = Phrase(p)
	return p
}

// verb is what a kind of break does to its stacks.
func verb(kind string) stacks.Verb {
	switch kind {
	case DeleteStack:
		return stacks.Delete
	case DriftParameter:
		return stacks.Update
	}
	return stacks.Inject
}

// found is a live stack in one line: what a plan was made against.
func found(l *stacks.Live) string {
	return fmt.Sprintf("%s since %s", l.Status, l.Changed().UTC().Format(time.RFC3339Nano))
}

// Phrase is what a person has to type before a break: the environments and the
// number of stacks that are deleted, or touched where the kind deletes none.
// guard.Request makes the same of its own steps.
func Phrase(p *Plan) string {
	names := []string{}
	for _, s := range p.Steps {
		if !slices.Contains(names, s.Environment) {
			names = append(names, s.Environment)
		}
	}
	if len(names) == 0 {
		names = append(names, p.Environment)
	}
	slices.Sort(names)
	return fmt.Sprintf("%s %d", strings.Join(names, " "), len(p.Steps))
}
