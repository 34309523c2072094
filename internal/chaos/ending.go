package chaos

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/deployer-cli/deployer/internal/capsule"
	"github.com/deployer-cli/deployer/internal/event"
	"github.com/deployer-cli/deployer/stacks"
)

// over tells whether everything that is waited for has come: users have been back
// for long enough, and nothing else is on its way back; or nothing is known to have
// been broken.
func (v *watch) over() bool {
	s := v.state
	if s.Pending() {
		return false
	}
	down := s.Broken()
	_, unbroken := s.Unbroken()
	if len(down) == 0 || !s.Stamps[T7].Recorded() {
		return len(down) == 0 && (unbroken || s.Stamps[T7].Recorded() || s.Unmeasured() && !s.Blank())
	}
	return !v.coming(down)
}

// linger is how long the rest may take to move on once users are back.
const linger = 10 * time.Minute

// coming tells whether it is worth waiting for what is not back, though users are:
// the exercise is closed by then, and what stays away is a difference.
func (v *watch) coming(down []stacks.Path) bool {
	if v.said["coming"] == "" {
		v.said["coming"] = "told"
		v.sink.Event(event.Event{Kind: event.Warning, Reason: fmt.Sprintf("users are back; not back: %s. This ends when that is, too, or has not moved for %s", named(down), linger)})
	}
	for _, p := range down {
		if s := v.seen[p]; s.ID != "" && s.Status.InProgress() {
			return true
		}
	}
	since := v.state.Stamps[T7].At
	if v.moved.After(since) {
		since = v.moved
	}
	return v.clock.Now().Sub(since) < linger
}

// afterwards compares what was not back when the exercise ended, and is now.
func (v *watch) afterwards(ctx context.Context) error {
	if len(v.state.Broken()) == 0 && !v.state.Uncompared() { // whoever saw it come back may have died before
		return nil
	}
	sights, seen := v.sights(ctx)
	if !seen {
		return nil
	}
	for _, p := range slices.Sorted(maps.Keys(sights)) {
		if err := v.sight(ctx, p, sights[p]); err != nil {
			return err
		}
	}
	if err := v.refold(ctx); err != nil {
		return err
	}
	if err := v.compare(ctx); err != nil {
		return err
	}
	return v.refold(ctx)
}

// finish compares what came back with what was captured, and ends the break.
func (v *watch) finish(ctx context.Context) error {
	if err := v.compare(ctx); err != nil {
		return err
	}
	if err := v.refold(ctx); err != nil {
		return err
	}
	end, unbroken := v.state.Unbroken()
	switch down := v.state.Broken(); {
	case unbroken:
	case v.state.Equal():
		end = Finish{Result: "equal", Why: "everything is back as it was"}
	case len(down) > 0:
		end = Finish{Result: "restored", Why: "users are back; not back: " + named(down)}
	default:
		end = Finish{Result: "restored", Why: "everything is back"}
	}
	if end.Exit = v.state.Exit(); end.Exit == exitDeadline {
		end.Why += "; max_duration was over before"
		if slices.ContainsFunc(v.state.Order, func(p stacks.Path) bool { return v.state.Targets[p].By == ByDeployerLate }) {
			end.Why += ", and deployer brought it back"
		}
	}
	if err := v.book.Write(ctx, KindFinish, end); err != nil {
		return err
	}
	return v.refold(ctx)
}

// compare writes down how what was broken differs from what was captured.
func (v *watch) compare(ctx context.Context) error {
	for _, p := range v.state.Order {
		t := v.state.Targets[p]
		if t.Status != StatusRestored && !t.Status.Broken() || !t.Compared.IsZero() {
			continue
		}
		list, err := v.differences(ctx, t)
		if err != nil {
			return fmt.Errorf("comparing %s with what was captured: %w", p, err)
		}
		if err := v.book.Write(ctx, KindEqual, Equal{Stack: p, Differences: list}); err != nil {
			return err
		}
	}
	return nil
}

// differences are those of one target; that it is not back is one.
func (v *watch) differences(ctx context.Context, t *Target) ([]capsule.Difference, error) {
	if t.Status.Broken() && t.Deed("") != nil && t.Deed("").Verb == stacks.Delete {
		return []capsule.Difference{{What: "the stack", Was: t.Name, Is: string(t.NewStatus)}}, nil
	}
	list, err := v.look.Equal(ctx, t)
	if err != nil {
		return nil, err
	}
	if t.Status.Broken() && capsule.Equal(list) {
		list = append(list, capsule.Difference{What: "what was broken", Note: "it is as the break left it"})
	}
	if list == nil {
		list = []capsule.Difference{}
	}
	return list, nil
}

// named is a list of paths in words.
func named(paths []stacks.Path) string {
	out := make([]string, 0, len(paths))
	for _, p := range paths {
		out = append(out, string(p))
	}
	return strings.Join(out, ", ")
}

// inTime tells whether everything that is waited for has been good since before a
// moment: once that has lasted for long enough, users were back by then.
func (v *watch) inTime(by time.Time) bool {
	names := v.state.Awaited()
	if v.state.Pending() || v.state.Blank() || len(names) == 0 {
		return false
	}
	return !slices.ContainsFunc(names, func(name string) bool {
		t := v.tracks[name]
		if t == nil {
			return true
		}
		at, ok := t.Well(v.since(name))
		return !ok || at.After(by)
	})
}

// late tells once that the objective has passed. Of all who watch the one whose note
// is the first in the journal tells the world.
func (v *watch) late(ctx context.Context) error {
	objective := v.state.Objective()
	if objective <= 0 || !v.state.Stamps[T0].Recorded() || v.said["late"] != "" || v.state.Stamps[T6].Recorded() {
		return nil
	}
	now := v.clock.Now().UTC()
	if by := v.state.Stamps[T0].At.Add(objective); !now.After(by) || v.inTime(by) {
		return nil
	}
	v.said["late"] = "told"
	v.sink.Event(event.Event{Kind: event.Warning, Reason: "the objective has passed"})
	if v.state.MissedRun != "" {
		return nil
	}
	if err := v.book.Write(ctx, KindNote, Note{Kind: NoteMissed, Text: "the objective has passed", Owner: Deployer, At: now}); err != nil {
		delete(v.said, "late")
		return err
	}
	if err := v.refold(ctx); err != nil {
		return err
	}
	if v.state.MissedRun == v.w.Run && v.w.Missed != nil {
		v.w.Missed()
	}
	return nil
}
