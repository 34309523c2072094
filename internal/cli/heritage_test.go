package cli

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/urfave/cli/v2"

	"github.com/deployer-cli/deployer/internal/resolve"
)

// sceptreCommands are the commands of Sceptre 4.6.0.
const sceptreCommands = `launch create update delete prune execute diff "drift detect" "drift show" status
"list stacks" "list outputs" "list resources" "list change-sets" "describe change-set" "describe policy"
set-policy validate generate "dump config" "dump template" "dump all" estimate-cost fetch-remote-template
"new project" "new group"`

// TestEveryCommandOfSceptre: it is there, and the page for those who come from
// Sceptre speaks of it and of every resolver.
func TestEveryCommandOfSceptre(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "from-sceptre.md"))
	if err != nil {
		t.Fatal(err)
	}
	quoted := strings.Split(strings.ReplaceAll(sceptreCommands, "\n", " "), `"`)
	for i, part := range quoted {
		words := strings.Fields(part)
		if i%2 == 1 {
			words = []string{part}
		}
		for _, name := range words {
			if !hasCommand(testApp().root().Commands, strings.Fields(name)) {
				t.Errorf("there is no command %s", name)
			}
			if !strings.Contains(string(page), name) {
				t.Errorf("docs/from-sceptre.md does not speak of %s", name)
			}
		}
	}
	for _, name := range resolve.Names() {
		if !strings.Contains(string(page), "`!"+name+"`") {
			t.Errorf("docs/from-sceptre.md does not speak of !%s", name)
		}
	}
}

func hasCommand(commands []*cli.Command, words []string) bool {
	i := slices.IndexFunc(commands, func(c *cli.Command) bool { return c.HasName(words[0]) })
	return i >= 0 && (len(words) == 1 || hasCommand(commands[i].Subcommands, words[1:]))
}
