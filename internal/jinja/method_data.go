package jinja

import "slices"

// listMethods are the methods of list.
func listMethods() methods {
	return methods{
		"append":  {one("object"), listAppend},
		"extend":  {one("iterable"), listExtend},
		"insert":  {params{names: []string{"index", "object"}, need: 2}, listInsert},
		"pop":     {params{names: []string{"index"}}, listPop},
		"remove":  {one("value"), listRemove},
		"clear":   {run: listClear},
		"copy":    {run: listCopy},
		"reverse": {run: listReverse},
		"sort":    {params{names: []string{"reverse"}}, listSort},
		"index":   {one("value"), itemIndex},
		"count":   {one("value"), itemCount},
	}
}

// tupleMethods are the methods of tuple.
func tupleMethods() methods {
	return methods{
		"index": {one("value"), itemIndex},
		"count": {one("value"), itemCount},
	}
}

func listAppend(_ *run, self any, args []any) (any, error) {
	l := self.(*List)
	l.Items = append(l.Items, args[0])
	return nil, nil
}

func listExtend(r *run, self any, args []any) (any, error) {
	items, err := r.collect(args[0])
	if err != nil {
		return nil, err
	}
	l := self.(*List)
	l.Items = append(l.Items, items...)
	return nil, nil
}

func listInsert(r *run, self any, args []any) (any, error) {
	l := self.(*List)
	i, err := intOr(args, 0, 0)
	if err != nil {
		return nil, err
	}
	n := int64(len(l.Items))
	if i < 0 {
		i += n
	}
	l.Items = slices.Insert(l.Items, int(min(max(i, 0), n)), args[1])
	return nil, r.spend(len(l.Items) / 16)
}

func listPop(r *run, self any, args []any) (any, error) {
	l := self.(*List)
	i, err := intOr(args, 0, -1)
	if err != nil {
		return nil, err
	}
	if len(l.Items) == 0 {
		return nil, fail("pop from empty list")
	}
	if i = fromEnd(i, len(l.Items)); i < 0 {
		return nil, fail("pop index out of range")
	}
	item := l.Items[i]
	l.Items = slices.Delete(l.Items, int(i), int(i)+1)
	return item, r.spend((len(l.Items) - int(i)) / 16)
}

func listRemove(r *run, self any, args []any) (any, error) {
	l := self.(*List)
	i, err := r.place(l.Items, args[0])
	if err != nil {
		return nil, err
	}
	if i < 0 {
		return nil, fail("list.remove(x): x not in list")
	}
	l.Items = slices.Delete(l.Items, i, i+1)
	return nil, nil
}

func listClear(_ *run, self any, _ []any) (any, error) {
	self.(*List).Items = nil
	return nil, nil
}

func listCopy(r *run, self any, _ []any) (any, error) {
	l := self.(*List)
	return &List{Items: slices.Clone(l.Items)}, r.spend(len(l.Items))
}

func listReverse(r *run, self any, _ []any) (any, error) {
	l := self.(*List)
	slices.Reverse(l.Items)
	return nil, r.spend(len(l.Items))
}

func listSort(r *run, self any, args []any) (any, error) {
	reverse, err := r.flagOr(args, 0, false)
	if err != nil {
		return nil, err
	}
	l := self.(*List)
	return nil, r.sortItems(l.Items, slices.Clone(l.Items), reverse)
}

// place finds an equal item, or gives -1.
func (r *run) place(items []any, v any) (int, error) {
	for i, item := range items {
		if eq, err := r.equal(item, v); eq || err != nil {
			return i, err
		}
	}
	return -1, nil
}

func itemsOf(v any) []any {
	if l, ok := v.(*List); ok {
		return l.Items
	}
	items, _ := tupleOf(v)
	return items
}

func itemIndex(r *run, self any, args []any) (any, error) {
	i, err := r.place(itemsOf(self), args[0])
	if err == nil && i < 0 {
		err = fail("the value is not in the %s", typeName(self))
	}
	return int64(i), err
}

func itemCount(r *run, self any, args []any) (any, error) {
	n := int64(0)
	for _, item := range itemsOf(self) {
		eq, err := r.equal(item, args[0])
		if err != nil {
			return nil, err
		}
		n += boolInt(eq)
	}
	return n, nil
}
