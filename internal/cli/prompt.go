package cli

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/deployer-cli/deployer/internal/ui"
	"github.com/deployer-cli/deployer/stacks"
)

// promptCommand prints a fragment for a shell's prompt.
func (a *app) promptCommand() *cli.Command {
	var subcommands []*cli.Command
	for _, shell := range []struct{ name, use string }{
		{"bash", "PS1='$(deployer prompt bash)'\"$PS1\""},
		{"zsh", "setopt PROMPT_SUBST; PROMPT='$(deployer prompt zsh)'\"$PROMPT\""},
		{"fish", "functions -c fish_prompt before_deployer; function fish_prompt; deployer prompt fish; before_deployer; end"},
	} {
		subcommands = append(subcommands, &cli.Command{
			Name: shell.name, Usage: "print the fragment for " + shell.name, Description: "Put into the shell's start-up file:\n\n    " + shell.use,
			Action: func(c *cli.Context) error {
				if err := noArguments(c); err != nil {
					return err
				}
				return a.prompt(c.Context, shell.name)
			},
		})
	}
	return &cli.Command{
		Name: "prompt", Usage: "print a fragment for your shell's prompt, in the colour of the environment you are in",
		Description: "The environment is the one that DEPLOYER_ENV names, else that of the folder you are\nin. The fragment sets the terminal's title too. Outside of any it is empty.",
		Subcommands: subcommands,
	}
}

// prompt never fails and says nothing but the fragment: it stands in a prompt.
func (a *app) prompt(_ context.Context, shell string) error {
	env := a.env.Environ
	p := ui.ShellPrompt{
		Colour:  env["NO_COLOR"] == "" && !a.globals.noColor,
		Escapes: env["TERM"] != "dumb",
	}
	root, group := a.enclosing()
	if name := env["DEPLOYER_ENV"]; name != "" {
		group = strings.Trim(name, "/")
	}
	if group == "" {
		return nil
	}
	p.Environment, p.Production = group, stacks.HasProductionWord(group)
	p.Known = root == "" // by its name alone, where there is no project
	if root != "" {
		a.globals.dir = root
		if e := a.environmentAt(group); e != nil {
			p.Environment, p.Class, p.Production, p.Known = e.Name, e.Class, e.SaysProduction(), true
		}
	}
	_, err := a.env.Stdout.Write([]byte(p.For(shell)))
	return err
}

// enclosing finds the project that the current folder lies in, and which group
// of it.
func (a *app) enclosing() (root, group string) {
	at := a.projectDir()
	for dir := at; ; dir = filepath.Dir(dir) {
		if info, err := os.Stat(filepath.Join(dir, "config")); err == nil && info.IsDir() {
			rel, err := filepath.Rel(filepath.Join(dir, "config"), at)
			if err != nil || rel == "." || strings.HasPrefix(rel, "..") {
				rel = ""
			}
			return dir, filepath.ToSlash(rel)
		}
		if dir == filepath.Dir(dir) {
			return "", ""
		}
	}
}

// environmentAt reads which environment governs a group; nil when that cannot be
// told.
func (a *app) environmentAt(group string) *stacks.Environment {
	quiet := a.globals.logLevel
	a.globals.logLevel = "error"
	defer func() { a.globals.logLevel = quiet }()
	s, err := a.open("")
	if err != nil {
		return nil
	}
	defer s.close() //nolint:errcheck // only read from
	if info, err := fs.Stat(s.root.FS(), "config/"+group); err != nil || !info.IsDir() {
		return nil
	}
	var found *stacks.Environment
	for _, e := range s.project.Environments() {
		if stacks.Path(group).Within(e.Path) && (found == nil || len(e.Path) > len(found.Path)) {
			found = e
		}
	}
	return found
}
