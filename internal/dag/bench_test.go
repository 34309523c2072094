package dag_test

import (
	"fmt"
	"testing"

	"github.com/deployer-cli/deployer/internal/dag"
)

// hub is n keys that all depend on one.
func hub(n int) *dag.Graph[string] {
	g := &dag.Graph[string]{}
	for i := range n {
		g.Connect(fmt.Sprintf("leaf-%05d", i), "hub")
	}
	return g
}

// layers is n keys, each depending on up to three in the layer before.
func layers(n int) *dag.Graph[string] {
	g := &dag.Graph[string]{}
	key := func(i int) string { return fmt.Sprintf("stack-%05d", i) }
	for i := range n {
		g.Add(key(i))
		for _, d := range []int{50, 37, 11} {
			if i >= d {
				g.Connect(key(i), key(i-d))
			}
		}
	}
	return g
}

func benchmark(b *testing.B, make func() *dag.Graph[string]) {
	b.Helper()
	for b.Loop() {
		g := make()
		if _, ok := g.Topological(); !ok || g.Cycle() != nil {
			b.Fatal("there is no cycle here")
		}
		if len(g.Closure(dag.Down, g.Keys()[0])) == 0 || len(g.Longest(func(string) float64 { return 1 })) != g.Len() {
			b.Fatal("answers are missing")
		}
	}
}

func BenchmarkHub2000(b *testing.B) {
	benchmark(b, func() *dag.Graph[string] { return hub(2000) })
}

func BenchmarkHub200000(b *testing.B) {
	benchmark(b, func() *dag.Graph[string] { return hub(200000) })
}

func BenchmarkLayers5000(b *testing.B) {
	benchmark(b, func() *dag.Graph[string] { return layers(5000) })
}
