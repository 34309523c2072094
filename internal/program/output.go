package program

import (
	"bytes"
	"strings"
)

// lines passes on whole lines. A line that never ends is passed on in pieces.
type lines struct {
	to   func(string)
	rest []byte
}

// Write implements io.Writer.
func (l *lines) Write(p []byte) (int, error) {
	l.rest = append(l.rest, p...)
	for {
		i := bytes.IndexByte(l.rest, '\n')
		if i < 0 && len(l.rest) < maxLine {
			return len(p), nil
		}
		if i < 0 || i > maxLine {
			i = maxLine - 1
			l.say(l.rest[:maxLine])
		} else {
			l.say(l.rest[:i])
		}
		l.rest = l.rest[i+1:]
	}
}

func (l *lines) flush() {
	if len(l.rest) > 0 {
		l.say(l.rest)
	}
	l.rest = nil
}

func (l *lines) say(text []byte) {
	l.to(strings.ToValidUTF8(strings.TrimSuffix(string(text), "\r"), "\uFFFD"))
}

// answer keeps what a program prints, up to a limit; the rest is read and
// dropped, so that the program is not held up.
type answer struct {
	kept  bytes.Buffer // not embedded: its ReadFrom would know no limit
	limit int
	over  bool
}

// Write implements io.Writer.
func (a *answer) Write(p []byte) (int, error) {
	if a.kept.Len()+len(p) > a.limit {
		a.over = true
		return len(p), nil
	}
	return a.kept.Write(p)
}

// ending keeps the end of what a program says.
type ending struct{ kept []byte }

// Write implements io.Writer.
func (e *ending) Write(p []byte) (int, error) {
	e.kept = append(e.kept, p...)
	if len(e.kept) > tail {
		e.kept = append([]byte(nil), e.kept[len(e.kept)-tail:]...)
	}
	return len(p), nil
}

// String gives it as text.
func (e *ending) String() string { return strings.ToValidUTF8(string(e.kept), "\uFFFD") }
