package graph

import (
	"github.com/deployer-cli/deployer/internal/resolve"
	"github.com/deployer-cli/deployer/stacks"
)

// Stack and Named make the finder a project for internal/resolve, which knows
// what resolver calls refer to.

// Stack finds a stack by its path.
func (f *finder) Stack(p stacks.Path) (*stacks.Stack, bool) {
	s, ok := f.stacks[p]
	if !ok {
		return nil, false
	}
	return s.Stack, true
}

// Named finds stacks by CloudFormation's name for them.
func (f *finder) Named(name string) []*stacks.Stack { return f.named[name] }

// values takes what the stack's config refers to by resolvers, wherever they
// stand.
func (s *search) values() {
	for _, ref := range s.finder.refs.References(s.source.Stack) {
		if s.there(ref.Path, ref.Pos) {
			s.output(ref.Path, ref.Key, ref.Pos)
		}
	}
	for _, v := range valuesOf(s.source.Stack) {
		v.Walk(func(w stacks.Value) bool {
			if w.Kind == stacks.Call && w.Call.Name == "ssm" {
				s.ssmCall(w)
			}
			return true
		})
	}
}

// ssmCall takes !ssm name, or !ssm {name, profile, region}.
func (s *search) ssmCall(v stacks.Value) {
	who, name := s.who, v.Call.Arg
	if name.Kind == stacks.Map {
		arg := name
		name, _ = arg.Get("name")
		if p, ok := arg.Get("profile"); ok && p.Kind == stacks.Text && p.Text != who.access.Profile {
			// Another profile may be any account; its own will be asked for by name alone.
			who.access.Profile, who.access.Role, who.account = p.Text, "", ""
		}
		if r, ok := arg.Get("region"); ok && r.Kind == stacks.Text {
			who.access.Region = r.Text
		}
	}
	if name.Kind == stacks.Text && name.Text != "" {
		s.parameter(name.Text, who, v.Pos)
	}
}

// valuesOf are the values of a stack in which resolvers may stand.
func valuesOf(st *stacks.Stack) []stacks.Value {
	out := make([]stacks.Value, 0, len(st.Parameters)+len(st.Tags)+len(st.Notifications)+len(st.Hooks)+6)
	for _, p := range st.Parameters {
		out = append(out, p.Value)
	}
	for _, t := range st.Tags {
		out = append(out, t.Value)
	}
	out = append(out, st.UserData, st.ServiceRole, st.Bucket, st.AccessRole, st.Template.Args, st.StackPolicy)
	out = append(out, st.Notifications...)
	for _, h := range st.Hooks {
		out = append(out, h.Hooks...)
	}
	return out
}

var (
	_ resolve.Project = (*finder)(nil)
	_ resolve.Namer   = (*finder)(nil)
)
