package guard

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/netresearch/go-cron"
	"github.com/sosodev/duration"
)

// Freeze is a time in which nothing new is applied: one interval, or windows
// that come again. The zero Freeze is always on: what was not read is closed.
type Freeze struct {
	Text  string // as written, for the reader
	start time.Time
	end   time.Time
	again cron.Schedule // nil for an interval
	takes time.Duration
}

const (
	leap          = 25 * time.Hour // more than clocks are ever moved by
	windowsAtMost = 10_000         // that are followed; more overlap without end
)

// At tells whether the freeze is on at t, and until when; the zero time is "no
// end that is known".
func (f Freeze) At(t time.Time) (until time.Time, on bool) {
	if f.again == nil {
		if f.end.IsZero() {
			return time.Time{}, true
		}
		return f.end, !t.Before(f.start) && t.Before(f.end)
	}
	// From well before: a beginning that was moved behind a leap of the clocks is
	// only found from before the leap.
	begun := f.again.Next(t.Add(-f.takes - leap))
	for range windowsAtMost {
		ends := begun.Add(f.takes)
		switch {
		case begun.IsZero(), begun.After(t) && (!on || begun.After(until)):
			return until, on
		case begun.After(t), ends.After(t):
			until, on = ends, true
		}
		begun = f.again.Next(begun)
	}
	return time.Time{}, true
}

// Next is when the freeze begins after t, the zero time for never.
func (f Freeze) Next(t time.Time) time.Time {
	switch {
	case f.again != nil:
		return f.again.Next(t)
	case f.start.After(t):
		return f.start
	}
	return time.Time{}
}

// Interval reads an ISO 8601 interval: start/end, start/duration or
// duration/end. A time without a zone is UTC; a date alone is its midnight.
func Interval(text string) (Freeze, error) {
	first, second, ok := strings.Cut(strings.TrimSpace(text), "/")
	if !ok || strings.Contains(second, "/") {
		return Freeze{}, fmt.Errorf(`%q is no interval, such as "2026-12-20T00:00Z/2027-01-04T00:00Z" or "2026-12-20/P14D"`, text)
	}
	f := Freeze{Text: text}
	var err error
	switch {
	case strings.HasPrefix(first, "P") && strings.HasPrefix(second, "P"):
		return Freeze{}, fmt.Errorf("%q has no beginning and no end, only how long it takes", text)
	case strings.HasPrefix(second, "P"):
		if f.start, err = moment(first); err == nil {
			f.end, err = shifted(f.start, second, 1)
		}
	case strings.HasPrefix(first, "P"):
		if f.end, err = moment(second); err == nil {
			f.start, err = shifted(f.end, first, -1)
		}
	default:
		var late error
		f.start, err = moment(first)
		f.end, late = moment(second)
		err = cmp.Or(err, late)
	}
	switch {
	case err != nil:
		return Freeze{}, err
	case !f.start.Before(f.end):
		return Freeze{}, fmt.Errorf("%q ends before it begins", text)
	}
	return f, nil
}

// moment reads a date or a time of ISO 8601.
func moment(text string) (time.Time, error) {
	for _, layout := range []string{
		time.RFC3339, "2006-01-02T15:04Z07:00", "2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02", "20060102T150405Z0700", "20060102T150405",
	} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is no time of ISO 8601, such as 2026-12-20T00:00Z", text)
}

// years is the longest that a freeze may take: a slip of the hand must not make
// an interval that overflows, and so is never on.
const years = 100

// shifted adds an ISO 8601 duration to t, once forwards or back. Years, months
// and days are those of the calendar.
func shifted(t time.Time, text string, sign int) (time.Time, error) {
	d, err := duration.Parse(text)
	if err != nil {
		return t, fmt.Errorf("%q is no duration of ISO 8601, such as P14D or PT36H", text)
	}
	days := d.Weeks*7 + d.Days
	rest := d.Hours*float64(time.Hour) + d.Minutes*float64(time.Minute) + d.Seconds*float64(time.Second)
	whole := d.Years == float64(int(d.Years)) && d.Months == float64(int(d.Months)) && days == float64(int(days))
	switch {
	case d.Negative || !whole:
		return t, fmt.Errorf("%q cannot be used: years, months and days have to be whole, and none negative", text)
	case d.Years > years || d.Months > 12*years || days > 366*years || rest > float64(years*366*24*time.Hour):
		return t, fmt.Errorf("%q is longer than %d years", text, years)
	}
	return t.AddDate(sign*int(d.Years), sign*int(d.Months), sign*int(days)).Add(time.Duration(sign) * time.Duration(rest)), nil
}

// Window makes a freeze that begins whenever the cron line says, in the zone,
// and takes so long. A beginning that the clocks leap over is moved behind the
// leap, and not left out.
func Window(line string, takes time.Duration, zone string) (Freeze, error) {
	zone = cmp.Or(zone, "UTC")
	if _, err := time.LoadLocation(zone); err != nil {
		return Freeze{}, fmt.Errorf("there is no time zone %q", zone)
	}
	if takes <= 0 {
		return Freeze{}, fmt.Errorf("a window takes longer than %s", takes)
	}
	// In lower case, for the parser takes the H of THU for its own H.
	parser, err := cron.TryNewParser(cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow)
	if err != nil {
		return Freeze{}, err
	}
	schedule, err := parser.Parse("CRON_TZ=" + zone + " " + strings.ToLower(strings.TrimSpace(line)))
	if err != nil {
		return Freeze{}, fmt.Errorf("%q is no cron line: %w", line, err)
	}
	return Freeze{Text: fmt.Sprintf("%s for %s (%s)", line, takes, zone), again: schedule, takes: takes}, nil
}
