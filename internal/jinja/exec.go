package jinja

func (x *textStmt) exec(r *run, s *scope) error {
	if s.silent() {
		return nil
	}
	return r.print(x.text)
}

func (x *printStmt) exec(r *run, s *scope) error {
	if s.silent() {
		return nil
	}
	v, err := r.eval(x.x, s)
	if err != nil {
		return err
	}
	text, err := r.str(v)
	if err == nil {
		err = r.print(text)
	}
	if err != nil {
		return x.wrap(s, err)
	}
	return nil
}

func (x *ifStmt) exec(r *run, s *scope) error {
	test, err := r.eval(x.test, s)
	if err != nil {
		return err
	}
	yes, err := r.truth(test)
	switch {
	case err != nil:
		return x.wrap(s, err)
	case yes:
		return r.exec(x.yes, s)
	}
	return r.exec(x.no, s)
}

func (x *jumpStmt) exec(*run, *scope) error { return x.err }

func (x *setStmt) exec(r *run, s *scope) error {
	v, err := r.eval(x.value, s)
	if err != nil {
		return err
	}
	if err := x.target.assign(r, s, v); err != nil {
		return x.wrap(s, err)
	}
	return nil
}

func (x *setBlockStmt) exec(r *run, s *scope) error {
	text, err := r.capture(func() error { return r.exec(x.body, s.captured()) })
	if err != nil {
		return err
	}
	v, err := r.applyAll(x.filters, s, text)
	if err != nil {
		return err
	}
	if err := x.target.assign(r, s, v); err != nil {
		return x.wrap(s, err)
	}
	return nil
}

func (r *run) applyAll(filters []*filterExpr, s *scope, v any) (any, error) {
	for _, f := range filters {
		var err error
		if v, err = f.apply(r, s, v); err != nil {
			return nil, err
		}
	}
	return v, nil
}

func (x *withStmt) exec(r *run, s *scope) error {
	values, err := r.evalAll(x.values, s)
	if err != nil {
		return err
	}
	inner := s.inner()
	for i, t := range x.targets {
		if err := t.assign(r, inner, values[i]); err != nil {
			return x.wrap(s, err)
		}
	}
	return r.exec(x.body, inner)
}

func (x *scopeStmt) exec(r *run, s *scope) error { return r.exec(x.body, s.inner()) }

func (x *doStmt) exec(r *run, s *scope) error {
	_, err := r.eval(x.x, s)
	return err
}

func (x *filterStmt) exec(r *run, s *scope) error {
	text, err := r.capture(func() error { return r.exec(x.body, s.inner()) })
	if err != nil {
		return err
	}
	v, err := r.applyAll(x.filters, s, text)
	if err != nil {
		return err
	}
	if text, err = r.str(v); err == nil {
		err = r.print(text)
	}
	if err != nil {
		return x.wrap(s, err)
	}
	return nil
}

func (t *nameTarget) assign(_ *run, s *scope, v any) error {
	s.set(t.name, v)
	return nil
}

func (t *tupleTarget) assign(r *run, s *scope, v any) error {
	items, err := r.iterate(v)
	if err != nil {
		if u, ok := v.(*undefined); ok {
			return u.err()
		}
		return fail("cannot unpack non-iterable %s object", typeName(v))
	}
	values := make([]any, len(t.items))
	for i := range values {
		item, ok, err := items.next()
		if err != nil {
			return err
		}
		if !ok {
			return fail("not enough values to unpack (expected %d, got %d)", len(values), i)
		}
		values[i] = item
	}
	if _, more, _ := items.next(); more {
		return fail("too many values to unpack (expected %d)", len(values))
	}
	for i, target := range t.items {
		if err := target.assign(r, s, values[i]); err != nil {
			return err
		}
	}
	return nil
}

func (t *namespaceTarget) assign(r *run, s *scope, v any) error {
	to, err := s.lookup(r, t.name)
	if err != nil {
		return err
	}
	ns, ok := to.(*namespace)
	if !ok {
		return fail("cannot assign attribute on non-namespace object")
	}
	ns.dict.Set(t.attr, v)
	return nil
}
