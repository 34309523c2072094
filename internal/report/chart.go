package report

import (
	"fmt"
	"time"

	"github.com/deployer-cli/deployer/internal/chaos"
)

// chart is the exercise as a picture: a lane for each stack and probe over one axis of
// time, and the moments above. Lengths are in the units of the SVG's view box.
type chart struct {
	Width, Height int
	Left, Right   int // of the axis
	Foot          int // where the axis lies
	Lanes         []lane
	Stamps        []tick
	Axis          []tick
	Words         string // the same for who cannot see it
}

// lane is one stack or probe.
type lane struct {
	Name string
	Y    int
	Bars []barOf
}

// barOf is a length of time in a lane. Class says what it means, and Title says so in words.
type barOf struct {
	X, W  int
	Class string
	Title string
}

// tick is a moment.
type tick struct {
	X, Y  int
	Label string
	Title string
}

const (
	chartWidth = 960
	chartLeft  = 220
	laneHeight = 24
	stampRows  = 3  // moments that are close to each other stand in rows
	stampRoom  = 34 // what a label takes
	axisTicks  = 6
)

// chart draws the report, nil where nothing was broken.
func (r *Report) chart() *chart {
	from, to, ok := r.extent()
	if !ok {
		return nil
	}
	c := &chart{Width: chartWidth, Left: chartLeft, Right: chartWidth - 40}
	x := func(at time.Time) int {
		share := float64(at.Sub(from)) / float64(to.Sub(from))
		return c.Left + int(max(0, min(1, share))*float64(c.Right-c.Left))
	}
	c.stamps(r, x)
	y := 20 + stampRows*16
	add := func(name string, bars []barOf) {
		c.Lanes = append(c.Lanes, lane{name, y, bars})
		y += laneHeight
	}
	bar := func(a, b time.Time, class, what string) barOf {
		return barOf{x(a), max(2, x(b)-x(a)), class, fmt.Sprintf("%s: %s to %s UTC", what, r.clock(a), r.clock(b))}
	}
	for _, h := range r.Happened {
		add(string(h.Stack), h.bars(to, bar))
	}
	for _, a := range r.Affected {
		var bars []barOf
		for _, s := range a.Spells {
			bars = append(bars, bar(s.From, s.To, "bad", "bad"))
		}
		add("probe "+a.Probe, bars)
	}
	c.Foot, c.Height = y+4, y+30
	for i := range axisTicks + 1 {
		at := from.Add(to.Sub(from) / axisTicks * time.Duration(i))
		c.Axis = append(c.Axis, tick{X: x(at), Y: c.Foot + 16, Label: at.Format("15:04:05")})
	}
	c.Words = fmt.Sprintf("%d stacks and %d probes from %s to %s UTC; the timeline below says the same in words", len(r.Happened), len(r.Affected), r.clock(from), r.clock(to))
	return c
}

// bars are what a stack went through.
func (h Happened) bars(end time.Time, bar func(a, b time.Time, class, what string) barOf) []barOf {
	if h.Broken == nil || h.Status == chaos.StatusRefused {
		return nil
	}
	or := func(t *time.Time, other time.Time) time.Time {
		if t == nil || t.After(end) {
			return other
		}
		return *t
	}
	back := or(h.Back, end)
	anew := or(h.Anew, back)
	gone := or(h.Gone, anew)
	var out []barOf
	for _, b := range []struct {
		a, b        time.Time
		class, what string
	}{{*h.Broken, gone, "going", "going down"}, {gone, anew, "down", "down"}, {anew, back, "anew", "coming back"}} {
		if b.b.After(b.a) {
			out = append(out, bar(b.a, b.b, b.class, b.what))
		}
	}
	return out
}

// extent is the time that is drawn: from the first moment to the last, and a little more.
func (r *Report) extent() (from, to time.Time, ok bool) {
	for _, m := range r.Timeline {
		if m.Stamp == "" {
			continue
		}
		if from.IsZero() {
			from = m.At
		}
		to = m.At
	}
	for _, a := range r.Affected {
		for _, s := range a.Spells {
			to = later(to, s.To)
		}
	}
	for _, h := range r.Happened {
		for _, at := range []*time.Time{h.Gone, h.Back} {
			if at != nil {
				to = later(to, *at)
			}
		}
	}
	return from, to, !from.IsZero() && to.After(from)
}

// stamps puts the moments above the lanes, in rows where they are close to each other.
func (c *chart) stamps(r *Report, x func(time.Time) int) {
	var ends [stampRows]int
	for _, m := range r.Timeline {
		if m.Stamp == "" {
			continue
		}
		at, row := x(m.At), 0
		for row < stampRows-1 && ends[row] > at {
			row++
		}
		ends[row] = at + stampRoom
		c.Stamps = append(c.Stamps, tick{X: at, Y: 16 + 16*row, Label: m.Stamp, Title: fmt.Sprintf("%s %s, %s UTC", m.Stamp, m.What, r.clock(m.At))})
	}
}
