package guard

import (
	"fmt"
	"slices"
	"strings"

	"github.com/deployer-cli/deployer/stacks"
)

// proven refuses to take away a live stack of production whose own tags do not
// show that it is the one that the files mean (design.md section 3): a name is
// soon another's. The release that comes before is judged alike.
func (r *Request) proven(e *stacks.Environment) []*Refusal {
	var out []*Refusal
	for i := range r.Steps {
		s := &r.Steps[i]
		if s.Environment == nil || s.Environment.Name != e.Name {
			continue
		}
		if !s.deletesForGood() && r.Command != cmdRelease {
			continue
		}
		if refusal := s.unproven(r.Command == cmdRelease); refusal != nil {
			out = append(out, refusal)
		}
	}
	return out
}

// Unproven tells, while it is only planned, what will be refused for the live tags
// when production is deleted.
func Unproven(r Request) []*Refusal {
	var out []*Refusal
	for _, e := range r.environments() {
		if r.classOf(e) == stacks.Production {
			out = append(out, r.proven(e)...)
		}
	}
	return out
}

// unproven tells what speaks against a live stack being the one that is meant,
// nil for nothing.
func (s *Step) unproven(release bool) *Refusal {
	done := "deleted"
	if release {
		done = "released"
	}
	adopt := "deployer launch --adopt " + string(s.Path)
	missing, other := s.compareTags()
	refusal := &Refusal{Rule: "P9", Code: exitRefused, What: fmt.Sprintf("%s is not %s", s.Path, done)}
	switch {
	case len(other) > 0:
		refusal.Why = "by its live tags it is another stack: " + strings.Join(other, ", ")
		refusal.Tip = foreignTip
		if len(other) == 1 && strings.HasPrefix(other[0], stacks.TagClass+" ") { // the one that a launch may set
			refusal.Tip = "find out whose it is and mend stack_name or the files; if it is this one all the same, tag it again: " + adopt
		}
	case len(missing) > 0:
		refusal.Why = "nothing proves that the live stack is the one that the files mean: it has no tag " + strings.Join(missing, ", ")
		refusal.Tip = "if it is this one, tag it first: " + adopt
	default:
		return nil
	}
	return refusal
}

// compareTags compares deployer's own tags, live and by the files. One that the
// files cannot tell proves nothing.
func (s *Step) compareTags() (missing, other []string) {
	for _, key := range []string{stacks.TagProject, stacks.TagEnvironment, stacks.TagClass, stacks.TagStack} {
		want, told := tagOf(s.OwnTags, key)
		have, live := tagOf(s.LiveTags, key)
		switch {
		case !live:
			missing = append(missing, key)
		case !told:
			other = append(other, fmt.Sprintf("%s is %q, and the files do not say it", key, have))
		case have != want:
			other = append(other, fmt.Sprintf("%s is %q, the files say %q", key, have, want))
		}
	}
	return missing, other
}

func tagOf(tags []stacks.Tag, key string) (string, bool) {
	i := slices.IndexFunc(tags, func(t stacks.Tag) bool { return t.Key == key })
	if i < 0 {
		return "", false
	}
	return tags[i].Value, true
}
