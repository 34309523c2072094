package chaos_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/deployer-cli/deployer/internal/capsule"
	"github.com/deployer-cli/deployer/internal/chaos"
	"github.com/deployer-cli/deployer/internal/record"
	"github.com/deployer-cli/deployer/stacks"
)

// TestStory follows one break from its plan to its end.
func TestStory(t *testing.T) {
	t.Parallel()
	d := begun(t)
	s := d.fold()
	if w := s.Targets["dev/web"]; !s.Open() || s.Touched() || w.Status != chaos.StatusPlanned || w.Capsule.Hash != "h" || s.Cleared == nil {
		t.Errorf("cleared: %+v", w)
	}
	check := func(want chaos.Status) {
		t.Helper()
		if s = d.fold(); s.Targets["dev/web"].Status != want {
			t.Errorf("it is %s, want %s", s.Targets["dev/web"].Status, want)
		}
	}
	d.after(10).add(chaos.KindIntent, intent("t1"))
	check(chaos.StatusIntended)
	d.add(chaos.KindAccepted, accepted("t1", 11))
	check(chaos.StatusAccepted)
	d.after(10).add(chaos.KindProbe, chaos.Probe{Probe: "site", Role: "steady", At: at(20)})
	d.after(40).add(chaos.KindObserved, chaos.Observed{Stack: "dev/web", StackID: oldID, Status: stacks.DeleteComplete, At: at(60)})
	check(chaos.StatusGone)
	if !slices.Equal(s.Broken(), []stacks.Path{"dev/web"}) || !slices.Equal(s.Awaited(), []string{"site"}) || s.Pending() || !s.Since().Equal(at(60)) {
		t.Errorf("broken %v, awaited %v, pending %t, since %s", s.Broken(), s.Awaited(), s.Pending(), s.Since())
	}
	d.after(30).add(chaos.KindObserved, rebuilt(newID, stacks.CreateInProgress, 90))
	check(chaos.StatusRebuilding)
	d.after(30).add(chaos.KindObserved, rebuilt(newID, stacks.CreateComplete, 120))
	check(chaos.StatusRestored)
	if !s.Open() || s.Targets["dev/web"].By != chaos.ByHand || !s.Targets["dev/web"].Back.Equal(at(120)) {
		t.Errorf("%+v", s.Targets["dev/web"])
	}
	d.after(30).add(chaos.KindRestored, well(125, 155))
	s = d.fold()
	if took, ok := s.RecoveryTime(); s.Open() || !ok || took != 114*time.Second {
		t.Errorf("open %t, took %s, %t", s.Open(), took, ok)
	}
	if met, known := s.Met(); !met || !known {
		t.Errorf("met %t, known %t", met, known)
	}
	d.after(5).add(chaos.KindEqual, chaos.Equal{Stack: "dev/web", Differences: []capsule.Difference{{What: "output Id", Note: "new id", Expected: true}}})
	if s = d.fold(); !s.Equal() || !s.Stamps[chaos.T8].At.Equal(at(155)) {
		t.Errorf("equal %t at %+v", s.Equal(), s.Stamps[chaos.T8])
	}
}

// TestStatuses holds what becomes of a target, one way per row.
func TestStatuses(t *testing.T) {
	t.Parallel()
	old := func(status stacks.Status, reason string) func(*diary) {
		return func(d *diary) {
			d.add(chaos.KindObserved, chaos.Observed{Stack: "dev/web", StackID: oldID, Status: status, Reason: reason})
		}
	}
	another := func(id string, status stacks.Status) func(*diary) {
		return func(d *diary) { d.add(chaos.KindObserved, rebuilt(id, status, 100)) }
	}
	sent := func(d *diary) { d.add(chaos.KindIntent, intent("t1")) }
	took := func(d *diary) { sent(d); d.add(chaos.KindAccepted, accepted("t1", 1)) }
	gone := func(d *diary) { took(d); old(stacks.DeleteComplete, "")(d) }
	for _, tt := range []struct {
		name string
		do   []func(*diary)
		want chaos.Status
	}{
		{"nothing done", nil, chaos.StatusPlanned},
		{"announced", []func(*diary){sent}, chaos.StatusIntended},
		{"taken", []func(*diary){took}, chaos.StatusAccepted},
		{"on its way", []func(*diary){took, old(stacks.DeleteInProgress, "")}, chaos.StatusAccepted},
		{"gone", []func(*diary){gone}, chaos.StatusGone},
		{"stuck", []func(*diary){took, old(stacks.DeleteFailed, "[Vpc]")}, chaos.StatusFailed},
		{"stuck, then gone", []func(*diary){took, old(stacks.DeleteFailed, ""), old(stacks.DeleteComplete, "")}, chaos.StatusGone},
		{"turned back", []func(*diary){took, old(stacks.UpdateComplete, "Export X cannot be deleted as it is in use by y")}, chaos.StatusRefused},
		{"turned back at once", []func(*diary){sent, old(stacks.UpdateComplete, "Export X …")}, chaos.StatusRefused},
		{"never got there", []func(*diary){sent, old(stacks.UpdateComplete, "")}, chaos.StatusPlanned},
		{"asked again", []func(*diary){sent, func(d *diary) { d.add(chaos.KindIntent, intent("t2")).add(chaos.KindAccepted, accepted("t2", 5)) }}, chaos.StatusAccepted},
		{"the first was taken after all", []func(*diary){sent, func(d *diary) { d.add(chaos.KindIntent, intent("t2")).add(chaos.KindAccepted, accepted("t1", 5)) }}, chaos.StatusAccepted},
		{"being rebuilt", []func(*diary){gone, another(newID, stacks.CreateInProgress)}, chaos.StatusRebuilding},
		{"a change set stands there", []func(*diary){gone, another(newID, stacks.ReviewInProgress)}, chaos.StatusRebuilding},
		{"a failed recovery", []func(*diary){gone, another(newID, stacks.RollbackComplete)}, chaos.StatusRebuilding},
		{"taken away again", []func(*diary){gone, another(newID, stacks.RollbackComplete), another(newID, stacks.DeleteComplete)}, chaos.StatusGone},
		{"back", []func(*diary){gone, another(newID, stacks.CreateComplete)}, chaos.StatusRestored},
		{"back at the second try", []func(*diary){gone, another(newID, stacks.RollbackComplete), another(newID+"2", stacks.CreateComplete)}, chaos.StatusRestored},
		{"rebuilt before its turn", []func(*diary){another(newID, stacks.CreateComplete)}, chaos.StatusRestored},
		{"a late reading of the old one", []func(*diary){gone, another(newID, stacks.CreateComplete), old(stacks.DeleteComplete, "")}, chaos.StatusRestored},
		{"written as restored", []func(*diary){gone, func(d *diary) {
			d.add(chaos.KindRestored, chaos.Restored{Stack: "dev/web", NewID: newID, By: chaos.ByDeployer})
		}}, chaos.StatusRestored},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			d := begun(t)
			for _, do := range tt.do {
				do(d.after(1))
			}
			if got := d.fold().Targets["dev/web"].Status; got != tt.want {
				t.Errorf("it is %s, want %s", got, tt.want)
			}
		})
	}
}

// TestInjections: several deeds on one stack, and a drifted parameter.
func TestInjections(t *testing.T) {
	t.Parallel()
	inject := func(id string) *stacks.Injection {
		return &stacks.Injection{Kind: "stop-instances", Stack: "dev/web", StackID: oldID, LogicalID: id}
	}
	one, two := step("dev/web", oldID), step("dev/web", oldID)
	one.Verb, one.Injection = stacks.Inject, inject("A")
	two.Verb, two.Injection = stacks.Inject, inject("B")
	drift := step("dev/db", otherID)
	drift.Verb = stacks.Update
	d := &diary{t: t}
	d.add(chaos.KindPlan, plan(one, two, drift)).add(chaos.KindClearance, chaos.Consent{})
	do := func(verb stacks.Verb, path stacks.Path, id, logical, token string) {
		i := chaos.Intent{Stack: path, StackID: id, Verb: verb, Token: token}
		if logical != "" {
			i.Injection = inject(logical)
		}
		d.add(chaos.KindIntent, i).add(chaos.KindAccepted, chaos.Accepted{Stack: path, Token: token, LogicalID: logical, At: at(1)})
	}
	see := func(path stacks.Path, id, logical string, c stacks.Condition, seconds int) {
		d.add(chaos.KindObserved, chaos.Observed{Stack: path, StackID: id, LogicalID: logical, Condition: c, At: at(seconds), By: chaos.ByHand})
	}
	expect := func(what string, web, db chaos.Status) {
		t.Helper()
		s := d.fold()
		if s.Targets["dev/web"].Status != web || s.Targets["dev/db"].Status != db {
			t.Errorf("%s: %s, %s; want %s, %s", what, s.Targets["dev/web"].Status, s.Targets["dev/db"].Status, web, db)
		}
	}
	do(stacks.Inject, "dev/web", oldID, "A", "t1")
	see("dev/web", oldID, "A", stacks.Broken, 2)
	expect("one of two", chaos.StatusGone, chaos.StatusPlanned)
	do(stacks.Inject, "dev/web", oldID, "B", "t2")
	expect("the second is on its way", chaos.StatusAccepted, chaos.StatusPlanned)
	see("dev/web", oldID, "B", stacks.Between, 3)
	see("dev/web", oldID, "B", stacks.Broken, 4)
	do(stacks.Update, "dev/db", otherID, "", "t3")
	d.add(chaos.KindObserved, chaos.Observed{Stack: "dev/db", StackID: otherID, Status: stacks.UpdateComplete})
	expect("all", chaos.StatusGone, chaos.StatusGone)
	see("dev/web", oldID, "A", stacks.Whole, 5)
	expect("one is back", chaos.StatusGone, chaos.StatusGone)
	see("dev/web", oldID, "B", stacks.Whole, 7)
	see("dev/db", otherID, "", stacks.Whole, 8)
	expect("all are back", chaos.StatusRestored, chaos.StatusRestored)
	if w := d.fold().Targets["dev/web"]; !w.Back.Equal(at(7)) || w.By != chaos.ByHand {
		t.Errorf("back at %s, %s", w.Back, w.By)
	}
	if len(d.fold().Order) != 2 {
		t.Errorf("order %v", d.fold().Order)
	}
}

// TestMay is the last wall: which call may be announced.
func TestMay(t *testing.T) {
	t.Parallel()
	again := intent("t2")
	drift := again
	drift.Verb = stacks.Update
	fresh := again
	fresh.StackID = newID
	foreign := again
	foreign.Stack = "dev/other"
	for _, tt := range []struct {
		name   string
		diary  *diary
		intent chaos.Intent
		want   string
	}{
		{"its turn", begun(t), intent("t1"), ""},
		{"the call may not have been made", begun(t).add(chaos.KindIntent, intent("t1")), again, ""},
		{"it was taken", begun(t).add(chaos.KindIntent, intent("t1")).add(chaos.KindAccepted, accepted("t1", 1)), again, "was broken already"},
		{"it is gone", broken(t), again, "was broken already"},
		{"it was turned back", begun(t).add(chaos.KindIntent, intent("t1")).add(chaos.KindAccepted, accepted("t1", 1)).
			add(chaos.KindObserved, chaos.Observed{Stack: "dev/web", StackID: oldID, Status: stacks.CreateComplete}), again, "was broken already"},
		{"rebuilt", broken(t).add(chaos.KindObserved, rebuilt(newID, stacks.CreateInProgress, 70)), again, "never deleted again"},
		{"rebuilt before its turn", begun(t).add(chaos.KindObserved, rebuilt(newID, stacks.CreateInProgress, 70)), again, "never deleted again"},
		{"the new one", broken(t), fresh, "not in the plan"},
		{"another verb", begun(t), drift, "not in the plan"},
		{"another stack", begun(t), foreign, "not in the plan"},
		{"stopped", begun(t).add(chaos.KindStop, chaos.Stop{By: chaos.ByLever, Why: "no more"}), again, "was stopped: no more"},
		{"finished", begun(t).add(chaos.KindFinish, chaos.Finish{Why: "enough"}), again, "is finished: enough"},
		{"not cleared", (&diary{t: t}).add(chaos.KindPlan, plan(step("dev/web", oldID))), again, "was not cleared"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			err := tt.diary.fold().May(tt.intent)
			if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v, want %q", err, tt.want)
			}
		})
	}
}

// TestOpen: when an exercise is on.
func TestOpen(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		diary *diary
		want  bool
	}{
		{"planned", (&diary{t: t}).add(chaos.KindPlan, plan(step("dev/web", oldID))), false},
		{"cleared", begun(t), true},
		{"broken", broken(t), true},
		{"stopped", broken(t).add(chaos.KindStop, chaos.Stop{}), true},
		{"closed", broken(t).add(chaos.KindFinish, chaos.Finish{Why: "no time"}), false},
		{"restored", broken(t).add(chaos.KindRestored, well(70, 100)), false},
		{"different", broken(t).add(chaos.KindRestored, well(70, 100)).add(chaos.KindEqual, chaos.Equal{Stack: "dev/web", Differences: []capsule.Difference{{What: "tag a"}}}), false},
	} {
		if s := tt.diary.fold(); s.Open() != tt.want {
			t.Errorf("%s: open is %t", tt.name, s.Open())
		}
	}
}

// TestSenselessJournals: what Fold refuses, and what it says.
func TestSenselessJournals(t *testing.T) {
	t.Parallel()
	double := plan(step("dev/web", oldID), step("dev/web", oldID))
	two := plan(step("dev/web", oldID), step("dev/web", newID))
	wrong := intent("t1")
	wrong.StackID = newID
	for name, tt := range map[string]struct {
		diary *diary
		want  string
	}{
		"empty":                   {&diary{t: t}, "it is empty"},
		"no plan first":           {(&diary{t: t}).add(chaos.KindStop, chaos.Stop{}), "begins with its one plan"},
		"two plans":               {begun(t).add(chaos.KindPlan, plan(step("dev/web", oldID))), "entry 4: a journal begins with its one plan"},
		"a kind of tomorrow":      {begun(t).add("finding", 1), `kind "finding" is not known`},
		"a field of tomorrow":     {begun(t).add(chaos.KindStop, map[string]any{"by": "stop", "why": "x", "how": 1}), "unknown field"},
		"another form":            {begun(t).add(chaos.KindStop, []int{1}), "cannot be read"},
		"twice the same":          {(&diary{t: t}).add(chaos.KindPlan, double), "is broken twice"},
		"two of one path":         {(&diary{t: t}).add(chaos.KindPlan, two), "two stacks are called dev/web"},
		"no stack id":             {(&diary{t: t}).add(chaos.KindPlan, plan(step("dev/web", ""))), "names no live stack"},
		"an intent of nothing":    {begun(t).add(chaos.KindIntent, wrong), "not in the plan"},
		"an intent without token": {begun(t).add(chaos.KindIntent, intent("")), "without a token"},
		"a stack of nobody":       {begun(t).add(chaos.KindEqual, chaos.Equal{Stack: "dev/x"}), "dev/x is not in the plan"},
		"another old stack":       {begun(t).add(chaos.KindObserved, chaos.Observed{Stack: "dev/web", StackID: newID}), "is not the stack dev/web"},
		"a resource of nobody":    {begun(t).add(chaos.KindObserved, chaos.Observed{Stack: "dev/web", StackID: oldID, LogicalID: "X"}), "X of dev/web is not in the plan"},
		"the old one as new":      {begun(t).add(chaos.KindObserved, rebuilt(oldID, stacks.CreateComplete, 1)), "is the old one"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, err := chaos.Fold(tt.diary.entries)
			wrong, ok := errors.AsType[*chaos.JournalError](err)
			if s != nil || !ok || !strings.Contains(wrong.Error(), tt.want) {
				t.Errorf("%v, want %q", err, tt.want)
			}
		})
	}
	d := broken(t)
	if _, err := chaos.Fold(append(d.entries[:2:2], d.entries[3:]...)); err == nil {
		t.Error("a journal with a hole in it was read")
	}
}

// TestARefusedEntryChangesNothing: after an error the state goes on.
func TestARefusedEntryChangesNothing(t *testing.T) {
	t.Parallel()
	d := begun(t)
	s := d.fold()
	before, _ := json.Marshal(s)
	bad := begun(t).add(chaos.KindIntent, intent("")).entries[3]
	if err := s.Apply(bad); err == nil {
		t.Fatal("taken")
	}
	if after, _ := json.Marshal(s); string(after) != string(before) {
		t.Errorf("%s\nbefore: %s", after, before)
	}
	if err := s.Apply(d.add(chaos.KindIntent, intent("t1")).entries[3]); err != nil {
		t.Error(err)
	}
}

func FuzzFold(f *testing.F) {
	t := &testing.T{}
	for _, d := range []*diary{begun(t), broken(t), broken(t).add(chaos.KindObserved, rebuilt(newID, stacks.CreateComplete, 90)).add(chaos.KindRestored, well(95, 130))} {
		var text []byte
		for _, e := range d.entries {
			text = append(append(append(text, e.Kind...), ' '), e.Body...)
			text = append(text, '\n')
		}
		f.Add(string(text))
	}
	f.Add("plan {}\nobserved {\"stack\":\"\"}\n")
	f.Fuzz(func(t *testing.T, text string) {
		var entries []record.Entry
		var last *record.Entry
		for line := range strings.Lines(text) {
			kind, body, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
			e, err := record.Next(last, at(len(entries)), "r", kind, json.RawMessage(body))
			if err != nil {
				continue
			}
			entries = append(entries, e)
			last = &entries[len(entries)-1]
		}
		s, err := chaos.Fold(entries)
		if err != nil {
			return
		}
		_ = s.Open() && s.Pending() && s.Equal()
		_, _ = s.Awaited(), s.Broken()
		for _, d := range chaos.Resume(s, nil) {
			if d.Act == chaos.AskAgain {
				t.Fatalf("what was not seen is asked for again: %+v", d)
			}
		}
	})
}
