package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/urfave/cli/v2"

	"github.com/deployer-cli/deployer/internal/guard"
	"github.com/deployer-cli/deployer/internal/plan"
	"github.com/deployer-cli/deployer/internal/ui"
)

// planCommand says what launch would do, and why. It changes nothing.
func (a *app) planCommand() *cli.Command {
	return &cli.Command{
		Name: "plan", Usage: "show what launch (or delete, or prune) would do, and why", ArgsUsage: "PATH",
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "delete", Usage: "plan deleting the stacks and what depends on them"},
			&cli.BoolFlag{Name: "prune", Usage: "plan deleting the stacks that are marked obsolete, and nothing else: what prune does"},
			&cli.BoolFlag{Name: "adopt", Usage: "also plan deployer's own tags"},
			&cli.BoolFlag{Name: "exit-code", Usage: "exit 9 when there are changes"},
			&cli.StringFlag{Name: "out", Usage: "make change sets, and write the plan to `FILE`, to be reviewed and applied exactly"},
			&cli.StringSliceFlag{Name: "allow-replace", Usage: "let `STACK::LOGICAL` be replaced, which holds data or which others rely on; may be given again"},
			&cli.StringSliceFlag{Name: "allow-delete", Usage: "let `STACK[::LOGICAL]` be deleted, which holds data or which others rely on; may be given again"},
		},
		Subcommands: []*cli.Command{a.planShowCommand(), a.planDiscardCommand()},
		Action: func(c *cli.Context) error {
			arg, err := a.path(c, true)
			if err != nil {
				return err
			}
			opts := runOptions{
				command: "launch", arg: arg, adopt: c.Bool("adopt"), out: c.String("out"),
				allow: append(c.StringSlice("allow-replace"), c.StringSlice("allow-delete")...),
			}
			switch {
			case c.Bool("delete") && c.Bool("prune"):
				return &usageError{"--delete and --prune exclude each other", "--delete plans deleting all under PATH, --prune what is marked obsolete"}
			case c.Bool("delete"):
				opts.command = "delete"
			case c.Bool("prune"):
				opts.command = "prune"
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
	defer r.s.close() //nolint:errcheck // what matters was synced
	err := r.finishPlan(ctx)
	if err = errors.Join(err, r.discard(ctx)); err != nil {
		return err
	}
	if exitCode && r.working() {
		return &exitError{exitChanges}
	}
	return nil
}

// finishPlan asks CloudFormation where the class or --out wants that, writes
// the plan out and shows it.
func (r *launcher) finishPlan(ctx context.Context) error {
	a, inputs := r.app, r.plan.Digest
	if r.proposes() {
		if err := r.propose(ctx); err != nil {
			return err
		}
	}
	if r.opts.out != "" {
		if err := r.writeOut(ctx, inputs); err != nil {
			return err
		}
	}
	if done, err := a.document(published(r.plan)); done {
		if err != nil {
			return err
		}
	} else {
		ui.ShowPlan(a.env.Stdout, a.out, r.plan, a.outColumns())
		ui.ShowDigest(a.env.Stdout, a.out, r.plan)
		return r.foretell(ctx)
	}
	return nil
}

// foretell warns of what will keep the plan from deleting, so that nobody reviews
// and approves it in vain.
func (r *launcher) foretell(ctx context.Context) error {
	request, err := r.request(ctx)
	if err != nil {
		return err
	}
	for _, refusal := range guard.Unproven(request) {
		fmt.Fprintf(r.app.talk(), "%s %v\nhint: %s\n", r.app.err.Warn("warning:"), refusal, r.app.advice(refusal.Tip))
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

// published is the plan in the words that a script may rely on: a stack that
// is being worked on is a late update, whose cause says what it waits for.
func published(p *plan.Plan) *plan.Plan {
	out := *p
	out.Steps = slices.Clone(p.Steps)
	for i := range out.Steps {
		if out.Steps[i].Action == plan.Join {
			out.Steps[i].Action, out.Steps[i].Late = plan.Update, true
		}
	}
	return &out
}
