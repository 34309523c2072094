package ui

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/deployer-cli/deployer/internal/blast"
	"github.com/deployer-cli/deployer/internal/chaos"
	"github.com/deployer-cli/deployer/stacks"
)

// ShowBreaks lists breaks, the oldest first: a table where there is room for it, 0 for
// any width, else a few lines for each.
func ShowBreaks(w io.Writer, s Style, all []*chaos.State, columns int) {
	var table strings.Builder
	rows := BreakRows(s, all)
	Table(&table, BreakHeader(), rows)
	widest := 0
	for line := range strings.Lines(table.String()) {
		widest = max(widest, width(strings.TrimRight(line, " \n")))
	}
	if columns == 0 || widest <= columns {
		io.WriteString(w, table.String())
		return
	}
	v := breakView{w, s, columns}
	for _, row := range rows {
		v.line(s.Bold(row[0])+"  "+row[1], 2)
		result := "  " + row[2]
		if row[3] != "" {
			result += "; " + row[3] + " than last time"
		}
		v.line(result, 4)
	}
}

// BreakHeader stands above the rows that BreakRows gives.
func BreakHeader() []string { return []string{"break", "what", "result", "than last time"} }

// BreakRows are breaks in a list, as given, the oldest first. Each that was
// recovered is compared with the one before that broke the same.
func BreakRows(s Style, all []*chaos.State) [][]string {
	rows := make([][]string, 0, len(all))
	for i, st := range all {
		than := ""
		if took, ok := st.RecoveryTime(); ok {
			if past := Earlier(st, all[:i]); len(past) > 0 {
				than = compared(took, past[len(past)-1])
			}
		}
		rows = append(rows, []string{st.ID, what(st), standing(st, s), than})
	}
	return rows
}

// Earlier lists those of all that broke the same before st did, and were
// recovered, the oldest first.
func Earlier(st *chaos.State, all []*chaos.State) []*chaos.State {
	var out []*chaos.State
	for _, other := range all {
		_, recovered := other.RecoveryTime()
		if recovered && other.Planned.Before(st.Planned) && alike(st) == alike(other) && whole(st) && whole(other) {
			out = append(out, other)
		}
	}
	return out
}

// compared says how much longer or shorter a recovery took than an earlier one.
func compared(took time.Duration, before *chaos.State) string {
	was, _ := before.RecoveryTime()
	switch by := (took - was).Round(time.Second); {
	case by < 0:
		return Duration(-by) + " faster"
	case by > 0:
		return Duration(by) + " slower"
	}
	return "as fast"
}

// chosen lists the stacks that were chosen to be broken: what goes with them may
// be another lot from time to time.
func chosen(st *chaos.State) []stacks.Path {
	var plan struct {
		Targets []stacks.Path `json:"targets"`
	}
	if json.Unmarshal(st.Plan.Detail, &plan) != nil || len(plan.Targets) == 0 {
		return st.Order
	}
	return plan.Targets
}

// alike is equal for breaks that do the same to the same stacks.
func alike(st *chaos.State) string {
	paths := make([]string, 0, len(st.Order))
	for _, p := range chosen(st) {
		paths = append(paths, string(p))
	}
	slices.Sort(paths)
	argument := st.Plan.Argument
	if broken := resourcesOf(st); broken != "" { // however they were named
		argument = broken
	}
	return strings.Join(append(paths, st.Environment, st.Plan.Kind, argument), "\x00")
}

// resourcesOf lists what was broken of stacks that stay.
func resourcesOf(st *chaos.State) string {
	var names []string
	for _, p := range st.Order {
		for _, d := range st.Targets[p].Deeds {
			if d.Injection != nil {
				names = append(names, string(p)+"::"+d.Injection.LogicalID)
			}
		}
	}
	slices.Sort(names)
	return strings.Join(names, " ")
}

// touched counts the stacks of a break that were broken.
func touched(st *chaos.State) int {
	n := 0
	for _, t := range st.Targets {
		if t.Status != chaos.StatusPlanned && t.Status != chaos.StatusRefused {
			n++
		}
	}
	return n
}

// whole tells whether all that was to be broken was: half a break takes half the
// time.
func whole(st *chaos.State) bool { return touched(st) == len(st.Order) }

// what names what a break was of: "dev/network +6", and how much of it.
func what(st *chaos.State) string {
	paths := chosen(st)
	text := st.Environment
	if len(paths) > 0 {
		text = string(paths[0])
	}
	if more := len(st.Order) - 1; more > 0 {
		text += fmt.Sprintf(" +%d", more)
	}
	if n := touched(st); n > 0 && n < len(st.Order) {
		text += fmt.Sprintf(" (%d of %d)", n, len(st.Order))
	}
	if st.Plan.Kind != blast.DeleteStack {
		text += " " + st.Plan.Kind
	}
	return text
}

// maxEarlier is how many earlier recoveries one line names.
const maxEarlier = 4

// earlier says how the recoveries of the same break compare, this one last.
func (v breakView) earlier(st *chaos.State, all []*chaos.State) {
	took, ok := st.RecoveryTime()
	past := Earlier(st, all)
	if !ok || len(past) == 0 {
		return
	}
	parts := make([]string, 0, maxEarlier+1)
	for _, p := range past[max(0, len(past)-maxEarlier):] {
		was, _ := p.RecoveryTime()
		parts = append(parts, fmt.Sprintf("%s (%s)", Duration(was), p.Planned.UTC().Format("2 Jan 15:04")))
	}
	last := compared(took, past[len(past)-1])
	if strings.HasSuffix(last, "faster") {
		last = v.s.Good(last)
	} else if strings.HasSuffix(last, "slower") {
		last = v.s.Warn(last)
	}
	fmt.Fprintln(v.w)
	v.line(fmt.Sprintf("  compared with before: %s, now %s: %s than last time", strings.Join(parts, ", "), Duration(took), last), 4)
}
