package cfntemplate

import (
	"reflect"
	"strings"

	"github.com/deployer-cli/deployer/internal/cfnyaml"
)

// place is where something stands in the file; the zero place is nowhere.
type place struct{ line, column int }

// places finds the node that a map or list of Template.Doc was read from. Its
// keys are the addresses of the maps and lists, which live as long as the Doc.
type places map[uintptr]*cfnyaml.Node

// address identifies a map or a list with room; false for anything else. Empty
// lists share one address and are left out.
func address(v any) (uintptr, bool) {
	switch v := v.(type) {
	case map[string]any:
		return reflect.ValueOf(v).Pointer(), v != nil
	case []any:
		return reflect.ValueOf(v).Pointer(), len(v) > 0
	default:
		return 0, false
	}
}

// bind records that v was read from n, and so for all below.
func (p places) bind(v any, n *cfnyaml.Node) {
	if n == nil {
		return
	}
	if a, ok := address(v); ok {
		p[a] = n
	}
	if inner, ok := tagged(v, n); ok {
		p.bindBelow(inner, n)
		return
	}
	p.bindBelow(v, n)
}

// tagged returns the argument of a function written as a tag.
func tagged(v any, n *cfnyaml.Node) (any, bool) {
	m, ok := v.(map[string]any)
	if !ok || !strings.HasPrefix(n.Tag, "!") || len(m) != 1 {
		return nil, false
	}
	_, arg, ok := sole(m)
	return arg, ok
}

func (p places) bindBelow(v any, n *cfnyaml.Node) {
	switch v := v.(type) {
	case map[string]any:
		if a, ok := address(v); ok && p[a] == nil {
			p[a] = n
		}
		for _, pair := range n.Pairs {
			p.bind(v[pair.Key.Raw], pair.Value)
		}
	case []any:
		if a, ok := address(v); ok {
			p[a] = n
		}
		if len(v) != len(n.Items) {
			return
		}
		for i, item := range v {
			p.bind(item, n.Items[i])
		}
	}
}

// inherit gives the copy the place of the original. A copy of what has no place
// must not keep one of a map that stood at its address before.
func (p places) inherit(copied, original any) {
	to, ok := address(copied)
	if !ok {
		return
	}
	if from, ok := address(original); ok && p[from] != nil {
		p[to] = p[from]
		return
	}
	delete(p, to)
}

// of is the place of a map or list.
func (p places) of(v any) place {
	a, ok := address(v)
	if !ok || p[a] == nil {
		return place{}
	}
	return place{p[a].Line, p[a].Column}
}

// key is the place of a key of m, or of m where the key has none.
func (p places) key(m map[string]any, key string) place {
	a, ok := address(m)
	if !ok || p[a] == nil {
		return place{}
	}
	for _, pair := range p[a].Pairs {
		if pair.Key.Raw == key {
			return place{pair.Key.Line, pair.Key.Column}
		}
	}
	return place{p[a].Line, p[a].Column}
}

// keys returns the keys of m in file order; those without a place come last, sorted.
func (p places) keys(m map[string]any) []string {
	names := make([]string, 0, len(m))
	seen := make(map[string]bool, len(m))
	if a, ok := address(m); ok && p[a] != nil {
		for _, pair := range p[a].Pairs {
			if _, ok := m[pair.Key.Raw]; ok && !seen[pair.Key.Raw] {
				names, seen[pair.Key.Raw] = append(names, pair.Key.Raw), true
			}
		}
	}
	for _, k := range sortedKeys(m) {
		if !seen[k] {
			names = append(names, k)
		}
	}
	return names
}
