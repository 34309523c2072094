package cli

import (
	"testing"
	"time"

	"github.com/deployer-cli/deployer/internal/cfntemplate"
	"github.com/deployer-cli/deployer/internal/journal"
	"github.com/deployer-cli/deployer/internal/plan"
	"github.com/deployer-cli/deployer/stacks"
)

func TestEstimates(t *testing.T) {
	t.Parallel()
	const body = `Resources:
  Topic: {Type: AWS::SNS::Topic}
  Key: {Type: AWS::KMS::Key}
  Queue: {Type: AWS::SQS::Queue, Properties: {KmsMasterKeyId: !Ref Key}}
`
	want := func(body string) *stacks.Desired { return &stacks.Desired{Body: []byte(body)} }
	replaced := []stacks.ResourceChange{{Type: "AWS::SNS::Topic", Action: "modify"}, {Type: "AWS::KMS::Key", Action: "modify", Replacement: "true"}}
	for name, tt := range map[string]struct {
		step plan.Step
		took journal.Took
		want time.Duration
	}{
		"a chain of resources":   {plan.Step{Action: plan.Create, Desired: want(body)}, journal.Took{}, 154 * time.Second},
		"as long as before":      {plan.Step{Action: plan.Create, Desired: want(body)}, journal.Took{Create: time.Minute, Update: time.Hour}, time.Minute},
		"updated before":         {plan.Step{Action: plan.Create, Desired: want(body)}, journal.Took{Update: time.Hour}, 154 * time.Second},
		"the slowest change":     {plan.Step{Action: plan.Update, Changes: replaced}, journal.Took{}, 124 * time.Second},
		"changes nobody knows":   {plan.Step{Action: plan.Update}, journal.Took{}, 0},
		"made again":             {plan.Step{Action: plan.Recreate, Desired: want(body)}, journal.Took{Create: time.Minute, Delete: time.Second}, 61 * time.Second},
		"made again as before":   {plan.Step{Action: plan.Recreate, Desired: want(body)}, journal.Took{Create: time.Minute, Delete: time.Second, Recreate: 20 * time.Second}, 20 * time.Second},
		"deleted":                {plan.Step{Action: plan.Delete, Changes: []stacks.ResourceChange{{Type: "AWS::RDS::DBInstance", Action: "remove"}}}, journal.Took{}, 303 * time.Second},
		"not known yet":          {plan.Step{Action: plan.Create, Desired: &stacks.Desired{BodyLate: true}}, journal.Took{}, 0},
		"no template":            {plan.Step{Action: plan.Create, Desired: want("[")}, journal.Took{}, 0},
		"somebody else's":        {plan.Step{Action: plan.Join}, journal.Took{Create: time.Minute}, 0},
		"a circle of resources":  {plan.Step{Action: plan.Create, Desired: want("Resources: {A: {Type: AWS::SNS::Topic, DependsOn: B}, B: {Type: AWS::SNS::Topic, DependsOn: A}}")}, journal.Took{}, 0},
		"without knowing itself": {plan.Step{Action: plan.Create}, journal.Took{}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tt.step.Stack = "dev/a"
			e := estimates{map[stacks.Path]journal.Took{"dev/a": tt.took}, cfntemplate.Parse}
			if got := e.of(&tt.step); got != tt.want {
				t.Errorf("%s, want %s", got, tt.want)
			}
		})
	}
}
