package dag

import "slices"

// Cycle gives one cycle, nil when there is none: each key depends on the next
// and the last on the first. It is the shortest through its first key, which is
// the smallest of a cycle that was found; the same graph gives the same cycle.
func (g *Graph[K]) Cycle() []K {
	_, blocked := g.kahn(Up)
	rank := g.ranks()
	start, found := -1, false
	for i, b := range blocked {
		if b > 0 && (!found || rank[i] < rank[start]) {
			start, found = i, true
		}
	}
	if !found {
		return nil
	}
	path := g.shortest(g.onCycle(start, blocked, rank), rank)
	keys := make([]K, 0, len(path))
	for _, i := range path {
		keys = append(keys, g.keys[i])
	}
	return keys
}

// onCycle follows blocked dependencies from start, the smallest key each time,
// until a node comes up again, and gives the smallest node of the loop walked.
// A blocked node has a blocked dependency, so the walk never ends otherwise.
func (g *Graph[K]) onCycle(start int, blocked, rank []int) int {
	at := make(map[int]int)
	var walk []int
	node := start
	for {
		if first, again := at[node]; again {
			return slices.MinFunc(walk[first:], func(a, b int) int { return rank[a] - rank[b] })
		}
		at[node] = len(walk)
		walk = append(walk, node)
		next := -1
		for _, d := range g.up[node] {
			if blocked[d] > 0 && (next < 0 || rank[d] < rank[next]) {
				next = d
			}
		}
		node = next
	}
}

// shortest gives the shortest way along dependencies from node back to itself.
// The caller knows that there is one. It goes breadth first; of ways equally
// short it takes the one whose keys are found first in sorted order.
func (g *Graph[K]) shortest(node int, rank []int) []int {
	from := map[int]int{}
	queue := []int{node}
	for n := 0; n < len(queue); n++ {
		near := slices.SortedFunc(slices.Values(g.up[queue[n]]), func(a, b int) int { return rank[a] - rank[b] })
		for _, d := range near {
			if d == node {
				return back(from, queue[n], node)
			}
			if _, seen := from[d]; !seen {
				from[d] = queue[n]
				queue = append(queue, d)
			}
		}
	}
	return []int{node}
}

// back gives the way from first to last by the steps that were noted.
func back(from map[int]int, last, first int) []int {
	path := []int{last}
	for path[len(path)-1] != first {
		path = append(path, from[path[len(path)-1]])
	}
	slices.Reverse(path)
	return path
}
