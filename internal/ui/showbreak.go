package ui

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/deployer-cli/deployer/internal/blast"
	"github.com/deployer-cli/deployer/stacks"
)

// ShowBreak writes what a break takes with it: the blast radius, as a person
// reads it before typing the phrase. Lines are broken at columns, 0 for any width.
func ShowBreak(w io.Writer, s Style, p *blast.Plan, columns int) {
	v := breakView{w, s, columns}
	v.head(p)
	v.order(p)
	v.data(p)
	v.notSame(p)
	v.dependents(p)
	v.recovery(p)
	fmt.Fprintln(w)
}

type breakView struct {
	w       io.Writer
	s       Style
	columns int
}

// line writes a line, which goes on below with an indent where it is too long.
func (v breakView) line(text string, indent int) {
	for _, l := range fold(text, v.columns, indent) {
		fmt.Fprintln(v.w, strings.TrimRight(l, " "))
	}
}

func (v breakView) head(p *blast.Plan) {
	v.line(v.s.Bad("BREAK "+p.Environment)+" "+goes(p), 2)
	v.line(fmt.Sprintf("  account %s, region %s, as %s", p.Account, p.Region, p.By.ARN), 4)
	if p.Choice.Random > 0 || p.Choice.Percent > 0 {
		v.line(fmt.Sprintf("  chosen with seed %q: the same seed chooses the same stacks", clean(p.Choice.Seed)), 4)
	}
	fmt.Fprintln(v.w)
}

// goes says in a few words what a break does.
func goes(p *blast.Plan) string {
	chosen := 0
	for i := range p.Steps {
		if p.Steps[i].Target {
			chosen++
		}
	}
	switch more := len(p.Steps) - chosen; {
	case len(p.Steps) == 0:
		return "there is nothing here to break"
	case p.Kind != blast.DeleteStack:
		return fmt.Sprintf("%s: %s will be touched", strings.TrimSuffix(p.Kind+"="+clean(p.Arg), "="), plural(len(p.Steps), "stack"))
	case more > 0:
		return fmt.Sprintf("%s will be deleted: %d chosen, %d that must go first", plural(len(p.Steps), "stack"), chosen, more)
	}
	return plural(len(p.Steps), "stack") + " will be deleted"
}

// changeWords says what becomes of a resource.
func changeWords(c stacks.ResourceChange) string {
	out := c.Action
	switch c.Replacement {
	case "true":
		out = "replace"
	case "conditional":
		out += ", may be replaced"
	}
	if c.Why != "" {
		out += ": " + c.Why
	}
	return out
}

// room is the least that a reason needs beside its stack; with less it stands
// below.
const room = 40

// order lists the stacks in the order in which they go.
func (v breakView) order(p *blast.Plan) {
	if len(p.Steps) == 0 {
		return
	}
	names, ages, counts := 0, 0, 0
	rows := make([][4]string, 0, len(p.Steps)+1)
	because := "goes because"
	if p.Kind != blast.DeleteStack {
		because = "touched because"
	}
	rows = append(rows, [4]string{"stack", "age", "resources", because})
	for i := range p.Steps {
		step := &p.Steps[i]
		row := [4]string{string(step.Stack), "", "", reason(step)}
		if r := radiusOf(p, step.Stack); r != nil {
			row[1], row[2] = age(time.Duration(r.AgeSeconds*float64(time.Second))), policies(r)
		}
		rows = append(rows, row)
	}
	for _, r := range rows {
		names, ages, counts = max(names, width(r[0])), max(ages, width(r[1])), max(counts, width(r[2]))
	}
	for i, r := range rows {
		mark := " "
		if i > 0 {
			mark = v.mark(&p.Steps[i-1])
		}
		left := "  " + mark + " " + padRight(r[0], names+2) + padRight(r[1], ages+2) + padRight(r[2], counts+2)
		v.beside(left, r[3], i == 0)
		if i > 0 {
			for _, in := range p.Steps[i-1].Injections {
				v.line(fmt.Sprintf("      %s  %s  %s", in.LogicalID, in.Type, clean(in.Says)), 8)
			}
			for _, c := range p.Steps[i-1].Changes {
				v.line(fmt.Sprintf("      %s  %s  %s", c.LogicalID, c.Type, clean(changeWords(c))), 8)
			}
		}
	}
}

// age is how old something is; of what is old nobody wants the minutes.
func age(d time.Duration) string {
	const day = 24 * time.Hour
	if d >= 2*day {
		return fmt.Sprintf("%dd", d/day)
	}
	return Duration(d)
}

// mark is ! for what was chosen, - for what only has to go with it.
func (v breakView) mark(step *blast.Step) string {
	if step.Target {
		return v.s.Bad("!")
	}
	return v.s.Warn("-")
}

// beside writes text to the right of what stands left, else below it.
func (v breakView) beside(left, text string, header bool) {
	at := width(left)
	switch {
	case v.columns <= 0 || v.columns-at >= room:
		v.line(left+text, at)
	case header && at > v.columns: // there are no columns to head
	case header || at <= v.columns:
		fmt.Fprintln(v.w, strings.TrimRight(left, " "))
		if !header {
			v.line("      "+text, 6)
		}
	default:
		v.line(left, 6)
		v.line("      "+text, 6)
	}
}

func reason(step *blast.Step) string {
	if len(step.Why) == 0 {
		return ""
	}
	why := clean(step.Why[0])
	if more := len(step.Why) - 1; more > 0 {
		why += fmt.Sprintf(", and %d more", more)
	}
	return why
}

// table writes a table whose cells may be painted; the last cell of a row goes
// on below itself.
func (v breakView) table(header []string, rows [][]string) {
	if header != nil {
		rows = append([][]string{header}, rows...)
	}
	var most []int
	for _, row := range rows {
		for i, c := range row {
			if i == len(most) {
				most = append(most, 0)
			}
			most[i] = max(most[i], width(c))
		}
	}
	for _, row := range rows {
		var left strings.Builder
		for i, c := range row[:len(row)-1] {
			left.WriteString(padRight(c, most[i]+2))
		}
		v.line(left.String()+row[len(row)-1], min(width(left.String()), max(v.columns/2, 4)))
	}
}

func radiusOf(p *blast.Plan, path stacks.Path) *blast.StackRadius {
	for i := range p.Radius.Stacks {
		if p.Radius.Stacks[i].Stack == path {
			return &p.Radius.Stacks[i]
		}
	}
	return nil
}

// policies counts a stack's resources by what becomes of them: "11", or
// "11 (2 Retain, 1 Snapshot)".
func policies(r *blast.StackRadius) string {
	var parts []string
	for _, policy := range slices.Sorted(maps.Keys(r.Policies)) {
		if policy != "" && policy != "Delete" {
			parts = append(parts, fmt.Sprintf("%d %s", r.Policies[policy], policy))
		}
	}
	text := strconv.Itoa(r.Resources)
	if len(parts) > 0 {
		text += " (" + strings.Join(parts, ", ") + ")"
	}
	return text
}

func (v breakView) data(p *blast.Plan) {
	var lines []string
	for i := range p.Radius.Stacks {
		for _, h := range p.Radius.Stacks[i].Holders {
			text := h.Becomes()
			if h.Cover == blast.Uncovered {
				text = v.s.Bad(text + reasonOf(h.Why))
			}
			lines = append(lines, fmt.Sprintf("%s::%s (%s): %s", h.Stack, h.LogicalID, h.Type, text))
		}
	}
	v.section("what holds data", lines)
}

func reasonOf(why string) string {
	if why == "" {
		return ""
	}
	return ": " + clean(why)
}

func (v breakView) notSame(p *blast.Plan) {
	grouped := map[string][]string{}
	for i := range p.Radius.Stacks {
		for _, n := range p.Radius.Stacks[i].NotSame {
			grouped[n.What] = append(grouped[n.What], string(p.Radius.Stacks[i].Stack)+"::"+n.LogicalID)
		}
	}
	var lines []string
	for _, what := range slices.Sorted(maps.Keys(grouped)) {
		lines = append(lines, clean(what)+": "+some(grouped[what]))
	}
	v.section("what will not come back the same", lines)
}

func (v breakView) dependents(p *blast.Plan) {
	var lines []string
	for _, d := range p.Radius.Dependents {
		loses := make([]string, 0, len(d.Loses))
		for _, l := range d.Loses {
			loses = append(loses, string(l))
		}
		lines = append(lines, fmt.Sprintf("%s loses its dependency: %s", d.Stack, some(loses)))
	}
	v.section("what stays, and misses it", lines)
}

func (v breakView) recovery(p *blast.Plan) {
	var lines []string
	objective := "none is set (break.rto)"
	if p.Radius.RTOSeconds > 0 {
		objective = Span(time.Duration(p.Radius.RTOSeconds * float64(time.Second)))
	}
	lines = append(lines, "objective: "+objective)
	for i := range p.Radius.Stacks {
		r := &p.Radius.Stacks[i]
		if !r.Target {
			continue
		}
		line := fmt.Sprintf("%s: runbook %s", r.Stack, cmp.Or(r.Runbook, "none"))
		times := make([]string, 0, len(r.Past))
		for _, past := range r.Past {
			took := "not recovered"
			if past.Recovered && past.Seconds > 0 {
				took = Duration(time.Duration(past.Seconds * float64(time.Second)))
			}
			times = append(times, past.At.UTC().Format("2006-01-02")+" "+took)
		}
		if len(times) > 0 {
			line += "; recovered before: " + some(times)
		} else {
			line += "; never practised"
		}
		lines = append(lines, line)
	}
	v.section("getting it back", lines)
}

func (v breakView) section(title string, lines []string) {
	if len(lines) == 0 {
		return
	}
	fmt.Fprintf(v.w, "\n%s\n", v.s.Bold("  "+title))
	for _, l := range lines {
		v.line("    "+l, 6)
	}
}

// ShowGuards writes what the guards of a break say; all of them, or those alone
// that refuse. Lines are broken at columns, 0 for any width.
func ShowGuards(w io.Writer, s Style, verdicts []blast.Verdict, all bool, columns int) {
	view := breakView{w, s, columns}
	passed := 0
	for _, v := range verdicts {
		if v.OK {
			passed++
			if all {
				view.line(fmt.Sprintf("  %s %-4s %s", s.Good("✓"), v.Guard, v.Title), 9)
			}
			continue
		}
		view.line(fmt.Sprintf("  %s %-4s %s", s.Bad("✗"), v.Guard, s.Bold(v.Title)), 9)
		for _, f := range findings(v) {
			subject := ""
			if f.Stack != "" {
				subject = string(f.Stack) + ": "
			}
			view.line("         "+subject+clean(f.Why), 11)
			if f.Fix != "" {
				view.line("         "+s.Dim("fix:")+" "+clean(f.Fix), 14)
			}
		}
	}
	text := fmt.Sprintf("guards: %d of %d pass", passed, len(verdicts))
	if passed == len(verdicts) {
		fmt.Fprintln(w, s.Good(text))
		return
	}
	fmt.Fprintln(w, s.Bad(text))
}

func findings(v blast.Verdict) []blast.Finding {
	if len(v.Findings) > 0 {
		return v.Findings
	}
	return []blast.Finding{{Why: v.Why, Fix: v.Fix}}
}
