package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/deployer-cli/deployer/internal/spell"
	"github.com/deployer-cli/deployer/internal/ui"
)

// app holds what every command needs: the process, the global flags, and how
// to paint the two streams.
type app struct {
	env        Env
	streams    []*checkedWriter // where env writes
	globals    globals
	out, err   ui.Style
	interrupts *interrupts
	prompter   *ui.Prompter
	home       string // whose .deployer is used, "" for the project's own
}

// globals are the flags that stand before or after any command.
type globals struct {
	dir        string
	vars       []string
	varFiles   []string
	mergeVars  bool
	output     string
	noColor    bool
	ignoreDeps bool
	limit      int
	placeLimit int
	sandbox    bool
	logLevel   string
	noHooks    bool
}

// Main runs the command line in env and returns the exit code.
func Main(env Env) int {
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	out, talk := &checkedWriter{w: env.Stdout}, &checkedWriter{w: env.Stderr}
	env.Stdout, env.Stderr = out, talk
	a := &app{env: env, streams: []*checkedWriter{out, talk}, interrupts: watchInterrupts(env.Interrupts, cancel)}
	defer a.interrupts.stop()
	a.paint()
	root := a.root()
	err := root.RunContext(ctx, commandLine(root, env.Args))
	if err == nil {
		err = out.failure()
	}
	if err == nil {
		return exitOK
	}
	err = translate(root, err)
	a.printError(err)
	return exitCode(err)
}

// paint decides about colour: a terminal gets it unless it was refused.
func (a *app) paint() {
	refused := a.globals.noColor || a.env.Environ["NO_COLOR"] != "" || a.env.Environ["TERM"] == "dumb"
	a.out = ui.NewStyle(a.env.StdoutTerminal && !refused)
	a.err = ui.NewStyle(a.env.StderrTerminal && !refused)
}

func (a *app) root() *cli.App {
	root := &cli.App{
		Name:                      "deployer",
		Usage:                     "launch, protect and break environments of AWS CloudFormation stacks",
		Description:               description,
		Flags:                     a.globalFlags(),
		Commands:                  a.commands(),
		HideVersion:               true,
		HideHelp:                  true,
		HideHelpCommand:           true,
		DisableSliceFlagSeparator: true,
		Reader:                    a.env.Stdin,
		Writer:                    a.env.Stdout,
		ErrWriter:                 a.env.Stderr,
		ExitErrHandler:            func(*cli.Context, error) {},
		OnUsageError:              usageFailure,
		Before:                    a.before,
		Action:                    a.noCommand,
	}
	root.Flags = append(root.Flags, helpFlag())
	plainSwitches(root.Flags)
	for _, c := range root.Commands {
		harden(c)
	}
	root.Commands = append(root.Commands, helpCommand())
	return root
}

// helpFlag is our own: the library's is one variable, written by every command line,
// and several of them may run in one process.
func helpFlag() cli.Flag {
	return &cli.BoolFlag{Name: "help", Aliases: []string{"h"}, Usage: "show help"}
}

// helpCommand is our own for the same reason.
func helpCommand() *cli.Command {
	return &cli.Command{
		Name: "help", Aliases: []string{"h"}, Usage: "list the commands, or show the help of one", ArgsUsage: "[command]", HideHelp: true,
		Action: func(c *cli.Context) error {
			for _, parent := range c.Lineage()[1:] {
				if parent.Command != nil && c.Args().Present() {
					return cli.ShowCommandHelp(parent, c.Args().First())
				}
			}
			return cli.ShowAppHelp(c)
		},
	}
}

const description = `deployer reads a project of CloudFormation stacks (a Sceptre project is one),
works out what depends on what, and creates or updates every stack in order,
in parallel. Run it again and nothing happens.

Try it without an account:

    deployer init shop && cd shop
    deployer --sandbox launch dev`

func (a *app) globalFlags() []cli.Flag {
	g := &a.globals
	return []cli.Flag{
		&cli.StringFlag{Name: "dir", Aliases: []string{"C"}, Usage: "the project's `DIR`", Destination: &g.dir},
		&cli.StringSliceFlag{Name: "var", Usage: "a variable for the config files, `KEY=VALUE`; dots nest; may be given again"},
		&cli.StringSliceFlag{Name: "var-file", Usage: "a YAML `FILE` of variables; a later one wins"},
		&cli.BoolFlag{Name: "merge-vars", Usage: "merge var files deeply instead of replacing top-level keys", Destination: &g.mergeVars},
		&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Usage: "`FORMAT` of the output: text, json or yaml", Value: "text", Destination: &g.output},
		&cli.BoolFlag{Name: "no-color", Aliases: []string{"no-colour"}, Usage: "no colours (also NO_COLOR=1)", Destination: &g.noColor},
		&cli.BoolFlag{Name: "ignore-dependencies", Usage: "only the stacks under PATH, in any order", Destination: &g.ignoreDeps},
		&cli.IntFlag{Name: "max-concurrency", Usage: "at most `N` stacks at once (0: as many as can go)", Destination: &g.limit},
		&cli.IntFlag{Name: "max-per-account", Usage: "at most `N` stacks at once in one account and region (0: as many as can go)", Destination: &g.placeLimit},
		&cli.BoolFlag{Name: "sandbox", Usage: "use the CloudFormation in the binary: no account, no network (also DEPLOYER_SANDBOX=1)", Destination: &g.sandbox},
		&cli.BoolFlag{Name: "no-hooks", Usage: "leave the project's hooks out", Destination: &g.noHooks},
		&cli.StringFlag{Name: "log-level", Usage: "how much to tell, a `LEVEL`: error, warn, info or debug", Value: "info", Destination: &g.logLevel},
		&cli.BoolFlag{Name: "debug", Usage: "the same as --log-level debug"},
		&cli.BoolFlag{Name: "version", Usage: "print the version"},
	}
}

// before reads the global flags and checks them.
func (a *app) before(c *cli.Context) error {
	g := &a.globals
	g.vars, g.varFiles = c.StringSlice("var"), c.StringSlice("var-file")
	switch a.env.Environ["DEPLOYER_SANDBOX"] {
	case "", "0", "false", "no":
	default:
		g.sandbox = true
	}
	if c.Bool("debug") {
		g.logLevel = "debug"
	}
	a.paint()
	if err := oneOf("--output", g.output, "text", "json", "yaml"); err != nil {
		return err
	}
	if err := oneOf("--log-level", g.logLevel, "error", "warn", "info", "debug"); err != nil {
		return err
	}
	for name, limit := range map[string]int{"--max-concurrency": g.limit, "--max-per-account": g.placeLimit} {
		if limit < 0 {
			return &usageError{fmt.Sprintf("%s %d: it cannot be negative", name, limit), "0 means as many as can go"}
		}
	}
	return nil
}

func oneOf(flag, got string, known ...string) error {
	if slices.Contains(known, got) {
		return nil
	}
	return &usageError{fmt.Sprintf("%s %s: not one of %s", flag, got, strings.Join(known, ", ")), ""}
}

// noCommand is what runs when no command was recognised.
func (a *app) noCommand(c *cli.Context) error {
	if c.Bool("version") {
		fmt.Fprintln(a.env.Stdout, "deployer", Version())
		return nil
	}
	if c.Args().Present() {
		return unknownCommand(c.Args().First(), c.App.Commands, "")
	}
	return cli.ShowAppHelp(c)
}

func unknownCommand(name string, known []*cli.Command, parent string) error {
	names := make([]string, 0, len(known))
	for _, c := range known {
		if !c.Hidden {
			names = append(names, c.Name)
		}
	}
	hint := didYouMean(name, names)
	if hint == "" {
		hint = strings.TrimSpace("see: deployer "+parent) + " --help"
	}
	return &usageError{fmt.Sprintf("unknown command %q", strings.TrimSpace(parent+" "+name)), hint}
}

// Version is the version of the build: the module's, or the revision it was
// made from.
func Version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	version := info.Main.Version
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && (version == "" || version == "(devel)") {
			version = "devel-" + s.Value[:min(12, len(s.Value))]
		}
	}
	if version == "" {
		version = "devel"
	}
	return version
}

// harden gives a command, and all below it, the house's error handling: usage
// errors are returned and not printed with the whole help, and a group without
// a known subcommand is an error.
func harden(c *cli.Command) {
	c.OnUsageError = usageFailure
	c.Flags = append(c.Flags, helpFlag())
	plainSwitches(c.Flags)
	c.HideHelp, c.HideHelpCommand = true, true
	for _, s := range c.Subcommands {
		harden(s)
	}
	if len(c.Subcommands) == 0 || c.Action != nil {
		return
	}
	subcommands := c.Subcommands
	c.Action = func(ctx *cli.Context) error {
		if ctx.Args().Present() {
			return unknownCommand(ctx.Args().First(), subcommands, commandName(ctx))
		}
		names := make([]string, 0, len(subcommands))
		for _, s := range subcommands {
			names = append(names, s.Name)
		}
		return &usageError{fmt.Sprintf("%s needs one of: %s", ctx.Command.Name, strings.Join(names, ", ")), "see: deployer " + commandName(ctx) + " --help"}
	}
}

// plainSwitches keeps "(default: false)" out of the help of every switch.
func plainSwitches(flags []cli.Flag) {
	for _, f := range flags {
		if b, ok := f.(*cli.BoolFlag); ok {
			b.DisableDefaultText = true
		}
	}
}

// usageFailure turns a flag that does not parse into our usage error.
func usageFailure(c *cli.Context, err error, _ bool) error {
	text := err.Error()
	name, unknown := strings.CutPrefix(text, "flag provided but not defined: ")
	if !unknown {
		return badValue(c, text)
	}
	var names []string
	flags := slices.Clone(c.App.Flags)
	if c.Command != nil {
		flags = append(flags, c.Command.Flags...)
	}
	for _, f := range flags {
		for _, n := range f.Names() {
			if len(n) > 1 {
				names = append(names, "--"+n)
			}
		}
	}
	if name = strings.TrimLeft(name, "-"); len(name) > 1 {
		name = "-" + name
	}
	hint := didYouMean("-"+name, names)
	if hint == "" {
		hint = "see: " + strings.TrimSpace("deployer "+commandName(c)) + " --help"
	}
	if forces := []string{"-yes", "y", "-force", "f"}; slices.Contains(forces, name) && strings.HasPrefix(commandName(c), "break") {
		hint = neverForced
	}
	return &usageError{"unknown flag -" + name, hint}
}

// unparsed is what the flag package says of a value that a flag cannot take.
var unparsed = regexp.MustCompile(`^invalid value "(.*)" for flag -(\S+): `)

// badValue says what a flag takes.
func badValue(c *cli.Context, text string) error {
	m := unparsed.FindStringSubmatch(text)
	if m == nil || c.Command == nil {
		return &usageError{text, ""}
	}
	out := &usageError{fmt.Sprintf("--%s %s: it cannot be read", m[2], m[1]), ""}
	for _, f := range slices.Concat(c.App.Flags, c.Command.Flags) {
		if !slices.Contains(f.Names(), m[2]) {
			continue
		}
		switch f.(type) {
		case *cli.DurationFlag:
			out.hint = "it takes a length of time, such as 90s, 5m or 1h30m"
		case *cli.IntFlag:
			out.hint = "it takes a number"
		}
	}
	return out
}

// neverForced is for whoever looks for a way around the guards of a break.
const neverForced = "a break is typed by a person, or run by a plan and its digest; nothing switches its guards off"

func commandName(c *cli.Context) string {
	if c.Command == nil || c.Command.Name == "" || c.Command.Name == c.App.Name {
		return ""
	}
	return strings.TrimPrefix(c.Command.HelpName, "deployer ")
}

// translate turns what urfave/cli says of its own accord into our errors.
func translate(root *cli.App, err error) error {
	if exit, ok := errors.AsType[cli.ExitCoder](err); ok && exit.ExitCode() == 3 {
		if name, ok := strings.CutPrefix(exit.Error(), "No help topic for "); ok {
			return unknownCommand(strings.Trim(name, "'"), root.Commands, "")
		}
	}
	if strings.Contains(err.Error(), "Required flag") {
		return &usageError{strings.ToLower(err.Error()[:1]) + err.Error()[1:], ""}
	}
	return err
}

// didYouMean is a hint with the nearest known word, "" when none is near.
func didYouMean(got string, known []string) string {
	best, ok := spell.Nearest(got, 2, func(yield func(string) bool) {
		for _, k := range known {
			// Every letter of a short word exchanged is another word.
			if spell.Distance(got, k, 2) < len(k) && !yield(k) {
				return
			}
		}
	})
	if i := slices.IndexFunc(known, func(k string) bool { return len(got) >= 3 && strings.HasPrefix(k, got) }); !ok && i >= 0 {
		best, ok = known[i], true
	}
	if !ok {
		return ""
	}
	return fmt.Sprintf("did you mean %s?", best)
}

// path returns the command's only argument. need says what to do without one:
// when false, no argument means the whole project.
func (a *app) path(c *cli.Context, need bool) (string, error) {
	args := c.Args().Slice()
	for _, arg := range args {
		if isFlag(arg) {
			return "", &usageError{"unknown flag " + arg, "see: deployer " + commandName(c) + " --help"}
		}
	}
	switch {
	case len(args) > 1:
		return "", &usageError{fmt.Sprintf("%s takes one %s, got %s", c.Command.Name, strings.Trim(c.Command.ArgsUsage, "[]"), strings.Join(args, " ")), ""}
	case len(args) == 1 && strings.TrimSpace(args[0]) == "":
		return "", &usageError{c.Command.Name + " got an empty PATH", "is a variable of your script unset? Such as: deployer " + commandName(c) + " dev"}
	case len(args) == 1:
		return args[0], nil
	case need:
		return "", &usageError{c.Command.Name + " needs a PATH", "such as dev, or dev/network"}
	}
	return "", nil
}

// noArguments refuses arguments to commands that take none.
func noArguments(c *cli.Context) error {
	if c.Args().Present() {
		return &usageError{fmt.Sprintf("%s takes no arguments, got %s", c.Command.Name, c.Args().First()), ""}
	}
	return nil
}

// talk is where a command speaks, as opposed to giving data.
func (a *app) talk() io.Writer { return a.env.Stderr }

// columns is how wide the terminal that is spoken to is, 0 when it is none.
func (a *app) columns() int {
	if !a.env.StderrTerminal || a.env.Width == nil {
		return 0
	}
	return a.env.Width()
}
