// Package span writes lengths of time as people do. It never reads a clock.
package span

import (
	"fmt"
	"strings"
	"time"
)

// Measured writes a duration as a person would: 0.4s, 12s, 2m03s, 1h04m.
func Measured(d time.Duration) string {
	switch {
	case d < 0:
		return "0s"
	case d.Round(100*time.Millisecond) < 10*time.Second:
		return trimZero(d.Round(100 * time.Millisecond))
	case d.Round(time.Second) < time.Minute:
		return d.Round(time.Second).String()
	case d.Round(time.Second) < time.Hour:
		d = d.Round(time.Second)
		return pad(int(d/time.Minute), "m", int(d%time.Minute/time.Second), "s")
	default:
		d = d.Round(time.Minute)
		return pad(int(d/time.Hour), "h", int(d%time.Hour/time.Minute), "m")
	}
}

// Chosen writes a length of time that somebody chose, such as an objective, as
// they would say it: 30m, 1h30m, 90s.
func Chosen(d time.Duration) string {
	text := d.Round(time.Second).String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

func trimZero(d time.Duration) string {
	return strings.Replace(fmt.Sprintf("%.1fs", d.Seconds()), ".0s", "s", 1)
}

func pad(a int, unitA string, b int, unitB string) string {
	return fmt.Sprintf("%d%s%02d%s", a, unitA, b, unitB)
}
