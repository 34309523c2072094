package cfntemplate

import (
	"math"
	"strconv"
	"strings"
)

func (t *Template) takeParameters(section map[string]any, names []string) *Error {
	t.Parameters = make(map[string]Parameter, len(names))
	return t.members("Parameters", section, names, func(name string, raw map[string]any, at place) *Error {
		p, err := t.parameter(name, raw)
		p.Line, p.Column = at.line, at.column
		t.Parameters[name] = p
		t.ParameterNames = append(t.ParameterNames, name)
		return err
	})
}

// parameterKeys are the members of a parameter.
const parameterKeys = "Type Default Description AllowedPattern AllowedValues ConstraintDescription MinLength MaxLength MinValue MaxValue NoEcho"

func (t *Template) parameter(name string, raw map[string]any) (Parameter, *Error) {
	p := Parameter{Name: name}
	kind, ok := text(raw["Type"])
	if !ok || kind == "" {
		return p, refuse("Template format error: Every Parameters object must contain a Type member.")
	}
	p.Type = kind
	for _, key := range t.places.keys(raw) {
		if !among(parameterKeys, key) {
			return p, refuse("Invalid template parameter property '%s'", key).at(t.places.key(raw, key))
		}
		if err := p.set(key, raw[key]); err != nil {
			return p, err.at(t.places.key(raw, key))
		}
	}
	return p, nil
}

func (p *Parameter) set(key string, v any) *Error {
	if key == "AllowedValues" {
		return p.setAllowed(v)
	}
	s, ok := text(v)
	if !ok {
		return refuse("Template format error: Every %s member must be a string.", key)
	}
	switch key {
	case "Default":
		p.Default = &s
	case "Description":
		p.Description = s
	case "AllowedPattern":
		p.AllowedPattern = s
	case "ConstraintDescription":
		p.ConstraintDescription = s
	case "NoEcho":
		p.NoEcho = strings.EqualFold(s, "true")
	case "MinLength":
		return setInt(&p.MinLength, key, s)
	case "MaxLength":
		return setInt(&p.MaxLength, key, s)
	case "MinValue":
		return setFloat(&p.MinValue, key, s)
	case "MaxValue":
		return setFloat(&p.MaxValue, key, s)
	}
	return nil
}

func (p *Parameter) setAllowed(v any) *Error {
	items, ok := v.([]any)
	if !ok {
		return refuse("Template format error: Every AllowedValues member must be a list.")
	}
	for _, item := range items {
		s, ok := text(item)
		if !ok {
			return refuse("Template format error: Every AllowedValues value must be a string.")
		}
		p.AllowedValues = append(p.AllowedValues, s)
	}
	return nil
}

func setInt(to **int, key, s string) *Error {
	n, err := strconv.Atoi(s)
	if err != nil || n < 0 {
		return refuse("Template format error: Every %s member must be a number.", key)
	}
	*to = &n
	return nil
}

func setFloat(to **float64, key, s string) *Error {
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsNaN(f) || math.IsInf(f, 0) {
		return refuse("Template format error: Every %s member must be a number.", key)
	}
	*to = &f
	return nil
}
