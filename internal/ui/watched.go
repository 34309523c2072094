package ui

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/deployer-cli/deployer/internal/event"
	"github.com/deployer-cli/deployer/stacks"
)

// watched is what the events of a break tell while its recovery is watched.
type watched struct {
	objective time.Duration
	broken    time.Time // T0, zero before
	restored  time.Time // T6
	begun     bool      // T5
	stamps    map[string]time.Time
	probes    map[string]seenProbe
	targets   map[stacks.Path]seenTarget
}

type seenProbe struct {
	role, status, why string
	since             time.Time
}

type seenTarget struct {
	status string
	broken string // what of it is, where it stays itself
	up     bool
}

// watch takes in an event of a break and returns the line that it leaves.
func (p *progress) watch(e event.Event, s Style) string {
	if p.watched == nil {
		p.watched = &watched{stamps: map[string]time.Time{}, probes: map[string]seenProbe{}, targets: map[stacks.Path]seenTarget{}}
	}
	w := p.watched
	switch e.Kind {
	case event.Watching:
		w.objective = time.Duration(e.Expected * float64(time.Second))
	case event.Probe:
		before, told := w.probes[e.Resource]
		w.probes[e.Resource] = seenProbe{e.Type, e.Status, e.Reason, e.Time}
		if !told && e.Status == "up" {
			return "" // as it should be
		}
		return probeLine(e, before, s)
	case event.Target:
		w.targets[e.Stack] = seenTarget{e.Status, e.Resource, e.Action != ""}
		return targetLine(e, s)
	case event.Stamp:
		return w.stamp(e, s)
	default:
	}
	return ""
}

func probeLine(e event.Event, before seenProbe, s Style) string {
	lasted := ""
	if !before.since.IsZero() {
		lasted = " after " + Duration(e.Time.Sub(before.since))
	}
	switch e.Status {
	case "up":
		return s.Good(fmt.Sprintf("▲ %s is up again", e.Resource)) + lasted
	case "down":
		return s.Bad(fmt.Sprintf("▼ %s is down", e.Resource)) + ": " + clean(e.Reason)
	}
	return s.Warn(fmt.Sprintf("? %s cannot be read", e.Resource)) + ": " + clean(e.Reason)
}

func targetLine(e event.Event, s Style) string {
	switch {
	case e.Action != "":
		return s.Good(fmt.Sprintf("▲ %s is back", e.Stack)) + strings.TrimRight(", "+clean(e.Reason), ", ")
	case e.Resource != "" && e.Reason == event.Between:
		return s.Warn(fmt.Sprintf("… %s", e.Stack)) + " on its way: " + clean(e.Resource)
	case e.Resource != "":
		return s.Bad(fmt.Sprintf("▼ %s", e.Stack)) + " broken: " + clean(e.Resource)
	case e.Status == "", strings.HasPrefix(e.Status, "DELETE_"):
		return "" // its deletion is told elsewhere
	}
	return s.Warn(fmt.Sprintf("… %s", e.Stack)) + " " + e.Status
}

// stamp takes in a moment. One that moves to an earlier time, since calls run
// beside one another, is not told twice.
func (w *watched) stamp(e event.Event, s Style) string {
	before, told := w.stamps[e.Action]
	w.stamps[e.Action] = e.Time
	switch e.Action {
	case "T0":
		w.broken = e.Time
	case "T5":
		w.begun = true
	case "T6":
		w.restored = e.Time
	}
	if told && !e.Time.After(before) {
		return ""
	}
	at := ""
	if !w.broken.IsZero() && e.Action != "T0" {
		at = fmt.Sprintf(" +%s", Duration(e.Time.Sub(w.broken)))
	}
	return s.Bold(fmt.Sprintf("◆ %s%s", e.Action, at)) + " " + clean(e.Reason)
}

// clock says how long it has been broken, against the objective.
func (w *watched) clock(now time.Time, s Style) string {
	if w.broken.IsZero() {
		return "nothing is broken yet"
	}
	end, text := now, "broken for "
	if !w.restored.IsZero() {
		end, text = w.restored, "users are back after "
	}
	took := end.Sub(w.broken)
	text += Duration(took)
	if w.objective == 0 {
		return text
	}
	text += ", objective " + Span(w.objective)
	switch {
	case took > w.objective:
		return s.Bad(text + " missed by " + Duration(took-w.objective))
	case took > w.objective*3/4 && w.restored.IsZero():
		return s.Warn(text)
	}
	return text
}

// line is the state in one line, for a log.
func (w *watched) line(now time.Time, s Style) string {
	parts := []string{w.clock(now, s)}
	for _, name := range slices.Sorted(maps.Keys(w.probes)) {
		if p := w.probes[name]; p.status != "up" {
			parts = append(parts, name+" "+p.status)
		}
	}
	var down []string
	for _, p := range slices.Sorted(maps.Keys(w.targets)) {
		if !w.targets[p].up {
			down = append(down, string(p))
		}
	}
	if len(down) > 0 {
		parts = append(parts, "not back: "+some(down))
	}
	return strings.Join(parts, "; ")
}

// block is the state for a terminal that is redrawn; breaking says that more is to
// go down.
func (w *watched) block(st Stream, columns int, breaking bool) []string {
	s := st.Style
	lines := []string{cut(s.Bold("exercise: ")+w.clock(st.Now(), s), columns)}
	var up, down []string
	for _, name := range slices.Sorted(maps.Keys(w.probes)) {
		switch p := w.probes[name]; p.status {
		case "up":
			up = append(up, s.Good("▲ "+name))
		case "down":
			down = append(down, s.Bad("▼ "+name)+" "+Duration(st.Now().Sub(p.since)))
		default:
			down = append(down, s.Warn("? "+name))
		}
	}
	if len(up)+len(down) > 0 {
		lines = append(lines, cut("probes    "+strings.Join(append(down, up...), "  "), columns))
	}
	var gone, names, back []string // names: those that are gone, where there is no room for their statuses
	for _, p := range slices.Sorted(maps.Keys(w.targets)) {
		switch t := w.targets[p]; {
		case t.up:
			back = append(back, string(p))
		case t.broken != "":
			gone, names = append(gone, fmt.Sprintf("%s (%s)", p, clean(t.broken))), append(names, string(p))
		case t.status == "":
			gone, names = append(gone, string(p)), append(names, string(p))
		default:
			gone, names = append(gone, string(p)+" "+t.status), append(names, "…"+string(p))
		}
	}
	if len(gone) > 0 {
		lead := fmt.Sprintf("not back  %d: ", len(gone))
		if width(lead+strings.Join(gone, ", ")) > columns {
			gone = names
		}
		lines = append(lines, cut(lead+s.Bad(strings.Join(gone, ", ")), columns))
	}
	if len(back) > 0 {
		lines = append(lines, cut(fmt.Sprintf("back      %d: ", len(back))+s.Good(strings.Join(back, ", ")), columns))
	}
	if !w.begun && !w.broken.IsZero() {
		lines = append(lines, fold("get it back: your runbook, or "+st.advice("deployer recover"), columns, 2)...)
		if breaking {
			return append(lines, fold("Ctrl-C: nothing further is broken", columns, 2)...)
		}
		lines = append(lines, fold("Ctrl-C leaves it broken; come back: "+st.advice("deployer break resume"), columns, 2)...)
	}
	return lines
}
