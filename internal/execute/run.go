package execute

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/hashicorp/go-multierror"

	"github.com/deployer-cli/deployer/internal/event"
	"github.com/deployer-cli/deployer/internal/plan"
	"github.com/deployer-cli/deployer/stacks"
)

// run is the state of one run. Only the goroutine in loop touches it; workers
// send it messages.
type run struct {
	job   Job
	ports Ports
	sink  event.Sink

	steps      map[stacks.Path]*plan.Step
	waiting    map[stacks.Path]int
	dependents map[stacks.Path][]stacks.Path
	remaining  map[stacks.Path]time.Duration // longest path from a step to the end of the run
	own        map[stacks.Path]time.Duration // what each step alone is expected to take
	forecast   forecast
	ready      []stacks.Path
	running    map[stacks.Path]time.Time
	busy       map[place]int        // steps that run there
	resting    map[stacks.Path]bool // of the running, those that wait until they may ask AWS: true where they are to change their stack
	heldUp     map[place]int        // how many of those are there
	asking     []asker              // of them, those that may now, and want their room back
	finished   map[stacks.Path]time.Time
	parked     map[stacks.Path]*worker // begun, and waiting for what they turned out to depend on
	draining   bool
	stop       <-chan struct{} // closed: somebody asks to drain; nil once that was heard
	halted     chan struct{}   // closed when draining begins
	messages   chan message
	result     Result
}

// message is what a worker tells the owner. Exactly one of its parts is set.
type message struct {
	path   stacks.Path
	event  *event.Event
	end    *end
	rests  bool            // it waits until it may ask AWS,
	change bool            // to change its stack
	wants  chan<- struct{} // it may now, and goes on when this is closed
}

// end is how a step ended.
type end struct {
	outcome Outcome
	live    *stacks.Live
	err     error
	worked  time.Duration // of its operations, from their acceptance on

	wait   []stacks.Path // it did not end: these have to end first
	worker *worker       // that goes on then
}

// unknownDuration stands for a step that never ran before.
const unknownDuration = time.Minute

func newRun(job Job, ports Ports, sink event.Sink) *run {
	if job.Now == nil {
		job.Now = time.Now
	}
	n := len(job.Plan.Steps)
	r := &run{
		job: job, ports: ports, sink: sink,
		steps:      make(map[stacks.Path]*plan.Step, n),
		waiting:    make(map[stacks.Path]int, n),
		dependents: make(map[stacks.Path][]stacks.Path, n),
		running:    map[stacks.Path]time.Time{},
		busy:       map[place]int{},
		resting:    map[stacks.Path]bool{},
		heldUp:     map[place]int{},
		finished:   map[stacks.Path]time.Time{},
		parked:     map[stacks.Path]*worker{},
		own:        make(map[stacks.Path]time.Duration, n),
		halted:     make(chan struct{}),
		messages:   make(chan message),
		result: Result{
			Outcomes:  make(map[stacks.Path]Outcome, n),
			Durations: map[stacks.Path]time.Duration{},
		},
	}
	for i := range job.Plan.Steps {
		s := &job.Plan.Steps[i]
		r.steps[s.Stack] = s
	}
	for i := range job.Plan.Steps {
		s := &job.Plan.Steps[i]
		for _, d := range s.After {
			if _, known := r.steps[d]; known && d != s.Stack {
				r.waiting[s.Stack]++
				r.dependents[d] = append(r.dependents[d], s.Stack)
			}
		}
	}
	r.remaining = r.weigh()
	return r
}

// weigh computes the longest remaining path of every step. Steps stand in
// dependency order, so one pass from the end will do.
func (r *run) weigh() map[stacks.Path]time.Duration {
	out := make(map[stacks.Path]time.Duration, len(r.steps))
	for _, s := range slices.Backward(r.job.Plan.Steps) {
		var longest time.Duration
		for _, d := range r.dependents[s.Stack] {
			longest = max(longest, out[d])
		}
		r.own[s.Stack] = r.job.expect(&s)
		out[s.Stack] = longest + r.own[s.Stack]
	}
	return out
}

func (r *run) loop(ctx context.Context) (Result, error) {
	r.result.Started = r.job.Now()
	r.sink.Event(event.Event{Kind: event.RunStarted, Action: r.job.Command, Total: len(r.steps), Left: r.left().Seconds()})
	for _, s := range r.job.Plan.Steps {
		if r.waiting[s.Stack] == 0 {
			r.enqueue(s.Stack)
		}
	}
	r.stop = r.job.Drain
	detach := ctx.Done()
	for r.start(ctx); len(r.running) > 0; r.start(ctx) {
		select {
		case <-r.stop:
			r.stopped()
		case <-detach:
			detach = nil
			r.detach(ctx)
		case text := <-r.job.Notices:
			r.emit(event.Event{Kind: event.Warning, Reason: text})
		case m := <-r.messages:
			if detach != nil && ctx.Err() != nil { // what comes of it may come first
				detach = nil
				r.detach(ctx)
			}
			r.hear(m)
		}
	}
	return r.finish()
}

// stopped notes that somebody asked that nothing new is started.
func (r *run) stopped() {
	r.stop = nil
	r.drain("waiting for what runs")
}

// drains tells whether nothing new is to be started, also where that was asked
// for a moment ago and the loop has not come to it.
func (r *run) drains() bool {
	select {
	case <-r.stop:
		r.stopped()
	default:
	}
	return r.draining
}

// detach notes that we leave.
func (r *run) detach(ctx context.Context) {
	r.halt()
	r.result.Detached = true
	r.emit(event.Event{Kind: event.Detached, Cause: context.Cause(ctx).Error()})
}

// enqueue puts a step among those that may start, longest remaining path first.
func (r *run) enqueue(p stacks.Path) {
	i, _ := slices.BinarySearchFunc(r.ready, p, func(a, b stacks.Path) int {
		return cmp.Or(cmp.Compare(r.remaining[b], r.remaining[a]), cmp.Compare(a, b))
	})
	r.ready = slices.Insert(r.ready, i, p)
}

// start starts what may start. Steps with nothing to do end at once and free
// their dependents, which may be ready in the same pass.
func (r *run) start(ctx context.Context) {
	r.grant()
	for !r.drains() && ctx.Err() == nil {
		i := slices.IndexFunc(r.ready, r.mayStart)
		if i < 0 {
			return
		}
		p := r.ready[i]
		r.ready = slices.Delete(r.ready, i, i+1)
		s := r.steps[p]
		if idle(s) {
			r.passed(s)
			continue
		}
		r.running[p] = r.job.Now()
		r.busy[placeOf(s)]++
		r.emit(event.Event{
			Kind: event.StepStarted, Stack: p, Action: string(s.Action), Total: s.Resources,
			Cause: s.Cause, Expected: r.own[p].Seconds(), Left: r.left().Seconds(),
		})
		if r.drains() { // telling that it starts could not be written down
			r.unstarted(p)
			return
		}
		w, begun := r.parked[p]
		if !begun {
			w = &worker{run: r, step: s, token: func(n int) string { return r.job.Token(p, n) }}
		}
		delete(r.parked, p)
		own := r.yielding(ctx, w)
		if r.ports.Gated != nil {
			own = r.ports.Gated(own, w.mayBegin, w.begun)
		}
		go func() {
			e := w.perform(own)
			e.worked = w.worked
			w.tell(message{path: p, end: &e})
		}()
	}
}

// unstarted takes back a step for which nothing was done yet.
func (r *run) unstarted(p stacks.Path) {
	delete(r.running, p)
	r.busy[placeOf(r.steps[p])]--
	r.emit(event.Event{Kind: event.StepSkipped, Stack: p, Action: string(NotStarted), Cause: "nothing new is begun"})
}

// place is where a stack lives, as far as AWS limits what goes on at once.
type place struct{ account, region string }

func placeOf(s *plan.Step) place { return place{s.Account, s.Region} }

// idle tells whether a step has nothing to do, so that it takes no room.
func idle(s *plan.Step) bool { return !s.Changing() && !s.Late && !s.Hooked }

// mayStart tells whether the limits leave room for a step.
func (r *run) mayStart(p stacks.Path) bool {
	s := r.steps[p]
	switch {
	case idle(s):
		return true
	case !r.room(), r.heldUp[placeOf(s)] > 0: // one more would only wait behind those
		return false
	}
	return r.job.PlaceLimit == 0 || r.busy[placeOf(s)] < r.job.PlaceLimit
}

// passed ends a step that has nothing to do.
func (r *run) passed(s *plan.Step) {
	outcome := Unchanged
	if s.Action == plan.Skip {
		outcome = Skipped
	}
	r.result.Outcomes[s.Stack] = outcome
	r.finished[s.Stack] = r.job.Now()
	if s.Live != nil {
		r.ports.Decider.Landed(s.Stack, s.Live)
	}
	kind := event.StepDone
	if outcome == Skipped {
		kind = event.StepSkipped
	}
	r.emit(event.Event{Kind: kind, Stack: s.Stack, Action: string(outcome), Cause: s.Cause})
	r.release(s.Stack)
}

// release frees the dependents of a step that ended well.
func (r *run) release(p stacks.Path) {
	for _, d := range r.dependents[p] {
		if r.waiting[d]--; r.waiting[d] == 0 && r.result.Outcomes[d] == "" {
			r.enqueue(d)
		}
	}
}

func (r *run) hear(m message) {
	switch {
	case m.event != nil:
		r.emit(*m.event)
		return
	case m.rests:
		r.rests(r.steps[m.path], m.change)
		return
	case m.wants != nil:
		r.asking = append(r.asking, asker{r.steps[m.path], m.wants})
		return
	}
	r.resumes(r.steps[m.path])
	r.asking = slices.DeleteFunc(r.asking, func(a asker) bool { return a.step.Stack == m.path })
	took := r.job.Now().Sub(r.running[m.path])
	delete(r.running, m.path)
	r.busy[placeOf(r.steps[m.path])]--
	if len(m.end.wait) > 0 {
		r.park(m.path, m.end)
		return
	}
	if m.end.outcome == NotStarted { // which finish says of it
		r.emit(event.Event{Kind: event.StepSkipped, Stack: m.path, Action: string(NotStarted), Cause: m.end.err.Error()})
		return
	}
	r.result.Outcomes[m.path] = m.end.outcome
	r.result.Durations[m.path] = took
	r.finished[m.path] = r.job.Now()
	if m.end.outcome != Unchanged && m.end.outcome != Failed && m.end.outcome != Running && m.end.outcome != Unknown {
		r.forecast.learn(r.own[m.path], took)
	}
	switch m.end.outcome {
	case Failed:
		r.failed(m.path, m.end.err, took)
	case Running, Unknown:
		r.unknown(m.path, m.end, took)
	default:
		if m.end.live != nil {
			r.ports.Decider.Landed(m.path, m.end.live)
		}
		r.emit(event.Event{
			Kind: event.StepDone, Stack: m.path, Action: string(m.end.outcome),
			Seconds: took.Seconds(), Worked: m.end.worked.Seconds(), Left: r.left().Seconds(),
		})
		r.release(m.path)
	}
}

func (r *run) failed(p stacks.Path, err error, took time.Duration) {
	failure := asStepError(p, err)
	r.result.Failures = append(r.result.Failures, failure)
	r.emit(event.Event{
		Kind: event.StepFailed, Stack: p, Action: string(Failed), Reason: failure.What + reason(failure.Why),
		Hint: failure.Tip, Seconds: took.Seconds(),
	})
	r.skipDependents(p, fmt.Sprintf("%s failed", p))
	if r.job.FailFast && !r.draining {
		r.drain(fmt.Sprintf("%s failed%s", p, map[bool]string{true: " and --fail-fast was given"}[r.job.Command != "break"]))
	}
}

// unknown ends a step whose outcome we do not know: we left, or could not look.
func (r *run) unknown(p stacks.Path, e *end, took time.Duration) {
	ev := event.Event{Kind: event.StepUnknown, Stack: p, Action: string(e.outcome), Seconds: took.Seconds()}
	why := fmt.Sprintf("%s is still running", p)
	if e.outcome == Unknown {
		failure := asStepError(p, e.err)
		r.result.Failures = append(r.result.Failures, failure)
		ev.Reason, ev.Hint = failure.What+reason(failure.Why), failure.Tip
		why = fmt.Sprintf("how %s ended is not known", p)
	}
	r.emit(ev)
	r.skipDependents(p, why)
	if lost, ok := errors.AsType[*stacks.UnknownError](e.err); ok && lost.Everywhere && !r.draining {
		r.drain("AWS takes the credentials no longer")
	}
}

func reason(why string) string {
	if why == "" {
		return ""
	}
	return ": " + why
}

// skipDependents skips everything that waits for p, directly or through others,
// each naming the cause at the root.
func (r *run) skipDependents(p stacks.Path, why string) {
	for _, d := range r.dependents[p] {
		if r.result.Outcomes[d] != "" {
			continue
		}
		if _, runs := r.running[d]; runs {
			continue
		}
		r.result.Outcomes[d] = Skipped
		r.emit(event.Event{Kind: event.StepSkipped, Stack: d, Action: string(Skipped), Cause: why})
		r.skipDependents(d, why)
	}
}

func (r *run) drain(why string) {
	r.halt()
	r.emit(event.Event{Kind: event.Draining, Cause: why, Total: len(r.running)})
}

func (r *run) emit(e event.Event) { r.sink.Event(e) }

func (r *run) finish() (Result, error) {
	for p := range r.steps {
		if r.result.Outcomes[p] == "" {
			r.result.Outcomes[p] = NotStarted
			r.result.Interrupted = true
		}
	}
	if r.result.Detached {
		r.result.Interrupted = true
	}
	r.result.Ended = r.job.Now()
	r.result.Critical = r.critical()
	slices.SortFunc(r.result.Failures, func(a, b *StepError) int { return cmp.Compare(a.Stack, b.Stack) })
	var errs *multierror.Error
	for _, f := range r.result.Failures {
		errs = multierror.Append(errs, f)
	}
	r.emit(event.Event{Kind: event.RunFinished, Action: r.job.Command, Seconds: r.result.Ended.Sub(r.result.Started).Seconds()})
	return r.result, errs.ErrorOrNil()
}

// critical walks back from the step that ended last along the dependency that
// ended last: the chain that decided how long the run took.
func (r *run) critical() []stacks.Path {
	var last stacks.Path
	for p := range r.result.Durations {
		if last == "" || r.finished[p].After(r.finished[last]) || (r.finished[p].Equal(r.finished[last]) && p < last) {
			last = p
		}
	}
	var chain []stacks.Path
	for last != "" {
		chain = append(chain, last)
		var before stacks.Path
		for _, d := range r.steps[last].After {
			if _, ran := r.result.Durations[d]; ran && (before == "" || r.finished[d].After(r.finished[before])) {
				before = d
			}
		}
		last = before
	}
	slices.Reverse(chain)
	return chain
}

// asStepError makes any failure of a step one with its stack.
func asStepError(p stacks.Path, err error) *StepError {
	if failure, ok := errors.AsType[*StepError](err); ok {
		return failure
	}
	if many, ok := err.(*multierror.Error); ok && len(many.Errors) == 1 { //nolint:errorlint // one alone needs no list around it
		err = many.Errors[0]
	}
	failure := &StepError{Stack: p, What: "failed", Why: err.Error(), Cause: err}
	if hinted, ok := errors.AsType[interface {
		error
		Hint() string
	}](err); ok {
		failure.Tip = hinted.Hint()
	}
	return failure
}
