// Package prepare makes stacks ready: it resolves what their configs leave to
// resolvers, renders their templates and gives everything the form in which it
// goes to CloudFormation.
//
// It never compares with what lives in an account and never changes anything.
// What other stacks of the run will decide is marked as known later; Complete
// tells whether any of that is left.
package prepare

import (
	"cmp"
	"context"
	"io/fs"
	"slices"
	"strings"

	"github.com/hashicorp/go-multierror"

	"github.com/deployer-cli/deployer/internal/cfntemplate"
	"github.com/deployer-cli/deployer/internal/flow"
	"github.com/deployer-cli/deployer/stacks"
	"github.com/deployer-cli/deployer/templates"
)

// Resolver replaces every resolver call in a value by what it gives.
type Resolver interface {
	Value(ctx context.Context, st *stacks.Stack, v stacks.Value) (stacks.Value, error)
}

// Renderer makes the body of a stack's template.
type Renderer interface {
	Render(ctx context.Context, st *stacks.Stack, userData stacks.Value) (templates.Body, error)
	NeedsData(st *stacks.Stack) bool
}

// Parser reads a body as CloudFormation would.
type Parser interface {
	Parse(body []byte) (*cfntemplate.Template, error)
}

// Ports are what a Preparer works with.
type Ports struct {
	Resolver Resolver // may call AWS
	Offline  Resolver // never does; used by Source. Nil: Resolver
	Renderer Renderer
	Sketch   Renderer // used by Source; may leave out what costs much. Nil: Renderer
	Parser   Parser
	Files    fs.FS // the project, for stack policies in files
	Parallel int   // how many stacks of one access are made ready at the same time; 0 means 16
}

// Preparer makes stacks ready. It may be used by many goroutines.
type Preparer struct{ ports Ports }

const defaultParallel = 16

// New returns a Preparer that works with the given ports.
func New(ports Ports) *Preparer {
	if ports.Offline == nil {
		ports.Offline = ports.Resolver
	}
	if ports.Sketch == nil {
		ports.Sketch = ports.Renderer
	}
	ports.Parallel = cmp.Or(max(ports.Parallel, 0), defaultParallel)
	return &Preparer{ports: ports}
}

// Prepare makes one stack ready. What is wrong with it comes together, as a
// *multierror.Error; what is not known yet is no error. Whether the parameters
// suit the template is for Check to say.
func (p *Preparer) Prepare(ctx context.Context, st *stacks.Stack) (*stacks.Desired, error) {
	m := &making{
		ctx:      ctx,
		ports:    &p.ports,
		resolver: p.ports.Resolver,
		renderer: p.ports.Renderer,
		stack:    st,
		out:      &stacks.Desired{Stack: st},
	}
	m.body()
	m.parameters()
	m.tags()
	m.notifications()
	m.out.ServiceRole = m.text("cloudformation_service_role", st.ServiceRole)
	m.out.Bucket = m.text("template_bucket_name", st.Bucket)
	m.policy()
	if err := ctx.Err(); err != nil {
		return nil, context.Cause(ctx)
	}
	if err := m.errs.ErrorOrNil(); err != nil {
		return nil, err
	}
	m.out.After = stacks.SortPaths(m.out.After)
	return m.out, nil
}

// All makes stacks ready, several at a time. The answers stand in the order of
// the stacks; the problems of all stacks come together, in that order too.
func (p *Preparer) All(ctx context.Context, sts []*stacks.Stack) ([]*stacks.Desired, error) {
	out := make([]*stacks.Desired, len(sts))
	errs := make([]error, len(sts))
	access := func(i int) stacks.Access { return sts[i].Access } // an account that answers slowly holds up no other
	flow.EachOf(ctx, p.ports.Parallel, len(sts), access, func(i int) { out[i], errs[i] = p.Prepare(ctx, sts[i]) })
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	var all *multierror.Error
	for _, err := range errs {
		if err != nil {
			all = multierror.Append(all, err)
		}
	}
	if err := all.ErrorOrNil(); err != nil {
		return nil, err
	}
	return out, nil
}

// Access tells with which identity a stack is reached, once its role is
// resolved. A role that another stack of the run has yet to make is a problem:
// nothing can be asked about the stack before.
func (p *Preparer) Access(ctx context.Context, st *stacks.Stack) (stacks.Access, error) {
	if st.AccessRole.Kind == stacks.Null {
		return st.Access, nil
	}
	m := &making{ctx: ctx, ports: &p.ports, resolver: p.ports.Resolver, stack: st, out: &stacks.Desired{Stack: st}}
	role := m.text("sceptre_role", st.AccessRole)
	if err := m.errs.ErrorOrNil(); err != nil {
		return stacks.Access{}, err
	}
	if IsLate(role) {
		return stacks.Access{}, m.wrong(st.AccessRole.Pos, "sceptre_role", "it is known only after "+list(m.out.After), "launch that stack first")
	}
	access := st.Access
	access.Role = role
	return access, nil
}

// making is one stack on its way to being ready.
type making struct {
	ctx      context.Context // of the one call that this lives for
	ports    *Ports
	resolver Resolver
	renderer Renderer
	stack    *stacks.Stack
	template *cfntemplate.Template // nil where it cannot be read yet
	out      *stacks.Desired
	errs     *multierror.Error
}

func (m *making) fail(err error) { m.errs = multierror.Append(m.errs, err) }

// wrong is a problem of the stack's config.
func (m *making) wrong(pos stacks.Pos, what, why, tip string) *stacks.Problem {
	if pos.File == "" {
		pos = m.stack.Pos
	}
	if pos.File == "" {
		pos.File = m.stack.File
	}
	return &stacks.Problem{Pos: pos, What: what, Why: why, Tip: tip}
}

func (m *making) after(paths ...stacks.Path) { m.out.After = append(m.out.After, paths...) }

// resolve makes the calls in a value. The key it stands under counts in telling
// whether it is secret. ok is false where that went wrong; a !previous is left
// as it is.
func (m *making) resolve(key string, v stacks.Value) (out stacks.Value, ok bool) {
	if v.Kind == stacks.Null {
		return v, true
	}
	field := stacks.Field{Key: key, Value: v, Pos: v.Pos}
	all, err := m.resolver.Value(m.ctx, m.stack, stacks.Value{Kind: stacks.Map, Fields: []stacks.Field{field}, Pos: v.Pos})
	if err != nil {
		m.fail(err)
		return stacks.Value{}, false
	}
	out, found := all.Get(key)
	if !found {
		return stacks.Value{}, true // it resolved to nothing
	}
	out.Secret = out.Secret || v.Secret && v.Kind != stacks.Call
	if out.Pos.File == "" {
		out.Pos = v.Pos
	}
	return out, true
}

func list(paths []stacks.Path) string {
	if len(paths) == 0 {
		return "a look into the account"
	}
	words := make([]string, 0, len(paths))
	for _, p := range stacks.SortPaths(slices.Clone(paths)) {
		words = append(words, string(p))
	}
	return strings.Join(words, ", ")
}
