package cfntemplate

import (
	"reflect"
	"slices"
	"strings"
)

// truth is the value of a condition; maybe where it is not known.
type truth uint8

const (
	maybe truth = iota
	yes
	no
)

func truthOf(b bool) truth {
	if b {
		return yes
	}
	return no
}

func (v truth) not() truth {
	switch v {
	case yes:
		return no
	case no:
		return yes
	default:
		return maybe
	}
}

// branch evaluates Fn::If: only the branch that counts.
func (e *evaluator) branch(arg any) (any, error) {
	items, ok := listOf(arg, 3, 3)
	if !ok {
		return nil, refuse(textIf)
	}
	name, ok := items[0].(string)
	if !ok {
		return nil, refuse(textIf)
	}
	v, err := e.condition(name, fnIf)
	if err != nil {
		return nil, err
	}
	switch v {
	case yes:
		return e.value(items[1])
	case no:
		return e.value(items[2])
	default:
		return Unknown{"condition " + name + " is not known"}, nil
	}
}

// condition gives the value of a named condition, asked for by function by.
func (e *evaluator) condition(name, by string) (truth, error) {
	definition, declared := e.t.Conditions[name]
	if !declared {
		return maybe, refuse("Template error: unresolved condition dependency %s in %s", name, by)
	}
	if e.env.Conditions != nil {
		v, known := e.env.Conditions[name]
		if !known {
			return maybe, nil
		}
		return truthOf(v), nil
	}
	if v, ok := e.solved[name]; ok {
		return v, nil
	}
	if e.busy[name] {
		return maybe, circularConditions([]string{name})
	}
	e.busy[name] = true
	v, err := e.boolean(definition)
	delete(e.busy, name)
	if err == nil {
		e.solved[name] = v
	}
	return v, err
}

func circularConditions(names []string) *Error {
	return refuse("Template error: Found circular condition dependency: [%s]", strings.Join(names, ", "))
}

// boolean evaluates a function that gives true or false.
func (e *evaluator) boolean(v any) (truth, error) {
	if name, ok := asCondition(v); ok {
		return e.condition(name, fnCondition)
	}
	name, arg, ok := asCall(v)
	if !ok {
		return maybe, refuse(textNotBoolean)
	}
	switch name {
	case fnEquals:
		return e.equals(arg)
	case fnNot:
		items, ok := listOf(arg, 1, 1)
		if !ok {
			return maybe, refuse(textNot)
		}
		v, err := e.boolean(items[0])
		return v.not(), err
	case fnAnd:
		return e.fold(name, arg, no)
	case fnOr:
		return e.fold(name, arg, yes)
	default:
		if e.rule {
			return e.ruleFunction(name, arg)
		}
		if supported(name) {
			return maybe, refuse(textNotBoolean)
		}
		return maybe, unsupported(name)
	}
}

// fold evaluates Fn::And and Fn::Or: one operand that decides is enough.
func (e *evaluator) fold(name string, arg any, decides truth) (truth, error) {
	items, ok := listOf(arg, 2, 10)
	if !ok {
		return maybe, refuse(textAndOr, name)
	}
	out := decides.not()
	for _, item := range items {
		v, err := e.boolean(item)
		if err != nil {
			return maybe, err
		}
		if v == decides {
			out = decides
		}
		if v == maybe && out != decides {
			out = maybe
		}
	}
	return out, nil
}

func (e *evaluator) equals(arg any) (truth, error) {
	items, ok := listOf(arg, 2, 2)
	if !ok {
		return maybe, refuse(textEquals)
	}
	a, b, err := e.two(items)
	if err != nil {
		return maybe, err
	}
	return same(a, b), nil
}

// same compares two evaluated values, scalars by what they look like in a string.
func same(a, b any) truth {
	if _, ok := unknownBelow(a); ok {
		return maybe
	}
	if _, ok := unknownBelow(b); ok {
		return maybe
	}
	return truthOf(reflect.DeepEqual(flat(a), flat(b)))
}

// flat writes scalars as strings.
func flat(v any) any {
	if s, ok := text(v); ok {
		return s
	}
	items, ok := v.([]any)
	if !ok {
		return v
	}
	out := make([]any, len(items))
	for i, item := range items {
		out[i] = flat(item)
	}
	return out
}

// conditionRefs are the names of the conditions that v, a condition, refers to.
func conditionRefs(v any) []string {
	var names []string
	var walk func(v any)
	walk = func(v any) {
		if name, ok := asCondition(v); ok {
			names = append(names, name)
			return
		}
		switch v := v.(type) {
		case []any:
			for _, item := range v {
				walk(item)
			}
		case map[string]any:
			for _, k := range sortedKeys(v) {
				walk(v[k])
			}
		}
	}
	walk(v)
	slices.Sort(names)
	return slices.Compact(names)
}
