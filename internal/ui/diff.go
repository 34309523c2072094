package ui

import (
	"fmt"
	"io"
	"strings"

	"github.com/rogpeppe/go-internal/diff"

	"github.com/deployer-cli/deployer/internal/plan"
	"github.com/deployer-cli/deployer/stacks"
)

// StackDiff is what differs between one stack as it lives and as the project
// wants it.
type StackDiff struct {
	Stack       stacks.Path
	Name        string
	Exists      bool
	Differences []plan.Difference
	Template    string // a unified diff, "" when the templates are equal
}

// Unified gives the unified diff of two texts, "" when they are equal.
func Unified(oldName string, old []byte, newName string, new []byte) string {
	return string(diff.Diff(oldName, old, newName, new))
}

// ShowDiff writes what differs in one stack.
func ShowDiff(w io.Writer, s Style, d StackDiff, columns int) {
	v := planView{w: w, s: s, columns: columns}
	switch {
	case !d.Exists:
		v.line(s.Good(fmt.Sprintf("+ %s", d.Stack)) + "  does not exist: launch would create it as " + d.Name)
		return
	case len(d.Differences) == 0 && d.Template == "":
		v.line(s.Dim(fmt.Sprintf("= %s  no differences", d.Stack)))
		return
	}
	v.line(s.Warn(fmt.Sprintf("~ %s", d.Stack)) + "  " + d.Name)
	for _, one := range d.Differences {
		v.line("    " + v.difference(one))
	}
	_, text, _ := strings.Cut(d.Template, "\n") // the first line repeats the names
	for line := range strings.Lines(text) {
		v.line("    " + paintDiff(s, strings.TrimRight(line, "\n")))
	}
}

func paintDiff(s Style, line string) string {
	switch {
	case strings.HasPrefix(line, "---"), strings.HasPrefix(line, "+++"), strings.HasPrefix(line, "@@"):
		return s.Dim(line)
	case strings.HasPrefix(line, "+"):
		return s.Good(line)
	case strings.HasPrefix(line, "-"):
		return s.Bad(line)
	}
	return line
}
