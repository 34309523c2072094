package logbook

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/deployer-cli/deployer/internal/linefile"
	"github.com/deployer-cli/deployer/internal/record"
	"github.com/deployer-cli/deployer/internal/state"
)

// writer adds to one book. Where nothing is shared nobody else has its file meanwhile;
// else the file is taken only to write into it, and the shared place tells who was
// first.
type writer struct {
	books   *Books
	book    book
	file    *linefile.File // nil while it is not held
	kept    int            // how many of the entries are in the file
	entries []record.Entry
	may     func(before []record.Entry) error // nil: always
}

// open takes the file, and gives it back with done.
func (w *writer) open(ctx context.Context) (done func(), err error) {
	f, entries, give, err := w.books.open(ctx, w.book)
	if err != nil {
		return nil, err
	}
	w.file, w.entries, w.kept = f, entries, len(entries)
	return func() { w.file = nil; give() }, nil
}

// tries bounds how often an entry is put behind those that others put first.
const tries = 20

func (w *writer) append(ctx context.Context, kind string, at time.Time, body any) (record.Entry, error) {
	if err := w.sync(ctx); err != nil {
		return record.Entry{}, err
	}
	for range tries {
		if w.may != nil {
			if err := w.may(w.entries); err != nil {
				return record.Entry{}, err
			}
		}
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
		w.entries = append(w.entries, e)
		if err := w.keep(ctx); err != nil || e.Seq > 1 {
			return e, err
		}
		return e, w.enlist(ctx)
	}
	return record.Entry{}, fmt.Errorf("the journal of %s grows too fast to add to it", w.book.id)
}

// begin puts the very first entry, or none.
func (w *writer) begin(ctx context.Context, kind string, at time.Time, body any) (record.Entry, error) {
	if err := w.sync(ctx); err != nil {
		return record.Entry{}, err
	}
	if len(w.entries) > 0 {
		return record.Entry{}, &BegunError{ID: w.book.id}
	}
	e, err := record.Next(nil, at, w.books.run, kind, body)
	if err != nil {
		return e, err
	}
	taken, err := w.books.put(ctx, w.book, e)
	if err == nil && !taken {
		err = &BegunError{ID: w.book.id}
	}
	if err == nil {
		w.entries = append(w.entries, e)
		err = w.keep(ctx)
	}
	if err != nil {
		return e, err
	}
	return e, w.enlist(ctx)
}

func (w *writer) last() *record.Entry {
	if len(w.entries) == 0 {
		return nil
	}
	return &w.entries[len(w.entries)-1]
}

// keep writes into the file what it lacks of the entries. Another process may have
// done so meanwhile, and more.
func (w *writer) keep(ctx context.Context) error {
	if w.file == nil {
		known := w.entries
		done, err := w.open(ctx)
		if err != nil {
			return err
		}
		defer done()
		if both := min(len(known), w.kept); both > 0 && known[both-1].Hash() != w.entries[both-1].Hash() {
			return &DivergedError{ID: w.book.id, Seq: both}
		}
		if w.kept < len(known) {
			w.entries = known
		}
	}
	for ; w.kept < len(w.entries); w.kept++ {
		line, err := w.entries[w.kept].Line()
		if err == nil {
			err = w.file.Append(line, true)
		}
		if err != nil {
			return w.books.failed("the break's journal cannot be written", err)
		}
	}
	return nil
}

// sync brings what is known and what is shared to the same length: a bucket may have
// been declared after the break began, or the break may have begun elsewhere. They are
// compared once; from then on what is not shared was written by who does not know of the
// bucket.
func (w *writer) sync(ctx context.Context) error {
	b := w.books
	if b.shared == nil {
		return nil
	}
	if n := b.synced[b.key(w.book)]; n > 0 {
		return w.push(ctx, n)
	}
	n, err := b.count(ctx, w.book)
	if err != nil {
		return err
	}
	if err := b.agree(ctx, w.book, w.entries, n); err != nil {
		return err
	}
	if err := w.push(ctx, n); err != nil {
		return err
	}
	missing, err := b.fetch(ctx, w.book, len(w.entries)+1, n)
	if err != nil {
		return err
	}
	for _, e := range missing {
		if err := w.take(e); err != nil {
			return err
		}
	}
	if len(w.entries) > 0 {
		return w.enlist(ctx)
	}
	return nil
}

// push shares the entries that follow the first n.
func (w *writer) push(ctx context.Context, n int) error {
	for _, e := range w.entries[min(n, len(w.entries)):] {
		taken, err := w.books.put(ctx, w.book, e)
		if err != nil {
			return err
		}
		if !taken {
			return &DivergedError{ID: w.book.id, Seq: e.Seq}
		}
	}
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

// pull takes in what other machines wrote meanwhile.
func (w *writer) pull(ctx context.Context) error {
	for {
		e, err := w.books.get(ctx, w.book, len(w.entries)+1)
		if errors.Is(err, state.ErrAbsent) {
			return nil
		}
		if err == nil {
			err = w.take(e)
		}
		if err != nil {
			return err
		}
	}
}

// take adds an entry of another machine's, if it follows.
func (w *writer) take(e record.Entry) error {
	if err := record.Follows(w.last(), e); err != nil {
		return err
	}
	w.entries = append(w.entries, e)
	return nil
}
