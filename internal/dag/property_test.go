package dag_test

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/deployer-cli/deployer/internal/dag"
)

type pair struct{ from, to int }

// anyGraph draws edges among a few keys, so that cycles are common, and the
// graph they make.
func anyGraph(t *rapid.T) ([]pair, *dag.Graph[int]) {
	key := rapid.IntRange(0, 12)
	pairs := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) pair {
		return pair{key.Draw(t, "from"), key.Draw(t, "to")}
	}), 0, 30).Draw(t, "edges")
	return pairs, build(pairs)
}

func build(pairs []pair) *dag.Graph[int] {
	g := &dag.Graph[int]{}
	for _, p := range pairs {
		g.Connect(p.from, p.to)
	}
	return g
}

func TestOrderRespectsEdges(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		pairs, g := anyGraph(t)
		order, ok := g.Topological()
		place := map[int]int{}
		for i, k := range order {
			place[k] = i
		}
		if len(place) != len(order) {
			t.Fatalf("a key stands twice in %v", order)
		}
		for _, p := range pairs {
			from, listed := place[p.from]
			to, ready := place[p.to]
			if listed && (!ready || to >= from) {
				t.Fatalf("%d stands before its dependency %d in %v", p.from, p.to, order)
			}
		}
		if ok != (len(order) == g.Len()) || ok != (g.Cycle() == nil) {
			t.Fatalf("ok is %v, %d of %d keys, cycle %v", ok, len(order), g.Len(), g.Cycle())
		}
	})
}

func TestCycleIsACycle(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		_, g := anyGraph(t)
		cycle := g.Cycle()
		for i, k := range cycle {
			if next := cycle[(i+1)%len(cycle)]; !g.Connected(k, next) {
				t.Fatalf("in cycle %v, %d does not depend on %d", cycle, k, next)
			}
		}
		if len(slices.Compact(slices.Sorted(slices.Values(cycle)))) != len(cycle) {
			t.Fatalf("cycle %v passes a key twice", cycle)
		}
	})
}

func TestClosureIsClosed(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		pairs, g := anyGraph(t)
		root := rapid.IntRange(0, 12).Draw(t, "root")
		up, down := g.Closure(dag.Up, root), g.Closure(dag.Down, root)
		for _, p := range pairs {
			if slices.Contains(up, p.from) && !slices.Contains(up, p.to) {
				t.Fatalf("%v holds %d but not its dependency %d", up, p.from, p.to)
			}
			if slices.Contains(down, p.to) && !slices.Contains(down, p.from) {
				t.Fatalf("%v holds %d but not its dependent %d", down, p.to, p.from)
			}
		}
		if g.Has(root) != slices.Contains(up, root) || !slices.Equal(down, g.Reverse().Closure(dag.Up, root)) {
			t.Fatalf("closures of %d: up %v, down %v", root, up, down)
		}
	})
}

func TestAnswersIgnoreTheOrderOfInsertion(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		pairs, g := anyGraph(t)
		h := build(rapid.Permutation(pairs).Draw(t, "shuffled"))
		first, _ := g.Topological()
		second, _ := h.Topological()
		if !slices.Equal(first, second) || !slices.Equal(g.Cycle(), h.Cycle()) {
			t.Fatalf("orders %v and %v, cycles %v and %v", first, second, g.Cycle(), h.Cycle())
		}
	})
}

func TestLongestIsTheHeaviestNeighbourAndOneself(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		pairs, _ := anyGraph(t)
		acyclic := make([]pair, 0, len(pairs))
		for _, p := range pairs {
			if p.from != p.to {
				acyclic = append(acyclic, pair{max(p.from, p.to), min(p.from, p.to)})
			}
		}
		g := build(acyclic)
		weight := func(k int) float64 { return float64(k%5 + 1) }
		got := g.Longest(weight)
		for _, k := range g.Keys() {
			rest := 0.0
			for d := range g.Dependents(k) {
				rest = max(rest, got[d])
			}
			if got[k] != weight(k)+rest {
				t.Fatalf("weight of %d is %v, want %v", k, got[k], weight(k)+rest)
			}
		}
	})
}
