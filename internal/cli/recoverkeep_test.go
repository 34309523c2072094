package cli

import (
	"strings"
	"testing"

	"github.com/deployer-cli/deployer/internal/chaos"
	"github.com/deployer-cli/deployer/internal/plan"
	"github.com/deployer-cli/deployer/stacks"
)

// TestLeave: a recovery makes what was broken and is missing, goes on with what it
// began itself, and leaves everything else.
func TestLeave(t *testing.T) {
	t.Parallel()
	ours := map[stacks.Path]again{"dev/a": {id: "new", by: chaos.ByDeployer}}
	table := []stacks.ResourceChange{{LogicalID: "Table", Action: "modify", Replacement: "conditional", Data: true}}
	for name, tt := range map[string]struct {
		step    plan.Step
		again   map[stacks.Path]again
		left    bool
		blocked bool
		says    string // a part of why
	}{
		"missing":                        {step: plan.Step{Stack: "dev/a", Action: plan.Create}},
		"never came up":                  {step: plan.Step{Stack: "dev/a", Action: plan.Recreate, Status: stacks.RollbackComplete}},
		"under way":                      {step: plan.Step{Stack: "dev/a", Action: plan.Join, Status: stacks.CreateInProgress}},
		"as it should be":                {step: plan.Step{Stack: "dev/b", Action: plan.None}},
		"rebuilt":                        {step: plan.Step{Stack: "dev/a", Action: plan.Update, Status: stacks.CreateComplete, StackID: "new"}, again: ours, left: true},
		"rebuilt, late":                  {step: plan.Step{Stack: "dev/a", Action: plan.None, Late: true, Status: stacks.CreateComplete}, left: true},
		"ours, and half taken in":        {step: plan.Step{Stack: "dev/a", Action: plan.Update, Status: stacks.ImportComplete, StackID: "new"}, again: ours},
		"ours, and the rest failed":      {step: plan.Step{Stack: "dev/a", Action: plan.Update, Status: stacks.UpdateRollbackComplete, StackID: "new"}, again: ours},
		"ours, and would lose data":      {step: plan.Step{Stack: "dev/a", Action: plan.Update, Status: stacks.ImportComplete, StackID: "new", Changes: table}, again: ours, left: true},
		"somebody's, and half taken in":  {step: plan.Step{Stack: "dev/a", Action: plan.Update, Status: stacks.ImportComplete, StackID: "new"}, again: map[stacks.Path]again{"dev/a": {id: "new", by: chaos.ByHand}}, left: true},
		"another than was looked at":     {step: plan.Step{Stack: "dev/a", Action: plan.Update, Status: stacks.ImportComplete, StackID: "newer"}, again: ours, left: true},
		"not broken, and differs":        {step: plan.Step{Stack: "dev/b", Action: plan.Update, Status: stacks.UpdateComplete}, left: true},
		"not broken, and may differ":     {step: plan.Step{Stack: "dev/b", Action: plan.Update, Late: true, Status: stacks.UpdateComplete}, left: true},
		"not broken, and is missing":     {step: plan.Step{Stack: "dev/b", Action: plan.Create}, blocked: true},
		"not broken, and never came up":  {step: plan.Step{Stack: "dev/b", Action: plan.Recreate, Status: stacks.RollbackComplete}, blocked: true},
		"taken, and is rolled back":      {step: plan.Step{Stack: "dev/t", Action: plan.Recreate, Status: stacks.RollbackComplete}, blocked: true, says: "it is ROLLBACK_COMPLETE, by somebody else, and is left alone: when it is up, recover again: deployer recover b-1"},
		"taken, and is up":               {step: plan.Step{Stack: "dev/t", Action: plan.Update, Status: stacks.CreateComplete}, left: true, says: "somebody else made it"},
		"not broken, and is half-way up": {step: plan.Step{Stack: "dev/b", Action: plan.Update, Status: stacks.CreateFailed}, left: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := &leftovers{id: "b-1", broken: map[stacks.Path]string{"dev/a": "old"}, again: tt.again, taken: map[stacks.Path]bool{"dev/t": true}}
			tt.step.Cause = "template"
			why := l.leave(&tt.step)
			if (why != "") != tt.left || (tt.step.Blocked != "") != tt.blocked {
				t.Errorf("%q, blocked %q", why, tt.step.Blocked)
			}
			if !strings.Contains(why+tt.step.Blocked, tt.says) {
				t.Errorf("%q, blocked %q: %q is not said", why, tt.step.Blocked, tt.says)
			}
			if tt.left && (!strings.Contains(why, "a launch would change: template") || l.alone[tt.step.Stack] == "") {
				t.Errorf("%q, remembered %q", why, l.alone)
			}
		})
	}
}

// TestKeepsData: what would lose data is not carried out to put a parameter right.
func TestKeepsData(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		change stacks.ResourceChange
		kept   bool
	}{
		"modified":           {stacks.ResourceChange{Action: "modify", Replacement: "false", Data: true}, true},
		"replaced":           {stacks.ResourceChange{Action: "modify", Replacement: "true", Data: true}, false},
		"may be replaced":    {stacks.ResourceChange{Action: "modify", Replacement: "conditional", Data: true}, false},
		"removed":            {stacks.ResourceChange{Action: "remove", Replacement: "false", Data: true}, false},
		"replaced, and none": {stacks.ResourceChange{Action: "modify", Replacement: "true"}, true},
		"added":              {stacks.ResourceChange{Action: "add", Data: true}, true},
	} {
		if err := keepsData("dev/a", "Size", []stacks.ResourceChange{tt.change}); (err == nil) != tt.kept || err != nil && exitCode(err) != exitRefused {
			t.Errorf("%s: %v", name, err)
		}
	}
}
