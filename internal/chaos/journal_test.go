package chaos_test

import (
	"testing"
	"time"

	"github.com/deployer-cli/deployer/internal/chaos"
	"github.com/deployer-cli/deployer/internal/record"
	"github.com/deployer-cli/deployer/stacks"
)

// at is so many seconds after the break's plan.
func at(seconds int) time.Time {
	return time.Date(2026, 11, 22, 14, 0, 0, 0, time.UTC).Add(time.Duration(seconds) * time.Second)
}

const (
	oldID   = "arn:aws:cloudformation:eu-west-1:123456789012:stack/dev-web/old"
	newID   = "arn:aws:cloudformation:eu-west-1:123456789012:stack/dev-web/new"
	otherID = "arn:aws:cloudformation:eu-west-1:123456789012:stack/dev-db/old"
)

// diary writes a journal as a break does.
type diary struct {
	t interface {
		Helper()
		Fatal(args ...any)
	}
	entries []record.Entry
	now     int
}

func (d *diary) add(kind string, body any) *diary {
	d.t.Helper()
	var last *record.Entry
	if len(d.entries) > 0 {
		last = &d.entries[len(d.entries)-1]
	}
	e, err := record.Next(last, at(d.now), "r1", kind, body)
	if err != nil {
		d.t.Fatal(err)
	}
	d.entries = append(d.entries, e)
	return d
}

// after lets time go on.
func (d *diary) after(seconds int) *diary {
	d.now += seconds
	return d
}

func (d *diary) fold() *chaos.State {
	d.t.Helper()
	s, err := chaos.Fold(d.entries)
	if err != nil {
		d.t.Fatal(err)
	}
	return s
}

func step(path stacks.Path, id string) chaos.Step {
	return chaos.Step{Stack: path, Name: "dev-" + path.Base(), StackID: id, Verb: stacks.Delete}
}

func plan(steps ...chaos.Step) chaos.Plan {
	return chaos.Plan{
		ID: "b-20261122-1400-abcd", Environment: "dev", Class: stacks.Development, Realm: stacks.RealmSandbox,
		Kind: "delete-stack", Objective: 600, Probes: []string{"site"}, Steps: steps,
	}
}

// begun is a cleared break of dev/web.
func begun(t *testing.T) *diary {
	t.Helper()
	d := &diary{t: t}
	return d.add(chaos.KindPlan, plan(step("dev/web", oldID))).
		add(chaos.KindCapsule, chaos.Capsule{Stack: "dev/web", Name: "dev/web", Hash: "h"}).
		add(chaos.KindClearance, chaos.Consent{Run: "r1", How: "typed"})
}

// broken is one whose stack is gone at 60 and whose site fails at 20.
func broken(t *testing.T) *diary {
	t.Helper()
	return begun(t).after(10).add(chaos.KindIntent, intent("t1")).
		add(chaos.KindAccepted, accepted("t1", 11)).
		after(10).add(chaos.KindProbe, chaos.Probe{Probe: "site", Role: "steady", At: at(20), Why: "refused"}).
		after(40).add(chaos.KindObserved, chaos.Observed{Stack: "dev/web", StackID: oldID, Status: stacks.DeleteComplete, At: at(60)})
}

func intent(token string) chaos.Intent {
	return chaos.Intent{Stack: "dev/web", StackID: oldID, Verb: stacks.Delete, Token: token, For: chaos.ToBreak}
}

func accepted(token string, seconds int) chaos.Accepted {
	return chaos.Accepted{Stack: "dev/web", StackID: oldID, Verb: stacks.Delete, Token: token, At: at(seconds)}
}

// rebuilt is another stack under the name.
func rebuilt(id string, status stacks.Status, seconds int) chaos.Observed {
	return chaos.Observed{Stack: "dev/web", StackID: oldID, NewID: id, Status: status, By: chaos.ByHand, At: at(seconds)}
}

// well is the site's window.
func well(from, to int) chaos.Restored {
	return chaos.Restored{Probe: "site", At: at(from), Verified: at(to)}
}
