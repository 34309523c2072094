package cli

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/deployer-cli/deployer/internal/awsconf"
	"github.com/deployer-cli/deployer/internal/blast"
	"github.com/deployer-cli/deployer/internal/cfn"
	"github.com/deployer-cli/deployer/internal/chaos"
	"github.com/deployer-cli/deployer/internal/guard"
	"github.com/deployer-cli/deployer/internal/logbook"
	"github.com/deployer-cli/deployer/stacks"
)

// TestTheLeverHoldsAThrottledDrift: a change of a parameter that AWS makes wait does not go
// out any more when the lever is engaged meanwhile, and is taken back in the journal.
func TestTheLeverHoldsAThrottledDrift(t *testing.T) {
	t.Parallel()
	const id = "arn:aws:cloudformation:eu-west-1:1:stack/web/1"
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		brake, updates := chaos.NewBrake(), 0
		configs := awsconf.New(awsconf.Options{
			Realm: stacks.RealmSandbox, Endpoint: "http://sandbox.invalid", Keys: &awsconf.Keys{ID: "AKID", Secret: "s"},
			HTTPClient: doer(func(w http.ResponseWriter, r *http.Request) {
				if r.FormValue("Action") != "UpdateStack" {
					fmt.Fprint(w, `<DescribeStacksResponse><DescribeStacksResult><Stacks><member><StackName>web</StackName><StackId>`+id+
						`</StackId><StackStatus>CREATE_COMPLETE</StackStatus><CreationTime>2026-01-01T00:00:00Z</CreationTime><Parameters><member><ParameterKey>Size</ParameterKey>`+
						`<ParameterValue>1</ParameterValue></member></Parameters></member></Stacks></DescribeStacksResult></DescribeStacksResponse>`)
					return
				}
				updates++
				brake.Pull(chaos.Stopped{By: chaos.ByLever, Why: "the boss is here"})
				w.WriteHeader(http.StatusBadRequest)
				fmt.Fprint(w, `<ErrorResponse><Error><Type>Sender</Type><Code>Throttling</Code><Message>Rate exceeded</Message></Error></ErrorResponse>`)
			}),
		})
		step := blast.Step{Stack: "dev/web", Name: "web", StackID: id, Verb: stacks.Update}
		clearance, err := guard.Check(guard.Request{
			Run: "r", Command: "update", Realm: stacks.RealmSandbox, Yes: true, Now: time.Now(), For: time.Hour,
			Steps: []guard.Step{{
				Path: step.Stack, Name: step.Name, StackID: id, Account: "1", Region: "eu-west-1", Verbs: []stacks.Verb{stacks.Update},
				Environment: &stacks.Environment{Name: "dev", Path: "dev", Declared: true, Class: stacks.Development},
			}},
		}, guard.Answers{})
		if err != nil {
			t.Fatal(err)
		}
		ctx := t.Context()
		b := &breaker{
			s:      &session{run: "r", now: time.Now, cfn: cfn.New(cfn.Options{Config: configs.Config, Account: func(context.Context, stacks.Access) (string, error) { return "1", nil }, Realm: stacks.RealmSandbox, Run: "r"})},
			record: &breakRecord{logbook.New(dir, "r", nil), "dev", logbook.NewID(time.Now()), time.Now},
			gate:   func(context.Context, stacks.Verb) error { return nil },
			plan:   &blast.Plan{Kind: blast.DriftParameter, Arg: "Size:2"}, facts: &blast.Facts{}, access: stacks.Access{Region: "eu-west-1"},
		}
		planned := chaos.Plan{ID: b.record.id, Environment: "dev", Steps: []chaos.Step{{Stack: step.Stack, Name: step.Name, StackID: id, Verb: stacks.Update}}}
		if err := errors.Join(b.record.begin(ctx, planned), b.record.Write(ctx, chaos.KindClearance, chaos.Consent{Run: "r"})); err != nil {
			t.Fatal(err)
		}
		gate := b.braked(brake)
		err = b.drift(awsconf.Gated(ctx, func() error { return gate(ctx, stacks.Update) }), clearance, &step)
		if why, ok := errors.AsType[*chaos.Stopped](err); !ok || why.By != chaos.ByLever || updates != 1 {
			t.Errorf("%v after %d attempts", err, updates)
		}
		state, err := b.record.fold(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if d := state.Targets[step.Stack].Deed(""); len(d.Tokens) != 1 || d.Status != chaos.StatusPlanned {
			t.Errorf("the journal says %+v", d)
		}
	})
}
