package state

import (
	"context"
	"encoding/json"
	"errors"
	"path"
	"sync"
	"time"

	"github.com/deployer-cli/deployer/internal/guard"
)

const locks = "locks"

// Held is a lock that is ours, to be renewed until it is given back.
type Held struct {
	store *Store
	now   func() time.Time

	mu      sync.Mutex
	lock    guard.Lock
	version string
	before  string
}

// Before is the version of the record that was replaced, "" where there was
// none.
func (h *Held) Before() string { return h.before }

// LockedError says that somebody else holds a lock.
type LockedError struct{ Lock guard.Lock }

// Error names the holder.
func (e *LockedError) Error() string { return e.Lock.Environment + " is locked by " + e.Lock.Says() }

// Taken is what a lock was when it was taken over.
type Taken struct {
	From guard.Lock
	Why  string
}

// Acquire takes an environment's lock. One that a living other holds is a
// *LockedError; one whose holder is dead is taken over, and told. signs reads
// what can be told of a holder from here.
func (s *Store) Acquire(ctx context.Context, l guard.Lock, signs func(guard.Lock, Record) guard.Signs, now func() time.Time) (*Held, *Taken, error) {
	key := path.Join(locks, named(l.Environment))
	l.Beat = now().UTC()
	body, err := json.Marshal(l)
	if err != nil {
		return nil, nil, err
	}
	version, err := s.Create(ctx, key, body)
	if err == nil {
		return &Held{store: s, now: now, lock: l, version: version}, nil, nil
	}
	if !errors.Is(err, ErrExists) {
		return nil, nil, err
	}
	found, record, err := s.Lock(ctx, l.Environment)
	if err != nil {
		return nil, nil, err
	}
	if found.Run == l.Run && !found.Released { // by an attempt of ours, whose answer was lost
		return &Held{store: s, now: now, lock: l, version: record.Version}, nil, nil
	}
	why, dead := found.Dead(signs(found, record))
	if !dead {
		return nil, nil, &LockedError{found}
	}
	l.Wrote = found.Wrote
	if body, err = json.Marshal(l); err != nil {
		return nil, nil, err
	}
	if version, err = s.Replace(ctx, key, body, record.Version); errors.Is(err, ErrChanged) {
		var now Record
		if found, now, err = s.Lock(ctx, l.Environment); err == nil && found.Run != l.Run {
			err = &LockedError{found} // somebody was quicker
		}
		version = now.Version
	}
	if err != nil {
		return nil, nil, err
	}
	held := &Held{store: s, now: now, lock: l, version: version, before: record.Version}
	if found.Released {
		return held, nil, nil
	}
	return held, &Taken{From: found, Why: why}, nil
}

// Lock reads an environment's lock; ErrAbsent when it never had one. A lock
// that cannot be read is somebody's.
func (s *Store) Lock(ctx context.Context, environment string) (guard.Lock, Record, error) {
	r, err := s.Get(ctx, path.Join(locks, named(environment)))
	if err != nil {
		return guard.Lock{}, r, err
	}
	var l guard.Lock
	if json.Unmarshal(r.Body, &l) != nil || l.Run == "" {
		l = guard.Lock{Environment: environment, Run: "?", Command: "a lock that cannot be read", Host: "?"}
	}
	return l, r, nil
}

// Wrote notes the number of an entry of the history that the holder wrote. It is
// in the record from the next Renew or Release on.
func (h *Held) Wrote(seq int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.lock.Wrote = max(h.lock.Wrote, seq)
}

// Renew shows that the holder lives. ErrChanged says that the lock is lost.
func (h *Held) Renew(ctx context.Context) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	next := h.lock
	next.Beat = h.now().UTC()
	return h.write(ctx, next)
}

// Release gives the lock back. A lock that was lost meanwhile is left alone.
func (h *Held) Release(ctx context.Context) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	next := h.lock
	next.Released, next.Beat = true, h.now().UTC()
	if err := h.write(ctx, next); !errors.Is(err, ErrChanged) {
		return err
	}
	return nil
}

func (h *Held) write(ctx context.Context, l guard.Lock) error {
	body, err := json.Marshal(l)
	if err != nil {
		return err
	}
	key := path.Join(locks, named(l.Environment))
	version, err := h.store.Replace(ctx, key, body, h.version)
	if errors.Is(err, ErrChanged) {
		// By an earlier call of ours, whose answer never came? Nobody else writes our run.
		found, r, failed := h.store.Lock(ctx, l.Environment)
		if failed != nil && !errors.Is(failed, ErrAbsent) {
			return failed
		}
		if failed != nil || found.Run != h.lock.Run || found.Released {
			return err
		}
		version, err = h.store.Replace(ctx, key, body, r.Version)
	}
	if err != nil {
		return err
	}
	h.lock, h.version = l, version
	return nil
}
