package main_test

import (
	"os"
	"regexp"
	"testing"
)

// A change set that is made while the run goes on is not carried out once it drains, and
// does not stay.
func TestAChangeSetMadeOnTheWayIsDropped(t *testing.T) {
	t.Parallel()
	play(t, 0, 0, func(t *testing.T, s *scene) {
		s.handsDown(t, "one", "")
		planned := s.run(t, "plan", "dev", "--out", "p.json")
		digest := regexp.MustCompile(`sha256:[0-9a-f]+`).FindString(planned.Stdout)
		s.watch = func(action string) {
			if action == "CreateChangeSet" {
				s.interrupts <- os.Interrupt
			}
		}
		r := s.run(t, "launch", "--plan", "p.json", "--digest", digest, "-y", "-o", "json")
		live := s.live(t)
		if state, stays := live["many-dev-b"]; r.Exit != 130 || live["many-dev-a"] != "CREATE_COMPLETE" || stays {
			t.Errorf("exit %d, a %s, b %s\n%s%s", r.Exit, live["many-dev-a"], state, r.Stdout, r.Stderr)
		}
	})
}
