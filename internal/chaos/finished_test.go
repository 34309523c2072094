package chaos_test

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/deployer-cli/deployer/internal/chaos"
	"github.com/deployer-cli/deployer/internal/event"
	"github.com/deployer-cli/deployer/internal/steady"
	"github.com/deployer-cli/deployer/stacks"
)

// anything is one entry as whoever watches, recovers or stops a break may write it.
func anything(rt *rapid.T, d *diary) {
	now := d.now
	switch probe := rapid.SampledFrom([]string{"site", "db"}).Draw(rt, "probe"); rapid.IntRange(0, 10).Draw(rt, "kind") {
	case 0:
		d.add(chaos.KindIntent, intent("t1"))
	case 1:
		d.add(chaos.KindAccepted, accepted("t1", now))
	case 2:
		d.add(chaos.KindObserved, chaos.Observed{Stack: "dev/web", StackID: oldID, Status: rapid.SampledFrom(stacks.Statuses()).Draw(rt, "old"), At: at(now)})
	case 3:
		d.add(chaos.KindObserved, rebuilt(newID, rapid.SampledFrom(stacks.Statuses()).Draw(rt, "new"), now))
	case 4:
		d.add(chaos.KindProbe, chaos.Probe{Probe: probe, Role: "steady", At: at(now), OK: rapid.Bool().Draw(rt, "ok"), Alarm: rapid.Bool().Draw(rt, "alarm")})
	case 5:
		d.add(chaos.KindProbe, chaos.Probe{Probe: probe, Role: "steady", At: at(now), Unknown: true, Gone: true})
	case 6:
		d.add(chaos.KindRestored, chaos.Restored{Probe: probe, At: at(now), Verified: at(now + 30)})
	case 7:
		d.add(chaos.KindStop, chaos.Stop{By: chaos.ByDeadline})
	case 8:
		d.add(chaos.KindPerson, chaos.Person{What: rapid.SampledFrom([]string{chaos.Detect, chaos.Diagnose}).Draw(rt, "says"), At: at(now), Instead: rapid.Bool().Draw(rt, "instead")})
	case 9:
		d.add(chaos.KindIntent, chaos.Intent{Stack: "dev/web", Verb: stacks.Create, Token: "r1", For: chaos.ToRecover})
	case 10:
		d.add(chaos.KindEqual, chaos.Equal{Stack: "dev/web"})
	}
}

// TestFinishedIsOver: whatever is written after the end of an exercise, its moments stay
// where they were, and so does how it ended. Only T8 may still come.
func TestFinishedIsOver(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		d := &diary{t: rt}
		p := plan(step("dev/web", oldID))
		p.Probes = []string{"site", "db"}
		p.MaxDuration = float64(rapid.IntRange(0, 2).Draw(rt, "deadline") * 30)
		d.add(chaos.KindPlan, p).add(chaos.KindClearance, chaos.Consent{})
		came := rapid.IntRange(0, 3).Draw(rt, "came") // so far, before anything else
		if came > 0 {
			d.add(chaos.KindIntent, intent("t1")).add(chaos.KindAccepted, accepted("t1", 0))
		}
		if came > 1 {
			d.after(10).add(chaos.KindObserved, chaos.Observed{Stack: "dev/web", StackID: oldID, Status: stacks.DeleteComplete, At: at(d.now)})
		}
		if came > 2 {
			d.after(10).add(chaos.KindObserved, rebuilt(newID, stacks.CreateComplete, d.now)).add(chaos.KindRestored, well(d.now, d.now+30))
		}
		for range rapid.IntRange(0, 8).Draw(rt, "before") {
			anything(rt, d.after(10))
		}
		before := d.after(10).add(chaos.KindFinish, chaos.Finish{Result: rapid.SampledFrom([]string{"closed", "restored"}).Draw(rt, "result"), Why: "enough"}).fold()
		for range rapid.IntRange(1, 8).Draw(rt, "behind") {
			anything(rt, d.after(10))
		}
		after := d.fold()
		if !slices.Equal(before.Stamps[:chaos.T8], after.Stamps[:chaos.T8]) {
			rt.Fatalf("before %v\nafter %v", before.Stamps, after.Stamps)
		}
		sameEnd(rt, before, after)
	})
}

// sameEnd fails where two readings of a break that is over do not tell the same.
func sameEnd(rt *rapid.T, before, after *chaos.State) {
	was, _ := before.Met()
	is, _ := after.Met()
	if was != is || before.Overdue() != after.Overdue() || *before.Finished != *after.Finished {
		rt.Fatalf("met %t, then %t; overdue %t, then %t", was, is, before.Overdue(), after.Overdue())
	}
}

// TestFinishedWithoutEverything: what was not back when somebody closed the exercise is not
// made the team's recovery by what is found, or not asked any more, later.
func TestFinishedWithoutEverything(t *testing.T) {
	t.Parallel()
	p := plan(step("dev/web", oldID))
	p.Probes, p.MaxDuration = []string{"site", "db"}, 60
	closed := func(probes ...string) *diary {
		d := &diary{t: t}
		d.add(chaos.KindPlan, p).add(chaos.KindClearance, chaos.Consent{}).add(chaos.KindIntent, intent("t1")).add(chaos.KindAccepted, accepted("t1", 0))
		d.after(10).add(chaos.KindObserved, chaos.Observed{Stack: "dev/web", StackID: oldID, Status: stacks.DeleteComplete, At: at(10)})
		for _, name := range probes {
			d.after(10).add(chaos.KindProbe, chaos.Probe{Probe: name, Role: "steady", At: at(20)}).add(chaos.KindRestored, chaos.Restored{Probe: name, At: at(30), Verified: at(60)})
		}
		return d.after(60).add(chaos.KindFinish, chaos.Finish{Result: "closed", Why: "enough for today"}).after(3600)
	}
	refused := begun(t).add(chaos.KindIntent, intent("t1")).add(chaos.KindAccepted, accepted("t1", 0)).
		add(chaos.KindObserved, chaos.Observed{Stack: "dev/web", StackID: oldID, Status: stacks.UpdateComplete, Reason: "Export X is in use"}).
		add(chaos.KindFinish, chaos.Finish{Result: "refused"}).after(3600)
	for name, d := range map[string]*diary{
		"a probe that is not asked": closed("site").add(chaos.KindProbe, chaos.Probe{Probe: "db", Role: "steady", Unknown: true, Gone: true}),
		"the rest comes later":      closed("site").add(chaos.KindRestored, chaos.Restored{Probe: "db", At: at(3000), Verified: at(3060)}),
		"all of it comes later": closed().add(chaos.KindObserved, rebuilt(newID, stacks.CreateComplete, 3000)).add(chaos.KindRestored, well(3000, 3060)).
			add(chaos.KindRestored, chaos.Restored{Probe: "db", At: at(3000), Verified: at(3060)}),
		"max_duration ends":    closed().add(chaos.KindStop, chaos.Stop{By: chaos.ByDeadline}),
		"a probe fails":        closed().add(chaos.KindProbe, chaos.Probe{Probe: "db", Role: "steady", Alarm: true, At: at(3000)}),
		"and nothing was down": refused.add(chaos.KindProbe, chaos.Probe{Probe: "site", Role: "steady", At: at(3000)}),
		"a recovery begins":    closed().add(chaos.KindIntent, chaos.Intent{Stack: "dev/web", Verb: stacks.Create, Token: "r1", For: chaos.ToRecover}),
	} {
		s, had := d.fold(), &diary{t: t, entries: d.entries}
		for had.fold().Finished != nil {
			had.entries = had.entries[:len(had.entries)-1]
		}
		if s.Overdue() || s.Exit() != 0 || !slices.Equal(s.Stamps[:], had.fold().Stamps[:]) {
			t.Errorf("%s: overdue %t, exit %d, %v", name, s.Overdue(), s.Exit(), s.Stamps)
		}
	}
}

// TestSaidAfterwards: who says afterwards when it was noticed is heard, and who notices
// afterwards did not in the exercise.
func TestSaidAfterwards(t *testing.T) {
	t.Parallel()
	d := broken(t).add(chaos.KindFinish, chaos.Finish{Result: "closed"}).after(3600)
	d.add(chaos.KindPerson, chaos.Person{What: chaos.Detect, At: at(30)})
	d.add(chaos.KindPerson, chaos.Person{What: chaos.Diagnose, At: at(d.now)})
	s := d.fold()
	if !s.Stamps[chaos.T3].At.Equal(at(30)) || s.Stamps[chaos.T4].Recorded() || len(s.People) != 2 {
		t.Errorf("%v", s.Stamps)
	}
}

// TestWatchAfterTheEnd: who looks at a break that is over finds out what is back by now,
// and writes nothing about probes that he does not ask.
func TestWatchAfterTheEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(at(120)))
		d := broken(t).add(chaos.KindFinish, chaos.Finish{Result: "closed", Why: "enough for today"})
		w := &world1{d: d, start: time.Now()}
		watching := chaos.Watching{State: d.fold(), Readings: make(chan steady.Reading), Every: 2 * time.Second}
		end, err := chaos.Watch(t.Context(), watching, w, w, bubble{}, event.Func(func(e event.Event) {
			if e.Kind == event.Warning {
				t.Errorf("told: %s", e.Reason)
			}
		}))
		if err != nil || !end.Equal() || !end.Stamps[chaos.T8].Recorded() || end.Stamps[chaos.T6].Recorded() || end.Probes["site"].Gone {
			t.Errorf("%v: %+v", err, end)
		}
	})
}
