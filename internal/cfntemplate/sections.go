package cfntemplate

import "strings"

// skipped reports whether a key of a section is a loop or macro call rather than
// a name.
func skipped(key string) bool {
	return key == fnTransform || strings.HasPrefix(key, forEachPrefix)
}

// members calls take for what a section declares, and places its refusals.
func (t *Template) members(kind string, section map[string]any, names []string, take func(name string, raw map[string]any, at place) *Error) *Error {
	for _, name := range names {
		if skipped(name) {
			continue
		}
		at := t.places.key(section, name)
		raw, ok := section[name].(map[string]any)
		if !ok {
			return refuse("Template format error: Any %s member must be an object.", kind).at(at)
		}
		if err := take(name, raw, at); err != nil {
			return err.at(at)
		}
	}
	return nil
}

func (t *Template) takeMappings(section map[string]any, names []string) *Error {
	t.Mappings = section
	for _, name := range names {
		if skipped(name) {
			continue
		}
		at := t.places.key(section, name)
		mapping, ok := section[name].(map[string]any)
		if !ok {
			return refuse("Template format error: Every Mappings member %s must be a map", name).at(at)
		}
		if err := t.checkMapping(name, mapping); err != nil {
			return err.at(at)
		}
	}
	return nil
}

func (t *Template) checkMapping(name string, mapping map[string]any) *Error {
	for _, top := range t.places.keys(mapping) {
		if skipped(top) {
			continue
		}
		at := t.places.key(mapping, top)
		attributes, ok := mapping[top].(map[string]any)
		if !ok {
			return refuse("Template format error: Every Mappings member %s must be a map", name).at(at)
		}
		for _, second := range t.places.keys(attributes) {
			if _, isMap := attributes[second].(map[string]any); isMap && second != fnTransform {
				return refuse("Template format error: Every Mappings attribute must be a String or a List.").at(t.places.key(attributes, second))
			}
		}
	}
	return nil
}

func (t *Template) takeConditions(section map[string]any, names []string) *Error {
	t.Conditions = section
	for _, name := range names {
		if _, ok := section[name].(map[string]any); !ok && !skipped(name) {
			return refuse("Template format error: Every Conditions member must be a boolean function.").at(t.places.key(section, name))
		}
	}
	return nil
}

func (t *Template) takeRules(section map[string]any, names []string) *Error {
	t.Rules = section
	for _, name := range names {
		if _, ok := section[name].(map[string]any); !ok && !skipped(name) {
			return refuse("Template format error: Any Rules member must be an object.").at(t.places.key(section, name))
		}
	}
	return nil
}

func (t *Template) takeResources(section map[string]any, names []string) *Error {
	t.Resources = make(map[string]Resource, len(names))
	if len(names) == 0 && !t.HasMacro() {
		return refuse("Template format error: At least one Resources member must be defined.").at(t.places.key(t.Doc, "Resources"))
	}
	return t.members("Resources", section, names, func(name string, raw map[string]any, at place) *Error {
		r, err := t.resource(name, raw)
		r.Line, r.Column = at.line, at.column
		t.Resources[name] = r
		t.ResourceNames = append(t.ResourceNames, name)
		return err
	})
}

func (t *Template) resource(name string, raw map[string]any) (Resource, *Error) {
	r := Resource{
		LogicalID: name, Raw: raw,
		Metadata: raw["Metadata"], CreationPolicy: raw["CreationPolicy"], UpdatePolicy: raw["UpdatePolicy"],
	}
	var ok bool
	if r.Type, ok = raw["Type"].(string); !ok || r.Type == "" {
		if _, transformed := raw[fnTransform]; !transformed {
			return r, refuse("Template format error: [/Resources/%s] Every Resources object must contain a Type member.", name)
		}
	}
	if v, given := raw["Properties"]; given {
		if r.Properties, ok = v.(map[string]any); !ok {
			return r, refuse("Template format error: [/Resources/%s/Properties] Every Properties member must be an object.", name).at(t.places.key(raw, "Properties"))
		}
	}
	if v, given := raw["Condition"]; given {
		if r.Condition, ok = v.(string); !ok {
			return r, refuse("Template format error: Every Condition member must be a string.").at(t.places.key(raw, "Condition"))
		}
	}
	var err *Error
	if r.DependsOn, err = dependsOn(raw["DependsOn"]); err != nil {
		return r, err.at(t.places.key(raw, "DependsOn"))
	}
	r.DeletionPolicy, _ = raw["DeletionPolicy"].(string)
	r.UpdateReplacePolicy, _ = raw["UpdateReplacePolicy"].(string)
	return r, nil
}

func dependsOn(v any) ([]string, *Error) {
	switch v := v.(type) {
	case nil:
		return nil, nil
	case string:
		return []string{v}, nil
	case []any:
		names := make([]string, 0, len(v))
		for _, item := range v {
			s, ok := item.(string)
			if !ok {
				return nil, refuse("Template format error: DependsOn must be a string or list of strings.")
			}
			names = append(names, s)
		}
		return names, nil
	default:
		return nil, refuse("Template format error: DependsOn must be a string or list of strings.")
	}
}

func (t *Template) takeOutputs(section map[string]any, names []string) *Error {
	t.Outputs = make(map[string]Output, len(names))
	return t.members("Outputs", section, names, func(name string, raw map[string]any, at place) *Error {
		o, err := t.output(name, raw)
		o.Line, o.Column = at.line, at.column
		t.Outputs[name] = o
		t.OutputNames = append(t.OutputNames, name)
		return err
	})
}

func (t *Template) output(name string, raw map[string]any) (Output, *Error) {
	o := Output{Key: name, Value: raw["Value"]}
	if _, transformed := raw[fnTransform]; o.Value == nil && !transformed {
		return o, refuse("Template format error: Every Outputs member must contain a Value object")
	}
	o.Description, _ = text(raw["Description"])
	var ok bool
	if v, given := raw["Condition"]; given {
		if o.Condition, ok = v.(string); !ok {
			return o, refuse("Template format error: Every Condition member must be a string.").at(t.places.key(raw, "Condition"))
		}
	}
	v, given := raw["Export"]
	if !given {
		return o, nil
	}
	export, ok := v.(map[string]any)
	if o.ExportName = export["Name"]; !ok || o.ExportName == nil {
		return o, badExport(name).at(t.places.key(raw, "Export"))
	}
	return o, nil
}

func badExport(output string) *Error {
	return refuse("Template format error: Output %s is malformed. The Name field of every Export member must be specified and consist only of alphanumeric characters, colons, or hyphens.", output)
}
