package logbook

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/deployer-cli/deployer/internal/record"
	"github.com/deployer-cli/deployer/internal/state"
)

// put stores an entry under its number; taken is false where another one has
// it. That the very same entry is there is success: the answer to an earlier
// attempt was lost.
func (b *Books) put(ctx context.Context, k book, e record.Entry) (taken bool, err error) {
	if b.shared == nil {
		return true, nil
	}
	line, err := e.Line()
	if err != nil {
		return false, err
	}
	_, err = b.shared.Create(ctx, k.entry(e.Seq), line)
	if !errors.Is(err, state.ErrExists) {
		return err == nil, err
	}
	there, err := b.get(ctx, k, e.Seq)
	return err == nil && there.Hash() == e.Hash(), err
}

// get reads one shared entry.
func (b *Books) get(ctx context.Context, k book, seq int) (record.Entry, error) {
	r, err := b.shared.Get(ctx, k.entry(seq))
	if err != nil {
		return record.Entry{}, err
	}
	e, err := record.Decode(r.Body)
	if err != nil || e.Seq != seq {
		return e, &record.BrokenError{Seq: seq, Why: "what is shared is not what was written"}
	}
	return e, nil
}

// count is how many entries are shared. A gap between them is a broken record.
func (b *Books) count(ctx context.Context, k book) (int, error) {
	keys, err := b.shared.List(ctx, k.entries()+"/")
	if err != nil {
		return 0, err
	}
	for i, key := range keys {
		if key != k.entry(i+1) {
			return 0, &record.BrokenError{Seq: i + 1, Why: "it is missing among those that are shared"}
		}
	}
	return len(keys), nil
}

// agree holds this machine's entries and the n shared ones to being the same as
// far as both go. The last of them stands for all: each holds the hash of those
// before.
func (b *Books) agree(ctx context.Context, k book, local []record.Entry, n int) error {
	both := min(len(local), n)
	if both == 0 {
		return nil
	}
	e, err := b.get(ctx, k, both)
	if err != nil {
		return err
	}
	if e.Hash() != local[both-1].Hash() {
		return &DivergedError{ID: k.id, Seq: both}
	}
	return nil
}

// Read gives a break's journal, whole and verified: this machine's, and what is
// shared beyond it. One that does not exist is state.ErrAbsent; where something else
// was kept of that break it is a *GoneError. The answer is not to be changed.
func (b *Books) Read(ctx context.Context, env, id string) ([]record.Entry, error) {
	k, err := bookOf(env, id)
	if err != nil {
		return nil, err
	}
	entries, err := b.load(k)
	if err != nil {
		return nil, err
	}
	if b.shared != nil {
		if entries, err = b.extend(ctx, k, entries); err != nil {
			return nil, err
		}
	}
	if len(entries) == 0 {
		kept, err := b.keeps(ctx, k)
		if err != nil {
			return nil, err
		}
		if kept {
			return nil, &GoneError{ID: id}
		}
		return nil, fmt.Errorf("break %s of %s: %w", id, env, state.ErrAbsent)
	}
	return entries, nil
}

// GoneError says that a break was begun, and that its journal is not there.
type GoneError struct{ ID string }

// Error names the break.
func (e *GoneError) Error() string {
	return "the journal of break " + e.ID + " is gone, while what was kept with it is there"
}

// extend adds what is shared beyond this machine's entries. What was read before
// is not fetched again: whoever watches reads often.
func (b *Books) extend(ctx context.Context, k book, entries []record.Entry) ([]record.Entry, error) {
	end, err := b.reading.Take(ctx)
	if err != nil {
		return nil, err
	}
	defer end()
	known, local := b.known[b.key(k)], len(entries)
	if len(known) > local && (local == 0 || known[local-1].Hash() == entries[local-1].Hash()) {
		entries = known
	}
	n, err := b.count(ctx, k)
	if err != nil {
		return nil, err
	}
	if err := b.agree(ctx, k, entries, n); err != nil {
		return nil, err
	}
	missing, err := b.fetch(ctx, k, len(entries)+1, n)
	if err != nil {
		return nil, err
	}
	entries = append(slices.Clip(entries), missing...)
	if err := record.Verify(entries); err != nil {
		return nil, err
	}
	b.known[b.key(k)] = entries
	return entries, nil
}

// atOnce is how many entries are fetched at the same time.
const atOnce = 8

// fetch reads the shared entries from one number to another, both included.
func (b *Books) fetch(ctx context.Context, k book, from, to int) ([]record.Entry, error) {
	if to < from {
		return nil, nil
	}
	out := make([]record.Entry, to-from+1)
	errs := make([]error, len(out))
	var next atomic.Int64
	var readers sync.WaitGroup
	for range min(atOnce, len(out)) {
		readers.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(out); i = int(next.Add(1)) - 1 {
				out[i], errs[i] = b.get(ctx, k, from+i)
			}
		})
	}
	readers.Wait()
	if i := slices.IndexFunc(errs, func(err error) bool { return err != nil }); i >= 0 {
		return nil, errs[i]
	}
	return out, nil
}

// DivergedError says that this machine and the shared place hold different
// journals of one break.
type DivergedError struct {
	ID  string
	Seq int // the last entry that both have, and that differs
}

// Error names the break and the entry.
func (e *DivergedError) Error() string {
	return fmt.Sprintf("the journal of %s on this machine is not the shared one: entry %d differs", e.ID, e.Seq)
}

// Hint tells what to do about it.
func (e *DivergedError) Hint() string {
	return "the shared one counts: put this machine's file aside, after you have looked what it says"
}
