package cfnyaml

import (
	"maps"
	"reflect"
	"slices"
	"strconv"

	"github.com/deployer-cli/deployer/internal/python"
)

// Difference is one place where two values differ.
type Difference struct {
	Path    []string // keys and list indices from the top
	Old     any      // nil when Added
	New     any      // nil when Removed
	Added   bool
	Removed bool
}

// Compare gives what differs between two plain values, in the order of keys
// and indices. Numbers and booleans equal their string forms ("80" and 80,
// "true" and true), since CloudFormation takes either; lists are compared
// place by place.
func Compare(old, new any) []Difference {
	var c comparer
	c.compare(nil, old, new)
	return c.found
}

type comparer struct{ found []Difference }

func (c *comparer) compare(path []string, old, new any) {
	switch o := old.(type) {
	case map[string]any:
		if n, ok := new.(map[string]any); ok {
			c.maps(path, o, n)
			return
		}
	case []any:
		if n, ok := new.([]any); ok {
			c.lists(path, o, n)
			return
		}
	default:
		if sameScalar(old, new) {
			return
		}
	}
	c.add(Difference{Path: path, Old: old, New: new})
}

// add keeps a copy of the path, since siblings share its memory.
func (c *comparer) add(d Difference) {
	d.Path = slices.Clone(d.Path)
	c.found = append(c.found, d)
}

func (c *comparer) maps(path []string, old, new map[string]any) {
	for _, k := range sortedKeys(old, new) {
		at := append(path, k)
		o, before := old[k]
		n, after := new[k]
		switch {
		case !before:
			c.add(Difference{Path: at, New: n, Added: true})
		case !after:
			c.add(Difference{Path: at, Old: o, Removed: true})
		default:
			c.compare(at, o, n)
		}
	}
}

func (c *comparer) lists(path []string, old, new []any) {
	for i := range max(len(old), len(new)) {
		at := append(path, strconv.Itoa(i))
		switch {
		case i >= len(old):
			c.add(Difference{Path: at, New: new[i], Added: true})
		case i >= len(new):
			c.add(Difference{Path: at, Old: old[i], Removed: true})
		default:
			c.compare(at, old[i], new[i])
		}
	}
}

func sortedKeys(a, b map[string]any) []string {
	keys := slices.AppendSeq(slices.Collect(maps.Keys(a)), maps.Keys(b))
	slices.Sort(keys)
	return slices.Compact(keys)
}

// sameScalar compares two scalars; a number or boolean equals a string that
// says the same.
func sameScalar(a, b any) bool {
	if ta, ok := scalarText(a); ok {
		tb, ok := scalarText(b)
		if !ok {
			return false
		}
		return ta == tb || sameNumber(a, b, ta, tb)
	}
	return reflect.DeepEqual(a, b)
}

// sameNumber compares as numbers where at least one side is one: 1.0 and "1".
func sameNumber(a, b any, ta, tb string) bool {
	if !isNumber(a) && !isNumber(b) {
		return false
	}
	fa, errA := strconv.ParseFloat(ta, 64)
	fb, errB := strconv.ParseFloat(tb, 64)
	return errA == nil && errB == nil && fa == fb
}

func isNumber(v any) bool {
	switch v.(type) {
	case int, int64, float64:
		return true
	}
	return false
}

func scalarText(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case bool:
		return strconv.FormatBool(v), true
	case int:
		return strconv.Itoa(v), true
	case int64:
		return strconv.FormatInt(v, 10), true
	case float64:
		return python.Float(v), true
	}
	return "", false
}
