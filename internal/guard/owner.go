package guard

import (
	"fmt"
	"slices"
	"strings"

	"github.com/deployer-cli/deployer/stacks"
)

// foreign refuses to write a live stack that by its own tags belongs to another
// environment, project or file, where either of the two is to stay: the stack_name
// alone would take it from its owner, past that one's freezes, approvals and lock.
func (s *Step) foreign(r *Request) []*Refusal {
	if s.Class().Strength() < stacks.Persistent.Strength() || s.provenAnyway(r) {
		return nil
	}
	var whose []string
	for _, t := range s.LiveTags {
		var want []string
		switch t.Key {
		case stacks.TagEnvironment:
			want = []string{s.Environment.Name}
		case stacks.TagStack:
			want = []string{string(s.Path)}
		case stacks.TagProject:
			want = s.projects()
		default:
			continue
		}
		if slices.Contains(want, t.Value) {
			continue
		}
		says := "do not say it"
		if len(want) > 0 {
			says = fmt.Sprintf("say %q", want[0])
		}
		whose = append(whose, fmt.Sprintf("%s is %q, the files %s", t.Key, t.Value, says))
	}
	if len(whose) == 0 {
		return nil
	}
	return []*Refusal{{
		Rule: "P1", Code: exitRefused, What: fmt.Sprintf("%s is not touched", s.Path),
		Why: fmt.Sprintf("by its live tags %s is another's: %s", s.Name, strings.Join(whose, ", ")),
		Tip: foreignTip,
	}}
}

// foreignTip is the way on for a stack that is another's.
const foreignTip = "find out whose it is, and mend stack_name; if it is to move here, take its deployer: tags off where it belongs, by that environment's own rules"

// projects are what the tag deployer:project may say: the project_id, or the
// project_code that stood for it before there was one.
func (s *Step) projects() []string {
	var out []string
	if id, told := tagOf(s.OwnTags, stacks.TagProject); told {
		out = append(out, id)
	}
	return append(out, s.Projects...)
}

// provenAnyway tells whether proven compares the same tags, and more.
func (s *Step) provenAnyway(r *Request) bool {
	return s.deletesForGood() || (r.Command == cmdRelease && s.Class() == stacks.Production)
}
