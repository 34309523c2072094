package config

import (
	"strconv"
	"strings"

	"github.com/deployer-cli/deployer/internal/cfnyaml"
	"github.com/deployer-cli/deployer/internal/jinja"
	"github.com/deployer-cli/deployer/stacks"
)

// converter turns YAML nodes into values. Places in the rendered text are led
// back to places in the file.
type converter struct {
	file  string
	lines *lineMap
}

func (c converter) pos(n *cfnyaml.Node) stacks.Pos {
	line, column := c.lines.source(n.Line, n.Column)
	return stacks.Pos{File: c.file, Line: line, Column: column}
}

// value converts n. A tag of the document's own makes a resolver call of it.
func (c converter) value(n *cfnyaml.Node) stacks.Value {
	v := c.plain(n)
	if name, ok := strings.CutPrefix(n.Tag, "!"); ok && name != "" {
		pos := v.Pos
		v = stacks.Value{Kind: stacks.Call, Call: &stacks.Invocation{Name: name, Arg: v}, Pos: pos}
	}
	return v
}

func (c converter) plain(n *cfnyaml.Node) stacks.Value {
	v := stacks.Value{Pos: c.pos(n)}
	switch n.Kind {
	case cfnyaml.Null:
		v.Kind = stacks.Null
	case cfnyaml.Bool:
		v.Kind, v.Text = stacks.Bool, n.Text
	case cfnyaml.Int:
		v.Kind, v.Text = stacks.Int, n.Text
	case cfnyaml.Float:
		v.Kind, v.Text = stacks.Float, n.Text
	case cfnyaml.Time, cfnyaml.String:
		v.Kind, v.Text = stacks.Text, n.Text
	case cfnyaml.List:
		v.Kind = stacks.List
		v.Items = make([]stacks.Value, 0, len(n.Items))
		for _, i := range n.Items {
			v.Items = append(v.Items, c.value(i))
		}
	case cfnyaml.Map:
		v.Kind = stacks.Map
		v.Fields = make([]stacks.Field, 0, len(n.Pairs))
		for _, p := range n.Pairs {
			v.Fields = append(v.Fields, stacks.Field{Key: keyText(p.Key), Value: c.value(p.Value), Pos: c.pos(p.Key)})
		}
	}
	return v
}

// keyText is a map key as its author wrote it: a parameter called On stays On.
func keyText(k *cfnyaml.Node) string {
	if k.Kind == cfnyaml.String {
		return k.Text
	}
	return k.Raw
}

// jinjaValue gives v as Jinja sees it. A resolver call shows as it would be
// written, so that printing it into a config makes the same call there.
func jinjaValue(v stacks.Value) any {
	switch v.Kind {
	case stacks.Null, stacks.Unknown:
		return nil
	case stacks.Bool:
		return v.Text == "true"
	case stacks.Int:
		if n, err := strconv.ParseInt(v.Text, 10, 64); err == nil {
			return n
		}
		return v.Text
	case stacks.Float:
		if f, err := strconv.ParseFloat(v.Text, 64); err == nil {
			return f
		}
		return v.Text
	case stacks.Text:
		return v.Text
	case stacks.List:
		list := &jinja.List{Items: make([]any, 0, len(v.Items))}
		for _, i := range v.Items {
			list.Items = append(list.Items, jinjaValue(i))
		}
		return list
	case stacks.Map:
		return jinjaDict(v.Fields)
	case stacks.Call:
		return v.Call.String()
	}
	return nil
}

func jinjaDict(fields []stacks.Field) *jinja.Dict {
	d := jinja.NewDict()
	for _, f := range fields {
		d.Set(f.Key, jinjaValue(f.Value))
	}
	return d
}

// same tells whether two values are equal, wherever they were written.
func same(a, b stacks.Value) bool {
	if a.Kind != b.Kind || a.Text != b.Text || len(a.Items) != len(b.Items) || len(a.Fields) != len(b.Fields) {
		return false
	}
	for i := range a.Items {
		if !same(a.Items[i], b.Items[i]) {
			return false
		}
	}
	for i := range a.Fields {
		if a.Fields[i].Key != b.Fields[i].Key || !same(a.Fields[i].Value, b.Fields[i].Value) {
			return false
		}
	}
	if a.Call == nil || b.Call == nil {
		return a.Call == b.Call
	}
	return a.Call.Name == b.Call.Name && same(a.Call.Arg, b.Call.Arg)
}
