package report

import (
	"fmt"
	"time"

	"github.com/deployer-cli/deployer/internal/span"
)

// Verdict says how the recovery compares with its objective.
func (r *Report) Verdict() string {
	if over := r.over(); r.Response.Met != nil && !*r.Response.Met && over > 0 {
		return "missed by " + span.Measured(over)
	}
	return verdict(r.Response.Met)
}

func (r *Report) over() time.Duration {
	if r.Response.Recover == nil || r.Response.Objective == 0 {
		return 0
	}
	return time.Duration((*r.Response.Recover - r.Response.Objective) * float64(time.Second))
}

// Verdict says whether the objective of then was met.
func (e Earlier) Verdict() string { return verdict(e.Met) }

func verdict(met *bool) string {
	switch {
	case met == nil:
		return "not known"
	case *met:
		return "met"
	}
	return "missed"
}

// Unlike are the differences that rebuilding does not bring with it.
func (r *Report) Unlike() []Difference {
	var out []Difference
	for _, d := range r.Differences {
		if !d.Expected {
			out = append(out, d)
		}
	}
	return out
}

// Likeness says what is known where nothing came back different.
func (r *Report) Likeness() string {
	if r.Response.Equal {
		return "Nothing: it is equal to what was captured."
	}
	return "Not recorded: it was not compared."
}

// Brought says how many differences rebuilding brought with it, "" for none.
func (r *Report) Brought() string {
	switch n := len(r.Differences) - len(r.Unlike()); n {
	case 0:
		return ""
	case 1:
		return "One difference that rebuilding brings with it: a new id."
	default:
		return fmt.Sprintf("%d differences that rebuilding brings with it: new ids.", n)
	}
}

// clock is a time as the report writes it: with its day where not all is of one.
func (r *Report) clock(at time.Time) string { return at.Format(r.layout(at.Location())) }

func (r *Report) layout(zone *time.Location) string {
	if n := len(r.Timeline); n > 0 && day(r.Timeline[0].At, zone) != day(r.Timeline[n-1].At, zone) {
		return "Jan 2 15:04:05"
	}
	return "15:04:05"
}

func day(at time.Time, zone *time.Location) string { return at.In(zone).Format(time.DateOnly) }
