package cli

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/urfave/cli/v2"

	"github.com/deployer-cli/deployer/internal/cfnyaml"
	"github.com/deployer-cli/deployer/internal/hook"
	"github.com/deployer-cli/deployer/internal/plan"
	"github.com/deployer-cli/deployer/internal/prepare"
	"github.com/deployer-cli/deployer/internal/ui"
	"github.com/deployer-cli/deployer/stacks"
)

// diffCommand compares template, parameters and tags with what lives.
func (a *app) diffCommand() *cli.Command {
	return &cli.Command{
		Name: "diff", Usage: "compare template, parameters and tags with what lives", ArgsUsage: "PATH",
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "exit-code", Usage: "exit 9 when there are differences"},
			&cli.BoolFlag{Name: "all", Aliases: []string{"a"}, Usage: "also the stacks that are marked ignore or obsolete"},
			&cli.BoolFlag{Name: "no-placeholders", Aliases: []string{"n"}, Usage: "a value that is known only after another stack's update is an error"},
			&cli.StringFlag{Name: "type", Aliases: []string{"t"}, Usage: "taken for Sceptre's pipelines, deepdiff or difflib: there is one `FORM`"},
			&cli.BoolFlag{Name: "show-no-echo", Aliases: []string{"s"}, Usage: "taken for Sceptre's pipelines: secrets are never shown"},
		},
		Action: func(c *cli.Context) error {
			if err := oneOf("--type", c.String("type"), "", "deepdiff", "difflib"); err != nil {
				return err
			}
			arg, err := a.path(c, true)
			if err != nil {
				return err
			}
			if c.Bool("show-no-echo") {
				fmt.Fprintf(a.talk(), "%s --show-no-echo has no effect: values of NoEcho parameters are never shown\n", a.err.Warn("warning:"))
			}
			return a.runDiff(c.Context, arg, differing{exitCode: c.Bool("exit-code"), all: c.Bool("all"), complete: c.Bool("no-placeholders")})
		},
	}
}

// diffDocument is one stack in the output of diff.
type diffDocument struct {
	Stack       stacks.Path       `json:"stack"`
	Name        string            `json:"name"`
	Exists      bool              `json:"exists"`
	Differences []plan.Difference `json:"differences"`
	Template    string            `json:"template"` // unified diff, "" when equal
}

// differing are the flags of diff.
type differing struct {
	exitCode bool
	all      bool // what is ignored or obsolete too
	complete bool // no value that is known only later
}

func (a *app) runDiff(ctx context.Context, arg string, opts differing) error {
	r := &launcher{app: a, opts: runOptions{command: "launch", arg: arg, all: opts.all}}
	if err := r.prepare(ctx); err != nil {
		return err
	}
	defer r.s.close() //nolint:errcheck // only read from
	return r.s.inside(ctx, r.planner.sc, hook.Diff, func() error { return r.diff(opts) })()
}

func (r *launcher) diff(opts differing) error {
	a := r.app
	documents := []diffDocument{}
	differs := false
	for i := range r.plan.Steps {
		step := &r.plan.Steps[i]
		if step.Outside || step.Action == plan.Skip {
			continue
		}
		if opts.complete && step.Desired != nil {
			if err := asUsage(prepare.Complete(step.Desired)); err != nil {
				return err
			}
		}
		d, err := r.differences(step)
		if err != nil {
			return err
		}
		differs = differs || !d.Exists || len(d.Differences) > 0 || d.Template != ""
		documents = append(documents, d)
	}
	if err := a.showDiff(documents); err != nil {
		return err
	}
	if opts.exitCode && differs {
		return &exitError{exitChanges}
	}
	return nil
}

// differences compares one stack. Template texts are brought into one form
// first, so that comments and layout do not count.
func (r *launcher) differences(step *plan.Step) (diffDocument, error) {
	d := diffDocument{Stack: step.Stack, Name: step.Name, Exists: step.Live != nil && step.Live.Status.Exists(), Differences: []plan.Difference{}}
	if !d.Exists || step.Desired == nil {
		return d, nil
	}
	for _, one := range step.Diff {
		if one.Part != "template" {
			d.Differences = append(d.Differences, one)
		}
	}
	seen, _ := r.planner.snapshot.Get(step.Stack)
	if seen.Template == nil {
		return d, nil
	}
	live, wanted, err := texts(seen.Template, step.Desired)
	if err != nil {
		return d, err
	}
	d.Template = ui.Unified("live/"+string(step.Stack), live, "project/"+string(step.Stack), wanted)
	return d, nil
}

// texts are the two templates in one form, without their secrets.
func texts(live []byte, desired *stacks.Desired) (before, after []byte, err error) {
	old, _, err := cfnyaml.Parse(live)
	if err != nil {
		return nil, nil, err
	}
	wanted, _, err := cfnyaml.Parse(desired.Body)
	if err != nil {
		return nil, nil, err
	}
	a, b := plan.Cover(old.Long(), wanted.Long(), plan.Secrets(desired))
	if before, err = cfnyaml.Marshal(a); err != nil {
		return nil, nil, err
	}
	after, err = cfnyaml.Marshal(b)
	return before, after, err
}

func (a *app) showDiff(documents []diffDocument) error {
	if a.globals.output == "json" {
		enc := json.NewEncoder(a.env.Stdout)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "  ")
		return enc.Encode(documents)
	}
	if done, err := a.document(documents); done {
		return err
	}
	for _, d := range documents {
		ui.ShowDiff(a.env.Stdout, a.out, ui.StackDiff{
			Stack: d.Stack, Name: d.Name, Exists: d.Exists, Differences: d.Differences, Template: d.Template,
		}, a.outColumns())
	}
	return nil
}
