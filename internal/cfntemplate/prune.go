package cfntemplate

import (
	"maps"
	"slices"
)

// Prune gives the template as it is under the given conditions: without the
// resources and outputs whose condition is false, and with each Fn::If replaced by
// the branch that counts. What depends on a condition that is not given stays.
// Check of the outcome finds references to what is left out.
func (t *Template) Prune(conditions map[string]bool) *Template {
	p := pruner{t, conditions, maps.Clone(t.places)}
	out := *t
	out.places = p.places
	out.Doc = maps.Clone(t.Doc)
	p.places.inherit(out.Doc, t.Doc)
	p.resources(&out)
	p.outputs(&out)
	return &out
}

type pruner struct {
	t          *Template
	conditions map[string]bool
	places     places
}

func (p pruner) kept(condition string) bool {
	v, known := p.conditions[condition]
	return condition == "" || !known || v
}

func (p pruner) resources(out *Template) {
	section := make(map[string]any, len(p.t.Resources))
	p.places.inherit(section, p.t.Doc["Resources"])
	out.Doc["Resources"] = section
	out.Resources, out.ResourceNames = map[string]Resource{}, nil
	for _, name := range p.t.ResourceNames {
		r := p.t.Resources[name]
		if !p.kept(r.Condition) {
			continue
		}
		r = p.resource(r)
		section[name] = r.Raw
		out.Resources[name] = r
		out.ResourceNames = append(out.ResourceNames, name)
	}
}

func (p pruner) resource(r Resource) Resource {
	raw, _ := p.value(r.Raw).(map[string]any)
	r.Raw = raw
	r.Properties, _ = raw["Properties"].(map[string]any)
	r.Metadata, r.CreationPolicy, r.UpdatePolicy = raw["Metadata"], raw["CreationPolicy"], raw["UpdatePolicy"]
	// CloudFormation ignores DependsOn on a resource that its condition leaves out.
	r.DependsOn = slices.DeleteFunc(slices.Clone(r.DependsOn), func(name string) bool {
		needed, ok := p.t.Resources[name]
		return ok && !p.kept(needed.Condition)
	})
	return r
}

func (p pruner) outputs(out *Template) {
	if p.t.Doc["Outputs"] == nil {
		return
	}
	section := make(map[string]any, len(p.t.Outputs))
	p.places.inherit(section, p.t.Doc["Outputs"])
	out.Doc["Outputs"] = section
	out.Outputs, out.OutputNames = map[string]Output{}, nil
	written, _ := p.t.Doc["Outputs"].(map[string]any)
	for _, name := range p.t.OutputNames {
		o := p.t.Outputs[name]
		if !p.kept(o.Condition) {
			continue
		}
		raw, _ := p.value(written[name]).(map[string]any)
		export, _ := raw["Export"].(map[string]any)
		o.Value, o.ExportName = raw["Value"], export["Name"]
		section[name] = raw
		out.Outputs[name] = o
		out.OutputNames = append(out.OutputNames, name)
	}
}

func (p pruner) value(v any) any {
	switch v := v.(type) {
	case []any:
		out := make([]any, len(v))
		for i, item := range v {
			out[i] = p.value(item)
		}
		p.places.inherit(out, v)
		return out
	case map[string]any:
		if chosen, ok := p.branch(v); ok {
			return p.value(chosen)
		}
		out := make(map[string]any, len(v))
		for k, item := range v {
			out[k] = p.value(item)
		}
		p.places.inherit(out, v)
		return out
	default:
		return v
	}
}

func (p pruner) branch(m map[string]any) (any, bool) {
	items, ok := listOf(m[fnIf], 3, 3)
	if !ok || len(m) != 1 {
		return nil, false
	}
	name, _ := items[0].(string)
	v, known := p.conditions[name]
	switch {
	case !known:
		return nil, false
	case v:
		return items[1], true
	default:
		return items[2], true
	}
}
