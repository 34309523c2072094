package cfntemplate

import (
	"errors"
	"maps"
	"strings"
)

// maxExpanded bounds how many values the loops of a template may make.
const maxExpanded = 200_000

// Expand runs the loops (Fn::ForEach) of a template with the language extensions
// and evaluates policies that are functions. Collections may refer to parameters
// and mappings only. A template without the extensions is returned as it is.
func Expand(t *Template, env *Env) (*Template, error) {
	if !t.extended() {
		return t, nil
	}
	base := *t // collections and policies are evaluated with the expanded conditions
	x := &expander{e: base.evaluator(env), places: maps.Clone(t.places), orders: map[uintptr][]string{}}
	doc := maps.Clone(t.Doc)
	x.places.inherit(doc, t.Doc)
	for _, section := range []string{"Conditions", "Resources", "Outputs"} {
		m, ok := t.Doc[section].(map[string]any)
		if !ok {
			continue
		}
		expanded, err := x.object(m, scope{})
		if err != nil {
			return nil, err
		}
		doc[section] = expanded
		if section == "Conditions" {
			base.Conditions = expanded
		}
	}
	if err := x.policies(doc["Resources"]); err != nil {
		return nil, err
	}
	out := &Template{Root: t.Root, places: x.places}
	err := out.fill(doc, func(m map[string]any) []string {
		if a, ok := address(m); ok && x.orders[a] != nil {
			return x.orders[a]
		}
		return x.places.keys(m)
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

type expander struct {
	e      *evaluator
	places places
	orders map[uintptr][]string // the keys of the maps made by loops
	made   int
}

// scope holds the identifiers of the loops around a value.
type scope struct {
	values   map[string]string
	replacer *strings.Replacer
}

func (s scope) with(identifier, value string) scope {
	values := maps.Clone(s.values)
	if values == nil {
		values = map[string]string{}
	}
	values[identifier] = value
	var pairs []string
	for _, id := range sortedKeys(values) {
		pairs = append(pairs, "${"+id+"}", values[id], "&{"+id+"}", alphanumerics(values[id]))
	}
	return scope{values, strings.NewReplacer(pairs...)}
}

func alphanumerics(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' {
			return r
		}
		return -1
	}, s)
}

func (s scope) text(t string) string {
	if s.replacer == nil {
		return t
	}
	return s.replacer.Replace(t)
}

func (x *expander) value(v any, s scope) (any, error) {
	if x.made++; x.made > maxExpanded {
		return nil, refuse("Transform %s failed with: the expanded template has more than %d values", languageExtensions, maxExpanded)
	}
	switch v := v.(type) {
	case string:
		return s.text(v), nil
	case []any:
		out := make([]any, len(v))
		for i, item := range v {
			var err error
			if out[i], err = x.value(item, s); err != nil {
				return nil, err
			}
		}
		x.places.inherit(out, v)
		return out, nil
	case map[string]any:
		if name, ok := v[fnRef].(string); ok && len(v) == 1 {
			if value, bound := s.values[name]; bound {
				return value, nil
			}
		}
		return x.object(v, s)
	default:
		return v, nil
	}
}

// object expands a map and runs the loops among its keys.
func (x *expander) object(m map[string]any, s scope) (map[string]any, error) {
	out := make(map[string]any, len(m))
	x.places.inherit(out, m)
	var order []string
	put := func(key string, v any) error {
		if _, twice := out[key]; twice {
			return refuse("Transform %s failed with: Duplicate key %s", languageExtensions, key).at(x.places.of(m))
		}
		out[key] = v
		order = append(order, key)
		return nil
	}
	if err := x.entries(m, s, put); err != nil {
		return nil, err
	}
	if a, ok := address(out); ok {
		x.orders[a] = order
	}
	return out, nil
}

// entries gives the expanded entries of m to put.
func (x *expander) entries(m map[string]any, s scope, put func(string, any) error) error {
	for _, key := range x.places.keys(m) {
		if strings.HasPrefix(key, forEachPrefix) {
			if err := x.loop(m[key], s, put); err != nil {
				return placed(err, x.places.key(m, key))
			}
			continue
		}
		v, err := x.value(m[key], s)
		if err != nil {
			return err
		}
		if err := put(s.text(key), v); err != nil {
			return err
		}
	}
	return nil
}

// placed adds the place to err if it is a refusal.
func placed(err error, at place) error {
	if refused, ok := errors.AsType[*Error](err); ok {
		_ = refused.at(at) // the place is set on what err holds
	}
	return err
}

// loop runs one Fn::ForEach.
func (x *expander) loop(arg any, s scope, put func(string, any) error) error {
	items, ok := listOf(arg, 3, 3)
	if !ok {
		return refuse(textForEach)
	}
	identifier, ok := items[0].(string)
	body, isMap := items[2].(map[string]any)
	if !ok || !isMap || !alphanumeric.MatchString(identifier) {
		return refuse(textForEach)
	}
	values, err := x.collection(items[1], s)
	if err != nil {
		return err
	}
	for _, v := range values {
		if x.made++; x.made > maxExpanded {
			return refuse("Transform %s failed with: the expanded template has more than %d values", languageExtensions, maxExpanded)
		}
		if err := x.entries(body, s.with(identifier, v), put); err != nil {
			return err
		}
	}
	return nil
}

func (x *expander) collection(v any, s scope) ([]string, error) {
	v, err := x.value(v, s)
	if err != nil {
		return nil, err
	}
	if v, err = x.e.value(v); err != nil {
		return nil, err
	}
	items, ok := v.([]any)
	if _, unknown := unknownBelow(v); unknown || !ok {
		return nil, refuse("Transform %s failed with: Fn::ForEach could not resolve its collection", languageExtensions)
	}
	var texts []string
	for _, item := range items {
		if nested, ok := item.([]any); ok {
			for _, i := range nested {
				s, _ := text(i)
				texts = append(texts, s)
			}
			continue
		}
		s, ok := text(item)
		if !ok {
			return nil, refuse(textForEach)
		}
		texts = append(texts, s)
	}
	return texts, nil
}

// policies evaluates the policies of resources that are functions.
func (x *expander) policies(resources any) error {
	section, _ := resources.(map[string]any)
	for _, name := range sortedKeys(section) {
		raw, _ := section[name].(map[string]any)
		for _, key := range []string{"DeletionPolicy", "UpdateReplacePolicy"} {
			if !isCall(raw[key]) {
				continue
			}
			v, err := x.e.value(raw[key])
			if err != nil {
				return err
			}
			if s, ok := v.(string); ok {
				raw[key] = s
			}
			if v == NoValue {
				delete(raw, key)
			}
		}
	}
	return nil
}
