package cli

import (
	"slices"
	"strings"

	"github.com/deployer-cli/deployer/internal/blast"
	"github.com/deployer-cli/deployer/stacks"
)

// foundations gathers what something stands on.
type foundations struct{ all []blast.Stand }

func (l *foundations) add(what string, names ...string) {
	names = slices.DeleteFunc(names, func(n string) bool { return n == "" })
	if len(names) > 0 {
		l.all = append(l.all, blast.Stand{What: what, Names: names})
	}
}

// stands lists what deployer, whoever runs it, and the project stand on.
func (b *breaker) stands(f *blast.Facts) []blast.Stand {
	l := &foundations{}
	l.add("the role of whoever runs this", f.Caller.ARN, roleOf(f.Caller.ARN))
	l.add("the lever of the project", leverName(f.Project))
	for _, p := range f.Permits.Value {
		l.add("a permit of "+p.Environment, permitPath(f.Project, p.Environment)+"/"+p.ID)
	}
	for _, e := range b.project().Environments() {
		l.add("the state bucket of "+e.Name, e.State.Bucket)
		for _, n := range e.Notify.Fields {
			for _, key := range []string{"sns", "lambda"} {
				if v, ok := n.Value.Get(key); ok {
					l.add("the notification "+n.Key+" of "+e.Name, v.Text)
				}
			}
		}
	}
	for _, st := range b.project().Stacks() {
		l.add("sceptre_role of "+string(st.Path), st.Access.Role, roleOf(st.Access.Role))
		for i, v := range append([]stacks.Value{st.Bucket}, st.Notifications...) {
			what := "the notification topic of "
			if i == 0 {
				what = "the template bucket of "
			}
			l.add(what+string(st.Path), b.comesTo(f, v)...)
		}
	}
	return l.all
}

// comesTo is what a value of the config may name: itself, and of a resolver's call the
// outputs of the live stacks of which it speaks.
func (b *breaker) comesTo(f *blast.Facts, v stacks.Value) []string {
	var out []string
	v.Walk(func(w stacks.Value) bool {
		if w.Kind != stacks.Text {
			return true
		}
		out = append(out, w.Text)
		of, key, one := strings.Cut(w.Text, "::")
		path := strings.TrimSuffix(of, ".yaml")
		for i := range f.Stacks.Value {
			if seen := &f.Stacks.Value[i]; seen.Live != nil && (string(seen.Path()) == path || seen.Live.Name == of) {
				for _, o := range seen.Live.Outputs {
					if !one || o.Key == key {
						out = append(out, o.Value)
					}
				}
			}
		}
		return true
	})
	return out
}

// roleOf is the name of the role in an ARN of a role or of a session of one.
func roleOf(arn string) string {
	for _, mark := range []string{":role/", ":assumed-role/"} {
		if _, rest, ok := strings.Cut(arn, mark); ok {
			parts := strings.Split(rest, "/")
			if mark == ":role/" {
				return parts[len(parts)-1]
			}
			return parts[0]
		}
	}
	return ""
}
