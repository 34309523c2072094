package chaos_test

import (
	"strings"
	"testing"

	"github.com/deployer-cli/deployer/internal/chaos"
	"github.com/deployer-cli/deployer/stacks"
)

func live(id string, status stacks.Status, reason string) *stacks.Live {
	return &stacks.Live{ID: id, Name: "dev-web", Status: status, Reason: reason, Created: at(300)}
}

func stackEvent(id, stack, status, token, reason string) stacks.Event {
	return stacks.Event{ID: id, StackID: stack, PhysicalID: stack, LogicalID: "dev-web", Status: status, Token: token, Reason: reason, Time: at(33)}
}

func resourceEvent(logical, status, reason string) stacks.Event {
	return stacks.Event{ID: logical + status, StackID: oldID, PhysicalID: "p-" + logical, LogicalID: logical, Status: status, Reason: reason}
}

// TestResume holds section 5 of break.md: one row for each way in which AWS may
// be found after a crash, for a deletion.
func TestResume(t *testing.T) {
	t.Parallel()
	const export = "Export dev-vpc cannot be deleted as it is in use by dev-app"
	sent := func() *diary { return begun(t).add(chaos.KindIntent, intent("t1")) }
	took := func() *diary { return sent().add(chaos.KindAccepted, accepted("t1", 5)) }
	ours := stackEvent("e1", oldID, "DELETE_IN_PROGRESS", "t1", "User Initiated")
	theirs := stackEvent("e0", oldID, "UPDATE_COMPLETE", "deployer-r9-1-dev-web", "")
	named := func(l *stacks.Live) chaos.Seen { return chaos.Seen{Old: l, Named: l} }
	with := func(s chaos.Seen, events ...stacks.Event) chaos.Seen { s.Events = events; return s }
	changed := func(s chaos.Seen) chaos.Seen { s.Changed = "somebody changed it since"; return s }
	whole := live(oldID, stacks.UpdateComplete, "")
	for _, tt := range []struct {
		name  string
		diary *diary
		seen  chaos.Seen
		act   chaos.Act
		why   string
	}{
		// An event with our token, or a DELETE status: adopt.
		{"our token, deleting", sent(), with(named(live(oldID, stacks.DeleteInProgress, "")), theirs, ours), chaos.Adopt, "DELETE_IN_PROGRESS"},
		{"our token, deleted", sent(), with(chaos.Seen{Old: live(oldID, stacks.DeleteComplete, "")}, ours), chaos.Adopt, "DELETE_COMPLETE"},
		{"our token, not shown yet", sent(), with(named(whole), theirs, ours), chaos.Adopt, "our token"},
		{"deleting, no token", sent(), named(live(oldID, stacks.DeleteInProgress, "")), chaos.Adopt, "DELETE_IN_PROGRESS"},
		{"deleted, no events any more", sent(), chaos.Seen{}, chaos.Adopt, "does not exist"},
		{"taken, not shown yet", took(), with(named(whole), theirs), chaos.Adopt, "has not shown it yet"},
		{"the token of an earlier attempt", sent().add(chaos.KindIntent, intent("t2")), with(named(whole), ours), chaos.Adopt, "our token"},
		{"gone, not known to be taken", sent().add(chaos.KindObserved, chaos.Observed{Stack: "dev/web", StackID: oldID, Status: stacks.DeleteComplete}), with(chaos.Seen{Old: live(oldID, stacks.DeleteComplete, "")}, ours), chaos.Adopt, "DELETE_COMPLETE"},
		{"known to be gone", broken(t), chaos.Seen{Old: live(oldID, stacks.DeleteComplete, "")}, chaos.Settled, ""},
		{"stuck, then deleted by somebody", took().add(chaos.KindObserved, chaos.Observed{Stack: "dev/web", StackID: oldID, Status: stacks.DeleteFailed}), chaos.Seen{}, chaos.Adopt, ""},

		// Still complete and no such event: not sent again without guards and a person.
		{"still complete", sent(), with(named(whole), theirs), chaos.AskAgain, "do not have our token"},
		{"still complete, another's token", sent(), with(named(whole), stackEvent("e1", oldID, "DELETE_IN_PROGRESS", "t9", "")), chaos.AskAgain, "do not have our token"},
		{"nothing was announced", begun(t), named(whole), chaos.AskAgain, "nothing was sent"},

		// This id gone and a new id under the name: the team's. Never deleted.
		{"rebuilt", sent(), chaos.Seen{Old: live(oldID, stacks.DeleteComplete, ""), Named: live(newID, stacks.CreateComplete, "")}, chaos.Returned, newID},
		{"being rebuilt", took(), chaos.Seen{Old: live(oldID, stacks.DeleteComplete, ""), Named: live(newID, stacks.CreateInProgress, "")}, chaos.Returned, newID},
		{"a change set waits", took(), chaos.Seen{Named: live(newID, stacks.ReviewInProgress, "")}, chaos.Returned, newID},
		{"rebuilt, the old one still shown", sent(), chaos.Seen{Old: whole, Named: live(newID, stacks.CreateComplete, "")}, chaos.Returned, newID},
		{"a failed recovery is the team's too", broken(t), chaos.Seen{Named: live(newID, stacks.RollbackComplete, "")}, chaos.Returned, newID},
		{"the new one is being deleted by them", broken(t), chaos.Seen{Named: live(newID, stacks.DeleteInProgress, "")}, chaos.Returned, newID},
		{"known to be restored", broken(t).add(chaos.KindObserved, rebuilt(newID, stacks.CreateComplete, 90)), chaos.Seen{Named: live(newID, stacks.CreateComplete, "")}, chaos.Settled, newID},
		{"rebuilt before its turn", begun(t), chaos.Seen{Named: live(newID, stacks.CreateComplete, "")}, chaos.Moved, "not the stack that was planned"},

		// Back to *_COMPLETE with an export's reason: refused.
		{"turned back by an export", sent(), with(named(live(oldID, stacks.UpdateComplete, export)), ours), chaos.Denied, export},
		{"turned back, told by an event", took(), with(named(whole), ours, stackEvent("e2", oldID, "UPDATE_COMPLETE", "t1", export)), chaos.Denied, export},
		{"turned back, no reason told", took(), with(named(whole), ours, stackEvent("e2", oldID, "UPDATE_COMPLETE", "t1", "")), chaos.Denied, "UPDATE_COMPLETE"},
		{"known to be refused", took().add(chaos.KindObserved, chaos.Observed{Stack: "dev/web", StackID: oldID, Status: stacks.UpdateComplete, Reason: export}), named(whole), chaos.Denied, export},

		// DELETE_FAILED: name what is stuck, never force.
		{
			"stuck", took(), with(named(live(oldID, stacks.DeleteFailed, "The following resource(s) failed to delete: [Sg]. ")), ours,
				resourceEvent("Web", "DELETE_COMPLETE", ""), resourceEvent("Vpc", "DELETE_FAILED", "has dependencies"), resourceEvent("Vpc", "DELETE_COMPLETE", ""),
				resourceEvent("Sg", "DELETE_FAILED", "in use by eni-1")), chaos.Stuck, "Sg: in use by eni-1",
		},
		{"stuck, events unread", took(), named(live(oldID, stacks.DeleteFailed, "The following resource(s) failed to delete: [Sg]. ")), chaos.Stuck, "[Sg]"},

		// Somebody else is at it.
		{"an update runs", sent(), with(named(live(oldID, stacks.UpdateInProgress, "")), theirs), chaos.Moved, "UPDATE_IN_PROGRESS"},
		{"changed since", sent(), changed(with(named(whole), theirs)), chaos.Moved, "changed it"},
		{"changed before its turn", begun(t), changed(named(whole)), chaos.Moved, "changed it"},
		{"changed, and our token", sent(), changed(with(named(whole), theirs, ours)), chaos.Adopt, "our token"},
		{"an update runs before its turn", begun(t), named(live(oldID, stacks.UpdateInProgress, "")), chaos.Moved, "UPDATE_IN_PROGRESS"},
		{"gone before its turn", begun(t), chaos.Seen{}, chaos.Moved, "not by this break"},
		{"deleted before its turn", begun(t), chaos.Seen{Old: live(oldID, stacks.DeleteComplete, "")}, chaos.Moved, "not by this break"},

		// What cannot be read is not known.
		{"expired credentials", took(), chaos.Seen{Unknown: "credentials expired"}, chaos.Unread, "credentials expired"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := chaos.Resume(tt.diary.fold(), map[stacks.Path]chaos.Seen{"dev/web": tt.seen})
			if len(got) != 1 || got[0].Act != tt.act || !strings.Contains(got[0].Why, tt.why) || got[0].StackID != oldID {
				t.Fatalf("%+v, want %s because %q", got, tt.act, tt.why)
			}
			if tt.name == "stuck" && strings.Contains(got[0].Why, "Vpc") {
				t.Errorf("%s names what is deleted", got[0].Why)
			}
		})
	}
}

// TestResumeKnowsTheCall: what is adopted is what AWS has, and since when.
func TestResumeKnowsTheCall(t *testing.T) {
	t.Parallel()
	s := begun(t).add(chaos.KindIntent, intent("t1")).add(chaos.KindIntent, intent("t2")).fold()
	l := live(oldID, stacks.DeleteInProgress, "")
	got := chaos.Resume(s, map[stacks.Path]chaos.Seen{"dev/web": {Old: l, Named: l, Events: []stacks.Event{stackEvent("e", oldID, "DELETE_IN_PROGRESS", "t1", "")}}})[0]
	if got.Token != "t1" || !got.At.Equal(at(33)) || got.Status != stacks.DeleteInProgress {
		t.Errorf("%+v", got)
	}
	l.Status = stacks.DeleteFailed
	got = chaos.Resume(s, map[stacks.Path]chaos.Seen{"dev/web": {Old: l, Named: l, Events: []stacks.Event{stackEvent("e", oldID, "DELETE_IN_PROGRESS", "t1", "")}}})[0]
	if got.Act != chaos.Stuck || got.Token != "t1" || !got.Taken.Equal(at(33)) {
		t.Errorf("stuck: %+v", got)
	}
	if got := chaos.Resume(s, nil)[0]; got.Act != chaos.Unread {
		t.Errorf("not looked at: %+v", got)
	}
}

// TestResumeInjections: the same for what is done behind CloudFormation's back,
// and for a drifted parameter.
func TestResumeInjections(t *testing.T) {
	t.Parallel()
	inject := step("dev/web", oldID)
	inject.Verb, inject.Injection = stacks.Inject, &stacks.Injection{LogicalID: "A"}
	drift := step("dev/web", oldID)
	drift.Verb = stacks.Update
	cleared := func(s chaos.Step) *diary {
		return (&diary{t: t}).add(chaos.KindPlan, plan(s)).add(chaos.KindClearance, chaos.Consent{})
	}
	sent := func(s chaos.Step) *diary {
		return cleared(s).add(chaos.KindIntent, chaos.Intent{Stack: "dev/web", StackID: oldID, Verb: s.Verb, Token: "t1", Injection: s.Injection})
	}
	took := func(s chaos.Step) *diary {
		return sent(s).add(chaos.KindAccepted, chaos.Accepted{Stack: "dev/web", Token: "t1", At: at(5)})
	}
	seen := func(d *diary, s chaos.Step, c stacks.Condition) *diary {
		return d.add(chaos.KindObserved, chaos.Observed{Stack: "dev/web", StackID: oldID, LogicalID: s.LogicalID(), Condition: c, At: at(9)})
	}
	ours := func(status string) []stacks.Event {
		return []stacks.Event{stackEvent("e1", oldID, "UPDATE_IN_PROGRESS", "t1", ""), stackEvent("e2", oldID, status, "t1", "")}
	}
	for _, tt := range []struct {
		name      string
		diary     *diary
		status    stacks.Status
		condition stacks.Condition
		events    []stacks.Event
		act       chaos.Act
	}{
		{"injected, not announced", cleared(inject), stacks.CreateComplete, stacks.Whole, nil, chaos.AskAgain},
		{"injected, broken by another", cleared(inject), stacks.CreateComplete, stacks.Broken, nil, chaos.Moved},
		{"injected, not looked at before", cleared(inject), stacks.CreateComplete, "", nil, chaos.Unread},
		{"injected, sent and broken", sent(inject), stacks.CreateComplete, stacks.Broken, nil, chaos.Adopt},
		{"injected, sent and on its way", sent(inject), stacks.CreateComplete, stacks.Between, nil, chaos.Adopt},
		{"injected, sent and whole", sent(inject), stacks.CreateComplete, stacks.Whole, nil, chaos.AskAgain},
		{"injected, taken and whole", took(inject), stacks.CreateComplete, stacks.Whole, nil, chaos.Returned},
		{"injected, broken and whole", seen(sent(inject), inject, stacks.Broken), stacks.CreateComplete, stacks.Whole, nil, chaos.Returned},
		{"injected, known", seen(took(inject), inject, stacks.Broken), stacks.CreateComplete, stacks.Broken, nil, chaos.Settled},
		{"injected, known to be whole", seen(took(inject), inject, stacks.Whole), stacks.CreateComplete, stacks.Whole, nil, chaos.Settled},
		{"injected, not looked at", sent(inject), stacks.CreateComplete, "", nil, chaos.Unread},
		{"injected, the stack is gone", sent(inject), stacks.DeleteComplete, stacks.Broken, nil, chaos.Moved},

		{"drift, not announced", cleared(drift), stacks.CreateComplete, stacks.Whole, nil, chaos.AskAgain},
		{"drift, sent and nothing", sent(drift), stacks.CreateComplete, stacks.Whole, nil, chaos.AskAgain},
		{"drift, sent and under way", sent(drift), stacks.UpdateInProgress, "", ours("UPDATE_IN_PROGRESS"), chaos.Adopt},
		{"drift, sent and done", sent(drift), stacks.UpdateComplete, stacks.Broken, ours("UPDATE_COMPLETE"), chaos.Adopt},
		{"drift, sent and put right", sent(drift), stacks.UpdateComplete, stacks.Whole, ours("UPDATE_COMPLETE"), chaos.Returned},
		{"drift, rolled back", sent(drift), stacks.UpdateRollbackComplete, stacks.Whole, ours("UPDATE_ROLLBACK_COMPLETE"), chaos.Denied},
		{"drift, taken and not shown", took(drift), stacks.CreateComplete, stacks.Whole, nil, chaos.Adopt},
		{"drift, changed without events", sent(drift), stacks.UpdateComplete, stacks.Broken, nil, chaos.Adopt},
		{"drift, another update runs", sent(drift), stacks.UpdateInProgress, "", nil, chaos.Moved},
		{"drift, known", seen(took(drift), drift, stacks.Broken), stacks.UpdateComplete, stacks.Broken, nil, chaos.Settled},
		{"drift, known and put right", seen(took(drift), drift, stacks.Broken), stacks.UpdateComplete, stacks.Whole, nil, chaos.Returned},
		{"drift, the stack is gone", took(drift), stacks.DeleteComplete, "", nil, chaos.Moved},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := tt.diary.fold()
			l := live(oldID, tt.status, "")
			look := chaos.Seen{Old: l, Named: l, Events: tt.events, Conditions: map[string]stacks.Condition{s.Plan.Steps[0].LogicalID(): tt.condition}}
			got := chaos.Resume(s, map[stacks.Path]chaos.Seen{"dev/web": look})
			if len(got) != 1 || got[0].Act != tt.act || got[0].Why == "" {
				t.Errorf("%+v, want %s", got, tt.act)
			}
		})
	}
}

func TestHandOf(t *testing.T) {
	t.Parallel()
	create := func(token string) []stacks.Event {
		return []stacks.Event{
			{StackID: newID, PhysicalID: "vpc-1", LogicalID: "Vpc", Token: "deployer-x"},
			stackEvent("e", oldID, "DELETE_COMPLETE", "deployer-y", ""),
			stackEvent("e", newID, "CREATE_IN_PROGRESS", token, ""),
			stackEvent("e", newID, "CREATE_COMPLETE", token, ""),
		}
	}
	for token, want := range map[string]chaos.By{
		"deployer-r1-1-dev-web": chaos.ByDeployer, "Console-CreateStack-1": chaos.ByHand, "": chaos.ByHand, "5f1c2d": chaos.ByPipeline,
	} {
		if got, with := chaos.HandOf(create(token), newID); got != want || with != token {
			t.Errorf("token %q: %q by %q, want %q", token, got, with, want)
		}
	}
	shell := append([]stacks.Event{stackEvent("e", newID, "REVIEW_IN_PROGRESS", "", "")}, create("5f1c2d")...)
	if got, _ := chaos.HandOf(shell, newID); got != chaos.ByPipeline {
		t.Errorf("a change set: %q", got)
	}
	later := append(create("")[:3:3], stackEvent("e", newID, "CREATE_COMPLETE", "", ""), stackEvent("e", newID, "UPDATE_IN_PROGRESS", "deployer-r", ""))
	if got, _ := chaos.HandOf(later, newID); got != chaos.ByHand {
		t.Errorf("updated later: %q", got)
	}
	if got, _ := chaos.HandOf(nil, newID); got != "" {
		t.Errorf("nobody: %q", got)
	}
}

// TestResumeKnowsWhen: what nobody watched is gone when its deletion ended, and back when
// the new stack was well, and not when either began.
func TestResumeKnowsWhen(t *testing.T) {
	t.Parallel()
	event := func(id, stack, status, token string, seconds int) stacks.Event {
		e := stackEvent(id, stack, status, token, "")
		e.Time = at(seconds)
		return e
	}
	took := func() *chaos.State {
		return begun(t).add(chaos.KindIntent, intent("t1")).add(chaos.KindAccepted, accepted("t1", 5)).fold()
	}
	gone := []stacks.Event{event("e1", oldID, "DELETE_IN_PROGRESS", "t1", 5), event("e2", oldID, "DELETE_COMPLETE", "t1", 95)}
	old := live(oldID, stacks.DeleteComplete, "")
	if d := chaos.Resume(took(), map[stacks.Path]chaos.Seen{"dev/web": {Old: old, Events: gone}})[0]; d.Act != chaos.Adopt || !d.At.Equal(at(95)) {
		t.Errorf("gone: %+v", d)
	}
	if d := chaos.Resume(took(), map[stacks.Path]chaos.Seen{"dev/web": {Old: old, Events: gone[:1]}})[0]; !d.At.Equal(at(5)) {
		t.Errorf("gone, its events do not tell: %+v", d)
	}
	made := []stacks.Event{
		event("n1", newID, "CREATE_IN_PROGRESS", "", 300), event("n2", newID, "CREATE_COMPLETE", "", 800),
		event("n3", newID, "UPDATE_IN_PROGRESS", "", 900), event("n4", newID, "UPDATE_COMPLETE", "", 950),
	}
	for status, c := range map[stacks.Status]struct {
		events []stacks.Event
		want   int
	}{
		stacks.CreateComplete: {made[:2], 800}, stacks.UpdateComplete: {made, 800}, // it was back before it was updated
		stacks.CreateInProgress: {made[:1], 300}, stacks.CreateFailed: {append(made[:1:1], event("n2", newID, "CREATE_FAILED", "", 400)), 400},
	} {
		d := chaos.Resume(took(), map[stacks.Path]chaos.Seen{"dev/web": {Old: old, Named: live(newID, status, ""), Events: gone, NewEvents: c.events}})[0]
		if d.Act != chaos.Returned || !d.At.Equal(at(c.want)) || !d.Begun.Equal(at(300)) {
			t.Errorf("%s: %+v", status, d)
		}
	}
}
