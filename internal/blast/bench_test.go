package blast_test

import (
	"fmt"
	"testing"

	"github.com/deployer-cli/deployer/internal/blast"
)

// many adds stacks to facts that have nothing to do with the target.
func many(f *blast.Facts, n int) {
	for i := range n {
		template := "Parameters: {P: {Type: String}}\nResources:\n"
		var resources []string
		for j := range 20 {
			template += fmt.Sprintf("  R%d: {Type: 'AWS::EC2::SecurityGroup', Properties: {GroupDescription: !Sub 'x${P}', VpcId: !Ref P, Tags: [{Key: a, Value: b}]}}\n", j)
			resources = append(resources, fmt.Sprintf("R%d AWS::EC2::SecurityGroup sg-%d-%d", j, i, j))
		}
		s := seen(f.Environment, fmt.Sprintf("other/s%d", i), template, resources...)
		given("vpc-other")(&s)
		f.Stacks.Value = append(f.Stacks.Value, s)
	}
}

// BenchmarkMake decides about one stack among 500 of 20 resources each.
func BenchmarkMake(b *testing.B) {
	f := good()
	many(f, 500)
	for b.Loop() {
		if p := blast.Make(f); len(p.Steps) != 2 {
			b.Fatal(p.Steps)
		}
	}
}

// BenchmarkAgain asks again before one step, among as many.
func BenchmarkAgain(b *testing.B) {
	f, p, step := running()
	many(f, 500)
	for b.Loop() {
		if got := failed(blast.Again(f, p, step)); got != nil {
			b.Fatal(got)
		}
	}
}
