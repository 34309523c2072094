package blast_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/deployer-cli/deployer/internal/blast"
	"github.com/deployer-cli/deployer/stacks"
)

// running gives a plan, the facts when the turn of dev/network has come (dev/app is
// gone), and its step.
func running() (*blast.Facts, *blast.Plan, *blast.Step) {
	f := good()
	p := blast.Make(f)
	p.ID = "b-1"
	f.Open.Value = []blast.Open{{ID: "b-1", Environment: "dev"}}
	f.Stacks.Value = slices.DeleteFunc(f.Stacks.Value, func(s blast.Seen) bool { return s.Path() == "dev/app" })
	f.Capsules = map[stacks.Path]blast.Capsuled{"dev/network": {Written: true, StackID: p.Steps[1].StackID, Hash: "h", Back: "h"}}
	f.Probes.Value[0].OK = false // users notice: that is what it is for
	f.Targets = nil
	return f, p, &p.Steps[1]
}

func TestAgain(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		spoil func(f *blast.Facts, p *blast.Plan)
		fails string
		why   string
		code  int
	}{
		"nothing":                  {func(*blast.Facts, *blast.Plan) {}, "", "", 0},
		"a new id":                 {func(f *blast.Facts, _ *blast.Plan) { at(f, "dev/network").Live.ID = arn + "dev-network/2" }, "moved G9", "a new stack", 10},
		"being made anew":          {func(f *blast.Facts, _ *blast.Plan) { renewed(f, stacks.CreateInProgress) }, "moved", "a new stack", 10},
		"a change set to make it":  {func(f *blast.Facts, _ *blast.Plan) { renewed(f, stacks.ReviewInProgress) }, "moved", "a new stack", 10},
		"gone":                     {func(f *blast.Facts, _ *blast.Plan) { at(f, "dev/network").Live.Status = stacks.DeleteComplete }, "moved G9", "gone", 10},
		"changed":                  {func(f *blast.Facts, _ *blast.Plan) { at(f, "dev/network").Live.Updated = noon() }, "moved", "changed it since", 10},
		"stacks unreadable":        {func(f *blast.Facts, _ *blast.Plan) { f.Stacks = blast.Got([]blast.Seen(nil), errDenied) }, "moved G9", "not known", 10},
		"tags changed":             {func(f *blast.Facts, _ *blast.Plan) { setTag(at(f, "dev/network"), stacks.TagProject, "p2") }, "G4", "p2", 3},
		"protected since":          {func(f *blast.Facts, _ *blast.Plan) { at(f, "dev/network").Live.TerminationProtection = true }, "G5", "", 3},
		"lever engaged":            {func(f *blast.Facts, _ *blast.Plan) { f.Lever.Value.Engaged = true }, "G6", "", 3},
		"another break opened":     {func(f *blast.Facts, _ *blast.Plan) { f.Open.Value = append(f.Open.Value, blast.Open{ID: "b-2"}) }, "G7", "b-2", 7},
		"guard probe fails":        {func(f *blast.Facts, _ *blast.Plan) { f.Probes.Value[1].OK = false }, "G8", "live", 6},
		"imported since":           {func(f *blast.Facts, _ *blast.Plan) { f.Exports.Value[0].Importers.Value = []string{"dev-queue"} }, "G9", "not in the plan", 3},
		"what goes first lives":    {func(f *blast.Facts, _ *blast.Plan) { back(f, stacks.CreateComplete) }, "G9", "gone first", 3},
		"what goes first is going": {func(f *blast.Facts, _ *blast.Plan) { back(f, stacks.DeleteInProgress) }, "G9", "gone first", 3},
		"what goes first failed":   {func(f *blast.Facts, _ *blast.Plan) { back(f, stacks.DeleteFailed) }, "G9", "gone first", 3},
		"made in it since":         {func(f *blast.Facts, _ *blast.Plan) { user(f, "AWS::EC2::RouteTable", "VpcId: vpc-0abc12345", nil) }, "G9", "dev/user", 3},
		"not in the plan":          {func(_ *blast.Facts, p *blast.Plan) { p.Steps[1].Stack = "dev/other" }, "G9", "not in the plan", 3},
		"capsule not written":      {func(f *blast.Facts, _ *blast.Plan) { f.Capsules = nil }, "G12", "not there", 3},
		"capsule of another": {func(f *blast.Facts, _ *blast.Plan) {
			capsule(f, blast.Capsuled{Written: true, StackID: "x", Hash: "h", Back: "h"})
		}, "G12", "another stack", 3},
		"capsule reads back another": {func(f *blast.Facts, p *blast.Plan) {
			capsule(f, blast.Capsuled{Written: true, StackID: p.Steps[1].StackID, Hash: "h", Back: "i"})
		}, "G12", "read back", 3},
		"capsule without a hash": {func(f *blast.Facts, p *blast.Plan) {
			capsule(f, blast.Capsuled{Written: true, StackID: p.Steps[1].StackID})
		}, "G12", "read back", 3},
		"permit expired meanwhile": {func(f *blast.Facts, _ *blast.Plan) {
			permit(f, func(p *blast.Permit) { p.Until = f.Now.Add(-time.Minute) })
		}, "G15", "expired", 3},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, p, step := running()
			was := *step
			tt.spoil(f, p)
			verdicts := blast.Again(f, p, &was)
			got := failed(verdicts)
			if strings.Join(got, " ") != tt.fails || blast.Code(verdicts) != tt.code {
				t.Fatalf("%v fail with %d, want %q with %d: %+v", got, blast.Code(verdicts), tt.fails, tt.code, verdicts)
			}
			if i := slices.IndexFunc(verdicts, func(v blast.Verdict) bool { return !v.OK }); i >= 0 && !strings.Contains(verdicts[i].Why, tt.why) {
				t.Errorf("%q does not say %q", verdicts[i].Why, tt.why)
			}
		})
	}
}

func capsule(f *blast.Facts, c blast.Capsuled) {
	f.Capsules = map[stacks.Path]blast.Capsuled{"dev/network": c}
}

// renewed adds a second stack under the name of dev/network.
func renewed(f *blast.Facts, status stacks.Status) {
	s := *at(f, "dev/network")
	live := *s.Live
	live.ID, live.Status = arn+"dev-network/2", status
	s.Live, s.Stack = &live, nil
	s.Resources, s.Template = blast.Got([]stacks.Resource(nil), nil), blast.Got(queueTemplate, nil)
	f.Stacks.Value = append(f.Stacks.Value, s)
}

// back puts dev/app into the facts again.
func back(f *blast.Facts, status stacks.Status) {
	s := *at(good(), "dev/app")
	s.Live.Status = status
	f.Stacks.Value = append(f.Stacks.Value, s)
}

// TestOwnWorkDoesNotCount: what this break itself is deleting beside does not stop
// it.
func TestOwnWorkDoesNotCount(t *testing.T) {
	t.Parallel()
	f := good()
	f.Targets = append(f.Targets, "dev/queue")
	p := blast.Make(f)
	i := slices.IndexFunc(p.Steps, func(s blast.Step) bool { return s.Stack == "dev/app" })
	at(f, "dev/queue").Live.Status = stacks.DeleteInProgress
	f.Dependents = map[stacks.Path][]stacks.Path{"dev/app": {"dev/queue"}}
	f.Capsules = map[stacks.Path]blast.Capsuled{"dev/app": {Written: true, StackID: p.Steps[i].StackID, Hash: "h", Back: "h"}}
	step := p.Steps[i]
	step.After = nil
	if got := failed(blast.Again(f, p, &step)); got != nil {
		t.Errorf("%v fail", got)
	}
	if got := failed(blast.Again(f, nil, nil)); got == nil {
		t.Error("nothing fails without a plan")
	}
	p.Steps = slices.DeleteFunc(p.Steps, func(s blast.Step) bool { return s.Stack == "dev/queue" })
	if got := failed(blast.Again(f, p, &step)); !slices.Equal(got, []string{"G7"}) {
		t.Errorf("%v fail where somebody else deletes a dependent", got)
	}
}
