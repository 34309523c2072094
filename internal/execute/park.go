package execute

import (
	"fmt"
	"slices"
	"strings"

	"github.com/deployer-cli/deployer/internal/event"
	"github.com/deployer-cli/deployer/internal/plan"
	"github.com/deployer-cli/deployer/stacks"
)

// park puts a step back that turned out to depend on more than was planned: on
// what an import means whose name another stack gave. It holds no room while it
// waits, and goes on where it was.
func (r *run) park(p stacks.Path, e *end) {
	var before []stacks.Path
	for _, d := range e.wait {
		switch outcome := r.result.Outcomes[d]; {
		case r.steps[d] == nil, d == p, r.steps[d].Action == plan.Skip:
		case outcome == "" && r.waitsFor(d, p):
			r.refuse(p, fmt.Sprintf("it turned out to need %s, which itself waits for it", d))
			return
		case outcome == "":
			before = append(before, d)
		case outcome.bad():
			r.result.Outcomes[p] = Skipped
			r.emit(event.Event{Kind: event.StepSkipped, Stack: p, Action: string(Skipped), Cause: fmt.Sprintf("%s was %s", d, outcome)})
			r.skipDependents(p, fmt.Sprintf("%s was %s", d, outcome))
			return
		}
	}
	r.parked[p] = e.worker
	if len(before) == 0 {
		r.enqueue(p)
		return
	}
	names := make([]string, len(before))
	for i, d := range before {
		names[i] = string(d)
		r.waiting[p]++
		r.dependents[d] = append(r.dependents[d], p)
	}
	r.steps[p].After = stacks.SortPaths(append(slices.Clone(r.steps[p].After), before...))
	r.emit(event.Event{Kind: event.StepWaiting, Stack: p, Cause: "it turned out to need " + strings.Join(names, ", ")})
}

// refuse fails a step before anything was sent.
func (r *run) refuse(p stacks.Path, why string) {
	r.result.Outcomes[p] = Failed
	r.failed(p, &StepError{Stack: p, What: "cannot be done", Why: why}, 0)
}

// waitsFor tells whether a step waits for another, directly or through others.
func (r *run) waitsFor(p, other stacks.Path) bool {
	seen := map[stacks.Path]bool{other: true}
	for next := []stacks.Path{other}; len(next) > 0; next = next[1:] {
		for _, d := range r.dependents[next[0]] {
			if d == p {
				return true
			}
			if !seen[d] {
				seen[d], next = true, append(next, d)
			}
		}
	}
	return false
}

// bad tells whether nothing can be built on a stack that ended so.
func (o Outcome) bad() bool {
	switch o {
	case Failed, Skipped, Running, Unknown, NotStarted:
		return true
	case Created, Updated, Recreated, Unchanged, Deleted:
	}
	return false
}
