package ui

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/deployer-cli/deployer/internal/event"
	"github.com/deployer-cli/deployer/stacks"
)

// running is what is known of a step under way.
type running struct {
	path     stacks.Path
	action   string
	of       string // the resources that it is about, "" for the stack
	started  time.Time
	expected time.Duration
	done     int
	total    int
	doing    string // the resource that changed last and has not ended
	status   string
}

// progress is the state of a run as its events tell it. It is fed from one
// goroutine and holds no locks.
type progress struct {
	steps    int
	finished int
	failed   int
	draining bool
	left     time.Duration // the run is expected to go on
	leftAt   time.Time     // from here
	current  map[stacks.Path]*running
	now      func() time.Time
	watched  *watched // of a break; nil elsewhere
}

func newProgress(now func() time.Time) *progress {
	return &progress{current: map[stacks.Path]*running{}, now: now}
}

// hear takes an event in and returns the line that it leaves behind for good,
// "" for none.
func (p *progress) hear(e event.Event, s Style) string {
	if e.Left > 0 {
		p.left, p.leftAt = time.Duration(e.Left*float64(time.Second)), p.now()
	}
	switch e.Kind {
	case event.RunStarted:
		p.steps = e.Total
	case event.StepStarted:
		p.current[e.Stack] = &running{
			path: e.Stack, action: e.Action, of: e.Resource, started: p.now(), total: e.Total,
			expected: time.Duration(e.Expected * float64(time.Second)),
		}
	case event.StepAccepted, event.Resource, event.Stack:
		p.update(e)
	case event.StepDone, event.StepFailed, event.StepSkipped, event.StepUnknown:
		return p.end(e, s)
	case event.Draining:
		p.draining = true
		return s.Warn(fmt.Sprintf("stopping: nothing new starts, %s. Ctrl-C now leaves them to CloudFormation.", clean(e.Cause)))
	case event.Detached:
		return s.Warn("leaving: what CloudFormation is doing goes on")
	case event.Warning:
		return s.Warn("warning: "+subject(e.Stack)) + clean(e.Reason)
	case event.Probe, event.Target, event.Stamp, event.Watching:
		return p.watch(e, s)
	case event.Hook:
		return s.Dim(fmt.Sprintf("%s %s | ", e.Stack, e.Action)) + clean(e.Reason)
	case event.StepWaiting:
		if e.Action == event.Guards {
			p.current[e.Stack] = &running{path: e.Stack, action: e.Action, started: p.now()}
			return "" // it takes a moment, and is no news
		}
		if e.Expected == 0 { // for others: it goes on when they are done
			delete(p.current, e.Stack)
			return s.Dim(fmt.Sprintf("· %s waits: %s", e.Stack, clean(e.Cause)))
		}
		return s.Dim(fmt.Sprintf("· %s waits %s: %s", e.Stack, Span(time.Duration(e.Expected*float64(time.Second))), clean(e.Cause)))
	case event.Throttled, event.RunFinished:
	}
	return ""
}

func subject(p stacks.Path) string {
	if p == "" {
		return ""
	}
	return string(p) + ": "
}

func (p *progress) update(e event.Event) {
	r := p.current[e.Stack]
	if r == nil {
		return
	}
	switch e.Kind {
	case event.Resource:
		r.done, r.total = e.Done, max(r.total, e.Total)
		r.doing = e.Resource + " " + e.Status
		if strings.HasSuffix(e.Status, "_COMPLETE") {
			r.doing = ""
		}
	case event.Stack:
		r.status = e.Status
	default:
		r.action = cmp.Or(e.Action, r.action)
	}
}

func (p *progress) end(e event.Event, s Style) string {
	_, ran := p.current[e.Stack]
	delete(p.current, e.Stack)
	p.finished++
	if e.Kind == event.StepDone && !ran {
		return "" // there was nothing to do, as the plan said
	}
	took := " in " + Duration(time.Duration(e.Seconds*float64(time.Second)))
	switch e.Kind {
	case event.StepFailed:
		p.failed++
		return s.Bad(fmt.Sprintf("✗ %s failed%s", e.Stack, strings.Replace(took, " in ", " after ", 1))) + ": " + clean(e.Reason)
	case event.StepSkipped:
		return s.Dim(fmt.Sprintf("· %s skipped: %s", e.Stack, clean(e.Cause)))
	case event.StepUnknown:
		became := e.Action
		if became == "running" {
			became = "is still running"
		}
		return s.Warn(fmt.Sprintf("? %s %s", e.Stack, became)) + strings.TrimRight(": "+clean(e.Reason), ": ")
	default:
		if e.Action == "unchanged" {
			return s.Dim(fmt.Sprintf("= %s unchanged", e.Stack))
		}
	}
	return s.Good(fmt.Sprintf("✓ %s", e.Stack)) + fmt.Sprintf(" %s%s", e.Action, took)
}

// forecast says how long the run is expected to go on, "" when nobody knows or
// hardly any longer.
func (p *progress) forecast() string {
	left := p.left - p.now().Sub(p.leftAt)
	switch {
	case p.left == 0 || left < 2*time.Second:
		return ""
	case left < time.Minute:
		left = left.Round(5 * time.Second)
	case left < 10*time.Minute:
		left = left.Round(15 * time.Second)
	default:
		left = left.Round(time.Minute)
	}
	return "about " + Duration(left) + " left"
}

// sorted lists the running steps, longest running first.
func (p *progress) sorted() []*running {
	out := make([]*running, 0, len(p.current))
	for _, r := range p.current {
		out = append(out, r)
	}
	slices.SortFunc(out, func(a, b *running) int {
		return cmp.Or(a.started.Compare(b.started), cmp.Compare(a.path, b.path))
	})
	return out
}

func (r *running) resources() string {
	if r.total == 0 && r.done == 0 {
		return ""
	}
	return fmt.Sprintf("%d/%d", min(r.done, r.total), r.total)
}

// ing names what is being done.
func (r *running) ing() string {
	switch r.action {
	case "create":
		return "creating"
	case "update":
		return "updating"
	case "delete":
		return "deleting"
	case "recreate":
		return "creating again"
	case "join":
		return "waiting for an operation that was running"
	case "none":
		return "running hooks"
	case event.Guards:
		return "asking the guards again"
	}
	if r.of != "" {
		return r.action + ": " + clean(r.of)
	}
	return r.action
}
