package blast

import (
	"fmt"
	"slices"

	"github.com/deployer-cli/deployer/internal/restype"
)

// Region is what lives of the account in another region than the one that is broken.
// Nothing there ever goes: a break is of one region.
type Region struct {
	Name    string
	Stacks  Known[[]Seen]   // with resources and templates where Crossed
	Exports Known[[]Export] // where Crossed
}

// Crossed tells whether anything of another region may sit on what goes, so that the
// resources, the templates and the exports of the other regions have to be read, too.
func Crossed(f *Facts) bool {
	w := newWorld(f)
	return slices.ContainsFunc(w.closure().units, func(u *unit) bool { return len(w.crossed(u)) > 0 })
}

func (w *world) crossed(u *unit) []container {
	return slices.DeleteFunc(w.broken(u), func(c container) bool { return !restype.CrossedBy(c.Type) })
}

// elsewhere refuses what of another region sits on a unit: it does not go along, and
// would lose what it sits on, or keep it from going.
func (c *closure) elsewhere(base *unit) {
	if len(c.w.f.Elsewhere) == 0 {
		return
	}
	boxes := c.w.crossed(base)
	if len(boxes) == 0 {
		return
	}
	title := base.root.Title()
	for _, r := range c.w.f.Elsewhere {
		if !r.Stacks.Read {
			c.refuse(title, fmt.Sprintf("whether anything in %s uses what goes cannot be told: %s", r.Name, r.Stacks.reason()), unseen(r.Name))
			continue
		}
		there := c.there[r.Name]
		if there == nil {
			there = newWorld(&Facts{Stacks: r.Stacks, Exports: r.Exports})
			c.there[r.Name] = there
		}
		for _, user := range there.units {
			why, doubt := there.sits(boxes, user, across)
			name := fmt.Sprintf("%s in %s", user.root.Title(), r.Name)
			switch {
			case why != "":
				c.refuse(name, fmt.Sprintf("%s of %s, and a break is of one region", why, title), fmt.Sprintf("leave %s out, or take that out of %s first", title, name))
			case doubt.Why != "":
				c.refuse(name, doubt.Why, doubt.Fix+"; or leave "+title+" out")
			}
		}
	}
}

// unseen says how to let another region be looked at.
func unseen(region string) string {
	return fmt.Sprintf("let the caller read the stacks of %s (cloudformation:DescribeStacks, ListStackResources, GetTemplate, ListExports), or take that region out of the project's files", region)
}

// abroad lists what the live stacks of other regions stand on: roles are shared by all.
func (k *scope) abroad() ([]Stand, []Finding) {
	var out []Stand
	var blind []Finding
	for _, r := range k.f.Elsewhere {
		if !r.Stacks.Read {
			blind = append(blind, Finding{Why: fmt.Sprintf("what the stacks of %s stand on is not known: %s", r.Name, r.Stacks.reason()), Fix: unseen(r.Name)})
		}
		for i := range r.Stacks.Value {
			if s := &r.Stacks.Value[i]; s.Live != nil && s.Live.Status.Exists() {
				out = append(out, s.standsOn(" in "+r.Name)...)
			}
		}
	}
	return out, blind
}

// standsOn lists the service role and the topics of a live stack. where is added to
// its name.
func (s *Seen) standsOn(where string) []Stand {
	var out []Stand
	if s.Live.ServiceRole != "" {
		out = append(out, Stand{What: "the service role of " + s.Title() + where, Names: []string{s.Live.ServiceRole}})
	}
	if len(s.Live.Notifications) > 0 {
		out = append(out, Stand{What: "the notification topic of " + s.Title() + where, Names: s.Live.Notifications})
	}
	return out
}
