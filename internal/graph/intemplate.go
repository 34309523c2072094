package graph

import (
	"slices"
	"strings"
	"unicode"

	"github.com/deployer-cli/deployer/stacks"
)

// template takes what the stack's template refers to.
func (s *search) template() {
	known, ok := s.finder.facts[s.source.Template]
	if !ok {
		known = factsOf(s.source.Template) // a template of a later render, see Revise
	}
	s.ssmParameters(known)
	if len(known.refs) == 0 {
		return
	}
	r := newReading(s.source, known, s.who.account)
	for _, ref := range known.refs {
		if !r.holds(ref.when) {
			continue
		}
		pos := r.pos(ref.line, ref.column)
		switch ref.kind {
		case Import:
			s.imported(r, ref, pos)
		case Output:
			s.stackOutput(r, ref, pos)
		case SSM:
			if text, ok := r.text(ref.arg); ok {
				for _, name := range dynamic(text) {
					s.parameter(name, s.who, pos)
				}
			}
		case Explicit, Resolver: // stand in configs only
		}
	}
}

// imported finds who exports what the template imports.
func (s *search) imported(r *reading, ref reference, pos stacks.Pos) {
	name, ok := r.text(ref.arg)
	if !ok {
		return
	}
	makers := s.finder.makers(s.finder.byExport, name, s.who)
	for _, m := range makers {
		to := m.stack.Path
		s.edge(Edge{To: to, Kind: Import, Key: name, Pos: pos, What: "imports " + name + " of " + string(to)})
	}
	s.doubt(Import, name, makers, pos)
	if len(makers) == 0 && r.certain(ref.when) {
		s.found.missing = append(s.found.missing, Missing{
			Stack: s.source.Stack.Path, Kind: Import, Key: name, Pos: pos,
			What: "imports " + name + ", which no stack of the project exports",
			Hint: s.finder.similar(name, s.who),
		})
	}
}

// similar gives a hint at an export that a name may mean.
func (f *finder) similar(name string, who seeker) string {
	if near, ok := f.alike[place{region: who.access.Region, name: letters(name)}]; ok {
		return "did you mean " + near
	}
	return "it has to be exported by a stack of another project before this one is launched"
}

// letters is what is left of a name when its punctuation and case are taken
// off, which is where names are got wrong.
func letters(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '-' || r == '_' || r == ':' || r == '.' {
			return -1
		}
		return unicode.ToLower(r)
	}, s)
}

// stackOutput finds the stack that Fn::GetStackOutput names.
func (s *search) stackOutput(r *reading, ref reference, pos stacks.Pos) {
	args, ok := ref.arg.(map[string]any)
	if !ok {
		return
	}
	stack, okStack := r.text(args["StackName"])
	key, okKey := r.text(args["OutputName"])
	region, okRegion := r.member(args, "Region")
	role, okRole := r.member(args, "RoleArn")
	if !okStack || !okKey || !okRegion || !okRole {
		return
	}
	who := s.who
	if region != "" {
		who.access.Region = region
	}
	if role != "" {
		who.access.Role, who.account = role, accountIn(role)
	}
	for _, m := range s.finder.makers(s.finder.byName, stack, who) {
		to := m.stack.Path
		s.edge(Edge{To: to, Kind: Output, Key: key, Weak: true, Pos: pos, What: "reads " + key + " of " + string(to)})
	}
}

// ssmParameters takes the template parameters whose values are names in the
// parameter store.
func (s *search) ssmParameters(known *facts) {
	for _, name := range known.ssm {
		p := s.source.Template.Parameters[name]
		text, ok := s.source.Parameters[name].(string)
		pos, found := s.field(name)
		if !found {
			r := reading{source: s.source}
			pos = r.pos(p.Line, p.Column)
		}
		if !ok && s.source.Parameters[name] == nil && p.Default != nil {
			text = *p.Default
		}
		if text != "" {
			s.parameter(text, s.who, pos)
		}
	}
	for name, given := range s.source.Parameters {
		text, ok := given.(string)
		if !ok || !strings.Contains(text, ssmMark) {
			continue
		}
		pos, _ := s.field(name)
		for _, ssm := range dynamic(text) {
			s.parameter(ssm, s.who, pos)
		}
	}
}

// field is where the config gives a parameter.
func (s *search) field(name string) (stacks.Pos, bool) {
	fields := s.source.Stack.Parameters
	i := slices.IndexFunc(fields, func(f stacks.Field) bool { return f.Key == name })
	if i < 0 {
		return stacks.Pos{}, false
	}
	return fields[i].Pos, true
}
