package jinja

// arguments are the evaluated arguments of a call.
type arguments struct {
	pos   []any
	named []namedValue
}

type namedValue struct {
	name  string
	value any
}

// take removes and gives a named argument.
func (a *arguments) take(name string) (any, bool) {
	for i, n := range a.named {
		if n.name == name {
			a.named = append(a.named[:i:i], a.named[i+1:]...)
			return n.value, true
		}
	}
	return nil, false
}

func (x *argsExpr) eval(r *run, s *scope) (arguments, error) {
	var a arguments
	if x.empty() {
		return a, nil
	}
	var err error
	if a.pos, err = r.evalAll(x.pos, s); err != nil {
		return a, err
	}
	for i, name := range x.names {
		v, err := r.eval(x.named[i], s)
		if err != nil {
			return a, err
		}
		if err := a.addNamed(name, v); err != nil {
			return a, err
		}
	}
	if x.star != nil {
		if err := x.evalStar(r, s, &a); err != nil {
			return a, err
		}
	}
	if x.dict != nil {
		err = x.evalDict(r, s, &a)
	}
	return a, err
}

// maxNamed bounds keyword arguments and parameters, which are looked for
// one by one.
const maxNamed = 1000

func (a *arguments) addNamed(name string, v any) error {
	if len(a.named) == maxNamed {
		return failLimit("a call has more than %d keyword arguments", maxNamed)
	}
	for _, n := range a.named {
		if n.name == name {
			return fail("got multiple values for keyword argument %s", reprString(name))
		}
	}
	a.named = append(a.named, namedValue{name, v})
	return nil
}

func (x *argsExpr) evalStar(r *run, s *scope, a *arguments) error {
	v, err := r.eval(x.star, s)
	if err != nil {
		return err
	}
	items, err := r.collect(v)
	a.pos = append(a.pos, items...)
	return err
}

func (x *argsExpr) evalDict(r *run, s *scope, a *arguments) error {
	v, err := r.eval(x.dict, s)
	if err != nil {
		return err
	}
	d, ok := v.(*Dict)
	if !ok {
		return fail("argument after ** must be a mapping, not %s", typeName(v))
	}
	if err := r.spend(d.Len()); err != nil {
		return err
	}
	for key, value := range d.All() {
		name, ok := asText(key)
		if !ok {
			return fail("keywords must be strings")
		}
		if err := a.addNamed(name, value); err != nil {
			return err
		}
	}
	return nil
}

// callable is a value that can be called.
type callable interface {
	call(r *run, a arguments) (any, error)
}

func (r *run) call(fn any, a arguments) (any, error) {
	switch fn := fn.(type) {
	case *undefined:
		return nil, fn.err()
	case callable:
		if err := r.spend(1); err != nil {
			return nil, err
		}
		return fn.call(r, a)
	}
	return nil, fail("%s object is not callable", reprString(typeName(fn)))
}

// params are the parameters of a built-in function: the names, of which the
// first need must be given. Rest takes any number of further arguments.
type params struct {
	names []string
	need  int
	rest  bool
}

// absent stands for an argument that was not given.
type absent struct{}

// bind puts arguments in the order of the names; what is not given is
// absent.
func (p *params) bind(name string, a arguments) ([]any, error) {
	if len(a.named) == 0 && len(a.pos) == len(p.names) {
		return a.pos, nil
	}
	if len(a.pos) > len(p.names) && !p.rest {
		return nil, fail("%s() takes at most %d arguments (%d given)", name, len(p.names), len(a.pos))
	}
	values := make([]any, max(len(p.names), len(a.pos)))
	for i := range values {
		values[i] = absent{}
	}
	copy(values, a.pos)
	for _, n := range a.named {
		i := indexOf(p.names, n.name)
		if i < 0 {
			return nil, fail("%s() got an unexpected keyword argument %s", name, reprString(n.name))
		}
		if _, free := values[i].(absent); !free {
			return nil, fail("%s() got multiple values for argument %s", name, reprString(n.name))
		}
		values[i] = n.value
	}
	for i := range p.need {
		if _, missing := values[i].(absent); missing {
			return nil, fail("%s() missing required argument: %s", name, reprString(p.names[i]))
		}
	}
	return values, nil
}

func indexOf(names []string, name string) int {
	for i, n := range names {
		if n == name {
			return i
		}
	}
	return -1
}

// function is a global function.
type function struct {
	name string
	run  func(r *run, a arguments) (any, error)
}

func (f *function) call(r *run, a arguments) (any, error) { return f.run(r, a) }

// method is a built-in method of a value.
type method struct {
	name string
	self any
	def  *methodDef
}

// methodDef is how a method works: args are bound to params.
type methodDef struct {
	params
	run func(r *run, self any, args []any) (any, error)
}

func (m *method) call(r *run, a arguments) (any, error) {
	if m.def.run == nil {
		return m.callOpen(r, a)
	}
	args, err := m.def.bind(m.name, a)
	if err != nil {
		return nil, err
	}
	return m.def.run(r, m.self, args)
}

// callOpen calls one of the methods that take any keyword argument.
func (m *method) callOpen(r *run, a arguments) (any, error) {
	if d, ok := m.self.(*Dict); ok {
		return nil, r.fill(d, "update", a)
	}
	return r.braceFormat(m.self.(string), a)
}
