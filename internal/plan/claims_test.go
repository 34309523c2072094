package plan_test

import (
	"strings"
	"testing"

	"github.com/deployer-cli/deployer/internal/plan"
	"github.com/deployer-cli/deployer/stacks"
)

// TestForgedPlanFile: a file that was edited and sealed again has a digest that
// fits, and reviewers read what it says. What it says has to be true.
func TestForgedPlanFile(t *testing.T) {
	t.Parallel()
	table := stacks.ResourceChange{LogicalID: "Table", Type: "AWS::DynamoDB::Table", Action: "remove", Replacement: "false", Data: true}
	step := func(path stacks.Path, a plan.Action, change func(*plan.Step)) plan.Step {
		s := plan.Step{Stack: path, Name: "x-" + string(path), Action: a, StackID: "arn:" + string(path), Cause: "template", Changes: []stacks.ResourceChange{table}}
		if change != nil {
			change(&s)
		}
		return s
	}
	honest := func() *plan.Plan {
		return &plan.Plan{Environment: "prod", Class: stacks.Production, Steps: []plan.Step{
			step("a", plan.Update, func(s *plan.Step) { s.ChangeSet = "cs" }),
			step("b", plan.Update, func(s *plan.Step) { s.Late = true }),
			step("c", plan.Delete, nil),
			step("d", plan.Create, func(s *plan.Step) { s.StackID = "" }),
		}}
	}
	tests := map[string]struct {
		forge func(*plan.Plan)
		want  string
	}{
		"honest": {func(*plan.Plan) {}, ""},
		"came to nothing": {func(p *plan.Plan) {
			p.Steps[0].Action, p.Steps[0].Changes, p.Steps[0].Cause = plan.None, nil, plan.FoundNothing
		}, ""},
		"nothing, and more":   {func(p *plan.Plan) { p.Steps[0].Action = plan.None }, "and more"},
		"another account":     {func(p *plan.Plan) { p.Account = "1" }, "another account or region"},
		"another region":      {func(p *plan.Plan) { p.Region = "x" }, "another account or region"},
		"a step's account":    {func(p *plan.Plan) { p.Steps[2].Account = "1" }, "names another account"},
		"another status":      {func(p *plan.Plan) { p.Steps[2].Status = stacks.DeleteFailed }, "it says that the stack was DELETE_FAILED"},
		"other inputs":        {func(p *plan.Plan) { p.Steps[2].Inputs = "x" }, "its inputs"},
		"late inputs":         {func(p *plan.Plan) { p.Steps[1].Inputs = "x" }, "its inputs"},
		"a late cause":        {func(p *plan.Plan) { p.Steps[1].Cause = "x" }, "it says \"x\""},
		"found another":       {func(p *plan.Plan) { p.Steps[2].Found = "x" }, "planned against"},
		"waits for another":   {func(p *plan.Plan) { p.Steps[2].After = []stacks.Path{"a"} }, "waits for"},
		"adopted":             {func(p *plan.Plan) { p.Steps[2].NotAdopted = true }, "deployer's"},
		"may replace":         {func(p *plan.Plan) { p.Steps[2].MayReplace = []string{"Table"} }, "may_replace"},
		"may replace, by set": {func(p *plan.Plan) { p.Steps[0].MayReplace = []string{"Table"} }, "may_replace"},
		"may replace, late":   {func(p *plan.Plan) { p.Steps[1].MayReplace = []string{"Table"} }, "may_replace"},
		"known meanwhile":     {func(p *plan.Plan) { p.Steps[1].Late, p.Steps[1].ChangeSet, p.Steps[1].Changes = false, "cs2", nil }, ""},
		"its own shell":       {func(p *plan.Plan) { p.Steps[3].StackID, p.Steps[3].ChangeSet = "arn:shell", "cs3" }, ""},
		"another class":       {func(p *plan.Plan) { p.Class = stacks.Development }, "another environment"},
		"a step's class":      {func(p *plan.Plan) { p.Steps[0].Class = stacks.Development }, "class"},
		"a step too many":     {func(p *plan.Plan) { p.Steps = append(p.Steps, step("e", plan.Delete, nil)) }, "not in what it was made from"},
		"a step twice":        {func(p *plan.Plan) { p.Steps = append(p.Steps, p.Steps[0]) }, "or twice"},
		"a step left out":     {func(p *plan.Plan) { p.Steps = p.Steps[1:] }, "leaves out a"},
		"another action":      {func(p *plan.Plan) { p.Steps[0].Action = plan.Recreate }, "it says recreate"},
		"a delete hidden":     {func(p *plan.Plan) { p.Steps[2].Action = plan.None }, "it says none"},
		"another stack id":    {func(p *plan.Plan) { p.Steps[0].StackID = "arn:other" }, "another stack id"},
		"another name":        {func(p *plan.Plan) { p.Steps[0].Name = "other" }, "another stack"},
		"late without need":   {func(p *plan.Plan) { p.Steps[0].Late = true }, "known now"},
		"data hidden": {func(p *plan.Plan) {
			p.Steps[2].Changes = []stacks.ResourceChange{{LogicalID: "Table", Type: table.Type, Action: "remove", Replacement: "false"}}
		}, "other changes"},
		"a loss left out": {func(p *plan.Plan) { p.Steps[2].Changes = nil }, "other changes"},
		"late data hidden": {func(p *plan.Plan) {
			p.Steps[1].Changes = []stacks.ResourceChange{{LogicalID: "Table", Type: table.Type, Action: "remove"}}
		}, "holds data"},
		"a wider bound": {func(p *plan.Plan) {
			p.Steps[1].Changes = append(p.Steps[1].Changes[:1:1], stacks.ResourceChange{LogicalID: "Db", Action: "remove"})
		}, "do more"},
		"another cause":      {func(p *plan.Plan) { p.Steps[0].Cause = "tags only" }, "tags only"},
		"differences hidden": {func(p *plan.Plan) { p.Steps[0].Diff = []plan.Difference{{Part: "tag", Key: "x"}} }, "other differences"},
		"an ask taken out":   {func(p *plan.Plan) { p.Steps[2].Asks = "sure?" }, "stands against it"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := &plan.File{Plan: *honest()}
			tt.forge(&f.Plan)
			errs := f.Claims(honest())
			switch {
			case tt.want == "" && len(errs) > 0, tt.want != "" && len(errs) == 0:
				t.Fatalf("%v, want %q", errs, tt.want)
			case tt.want != "" && !strings.Contains(errs[0].Error(), tt.want):
				t.Errorf("%v, want %q", errs[0], tt.want)
			}
		})
	}
}
