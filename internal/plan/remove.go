package plan

import (
	"fmt"
	"slices"
	"strings"

	"github.com/deployer-cli/deployer/internal/cfntemplate"
	"github.com/deployer-cli/deployer/internal/restype"
	"github.com/deployer-cli/deployer/stacks"
)

// Remove decides the deletion of a stack, after the stacks that depend on it.
// Why says what it is deleted for, "asked for" or "marked obsolete".
func (b *Builder) Remove(st *stacks.Stack, after []stacks.Path, why string) Step {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.state(st, Edges{After: after})
	s.step.Desired = &stacks.Desired{Stack: st}
	s.step.After = stacks.SortPaths(append(s.step.After, after...))
	b.states[st.Path] = s
	var now *cfntemplate.Template
	if len(s.seen.Template) > 0 {
		now, _ = b.in.Parse(s.seen.Template) // what cannot be read only says less
	}
	s.remove(why, now)
	if now != nil {
		s.old = newSide(now, b.oldEnv(s, now))
	}
	if _, looked := b.in.Snapshot.Get(st.Path); !looked {
		s.block(Delete, "nobody looked how it lives", "")
	}
	s.decided = s.step
	return s.step
}

func (s *state) remove(why string, now *cfntemplate.Template) {
	live := s.seen.Live
	switch {
	case live == nil || live.Status == stacks.DeleteComplete:
		s.step.Action, s.step.Cause = None, "does not exist"
		return
	case live.Status.InProgress():
		s.step.Action, s.step.Cause = Join, fmt.Sprintf("is %s: wait for it, then look again", live.Status)
		return
	}
	s.step.Action, s.step.Cause = Delete, why
	s.step.Changes = removals(s.seen.Resources, now)
	s.step.Resources = len(s.step.Changes)
	switch {
	case s.stack.Protect:
		s.block(Delete, "its config protects it (protect: true)", "take protect away to delete it")
	case live.TerminationProtection:
		s.block(Delete, "it has termination protection", fmt.Sprintf("take it off for a deletion: deployer guard release %s --reason TEXT", s.stack.Path))
	case len(s.seen.Proposals) > 0:
		s.block(Delete, "it waits for somebody's change set "+strings.Join(s.seen.Proposals, ", "), "execute or delete that change set first")
	}
}

// removals lists the resources that exist and would go, and those that
// CloudFormation lets be.
func removals(resources []stacks.Resource, now *cfntemplate.Template) []stacks.ResourceChange {
	out := []stacks.ResourceChange{}
	for _, r := range resources {
		if r.PhysicalID == "" || r.Status == "DELETE_COMPLETE" || r.Status == "DELETE_SKIPPED" {
			continue
		}
		out = append(out, stacks.ResourceChange{
			LogicalID: r.LogicalID, Type: r.Type, Action: "remove", Replacement: "false", Data: restype.HoldsData(r.Type),
			Why: spared(now, r.LogicalID),
		})
	}
	slices.SortFunc(out, func(a, b stacks.ResourceChange) int { return strings.Compare(a.LogicalID, b.LogicalID) })
	return out
}

// spared says what the template does for a resource that is deleted.
func spared(t *cfntemplate.Template, logicalID string) string {
	if t == nil {
		return ""
	}
	switch policy := t.Resources[logicalID].DeletionPolicy; policy {
	case "Retain", "RetainExceptOnCreate":
		return "stays: DeletionPolicy " + policy
	case "Snapshot":
		return stacks.SnapshotStays
	}
	return ""
}
