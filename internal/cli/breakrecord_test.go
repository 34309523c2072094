package cli

import (
	"testing"
	"time"

	"github.com/deployer-cli/deployer/internal/chaos"
	"github.com/deployer-cli/deployer/internal/logbook"
	"github.com/deployer-cli/deployer/stacks"
)

// TestNoIntentAgainstTheJournal: what was stopped by another process, or sent
// already, is not announced, and so is never sent.
func TestNoIntentAgainstTheJournal(t *testing.T) {
	t.Parallel()
	step := chaos.Step{Stack: "dev/web", Name: "web", StackID: "arn:old", Verb: stacks.Delete}
	intent := chaos.Intent{Stack: "dev/web", StackID: "arn:old", Verb: stacks.Delete, Token: "deployer-r-2", For: chaos.ToBreak}
	for name, entry := range map[string]struct {
		kind string
		body any
	}{
		"stopped":  {chaos.KindStop, chaos.Stop{By: chaos.ByStop, Why: "enough"}},
		"finished": {chaos.KindFinish, chaos.Finish{Result: "closed", Why: "monday"}},
		"rebuilt":  {chaos.KindObserved, chaos.Observed{Stack: "dev/web", StackID: "arn:old", NewID: "arn:new", Status: stacks.CreateComplete}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx := t.Context()
			r := &breakRecord{logbook.New(t.TempDir(), "r", nil), "dev", logbook.NewID(time.Now()), time.Now}
			write := func(kind string, body any) {
				t.Helper()
				if err := r.Write(ctx, kind, body); err != nil {
					t.Fatal(err)
				}
			}
			write(chaos.KindPlan, chaos.Plan{ID: r.id, Environment: "dev", Steps: []chaos.Step{step}})
			write(chaos.KindClearance, chaos.Consent{Run: "r"})
			write(entry.kind, entry.body)
			if err := r.Write(ctx, chaos.KindIntent, intent); err == nil {
				t.Error("the intent was written")
			}
			if state, err := r.fold(ctx); err != nil || state.Touched() {
				t.Errorf("touched: %v, %v", state, err)
			}
		})
	}
}
