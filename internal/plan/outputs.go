package plan

import (
	"slices"

	"github.com/deployer-cli/deployer/internal/cfntemplate"
	"github.com/deployer-cli/deployer/stacks"
)

// Known gives an output of a stack of the project as it will be after the
// stack's step, where that can be told already: the step changes nothing, or
// the output comes only from parameters and literals, or from resources that
// stay as they are. A stack that has landed is as it landed.
func (b *Builder) Known(path stacks.Path, key string) (value string, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.known(path, key)
}

func (b *Builder) known(path stacks.Path, key string) (string, bool) {
	if live, ok := b.landed[path]; ok {
		return outputOf(live, key)
	}
	s := b.states[path]
	if s == nil || s.step.Blocked != "" {
		return "", false
	}
	switch s.step.Action {
	case None, Skip:
		return outputOf(s.seen.Live, key)
	case Create, Recreate, Update:
		return s.output(key)
	case Join, Delete:
	}
	return "", false
}

// output evaluates an output of the desired template.
func (s *state) output(key string) (string, bool) {
	if s.new == nil || len(s.new.template.Transforms) > 0 {
		return "", false
	}
	out, declared := s.new.template.Outputs[key]
	if made, known := s.new.holds[out.Condition]; !declared || out.Condition != "" && (!known || !made) {
		return "", false
	}
	now, ok := s.final(s.new, out.Value)
	if !ok || s.ofNested(out.Value) {
		return "", false
	}
	if text, plain := now.(string); plain && !hasText(text, tokenMark) {
		return text, true
	}
	// Not known as such, but the same as it is now.
	before, ok := s.before(key)
	if !ok || !same(before, now) {
		return "", false
	}
	return outputOf(s.seen.Live, key)
}

// ofNested tells whether a value comes from a nested stack, whose own template
// may change unseen.
func (s *state) ofNested(v any) bool {
	_, attributes := cfntemplate.Refs(v)
	return slices.ContainsFunc(attributes, func(a [2]string) bool {
		return s.new.template.Resources[a[0]].Type == "AWS::CloudFormation::Stack"
	})
}

// before evaluates an output of the live template.
func (s *state) before(key string) (any, bool) {
	if s.shaken || s.old == nil || len(s.old.template.Transforms) > 0 {
		return nil, false
	}
	out, declared := s.old.template.Outputs[key]
	if !declared || !s.old.present(out.Condition) {
		return nil, false
	}
	return s.final(s.old, out.Value)
}

// final evaluates a value that must leave nothing open: nothing unknown, and
// no dynamic reference, which only CloudFormation reads.
func (s *state) final(side *side, v any) (any, bool) {
	out, err := side.template.Eval(v, side.env)
	if err != nil || isNoValue(out) || hasText(out, "{{resolve:") {
		return nil, false
	}
	if _, unknown := unknownIn(out); unknown {
		return nil, false
	}
	return scalarText(out)
}

// scalarText gives a scalar as CloudFormation shows it in an output; lists and
// maps are none.
func scalarText(v any) (any, bool) {
	switch v.(type) {
	case []any, map[string]any, nil:
		return nil, false
	case string:
		return v, true
	}
	return text(v), true
}

func isNoValue(v any) bool {
	_, none := v.(cfntemplate.Absent)
	return none
}
