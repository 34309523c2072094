// Package logbook keeps the journals and capsules of breaks: as lines in files of
// the project, and, where the environment has a bucket, in there as well, so that
// another machine can take over.
//
// It does not know what the entries mean, and never changes one that is written.
// What it cannot read, or what is not as it was written, is an error and never
// an empty journal.
package logbook

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"path"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/deployer-cli/deployer/internal/linefile"
	"github.com/deployer-cli/deployer/internal/record"
	"github.com/deployer-cli/deployer/internal/state"
)

// Shared is a place that other machines see: state.Store is one. Create fails
// with state.ErrExists where there is such a key, Get with state.ErrAbsent where
// there is none.
type Shared interface {
	Create(ctx context.Context, key string, body []byte) (version string, err error)
	Get(ctx context.Context, key string) (state.Record, error)
	List(ctx context.Context, prefix string) ([]string, error)
}

// Books are the journals of all breaks of a realm. They are safe for concurrent
// use, by many processes too.
type Books struct {
	dir    string
	run    string
	shared Shared // nil for none
	files  Shared // capsules on this machine

	mu     sync.Mutex
	synced map[string]bool // books whose files and shared entries were compared
}

// New returns the books below dir, which is made when something is written. run
// names the run that writes; shared is nil where no other machine has to see
// them.
func New(dir, run string, shared Shared) *Books {
	return &Books{dir: dir, run: run, shared: shared, files: state.InFiles(dir), synced: map[string]bool{}}
}

// idLetters are those that nobody reads for another.
const idLetters = "abcdefghjkmnpqrstvwxyz23456789"

// NewID makes the id of a break that begins now: short, typeable, and in the
// order of time.
func NewID(now time.Time) string {
	var random [4]byte
	_, _ = rand.Read(random[:]) // never fails, says its documentation
	for i, b := range random {
		random[i] = idLetters[int(b)%len(idLetters)]
	}
	return "b-" + now.UTC().Format("20060102-1504") + "-" + string(random[:])
}

// IsID tells whether a text has the form of a break's id.
func IsID(s string) bool { return regexp.MustCompile(`^b-\d{8}-\d{4}-[a-z0-9]{4}$`).MatchString(s) }

// book is one break's place.
type book struct{ env, id string }

func bookOf(env, id string) (book, error) {
	if env == "" || !IsID(id) {
		return book{}, fmt.Errorf("%q is no break of an environment", id)
	}
	return book{folder(env), id}, nil
}

// folder is an environment's name as part of a key: the same that state gives it.
func folder(env string) string {
	if env == "." {
		return "~"
	}
	return strings.ReplaceAll(env, "/", "~")
}

// top is where the shared keys of breaks are.
const top = "breaks"

func (b book) entry(seq int) string { return path.Join(b.entries(), fmt.Sprintf("%08d", seq)) }
func (b book) entries() string      { return path.Join(top, b.env, b.id, "entries") }
func (b book) listed() string       { return path.Join(top, b.env, "ids", b.id) }

// Append puts an entry at the end of a break's journal. When it returns without
// an error the entry is on this machine's disk and, where there is one, in the
// shared place; else what it announces must not be done. The shared place goes
// first: its numbers can be taken once, so that no two machines can write
// different journals.
func (b *Books) Append(ctx context.Context, env, id, kind string, at time.Time, body any) (record.Entry, error) {
	k, err := bookOf(env, id)
	if err != nil {
		return record.Entry{}, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	f, entries, done, err := b.open(k)
	if err != nil {
		return record.Entry{}, err
	}
	defer done()
	w := &writer{books: b, book: k, file: f, entries: entries}
	e, err := w.append(ctx, kind, at, body)
	if err != nil {
		delete(b.synced, b.key(k))
		return record.Entry{}, err
	}
	return e, nil
}

func (b *Books) key(k book) string { return k.env + "/" + k.id }

// writer adds to one book, whose file nobody else has meanwhile.
type writer struct {
	books   *Books
	book    book
	file    *linefile.File
	entries []record.Entry
}

// tries bounds how often an entry is put behind those that others put first.
const tries = 20

func (w *writer) append(ctx context.Context, kind string, at time.Time, body any) (record.Entry, error) {
	if err := w.sync(ctx); err != nil {
		return record.Entry{}, err
	}
	for range tries {
		e, err := record.Next(w.last(), at, w.books.run, kind, body)
		if err != nil {
			return e, err
		}
		taken, err := w.books.put(ctx, w.book, e)
		if err != nil {
			return e, err
		}
		if !taken { // another machine was first, and its entries come before ours
			if err := w.pull(ctx); err != nil {
				return e, err
			}
			continue
		}
		if err := w.keep(e); err != nil || e.Seq > 1 {
			return e, err
		}
		return e, w.enlist(ctx)
	}
	return record.Entry{}, fmt.Errorf("the journal of %s grows too fast to add to it", w.book.id)
}

func (w *writer) last() *record.Entry {
	if len(w.entries) == 0 {
		return nil
	}
	return &w.entries[len(w.entries)-1]
}

// keep writes an entry into the file.
func (w *writer) keep(e record.Entry) error {
	line, err := e.Line()
	if err == nil {
		err = w.file.Append(line, true)
	}
	if err != nil {
		return w.books.failed("the break's journal cannot be written", err)
	}
	w.entries = append(w.entries, e)
	return nil
}

// sync brings file and shared place to the same length, once: a bucket may have
// been declared after the break began, or the break may have begun elsewhere.
func (w *writer) sync(ctx context.Context) error {
	b := w.books
	if b.shared == nil || b.synced[b.key(w.book)] {
		return nil
	}
	n, err := b.count(ctx, w.book)
	if err != nil {
		return err
	}
	if err := b.agree(ctx, w.book, w.entries, n); err != nil {
		return err
	}
	for _, e := range w.entries[min(n, len(w.entries)):] {
		if taken, err := b.put(ctx, w.book, e); err != nil {
			return err
		} else if !taken {
			return &DivergedError{ID: w.book.id, Seq: e.Seq}
		}
	}
	if err := w.pull(ctx); err != nil {
		return err
	}
	if len(w.entries) > 0 {
		if err := w.enlist(ctx); err != nil {
			return err
		}
	}
	b.synced[b.key(w.book)] = true
	return nil
}

// enlist makes the break known to other machines, once it has an entry.
func (w *writer) enlist(ctx context.Context) error {
	if w.books.shared == nil {
		return nil
	}
	_, err := w.books.shared.Create(ctx, w.book.listed(), []byte(w.book.id))
	if errors.Is(err, state.ErrExists) {
		return nil
	}
	return err
}

// pull takes in what other machines wrote.
func (w *writer) pull(ctx context.Context) error {
	for {
		e, err := w.books.get(ctx, w.book, len(w.entries)+1)
		if errors.Is(err, state.ErrAbsent) {
			return nil
		}
		if err == nil {
			err = record.Follows(w.last(), e)
		}
		if err != nil {
			return err
		}
		if err := w.keep(e); err != nil {
			return err
		}
	}
}

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
// shared beyond it. One that does not exist is state.ErrAbsent.
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
		return nil, fmt.Errorf("break %s of %s: %w", id, env, state.ErrAbsent)
	}
	return entries, nil
}

// extend adds what is shared beyond this machine's entries.
func (b *Books) extend(ctx context.Context, k book, entries []record.Entry) ([]record.Entry, error) {
	n, err := b.count(ctx, k)
	if err != nil {
		return nil, err
	}
	if err := b.agree(ctx, k, entries, n); err != nil {
		return nil, err
	}
	for seq := len(entries) + 1; seq <= n; seq++ {
		e, err := b.get(ctx, k, seq)
		if err != nil {
			return nil, err
		}
		entries = append(entries, e)
	}
	return entries, record.Verify(entries)
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
