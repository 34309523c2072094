package jinja

import "unicode/utf8"

// iterator gives the items of a value one after the other.
type iterator interface {
	next() (item any, ok bool, err error)
}

// generator is what Python filters such as map answer: items to be read
// once. The items are computed already.
type generator struct {
	name  string
	items []any
}

func (g *generator) next() (any, bool, error) {
	if len(g.items) == 0 {
		return nil, false, nil
	}
	item := g.items[0]
	g.items = g.items[1:]
	return item, true, nil
}

type listIterator struct {
	list *List // looked at anew each time, as it may change meanwhile
	i    int
}

func (it *listIterator) next() (any, bool, error) {
	if it.i >= len(it.list.Items) {
		return nil, false, nil
	}
	it.i++
	return it.list.Items[it.i-1], true, nil
}

type textIterator struct{ rest string }

func (it *textIterator) next() (any, bool, error) {
	if it.rest == "" {
		return nil, false, nil
	}
	_, size := utf8.DecodeRuneInString(it.rest)
	item := it.rest[:size]
	it.rest = it.rest[size:]
	return item, true, nil
}

type dictIterator struct {
	dictView
	i, size int
}

func (it *dictIterator) next() (any, bool, error) {
	if it.dict.Len() != it.size {
		return nil, false, fail("dictionary changed size during iteration")
	}
	if it.i >= it.size {
		return nil, false, nil
	}
	it.i++
	return it.at(it.i - 1), true, nil
}

// dictView is what keys(), values() and items() answer.
type dictView struct {
	kind string // "keys", "values", "items"
	dict *Dict
}

func (v *dictView) at(i int) any {
	e := v.dict.entries[i]
	switch v.kind {
	case "keys":
		return e.key
	case "values":
		return e.value
	}
	return Tuple{e.key, e.value}
}

// rangeValue is what range() answers.
type rangeValue struct{ start, stop, step int64 }

func (v *rangeValue) len() int {
	switch {
	case v.step > 0 && v.start < v.stop:
		return int((uint64(v.stop)-uint64(v.start)-1)/uint64(v.step) + 1) //nolint:gosec // wrapping around is how the distance fits
	case v.step < 0 && v.start > v.stop:
		return int((uint64(v.start)-uint64(v.stop)-1)/uint64(-v.step) + 1) //nolint:gosec // as above
	}
	return 0
}

func (v *rangeValue) at(i int) any { return v.start + int64(i)*v.step }

type rangeIterator struct {
	*rangeValue
	i, size int
}

func (it *rangeIterator) next() (any, bool, error) {
	if it.i >= it.size {
		return nil, false, nil
	}
	it.i++
	return it.at(it.i - 1), true, nil
}

// iterate is Python's iter().
func (r *run) iterate(v any) (iterator, error) {
	switch v := known(v).(type) {
	case *undefined:
		return &generator{}, v.strict()
	case iterator:
		return v, nil
	case *List:
		return &listIterator{list: v}, nil
	case Tuple:
		return &listIterator{list: &List{Items: v}}, nil
	case *group:
		return &listIterator{list: &List{Items: []any{v.grouper, v.list}}}, nil
	case string:
		return &textIterator{v}, nil
	case *Dict:
		return &dictIterator{dictView: dictView{"keys", v}, size: v.Len()}, nil
	case *dictView:
		return &dictIterator{dictView: *v, size: v.dict.Len()}, nil
	case *rangeValue:
		return &rangeIterator{rangeValue: v, size: v.len()}, nil
	default:
		return nil, fail("%s object is not iterable", reprString(typeName(v)))
	}
}

// collect gives all items of a value as a new slice.
func (r *run) collect(v any) ([]any, error) {
	items, err := r.iterate(v)
	if err != nil {
		return nil, err
	}
	var all []any
	for {
		item, ok, err := items.next()
		if !ok || err != nil {
			return all, err
		}
		if err := r.spend(1); err != nil {
			return nil, err
		}
		all = append(all, item)
	}
}
