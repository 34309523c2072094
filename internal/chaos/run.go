package chaos

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/deployer-cli/deployer/internal/event"
	"github.com/deployer-cli/deployer/internal/execute"
	"github.com/deployer-cli/deployer/internal/guard"
	"github.com/deployer-cli/deployer/internal/plan"
	"github.com/deployer-cli/deployer/stacks"
)

// Deleter sends one deletion. A *stacks.UnsentError says that AWS took none of it.
type Deleter interface {
	Delete(ctx context.Context, t stacks.Target, retain []string) (stacks.Operation, error)
}

// Book writes a break's journal. When Write returns nil the entry is durable.
type Book interface {
	Write(ctx context.Context, kind string, body any) error
}

// Clock is the realm's time.
type Clock interface {
	Now() time.Time
	// Wait returns when d has passed, or with the context's error.
	Wait(ctx context.Context, d time.Duration) error
}

// Job is what is to be taken down.
type Job struct {
	Plan      *plan.Plan // steps that delete, each After what has to go before it
	Clearance guard.Clearance
	Chosen    []stacks.Path // the targets, as opposed to what has to go with them
	Pause     time.Duration // between one target and the next; 0 for none
	Token     func(path stacks.Path, n int) string
	Expected  func(*plan.Step) time.Duration
}

// Ports is what taking down works with.
type Ports struct {
	Deleter Deleter
	Watcher execute.Watcher
	Book    Book
	Clock   Clock
	// Again asks, right before a stack's call, the guards that are asked twice.
	// A *Stopped ends the break.
	Again func(ctx context.Context, path stacks.Path) error
	Brake *Brake
	// AllSent, when not nil, is called once AWS has accepted every deletion.
	AllSent func()
}

// Run takes the stacks down: each as soon as what has to go before it is gone.
// Before every call the guards are asked again and the intent is written down;
// without either the call is not made, and nothing further starts. It returns
// what became of each stack. The error is nil when all are gone, a *Stopped when
// the brake was pulled, and else what failed, as execute.Run tells it.
func Run(ctx context.Context, job Job, ports Ports, sink event.Sink) (execute.Result, error) {
	r := &runner{job: job, ports: ports, sink: sink}
	limit := 0
	if job.Pause > 0 {
		limit = 1
	}
	result, err := execute.Run(ctx, execute.Job{
		Command: "break", Plan: job.Plan, Clearance: job.Clearance, Limit: limit, FailFast: true,
		Drain: ports.Brake.Done(), Now: ports.Clock.Now, Expected: job.Expected, Token: job.Token,
	}, execute.Ports{Changer: r, Mender: r, Watcher: ports.Watcher, Decider: r}, event.Tee(r.noting(ctx), event.Func(r.tell)))
	if why := ports.Brake.Pulled(); why != nil {
		r.unsent(&result)
		return result, errors.Join(why, r.failures())
	}
	return result, errors.Join(err, r.failures())
}

// runner makes the calls of one break. execute drives it from several
// goroutines.
type runner struct {
	job   Job
	ports Ports

	telling sync.Mutex // held while sink hears
	sink    event.Sink
	held    map[stacks.Path]event.Event // that it begins: told once the guards have passed

	mu     sync.Mutex
	begun  bool                 // a target was sent, so that a pause is due
	denied map[stacks.Path]bool // never sent
	taken  map[stacks.Path]bool // accepted by AWS
	errs   []error              // records that could not be written after the deed
}

// Delete implements execute.Changer.
func (r *runner) Delete(ctx context.Context, t stacks.Target, _ []string) (stacks.Operation, error) {
	if err := r.mayBegin(ctx, t); err != nil {
		r.deny(t.Path)
		return stacks.Operation{}, err
	}
	op, err := r.ports.Deleter.Delete(ctx, t, nil)
	if NeverSent(err) {
		r.deny(t.Path)
		r.note(ctx, KindObserved, Unsent(t.Path, t.StackID, r.ports.Clock.Now()))
		return op, err
	}
	if _, unsent := errors.AsType[*stacks.UnsentError](err); unsent {
		r.note(ctx, KindObserved, Unsent(t.Path, t.StackID, r.ports.Clock.Now()))
		return op, &refusedError{err}
	}
	if err != nil {
		return op, err // what became of it is for resume to find out, by its token
	}
	r.accepted(t.Path)
	r.note(ctx, KindAccepted, Accepted{Stack: t.Path, StackID: t.StackID, Verb: stacks.Delete, Token: t.Token, Operation: op.OperationID, At: op.Accepted})
	return op, nil
}

// refusedError is a deletion of which AWS took nothing. It hides what else is not known
// by now, such as with credentials that ran out: its stack is as it was.
type refusedError struct{ cause error }

func (e *refusedError) Error() string { return e.cause.Error() }

// Hint is that of the cause.
func (e *refusedError) Hint() string {
	if hinted, ok := errors.AsType[interface {
		error
		Hint() string
	}](e.cause); ok {
		return hinted.Hint()
	}
	return ""
}

// NeverSent tells whether a call ended since the brake was pulled before any attempt
// of it went out.
func NeverSent(err error) bool {
	_, stopped := errors.AsType[*Stopped](err)
	_, unknown := errors.AsType[*stacks.UnknownError](err)
	return stopped && !unknown
}

// Unsent is the entry that takes an intent back: its call was never made, and the stack
// is as it was.
func Unsent(p stacks.Path, stackID string, at time.Time) Observed {
	return Observed{Stack: p, StackID: stackID, Condition: stacks.Whole, At: at.UTC()}
}

func (r *runner) deny(p stacks.Path) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.denied == nil {
		r.denied = map[stacks.Path]bool{}
	}
	r.denied[p] = true
}

// mayBegin waits for the pause, asks the guards again, and writes the intent. The
// brake is looked at before and last, so that what pulled it meanwhile still counts.
func (r *runner) mayBegin(ctx context.Context, t stacks.Target) error {
	if err := r.pause(ctx, t.Path); err != nil {
		return err
	}
	if err := r.ports.Again(ctx, t.Path); err != nil {
		return r.stop(err)
	}
	if why := r.ports.Brake.Pulled(); why != nil {
		return why
	}
	intent := Intent{Stack: t.Path, StackID: t.StackID, Verb: stacks.Delete, Token: t.Token, For: ToBreak}
	if err := r.ports.Book.Write(ctx, KindIntent, intent); err != nil {
		return r.stop(&Stopped{By: ByFault, Why: "what is about to be done cannot be written down: " + err.Error(), Tip: "nothing is done that is not written down first"})
	}
	if why := r.ports.Brake.Pulled(); why != nil {
		r.note(ctx, KindObserved, Unsent(t.Path, t.StackID, r.ports.Clock.Now()))
		return why
	}
	r.telling.Lock()
	defer r.telling.Unlock()
	r.release(t.Path)
	return nil
}

// pause lets the time between two targets pass. What has to go with a target
// goes at once.
func (r *runner) pause(ctx context.Context, path stacks.Path) error {
	chosen := slices.Contains(r.job.Chosen, path)
	r.mu.Lock()
	due := chosen && r.begun && r.job.Pause > 0
	r.begun = r.begun || chosen
	r.mu.Unlock()
	if due {
		if err := r.ports.Brake.Wait(ctx, r.ports.Clock, r.job.Pause); err != nil {
			return err
		}
	}
	r.telling.Lock()
	defer r.telling.Unlock()
	r.sink.Event(AskedAgain(path))
	return nil
}

// PauseBefore tells that a target waits for its turn.
func PauseBefore(p stacks.Path, pause time.Duration) event.Event {
	return event.Event{Kind: event.StepWaiting, Stack: p, Expected: pause.Seconds(), Cause: "the pause between targets"}
}

// AskedAgain tells that the guards are asked again, right before a stack's call.
func AskedAgain(p stacks.Path) event.Event {
	return event.Event{Kind: event.StepWaiting, Stack: p, Action: event.Guards, Cause: "the guards are asked again"}
}

// paused tells whether a stack's turn comes only after a pause.
func (r *runner) paused(path stacks.Path) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.begun && r.job.Pause > 0 && slices.Contains(r.job.Chosen, path)
}

// stop pulls the brake for an error that ends the break.
func (r *runner) stop(err error) error {
	why, ok := errors.AsType[*Stopped](err)
	if !ok {
		why = &Stopped{By: ByGuard, Why: err.Error(), Tip: "nothing further was started"}
	}
	r.ports.Brake.Pull(*why)
	return why
}

// note writes what happened after a deed: the deed is done, whatever becomes of
// the record, but nothing further starts without one.
func (r *runner) note(ctx context.Context, kind string, body any) {
	if err := r.ports.Book.Write(context.WithoutCancel(ctx), kind, body); err != nil {
		r.mu.Lock()
		r.errs = append(r.errs, err)
		r.mu.Unlock()
		r.ports.Brake.Pull(Stopped{By: ByFault, Why: "what was done cannot be written down: " + err.Error(), Tip: "AWS knows it: see deployer status; go on with deployer break resume"})
	}
}

func (r *runner) failures() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return errors.Join(r.errs...)
}

// unsent tells of the stacks whose call was never made that nothing was begun.
func (r *runner) unsent(result *execute.Result) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for p := range result.Outcomes {
		if o := result.Outcomes[p]; r.denied[p] || o == execute.Skipped {
			result.Outcomes[p] = execute.NotStarted
		}
	}
	failures := result.Failures[:0]
	for _, f := range result.Failures {
		if !r.denied[f.Stack] {
			failures = append(failures, f)
		}
	}
	result.Failures = failures
}

// noting writes down how each stack's deletion ended.
func (r *runner) noting(ctx context.Context) event.Sink {
	return event.Func(func(e event.Event) {
		o := Observed{Stack: e.Stack, Reason: e.Reason, At: r.ports.Clock.Now().UTC()}
		switch e.Kind {
		case event.StepDone:
			o.Status = stacks.DeleteComplete
		case event.StepFailed:
			if r.wasDenied(e.Stack) || !r.wasAccepted(e.Stack) {
				return
			}
			o.Status = stacks.DeleteFailed
		default:
			return
		}
		for i := range r.job.Plan.Steps {
			if r.job.Plan.Steps[i].Stack == e.Stack {
				o.StackID = r.job.Plan.Steps[i].StackID
			}
		}
		r.note(ctx, KindObserved, o)
	})
}

func (r *runner) accepted(p stacks.Path) {
	r.mu.Lock()
	if r.taken == nil {
		r.taken = map[stacks.Path]bool{}
	}
	r.taken[p] = true
	all := len(r.taken) == len(r.job.Plan.Steps)
	r.mu.Unlock()
	if all && r.ports.AllSent != nil {
		r.ports.AllSent()
	}
}

func (r *runner) wasAccepted(p stacks.Path) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.taken[p]
}

// tell passes on what execute says. That a stack begins is told once its guards have
// passed. One whose call was never made was left alone, and did not fail.
func (r *runner) tell(e event.Event) {
	r.telling.Lock()
	defer r.telling.Unlock()
	switch {
	case e.Kind == event.StepStarted:
		if r.held == nil {
			r.held = map[stacks.Path]event.Event{}
		}
		r.held[e.Stack] = e
		if r.paused(e.Stack) {
			r.sink.Event(PauseBefore(e.Stack, r.job.Pause))
		}
		return
	case e.Kind == event.StepFailed && r.wasDenied(e.Stack):
		e.Kind, e.Cause = event.StepSkipped, "the break was stopped before it was its turn"
		e.Action, e.Reason, e.Hint = string(execute.NotStarted), "", ""
	case e.Kind == event.StepAccepted || e.Kind == event.StepDone:
		r.release(e.Stack)
	}
	r.sink.Event(e)
}

// release tells that a stack begins, if that was held back. telling is held.
func (r *runner) release(p stacks.Path) {
	if e, ok := r.held[p]; ok {
		delete(r.held, p)
		r.sink.Event(e)
	}
}

func (r *runner) wasDenied(p stacks.Path) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.denied[p]
}

// errOnlyDeletes is what everything gets that asks a break for more.
var errOnlyDeletes = errors.New("a break only deletes")

// Create implements execute.Changer: a break makes nothing.
func (*runner) Create(context.Context, stacks.Change) (stacks.Operation, error) {
	return stacks.Operation{}, errOnlyDeletes
}

// Update implements execute.Changer.
func (*runner) Update(context.Context, stacks.Change) (stacks.Operation, error) {
	return stacks.Operation{}, errOnlyDeletes
}

// Continue implements execute.Mender.
func (*runner) Continue(context.Context, stacks.Target, []string) (stacks.Operation, error) {
	return stacks.Operation{}, errOnlyDeletes
}

// SetPolicy implements execute.Mender.
func (*runner) SetPolicy(context.Context, stacks.Target, []byte) error { return errOnlyDeletes }

// Protect implements execute.Mender: a break never touches protection.
func (*runner) Protect(context.Context, stacks.Target, bool) error { return errOnlyDeletes }

// Decide implements execute.Decider. Every step of a break was decided in its
// plan; one that would have to be decided again is not done.
func (*runner) Decide(context.Context, stacks.Path) (plan.Step, error) {
	return plan.Step{}, errOnlyDeletes
}

// Landed implements execute.Decider.
func (*runner) Landed(stacks.Path, *stacks.Live) {}

// Again implements execute.Decider.
func (*runner) Again(context.Context, stacks.Path) (plan.Step, error) {
	return plan.Step{}, errOnlyDeletes
}
