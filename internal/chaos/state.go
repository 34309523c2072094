package chaos

import (
	"fmt"
	"strings"
	"time"

	"github.com/deployer-cli/deployer/stacks"
)

// Open tells whether the exercise goes on: it was cleared, and neither is
// everything verified nor was it ended. There is one open break at a time.
func (s *State) Open() bool {
	return (s.Cleared != nil || s.Touched()) && s.Finished == nil && !s.Stamps[T7].Recorded()
}

// Touched tells whether a call that breaks something was ever announced.
func (s *State) Touched() bool {
	for _, t := range s.Targets {
		for _, d := range t.Deeds {
			if len(d.Tokens) > 0 {
				return true
			}
		}
	}
	return false
}

// Unsent tells whether AWS is not known to have taken everything of the plan.
func (s *State) Unsent() bool {
	for _, t := range s.Targets {
		for _, d := range t.Deeds {
			if t.NewID == "" && (d.Status == StatusPlanned || d.Status == StatusIntended && d.Accepted.IsZero()) {
				return true
			}
		}
	}
	return false
}

// TurnedBack tells whether CloudFormation turned back everything that was sent, so
// that nothing was ever broken, and no probe noticed anything. why is what it said.
func (s *State) TurnedBack() (why string, ok bool) {
	for _, p := range s.Order {
		for _, d := range s.Targets[p].Deeds {
			switch d.Status {
			case StatusPlanned:
			case StatusRefused:
				if !ok {
					why, ok = d.Reason, true
				}
			default:
				return "", false
			}
		}
	}
	return why, ok && !s.Pending() && !s.failed()
}

// Unbroken tells whether nothing is out of order, nor ever was, nor is to be: AWS took
// nothing, or turned it back. end is how such a break ends.
func (s *State) Unbroken() (end Finish, ok bool) {
	if why, back := s.TurnedBack(); back {
		return Finish{Result: "refused", Why: strings.TrimSuffix("nothing was broken: "+why, ": ")}, true
	}
	return Finish{Result: "stopped", Why: "nothing was broken"}, len(s.Broken()) == 0 && !s.Pending() && !s.Stamps[T0].Recorded()
}

// Broken lists the targets that are, or may be, out of order, in the plan's
// order.
func (s *State) Broken() []stacks.Path {
	var out []stacks.Path
	for _, p := range s.Order {
		if s.Targets[p].Status.Broken() {
			out = append(out, p)
		}
	}
	return out
}

// Uncompared tells whether something is back of which nobody has said how it differs from
// what was captured.
func (s *State) Uncompared() bool {
	for _, t := range s.Targets {
		if t.Status == StatusRestored && t.Compared.IsZero() {
			return true
		}
	}
	return false
}

// Pending tells whether something is still to be broken, or on its way down.
func (s *State) Pending() bool {
	for _, t := range s.Targets {
		if t.NewID != "" {
			continue
		}
		for _, d := range t.Deeds {
			switch d.Status {
			case StatusIntended, StatusAccepted:
				return true
			case StatusPlanned:
				if s.Stopped == nil && s.Finished == nil {
					return true
				}
			default:
			}
		}
	}
	return false
}

// Awaited lists the steady probes of the plan that can be asked and have not come
// back for good,
// in the plan's order.
func (s *State) Awaited() []string {
	var out []string
	for _, name := range s.Plan.Probes {
		if _, ok := s.restored(name); !ok && s.measured(name) {
			out = append(out, name)
		}
	}
	return out
}

// Blank tells whether a stack came back without the data that was covered: users
// are not back then, whatever the probes say.
func (s *State) Blank() bool {
	for _, t := range s.Targets {
		if len(t.Empty) > 0 {
			return true
		}
	}
	return false
}

// Since is the time after which a window has to lie to count as restored: the
// last moment at which something went down, or stood there without its data.
func (s *State) Since() time.Time {
	since := s.Stamps[T0].At
	for _, t := range s.Targets {
		if t.Filled.After(since) {
			since = t.Filled
		}
		for _, d := range t.Deeds {
			if d.Done.After(since) && d.Status != StatusRefused {
				since = d.Done
			}
		}
	}
	return since
}

// May tells whether a call that breaks something may be announced: an error
// says why not. It is the last wall before a second deletion: nothing that was
// ever accepted, and nothing under whose name another stack or resource stands, is
// asked for again.
func (s *State) May(i Intent) error {
	t := s.Targets[i.Stack]
	if t == nil {
		return fmt.Errorf("%s is not in the plan of %s", i.Stack, s.ID)
	}
	d := t.Deed(logicalID(i.Injection))
	switch {
	case d == nil || d.Verb != i.Verb || i.StackID != t.StackID:
		return fmt.Errorf("to %s %s of %s is not in the plan of %s", i.Verb, i.StackID, i.Stack, s.ID)
	case t.NewID != "":
		return fmt.Errorf("%s has been rebuilt: it is never deleted again", i.Stack)
	case i.Injection != nil && i.Injection.PhysicalID != d.Injection.PhysicalID:
		return fmt.Errorf("%s of %s is %s now, and %s was to be broken: it is left alone", d.LogicalID(), i.Stack, i.Injection.PhysicalID, d.Injection.PhysicalID)
	case !d.Accepted.IsZero() || d.Status != StatusPlanned && d.Status != StatusIntended:
		return fmt.Errorf("%s was broken already: it is %s", i.Stack, d.Status)
	case s.Stopped != nil:
		return fmt.Errorf("%s was stopped: %s", s.ID, s.Stopped.Why)
	case s.Finished != nil:
		return fmt.Errorf("%s is finished: %s", s.ID, s.Finished.Why)
	case s.Cleared == nil:
		return fmt.Errorf("%s was not cleared", s.ID)
	}
	return nil
}

// The exit codes of design.md section 4 with which an exercise ends.
const (
	exitDeadline = 12
	exitMissed   = 13
	exitUnequal  = 14
)

// Exit is the exit code of an exercise that is over: first that the team did not get
// it back in time, then that it is not as it was, then that the objective was missed.
func (s *State) Exit() int {
	met, known := s.Met()
	_, back := s.TurnedBack()
	switch {
	case s.Finished != nil && s.Finished.Result == "closed", back:
		return 0
	case s.Overdue():
		return exitDeadline
	case s.Stamps[T0].Recorded() && !s.Equal():
		return exitUnequal
	case known && !met:
		return exitMissed
	}
	return 0
}

// Equal tells whether every target that was broken is back as it was captured.
func (s *State) Equal() bool {
	any := false
	for _, t := range s.Targets {
		if t.Status == StatusPlanned || t.Status == StatusRefused {
			continue
		}
		if t.Status != StatusRestored || !t.Equal() {
			return false
		}
		any = true
	}
	return any
}
