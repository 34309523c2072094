package graph

import (
	"slices"
	"strings"

	"github.com/deployer-cli/deployer/stacks"
)

// find lists what one stack needs, and what of it nobody has.
func (f *finder) find(s *Source) finds {
	in := search{finder: f, source: s, who: f.seeker(s.Stack)}
	in.explicit()
	in.values()
	if s.Template != nil {
		in.template()
	}
	return in.found
}

// search looks for what one stack needs.
type search struct {
	finder *finder
	source *Source
	who    seeker
	found  finds
}

func (s *search) problem(err error) {
	s.found.problems = append(s.found.problems, concern{[]stacks.Path{s.source.Stack.Path}, err})
}

func (s *search) edge(e Edge) {
	e.From = s.source.Stack.Path
	s.found.edges = append(s.found.edges, e)
}

// explicit takes what is listed under dependencies. A stack that a group gives
// to all its stacks does not depend on itself.
func (s *search) explicit() {
	for _, d := range s.source.Stack.Dependencies {
		if d.Path == s.source.Stack.Path || !s.there(d.Path, d.Pos) {
			continue
		}
		s.edge(Edge{To: d.Path, Kind: Explicit, Pos: d.Pos, What: "depends on " + string(d.Path)})
	}
}

// there tells whether a stack that a config names is in the project, and makes
// it a problem where it is not.
func (s *search) there(p stacks.Path, pos stacks.Pos) bool {
	if _, ok := s.finder.stacks[p]; ok {
		return true
	}
	problem := &stacks.Problem{Pos: pos, What: "dependency " + string(p), Why: "there is no such stack in the project"}
	switch {
	case s.finder.exists(p):
		problem.Why = "its own file has problems"
	case s.finder.group(p):
		problem.Why = "it is a group"
		problem.Tip = "name the stacks, such as " + string(p) + "/network.yaml"
	default:
		if near, ok := s.finder.nearest(p); ok {
			problem.Tip = "did you mean " + string(near) + ".yaml"
		}
	}
	s.problem(problem)
	return false
}

// group tells whether stacks stand below a path.
func (f *finder) group(p stacks.Path) bool {
	for other := range f.stacks {
		if other != p && other.Within(p) {
			return true
		}
	}
	return false
}

// nearest gives the stack that a wrong path most likely means: the same name in
// another group, the nearest one.
func (f *finder) nearest(p stacks.Path) (stacks.Path, bool) {
	var same []stacks.Path
	for other := range f.stacks {
		if strings.EqualFold(other.Base(), p.Base()) {
			same = append(same, other)
		}
	}
	if len(same) == 0 {
		return "", false
	}
	slices.Sort(same)
	return slices.MaxFunc(same, func(a, b stacks.Path) int { return common(a, p) - common(b, p) }), true
}

// output takes a reference of a config to an output of a stack of the project.
func (s *search) output(to stacks.Path, key string, pos stacks.Pos) {
	s.edge(Edge{To: to, Kind: Resolver, Key: key, Weak: true, Pos: pos, What: "needs " + key + " of " + string(to)})
	producer := s.finder.stacks[to]
	if producer == nil || producer.Template == nil || len(producer.Template.Transforms) > 0 {
		return // what a macro makes of a template is not known here
	}
	if _, ok := producer.Template.Outputs[key]; ok || len(producer.Template.Outputs) == 0 && producer.Err != nil {
		return
	}
	if loops(producer.Template.Doc["Outputs"]) {
		return
	}
	tip := string(to) + " has no outputs"
	if names := slices.Sorted(slices.Values(producer.Template.OutputNames)); len(names) > 0 {
		tip = "its outputs are " + strings.Join(names, ", ")
	}
	s.found.missing = append(s.found.missing, Missing{
		Stack: s.source.Stack.Path, Kind: Resolver, Key: key, Pos: pos,
		What: "needs " + key + " of " + string(to) + ", whose template has no such output", Hint: tip,
	})
}

// loops tells whether a section is made by Fn::ForEach.
func loops(section any) bool {
	m, _ := section.(map[string]any)
	for k := range m {
		if strings.HasPrefix(k, "Fn::ForEach::") {
			return true
		}
	}
	return false
}

// parameter takes the name of an SSM parameter that the stack reads. A stack
// that reads what it makes itself, once it is there, waits for nobody.
func (s *search) parameter(name string, who seeker, pos stacks.Pos) {
	makers := s.finder.makers(s.finder.bySSM, name, who)
	makers = slices.DeleteFunc(makers, func(m maker) bool { return m.stack.Path == s.source.Stack.Path })
	for _, m := range makers {
		to := m.stack.Path
		s.edge(Edge{To: to, Kind: SSM, Key: name, Weak: true, Pos: pos, What: "reads SSM parameter " + name + " of " + string(to)})
	}
	s.doubt(SSM, name, makers, pos)
}

// doubt notes that a reference may mean any of several stacks.
func (s *search) doubt(kind Kind, key string, makers []maker, pos stacks.Pos) {
	if len(makers) < 2 {
		return
	}
	var paths []stacks.Path
	for _, m := range makers {
		paths = append(paths, m.stack.Path)
	}
	if paths = stacks.SortPaths(paths); len(paths) < 2 {
		return
	}
	s.found.ambiguous = append(s.found.ambiguous, Ambiguous{s.source.Stack.Path, kind, key, paths, pos})
}
