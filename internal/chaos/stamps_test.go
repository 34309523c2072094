package chaos_test

import (
	"testing"
	"time"

	"github.com/deployer-cli/deployer/internal/capsule"
	"github.com/deployer-cli/deployer/internal/chaos"
	"github.com/deployer-cli/deployer/stacks"
)

// TestStamps holds where each stamp comes from: one row per way to get it, or
// not to. never stands for not recorded.
func TestStamps(t *testing.T) {
	t.Parallel()
	const never = -1
	bad := func(probe, role string, seconds int) chaos.Probe {
		return chaos.Probe{Probe: probe, Role: role, At: at(seconds)}
	}
	person := func(what string, seconds int) chaos.Person { return chaos.Person{What: what, At: at(seconds)} }
	back := func(d *diary) *diary {
		return d.add(chaos.KindObserved, rebuilt(newID, stacks.CreateComplete, 120))
	}
	blank := func(d *diary) *diary {
		o := rebuilt(newID, stacks.CreateComplete, 120)
		o.Empty = []string{"Table is new and empty"}
		return d.add(chaos.KindObserved, o)
	}
	quiet := func() *diary { // nobody's probe fails
		return begun(t).add(chaos.KindIntent, intent("t1")).add(chaos.KindAccepted, accepted("t1", 11)).
			add(chaos.KindObserved, chaos.Observed{Stack: "dev/web", StackID: oldID, Status: stacks.DeleteComplete, At: at(60)})
	}
	twice := plan(step("dev/web", oldID), step("dev/db", otherID))
	half := func() *diary {
		d := &diary{t: t}
		return d.add(chaos.KindPlan, twice).add(chaos.KindClearance, chaos.Consent{}).
			add(chaos.KindIntent, intent("t1")).add(chaos.KindAccepted, accepted("t1", 11)).
			add(chaos.KindProbe, bad("site", "steady", 20)).
			add(chaos.KindObserved, chaos.Observed{Stack: "dev/web", StackID: oldID, Status: stacks.DeleteComplete, At: at(60)})
	}
	for _, tt := range []struct {
		name   string
		diary  *diary
		moment chaos.Moment
		want   int
	}{
		{"T0 before anything", begun(t), chaos.T0, never},
		{"T0 only announced", begun(t).add(chaos.KindIntent, intent("t1")), chaos.T0, never},
		{"T0 by the service's clock", begun(t).after(30).add(chaos.KindIntent, intent("t1")).add(chaos.KindAccepted, accepted("t1", 11)), chaos.T0, 11},
		{"T0 the first of two", half().add(chaos.KindIntent, chaos.Intent{Stack: "dev/db", StackID: otherID, Verb: stacks.Delete, Token: "t2"}).
			add(chaos.KindAccepted, chaos.Accepted{Stack: "dev/db", Token: "t2", At: at(90)}), chaos.T0, 11},

		{"T1", broken(t), chaos.T1, 20},
		{"T1 the earliest, not the first written", broken(t).add(chaos.KindProbe, bad("api", "steady", 15)), chaos.T1, 15},
		{"T1 not what failed before", begun(t).add(chaos.KindProbe, bad("site", "steady", -5)).after(10).add(chaos.KindIntent, intent("t1")).add(chaos.KindAccepted, accepted("t1", 11)), chaos.T1, never},
		{"T1 between the call and its answer", begun(t).after(10).add(chaos.KindIntent, intent("t1")).add(chaos.KindProbe, bad("site", "steady", 12)).add(chaos.KindAccepted, accepted("t1", 15)), chaos.T1, 12},
		{"T1 not of evidence", quiet().add(chaos.KindProbe, bad("cpu", "evidence", 20)), chaos.T1, never},
		{"T1 not of what could not be read", quiet().add(chaos.KindProbe, chaos.Probe{Probe: "site", Role: "steady", Unknown: true, At: at(20)}), chaos.T1, never},

		{"T2", quiet().add(chaos.KindProbe, chaos.Probe{Probe: "5xx", Role: "evidence", Alarm: true, At: at(40)}), chaos.T2, 40},
		{"T2 not a probe", broken(t), chaos.T2, never},
		{"T3", broken(t).add(chaos.KindPerson, person(chaos.Detect, 31)).add(chaos.KindPerson, person(chaos.Detect, 30)), chaos.T3, 30},
		{"T3 corrected", broken(t).add(chaos.KindPerson, person(chaos.Detect, 30)).add(chaos.KindPerson, chaos.Person{What: chaos.Detect, Instead: true, At: at(45)}), chaos.T3, 45},
		{"T3 corrected, and said again", broken(t).add(chaos.KindPerson, person(chaos.Detect, 30)).add(chaos.KindPerson, chaos.Person{What: chaos.Detect, Instead: true, At: at(45)}).add(chaos.KindPerson, person(chaos.Detect, 50)), chaos.T3, 45},
		{"T3 nobody", broken(t).add(chaos.KindPerson, person(chaos.Diagnose, 30)), chaos.T3, never},
		{"T4", broken(t).add(chaos.KindPerson, person(chaos.Diagnose, 50)), chaos.T4, 50},
		{"T4 a right guess", broken(t).add(chaos.KindPerson, chaos.Person{What: chaos.Guess, Right: true, At: at(45)}).add(chaos.KindPerson, person(chaos.Diagnose, 50)), chaos.T4, 45},
		{"T4 a wrong guess", broken(t).add(chaos.KindPerson, person(chaos.Guess, 45)), chaos.T4, never},

		{"T5 a new stack", broken(t).add(chaos.KindObserved, rebuilt(newID, stacks.CreateInProgress, 80)).add(chaos.KindObserved, rebuilt(newID, stacks.CreateComplete, 120)), chaos.T5, 80},
		{"T5 recover", broken(t).after(15).add(chaos.KindIntent, chaos.Intent{Stack: "dev/web", Verb: stacks.Create, Token: "r1", For: chaos.ToRecover}).add(chaos.KindObserved, rebuilt(newID, stacks.CreateInProgress, 80)), chaos.T5, 75},
		{"T5 not yet", broken(t), chaos.T5, never},
		{"T5 the first try counts", broken(t).add(chaos.KindObserved, rebuilt(newID, stacks.RollbackComplete, 80)).add(chaos.KindObserved, rebuilt(newID+"2", stacks.CreateComplete, 120)), chaos.T5, 80},

		{"T6 not while a probe is out", back(broken(t)), chaos.T6, never},
		{"T6 a probe that is back", back(broken(t)).add(chaos.KindRestored, well(125, 155)), chaos.T6, 125},
		{"T6 users are back and the stack is not", broken(t).add(chaos.KindRestored, well(70, 100)), chaos.T6, 70},
		{"T6 a failure told after the end changes nothing", back(broken(t)).add(chaos.KindRestored, well(125, 155)).add(chaos.KindProbe, bad("site", "steady", 130)), chaos.T6, 125},
		{"T6 a failure written before the window counts", back(broken(t)).add(chaos.KindProbe, bad("site", "steady", 130)).add(chaos.KindRestored, well(125, 128)), chaos.T6, never},
		{"T6 a window before the end of the deletion is none", broken(t).add(chaos.KindRestored, well(25, 55)), chaos.T6, never},
		{"T6 no probe failed, the stack is gone", quiet().add(chaos.KindRestored, well(60, 90)), chaos.T6, never},
		{"T6 no probe failed, the stack is back", back(quiet().add(chaos.KindRestored, well(60, 90))), chaos.T6, 120},
		{"T6 no probe failed, the stack is back without its data", blank(quiet().add(chaos.KindRestored, well(60, 90))), chaos.T6, never},
		{"T6 a probe is back, the data is not", blank(broken(t)).add(chaos.KindRestored, well(125, 155)), chaos.T6, never},
		{"T6 without its data while it is updated", blank(broken(t)).add(chaos.KindObserved, rebuilt(newID, stacks.UpdateInProgress, 200)).add(chaos.KindRestored, well(205, 235)), chaos.T6, never},
		{"T6 a window before the data is none", blank(broken(t)).add(chaos.KindObserved, rebuilt(newID, stacks.UpdateComplete, 200)).add(chaos.KindRestored, well(125, 155)), chaos.T6, never},
		{"T6 the data came", blank(broken(t)).add(chaos.KindObserved, rebuilt(newID, stacks.UpdateComplete, 200)).add(chaos.KindRestored, well(205, 235)), chaos.T6, 205},
		{"T6 deleted again, and back with its data", blank(quiet()).add(chaos.KindObserved, rebuilt(newID, stacks.DeleteComplete, 200)).
			add(chaos.KindObserved, rebuilt(newID+"2", stacks.UpdateComplete, 300)).add(chaos.KindRestored, well(210, 240)), chaos.T6, 300},
		{"T6 not while one is planned", half().add(chaos.KindRestored, well(70, 100)), chaos.T6, never},
		{"T6 stopped before the second", half().add(chaos.KindStop, chaos.Stop{By: chaos.ByStop}).add(chaos.KindRestored, well(70, 100)), chaos.T6, 70},
		{"T6 not while one may be on its way", half().add(chaos.KindIntent, chaos.Intent{Stack: "dev/db", StackID: otherID, Verb: stacks.Delete, Token: "t2"}).
			add(chaos.KindStop, chaos.Stop{}).add(chaos.KindRestored, well(70, 100)), chaos.T6, never},
		{"T6 nothing was broken", begun(t).add(chaos.KindRestored, well(70, 100)), chaos.T6, never},
		{"T6 unknown readings change nothing", broken(t).add(chaos.KindProbe, chaos.Probe{Probe: "site", Role: "steady", Unknown: true, At: at(80)}).add(chaos.KindRestored, well(70, 100)), chaos.T6, 70},
		{"T7", broken(t).add(chaos.KindRestored, well(70, 100)), chaos.T7, 100},
		{"T7 stays", broken(t).add(chaos.KindRestored, well(70, 100)).add(chaos.KindProbe, bad("site", "steady", 200)), chaos.T7, 100},

		{"T8", back(broken(t)).after(20).add(chaos.KindEqual, chaos.Equal{Stack: "dev/web"}), chaos.T8, 80},
		{"T8 different", back(broken(t)).add(chaos.KindEqual, chaos.Equal{Stack: "dev/web", Differences: []capsule.Difference{{What: "tag a"}}}), chaos.T8, never},
		{"T8 not compared", back(broken(t)), chaos.T8, never},
		{"T8 mended since", back(broken(t)).add(chaos.KindEqual, chaos.Equal{Stack: "dev/web", Differences: []capsule.Difference{{What: "tag a"}}}).
			after(60).add(chaos.KindEqual, chaos.Equal{Stack: "dev/web"}), chaos.T8, 120},
		{"T8 by two who watch", back(broken(t)).after(60).add(chaos.KindEqual, chaos.Equal{Stack: "dev/web"}).
			after(7).add(chaos.KindEqual, chaos.Equal{Stack: "dev/web"}), chaos.T8, 120},
		{"T8 of another stack", broken(t).add(chaos.KindObserved, rebuilt(newID, stacks.CreateComplete, 90)).add(chaos.KindEqual, chaos.Equal{Stack: "dev/web"}).
			add(chaos.KindObserved, rebuilt(newID+"2", stacks.CreateInProgress, 100)), chaos.T8, never},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := tt.diary.fold().Stamps[tt.moment]
			if got.Recorded() != (tt.want != never) || tt.want != never && (!got.At.Equal(at(tt.want)) || got.Source == "") {
				t.Errorf("%s is %+v, want %d s", tt.moment, got, tt.want)
			}
		})
	}
}

// TestSpans: what is not recorded has no length, and a missed objective is told.
func TestSpans(t *testing.T) {
	t.Parallel()
	s := broken(t).fold()
	if _, ok := s.RecoveryTime(); ok {
		t.Error("a recovery that has not been took some time")
	}
	if _, known := s.Met(); known {
		t.Error("an objective is met or missed before its end")
	}
	if d, ok := s.Stamps.Between(chaos.T0, chaos.T1); !ok || d != 9*time.Second {
		t.Errorf("%s, %t", d, ok)
	}
	s = broken(t).add(chaos.KindRestored, well(900, 930)).fold()
	if met, known := s.Met(); met || !known {
		t.Errorf("met %t, known %t", met, known)
	}
	s.Plan.Objective = 0
	if _, known := s.Met(); known {
		t.Error("no objective is met or missed")
	}
	if chaos.T6.String() != "T6" || chaos.T6.Word() != "restored" || chaos.Moment(9).Word() != "" || chaos.T0.Word() != "broken" {
		t.Error("names of moments")
	}
	for by, want := range map[chaos.By]string{chaos.ByDeployer: "by deployer", chaos.ByHand: "by hand", chaos.ByPipeline: "by another pipeline", "": "by whom is not recorded"} {
		if by.Words() != want {
			t.Errorf("%q is %q", by, by.Words())
		}
	}
}

// What deployer brought back because max_duration was over did not meet the objective,
// whatever that is, and one journal says so to everybody: by whom, and the exit code.
// A launch of the team's is theirs, however late, and what was back in time and only had
// to stay so is no delay.
func TestDeadline(t *testing.T) {
	t.Parallel()
	const ours = "deployer-late-"
	with := func(o chaos.Observed, by chaos.By, token string) chaos.Observed {
		o.By, o.Token = by, token
		return o
	}
	back := func(token string, seconds int) chaos.Observed {
		return with(rebuilt(newID, stacks.CreateComplete, seconds), chaos.ByDeployer, token)
	}
	same := chaos.Equal{Stack: "dev/web", Differences: []capsule.Difference{}}
	late := chaos.Stop{By: chaos.ByDeadline, Why: "max_duration is over"}
	recovery := chaos.Intent{Stack: "dev/web", Verb: stacks.Create, Token: ours + "0-dev-web", For: chaos.ToRecover, Overdue: ours}
	by120 := func() *diary { // gone since 60, with max_duration over at 131
		p := plan(step("dev/web", oldID))
		p.MaxDuration = 120
		d := (&diary{t: t}).add(chaos.KindPlan, p).add(chaos.KindClearance, chaos.Consent{}).after(10)
		return d.add(chaos.KindIntent, intent("t1")).add(chaos.KindAccepted, accepted("t1", 11)).
			after(10).add(chaos.KindProbe, chaos.Probe{Probe: "site", Role: "steady", At: at(20), Why: "refused"}).
			after(40).add(chaos.KindObserved, chaos.Observed{Stack: "dev/web", StackID: oldID, Status: stacks.DeleteComplete, At: at(60)})
	}
	over := func(d *diary) *diary { return d.after(71).add(chaos.KindStop, late).after(1) }
	for _, tt := range []struct {
		name  string
		diary *diary
		by    chaos.By
		exit  int
		met   bool
	}{
		{"in time", by120().add(chaos.KindObserved, back("deployer-r7-1-dev-web", 80)).add(chaos.KindRestored, well(85, 115)).add(chaos.KindEqual, same), chaos.ByDeployer, 0, true},
		{"brought back", over(by120()).add(chaos.KindIntent, recovery).add(chaos.KindObserved, back(ours+"1-dev-web", 140)).add(chaos.KindRestored, well(145, 175)).add(chaos.KindEqual, same), chaos.ByDeployerLate, 12, false},
		{"by the team, too late", over(by120()).add(chaos.KindObserved, rebuilt(newID, stacks.CreateComplete, 140)).add(chaos.KindRestored, well(145, 175)).add(chaos.KindEqual, same), chaos.ByHand, 12, false},
		{"by the team's own launch, too late", over(by120()).add(chaos.KindIntent, recovery).add(chaos.KindObserved, back("deployer-r7-1-dev-web", 140)).add(chaos.KindRestored, well(145, 175)).add(chaos.KindEqual, same), chaos.ByDeployer, 12, false},
		{"in time, and stable only later", over(by120().add(chaos.KindObserved, back("deployer-r7-1-dev-web", 120))).add(chaos.KindRestored, well(125, 155)).add(chaos.KindEqual, same), chaos.ByDeployer, 0, true},
		{"the stack in time, users not", over(by120().add(chaos.KindObserved, back("deployer-r7-1-dev-web", 120))).add(chaos.KindRestored, well(132, 162)).add(chaos.KindEqual, same), chaos.ByDeployer, 12, false},
	} {
		s := tt.diary.fold()
		if met, known := s.Met(); s.Targets["dev/web"].By != tt.by || s.Exit() != tt.exit || !known || met != tt.met {
			t.Errorf("%s: by %q, exit %d, met %t (known %t)", tt.name, s.Targets["dev/web"].By, s.Exit(), met, known)
		}
	}
	if s := over(by120()).fold(); !s.Overdue() {
		t.Error("what is not back is not late")
	}
	if _, ok := broken(t).fold().Deadline(); ok {
		t.Error("a break without max_duration has a deadline")
	}
	p := plan(step("dev/web", oldID))
	p.MaxDuration = 600
	d := (&diary{t: t}).add(chaos.KindPlan, p).add(chaos.KindClearance, chaos.Consent{})
	if _, ok := d.fold().Deadline(); ok {
		t.Error("there is a deadline before anything is broken")
	}
	d.add(chaos.KindIntent, intent("t1")).add(chaos.KindAccepted, accepted("t1", 11))
	if when, ok := d.fold().Deadline(); !ok || !when.Equal(at(611)) {
		t.Errorf("the deadline is %s", when)
	}
}
