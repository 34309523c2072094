package prepare

import (
	"context"
	"errors"
	"slices"

	"github.com/deployer-cli/deployer/internal/cfntemplate"
	"github.com/deployer-cli/deployer/stacks"
	"github.com/deployer-cli/deployer/templates"
)

// body renders the template and reads it.
func (m *making) body() {
	if body, ok := m.render(); ok {
		m.read(body)
	}
}

// Body renders a stack's template and nothing more: what cannot be read as a
// template can be looked at.
func (p *Preparer) Body(ctx context.Context, st *stacks.Stack) (*stacks.Desired, error) {
	m := &making{ctx: ctx, ports: &p.ports, resolver: p.ports.Resolver, renderer: p.ports.Renderer, stack: st, out: &stacks.Desired{Stack: st}}
	m.render()
	return m.out, m.errs.ErrorOrNil()
}

func (m *making) render() (body templates.Body, ok bool) {
	st, ok := m.source()
	if !ok {
		return body, false
	}
	data := stacks.Value{}
	if m.renderer.NeedsData(st) {
		if data, ok = m.resolve("sceptre_user_data", st.UserData); !ok {
			return body, false
		}
	}
	body, err := m.renderer.Render(m.ctx, st, data)
	if err != nil {
		m.fail(err)
		return body, false
	}
	m.out.Body = body.Text
	m.out.BodyLate = body.Late
	m.out.Secrets = slices.Clone(body.Secrets)
	m.after(body.After...)
	return body, true
}

// source resolves what stands under template. The answer is a copy of the
// stack.
func (m *making) source() (*stacks.Stack, bool) {
	args := m.stack.Template.Args
	if args.Kind != stacks.Map {
		return m.stack, true
	}
	resolved, ok := m.resolve("template", args)
	if !ok {
		return nil, false
	}
	if after, unknown := resolved.HasUnknown(); unknown {
		m.out.BodyLate = true
		m.after(after...)
		return nil, false
	}
	st := *m.stack
	st.Template.Args = resolved
	if p, ok := resolved.Get("path"); ok && p.IsScalar() {
		st.Template.Path = p.Text
	}
	return &st, true
}

// read parses the body. What holds placeholders may be no template yet, which
// is no error.
func (m *making) read(body templates.Body) {
	if len(body.Text) == 0 {
		return
	}
	t, err := m.ports.Parser.Parse(body.Text)
	switch {
	case err == nil:
		m.template = t
	case !body.Late:
		m.fail(m.unreadable(body, err))
	}
}

// unreadable places a template's error in the template, as exactly as its
// rendering allows.
func (m *making) unreadable(body templates.Body, err error) error {
	p := &stacks.Problem{
		Pos:  stacks.Pos{File: body.File},
		What: "template of " + string(m.stack.Path),
		Why:  err.Error(),
	}
	te, ok := errors.AsType[*cfntemplate.Error](err)
	switch {
	case !ok:
	case body.Exact:
		p.Pos.Line, p.Pos.Column, p.Why = te.Line, te.Column, te.Message
	default:
		p.Why = te.Message
		p.Tip = "see what it renders to: deployer generate " + string(m.stack.Path)
	}
	return p
}
