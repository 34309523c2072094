package cfntemplate

import (
	"slices"
	"strings"

	"github.com/deployer-cli/deployer/internal/restype"
)

// Finding is something in a template that CloudFormation would refuse only while
// it deploys: a property or attribute that a resource type does not have, or a
// property it needs.
type Finding struct {
	Path         string // "/Resources/Bucket/Properties/BucketNam"
	Line, Column int
	Text, Hint   string
}

// CheckProperties compares the properties of resources with what their types
// have: unknown ones and required ones that are missing. A property that a
// function may leave out counts as given. Attributes that outputs ask for are
// compared as well. Types that are not known are left alone.
func CheckProperties(t *Template) []Finding {
	var found []Finding
	for _, name := range t.ResourceNames {
		r := t.Resources[name]
		typ, ok := restype.Lookup(r.Type)
		if !ok || len(typ.Properties) == 0 || isCall(r.Raw["Properties"]) || takesAnything(r.Type) {
			continue
		}
		found = append(found, t.unknownProperties(r, typ)...)
		found = append(found, t.missingProperties(r, typ)...)
	}
	return append(found, t.unknownAttributes()...)
}

func (t *Template) unknownAttributes() []Finding {
	var found []Finding
	for _, e := range t.CheckOutputs() {
		path, text, _ := strings.Cut(strings.TrimPrefix(e.Message, "[Error] "), ": ")
		found = append(found, Finding{Path: path, Line: e.Line, Column: e.Column, Text: text})
	}
	return found
}

func takesAnything(resourceType string) bool {
	return resourceType == "AWS::CloudFormation::CustomResource" || resourceType == "AWS::CDK::Metadata"
}

func (t *Template) unknownProperties(r Resource, typ *restype.Type) []Finding {
	var found []Finding
	for _, p := range t.places.keys(r.Properties) {
		if skipped(p) || typ.HasProperty(p) {
			continue
		}
		at := t.places.key(r.Properties, p)
		f := Finding{
			Path: "/Resources/" + r.LogicalID + "/Properties/" + p,
			Line: at.line, Column: at.column,
			Text: r.Type + " has no property " + p,
		}
		if near, ok := typ.NearestProperty(p); ok {
			f.Hint = "did you mean " + near + "?"
		}
		found = append(found, f)
	}
	return found
}

func (t *Template) missingProperties(r Resource, typ *restype.Type) []Finding {
	if slices.ContainsFunc(sortedKeys(r.Properties), skipped) || t.rewritten() {
		return nil
	}
	var found []Finding
	for _, p := range typ.Required {
		if v, given := r.Properties[p]; given && !isNoValue(v) {
			continue
		}
		found = append(found, Finding{
			Path: "/Resources/" + r.LogicalID + "/Properties",
			Line: r.Line, Column: r.Column,
			Text: r.Type + " needs the property " + p,
			Hint: "add " + p + " to " + r.LogicalID,
		})
	}
	return found
}

func isNoValue(v any) bool {
	name, arg, _ := asCall(v)
	return name == fnRef && arg == noValueName
}
