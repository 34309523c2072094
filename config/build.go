package config

import (
	"slices"
	"strconv"
	"strings"

	"github.com/deployer-cli/deployer/stacks"
)

// builder makes a stack of a merged config, and notes all that is wrong.
type builder struct {
	config   stacks.Value
	group    *group
	path     stacks.Path
	file     string
	problems []*stacks.Problem
}

func (b *builder) build() *stacks.Stack {
	st := &stacks.Stack{
		Path:   b.path,
		File:   b.file,
		Pos:    b.firstPos(),
		Config: b.config,
		Group:  b.group.config,
	}
	b.aliases()
	st.ProjectCode = b.required("project_code", "it is the first part of every stack's name")
	st.Access = b.access(st)
	st.Name = b.name(st.ProjectCode)
	st.Template = b.template()
	st.Parameters = b.parameters()
	st.Tags = b.tags()
	st.UserData, _ = b.config.Get("sceptre_user_data")
	st.Notifications = b.notifications()
	st.ServiceRole = b.textOrCall("cloudformation_service_role", "role_arn")
	st.Bucket = b.textOrCall("template_bucket_name")
	st.KeyPrefix = b.text("template_key_prefix")
	st.StackPolicy = b.policy()
	st.Dependencies = b.dependencies()
	st.Hooks = b.hooks()
	st.Protect = b.flag("protect") || b.flag("protected")
	st.TerminationProtection = b.optionalFlag("termination_protection")
	st.Ignore = b.flag("ignore")
	st.Obsolete = b.flag("obsolete")
	st.DisableRollback = b.flag("disable_rollback")
	st.OnFailure = b.onFailure()
	st.TimeoutMinutes = b.number("stack_timeout")
	st.Break = b.breakBlock()
	b.requiredVersion()
	return st
}

// firstPos is the place of the file's first key.
func (b *builder) firstPos() stacks.Pos {
	first := stacks.Pos{File: b.file, Line: 1, Column: 1}
	found := false
	for _, f := range b.config.Fields {
		if f.Pos.File == b.file && (!found || f.Pos.Line < first.Line) {
			first, found = f.Pos, true
		}
	}
	return first
}

// aliases refuses an old key beside its new name.
func (b *builder) aliases() {
	for _, a := range aliases() {
		f, hasOld := field(b.config, a.old)
		if _, hasNow := field(b.config, a.now); hasOld && hasNow {
			b.problem(f.Pos, "both "+a.old+" and "+a.now+" are given", "they are two names of one key", "keep "+a.now)
		}
	}
}

func (b *builder) access(st *stacks.Stack) stacks.Access {
	a := stacks.Access{Region: b.required("region", "every stack lives in a region"), Profile: b.text("profile")}
	role := b.textOrCall("sceptre_role", "iam_role")
	if role.Kind == stacks.Call {
		st.AccessRole = role
	} else {
		a.Role = role.Text
	}
	a.RoleSeconds = b.number("sceptre_role_session_duration", "iam_role_session_duration")
	return a
}

// find returns the first of the keys that is there and not empty.
func (b *builder) find(keys ...string) (stacks.Field, bool) {
	for _, k := range keys {
		if f, ok := field(b.config, k); ok && f.Value.Kind != stacks.Null {
			return f, true
		}
	}
	return stacks.Field{}, false
}

func (b *builder) required(key, why string) string {
	if f, ok := b.find(key); ok && (f.Value.Kind != stacks.Text || f.Value.Text != "") {
		return b.text(key)
	}
	b.problem(b.firstPos(), key+" is missing", why, "add "+key+" to config/config.yaml")
	return ""
}

// text reads a plain value.
func (b *builder) text(keys ...string) string {
	f, ok := b.find(keys...)
	if !ok {
		return ""
	}
	if f.Value.Kind == stacks.Call {
		b.problem(f.Value.Pos, "resolvers are not allowed in "+f.Key, "it must be known before anything is resolved", "")
		return ""
	}
	if !f.Value.IsScalar() {
		b.problem(f.Value.Pos, f.Key+" must be a string", "it is "+shown(f.Value), "")
		return ""
	}
	return f.Value.Text
}

func (b *builder) textOrCall(keys ...string) stacks.Value {
	f, ok := b.find(keys...)
	if !ok || f.Value.Kind == stacks.Call {
		return f.Value
	}
	s := b.text(f.Key)
	if s == "" {
		return stacks.Value{}
	}
	return stacks.Value{Kind: stacks.Text, Text: s, Pos: f.Value.Pos}
}

func (b *builder) number(keys ...string) int {
	f, ok := b.find(keys...)
	if !ok {
		return 0
	}
	n, err := strconv.Atoi(f.Value.Text)
	if err != nil || n < 0 || (f.Value.Kind != stacks.Int && f.Value.Kind != stacks.Text) {
		b.problem(f.Value.Pos, f.Key+" must be a whole number", "it is "+shown(f.Value), "")
		return 0
	}
	return n
}

func (b *builder) flag(key string) bool {
	v := b.optionalFlag(key)
	return v != nil && *v
}

// optionalFlag reads a boolean. For Sceptre's disable_rollback and protect the
// words count too, since its manual shows them in quotes.
func (b *builder) optionalFlag(key string) *bool {
	f, ok := b.find(key)
	if !ok {
		return nil
	}
	quoted := key == "disable_rollback" || key == "protect" || key == "protected"
	if f.Value.Kind == stacks.Bool || (quoted && f.Value.Kind == stacks.Text) {
		switch strings.ToLower(f.Value.Text) {
		case "true":
			return new(true)
		case "false":
			return new(false)
		}
	}
	b.problem(f.Value.Pos, f.Key+" must be true or false", "it is "+shown(f.Value), "")
	return nil
}

func (b *builder) onFailure() string {
	s := b.text("on_failure")
	if s == "" || slices.Contains([]string{"DO_NOTHING", "ROLLBACK", "DELETE"}, s) {
		return s
	}
	f, _ := b.find("on_failure")
	b.problem(f.Value.Pos, "on_failure must be DO_NOTHING, ROLLBACK or DELETE", "it is "+shown(f.Value), "")
	return ""
}

func (b *builder) template() stacks.Source {
	f, ok := b.find("template", "template_path")
	if !ok {
		b.problem(b.firstPos(), "template is missing", "a stack is made from a template", "add template: {path: NAME.yaml}")
		return stacks.Source{}
	}
	if f.Key == "template_path" {
		return stacks.Source{Type: "file", Path: b.text("template_path"), Pos: f.Pos}
	}
	if f.Value.Kind != stacks.Map {
		b.problem(f.Value.Pos, "template must be a map", "it is "+shown(f.Value), "write template: {path: NAME.yaml}")
		return stacks.Source{}
	}
	src := stacks.Source{Type: "file", Args: f.Value, Pos: f.Pos}
	if t, ok := f.Value.Get("type"); ok && t.Kind != stacks.Null {
		if t.Kind != stacks.Text {
			b.problem(t.Pos, "template.type must be a string", "it is "+shown(t), "")
		}
		src.Type = t.Text
	}
	if p, ok := f.Value.Get("path"); ok && p.IsScalar() {
		src.Path = p.Text
	} else if src.Type == "file" && p.Kind != stacks.Call {
		b.problem(f.Pos, "template.path is missing", "a template of type file needs its path", "")
	}
	return src
}

func (b *builder) policy() stacks.Value {
	f, ok := b.find("stack_policy")
	if !ok {
		return stacks.Value{}
	}
	if f.Value.Kind != stacks.Text && f.Value.Kind != stacks.Map {
		b.problem(f.Value.Pos, "stack_policy must be a file's path or a map", "it is "+shown(f.Value), "")
	}
	return f.Value
}

func (b *builder) breakBlock() stacks.Value {
	f, ok := b.find("break")
	if !ok {
		return stacks.Value{}
	}
	b.problems = append(b.problems, stackBreakShape().verify("break", f.Value)...)
	return f.Value
}

func (b *builder) problem(pos stacks.Pos, what, why, tip string) {
	b.problems = append(b.problems, &stacks.Problem{Pos: pos, What: what, Why: why, Tip: tip})
}
