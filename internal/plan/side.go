package plan

import (
	"cmp"
	"slices"
	"strings"

	"github.com/deployer-cli/deployer/internal/cfntemplate"
	"github.com/deployer-cli/deployer/internal/cfnyaml"
	"github.com/deployer-cli/deployer/internal/restype"
	"github.com/deployer-cli/deployer/stacks"
)

// side is a template with what it is evaluated in: as it lives, or as desired.
type side struct {
	template *cfntemplate.Template
	env      *cfntemplate.Env
	holds    map[string]bool // conditions that are known
}

// newSide evaluates the conditions once. Where that fails they stay unknown,
// and everything that depends on them counts as present.
func newSide(t *cfntemplate.Template, env *cfntemplate.Env) *side {
	holds, err := t.EvalConditions(env)
	if err != nil || holds == nil {
		holds = map[string]bool{}
	}
	env.Conditions = holds
	return &side{template: t, env: env, holds: holds}
}

// present tells whether what carries a condition is made.
func (s *side) present(condition string) bool {
	made, known := s.holds[condition]
	return condition == "" || made || !known
}

// resource gives a resource that is made.
func (s *side) resource(id string) (cfntemplate.Resource, bool) {
	if s == nil {
		return cfntemplate.Resource{}, false
	}
	r, ok := s.template.Resources[id]
	return r, ok && s.present(r.Condition)
}

// additions lists every resource as new.
func (s *side) additions() []stacks.ResourceChange {
	out := make([]stacks.ResourceChange, 0, len(s.template.ResourceNames))
	for _, id := range s.template.ResourceNames {
		if r, ok := s.resource(id); ok {
			out = append(out, addition(r))
		}
	}
	return out
}

func addition(r cfntemplate.Resource) stacks.ResourceChange {
	return stacks.ResourceChange{
		LogicalID: r.LogicalID, Type: r.Type, Action: "add", Replacement: "false", Data: restype.HoldsData(r.Type),
	}
}

// hidden is how CloudFormation shows the value of a NoEcho parameter.
const hidden = "****"

// oldEnv is what the live template was last evaluated in, as far as it shows.
func (b *Builder) oldEnv(s *state, t *cfntemplate.Template) *cfntemplate.Env {
	env := baseEnv(s)
	env.StackOutput = func(args map[string]any) (any, error) {
		if r, ok := b.read(s, args); ok {
			if v, had := outputOf(b.states[r.Stack].seen.Live, r.Key); had {
				return v, nil
			}
		}
		return cfntemplate.Unknown{Why: "what another stack had"}, nil
	}
	for name, decl := range t.Parameters {
		p, ok := liveParameter(s.seen.Live, name)
		switch {
		case !ok:
			env.Parameters[name] = cfntemplate.Unknown{Why: "parameter " + name}
		case decl.NoEcho:
			env.Parameters[name] = hiddenUnknown(name)
		case isSSM(decl.Type):
			env.Parameters[name] = cfntemplate.Unknown{Why: "what SSM had for " + name}
		default:
			env.Parameters[name] = typed(decl.Type, p.Value)
		}
	}
	return env
}

// newEnv is what the desired template will be evaluated in, as far as it is
// known.
func (b *Builder) newEnv(s *state, t *cfntemplate.Template) *cfntemplate.Env {
	env := baseEnv(s)
	env.StackOutput = func(args map[string]any) (any, error) {
		if r, ok := b.read(s, args); ok {
			if v, known := b.known(r.Stack, r.Key); known {
				return v, nil
			}
		}
		return cfntemplate.Unknown{Why: "what another stack has"}, nil
	}
	given := map[string]stacks.Parameter{}
	for _, p := range s.desired.Parameters {
		given[p.Key] = p
	}
	for name, decl := range t.Parameters {
		env.Parameters[name] = b.newParameter(s, decl, given)
	}
	return env
}

// read finds the stack of the plan that Fn::GetStackOutput names, if it does.
func (b *Builder) read(s *state, args map[string]any) (Read, bool) {
	i := slices.IndexFunc(s.edges.Reads, func(r Read) bool {
		producer := b.states[r.Stack]
		return producer != nil && args["OutputName"] == r.Key && producer.named(args)
	})
	if i < 0 {
		return Read{}, false
	}
	return s.edges.Reads[i], true
}

// named tells whether the arguments of Fn::GetStackOutput name the stack.
func (s *state) named(args map[string]any) bool {
	for _, by := range []string{"StackName", "StackArn", "StackId"} {
		if given, ok := args[by].(string); ok {
			return given == s.stack.Name || s.seen.Live != nil && given == s.seen.Live.ID
		}
	}
	return false
}

func (b *Builder) newParameter(s *state, decl cfntemplate.Parameter, given map[string]stacks.Parameter) any {
	want := wanted(s, decl, given)
	switch {
	case want.Unknown:
		return cfntemplate.Unknown{Why: cmp.Or(want.Hint, "parameter "+decl.Name)}
	case decl.NoEcho:
		if same, known := b.sameSecret(s, want); known && same {
			return hiddenUnknown(decl.Name)
		}
		return cfntemplate.Unknown{Why: "the new value of NoEcho parameter " + decl.Name}
	case isSSM(decl.Type):
		return cfntemplate.Unknown{Why: "what SSM has for " + decl.Name + " now"}
	}
	return typed(decl.Type, want.Value)
}

// wanted is the value a parameter of the desired template gets: given, kept or
// by default.
func wanted(s *state, decl cfntemplate.Parameter, given map[string]stacks.Parameter) stacks.Parameter {
	p, ok := given[decl.Name]
	live, lives := liveParameter(s.seen.Live, decl.Name)
	switch {
	case ok && p.Previous && lives && s.step.Action == Update:
		p.Value, p.Unknown = live.Value, false
		return p
	case ok && p.Previous && p.Value == "" && decl.Default != nil:
		p.Value = *decl.Default
		return p
	case ok:
		return p
	case decl.Default != nil:
		return stacks.Parameter{Key: decl.Name, Value: *decl.Default}
	}
	return stacks.Parameter{Key: decl.Name, Unknown: true, Hint: "parameter " + decl.Name}
}

func (b *Builder) sameSecret(s *state, p stacks.Parameter) (same, known bool) {
	switch {
	case p.Previous && s.step.Action == Update:
		return true, true
	case b.in.SameSecret == nil:
		return false, false
	}
	return b.in.SameSecret(s.stack.Path, p.Key, p.Value)
}

func baseEnv(s *state) *cfntemplate.Env {
	env := &cfntemplate.Env{
		Parameters: map[string]any{},
		AccountID:  s.step.Account, Region: s.step.Region,
		Partition: "aws", URLSuffix: "amazonaws.com",
		StackName: s.step.Name,
		Import: func(name string) (any, error) {
			// An export that is in use cannot change, so its name stands for it.
			return token("import", name), nil
		},
	}
	switch {
	case strings.HasPrefix(env.Region, "cn-"):
		env.Partition, env.URLSuffix = "aws-cn", "amazonaws.com.cn"
	case strings.HasPrefix(env.Region, "us-gov-"):
		env.Partition = "aws-us-gov"
	}
	if s.step.Action == Update {
		env.StackID = s.step.StackID
	}
	return env
}

// token stands for a value that is not known and does not change. It is made
// of a character that no template can hold.
func token(parts ...string) string { return tokenMark + strings.Join(parts, tokenMark) + tokenMark }

const tokenMark = "\x00"

func isSSM(typ string) bool { return strings.HasPrefix(typ, "AWS::SSM::Parameter::Value<") }

func isList(typ string) bool { return typ == "CommaDelimitedList" || strings.HasPrefix(typ, "List<") }

// hiddenUnknown is a NoEcho value that stays as it is.
func hiddenUnknown(name string) cfntemplate.Unknown {
	return cfntemplate.Unknown{Why: "NoEcho parameter " + name}
}

// typed gives a parameter's text the form its type has in a template.
func typed(typ, text string) any {
	if !isList(typ) {
		return text
	}
	parts := strings.Split(text, ",")
	for i := range parts {
		parts[i] = strings.TrimSpace(parts[i])
	}
	return parts
}

func liveParameter(live *stacks.Live, key string) (stacks.LiveParameter, bool) {
	if live == nil {
		return stacks.LiveParameter{}, false
	}
	i := slices.IndexFunc(live.Parameters, func(p stacks.LiveParameter) bool { return p.Key == key })
	if i < 0 {
		return stacks.LiveParameter{}, false
	}
	return live.Parameters[i], true
}

// unknownIn finds an Unknown anywhere in an evaluated value.
func unknownIn(v any) (cfntemplate.Unknown, bool) {
	switch v := v.(type) {
	case cfntemplate.Unknown:
		return v, true
	case []any:
		for _, i := range v {
			if u, ok := unknownIn(i); ok {
				return u, true
			}
		}
	case map[string]any:
		for _, k := range sortedKeys(v) {
			if u, ok := unknownIn(v[k]); ok {
				return u, true
			}
		}
	}
	return cfntemplate.Unknown{}, false
}

// hasText tells whether any string in v holds part.
func hasText(v any, part string) bool {
	switch v := v.(type) {
	case string:
		return strings.Contains(v, part)
	case []any:
		return slices.ContainsFunc(v, func(i any) bool { return hasText(i, part) })
	case map[string]any:
		for k, i := range v {
			if strings.Contains(k, part) || hasText(i, part) {
				return true
			}
		}
	}
	return false
}

// Same tells whether two templates say the same to CloudFormation.
func Same(a, b any) bool { return same(a, b) }

// same tells whether two plain values say the same to CloudFormation.
func same(a, b any) bool { return len(cfnyaml.Compare(a, b)) == 0 }
