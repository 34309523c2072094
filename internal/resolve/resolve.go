package resolve

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/deployer-cli/deployer/internal/spell"
	"github.com/deployer-cli/deployer/stacks"
)

// Previous is the name of the call that is left in place; see the package's
// documentation.
const Previous = "previous"

// maxDepth bounds how deep calls may lie in each other, !stack_attr followed.
const maxDepth = 100

// Set resolves the values of one run. Everything from outside is asked for
// once. A Set is safe for concurrent use.
type Set struct {
	ports     Ports
	resolvers map[string]resolver
	cache     cache
}

// resolver is one kind of call. run gets the argument resolved, nulls taken
// out of it and nothing in it Unknown, unless the resolver is raw.
type resolver struct {
	name string
	raw  bool // run gets the argument as it stands, and resolves it itself
	run  func(ctx context.Context, c call) (stacks.Value, error)
}

// call is one call being resolved.
type call struct {
	set   *Set
	stack *stacks.Stack
	arg   stacks.Value
	name  string
	pos   stacks.Pos
	key   string   // the nearest key the value stands under, "" if none
	trail []string // keys that !stack_attr has followed to come here
	depth int
	inner bool // inside a list, a nested map or another call
}

// New returns a Set over the given ports.
func New(p Ports) *Set {
	s := &Set{ports: p, resolvers: map[string]resolver{}}
	for _, r := range builtin() {
		s.resolvers[r.name] = r
	}
	return s
}

// builtin lists the resolvers.
func builtin() []resolver {
	return []resolver{
		{name: "stack_output", run: stackOutput},
		{name: "stack_output_external", run: stackOutputExternal},
		{name: "stack_attr", run: stackAttr},
		{name: "environment_variable", run: environmentVariable},
		{name: "file", run: file},
		{name: "file_contents", run: fileContents},
		{name: "ssm", run: ssm},
		{name: "aws_secrets_manager", run: secretsManager},
		{name: "rcmd", run: rcmd},
		{name: "join", raw: true, run: join},
		{name: "split", raw: true, run: split},
		{name: "select", raw: true, run: selectItem},
		{name: "sub", raw: true, run: sub},
		{name: "no_value", run: func(context.Context, call) (stacks.Value, error) { return stacks.Value{}, nil }},
		{name: "date", run: date},
		{name: "from_json", run: fromJSON},
		{name: "request", run: request},
		{name: Previous, raw: true, run: previous},
	}
}

// Known tells whether there is a resolver of that name.
func Known(name string) bool { return slices.Contains(Names(), name) }

// Names lists the resolvers, sorted.
func Names() []string {
	var out []string
	for _, r := range builtin() {
		out = append(out, r.name)
	}
	slices.Sort(out)
	return out
}

// Value resolves every call in v. Calls in lists and maps that give nothing
// take their item or key with them; a call that is all of v and gives nothing
// is answered with a Null. The error is a *stacks.Problem, or what a port
// answered with the place before it.
func (s *Set) Value(ctx context.Context, st *stacks.Stack, v stacks.Value) (stacks.Value, error) {
	return s.value(ctx, call{set: s, stack: st}, v)
}

// Fields resolves the values of named things, such as parameters: names count
// in telling what is secret, and the stack's secrets key says otherwise. What
// resolves to nothing is left out.
func (s *Set) Fields(ctx context.Context, st *stacks.Stack, fields []stacks.Field) ([]stacks.Field, error) {
	v, err := s.value(ctx, call{set: s, stack: st}, stacks.Value{Kind: stacks.Map, Fields: fields})
	return v.Fields, err
}

// value resolves v in the place that c describes.
func (s *Set) value(ctx context.Context, c call, v stacks.Value) (stacks.Value, error) {
	switch v.Kind {
	case stacks.List:
		return s.list(ctx, c, v)
	case stacks.Map:
		return s.fields(ctx, c, v)
	case stacks.Call:
		return s.call(ctx, c, v)
	default:
		return v, nil
	}
}

func (s *Set) list(ctx context.Context, c call, v stacks.Value) (stacks.Value, error) {
	items := make([]stacks.Value, 0, len(v.Items))
	c.inner = true
	for _, i := range v.Items {
		w, err := s.value(ctx, c, i)
		if err != nil {
			return stacks.Value{}, err
		}
		if i.Kind == stacks.Call && w.Kind == stacks.Null {
			continue
		}
		items = append(items, w)
	}
	v.Items = items
	return v, nil
}

func (s *Set) fields(ctx context.Context, c call, v stacks.Value) (stacks.Value, error) {
	fields := make([]stacks.Field, 0, len(v.Fields))
	c.inner = c.inner || c.key != ""
	for _, f := range v.Fields {
		c.key = f.Key
		w, err := s.value(ctx, c, f.Value)
		if err != nil {
			return stacks.Value{}, err
		}
		if f.Value.Kind == stacks.Call && w.Kind == stacks.Null {
			continue
		}
		f.Value = overridden(c.stack, f.Key, w)
		fields = append(fields, f)
	}
	v.Fields = fields
	return v, nil
}

func (s *Set) call(ctx context.Context, c call, v stacks.Value) (stacks.Value, error) {
	r, ok := s.resolvers[v.Call.Name]
	if !ok && s.ports.Plugins != nil && s.ports.Plugins.HasResolver(v.Call.Name) {
		r, ok = resolver{name: v.Call.Name, run: plugin}, true
	}
	if !ok {
		return stacks.Value{}, unknownTag(v)
	}
	c.name, c.pos, c.arg = r.name, v.Pos, v.Call.Arg
	if c.depth++; c.depth > maxDepth {
		return stacks.Value{}, c.problem("resolver calls lie too deep in each other", "")
	}
	if !r.raw {
		arg, err := c.resolved(ctx, c.arg)
		if err != nil {
			return stacks.Value{}, err
		}
		if after, unknown := arg.HasUnknown(); unknown {
			return c.later(arg.HasSecret(), after...), nil
		}
		c.arg = arg
	}
	if err := ctx.Err(); err != nil {
		return stacks.Value{}, context.Cause(ctx)
	}
	out, err := r.run(ctx, c)
	if err != nil {
		return stacks.Value{}, c.placed(err)
	}
	if out.Pos.File == "" {
		out.Pos = v.Pos
	}
	if !r.raw && c.arg.HasSecret() {
		out.Secret = true
	}
	return out, nil
}

// resolved resolves an argument, or a part of one.
func (c call) resolved(ctx context.Context, v stacks.Value) (stacks.Value, error) {
	inside := c
	inside.inner = true
	return c.set.value(ctx, inside, v)
}

// later is a value that the call gives once after is done.
func (c call) later(secret bool, after ...stacks.Path) stacks.Value {
	v := stacks.Later("!"+c.name, after...)
	if c.arg.Kind == stacks.Text && !c.arg.Secret {
		v.Hint += " " + c.arg.Text
	}
	v.Secret, v.Pos = secret, c.pos
	return v
}

func (c call) problem(why, tip string) error {
	return &stacks.Problem{Pos: c.pos, What: "!" + c.name + " cannot be resolved", Why: why, Tip: tip}
}

// wants is the problem of an argument of the wrong form.
func (c call) wants(form string) error {
	return c.problem("its argument must be "+form, "")
}

// text gives the argument as a string.
func (c call) text(form string) (string, error) {
	if !c.arg.IsScalar() || c.arg.Text == "" {
		return "", c.wants(form)
	}
	return c.arg.Text, nil
}

// placed puts the place of the call before an error from a port.
func (c call) placed(err error) error {
	if _, ok := err.(*stacks.Problem); ok { //nolint:errorlint // a wrapped one still needs its place
		return err
	}
	if _, ok := err.(*callError); ok { //nolint:errorlint // as above
		return err
	}
	return &callError{pos: c.pos, name: c.name, cause: err}
}

// callError is a port's error with the place of the call that asked.
type callError struct {
	pos   stacks.Pos
	name  string
	cause error
}

// Error gives place, call and cause.
func (e *callError) Error() string {
	return fmt.Sprintf("%s: cannot resolve !%s: %v", e.pos, e.name, e.cause)
}

// Unwrap gives what the port answered.
func (e *callError) Unwrap() error { return e.cause }

// unknownTag is the problem of a call that no resolver answers.
func unknownTag(v stacks.Value) error {
	p := &stacks.Problem{Pos: v.Pos, What: "unknown resolver !" + v.Call.Name, Why: "nothing answers to that name"}
	if near, ok := spell.Nearest(v.Call.Name, 2, slices.Values(Names())); ok {
		p.Tip = "did you mean !" + near + "?"
	} else {
		p.Tip = "resolvers: !" + strings.Join(Names(), ", !") + ", or a program deployer-resolver-" + v.Call.Name + " on the path or in plugins/"
	}
	return p
}
