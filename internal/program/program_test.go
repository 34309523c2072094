//go:build unix

package program_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/deployer-cli/deployer/internal/program"
)

func shell(line string) program.Program {
	return program.Program{Args: []string{"/bin/sh", "-c", line}, Env: []string{"PATH=/usr/bin:/bin"}}
}

func TestRunPassesLinesOn(t *testing.T) {
	t.Parallel()
	var got []string
	err := program.Run(t.Context(), shell("echo one; echo two >&2; printf three"), func(l string) { got = append(got, l) })
	if want := []string{"one", "two", "three"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("%q, %v", got, err)
	}
}

func TestALineWithoutEndComesInPieces(t *testing.T) {
	t.Parallel()
	var got strings.Builder
	n := 0
	err := program.Run(t.Context(), shell("head -c 200000 /dev/zero | tr '\\0' x"), func(l string) { got.WriteString(l); n++ })
	if err != nil || got.String() != strings.Repeat("x", 200000) || n < 3 {
		t.Errorf("%d bytes in %d pieces, %v", got.Len(), n, err)
	}
}

func TestOutput(t *testing.T) {
	t.Parallel()
	p := shell("cat; echo \"$GREETING\"; pwd")
	p.Stdin, p.Dir = []byte("in "), t.TempDir()
	p.Env = append(p.Env, "GREETING=hello")
	out, err := program.Output(t.Context(), p)
	if err != nil || !strings.HasPrefix(string(out), "in hello\n") || !strings.Contains(string(out), filepath.Base(p.Dir)) {
		t.Errorf("%q, %v", out, err)
	}
}

func TestNothingIsInherited(t *testing.T) {
	t.Setenv("DEPLOYER_TEST_LEAK", "yes")
	out, err := program.Output(t.Context(), program.Program{Args: []string{"/usr/bin/env"}})
	if err != nil || strings.Contains(string(out), "LEAK") {
		t.Errorf("%q, %v", out, err)
	}
}

func TestErrors(t *testing.T) {
	t.Parallel()
	_, err := program.Output(t.Context(), shell("echo half; echo why >&2; exit 3"))
	e, ok := errors.AsType[*program.ExitError](err)
	if !ok || e.Code != 3 || err.Error() != "exit status 3: why" {
		t.Errorf("%v", err)
	}
	_, err = program.Output(t.Context(), program.Program{Args: []string{"no-such-program-of-deployer"}})
	if _, ok := errors.AsType[*program.NotFoundError](err); !ok {
		t.Errorf("%v", err)
	}
	_, err = program.Output(t.Context(), shell("head -c 20000000 /dev/zero"))
	if err == nil || !strings.Contains(err.Error(), "more than 16 MiB") {
		t.Errorf("%v", err)
	}
}

// TestTheWholeGroupEnds cancels a program whose child would go on.
func TestTheWholeGroupEnds(t *testing.T) {
	t.Parallel()
	left := filepath.Join(t.TempDir(), "left")
	ctx, cancel := context.WithCancelCause(t.Context())
	enough := errors.New("enough")
	err := program.Run(ctx, shell("(sleep 1.5; echo x > "+left+") & echo started; wait"), func(string) { cancel(enough) })
	if !errors.Is(err, enough) {
		t.Errorf("%v", err)
	}
	timer := time.NewTimer(2 * time.Second)
	<-timer.C
	if _, err := os.Stat(left); err == nil {
		t.Error("the child went on")
	}
}

// TestGrace: a program that will not stop is killed after the grace it was given.
func TestGrace(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	p := shell("trap '' TERM; while :; do sleep 0.05; done")
	p.Grace = 100 * time.Millisecond
	begun := time.Now()
	if err := program.Run(ctx, p, func(string) {}); !errors.Is(err, context.DeadlineExceeded) || time.Since(begun) > 2*time.Second {
		t.Errorf("%v after %v", err, time.Since(begun))
	}
}
