package jinja

import (
	"errors"
)

// root executes a template's body in the scope of c, and then that of the
// template it extends, and so on.
func (r *run) root(t *template, c *context) error {
	if err := r.enter(); err != nil {
		return err
	}
	defer r.leave()
	s := c.root
	s.top = true
	for t != nil {
		s.tmpl, s.inherit = t, nil
		if t.extends {
			s.inherit = &inheritance{}
		}
		if err := r.spend(1); err != nil {
			return t.at(0, err)
		}
		if err := r.exec(t.body, s); err != nil {
			return t.at(0, err)
		}
		if s.inherit == nil {
			return nil
		}
		t = s.inherit.parent
	}
	return nil
}

func (x *extendsStmt) exec(r *run, s *scope) error {
	if s.inherit.parent != nil {
		return x.wrap(s, fail("extended multiple times"))
	}
	parent, err := r.loadValue(x.name, s, false)
	if err != nil {
		return x.wrap(s, err)
	}
	s.inherit.parent = parent
	for name, b := range parent.blocks {
		s.ctx.blocks[name] = append(s.ctx.blocks[name], b)
		if len(s.ctx.blocks[name]) > r.env.opts.Limits.Depth {
			return x.wrap(s, failLimit("templates extend each other more than %d levels deep", r.env.opts.Limits.Depth))
		}
	}
	return nil
}

func (x *blockStmt) exec(r *run, s *scope) error {
	if s.top && s.silent() {
		return nil // only a definition
	}
	chain := s.ctx.blocks[x.name]
	if x.required && len(chain) <= 1 {
		return x.wrap(s, fail("Required block %s not found", reprString(x.name)))
	}
	outer := s.ctx.root
	if x.scoped {
		outer = s
	}
	b := &blockRef{ctx: s.ctx, chain: chain, outer: outer}
	if err := b.exec(r); err != nil {
		return x.wrap(s, err)
	}
	return nil
}

// blockRef is one level of an overridden block; super() and self.name() are
// such values.
type blockRef struct {
	ctx   *context
	chain []*blockStmt // this level first, then its parents
	outer *scope       // what it sees
}

func (b *blockRef) exec(r *run) error {
	if err := r.enter(); err != nil {
		return err
	}
	defer r.leave()
	block := b.chain[0]
	s := &scope{parent: b.outer, ctx: b.ctx, tmpl: block.tmpl}
	s.set("super", b.parent())
	return r.exec(block.body, s)
}

// parent is the value of super.
func (b *blockRef) parent() any {
	if len(b.chain) < 2 {
		return &undefined{hint: "there is no parent block called " + reprString(b.chain[0].name) + "."}
	}
	return &blockRef{b.ctx, b.chain[1:], b.outer}
}

func (b *blockRef) attribute(name string) (any, bool) {
	if name == "super" {
		return b.parent(), true
	}
	return nil, false
}

func (b *blockRef) call(r *run, _ arguments) (any, error) {
	return r.capture(func() error { return b.exec(r) })
}

// selfRef is the variable "self": its attributes are the blocks.
type selfRef struct{ ctx *context }

func (x *selfRef) attribute(name string) (any, bool) {
	chain := x.ctx.blocks[name]
	if len(chain) == 0 {
		return nil, false
	}
	return &blockRef{x.ctx, chain, x.ctx.root}, true
}

// loadValue evaluates the name of a template and loads it. Where many are
// allowed, it may be a list, of which the first that exists counts.
func (r *run) loadValue(x expr, s *scope, many bool) (*template, error) {
	v, err := r.eval(x, s)
	if err != nil {
		return nil, err
	}
	v = known(v)
	switch v := v.(type) {
	case *undefined:
		return nil, v.err()
	case string:
		return r.load(v)
	}
	if !many {
		return nil, fail("the name of a template must be a text, not %s", typeName(v))
	}
	names, err := r.collect(v)
	if err != nil {
		return nil, err
	}
	return r.loadFirst(names)
}

func (r *run) loadFirst(names []any) (*template, error) {
	tried := make([]any, 0, len(names))
	for _, v := range names {
		name, ok := asText(v)
		if !ok {
			return nil, fail("the name of a template must be a text, not %s", typeName(v))
		}
		t, err := r.load(name)
		if err == nil || !isNotFound(err) {
			return t, err
		}
		tried = append(tried, name)
	}
	list, err := r.repr(&List{Items: tried})
	if err != nil {
		return nil, err
	}
	return nil, &failure{kind: KindNotFound, msg: "none of the templates given were found: " + list}
}

func isNotFound(err error) bool {
	f, ok := errors.AsType[*failure](err)
	return ok && f.kind == KindNotFound
}
