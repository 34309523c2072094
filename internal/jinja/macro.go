package jinja

// macro is a callable body: a macro or what caller() runs.
type macro struct {
	*signature
	name  string
	body  []stmt
	scope *scope // where it was made
	pos   int
}

func (x *macroStmt) exec(_ *run, s *scope) error {
	s.set(x.name, &macro{&x.signature, x.name, x.body, s, x.pos})
	return nil
}

func (x *callStmt) exec(r *run, s *scope) error {
	fn, err := r.eval(x.call.fn, s)
	if err != nil {
		return err
	}
	a, err := x.call.args.eval(r, s)
	if err == nil {
		err = a.addNamed("caller", &macro{&x.signature, "caller", x.body, s, x.pos})
	}
	if err != nil {
		return x.wrap(s, err)
	}
	v, err := r.call(fn, a)
	if err != nil {
		return x.call.wrap(s, err)
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

func (m *macro) attribute(name string) (any, bool) {
	switch name {
	case "name":
		return m.name, true
	case "arguments":
		t := Tuple{}
		for _, p := range m.params {
			t = append(t, p)
		}
		return t, true
	case "caller":
		return m.caller, true
	case "catch_kwargs":
		return m.kwargs, true
	case "catch_varargs":
		return m.varargs, true
	}
	return nil, false
}

func (m *macro) call(r *run, a arguments) (any, error) {
	if err := r.enter(); err != nil {
		return nil, err
	}
	defer r.leave()
	if err := r.spend(len(m.params)); err != nil {
		return nil, err
	}
	s := m.scope.captured()
	if err := m.bind(r, s, a); err != nil {
		return nil, err
	}
	text, err := r.capture(func() error { return r.exec(m.body, s) })
	return text, err
}

// bind sets the variables of a call in s.
func (m *macro) bind(r *run, s *scope, a arguments) error {
	n := min(len(a.pos), len(m.params))
	for i, name := range m.params {
		v, given := any(nil), i < n
		if given {
			v = a.pos[i]
		} else if v, given = a.take(name); !given {
			var err error
			if v, err = m.defaultOf(r, s, i); err != nil {
				return err
			}
		}
		s.set(name, v)
	}
	if m.caller && indexOf(m.params, "caller") < 0 {
		v, given := a.take("caller")
		if !given {
			v = &undefined{hint: "No caller defined"}
		}
		s.set("caller", v)
	}
	return m.bindRest(s, a, n)
}

// bindRest deals with arguments that have no parameter.
func (m *macro) bindRest(s *scope, a arguments, n int) error {
	if m.kwargs {
		d := NewDict()
		for _, v := range a.named {
			d.Set(v.name, v.value)
		}
		s.set("kwargs", d)
	} else if len(a.named) > 0 {
		return fail("macro %s takes no keyword argument %s", reprString(m.name), reprString(a.named[0].name))
	}
	if m.varargs {
		s.set("varargs", Tuple(a.pos[n:]))
	} else if len(a.pos) > n {
		return fail("macro %s takes not more than %d argument(s)", reprString(m.name), len(m.params))
	}
	return nil
}

func (m *macro) defaultOf(r *run, s *scope, i int) (any, error) {
	if i -= len(m.params) - len(m.defaults); i >= 0 {
		return r.eval(m.defaults[i], s)
	}
	name := m.params[len(m.params)-len(m.defaults)+i]
	return &undefined{hint: "parameter " + reprString(name) + " was not provided", name: name}, nil
}
