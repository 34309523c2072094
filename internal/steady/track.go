package steady

import (
	"cmp"
	"slices"
	"time"
)

// Track is what one probe has seen so far. It is not safe for concurrent use.
type Track struct {
	probe    Probe
	readings []Reading // by At
}

// NewTrack begins a track of p without readings.
func NewTrack(p Probe) *Track { return &Track{probe: p} }

// Probe gives the probe that is tracked.
func (t *Track) Probe() Probe { return t.probe }

// Add takes a reading in. Readings may arrive in any order; At alone says which
// came first. Of several with the same At the worst comes last.
func (t *Track) Add(r Reading) {
	i, _ := slices.BinarySearchFunc(t.readings, r, compare)
	t.readings = slices.Insert(t.readings, i, r)
}

func compare(a, b Reading) int {
	return cmp.Or(a.At.Compare(b.At), cmp.Compare(badness(a), badness(b)))
}

func badness(r Reading) int {
	switch {
	case r.Unknown:
		return 1
	case r.OK:
		return 0
	}
	return 2
}

// Last gives the reading that was begun last; false when there is none.
func (t *Track) Last() (Reading, bool) {
	if len(t.readings) == 0 {
		return Reading{}, false
	}
	return t.readings[len(t.readings)-1], true
}

// FirstFailure is when the first reading was begun that is known to have failed.
func (t *Track) FirstFailure() (time.Time, bool) { return t.FirstFailureSince(time.Time{}) }

// FirstFailureSince is FirstFailure among the readings from since on.
func (t *Track) FirstFailureSince(since time.Time) (time.Time, bool) {
	for _, r := range t.readings {
		if badness(r) == 2 && !r.At.Before(since) {
			return r.At, true
		}
	}
	return time.Time{}, false
}

// Failing tells whether the last n known readings all failed. Where fewer are
// known it is false.
func (t *Track) Failing(n int) bool {
	for _, r := range slices.Backward(t.readings) {
		if n <= 0 {
			break
		}
		if r.Unknown {
			continue
		}
		if r.OK {
			return false
		}
		n--
	}
	return n <= 0 && len(t.readings) > 0
}

// Well is when the window of good readings began that nothing has ended yet, among the
// readings from since on; false where there is none.
func (t *Track) Well(since time.Time) (at time.Time, ok bool) {
	for _, r := range t.readings {
		switch {
		case r.At.Before(since), r.Unknown:
		case !r.OK:
			ok = false
		case !ok:
			at, ok = r.At, true
		}
	}
	return at, ok
}

// Restored finds the first window of good readings from since on that is as long
// as the probe's StableFor: at is its first reading (T6), verified the one that
// completes it (T7).
//
// A reading that is Unknown does not end a window, but the time around it does
// not count: only what lies between two good readings that follow each other was
// seen. Of a silence at most half of StableFor counts (or one round of the probe,
// where that is longer), so that two readings an hour apart prove nothing.
func (t *Track) Restored(since time.Time) (at, verified time.Time, ok bool) {
	most := max(t.probe.StableFor/2, t.probe.Every+t.probe.Timeout)
	var seen time.Duration
	var last time.Time
	open, blind := false, false
	for _, r := range t.readings {
		switch {
		case r.At.Before(since):
			continue
		case r.Unknown:
			blind = true
			continue
		case !r.OK:
			open = false
			continue
		case !open:
			open, at, seen = true, r.At, 0
		case !blind:
			seen += min(r.At.Sub(last), most)
		}
		last, blind = r.At, false
		if seen >= t.probe.StableFor {
			return at, r.At, true
		}
	}
	return time.Time{}, time.Time{}, false
}
