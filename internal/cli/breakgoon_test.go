package cli

import (
	"io"
	"strings"
	"testing"
	"time"

	"github.com/deployer-cli/deployer/internal/blast"
	"github.com/deployer-cli/deployer/internal/chaos"
	"github.com/deployer-cli/deployer/internal/logbook"
	"github.com/deployer-cli/deployer/stacks"
)

// TestWhatIsDownStaysOpen: a capsule that cannot be read back keeps a break from going
// on, and does not end it while something is down.
func TestWhatIsDownStaysOpen(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	r := &breakRecord{logbook.New(t.TempDir(), "r", nil), "dev", logbook.NewID(time.Now()), time.Now}
	step := chaos.Step{Stack: "dev/web", Name: "web", StackID: "arn:old", Verb: stacks.Delete}
	for _, e := range []struct {
		kind string
		body any
	}{
		{chaos.KindPlan, chaos.Plan{ID: r.id, Environment: "dev", Steps: []chaos.Step{step}}},
		{chaos.KindCapsule, chaos.Capsule{Stack: "dev/web", Name: capsuleName("dev/web"), Hash: "sha256:gone"}},
		{chaos.KindClearance, chaos.Consent{Run: "r"}},
		{chaos.KindIntent, chaos.Intent{Stack: "dev/web", StackID: "arn:old", Verb: stacks.Delete, Token: "deployer-r-1", For: chaos.ToBreak}},
		{chaos.KindAccepted, chaos.Accepted{Stack: "dev/web", StackID: "arn:old", Verb: stacks.Delete, Token: "deployer-r-1", At: time.Now().UTC()}},
	} {
		if err := r.Write(ctx, e.kind, e.body); err != nil {
			t.Fatal(err)
		}
	}
	b := &breaker{record: r, id: r.id, resumed: true}
	err := b.writeDown(ctx)
	if err == nil || exitCode(err) != exitRefused || !strings.Contains(hintOf(err), "deployer recover "+r.id) {
		t.Errorf("%v, exit %d", err, exitCode(err))
	}
	if state, err := r.fold(ctx); err != nil || state.Finished != nil || !state.Open() {
		t.Errorf("it is over: %+v, %v", state, err)
	}
}

// TestLeftOutStaysOut: of a break that goes on only what its plan said is looked at:
// what was unsuitable then was left out of it.
func TestLeftOutStaysOut(t *testing.T) {
	t.Parallel()
	one, other := stacks.Injection{Stack: "dev/b", LogicalID: "One"}, stacks.Injection{Stack: "dev/b", LogicalID: "Other"}
	b := &breaker{
		s: &session{vetted: true}, resumed: true, record: &breakRecord{},
		plan: &blast.Plan{Steps: []blast.Step{{Stack: "dev/b", Injections: []stacks.Injection{one}}}},
	}
	if got, err := b.breakables(t.Context(), []stacks.Injection{one, other}); err != nil || len(got) != 1 || got[0].LogicalID != "One" {
		t.Errorf("%+v, %v", got, err)
	}
}

// TestOvertakenIsWatched: where the team has rebuilt what had to be gone before what is
// left, that is stopped, and what was down is watched; beside that a break goes on.
func TestOvertakenIsWatched(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	r := &breakRecord{logbook.New(t.TempDir(), "r", nil), "dev", logbook.NewID(time.Now()), time.Now}
	plan, steps := &blast.Plan{}, []chaos.Step{}
	for p, after := range map[stacks.Path][]stacks.Path{"dev/dns": {}, "dev/security": {"dev/dns"}, "dev/side": {}} {
		plan.Steps = append(plan.Steps, blast.Step{Stack: p, StackID: "arn:" + string(p), Verb: stacks.Delete, After: after})
		steps = append(steps, chaos.Step{Stack: p, Name: p.Base(), StackID: "arn:" + string(p), Verb: stacks.Delete})
	}
	for _, e := range []struct {
		kind string
		body any
	}{
		{chaos.KindPlan, chaos.Plan{ID: r.id, Environment: "dev", Steps: steps}},
		{chaos.KindClearance, chaos.Consent{Run: "r"}},
		{chaos.KindIntent, chaos.Intent{Stack: "dev/dns", StackID: "arn:dev/dns", Verb: stacks.Delete, Token: "deployer-r-1", For: chaos.ToBreak}},
		{chaos.KindAccepted, chaos.Accepted{Stack: "dev/dns", StackID: "arn:dev/dns", Verb: stacks.Delete, Token: "deployer-r-1", At: time.Now().UTC()}},
		{chaos.KindObserved, chaos.Observed{Stack: "dev/dns", StackID: "arn:dev/dns", NewID: "arn:new", Status: stacks.CreateComplete, At: time.Now().UTC()}},
	} {
		if err := r.Write(ctx, e.kind, e.body); err != nil {
			t.Fatal(err)
		}
	}
	state, err := r.fold(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if why := overtaken(plan, state, []stacks.Path{"dev/side"}); why != "" {
		t.Errorf("dev/side does not go on: %s", why)
	}
	why := overtaken(plan, state, []stacks.Path{"dev/security", "dev/side"})
	if !strings.HasPrefix(why, "dev/dns would have to be gone before dev/security") {
		t.Fatalf("it goes on: %q", why)
	}
	app := &app{env: Env{Stdout: io.Discard, Stderr: io.Discard}}
	b := &breaker{app: app, record: r, id: r.id}
	if state, err = b.endHere(ctx, why); err != nil || state.Stopped == nil || state.Stopped.By != chaos.ByMoved || state.Pending() {
		t.Errorf("it is not only watched: %+v, %v", state, err)
	}
}
