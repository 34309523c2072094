package state

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"strconv"
	"time"

	"github.com/deployer-cli/deployer/stacks"
)

const history = "history"

// The kinds of entries. A run has one before its first write and one after its
// last; whatever else people do to an environment has one.
const (
	Began    = "began"
	Ended    = "ended"
	Noted    = "noted"    // a lease, an approval, a release
	TookOver = "takeover" // of a dead run's lock
)

// Entry is one line of an environment's history. Each holds the hash of the one
// before, so that none can be changed or taken out unseen.
type Entry struct {
	Seq         int           `json:"seq"`
	Previous    string        `json:"previous"` // "" for the first
	Time        time.Time     `json:"time"`
	Kind        string        `json:"kind"`
	Environment string        `json:"environment"`
	Run         string        `json:"run,omitempty"`
	Command     string        `json:"command"`
	Who         string        `json:"who"`  // ARN
	From        string        `json:"from"` // user, host, the pipeline's job
	Realm       stacks.Realm  `json:"realm"`
	Account     string        `json:"account,omitempty"`
	Digest      string        `json:"digest,omitempty"`
	Approvals   []string      `json:"approvals,omitempty"` // id and ARN of each
	Reason      string        `json:"reason,omitempty"`
	Stacks      []stacks.Path `json:"stacks,omitempty"`
	Result      string        `json:"result,omitempty"`
	Headed      bool          `json:"headed,omitempty"` // there was a Head when it was written
}

// tries bounds how often an entry is put behind those that others put first.
const tries = 20

// Append puts an entry at the end of an environment's history. When it returns
// without an error the entry is stored, and the head knows of it.
func (s *Store) Append(ctx context.Context, e Entry) (Entry, error) {
	last, err := s.end(ctx, e.Environment)
	if err != nil {
		return e, err
	}
	for range tries {
		e.Seq, e.Previous, e.Headed = last.Seq+1, last.Hash, true
		body, err := json.Marshal(e)
		if err != nil {
			return e, err
		}
		_, err = s.Create(ctx, entryKey(e.Environment, e.Seq), body)
		if err == nil {
			return e, s.advance(ctx, Head{Environment: e.Environment, Seq: e.Seq, Hash: versionOf(body)})
		}
		if !errors.Is(err, ErrExists) {
			return e, err
		}
		r, err := s.Get(ctx, entryKey(e.Environment, e.Seq))
		if err != nil {
			return e, err
		}
		last.Seq, last.Hash = e.Seq, versionOf(r.Body)
	}
	return e, fmt.Errorf("the history of %s grows too fast to add to it", e.Environment)
}

// tail gives the number of the last entry, its hash, and whether there was a head
// when it was written.
func (s *Store) tail(ctx context.Context, environment string) (seq int, hash string, headed bool, err error) {
	keys, err := s.List(ctx, path.Join(history, named(environment))+"/")
	if err != nil || len(keys) == 0 {
		return 0, "", false, err
	}
	r, err := s.Get(ctx, keys[len(keys)-1])
	if err != nil {
		return 0, "", false, err
	}
	seq, err = strconv.Atoi(path.Base(r.Key))
	if err != nil {
		return 0, "", false, &BrokenError{Environment: environment, Why: r.Key + " is no entry"}
	}
	var e Entry
	_ = json.Unmarshal(r.Body, &e) // one that cannot be read is told by whoever reads them all
	return seq, versionOf(r.Body), e.Headed, nil
}

func entryKey(environment string, seq int) string {
	return path.Join(history, named(environment), fmt.Sprintf("%08d", seq))
}

// BrokenError says that a history is not as it was written.
type BrokenError struct {
	Environment string
	Why         string
}

// Error says what is wrong with it.
func (e *BrokenError) Error() string {
	return fmt.Sprintf("the history of %s was changed: %s", e.Environment, e.Why)
}

// History reads an environment's entries, oldest first. Where the chain is
// broken, or does not go as far as the head or the lock say that it went, it gives
// what could be read, and a *BrokenError.
func (s *Store) History(ctx context.Context, environment string) ([]Entry, error) {
	until, err := s.reach(ctx, environment)
	if err != nil {
		return nil, err
	}
	keys, err := s.List(ctx, path.Join(history, named(environment))+"/")
	if err != nil {
		return nil, err
	}
	var out []Entry
	var hashes []string
	broken := until.broken
	hash := ""
	for i, key := range keys {
		r, err := s.Get(ctx, key)
		if err != nil {
			return out, err
		}
		var e Entry
		why := ""
		switch {
		case json.Unmarshal(r.Body, &e) != nil:
			why = key + " cannot be read"
		case key != entryKey(environment, i+1) || e.Seq != i+1:
			why = fmt.Sprintf("entry %d is missing", i+1)
		case e.Previous != hash:
			why = fmt.Sprintf("entry %d is not what entry %d was put behind", i, i+1)
		}
		if why != "" && broken == nil {
			broken = &BrokenError{environment, why}
		}
		hash = versionOf(r.Body)
		out, hashes = append(out, e), append(hashes, hash)
	}
	if why := until.missing(out, hashes); why != "" && broken == nil {
		broken = &BrokenError{environment, why}
	}
	return out, broken
}
