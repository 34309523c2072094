package cli

import (
	"context"

	"github.com/urfave/cli/v2"

	"github.com/deployer-cli/deployer/internal/ui"
)

// planCommand says what launch would do, and why. It changes nothing.
func (a *app) planCommand() *cli.Command {
	return &cli.Command{
		Name: "plan", Usage: "show what launch (or delete) would do, and why", ArgsUsage: "PATH",
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "delete", Usage: "plan deleting the stacks and what depends on them"},
			&cli.BoolFlag{Name: "adopt", Usage: "also plan deployer's own tags"},
			&cli.BoolFlag{Name: "exit-code", Usage: "exit 9 when there are changes"},
		},
		Action: func(c *cli.Context) error {
			arg, err := a.path(c, true)
			if err != nil {
				return err
			}
			opts := runOptions{command: "launch", arg: arg, adopt: c.Bool("adopt")}
			if c.Bool("delete") {
				opts.command = "delete"
			}
			return a.runPlan(c.Context, opts, c.Bool("exit-code"))
		},
	}
}

func (a *app) runPlan(ctx context.Context, opts runOptions, exitCode bool) error {
	r := &launcher{app: a, opts: opts}
	if err := r.prepare(ctx); err != nil {
		return err
	}
	defer r.s.close() //nolint:errcheck // only read from
	if done, err := a.document(r.plan); done {
		if err != nil {
			return err
		}
	} else {
		ui.ShowPlan(a.env.Stdout, a.out, r.plan, a.outColumns())
		ui.ShowDigest(a.env.Stdout, a.out, r.plan)
	}
	if exitCode && r.working() {
		return &exitError{exitChanges}
	}
	return nil
}

// outColumns is how wide stdout's terminal is, 0 when it is none.
func (a *app) outColumns() int {
	if !a.env.StdoutTerminal || a.env.Width == nil {
		return 0
	}
	return a.env.Width()
}
