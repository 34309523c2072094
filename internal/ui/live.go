package ui

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/deployer-cli/deployer/internal/event"
)

// maxLines is the most that live progress takes of a screen.
const maxLines = 24

// Stream is where progress is written, and what it may count on there.
type Stream struct {
	W       io.Writer
	Style   Style
	Live    bool             // a terminal that can redraw
	Columns func() int       // 0 when unknown
	Rows    func() int       // 0 when unknown
	Now     func() time.Time // the realm's clock
	Verbose bool             // plain mode tells every resource
}

// Show reads events until the channel is closed and shows them. It always
// drains the channel, also after a write error, so that a dead terminal never
// holds up a run. It returns when everything was shown.
func Show(events <-chan event.Event, st Stream) {
	if st.Live {
		showLive(events, st)
		return
	}
	showPlain(events, st)
}

// Sink returns a Sink that feeds the channel Show reads, and a function that
// closes it and waits until everything was shown. Events beyond the buffer wait
// for the screen.
func Sink(st Stream) (event.Sink, func()) {
	events := make(chan event.Event, 256)
	var shown sync.WaitGroup
	shown.Go(func() { Show(events, st) })
	return event.Func(func(e event.Event) { events <- e }), func() {
		close(events)
		shown.Wait()
	}
}

// live redraws a block of lines at the bottom of a terminal.
type live struct {
	st    Stream
	p     *progress
	drawn int // lines of the block on the screen
	turn  int
	begun time.Time
}

const redraw = 120 * time.Millisecond

func showLive(events <-chan event.Event, st Stream) {
	l := &live{st: st, p: newProgress(st.Now), begun: st.Now()}
	tick := time.NewTicker(redraw)
	defer tick.Stop()
	fmt.Fprint(st.W, "\x1b[?25l")
	defer fmt.Fprint(st.W, "\x1b[?25h")
	for {
		select {
		case e, open := <-events:
			if !open {
				l.replace(nil)
				return
			}
			if line := l.p.hear(e, st.Style); line != "" {
				l.scroll(line)
			}
		case <-tick.C:
			l.turn++
			l.replace(l.block())
		}
	}
}

// scroll writes a line above the block.
func (l *live) scroll(line string) {
	block := l.block()
	l.replace(nil)
	fmt.Fprintln(l.st.W, line)
	l.replace(block)
}

// replace rubs out the block on the screen and draws another.
func (l *live) replace(lines []string) {
	var b strings.Builder
	if l.drawn > 0 {
		fmt.Fprintf(&b, "\x1b[%dA\r\x1b[J", l.drawn)
	}
	for _, line := range lines {
		b.WriteString(line + "\n")
	}
	l.drawn = len(lines)
	if b.Len() > 0 {
		io.WriteString(l.st.W, b.String())
	}
}

// block renders the running steps, cut to the size of the terminal now.
func (l *live) block() []string {
	columns, rows := max(l.st.Columns(), 20), l.st.Rows()
	room := maxLines - 1
	if rows > 0 {
		room = min(room, max(rows-2, 1))
	}
	steps := l.p.sorted()
	var lines []string
	for i, r := range steps {
		if i == room-1 && len(steps) > room {
			lines = append(lines, cut(fmt.Sprintf("  … and %d more", len(steps)-i), columns-1))
			break
		}
		lines = append(lines, cut(l.row(r), columns-1))
	}
	if l.p.watched != nil {
		lines = append(lines, l.p.watched.block(l.st, columns-1)...)
		if l.p.steps == l.p.finished {
			return lines
		}
	}
	return append(lines, cut(l.bar(), columns-1))
}

func (l *live) row(r *running) string {
	spin := []string{"⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"}[l.turn%10]
	parts := []string{l.st.Style.Warn(spin) + " " + string(r.path), r.ing(), Duration(l.st.Now().Sub(r.started))}
	if res := r.resources(); res != "" {
		parts = append(parts, res)
	}
	if r.doing != "" {
		parts = append(parts, l.st.Style.Dim(clean(r.doing)))
	} else if r.status != "" {
		parts = append(parts, l.st.Style.Dim(r.status))
	}
	return strings.Join(parts, "  ")
}

func (l *live) bar() string {
	const cells = 20
	full := 0
	if l.p.steps > 0 {
		full = cells * l.p.finished / l.p.steps
	}
	text := fmt.Sprintf("[%s%s] %d/%d stacks", strings.Repeat("#", full), strings.Repeat(".", cells-full), l.p.finished, l.p.steps)
	if l.p.failed > 0 {
		text += l.st.Style.Bad(fmt.Sprintf("  %d failed", l.p.failed))
	}
	if l.p.draining {
		text += l.st.Style.Warn("  stopping")
	}
	text += "  " + Duration(l.st.Now().Sub(l.begun))
	if left := l.p.forecast(); left != "" {
		text += "  " + left
	}
	if waiting := l.p.steps - l.p.finished - len(l.p.current); waiting > 0 {
		text += fmt.Sprintf("  %d waiting", waiting)
	}
	return text
}
