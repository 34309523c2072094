package cli

import (
	"go/ast"
	"go/parser"
	source "go/token"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/urfave/cli/v2"

	"github.com/deployer-cli/deployer/internal/blast"
)

// hinted matches a command that a text tells to run.
var hinted = regexp.MustCompile(`(?:^|: |\n)deployer ([a-z][a-z-]*)(?: ([^ ;,)]+))?`)

// TestHintsNameCommands: every command that a hint of break, recover and gameday names
// is one.
func TestHintsNameCommands(t *testing.T) {
	t.Parallel()
	root := (&app{env: Env{Environ: map[string]string{}}}).root()
	named := func(in []*cli.Command, name string) *cli.Command {
		for _, c := range in {
			if c.HasName(name) {
				return c
			}
		}
		return nil
	}
	seen := 0
	for _, glob := range []string{"break*.go", "recover*.go", "gameday*.go", "custody.go", "kept.go", "../blast/*.go", "../chaos/*.go", "../logbook/*.go"} {
		files, err := filepath.Glob(glob)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range files {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			f, err := parser.ParseFile(source.NewFileSet(), name, nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			ast.Inspect(f, func(n ast.Node) bool {
				lit, ok := n.(*ast.BasicLit)
				if !ok || lit.Kind != source.STRING {
					return true
				}
				text, _ := strconv.Unquote(lit.Value)
				for _, m := range hinted.FindAllStringSubmatch(text, -1) {
					seen++
					c := named(root.Commands, m[1])
					if c == nil {
						t.Errorf("%s: %q: there is no command %s", name, text, m[1])
						continue
					}
					// A lower-case word behind a command that has others is one of them.
					if word := m[2]; len(c.Subcommands) > 0 && word != "" && strings.Trim(word, "abcdefghijklmnopqrstuvwxyz-") == "" && !strings.HasPrefix(word, "-") && named(c.Subcommands, word) == nil {
						t.Errorf("%s: %q: there is no command %s %s", name, text, m[1], word)
					}
				}
				return true
			})
		}
	}
	if seen < 20 {
		t.Errorf("only %d hints were looked at", seen)
	}
}

// TestChosenBy: what a refusal tells to ask again chooses the same.
func TestChosenBy(t *testing.T) {
	t.Parallel()
	for want, b := range map[string]*breaker{
		"dev/network": {opts: breakOptions{args: []string{"dev/network"}, kind: blast.DeleteStack}},
		"dev/a dev/b --kind delete-resource=Topic": {
			opts: breakOptions{args: []string{"dev/a", "dev/b"}, kind: "delete-resource", arg: "Topic"},
		},
		"dev --stacks 'dev/*' --tag team=a --exclude dev/b --random 2 --seed monday --only --kind 'drift-parameter=Size:it'\\''s'": {
			opts:   breakOptions{args: []string{"dev"}, only: true, kind: blast.DriftParameter, arg: "Size:it's"},
			choice: blast.Choice{Globs: []string{"dev/*"}, Tags: map[string]string{"team": "a"}, Exclude: []string{"dev/b"}, Random: 2, Seed: "monday"},
		},
	} {
		if got := b.chosenBy(); got != want {
			t.Errorf("%s\nwant %s", got, want)
		}
	}
}

// TestHelpHints: the help that a wrong command line is sent to exists.
func TestHelpHints(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"break", "lever"}, {"break", "permit"}, {"gameday"}, {"break", "show", "--nope"}, {"recover", "--nope"}, {"break", "lever", "nope"}} {
		var errs strings.Builder
		dir := t.TempDir()
		code := Main(Env{Args: append([]string{"deployer"}, args...), Dir: dir, Stdout: &errs, Stderr: &errs, Environ: map[string]string{"HOME": dir, "NO_COLOR": "1"}})
		m := regexp.MustCompile(`see: deployer (.*) --help`).FindStringSubmatch(errs.String())
		if code != exitUsage || m == nil {
			t.Errorf("%v: exit %d, %s", args, code, errs.String())
			continue
		}
		var help strings.Builder
		if code := Main(Env{Args: append([]string{"deployer"}, append(strings.Fields(m[1]), "--help")...), Dir: dir, Stdout: &help, Stderr: &help, Environ: map[string]string{"HOME": dir, "NO_COLOR": "1"}}); code != exitOK || !strings.Contains(help.String(), m[1]) {
			t.Errorf("%v sends to %q: exit %d, %s", args, m[1], code, help.String())
		}
	}
}
