package plan

import (
	"strings"

	"github.com/deployer-cli/deployer/internal/dag"
	"github.com/deployer-cli/deployer/stacks"
)

// Plan puts the steps in an order in which they may start and finishes what
// needs a view of all of them. A circle is an error; it does not come from a
// project whose graph has none.
func (b *Builder) Plan() (*Plan, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	p := &Plan{Account: b.in.Account, Region: b.in.Region, Realm: b.in.Realm, Steps: make([]Step, 0, len(b.states))}
	if e := b.in.Environment; e != nil {
		p.Environment, p.Class = e.Name, e.Class
	}
	g := &dag.Graph[stacks.Path]{}
	for path, s := range b.states {
		g.Add(path)
		s.step = s.decided
		s.step.After = b.inPlan(s.decided.After)
		for _, a := range s.step.After {
			g.Connect(path, a)
		}
	}
	if c := g.Cycle(); len(c) > 0 {
		return nil, &CycleError{Stacks: c}
	}
	b.exports(g)
	order, _ := g.Topological()
	for _, path := range order {
		p.Steps = append(p.Steps, b.states[path].step)
	}
	p.Digest = b.digest(p)
	return p, nil
}

// inPlan leaves out what has no step. It is never nil, for those who read JSON.
func (b *Builder) inPlan(after []stacks.Path) []stacks.Path {
	out := []stacks.Path{}
	for _, a := range after {
		if b.states[a] != nil {
			out = append(out, a)
		}
	}
	return out
}

// CycleError says that stacks wait for each other.
type CycleError struct{ Stacks []stacks.Path }

// Error names the circle.
func (e *CycleError) Error() string {
	names := make([]string, 0, len(e.Stacks)+1)
	for _, p := range e.Stacks {
		names = append(names, string(p))
	}
	return "stacks wait for each other: " + strings.Join(append(names, names[0]), " -> ")
}
