package chaos_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/deployer-cli/deployer/internal/capsule"
	"github.com/deployer-cli/deployer/internal/chaos"
	"github.com/deployer-cli/deployer/internal/event"
	"github.com/deployer-cli/deployer/internal/steady"
	"github.com/deployer-cli/deployer/stacks"
)

// bubble is the time of a test.
type bubble struct{}

func (bubble) Now() time.Time { return time.Now() }

func (bubble) Wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// world1 is one rebuilt stack, whose data comes back at a time of its own.
type world1 struct {
	d     *diary
	start time.Time
	back  time.Duration // when the data does
}

func (w *world1) Write(_ context.Context, kind string, body any) error {
	w.d.now = int(time.Since(at(0)).Seconds())
	w.d.add(kind, body)
	return nil
}

func (w *world1) Refold(context.Context) (*chaos.State, error) { return w.d.fold(), nil }

func (w *world1) Equal(context.Context, *chaos.Target) ([]capsule.Difference, error) { return nil, nil }

func (w *world1) Look(context.Context, *chaos.State) (map[stacks.Path]chaos.Sight, error) {
	s := chaos.Sight{ID: newID, Status: stacks.CreateComplete, Begun: w.start, Since: w.start}
	if time.Since(w.start) < w.back {
		s.Empty = []string{"Table is new and empty"}
	}
	return map[stacks.Path]chaos.Sight{"dev/web": s}, nil
}

// TestEmptyIsNotRestored: while a holder of data that was covered is new and empty,
// good probes stamp no T6; the window that counts begins when the data is there.
func TestEmptyIsNotRestored(t *testing.T) {
	t.Parallel()
	for _, back := range []time.Duration{0, 10 * time.Minute} {
		synctest.Test(t, func(t *testing.T) {
			time.Sleep(time.Until(at(120)))
			w := &world1{d: broken(t), start: time.Now(), back: back}
			readings := make(chan steady.Reading)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			go func() {
				for ctx.Err() == nil {
					select {
					case readings <- steady.Reading{Probe: "site", At: time.Now(), OK: true}:
					case <-ctx.Done():
					}
					_ = bubble{}.Wait(ctx, 5*time.Second)
				}
			}()
			told := 0
			probes := []steady.Probe{{Name: "site", Role: steady.Steady, Every: 5 * time.Second, Timeout: 3 * time.Second, StableFor: 30 * time.Second}}
			sink := event.Func(func(e event.Event) {
				if e.Kind == event.Warning && strings.Contains(e.Reason, "back without its data") {
					told++
				}
			})
			end, err := chaos.Watch(ctx, chaos.Watching{State: w.d.fold(), Probes: probes, Readings: readings, Every: 2 * time.Second}, w, w, bubble{}, sink)
			if err != nil {
				t.Fatal(err)
			}
			took := end.Stamps[chaos.T6].At.Sub(w.start)
			if took < back || took > back+15*time.Second || (told > 0) != (back > 0) || told > 1 {
				t.Errorf("data after %s: restored after %s, told %d times", back, took, told)
			}
		})
	}
}

// TestMissedIsKnown: while it is still open whether users were back by the objective,
// nobody is told that they were not.
func TestMissedIsKnown(t *testing.T) {
	t.Parallel()
	objective := broken(t).fold().Objective()
	for name, fails := range map[string]bool{"it was in time": false, "it was not": true} {
		synctest.Test(t, func(t *testing.T) {
			start := at(11).Add(objective - 10*time.Second)
			time.Sleep(time.Until(start))
			w := &world1{d: broken(t), start: time.Now()}
			readings := make(chan steady.Reading)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			go func() {
				for ctx.Err() == nil {
					now := time.Now()
					ok := !fails || now.Sub(start).Round(time.Second) != 20*time.Second
					select {
					case readings <- steady.Reading{Probe: "site", At: now, OK: ok}:
					case <-ctx.Done():
					}
					_ = bubble{}.Wait(ctx, 5*time.Second)
				}
			}()
			missed := 0
			probes := []steady.Probe{{Name: "site", Role: steady.Steady, Every: 5 * time.Second, Timeout: 3 * time.Second, StableFor: 30 * time.Second}}
			watching := chaos.Watching{State: w.d.fold(), Probes: probes, Readings: readings, Every: 2 * time.Second, Run: "r1", Missed: func() { missed++ }}
			end, err := chaos.Watch(ctx, watching, w, w, bubble{}, event.Func(func(event.Event) {}))
			if err != nil {
				t.Fatal(err)
			}
			if met, known := end.Met(); !known || met == fails || (missed == 1) != fails || missed > 1 {
				t.Errorf("%s: met %t (known %t), told %d times that it was missed; T6 %s", name, met, known, missed, end.Stamps[chaos.T6].At.Sub(at(11)))
			}
		})
	}
}

// world2 is one stack of which two resources were broken, and are put right.
type world2 struct {
	world1
	whole time.Duration // when the second is
}

func (w *world2) Look(context.Context, *chaos.State) (map[stacks.Path]chaos.Sight, error) {
	s := chaos.Sight{ID: oldID, Status: stacks.CreateComplete, Marks: []chaos.Mark{{"Rule", stacks.Whole}, {"Machine", stacks.Whole}}}
	switch since := time.Since(w.start); {
	case since < w.whole/2:
		s.Marks[0].Condition, s.Marks[1].Condition = stacks.Broken, stacks.Broken
	case since < w.whole:
		s.Marks[1].Condition = stacks.Between
	}
	return map[stacks.Path]chaos.Sight{"dev/web": s}, nil
}

// TestMarksAreTold: what is broken of a stack that stays is told as it changes, by name.
func TestMarksAreTold(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(at(120)))
		d := &diary{t: t}
		var steps []chaos.Step
		for _, id := range []string{"Machine", "Rule"} {
			one := step("dev/web", oldID)
			one.Verb, one.Injection = stacks.Inject, &stacks.Injection{Kind: "disable-rule", Stack: "dev/web", StackID: oldID, LogicalID: id}
			steps = append(steps, one)
		}
		p := plan(steps...)
		p.Probes = nil
		d.add(chaos.KindPlan, p).add(chaos.KindClearance, chaos.Consent{Run: "r1", How: "typed"})
		for _, one := range steps {
			i := intent("t " + one.Injection.LogicalID)
			i.Verb, i.Injection = stacks.Inject, one.Injection
			a := accepted(i.Token, 11)
			a.Verb, a.LogicalID = stacks.Inject, one.Injection.LogicalID
			d.add(chaos.KindIntent, i).add(chaos.KindAccepted, a)
		}
		w := &world2{world1{d: d, start: time.Now()}, 10 * time.Minute}
		var told []string
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		_, err := chaos.Watch(ctx, chaos.Watching{State: d.fold(), Every: 5 * time.Second}, w, w, bubble{}, event.Func(func(e event.Event) {
			if e.Kind == event.Target {
				told = append(told, e.Action+":"+e.Resource+":"+e.Reason)
			}
		}))
		if err != nil || strings.Join(told, " ") != ":Machine, Rule: :Machine:on its way back::by whom is not recorded" {
			t.Errorf("told %q, %v", told, err)
		}
	})
}
