package jinja

import (
	"math"
	"unicode/utf8"
)

// attributed is a value with attributes that are no methods of Python's
// own types.
type attributed interface {
	attribute(name string) (any, bool)
}

// getAttr is v.name: an attribute or method, or else an item.
func (r *run) getAttr(v any, name string) (any, error) {
	v = known(v)
	switch v := v.(type) {
	case *undefined:
		return nil, v.err()
	case attributed:
		if out, ok := v.attribute(name); ok {
			return out, nil
		}
	case *Dict:
		if def := r.env.known.dict[name]; def != nil {
			return &method{name, v, def}, nil
		}
		if out, ok := v.get(name); ok {
			return out, nil
		}
	default:
		if def := r.env.known.methodOf(v, name); def != nil {
			return &method{name, v, def}, nil
		}
	}
	return &undefined{owner: v, owned: true, name: name}, nil
}

func (b *builtins) methodOf(v any, name string) *methodDef {
	switch v.(type) {
	case string:
		return b.text[name]
	case *List:
		return b.list[name]
	case Tuple:
		return b.tuple[name]
	}
	return nil
}

// getItem is v[key]: an item, or else an attribute.
func (r *run) getItem(v, key any) (any, error) {
	v, key = known(v), known(key)
	if u, ok := v.(*undefined); ok {
		return nil, u.err()
	}
	if u, ok := key.(*undefined); ok {
		return nil, u.err()
	}
	cost := 1
	if s, ok := v.(string); ok {
		cost += len(s) / 64 // characters are counted
	}
	if err := r.spend(cost); err != nil {
		return nil, err
	}
	switch v := v.(type) {
	case *Dict:
		if h, err := r.hash(key); err == nil {
			if out, ok := v.get(h); ok {
				return out, nil
			}
		}
	default:
		if i, ok := integer(key); ok {
			if out, ok := at(v, i); ok {
				return out, nil
			}
		}
	}
	if name, ok := key.(string); ok {
		return r.getAttr(v, name)
	}
	return &undefined{owner: v, owned: true, name: key}, nil
}

// at gives item i of a sequence, counting from the end if negative.
func at(v any, i int64) (any, bool) {
	switch v := v.(type) {
	case string:
		return textAt(v, i)
	case *List:
		return itemAt(v.Items, i)
	case *rangeValue:
		if i = fromEnd(i, v.len()); i >= 0 {
			return v.at(int(i)), true
		}
	default:
		if items, ok := tupleOf(v); ok {
			return itemAt(items, i)
		}
	}
	return nil, false
}

// fromEnd turns an index into a place below n, or -1.
func fromEnd(i int64, n int) int64 {
	if i < 0 {
		i += int64(n)
	}
	if i < 0 || i >= int64(n) {
		return -1
	}
	return i
}

func itemAt(items []any, i int64) (any, bool) {
	if i = fromEnd(i, len(items)); i < 0 {
		return nil, false
	}
	return items[i], true
}

func textAt(s string, i int64) (any, bool) {
	if i = fromEnd(i, utf8.RuneCountInString(s)); i < 0 {
		return nil, false
	}
	for at, c := range s {
		if i == 0 {
			return s[at : at+runeLen(c, s[at:])], true
		}
		i--
	}
	return nil, false
}

// runeLen is the number of bytes of the first character of s; bytes that
// are no UTF-8 count one each.
func runeLen(c rune, s string) int {
	if c == utf8.RuneError {
		_, n := utf8.DecodeRuneInString(s)
		return n
	}
	return utf8.RuneLen(c)
}

// slice is v[from:to:step].
func (r *run) slice(v any, bounds [3]any) (any, error) {
	v = known(v)
	switch v := v.(type) {
	case *undefined:
		return nil, v.err()
	case string:
		runes := []rune(v)
		places, err := r.slicePlaces(len(runes), bounds)
		if err != nil {
			return nil, err
		}
		out := make([]rune, len(places))
		for i, place := range places {
			out[i] = runes[place]
		}
		return string(out), nil
	case *List:
		items, err := r.sliceItems(v.Items, bounds)
		return &List{Items: items}, err
	case *rangeValue:
		items, err := r.collect(v)
		if err != nil {
			return nil, err
		}
		items, err = r.sliceItems(items, bounds)
		return &List{Items: items}, err
	}
	if items, ok := tupleOf(v); ok {
		items, err := r.sliceItems(items, bounds)
		return Tuple(items), err
	}
	return nil, fail("%s object cannot be sliced", reprString(typeName(v)))
}

func (r *run) sliceItems(items []any, bounds [3]any) ([]any, error) {
	places, err := r.slicePlaces(len(items), bounds)
	if err != nil {
		return nil, err
	}
	out := make([]any, len(places))
	for i, place := range places {
		out[i] = items[place]
	}
	return out, nil
}

// slicePlaces lists the places a slice picks out of n.
func (r *run) slicePlaces(n int, bounds [3]any) ([]int, error) {
	step, given, err := sliceBound(bounds[2])
	switch {
	case err != nil:
		return nil, err
	case !given:
		step = 1
	case step == 0:
		return nil, fail("slice step cannot be zero")
	}
	size := int64(n)
	from, to := int64(0), size
	low, high := int64(0), size
	if step < 0 {
		from, to = size-1, -1
		low, high = -1, size-1
	}
	for i, bound := range []*int64{&from, &to} {
		v, given, err := sliceBound(bounds[i])
		if err != nil {
			return nil, err
		}
		if !given {
			continue
		}
		if v < 0 {
			v += size
		}
		*bound = min(max(v, low), high)
	}
	var places []int
	step = min(max(step, -size-1), size+1) // further away makes no difference
	for i := from; step > 0 && i < to || step < 0 && i > to; i += step {
		places = append(places, int(i))
	}
	return places, r.spend(1 + n/64 + len(places))
}

func sliceBound(v any) (n int64, given bool, err error) {
	v = known(v)
	if v == nil {
		return 0, false, nil
	}
	if u, ok := v.(*undefined); ok {
		return 0, false, u.err()
	}
	n, ok := integer(v)
	if !ok {
		return 0, false, fail("slice indices must be integers or None or have an __index__ method")
	}
	return max(n, math.MinInt64/2), true, nil
}
