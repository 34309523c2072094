package blast

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/deployer-cli/deployer/internal/cfntemplate"
	"github.com/deployer-cli/deployer/stacks"
)

// Unresolved names the dynamic references of which it matters what they came to, and
// that nobody tried to resolve: by the id of the stack, the texts between {{resolve: and
// }}. After that, ask again: more may go.
func Unresolved(f *Facts) map[string][]string {
	w := newWorld(f)
	w.closure()
	out := map[string][]string{}
	for _, u := range w.units {
		for _, m := range u.members {
			for _, h := range m.props {
				for _, v := range h.missing {
					if _, tried := m.Unresolved[v.what]; !tried && !slices.Contains(out[m.Live.ID], v.what) {
						out[m.Live.ID] = append(out[m.Live.ID], v.what)
					}
				}
			}
			slices.Sort(out[m.Live.ID])
			if len(out[m.Live.ID]) == 0 {
				delete(out, m.Live.ID)
			}
		}
	}
	return out
}

// unresolved says of a reference that is not resolved whose it is, and what to do.
func (m *member) unresolved(r stacks.Resource, v unseenValue) Blank {
	why := cmp.Or(m.Unresolved[v.what], Blank{Why: "it was not resolved", Fix: fmt.Sprintf("hand it to %s as a parameter instead", m.Title())})
	return Blank{m.doubtful(r, v.where, resolveOpens+v.what+resolveCloses+": "+why.Why), why.Fix}
}

// hidden says of a value that nobody shows whose it is, and how it can be seen.
func (m *member) hidden(r stacks.Resource, v unseenValue) Blank {
	title, fix := m.Title(), ""
	switch {
	case strings.HasPrefix(v.what, "what ") && strings.HasSuffix(v.what, " gives"):
		given, _, _ := strings.Cut(strings.TrimPrefix(v.what, "what "), " ")
		fix = fmt.Sprintf("show it: add to the template of %s  Outputs: {%s: {Value: !GetAtt %s}}  and launch it", title, alphanumeric(given), given)
	case v.what == whyHidden:
		fix = fmt.Sprintf("take NoEcho from the parameter that %s of %s names, and launch %s", v.where, r.LogicalID, title)
	case v.what == whySSM:
		fix = fmt.Sprintf("launch %s, so that CloudFormation says what its SSM parameter came to", title)
	case v.what == whyExport, v.what == whyOutput:
		fix = "let the caller read every stack and export of the account and region (cloudformation:DescribeStacks, ListExports)"
	default:
		fix = fmt.Sprintf("write into %s of %s, in the template of %s, what does not hang on that, and launch it", v.where, r.LogicalID, title)
	}
	return Blank{m.doubtful(r, v.where, v.what), fix}
}

// doubtful says which property of a resource cannot be seen.
func (m *member) doubtful(r stacks.Resource, where, what string) string {
	return fmt.Sprintf("it cannot be told whether its %s (%s) uses what goes: its %s is %s", r.LogicalID, r.Type, where, what)
}

// alphanumeric is a name as a logical id takes it.
func alphanumeric(s string) string {
	return strings.Map(func(c rune) rune {
		if c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' {
			return c
		}
		return -1
	}, s)
}

// given is what an attribute came to, where an output of the stack is that and nothing
// else.
func given(s *Seen, t *cfntemplate.Template, id, attribute string) (string, bool) {
	for _, o := range s.Live.Outputs {
		call, _ := t.Outputs[o.Key].Value.(map[string]any)
		refs, attributes := cfntemplate.Refs(t.Outputs[o.Key].Value)
		_, plain := call["Fn::GetAtt"]
		if plain && len(call) == 1 && len(refs) == 0 && len(attributes) == 1 && attributes[0] == [2]string{id, attribute} {
			return o.Value, true
		}
	}
	return "", false
}
