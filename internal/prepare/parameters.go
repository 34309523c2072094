package prepare

import (
	"cmp"
	"slices"
	"strings"

	"github.com/deployer-cli/deployer/internal/resolve"
	"github.com/deployer-cli/deployer/stacks"
)

// parameters resolves the stack's parameters and gives them the form in which
// CloudFormation takes them.
func (m *making) parameters() {
	var out []stacks.Parameter
	for _, f := range m.stack.Parameters {
		p, ok := m.parameter(f)
		if !ok || p == nil {
			continue
		}
		p.Secret = p.Secret || m.noEcho(f.Key)
		if i := slices.IndexFunc(out, func(o stacks.Parameter) bool { return o.Key == p.Key }); i >= 0 {
			out[i] = *p
			continue
		}
		out = append(out, *p)
	}
	out = m.snapshots(out)
	slices.SortFunc(out, func(a, b stacks.Parameter) int { return cmp.Compare(a.Key, b.Key) })
	m.out.Parameters = out
}

// snapshots leaves the parameters that take snapshots as the live stack has them:
// recovery sets them, and another value would replace a database by one of before.
// What the project gives is for the creation.
func (m *making) snapshots(out []stacks.Parameter) []stacks.Parameter {
	for _, key := range m.stack.SnapshotParameters() {
		i := slices.IndexFunc(out, func(p stacks.Parameter) bool { return p.Key == key })
		switch {
		case i >= 0:
			out[i].Previous = true
		case m.template != nil && m.template.Parameters[key].Name != "":
			out = append(out, stacks.Parameter{Key: key, Previous: true})
		}
	}
	return out
}

func (m *making) noEcho(key string) bool {
	return m.template != nil && m.template.Parameters[key].NoEcho
}

// parameter makes one parameter ready; nil is one that is left out.
func (m *making) parameter(f stacks.Field) (*stacks.Parameter, bool) {
	v, ok := m.resolve(f.Key, f.Value)
	if !ok {
		return nil, false
	}
	v, keep, why := previous(v)
	if v.Kind == stacks.Null && !keep {
		return nil, true
	}
	var p stacks.Parameter
	if why == "" {
		p, why = Parameter(f.Key, v)
	}
	if why != "" {
		m.fail(m.wrong(f.Pos, "parameter "+f.Key, why, ""))
		return nil, false
	}
	p.Previous = keep
	m.after(p.After...)
	return &p, true
}

// previous takes a !previous call apart: the default to use where there is no
// live value, and whether it was such a call at all. It is not resolved like
// others, since what it gives is no value but an order.
func previous(v stacks.Value) (value stacks.Value, keep bool, why string) {
	if v.Kind != stacks.Call || v.Call.Name != resolve.Previous {
		return v, false, ""
	}
	arg := v.Call.Arg
	switch {
	case arg.Kind == stacks.Null, arg.Kind == stacks.Text && arg.Text == "", arg.Kind == stacks.Map && len(arg.Fields) == 0:
		return stacks.Value{Secret: v.Secret}, true, ""
	case arg.Kind == stacks.Map && len(arg.Fields) == 1 && arg.Fields[0].Key == "default":
		value = arg.Fields[0].Value
		value.Secret = value.Secret || v.Secret
		return value, true, ""
	}
	return v, true, "!previous takes nothing or {default: a value}"
}

// Parameter gives a resolved value the form of a template parameter, as Sceptre
// does: booleans in small letters, lists joined with commas. why says why there
// is no such form, "" when there is.
func Parameter(key string, v stacks.Value) (p stacks.Parameter, why string) {
	p = stacks.Parameter{Key: key, Secret: v.HasSecret()}
	items := []stacks.Value{v}
	if v.Kind == stacks.List {
		items = v.Items
	}
	var values, hints []string
	for _, i := range items {
		switch {
		case i.Kind == stacks.Null:
		case i.Kind == stacks.Unknown:
			p.Unknown = true
			p.After = append(p.After, i.After...)
			hints = append(hints, i.Hint)
		case i.IsScalar():
			values = append(values, i.Text)
			hints = append(hints, hint(i, p.Secret))
		default:
			return p, wrongKind(v, i)
		}
	}
	if p.Unknown {
		p.After = stacks.SortPaths(p.After)
		p.Hint = strings.Join(hints, ",")
		return p, ""
	}
	p.Value = strings.Join(values, ",")
	return p, ""
}

func hint(v stacks.Value, secret bool) string {
	if secret {
		return "****"
	}
	return v.Text
}

func wrongKind(v, item stacks.Value) string {
	if v.Kind == stacks.List {
		return "a list holds texts, numbers and booleans, not " + item.Kind.String()
	}
	return "it has to be a text, a number, a boolean or a list, not " + item.Kind.String()
}
