package cli

import (
	"context"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/deployer-cli/deployer/internal/event"
	"github.com/deployer-cli/deployer/internal/notify"
)

// listeners are told: one hangs, one takes his time, and they keep what they heard.
type listeners struct{ heard []string }

func (l *listeners) Run(ctx context.Context, args []string, stdin []byte) error {
	if args[0] == "hangs" {
		<-ctx.Done()
		return ctx.Err()
	}
	if args[0] == "ponders" {
		select {
		case <-time.After(8 * time.Second):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	_, rest, _ := strings.Cut(string(stdin), `"event":"`)
	what, _, _ := strings.Cut(rest, `"`)
	l.heard = append(l.heard, what)
	return nil
}

// Who hangs delays neither a break nor the others, is warned of once, and not waited
// for longer than is fair.
func TestCrier(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		targets := []notify.Target{{Name: "bad", Command: []string{"hangs"}}, {Name: "good", Command: []string{"hears"}}}
		l := &listeners{}
		var warned []string
		c := newCrier(func(err error) { warned = append(warned, err.Error()) })
		begun := time.Now()
		events := []string{event.Planned, event.Started, event.Restored, event.Finished}
		for i, what := range events {
			told := c.cry(t.Context(), targets, event.Announcement{Event: what}, notify.Ports{Runner: l})
			if i == 0 {
				within(t.Context(), told, beforehand)
			}
		}
		if took := time.Since(begun); took > beforehand {
			t.Errorf("announcing took %s", took)
		}
		c.wait(t.Context())
		if took := time.Since(begun); took > beforehand+afterwards+2*time.Second {
			t.Errorf("all in all it took %s", took)
		}
		if !slices.Equal(l.heard, events) {
			t.Errorf("the other heard %v", l.heard)
		}
		want := []string{"notification bad was not sent: it took longer than 10s", "notification bad was not sent: it was given up"}
		if !slices.Equal(warned, want) {
			t.Errorf("it warned of %q", warned)
		}
	})
}

// Who takes eight seconds over each message hears how it ended, if not everything that
// came before; who leaves by Ctrl-C does not wait for that.
func TestCrierToWhoIsSlow(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		events []string
		leaves time.Duration // after which Ctrl-C comes, 0 for never
		heard  string
		atMost time.Duration
	}{
		{[]string{event.Planned, event.Started, event.Missed, event.Restored, event.Finished}, 0, "planned restored finished", 24 * time.Second},
		{[]string{event.Planned, event.Started, event.Stopped}, 0, "planned", afterwards + time.Second},
		{[]string{event.Restored, event.Finished}, 9 * time.Second, "restored", 10 * time.Second},
	} {
		synctest.Test(t, func(t *testing.T) {
			l, warned, begun := &listeners{}, 0, time.Now()
			c := newCrier(func(error) { warned++ })
			for _, what := range tt.events {
				c.cry(t.Context(), []notify.Target{{Name: "slow", Command: []string{"ponders"}}}, event.Announcement{Event: what}, notify.Ports{Runner: l})
			}
			signals := make(chan os.Signal, 1)
			app := &app{interrupts: watchInterrupts(signals, func(error) {})}
			defer app.interrupts.stop()
			if tt.leaves > 0 {
				time.AfterFunc(tt.leaves, func() { signals <- os.Interrupt })
			}
			synctest.Wait() // the first is under way
			if err := (&session{app: app, crier: c}).close(); err != nil {
				t.Error(err)
			}
			if took := time.Since(begun); took > tt.atMost || strings.Join(l.heard, " ") != tt.heard || (warned == 0) != (len(l.heard) == len(tt.events)) {
				t.Errorf("%v: after %s it heard %v, and %d warnings were given", tt.events, took, l.heard, warned)
			}
		})
	}
}
