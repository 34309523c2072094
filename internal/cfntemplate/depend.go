package cfntemplate

import (
	"slices"
	"strings"

	"github.com/deployer-cli/deployer/internal/dag"
)

// Refs lists what v refers to, sorted and without repetition: names by Ref and
// ${Name} (parameters, resources and pseudo parameters alike), and pairs of a
// resource and an attribute by Fn::GetAtt and ${Name.Attribute}. An attribute that
// is itself a function is "".
func Refs(v any) (refs []string, attributes [][2]string) {
	visit(v, func(name string, arg any, _ map[string]any) bool {
		switch name {
		case fnRef:
			if s, ok := arg.(string); ok {
				refs = append(refs, s)
			}
		case fnGetAtt:
			resource, attribute, _ := getAttArgs(arg)
			if id, ok := resource.(string); ok {
				attr, _ := text(attribute)
				attributes = append(attributes, [2]string{id, attr})
			}
		case fnSub:
			for _, variable := range subNames(arg) {
				id, attr, dotted := strings.Cut(variable, ".")
				if dotted {
					attributes = append(attributes, [2]string{id, attr})
				} else {
					refs = append(refs, id)
				}
			}
		}
		return true
	})
	slices.Sort(refs)
	slices.SortFunc(attributes, func(a, b [2]string) int { return slices.Compare(a[:], b[:]) })
	return slices.Compact(refs), slices.Compact(attributes)
}

// uses lists the resources of the template that v refers to; names may repeat.
func (t *Template) uses(v any) []string {
	refs, attributes := Refs(v)
	for _, a := range attributes {
		refs = append(refs, a[0])
	}
	return slices.DeleteFunc(refs, func(name string) bool {
		_, ok := t.Resources[name]
		return !ok
	})
}

// edges lists the resources that r needs before it, r itself included when it
// refers to itself.
func (t *Template) edges(r Resource) []string {
	names := t.uses([]any{r.Properties, r.Metadata, r.CreationPolicy, r.UpdatePolicy})
	for _, d := range r.DependsOn {
		if _, ok := t.Resources[d]; ok {
			names = append(names, d)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// Dependencies lists the other resources that must exist before the given one: by
// DependsOn, Ref, Fn::GetAtt and Fn::Sub; sorted.
func (t *Template) Dependencies(logicalID string) []string {
	r, ok := t.Resources[logicalID]
	if !ok {
		return nil
	}
	return slices.DeleteFunc(t.edges(r), func(name string) bool { return name == logicalID })
}

// Order lists the resources, each after those it needs.
func (t *Template) Order() ([]string, error) {
	g := t.graph()
	if order, ok := g.Topological(); ok {
		return order, nil
	}
	return nil, t.circular(g)
}

func (t *Template) graph() *dag.Graph[string] {
	g := &dag.Graph[string]{}
	for _, name := range t.ResourceNames {
		g.Add(name)
		for _, needed := range t.edges(t.Resources[name]) {
			g.Connect(name, needed)
		}
	}
	return g
}

func (t *Template) circular(g *dag.Graph[string]) *Error {
	cycle := g.Cycle()
	if len(cycle) == 0 {
		return nil
	}
	slices.Sort(cycle)
	first := t.Resources[cycle[0]]
	return refuse("Circular dependency between resources: [%s]", strings.Join(cycle, ", ")).at(place{first.Line, first.Column})
}

// Imports lists the arguments of Fn::ImportValue anywhere, as written.
func (t *Template) Imports() []any { return t.arguments(fnImport) }

// StackOutputs lists the arguments of Fn::GetStackOutput anywhere, as written.
func (t *Template) StackOutputs() []any { return t.arguments(fnStackOutput) }

func (t *Template) arguments(function string) []any {
	var found []any
	visit(t.Doc, func(name string, arg any, _ map[string]any) bool {
		if name == function {
			found = append(found, arg)
		}
		return true
	})
	return found
}
