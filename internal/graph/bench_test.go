package graph_test

import (
	"fmt"
	"testing"

	"github.com/deployer-cli/deployer/internal/graph"
	"github.com/deployer-cli/deployer/stacks"
)

func benchmark(b *testing.B, p *project) {
	b.Helper()
	b.ReportAllocs()
	for b.Loop() {
		g, err := graph.Make(p.sources, graph.Options{})
		if err != nil {
			b.Fatal(err)
		}
		if len(g.Order()) != len(p.sources) {
			b.Fatal("stacks are missing from the order")
		}
	}
}

// BenchmarkMake5000 is a project of a thousand environments with a network and
// four stacks that import from it: two templates, shared.
func BenchmarkMake5000(b *testing.B) {
	p := &project{t: b}
	p.add("seed/vpc", vpc).add("seed/app", app)
	network, user := p.sources[0].Template, p.sources[1].Template
	for e := range 1000 {
		group := fmt.Sprintf("env%04d", e)
		p.add(stacks.Path(group+"/vpc"), "", func(s *graph.Source) { s.Template = network })
		for i := range 4 {
			p.add(stacks.Path(fmt.Sprintf("%s/app%d", group, i)), "", given("Parent", "demo-"+group+"-vpc"),
				func(s *graph.Source) { s.Template = user })
		}
	}
	benchmark(b, p)
}

// BenchmarkMakeHub2000 is 2,000 stacks that take an output of one.
func BenchmarkMakeHub2000(b *testing.B) {
	p := (&project{t: b}).add("hub", vpc)
	for i := range 2000 {
		p.add(stacks.Path(fmt.Sprintf("leaf%04d", i)), "", resolved("X", "stack_output", stacks.String("hub.yaml::VpcId")))
	}
	benchmark(b, p)
}

// BenchmarkMakeSameExport5000 is 2,500 environments that all export the same
// name, told apart by nothing but their group.
func BenchmarkMakeSameExport5000(b *testing.B) {
	p := &project{t: b}
	p.add("seed/vpc", "Resources: {T: {Type: AWS::SNS::Topic}}\nOutputs: {V: {Value: x, Export: {Name: vpc}}}\n")
	p.add("seed/app", "Resources: {T: {Type: AWS::SNS::Topic, Properties: {TopicName: !ImportValue vpc}}}\n")
	network, user := p.sources[0].Template, p.sources[1].Template
	for e := range 2500 {
		group := fmt.Sprintf("env%04d", e)
		p.add(stacks.Path(group+"/vpc"), "", func(s *graph.Source) { s.Template = network })
		p.add(stacks.Path(group+"/app"), "", func(s *graph.Source) { s.Template = user })
	}
	benchmark(b, p)
}
