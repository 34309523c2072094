package config

import (
	"slices"
	"strings"

	"github.com/deployer-cli/deployer/stacks"
)

// Names of inheritance strategies, as values of keys like
// stack_tags_inheritance.
const (
	inheritMerge    = "merge"
	inheritOverride = "override"
	inheritSuffix   = "_inheritance"
)

// merge lays child over parent, both Maps. A key of the child replaces the
// parent's, but dependencies are joined, and the keys that have an
// _inheritance key can be merged, one level deep.
func merge(parent, child stacks.Value) (stacks.Value, []*stacks.Problem) {
	out := stacks.Value{Kind: stacks.Map, Pos: child.Pos}
	out.Fields = make([]stacks.Field, len(parent.Fields), len(parent.Fields)+len(child.Fields))
	copy(out.Fields, parent.Fields)
	for _, f := range child.Fields {
		put(&out, f)
	}
	var problems []*stacks.Problem
	for _, key := range mergeable() {
		strategy, problem := strategyOf(parent, child, key)
		if problem != nil {
			problems = append(problems, problem)
			continue
		}
		left, hasLeft := field(parent, key)
		right, hasRight := field(child, key)
		if !hasLeft || !hasRight || strategy != inheritMerge {
			continue
		}
		joined, problem := join(left, right)
		if problem != nil {
			problems = append(problems, problem)
			continue
		}
		put(&out, joined)
	}
	tighten(parent, child, &out)
	return out, problems
}

// mergeable are the keys that may be merged instead of replaced.
func mergeable() []string {
	return []string{"dependencies", "hooks", "notifications", "parameters", "sceptre_user_data", "stack_tags"}
}

// strategyOf says how key is inherited: as the child says, else the parent.
func strategyOf(parent, child stacks.Value, key string) (string, *stacks.Problem) {
	f, ok := field(child, key+inheritSuffix)
	if !ok || f.Value.Text == "" {
		f, ok = field(parent, key+inheritSuffix)
	}
	if !ok || (f.Value.Kind == stacks.Null) {
		if key == "dependencies" {
			return inheritMerge, nil
		}
		return inheritOverride, nil
	}
	if f.Value.Kind == stacks.Text && (f.Value.Text == inheritMerge || f.Value.Text == inheritOverride) {
		return f.Value.Text, nil
	}
	return "", &stacks.Problem{
		Pos:  f.Value.Pos,
		What: f.Key + " must be merge or override",
		Why:  "it is " + shown(f.Value),
	}
}

// join merges two values of one key: lists one after the other, maps with the
// child's keys over the parent's. Hooks of one moment add up.
func join(parent, child stacks.Field) (stacks.Field, *stacks.Problem) {
	a, b := parent.Value, child.Value
	switch {
	case b.Kind == stacks.Null:
		return parent, nil
	case a.Kind == stacks.Null:
		return child, nil
	case a.Kind == stacks.List && b.Kind == stacks.List:
		child.Value.Items = slices.Concat(a.Items, b.Items)
		return child, nil
	case a.Kind == stacks.Map && b.Kind == stacks.Map:
		out := stacks.Value{Kind: stacks.Map, Pos: b.Pos, Fields: slices.Clone(a.Fields)}
		for _, f := range b.Fields {
			if above, ok := field(out, f.Key); ok && child.Key == "hooks" {
				f.Value = stacks.Value{
					Kind: stacks.List, Pos: f.Value.Pos,
					Items: slices.Concat(asList(above.Value), asList(f.Value)),
				}
			}
			put(&out, f)
		}
		child.Value = out
		return child, nil
	}
	return child, &stacks.Problem{
		Pos:  child.Pos,
		What: child.Key + " cannot be merged with what the group has",
		Why:  "here it is " + b.Kind.String() + ", at " + parent.Pos.String() + " " + a.Kind.String(),
	}
}

// tighten keeps a group's break.allow in force where it forbids: restrictions
// inherit downwards and only tighten, also under a break block that is empty.
func tighten(parent, child stacks.Value, out *stacks.Value) {
	above, hasAbove := field(parent, "break")
	below, hasBelow := field(child, "break")
	if !hasAbove || !hasBelow || below.Value.Kind != stacks.Map && below.Value.Kind != stacks.Null {
		return
	}
	allow, _ := field(above.Value, "allow")
	own, _ := field(below.Value, "allow")
	if forbids(allow.Value) <= forbids(own.Value) {
		return
	}
	below.Value = stacks.Value{Kind: stacks.Map, Pos: below.Value.Pos, Fields: slices.Clone(below.Value.Fields)}
	put(&below.Value, allow)
	put(out, below)
}

// forbids says how much a value of break.allow forbids: the more, the greater. What
// is none of its words stays where it stands, to be told.
func forbids(allow stacks.Value) int {
	switch {
	case allow.Kind == stacks.Null, allow.Kind == stacks.Bool && allow.Text == "true":
		return 0
	case allow.Kind == stacks.Bool:
		return 1
	}
	return 2
}

// sharedData refuses break.data in a group's file: what may be lost is named in the
// file of the stack that holds it. The group goes on without.
func sharedData(v stacks.Value) (stacks.Value, *stacks.Problem) {
	f, ok := field(v, "break")
	if !ok {
		return v, nil
	}
	data, ok := field(f.Value, "data")
	if !ok || data.Value.Kind == stacks.Null {
		return v, nil
	}
	f.Value.Fields = slices.DeleteFunc(slices.Clone(f.Value.Fields), func(f stacks.Field) bool { return f.Key == "data" })
	v.Fields = slices.Clone(v.Fields)
	put(&v, f)
	return v, &stacks.Problem{
		Pos: data.Pos, What: "break.data cannot stand in a group's file",
		Why: "a name there would let go of whatever is called so in every stack below",
		Tip: "move it to the file of the stack that holds the data",
	}
}

// asList gives a list's items, and anything else as the only item.
func asList(v stacks.Value) []stacks.Value {
	switch v.Kind {
	case stacks.List:
		return v.Items
	case stacks.Null:
		return nil
	default:
		return []stacks.Value{v}
	}
}

// put sets a field of a Map, in its place where the key is there already.
func put(m *stacks.Value, f stacks.Field) {
	for i := range m.Fields {
		if m.Fields[i].Key == f.Key {
			m.Fields[i] = f
			return
		}
	}
	m.Fields = append(m.Fields, f)
}

// field returns the field of a Map with the given key.
func field(m stacks.Value, key string) (stacks.Field, bool) {
	for i := range m.Fields {
		if m.Fields[i].Key == key {
			return m.Fields[i], true
		}
	}
	return stacks.Field{}, false
}

// shown is a value in a message: short, and with quotes around a string.
func shown(v stacks.Value) string {
	switch {
	case v.Kind == stacks.Text && strings.Contains(v.Text, "://"):
		return "an address" // it may hold a password, or be a secret itself
	case v.Kind == stacks.Text && len(v.Text) <= 60 && !strings.Contains(v.Text, "\n"):
		return `"` + v.Text + `"`
	case v.Kind == stacks.Call:
		return "the resolver call !" + v.Call.Name
	case v.IsScalar() && len(v.Text) <= 60:
		return v.Text
	}
	return v.Kind.String()
}
