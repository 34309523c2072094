package chaos

import (
	"context"
	"errors"
	"time"

	"github.com/deployer-cli/deployer/internal/event"
	"github.com/deployer-cli/deployer/stacks"
)

// alone is how long a watch goes on blind where nobody is there: design.md section 5 gives
// a run without a terminal two minutes.
const alone = 2 * time.Minute

// bookError is an error of the break's journal, and of nothing else.
type bookError struct{ error }

// Unwrap gives the cause.
func (e *bookError) Unwrap() error { return e.error }

// ofBook marks an error, nil for none, as one of the journal.
func ofBook(err error) error {
	if err == nil {
		return nil
	}
	return &bookError{err}
}

// marked is a book whose errors are marked.
type marked struct{ book Book }

// Write implements Book.
func (m marked) Write(ctx context.Context, kind string, body any) error {
	return ofBook(m.book.Write(ctx, kind, body))
}

// outlast tells that the shared journal cannot be asked, as when credentials have
// expired, and ends nothing for it: what is not written down now is at the next turn.
// Every other error it gives back, also one that leaves something else unknown. Where
// somebody leaves, a call that this cuts off says nothing of the journal.
func (v *watch) outlast(ctx context.Context, err error) error {
	_, journal := errors.AsType[*bookError](err)
	if _, silent := errors.AsType[*stacks.UnknownError](err); !journal || !silent {
		return err
	}
	if ctx.Err() != nil {
		return nil //nolint:nilerr // that somebody leaves is found out by who waits next
	}
	v.blind = err
	if v.said["journal"] == "" {
		v.said["journal"] = "told"
		v.sink.Event(event.Event{Kind: event.Warning, Reason: "the break's journal cannot be reached now: " + err.Error()})
	}
	return nil
}

// forsaken tells that it has been blind for too long where nobody is there: it would be for
// ever. A network that is gone makes nobody blind: it comes back by itself.
func (v *watch) forsaken() bool {
	if v.blind == nil || v.w.Alone == nil || !v.w.Alone() {
		v.dark = time.Time{}
		return false
	}
	if v.dark.IsZero() {
		v.dark = v.clock.Now()
	}
	return v.clock.Now().Sub(v.dark) >= alone
}
