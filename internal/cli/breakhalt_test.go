package cli

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/deployer-cli/deployer/internal/guard"
)

// TestHaltNeverSaysUntouched: the break was stopped, so that no exit code which says that
// nothing was touched is the whole truth; those that say what became of the recovery are.
func TestHaltNeverSaysUntouched(t *testing.T) {
	t.Parallel()
	refusal := func(code int) error {
		return &guard.Refusal{Rule: "G3", Code: code, What: "dev is not touched", Why: "so it is", Tip: "mend that"}
	}
	for name, c := range map[string]struct {
		err  error
		exit int
		says []string // error and hint
	}{
		"recovered":      {nil, 10, nil},
		"said already":   {&exitError{exitRefused}, 10, nil},
		"usage":          {&usageError{"no such stack", "look"}, 10, []string{"b-1 is stopped", "no such stack", "look", "deployer recover b-1"}},
		"refused":        {refusal(exitRefused), 10, []string{"b-1 is stopped", "so it is", "mend that", "deployer recover b-1"}},
		"unconfirmed":    {refusal(exitUnconfirmed), 10, []string{"deployer recover b-1 -y"}},
		"stale":          {refusal(exitStale), 10, []string{"so it is"}},
		"not steady":     {refusal(6), 10, []string{"so it is"}},
		"locked":         {refusal(exitLocked), 10, []string{"so it is"}},
		"several":        {errors.Join(refusal(exitRefused), &usageError{"and that", "look there"}), 10, []string{"so it is", "and that", "mend that", "look there"}},
		"failed":         {errors.New("an operation failed"), 1, nil},
		"late":           {&lateError{"b-1"}, 12, nil},
		"missed":         {&exitError{exitMissed}, 13, nil},
		"unequal":        {&exitError{exitUnequal}, 14, nil},
		"partly":         {&partlyError{[]error{refusal(exitRefused)}, ""}, 11, nil},
		"interrupted":    {context.Canceled, 130, nil},
		"left":           {&leftError{"left", ""}, 130, nil},
		"stopped itself": {&exitError{exitStoppedBreak}, 10, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := haltedAs(c.err, "b-1")
			if got := exitCode(err); got != c.exit {
				t.Errorf("exit %d, want %d: %v", got, c.exit, err)
			}
			for _, text := range c.says {
				if said := err.Error() + "\n" + hintOf(err); !strings.Contains(said, text) {
					t.Errorf("%q is not in %q", text, said)
				}
			}
			if _, silent := errors.AsType[*haltedError](err); silent && len(c.says) == 0 {
				t.Errorf("it says %v", err)
			}
		})
	}
}
