package cfntemplate

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/deployer-cli/deployer/internal/cfnyaml"
)

// Parse reads a template in YAML or JSON. The error is an *Error with
// CloudFormation's text: for what cannot be read and for sections that do not
// have the shape of one. Everything else is up to Check.
func Parse(body []byte) (*Template, error) {
	root, err := read(body)
	if err != nil {
		return nil, err
	}
	if root.Kind != cfnyaml.Map {
		return nil, refuse(textUnsupported).at(place{root.Line, root.Column})
	}
	doc, ok := root.Long().(map[string]any)
	if !ok {
		return nil, refuse(textUnsupported).at(place{root.Line, root.Column})
	}
	t := &Template{Root: root, places: places{}}
	t.places.bind(doc, root)
	if err := t.fill(doc, t.places.keys); err != nil {
		return nil, err
	}
	return t, nil
}

func read(body []byte) (*cfnyaml.Node, error) {
	if trimmed := bytes.TrimSpace(body); len(trimmed) > 0 && trimmed[0] == '{' {
		if err := checkJSON(body); err != nil {
			return nil, err
		}
	}
	root, _, err := cfnyaml.Parse(body)
	if err == nil {
		return root, nil
	}
	out := refuse("Template format error: YAML not well-formed.")
	if e, ok := errors.AsType[*cfnyaml.SyntaxError](err); ok && e.Line > 0 {
		out = refuse("Template format error: YAML not well-formed. (line %d, column %d)", e.Line, e.Column)
		out.Line, out.Column = e.Line, e.Column
	}
	return nil, out
}

// checkJSON refuses what begins like JSON and is none: CloudFormation reads it as
// JSON even where it would do as YAML.
func checkJSON(body []byte) error {
	var document json.RawMessage
	err := json.Unmarshal(body, &document)
	if err == nil {
		return nil
	}
	offset := len(body)
	if e, ok := errors.AsType[*json.SyntaxError](err); ok {
		offset = min(int(e.Offset), len(body))
	}
	before := body[:max(offset-1, 0)]
	line := bytes.Count(before, []byte("\n")) + 1
	column := len(before) - bytes.LastIndexByte(before, '\n')
	// CloudFormation names the column after the offending one.
	return refuse("Template format error: JSON not well-formed. (line %d, column %d)", line, column+1).at(place{line, column})
}

// fill takes the sections of doc; order gives the keys of a section.
func (t *Template) fill(doc map[string]any, order func(map[string]any) []string) error {
	t.Doc = doc
	t.Transforms = transforms(doc["Transform"])
	if err := t.checkNulls(); err != nil {
		return err
	}
	t.Description, _ = text(doc["Description"])
	for _, s := range []struct {
		name string
		take func(map[string]any, []string) *Error
	}{
		{"Parameters", t.takeParameters},
		{"Mappings", t.takeMappings},
		{"Conditions", t.takeConditions},
		{"Rules", t.takeRules},
		{"Resources", t.takeResources},
		{"Outputs", t.takeOutputs},
	} {
		v, given := doc[s.name]
		section, ok := v.(map[string]any)
		if given && !ok {
			return t.badSection(s.name)
		}
		if err := s.take(section, order(section)); err != nil {
			return err
		}
	}
	return nil
}

func (t *Template) badSection(name string) error {
	p := t.places.key(t.Doc, name)
	switch name {
	case "Resources":
		return refuse("Template format error: Any Resources member must be an object.").at(p)
	default:
		return refuse("Template format error: %s must be an object.", name).at(p)
	}
}

// transforms lists the macros of the Transform section. A map with a Name is a
// call with parameters, as in AWS::Include.
func transforms(v any) []string {
	switch v := v.(type) {
	case string:
		return []string{v}
	case map[string]any:
		if name, ok := v["Name"].(string); ok {
			return []string{name}
		}
	case []any:
		var names []string
		for _, item := range v {
			names = append(names, transforms(item)...)
		}
		return names
	}
	return nil
}

// checkNulls refuses the first null, unless a macro may still replace it.
func (t *Template) checkNulls() error {
	if t.HasMacro() {
		return nil
	}
	for _, section := range t.places.keys(t.Doc) {
		if path, at, ok := t.findNull(t.Doc[section], "/"+section, t.places.key(t.Doc, section)); ok {
			return refuse("[%s] 'null' values are not allowed in templates", path).at(at)
		}
	}
	return nil
}

func (t *Template) findNull(v any, path string, at place) (string, place, bool) {
	switch v := v.(type) {
	case nil:
		return path, at, true
	case []any:
		for i, item := range v {
			if p, at, ok := t.findNull(item, fmt.Sprintf("%s/%d", path, i), t.places.of(v)); ok {
				return p, at, true
			}
		}
	case map[string]any:
		for _, k := range t.places.keys(v) {
			if p, at, ok := t.findNull(v[k], path+"/"+k, t.places.key(v, k)); ok {
				return p, at, true
			}
		}
	}
	return "", place{}, false
}

// HasMacro reports whether a macro other than the language extensions still has to
// run, so that the template is not yet what will be deployed.
func (t *Template) HasMacro() bool {
	return slices.ContainsFunc(t.Transforms, func(name string) bool { return name != languageExtensions }) || hasTransform(t.Doc)
}

// rewritten reports whether a macro of somebody's own processes the whole template:
// it may take resource types and properties that nobody else knows.
func (t *Template) rewritten() bool {
	return slices.ContainsFunc(t.Transforms, func(name string) bool { return !strings.HasPrefix(name, "AWS::") })
}

func hasTransform(v any) bool {
	switch v := v.(type) {
	case []any:
		return slices.ContainsFunc(v, hasTransform)
	case map[string]any:
		for k, item := range v {
			if k == fnTransform || hasTransform(item) {
				return true
			}
		}
	}
	return false
}

// extended reports whether the template asks for the language extensions.
func (t *Template) extended() bool {
	return slices.Contains(t.Transforms, languageExtensions)
}
