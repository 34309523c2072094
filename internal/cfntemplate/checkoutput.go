package cfntemplate

import (
	"regexp"
	"slices"
	"strings"

	"github.com/deployer-cli/deployer/internal/restype"
)

const outputKeys = "Value Description Export Condition Fn::Transform"

var exportName = regexp.MustCompile(`^[A-Za-z0-9:-]+$`)

func (c *checker) outputs() {
	section, _ := c.t.Doc["Outputs"].(map[string]any)
	for _, name := range c.t.OutputNames {
		o := c.t.Outputs[name]
		raw, _ := section[name].(map[string]any)
		at := place{o.Line, o.Column}
		for _, key := range c.t.places.keys(raw) {
			if !among(outputKeys, key) {
				c.add(refuse("Invalid template output property '%s'", key).at(c.t.places.key(raw, key)))
			}
		}
		if o.Value != nil && !scalarOrCall(o.Value) {
			c.add(refuse(textOutputValue).at(at))
		}
		if o.ExportName != nil {
			c.export(o, at)
		}
	}
}

func (c *checker) export(o Output, at place) {
	s, literal := o.ExportName.(string)
	if literal && !exportName.MatchString(s) || !literal && !isCall(o.ExportName) {
		c.add(badExport(o.Key).at(at))
	}
	if c.t.dependsOnResources(o.ExportName) {
		c.add(refuse("Template format error: Output %s is malformed. The Name field of Export must not depend on any resources, imported values, or Fn::GetAZs.", o.Key).at(at))
	}
}

// dependsOnResources reports whether v holds what the name of an export must not:
// resources, imported values or Fn::GetAZs.
func (t *Template) dependsOnResources(v any) bool {
	refs, attributes := Refs(v)
	found := len(attributes) > 0 || slices.ContainsFunc(refs, func(name string) bool {
		_, ok := t.Resources[name]
		return ok
	})
	visit(v, func(name string, _ any, _ map[string]any) bool {
		found = found || name == fnImport || name == fnGetAZs
		return true
	})
	return found
}

// CheckOutputs lists what outputs ask of resources that these do not have. It is
// not part of Check: CloudFormation finds out only at the end of an operation, and
// rolls back with the first message as the reason.
func (t *Template) CheckOutputs() []*Error {
	var found []*Error
	for _, name := range t.OutputNames {
		o := t.Outputs[name]
		visit(o.Value, func(function string, arg any, m map[string]any) bool {
			_, attributes := Refs(map[string]any{function: shallow(function, arg)})
			for _, a := range attributes {
				r, ok := t.Resources[a[0]]
				if !ok || a[1] == "" || hasAttribute(r.Type, a[1]) {
					continue
				}
				err := refuse("[Error] /Outputs/%s/Value/%s: Resource type %s does not support attribute {%s}", name, function, r.Type, a[1])
				found = append(found, err.at(t.places.of(m)).at(place{o.Line, o.Column}))
			}
			return true
		})
	}
	return found
}

// shallow is the argument of a reference without the calls inside, which are
// visited by themselves.
func shallow(function string, arg any) any {
	switch function {
	case fnGetAtt:
		return arg
	case fnSub:
		if s, local, err := subArgs(arg); err == nil {
			names := make(map[string]any, len(local))
			for k := range local {
				names[k] = ""
			}
			return []any{s, names}
		}
	}
	return nil
}

// hasAttribute reports whether attr may be an attribute of the type. Of types whose
// attributes the table does not have, anything may. CloudFormation gives properties
// as attributes, too.
func hasAttribute(resourceType, attr string) bool {
	t, ok := restype.Lookup(resourceType)
	if !ok || len(t.Attributes) == 0 || strings.HasPrefix(attr, "Outputs.") {
		return true
	}
	switch resourceType {
	case "AWS::CloudFormation::CustomResource", "AWS::CloudFormation::Macro":
		return true
	}
	top, _, _ := strings.Cut(attr, ".")
	return t.HasAttribute(attr) || t.HasProperty(top) || slices.Contains(t.PrimaryID, attr) || slices.ContainsFunc(t.Attributes, func(a string) bool {
		return strings.HasPrefix(a, attr+".") || strings.HasPrefix(attr, a+".")
	})
}
