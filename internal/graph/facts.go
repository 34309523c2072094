package graph

import (
	"maps"
	"slices"
	"strings"

	"github.com/deployer-cli/deployer/internal/cfntemplate"
)

// facts are what a template says about other stacks, whoever uses it. They are
// gathered once per template: many stacks share one.
type facts struct {
	exports []export
	makes   []made      // SSM parameters
	refs    []reference // to exports, outputs and SSM parameters
	ssm     []string    // template parameters whose values name SSM parameters
	asks    bool        // some of this holds only under conditions
}

// export is an exported output.
type export struct {
	key  string
	name any
	when []condition
}

// made is an SSM parameter among the resources.
type made struct {
	name any
	when []condition
}

// reference is a value from elsewhere: the raw argument of a function, or a
// value that holds {{resolve:ssm:…}}.
type reference struct {
	kind         Kind
	arg          any
	when         []condition
	line, column int
}

// condition is a named condition that has to have a value for something to
// count.
type condition struct {
	name string
	want bool
}

const ssmMark = "{{resolve:ssm"

// factsOf reads a template through.
func factsOf(t *cfntemplate.Template) *facts {
	f := &facts{}
	for _, name := range t.ParameterNames {
		if strings.HasPrefix(t.Parameters[name].Type, "AWS::SSM::Parameter::") {
			f.ssm = append(f.ssm, name)
		}
	}
	for _, id := range t.ResourceNames {
		r := t.Resources[id]
		s := scan{facts: f, line: r.Line, column: r.Column}
		when := only(r.Condition)
		if name, ok := r.Properties["Name"]; ok && r.Type == "AWS::SSM::Parameter" {
			f.makes = append(f.makes, made{name, when})
		}
		s.value(r.Raw, when)
	}
	for _, key := range t.OutputNames {
		o := t.Outputs[key]
		s := scan{facts: f, line: o.Line, column: o.Column}
		when := only(o.Condition)
		if o.ExportName != nil {
			f.exports = append(f.exports, export{key, o.ExportName, when})
		}
		s.value(o.Value, when)
	}
	f.asks = slices.ContainsFunc(f.refs, func(r reference) bool { return len(r.when) > 0 }) ||
		slices.ContainsFunc(f.exports, func(e export) bool { return len(e.when) > 0 }) ||
		slices.ContainsFunc(f.makes, func(m made) bool { return len(m.when) > 0 })
	return f
}

func only(name string) []condition {
	if name == "" {
		return nil
	}
	return []condition{{name, true}}
}

// scan walks one resource or output.
type scan struct {
	facts        *facts
	line, column int
}

func (s scan) value(v any, when []condition) {
	switch v := v.(type) {
	case string:
		if strings.Contains(v, ssmMark) {
			s.refer(SSM, v, when)
		}
	case []any:
		for _, item := range v {
			s.value(item, when)
		}
	case map[string]any:
		s.object(v, when)
	}
}

func (s scan) object(m map[string]any, when []condition) {
	if len(m) == 1 && s.call(m, when) {
		return
	}
	for _, k := range slices.Sorted(maps.Keys(m)) {
		s.value(m[k], when)
	}
}

// call looks at a map that may be a function, and says whether that was all
// there is to see in it.
func (s scan) call(m map[string]any, when []condition) bool {
	for name, arg := range m {
		switch name {
		case "Fn::ImportValue":
			s.refer(Import, arg, when)
		case "Fn::GetStackOutput":
			s.refer(Output, arg, when)
		case "Fn::Sub", "Fn::Join":
			if mentions(arg, ssmMark) {
				s.refer(SSM, m, when)
			}
		case "Fn::If":
			return s.branches(arg, when)
		}
	}
	return false
}

// branches walks both sides of Fn::If, each under its condition.
func (s scan) branches(arg any, when []condition) bool {
	items, ok := arg.([]any)
	if !ok || len(items) != 3 {
		return false
	}
	name, ok := items[0].(string)
	if !ok {
		return false
	}
	s.value(items[1], append(slices.Clip(when), condition{name, true}))
	s.value(items[2], append(slices.Clip(when), condition{name, false}))
	return true
}

func (s scan) refer(kind Kind, arg any, when []condition) {
	s.facts.refs = append(s.facts.refs, reference{kind, arg, when, s.line, s.column})
}

// mentions tells whether a text stands anywhere in a value.
func mentions(v any, mark string) bool {
	switch v := v.(type) {
	case string:
		return strings.Contains(v, mark)
	case []any:
		return slices.ContainsFunc(v, func(i any) bool { return mentions(i, mark) })
	case map[string]any:
		for _, i := range v {
			if mentions(i, mark) {
				return true
			}
		}
	}
	return false
}

// dynamic lists the SSM parameters that {{resolve:ssm:name:version}} and
// {{resolve:ssm-secure:…}} in a text name.
func dynamic(s string) []string {
	var names []string
	for {
		_, rest, found := strings.Cut(s, ssmMark)
		if !found {
			return names
		}
		ref, after, closed := strings.Cut(rest, "}}")
		if !closed {
			return names
		}
		s = after
		ref, found = strings.CutPrefix(strings.TrimPrefix(ref, "-secure"), ":")
		name, _, _ := strings.Cut(ref, ":")
		if found && name != "" {
			names = append(names, name)
		}
	}
}
