package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/deployer-cli/deployer/internal/blast"
	"github.com/deployer-cli/deployer/internal/capsule"
	"github.com/deployer-cli/deployer/internal/chaos"
	"github.com/deployer-cli/deployer/internal/plan"
	"github.com/deployer-cli/deployer/stacks"
)

// snapshotsOf finds the snapshots that CloudFormation left of a stack's holders of
// data, by the parameter that takes each. Without its snapshot a stack is not made:
// it would be new and empty.
//
// What the deletion has not come to yet has none: that is given as "", and looked
// for when the rest is gone.
func (b *breaker) snapshotsOf(ctx context.Context, t *chaos.Target, c capsule.Capsule) (map[string]string, error) {
	out := map[string]string{}
	there, err := b.stillThere(ctx, t)
	if err != nil {
		return nil, err
	}
	for _, h := range holdersOf(b.plan, t.Stack) {
		if h.Cover != blast.Snapshot {
			continue
		}
		if there[h.LogicalID] {
			out[h.Parameter] = ""
			continue
		}
		list, err := b.s.cloud.Snapshots(ctx, t.Access, h.Type, h.PhysicalID)
		if err != nil {
			return nil, fmt.Errorf("the snapshot of %s::%s cannot be looked for: %w", t.Stack, h.LogicalID, err)
		}
		found := ""
		for _, s := range slices.Backward(list) {
			if s.Ready && !s.At.Before(c.Time) {
				found = s.Name
				break
			}
		}
		if found == "" {
			return nil, &stacks.Problem{
				What: fmt.Sprintf("%s is not created with a new and empty %s", t.Stack, h.LogicalID),
				Why:  fmt.Sprintf("no snapshot of %s (%s) that can be restored from was made since %s", h.LogicalID, h.PhysicalID, c.Time.UTC().Format("2006-01-02 15:04 UTC")),
				Tip:  "if one is being made, recover again when it is done",
			}
		}
		out[h.Parameter] = found
	}
	return out, nil
}

// stillThere lists what is left of a stack whose deletion got stuck.
func (b *breaker) stillThere(ctx context.Context, t *chaos.Target) (map[string]bool, error) {
	live, err := b.stackOrNil(ctx, t.Access, t.StackID)
	if err != nil || live == nil || !live.Status.Exists() {
		return nil, err
	}
	list, err := b.s.cfn.Resources(ctx, t.Access, t.StackID)
	out := map[string]bool{}
	for _, r := range list {
		out[r.LogicalID] = alive(r)
	}
	return out, err
}

// waits names a parameter whose snapshot is made only when the rest of its stack is
// deleted, "" for none.
func (l *leftovers) waits(p stacks.Path) string {
	for key, name := range l.given[p] {
		if name == "" {
			return key
		}
	}
	return ""
}

// handOver makes the project want the snapshots.
func (l *leftovers) handOver(s *session) {
	for path, given := range l.given {
		st, ok := s.project.Stack(path)
		if !ok {
			continue
		}
		for key, name := range given {
			if name == "" {
				continue
			}
			st.Parameters = slices.DeleteFunc(slices.Clone(st.Parameters), func(f stacks.Field) bool { return f.Key == key })
			st.Parameters = append(st.Parameters, stacks.Field{Key: key, Value: stacks.String(name), Pos: st.Pos})
		}
	}
}

// restores says in the plan which snapshots a stack is made from.
func (l *leftovers) restores(step *plan.Step) {
	if step.Action != plan.Create && step.Action != plan.Recreate {
		return
	}
	var names []string
	for key, name := range l.given[step.Stack] {
		if name == "" {
			name = "that is made now"
		}
		names = append(names, fmt.Sprintf("%s (%s)", name, key))
	}
	if slices.Sort(names); len(names) > 0 {
		step.Cause = "restores from the snapshot " + strings.Join(names, ", ") + "; " + step.Cause
	}
}
