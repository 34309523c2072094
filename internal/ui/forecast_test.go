package ui

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/deployer-cli/deployer/internal/event"
)

// How long a run is expected to go on stands where its progress stands, counts
// down between two forecasts, and is left out when it is over.
func TestForecastIsShown(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		st := at(120, 24)
		l := &live{st: st, p: newProgress(time.Now), begun: time.Now()}
		bar := func() string {
			lines := l.block()
			return lines[len(lines)-1]
		}
		l.p.hear(event.Event{Kind: event.RunStarted, Total: 6}, st.Style)
		if strings.Contains(bar(), "left") {
			t.Errorf("nobody knows: %s", bar())
		}
		l.p.hear(event.Event{Kind: event.StepStarted, Stack: "dev/a", Action: "create", Left: 247}, st.Style)
		if !strings.Contains(bar(), "about 4m00s left") {
			t.Errorf("%s", bar())
		}
		time.Sleep(3 * time.Minute)
		if !strings.Contains(bar(), "about 1m00s left") {
			t.Errorf("%s", bar())
		}
		if text := stillThere(l.p, time.Now()); !strings.Contains(text, "(0 of 6 done, about 1m00s left)") {
			t.Errorf("%s", text)
		}
		time.Sleep(66 * time.Second)
		if strings.Contains(bar(), "left") {
			t.Errorf("it is over: %s", bar())
		}
		l.p.hear(event.Event{Kind: event.StepDone, Stack: "dev/a", Left: 4000}, st.Style)
		if !strings.Contains(bar(), "about 1h07m left") {
			t.Errorf("%s", bar())
		}
	})
}
