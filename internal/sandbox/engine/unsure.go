package engine

import (
	"slices"

	"github.com/deployer-cli/deployer/internal/cfntemplate"
)

// warn remembers the first reason why values of a change are not known.
func (p *planner) warn(why string) {
	if p.warning == "" && p.current != "" {
		p.warning = "[WARN] --include-property-values option can return incomplete ChangeSet data because: ChangeSet creation failed for resource [" +
			p.current + "] because: " + why
	}
}

// warnJoins tells of a list that Fn::Join cannot take apart yet: a text that only
// the execution will tell, split.
func (p *planner) warnJoins(v any) {
	switch v := v.(type) {
	case []any:
		for _, item := range v {
			p.warnJoins(item)
		}
	case map[string]any:
		if args, ok := v["Fn::Join"].([]any); ok && len(args) == 2 {
			if list, ok := args[1].(map[string]any); ok && list["Fn::Split"] != nil {
				value, err := p.now.tpl.Eval(list, p.now.env)
				if _, later := value.(cfntemplate.Unknown); err == nil && later {
					p.warn(textJoin)
				}
			}
		}
		for _, item := range v {
			p.warnJoins(item)
		}
	}
}

// outputsChange reports whether the target's outputs differ from the stack's.
func (p *planner) outputsChange() bool {
	names := p.now.tpl.OutputNames
	if len(names) != len(p.st.Outputs) {
		return true
	}
	for _, name := range names {
		o := p.now.tpl.Outputs[name]
		i := slices.IndexFunc(p.st.Outputs, func(old output) bool { return old.Key == name })
		if i < 0 || p.st.Outputs[i].Description != o.Description {
			return true
		}
		value, err := p.now.tpl.Eval(o.Value, p.now.env)
		if err != nil || scalars(value) != any(p.st.Outputs[i].Value) {
			return true
		}
		export := any("")
		if o.ExportName != nil {
			v, err := p.now.tpl.Eval(o.ExportName, p.now.env)
			if err != nil {
				return true
			}
			export = scalars(v)
		}
		if export != any(p.st.Outputs[i].Export) {
			return true
		}
	}
	return false
}

const textJoin = "Template error: every Fn::Join object requires two parameters, (1) a string delimiter and (2) a list of strings to be joined or a function that returns a list of strings (such as Fn::GetAZs) to be joined."
