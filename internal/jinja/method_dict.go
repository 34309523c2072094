package jinja

// dictMethods are the methods of dict.
func dictMethods() methods {
	return methods{
		"keys":       {run: viewer("keys")},
		"values":     {run: viewer("values")},
		"items":      {run: viewer("items")},
		"get":        {params{names: []string{"key", "default"}, need: 1}, dictGet},
		"pop":        {params{names: []string{"key", "default"}, need: 1}, dictPop},
		"popitem":    {run: dictPopitem},
		"setdefault": {params{names: []string{"key", "default"}, need: 1}, dictSetdefault},
		"update":     {params{rest: true}, nil}, // takes any keyword: see callOpen
		"copy":       {run: dictCopy},
		"clear":      {run: dictClear},
		"fromkeys":   {params{names: []string{"iterable", "value"}, need: 1}, dictFromkeys},
	}
}

func viewer(kind string) func(*run, any, []any) (any, error) {
	return func(_ *run, self any, _ []any) (any, error) {
		return &dictView{kind, self.(*Dict)}, nil
	}
}

func dictGet(r *run, self any, args []any) (any, error) {
	h, err := r.hash(args[0])
	if err != nil {
		return nil, err
	}
	if v, ok := self.(*Dict).get(h); ok {
		return v, nil
	}
	return argOr(args, 1, nil), nil
}

func dictPop(r *run, self any, args []any) (any, error) {
	d := self.(*Dict)
	h, err := r.hash(args[0])
	if err != nil {
		return nil, err
	}
	if i := d.find(h); i >= 0 {
		v := d.entries[i].value
		return v, r.removeEntry(d, i)
	}
	if given(args, 1) {
		return args[1], nil
	}
	text, err := r.repr(args[0])
	if err == nil {
		err = fail("%s", text) // a KeyError's text is its key
	}
	return nil, err
}

// removeEntry pays for the index that may have to be made anew.
func (r *run) removeEntry(d *Dict, i int) error {
	d.remove(i)
	return r.spend(len(d.entries))
}

func dictPopitem(r *run, self any, _ []any) (any, error) {
	d := self.(*Dict)
	last := d.Len() - 1
	if last < 0 {
		return nil, fail("'popitem(): dictionary is empty'")
	}
	e := d.entries[last]
	return Tuple{e.key, e.value}, r.removeEntry(d, last)
}

func dictSetdefault(r *run, self any, args []any) (any, error) {
	d := self.(*Dict)
	h, err := r.hash(args[0])
	if err != nil {
		return nil, err
	}
	if v, ok := d.get(h); ok {
		return v, nil
	}
	v := argOr(args, 1, nil)
	d.put(h, known(args[0]), v)
	return v, nil
}

func dictCopy(r *run, self any, _ []any) (any, error) {
	d := self.(*Dict)
	return d.copy(), r.spend(d.Len())
}

func dictClear(_ *run, self any, _ []any) (any, error) {
	*self.(*Dict) = Dict{}
	return nil, nil
}

func dictFromkeys(r *run, _ any, args []any) (any, error) {
	keys, err := r.collect(args[0])
	if err != nil {
		return nil, err
	}
	d := NewDict()
	for _, key := range keys {
		if err := r.setKey(d, key, argOr(args, 1, nil)); err != nil {
			return nil, err
		}
	}
	return d, nil
}

// fill adds to a dict what dict() and update() take: a mapping or pairs,
// and keyword arguments.
func (r *run) fill(d *Dict, name string, a arguments) error {
	if len(a.pos) > 1 {
		return fail("%s expected at most 1 argument, got %d", name, len(a.pos))
	}
	if len(a.pos) == 1 {
		if err := r.fillFrom(d, a.pos[0]); err != nil {
			return err
		}
	}
	for _, n := range a.named {
		d.Set(n.name, n.value)
	}
	return nil
}

func (r *run) fillFrom(d *Dict, v any) error {
	if from, ok := v.(*Dict); ok {
		if err := r.spend(from.Len()); err != nil {
			return err
		}
		for _, e := range from.entries {
			d.put(e.hash, e.key, e.value)
		}
		return nil
	}
	items, err := r.collect(v)
	if err != nil {
		return err
	}
	for i, item := range items {
		pair, err := r.collect(item)
		if err != nil {
			return err
		}
		if len(pair) != 2 {
			return fail("dictionary update sequence element #%d has length %d; 2 is required", i, len(pair))
		}
		if err := r.setKey(d, pair[0], pair[1]); err != nil {
			return err
		}
	}
	return nil
}
