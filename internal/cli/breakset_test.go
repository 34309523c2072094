package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/deployer-cli/deployer/internal/blast"
	"github.com/deployer-cli/deployer/internal/chaos"
	"github.com/deployer-cli/deployer/internal/guard"
	"github.com/deployer-cli/deployer/internal/inject"
	"github.com/deployer-cli/deployer/internal/logbook"
	"github.com/deployer-cli/deployer/stacks"
)

// TestSetBeforeItsTurn: what somebody has set between its capture and its turn is left
// alone, and said: by a resume that looks, and right before the call, when the phrase was
// typed or others were broken meanwhile.
func TestSetBeforeItsTurn(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		set       *int32
		act       chaos.Act
		stoppedBy string
		left      string
		why       string
	}{
		"as it was": {nil, chaos.AskAgain, "", "0", ""},
		"set":       {new(int32(5)), chaos.Moved, chaos.ByMoved, "5", "somebody has set reserved concurrency of Two to 5"},
		"throttled": {new(int32(0)), chaos.Moved, chaos.ByMoved, "0", "Two is broken, and not by this break"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newTeam(t)
			b := p.lambdaZero()
			in := b.captured["dev/parts"][0]
			functions := lambda.NewFromConfig(p.config)
			if tt.set != nil {
				if _, err := functions.PutFunctionConcurrency(t.Context(), &lambda.PutFunctionConcurrencyInput{FunctionName: &in.PhysicalID, ReservedConcurrentExecutions: tt.set}); err != nil {
					t.Fatal(err)
				}
			}
			state, err := b.record.fold(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			seen, err := b.seenOf(t.Context(), state)
			if err != nil {
				t.Fatal(err)
			}
			if got := chaos.Resume(state, seen)[0]; got.Act != tt.act || !strings.Contains(got.Why, tt.why) {
				t.Errorf("resumed: %+v", got)
			}
			brake := chaos.NewBrake()
			err = b.strike(t.Context(), b.s.injector().Writer(p.clearance(in)), brake, in.Stack)
			stopped, _ := errors.AsType[*chaos.Stopped](err)
			if by := brake.Pulled(); (tt.stoppedBy == "") != (err == nil) || err != nil && (stopped == nil || stopped != by || by.By != tt.stoppedBy || !strings.Contains(by.Why, tt.why)) {
				t.Errorf("its turn: %v", err)
			}
			if state, err = b.record.fold(t.Context()); err != nil || (len(state.Targets["dev/parts"].Deeds[0].Tokens) > 0) != (tt.stoppedBy == "") {
				t.Errorf("announced: %+v, %v", state, err)
			}
			out, err := functions.GetFunctionConcurrency(t.Context(), &lambda.GetFunctionConcurrencyInput{FunctionName: &in.PhysicalID})
			if err != nil || out.ReservedConcurrentExecutions == nil || fmt.Sprint(*out.ReservedConcurrentExecutions) != tt.left {
				t.Errorf("it has %+v, %v", out, err)
			}
		})
	}
}

// lambdaZero is a break that was agreed on, with a function captured and not yet broken.
func (p *team) lambdaZero() *breaker {
	p.t.Helper()
	const template = `{"Resources": {"Two": {"Type": "AWS::Lambda::Function", "Properties":
		{"Role": "arn:aws:iam::123456789012:role/runs", "Runtime": "python3.13", "Handler": "a.b", "Code": {"ZipFile": "x"}}}}}`
	ctx, id := p.t.Context(), p.createOf("parts", template)
	target := stacks.Target{Path: "dev/parts", Name: "parts", StackID: id, Access: p.access}
	live, err := p.cfn.Stack(ctx, p.access, id)
	if err != nil {
		p.t.Fatal(err)
	}
	all, err := p.cfn.Resources(ctx, p.access, id)
	if err != nil {
		p.t.Fatal(err)
	}
	found, err := inject.Preview(inject.LambdaZero, "Two", target, all)
	if err != nil || len(found) != 1 {
		p.t.Fatalf("%+v, %v", found, err)
	}
	in, err := p.injector().Capture(ctx, found[0])
	r := &breakRecord{logbook.New(p.t.TempDir(), "r", nil), "dev", logbook.NewID(p.now()), p.now}
	step := chaos.Step{Stack: target.Path, Name: target.Name, StackID: id, Verb: stacks.Inject, Access: p.access, Injection: &in}
	err = errors.Join(
		err,
		r.Write(ctx, chaos.KindPlan, chaos.Plan{ID: r.id, Environment: "dev", Kind: inject.LambdaZero, Detail: []byte("{}"), Steps: []chaos.Step{step}}),
		r.Write(ctx, chaos.KindClearance, chaos.Consent{Run: "r"}),
	)
	if err != nil {
		p.t.Fatal(err)
	}
	begun := fmt.Sprintf("%s since %s", live.Status, live.Changed().UTC().Format(time.RFC3339Nano))
	return &breaker{
		s: p.session, id: r.id, record: r, captured: map[stacks.Path][]stacks.Injection{target.Path: {in}},
		gate: func(context.Context, stacks.Verb) error { return nil },
		plan: &blast.Plan{ID: r.id, Kind: inject.LambdaZero, Steps: []blast.Step{{Stack: target.Path, StackID: id, Found: begun}}},
	}
}

func (p *team) clearance(in stacks.Injection) guard.Clearance {
	p.t.Helper()
	out, err := guard.Check(guard.Request{
		Run: "r", Command: "launch", Realm: stacks.RealmSandbox, Yes: true, Now: p.now(), For: time.Hour,
		Steps: []guard.Step{{
			Path: in.Stack, Name: "parts", StackID: in.StackID, Account: "123456789012", Region: p.access.Region, Verbs: []stacks.Verb{stacks.Inject},
			Environment: &stacks.Environment{Name: "dev", Path: "dev", Declared: true, Class: stacks.Development},
		}},
	}, guard.Answers{})
	if err != nil {
		p.t.Fatal(err)
	}
	return out
}
