package trial_test

import (
	"flag"
	"os"
	"path/filepath"
	"runtime/pprof"
	"testing"

	"github.com/deployer-cli/deployer/internal/cli"
)

// What `make bench`, `make bench-check` and `make torture` give us.
var (
	measure = flag.String("measure", "", "what TestBench measures: short, or full (a quarter of an hour)")
	out     = flag.String("out", "", "the JSON `FILE` that TestBench and TestTorture write")
	profile = flag.String("profile", "", "TestProfile writes profiles into that `DIR`")
	update  = flag.Bool("update", false, "TestBench writes testdata/baseline.json instead of comparing with it")
)

// TestMain lets the test binary stand in for the program, and for the one that
// measures one scenario, so that each has a process of its own.
func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) == "deployer" {
		os.Exit(deployer())
	}
	code := m.Run()
	starts.remove()
	os.Exit(code)
}

// deployer does as the program, and writes profiles where it is told to.
func deployer() int {
	if name := os.Getenv("TRIAL_CPU_PROFILE"); name != "" {
		f, err := os.Create(name)
		if err != nil || pprof.StartCPUProfile(f) != nil {
			return 99
		}
		defer pprof.StopCPUProfile()
	}
	code := cli.Main(doomed(cli.System()))
	if name := os.Getenv("TRIAL_MEMORY_PROFILE"); name != "" {
		f, err := os.Create(name)
		if err != nil || pprof.Lookup("allocs").WriteTo(f, 0) != nil {
			return 99
		}
	}
	return code
}
