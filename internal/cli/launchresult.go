package cli

import (
	"encoding/json"
	"errors"
	"path"
	"strings"

	"github.com/deployer-cli/deployer/internal/execute"
	"github.com/deployer-cli/deployer/internal/plan"
	"github.com/deployer-cli/deployer/internal/ui"
	"github.com/deployer-cli/deployer/stacks"
)

func (r *launcher) summary() {
	if r.app.globals.output == "text" {
		var out strings.Builder
		ui.Summary(&out, r.app.out, strings.TrimSpace(r.opts.command+" "+r.opts.arg), r.done)
		ui.Fold(r.app.env.Stdout, out.String(), r.app.outColumns())
	}
}

// resultDocument is the last line of a long run in JSON.
type resultDocument struct {
	Kind    string                          `json:"kind"`
	OK      bool                            `json:"ok"`
	Exit    int                             `json:"exit"`
	Seconds float64                         `json:"seconds"`
	Calls   int                             `json:"calls"`
	Realm   stacks.Realm                    `json:"realm"`
	Stacks  map[stacks.Path]execute.Outcome `json:"stacks"`
	Errors  []resultError                   `json:"errors"`
}

type resultError struct {
	Stack stacks.Path `json:"stack"`
	What  string      `json:"what"`
	Why   string      `json:"why"`
	Hint  string      `json:"hint"`
}

// result writes the last line of a run in JSON, whatever happened, and gives
// the error that carries the exit code and says no more.
func (r *launcher) result(err error) error {
	doc := resultDocument{
		Kind: "result", OK: err == nil, Exit: exitCode(err), Realm: r.app.realm(),
		Stacks: map[stacks.Path]execute.Outcome{}, Errors: []resultError{},
	}
	if r.s != nil {
		doc.Calls = r.s.counter.Calls()
	}
	if r.ran {
		doc.Stacks, doc.Seconds = r.done.Outcomes, r.done.Ended.Sub(r.done.Started).Seconds()
	} else if r.plan != nil {
		for i := range r.plan.Steps {
			doc.Stacks[r.plan.Steps[i].Stack] = untouched(&r.plan.Steps[i])
		}
	}
	for _, e := range flatten(err) {
		one := asResultError(e)
		one.Hint = r.app.advice(one.Hint)
		doc.Errors = append(doc.Errors, one)
	}
	enc := json.NewEncoder(r.app.env.Stdout)
	enc.SetEscapeHTML(false)
	if werr := enc.Encode(doc); werr != nil {
		return werr
	}
	if err == nil {
		return nil
	}
	return &exitError{doc.Exit}
}

// untouched is what became of a step of a run that did not begin.
func untouched(step *plan.Step) execute.Outcome {
	switch {
	case step.Action == plan.Skip:
		return execute.Skipped
	case step.Changing() || step.Late:
		return execute.NotStarted
	}
	return execute.Unchanged
}

// stackOf is the stack that a config file is, "" for other files.
func stackOf(file string) stacks.Path {
	name, ok := strings.CutPrefix(file, "config/")
	name, yaml := strings.CutSuffix(name, ".yaml")
	if !ok || !yaml || path.Base(name) == "config" {
		return ""
	}
	return stacks.Path(name)
}

func asResultError(err error) resultError {
	out := resultError{What: err.Error()}
	if p, ok := err.(*stacks.Problem); ok { //nolint:errorlint // what wraps one says more than it does
		out = resultError{What: p.What, Why: p.Why}
		if p.Pos.File != "" {
			out.What = p.Pos.String() + ": " + p.What
		}
		out.Stack = stackOf(p.Pos.File)
	}
	if failure, ok := errors.AsType[*execute.StepError](err); ok {
		out = resultError{Stack: failure.Stack, What: failure.What, Why: failure.Why}
	}
	if h, ok := errors.AsType[hinter](err); ok {
		out.Hint = h.Hint()
	}
	return out
}
