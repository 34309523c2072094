package main_test

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/deployer-cli/deployer/internal/cli"
)

var update = flag.Bool("update", false, "write what the scripts' cmp lines compare with")

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"deployer": func() { os.Exit(cli.Main(cli.System())) },
	})
}

// TestScripts runs the documented behaviour of every command, one script a
// case: testdata/script/<command>_<case>.txtar.
func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("..", "..", "testdata", "script"),
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("DEPLOYER_SANDBOX_SPEED", "max")
			env.Setenv("NO_COLOR", "1")
			env.Setenv("HOME", env.WorkDir)
			return nil
		},
	})
}
