package cli

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"
)

// completionCommand prints the code that a shell loads to complete commands,
// flags and stack paths.
func (a *app) completionCommand() *cli.Command {
	return &cli.Command{
		Name: "completion", Usage: "print shell completion code", ArgsUsage: "bash|zsh|fish",
		Description: "bash:  source <(deployer completion bash)\nzsh:   source <(deployer completion zsh)\nfish:  deployer completion fish | source",
		Action: func(c *cli.Context) error {
			shells := map[string]string{"bash": bashCompletion, "zsh": zshCompletion, "fish": fishCompletion}
			code, ok := shells[c.Args().First()]
			if !ok || c.NArg() != 1 {
				return &usageError{fmt.Sprintf("completion for %q is not known", c.Args().First()), "one of: bash, zsh, fish"}
			}
			_, err := fmt.Fprint(a.env.Stdout, code)
			return err
		},
	}
}

// completeCommand is what the shells call: it prints the words that may come
// next, one a line. It must never fail loudly or call AWS.
func (a *app) completeCommand() *cli.Command {
	return &cli.Command{
		Name: "__complete", Hidden: true, SkipFlagParsing: true,
		Action: func(c *cli.Context) error {
			words := c.Args().Slice()
			if len(words) > 0 && words[0] == "--" {
				words = words[1:]
			}
			for _, w := range a.complete(c.App, words) {
				fmt.Fprintln(a.env.Stdout, w)
			}
			return nil
		},
	}
}

// complete lists what may stand in the place of the last word.
func (a *app) complete(root *cli.App, words []string) []string {
	last := ""
	if len(words) > 0 {
		last = words[len(words)-1]
		words = words[:len(words)-1]
	}
	commands, flags := root.Commands, root.Flags
	takesPath := false
	for i := 0; i < len(words); i++ {
		if words[i] == "--dir" || words[i] == "-C" {
			if i+1 < len(words) {
				a.globals.dir = words[i+1]
			}
			i++
			continue
		}
		if j := slices.IndexFunc(commands, func(c *cli.Command) bool { return c.HasName(words[i]) }); j >= 0 {
			takesPath = strings.Contains(commands[j].ArgsUsage, "PATH")
			flags = append(slices.Clone(commands[j].Flags), root.Flags...)
			commands = commands[j].Subcommands
		}
	}
	var out []string
	switch {
	case strings.HasPrefix(last, "-"):
		for _, f := range flags {
			out = append(out, "--"+f.Names()[0])
		}
	case takesPath:
		out = a.stackPaths()
	default:
		for _, c := range commands {
			if !c.Hidden {
				out = append(out, c.Name)
			}
		}
	}
	out = slices.DeleteFunc(out, func(w string) bool { return !strings.HasPrefix(w, last) })
	slices.Sort(out)
	return slices.Compact(out)
}

// stackPaths lists groups and stacks by their files alone, so that completion
// stays quick and works with a broken config.
func (a *app) stackPaths() []string {
	root, err := a.openRoot()
	if err != nil {
		return nil
	}
	defer root.Close() //nolint:errcheck // only read from
	config, err := fs.Sub(root.FS(), "config")
	if err != nil {
		return nil
	}
	var out []string
	_ = fs.WalkDir(config, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return fs.SkipDir
		case name == ".":
		case d.IsDir():
			out = append(out, name)
		case path.Ext(name) == ".yaml" && !strings.HasPrefix(path.Base(name), "config."):
			out = append(out, strings.TrimSuffix(name, ".yaml"))
		}
		return nil
	})
	return out
}

const bashCompletion = `# deployer completion for bash
_deployer() {
    local IFS=$'\n'
    COMPREPLY=($(deployer __complete -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
}
complete -F _deployer deployer
`

const zshCompletion = `#compdef deployer
_deployer() {
    local -a words_next
    words_next=("${(@f)$(deployer __complete -- "${(@)words[2,CURRENT]}" 2>/dev/null)}")
    compadd -- $words_next
}
compdef _deployer deployer
`

const fishCompletion = `# deployer completion for fish
function __deployer_complete
    set -l words (commandline -opc) (commandline -ct)
    deployer __complete -- $words[2..-1] 2>/dev/null
end
complete -c deployer -f -a '(__deployer_complete)'
`
