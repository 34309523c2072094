// Package graph finds out which stacks of a project depend on which, and why.
//
// Every edge has a reason and a place in a file: a dependency that is written
// down, a resolver, an import, a reference in a template. The package decides
// nothing about a run and reads no file; it works on stacks and templates that
// are loaded already, in time proportional to stacks plus edges.
package graph

import (
	"cmp"
	"iter"
	"maps"
	"slices"

	"github.com/deployer-cli/deployer/internal/cfntemplate"
	"github.com/deployer-cli/deployer/internal/dag"
	"github.com/deployer-cli/deployer/stacks"
)

// Source is what is known of one stack without asking anybody.
type Source struct {
	Stack      *stacks.Stack
	Template   *cfntemplate.Template // nil where Err says why, or where it is known only later
	Parameters map[string]any        // string, or cfntemplate.Unknown
	Err        error                 // why there is no template
}

// Options say what the sources do not.
type Options struct {
	// Account gives the account a stack lives in, "" where that is not known.
	// Nil: what the declared environments and the roles tell.
	Account func(*stacks.Stack) string
	// Exists tells of stacks that are in the project but not among the sources,
	// because their files have problems. Nil: there are none.
	Exists func(stacks.Path) bool
}

// Kind is why one stack depends on another.
type Kind string

// The kinds of edge.
const (
	Explicit Kind = "explicit" // listed under dependencies
	Resolver Kind = "resolver" // !stack_output, !stack_output_external
	Import   Kind = "import"   // Fn::ImportValue of an export
	Output   Kind = "output"   // Fn::GetStackOutput
	SSM      Kind = "ssm"      // an SSM parameter that a stack makes
)

// Edge says that From depends on To.
type Edge struct {
	From stacks.Path // the dependent
	To   stacks.Path // what it depends on
	Kind Kind
	Key  string     // the output, export or SSM parameter; "" for an explicit edge
	Weak bool       // AWS does not hold the value in place: when it changes, From has to be launched again
	Pos  stacks.Pos // where the reason stands
	What string     // the reason after From's name: "needs VpcId of dev/network"
}

// Missing is a reference to something that nobody in the project makes.
type Missing struct {
	Stack stacks.Path
	Kind  Kind // Import: an export; Resolver: an output
	Key   string
	Pos   stacks.Pos
	What  string
	Hint  string
}

// Ambiguous is a reference to an export or SSM parameter that several stacks
// make. The stack that refers to it depends on all of them.
type Ambiguous struct {
	Stack stacks.Path
	Kind  Kind
	Key   string
	Makes []stacks.Path // sorted
	Pos   stacks.Pos
}

// Direction says which stacks a selection takes along.
type Direction = dag.Direction

// The directions: a launch takes the dependencies along, a delete the
// dependents.
const (
	Up   = dag.Up
	Down = dag.Down
)

// Graph is the stacks of a project and what they need of each other. It does
// not change and may be read by many goroutines.
type Graph struct {
	dag       *dag.Graph[stacks.Path]
	edges     map[stacks.Path][]Edge // by dependent; by To, then Kind, then place
	back      map[stacks.Path][]Edge // by dependency; by From, then Kind, then place
	finder    *finder
	missing   []Missing
	ambiguous []Ambiguous
	problems  []concern
}

// Make builds the graph of all stacks of a project. The graph is there even
// where the error tells of cycles or of dependencies that do not exist: a
// command concerned with other stacks goes on, and asks Check about its own.
func Make(sources []Source, opts Options) (*Graph, error) {
	f := newFinder(sources, opts)
	g := &Graph{dag: &dag.Graph[stacks.Path]{}, edges: map[stacks.Path][]Edge{}, back: map[stacks.Path][]Edge{}, finder: f}
	for i := range sources {
		g.dag.Add(sources[i].Stack.Path)
	}
	for i := range sources {
		found := f.find(&sources[i])
		g.connect(found.edges)
		g.missing = append(g.missing, found.missing...)
		g.ambiguous = append(g.ambiguous, found.ambiguous...)
		g.problems = append(g.problems, found.problems...)
	}
	g.sortBack()
	g.problems = append(g.problems, g.cycles()...)
	sortByPlace(g.missing, func(m Missing) (stacks.Path, stacks.Pos, string) { return m.Stack, m.Pos, m.Key })
	g.missing = slices.Compact(g.missing) // one resource may ask for the same twice
	sortByPlace(g.ambiguous, func(a Ambiguous) (stacks.Path, stacks.Pos, string) { return a.Stack, a.Pos, a.Key })
	return g, g.Check(nil)
}

// connect takes the edges of one stack in.
func (g *Graph) connect(edges []Edge) {
	edges = tidy(edges)
	for _, e := range edges {
		g.dag.Connect(e.From, e.To)
		g.edges[e.From] = append(g.edges[e.From], e)
		g.back[e.To] = append(g.back[e.To], e)
	}
}

func (g *Graph) sortBack() {
	for _, edges := range g.back {
		slices.SortFunc(edges, compareEdges)
	}
}

// tidy sorts the edges of one stack and drops what is said twice.
func tidy(edges []Edge) []Edge {
	slices.SortStableFunc(edges, compareEdges)
	return slices.CompactFunc(edges, func(a, b Edge) bool {
		return a.From == b.From && a.To == b.To && a.Kind == b.Kind && a.Key == b.Key
	})
}

func compareEdges(a, b Edge) int {
	return cmp.Or(
		cmp.Compare(a.From, b.From),
		cmp.Compare(a.To, b.To),
		cmp.Compare(a.Kind, b.Kind),
		cmp.Compare(a.Key, b.Key),
		comparePos(a.Pos, b.Pos),
	)
}

func comparePos(a, b stacks.Pos) int {
	return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
}

func sortByPlace[T any](items []T, key func(T) (stacks.Path, stacks.Pos, string)) {
	slices.SortFunc(items, func(a, b T) int {
		aPath, aPos, aKey := key(a)
		bPath, bPos, bKey := key(b)
		return cmp.Or(cmp.Compare(aPath, bPath), comparePos(aPos, bPos), cmp.Compare(aKey, bKey))
	})
}

// Len is the number of stacks.
func (g *Graph) Len() int { return g.dag.Len() }

// Paths gives every stack, sorted.
func (g *Graph) Paths() []stacks.Path { return g.dag.Keys() }

// Has tells whether a stack is in the graph.
func (g *Graph) Has(p stacks.Path) bool { return g.dag.Has(p) }

// Order gives every stack after all it depends on; of those that could come
// next the first by name does. Stacks that hang on a cycle are missing.
func (g *Graph) Order() []stacks.Path {
	order, _ := g.dag.Topological()
	return order
}

// Dependencies gives the edges to what a stack depends on. There may be several
// to one stack, each with its reason.
func (g *Graph) Dependencies(p stacks.Path) []Edge { return slices.Clone(g.edges[p]) }

// Dependents gives the edges from what depends on a stack.
func (g *Graph) Dependents(p stacks.Path) []Edge { return slices.Clone(g.back[p]) }

// Edges gives every edge, by dependent, dependency and place.
func (g *Graph) Edges() iter.Seq[Edge] {
	return func(yield func(Edge) bool) {
		for _, from := range slices.Sorted(maps.Keys(g.edges)) {
			for _, e := range g.edges[from] {
				if !yield(e) {
					return
				}
			}
		}
	}
}

// Closure gives the stacks and all that they depend on (Up), or all that
// depends on them (Down), sorted.
func (g *Graph) Closure(d Direction, paths ...stacks.Path) []stacks.Path {
	return g.dag.Closure(d, paths...)
}

// Select gives the graph of the stacks that a run over paths concerns: with
// their dependencies for a launch (Up), with their dependents for a delete
// (Down). The error tells what is wrong with any of these.
func (g *Graph) Select(d Direction, paths ...stacks.Path) (*Graph, error) {
	chosen := g.Closure(d, paths...)
	return g.sub(chosen, func(Edge) bool { return true }), g.Check(chosen)
}

// IgnoreDependencies gives the graph of just these stacks, without any edge.
// What is wrong with their dependencies does not matter then.
func (g *Graph) IgnoreDependencies(paths ...stacks.Path) *Graph {
	out := g.sub(paths, func(Edge) bool { return false })
	out.problems = nil
	return out
}

func (g *Graph) sub(chosen []stacks.Path, keep func(Edge) bool) *Graph {
	out := &Graph{dag: &dag.Graph[stacks.Path]{}, edges: map[stacks.Path][]Edge{}, back: map[stacks.Path][]Edge{}, finder: g.finder}
	for _, p := range chosen {
		if g.Has(p) {
			out.dag.Add(p)
		}
	}
	for _, p := range out.dag.Keys() {
		for _, e := range g.edges[p] {
			if keep(e) && out.dag.Has(e.To) {
				out.dag.Connect(e.From, e.To)
				out.edges[e.From] = append(out.edges[e.From], e)
				out.back[e.To] = append(out.back[e.To], e)
			}
		}
	}
	out.sortBack()
	out.missing = slices.DeleteFunc(slices.Clone(g.missing), func(m Missing) bool { return !out.Has(m.Stack) })
	out.ambiguous = slices.DeleteFunc(slices.Clone(g.ambiguous), func(a Ambiguous) bool { return !out.Has(a.Stack) })
	out.problems = slices.DeleteFunc(slices.Clone(g.problems), func(c concern) bool { return !slices.ContainsFunc(c.paths, out.Has) })
	return out
}

// Remaining gives for each stack the weight of the heaviest chain that begins
// with it and goes on through what waits for it, itself included: start the
// heaviest first.
func (g *Graph) Remaining(weight func(stacks.Path) float64) map[stacks.Path]float64 {
	return g.dag.Longest(weight)
}

// Missing lists imports of exports that nobody in the project makes, which may
// be made elsewhere, and outputs that a template of the project does not have.
func (g *Graph) Missing() []Missing { return slices.Clone(g.missing) }

// Ambiguous lists references that several stacks could be meant by.
func (g *Graph) Ambiguous() []Ambiguous { return slices.Clone(g.ambiguous) }
