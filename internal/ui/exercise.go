package ui

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/deployer-cli/deployer/internal/capsule"
	"github.com/deployer-cli/deployer/internal/chaos"
	"github.com/deployer-cli/deployer/stacks"
)

// ShowExercise writes how a break went, or stands: its moments, its stacks, the
// objective, what came back different, and how those of all that broke the same
// before compare. Lines are broken at columns, 0 for any width.
func ShowExercise(w io.Writer, s Style, st *chaos.State, all []*chaos.State, columns int) {
	v := breakView{w, s, columns}
	v.line(fmt.Sprintf("%s of %s: %s", s.Bold("break "+st.ID), st.Environment, standing(st, s)), 2)
	if st.Stopped != nil {
		v.line("  "+s.Warn("stopped by "+chaos.Stopper(st.Stopped.By)+": ")+clean(st.Stopped.Why), 4)
	}
	v.deeds(st)
	v.moments(st)
	rows := make([][]string, 0, len(st.Order))
	for _, p := range st.Order {
		t := st.Targets[p]
		by, reason := "", clean(t.Reason)
		if t.NewID != "" || t.Status == chaos.StatusRestored {
			by = t.By.Words()
		}
		if len(t.Empty) > 0 {
			reason = clean(strings.Join(t.Empty, "; "))
		}
		rows = append(rows, []string{"  " + string(p), statusWord(t, s), by, reason})
	}
	fmt.Fprintln(w)
	v.table([]string{"  stack", "now", "", ""}, rows)
	v.differences(st)
	v.earlier(st, all)
	v.notes(st)
}

// deeds says what was done, where no stack was deleted.
func (v breakView) deeds(st *chaos.State) {
	for _, p := range st.Order {
		for _, d := range st.Targets[p].Deeds {
			switch {
			case d.Injection != nil:
				v.line(fmt.Sprintf("  %s: %s (%s)", p, clean(d.Injection.Says), d.Injection.Kind), 4)
			case d.Verb == stacks.Update:
				v.line(fmt.Sprintf("  %s: another value of a parameter (%s=%s)", p, st.Plan.Kind, clean(st.Plan.Argument)), 4)
			}
		}
	}
}

// asBroken is how a target is called that is as the break left it.
func asBroken(t *chaos.Target) string {
	words := map[string]string{
		"delete-resource": "resource deleted", "stop-instances": "instances stopped", "revoke-ingress": "ingress revoked",
		"lambda-zero": "function throttled to zero", "disable-rule": "rule disabled",
	}
	for _, d := range t.Deeds {
		switch {
		case d.Injection != nil:
			return cmp.Or(words[d.Injection.Kind], "broken")
		case d.Verb == stacks.Update:
			return "parameter changed"
		}
	}
	return "down"
}

// notes lists what people said and wrote down.
func (v breakView) notes(st *chaos.State) {
	if len(st.People)+len(st.Notes) == 0 {
		return
	}
	fmt.Fprintln(v.w)
	for _, p := range st.People {
		v.line(fmt.Sprintf("  %s %s: %s", p.At.UTC().Format("15:04:05"), v.s.Bold(p.What), clean(p.Text)), 4)
	}
	for _, n := range st.Notes {
		line := clean(n.Text)
		if n.Stack != "" {
			line = string(n.Stack) + ": " + line
		}
		if n.Owner != "" {
			line += v.s.Dim(" (" + clean(n.Owner) + ")")
		}
		v.line(fmt.Sprintf("  %s %s: %s", n.At.UTC().Format("15:04:05"), v.s.Bold("note, "+clean(n.Kind)), line), 4)
	}
}

func statusWord(t *chaos.Target, s Style) string {
	switch t.Status {
	case chaos.StatusRestored:
		return s.Good("back")
	case chaos.StatusPlanned:
		return s.Dim("not touched")
	case chaos.StatusRefused:
		if len(t.Deeds) > 0 && t.Deeds[0].Verb == stacks.Update {
			return s.Dim("as it was: CloudFormation rolled the update back")
		}
		return s.Dim("not deleted: CloudFormation refused")
	case chaos.StatusGone:
		return s.Bad(asBroken(t))
	case chaos.StatusFailed:
		return s.Bad("stuck half-way")
	case chaos.StatusRebuilding:
		if len(t.Empty) > 0 {
			return s.Bad("back without its data")
		}
		return s.Warn("coming back")
	case chaos.StatusAccepted:
		return s.Warn("going down")
	case chaos.StatusIntended:
		return s.Warn("announced; whether it was sent is not known")
	}
	return string(t.Status)
}

// left says what is not put right yet.
func left(st *chaos.State) string {
	down := st.Broken()
	if words := asBroken(st.Targets[down[0]]); words != "down" { // no stack was deleted
		if len(down) == 1 {
			return fmt.Sprintf("%s: %s", down[0], words)
		}
		return plural(len(down), "stack") + " not put right"
	}
	return plural(len(down), "stack") + " not back"
}

// Outcome says in a few words how a break stands, or how it ended.
func Outcome(st *chaos.State) string { return standing(st, NewStyle(false)) }

// standing says in a few words how a break stands.
func standing(st *chaos.State, s Style) string {
	took, known := st.RecoveryTime()
	text := ""
	if known {
		text = "recovered in " + Duration(took)
		if met, has := st.Met(); st.Overdue() {
			text = s.Bad(fmt.Sprintf("not recovered before the deadline of %s; back after %s", Span(time.Duration(st.Plan.MaxDuration*float64(time.Second))), Duration(took)))
		} else if has && met {
			text = s.Good(text + ", objective " + Span(st.Objective()) + " met")
		} else if has {
			text = s.Bad(fmt.Sprintf("%s, objective %s missed by %s", text, Span(st.Objective()), Duration(took-st.Objective())))
		}
	}
	switch {
	case known && unlike(st):
		text += s.Bad(", not equal")
	case known:
	case st.Finished != nil:
		text = st.Finished.Result + ": " + clean(st.Finished.Why)
	case !st.Touched():
		text = s.Dim("nothing was touched")
	case len(st.Broken()) > 0:
		text = s.Bad("open: " + left(st))
	default:
		text = s.Warn("open: users are not known to be back")
	}
	return text
}

// unlike tells whether something came back different that rebuilding does not explain.
func unlike(st *chaos.State) bool {
	for _, t := range st.Targets {
		if !t.Compared.IsZero() && !t.Equal() {
			return true
		}
	}
	return false
}

// moments writes T0 to T8. What is not recorded says so, and is never 0.
func (v breakView) moments(st *chaos.State) {
	zero := st.Stamps[chaos.T0]
	rows := make([][]string, 0, len(st.Stamps))
	for m := range chaos.Moment(len(st.Stamps)) {
		stamp := st.Stamps[m]
		row := []string{"  " + m.String(), m.Word(), v.s.Dim("not recorded")}
		if stamp.Recorded() {
			after := ""
			if m != chaos.T0 && zero.Recorded() {
				after = offset(stamp.At.Sub(zero.At))
			}
			row = []string{"  " + m.String(), m.Word(), stamp.At.UTC().Format("15:04:05"), after, clean(stamp.Source)}
		}
		rows = append(rows, row)
	}
	if zero.Recorded() {
		fmt.Fprintf(v.w, "\n  %s, in UTC\n", zero.At.UTC().Format("Monday 2 January 2006"))
	} else {
		fmt.Fprintln(v.w)
	}
	v.table(nil, rows)
	var known, unknown []string
	for _, d := range []struct {
		name     string
		from, to chaos.Moment
	}{
		{"impact", chaos.T0, chaos.T1},
		{"detect", chaos.T1, chaos.T3},
		{"diagnose", chaos.T3, chaos.T4},
		{"recover", chaos.T0, chaos.T6},
		{"hands-on", chaos.T5, chaos.T6},
	} {
		between, ok := st.Stamps.Between(d.from, d.to)
		switch {
		case !ok:
			unknown = append(unknown, d.name)
		default:
			known = append(known, d.name+" "+strings.TrimPrefix(offset(between), "+"))
		}
	}
	if len(unknown) > 0 {
		known = append(known, v.s.Dim("not recorded: "+strings.Join(unknown, ", ")))
	}
	v.line("  "+strings.Join(known, " · "), 4)
}

// offset is how much later than something else something was: +2m03s, -1s.
func offset(d time.Duration) string {
	if d < 0 {
		return "-" + Duration(-d)
	}
	return "+" + Duration(d)
}

// differences lists what came back different, and what was bound to.
func (v breakView) differences(st *chaos.State) {
	s := v.s
	expected, compared := 0, false
	var lines []string
	for _, p := range st.Order {
		t := st.Targets[p]
		compared = compared || !t.Compared.IsZero()
		for _, d := range t.Differences {
			if d.Expected {
				expected++
				continue
			}
			lines = append(lines, fmt.Sprintf("    %s %s: %s", s.Bad("≠"), p, differs(d)))
		}
	}
	if !compared {
		return
	}
	fmt.Fprintln(v.w)
	switch {
	case len(lines) > 0:
		fmt.Fprintln(v.w, s.Bad("  not equal to what was captured:"))
		for _, l := range lines {
			v.line(l, 8)
		}
	case st.Equal():
		fmt.Fprintln(v.w, s.Good("  equal to what was captured"))
	}
	if expected > 0 {
		fmt.Fprintln(v.w, s.Dim("  "+plural(expected, "difference")+" that rebuilding brings with it: new ids"))
	}
}

func differs(d capsule.Difference) string {
	text := d.What
	switch {
	case d.Was == "" && d.Is == "":
	case d.Was == "":
		text += ": is " + clean(d.Is) + ", was not there"
	case d.Is == "":
		text += ": was " + clean(d.Was) + ", is not there"
	default:
		text += ": was " + clean(d.Was) + ", is " + clean(d.Is)
	}
	if d.Note != "" {
		text += " (" + clean(d.Note) + ")"
	}
	return text
}
