package cli

import (
	"context"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/deployer-cli/deployer/internal/event"
	"github.com/deployer-cli/deployer/internal/notify"
)

// listeners are told: one hangs, the other keeps what it heard.
type listeners struct{ heard []string }

func (l *listeners) Run(ctx context.Context, args []string, stdin []byte) error {
	if args[0] == "hangs" {
		<-ctx.Done()
		return ctx.Err()
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
		c.wait()
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
