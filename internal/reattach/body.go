package reattach

import (
	"encoding/json"
	"fmt"
	"maps"
)

// body is the template of the import: the resources that it takes in and nothing
// else, since CloudFormation wants every resource of such a template imported and
// no outputs. Everything is as the project's template has it, but for what refers to
// resources that are not there yet.
func (m *maker) body() ([]byte, error) {
	doc := map[string]any{}
	for _, section := range []string{"AWSTemplateFormatVersion", "Description", "Parameters", "Mappings", "Conditions", "Rules"} {
		if v, ok := m.t.Doc[section]; ok {
			doc[section] = v
		}
	}
	resources := map[string]any{}
	for id := range m.set {
		resources[id] = m.alone(id)
	}
	doc["Resources"] = resources
	text, err := json.Marshal(doc)
	if err != nil {
		return nil, fmt.Errorf("the template of the import: %w", err)
	}
	return text, nil
}

// alone is one resource without what refers to others that are not imported.
func (m *maker) alone(id string) map[string]any {
	r := m.t.Resources[id]
	out := maps.Clone(r.Raw)
	for _, key := range []string{"DependsOn", "CreationPolicy", "UpdatePolicy", "Metadata"} {
		delete(out, key)
	}
	out["DeletionPolicy"] = r.DeletionPolicy
	properties := map[string]any{}
	for name, v := range r.Properties {
		if m.outside(v) == "" {
			properties[name] = v
		}
	}
	delete(out, "Properties")
	if len(properties) > 0 {
		out["Properties"] = properties
	}
	return out
}
