package dag

import (
	"cmp"
	"container/heap"
	"slices"
)

// Topological gives every key after all it depends on. Of the keys that could
// come next the smallest does, so that equal graphs give equal orders. Where
// the graph has a cycle, ok is false and the keys on a cycle, or depending on
// one, are missing.
func (g *Graph[K]) Topological() (order []K, ok bool) {
	indices, _ := g.kahn(Up)
	order = make([]K, 0, len(indices))
	for _, i := range indices {
		order = append(order, g.keys[i])
	}
	return order, len(order) == len(g.keys)
}

// Longest gives for each key the weight of the heaviest chain that starts with
// it and goes on through its dependents, its own weight included: how long it
// takes from the start of k to the end of all that waits for k. Keys from which
// a cycle can be reached in that direction have no such weight and are missing.
func (g *Graph[K]) Longest(weight func(K) float64) map[K]float64 {
	order, _ := g.kahn(Down)
	out := make(map[K]float64, len(order))
	for _, i := range order {
		rest := 0.0
		for _, d := range g.down[i] {
			rest = max(rest, out[g.keys[d]])
		}
		out[g.keys[i]] = weight(g.keys[i]) + rest
	}
	return out
}

// kahn orders the nodes so that each comes after its neighbours in the given
// direction, smallest key first. blocked tells how many such neighbours each
// node still waits for: nothing but zeros when there is no cycle.
func (g *Graph[K]) kahn(d Direction) (order, blocked []int) {
	waits, wakes := g.near(d), g.near(1-d)
	ready := &ranked{rank: g.ranks()}
	blocked = make([]int, len(g.keys))
	for i := range g.keys {
		blocked[i] = len(waits[i])
		if blocked[i] == 0 {
			ready.nodes = append(ready.nodes, i)
		}
	}
	heap.Init(ready)
	order = make([]int, 0, len(g.keys))
	for ready.Len() > 0 {
		i, _ := heap.Pop(ready).(int)
		order = append(order, i)
		for _, n := range wakes[i] {
			if blocked[n]--; blocked[n] == 0 {
				heap.Push(ready, n)
			}
		}
	}
	return order, blocked
}

// ranks gives each node's place among the sorted keys.
func (g *Graph[K]) ranks() []int {
	byKey := make([]int, len(g.keys))
	for i := range byKey {
		byKey[i] = i
	}
	slices.SortFunc(byKey, func(a, b int) int { return cmp.Compare(g.keys[a], g.keys[b]) })
	rank := make([]int, len(byKey))
	for r, i := range byKey {
		rank[i] = r
	}
	return rank
}

// ranked is a heap of nodes, smallest rank on top.
type ranked struct{ nodes, rank []int }

func (r *ranked) Len() int           { return len(r.nodes) }
func (r *ranked) Less(a, b int) bool { return r.rank[r.nodes[a]] < r.rank[r.nodes[b]] }
func (r *ranked) Swap(a, b int)      { r.nodes[a], r.nodes[b] = r.nodes[b], r.nodes[a] }
func (r *ranked) Push(x any)         { n, _ := x.(int); r.nodes = append(r.nodes, n) }
func (r *ranked) Pop() any {
	last := len(r.nodes) - 1
	n := r.nodes[last]
	r.nodes = r.nodes[:last]
	return n
}
