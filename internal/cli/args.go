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
	return sorted(app, argv).line(argv[0])
}

// commandLine is intersperse for a line that is to be run: who asks for help has it of
// the command, whatever it was about to be given.
func commandLine(app *cli.App, argv []string) []string {
	if len(argv) == 0 {
		return nil
	}
	s := sorted(app, argv)
	if len(s.path) > 0 && slices.ContainsFunc(s.options, func(o option) bool { return o.name == "help" || o.name == "h" }) {
		s.arguments = nil
	}
	return s.line(argv[0])
}

func sorted(app *cli.App, argv []string) *sorter {
	s := &sorter{app: app, commands: app.Commands}
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
	return s
}

// line is the command line that was sorted, of the program that is called so.
func (s *sorter) line(program string) []string {
	return slices.Concat([]string{program}, s.globals, s.path, words(s.options), s.arguments)
}

// option is a flag with its value, as given.
type option struct {
	name  string
	words []string
}

func words(options []option) []string {
	var out []string
	for _, o := range options {
		out = append(out, o.words...)
	}
	return out
}

func isFlag(arg string) bool { return len(arg) > 1 && arg[0] == '-' }

// sorter sorts one command line into its parts.
type sorter struct {
	app       *cli.App
	commands  []*cli.Command // that may come next
	flags     []cli.Flag     // of the command so far
	globals   []string
	path      []string // commands with the flags that stood before the next one
	options   []option // flags that are not global, of the last command or one to come
	arguments []string
}

// flag takes the flag at i and returns how many words of argv it used besides.
func (s *sorter) flag(argv []string, i int) int {
	name, _, hasValue := strings.Cut(strings.TrimLeft(argv[i], "-"), "=")
	flag := findFlag(s.flags, name)
	global := false
	if flag == nil {
		flag = findFlag(s.app.Flags, name)
		global = flag != nil
	}
	if flag == nil {
		flag = findBelow(s.commands, name)
	}
	given := argv[i : i+1]
	if !hasValue && takesValue(flag) && i+1 < len(argv) {
		given = argv[i : i+2]
	}
	if global {
		s.globals = append(s.globals, given...)
	} else {
		s.options = append(s.options, option{name, given})
	}
	return len(given) - 1
}

// findBelow finds the flag of a command that is still to come.
func findBelow(commands []*cli.Command, name string) cli.Flag {
	for _, c := range commands {
		if f := findFlag(c.Flags, name); f != nil {
			return f
		}
		if f := findBelow(c.Subcommands, name); f != nil {
			return f
		}
	}
	return nil
}

// word takes a command or an argument. After the first argument everything is
// an argument: `launch status` launches an environment called status.
func (s *sorter) word(arg string) {
	i := slices.IndexFunc(s.commands, func(c *cli.Command) bool { return c.HasName(arg) })
	if i < 0 || len(s.arguments) > 0 {
		s.arguments = append(s.arguments, arg)
		return
	}
	var later []option
	for _, o := range s.options {
		if findFlag(s.flags, o.name) == nil {
			later = append(later, o)
			continue
		}
		s.path = append(s.path, o.words...)
	}
	s.path, s.options = append(s.path, arg), later
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
