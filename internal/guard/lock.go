package guard

import (
	"fmt"
	"time"
)

// Lock says that a run is changing an environment.
type Lock struct {
	Environment string    `json:"environment"`
	Run         string    `json:"run"`
	Command     string    `json:"command"`
	Owner       Identity  `json:"owner"`
	Host        string    `json:"host"`
	PID         int       `json:"pid"`
	Machine     string    `json:"machine,omitempty"` // its boot, and the space in which its process ids are counted
	Started     string    `json:"started,omitempty"` // when the process began, as that machine counts
	From        string    `json:"from,omitempty"`    // the pipeline's job, where there is one
	Taken       time.Time `json:"taken"`
	Beat        time.Time `json:"beat"` // by the owner's own clock
	Released    bool      `json:"released,omitempty"`
	Wrote       int       `json:"wrote,omitempty"` // number of the last entry of the history that an owner wrote
}

// A lock's owner shows that it lives every BeatEvery; one that was silent for
// DeadAfter is dead.
const (
	BeatEvery = 15 * time.Second
	DeadAfter = 2 * time.Minute
)

// Signs is what can be told of a lock's owner from here.
type Signs struct {
	Silent time.Duration // since the last sign of life, by one clock
	Gone   bool          // it ran on this very machine, where ids mean the same, and its process is no more
}

// Dead tells whether nobody holds the lock any more, and how that is known.
func (l Lock) Dead(s Signs) (why string, dead bool) {
	switch {
	case l.Released:
		return "it was given back", true
	case s.Gone:
		return fmt.Sprintf("its process %d on this machine is gone", l.PID), true
	case s.Silent >= DeadAfter:
		return fmt.Sprintf("nothing was heard of it for %s", s.Silent.Round(time.Second)), true
	}
	return "", false
}

// Says names the owner, for the reader.
func (l Lock) Says() string {
	who := l.Owner.Person()
	if who == "" {
		who = "somebody"
	}
	text := fmt.Sprintf("%s (%s) of %s on %s, since %s", l.Command, l.Run, who, l.Host, stamp(l.Taken))
	if l.From != "" {
		text += ", " + l.From
	}
	return text
}

// Refusal is what a run is told that meets the lock of another.
func (l Lock) Refusal() *Refusal {
	return &Refusal{
		Rule: "P12", Code: exitLocked, What: l.Environment + " is locked", Why: "it is being changed by " + l.Says(),
		Tip: "wait for it, or look at it: deployer lock show " + l.Environment,
	}
}
