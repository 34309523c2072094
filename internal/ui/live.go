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
	Live    bool                // a terminal that can redraw
	Columns func() int          // 0 when unknown
	Rows    func() int          // 0 when unknown
	Now     func() time.Time    // the realm's clock
	Verbose bool                // plain mode tells every resource
	Advice  func(string) string // adds to a command the flags it needs; may be nil
}

func (st *Stream) advice(command string) string {
	if st.Advice == nil {
		return command
	}
	return st.Advice(command)
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

// Sink returns a Sink that feeds Show, and a function that ends it and waits until
// everything was shown. Events wait for the screen, the run does not.
func Sink(st Stream) (event.Sink, func()) {
	return queued(func(events <-chan event.Event) { Show(events, st) })
}

// queued returns a Sink that never waits for who reads, however slow, and a function
// that waits until all was read.
func queued(read func(<-chan event.Event)) (event.Sink, func()) {
	in, out := make(chan event.Event), make(chan event.Event)
	var shown sync.WaitGroup
	shown.Go(func() { pump(in, out) })
	shown.Go(func() { read(out) })
	return event.Func(func(e event.Event) { in <- e }), func() {
		close(in)
		shown.Wait()
	}
}

// pump passes on what comes in, in order, and keeps whatever is not taken yet.
func pump(in <-chan event.Event, out chan<- event.Event) {
	defer close(out)
	var waiting []event.Event
	for in != nil || len(waiting) > 0 {
		var to chan<- event.Event
		var first event.Event
		if len(waiting) > 0 {
			to, first = out, waiting[0]
		}
		select {
		case e, open := <-in:
			if !open {
				in = nil
				continue
			}
			waiting = append(waiting, e)
		case to <- first:
			waiting = waiting[1:]
		}
	}
}

// live redraws a block of lines at the bottom of a terminal.
type live struct {
	st    Stream
	p     *progress
	drawn []int // how wide the lines of the block on the screen are
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
	for _, part := range fold(line, max(l.st.Columns(), 20), 2) {
		fmt.Fprintln(l.st.W, part)
	}
	l.replace(block)
}

// replace rubs out the block on the screen and draws another.
func (l *live) replace(lines []string) {
	var b strings.Builder
	if up := l.height(); up > 0 {
		fmt.Fprintf(&b, "\x1b[%dA\r\x1b[J", up)
	}
	l.drawn = l.drawn[:0]
	for _, line := range lines {
		b.WriteString(line + "\n")
		l.drawn = append(l.drawn, width(line))
	}
	if b.Len() > 0 {
		io.WriteString(l.st.W, b.String())
	}
}

// height is how many rows the block takes on the screen as it is now: a terminal
// that became narrower has broken its lines.
func (l *live) height() int {
	columns, rows := l.st.Columns(), 0
	for _, w := range l.drawn {
		rows++
		if columns > 0 && w > columns {
			rows += (w - 1) / columns
		}
	}
	return rows
}

// block renders the running steps, cut to the size of the terminal now.
func (l *live) block() []string {
	columns, rows := max(l.st.Columns(), 20), l.st.Rows()
	room := maxLines - 1
	if rows > 0 {
		room = min(room, max(rows-2, 1))
	}
	var exercise []string
	if l.p.watched != nil {
		exercise = l.p.watched.block(l.st, columns-1, l.p.finished < l.p.steps && !l.p.draining)
		exercise = exercise[:min(len(exercise), room)]
		room = max(room-len(exercise), 1)
	}
	steps := l.p.sorted()
	var lines []string
	for i, r := range steps {
		if i >= room-1 && len(steps) > room {
			lines = append(lines, cut(fmt.Sprintf("  … and %d more", len(steps)-i), columns-1))
			break
		}
		lines = append(lines, cut(l.row(r), columns-1))
	}
	if exercise != nil {
		lines = append(lines, exercise...)
		if l.p.steps == l.p.finished || l.p.draining && len(steps) == 0 {
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
