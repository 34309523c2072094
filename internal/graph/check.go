package graph

import (
	"fmt"
	"strings"

	"github.com/hashicorp/go-multierror"

	"github.com/deployer-cli/deployer/stacks"
)

// concern is an error and the stacks it stands in the way of.
type concern struct {
	paths []stacks.Path
	err   error
}

// maxCycles is how many cycles are told of at once; each leaves out the stacks
// of those before.
const maxCycles = 10

// Check tells what is wrong with the given stacks, or with any when paths is
// nil: cycles, and dependencies that do not exist. The error is a
// *multierror.Error of *stacks.Problem. A template that cannot be read is not
// among it, since it stands in the way of launching alone; see Unread.
func (g *Graph) Check(paths []stacks.Path) error {
	wanted := make(map[stacks.Path]bool, len(paths))
	for _, p := range paths {
		wanted[p] = true
	}
	var errs *multierror.Error
	for _, c := range g.problems {
		if paths == nil || anyOf(wanted, c.paths) {
			errs = multierror.Append(errs, c.err)
		}
	}
	return errs.ErrorOrNil()
}

// Unread gives the stacks whose template could not be read, with the reason, so
// that nothing is known of what it imports.
func (g *Graph) Unread() map[stacks.Path]error {
	out := map[stacks.Path]error{}
	for _, p := range g.Paths() {
		if s, ok := g.finder.stacks[p]; ok && s.Err != nil {
			out[p] = s.Err
		}
	}
	return out
}

func anyOf(wanted map[stacks.Path]bool, paths []stacks.Path) bool {
	for _, p := range paths {
		if wanted[p] {
			return true
		}
	}
	return false
}

// cycles finds the cycles of the graph, none of which share a stack.
func (g *Graph) cycles() []concern {
	var out []concern
	rest := g.dag
	for range maxCycles {
		cycle := rest.Cycle()
		if cycle == nil {
			break
		}
		out = append(out, concern{cycle, g.cycleProblem(cycle)})
		in := make(map[stacks.Path]bool, len(cycle))
		for _, p := range cycle {
			in[p] = true
		}
		var others []stacks.Path
		for _, p := range rest.Keys() {
			if !in[p] {
				others = append(others, p)
			}
		}
		rest = rest.Subgraph(others...)
	}
	return out
}

// cycleProblem tells the way round a cycle with every reason and its place.
func (g *Graph) cycleProblem(cycle []stacks.Path) *stacks.Problem {
	edges := make([]Edge, 0, len(cycle))
	for i, from := range cycle {
		edges = append(edges, g.edge(from, cycle[(i+1)%len(cycle)]))
	}
	return cycleOf(edges)
}

// edge gives the first reason why from depends on to.
func (g *Graph) edge(from, to stacks.Path) Edge {
	for _, e := range g.edges[from] {
		if e.To == to {
			return e
		}
	}
	return Edge{From: from, To: to, What: "depends on " + string(to)}
}

func cycleOf(edges []Edge) *stacks.Problem {
	parts := make([]string, 0, len(edges))
	for _, e := range edges {
		if e.Pos.File == "" {
			parts = append(parts, fmt.Sprintf("%s %s", e.From, e.What))
			continue
		}
		parts = append(parts, fmt.Sprintf("%s (%s) %s", e.From, e.Pos, e.What))
	}
	tip := "take one of these references out, or move what both need into a stack of its own"
	if len(edges) == 1 {
		tip = "a stack cannot wait for itself; where a group gives this to all its stacks, override it here"
	}
	return &stacks.Problem{Pos: edges[0].Pos, What: "dependency cycle", Why: strings.Join(parts, "; "), Tip: tip}
}

// Revise tells which edges a stack gains when its source becomes known better
// in the middle of a run: a template that is rendered with values that other
// stacks gave may import what nobody foresaw. The graph stays as it is. An edge
// that would close a cycle, or a dependency that does not exist, is an error.
func (g *Graph) Revise(s Source) ([]Edge, error) {
	found := g.finder.find(&s)
	var gained []Edge
	var errs *multierror.Error
	for _, c := range found.problems {
		errs = multierror.Append(errs, c.err)
	}
	for _, e := range tidy(found.edges) {
		if g.dag.Connected(e.From, e.To) {
			continue
		}
		gained = append(gained, e)
		if way := g.way(e.To, e.From); way != nil {
			errs = multierror.Append(errs, cycleOf(append([]Edge{e}, way...)))
		}
	}
	return gained, errs.ErrorOrNil()
}

// way gives the edges of a shortest way from one stack up to another; nil when
// there is none, empty when they are the same.
func (g *Graph) way(from, to stacks.Path) []Edge {
	next := map[stacks.Path]stacks.Path{to: to}
	queue := []stacks.Path{to}
	for n := 0; n < len(queue); n++ {
		if queue[n] == from {
			break
		}
		for d := range g.dag.Dependents(queue[n]) {
			if _, seen := next[d]; !seen {
				next[d] = queue[n]
				queue = append(queue, d)
			}
		}
	}
	if _, ok := next[from]; !ok {
		return nil
	}
	way := []Edge{}
	for p := from; p != to; p = next[p] {
		way = append(way, g.edge(p, next[p]))
	}
	return way
}
