package chaos_test

import (
	"strings"
	"testing"

	"github.com/deployer-cli/deployer/internal/chaos"
	"github.com/deployer-cli/deployer/stacks"
)

// injecting is a cleared break of one resource of dev/web, of which the call was
// announced at 10 with what was captured then.
func injecting(t *testing.T, physical, captured string) *diary {
	t.Helper()
	s := step("dev/web", oldID)
	s.Verb, s.Injection = stacks.Inject, injection(physical, captured)
	d := &diary{t: t}
	return d.add(chaos.KindPlan, plan(s)).add(chaos.KindClearance, chaos.Consent{}).after(10).add(chaos.KindIntent, injects("t1", s.Injection))
}

func injection(physical, captured string) *stacks.Injection {
	return &stacks.Injection{Kind: "delete-resource", Stack: "dev/web", StackID: oldID, LogicalID: "A", PhysicalID: physical, Before: []byte(captured)}
}

func injects(token string, in *stacks.Injection) chaos.Intent {
	return chaos.Intent{Stack: "dev/web", StackID: oldID, Verb: stacks.Inject, Token: token, For: chaos.ToBreak, Injection: in}
}

// TestTheTeamsResource: what the team has made or set anew, between the call that may
// have been taken and going on, is back, and is never broken again.
func TestTheTeamsResource(t *testing.T) {
	t.Parallel()
	made := func(logical, status string, seconds int) stacks.Event {
		e := resourceEvent(logical, status, "")
		e.Time = at(seconds)
		return e
	}
	for name, c := range map[string]struct {
		seen chaos.Seen
		act  chaos.Act
		why  string
		back int
	}{
		"as it was":               {chaos.Seen{}, chaos.AskAgain, "is whole", 0},
		"another id":              {chaos.Seen{Anew: map[string]string{"A": "A is a-2 now, and was a-1"}}, chaos.Returned, "a-2", 0},
		"another id, and when":    {chaos.Seen{Anew: map[string]string{"A": "A is a-2 now, and was a-1"}, Events: []stacks.Event{made("A", "CREATE_COMPLETE", 40)}}, chaos.Returned, "a-2", 40},
		"a fixed name, made anew": {chaos.Seen{Events: []stacks.Event{made("A", "CREATE_COMPLETE", 40)}}, chaos.Returned, "made again", 40},
		"its stack was changed":   {chaos.Seen{Changed: "somebody changed it since"}, chaos.Moved, "changed it", 0},
		"made before":             {chaos.Seen{Events: []stacks.Event{made("A", "CREATE_COMPLETE", 5)}}, chaos.AskAgain, "is whole", 0},
		"another was made":        {chaos.Seen{Events: []stacks.Event{made("B", "CREATE_COMPLETE", 40)}, Anew: map[string]string{"B": "B is b-2 now"}}, chaos.AskAgain, "is whole", 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := live(oldID, stacks.UpdateComplete, "")
			c.seen.Old, c.seen.Named, c.seen.Conditions = l, l, map[string]stacks.Condition{"A": stacks.Whole}
			d := injecting(t, "a-1", "{}")
			got := chaos.Resume(d.fold(), map[stacks.Path]chaos.Seen{"dev/web": c.seen})[0]
			if got.Act != c.act || !strings.Contains(got.Why, c.why) || c.back > 0 && !got.At.Equal(at(c.back)) {
				t.Fatalf("%+v, want %s because %q", got, c.act, c.why)
			}
			if c.act != chaos.Returned {
				return
			}
			// As the command line writes it down.
			if got.Token != "t1" || !got.Taken.Equal(at(10)) {
				t.Fatalf("the call: %+v", got)
			}
			d.add(chaos.KindAccepted, chaos.Accepted{Stack: "dev/web", StackID: oldID, Verb: stacks.Inject, Token: got.Token, LogicalID: "A", At: got.Taken, Adopted: true}).
				add(chaos.KindObserved, chaos.Observed{Stack: "dev/web", StackID: oldID, LogicalID: "A", Condition: stacks.Whole, By: chaos.ByHand, At: got.At})
			s := d.fold()
			if w := s.Targets["dev/web"]; w.Status != chaos.StatusRestored || !s.Stamps[chaos.T0].At.Equal(at(10)) {
				t.Errorf("it is %s, broken since %+v", w.Status, s.Stamps[chaos.T0])
			}
			if s.May(injects("t2", injection("a-1", "{}"))) == nil {
				t.Error("it may be broken again")
			}
		})
	}
}

// TestSetBeforeItsTurn: what nothing was announced for, and somebody has set since it was
// captured, is theirs: it is not asked for again.
func TestSetBeforeItsTurn(t *testing.T) {
	t.Parallel()
	s := step("dev/web", oldID)
	s.Verb, s.Injection = stacks.Inject, injection("a-1", "{}")
	d := (&diary{t: t}).add(chaos.KindPlan, plan(s)).add(chaos.KindClearance, chaos.Consent{})
	l := live(oldID, stacks.UpdateComplete, "")
	for why, act := range map[string]chaos.Act{"": chaos.AskAgain, "somebody has set it": chaos.Moved} {
		seen := chaos.Seen{Old: l, Named: l, Conditions: map[string]stacks.Condition{"A": stacks.Whole}, Anew: map[string]string{"A": why}}
		if got := chaos.Resume(d.fold(), map[stacks.Path]chaos.Seen{"dev/web": seen})[0]; got.Act != act || !strings.Contains(got.Why, why) {
			t.Errorf("%q: %+v", why, got)
		}
	}
}

// TestMayOnlyWhatWasPlanned: another resource under the name is not what was agreed on.
func TestMayOnlyWhatWasPlanned(t *testing.T) {
	t.Parallel()
	s := injecting(t, "a-1", "{}").fold()
	if err := s.May(injects("t2", injection("a-1", "{}"))); err != nil {
		t.Errorf("the same: %v", err)
	}
	if err := s.May(injects("t2", injection("a-2", "{}"))); err == nil || !strings.Contains(err.Error(), "a-2") {
		t.Errorf("another: %v", err)
	}
}

// TestTheLatestCapture: what is undone is what was captured right before the call that
// AWS took, not what an earlier attempt found that never landed.
func TestTheLatestCapture(t *testing.T) {
	t.Parallel()
	d := injecting(t, "a-1", `{"rules":[80]}`)
	before := func() string { return string(d.fold().Targets["dev/web"].Deed("A").Injection.Before) }
	if got := before(); got != `{"rules":[80]}` {
		t.Errorf("at first: %s", got)
	}
	d.add(chaos.KindIntent, injects("t2", injection("a-1", `{"rules":[80,443]}`)))
	if got := before(); got != `{"rules":[80,443]}` {
		t.Errorf("announced again: %s", got)
	}
	d.add(chaos.KindAccepted, chaos.Accepted{Stack: "dev/web", StackID: oldID, Verb: stacks.Inject, Token: "t2", LogicalID: "A", At: at(20)}).
		add(chaos.KindIntent, injects("t3", injection("a-1", `{"rules":[22]}`)))
	s := d.fold()
	if got := before(); got != `{"rules":[80,443]}` || string(s.Plan.Steps[0].Injection.Before) != `{"rules":[80]}` {
		t.Errorf("once it was taken: %s; the plan %s", got, s.Plan.Steps[0].Injection.Before)
	}
}
