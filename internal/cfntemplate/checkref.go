package cfntemplate

import (
	"maps"
	"slices"
	"strings"

	"github.com/deployer-cli/deployer/internal/dag"
)

// conditions checks what conditions refer to.
func (c *checker) conditions() {
	if c.partial {
		return
	}
	resources, conditions := map[string]place{}, map[string]place{}
	g := &dag.Graph[string]{}
	for _, name := range c.t.places.keys(c.t.Conditions) {
		definition := c.t.Conditions[name]
		at := c.t.places.key(c.t.Conditions, name)
		c.conditionRefs(definition, at, resources)
		g.Add(name)
		for _, used := range conditionRefs(definition) {
			if _, ok := c.t.Conditions[used]; ok {
				g.Connect(name, used)
			} else if _, seen := conditions[used]; !seen {
				conditions[used] = at
			}
		}
	}
	if names, at := listed(resources); names != "" {
		c.add(refuse("Template format error: Unresolved dependencies [%s]. Cannot reference resources in the Conditions block of the template", names).at(at))
	}
	if names, at := listed(conditions); names != "" {
		c.add(unresolvedConditions(names, "Conditions").at(at))
	}
	if cycle := g.Cycle(); len(cycle) > 0 {
		slices.Sort(cycle)
		c.add(circularConditions(cycle).at(c.t.places.key(c.t.Conditions, cycle[0])))
	}
}

func (c *checker) conditionRefs(definition any, at place, missing map[string]place) {
	if _, ok := asCondition(definition); !ok && !isBoolean(definition) {
		c.add(refuse(textNotBoolean).at(at))
	}
	refs, attributes := Refs(definition)
	for _, a := range attributes {
		refs = append(refs, a[0])
	}
	for _, name := range refs {
		_, isParameter := c.t.Parameters[name]
		if _, seen := missing[name]; !seen && !isParameter && !isPseudo(name) {
			missing[name] = at
		}
	}
	visit(definition, func(name string, _ any, m map[string]any) bool {
		if name == fnImport || name == fnStackOutput {
			c.add(refuse("Template error: Cannot use %s in Conditions.", name).at(c.t.places.of(m)).at(at))
		}
		return true
	})
}

func isBoolean(v any) bool {
	switch name, _, _ := asCall(v); name {
	case fnEquals, fnNot, fnAnd, fnOr:
		return true
	}
	return false
}

// listed joins the names and gives the first place among theirs.
func listed(names map[string]place) (string, place) {
	var first place
	for _, at := range names {
		if first.line == 0 || at.line > 0 && (at.line < first.line || at.line == first.line && at.column < first.column) {
			first = at
		}
	}
	return strings.Join(slices.Sorted(maps.Keys(names)), ", "), first
}

func unresolvedConditions(names, block string) *Error {
	return refuse("Template format error: Unresolved condition dependencies [%s] in the %s block of the template", names, block)
}

// calls checks the arguments of all functions.
func (c *checker) calls() {
	for _, name := range c.t.places.keys(c.t.Conditions) {
		c.callsIn(c.t.Conditions[name], true)
	}
	for _, name := range c.t.ResourceNames {
		r := c.t.Resources[name]
		c.callsIn([]any{r.Properties, r.Metadata, r.CreationPolicy, r.UpdatePolicy, r.Raw["DeletionPolicy"], r.Raw["UpdateReplacePolicy"]}, false)
	}
	for _, name := range c.t.OutputNames {
		o := c.t.Outputs[name]
		c.callsIn([]any{o.Value, o.ExportName}, false)
	}
	visitTransforms(c.t.Doc, func(arg any, m map[string]any) {
		if err := checkTransform(arg); err != nil {
			c.add(err.at(c.t.places.key(m, fnTransform)))
		}
	})
}

func (c *checker) callsIn(v any, condition bool) {
	visit(v, func(name string, arg any, m map[string]any) bool {
		if name == fnTransform {
			return false
		}
		err := c.t.checkShape(name, arg)
		switch {
		case err != nil:
		case isBoolean(m) && !condition:
			err = refuse("Template error: %s cannot be partially collapsed", name)
		case name == fnImport && c.t.dependsOnResources(arg):
			err = refuse(textImportDep)
		case c.partial:
		case name == fnIf:
			err = c.condition(arg)
		case name == "Fn::FindInMap":
			err = c.mapping(arg)
		}
		if err == nil {
			return true
		}
		c.add(err.at(c.t.places.of(m)))
		return false
	})
}

// mapping looks up what a call of Fn::FindInMap names literally.
func (c *checker) mapping(arg any) *Error {
	items, _ := listOf(arg, 3, 3)
	var keys [3]string
	for i, item := range items {
		var literal bool
		if keys[i], literal = text(item); !literal {
			return nil
		}
	}
	if len(items) < len(keys) {
		return nil
	}
	if _, err := c.t.lookup(keys); err != nil {
		return asError(err)
	}
	return nil
}

func (c *checker) condition(arg any) *Error {
	items, _ := listOf(arg, 3, 3)
	name, _ := items[0].(string)
	if _, ok := c.t.Conditions[name]; ok {
		return nil
	}
	return refuse("Template error: unresolved condition dependency %s in Fn::If", name)
}

// visitTransforms calls f for every Fn::Transform, also those with siblings.
func visitTransforms(v any, f func(arg any, m map[string]any)) {
	switch v := v.(type) {
	case []any:
		for _, item := range v {
			visitTransforms(item, f)
		}
	case map[string]any:
		for _, k := range sortedKeys(v) {
			if k == fnTransform {
				f(v[k], v)
				continue
			}
			visitTransforms(v[k], f)
		}
	}
}

// references checks what resources and outputs refer to.
func (c *checker) references() {
	resources := &block{c: c, name: "Resources", missing: map[string]place{}, conditions: map[string]place{}}
	for _, name := range c.t.ResourceNames {
		r := c.t.Resources[name]
		at := place{r.Line, r.Column}
		resources.condition(r.Condition, at)
		for _, d := range r.DependsOn {
			if _, ok := c.t.Resources[d]; !ok {
				resources.miss(d, c.t.places.key(r.Raw, "DependsOn"))
			}
		}
		resources.visit([]any{r.Properties, r.Metadata, r.CreationPolicy, r.UpdatePolicy}, at)
	}
	resources.report()
	outputs := &block{c: c, name: "Outputs", missing: map[string]place{}, conditions: map[string]place{}}
	for _, name := range c.t.OutputNames {
		o := c.t.Outputs[name]
		at := place{o.Line, o.Column}
		outputs.condition(o.Condition, at)
		outputs.visit([]any{o.Value, o.ExportName}, at)
	}
	outputs.report()
}

// block collects the unresolved references of one section.
type block struct {
	c                   *checker
	name                string
	missing, conditions map[string]place
}

func (b *block) report() {
	if names, at := listed(b.missing); names != "" {
		b.c.add(unresolved([]string{names}, b.name).at(at))
	}
	if names, at := listed(b.conditions); names != "" {
		b.c.add(unresolvedConditions(names, b.name).at(at))
	}
}

func (b *block) miss(name string, at place) {
	if _, seen := b.missing[name]; !seen {
		b.missing[name] = at
	}
}

func (b *block) condition(name string, at place) {
	if _, ok := b.c.t.Conditions[name]; !ok && name != "" {
		b.conditions[name] = at
	}
}

func (b *block) visit(v any, owner place) {
	visit(v, func(name string, arg any, m map[string]any) bool {
		at := b.c.t.places.of(m)
		if at.line == 0 {
			at = owner
		}
		switch name {
		case fnRef:
			if s, ok := text(arg); ok {
				b.ref(s, at)
			}
		case fnGetAtt:
			resource, attribute, _ := getAttArgs(arg)
			if id, ok := resource.(string); ok {
				attr, _ := attribute.(string)
				b.attribute(id, attr, refuse("Template error: instance of Fn::GetAtt references undefined resource %s", id).at(at))
			}
		case fnSub:
			for _, variable := range subNames(arg) {
				b.variable(variable, at)
			}
		}
		return true
	})
}

func (b *block) ref(name string, at place) {
	_, isParameter := b.c.t.Parameters[name]
	_, isResource := b.c.t.Resources[name]
	if !isParameter && !isResource && !isPseudo(name) {
		b.miss(name, at)
	}
}

func (b *block) variable(name string, at place) {
	id, attr, dotted := strings.Cut(name, ".")
	if !dotted {
		b.ref(name, at)
		return
	}
	b.attribute(id, attr, refuse("Template error: instance of Fn::Sub references invalid resource attribute %s", name).at(at))
}

// attribute checks one resource and attribute; undefined is the error if there is
// no such resource.
func (b *block) attribute(id, attr string, undefined *Error) {
	r, ok := b.c.t.Resources[id]
	if !ok {
		b.c.add(undefined)
		return
	}
	// Of outputs CloudFormation notices only when all resources are there; see CheckOutputs.
	if attr != "" && b.name != "Outputs" && !hasAttribute(r.Type, attr) {
		b.c.add(refuse("Template error: resource %s does not support attribute type %s in Fn::GetAtt", id, attr).at(place{undefined.Line, undefined.Column}))
	}
}
