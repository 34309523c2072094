package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/deployer-cli/deployer/internal/chaos"
	"github.com/deployer-cli/deployer/internal/logbook"
	"github.com/deployer-cli/deployer/internal/record"
	"github.com/deployer-cli/deployer/internal/state"
)

// asideName is the document by which a person ended a break whose journal cannot be
// used. The journal stays as it is.
const asideName = "aside.json"

// aside says who ended a break whose journal cannot be used, and why.
type aside struct {
	Who    string    `json:"who"` // user and host
	At     time.Time `json:"at"`
	Reason string    `json:"reason"`
	Was    string    `json:"was"` // what was wrong with the journal
}

// damagedError says that a break's journal is not as it was written.
type damagedError struct {
	k     *knownBreak
	cause error
}

func (e *damagedError) Error() string {
	if gone, ok := errors.AsType[*logbook.GoneError](e.cause); ok {
		return gone.Error()
	}
	return fmt.Sprintf("the journal of break %s of %s cannot be used: %s", e.k.record.id, e.k.place.env.Name,
		strings.TrimPrefix(e.cause.Error(), "the break's journal cannot be used: "))
}

// Unwrap gives the cause.
func (e *damagedError) Unwrap() error { return e.cause }

// Hint gives the way out.
func (e *damagedError) Hint() string {
	if e.k.aside != nil {
		return fmt.Sprintf("%s closed it: %s", e.k.aside.Who, e.k.aside.Reason)
	}
	return fmt.Sprintf("see what is down with: deployer status %s; get it back with: deployer launch %s; when you have looked, end the break with: deployer break close %s --reason TEXT (its journal stays as it is)",
		e.k.place.env.Name, e.k.place.env.Name, e.k.record.id)
}

// damage finds out whether somebody ended a break whose journal cannot be used. What cannot be read only now is no damage: it is nobody's to end.
func (k *knownBreak) damage(ctx context.Context) {
	if k.err == nil {
		return
	}
	if !isDamage(k.err) {
		k.err = fmt.Errorf("the journal of break %s: %w", k.record.id, k.err)
		return
	}
	k.err = &damagedError{k, k.err}
	text, err := k.record.books.Get(ctx, k.record.env, k.record.id, asideName)
	var a aside
	if err == nil && json.Unmarshal(text, &a) == nil && a.Reason != "" {
		k.aside = &a
	}
}

func isDamage(err error) bool {
	_, broken := errors.AsType[*record.BrokenError](err)
	_, senseless := errors.AsType[*chaos.JournalError](err)
	_, diverged := errors.AsType[*logbook.DivergedError](err)
	_, gone := errors.AsType[*logbook.GoneError](err)
	return broken || senseless || diverged || gone
}

// putAside ends a break whose journal cannot be used: nothing can be added to it, and
// it must not stand in the way for ever. While a run is at the environment it is left.
func (s *session) putAside(ctx context.Context, e *damagedError, reason string) error {
	k := e.k
	if k.aside != nil {
		return &usageError{fmt.Sprintf("break %s was closed already", k.record.id), e.Hint()}
	}
	if !k.placed() {
		return unlocated(k, "the files do not say, and of a journal that cannot be used nothing else does")
	}
	l, r, err := s.records(k.place.env, k.place.access).Lock(ctx, k.place.env.Name)
	switch {
	case errors.Is(err, state.ErrAbsent):
	case err != nil:
		return err
	default:
		if _, dead := l.Dead(s.signs(l, r)); !dead {
			return l.Refusal()
		}
	}
	text, err := json.Marshal(aside{Who: s.app.from(), At: s.now().UTC(), Reason: reason, Was: e.cause.Error()})
	if err != nil {
		return err
	}
	if _, err := k.record.books.Put(ctx, k.record.env, k.record.id, asideName, append(text, '\n')); err != nil {
		return err
	}
	a := s.app
	fmt.Fprintf(a.env.Stdout, "%s %s\n", a.out.Good("closed"), k.record.id)
	fmt.Fprintf(a.talk(), "%s its journal cannot tell what is not back; see: deployer status %s\n", a.err.Warn("note:"), k.place.env.Name)
	return nil
}
