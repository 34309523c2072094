package event

import (
	"time"

	"github.com/deployer-cli/deployer/stacks"
)

// The events of an exercise that are announced.
const (
	Planned  = "planned"  // it is going to be broken
	Started  = "started"  // the first stack is about to go
	Stopped  = "stopped"  // nothing further is broken
	Restored = "restored" // everything is back; Seconds and Objective say how fast
	Missed   = "missed"   // the objective has passed, and it is not back
	Finished = "finished" // the exercise is over
)

// Announcement is what people outside are told about an exercise: that it is one
// comes first. internal/notify sends it.
type Announcement struct {
	Event       string    `json:"event"` // planned, started, stopped, restored, missed or finished
	Environment string    `json:"environment"`
	Severity    string    `json:"severity"` // info or warning; "" for what Weight says
	Break       string    `json:"break"`    // its id
	Time        time.Time `json:"time"`

	Title string `json:"title"` // one line
	Text  string `json:"text"`  // the same at length

	Stacks    []stacks.Path `json:"stacks,omitempty"`  // only with full_detail
	Seconds   float64       `json:"seconds,omitempty"` // Restored and Finished: the recovery time
	Objective float64       `json:"objective,omitempty"`

	Realm    stacks.Realm `json:"realm"`
	Account  string       `json:"account,omitempty"` // only with full_detail
	Region   string       `json:"region,omitempty"`
	Exercise bool         `json:"exercise"` // always true
}

// The severities of announcements.
const (
	SeverityInfo    = "info"
	SeverityWarning = "warning"
)

// Weight is the severity of an announcement that names none: a warning where
// something is about to be broken or stays broken for too long.
func (a Announcement) Weight() string {
	switch {
	case a.Severity != "":
		return a.Severity
	case a.Event == Started, a.Event == Missed:
		return SeverityWarning
	}
	return SeverityInfo
}
