package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"time"

	sqlite "modernc.org/sqlite" // also registers the driver
	code "modernc.org/sqlite/lib"
)

const (
	readers     = 4                      // connections for views
	busyTimeout = 250 * time.Millisecond // how long SQLite itself waits for a lock
	lockWait    = 30 * time.Second       // how long we wait for it in all
	busyPause   = 5 * time.Millisecond
)

// SQLite is a store in a file that many processes may have open at once. A
// process that is killed at any moment leaves what it committed and nothing
// else.
type SQLite struct {
	path  string
	db    *sql.DB
	write *pool
	read  *pool
}

// Open opens the store in the file, and makes the file and its folder if they
// are missing. The file is readable by its owner only, since it holds secrets.
func Open(path string) (*SQLite, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("open the sandbox's store: %w", err)
	}
	if err := touch(abs); err != nil {
		return nil, fmt.Errorf("open the sandbox's store: %w", err)
	}
	name := url.URL{Scheme: "file", Path: filepath.ToSlash(abs)}
	db, err := sql.Open("sqlite", name.String())
	if err != nil {
		return nil, fmt.Errorf("open the sandbox's store %s: %w", abs, err)
	}
	db.SetMaxOpenConns(readers + 2) // one to write, one spare
	s := &SQLite{path: abs, db: db}
	s.write = newPool(s, 1, setUp)
	s.read = newPool(s, readers, func(ctx context.Context, c *sql.Conn, _ string) error { return settings(ctx, c) })
	c, err := s.write.get(context.Background())
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	s.write.put(c)
	return s, nil
}

// touch creates the file with narrow permissions; SQLite gives its side files
// the same.
func touch(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}

// settings are those of every connection. The busy timeout comes first, since
// each of the others may meet a lock.
func settings(ctx context.Context, c *sql.Conn) error {
	pragmas := fmt.Sprintf(`PRAGMA busy_timeout = %d; PRAGMA synchronous = NORMAL; PRAGMA temp_store = MEMORY;
		PRAGMA cache_size = -8000; PRAGMA journal_size_limit = 16777216;`, busyTimeout.Milliseconds())
	_, err := c.ExecContext(ctx, pragmas)
	return err
}

// setUp prepares the writing connection and, the first time, the file.
func setUp(ctx context.Context, c *sql.Conn, path string) error {
	if err := settings(ctx, c); err != nil {
		return err
	}
	if _, err := c.ExecContext(ctx, "PRAGMA journal_mode = WAL"); err != nil {
		return err
	}
	if _, err := c.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
		return err
	}
	if err := migrate(ctx, c, path); err != nil {
		_, rollback := c.ExecContext(ctx, "ROLLBACK")
		return errors.Join(err, rollback)
	}
	_, err := c.ExecContext(ctx, "COMMIT")
	return err
}

// View runs fn in a transaction that cannot write and sees one state throughout.
// Views run beside each other and beside an update.
func (s *SQLite) View(ctx context.Context, fn func(Tx) error) error {
	return s.run(ctx, s.read, false, fn)
}

// Update runs fn in a transaction of its own. What fn wrote stays if it returns
// nil, and is undone otherwise. The context bounds the wait for the other
// writers, and not fn.
func (s *SQLite) Update(ctx context.Context, fn func(Tx) error) error {
	return s.run(ctx, s.write, true, fn)
}

// Reset removes everything, for every process that has the store open.
func (s *SQLite) Reset(ctx context.Context) error {
	return s.run(ctx, s.write, true, func(tx Tx) error {
		if t, ok := tx.(*sqliteTx); ok {
			return t.c.clear()
		}
		return nil
	})
}

// Close waits for the running transactions and closes the store.
func (s *SQLite) Close() error {
	return errors.Join(s.read.close(), s.write.close(), s.db.Close())
}

func (s *SQLite) run(ctx context.Context, p *pool, write bool, fn func(Tx) error) (err error) {
	c, err := p.get(ctx)
	if err != nil {
		return err
	}
	defer p.put(c)
	if err := s.retry(ctx, func() error { return c.begin(write) }); err != nil {
		return err
	}
	tx := &sqliteTx{s: s, c: c, readOnly: !write}
	ended := false
	defer func() { // fn panicked
		tx.done = true
		if !ended {
			_ = c.rollback()
		}
	}()
	err = fn(tx)
	tx.done, ended = true, true
	if err != nil {
		// The first error says why; that the undoing failed too adds nothing,
		// since SQLite undoes what was not committed anyhow.
		_ = c.rollback()
		return err
	}
	if err := c.commit(); err != nil {
		_ = c.rollback()
		return s.explain(err)
	}
	return nil
}

// retry repeats what another process's lock stopped.
func (s *SQLite) retry(ctx context.Context, try func() error) error {
	deadline := time.NewTimer(lockWait)
	defer deadline.Stop()
	for {
		err := try()
		if err == nil || !isBusy(err) {
			return s.explain(err)
		}
		pause := time.NewTimer(busyPause)
		select {
		case <-pause.C:
		case <-ctx.Done():
			pause.Stop()
			return fmt.Errorf("wait for the sandbox's store %s: %w", s.path, context.Cause(ctx))
		case <-deadline.C:
			pause.Stop()
			return fmt.Errorf("the sandbox's store %s has been locked for %s: another process holds it", s.path, lockWait)
		}
	}
}

func isBusy(err error) bool {
	e, ok := errors.AsType[*sqlite.Error](err)
	return ok && (e.Code()&0xff == code.SQLITE_BUSY || e.Code()&0xff == code.SQLITE_LOCKED)
}

// explain says in the user's words what the database said in its own.
func (s *SQLite) explain(err error) error {
	e, ok := errors.AsType[*sqlite.Error](err)
	if !ok {
		return err
	}
	why := ""
	switch e.Code() & 0xff {
	case code.SQLITE_FULL:
		why = "the disk is full"
	case code.SQLITE_READONLY:
		why = "the file or its folder is read-only"
	case code.SQLITE_CANTOPEN:
		why = "it cannot be opened or its folder cannot be written"
	case code.SQLITE_NOTADB, code.SQLITE_CORRUPT:
		why = "the file is damaged or no store of the sandbox; move it away to start anew"
	case code.SQLITE_IOERR:
		why = "the disk failed or is full"
	default:
		return fmt.Errorf("the sandbox's store %s: %w", s.path, err)
	}
	return fmt.Errorf("the sandbox's store %s: %s: %w", s.path, why, err)
}

// pool hands out connections, at most so many at once.
type pool struct {
	s     *SQLite
	setUp func(ctx context.Context, c *sql.Conn, path string) error
	slots chan struct{}

	mu     sync.Mutex
	idle   []*conn
	closed bool
}

func newPool(s *SQLite, size int, setUp func(context.Context, *sql.Conn, string) error) *pool {
	return &pool{s: s, setUp: setUp, slots: make(chan struct{}, size)}
}

func (p *pool) get(ctx context.Context) (*conn, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	select {
	case p.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	c, err := p.take(ctx)
	if err != nil {
		<-p.slots
	}
	return c, err
}

func (p *pool) take(ctx context.Context) (*conn, error) {
	p.mu.Lock()
	closed, n := p.closed, len(p.idle)
	var c *conn
	if n > 0 {
		c, p.idle = p.idle[n-1], p.idle[:n-1]
	}
	p.mu.Unlock()
	switch {
	case closed:
		return nil, ErrClosed
	case c != nil:
		return c, nil
	}
	var err error
	retryErr := p.s.retry(ctx, func() error {
		c, err = connect(ctx, p)
		return err
	})
	return c, retryErr
}

func (p *pool) put(c *conn) {
	p.mu.Lock()
	p.idle = append(p.idle, c)
	p.mu.Unlock()
	<-p.slots
}

func (p *pool) close() error {
	for range cap(p.slots) {
		p.slots <- struct{}{}
	}
	p.mu.Lock()
	p.closed = true
	idle := p.idle
	p.idle = nil
	p.mu.Unlock()
	var errs []error
	for _, c := range idle {
		errs = append(errs, c.close())
	}
	for range cap(p.slots) {
		<-p.slots
	}
	return errors.Join(errs...)
}
