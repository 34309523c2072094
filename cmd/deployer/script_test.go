package main_test

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/deployer-cli/deployer/internal/cli"
)

var update = flag.Bool("update", false, "write what the scripts' cmp lines compare with")

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"deployer": func() { os.Exit(cli.Main(cli.System())) },
		"exits":    func() { os.Exit(exits(os.Args[1:])) },
		"terminal": func() { os.Exit(terminal(os.Args[1:])) },
	})
}

// TestScripts runs the documented behaviour of every command, one script a
// case: testdata/script/<command>_<case>.txtar. Beside testscript's own
// commands there are
//
//	exec exits CODE PROGRAM ARGS...          the program ends with that code
//	exec terminal COLSxROWS PROGRAM ARGS...  at a terminal; what is typed comes from stdin
//	project NAME                             makes testdata/projects/NAME the folder we are in
//	json FILE PATH WANT                      the value at .a.0.b of a JSON document; WANT "null", "length 3", "keys a b"
//	edit FILE OLD NEW                        replaces a text in a file
//	await N TEXT FILES                       waits until the files hold the text so often
//	disk DIR SIZE|readonly                   mounts a small disk, makes it read-only; where [mount]
//	wide COLUMNS FILE PATTERN                lines that match are no wider
//	digest NAME FILE                         puts a plan file's digest into $NAME
//	reseal FILE                              gives an edited plan file a digest that fits
//	writes note|none                         remembers the writing calls so far; wants none since
//	port NAME; connect ADDRESS               a free address; waits until somebody listens there
//	endpoint NAME 500|hang|expired|closed    a faulty AWS on loopback; its URL goes to $NAME
func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Files:               scripts(t),
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Cmds:                scriptCommands,
		Condition:           scriptCondition,
		Setup: func(env *testscript.Env) error {
			env.Setenv("DEPLOYER_SANDBOX_SPEED", "max")
			env.Setenv("NO_COLOR", "1")
			env.Setenv("HOME", env.WorkDir)
			env.Setenv("GORACE", os.Getenv("GORACE"))
			return nil
		},
	})
}

// scripts lists the scripts to run. With -short those are left out that follow
// programs in the background or the sandbox's time as it passes: on a machine
// that is slowed down, as by the race detector, they say more about the machine.
func scripts(t *testing.T) []string {
	t.Helper()
	all, err := filepath.Glob(filepath.Join("..", "..", "testdata", "script", "*.txtar"))
	if err != nil || len(all) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	if !testing.Short() {
		return all
	}
	return slices.DeleteFunc(all, func(name string) bool {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		return paced.Match(text)
	})
}

// paced finds a program in the background, and a finite speed.
var paced = regexp.MustCompile(`(?m)^(! )?exec .*&\S*&?$|DEPLOYER_SANDBOX_SPEED=\d`)
