package cli

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/deployer-cli/deployer/templates"
)

const defaultStarter = "shop"

// initCommand makes a new project from an embedded starter.
func (a *app) initCommand() *cli.Command {
	return &cli.Command{
		Name: "init", Usage: "make a new project from a starter", ArgsUsage: "DIR",
		Description: "The default starter is a shop in three environments: dev, staging and prod, each of\nthe same stacks. It is meant to be copied from.",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "starter", Usage: "which `NAME`d starter to begin with", Value: defaultStarter},
		},
		Action: func(c *cli.Context) error {
			if c.NArg() == 0 {
				return &usageError{"init needs a DIR", "such as: deployer init shop"}
			}
			dir, err := a.path(c, true)
			if err != nil {
				return err
			}
			return a.runInit(dir, c.String("starter"))
		},
	}
}

func (a *app) runInit(dir, starter string) error {
	all := templates.Starters()
	names, err := starters(all)
	if err != nil {
		return err
	}
	if !slices.Contains(names, starter) {
		return &usageError{fmt.Sprintf("no starter is called %s", starter), "there is: " + strings.Join(names, ", ")}
	}
	source, err := fs.Sub(all, starter)
	if err != nil {
		return fmt.Errorf("starter %s: %w", starter, err)
	}
	target := a.abs(dir)
	if err := mustBeEmpty(target, dir); err != nil {
		return err
	}
	n, err := copyTree(source, target)
	if err != nil {
		return err
	}
	if done, err := a.document(map[string]any{"dir": dir, "starter": starter, "files": n}); done {
		return err
	}
	fmt.Fprintf(a.talk(), "%s a project of %d files in %s\n\nNext:\n  cd %s\n  deployer --sandbox launch dev     no account, no network\n  deployer --sandbox status\n",
		a.err.Good("made"), n, dir, dir)
	return nil
}

// abs makes a path of the command line absolute, by the working directory.
func (a *app) abs(dir string) string {
	if filepath.IsAbs(dir) {
		return filepath.Clean(dir)
	}
	return filepath.Join(a.env.Dir, dir)
}

func starters(all fs.FS) ([]string, error) {
	entries, err := fs.ReadDir(all, ".")
	if err != nil {
		return nil, fmt.Errorf("reading the starters: %w", err)
	}
	var names []string
	for _, e := range entries {
		if e.IsDir() {
			names = append(names, e.Name())
		}
	}
	return names, nil
}

// mustBeEmpty refuses to write into a folder that holds anything.
func mustBeEmpty(target, shown string) error {
	entries, err := os.ReadDir(target)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return &usageError{fmt.Sprintf("%s cannot be used: %v", shown, err), ""}
	case len(entries) > 0:
		return &usageError{fmt.Sprintf("%s is not empty", shown), "init only writes into a new or an empty folder"}
	}
	return nil
}

// copyTree writes the starter. Files come out whole or not at all.
func copyTree(source fs.FS, target string) (int, error) {
	n := 0
	id, err := newProjectID()
	if err != nil {
		return 0, err
	}
	err = fs.WalkDir(source, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		to := filepath.Join(target, filepath.FromSlash(name))
		if d.IsDir() {
			return os.MkdirAll(to, 0o755) //nolint:gosec // a project is for the team to read
		}
		text, err := fs.ReadFile(source, name)
		if err != nil {
			return err
		}
		if path.Base(name) == "gitignore" {
			to = filepath.Join(filepath.Dir(to), ".gitignore")
		}
		n++
		return writeFile(to, []byte(strings.ReplaceAll(string(text), projectIDMark, id)))
	})
	if err != nil {
		return n, fmt.Errorf("writing %s: %w", target, err)
	}
	return n, nil
}

// projectIDMark stands in a starter where a project's own id belongs.
const projectIDMark = "PROJECT-ID"

func newProjectID() (string, error) {
	var b [8]byte
	if _, err := rand.Read(b[:]); err != nil {
		return "", fmt.Errorf("making a project id: %w", err)
	}
	return hex.EncodeToString(b[:]), nil
}

// writeFile writes a file by way of a temporary one beside it, so that nobody
// ever reads half of it.
func writeFile(name string, text []byte) error {
	tmp, err := os.CreateTemp(filepath.Dir(name), ".deployer-*")
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name()) //nolint:errcheck // gone already when all went well
	if _, err := tmp.Write(text); err != nil {
		tmp.Close() //nolint:errcheck // the write's error says more
		return err
	}
	if err := tmp.Chmod(0o644); err != nil {
		tmp.Close() //nolint:errcheck // as above
		return err
	}
	if err := tmp.Close(); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), name)
}
