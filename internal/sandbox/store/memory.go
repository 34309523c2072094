package store

import (
	"bytes"
	"context"
	"slices"
	"sync"
)

// Memory is a store in memory, for one process. The zero value is not ready: use
// NewMemory.
type Memory struct {
	mu     sync.RWMutex
	tables map[string]*sorted
	closed bool
}

// NewMemory returns an empty store.
func NewMemory() *Memory { return &Memory{tables: map[string]*sorted{}} }

// View runs fn in a transaction that cannot write. Views run beside each other.
func (m *Memory) View(ctx context.Context, fn func(Tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m.mu.RLock()
	defer m.mu.RUnlock()
	if m.closed {
		return ErrClosed
	}
	tx := &memoryTx{tables: m.tables, readOnly: true}
	defer tx.end()
	return fn(tx)
}

// Update runs fn in a transaction of its own. What fn wrote stays if it returns
// nil, and is undone otherwise.
func (m *Memory) Update(ctx context.Context, fn func(Tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return ErrClosed
	}
	tx := &memoryTx{tables: m.tables}
	kept := false
	defer func() { // also when fn panics
		if !kept {
			tx.undo()
		}
		tx.end()
	}()
	err := fn(tx)
	kept = err == nil
	return err
}

// Reset removes everything.
func (m *Memory) Reset(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return ErrClosed
	}
	m.tables = map[string]*sorted{}
	return nil
}

// Close makes every later call fail with ErrClosed.
func (m *Memory) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed, m.tables = true, nil
	return nil
}

// memoryTx works on the live tables and remembers how to undo it.
type memoryTx struct {
	tables   map[string]*sorted
	readOnly bool
	done     bool
	log      []change
}

// change is what one write replaced.
type change struct {
	table, key string
	old        []byte
	existed    bool
}

func (tx *memoryTx) end() { tx.done, tx.tables, tx.log = true, nil, nil }

func (tx *memoryTx) undo() {
	for _, c := range slices.Backward(tx.log) {
		if c.existed {
			tx.tables[c.table].put(c.key, c.old)
		} else {
			tx.tables[c.table].delete(c.key)
		}
	}
}

func (tx *memoryTx) writable() error {
	switch {
	case tx.done:
		return ErrDone
	case tx.readOnly:
		return ErrReadOnly
	}
	return nil
}

// Get implements Tx.
func (tx *memoryTx) Get(table, key string) (value []byte, found bool, err error) {
	if tx.done {
		return nil, false, ErrDone
	}
	value, found = tx.tables[table].get(key)
	return bytes.Clone(value), found, nil
}

// Put implements Tx.
func (tx *memoryTx) Put(table, key string, value []byte) error {
	if err := tx.writable(); err != nil {
		return err
	}
	t := tx.tables[table]
	if t == nil {
		t = &sorted{}
		tx.tables[table] = t
	}
	old, existed := t.put(key, append([]byte{}, value...))
	tx.log = append(tx.log, change{table, key, old, existed})
	return nil
}

// Delete implements Tx.
func (tx *memoryTx) Delete(table, key string) error {
	if err := tx.writable(); err != nil {
		return err
	}
	if old, existed := tx.tables[table].delete(key); existed {
		tx.log = append(tx.log, change{table, key, old, true})
	}
	return nil
}

// Scan implements Tx.
func (tx *memoryTx) Scan(table, prefix, after string, yield func(key string, value []byte) bool) error {
	s := newSpan(prefix, after)
	for {
		if tx.done {
			return ErrDone
		}
		key, value, found := tx.tables[table].atOrAfter(s.from)
		if !found || s.past(key) || !yield(key, bytes.Clone(value)) {
			return nil
		}
		s.from = successor(key)
	}
}
