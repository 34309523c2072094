package ui

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/deployer-cli/deployer/internal/capsule"
	"github.com/deployer-cli/deployer/internal/chaos"
)

// ShowExercise writes how a break went, or stands: its moments, its stacks, the
// objective, and what came back different.
func ShowExercise(w io.Writer, s Style, st *chaos.State) {
	fmt.Fprintf(w, "%s %s, %s\n", s.Bold("break "+st.ID), st.Environment, standing(st, s))
	if st.Stopped != nil {
		fmt.Fprintf(w, "  %s\n", s.Warn(fmt.Sprintf("stopped (%s): %s", st.Stopped.By, clean(st.Stopped.Why))))
	}
	moments(w, s, st)
	rows := make([][]string, 0, len(st.Order))
	for _, p := range st.Order {
		t := st.Targets[p]
		by, reason := "", clean(t.Reason)
		if t.NewID != "" || t.Status == chaos.StatusRestored {
			by = t.By.Words()
		}
		rows = append(rows, []string{"  " + string(p), statusWord(t.Status, s), by, reason})
	}
	fmt.Fprintln(w)
	widths(w, []string{"  stack", "now", "", ""}, rows)
	differences(w, s, st)
	notes(w, s, st)
}

// notes lists what people said and wrote down.
func notes(w io.Writer, s Style, st *chaos.State) {
	if len(st.People)+len(st.Notes) == 0 {
		return
	}
	fmt.Fprintln(w)
	for _, p := range st.People {
		fmt.Fprintf(w, "  %s %s: %s\n", p.At.UTC().Format("15:04:05"), s.Bold(p.What), clean(p.Text))
	}
	for _, n := range st.Notes {
		line := clean(n.Text)
		if n.Stack != "" {
			line = string(n.Stack) + ": " + line
		}
		if n.Owner != "" {
			line += s.Dim(" (" + clean(n.Owner) + ")")
		}
		fmt.Fprintf(w, "  %s %s: %s\n", n.At.UTC().Format("15:04:05"), s.Bold("note, "+clean(n.Kind)), line)
	}
}

func statusWord(status chaos.Status, s Style) string {
	switch status {
	case chaos.StatusRestored:
		return s.Good("back")
	case chaos.StatusPlanned:
		return s.Dim("not touched")
	case chaos.StatusRefused:
		return s.Dim("not deleted: CloudFormation refused")
	case chaos.StatusGone:
		return s.Bad("down")
	case chaos.StatusFailed:
		return s.Bad("stuck half-way")
	case chaos.StatusRebuilding:
		return s.Warn("coming back")
	case chaos.StatusAccepted:
		return s.Warn("going down")
	case chaos.StatusIntended:
		return s.Warn("announced; whether it was sent is not known")
	}
	return string(status)
}

// standing says in a few words how a break stands.
func standing(st *chaos.State, s Style) string {
	took, known := st.RecoveryTime()
	text := ""
	if known {
		text = "recovered in " + Duration(took)
		if met, has := st.Met(); has && met {
			text = s.Good(text + ", objective " + Duration(st.Objective()) + " met")
		} else if has {
			text = s.Bad(fmt.Sprintf("%s, objective %s missed by %s", text, Duration(st.Objective()), Duration(took-st.Objective())))
		}
	}
	switch {
	case known:
	case st.Finished != nil:
		text = st.Finished.Result + ": " + clean(st.Finished.Why)
	case !st.Touched():
		text = s.Dim("nothing was touched")
	case len(st.Broken()) > 0:
		text = s.Bad(fmt.Sprintf("open: %s not back", plural(len(st.Broken()), "stack")))
	default:
		text = s.Warn("open: users are not known to be back")
	}
	return text
}

// moments writes T0 to T8. What is not recorded says so, and is never 0.
func moments(w io.Writer, s Style, st *chaos.State) {
	zero := st.Stamps[chaos.T0]
	rows := make([][]string, 0, len(st.Stamps))
	for m := range chaos.Moment(len(st.Stamps)) {
		stamp := st.Stamps[m]
		row := []string{"  " + m.String(), m.Word(), s.Dim("not recorded")}
		if stamp.Recorded() {
			after := ""
			if m != chaos.T0 && zero.Recorded() {
				after = "+" + Duration(stamp.At.Sub(zero.At))
			}
			row = []string{"  " + m.String(), m.Word(), stamp.At.UTC().Format("15:04:05"), after, clean(stamp.Source)}
		}
		rows = append(rows, row)
	}
	widths(w, nil, rows)
	var parts []string
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
		took := "not recorded"
		if between, ok := st.Stamps.Between(d.from, d.to); ok {
			took = Duration(between)
			if between < 0 {
				took = "-" + Duration(-between)
			}
		}
		parts = append(parts, d.name+" "+took)
	}
	fmt.Fprintln(w, "  "+strings.Join(parts, " · "))
}

// differences lists what came back different, and what was bound to.
func differences(w io.Writer, s Style, st *chaos.State) {
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
			lines = append(lines, fmt.Sprintf("  %s %s %s", s.Bad("≠"), p, differs(d)))
		}
	}
	if !compared {
		return
	}
	fmt.Fprintln(w)
	switch {
	case len(lines) > 0:
		fmt.Fprintln(w, s.Bad("  not equal to what was captured:"))
		for _, l := range lines {
			fmt.Fprintln(w, "  "+l)
		}
	case st.Equal():
		fmt.Fprintln(w, s.Good("  equal to what was captured"))
	}
	if expected > 0 {
		fmt.Fprintln(w, s.Dim(fmt.Sprintf("  %s that rebuilding makes: new ids", plural(expected, "difference"))))
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

// BreakRow is one break in a list.
func BreakRow(s Style, st *chaos.State) []string {
	return []string{st.ID, st.Environment, strconv.Itoa(len(st.Order)), st.Planned.UTC().Format(time.RFC3339), standing(st, s)}
}
