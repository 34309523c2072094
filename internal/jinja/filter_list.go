package jinja

import (
	"strconv"
	"strings"
)

func splitPath(s string) attribute {
	var path attribute
	for part := range strings.SplitSeq(s, ".") {
		if n, err := strconv.ParseInt(part, 10, 64); err == nil && isDigit(part) {
			path = append(path, n)
		} else {
			path = append(path, part)
		}
	}
	return path
}

func itemsFilter(_ *run, v any, _ []any) (any, error) {
	switch v := known(v).(type) {
	case *undefined:
		return &generator{name: "do_items"}, nil
	case *Dict:
		g := &generator{name: "do_items"}
		for key, value := range v.All() {
			g.items = append(g.items, Tuple{key, value})
		}
		return g, nil
	}
	return nil, fail("Can only get item pairs from a mapping.")
}

// countArg reads a positive number of items.
func countArg(args []any, i int) (int, error) {
	n, err := smallOr(args, i, 0)
	if err == nil && n <= 0 {
		err = fail("a number of items must be positive, not %d", n)
	}
	return n, err
}

func batchFilter(r *run, v any, args []any) (any, error) {
	items, err := r.collect(v)
	if err != nil {
		return nil, err
	}
	n, err := countArg(args, 0)
	if err != nil {
		return nil, err
	}
	g := &generator{name: "do_batch"}
	for len(items) > 0 {
		size := min(n, len(items))
		row := append([]any(nil), items[:size]...)
		if fill := argOr(args, 1, nil); fill != nil && size < n {
			if err := r.spend(n - size); err != nil {
				return nil, err
			}
			for len(row) < n {
				row = append(row, fill)
			}
		}
		g.items = append(g.items, &List{Items: row})
		items = items[size:]
	}
	return g, nil
}

func sliceFilter(r *run, v any, args []any) (any, error) {
	items, err := r.collect(v)
	if err != nil {
		return nil, err
	}
	n, err := countArg(args, 0)
	if err != nil {
		return nil, err
	}
	if err := r.spend(n); err != nil {
		return nil, err
	}
	each, extra := len(items)/n, len(items)%n
	g := &generator{name: "sync_do_slice"}
	for i := range n {
		size := each
		if i < extra {
			size++
		}
		row := append([]any(nil), items[:size]...)
		if fill := argOr(args, 1, nil); fill != nil && i >= extra {
			row = append(row, fill)
		}
		g.items = append(g.items, &List{Items: row})
		items = items[size:]
	}
	return g, nil
}

func dictsortFilter(r *run, v any, args []any) (any, error) {
	d, ok := v.(*Dict)
	if !ok {
		return nil, fail("%s object has no attribute 'items'", reprString(typeName(v)))
	}
	caseSensitive, err := r.flagOr(args, 0, false)
	if err != nil {
		return nil, err
	}
	reverse, err := r.flagOr(args, 2, false)
	if err != nil {
		return nil, err
	}
	path := attribute{int64(0)}
	switch argOr(args, 1, "key") {
	case "key":
	case "value":
		path[0] = int64(1)
	default:
		return nil, fail(`You can only sort by either "key" or "value"`)
	}
	items, err := r.collect(&dictView{"items", d})
	if err != nil {
		return nil, err
	}
	keys, err := r.keysOf(items, path, caseSensitive)
	if err != nil {
		return nil, err
	}
	return &List{Items: items}, r.sortItems(items, keys, reverse)
}

func firstFilter(r *run, v any, _ []any) (any, error) {
	items, err := r.iterate(v)
	if err != nil {
		return nil, err
	}
	item, ok, err := items.next()
	if !ok && err == nil {
		return &undefined{hint: "No first item, sequence was empty."}, nil
	}
	return item, err
}

func lastFilter(r *run, v any, _ []any) (any, error) {
	if _, ok := v.(iterator); ok {
		return nil, fail("%s object is not reversible", reprString(typeName(v)))
	}
	items, err := r.collect(v)
	if err != nil {
		return nil, err
	}
	if len(items) == 0 {
		return &undefined{hint: "No last item, sequence was empty."}, nil
	}
	return items[len(items)-1], nil
}

func randomFilter(r *run, v any, _ []any) (any, error) {
	items, err := r.collect(v)
	if err != nil {
		return nil, err
	}
	if len(items) == 0 {
		return &undefined{hint: "No random item, sequence was empty."}, nil
	}
	return items[r.env.opts.Rand(len(items))], nil
}

func joinFilter(r *run, v any, args []any) (any, error) {
	path, err := r.attributePath(argOr(args, 1, nil))
	if err != nil {
		return nil, err
	}
	separator, err := r.str(argOr(args, 0, ""))
	if err != nil {
		return nil, err
	}
	items, err := r.collect(v)
	if err != nil {
		return nil, err
	}
	texts := make([]string, len(items))
	for i, item := range items {
		if item, err = path.get(r, item, nil); err != nil {
			return nil, err
		}
		if texts[i], err = r.str(item); err != nil {
			return nil, err
		}
	}
	return r.joinTexts(texts, separator)
}

func lengthFilter(r *run, v any, _ []any) (any, error) {
	if s, ok := v.(string); ok {
		return int64(len([]rune(s))), r.spend(len(s) / 16)
	}
	n, ok := length(v)
	if !ok {
		return nil, fail("object of type %s has no len()", reprString(typeName(v)))
	}
	return int64(n), nil
}

func listFilter(r *run, v any, _ []any) (any, error) {
	items, err := r.collect(v)
	return &List{Items: items}, err
}

func reverseFilter(r *run, v any, _ []any) (any, error) {
	if s, ok := v.(string); ok {
		return r.slice(s, [3]any{nil, nil, int64(-1)})
	}
	items, err := r.collect(v)
	if err != nil {
		return nil, err
	}
	for i, j := 0, len(items)-1; i < j; i, j = i+1, j-1 {
		items[i], items[j] = items[j], items[i]
	}
	if _, once := v.(*generator); once {
		return &List{Items: items}, nil
	}
	return &generator{name: "reversed", items: items}, nil
}

func sumFilter(r *run, v any, args []any) (any, error) {
	path, err := r.attributePath(argOr(args, 0, nil))
	if err != nil {
		return nil, err
	}
	items, err := r.collect(v)
	if err != nil {
		return nil, err
	}
	total := known(argOr(args, 1, int64(0)))
	if _, ok := total.(string); ok {
		return nil, fail("sum() can't sum strings [use ''.join(seq) instead]")
	}
	for _, item := range items {
		if item, err = path.get(r, item, nil); err != nil {
			return nil, err
		}
		if total, err = r.binary("+", total, item); err != nil {
			return nil, err
		}
	}
	return total, nil
}
