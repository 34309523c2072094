// Package dag is a directed graph of ordered keys: who depends on whom, in
// which order to go, where it runs in circles.
//
// It knows nothing of stacks and never runs anything. Every answer comes in an
// order that depends on the keys alone, never on the order of insertion, and
// every question costs time in proportion to nodes plus edges (times a
// logarithm where the answer is sorted). A Graph that nobody changes any more
// may be read by many goroutines.
package dag

import (
	"cmp"
	"iter"
	"slices"
)

// Graph is a directed graph. An edge leads from a key to what it depends on.
// The zero Graph is empty and ready to use.
type Graph[K cmp.Ordered] struct {
	index map[K]int // key to its place in keys, up and down
	keys  []K
	up    [][]int // dependencies
	down  [][]int // dependents
	edges map[edge]struct{}
}

type edge struct{ from, to int }

// Direction says which way a walk goes along the edges.
type Direction uint8

// The directions.
const (
	Up   Direction = iota // to what a key depends on
	Down                  // to what depends on a key
)

// Add puts keys into the graph. A key that is there already stays as it is.
func (g *Graph[K]) Add(keys ...K) {
	for _, k := range keys {
		g.add(k)
	}
}

func (g *Graph[K]) add(k K) int {
	if i, ok := g.index[k]; ok {
		return i
	}
	if g.index == nil {
		g.index = map[K]int{}
		g.edges = map[edge]struct{}{}
	}
	i := len(g.keys)
	g.index[k] = i
	g.keys = append(g.keys, k)
	g.up = append(g.up, nil)
	g.down = append(g.down, nil)
	return i
}

// Connect says that from depends on to, adding both where they are missing.
// Saying it twice changes nothing. A key may depend on itself; that is a cycle.
func (g *Graph[K]) Connect(from, to K) {
	e := edge{g.add(from), g.add(to)}
	if _, ok := g.edges[e]; ok {
		return
	}
	g.edges[e] = struct{}{}
	g.up[e.from] = append(g.up[e.from], e.to)
	g.down[e.to] = append(g.down[e.to], e.from)
}

// Has tells whether k is in the graph.
func (g *Graph[K]) Has(k K) bool {
	_, ok := g.index[k]
	return ok
}

// Connected tells whether from depends directly on to.
func (g *Graph[K]) Connected(from, to K) bool {
	f, ok := g.index[from]
	if !ok {
		return false
	}
	t, ok := g.index[to]
	if !ok {
		return false
	}
	_, ok = g.edges[edge{f, t}]
	return ok
}

// Len is the number of keys.
func (g *Graph[K]) Len() int { return len(g.keys) }

// Edges is the number of edges.
func (g *Graph[K]) Edges() int { return len(g.edges) }

// Keys gives every key, sorted.
func (g *Graph[K]) Keys() []K { return slices.Sorted(slices.Values(g.keys)) }

// Dependencies gives what k depends on directly, sorted.
func (g *Graph[K]) Dependencies(k K) iter.Seq[K] { return g.neighbours(k, Up) }

// Dependents gives what depends directly on k, sorted.
func (g *Graph[K]) Dependents(k K) iter.Seq[K] { return g.neighbours(k, Down) }

func (g *Graph[K]) neighbours(k K, d Direction) iter.Seq[K] {
	return func(yield func(K) bool) {
		i, ok := g.index[k]
		if !ok {
			return
		}
		near := g.near(d)[i]
		keys := make([]K, 0, len(near))
		for _, n := range near {
			keys = append(keys, g.keys[n])
		}
		slices.Sort(keys)
		for _, n := range keys {
			if !yield(n) {
				return
			}
		}
	}
}

func (g *Graph[K]) near(d Direction) [][]int {
	if d == Down {
		return g.down
	}
	return g.up
}

// Reverse gives a graph with every edge turned round.
func (g *Graph[K]) Reverse() *Graph[K] {
	out := &Graph[K]{}
	out.Add(g.keys...)
	for e := range g.edges {
		out.Connect(g.keys[e.to], g.keys[e.from])
	}
	return out
}

// Subgraph gives the graph of the given keys and the edges among them. Keys
// that are not in g are left out.
func (g *Graph[K]) Subgraph(keys ...K) *Graph[K] {
	out := &Graph[K]{}
	for _, k := range keys {
		if g.Has(k) {
			out.Add(k)
		}
	}
	for _, k := range out.keys {
		for _, n := range g.up[g.index[k]] {
			if out.Has(g.keys[n]) {
				out.Connect(k, g.keys[n])
			}
		}
	}
	return out
}

// Closure gives the roots and everything that can be reached from them in the
// given direction, sorted. Roots that are not in the graph are left out.
func (g *Graph[K]) Closure(d Direction, roots ...K) []K {
	near := g.near(d)
	seen := make([]bool, len(g.keys))
	var queue []int
	for _, r := range roots {
		if i, ok := g.index[r]; ok && !seen[i] {
			seen[i] = true
			queue = append(queue, i)
		}
	}
	for n := 0; n < len(queue); n++ {
		for _, i := range near[queue[n]] {
			if !seen[i] {
				seen[i] = true
				queue = append(queue, i)
			}
		}
	}
	out := make([]K, 0, len(queue))
	for _, i := range queue {
		out = append(out, g.keys[i])
	}
	slices.Sort(out)
	return out
}
