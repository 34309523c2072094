package cli

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/deployer-cli/deployer/internal/chaos"
	"github.com/deployer-cli/deployer/internal/event"
	"github.com/deployer-cli/deployer/internal/logbook"
	"github.com/deployer-cli/deployer/stacks"
)

// unheard takes events and does nothing with them.
type unheard struct{}

func (unheard) Event(event.Event) {}

// TestTheDeadline: max_duration ends the watch, and what is still to be broken, only where
// something is still down then, and nobody left before.
func TestTheDeadline(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		back  bool // after half an hour
		leave bool // then
		ends  bool
	}{
		"nobody brought it back": {false, false, true},
		"somebody did":           {true, false, false},
		"Ctrl-C before":          {false, true, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			synctest.Test(t, func(t *testing.T) {
				begun := time.Now().UTC()
				r := &breakRecord{logbook.New(dir, "r", nil), "dev", logbook.NewID(begun), time.Now}
				write := func(kind string, body any) {
					t.Helper()
					if err := r.Write(t.Context(), kind, body); err != nil {
						t.Fatal(err)
					}
				}
				write(chaos.KindPlan, chaos.Plan{ID: r.id, Environment: "dev", MaxDuration: 3600, Steps: []chaos.Step{{Stack: "dev/web", Name: "web", StackID: "arn:old", Verb: stacks.Delete}}})
				write(chaos.KindClearance, chaos.Consent{Run: "r"})
				write(chaos.KindIntent, chaos.Intent{Stack: "dev/web", StackID: "arn:old", Verb: stacks.Delete, Token: "t", For: chaos.ToBreak})
				write(chaos.KindAccepted, chaos.Accepted{Stack: "dev/web", StackID: "arn:old", Verb: stacks.Delete, Token: "t", At: begun})
				write(chaos.KindObserved, chaos.Observed{Stack: "dev/web", StackID: "arn:old", Status: stacks.DeleteComplete, At: begun})

				b := &breaker{app: &app{env: Env{}}, record: r, ticks: &realmClock{now: time.Now}}
				ctx, leave := context.WithCancelCause(t.Context())
				defer leave(nil)
				brake := chaos.NewBrake()
				stop := b.deadline(ctx, &chaos.State{Plan: chaos.Plan{MaxDuration: 3600}}, unheard{}, brake, leave)
				time.Sleep(30 * time.Minute)
				if tt.back {
					write(chaos.KindObserved, chaos.Observed{Stack: "dev/web", StackID: "arn:old", NewID: "arn:new", Status: stacks.CreateComplete, At: time.Now().UTC()})
				}
				if tt.leave {
					leave(cancelledError{})
				}
				time.Sleep(29 * time.Minute)
				if brake.Pulled() != nil || !tt.leave && ctx.Err() != nil {
					t.Errorf("before the deadline: %v, %v", brake.Pulled(), context.Cause(ctx))
				}
				if b.alone() != tt.leave {
					t.Errorf("before the deadline nothing is left to do for it: %t", b.alone())
				}
				time.Sleep(2 * time.Minute)
				if !b.alone() {
					t.Error("after the deadline something is left to do")
				}
				pulled := brake.Pulled()
				if errors.Is(context.Cause(ctx), errDeadline) != tt.ends || (pulled != nil) != tt.ends || pulled != nil && pulled.By != chaos.ByDeadline {
					t.Errorf("after the deadline: %v, %v", pulled, context.Cause(ctx))
				}
				stop()
			})
		})
	}
}

// TestADeadlineThatIsNotKnown: where nothing tells when something was broken nobody stays
// for longer than max_duration to bring it back; what is known later still has its deadline.
func TestADeadlineThatIsNotKnown(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		r := &breakRecord{logbook.New(dir, "r", nil), "dev", logbook.NewID(time.Now()), time.Now}
		plan := chaos.Plan{ID: r.id, Environment: "dev", MaxDuration: 3600, Steps: []chaos.Step{{Stack: "dev/web", Name: "web", StackID: "arn:old", Verb: stacks.Delete}}}
		write := func(kind string, body any) {
			t.Helper()
			if err := r.Write(t.Context(), kind, body); err != nil {
				t.Fatal(err)
			}
		}
		write(chaos.KindPlan, plan)
		write(chaos.KindClearance, chaos.Consent{Run: "r"})
		write(chaos.KindIntent, chaos.Intent{Stack: "dev/web", StackID: "arn:old", Verb: stacks.Delete, Token: "t", For: chaos.ToBreak})
		write(chaos.KindStop, chaos.Stop{By: "r", Why: "credentials have expired"})

		b := &breaker{app: &app{env: Env{}}, record: r, ticks: &realmClock{now: time.Now}}
		ctx, leave := context.WithCancelCause(t.Context())
		defer leave(nil)
		defer b.deadline(ctx, &chaos.State{Plan: plan}, unheard{}, nil, leave)()
		check := func(when string, alone, ended bool) {
			t.Helper()
			if b.alone() != alone || errors.Is(context.Cause(ctx), errDeadline) != ended {
				t.Errorf("%s: nothing is left to do for it: %t; %v", when, b.alone(), context.Cause(ctx))
			}
		}
		time.Sleep(59 * time.Minute)
		check("before max_duration", false, false)
		time.Sleep(2 * time.Minute)
		check("after max_duration", true, false)
		time.Sleep(23 * time.Hour)
		check("after a day", true, false)
		write(chaos.KindAccepted, chaos.Accepted{Stack: "dev/web", StackID: "arn:old", Verb: stacks.Delete, Token: "t", At: time.Now().UTC()})
		time.Sleep(59 * time.Minute)
		check("it is known at last", false, false)
		time.Sleep(2 * time.Minute)
		check("max_duration is over", true, true)
	})
}
