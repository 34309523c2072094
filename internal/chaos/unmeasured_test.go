package chaos_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/deployer-cli/deployer/internal/chaos"
	"github.com/deployer-cli/deployer/internal/event"
	"github.com/deployer-cli/deployer/internal/steady"
)

// watchBack watches a stack that is back for at most an hour, with the readings that
// are given over and over, and returns what it warned of.
func watchBack(t *testing.T, probes []steady.Probe, r steady.Reading) (end *chaos.State, warned []string) {
	t.Helper()
	time.Sleep(time.Until(at(120)))
	w := &world1{d: broken(t), start: time.Now()}
	readings := make(chan steady.Reading)
	ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
	defer cancel()
	if len(probes) > 0 {
		go func() {
			for ctx.Err() == nil {
				r.At = time.Now()
				select {
				case readings <- r:
				case <-ctx.Done():
				}
				_ = bubble{}.Wait(ctx, 5*time.Second)
			}
		}()
	}
	sink := event.Func(func(e event.Event) {
		if e.Kind == event.Warning {
			warned = append(warned, e.Reason)
		}
	})
	end, _ = chaos.Watch(ctx, chaos.Watching{State: w.d.fold(), Probes: probes, Readings: readings, Every: 2 * time.Second}, w, w, bubble{}, sink)
	return end, warned
}

// TestUnmeasured: a probe that nothing declares any more is told, and holds nothing
// up; nobody knows whether users are back, so that there is no T6.
func TestUnmeasured(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		end, warned := watchBack(t, nil, steady.Reading{})
		if end.Finished == nil || end.Stamps[chaos.T6].Recorded() || end.Stamps[chaos.T7].Recorded() || !end.Unmeasured() || len(end.Awaited()) > 0 {
			t.Errorf("%+v", end)
		}
		if len(warned) == 0 || !strings.Contains(warned[0], "the probe site is not declared any more") {
			t.Errorf("%q", warned)
		}
	})
}

// TestAwaiting: where stacks are back and a probe is not, what is waited for is said,
// once.
func TestAwaiting(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		site := []steady.Probe{{Name: "site", Role: steady.Steady, Every: 5 * time.Second, Timeout: 3 * time.Second, StableFor: 30 * time.Second}}
		end, warned := watchBack(t, site, steady.Reading{Probe: "site", Why: "status 503"})
		told := 0
		for _, text := range warned {
			if strings.Contains(text, "all stacks are back; waiting for the probes") && strings.Contains(text, "site (down: status 503)") {
				told++
			}
		}
		if end.Finished != nil || told != 1 {
			t.Errorf("%q", warned)
		}
	})
}
