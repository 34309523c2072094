package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/deployer-cli/deployer/internal/blast"
	"github.com/deployer-cli/deployer/internal/capsule"
	"github.com/deployer-cli/deployer/internal/chaos"
	"github.com/deployer-cli/deployer/stacks"
)

// inside is what was read of a new stack.
type inside struct {
	status stacks.Status // as which it counts
	empty  []string      // holders of data that are new and empty
}

// inside looks into a stack that came back: whether the data is in it that the break
// counted on, and whether it is more than the beginning of an import.
func (l *looker) inside(ctx context.Context, t *chaos.Target, live *stacks.Live, st *chaos.State) (inside, error) {
	key := live.ID + " " + string(live.Status) + " " + live.Changed().String()
	if in, ok := l.insides[key]; ok {
		return in, nil
	}
	in := inside{status: live.Status}
	covered, err := coveredHolders(st, t.Stack)
	if err != nil {
		return in, err
	}
	counts, begun := torso()[live.Status]
	if live.Status == stacks.UpdateRollbackComplete && t.NewID == live.ID && !t.Back.IsZero() {
		begun = false // it was whole, whatever an update took from it
	}
	if !begun && (len(covered) == 0 || !live.Status.Healthy()) {
		return in, nil
	}
	c, _, err := l.s.capsule(ctx, l.record, t)
	if err != nil {
		return in, err
	}
	list, err := l.s.cfn.Resources(ctx, t.Access, live.ID)
	if err != nil {
		return in, err
	}
	if begun && partial(c, list) {
		in.status = counts
	}
	if in.status.Healthy() {
		in.empty = emptied(covered, c, live, list)
	}
	l.insides[key] = in
	return in, nil
}

// torso lists the statuses in which a stack may stand that was not made to its end, and
// as what it counts then: an import of its first resources is no stack that stands yet,
// and one that was rolled back none at all, nor one whose rest was.
func torso() map[stacks.Status]stacks.Status {
	return map[stacks.Status]stacks.Status{
		stacks.ImportComplete: stacks.ImportInProgress, stacks.ImportRollbackComplete: stacks.RollbackComplete, stacks.UpdateRollbackComplete: stacks.RollbackComplete,
	}
}

// coveredHolders lists the holders of data in a stack whose data recovery has to
// bring back.
func coveredHolders(st *chaos.State, path stacks.Path) ([]blast.Holder, error) {
	var plan blast.Plan
	if err := json.Unmarshal(st.Plan.Detail, &plan); err != nil {
		return nil, fmt.Errorf("the plan in the journal of %s cannot be read: %w", st.ID, err)
	}
	var out []blast.Holder
	for _, h := range holdersOf(&plan, path) {
		if h.Cover == blast.Retained || h.Cover == blast.Snapshot {
			out = append(out, h)
		}
	}
	return out, nil
}

// partial tells whether a stack lacks something that was captured of it.
func partial(c capsule.Capsule, list []stacks.Resource) bool {
	return slices.ContainsFunc(c.Resources, func(was capsule.Resource) bool {
		return !slices.ContainsFunc(list, func(r stacks.Resource) bool { return r.LogicalID == was.LogicalID && alive(r) })
	})
}

// alive tells whether a resource in a listing is of the stack.
func alive(r stacks.Resource) bool {
	return r.PhysicalID != "" && r.Status != "DELETE_COMPLETE" && r.Status != "DELETE_SKIPPED"
}

// emptied lists the holders of data that are new and were given none of it.
func emptied(covered []blast.Holder, c capsule.Capsule, live *stacks.Live, list []stacks.Resource) []string {
	var out []string
	for _, h := range covered {
		i := slices.IndexFunc(list, func(r stacks.Resource) bool { return r.LogicalID == h.LogicalID && alive(r) })
		switch {
		case i < 0:
			out = append(out, fmt.Sprintf("%s is missing", h.LogicalID))
		case h.Cover == blast.Retained && list[i].PhysicalID != h.PhysicalID:
			out = append(out, fmt.Sprintf("%s is new and empty, its data is in %s", h.LogicalID, h.PhysicalID))
		case h.Cover == blast.Snapshot && !handedOver(h.Parameter, c, live):
			out = append(out, fmt.Sprintf("%s is new and empty, its parameter %s names no snapshot of it", h.LogicalID, h.Parameter))
		}
	}
	return out
}

// handedOver tells whether a stack was given a snapshot that it had not before.
func handedOver(parameter string, c capsule.Capsule, live *stacks.Live) bool {
	was := ""
	for _, p := range c.Parameters {
		if p.Key == parameter {
			was = p.Value
		}
	}
	for _, p := range live.Parameters {
		if p.Key == parameter {
			return p.Value != "" && p.Value != was
		}
	}
	return false
}
