package plan

import (
	"fmt"
	"testing"

	"github.com/deployer-cli/deployer/stacks"
)

// BenchmarkUnchanged plans a project in which nothing changed.
func BenchmarkUnchanged(b *testing.B) {
	const n = 300
	w := newWorld()
	ds := make([]*stacks.Desired, n)
	for i := range ds {
		ds[i] = desired(fmt.Sprintf("s%d", i), network)
		w.bring(ds[i])
	}
	for b.Loop() {
		builder := w.builder(ds...)
		for i, d := range ds {
			var e Edges
			if i > 0 {
				e.After = []stacks.Path{ds[(i-1)/2].Stack.Path}
			}
			builder.Add(d, e)
		}
		if p, err := builder.Plan(); err != nil || len(p.Steps) != n {
			b.Fatal(p, err)
		}
	}
}
