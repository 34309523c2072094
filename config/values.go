package config

import (
	"path"
	"strings"

	"github.com/deployer-cli/deployer/stacks"
)

// parameters are the parameters with their values as CloudFormation takes
// them: strings, or lists of strings. Nothing (null) leaves a parameter out.
func (b *builder) parameters() []stacks.Field {
	f, ok := b.find("parameters")
	if !ok {
		return nil
	}
	if f.Value.Kind != stacks.Map {
		b.problem(f.Value.Pos, "parameters must be a map", "it is "+shown(f.Value), "")
		return nil
	}
	out := make([]stacks.Field, 0, len(f.Value.Fields))
	for _, p := range f.Value.Fields {
		if p.Value.Kind == stacks.Null {
			continue
		}
		p.Value = b.parameter(p.Key, p.Value)
		out = append(out, p)
	}
	return out
}

func (b *builder) parameter(name string, v stacks.Value) stacks.Value {
	switch v.Kind {
	case stacks.Bool, stacks.Int, stacks.Float:
		v.Kind = stacks.Text // true, 80, 1.5: the text is as Python's str, booleans in small letters
		return v
	case stacks.List:
		items := make([]stacks.Value, 0, len(v.Items))
		for _, i := range v.Items {
			if i.Kind == stacks.List {
				b.problem(i.Pos, "parameter "+name+" holds a list in a list", "a parameter is a value or a list of values", "")
				continue
			}
			if i.Kind != stacks.Null {
				items = append(items, b.parameter(name, i))
			}
		}
		v.Items = items
		return v
	case stacks.Map:
		b.problem(v.Pos, "parameter "+name+" is a map", "a parameter is a value or a list of values", "")
		return v
	default:
		return v // a string, or a call whose answer is checked when it is there
	}
}

// tags are the stack's tags as strings. A boolean is True or False, since that
// is what Sceptre has put on live stacks.
func (b *builder) tags() []stacks.Field {
	f, ok := b.find("stack_tags")
	if !ok {
		return nil
	}
	if f.Value.Kind != stacks.Map {
		b.problem(f.Value.Pos, "stack_tags must be a map", "it is "+shown(f.Value), "")
		return nil
	}
	out := make([]stacks.Field, 0, len(f.Value.Fields))
	for _, t := range f.Value.Fields {
		switch t.Value.Kind {
		case stacks.Null:
			continue
		case stacks.Bool:
			t.Value.Text = strings.ToUpper(t.Value.Text[:1]) + t.Value.Text[1:]
			t.Value.Kind = stacks.Text
		case stacks.Int, stacks.Float:
			t.Value.Kind = stacks.Text
		case stacks.List, stacks.Map:
			b.problem(t.Value.Pos, "tag "+t.Key+" must be a string", "it is "+shown(t.Value), "")
		default: // a string or a call
		}
		out = append(out, t)
	}
	return out
}

func (b *builder) notifications() []stacks.Value {
	f, ok := b.find("notifications")
	if !ok {
		return nil
	}
	var out []stacks.Value
	for _, n := range asList(f.Value) {
		switch n.Kind {
		case stacks.Text, stacks.Call:
			out = append(out, n)
		case stacks.Null:
		default:
			b.problem(n.Pos, "a notification must be the ARN of a topic", "it is "+shown(n), "")
		}
	}
	return out
}

func (b *builder) hooks() []stacks.HookPoint {
	f, ok := b.find("hooks")
	if !ok {
		return nil
	}
	if f.Value.Kind != stacks.Map {
		b.problem(f.Value.Pos, "hooks must be a map of moments", "it is "+shown(f.Value), "write hooks: {before_create: [!cmd …]}")
		return nil
	}
	out := make([]stacks.HookPoint, 0, len(f.Value.Fields))
	for _, point := range f.Value.Fields {
		h := stacks.HookPoint{Name: point.Key}
		for _, v := range asList(point.Value) {
			if v.Kind != stacks.Call {
				b.problem(v.Pos, "hook of "+point.Key+" must be a call", "it is "+shown(v), "write !cmd before the command")
				continue
			}
			h.Hooks = append(h.Hooks, v)
		}
		out = append(out, h)
	}
	return out
}

// dependencies are the stacks named under dependencies. Whether they exist is
// checked when all files are known. A stack that names itself, usually
// through its group, does not wait for itself.
func (b *builder) dependencies() []stacks.Dependency {
	f, ok := b.find("dependencies")
	if !ok {
		return nil
	}
	if f.Value.Kind != stacks.List {
		b.problem(f.Value.Pos, "dependencies must be a list of stacks", "it is "+shown(f.Value), "")
		return nil
	}
	var out []stacks.Dependency
	seen := map[stacks.Path]bool{b.path: true}
	for _, d := range f.Value.Items {
		if d.Kind == stacks.Null {
			continue
		}
		if d.Kind != stacks.Text {
			b.problem(d.Pos, "a dependency must be the path of a stack", "it is "+shown(d), "write it as dev/network.yaml")
			continue
		}
		p := stackPath(d.Text)
		if !seen[p] {
			seen[p] = true
			out = append(out, stacks.Dependency{Path: p, Pos: d.Pos})
		}
	}
	return out
}

// stackPath is the path of a stack as configs write it: with or without
// .yaml, relative to config/.
func stackPath(s string) stacks.Path {
	s = path.Clean(strings.ReplaceAll(strings.TrimSpace(s), `\`, "/"))
	return stacks.Path(strings.TrimSuffix(strings.TrimPrefix(s, "/"), ".yaml"))
}
