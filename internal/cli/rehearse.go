package cli

import (
	"context"
	"errors"
	"strings"

	"github.com/deployer-cli/deployer/stacks"
)

// ready makes all stacks ready once. Whatever is wrong with any of them is told
// together and stops the run before anything starts; only where a project is
// rehearsed with stubs do the other stacks go on, for there some of what a stack
// is made of may be out of reach.
func (p *planner) ready(ctx context.Context) (refused map[stacks.Path]string, err error) {
	if p.s.stubs == nil {
		all, err := p.s.prepare.All(ctx, p.sc.list())
		if err != nil {
			return nil, err
		}
		return nil, errors.Join(p.s.prepare.CheckAll(all), p.unmade())
	}
	refused = map[stacks.Path]string{}
	for _, st := range p.sc.list() {
		d, err := p.s.prepare.Prepare(ctx, st)
		if err == nil {
			err = p.s.prepare.Check(d)
		}
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if err != nil {
			refused[st.Path] = oneLine(err)
		}
	}
	return refused, nil
}

// oneLine tells all that an error holds in one line.
func oneLine(err error) string {
	var parts []string
	for _, e := range flatten(err) {
		parts = append(parts, strings.Join(strings.Fields(e.Error()), " "))
	}
	return strings.Join(parts, "; ")
}
