package ui

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/deployer-cli/deployer/internal/execute"
	"github.com/deployer-cli/deployer/stacks"
)

// Summary writes how a run ended: the counts, the durations, and the chain of
// steps that decided how long it took.
func Summary(w io.Writer, s Style, command string, r execute.Result) {
	counts := map[execute.Outcome]int{}
	for _, o := range r.Outcomes {
		counts[o]++
	}
	took := Duration(r.Ended.Sub(r.Started))
	head := fmt.Sprintf("%s: %s in %s", command, outcomes(counts), took)
	switch {
	case len(r.Failures) > 0:
		head = s.Bad(head)
	case r.Interrupted:
		head = s.Warn(head)
	default:
		head = s.Good(head)
	}
	fmt.Fprintln(w, head)
	rows := make([][]string, 0, len(r.Durations))
	for _, p := range slices.Sorted(maps.Keys(r.Durations)) {
		rows = append(rows, []string{"  " + string(p), string(r.Outcomes[p]), Duration(r.Durations[p])})
	}
	if len(rows) > 1 || len(r.Failures) > 0 {
		Table(w, nil, rows)
	}
	if len(r.Critical) > 1 {
		parts := make([]string, 0, len(r.Critical))
		for _, p := range r.Critical {
			parts = append(parts, fmt.Sprintf("%s %s", p, Duration(r.Durations[p])))
		}
		fmt.Fprintln(w, s.Dim("  critical path: "+strings.Join(parts, " -> ")))
	}
	if running := with(r, execute.Running, execute.Unknown); len(running) > 0 {
		fmt.Fprintln(w, s.Warn("  still going on without us: "+strings.Join(running, ", ")))
	}
	if left := with(r, execute.NotStarted); len(left) > 0 {
		fmt.Fprintln(w, s.Warn("  not started: "+strings.Join(left, ", ")))
	}
}

func with(r execute.Result, wanted ...execute.Outcome) []string {
	var out []string
	for _, p := range slices.Sorted(maps.Keys(r.Outcomes)) {
		if slices.Contains(wanted, r.Outcomes[p]) {
			out = append(out, string(p))
		}
	}
	return out
}

// outcomes gives the counts in a fixed order, the good news first.
func outcomes(counts map[execute.Outcome]int) string {
	var parts []string
	for _, o := range []execute.Outcome{
		execute.Created, execute.Updated, execute.Recreated, execute.Deleted, execute.Unchanged,
		execute.Failed, execute.Skipped, execute.Running, execute.Unknown, execute.NotStarted,
	} {
		if n := counts[o]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, o))
		}
	}
	if len(parts) == 0 {
		return "nothing to do"
	}
	if len(parts) == 1 && counts[execute.Unchanged] > 0 {
		return fmt.Sprintf("nothing to do, %s", parts[0])
	}
	return strings.Join(parts, ", ")
}

// Attach is the command that goes on where a run left off.
func Attach(command string, path stacks.Path, flags string) string {
	return strings.TrimSpace(fmt.Sprintf("deployer %s %s %s", flags, command, path))
}
