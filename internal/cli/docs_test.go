package cli

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/urfave/cli/v2"
)

var update = flag.Bool("update", false, "rewrite docs/commands.md")

// TestDocsAreUpToDate keeps docs/commands.md true to the command tree.
func TestDocsAreUpToDate(t *testing.T) {
	t.Parallel()
	name := filepath.Join("..", "..", "docs", "commands.md")
	want := commandsPage()
	if *update {
		if err := os.WriteFile(name, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is stale; write it with: go test ./internal/cli -run Docs -update", name)
	}
}

// commandsPage writes the reference of all commands and flags.
func commandsPage() []byte {
	a := &app{env: Env{Environ: map[string]string{}}}
	root := a.root()
	var b bytes.Buffer
	b.WriteString("# Commands\n\nGenerated from the program; `go test ./internal/cli -run Docs -update` writes it.\n\n")
	b.WriteString("Flags may stand anywhere on the line. PATH is `dev`, `dev/network`, `dev/network.yaml`,\na group, or nothing for the whole project where that is safe.\n\n## Global flags\n\n")
	writeFlags(&b, root.Flags)
	for _, c := range root.Commands {
		writeCommand(&b, c, "deployer", 2)
	}
	return b.Bytes()
}

func writeCommand(b *bytes.Buffer, c *cli.Command, parent string, depth int) {
	if c.Hidden {
		return
	}
	full := parent + " " + c.Name
	fmt.Fprintf(b, "\n%s %s\n\n%s.\n", strings.Repeat("#", depth), strings.TrimPrefix(full, "deployer "), strings.ToUpper(c.Usage[:1])+c.Usage[1:])
	if len(c.Subcommands) == 0 {
		fmt.Fprintf(b, "\n    %s\n", strings.TrimSpace(full+" "+c.ArgsUsage))
	}
	if c.Description != "" {
		fmt.Fprintf(b, "\n%s\n", strings.ReplaceAll(c.Description, "<", "&lt;"))
	}
	own := slices.DeleteFunc(slices.Clone(c.Flags), func(f cli.Flag) bool { return f.Names()[0] == "help" })
	if len(own) > 0 {
		b.WriteString("\n")
		writeFlags(b, own)
	}
	for _, s := range c.Subcommands {
		writeCommand(b, s, full, depth+1)
	}
}

func writeFlags(b *bytes.Buffer, flags []cli.Flag) {
	b.WriteString("| flag | |\n|---|---|\n")
	for _, f := range flags {
		d, ok := f.(cli.DocGenerationFlag)
		if !ok {
			continue
		}
		var names []string
		for _, n := range f.Names() {
			dashes := "--"
			if len(n) == 1 {
				dashes = "-"
			}
			names = append(names, "`"+dashes+n+"`")
		}
		fmt.Fprintf(b, "| %s | %s |\n", strings.Join(names, ", "), strings.ReplaceAll(d.GetUsage(), "|", "\\|"))
	}
}
