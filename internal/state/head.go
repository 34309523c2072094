package state

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path"
)

// Head says how far an environment's history goes, so that it is noticed when its
// newest entries are gone: nothing behind them holds their hashes. It is kept among
// the locks, which runs may change and nobody may remove.
type Head struct {
	Environment string `json:"environment"`
	Seq         int    `json:"seq"`  // of the last entry, 0 before the first
	Hash        string `json:"hash"` // of the last entry
}

func headKey(environment string) string { return path.Join(locks, named(environment), "head") }

// Head reads how far an environment's history goes; ErrAbsent where nothing says
// so, as in those from before there were heads.
func (s *Store) Head(ctx context.Context, environment string) (Head, error) {
	h, _, err := s.head(ctx, environment)
	return h, err
}

func (s *Store) head(ctx context.Context, environment string) (Head, Record, error) {
	r, err := s.Get(ctx, headKey(environment))
	if err != nil {
		return Head{}, r, err
	}
	var h Head
	if json.Unmarshal(r.Body, &h) != nil || h.Seq < 0 {
		return h, r, &BrokenError{Environment: environment, Why: r.Key + ", which says how far it goes, cannot be read"}
	}
	return h, r, nil
}

// advance makes the head say at least h. It never goes back.
func (s *Store) advance(ctx context.Context, h Head) error {
	body, err := json.Marshal(h)
	if err != nil {
		return err
	}
	for range tries {
		now, r, err := s.head(ctx, h.Environment)
		switch {
		case errors.Is(err, ErrAbsent):
			_, err = s.Create(ctx, headKey(h.Environment), body)
		case err == nil && now.Seq >= h.Seq:
			return nil
		case err == nil:
			_, err = s.Replace(ctx, r.Key, body, r.Version)
		}
		if !errors.Is(err, ErrExists) && !errors.Is(err, ErrChanged) {
			return err
		}
	}
	return fmt.Errorf("the history of %s grows too fast to note how far it goes", h.Environment)
}

// end is what the next entry is put behind. Where entries are missing it goes on
// behind those, and where the head is, one further: the gap stays and shows.
func (s *Store) end(ctx context.Context, environment string) (Head, error) {
	seq, hash, headed, err := s.tail(ctx, environment)
	if err != nil {
		return Head{}, err
	}
	last := Head{Environment: environment, Seq: seq, Hash: hash}
	h, err := s.Head(ctx, environment)
	switch {
	case err == nil && h.Seq >= last.Seq:
		return h, nil
	case err == nil:
		return last, nil // whoever wrote the last died before the head knew
	case !errors.Is(err, ErrAbsent):
		return Head{}, err
	}
	l, _, err := s.Lock(ctx, environment)
	if err != nil && !errors.Is(err, ErrAbsent) {
		return Head{}, err
	}
	if headed || l.Wrote > 0 {
		last.Seq, last.Hash = max(last.Seq+1, l.Wrote), ""
	}
	// Before the first entry that relies on it, so that none is ever without.
	return last, s.advance(ctx, last)
}

// reach is how far a history has to go: as it was before its entries are listed,
// for others may add to it meanwhile.
type reach struct {
	head   Head
	headed bool // there is a head
	wrote  int  // the last entry that a holder of the lock wrote
	broken error
}

func (s *Store) reach(ctx context.Context, environment string) (reach, error) {
	var out reach
	l, _, err := s.Lock(ctx, environment)
	if err != nil && !errors.Is(err, ErrAbsent) {
		return out, err
	}
	out.wrote = l.Wrote
	out.head, err = s.Head(ctx, environment)
	if broken, ok := errors.AsType[*BrokenError](err); ok {
		out.broken, err = broken, nil
	} else {
		out.headed = err == nil
	}
	if errors.Is(err, ErrAbsent) {
		err = nil
	}
	return out, err
}

// missing tells what a history lacks at its end, "" for nothing. hashes are those
// of its entries.
func (r *reach) missing(entries []Entry, hashes []string) string {
	last := 0
	needs := r.wrote > 0
	for _, e := range entries {
		last = max(last, e.Seq)
		needs = needs || e.Headed
	}
	until := max(r.head.Seq, r.wrote)
	switch {
	case last < until && last+1 == until:
		return fmt.Sprintf("entry %d, its newest, is missing", until)
	case last < until:
		return fmt.Sprintf("entries %d to %d, its newest, are missing", last+1, until)
	case !r.headed && needs:
		return "what says how far it goes is missing: its newest entries may be too"
	}
	for i, e := range entries {
		if r.headed && e.Seq == r.head.Seq && hashes[i] != r.head.Hash {
			return fmt.Sprintf("entry %d is not the one that was written", e.Seq)
		}
	}
	return ""
}
