package main_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/deployer-cli/deployer/internal/cli"
)

// ran is what a command left behind.
type ran struct {
	Exit           int
	Stdout, Stderr string
}

// invoking keeps command lines in this process apart: urfave/cli notes what it reads
// in its one --help flag.
var invoking sync.Mutex

// invoke runs the command line in this process, in dir. vars are added to an
// otherwise empty environment.
func invoke(dir string, vars map[string]string, args ...string) ran {
	environ := map[string]string{"DEPLOYER_SANDBOX_SPEED": "max", "NO_COLOR": "1", "HOME": dir, "PATH": os.Getenv("PATH")}
	maps.Copy(environ, vars)
	var out, talk bytes.Buffer
	invoking.Lock()
	defer invoking.Unlock()
	code := cli.Main(cli.Env{
		Args: append([]string{"deployer"}, args...), Stdin: strings.NewReader(""), Stdout: &out, Stderr: &talk,
		Environ: environ, Dir: dir, Now: time.Now,
	})
	return ran{code, out.String(), talk.String()}
}

// must runs a command that has to end with exit code want.
func must(t testing.TB, want int, dir string, args ...string) ran {
	t.Helper()
	r := invoke(dir, nil, args...)
	if r.Exit != want {
		t.Fatalf("deployer %s: exit %d, want %d\n%s%s", strings.Join(args, " "), r.Exit, want, r.Stdout, r.Stderr)
	}
	return r
}

// outcome is the last line of a run in JSON.
type outcome struct {
	Kind    string
	OK      bool
	Exit    int
	Seconds float64
	Calls   int
	Stacks  map[string]string
	Errors  []struct{ Stack, What, Why, Hint string }
}

// result reads the last line of a run in JSON.
func (r ran) result(t testing.TB) outcome {
	t.Helper()
	lines := strings.Split(strings.TrimSpace(r.Stdout), "\n")
	var o outcome
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &o); err != nil || o.Kind != "result" {
		t.Fatalf("no result in the last line: %v\n%s%s", err, r.Stdout, r.Stderr)
	}
	return o
}

// ended lists the stacks whose operation ended, in the order of the events.
func (r ran) ended(t testing.TB) []string {
	t.Helper()
	var out []string
	for line := range strings.Lines(r.Stdout) {
		var e struct{ Kind, Stack string }
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		if e.Kind == "step-done" {
			out = append(out, e.Stack)
		}
	}
	return out
}

// all tells that every stack of the result has one of the outcomes.
func (o outcome) all(t testing.TB, n int, outcomes ...string) {
	t.Helper()
	if len(o.Stacks) != n {
		t.Errorf("%d stacks in the result, want %d: %v", len(o.Stacks), n, o.Stacks)
	}
	for stack, got := range o.Stacks {
		if !strings.Contains(" "+strings.Join(outcomes, " ")+" ", " "+got+" ") {
			t.Errorf("%s is %s, want %s", stack, got, strings.Join(outcomes, " or "))
		}
	}
}

// write makes a file below dir.
func write(t testing.TB, dir, name, text string) {
	t.Helper()
	path := filepath.Join(dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// process prepares a run of the command line in a process of its own. It is
// this test binary, which does as deployer when it is called so.
func process(ctx context.Context, t testing.TB, dir string, vars []string, args ...string) *exec.Cmd {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(ctx, exe)
	cmd.Args = append([]string{"deployer"}, args...)
	cmd.Dir = dir
	cmd.Env = append([]string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "NO_COLOR=1", "AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test",
		"AWS_EC2_METADATA_DISABLED=true",
	}, vars...)
	return cmd
}

// child runs the command line in a process of its own.
func child(t testing.TB, dir string, vars []string, args ...string) ran {
	t.Helper()
	cmd := process(t.Context(), t, dir, vars, args...)
	var out, talk bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &talk
	err := cmd.Run()
	if _, exited := errors.AsType[*exec.ExitError](err); err != nil && !exited {
		t.Fatal(err)
	}
	return ran{cmd.ProcessState.ExitCode(), out.String(), talk.String()}
}

// waitFor looks again and again until something is so.
func waitFor(t testing.TB, limit time.Duration, what string, so func() bool) {
	t.Helper()
	end := time.Now().Add(limit)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !so() {
		if time.Now().After(end) {
			t.Fatalf("waited %s for %s", limit, what)
		}
		<-tick.C
	}
}
