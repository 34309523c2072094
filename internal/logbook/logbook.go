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
	"fmt"
	"path"
	"regexp"
	"strings"
	"time"

	"github.com/deployer-cli/deployer/internal/flow"
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

	writing flow.Turn
	synced  map[string]int // how many entries of a book are known to be shared, 0 for not known

	reading flow.Turn
	known   map[string][]record.Entry // what was read of books that are shared
}

// New returns the books below dir, which is made when something is written. run
// names the run that writes; shared is nil where no other machine has to see
// them.
func New(dir, run string, shared Shared) *Books {
	return &Books{
		dir: dir, run: run, shared: shared, files: state.InFiles(dir),
		writing: flow.NewTurn(), synced: map[string]int{}, reading: flow.NewTurn(), known: map[string][]record.Entry{},
	}
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
	return b.add(ctx, env, id, func(ctx context.Context, w *writer) (record.Entry, error) { return w.append(ctx, kind, at, body) })
}

// Judged is an entry that may only follow what allows it.
type Judged struct {
	Kind string
	At   time.Time
	Body any
	May  func(before []record.Entry) error // asked with all entries that come before; it must not use the Books
}

// AppendIf does as Append, but where May says why not: then it is that error, and nothing
// is written. No entry, of whatever machine, comes between those that May was asked with
// and this one.
func (b *Books) AppendIf(ctx context.Context, env, id string, e Judged) (record.Entry, error) {
	return b.add(ctx, env, id, func(ctx context.Context, w *writer) (record.Entry, error) {
		w.may = e.May
		return w.append(ctx, e.Kind, e.At, e.Body)
	})
}

// Begin writes the first entry of a break's journal, as Append does. Where there is
// an entry already, or a document of that break, it is a *BegunError, and nothing is
// written: of two that begin the same break at once only one does.
func (b *Books) Begin(ctx context.Context, env, id, kind string, at time.Time, body any) (record.Entry, error) {
	return b.add(ctx, env, id, func(ctx context.Context, w *writer) (record.Entry, error) {
		kept, err := b.keeps(ctx, w.book)
		if err != nil {
			return record.Entry{}, err
		}
		if kept {
			return record.Entry{}, &BegunError{ID: id}
		}
		return w.begin(ctx, kind, at, body)
	})
}

// BegunError says that a break has a journal already.
type BegunError struct{ ID string }

// Error names the break.
func (e *BegunError) Error() string { return "the break " + e.ID + " was begun already" }

func (b *Books) add(ctx context.Context, env, id string, put func(context.Context, *writer) (record.Entry, error)) (record.Entry, error) {
	k, err := bookOf(env, id)
	if err != nil {
		return record.Entry{}, err
	}
	end, err := b.writing.Take(ctx)
	if err != nil {
		return record.Entry{}, err
	}
	defer end()
	w := &writer{books: b, book: k}
	done, err := w.open(ctx)
	if err != nil {
		return record.Entry{}, err
	}
	if b.shared == nil {
		defer done() // nothing else keeps two from taking the same number
	} else {
		done()
	}
	e, err := put(ctx, w)
	if err != nil {
		delete(b.synced, b.key(k))
		return record.Entry{}, err
	}
	b.synced[b.key(k)] = e.Seq
	return e, nil
}

func (b *Books) key(k book) string { return k.env + "/" + k.id }
