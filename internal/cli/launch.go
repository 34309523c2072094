package cli

import (
	"fmt"
	"path"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/deployer-cli/deployer/stacks"
)

// runOptions are the flags of a command that changes stacks.
type runOptions struct {
	command         string // launch, create, update, delete, recover
	exercise        bool   // what it launches was broken on purpose
	arg             string
	paths           []stacks.Path // recover: these and no others, instead of arg
	yes             bool
	dryRun          bool
	adopt           bool
	prune           bool
	enableRollback  bool
	changeSets      bool // go by change sets whatever the class
	verbose         bool // and show what they are given
	all             bool // what is ignored or obsolete too; nothing is changed then
	disableRollback bool
	failFast        bool
	timeout         time.Duration
	planFile        string // --plan: apply this file
	digest          string // --digest: what was reviewed
	out             string // plan --out
	allow           []string
}

func runFlags() []cli.Flag {
	return []cli.Flag{
		&cli.BoolFlag{Name: "yes", Aliases: []string{"y"}, Usage: "do not ask, where the environment's class allows that"},
		&cli.BoolFlag{Name: "dry-run", Usage: "show the plan and stop"},
		&cli.BoolFlag{Name: "fail-fast", Usage: "start nothing new after the first failure"},
		&cli.DurationFlag{Name: "timeout", Usage: "stop watching after `D`, such as 90m; CloudFormation goes on (default: none at a terminal, else 2h)"},
	}
}

func rollbackFlags() []cli.Flag {
	return []cli.Flag{
		&cli.BoolFlag{Name: "disable-rollback", Usage: "leave a failed stack as it is, to look at it"},
		&cli.BoolFlag{Name: "enable-rollback", Usage: "roll back also what disable_rollback: true would leave"},
	}
}

// wholeProject tells whether a PATH is every stack there is, as "$ENV/" is for
// a shell in which ENV is unset.
func wholeProject(arg string) bool {
	clean := path.Clean("/" + strings.ReplaceAll(strings.TrimSpace(arg), `\`, "/"))
	return arg != "" && (clean == "/" || clean == "/config")
}

func (a *app) runOptions(c *cli.Context) (runOptions, error) {
	arg, err := a.path(c, c.Command.Name != "prune" && c.String("plan") == "")
	if err != nil {
		return runOptions{}, err
	}
	if c.Command.Name == "delete" && wholeProject(arg) {
		return runOptions{}, &usageError{"delete never takes the whole project", "name the environment, such as dev"}
	}
	if c.Bool("enable-rollback") && c.Bool("disable-rollback") {
		return runOptions{}, &usageError{"--enable-rollback and --disable-rollback exclude each other", ""}
	}
	if c.Duration("timeout") < 0 {
		return runOptions{}, &usageError{fmt.Sprintf("--timeout %s: it cannot be negative", c.Duration("timeout")), ""}
	}
	return runOptions{
		command: c.Command.Name, arg: arg, yes: c.Bool("yes"), dryRun: c.Bool("dry-run"), adopt: c.Bool("adopt"), prune: c.Bool("prune"),
		enableRollback: c.Bool("enable-rollback"), changeSets: c.Bool("change-set"), verbose: c.Bool("verbose"),
		disableRollback: c.Bool("disable-rollback"), failFast: c.Bool("fail-fast"), timeout: c.Duration("timeout"),
		planFile: c.String("plan"), digest: c.String("digest"),
	}, nil
}

// launchCommand creates or updates everything under PATH with its dependencies.
func (a *app) launchCommand() *cli.Command {
	return &cli.Command{
		Name: "launch", Usage: "create or update stacks and what they depend on", ArgsUsage: "PATH",
		Description: "Shows the plan, asks, then starts every stack the moment its own dependencies are\ndone. Run it again and nothing happens. Ctrl-C once starts nothing new and waits\nfor what runs; twice leaves, and CloudFormation goes on.",
		Flags: append(append(append(runFlags(), applyFlags()...), rollbackFlags()...),
			&cli.BoolFlag{Name: "adopt", Usage: "also add deployer's own tags to stacks that lack them"},
			&cli.BoolFlag{Name: "prune", Aliases: []string{"p"}, Usage: "also delete the stacks under PATH that are marked obsolete"}),
		Action: a.runAction,
	}
}

// createCommand creates what does not exist; updateCommand updates what does.
func (a *app) createCommand() *cli.Command {
	return &cli.Command{
		Name: "create", Usage: "create the stacks that do not exist", ArgsUsage: "PATH",
		Flags: append(runFlags(), rollbackFlags()...), Action: a.runAction,
	}
}

func (a *app) updateCommand() *cli.Command {
	return &cli.Command{
		Name: "update", Usage: "update the stacks that exist", ArgsUsage: "PATH",
		Flags: append(runFlags(), rollbackFlags()...), Action: a.runAction,
	}
}

// deleteCommand deletes the stacks under PATH and what depends on them.
func (a *app) deleteCommand() *cli.Command {
	return &cli.Command{
		Name: "delete", Usage: "delete stacks, and before them what depends on them", ArgsUsage: "PATH",
		Flags: append(runFlags(), applyFlags()...), Action: a.runAction,
	}
}

func (a *app) runAction(c *cli.Context) error {
	opts, err := a.runOptions(c)
	if err != nil {
		return err
	}
	r := &launcher{app: a, opts: opts}
	err = r.run(c.Context)
	if a.globals.output != "text" {
		return r.result(err)
	}
	return err
}
