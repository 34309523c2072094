package prepare

import (
	"context"

	"github.com/deployer-cli/deployer/internal/cfntemplate"
	"github.com/deployer-cli/deployer/internal/flow"
	"github.com/deployer-cli/deployer/stacks"
)

// Draft is a stack as far as it can be told without asking anybody: what the
// graph is made from.
type Draft struct {
	Stack      *stacks.Stack
	Template   *cfntemplate.Template // nil where Err says why, or where it is known only later
	Parameters map[string]any        // string, or cfntemplate.Unknown
	Err        error                 // why there is no template
}

// Source drafts one stack with the offline resolver. A value that cannot be
// resolved is unknown here; Prepare will say what is wrong with it.
func (p *Preparer) Source(ctx context.Context, st *stacks.Stack) Draft {
	m := &making{
		ctx:      ctx,
		ports:    &p.ports,
		resolver: p.ports.Offline,
		renderer: p.ports.Sketch,
		stack:    st,
		out:      &stacks.Desired{Stack: st},
	}
	m.body()
	d := Draft{Stack: st, Template: m.template, Err: m.errs.ErrorOrNil(), Parameters: make(map[string]any, len(st.Parameters))}
	m.errs = nil // what is wrong with parameters is for Prepare to say
	for _, f := range st.Parameters {
		if v, ok := m.draft(f); ok {
			d.Parameters[f.Key] = v
		}
	}
	return d
}

// Sources drafts stacks, several at a time, in their order.
func (p *Preparer) Sources(ctx context.Context, sts []*stacks.Stack) ([]Draft, error) {
	out := make([]Draft, len(sts))
	flow.Each(ctx, p.ports.Parallel, len(sts), func(i int) { out[i] = p.Source(ctx, sts[i]) })
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	return out, nil
}

// draft gives a parameter as text or as unknown; not ok is one left out.
func (m *making) draft(f stacks.Field) (any, bool) {
	v, ok := m.resolve(f.Key, f.Value)
	if !ok {
		return cfntemplate.Unknown{Why: f.Key + " cannot be resolved"}, true
	}
	if _, keep, _ := previous(v); keep {
		return cfntemplate.Unknown{Why: "the live value of " + f.Key}, true
	}
	if v.Kind == stacks.Null {
		return nil, false
	}
	p, why := Parameter(f.Key, v)
	switch {
	case why != "":
		return cfntemplate.Unknown{Why: why}, true
	case p.Unknown:
		return cfntemplate.Unknown{Why: p.Hint}, true
	}
	return p.Value, true
}
