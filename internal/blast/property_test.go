package blast_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/deployer-cli/deployer/internal/blast"
	"github.com/deployer-cli/deployer/stacks"
)

// truth is what a random world really is, as the generator knows it.
type truth struct {
	class   stacks.Class // by its file
	tag     stacks.Class // by its live tags, "" for none
	uses    []int        // stacks whose VPC it is in
	imports []int        // stacks whose export it imports
	loses   bool         // it holds a table that nothing covers
	hidden  bool         // its contents cannot be read
	nofile  bool
	nested  bool
	shield  bool // termination protection
}

// drawWorld makes random stacks s0, s1, … with a VPC each, that may be in the
// VPCs of those before, import from them, hold data, and be of any class.
func drawWorld(t *rapid.T) (*blast.Facts, []truth) {
	f := good()
	classes := append(slices.Repeat([]stacks.Class{stacks.Development}, 30), stacks.Persistent, stacks.Production, stacks.Undeclared, "Development")
	rare := func(name string) bool { return rapid.IntRange(0, 60).Draw(t, name) == 37 } // rapid is fond of the ends
	f.Stacks.Value, f.Exports.Value, f.Environments = nil, nil, nil
	n := rapid.IntRange(2, 8).Draw(t, "stacks")
	all := make([]truth, n)
	importers := map[int][]string{}
	for i := range all {
		w := &all[i]
		w.class = rapid.SampledFrom(classes).Draw(t, "class")
		w.tag = w.class
		if rare("another tag") {
			w.tag = rapid.SampledFrom(append(classes, "")).Draw(t, "tag")
		}
		e := environment(fmt.Sprintf("e%s", w.class), w.class)
		if w.class == stacks.Development {
			e = f.Environment
		}
		path := fmt.Sprintf("%s/s%d", e.Name, i)
		template := "Resources:\n  Vpc: {Type: 'AWS::EC2::VPC'}\n"
		resources := []string{fmt.Sprintf("Vpc AWS::EC2::VPC vpc-%08d", i)}
		var parameters []stacks.LiveParameter
		declared := ""
		for j := range i {
			if rapid.IntRange(0, 3).Draw(t, "uses") == 0 {
				w.uses = append(w.uses, j)
				p := fmt.Sprintf("P%d", j)
				declared += fmt.Sprintf("  %s: {Type: String}\n", p)
				parameters = append(parameters, stacks.LiveParameter{Key: p, Value: fmt.Sprintf("vpc-%08d", j)})
				template += fmt.Sprintf("  Group%d: {Type: 'AWS::EC2::SecurityGroup', Properties: {VpcId: !Ref %s}}\n", j, p)
				resources = append(resources, fmt.Sprintf("Group%d AWS::EC2::SecurityGroup sg-%04d%04d", j, i, j))
			}
			if rapid.IntRange(0, 5).Draw(t, "imports") == 0 {
				w.imports = append(w.imports, j)
				importers[j] = append(importers[j], strings.ReplaceAll(path, "/", "-"))
			}
		}
		var data stacks.Value
		if rapid.IntRange(0, 3).Draw(t, "data") == 2 {
			policy := rapid.SampledFrom([]string{"Delete", "Retain", "RetainExceptOnCreate"}).Draw(t, "policy")
			expendable := rapid.Bool().Draw(t, "expendable")
			w.loses = policy == "Delete" && !expendable
			template += "  Table: {Type: 'AWS::DynamoDB::Table', DeletionPolicy: " + policy + "}\n"
			resources = append(resources, fmt.Sprintf("Table AWS::DynamoDB::Table t%d", i))
			if expendable {
				data = block("data", block("Table", "expendable"))
			}
		}
		if declared != "" {
			template = "Parameters:\n" + declared + template
		}
		s := seen(e, path, template, resources...)
		s.Stack.Break, s.Live.Parameters = data, parameters
		setTag(&s, stacks.TagClass, string(w.tag))
		s.Live.Outputs = []stacks.Output{{Key: "X", Value: fmt.Sprintf("vpc-%08d", i), Export: fmt.Sprintf("x%d", i)}}
		if w.hidden = rare("hidden"); w.hidden {
			s.Resources = blast.Got([]stacks.Resource(nil), errDenied)
		}
		if w.nofile = rare("no file"); w.nofile {
			s.Stack = nil
		}
		if w.nested = rare("nested"); w.nested {
			s.Live.ParentID = arn + "parent/1"
		}
		w.shield = rare("protected")
		s.Live.TerminationProtection = w.shield
		f.Stacks.Value = append(f.Stacks.Value, s)
		f.Exports.Value = append(f.Exports.Value, blast.Export{Export: stacks.Export{Name: fmt.Sprintf("x%d", i), StackID: s.Live.ID}})
		f.Secrets[stacks.Path(path)] = blast.Got([]blast.Secret(nil), nil)
		f.Environments = append(f.Environments, e)
	}
	for i := range f.Exports.Value {
		f.Exports.Value[i].Importers = blast.Got(importers[i], nil)
		if rare("importers unread") {
			f.Exports.Value[i].Importers = blast.Got([]string(nil), errDenied)
		}
	}
	f.Targets = nil
	for i := range f.Stacks.Value {
		if s := &f.Stacks.Value[i]; s.Stack != nil && (len(f.Targets) == 0 || rapid.IntRange(0, 3).Draw(t, "target") == 0) {
			f.Targets = append(f.Targets, s.Stack.Path)
		}
	}
	f.Targets = f.Targets[:min(3, len(f.Targets))]
	return f, all
}

// TestNoPlanHarmsWhatItDoesNotName: over random worlds, a plan that passes takes
// with it everything that is in or imports from what goes, in an order in which
// nothing goes while something in it lives; it loses no data that was not named or
// covered; and no plan at all, passed or not, has a stack in it that is not of a
// development environment by its file and by its live tags.
func TestNoPlanHarmsWhatItDoesNotName(t *testing.T) {
	t.Parallel()
	tried, passed, taken := 0, 0, 0
	rapid.Check(t, func(t *rapid.T) {
		tried++
		f, world := drawWorld(t)
		p := blast.Make(f)
		order := map[int]int{}
		for at, s := range p.Steps {
			i := slices.IndexFunc(f.Stacks.Value, func(o blast.Seen) bool { return o.Live.ID == s.StackID })
			w := world[i]
			if w.class != stacks.Development || w.tag != stacks.Development || w.nofile || w.nested {
				t.Fatalf("%s is to go: %+v", s.Name, w)
			}
			order[i] = at
		}
		if !blast.Passed(p.Verdicts) {
			return
		}
		passed++
		for i, w := range world {
			at, goes := order[i]
			for _, base := range slices.Concat(w.uses, w.imports) {
				if first, baseGoes := order[base]; baseGoes && (!goes || at > first) {
					t.Fatalf("s%d goes before s%d, which uses it: %+v", base, i, p.Steps)
				}
			}
			if !goes {
				continue
			}
			if w.loses || w.hidden || w.shield {
				t.Fatalf("s%d goes: %+v", i, w)
			}
			if !p.Steps[at].Target {
				taken++
			}
		}
		for _, target := range f.Targets {
			if !slices.ContainsFunc(p.Steps, func(s blast.Step) bool { return s.Stack == target && s.Target }) {
				t.Fatalf("%s was chosen and does not go", target)
			}
		}
		for _, step := range p.Steps {
			if !step.Target && len(step.Why) == 0 {
				t.Fatalf("%s goes, and nobody says why", step.Name)
			}
		}
	})
	if tried >= 100 && (passed < 10 || taken < 3) { // fewer, as with -short, may all be refused
		t.Errorf("only %d plans passed, with %d taken along: that proves little", passed, taken)
	}
}
