package ui

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/deployer-cli/deployer/internal/event"
)

// keepalive is how often plain mode says that it is still there: CI systems
// end jobs that are silent for some minutes.
const keepalive = 30 * time.Second

func showPlain(events <-chan event.Event, st Stream) {
	p := newProgress(st.Now)
	quiet := time.NewTimer(keepalive)
	defer quiet.Stop()
	say := func(line string) {
		fmt.Fprintf(st.W, "%s %s\n", st.Style.Dim(st.Now().UTC().Format("15:04:05")), line)
		quiet.Reset(keepalive)
	}
	for {
		select {
		case e, open := <-events:
			if !open {
				return
			}
			line := p.hear(e, st.Style)
			if line == "" {
				line = plainLine(e, p, st)
			}
			if line != "" {
				say(line)
			}
		case <-quiet.C:
			if p.watched != nil && (p.steps == p.finished || p.draining && len(p.current) == 0) {
				say(p.watched.line(st.Now(), st.Style))
				continue
			}
			say(stillThere(p, st.Now()))
		}
	}
}

// plainLine tells what a terminal would show in its live block.
func plainLine(e event.Event, p *progress, st Stream) string {
	switch e.Kind {
	case event.StepStarted:
		line := fmt.Sprintf("> %s %s", e.Stack, p.current[e.Stack].ing())
		if e.Total > 0 {
			line += fmt.Sprintf(" (%s)", plural(e.Total, "resource"))
		}
		return line
	case event.Resource:
		if st.Verbose || strings.HasSuffix(e.Status, "_FAILED") {
			return strings.TrimRight(fmt.Sprintf("  %s %s %s %s %s", e.Stack, e.Resource, e.Type, e.Status, clean(e.Reason)), " ")
		}
		return ""
	default:
		return "" // told already, or of no interest in a log
	}
}

func stillThere(p *progress, now time.Time) string {
	steps := p.sorted()
	parts := make([]string, 0, len(steps))
	for i, r := range steps {
		if i == 5 {
			parts = append(parts, fmt.Sprintf("and %d more", len(steps)-i))
			break
		}
		part := fmt.Sprintf("%s %s", r.path, Duration(now.Sub(r.started)))
		if res := r.resources(); res != "" {
			part += " " + res
		}
		parts = append(parts, part)
	}
	done := fmt.Sprintf("%d of %d done", p.finished, p.steps)
	if left := p.forecast(); left != "" {
		done += ", " + left
	}
	return fmt.Sprintf("still running (%s): %s", done, strings.Join(parts, ", "))
}

// JSONLines returns a Sink that writes every event as one line of JSON, and a
// function that waits until all were written. The run does not wait for who reads.
func JSONLines(w io.Writer) (event.Sink, func()) {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return queued(func(events <-chan event.Event) {
		for e := range events {
			enc.Encode(e) //nolint:errcheck // a reader that is gone must not stop the run
		}
	})
}
