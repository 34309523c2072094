// Package execute carries out a plan: it starts each step the moment its own
// dependencies are done, watches it to its end, and contains failures.
//
// It acts and never decides: what a step does was planned, or is asked of the
// Decider once late values are known. It prints nothing; one goroutine owns the
// run's state and emits its events.
package execute

import (
	"context"
	"iter"
	"time"

	"github.com/deployer-cli/deployer/internal/event"
	"github.com/deployer-cli/deployer/internal/guard"
	"github.com/deployer-cli/deployer/internal/plan"
	"github.com/deployer-cli/deployer/stacks"
)

// Changer makes the calls that change stacks.
type Changer interface {
	Create(ctx context.Context, c stacks.Change) (stacks.Operation, error)
	Update(ctx context.Context, c stacks.Change) (stacks.Operation, error)
	Delete(ctx context.Context, t stacks.Target, retain []string) (stacks.Operation, error)
}

// Mender makes the calls that get a stuck stack moving, and those that go
// beside an update.
type Mender interface {
	Continue(ctx context.Context, t stacks.Target, skip []string) (stacks.Operation, error)
	SetPolicy(ctx context.Context, t stacks.Target, body []byte) error
	Protect(ctx context.Context, t stacks.Target, on bool) error
}

// Watcher follows an operation to its end.
type Watcher interface {
	Watch(ctx context.Context, op stacks.Operation) iter.Seq2[stacks.Progress, error]
}

// Decider plans a step again when what it waited for is known.
type Decider interface {
	// Decide prepares the stack with the values that are known now and says
	// what is to be done. What needs a person's yes is not done.
	Decide(ctx context.Context, path stacks.Path) (plan.Step, error)
	// Again is Decide after another look at how the stack lives.
	Again(ctx context.Context, path stacks.Path) (plan.Step, error)
	// Landed tells how a stack looks after its step. It is called from the
	// goroutine that owns the run, before any dependent starts.
	Landed(path stacks.Path, live *stacks.Live)
}

// Hooks runs what a project ties to a moment of a step, such as before_create.
type Hooks interface {
	Run(ctx context.Context, st *stacks.Stack, moment string, output func(line string)) error
}

// Ports is what a run works with. Hooks and Yielding may be nil, and Reader where
// nothing is updated.
type Ports struct {
	Changer Changer
	Mender  Mender
	Watcher Watcher
	Reader  Reader
	Decider Decider
	Hooks   Hooks

	// Lately tells whether anybody is known to have begun something with a stack, or
	// may have, in the last minutes, beside what its description says. Nil: nobody knows.
	Lately func(ctx context.Context, st *stacks.Stack, live *stacks.Live) bool

	// Yielding returns a context whose calls call rest when they have to wait
	// before they may ask AWS, and back before they ask: what only waits takes no
	// room from Job.Limit. Nil: it does.
	Yielding func(ctx context.Context, rest func(change bool), back func(context.Context) error) context.Context

	// Gated returns a context whose writing calls ask gate right before they go out,
	// as long as AWS can have accepted nothing of them; its error ends the call. They
	// tell begun when AWS may have accepted a change of what lives. Nil: a call that
	// waited goes out though the run drains.
	Gated func(ctx context.Context, gate func() error, begun func()) context.Context
}

// Job is one run.
type Job struct {
	Command         string // launch, create, update or delete
	Plan            *plan.Plan
	Clearance       guard.Clearance
	Limit           int // steps at once, but for those that wait until they may ask AWS; 0 for no limit
	PlaceLimit      int // steps at once in one account and region; 0 for no limit
	FailFast        bool
	DisableRollback bool
	Fixed           bool                                 // every step is done as it was planned or not at all: none is decided anew because of others
	Drain           <-chan struct{}                      // closed: start nothing new
	Notices         <-chan string                        // what the reader of the events is to know beside them; may be nil
	Now             func() time.Time                     // the realm's clock; nil for the system's
	Expected        func(*plan.Step) time.Duration       // how long a step is expected to take, 0 when unknown; it is called from many goroutines
	Token           func(path stacks.Path, n int) string // client request tokens, the same for the same run, path and n
}

// Outcome is what became of a stack, in the words of design.md section 4.
type Outcome string

// The outcomes.
const (
	Created    Outcome = "created"
	Updated    Outcome = "updated"
	Recreated  Outcome = "recreated"
	Unchanged  Outcome = "unchanged"
	Deleted    Outcome = "deleted"
	Failed     Outcome = "failed"
	Skipped    Outcome = "skipped"
	Running    Outcome = "running"
	Unknown    Outcome = "unknown"
	NotStarted Outcome = "not-started"
)

// Result is how a run ended.
type Result struct {
	Outcomes    map[stacks.Path]Outcome
	Durations   map[stacks.Path]time.Duration // of the steps that ran
	Failures    []*StepError                  // root causes only, sorted by stack
	Critical    []stacks.Path                 // the chain of steps that took longest, first to last
	Interrupted bool                          // drained or detached before everything was done
	Detached    bool
	Started     time.Time
	Ended       time.Time
}

// StepError says why a step failed.
type StepError struct {
	Stack stacks.Path
	What  string
	Why   string
	Tip   string
	Cause error // nil when CloudFormation said why
}

// Error gives stack, what and why.
func (e *StepError) Error() string {
	msg := string(e.Stack) + ": " + e.What
	if e.Why != "" {
		msg += ": " + e.Why
	}
	return msg
}

// Unwrap gives the cause.
func (e *StepError) Unwrap() error { return e.Cause }

// Hint tells what to do about it.
func (e *StepError) Hint() string { return e.Tip }

// Run carries out the job and returns how it ended. Cancelling ctx detaches:
// what CloudFormation is doing goes on. The error is nil when every step ended
// well; else it is a *multierror.Error of *StepError.
func Run(ctx context.Context, job Job, ports Ports, sink event.Sink) (Result, error) {
	return newRun(job, ports, sink).loop(ctx)
}
