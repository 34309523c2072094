package cli

import (
	"context"
	"fmt"

	"github.com/urfave/cli/v2"
)

// withReview lets update go by change sets in every environment, as it always
// does in persistent ones and in production.
func (a *app) withReview(cmd *cli.Command) *cli.Command {
	plain := cmd.Action
	cmd.Description = "With --change-set every update is a change set: they are made, shown, asked about,\ncarried out, and deleted where nobody agreed. What waits for another stack of the same\nrun gets its change set when its turn comes, and it is carried out only if it lies\nwithin what was shown."
	cmd.Flags = append(cmd.Flags,
		&cli.BoolFlag{Name: "change-set", Aliases: []string{"c"}, Usage: "make change sets and show them before anything is updated"},
		&cli.BoolFlag{Name: "verbose", Aliases: []string{"v"}, Usage: "show the change sets' parameters and tags too"},
	)
	cmd.Action = func(c *cli.Context) error {
		if c.Bool("verbose") && !c.Bool("change-set") {
			return &usageError{"--verbose is about change sets", "give --change-set too"}
		}
		return plain(c)
	}
	return cmd
}

// showSets writes what the change sets give their stacks, where that was asked
// for.
func (r *launcher) showSets(ctx context.Context) error {
	if !r.opts.verbose || r.app.globals.output != "text" {
		return nil
	}
	for i := range r.plan.Steps {
		step := &r.plan.Steps[i]
		if step.ChangeSet == "" {
			continue
		}
		set, err := r.s.cfn.ChangeSet(ctx, r.planner.sc.stacks[step.Stack].Access, "", step.ChangeSet)
		if err != nil {
			return err
		}
		fmt.Fprintf(r.app.env.Stdout, "%s  %s\n", step.Stack, set.Name)
		r.app.showInputs(covered(set, step.Desired), true)
	}
	return nil
}
