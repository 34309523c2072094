// Package store keeps the sandbox's state: byte strings by table and key, in
// transactions. SQLite is the one many processes share and kill -9 does not
// hurt; Memory is the one for tests in a bubble of fake time. Both pass the same
// conformance suite.
//
// The store knows nothing of CloudFormation. It never waits inside a
// transaction, and a caller must not either: work that waits belongs outside.
package store

import "errors"

// Errors that a transaction or a store answers.
var (
	ErrReadOnly = errors.New("write in a read-only transaction")
	ErrDone     = errors.New("transaction used after its end")
	ErrClosed   = errors.New("the sandbox's store is closed")
)

// Tx is one transaction. It belongs to the goroutine that was given it and ends
// with the function that was given it.
//
// Scan calls yield with the keys that have the prefix and come after the given
// key, in byte order, until yield answers false. The function may write while it
// scans: a key that is put or deleted ahead of the scan is seen or missed
// accordingly. Values are copies and may be kept.
type Tx interface {
	Get(table, key string) (value []byte, found bool, err error)
	Put(table, key string, value []byte) error
	Delete(table, key string) error
	Scan(table, prefix, after string, yield func(key string, value []byte) bool) error
}

// span is the half-open range of keys that a scan has still to visit.
type span struct {
	from string
	to   string // "" for no end
}

func newSpan(prefix, after string) span {
	from := prefix
	if after != "" && after >= prefix {
		from = successor(after)
	}
	return span{from: from, to: prefixEnd(prefix)}
}

// successor is the smallest key greater than key.
func successor(key string) string { return key + "\x00" }

// prefixEnd is the smallest key greater than every key with the prefix, or ""
// where there is none.
func prefixEnd(prefix string) string {
	b := []byte(prefix)
	for i := len(b) - 1; i >= 0; i-- {
		if b[i] < 0xff {
			b[i]++
			return string(b[:i+1])
		}
	}
	return ""
}

func (s span) past(key string) bool { return s.to != "" && key >= s.to }
