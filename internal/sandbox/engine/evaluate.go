package engine

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/deployer-cli/deployer/internal/cfntemplate"
)

// scope is a stack's template with everything its expressions may refer to.
type scope struct {
	tpl *cfntemplate.Template // without what its conditions leave out
	env *cfntemplate.Env
}

// active reports whether the template has a resource under its conditions.
func (c *scope) active(id string) bool {
	_, ok := c.tpl.Resources[id]
	return ok
}

// templateError makes a refusal of a template's error.
func templateError(err error) error {
	if e, ok := errors.AsType[*cfntemplate.Error](err); ok {
		code := e.Code
		if code == "" {
			code = codeValidation
		}
		return refuse(code, "%s", e.Message)
	}
	return asRefusal(err)
}

// asRefusal keeps a refusal and makes one of a plain error.
func asRefusal(err error) error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	return invalid("%s", err.Error())
}

// reasonOf is the text of a refusal, for an event.
func reasonOf(err error) string {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Message
	}
	if e, ok := errors.AsType[*cfntemplate.Error](err); ok {
		return e.Message
	}
	return err.Error()
}

// scope returns the scope of a target of a stack; its resources and exports
// are read live.
func (s *session) scope(st *stack, t *target) (*scope, error) {
	raw, err := json.Marshal(t.Params)
	if err != nil {
		return nil, fmt.Errorf("encode parameters: %w", err)
	}
	k := key(st.ID, t.active(), string(raw))
	if c, ok := s.envs[k]; ok {
		return c, nil
	}
	tpl, err := s.template(t.active())
	if err != nil {
		return nil, err
	}
	tpl, env, err := s.effective(st, tpl, t)
	if err != nil {
		return nil, err
	}
	env.Resource = func(id string) (any, error) { return s.refOf(st, id) }
	env.Attribute = func(id, attr string) (any, error) { return s.attributeOf(st, id, attr) }
	env.Import = func(name string) (any, error) { return s.importValue(st.account(), name) }
	c := &scope{tpl: tpl, env: env}
	s.envs[k] = c
	return c, nil
}

// environment knows a target's parameters and conditions, but no resources.
func (s *session) environment(st *stack, tpl *cfntemplate.Template, t *target) (*cfntemplate.Env, error) {
	values, err := parameterValues(tpl, t.Params)
	if err != nil {
		return nil, err
	}
	env := &cfntemplate.Env{
		Parameters: values, AccountID: st.Account, Region: st.Region, Partition: partition(st.Region),
		URLSuffix: suffix(st.Region), StackName: st.Name, StackID: st.ID, NotificationARNs: t.Notify, Zones: zones,
	}
	env.Conditions, err = tpl.EvalConditions(env)
	if err != nil {
		return nil, templateError(err)
	}
	return env, nil
}

// effective is a template with its loops run and without what its conditions
// leave out.
func (s *session) effective(st *stack, tpl *cfntemplate.Template, t *target) (*cfntemplate.Template, *cfntemplate.Env, error) {
	env, err := s.environment(st, tpl, t)
	if err != nil {
		return nil, nil, err
	}
	expanded, err := cfntemplate.Expand(tpl, env)
	if err != nil {
		return nil, nil, templateError(err)
	}
	if expanded != tpl {
		env.Conditions, err = expanded.EvalConditions(env)
		if err != nil {
			return nil, nil, templateError(err)
		}
	}
	return expanded.Prune(env.Conditions), env, nil
}

// parameterValues gives the values expressions see.
func parameterValues(tpl *cfntemplate.Template, params []param) (map[string]any, error) {
	given := map[string]string{}
	for _, p := range params {
		given[p.Key] = p.Value
	}
	values, err := tpl.ResolveParameters(given, nil)
	if err != nil {
		return nil, templateError(err)
	}
	for _, p := range params {
		if !p.SSM {
			continue
		}
		values[p.Key] = tpl.Parameters[p.Key].Value(p.Resolved)
	}
	return values, nil
}

func (s *session) refOf(st *stack, id string) (any, error) {
	r := s.resource(st.ID, id)
	if r == nil || !r.alive() || r.Physical == "" {
		return nil, invalid("Unresolved resource dependencies [%s] in the Resources block of the template", id)
	}
	if r.Ref != "" {
		return r.Ref, nil
	}
	return r.Physical, nil
}

func (s *session) attributeOf(st *stack, id, attr string) (any, error) {
	r := s.resource(st.ID, id)
	if r == nil || !r.alive() || r.Physical == "" {
		return nil, invalid("Unresolved resource dependencies [%s] in the Resources block of the template", id)
	}
	if r.Type == stackType {
		return s.childAttribute(r, attr)
	}
	v, ok := s.attribute(st, &r.state, attr)
	if !ok && r.Answered {
		return nil, s.noKey(st, id, attr)
	}
	if !ok {
		return nil, invalid("Resource type %s does not support attribute {%s}", r.Type, attr)
	}
	return v, nil
}

func (s *session) importValue(a Account, name string) (any, error) {
	e, ok := s.export(a, name)
	if !ok {
		return nil, invalid("No export named %s found", name)
	}
	return e.Value, nil
}

// importsOf lists the exports an active part of a target asks for. The names
// cannot depend on resources.
func (s *session) importsOf(st *stack, t *target) ([]string, error) {
	tpl, err := s.template(t.active())
	if err != nil {
		return nil, err
	}
	if len(tpl.Imports()) == 0 {
		return nil, nil
	}
	tpl, env, err := s.effective(st, tpl, t)
	if err != nil {
		return nil, err
	}
	var names []string
	env.Import = func(name string) (any, error) {
		names = append(names, name)
		return cfntemplate.Unknown{Why: "import"}, nil
	}
	for _, id := range tpl.ResourceNames {
		if _, err := tpl.Eval(any(tpl.Resources[id].Properties), env); err != nil {
			return nil, templateError(err)
		}
	}
	for _, k := range tpl.OutputNames {
		if _, err := tpl.Eval(tpl.Outputs[k].Value, env); err != nil {
			return nil, templateError(err)
		}
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}

// scalars turns an evaluated value into CloudFormation's: every scalar is a
// string.
func scalars(v any) any {
	switch v := v.(type) {
	case nil:
		return nil
	case string:
		return v
	case bool:
		return strconv.FormatBool(v)
	case int64:
		return strconv.FormatInt(v, 10)
	case int:
		return strconv.Itoa(v)
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case []string:
		items := make([]any, len(v))
		for i, item := range v {
			items[i] = item
		}
		return items
	case []any:
		items := make([]any, 0, len(v))
		for _, item := range v {
			items = append(items, scalars(item))
		}
		return items
	case map[string]any:
		m := make(map[string]any, len(v))
		for k, item := range v {
			m[k] = scalars(item)
		}
		return m
	case cfntemplate.Unknown:
		return unknown
	}
	return fmt.Sprint(v)
}

// unknown stands for a value that only execution will tell.
const unknown = "{{changeSet:KNOWN_AFTER_APPLY}}"

// desired evaluates what a resource shall be now.
func (s *session) desired(st *stack, c *scope, id string) (*state, error) {
	return desiredIn(c, id, tagText(st.Now.Tags))
}

func desiredIn(c *scope, id, tags string) (*state, error) {
	r := c.tpl.Resources[id]
	next := &state{
		Type: r.Type, Deps: c.tpl.Dependencies(id), OnDelete: r.DeletionPolicy, OnReplace: r.UpdateReplacePolicy,
		Tags: tags, Props: map[string]any{},
	}
	props, err := c.tpl.Eval(any(r.Properties), c.env)
	if err != nil {
		return next, templateError(err)
	}
	if m, ok := scalars(props).(map[string]any); ok {
		next.Props = m
	}
	for name, v := range map[string]any{"Metadata": r.Metadata, "CreationPolicy": r.CreationPolicy, "UpdatePolicy": r.UpdatePolicy} {
		if v == nil {
			continue
		}
		value, err := c.tpl.Eval(v, c.env)
		if err != nil {
			return next, templateError(err)
		}
		if next.Extra == nil {
			next.Extra = map[string]string{}
		}
		next.Extra[name] = jsonText(scalars(value))
	}
	return next, nil
}

func jsonText(v any) string {
	raw, err := json.Marshal(v)
	if err != nil {
		return ""
	}
	return string(raw)
}

// tagText is a fixed form of a stack's tags, for comparing them.
func tagText(tags []Tag) string {
	if len(tags) == 0 {
		return ""
	}
	sorted := slices.SortedFunc(slices.Values(tags), func(a, b Tag) int { return strings.Compare(a.Key, b.Key) })
	return jsonText(sorted)
}

func partition(region string) string {
	switch {
	case strings.HasPrefix(region, "cn-"):
		return "aws-cn"
	case strings.HasPrefix(region, "us-gov-"):
		return "aws-us-gov"
	}
	return "aws"
}

func suffix(region string) string {
	if strings.HasPrefix(region, "cn-") {
		return "amazonaws.com.cn"
	}
	return "amazonaws.com"
}

// zones are a region's availability zones, as an account usually sees them.
func zones(region string) []string {
	letters := "abc"
	switch region {
	case "us-east-1":
		letters = "abcdef"
	case "us-west-2", "ap-northeast-2":
		letters = "abcd"
	case "ap-northeast-1":
		letters = "acd"
	case "ca-central-1":
		letters = "abd"
	case "us-west-1":
		letters = "bc"
	}
	var out []string
	for _, letter := range letters {
		out = append(out, region+string(letter))
	}
	return out
}
