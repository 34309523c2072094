package logbook

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/lockedfile"

	"github.com/deployer-cli/deployer/internal/linefile"
	"github.com/deployer-cli/deployer/internal/record"
	"github.com/deployer-cli/deployer/internal/state"
)

// suffix of a journal's file.
const suffix = ".jsonl"

func (b *Books) file(k book) string { return filepath.Join(b.dir, k.env, k.id+suffix) }

// open takes a book's file for writing, so that no other process does, and reads
// it. done gives it back. No other place is asked while a file is held: whoever
// hangs on the network keeps nobody else on this machine from theirs.
func (b *Books) open(ctx context.Context, k book) (f *linefile.File, entries []record.Entry, done func(), err error) {
	name := b.file(k)
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return nil, nil, nil, b.failed("the folder of the break's journal cannot be made", err)
	}
	unlock, err := b.lock(ctx, filepath.Join(filepath.Dir(name), ".lock"))
	if err != nil {
		return nil, nil, nil, err
	}
	defer func() {
		if err != nil {
			unlock()
		}
	}()
	if entries, err = b.load(k); err != nil {
		return nil, nil, nil, err
	}
	f, err = linefile.Open(name)
	if err == nil && len(entries) == 0 {
		err = linefile.SyncDir(filepath.Dir(name))
	}
	if err != nil {
		return nil, nil, nil, b.failed("the break's journal cannot be opened", err)
	}
	return f, entries, func() { _ = f.Close(); unlock() }, nil
}

// grace is how long a lock that is free is given to be taken once nobody waits for it
// any more: whoever was interrupted may still have to write down what was done.
const grace = time.Second

// lock takes a lock file. Its holder may be a process that somebody suspended, so
// that whoever gives up does not go on waiting; the lock that comes too late is given
// back.
func (b *Books) lock(ctx context.Context, name string) (unlock func(), err error) {
	type answer struct {
		unlock func()
		err    error
	}
	got := make(chan answer, 1)
	go func() {
		unlock, err := lockedfile.MutexAt(name).Lock()
		got <- answer{unlock, err}
	}()
	given := func(a answer) (func(), error) {
		if a.err != nil {
			return nil, b.failed("the break's journal cannot be locked", a.err)
		}
		return a.unlock, nil
	}
	select {
	case a := <-got:
		return given(a)
	case <-ctx.Done():
	}
	late := time.NewTimer(grace)
	defer late.Stop()
	select {
	case a := <-got:
		return given(a)
	case <-late.C:
	}
	go func() {
		if a := <-got; a.err == nil {
			a.unlock()
		}
	}()
	return nil, context.Cause(ctx)
}

// load reads this machine's entries and verifies them; none where there is no
// file.
func (b *Books) load(k book) ([]record.Entry, error) {
	text, err := os.ReadFile(b.file(k))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, b.failed("the break's journal cannot be read", err)
	}
	entries, err := record.DecodeLines(text)
	if err != nil {
		return nil, err
	}
	return entries, record.Verify(entries)
}

// Environments lists the environments of which there is a journal on this machine,
// sorted.
func (b *Books) Environments() ([]string, error) {
	files, err := os.ReadDir(b.dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, b.failed("the journals of breaks cannot be listed", err)
	}
	var out []string
	for _, f := range files {
		if name, err := url.PathUnescape(f.Name()); err == nil && f.IsDir() && folder(name) == f.Name() {
			out = append(out, name)
		}
	}
	return out, nil
}

// keeps tells whether there is anything of a break besides its journal: documents,
// or its id among those that are shared.
func (b *Books) keeps(ctx context.Context, k book) (bool, error) {
	kept, err := os.ReadDir(filepath.Join(b.dir, k.env, k.id))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, b.failed("what was kept of a break cannot be listed", err)
	}
	if len(kept) > 0 || b.shared == nil {
		return len(kept) > 0, nil
	}
	keys, err := b.shared.List(ctx, path.Join(top, k.env, k.id)+"/")
	if err != nil || len(keys) > 0 {
		return len(keys) > 0, err
	}
	_, err = b.shared.Get(ctx, k.listed())
	if errors.Is(err, state.ErrAbsent) {
		return false, nil
	}
	return err == nil, err
}

// List gives the ids of an environment's breaks, this machine's and those that
// are shared, oldest first; also those of which only documents are left.
func (b *Books) List(ctx context.Context, env string) ([]string, error) {
	if env == "" {
		return nil, errors.New("breaks are listed by environment")
	}
	files, err := os.ReadDir(filepath.Join(b.dir, folder(env)))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, b.failed("the journals of breaks cannot be listed", err)
	}
	var ids []string
	for _, f := range files {
		if id := strings.TrimSuffix(f.Name(), suffix); IsID(id) && f.IsDir() == (id == f.Name()) {
			ids = append(ids, id)
		}
	}
	if b.shared != nil {
		keys, err := b.shared.List(ctx, path.Join(top, folder(env), "ids")+"/")
		if err != nil {
			return nil, err
		}
		for _, key := range keys {
			if id := path.Base(key); IsID(id) {
				ids = append(ids, id)
			}
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids), nil
}

// Put stores a document of a break, such as a capsule, under a name, and reads it
// back from everywhere it went. hash is its SHA-256 in hex. The same document
// may be put again, another one not.
func (b *Books) Put(ctx context.Context, env, id, name string, body []byte) (hash string, err error) {
	k, err := bookOf(env, id)
	if err != nil {
		return "", err
	}
	for _, place := range b.places() {
		key := place.key(k, name)
		if _, err := place.Create(ctx, key, body); err != nil && !errors.Is(err, state.ErrExists) {
			return "", err
		}
		back, err := place.Get(ctx, key)
		if err != nil {
			return "", err
		}
		if !bytes.Equal(back.Body, body) {
			return "", fmt.Errorf("%s of %s is not what was written there", name, id)
		}
	}
	return Sum(body), nil
}

// Get reads a document of a break, from this machine where it has it; one that
// does not exist is state.ErrAbsent. Whoever reads it compares its Sum with the
// journal's.
func (b *Books) Get(ctx context.Context, env, id, name string) ([]byte, error) {
	k, err := bookOf(env, id)
	if err != nil {
		return nil, err
	}
	for _, place := range b.places() {
		r, err := place.Get(ctx, place.key(k, name))
		if err == nil {
			return r.Body, nil
		}
		if !errors.Is(err, state.ErrAbsent) {
			return nil, err
		}
	}
	return nil, fmt.Errorf("%s of %s: %w", name, id, state.ErrAbsent)
}

// Find reads the document with a hash from wherever it is as it was written.
func (b *Books) Find(ctx context.Context, env, id, name, hash string) ([]byte, error) {
	k, err := bookOf(env, id)
	if err != nil {
		return nil, err
	}
	why := state.ErrAbsent
	for _, place := range b.places() {
		r, err := place.Get(ctx, place.key(k, name))
		switch {
		case err == nil && Sum(r.Body) == hash:
			return r.Body, nil
		case err == nil:
			why = errors.New("it is not what was written there")
		case !errors.Is(err, state.ErrAbsent):
			why = err
		}
	}
	return nil, fmt.Errorf("%s of %s: %w", name, id, why)
}

// Sum is the SHA-256 of a document, in hex.
func Sum(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:])
}

// place is one of the places where documents are.
type place struct {
	Shared
	top string
}

func (p place) key(k book, name string) string {
	name = strings.NewReplacer("%", "%25", "/", "%2F", ".", "%2E").Replace(name)
	return path.Join(p.top, k.env, k.id, cmp.Or(name, "%"))
}

func (b *Books) places() []place {
	out := []place{{b.files, ""}}
	if b.shared != nil {
		out = append(out, place{b.shared, top})
	}
	return out
}

// Error says that a book could not be kept or read.
type Error struct {
	what  string
	dir   string
	cause error
}

func (b *Books) failed(what string, err error) error {
	return &Error{what: what, dir: b.dir, cause: err}
}

// Error says what, where and why.
func (e *Error) Error() string {
	return fmt.Sprintf("%s in %s: %s", e.what, e.dir, linefile.Cause(e.cause))
}

// Hint tells what to do about it.
func (e *Error) Hint() string { return linefile.Hint(e.cause) }

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.cause }
