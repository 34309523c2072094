package blast

import (
	"fmt"
	"slices"
	"strings"

	"github.com/deployer-cli/deployer/internal/cfntemplate"
	"github.com/deployer-cli/deployer/internal/restype"
	"github.com/deployer-cli/deployer/stacks"
)

// injected refuses to delete a holder of data by itself, and kinds without a
// preview.
func (k *scope) injected() []Finding {
	var out []Finding
	for _, p := range k.f.Targets {
		if !slices.ContainsFunc(k.f.Injections, func(i stacks.Injection) bool { return i.Stack == p }) {
			out = append(out, Finding{Stack: p, Why: "what " + unknown(k.f.Kind) + " would do to it is not known"})
		}
	}
	for _, i := range k.f.Injections {
		holds := restype.Holds(i.Type)
		_, known := restype.Lookup(i.Type)
		if i.Kind == DeleteResource && (!known || holds == restype.HoldsLasting || holds == restype.HoldsSecret || holds == restype.HoldsNested) {
			out = append(out, Finding{Stack: i.Stack, Why: fmt.Sprintf("%s (%s) holds data, which recovery could not bring back", i.LogicalID, i.Type), Fix: "delete a resource that holds none"})
			continue
		}
		if i.Kind == DeleteResource {
			out = append(out, k.remade(i)...)
		}
	}
	return out
}

// anotherResource is what helps where a resource could not be made again.
const anotherResource = "delete a resource that none of these refer to"

// remade finds the data that would be lost when CloudFormation makes a deleted resource
// again, and replaces what refers to it: recovery refuses that, and the resource stays gone.
func (k *scope) remade(i stacks.Injection) []Finding {
	changes, known := k.f.Changes[i.Stack]
	if !known {
		return []Finding{{Stack: i.Stack, Why: "what making " + i.LogicalID + " again would change is not known"}}
	}
	var out []Finding
	for _, c := range changes {
		_, listed := restype.Lookup(c.Type)
		c.Data = c.Data || !listed && !custom(c.Type) // nobody knows what it holds
		what := fmt.Sprintf("%s (%s), which refers to it", c.LogicalID, c.Type)
		switch {
		case c.LosesData():
			what += ", with its data"
		case restype.Holds(c.Type) == restype.HoldsNested && k.holdsBelow(i.Stack, c.LogicalID):
			what += ", and there is data in it"
		default:
			continue
		}
		out = append(out, Finding{
			Stack: i.Stack, Why: fmt.Sprintf("recovery could not make %s (%s) again: that may replace %s", i.LogicalID, i.Type, what), Fix: anotherResource,
		})
	}
	return out
}

// holdsBelow tells whether there is, or may be, data in a nested stack.
func (k *scope) holdsBelow(p stacks.Path, id string) bool {
	u := k.w.at(p)
	if u == nil {
		return false // G9 says that it does not live
	}
	return slices.ContainsFunc(u.members[1:], func(m *member) bool {
		prefix := k.w.prefix(u, m)
		return strings.HasPrefix(prefix, id+".") && (len(m.missing()) > 0 || slices.ContainsFunc(m.Resources.Value, func(r stacks.Resource) bool {
			_, holds := m.holder(r, deletes, &covering{StackPolicy{}, p, true, prefix})
			return holds
		}))
	})
}

// inUse finds the exports that would change with a deleted resource: CloudFormation changes
// none that is imported, and so could not make the resource again.
func (k *scope) inUse() []Finding {
	var out []Finding
	for _, i := range k.f.Injections {
		u := k.w.at(i.Stack)
		if i.Kind != DeleteResource || u == nil || u.members[0].parsed() == nil {
			continue // without its template it is refused anyway
		}
		for _, m := range u.members {
			for _, o := range m.Live.Outputs {
				known, _ := k.w.export(stacks.Export{Name: o.Export, StackID: m.Live.ID})
				if o.Export == "" || len(known.Importers.Value) == 0 || !k.moves(i, u, m, o.Key) {
					continue
				}
				out = append(out, Finding{
					Stack: i.Stack, Why: fmt.Sprintf("recovery could not make %s (%s) again: its export %s would change, and CloudFormation changes none that is imported (by %s)",
						i.LogicalID, i.Type, o.Export, strings.Join(known.Importers.Value, ", ")),
					Fix: "delete a resource that no import names, or the whole stack",
				})
			}
		}
	}
	return out
}

// moves tells whether an output of a unit may change when a deleted resource of its root is
// made again: a Ref with what is replaced and with a deleted one whose name is not its own,
// an attribute with what is only changed, too, and all outputs of a nested stack with that.
func (k *scope) moves(i stacks.Injection, u *unit, m *member, key string) bool {
	var replaced []string
	changed := []string{i.LogicalID}
	if notSame(stacks.Resource{Type: i.Type, PhysicalID: i.PhysicalID}) != "" || !u.members[0].givesName(i) {
		replaced = append(replaced, i.LogicalID)
	}
	for _, c := range k.f.Changes[i.Stack] {
		changed = append(changed, c.LogicalID)
		if c.Replacement != "false" {
			replaced = append(replaced, c.LogicalID)
		}
	}
	if m != u.members[0] {
		id, _, led := strings.Cut(k.w.prefix(u, m), ".")
		return !led || slices.Contains(changed, id)
	}
	refs, attributes := cfntemplate.Refs(m.template.Outputs[key].Value)
	return slices.ContainsFunc(refs, func(id string) bool { return slices.Contains(replaced, id) }) ||
		slices.ContainsFunc(attributes, func(a [2]string) bool { return slices.Contains(changed, a[0]) })
}

// givesName tells whether the template gives a deleted resource its physical id, or the end of
// it: what AWS chose is chosen anew. A number at the end is a version, and none.
func (m *member) givesName(i stacks.Injection) bool {
	v, err := m.template.Eval(m.template.Resources[i.LogicalID].Properties, m.env)
	properties, ok := v.(map[string]any)
	if err != nil || !ok {
		return false
	}
	for _, of := range properties {
		name, _ := of.(string)
		before, ends := strings.CutSuffix(i.PhysicalID, name)
		if ends && strings.Trim(name, "0123456789") != "" && (before == "" || strings.HasSuffix(before, "/") || strings.HasSuffix(before, ":")) {
			return true
		}
	}
	return false
}
