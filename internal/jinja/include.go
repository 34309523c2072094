package jinja

func (x *includeStmt) exec(r *run, s *scope) error {
	t, err := r.loadValue(x.name, s, true)
	if err != nil {
		if x.ignoreMissing && isNotFound(err) {
			return nil
		}
		return x.wrap(s, err)
	}
	if x.withContext {
		err = r.root(t, newContext(t, s))
	} else {
		var m *module
		if m, err = r.module(t); err == nil {
			err = r.print(m.text)
		}
	}
	if err != nil {
		return x.wrap(s, err)
	}
	return nil
}

// module is an imported template: its attributes are what it sets.
type module struct {
	name   string
	text   string // what it printed
	root   *scope
	hidden map[string]bool // names it imported itself
}

func (m *module) attribute(name string) (any, bool) {
	if name == "" || name[0] == '_' || m.hidden[name] {
		return nil, false
	}
	if i := m.root.find(name); i >= 0 {
		return m.root.values[i], true
	}
	return nil, false
}

// module runs a template that sees no variables; once is enough.
func (r *run) module(t *template) (*module, error) {
	if m := r.modules[t]; m != nil {
		return m, nil
	}
	m, err := r.newModule(t, nil)
	if err != nil {
		return nil, err
	}
	if r.modules == nil {
		r.modules = make(map[*template]*module)
	}
	r.modules[t] = m
	return m, nil
}

func (r *run) newModule(t *template, outer *scope) (*module, error) {
	c := newContext(t, outer)
	text, err := r.capture(func() error { return r.root(t, c) })
	m := &module{name: t.name, text: text, root: c.root, hidden: make(map[string]bool)}
	for _, st := range t.body {
		switch st := st.(type) {
		case *importStmt:
			m.hidden[st.alias] = true
		case *fromStmt:
			for _, alias := range st.aliases {
				m.hidden[alias] = true
			}
		}
	}
	return m, err
}

// imported loads a template as a module.
func (r *run) imported(x expr, s *scope, withContext bool) (*module, error) {
	t, err := r.loadValue(x, s, false)
	if err != nil {
		return nil, err
	}
	if withContext {
		return r.newModule(t, s)
	}
	return r.module(t)
}

func (x *importStmt) exec(r *run, s *scope) error {
	m, err := r.imported(x.name, s, x.withContext)
	if err != nil {
		return x.wrap(s, err)
	}
	s.set(x.alias, m)
	return nil
}

func (x *fromStmt) exec(r *run, s *scope) error {
	m, err := r.imported(x.template, s, x.withContext)
	if err != nil {
		return x.wrap(s, err)
	}
	for i, name := range x.names {
		v, ok := m.attribute(name)
		if !ok {
			v = &undefined{hint: "the template " + reprString(m.name) + " does not export the requested name " + reprString(name)}
		}
		s.set(x.aliases[i], v)
	}
	return nil
}
