package guard

import (
	"fmt"
	"slices"

	"github.com/deployer-cli/deployer/stacks"
)

// weakened refuses to take the class off a stack that is live as production.
func (s *Step) weakened() []*Refusal {
	for _, t := range s.LiveTags {
		live := stacks.Class(t.Value)
		if t.Key == stacks.TagClass && live == stacks.Production && s.Environment.Class != stacks.Production {
			return []*Refusal{{
				Rule: "P1", Code: exitRefused, What: fmt.Sprintf("%s is not touched", s.Path),
				Why: fmt.Sprintf("the live stack is tagged %s=production, the files say %s", stacks.TagClass, s.Environment.Class.Word()),
				Tip: "put class: production back; taking it off is a change to production of its own",
			}}
		}
	}
	return nil
}

// weakens tells whether a step would leave a stack that is live as persistent with a
// weaker class: from then on a y would do for deleting it.
func (s *Step) weakens() bool {
	live, _ := tagOf(s.LiveTags, stacks.TagClass)
	return s.Environment != nil && stacks.Class(live) == stacks.Persistent && s.Environment.Class.Strength() < stacks.Persistent.Strength() && s.retags()
}

// retags tells whether a step may give a stack the tags that the files say.
func (s *Step) retags() bool {
	return slices.ContainsFunc(s.Verbs, func(v stacks.Verb) bool {
		return v == stacks.Create || v == stacks.Update || v == stacks.Execute
	})
}

// weakening lists the stacks that lose the class which they live as, for the reader.
// That is a change to production of its own (design.md section 3), so that a y is no
// answer to it.
func (r *Request) weakening() []string {
	var out []string
	for i := range r.Steps {
		if s := &r.Steps[i]; s.weakens() {
			out = append(out, fmt.Sprintf("%s lives as %s, and would be %s: it loses what protects it", s.Path, stacks.Persistent, spoken(s.Environment.Class)))
		}
	}
	return out
}

func spoken(c stacks.Class) string {
	if c == stacks.Undeclared {
		return "of no class"
	}
	return string(c)
}

// unread refuses to weaken a class where nobody can have read it: without a terminal,
// and without a reviewed plan.
func (r *Request) unread() *Refusal {
	weaker := r.weakening()
	if len(weaker) == 0 || r.Terminal || r.Digest != "" || r.Class() == stacks.Production { // for which habit speaks
		return nil
	}
	return &Refusal{
		Rule: "P1", Code: exitUnconfirmed, What: "no class is weakened from here", Why: weaker[0],
		Tip: "put class: persistent back; or run it at a terminal and type the phrase; or: deployer plan PATH --out F, have it reviewed, then deployer " + r.applying("launch") + " --plan F --digest D",
	}
}
