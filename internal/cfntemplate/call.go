package cfntemplate

import (
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Names of functions and transforms that more than one file speaks of.
const (
	fnRef         = "Ref"
	fnGetAtt      = "Fn::GetAtt"
	fnSub         = "Fn::Sub"
	fnIf          = "Fn::If"
	fnEquals      = "Fn::Equals"
	fnAnd         = "Fn::And"
	fnOr          = "Fn::Or"
	fnNot         = "Fn::Not"
	fnCondition   = "Condition"
	fnImport      = "Fn::ImportValue"
	fnStackOutput = "Fn::GetStackOutput"
	fnGetAZs      = "Fn::GetAZs"
	fnTransform   = "Fn::Transform"
	forEachPrefix = "Fn::ForEach::"

	pseudoPrefix = "AWS::"
	noValueName  = "AWS::NoValue"

	languageExtensions = "AWS::LanguageExtensions"
)

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// among reports whether key is one of the words of list.
func among(list, key string) bool { return slices.Contains(strings.Fields(list), key) }

// sole returns the only entry of m; false when it has none or several.
func sole(m map[string]any) (key string, value any, ok bool) {
	if len(m) != 1 {
		return "", nil, false
	}
	for k, v := range m {
		key, value = k, v
	}
	return key, value, true
}

// asCall takes v as a call of a function: a map with one key that names one.
// {"Condition": …} is a call only among conditions and not one here.
func asCall(v any) (name string, arg any, ok bool) {
	m, ok := v.(map[string]any)
	if !ok {
		return "", nil, false
	}
	name, arg, ok = sole(m)
	if !ok || name != fnRef && !strings.HasPrefix(name, "Fn::") || strings.HasPrefix(name, forEachPrefix) {
		return "", nil, false
	}
	return name, arg, true
}

// asCondition takes v as {"Condition": "Name"}.
func asCondition(v any) (name string, ok bool) {
	m, ok := v.(map[string]any)
	if !ok || len(m) != 1 {
		return "", false
	}
	name, ok = m[fnCondition].(string)
	return name, ok
}

func isCall(v any) bool {
	_, _, ok := asCall(v)
	return ok
}

// visit calls f for every call in v, outer before inner and in file-independent
// order; at is the map that is the call. When f returns false the argument is not
// visited.
func visit(v any, f func(name string, arg any, at map[string]any) bool) {
	switch v := v.(type) {
	case []any:
		for _, item := range v {
			visit(item, f)
		}
	case map[string]any:
		if name, arg, ok := asCall(v); ok {
			if f(name, arg, v) {
				visit(arg, f)
			}
			return
		}
		for _, k := range sortedKeys(v) {
			visit(v[k], f)
		}
	}
}

// text is a scalar as CloudFormation puts it into strings.
func text(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case bool:
		return strconv.FormatBool(v), true
	case int64:
		return strconv.FormatInt(v, 10), true
	case int:
		return strconv.Itoa(v), true
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64), true
	default:
		return "", false
	}
}

// listOf takes v as a list with between low and high items.
func listOf(v any, low, high int) ([]any, bool) {
	items, ok := v.([]any)
	return items, ok && len(items) >= low && len(items) <= high
}

// getAttArgs takes the argument of Fn::GetAtt apart. The attribute may be a
// function; literal parts after the first are joined with dots.
func getAttArgs(arg any) (resource, attribute any, ok bool) {
	if s, isText := arg.(string); isText {
		name, attr, found := strings.Cut(s, ".")
		return name, attr, found && name != "" && attr != ""
	}
	items, ok := arg.([]any)
	if !ok || len(items) < 2 {
		return nil, nil, false
	}
	if len(items) == 2 {
		return items[0], items[1], given(items[0]) && given(items[1])
	}
	parts := make([]string, 0, len(items)-1)
	for _, item := range items[1:] {
		part, ok := text(item)
		if !ok || part == "" {
			return nil, nil, false
		}
		parts = append(parts, part)
	}
	return items[0], strings.Join(parts, "."), given(items[0])
}

// given reports whether v is a non-empty scalar or a call.
func given(v any) bool {
	s, ok := text(v)
	return ok && s != "" || isCall(v)
}
