package templates

import (
	"errors"
	"slices"
	"strings"

	"github.com/deployer-cli/deployer/internal/cfntemplate"
	"github.com/deployer-cli/deployer/stacks"
)

// ParameterFinding is what is wrong with one parameter. It never shows a value
// that is secret.
type ParameterFinding struct {
	Key     string
	Why     string
	Tip     string
	Missing bool // no value is given, so there is no place in the config either
	Broken  bool // the value breaks a constraint
}

// CheckParameters finds parameters that the template does not have, parameters
// without a value, and known values that break a constraint. Findings are sorted
// by key.
func CheckParameters(t *cfntemplate.Template, given []stacks.Parameter) []ParameterFinding {
	var found []ParameterFinding
	seen := make(map[string]bool, len(given))
	for _, p := range given {
		seen[p.Key] = true
		declared, ok := t.Parameters[p.Key]
		if !ok {
			found = append(found, stranger(t, p.Key))
			continue
		}
		if f, wrong := breaks(declared, p); wrong {
			found = append(found, f)
		}
	}
	for _, name := range t.ParameterNames {
		if !seen[name] && t.Parameters[name].Default == nil {
			found = append(found, ParameterFinding{
				Key:     name,
				Why:     "the template needs a value for it and has no default",
				Tip:     "add it under parameters",
				Missing: true,
			})
		}
	}
	slices.SortStableFunc(found, func(a, b ParameterFinding) int { return strings.Compare(a.Key, b.Key) })
	return found
}

func stranger(t *cfntemplate.Template, key string) ParameterFinding {
	f := ParameterFinding{Key: key, Why: "the template has no such parameter"}
	switch near, ok := nearest(key, t.ParameterNames...); {
	case ok:
		f.Tip = "did you mean " + near
	case len(t.ParameterNames) == 0:
		f.Tip = "the template has no parameters at all"
	default:
		f.Tip = "its parameters are " + strings.Join(slices.Sorted(slices.Values(t.ParameterNames)), ", ")
	}
	return f
}

// breaks tells which constraint a value breaks, in CloudFormation's words. What
// is known later, or kept as it is, cannot be judged.
func breaks(declared cfntemplate.Parameter, p stacks.Parameter) (ParameterFinding, bool) {
	if p.Unknown || p.Previous && p.Value == "" || strings.Contains(p.Value, LateMark) {
		return ParameterFinding{}, false
	}
	alone := cfntemplate.Template{
		Parameters:     map[string]cfntemplate.Parameter{p.Key: declared},
		ParameterNames: []string{p.Key},
	}
	_, err := alone.ResolveParameters(map[string]string{p.Key: p.Value}, nil)
	if err == nil {
		return ParameterFinding{}, false
	}
	why := err.Error()
	if te, ok := errors.AsType[*cfntemplate.Error](err); ok {
		why = te.Message
	}
	if p.Secret || declared.NoEcho {
		return ParameterFinding{Key: p.Key, Why: hide(why, p.Value), Broken: true}, true
	}
	return ParameterFinding{Key: p.Key, Why: why, Tip: "it is " + quote(p.Value), Broken: true}, true
}

// hide takes a secret out of a text. A constraint speaks of the parameter, not
// of its value, so this is only to be sure.
func hide(text, secret string) string {
	if secret == "" {
		return text
	}
	return strings.ReplaceAll(text, secret, "****")
}

func quote(s string) string {
	const most = 60
	if r := []rune(s); len(r) > most {
		s = string(r[:most]) + "…"
	}
	return `"` + s + `"`
}
