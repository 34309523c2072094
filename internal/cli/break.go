package cli

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/deployer-cli/deployer/internal/blast"
	"github.com/deployer-cli/deployer/stacks"
)

// breakOptions are the flags of break.
type breakOptions struct {
	command   string // break, plan, run, doctor
	args      []string
	globs     []string
	tags      map[string]string
	exclude   []string
	random    int
	percent   int
	seed      string
	only      bool
	kind      string
	arg       string // of the kind
	pause     time.Duration
	paused    bool // the pause was given: a break that goes on has its own
	detach    bool
	noRecover bool
	out       string
	planFile  string
	digest    string
}

func chooseFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringSliceFlag{Name: "stacks", Usage: "also the stacks that match `GLOB`, such as 'dev/*'; may be given again"},
		&cli.StringSliceFlag{Name: "tag", Usage: "of those only the stacks tagged `KEY=VALUE`; may be given again"},
		&cli.StringSliceFlag{Name: "exclude", Usage: "but not those that match `GLOB`; may be given again"},
		&cli.IntFlag{Name: "random", Usage: "draw `N` of them"},
		&cli.IntFlag{Name: "percent", Usage: "draw `P` percent of them"},
		&cli.StringFlag{Name: "seed", Usage: "draw by `SEED`: the same seed draws the same stacks on every machine (default: a new one, printed)"},
		&cli.BoolFlag{Name: "only", Usage: "refuse what would take other stacks with it"},
		&cli.StringFlag{Name: "kind", Usage: "what is done, a `KIND`: delete-stack, drift-parameter=NAME:VALUE, delete-resource=LOGICAL, stop-instances, revoke-ingress, lambda-zero, disable-rule", Value: blast.DeleteStack},
	}
}

func runBreakFlags() []cli.Flag {
	return []cli.Flag{
		&cli.DurationFlag{Name: "pause", Usage: "wait `D` between one target and the next, such as 5m"},
		&cli.BoolFlag{Name: "no-auto-recover", Usage: "leave it broken when the environment's max_duration is over"},
		&cli.BoolFlag{Name: "detach", Usage: "leave when everything is down; go on with break status, and recover"},
	}
}

// breakCommand tears chosen stacks down on purpose.
func (a *app) breakCommand() *cli.Command {
	return &cli.Command{
		Name: "break", Usage: "tear down chosen stacks of a development environment, to practise getting them back", ArgsUsage: "PATH...",
		Description: "Shows what goes and what goes with it, asks all guards, wants the phrase typed, keeps\nwhat it takes to rebuild, deletes, and stays to watch the recovery. Only development\nenvironments with break.allow: true; there is no --yes. Without a terminal: break plan\nPATH --out F, then break run --plan F --digest D.",
		Flags:       append(chooseFlags(), runBreakFlags()...),
		Action: func(c *cli.Context) error {
			return a.runBreak(c, "break")
		},
		Subcommands: []*cli.Command{
			{
				Name: "plan", Usage: "show what would go and why, and write the plan; touches nothing", ArgsUsage: "PATH...",
				Flags:  append(chooseFlags(), &cli.StringFlag{Name: "out", Usage: "write the plan to `FILE`"}),
				Action: func(c *cli.Context) error { return a.runBreak(c, "plan") },
			},
			{
				Name: "run", Usage: "carry out a plan; the only form without a terminal", ArgsUsage: " ",
				Flags: append([]cli.Flag{
					&cli.StringFlag{Name: "plan", Usage: "the plan in `FILE`"},
					&cli.StringFlag{Name: "digest", Usage: "the `DIGEST` that was agreed"},
				}, runBreakFlags()...),
				Action: func(c *cli.Context) error { return a.runBreak(c, "run") },
			},
			{
				Name: "doctor", Usage: "ask every guard, and say how to mend what refuses", ArgsUsage: "PATH...", Flags: chooseFlags(),
				Action: func(c *cli.Context) error { return a.runBreak(c, "doctor") },
			},
			a.breakStatusCommand(),
			a.breakListCommand(),
			a.breakShowCommand(),
			a.breakResumeCommand(),
			a.breakStopCommand(),
			a.breakHaltCommand(),
			a.breakCloseCommand(),
			a.leverCommand(),
			a.permitCommand(),
		},
	}
}

// breakOptionsOf reads the flags and checks what they say on their own.
func (a *app) breakOptionsOf(c *cli.Context, command string) (breakOptions, error) {
	o := breakOptions{
		command: command, args: c.Args().Slice(), globs: c.StringSlice("stacks"), exclude: c.StringSlice("exclude"),
		random: c.Int("random"), percent: c.Int("percent"), seed: c.String("seed"), only: c.Bool("only"),
		pause: c.Duration("pause"), detach: c.Bool("detach"), noRecover: c.Bool("no-auto-recover"), out: c.String("out"), planFile: c.String("plan"), digest: c.String("digest"),
		tags: map[string]string{},
	}
	if err := errors.Join(o.checkArgs(), o.readTags(c.StringSlice("tag"))); err != nil {
		return o, err
	}
	o.kind, o.arg, _ = strings.Cut(c.String("kind"), "=")
	if command == "run" {
		return o, o.checkRun()
	}
	if err := o.checkKind(); err != nil {
		return o, err
	}
	switch {
	case o.random < 0, o.percent < 0, o.percent > 100, c.IsSet("random") && o.random == 0, c.IsSet("percent") && o.percent == 0:
		return o, &usageError{"--random draws 1 or more, --percent from 1 to 100", ""}
	case o.random > 0 && o.percent > 0:
		return o, &usageError{"--random and --percent exclude each other", ""}
	case o.seed != "" && o.random == 0 && o.percent == 0:
		return o, &usageError{"--seed goes with --random or --percent", ""}
	case o.pause < 0:
		return o, &usageError{fmt.Sprintf("--pause %s: it cannot be negative", o.pause), ""}
	case len(o.args) == 0 && len(o.globs) == 0:
		return o, &usageError{"break needs a PATH", "such as dev/network; what is broken now: deployer break status"}
	}
	return o, nil
}

// checkArgs refuses paths that a break never takes.
func (o *breakOptions) checkArgs() error {
	for _, arg := range o.args {
		switch {
		case isFlag(arg) && slices.Contains([]string{"-y", "--yes", "--force", "-f"}, arg):
			return &usageError{"unknown flag " + arg, neverForced}
		case isFlag(arg):
			return &usageError{"unknown flag " + arg, "see: deployer break --help"}
		case strings.TrimSpace(arg) == "":
			return &usageError{"break got an empty PATH", "is a variable of your script unset?"}
		case wholeProject(arg) || arg == ".":
			return &usageError{"break never takes the whole project", "name an environment, or stacks of one, such as dev/network"}
		}
	}
	return nil
}

func (o *breakOptions) readTags(given []string) error {
	for _, t := range given {
		k, v, ok := strings.Cut(t, "=")
		if !ok || k == "" {
			return &usageError{fmt.Sprintf("--tag %s: it has to be KEY=VALUE", t), ""}
		}
		o.tags[k] = v
	}
	return nil
}

func (o *breakOptions) checkRun() error {
	switch {
	case len(o.args) > 0:
		return &usageError{"break run takes no PATH: it stands in the plan", ""}
	case o.planFile == "" || o.digest == "":
		return &usageError{"break run needs --plan F and --digest D", "make a plan with: deployer break plan PATH --out F"}
	case o.pause < 0:
		return &usageError{fmt.Sprintf("--pause %s: it cannot be negative", o.pause), ""}
	}
	return nil
}

// runBreak begins any of the commands that look at what would be broken.
func (a *app) runBreak(c *cli.Context, command string) error {
	o, err := a.breakOptionsOf(c, command)
	if err != nil {
		return err
	}
	b := newBreaker(a, o)
	err = b.run(c.Context)
	if b.s != nil {
		err = errors.Join(err, b.s.close())
	}
	if command == "plan" || command == "doctor" || a.globals.output == "text" {
		return err
	}
	return b.result(err)
}

// environmentOf finds the one environment that the stacks are of.
func environmentOf(sts []*stacks.Stack) (*stacks.Stack, error) {
	first := sts[0]
	for _, st := range sts[1:] {
		if environmentName(st) != environmentName(first) {
			return nil, &usageError{
				fmt.Sprintf("%s and %s are in different environments", first.Path, st.Path), "break one environment at a time",
			}
		}
	}
	return first, nil
}

// meantCommand adds to an error for an unknown PATH the command of break that it may
// be a slip of.
func (a *app) meantCommand(arg string, err error) error {
	var names []string
	for _, c := range a.breakCommand().Subcommands {
		names = append(names, c.Name)
	}
	hint := didYouMean(arg, names)
	if hint == "" {
		return err
	}
	return &usageError{fmt.Sprintf("there is no stack or group %q, and no such command of break", arg), hint}
}
