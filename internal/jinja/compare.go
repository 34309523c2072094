package jinja

import (
	"cmp"
	"slices"
	"strings"
)

// compare computes one comparison operator.
func (r *run) compare(op string, a, b any) (bool, error) {
	switch op {
	case "==":
		return r.equal(a, b)
	case "!=":
		eq, err := r.equal(a, b)
		return !eq, err
	case "in":
		return r.contains(b, a)
	case "not in":
		in, err := r.contains(b, a)
		return !in, err
	}
	c, ordered, err := r.order(a, b, op)
	if err != nil || !ordered {
		return false, err
	}
	switch op {
	case "<":
		return c < 0, nil
	case "<=":
		return c <= 0, nil
	case ">":
		return c > 0, nil
	}
	return c >= 0, nil
}

// equal is Python's ==.
func (r *run) equal(a, b any) (bool, error) {
	a, b = known(a), known(b)
	if isLenient(a) || isLenient(b) {
		return isLenient(a) && isLenient(b), nil
	}
	if err := r.operands(a, b); err != nil {
		return false, err
	}
	if x, ok := number(a); ok {
		y, ok := number(b)
		return ok && compareNumbers(x, y) == 0, nil
	}
	switch x := a.(type) {
	case string:
		y, ok := b.(string)
		if !ok || len(x) != len(y) {
			return false, nil
		}
		return x == y, r.spend(len(x) / 64)
	case *List:
		y, ok := b.(*List)
		if !ok {
			return false, nil
		}
		return r.equalItems(x.Items, y.Items)
	case Tuple, *group:
		y, ok := tupleOf(b)
		if !ok {
			return false, nil
		}
		z, _ := tupleOf(a)
		return r.equalItems(z, y)
	case *Dict:
		y, ok := b.(*Dict)
		if !ok {
			return false, nil
		}
		return r.equalDicts(x, y)
	case *rangeValue:
		y, ok := b.(*rangeValue)
		return ok && (*x == *y || x.len() == 0 && y.len() == 0), nil
	}
	return a == b, nil
}

func isLenient(v any) bool {
	u, ok := v.(*undefined)
	return ok && u.lenient
}

// operands pays for a comparison and refuses undefined values.
func (r *run) operands(a, b any) error {
	if u, ok := a.(*undefined); ok {
		return u.err()
	}
	if u, ok := b.(*undefined); ok {
		return u.err()
	}
	return r.spend(1)
}

func compareNumbers(a, b any) int {
	x, aInt := a.(int64)
	y, bInt := b.(int64)
	if aInt && bInt {
		return cmp.Compare(x, y)
	}
	f, g := toFloat(a), toFloat(b)
	if f != f || g != g { // not a number equals nothing
		return -2
	}
	return cmp.Compare(f, g)
}

func (r *run) equalItems(a, b []any) (bool, error) {
	if len(a) != len(b) {
		return false, nil
	}
	if err := r.deeper(); err != nil {
		return false, err
	}
	defer r.shallower()
	for i := range a {
		if eq, err := r.equal(a[i], b[i]); !eq || err != nil {
			return false, err
		}
	}
	return true, nil
}

// deeper counts one level of nested data; each call needs a shallower.
func (r *run) deeper() error {
	if r.depth++; r.depth > maxEvalDepth {
		return failLimit("a value is nested too deeply")
	}
	return nil
}

func (r *run) shallower() { r.depth-- }

func (r *run) equalDicts(a, b *Dict) (bool, error) {
	if a.Len() != b.Len() {
		return false, nil
	}
	if err := r.deeper(); err != nil {
		return false, err
	}
	defer r.shallower()
	for _, e := range a.entries {
		other, ok := b.get(e.hash)
		if !ok {
			return false, nil
		}
		if eq, err := r.equal(e.value, other); !eq || err != nil {
			return false, err
		}
	}
	return true, nil
}

// order compares two values that have an order; not ordered means that all
// of <, <=, > and >= are false (not a number).
func (r *run) order(a, b any, op string) (c int, ordered bool, err error) {
	a, b = known(a), known(b)
	if err := r.operands(a, b); err != nil {
		return 0, false, err
	}
	x, aNumber := number(a)
	y, bNumber := number(b)
	if aNumber && bNumber {
		c := compareNumbers(x, y)
		return c, c != -2, nil
	}
	if s, ok := a.(string); ok {
		if t, ok := b.(string); ok {
			return strings.Compare(s, t), true, r.spend(min(len(s), len(t)) / 64)
		}
	}
	if s, ok := a.(*List); ok {
		if t, ok := b.(*List); ok {
			return r.orderItems(s.Items, t.Items, op)
		}
	}
	if s, ok := tupleOf(a); ok {
		if t, ok := tupleOf(b); ok {
			return r.orderItems(s, t, op)
		}
	}
	return 0, false, fail("'%s' not supported between instances of %s and %s", op, reprString(typeName(a)), reprString(typeName(b)))
}

func (r *run) orderItems(a, b []any, op string) (int, bool, error) {
	if err := r.deeper(); err != nil {
		return 0, false, err
	}
	defer r.shallower()
	for i := range min(len(a), len(b)) {
		eq, err := r.equal(a[i], b[i])
		if err != nil {
			return 0, false, err
		}
		if !eq {
			return r.order(a[i], b[i], op)
		}
	}
	return cmp.Compare(len(a), len(b)), true, nil
}

// tupleOf gives the items of a tuple.
func tupleOf(v any) ([]any, bool) {
	switch v := v.(type) {
	case Tuple:
		return v, true
	case *group:
		return []any{v.grouper, v.list}, true
	}
	return nil, false
}

// contains is Python's "item in v".
func (r *run) contains(v, item any) (bool, error) {
	v = known(v)
	switch v := v.(type) {
	case string:
		sub, ok := asText(item)
		if !ok {
			if u, undef := item.(*undefined); undef {
				return false, u.err()
			}
			return false, fail("'in <string>' requires string as left operand, not %s", typeName(item))
		}
		return strings.Contains(v, sub), r.spend(1 + len(v)/64)
	case *Dict:
		return r.dictHas(v, item)
	case *dictView:
		if v.kind == "keys" {
			return r.dictHas(v.dict, item)
		}
	}
	items, err := r.iterate(v)
	if err != nil {
		return false, err
	}
	for {
		other, ok, err := items.next()
		if !ok || err != nil {
			return false, err
		}
		if eq, err := r.equal(other, item); eq || err != nil {
			return eq, err
		}
	}
}

func (r *run) dictHas(d *Dict, key any) (bool, error) {
	h, err := r.hash(key)
	if err != nil {
		return false, err
	}
	return d.find(h) >= 0, nil
}

// sortItems sorts by keys, which stand at the same places as the items; it
// is stable, also in reverse.
func (r *run) sortItems(items, keys []any, reverse bool) error {
	places := make([]int, len(items))
	for i := range places {
		places[i] = i
	}
	var failed error
	slices.SortStableFunc(places, func(i, j int) int {
		if failed != nil {
			return 0
		}
		c, _, err := r.order(keys[i], keys[j], "<")
		if err != nil {
			failed = err
		}
		if reverse {
			return -c
		}
		return c
	})
	if failed != nil {
		return failed
	}
	sorted := make([]any, len(items))
	for to, from := range places {
		sorted[to] = items[from]
	}
	copy(items, sorted)
	return nil
}
