package state_test

import (
	"os/exec"
	"runtime"
	"testing"

	"github.com/deployer-cli/deployer/internal/state"
)

// TestGone: a process is gone only where it ran, and where that is known.
func TestGone(t *testing.T) {
	t.Parallel()
	self := state.Self()
	if self.Machine == "" {
		t.Skip("where this runs cannot be told on " + runtime.GOOS)
	}
	child := exec.CommandContext(t.Context(), "true")
	if err := child.Run(); err != nil {
		t.Skip(err)
	}
	dead := child.Process.Pid
	for name, tt := range map[string]struct {
		process state.Process
		gone    bool
	}{
		"this one":                         {self, false},
		"one that ended":                   {state.Process{PID: dead, Machine: self.Machine, Started: "1"}, true},
		"one that ended, elsewhere":        {state.Process{PID: dead, Machine: "another boot", Started: "1"}, false},
		"one that ended, where is unknown": {state.Process{PID: dead}, false},
		"none":                             {state.Process{Machine: self.Machine}, false},
	} {
		if got := tt.process.Gone(); got != tt.gone {
			t.Errorf("%s: gone is %t", name, got)
		}
	}
	other := self
	other.Started += "0" // its id is another process's by now
	if self.Started != "" && !other.Gone() {
		t.Error("one whose id another process has is taken for that")
	}
}
