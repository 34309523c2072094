package jinja

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// Kind says what sort of mistake an Error is.
type Kind uint8

// The kinds of errors.
const (
	KindRuntime   Kind = iota // an operation failed while rendering
	KindSyntax                // the source is no valid template
	KindUndefined             // a value that does not exist was used
	KindNotFound              // a template to include, import or extend is missing
	KindLimit                 // the template is too deep, too long or too large
)

// Error is the only type of error this package returns.
type Error struct {
	Template string // name of the template the position is in
	Line     int    // from 1
	Column   int    // from 1, in characters
	Msg      string
	Kind     Kind

	cause error
}

// Error gives the position and the message on one line.
func (e *Error) Error() string {
	return fmt.Sprintf("%s:%d:%d: %s", e.Template, e.Line, e.Column, e.Msg)
}

// Unwrap gives the loader's error when that is the reason.
func (e *Error) Unwrap() error { return e.cause }

// failure is an error that has no position yet: operations return it, and
// the node that asked for the operation adds where.
type failure struct {
	kind  Kind
	msg   string
	cause error
}

func (f *failure) Error() string { return f.msg }

func fail(format string, args ...any) error {
	return &failure{msg: fmt.Sprintf(format, args...)}
}

func failLimit(format string, args ...any) error {
	return &failure{kind: KindLimit, msg: fmt.Sprintf(format, args...)}
}

// at gives err its position in t; an error that has one keeps it.
func (t *template) at(pos int, err error) error {
	if _, done := errors.AsType[*Error](err); done || isLoopJump(err) {
		return err
	}
	line, column := position(t.source, pos)
	e := &Error{Template: t.name, Line: line, Column: column, Msg: err.Error()}
	if f, ok := errors.AsType[*failure](err); ok {
		e.Kind, e.cause = f.kind, f.cause
	}
	return e
}

// position turns a byte offset into line and column, both from 1.
func position(source string, pos int) (line, column int) {
	pos = min(max(pos, 0), len(source))
	before := source[:pos]
	start := strings.LastIndexByte(before, '\n') + 1
	return strings.Count(before, "\n") + 1, utf8.RuneCountInString(before[start:]) + 1
}
