package cli

import (
	"slices"
	"strings"

	"github.com/urfave/cli/v2"
)

// intersperse puts flags where urfave/cli v2 looks for them: it reads no flag
// after the first argument, so `launch dev --dry-run` would launch. Each
// command's flags go before its arguments, global ones before the command.
// What follows "--" is left alone.
func intersperse(app *cli.App, argv []string) []string {
	if len(argv) == 0 {
		return nil
	}
	s := sorter{app: app, commands: app.Commands}
	for i := 1; i < len(argv); i++ {
		if argv[i] == "--" {
			s.arguments = append(s.arguments, argv[i:]...)
			break
		}
		if isFlag(argv[i]) {
			i += s.flag(argv, i)
			continue
		}
		s.word(argv[i])
	}
	return slices.Concat(argv[:1], s.globals, s.path, s.options, s.arguments)
}

func isFlag(arg string) bool { return len(arg) > 1 && arg[0] == '-' }

// sorter sorts one command line into its parts.
type sorter struct {
	app       *cli.App
	commands  []*cli.Command // that may come next
	flags     []cli.Flag     // of the command so far
	globals   []string
	path      []string // commands with the flags that stood before the next one
	options   []string // flags of the last command
	arguments []string
}

// flag takes the flag at i and returns how many words of argv it used besides.
func (s *sorter) flag(argv []string, i int) int {
	name, _, hasValue := strings.Cut(strings.TrimLeft(argv[i], "-"), "=")
	to := &s.options
	flag := findFlag(s.flags, name)
	if flag == nil {
		if flag = findFlag(s.app.Flags, name); flag != nil {
			to = &s.globals
		}
	}
	*to = append(*to, argv[i])
	if hasValue || !takesValue(flag) || i+1 >= len(argv) {
		return 0
	}
	*to = append(*to, argv[i+1])
	return 1
}

// word takes a command or an argument. After the first argument everything is
// an argument: `launch status` launches an environment called status.
func (s *sorter) word(arg string) {
	i := slices.IndexFunc(s.commands, func(c *cli.Command) bool { return c.HasName(arg) })
	if i < 0 || len(s.arguments) > 0 {
		s.arguments = append(s.arguments, arg)
		return
	}
	s.path = append(append(s.path, s.options...), arg)
	s.options = nil
	s.flags, s.commands = s.commands[i].Flags, s.commands[i].Subcommands
}

func findFlag(flags []cli.Flag, name string) cli.Flag {
	i := slices.IndexFunc(flags, func(f cli.Flag) bool { return slices.Contains(f.Names(), name) })
	if i < 0 {
		return nil
	}
	return flags[i]
}

func takesValue(f cli.Flag) bool {
	d, ok := f.(cli.DocGenerationFlag)
	return ok && d.TakesValue()
}
