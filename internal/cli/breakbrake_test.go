package cli

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/deployer-cli/deployer/internal/awsconf"
	"github.com/deployer-cli/deployer/internal/cfn"
	"github.com/deployer-cli/deployer/internal/chaos"
	"github.com/deployer-cli/deployer/internal/guard"
	"github.com/deployer-cli/deployer/internal/journal"
	"github.com/deployer-cli/deployer/stacks"
)

// doer answers requests in this process.
type doer func(http.ResponseWriter, *http.Request)

func (d doer) Do(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	d(w, r)
	resp := w.Result()
	resp.Request = r
	return resp, nil
}

// TestTheBrakeHoldsWhatIsThrottled: a deletion that AWS makes wait does not go out any
// more when the brake is pulled meanwhile, or the lock is lost.
func TestTheBrakeHoldsWhatIsThrottled(t *testing.T) {
	t.Parallel()
	lost := errors.New("the lock is lost")
	for name, tt := range map[string]struct {
		pull     bool
		lose     bool
		attempts int
	}{
		"pulled":    {true, false, 1},
		"lost":      {false, true, 1},
		"throttled": {false, false, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			synctest.Test(t, func(t *testing.T) {
				brake, attempts, gone := chaos.NewBrake(), 0, false
				configs := awsconf.New(awsconf.Options{
					Realm: stacks.RealmSandbox, Endpoint: "http://sandbox.invalid", Keys: &awsconf.Keys{ID: "AKID", Secret: "s"},
					HTTPClient: doer(func(w http.ResponseWriter, _ *http.Request) {
						if attempts++; attempts > 1 {
							fmt.Fprint(w, `<DeleteStackResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/"></DeleteStackResponse>`)
							return
						}
						if tt.pull {
							brake.Pull(chaos.Stopped{By: chaos.ByStop, Why: "enough"})
						}
						gone = tt.lose
						w.WriteHeader(http.StatusBadRequest)
						fmt.Fprint(w, `<ErrorResponse><Error><Type>Sender</Type><Code>Throttling</Code><Message>Rate exceeded</Message></Error></ErrorResponse>`)
					}),
				})
				b := &breaker{gate: func(context.Context, stacks.Verb) error {
					if gone {
						return lost
					}
					return nil
				}}
				j, err := journal.Open(dir, "r")
				if err != nil {
					t.Fatal(err)
				}
				defer j.Close()
				target := stacks.Target{Path: "dev/web", Name: "web", StackID: "arn:aws:cloudformation:eu-west-1:1:stack/web/1", Access: stacks.Access{Region: "eu-west-1"}, Token: "t"}
				clearance, err := guard.Check(guard.Request{
					Run: "r", Command: "delete", Realm: stacks.RealmSandbox, Yes: true, Now: time.Now(), For: time.Hour,
					Steps: []guard.Step{{
						Path: target.Path, Name: target.Name, StackID: target.StackID, Account: "1", Region: "eu-west-1", Deletes: true, Verbs: []stacks.Verb{stacks.Delete},
						Environment: &stacks.Environment{Name: "dev", Path: "dev", Declared: true, Class: stacks.Development},
					}},
				}, guard.Answers{})
				if err != nil {
					t.Fatal(err)
				}
				cloud := cfn.New(cfn.Options{Config: configs.Config, Account: func(context.Context, stacks.Access) (string, error) { return "1", nil }, Realm: stacks.RealmSandbox, Run: "r"})
				w := journaled{writer: cloud.Writer(clearance), journal: j, gate: b.braked(brake)}
				_, err = w.Delete(t.Context(), target, nil)
				_, stopped := errors.AsType[*chaos.Stopped](err)
				if attempts != tt.attempts || stopped != tt.pull || errors.Is(err, lost) != tt.lose || err != nil && !tt.pull && !tt.lose {
					t.Errorf("%v after %d attempts", err, attempts)
				}
			})
		})
	}
}
