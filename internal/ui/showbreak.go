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
// reads it before typing the phrase.
func ShowBreak(w io.Writer, s Style, p *blast.Plan) {
	v := breakView{w, s}
	v.head(p)
	v.order(p)
	v.data(p)
	v.notSame(p)
	v.dependents(p)
	v.recovery(p)
	fmt.Fprintln(w)
}

type breakView struct {
	w io.Writer
	s Style
}

func (v breakView) head(p *blast.Plan) {
	what := plural(len(p.Steps), "stack") + " will be deleted"
	if p.Kind != blast.DeleteStack {
		what = fmt.Sprintf("%s: %s will be touched", strings.TrimSuffix(p.Kind+"="+p.Arg, "="), plural(len(p.Steps), "stack"))
	}
	fmt.Fprintf(v.w, "%s %s\n", v.s.Bad("BREAK "+p.Environment), what)
	fmt.Fprintf(v.w, "  account %s, region %s, as %s\n", p.Account, p.Region, p.By.ARN)
	if p.Choice.Random > 0 || p.Choice.Percent > 0 {
		fmt.Fprintf(v.w, "  chosen with seed %q: the same seed chooses the same stacks\n", clean(p.Choice.Seed))
	}
	fmt.Fprintln(v.w)
}

// order lists the stacks in the order in which they go.
func (v breakView) order(p *blast.Plan) {
	rows := make([][]string, 0, len(p.Steps))
	for i := range p.Steps {
		step := &p.Steps[i]
		why := ""
		if len(step.Why) > 0 {
			why = step.Why[0]
		}
		if more := len(step.Why) - 1; more > 0 {
			why += fmt.Sprintf(", and %d more", more)
		}
		age, resources := "", ""
		if r := radiusOf(p, step.Stack); r != nil {
			age, resources = Duration(time.Duration(r.AgeSeconds*float64(time.Second))), policies(r)
		}
		mark := v.s.Warn("-")
		if step.Target {
			mark = v.s.Bad("-")
		}
		rows = append(rows, []string{"  " + mark + " " + string(step.Stack), age, resources, clean(why)})
		for _, in := range step.Injections {
			rows = append(rows, []string{"      " + in.LogicalID, "", in.Type, clean(in.Says)})
		}
		for _, c := range step.Changes {
			rows = append(rows, []string{"      " + c.LogicalID, "", c.Type, clean(changeWords(c))})
		}
	}
	widths(v.w, []string{"    stack", "age", "resources", "goes because"}, rows)
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

// widths writes a table whose first column holds colours of its own.
func widths(w io.Writer, header []string, rows [][]string) {
	all := append([][]string{header}, rows...)
	var most []int
	for _, row := range all {
		for i, c := range row {
			if i == len(most) {
				most = append(most, 0)
			}
			most[i] = max(most[i], width(c))
		}
	}
	for _, row := range all {
		var b strings.Builder
		for i, c := range row {
			b.WriteString(padRight(c, most[i]+2))
		}
		fmt.Fprintln(w, strings.TrimRight(b.String(), " "))
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
			line := fmt.Sprintf("%s::%s  %s  %s", h.Stack, h.LogicalID, h.Type, covers(h))
			if h.Cover == blast.Uncovered {
				line = v.s.Bad(line)
			}
			lines = append(lines, line)
		}
	}
	v.section("what holds data", lines)
}

func covers(h blast.Holder) string {
	switch h.Cover {
	case blast.Retained:
		return "stays, and recovery takes it in again"
	case blast.Snapshot:
		return "leaves a snapshot, which recovery hands to the parameter " + h.Parameter
	case blast.Expendable:
		return "is lost: its config calls it expendable"
	case blast.Generated:
		return "is made anew by CloudFormation"
	case blast.Passing:
		return "what is in it is lost"
	}
	return "WOULD BE LOST" + reasonOf(h.Why)
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
		objective = Duration(time.Duration(p.Radius.RTOSeconds * float64(time.Second)))
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
		fmt.Fprintln(v.w, "    "+l)
	}
}

// ShowGuards writes what the guards of a break say; all of them, or those alone
// that refuse.
func ShowGuards(w io.Writer, s Style, verdicts []blast.Verdict, all bool) {
	passed := 0
	for _, v := range verdicts {
		if v.OK {
			passed++
			if all {
				fmt.Fprintf(w, "  %s %-4s %s\n", s.Good("✓"), v.Guard, v.Title)
			}
			continue
		}
		fmt.Fprintf(w, "  %s %-4s %s\n", s.Bad("✗"), v.Guard, s.Bold(v.Title))
		for _, f := range findings(v) {
			subject := ""
			if f.Stack != "" {
				subject = string(f.Stack) + ": "
			}
			fmt.Fprintf(w, "         %s%s\n", subject, clean(f.Why))
			if f.Fix != "" {
				fmt.Fprintf(w, "         %s %s\n", s.Dim("fix:"), clean(f.Fix))
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
