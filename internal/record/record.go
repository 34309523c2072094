// Package record is the hash-chained record that breaks and game days share: a
// row of entries, each of which holds the hash of the one before, so that none
// can be changed or taken out unseen.
//
// It never stores or reads anything itself, and does not know what its entries
// mean.
package record

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Entry is one entry of a record.
type Entry struct {
	Seq      int             `json:"seq"`      // from 1
	Previous string          `json:"previous"` // hash of the entry before, "" for the first
	Time     time.Time       `json:"time"`     // UTC
	Run      string          `json:"run"`      // the run that wrote it
	Kind     string          `json:"kind"`
	Body     json.RawMessage `json:"body"` // JSON without white space between its parts
}

// sealed is an entry as it stands on its line: with its own hash at the end, so
// that a changed last line is noticed too.
type sealed struct {
	Entry
	Hash string `json:"hash"`
}

// Hash is the SHA-256 of the entry in its one written form, in hex.
func (e Entry) Hash() string {
	text, err := json.Marshal(e)
	if err != nil { // a body that is no JSON: Next and Decode make none
		text = []byte(err.Error())
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// Line is the entry's one written form, with its hash, without a line end.
func (e Entry) Line() ([]byte, error) { return json.Marshal(sealed{Entry: e, Hash: e.Hash()}) }

// Into reads the entry's body into v. A body with fields that v does not have
// is an error: it was written by somebody who knows more.
func (e Entry) Into(v any) error {
	d := json.NewDecoder(bytes.NewReader(e.Body))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return fmt.Errorf("entry %d (%s) cannot be read: %w", e.Seq, e.Kind, err)
	}
	return nil
}

// Next makes the entry that follows last, which is nil for the first. What
// cannot be written as JSON is an error.
func Next(last *Entry, at time.Time, run, kind string, body any) (Entry, error) {
	text, err := json.Marshal(body)
	if err != nil {
		return Entry{}, fmt.Errorf("entry %s cannot be written: %w", kind, err)
	}
	e := Entry{Seq: 1, Time: at.UTC().Round(0), Run: run, Kind: kind, Body: text}
	if last != nil {
		e.Seq, e.Previous = last.Seq+1, last.Hash()
	}
	// What is written must be what is read: names that are no UTF-8 are not.
	line, err := e.Line()
	if err != nil {
		return Entry{}, fmt.Errorf("entry %s cannot be written: %w", kind, err)
	}
	if _, err := Decode(line); err != nil {
		return Entry{}, fmt.Errorf("entry %s cannot be written: %w", kind, err)
	}
	return e, nil
}

var (
	errForm = errors.New("not an entry of a record")
	errHash = errors.New("the entry does not have the hash that it was written with")
)

// Decode reads one line, with or without its line end. Only the form that Line
// writes is taken, so that equal entries are equal lines.
func Decode(line []byte) (Entry, error) {
	line = bytes.TrimSuffix(line, []byte("\n"))
	var s sealed
	if err := json.Unmarshal(line, &s); err != nil {
		return Entry{}, errForm
	}
	if s.Seq < 1 || s.Kind == "" || len(s.Body) == 0 {
		return Entry{}, errForm
	}
	if s.Hash != s.Entry.Hash() {
		return Entry{}, errHash
	}
	if again, err := s.Line(); err != nil || !bytes.Equal(again, line) {
		return Entry{}, errForm
	}
	return s.Entry, nil
}

// DecodeLines reads the lines of a text. A last line without an end is left out:
// its writer was killed in it. Any other line that is no entry is a
// *BrokenError, beside what stands before it.
func DecodeLines(text []byte) ([]Entry, error) {
	var out []Entry
	for {
		line, rest, whole := bytes.Cut(text, []byte("\n"))
		if !whole {
			return out, nil
		}
		e, err := Decode(line)
		if err != nil {
			return out, &BrokenError{Seq: len(out) + 1, Why: err.Error()}
		}
		out, text = append(out, e), rest
	}
}

// Verify holds entries to being a whole record from its beginning: numbered
// without a gap, each behind the one before. Otherwise it is a *BrokenError.
func Verify(entries []Entry) error {
	var last *Entry
	for i := range entries {
		if err := follows(last, &entries[i]); err != nil {
			return err
		}
		last = &entries[i]
	}
	return nil
}

// Follows holds e to being the entry behind last, nil for the first; otherwise
// it is a *BrokenError.
func Follows(last *Entry, e Entry) error { return follows(last, &e) }

func follows(last, e *Entry) error {
	seq, hash := 1, ""
	if last != nil {
		seq, hash = last.Seq+1, last.Hash()
	}
	switch {
	case e.Seq != seq:
		return &BrokenError{Seq: seq, Why: fmt.Sprintf("entry %d stands in its place", e.Seq)}
	case e.Previous != hash && last == nil:
		return &BrokenError{Seq: seq, Why: "it is not the first of a record"}
	case e.Previous != hash:
		return &BrokenError{Seq: seq, Why: fmt.Sprintf("it was put behind another entry %d", last.Seq)}
	}
	return nil
}

// BrokenError says that a record is not as it was written.
type BrokenError struct {
	Seq int // the entry, from 1
	Why string
}

// Error names the entry and what is wrong with it.
func (e *BrokenError) Error() string {
	return fmt.Sprintf("the record was changed: entry %d: %s", e.Seq, e.Why)
}
