package ui

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/deployer-cli/deployer/internal/guard"
	"github.com/deployer-cli/deployer/stacks"
)

// TestLooks holds how environments look: with colour and without, at a narrow
// terminal and in a log. Escapes are written out, so that a change of one shows.
func TestLooks(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	for _, c := range []struct {
		name  string
		class stacks.Class
	}{{"prod", stacks.Production}, {"staging", stacks.Persistent}, {"dev", stacks.Development}, {"test", stacks.Undeclared}, {"live", stacks.Undeclared}} {
		banner := Banner{
			Environment: c.name, Class: c.class, Production: c.class == stacks.Production || stacks.HasProductionWord(c.name),
			Account: "111111111111", Region: "eu-west-1", Realm: stacks.RealmAWS,
		}
		for _, columns := range []int{0, 40} {
			for _, colour := range []bool{false, true} {
				var out bytes.Buffer
				banner.Show(&out, NewStyle(colour), columns)
				fmt.Fprintf(&b, "banner %s, colour %v, %d columns\n%s", c.name, colour, columns, escaped(out.String()))
			}
		}
		for _, shell := range []string{"bash", "zsh", "fish"} {
			for _, p := range []ShellPrompt{{Escapes: true, Colour: true}, {Escapes: true}, {}} {
				p.Environment, p.Class, p.Production, p.Known = c.name, c.class, banner.Production, true
				fmt.Fprintf(&b, "prompt %s, %s, colour %v, escapes %v\n%s\n", c.name, shell, p.Colour, p.Escapes, escaped(p.For(shell)))
			}
		}
		q := guard.Question{Class: c.class, Text: `type "` + c.name + ` 3 changes 1 deletes" to launch`, Want: c.name + " 3 changes 1 deletes"}
		for _, colour := range []bool{false, true} {
			var out bytes.Buffer
			if _, err := NewPrompter(&out, strings.NewReader("y\n"), NewStyle(colour)).Ask(t.Context(), q); err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(&b, "question %s, colour %v\n%s\n", c.name, colour, escaped(out.String()))
		}
	}
	name := filepath.Join("testdata", "looks.golden")
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if b.String() != string(want) {
		t.Errorf("looks differ from %s; see the difference with -update and git diff\n%s", name, b.String())
	}
}

// TestProductionIsSaidInWords: without any colour production is told from all
// others by words and shape alone.
func TestProductionIsSaidInWords(t *testing.T) {
	t.Parallel()
	for _, columns := range []int{0, 24, 40, 200} {
		var out bytes.Buffer
		Banner{Environment: "prod", Class: stacks.Production, Production: true, Account: "111111111111", Region: "eu-west-1"}.Show(&out, NewStyle(false), columns)
		text := out.String()
		if !strings.Contains(text, "PRODUCTION") || !strings.HasPrefix(text, "!!!!") || strings.Contains(text, "\x1b") {
			t.Errorf("%d columns:\n%s", columns, text)
		}
	}
	for _, shell := range []string{"bash", "zsh", "fish"} {
		if got := (ShellPrompt{Environment: "p", Class: stacks.Production, Production: true, Known: true}).For(shell); !strings.Contains(got, "PRODUCTION") {
			t.Errorf("%s: %q", shell, got)
		}
		if got := (ShellPrompt{Environment: "p"}).For(shell); !strings.Contains(got, "CLASS UNKNOWN") {
			t.Errorf("%s, class not read: %q", shell, got)
		}
		if got := (ShellPrompt{Known: true, Escapes: true}).For(shell); got != "" {
			t.Errorf("%s, no environment: %q", shell, got)
		}
	}
	if got := (ShellPrompt{Environment: "a%b", Known: true, Escapes: true}).For("zsh"); strings.Contains(got, "a%b") {
		t.Errorf("zsh reads the name as a format: %q", got)
	}
}

// escaped writes control characters out, and keeps the lines.
func escaped(text string) string {
	return strings.NewReplacer("\x1b", `\e`, "\x07", `\a`, "\x01", `\1`, "\x02", `\2`).Replace(text)
}
