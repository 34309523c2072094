package chaos

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/deployer-cli/deployer/internal/event"
	"github.com/deployer-cli/deployer/stacks"
)

// marks writes down what is whole again, or broken, of what was injected.
func (v *watch) marks(ctx context.Context, t *Target, s Sight) error {
	for _, m := range s.Marks {
		d := t.Deed(m.LogicalID)
		unknown := d != nil && d.Status == StatusIntended // the call may or may not have been made
		if d == nil || m.Condition == stacks.Between || !unknown && ((m.Condition == stacks.Whole) != d.Status.Broken() || d.Accepted.IsZero()) {
			continue
		}
		now := v.clock.Now().UTC()
		if unknown && m.Condition == stacks.Broken {
			a := Accepted{Stack: t.Stack, StackID: t.StackID, Verb: d.Verb, Token: d.Token(), LogicalID: m.LogicalID, At: now, Adopted: true}
			if err := v.book.Write(ctx, KindAccepted, a); err != nil {
				return err
			}
		}
		if unknown && m.Condition == stacks.Whole && now.Sub(d.Intended) < settled {
			continue // it may still be on its way
		}
		o := Observed{Stack: t.Stack, StackID: t.StackID, LogicalID: m.LogicalID, Condition: m.Condition, By: s.By, Token: s.Token, At: now}
		if err := v.book.Write(ctx, KindObserved, o); err != nil {
			return err
		}
	}
	return nil
}

// settled is how long a call that nobody saw the answer of may take to show.
const settled = 2 * time.Minute

// showMarks tells which resources of a stack that stays are broken, and when none is any
// more.
func (v *watch) showMarks(t *Target, s Sight) {
	var broken []string
	any, between := false, true
	for _, m := range s.Marks {
		d := t.Deed(m.LogicalID)
		if d == nil || d.Accepted.IsZero() {
			continue
		}
		any = true
		if m.Condition != stacks.Whole {
			between = between && m.Condition == stacks.Between
			broken = append(broken, cmp.Or(m.LogicalID, "a parameter"))
		}
	}
	slices.Sort(broken)
	key, text := "marks "+string(t.Stack), fmt.Sprint(between, broken)
	if !any || v.said[key] == text {
		return
	}
	v.said[key], v.moved = text, v.clock.Now()
	e := event.Event{Kind: event.Target, Stack: t.Stack, StackID: s.ID, Status: string(s.Status), Resource: strings.Join(broken, ", ")}
	switch {
	case len(broken) > 0 && between:
		e.Reason = event.Between
	case len(broken) == 0:
		e.Action, e.Reason = "back", cmp.Or(s.By, t.By).Words()
	}
	v.sink.Event(e)
}
