package capsule

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/deployer-cli/deployer/stacks"
)

// source is an output of a captured stack that has another value once the stack
// is made again.
type source struct {
	value string
	stack stacks.Path
	key   string
}

// sources are those that c may draw on: outputs, with ids or attributes of
// resources, of the captured stacks that it depends on. Longer values come
// first.
func sources(c Capsule, all []Capsule) []source {
	var out []source
	for _, o := range all {
		if o.Stack == c.Stack || !slices.Contains(c.After, o.Stack) {
			continue
		}
		t := templateOf(o.Template)
		for _, output := range o.Outputs {
			if len(output.Value) >= shortest && attribute(t, output.Key) {
				out = append(out, source{output.Value, o.Stack, output.Key})
			}
		}
	}
	slices.SortStableFunc(out, func(a, b source) int { return cmp.Compare(len(b.value), len(a.value)) })
	return out
}

// drawn is a captured value as it has to be written: an id of another captured
// stack is one of a resource that is gone, and is asked of that stack instead.
func drawn(text string, from []source) stacks.Value {
	var pieces []stacks.Value
	rest, begin := text, 0
	for i := 0; i < len(rest); {
		s, found := sourceAt(rest, i, from)
		if !found {
			i++
			continue
		}
		if i > begin {
			pieces = append(pieces, stacks.String(rest[begin:i]))
		}
		pieces = append(pieces, stacks.Value{Kind: stacks.Call, Call: &stacks.Invocation{
			Name: "stack_output", Arg: stacks.String(string(s.stack) + ".yaml::" + s.key),
		}})
		i += len(s.value)
		begin = i
	}
	switch {
	case len(pieces) == 0:
		return stacks.String(text)
	case begin < len(rest):
		pieces = append(pieces, stacks.String(rest[begin:]))
	}
	if len(pieces) == 1 {
		return pieces[0]
	}
	return stacks.Value{Kind: stacks.Call, Call: &stacks.Invocation{Name: "join", Arg: stacks.Value{
		Kind: stacks.List, Items: []stacks.Value{stacks.String(""), {Kind: stacks.List, Items: pieces}},
	}}}
}

// sourceAt finds the source whose value stands at a place of a text, as a word
// of its own: 10.0.0.1 does not stand in 10.0.0.12.
func sourceAt(text string, i int, from []source) (source, bool) {
	if i > 0 && inWord(text[i-1]) {
		return source{}, false
	}
	for _, s := range from {
		rest, ok := strings.CutPrefix(text[i:], s.value)
		if ok && (rest == "" || !inWord(rest[0])) {
			return s, true
		}
	}
	return source{}, false
}

func inWord(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '-' || c == '_'
}

// Embedded tells where an id of one captured stack is written into the template
// of another: that one is made again as it was captured, and then names what is
// gone. Such a template was rendered; launching from the config renders it anew.
func Embedded(all []Capsule) []string {
	var out []string
	for _, c := range all {
		for _, o := range all {
			if o.Stack == c.Stack {
				continue
			}
			for _, r := range o.Resources {
				if len(r.PhysicalID) > shortest && strings.Contains(c.Template.Original, r.PhysicalID) {
					out = append(out, fmt.Sprintf("the template of %s names %s, which is %s of %s", c.Stack, r.PhysicalID, r.LogicalID, o.Stack))
				}
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}
