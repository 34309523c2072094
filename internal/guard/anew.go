package guard

import (
	"slices"
	"strings"

	"github.com/deployer-cli/deployer/stacks"
)

// Anew judges again a request that was cleared with those answers, now that the stack
// of a step is found with other tags than it was cleared with: an error of *Refusal
// where it would not have been. Everything but the tags is judged as it was then. For
// a step that is not in the request there is no clearance, and nothing to judge.
func Anew(r Request, answers Answers, path stacks.Path, tags []stacks.Tag) error {
	i := slices.IndexFunc(r.Steps, func(s Step) bool { return s.Path == path })
	if i < 0 || slices.Equal(own(r.Steps[i].LiveTags), own(tags)) {
		return nil
	}
	cleared := r.Steps[i].Class()
	r.Steps = slices.Clone(r.Steps)
	r.Steps[i].LiveTags = tags
	if r.Steps[i].Class().Strength() <= cleared.Strength() {
		return Forbidden(r) // what was agreed to was no less than this
	}
	_, err := Check(r, answers)
	return err
}

// own gives deployer's own tags, sorted.
func own(tags []stacks.Tag) []stacks.Tag {
	var out []stacks.Tag
	for _, t := range tags {
		if strings.HasPrefix(t.Key, stacks.TagPrefix) {
			out = append(out, t)
		}
	}
	slices.SortFunc(out, func(a, b stacks.Tag) int { return strings.Compare(a.Key, b.Key) })
	return out
}
