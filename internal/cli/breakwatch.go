package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/deployer-cli/deployer/internal/awsconf"
	"github.com/deployer-cli/deployer/internal/chaos"
	"github.com/deployer-cli/deployer/internal/event"
	"github.com/deployer-cli/deployer/internal/graph"
	"github.com/deployer-cli/deployer/internal/probe"
	"github.com/deployer-cli/deployer/internal/steady"
	"github.com/deployer-cli/deployer/internal/ui"
	"github.com/deployer-cli/deployer/stacks"
)

// watchEnd is how watching ended.
type watchEnd struct {
	state *chaos.State
	err   error
}

// stackProbes are the probes of an environment that declares none: one for each
// target, and for what depends on them, as far as that lives now.
func (b *breaker) stackProbes(live map[string]*stacks.Live) []steady.Probe {
	paths := slices.Clone(b.targets)
	for _, p := range b.sc.whole.Closure(graph.Down, b.targets...) {
		st := b.stack(p)
		if st == nil || st.Environment != b.place.env || st.Ignore || st.Obsolete || slices.Contains(paths, p) {
			continue
		}
		if l := live[st.Name]; l != nil && l.Status.Exists() {
			paths = append(paths, p)
		}
	}
	return steady.ForStacks(stacks.SortPaths(paths))
}

// watch runs probes, lever and looks beside the break, until everything is back
// or ctx ends. down says that the calls have been made.
func (b *breaker) watch(ctx context.Context, state *chaos.State, brake *chaos.Brake, sink event.Sink, down *atomic.Bool) <-chan watchEnd {
	probes := slices.Concat(b.probes, guarding(b.along))
	inner, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	readings := newQueue()
	guards := map[string]*steady.Track{}
	for _, p := range probes {
		if p.Role == steady.Guard {
			guards[p.Name] = steady.NewTrack(p)
		}
	}
	wg.Go(func() {
		probe.Run(inner, probes, b.s.probePorts(b.access, b.clock()), func(r steady.Reading) {
			readings.put(r)
			if t := guards[r.Probe]; t != nil && !down.Load() {
				t.Add(r)
				if t.Failing(steady.Failures) {
					brake.Pull(chaos.Stopped{By: chaos.ByProbe, Why: fmt.Sprintf("the guard probe %s failed twice: %s", r.Probe, r.Why), Tip: "what it guards comes first; get back what is down with: deployer recover"})
				}
			}
		})
	})
	wg.Go(func() { readings.pump(inner) })
	if brake != nil {
		wg.Go(func() { b.leash(inner, brake, down) })
	}
	ended := make(chan watchEnd, 1)
	look := &looker{s: b.s, record: b.record, down: down, by: map[string]made{}, insides: map[string]inside{}, arg: state.Plan.Argument, undone: b.undone}
	go func() {
		final, err := chaos.Watch(ctx, chaos.Watching{
			State: state, Probes: probes, Readings: readings.out, Every: lookEvery, Run: b.s.run, Missed: func() { b.announce(ctx, event.Missed) },
			Alone: func() bool { return down.Load() && b.alone() }, Barred: awsconf.IsCredentials,
		}, look, b.record, b.clock(), sink)
		cancel()
		wg.Wait()
		if err == nil {
			b.told(ctx, final)
		}
		ended <- watchEnd{final, err}
	}()
	return ended
}

// leash stops the break when the lever is engaged, or somebody stops it from
// elsewhere, until everything is down.
func (b *breaker) leash(ctx context.Context, brake *chaos.Brake, down *atomic.Bool) {
	for !down.Load() {
		if t, err := b.lever(ctx); err != nil && ctx.Err() == nil {
			brake.Pull(chaos.Stopped{By: chaos.ByLever, Why: "the lever cannot be read: " + err.Error(), Tip: "what cannot be read counts as engaged"})
		} else if t.Engaged {
			brake.Pull(chaos.Stopped{By: chaos.ByLever, Why: fmt.Sprintf("the lever is engaged: %s (%s)", t.Reason, t.By), Tip: "see: deployer break lever show"})
		}
		if state, err := b.record.fold(ctx); err == nil && state.Stopped != nil {
			brake.Pull(chaos.Stopped{By: state.Stopped.By, Why: state.Stopped.Why, Tip: "get back what is down with: deployer recover"})
		}
		if b.clock().Wait(ctx, lookEvery) != nil {
			return
		}
	}
}

// queue keeps readings until somebody takes them: a probe never waits.
type queue struct {
	mu   sync.Mutex
	list []steady.Reading
	more chan struct{}
	out  chan steady.Reading
}

func newQueue() *queue {
	return &queue{more: make(chan struct{}, 1), out: make(chan steady.Reading)}
}

func (q *queue) put(r steady.Reading) {
	q.mu.Lock()
	q.list = append(q.list, r)
	q.mu.Unlock()
	select {
	case q.more <- struct{}{}:
	default:
	}
}

func (q *queue) take() []steady.Reading {
	q.mu.Lock()
	defer q.mu.Unlock()
	list := q.list
	q.list = nil
	return list
}

func (q *queue) pump(ctx context.Context) {
	for {
		for _, r := range q.take() {
			select {
			case q.out <- r:
			case <-ctx.Done():
				return
			}
		}
		select {
		case <-q.more:
		case <-ctx.Done():
			return
		}
	}
}

// looker looks at the targets of one break.
type looker struct {
	s        *session
	record   *breakRecord
	down     *atomic.Bool // the calls were made: the old stacks may be judged
	by       map[string]made
	insides  map[string]inside
	arg      string               // of the kind
	undone   map[stacks.Path]bool // by this process
	compared *comparison
}

// made is what the events of a new stack tell.
type made struct {
	by     chaos.By
	token  string
	since  time.Time
	status stacks.Status
}

// Refold implements chaos.Looker.
func (l *looker) Refold(ctx context.Context) (*chaos.State, error) { return l.record.fold(ctx) }

// Look implements chaos.Looker: one sweep for each way of reaching the targets.
func (l *looker) Look(ctx context.Context, st *chaos.State) (map[stacks.Path]chaos.Sight, error) {
	swept := map[stacks.Access]map[string]*stacks.Live{}
	out := map[stacks.Path]chaos.Sight{}
	for _, p := range st.Order {
		t := st.Targets[p]
		names, ok := swept[t.Access]
		if !ok {
			var err error
			if names, err = (sweeper{l.s.cfn}).Sweep(ctx, t.Access); err != nil {
				return nil, err
			}
			swept[t.Access] = names
		}
		sight, err := l.one(ctx, t, names[t.Name])
		if err != nil {
			return nil, err
		}
		if sight.ID != "" && sight.ID != t.StackID {
			in, err := l.inside(ctx, t, names[t.Name], st)
			if err != nil {
				return nil, err
			}
			sight.Status, sight.Empty = in.status, in.empty
		}
		out[p] = sight
	}
	return out, nil
}

func (l *looker) one(ctx context.Context, t *chaos.Target, live *stacks.Live) (chaos.Sight, error) {
	var sight chaos.Sight
	if live != nil {
		sight.ID, sight.Status, sight.Begun = live.ID, live.Status, live.Created
	}
	rebuilt := sight.ID != "" && sight.ID != t.StackID // whatever was injected went with the old one
	if !rebuilt && len(t.Deeds) > 0 && t.Deeds[0].Verb != stacks.Delete {
		return l.marked(ctx, t, live, sight)
	}
	if rebuilt {
		m, err := l.madeBy(ctx, t.Access, live)
		if err != nil {
			return sight, err
		}
		sight.By, sight.Token, sight.Since = m.by, m.token, m.since
		return l.taken(ctx, t, sight)
	}
	if d := t.Deed(""); d != nil && l.down.Load() && (d.Status == chaos.StatusAccepted || d.Status == chaos.StatusIntended) {
		return l.old(ctx, t, d, live, sight)
	}
	return sight, nil
}

// taken looks in the events of the stack that was broken whether AWS took its deletion,
// where that was announced and nobody saw the answer.
func (l *looker) taken(ctx context.Context, t *chaos.Target, sight chaos.Sight) (chaos.Sight, error) {
	d := t.Deed("")
	if d == nil || d.Status != chaos.StatusIntended || !d.Accepted.IsZero() || t.NewID != "" {
		return sight, nil
	}
	events, err := l.s.eventsOf(ctx, t.Access, t.StackID)
	if err != nil && !absent(err) {
		return sight, err
	}
	sight.Taken, _ = d.Taken(events)
	return sight, nil
}

// old looks how the deletion of the stack that was broken goes, when nobody else
// is watching it. What still looks whole may be a stale read right after the call.
func (l *looker) old(ctx context.Context, t *chaos.Target, d *chaos.Deed, live *stacks.Live, sight chaos.Sight) (chaos.Sight, error) {
	status := stacks.DeleteComplete
	if live == nil {
		known, err := l.s.cfn.Stack(ctx, t.Access, t.StackID)
		switch {
		case absent(err):
		case err != nil:
			return sight, err
		default:
			status = known.Status
		}
	} else {
		status = live.Status
	}
	const settled = 2 * time.Minute
	if status.Healthy() && l.s.now().Sub(or2(d.Accepted, d.Intended)) < settled {
		return sight, nil
	}
	sight.Old = status
	return l.taken(ctx, t, sight)
}

func or2(a, b time.Time) time.Time {
	if a.IsZero() {
		return b
	}
	return a
}

// madeBy reads off the events of a new stack who made it, and since when it has
// its status.
func (l *looker) madeBy(ctx context.Context, a stacks.Access, live *stacks.Live) (made, error) {
	m := l.by[live.ID]
	if m.status == live.Status {
		return m, nil
	}
	m = made{status: live.Status}
	events, err := l.s.eventsOf(ctx, a, live.ID)
	if err != nil {
		return m, err
	}
	for _, e := range events {
		if e.OfStack() && e.Status == string(live.Status) {
			m.since = e.Time
		}
	}
	m.by, m.token = chaos.HandOf(events, live.ID)
	if live.Status.InProgress() {
		m.status = "" // its end is looked up again
	}
	l.by[live.ID] = m
	return m, nil
}

// ended turns how everything went into the error that the command ends with.
func (b *breaker) ended(ctx context.Context, end watchEnd, runErr error) error {
	var stopped *chaos.Stopped
	if s, ok := errors.AsType[*chaos.Stopped](runErr); ok {
		stopped = s
	}
	left := errors.Is(end.err, errDetached) || errors.Is(end.err, context.Canceled)
	switch {
	case end.err != nil && !left:
		return errors.Join(runErr, b.unsure(end.err))
	case end.state != nil && end.state.Finished != nil && stopped == nil && runErr == nil:
		return b.verdict(ctx, end.state)
	case stopped != nil:
		return b.withWay(stopped, end.state)
	case runErr != nil:
		if end.state != nil {
			if _, unbroken := end.state.Unbroken(); unbroken {
				return &unbrokenError{flatten(runErr)}
			}
		}
		return &partlyError{flatten(runErr), b.recoverWith()}
	case errors.Is(end.err, errDetached):
		if end.state != nil && len(end.state.Broken()) > 0 && b.app.globals.output == "text" {
			fmt.Fprintln(b.app.talk(), b.app.advice("get it back with: deployer recover; watch with: deployer break resume"))
		}
		return nil
	}
	if s := end.state; s != nil && !s.Pending() && len(s.Broken()) == 0 && len(s.Awaited()) > 0 {
		return &leftError{
			"left: all stacks are back; not known to be good again: " + strings.Join(s.Awaited(), ", "),
			"watch it with: deployer break resume " + b.id + "\nif that will not come, end it with: deployer break close " + b.id + " --reason TEXT",
		}
	}
	return b.staysBroken()
}

// staysBroken says that somebody left while something was down.
func (b *breaker) staysBroken() error {
	return &leftError{"left: " + b.place.env.Name + " stays broken", "watch it with: deployer break resume " + b.id + "\nget it back with: deployer recover " + b.id}
}

// withWay gives a stop the way back, where there is one to go and it names none.
func (b *breaker) withWay(stopped *chaos.Stopped, st *chaos.State) *chaos.Stopped {
	out := *stopped
	switch {
	case st != nil && st.Stamps[chaos.T0].Recorded() && len(st.Broken()) == 0:
		out.Tip = "what was down is back: see deployer break show " + b.id
	case out.Tip != "" || st == nil:
	case len(st.Broken()) > 0:
		out.Tip = fmt.Sprintf("%d of %d stacks are down; %s", len(st.Broken()), len(st.Order), b.recoverWith())
	case !st.Touched():
		out.Tip = "nothing was touched"
	}
	return &out
}

func (b *breaker) recoverWith() string { return "get back what is down with: deployer recover " + b.id }

// goOnWith is what to do where a resumed break is refused to go on.
func (b *breaker) goOnWith() string {
	return "mend that, and go on with: deployer break resume " + b.id + "\nor " + b.recoverWith()
}

// leftError says that somebody left before everything was back.
type leftError struct{ what, hint string }

func (e *leftError) Error() string { return e.what }
func (e *leftError) Hint() string  { return e.hint }
func (e *leftError) ExitCode() int { return exitInterrupted }

// partlyError says that not everything that was to be broken is.
type partlyError struct {
	errs []error
	hint string
}

func (e *partlyError) Error() string { return "partly broken: " + e.Unwrap().Error() }

// Unwrap gives all in one: it is told as a whole, with the one way back.
func (e *partlyError) Unwrap() error { return errors.Join(e.errs...) }
func (e *partlyError) ExitCode() int { return exitPartly }

// Hint gives the way back.
func (e *partlyError) Hint() string { return e.hint }

// unbrokenError says that nothing was broken: AWS refused it, or turned it back.
type unbrokenError struct{ errs []error }

func (e *unbrokenError) Error() string { return "nothing was broken: " + e.Unwrap().Error() }

// Unwrap gives all in one.
func (e *unbrokenError) Unwrap() error { return errors.Join(e.errs...) }
func (e *unbrokenError) ExitCode() int { return exitFailed }

// Hint says that there is nothing to do.
func (e *unbrokenError) Hint() string { return "there is nothing to recover" }

// verdict is the error that a break ends with that everybody has recovered from.
func (b *breaker) verdict(_ context.Context, st *chaos.State) error {
	if st.Exit() == exitDeadline {
		return &lateError{b.id}
	}
	return recoveredAs(st)
}

// recoveredAs turns a finished break into its exit code.
func recoveredAs(st *chaos.State) error {
	if code := st.Exit(); code != exitOK {
		return &exitError{code}
	}
	return nil
}

// summary writes how the break went.
func (b *breaker) summary(ctx context.Context, st *chaos.State) {
	if st != nil {
		all := b.s.readable(context.WithoutCancel(ctx))
		ui.ShowExercise(b.app.env.Stdout, b.app.out, st, all, b.app.outColumns())
	}
}
