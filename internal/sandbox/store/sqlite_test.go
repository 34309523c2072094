package store_test

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/deployer-cli/deployer/internal/sandbox/store"
)

// Environment of a child process: what to do with which store.
const (
	childTask = "STORE_TEST_TASK"
	childPath = "STORE_TEST_PATH"
)

func TestMain(m *testing.M) {
	if task := os.Getenv(childTask); task != "" {
		if err := child(task, os.Getenv(childPath)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func child(task, path string) error {
	s, err := store.Open(path)
	if err != nil {
		return err
	}
	rounds := 40
	if task == "forever" {
		rounds = 1 << 30
	}
	for i := range rounds {
		if err := s.Update(context.Background(), increment); err != nil {
			return err
		}
		if err := s.View(context.Background(), consistent); err != nil {
			return err
		}
		fmt.Println(i + 1) // the parent counts what was surely committed
	}
	return s.Close()
}

func childCommand(t *testing.T, task, path string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), childTask+"="+task, childPath+"="+path)
	return cmd
}

func TestManyProcesses(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "new", "state.db") // all of them find no file and make it
	var cmds []*exec.Cmd
	for range 5 {
		cmd := childCommand(t, "some", path)
		cmd.Stderr = t.Output()
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		cmds = append(cmds, cmd)
	}
	for _, cmd := range cmds {
		if err := cmd.Wait(); err != nil {
			t.Error(err)
		}
	}
	s, err := store.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if got, _ := get(t, s, "t", "a"); len(got) != 5*40 {
		t.Errorf("counted %d increments of 200", len(got))
	}
}

func TestKill(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "state.db")
	atLeast := 0
	for round := range 4 {
		cmd := childCommand(t, "forever", path)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		acked := killAfter(t, cmd, out, 10+37*round)
		s, err := store.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.View(t.Context(), consistent); err != nil {
			t.Error(err)
		}
		got, _ := get(t, s, "t", "a")
		if len(got) < atLeast+acked {
			t.Errorf("%d increments were answered and %d are there", atLeast+acked, len(got))
		}
		atLeast = len(got)
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

// killAfter reads the child's answers and kills it soon after so many.
func killAfter(t *testing.T, cmd *exec.Cmd, out io.Reader, n int) (acked int) {
	t.Helper()
	killed := false
	for lines := bufio.NewScanner(out); lines.Scan(); {
		i, err := strconv.Atoi(lines.Text())
		if err != nil {
			t.Fatal(err)
		}
		acked = i
		if i >= n && !killed {
			killed = true
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	_ = cmd.Wait()
	if !killed {
		t.Fatal("the child ended by itself")
	}
	return acked
}

func raw(t *testing.T, path, statement string) {
	t.Helper()
	conn, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.ExecContext(t.Context(), statement); err != nil {
		t.Fatal(err)
	}
}

func TestRefusesWhatIsNotOurs(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	ours := filepath.Join(dir, "newer.db")
	s, err := store.Open(ours)
	if err != nil {
		t.Fatal(err)
	}
	_ = s.Close()
	raw(t, ours, "PRAGMA user_version = 7")
	_, err = store.Open(ours)
	if newer, ok := errors.AsType[*store.NewerError](err); !ok || newer.Format != 7 {
		t.Errorf("newer format: %v", err)
	}

	other := filepath.Join(dir, "other.db")
	raw(t, other, "CREATE TABLE mine (x)")
	if _, err := store.Open(other); err == nil || !strings.Contains(err.Error(), "another program") {
		t.Errorf("another program's database: %v", err)
	}

	text := filepath.Join(dir, "text.db")
	if err := os.WriteFile(text, []byte(strings.Repeat("not a database\n", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Open(text); err == nil || !strings.Contains(err.Error(), "damaged or no store") {
		t.Errorf("a text file: %v", err)
	}
	if _, err := store.Open(filepath.Join(text, "state.db")); err == nil {
		t.Error("a file as a folder was accepted")
	}
}

func TestReadOnlyFolder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if runtime.GOOS == "windows" || os.Geteuid() == 0 {
		t.Skip("this user may write everywhere")
	}
	if err := os.Chmod(dir, 0o500); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Open(filepath.Join(dir, "state.db")); !errors.Is(err, os.ErrPermission) {
		t.Errorf("got %v", err)
	}
}

func TestOddPathAndPermissions(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a b?c%20#ü", "state.db")
	s, err := store.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	put(t, s, "t", "k", "v")
	for _, file := range []string{path, path + "-wal"} {
		info, err := os.Stat(file)
		if err != nil {
			t.Fatal(err)
		}
		if runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v", file, info.Mode())
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s, err = store.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if got, _ := get(t, s, "t", "k"); got != "v" {
		t.Errorf("after opening again: %q", got)
	}
}

func TestWaitForAnotherWriterEndsWithTheContext(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "state.db")
	one, err := store.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer one.Close()
	two, err := store.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer two.Close()
	put(t, one, "t", "k", "before")
	update(t, one, func(tx store.Tx) error {
		if err := tx.Put("t", "k", []byte("after")); err != nil {
			return err
		}
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		if err := two.Update(ctx, increment); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("the second writer got %v", err)
		}
		if got, _ := get(t, two, "t", "k"); got != "before" {
			t.Errorf("a reader saw %q before the commit", got)
		}
		return nil
	})
	if got, _ := get(t, two, "t", "k"); got != "after" {
		t.Errorf("a reader saw %q after the commit", got)
	}
}
