package store

import (
	"context"
	"database/sql"
	"errors"
)

// Statements of every connection, by their place in conn.stmts.
const (
	stBegin = iota
	stBeginImmediate
	stCommit
	stRollback
	stGet
	stPutShort
	stPutLong
	stPutBody
	stDelete
	stScan
	stScanOpen
	stCount
)

const (
	valueOf = `CASE long WHEN 0 THEN value ELSE (SELECT b.value FROM body AS b WHERE b.tbl = kv.tbl AND b.key = kv.key) END`
	upsert  = ` ON CONFLICT (tbl, key) DO UPDATE SET long = excluded.long, value = excluded.value`
)

func statements() [stCount]string {
	return [stCount]string{
		stBegin:          `BEGIN`,
		stBeginImmediate: `BEGIN IMMEDIATE`,
		stCommit:         `COMMIT`,
		stRollback:       `ROLLBACK`,
		stGet:            `SELECT ` + valueOf + ` FROM kv WHERE tbl = ? AND key = ?`,
		stPutShort:       `INSERT INTO kv (tbl, key, long, value) VALUES (?, ?, 0, ?)` + upsert,
		stPutLong:        `INSERT INTO kv (tbl, key, long, value) VALUES (?, ?, 1, NULL)` + upsert,
		stPutBody:        `INSERT INTO body (tbl, key, value) VALUES (?, ?, ?) ON CONFLICT (tbl, key) DO UPDATE SET value = excluded.value`,
		stDelete:         `DELETE FROM kv WHERE tbl = ? AND key = ?`,
		stScan:           `SELECT key, ` + valueOf + ` FROM kv WHERE tbl = ? AND key >= ? AND key < ? ORDER BY key LIMIT ?`,
		stScanOpen:       `SELECT key, ` + valueOf + ` FROM kv WHERE tbl = ? AND key >= ? ORDER BY key LIMIT ?`,
	}
}

// conn is a connection with its statements. The statements run without a context:
// they are short, and watching a context costs more than they do.
type conn struct {
	c     *sql.Conn
	stmts [stCount]*sql.Stmt
}

func connect(ctx context.Context, p *pool) (*conn, error) {
	sc, err := p.s.db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	c := &conn{c: sc}
	if err := p.setUp(ctx, sc, p.s.path); err != nil {
		return nil, errors.Join(err, c.close())
	}
	for i, text := range statements() {
		if c.stmts[i], err = sc.PrepareContext(ctx, text); err != nil {
			return nil, errors.Join(err, c.close())
		}
	}
	return c, nil
}

func (c *conn) close() error {
	var errs []error
	for _, st := range c.stmts {
		if st != nil {
			errs = append(errs, st.Close())
		}
	}
	return errors.Join(append(errs, c.c.Close())...)
}

func (c *conn) exec(st int, args ...any) error {
	_, err := c.stmts[st].Exec(args...) //nolint:noctx // see conn
	return err
}

func (c *conn) begin(write bool) error {
	if write {
		return c.exec(stBeginImmediate)
	}
	return c.exec(stBegin)
}

func (c *conn) commit() error   { return c.exec(stCommit) }
func (c *conn) rollback() error { return c.exec(stRollback) }

// clear empties the store inside a transaction.
func (c *conn) clear() error {
	_, err := c.c.ExecContext(context.Background(), `DELETE FROM body; DELETE FROM kv;`)
	return err
}

// row is one key with its value.
type row struct {
	key   string
	value []byte
}

// rows reads up to limit rows of a span.
func (c *conn) rows(table string, s span, limit int) (out []row, err error) {
	var rows *sql.Rows
	if s.to == "" {
		rows, err = c.stmts[stScanOpen].Query(table, []byte(s.from), limit) //nolint:noctx,rowserrcheck // see conn; checked below
	} else {
		rows, err = c.stmts[stScan].Query(table, []byte(s.from), []byte(s.to), limit) //nolint:noctx,rowserrcheck // see conn; checked below
	}
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var key sql.RawBytes
		var value []byte
		if err := rows.Scan(&key, &value); err != nil {
			return nil, err
		}
		out = append(out, row{string(key), value})
	}
	return out, rows.Err()
}

// sqliteTx implements Tx.
type sqliteTx struct {
	s        *SQLite
	c        *conn
	readOnly bool
	done     bool
	writes   int
}

func (tx *sqliteTx) writable() error {
	switch {
	case tx.done:
		return ErrDone
	case tx.readOnly:
		return ErrReadOnly
	}
	return nil
}

// Get implements Tx.
func (tx *sqliteTx) Get(table, key string) (value []byte, found bool, err error) {
	if tx.done {
		return nil, false, ErrDone
	}
	err = tx.c.stmts[stGet].QueryRow(table, []byte(key)).Scan(&value) //nolint:noctx // see conn
	if errors.Is(err, sql.ErrNoRows) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, tx.s.explain(err)
	}
	return value, true, nil
}

// Put implements Tx.
func (tx *sqliteTx) Put(table, key string, value []byte) error {
	if err := tx.writable(); err != nil {
		return err
	}
	tx.writes++
	if len(value) < bodyMin {
		if value == nil {
			value = []byte{} // nil would be stored as NULL
		}
		return tx.s.explain(tx.c.exec(stPutShort, table, []byte(key), value))
	}
	if err := tx.c.exec(stPutLong, table, []byte(key)); err != nil {
		return tx.s.explain(err)
	}
	return tx.s.explain(tx.c.exec(stPutBody, table, []byte(key), value))
}

// Delete implements Tx.
func (tx *sqliteTx) Delete(table, key string) error {
	if err := tx.writable(); err != nil {
		return err
	}
	tx.writes++
	return tx.s.explain(tx.c.exec(stDelete, table, []byte(key)))
}

// A scan reads a few rows first, since most scans want few, and more each time.
const (
	firstRows = 8
	mostRows  = 512
)

// Scan implements Tx. It reads ahead, and reads anew when the caller has written
// meanwhile, so that a scan sees the present state as Memory's does.
func (tx *sqliteTx) Scan(table, prefix, after string, yield func(key string, value []byte) bool) error {
	s := newSpan(prefix, after)
	for limit := firstRows; ; limit = min(limit*4, mostRows) {
		if tx.done {
			return ErrDone
		}
		rows, err := tx.c.rows(table, s, limit)
		if err != nil {
			return tx.s.explain(err)
		}
		writes := tx.writes
		for i, r := range rows {
			if !yield(r.key, r.value) {
				return nil
			}
			s.from = successor(r.key)
			if tx.writes != writes && i < len(rows)-1 {
				break
			}
		}
		if len(rows) < limit && tx.writes == writes {
			return nil
		}
	}
}
