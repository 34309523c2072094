package cli

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/deployer-cli/deployer/internal/chaos"
	"github.com/deployer-cli/deployer/stacks"
)

// A break that was stopped tells the way back while something is down, and not after.
func TestWithWay(t *testing.T) {
	t.Parallel()
	b := &breaker{id: "b-20261122-1400-abcd"}
	for status, want := range map[chaos.Status]string{
		chaos.StatusGone: "deployer recover", chaos.StatusRestored: "what was down is back",
	} {
		st := &chaos.State{Order: []stacks.Path{"dev/a"}, Targets: map[stacks.Path]*chaos.Target{"dev/a": {Status: status}}}
		st.Stamps[chaos.T0] = chaos.Stamp{At: time.Unix(1, 0)}
		for _, tip := range []string{"", "get back what is down with: deployer recover"} {
			if got := b.withWay(&chaos.Stopped{By: chaos.ByStop, Why: "enough", Tip: tip}, st).Tip; !strings.Contains(got, want) {
				t.Errorf("%s: %q", status, got)
			}
		}
	}
}

// A watch that ended with something unknown is no result, and says how to go on with it.
func TestEndedUnknown(t *testing.T) {
	t.Parallel()
	b := &breaker{id: "b-20261122-1400-abcd"}
	why := &stacks.UnknownError{What: "the AWS credentials have expired", Cause: errors.New("ExpiredToken"), Tip: "log in again"}
	err := b.ended(t.Context(), watchEnd{err: fmt.Errorf("comparing dev/a: %w", why)}, nil)
	if exitCode(err) != exitFailed || hintOf(err) != "log in again\nwatch it with: deployer break resume "+b.id {
		t.Errorf("%v, exit %d: %s", err, exitCode(err), hintOf(err))
	}
	other := errors.New("it was changed")
	if err := b.ended(t.Context(), watchEnd{err: other}, nil); !errors.Is(err, other) || hintOf(err) != "" {
		t.Errorf("%v: %s", err, hintOf(err))
	}
}
