package ui

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/charmbracelet/x/ansi"

	"github.com/deployer-cli/deployer/internal/event"
	"github.com/deployer-cli/deployer/stacks"
)

// screen is a buffer that a test reads while it is written.
type screen struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.buf.Write(p)
}

func (s *screen) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.buf.String()
}

func at(columns, rows int) Stream {
	return Stream{
		Columns: func() int { return columns }, Rows: func() int { return rows }, Now: time.Now,
	}
}

func TestPlain(t *testing.T) {
	t.Parallel()
	for name, style := range styles {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var out screen
				st := at(0, 0)
				st.W, st.Style = &out, style
				sink, shown := Sink(st)
				for _, e := range story() {
					sink.Event(e)
					synctest.Wait()
				}
				shown()
				golden(t, "plain-"+name, out.String())
			})
		})
	}
}

// A log that says nothing for minutes is taken for a dead one.
func TestPlainKeepsAlive(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var out screen
		st := at(0, 0)
		st.W = &out
		sink, shown := Sink(st)
		sink.Event(event.Event{Kind: event.RunStarted, Total: 8})
		for i := range 7 {
			sink.Event(event.Event{Kind: event.StepStarted, Stack: stacks.Path(fmt.Sprintf("dev/s%d", i)), Action: "create", Total: 3})
		}
		time.Sleep(29 * time.Second)
		synctest.Wait()
		if strings.Contains(out.String(), "still running") {
			t.Fatalf("too early:\n%s", out.String())
		}
		time.Sleep(70 * time.Second)
		synctest.Wait()
		shown()
		if n := strings.Count(out.String(), "still running (0 of 8 done): "); n != 3 {
			t.Errorf("said %d times in 99 s that it is still there, want 3:\n%s", n, out.String())
		}
		if !strings.Contains(out.String(), "dev/s4 30s 0/3, and 2 more") {
			t.Errorf("the steps are not named:\n%s", out.String())
		}
	})
}

// The live block never leaves its room: not in width, not in height, not on the
// smallest screen.
func TestLiveFits(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ columns, rows, want int }{
		{200, 100, maxLines}, {80, 24, 23}, {40, 10, 9}, {20, 4, 3}, {20, 3, 2}, {40, 1, 2}, {80, 0, maxLines},
	} {
		t.Run(fmt.Sprintf("%dx%d", tt.columns, tt.rows), func(t *testing.T) {
			t.Parallel()
			for _, style := range styles {
				st := at(tt.columns, tt.rows)
				st.Style = style
				l := &live{st: st, p: newProgress(time.Now), begun: time.Now()}
				l.p.hear(event.Event{Kind: event.RunStarted, Total: 60}, style)
				for i := range 50 {
					path := stacks.Path(fmt.Sprintf("dev/a-stack-with-a-long-name/and-more/%d", i))
					l.p.hear(event.Event{Kind: event.StepStarted, Stack: path, Action: "create", Total: 12}, style)
					l.p.hear(event.Event{Kind: event.Resource, Stack: path, Resource: "Разное資源", Status: "CREATE_IN_PROGRESS", Total: 12}, style)
				}
				lines := l.block()
				if len(lines) > tt.want {
					t.Errorf("%d lines, want %d at most", len(lines), tt.want)
				}
				for _, line := range lines {
					if w := ansi.StringWidth(line); w >= max(tt.columns, 20) {
						t.Errorf("%d columns of %d: %q", w, tt.columns, line)
					}
				}
				if last := ansi.Strip(lines[len(lines)-1]); !strings.Contains(last, "0/60 st") && tt.columns > 20 {
					t.Errorf("the bar is missing: %q", last)
				}
			}
		})
	}
}

// What the block held is rubbed out, and finished steps stand above it.
func TestLiveScrolls(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var out screen
		st := at(60, 10)
		st.W, st.Live = &out, true
		sink, shown := Sink(st)
		for _, e := range story() {
			sink.Event(e)
			time.Sleep(redraw)
		}
		shown()
		got := out.String()
		golden(t, "live", got)
		if !strings.HasPrefix(got, "\x1b[?25l") || !strings.HasSuffix(got, "\x1b[?25h") {
			t.Error("the cursor is not hidden and shown again")
		}
	})
}

// A terminal that goes away must not hold up a run.
func TestDeadTerminal(t *testing.T) {
	t.Parallel()
	for _, alive := range []bool{true, false} {
		synctest.Test(t, func(*testing.T) {
			st := at(80, 24)
			st.W, st.Live = broken{}, alive
			sink, shown := Sink(st)
			for range 2000 {
				sink.Event(event.Event{Kind: event.Warning, Reason: "x"})
			}
			shown()
		})
	}
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, fmt.Errorf("gone") }

// stuck is a reader that stopped reading: its terminal was halted, or it is slow.
type stuck struct {
	free chan struct{}
	strings.Builder
}

func (s *stuck) Write(p []byte) (int, error) {
	<-s.free
	return s.Builder.Write(p)
}

func TestARunDoesNotWaitForItsReader(t *testing.T) {
	t.Parallel()
	begin := map[string]func(io.Writer) (event.Sink, func()){
		"json": JSONLines,
		"text": func(w io.Writer) (event.Sink, func()) { return Sink(Stream{W: w, Now: time.Now}) },
	}
	for name, begin := range begin {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := &stuck{free: make(chan struct{})}
				sink, shown := begin(w)
				const n = 10_000
				for i := range n {
					sink.Event(event.Event{Seq: int64(i), Kind: event.Warning, Reason: fmt.Sprintf("word %d.", i)})
				}
				close(w.free)
				shown()
				last := 0
				for i := range n {
					at := strings.Index(w.String()[last:], fmt.Sprintf("word %d.", i))
					if at < 0 {
						t.Fatalf("event %d was not shown, or out of turn", i)
					}
					last += at
				}
			})
		})
	}
}

func TestJSONLines(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	sink, shown := JSONLines(&out)
	sink.Event(event.Event{Seq: 1, Kind: event.Warning, Reason: "a <b> & \x1b[31m c"})
	sink.Event(event.Event{Seq: 2, Kind: event.RunFinished})
	shown()
	want := `{"seq":1,"time":"0001-01-01T00:00:00Z","run":"","kind":"warning","stack":"","status":"","resource":"","type":"","reason":"a <b> & \u001b[31m c","cause":""}
{"seq":2,"time":"0001-01-01T00:00:00Z","run":"","kind":"run-finished","stack":"","status":"","resource":"","type":"","reason":"","cause":""}
`
	if out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", out.String(), want)
	}
}
