package cfntemplate

import (
	"errors"
	"slices"
)

// CheckRules evaluates the Rules section. An assertion of a rule that applies and
// is known to be false is an error; what is not known is not.
func (t *Template) CheckRules(env *Env) []*Error {
	e := t.evaluator(env)
	e.rule = true
	var failed []*Error
	for _, name := range t.places.keys(t.Rules) {
		rule, _ := t.Rules[name].(map[string]any)
		if err := e.checkRule(name, rule); err != nil {
			failed = append(failed, err.at(t.places.key(t.Rules, name)))
		}
	}
	return failed
}

func (e *evaluator) checkRule(name string, rule map[string]any) *Error {
	if condition, given := rule["RuleCondition"]; given {
		v, err := e.boolean(condition)
		if err != nil {
			return asError(err)
		}
		if v != yes {
			return nil
		}
	}
	assertions, ok := rule["Assertions"].([]any)
	if !ok {
		return refuse("Template format error: Every Rules member must contain Assertions.")
	}
	for _, item := range assertions {
		a, _ := item.(map[string]any)
		v, err := e.boolean(a["Assert"])
		if err != nil {
			return asError(err)
		}
		if v == no {
			description, _ := text(a["AssertDescription"])
			return refuse("Rule %s failed: %s", name, description).at(e.t.places.of(a))
		}
	}
	return nil
}

// asError takes err, which the evaluation of a condition gave, as a refusal.
func asError(err error) *Error {
	if refused, ok := errors.AsType[*Error](err); ok {
		return refused
	}
	return refuse("%v", err)
}

// ruleFunction evaluates the functions only the Rules section has.
func (e *evaluator) ruleFunction(name string, arg any) (truth, error) {
	items, ok := listOf(arg, 2, 2)
	if !ok {
		return maybe, refuse("Template error: every %s object requires two parameters.", name)
	}
	switch name {
	case "Fn::Contains", "Fn::EachMemberEquals", "Fn::EachMemberIn":
	default:
		return maybe, refuse("Template format error: %s cannot be used in Rules", name)
	}
	first, err := e.ruleList(items[0])
	if err != nil {
		return maybe, err
	}
	second, err := e.ruleList(items[1])
	if err != nil || first == nil || second == nil {
		return maybe, err
	}
	switch name {
	case "Fn::Contains":
		return truthOf(slices.Contains(first, second[0])), nil
	case "Fn::EachMemberEquals":
		return truthOf(!slices.ContainsFunc(first, func(s string) bool { return s != second[0] })), nil
	default:
		return truthOf(!slices.ContainsFunc(first, func(s string) bool { return !slices.Contains(second, s) })), nil
	}
}

// listedByAWS reports whether a function of the Rules section asks for what only
// AWS can list.
func listedByAWS(name string) bool {
	return name == "Fn::RefAll" || name == "Fn::ValueOf" || name == "Fn::ValueOfAll"
}

// ruleList evaluates v to a list of strings; a scalar is a list of one. Nil means
// not known.
func (e *evaluator) ruleList(v any) ([]string, error) {
	out, err := e.value(v)
	if err != nil {
		return nil, err
	}
	if _, ok := unknownBelow(out); ok {
		return nil, nil
	}
	if s, ok := text(out); ok {
		return []string{s}, nil
	}
	items, _ := out.([]any)
	texts := make([]string, 0, len(items))
	for _, item := range items {
		s, ok := text(item)
		if !ok {
			return nil, refuse("Template format error: Rules compare strings and lists of strings")
		}
		texts = append(texts, s)
	}
	if len(texts) == 0 {
		return nil, nil
	}
	return texts, nil
}
