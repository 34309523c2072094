package jinja

import "math"

// globals are the names every template knows.
func globals() map[string]*function {
	all := make(map[string]*function)
	for _, f := range []*function{
		{"range", rangeOf},
		{"dict", newDict},
		{"namespace", newNamespace},
		{"cycler", newCycler},
		{"joiner", newJoiner},
	} {
		all[f.name] = f
	}
	return all
}

func rangeOf(_ *run, a arguments) (any, error) {
	if len(a.named) > 0 || len(a.pos) < 1 || len(a.pos) > 3 {
		return nil, fail("range expected 1 to 3 arguments, got %d", len(a.pos)+len(a.named))
	}
	v := &rangeValue{step: 1}
	var n [3]int64
	for i := range a.pos {
		var err error
		if n[i], err = intOr(a.pos, i, 0); err != nil {
			return nil, err
		}
		if a.pos[i] == nil {
			return nil, fail("'NoneType' object cannot be interpreted as an integer")
		}
		if n[i] > math.MaxInt64/4 || n[i] < math.MinInt64/4 {
			return nil, failLimit("the bounds of a range are too large")
		}
	}
	switch len(a.pos) {
	case 1:
		v.stop = n[0]
	case 3:
		if v.step = n[2]; v.step == 0 {
			return nil, fail("range() arg 3 must not be zero")
		}
		fallthrough
	case 2:
		v.start, v.stop = n[0], n[1]
	}
	return v, nil
}

func newDict(r *run, a arguments) (any, error) {
	d := NewDict()
	return d, r.fill(d, "dict", a)
}

// namespace holds attributes that inner scopes can set.
type namespace struct{ dict *Dict }

func newNamespace(r *run, a arguments) (any, error) {
	d := NewDict()
	return &namespace{d}, r.fill(d, "namespace", a)
}

func (n *namespace) attribute(name string) (any, bool) { return n.dict.get(name) }

// cycler gives its items in turn.
type cycler struct {
	items []any
	i     int
}

func newCycler(_ *run, a arguments) (any, error) {
	if len(a.pos) == 0 {
		return nil, fail("at least one item has to be provided")
	}
	return &cycler{items: a.pos}, nil
}

func (c *cycler) attribute(name string) (any, bool) {
	switch name {
	case "next":
		return &function{"next", func(*run, arguments) (any, error) {
			item := c.items[c.i]
			c.i = (c.i + 1) % len(c.items)
			return item, nil
		}}, true
	case "reset":
		return &function{"reset", func(*run, arguments) (any, error) {
			c.i = 0
			return nil, nil
		}}, true
	case "current":
		return c.items[c.i], true
	}
	return nil, false
}

// joiner gives nothing the first time and a separator from then on.
type joiner struct {
	separator any
	used      bool
}

func newJoiner(_ *run, a arguments) (any, error) {
	args, err := (&params{names: []string{"sep"}}).bind("joiner", a)
	if err != nil {
		return nil, err
	}
	return &joiner{separator: argOr(args, 0, ", ")}, nil
}

func (j *joiner) call(*run, arguments) (any, error) { //nolint:unparam // as every callable
	if !j.used {
		j.used = true
		return "", nil
	}
	return j.separator, nil
}
