// Package event is the one vocabulary in which a run tells what happens.
//
// Terminal, plain, JSON, journal and report all read the same flat Event. The
// package never formats anything for a reader.
package event

import (
	"time"

	"github.com/deployer-cli/deployer/stacks"
)

// Kind is what an Event is about.
type Kind string

// The kinds of event.
const (
	RunStarted   Kind = "run-started"
	StepWaiting  Kind = "step-waiting"  // cannot start yet; Cause says for what
	StepStarted  Kind = "step-started"  // the first call is about to be made
	StepAccepted Kind = "step-accepted" // CloudFormation accepted it
	Resource     Kind = "resource"      // a resource changed status
	Stack        Kind = "stack"         // a stack changed status
	StepDone     Kind = "step-done"     // ended well; Action says how
	StepFailed   Kind = "step-failed"   // ended badly; Reason is the root cause
	StepSkipped  Kind = "step-skipped"  // not started; Cause says why
	StepUnknown  Kind = "step-unknown"  // we stopped looking, or could not look
	Hook         Kind = "hook"          // a hook ran; Reason holds its output line
	Warning      Kind = "warning"       // Reason says what
	Throttled    Kind = "throttled"     // AWS asked us to slow down
	Draining     Kind = "draining"      // first Ctrl-C: nothing new starts
	Detached     Kind = "detached"      // second Ctrl-C: we leave, AWS goes on
	RunFinished  Kind = "run-finished"
	Probe        Kind = "probe"    // Resource names it, Status is up, down or unknown, Reason says why
	Target       Kind = "target"   // a broken stack looks different now: Status, StackID, Reason; Resource: what of it is broken
	Watching     Kind = "watching" // of a break begins; Expected is the objective
	Stamp        Kind = "stamp"    // Action is T0 to T8, Reason its name and source, Time when it was
)

// Guards is the Action of a StepWaiting that ends by itself: the guards are asked.
const Guards = "guards"

// Between is the Reason of a Target whose resources are on their way, down or back.
const Between = "on its way"

// Event is one thing that happened in a run. Times are UTC.
type Event struct {
	Seq      int64       `json:"seq"`
	Time     time.Time   `json:"time"`
	Run      string      `json:"run"`
	Kind     Kind        `json:"kind"`
	Stack    stacks.Path `json:"stack"`
	Status   string      `json:"status"`   // CloudFormation's status
	Resource string      `json:"resource"` // logical id
	Type     string      `json:"type"`     // resource type
	Reason   string      `json:"reason"`
	Cause    string      `json:"cause"`

	Action    string    `json:"action,omitempty"`    // what the step does, or what became of it
	StackID   string    `json:"stack_id,omitempty"`  // after acceptance
	Token     string    `json:"token,omitempty"`     // client request token of the operation
	Operation string    `json:"operation,omitempty"` // StepAccepted: CloudFormation's id of it, where it gives one
	Accepted  time.Time `json:"accepted,omitzero"`   // StepAccepted: the earliest that it can have been, by the service's clock
	Hint      string    `json:"hint,omitempty"`      // what to do about a failure
	Done      int       `json:"done,omitempty"`      // resources done of this step
	Total     int       `json:"total,omitempty"`     // resources of this step, 0 when not known
	Seconds   float64   `json:"seconds,omitempty"`   // StepDone, StepFailed, RunFinished: how long it took
	Worked    float64   `json:"worked,omitempty"`    // StepDone: of that, what CloudFormation worked at it, from acceptance on
	Expected  float64   `json:"expected,omitempty"`  // StepStarted, StepWaiting: how long it is expected to take
	Left      float64   `json:"left,omitempty"`      // RunStarted, StepStarted, StepDone: how long the run is expected to go on
}

// Sink hears events. It is only ever called from the goroutine that owns the
// run, one event after the other.
type Sink interface {
	Event(Event)
}

// Func makes a function a Sink.
type Func func(Event)

// Event calls f.
func (f Func) Event(e Event) { f(e) }

// Tee gives every event to each sink in turn.
func Tee(sinks ...Sink) Sink {
	return Func(func(e Event) {
		for _, s := range sinks {
			s.Event(e)
		}
	})
}

// Stamper numbers and stamps events in one place, for one run.
type Stamper struct {
	run  string
	now  func() time.Time
	seq  int64
	sink Sink
}

// NewStamper returns a Sink that fills in Seq, Time and Run and passes on.
func NewStamper(run string, now func() time.Time, sink Sink) *Stamper {
	return &Stamper{run: run, now: now, sink: sink}
}

// Event stamps e and passes it on.
func (s *Stamper) Event(e Event) {
	s.seq++
	e.Seq, e.Run = s.seq, s.run
	if e.Time.IsZero() {
		e.Time = s.now().UTC()
	}
	s.sink.Event(e)
}
