package chaos_test

import (
	"testing"

	"github.com/deployer-cli/deployer/internal/capsule"
	"github.com/deployer-cli/deployer/internal/chaos"
	"github.com/deployer-cli/deployer/stacks"
)

// TestTurnedBack: what CloudFormation turned back was never broken, and is not
// recovered from; unless users felt it.
func TestTurnedBack(t *testing.T) {
	t.Parallel()
	two := func() *diary {
		d := &diary{t: t}
		return d.add(chaos.KindPlan, plan(step("dev/web", oldID), step("dev/db", otherID))).add(chaos.KindClearance, chaos.Consent{}).
			after(10).add(chaos.KindIntent, intent("t1")).add(chaos.KindAccepted, accepted("t1", 11))
	}
	back := func(d *diary) *diary {
		return d.after(10).add(chaos.KindObserved, chaos.Observed{Stack: "dev/web", StackID: oldID, Status: stacks.UpdateComplete, Reason: "in use", At: at(30)})
	}
	taken := func(d *diary) *diary {
		return back(d).add(chaos.KindIntent, chaos.Intent{Stack: "dev/db", StackID: otherID, Verb: stacks.Delete, Token: "t2"}).
			add(chaos.KindAccepted, chaos.Accepted{Stack: "dev/db", Token: "t2", At: at(40)})
	}
	stop := func(d *diary) *diary { return d.add(chaos.KindStop, chaos.Stop{By: chaos.ByFault, Why: "in use"}) }
	for name, c := range map[string]struct {
		d    *diary
		want bool
	}{
		"the only one":                  {back(begun(t).add(chaos.KindIntent, intent("t1")).add(chaos.KindAccepted, accepted("t1", 11))), true},
		"not yet":                       {begun(t).add(chaos.KindIntent, intent("t1")).add(chaos.KindAccepted, accepted("t1", 11)), false},
		"nothing sent, and more to be":  {begun(t), false},
		"gone":                          {broken(t), false},
		"the first, the second to come": {back(two()), false},
		"the first, and stopped":        {stop(back(two())), true},
		"the second is taken":           {taken(two()), false},
		"both":                          {taken(two()).add(chaos.KindObserved, chaos.Observed{Stack: "dev/db", StackID: otherID, Status: stacks.UpdateComplete, Reason: "x"}), true},
		"users felt it":                 {stop(back(two().add(chaos.KindProbe, chaos.Probe{Probe: "site", Role: "steady", At: at(20)}))), false},
	} {
		s := c.d.add(chaos.KindRestored, well(60, 90)).fold()
		why, got := s.TurnedBack()
		end, unbroken := s.Unbroken()
		if got != c.want || unbroken != c.want || got && (why != "in use" || end.Result != "refused") {
			t.Errorf("%s: turned back %v: %q, unbroken %v: %+v", name, got, why, unbroken, end)
		}
		if _, recovered := s.RecoveryTime(); got && recovered {
			t.Errorf("%s: it has a recovery time", name)
		}
	}
	stopped := stop(begun(t)).fold()
	if end, ok := stopped.Unbroken(); !ok || end.Result != "stopped" {
		t.Errorf("stopped before anything was sent: %+v, %v", end, ok)
	}
}

// TestPartlyInjected: a stack of which some was broken when the break was stopped was
// touched: it comes back, is compared, and is equal then.
func TestPartlyInjected(t *testing.T) {
	t.Parallel()
	inject := func(id string) *stacks.Injection {
		return &stacks.Injection{Kind: "revoke-ingress", Stack: "dev/web", StackID: oldID, LogicalID: id}
	}
	one, two := step("dev/web", oldID), step("dev/web", oldID)
	one.Verb, one.Injection, two.Verb, two.Injection = stacks.Inject, inject("A"), stacks.Inject, inject("B")
	see := func(d *diary, c stacks.Condition, seconds int) *diary {
		return d.add(chaos.KindObserved, chaos.Observed{Stack: "dev/web", StackID: oldID, LogicalID: "A", Condition: c, At: at(seconds)})
	}
	d := (&diary{t: t}).add(chaos.KindPlan, plan(one, two)).add(chaos.KindClearance, chaos.Consent{}).
		add(chaos.KindIntent, chaos.Intent{Stack: "dev/web", StackID: oldID, Verb: stacks.Inject, Token: "t1", Injection: one.Injection}).
		add(chaos.KindAccepted, chaos.Accepted{Stack: "dev/web", Token: "t1", LogicalID: "A", At: at(1)})
	see(d, stacks.Broken, 2).add(chaos.KindStop, chaos.Stop{By: chaos.ByStop, Why: "enough"})
	if s := d.fold(); s.Targets["dev/web"].Status != chaos.StatusGone {
		t.Errorf("half of it broken: %s", s.Targets["dev/web"].Status)
	}
	see(d, stacks.Whole, 60).add(chaos.KindRestored, well(60, 90))
	s := d.fold()
	if web := s.Targets["dev/web"]; web.Status != chaos.StatusRestored || !web.Back.Equal(at(60)) || s.Pending() || s.Exit() != 14 {
		t.Errorf("it is back: %s at %s, exit %d", web.Status, web.Back, s.Exit())
	}
	if s := d.add(chaos.KindEqual, chaos.Equal{Stack: "dev/web", Differences: []capsule.Difference{}}).fold(); !s.Equal() || s.Exit() != 0 {
		t.Errorf("it is as it was: exit %d", s.Exit())
	}
}
