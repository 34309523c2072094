package jinja

import "strings"

func (x *constExpr) eval(*run, *scope) (any, error) { return x.value, nil }

func (x *nameExpr) eval(r *run, s *scope) (any, error) {
	v, err := s.lookup(r, x.name)
	if err != nil {
		return nil, x.wrap(s, err)
	}
	return v, nil
}

func (r *run) evalAll(items []expr, s *scope) ([]any, error) {
	values := make([]any, len(items))
	for i, item := range items {
		var err error
		if values[i], err = r.eval(item, s); err != nil {
			return nil, err
		}
	}
	return values, nil
}

func (x *listExpr) eval(r *run, s *scope) (any, error) {
	items, err := r.evalAll(x.items, s)
	if err != nil {
		return nil, err
	}
	return &List{Items: items}, nil
}

func (x *tupleExpr) eval(r *run, s *scope) (any, error) {
	items, err := r.evalAll(x.items, s)
	if err != nil {
		return nil, err
	}
	return Tuple(items), nil
}

func (x *dictExpr) eval(r *run, s *scope) (any, error) {
	d := NewDict()
	for i := range x.keys {
		key, err := r.eval(x.keys[i], s)
		if err != nil {
			return nil, err
		}
		value, err := r.eval(x.values[i], s)
		if err != nil {
			return nil, err
		}
		if err := r.setKey(d, key, value); err != nil {
			return nil, x.wrap(s, err)
		}
	}
	return d, nil
}

func (x *attrExpr) eval(r *run, s *scope) (any, error) {
	v, err := r.eval(x.x, s)
	if err != nil {
		return nil, err
	}
	out, err := r.getAttr(v, x.name)
	if err != nil {
		return nil, x.wrap(s, err)
	}
	return out, nil
}

func (x *itemExpr) eval(r *run, s *scope) (any, error) {
	v, err := r.eval(x.x, s)
	if err != nil {
		return nil, err
	}
	key, err := r.eval(x.key, s)
	if err != nil {
		return nil, err
	}
	out, err := r.getItem(v, key)
	if err != nil {
		return nil, x.wrap(s, err)
	}
	return out, nil
}

func (x *sliceExpr) eval(r *run, s *scope) (any, error) {
	v, err := r.eval(x.x, s)
	if err != nil {
		return nil, err
	}
	var bounds [3]any
	for i, b := range []expr{x.from, x.to, x.step} {
		if b == nil {
			continue
		}
		if bounds[i], err = r.eval(b, s); err != nil {
			return nil, err
		}
	}
	out, err := r.slice(v, bounds)
	if err != nil {
		return nil, x.wrap(s, err)
	}
	return out, nil
}

func (x *callExpr) eval(r *run, s *scope) (any, error) {
	fn, err := r.eval(x.fn, s)
	if err != nil {
		return nil, err
	}
	a, err := x.args.eval(r, s)
	if err != nil {
		return nil, x.wrap(s, err)
	}
	out, err := r.call(fn, a)
	if err != nil {
		return nil, x.wrap(s, err)
	}
	return out, nil
}

func (x *filterExpr) eval(r *run, s *scope) (any, error) {
	v, err := r.eval(x.x, s)
	if err != nil {
		return nil, err
	}
	return x.apply(r, s, v)
}

func (x *filterExpr) apply(r *run, s *scope, v any) (any, error) {
	if x.fn == nil {
		return nil, x.wrap(s, fail("No filter named %s found.", reprString(x.name)))
	}
	out, err := x.args.pass(r, s, x.fn, v)
	if err != nil {
		return nil, x.wrap(s, err)
	}
	return out, nil
}

func (x *testExpr) eval(r *run, s *scope) (any, error) {
	v, err := r.eval(x.x, s)
	if err != nil {
		return nil, err
	}
	if x.fn == nil {
		return nil, x.wrap(s, fail("No test named %s found.", reprString(x.name)))
	}
	out, err := x.args.pass(r, s, x.fn, v)
	if err != nil {
		return nil, x.wrap(s, err)
	}
	return out, nil
}

// pass calls a filter or test with v and the arguments.
func (x *argsExpr) pass(r *run, s *scope, fn *filter, v any) (any, error) {
	a, err := x.eval(r, s)
	if err != nil {
		return nil, err
	}
	return r.filter(fn, v, a)
}

func (x *unaryExpr) eval(r *run, s *scope) (any, error) {
	v, err := r.eval(x.x, s)
	if err != nil {
		return nil, err
	}
	var out any
	if x.op == "not" {
		var yes bool
		yes, err = r.truth(v)
		out = !yes
	} else {
		out, err = sign(x.op, v)
	}
	if err != nil {
		return nil, x.wrap(s, err)
	}
	return out, nil
}

func (x *binaryExpr) eval(r *run, s *scope) (any, error) {
	a, err := r.eval(x.left, s)
	if err != nil {
		return nil, err
	}
	b, err := r.eval(x.right, s)
	if err != nil {
		return nil, err
	}
	out, err := r.binary(x.op, a, b)
	if err != nil {
		return nil, x.wrap(s, err)
	}
	return out, nil
}

func (x *concatExpr) eval(r *run, s *scope) (any, error) {
	var b strings.Builder
	for _, item := range x.items {
		v, err := r.eval(item, s)
		if err != nil {
			return nil, err
		}
		text, err := r.str(v)
		if err != nil {
			return nil, x.wrap(s, err)
		}
		b.WriteString(text)
		if err := r.fits(b.Len()); err != nil {
			return nil, x.wrap(s, err)
		}
	}
	if err := r.checkSize(b.Len()); err != nil {
		return nil, x.wrap(s, err)
	}
	return b.String(), nil
}

func (x *compareExpr) eval(r *run, s *scope) (any, error) {
	a, err := r.eval(x.first, s)
	if err != nil {
		return nil, err
	}
	for i, op := range x.ops {
		b, err := r.eval(x.rest[i], s)
		if err != nil {
			return nil, err
		}
		yes, err := r.compare(op, a, b)
		if err != nil {
			return nil, x.wrap(s, err)
		}
		if !yes {
			return false, nil
		}
		a = b
	}
	return true, nil
}

func (x *logicExpr) eval(r *run, s *scope) (any, error) {
	a, err := r.eval(x.left, s)
	if err != nil {
		return nil, err
	}
	yes, err := r.truth(a)
	if err != nil {
		return nil, x.wrap(s, err)
	}
	if yes != x.and {
		return a, nil
	}
	return r.eval(x.right, s)
}

func (x *condExpr) eval(r *run, s *scope) (any, error) {
	test, err := r.eval(x.test, s)
	if err != nil {
		return nil, err
	}
	yes, err := r.truth(test)
	switch {
	case err != nil:
		return nil, x.wrap(s, err)
	case yes:
		return r.eval(x.yes, s)
	case x.no != nil:
		return r.eval(x.no, s)
	}
	line, _ := position(s.tmpl.source, x.pos)
	return &undefined{lenient: true, hint: "the inline if-expression on line " + shortRepr(int64(line)) + " in " + reprString(s.tmpl.name) + " evaluated to false and no else section was defined."}, nil
}
