package plan_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/deployer-cli/deployer/internal/plan"
	"github.com/deployer-cli/deployer/stacks"
)

func planFile(t testing.TB) *plan.File {
	t.Helper()
	f := &plan.File{
		Schema: plan.FileSchema, Made: time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC), Run: "r1", Command: "launch", Path: "prod",
		Allow: []string{}, Planner: "arn:aws:iam::222222222222:user/ada", Inputs: "sha256:paper", Hooks: "h",
		Plan: plan.Plan{
			Environment: "prod", Class: stacks.Production, Account: "222222222222", Region: "eu-west-1", Realm: stacks.RealmAWS,
			Steps: []plan.Step{{
				Stack: "prod/network", Name: "shop-prod-network", Action: plan.Update, Account: "222222222222", Region: "eu-west-1",
				After: []stacks.Path{}, MayReplace: []string{}, Cause: "template", Inputs: "i1", StackID: "arn:1",
				Changes: []stacks.ResourceChange{{LogicalID: "Table", Type: "AWS::DynamoDB::Table", Action: "modify", Replacement: "true", Data: true}},
			}},
		},
	}
	if err := f.Seal(); err != nil {
		t.Fatal(err)
	}
	return f
}

func written(t testing.TB, f *plan.File) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := f.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestPlanFileComesBack(t *testing.T) {
	t.Parallel()
	f := planFile(t)
	got, err := plan.ReadFile(written(t, f))
	if err != nil {
		t.Fatal(err)
	}
	if got.Digest != f.Digest || got.Plan.Steps[0].Stack != "prod/network" {
		t.Errorf("%+v", got)
	}
}

// TestEveryByteCounts: whatever byte of a plan file is changed, the file is
// refused, or says exactly the same as before.
func TestEveryByteCounts(t *testing.T) {
	t.Parallel()
	f := planFile(t)
	text := written(t, f)
	for i := range text {
		for _, b := range []byte{text[i] ^ 1, ' ', '9'} {
			edited := bytes.Clone(text)
			edited[i] = b
			got, err := plan.ReadFile(edited)
			if err != nil {
				continue
			}
			if !bytes.Equal(written(t, got), text) {
				t.Fatalf("byte %d: %q passes as %q", i, text[max(0, i-20):i+1], edited[max(0, i-20):i+1])
			}
		}
	}
}

func TestPlanFileFits(t *testing.T) {
	t.Parallel()
	f := planFile(t)
	here := func() plan.Place {
		return plan.Place{
			Realm: stacks.RealmAWS, Hooks: "h",
			Accounts: map[stacks.Path]string{"prod/network": "222222222222"}, Regions: map[stacks.Path]string{"prod/network": "eu-west-1"},
		}
	}
	again := func() *plan.Plan {
		p := f.Plan
		p.Digest = "sha256:paper"
		p.Steps = append([]plan.Step{}, f.Plan.Steps...)
		return &p
	}
	tests := map[string]struct {
		digest string
		spoil  func(*plan.Place, *plan.Plan)
		want   string // "" fits
	}{
		"as reviewed":      {f.Digest, func(*plan.Place, *plan.Plan) {}, ""},
		"another digest":   {"sha256:0", func(*plan.Place, *plan.Plan) {}, "digest does not match"},
		"another realm":    {f.Digest, func(h *plan.Place, _ *plan.Plan) { h.Realm = stacks.RealmSandbox }, "another realm"},
		"another endpoint": {f.Digest, func(h *plan.Place, _ *plan.Plan) { h.Endpoint = "http://127.0.0.1:1" }, "another realm"},
		"another project":  {f.Digest, func(h *plan.Place, _ *plan.Plan) { h.Project = "other" }, "another project"},
		"another account":  {f.Digest, func(h *plan.Place, _ *plan.Plan) { h.Accounts["prod/network"] = "1" }, "another account"},
		"another region":   {f.Digest, func(h *plan.Place, _ *plan.Plan) { h.Regions["prod/network"] = "us-east-1" }, "another region"},
		"another hook":     {f.Digest, func(h *plan.Place, _ *plan.Plan) { h.Hooks = "other" }, "hooks changed"},
		"another template": {f.Digest, func(_ *plan.Place, p *plan.Plan) { p.Digest, p.Steps[0].Inputs = "x", "i2" }, "prod/network moved"},
		"a live change": {f.Digest, func(_ *plan.Place, p *plan.Plan) {
			p.Digest, p.Steps[0].Live = "x", &stacks.Live{ID: "arn:2", Status: stacks.UpdateComplete}
		}, "it was not there, it is UPDATE_COMPLETE"},
		"a stack gone": {f.Digest, func(_ *plan.Place, p *plan.Plan) { p.Digest, p.Steps = "x", nil }, "not in the project any more"},
		"a stack more": {f.Digest, func(_ *plan.Place, p *plan.Plan) {
			p.Digest, p.Steps = "x", append(p.Steps, plan.Step{Stack: "prod/new"})
		}, "was not in the plan"},
		"anything at all": {f.Digest, func(_ *plan.Place, p *plan.Plan) { p.Digest = "x" }, "does not fit any more"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			place, p := here(), again()
			tt.spoil(&place, p)
			errs := f.Fits(tt.digest, place, p)
			if (len(errs) == 0) != (tt.want == "") {
				t.Fatalf("%v", errs)
			}
			if tt.want == "" {
				return
			}
			stale, ok := errors.AsType[*plan.StaleError](errs[0])
			if !ok || stale.ExitCode() != 5 || !strings.Contains(stale.Error(), tt.want) {
				t.Errorf("%v, want %q", errs[0], tt.want)
			}
		})
	}
}

func TestWithin(t *testing.T) {
	t.Parallel()
	step := plan.Step{Changes: []stacks.ResourceChange{
		{LogicalID: "A", Type: "T", Action: "modify", Replacement: "conditional"},
		{LogicalID: "B", Type: "T", Action: "modify", Replacement: "false"},
		{LogicalID: "C", Type: "T", Action: "remove"},
	}}
	change := func(id, kind, action, replacement string) stacks.ResourceChange {
		return stacks.ResourceChange{LogicalID: id, Type: kind, Action: action, Replacement: replacement}
	}
	tests := map[string]struct {
		actual []stacks.ResourceChange
		beyond int
	}{
		"nothing":                 {nil, 0},
		"as planned":              {[]stacks.ResourceChange{change("A", "T", "modify", "conditional"), change("C", "T", "remove", "")}, 0},
		"less than planned":       {[]stacks.ResourceChange{change("A", "T", "modify", "false")}, 0},
		"a sure replacement":      {[]stacks.ResourceChange{change("A", "T", "modify", "true")}, 0},
		"a replacement":           {[]stacks.ResourceChange{change("B", "T", "modify", "conditional")}, 1},
		"removed, not modified":   {[]stacks.ResourceChange{change("B", "T", "remove", "")}, 1},
		"not planned":             {[]stacks.ResourceChange{change("D", "T", "add", "")}, 1},
		"of another type":         {[]stacks.ResourceChange{change("B", "U", "modify", "false")}, 1},
		"a word nobody knows":     {[]stacks.ResourceChange{change("B", "T", "modify", "maybe")}, 1},
		"several things too many": {[]stacks.ResourceChange{change("D", "T", "add", ""), change("E", "T", "remove", "")}, 2},
	}
	for name, tt := range tests {
		if beyond := step.Within(tt.actual); len(beyond) != tt.beyond {
			t.Errorf("%s: %v", name, beyond)
		}
	}
}

func TestLosses(t *testing.T) {
	t.Parallel()
	f := planFile(t)
	if got := f.Plan.Losses(); len(got) != 1 || got[0] != "prod/network::Table" {
		t.Errorf("%v", got)
	}
}

// FuzzReadFile: no panic, and what is read is what its digest says.
func FuzzReadFile(f *testing.F) {
	f.Add([]byte(`{}`))
	f.Add([]byte(`{"schema":"deployer.plan/v1","digest":"sha256:0","plan":{"steps":[{}]}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		got, err := plan.ReadFile(text)
		if err != nil {
			return
		}
		again := *got
		if err := again.Seal(); err != nil || again.Digest != got.Digest {
			t.Errorf("%v: %s, %s", err, again.Digest, got.Digest)
		}
	})
}
