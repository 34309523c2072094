package jinja

import "strings"

// mapFilter looks up an attribute of each item or applies a filter to it.
func mapFilter(r *run, v any, a arguments) (any, error) {
	if yes, err := r.truth(v); err != nil || !yes {
		return &generator{name: "sync_do_map"}, err
	}
	each, err := r.mapper(a)
	if err != nil {
		return nil, err
	}
	items, err := r.collect(v)
	if err != nil {
		return nil, err
	}
	for i := range items {
		if items[i], err = each(items[i]); err != nil {
			return nil, err
		}
	}
	return &generator{name: "sync_do_map", items: items}, nil
}

func (r *run) mapper(a arguments) (func(any) (any, error), error) {
	if len(a.pos) > 0 {
		f, err := namedFilter(a.pos[0], r.env.known.filters, "filter")
		if err != nil {
			return nil, err
		}
		return func(item any) (any, error) {
			return r.filter(f, item, arguments{a.pos[1:], a.named})
		}, nil
	}
	by, ok := a.take("attribute")
	if !ok {
		return nil, fail("map requires a filter argument")
	}
	def, _ := a.take("default")
	if len(a.named) > 0 {
		return nil, fail("Unexpected keyword argument %s", reprString(a.named[0].name))
	}
	path, err := r.attributePath(by)
	if err != nil {
		return nil, err
	}
	return func(item any) (any, error) { return path.get(r, item, def) }, nil
}

// namedFilter finds the filter or test that an argument names.
func namedFilter(v any, all map[string]*filter, what string) (*filter, error) {
	name, ok := asText(v)
	f := all[name]
	if !ok || f == nil {
		return nil, fail("No %s named %s.", what, shortRepr(known(v)))
	}
	return f, nil
}

// selector keeps the items, or those with an attribute, that pass a test.
func selector(byAttribute, keep bool) func(*run, any, arguments) (any, error) {
	return func(r *run, v any, a arguments) (any, error) {
		g := &generator{name: "select_or_reject"}
		if yes, err := r.truth(v); err != nil || !yes {
			return g, err
		}
		var path attribute
		if byAttribute {
			if len(a.pos) == 0 {
				return nil, fail("Missing parameter for attribute name")
			}
			var err error
			if path, err = r.attributePath(a.pos[0]); err != nil {
				return nil, err
			}
			a.pos = a.pos[1:]
		}
		passes, err := r.tester(a)
		if err != nil {
			return nil, err
		}
		items, err := r.collect(v)
		if err != nil {
			return nil, err
		}
		g.items, err = r.sift(items, path, passes, keep)
		if err != nil {
			return nil, err
		}
		return g, nil
	}
}

// sift gives the items whose value at path passes, or those where it does not.
func (r *run) sift(items []any, path attribute, passes func(any) (bool, error), keep bool) ([]any, error) {
	var kept []any
	for _, item := range items {
		value, err := path.get(r, item, nil)
		if err != nil {
			return nil, err
		}
		yes, err := passes(value)
		if err != nil {
			return nil, err
		}
		if yes == keep {
			kept = append(kept, item)
		}
	}
	return kept, nil
}

// tester gives the test that arguments name, or whether a value is true.
func (r *run) tester(a arguments) (func(any) (bool, error), error) {
	if len(a.pos) == 0 {
		return r.truth, nil
	}
	f, err := namedFilter(a.pos[0], r.env.known.tests, "test")
	if err != nil {
		return nil, err
	}
	return func(v any) (bool, error) {
		out, err := r.filter(f, v, arguments{a.pos[1:], a.named})
		if err != nil {
			return false, err
		}
		return r.truth(out)
	}, nil
}

// extreme gives the largest (1) or smallest (-1) item.
func extreme(want int) func(*run, any, []any) (any, error) {
	return func(r *run, v any, args []any) (any, error) {
		items, keys, err := r.keyed(v, args)
		if err != nil {
			return nil, err
		}
		if len(items) == 0 {
			return &undefined{hint: "No aggregated item, sequence was empty."}, nil
		}
		best, err := r.best(keys, want)
		if err != nil {
			return nil, err
		}
		return items[best], nil
	}
}

// keyed gives the items of v and what they are compared by, as the arguments
// case_sensitive and attribute say.
func (r *run) keyed(v any, args []any) (items, keys []any, err error) {
	caseSensitive, err := r.flagOr(args, 0, false)
	if err != nil {
		return nil, nil, err
	}
	path, err := r.attributePath(argOr(args, 1, nil))
	if err != nil {
		return nil, nil, err
	}
	if items, err = r.collect(v); err != nil {
		return nil, nil, err
	}
	keys, err = r.keysOf(items, path, caseSensitive)
	return items, keys, err
}

// best finds where the largest (1) or smallest (-1) key is, the first of equals.
func (r *run) best(keys []any, want int) (int, error) {
	best := 0
	for i := 1; i < len(keys); i++ {
		c, _, err := r.order(keys[i], keys[best], "<>"[(want+1)/2:(want+3)/2])
		if err != nil {
			return 0, err
		}
		if c*want > 0 && c != -2 {
			best = i
		}
	}
	return best, nil
}

func sortFilter(r *run, v any, args []any) (any, error) {
	reverse, err := r.flagOr(args, 0, false)
	if err != nil {
		return nil, err
	}
	caseSensitive, err := r.flagOr(args, 1, false)
	if err != nil {
		return nil, err
	}
	items, err := r.collect(v)
	if err != nil {
		return nil, err
	}
	keys, err := r.sortKeys(items, argOr(args, 2, nil), caseSensitive)
	if err != nil {
		return nil, err
	}
	return &List{Items: items}, r.sortItems(items, keys, reverse)
}

// sortKeys allows several attributes with commas between them.
func (r *run) sortKeys(items []any, by any, caseSensitive bool) ([]any, error) {
	names, ok := asText(by)
	if !ok || !strings.Contains(names, ",") {
		path, err := r.attributePath(by)
		if err != nil {
			return nil, err
		}
		return r.keysOf(items, path, caseSensitive)
	}
	keys := make([]any, len(items))
	for name := range strings.SplitSeq(names, ",") {
		more, err := r.keysOf(items, splitPath(name), caseSensitive)
		if err != nil {
			return nil, err
		}
		for i := range keys {
			t, _ := keys[i].(Tuple)
			keys[i] = append(t, more[i])
		}
	}
	return keys, nil
}

func uniqueFilter(r *run, v any, args []any) (any, error) {
	items, keys, err := r.keyed(v, args)
	if err != nil {
		return nil, err
	}
	seen := make(map[any]bool)
	g := &generator{name: "sync_do_unique"}
	for i, item := range items {
		h, err := r.hash(keys[i])
		if err != nil {
			return nil, err
		}
		if !seen[h] {
			seen[h] = true
			g.items = append(g.items, item)
		}
	}
	return g, nil
}

// group is one answer of groupby: a pair with names.
type group struct {
	grouper any
	list    *List
}

func (g *group) attribute(name string) (any, bool) {
	switch name {
	case "grouper":
		return g.grouper, true
	case "list":
		return g.list, true
	}
	return nil, false
}

func groupbyFilter(r *run, v any, args []any) (any, error) {
	path, err := r.attributePath(args[0])
	if err != nil {
		return nil, err
	}
	caseSensitive, err := r.flagOr(args, 2, false)
	if err != nil {
		return nil, err
	}
	items, err := r.collect(v)
	if err != nil {
		return nil, err
	}
	values, keys := make([]any, len(items)), make([]any, len(items))
	places := make([]any, len(items))
	for i, item := range items {
		if values[i], err = path.get(r, item, argOr(args, 1, nil)); err != nil {
			return nil, err
		}
		keys[i], places[i] = foldCase(values[i], caseSensitive), i
	}
	if err := r.sortItems(places, keys, false); err != nil {
		return nil, err
	}
	groups := &List{}
	last := -1
	for _, p := range places {
		i := p.(int)
		same := false
		if last >= 0 {
			if same, err = r.equal(keys[i], keys[last]); err != nil {
				return nil, err
			}
		}
		if !same {
			groups.Items = append(groups.Items, &group{values[i], &List{}})
		}
		g := groups.Items[len(groups.Items)-1].(*group)
		g.list.Items = append(g.list.Items, items[i])
		last = i
	}
	return groups, nil
}
