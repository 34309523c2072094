package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/deployer-cli/deployer/internal/chaos"
	"github.com/deployer-cli/deployer/internal/event"
	"github.com/deployer-cli/deployer/internal/ui"
	"github.com/deployer-cli/deployer/stacks"
)

// errDeadline ends watching because max_duration is over.
var errDeadline = errors.New("max_duration is over")

// ahead is how long before the end of max_duration its recovery is announced.
const ahead = 5 * time.Minute

// deadline ends the watch when the break's max_duration is over, as its journal tells
// it: so that it also is for whoever took the watch over. What is still to be broken
// is not any more. state is that of the break, as it was read last. brake may be nil. It
// does nothing with --no-auto-recover.
func (b *breaker) deadline(ctx context.Context, state *chaos.State, sink event.Sink, brake *chaos.Brake, leave context.CancelCauseFunc) (stop func()) {
	if b.opts.noRecover {
		return func() {}
	}
	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	b.pending.Store(true)
	wg.Go(func() {
		defer b.pending.Store(false)
		at, ok := b.deadlineAt(ctx, state.Plan.MaxDuration)
		if !ok {
			return
		}
		b.pending.Store(true)
		early := at.Add(-ahead)
		if b.until(ctx, early) != nil {
			return
		}
		if left := at.Sub(b.clock().Now()); left > 0 {
			sink.Event(event.Event{Kind: event.Warning, Reason: fmt.Sprintf("what is still broken in %s is brought back then: max_duration is over", ui.Span(left.Round(time.Second)))})
		}
		if b.until(ctx, at) != nil {
			return
		}
		if b.onlyStays(ctx, sink) {
			return
		}
		if brake != nil {
			brake.Pull(chaos.Stopped{By: chaos.ByDeadline, Why: "max_duration is over"})
		}
		leave(errDeadline)
	})
	return func() { cancel(); wg.Wait() }
}

// alone tells that nobody is there who could end the watch, and that it is not to bring
// back what is down when max_duration is over.
func (b *breaker) alone() bool { return !b.pending.Load() && !b.app.env.person() }

// onlyStays tells whether there is nothing to bring back when max_duration is over, and
// writes down that it is. Who watches goes on: whether users were back by then is in
// the readings that he has.
func (b *breaker) onlyStays(ctx context.Context, sink event.Sink) bool {
	state, err := b.record.fold(ctx)
	if err != nil || state.Pending() || len(state.Broken()) > 0 {
		return false
	}
	if state.Late.IsZero() && b.record.Write(ctx, chaos.KindStop, overTime()) != nil {
		return false
	}
	sink.Event(event.Event{Kind: event.Warning, Reason: "max_duration is over: all stacks are back, and it is not known yet whether users are"})
	return true
}

// overTime is the entry that says that max_duration is over.
func overTime() chaos.Stop { return chaos.Stop{By: chaos.ByDeadline, Why: "max_duration is over"} }

// deadlineAt waits until something is broken, and tells when max_duration is over; not
// ok where it never is. Where it is not known after as many seconds as longest nobody
// stays for it any more: maybe nothing was broken, or nothing can be read again.
func (b *breaker) deadlineAt(ctx context.Context, longest float64) (time.Time, bool) {
	began := b.clock().Now()
	for {
		state, err := b.record.fold(ctx)
		if err == nil {
			if at, ok := state.Deadline(); ok || state.Plan.MaxDuration <= 0 {
				return at, ok
			}
		}
		if b.clock().Now().Sub(began).Seconds() >= longest {
			b.pending.Store(false)
		}
		if b.clock().Wait(ctx, lookEvery) != nil {
			return time.Time{}, false
		}
	}
}

// until waits for a moment, and does not where it has passed.
func (b *breaker) until(ctx context.Context, at time.Time) error {
	if left := at.Sub(b.clock().Now()); left > 0 {
		return b.clock().Wait(ctx, left)
	}
	return ctx.Err()
}

// afterDeadline brings back what nobody has, and says that the deadline passed. What
// somebody is at is left to them.
func (b *breaker) afterDeadline(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer b.app.interrupts.handle(func(os.Signal) { cancel(cancelledError{}) })()
	if state, err := b.record.fold(ctx); err == nil && state.Finished != nil {
		b.late = true
		return b.stay(ctx) // somebody who watches as well was a moment quicker
	}
	fmt.Fprintf(b.app.talk(), "%s max_duration is over: what is still down is brought back now\n", b.app.err.Warn("deadline:"))
	b.late = true
	late := &lateError{b.id}
	if err := b.overdue(ctx); err != nil {
		if exitCode(err) != exitLocked {
			return b.leftLate(ctx, err)
		}
		fmt.Fprintf(b.app.talk(), "%s %v\n", b.app.err.Warn("left alone:"), err)
	}
	err := b.stay(ctx)
	if o := b.outcome; o != nil && o.state != nil && o.state.Finished != nil {
		return err
	}
	return errors.Join(late, err)
}

// leftLate says how it stands when max_duration is over and what is down was not brought
// back: why that is, err, may be that somebody left.
func (b *breaker) leftLate(ctx context.Context, err error) error {
	brief, done := lastWords(ctx)
	defer done()
	if state, ferr := b.record.fold(brief); ferr == nil {
		b.outcome = &breakOutcome{state: state}
		if b.app.globals.output == "text" {
			b.summary(brief, state)
		}
	}
	if errors.Is(err, context.Canceled) {
		err = b.staysBroken()
	}
	return errors.Join(&lateError{b.id}, err)
}

// overdueTokens is how the tokens of a run begin that brings something back because
// max_duration is over, "" for any other.
func (b *breaker) overdueTokens(run string) string {
	if !b.late {
		return ""
	}
	return tokensOf(run)
}

// overdue writes down that max_duration is over, and recovers what nobody is at.
func (b *breaker) overdue(ctx context.Context) error {
	state, err := b.record.fold(ctx)
	if err != nil {
		return err
	}
	if state.Late.IsZero() {
		if err := b.record.Write(ctx, chaos.KindStop, overTime()); err != nil {
			return err
		}
	}
	k := &knownBreak{place: b.place, record: b.record, state: state}
	if err := b.s.settled(ctx, k); err != nil { // what goes down cannot come back before it is gone
		return err
	}
	if err := b.findOut(ctx, k); err != nil {
		return err
	}
	if err := errors.Join(b.findIntact(ctx, k), b.findTaken(ctx, k)); err != nil {
		return err
	}
	return b.bringBack(ctx, k, recoverOptions{from: "config", yes: true})
}

// findTaken finds out which targets somebody is at: another stack stands under the
// name, whatever its state, or the stack is being changed. Those are left alone.
func (b *breaker) findTaken(ctx context.Context, k *knownBreak) error {
	b.taken = map[stacks.Path]bool{}
	for _, p := range k.state.Order {
		t := k.state.Targets[p]
		live, err := b.stackOrNil(ctx, t.Access, t.Name)
		if err != nil {
			return err
		}
		if live == nil || live.ID == t.StackID && !live.Status.InProgress() {
			continue
		}
		b.taken[p] = true
		if t.Status.Broken() {
			fmt.Fprintf(b.app.talk(), "  %s is left alone: it is %s, by somebody else\n", p, live.Status)
		}
	}
	return nil
}

// lateError says that the team did not get it back in time.
type lateError struct{ id string }

func (e *lateError) Error() string {
	return "not recovered before the deadline"
}

// ExitCode is that of a deadline that has passed.
func (*lateError) ExitCode() int { return exitDeadline }

// Hint tells where to look.
func (e *lateError) Hint() string { return "see: deployer break show " + e.id }
