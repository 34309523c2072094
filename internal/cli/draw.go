package cli

import (
	"context"

	"github.com/deployer-cli/deployer/internal/graph"
	"github.com/deployer-cli/deployer/internal/prepare"
	"github.com/deployer-cli/deployer/stacks"
	"github.com/deployer-cli/deployer/templates"
)

// sketch renders for the graph: templates that have to be fetched or run for
// only where the command concerns their stacks.
type sketch struct{ s *session }

// NeedsData implements prepare.Renderer.
func (k sketch) NeedsData(st *stacks.Stack) bool { return k.drawn(st) && k.s.loader.NeedsData(st) }

// Render implements prepare.Renderer.
func (k sketch) Render(ctx context.Context, st *stacks.Stack, data stacks.Value) (templates.Body, error) {
	if !k.drawn(st) {
		return templates.Body{File: st.Template.Path, Late: true}, nil
	}
	return k.s.loader.Render(ctx, st, data)
}

func (k sketch) drawn(st *stacks.Stack) bool { return k.s.drawn[st.Path] || !k.s.loader.Costly(st) }

// graphOf drafts every stack of the project and finds what depends on what,
// without asking AWS. Costly templates are made for the given stacks and what
// they take along; what those need may be more of them. A delete has to know
// whatever may depend on its stacks.
func (s *session) graphOf(ctx context.Context, paths []stacks.Path, d graph.Direction) (*graph.Graph, error) {
	all := s.project.Stacks()
	if d == graph.Down {
		for _, st := range all {
			s.draw(st.Path)
		}
	}
	drafts, err := s.prepare.Sources(ctx, all)
	if err != nil {
		return nil, err
	}
	for {
		g, err := s.graph(drafts)
		if g == nil || s.sketchy {
			return g, err
		}
		more := false
		for _, p := range s.concerned(g, paths, d) {
			st, ok := s.project.Stack(p)
			more = ok && s.loader.Costly(st) && s.draw(p) || more
		}
		if !more {
			return g, err
		}
		if drafts, err = s.redraw(ctx, drafts); err != nil {
			return nil, err
		}
	}
}

// draw marks a stack, and tells whether it was not marked before.
func (s *session) draw(p stacks.Path) bool {
	if s.drawn == nil {
		s.drawn = map[stacks.Path]bool{}
	}
	before := s.drawn[p]
	s.drawn[p] = true
	return !before
}

// redraw drafts again what is costly and marked: what was made before is kept
// by whoever made it.
func (s *session) redraw(ctx context.Context, drafts []prepare.Draft) ([]prepare.Draft, error) {
	var again []*stacks.Stack
	var at []int
	for i, d := range drafts {
		if s.drawn[d.Stack.Path] && s.loader.Costly(d.Stack) {
			again, at = append(again, d.Stack), append(at, i)
		}
	}
	fresh, err := s.prepare.Sources(ctx, again)
	if err != nil {
		return nil, err
	}
	for i, d := range fresh {
		drafts[at[i]] = d
	}
	return drafts, nil
}

func (s *session) graph(drafts []prepare.Draft) (*graph.Graph, error) {
	sources := make([]graph.Source, 0, len(drafts))
	for _, d := range drafts {
		sources = append(sources, graph.Source{Stack: d.Stack, Template: d.Template, Parameters: d.Parameters, Err: d.Err})
	}
	return graph.Make(sources, graph.Options{Exists: s.exists})
}
