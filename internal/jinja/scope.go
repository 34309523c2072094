package jinja

// scope holds the variables of one body. Names are looked up from the
// innermost scope outwards; an assignment stays in its own scope.
type scope struct {
	parent *scope
	ctx    *context
	tmpl   *template
	vars   *Dict // the caller's variables; only in the outermost scope

	// inherit tells whether this template has extended another one already;
	// nil where output is never held back.
	inherit *inheritance
	top     bool // not in a loop, macro or other body with its own scope

	names  []string
	values []any
	index  map[string]int // of names, once there are many
}

// context is what the templates of one inheritance chain share.
type context struct {
	root   *scope
	blocks map[string][]*blockStmt // from the child to the parents
}

// inheritance is the state of one template's body that may extend another.
type inheritance struct{ parent *template }

// manyNames is where a map becomes quicker than looking through a list.
const manyNames = 12

func newContext(t *template, parent *scope) *context {
	c := &context{}
	if len(t.blocks) > 0 || t.extends {
		c.blocks = make(map[string][]*blockStmt, len(t.blocks))
	}
	for name, b := range t.blocks {
		c.blocks[name] = []*blockStmt{b}
	}
	c.root = &scope{parent: parent, ctx: c, tmpl: t}
	return c
}

// inner makes the scope of a body in s.
func (s *scope) inner() *scope {
	return &scope{parent: s, ctx: s.ctx, tmpl: s.tmpl, inherit: s.inherit}
}

// captured makes the scope of a body whose output is a value, which is
// never held back.
func (s *scope) captured() *scope {
	return &scope{parent: s, ctx: s.ctx, tmpl: s.tmpl}
}

// silent tells whether output is dropped because the template has extended
// another one.
func (s *scope) silent() bool { return s.inherit != nil && s.inherit.parent != nil }

func (s *scope) find(name string) int {
	if s.index != nil {
		if i, ok := s.index[name]; ok {
			return i
		}
		return -1
	}
	for i, n := range s.names {
		if n == name {
			return i
		}
	}
	return -1
}

func (s *scope) set(name string, v any) {
	if i := s.find(name); i >= 0 {
		s.values[i] = v
		return
	}
	s.names, s.values = append(s.names, name), append(s.values, v)
	switch {
	case s.index != nil:
		s.index[name] = len(s.names) - 1
	case len(s.names) > manyNames:
		s.index = make(map[string]int)
		for i, n := range s.names {
			s.index[n] = i
		}
	}
}

// lookup finds a variable, or a global function, or gives Undefined.
func (s *scope) lookup(r *run, name string) (any, error) {
	for at := s; at != nil; at = at.parent {
		if i := at.find(name); i >= 0 {
			return at.values[i], nil
		}
		if at.vars == nil {
			continue
		}
		if given, ok := at.vars.Get(name); ok {
			// A copy, made once: what the template changes stays its own.
			v, err := r.intern(given, 0)
			if err != nil {
				return nil, err
			}
			at.set(name, v)
			return v, nil
		}
	}
	if g := r.env.known.globals[name]; g != nil {
		return g, nil
	}
	if name == "self" && s.ctx != nil {
		return &selfRef{s.ctx}, nil
	}
	return &undefined{name: name}, nil
}
