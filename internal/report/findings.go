package report

import (
	"fmt"
	"strings"
	"time"

	"github.com/deployer-cli/deployer/internal/blast"
	"github.com/deployer-cli/deployer/internal/chaos"
	"github.com/deployer-cli/deployer/internal/span"
	"github.com/deployer-cli/deployer/stacks"
)

// Finding is what the journal tells by itself, and what could be done about it.
type Finding struct {
	Kind  string      `json:"kind"`
	Text  string      `json:"text"`
	Stack stacks.Path `json:"stack,omitempty"`
}

// noRunbook is what a plan says where there is none.
const noRunbook = "none"

// findings goes through what a team would want to know (break.md section 7).
func findings(st *chaos.State, plan *blast.Plan, r *Report) []Finding {
	out := []Finding{}
	if !st.Stamps[chaos.T0].Recorded() {
		return out
	}
	for _, s := range plan.Radius.Stacks {
		if s.Target && (s.Runbook == "" || s.Runbook == noRunbook) {
			out = append(out, Finding{"no runbook", fmt.Sprintf("nothing says how to get %s back: write it down, and name it as runbook: in its break: block", s.Stack), s.Stack})
		}
	}
	out = append(out, noticed(st, r.Open)...)
	for _, p := range st.Order {
		if st.Targets[p].By == chaos.ByHand {
			out = append(out, Finding{"recovered by hand", fmt.Sprintf("%s came back by somebody's hand, and not by what builds it every day", p), p})
		}
	}
	for _, d := range r.Differences {
		if !d.Expected && strings.Contains(d.What, "protection") {
			out = append(out, Finding{"protection lost", fmt.Sprintf("%s: %s", d.Stack, told(d)), d.Stack})
		}
	}
	return append(out, pace(st, r)...)
}

// noticed is what there is to say about probes, alarms and people.
func noticed(st *chaos.State, open bool) []Finding {
	var out []Finding
	alarm, people, impact := st.Stamps[chaos.T2], st.Stamps[chaos.T3], st.Stamps[chaos.T1]
	switch {
	case !alarm.Recorded() && impact.Recorded():
		out = append(out, Finding{Kind: "no alarm", Text: "users were affected, and no alarm that is watched as a probe went off"})
	case alarm.Recorded() && people.Recorded() && people.At.Before(alarm.At):
		out = append(out, Finding{Kind: "people before alarm", Text: fmt.Sprintf("somebody noticed %s before the first alarm", span.Measured(alarm.At.Sub(people.At)))})
	}
	switch {
	case len(st.Plan.Probes) == 0:
		out = append(out, Finding{Kind: "no probe", Text: "nothing measures whether users are affected: the stacks alone said when it was over"})
	case !impact.Recorded() && !open:
		out = append(out, Finding{Kind: "nobody affected", Text: "no steady probe failed: either users do not need what was broken, or nothing measures that they do"})
	}
	if !people.Recorded() {
		out = append(out, Finding{Kind: "not noticed", Text: "nobody said that something was wrong (deployer gameday detect)"})
	}
	return out
}

// pace is what there is to say about how long it took.
func pace(st *chaos.State, r *Report) []Finding {
	var out []Finding
	met, known := st.Met()
	switch took, back := st.RecoveryTime(); {
	case !known || met:
	case back && st.Objective() > 0 && took > st.Objective():
		out = append(out, Finding{Kind: "objective missed", Text: fmt.Sprintf("recovered in %s, %s over the objective of %s", span.Measured(took), span.Measured(took-st.Objective()), span.Chosen(st.Objective()))})
	default:
		out = append(out, Finding{Kind: "objective missed", Text: fmt.Sprintf("users were not back when max_duration (%s) was over", span.Chosen(time.Duration(st.Plan.MaxDuration*float64(time.Second))))})
	}
	if n := len(r.Before); n > 0 && r.Response.Recover != nil && *r.Response.Recover > slower*r.Before[n-1].Seconds {
		out = append(out, Finding{Kind: "slower than last time", Text: fmt.Sprintf("%s, where it took %s the last time", seconds(*r.Response.Recover), seconds(r.Before[n-1].Seconds))})
	}
	return out
}

// slower is how much longer than the last time is worth a word.
const slower = 1.5

// told is a difference in one line.
func told(d Difference) string {
	text := d.What
	switch {
	case d.Was == "" && d.Is == "":
	case d.Was == "":
		text += ": is " + d.Is + ", was not there"
	case d.Is == "":
		text += ": was " + d.Was + ", is not there"
	default:
		text += ": was " + d.Was + ", is " + d.Is
	}
	if d.Note != "" {
		text += " (" + d.Note + ")"
	}
	return text
}

func seconds(s float64) string { return span.Measured(time.Duration(s * float64(time.Second))) }
