package ui

import (
	"fmt"
	"io"
	"strings"

	"github.com/deployer-cli/deployer/internal/plan"
	"github.com/deployer-cli/deployer/stacks"
)

// maxChanges is how many resources of one step a plan lists; a first launch
// adds every resource there is, and only says how many.
const maxChanges = 12

// ShowPlan writes every stack that will be touched, those outside PATH
// included, in order, each with its action and cause; stacks with nothing to do
// are counted at the end.
func ShowPlan(w io.Writer, s Style, p *plan.Plan, columns int) {
	var out strings.Builder
	showPlan(&out, s, p, columns)
	Fold(w, out.String(), columns)
}

func showPlan(w io.Writer, s Style, p *plan.Plan, columns int) {
	p2 := planView{w: w, s: s, columns: columns}
	var same, gone, skipped, hooked []string
	for i := range p.Steps {
		p2.names = min(max(p2.names, width(string(p.Steps[i].Stack))), 40)
	}
	p2.separate(p)
	for i := range p.Steps {
		step := &p.Steps[i]
		switch {
		case step.Action == plan.Skip:
			skipped = append(skipped, fmt.Sprintf("%s (%s)", step.Stack, clean(step.Cause)))
		case !step.Changing() && !step.Late:
			if absent(step) {
				gone = append(gone, string(step.Stack))
				continue
			}
			same = append(same, string(step.Stack))
			if step.Hooked {
				hooked = append(hooked, string(step.Stack))
			}
		default:
			p2.step(step)
		}
	}
	if len(same) > 0 {
		p2.line(s.Action(plan.None, fmt.Sprintf("  = %s unchanged: %s", plural(len(same), "stack"), some(same))))
	}
	if len(hooked) > 0 {
		p2.line(fmt.Sprintf("  > hooks of %s run all the same: %s", plural(len(hooked), "unchanged stack"), some(hooked)))
	}
	if len(gone) > 0 {
		p2.line(s.Action(plan.None, fmt.Sprintf("  = %s not there: %s", plural(len(gone), "stack"), some(gone))))
	}
	if len(skipped) > 0 {
		p2.line(s.Action(plan.Skip, "  · left out: "+some(skipped)))
	}
	p2.line("")
	p2.line(s.Bold(Counts(p)))
}

// Counts is the plan in one line: "Plan: 2 to create, 1 to update, 5 unchanged".
func Counts(p *plan.Plan) string {
	counts := map[plan.Action]int{}
	late, gone := 0, 0
	for i := range p.Steps {
		if p.Steps[i].Late && p.Steps[i].Action != plan.Create {
			late++
			continue
		}
		if absent(&p.Steps[i]) {
			gone++
			continue
		}
		counts[p.Steps[i].Action]++
	}
	var parts []string
	add := func(n int, text string) {
		if n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, text))
		}
	}
	add(counts[plan.Create], "to create")
	add(counts[plan.Update], "to update")
	add(late, "to decide once known")
	add(counts[plan.Recreate], "to create again")
	add(counts[plan.Delete], "to delete")
	add(counts[plan.Join], "to wait for")
	add(counts[plan.None], "unchanged")
	add(gone, "not there")
	add(counts[plan.Skip], "left out")
	if len(parts) == 0 {
		return "Plan: no stacks"
	}
	return "Plan: " + strings.Join(parts, ", ")
}

// absent tells whether there is nothing to do because there is no stack.
func absent(step *plan.Step) bool {
	return step.Action == plan.None && (step.Live == nil || !step.Live.Status.Exists())
}

// maxNames is how many stacks one line of a plan names.
const maxNames = 6

func some(names []string) string {
	if len(names) <= maxNames {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:maxNames], ", "), len(names)-maxNames)
}

type planView struct {
	w       io.Writer
	s       Style
	columns int
	names   int // how wide the column of stack names is
}

// line leaves wrapping to the terminal: nothing of a plan may be cut away.
func (v *planView) line(text string) { fmt.Fprintln(v.w, text) }

func (v *planView) step(step *plan.Step) {
	head := fmt.Sprintf("  %s %-10s %s", step.Action.Symbol(), word(step), padRight(string(step.Stack), v.names))
	v.line(v.s.Action(step.Action, head) + "  " + cause(step))
	note := func(text string) { v.line(v.s.Dim("      " + text)) }
	if step.Outside {
		note("outside the PATH you gave: others here depend on it")
	}
	if len(step.After) > 0 {
		note("after " + some(names(step.After)))
	}
	if step.Asks != "" {
		v.line(v.s.Warn("      asks: " + clean(step.Asks)))
	}
	if step.Blocked != "" {
		v.line(v.s.Bad("      blocked: " + clean(step.Blocked)))
	}
	if step.Action == plan.Update || step.Late {
		v.differences(step)
	}
	v.changes(step)
}

// cause is why, in one line. What a new stack waits for stands on a line of its
// own; its resources are only counted.
func cause(step *plan.Step) string {
	text := clean(step.Cause)
	if step.Action == plan.Delete {
		return fmt.Sprintf("%s, %s", text, plural(len(step.Changes), "resource"))
	}
	if step.Action != plan.Create {
		return text
	}
	text, _, _ = strings.Cut(text, ", waits for ")
	return fmt.Sprintf("%s of %s", text, plural(len(step.Changes), "resource"))
}

func word(step *plan.Step) string {
	if step.Late && step.Action == plan.Update {
		return "may update"
	}
	return string(step.Action)
}

func names(paths []stacks.Path) []string {
	out := make([]string, 0, len(paths))
	for _, p := range paths {
		out = append(out, string(p))
	}
	return out
}

func (v *planView) differences(step *plan.Step) {
	for _, d := range step.Diff {
		if d.Part == "template" {
			continue // its resources are listed
		}
		text := v.difference(d)
		if strings.TrimPrefix(strip(text), "~ ") == clean(step.Cause) {
			continue // it is the whole cause
		}
		v.line("      " + text)
	}
}

func (v *planView) difference(d plan.Difference) string {
	why := ""
	if d.Why != "" {
		why = "  " + v.s.Dim("("+clean(d.Why)+")")
	}
	key := clean(strings.TrimSpace(d.Part + " " + d.Key))
	switch {
	case d.Old == "" && d.New == "":
		return v.s.Warn("~ ") + key + why
	case d.Old == "":
		return v.s.Good("+ ") + key + ": " + clean(d.New) + why
	case d.New == "":
		return v.s.Bad("- ") + key + ": " + clean(d.Old) + why
	default:
		return v.s.Warn("~ ") + key + ": " + clean(d.Old) + " -> " + clean(d.New) + why
	}
}

func (v *planView) changes(step *plan.Step) {
	if step.Action == plan.Create {
		return
	}
	if step.Action == plan.Delete {
		v.lost(step)
		return
	}
	for i, c := range step.Changes {
		if i == maxChanges {
			v.line(v.s.Dim(fmt.Sprintf("      … and %d more resources", len(step.Changes)-i)))
			return
		}
		v.line("      " + v.change(c))
	}
}

// lost lists what of a deleted stack holds data, or stays behind; the rest is
// only counted.
func (v *planView) lost(step *plan.Step) {
	for _, c := range step.Changes {
		switch {
		case c.Why != "":
			v.line("      " + v.s.Warn("! "+c.LogicalID) + " " + c.Type + "  " + c.Why)
		case c.Data:
			v.line("      " + v.s.Bad("- "+c.LogicalID+" "+c.Type+"  HOLDS DATA"))
		}
	}
}

func (v *planView) change(c stacks.ResourceChange) string {
	text := clean(fmt.Sprintf("%s %s", c.LogicalID, c.Type))
	if c.Why != "" {
		text += "  " + clean(c.Why)
	}
	data := ""
	if c.Data && (c.Action == "remove" || c.Replacement == "true" || c.Replacement == "conditional") {
		data = v.s.Bad("  HOLDS DATA")
	}
	switch {
	case c.Action == "add", c.Action == "import":
		return v.s.Good("+ ") + text
	case c.Action == "remove":
		return v.s.Bad("- "+text+"  removed") + data
	case c.Replacement == "true":
		return v.s.Bad("± "+text+"  REPLACED") + data
	case c.Replacement == "conditional":
		return v.s.Warn("± "+text+"  may be replaced") + data
	default:
		return v.s.Warn("~ ") + text
	}
}

// ShowDigest writes what a reviewer compares.
func ShowDigest(w io.Writer, s Style, p *plan.Plan) {
	if p.Digest != "" {
		fmt.Fprintln(w, s.Dim("digest "+p.Digest))
	}
}
