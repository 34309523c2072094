package main_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/deployer-cli/deployer/internal/cli"
	"github.com/deployer-cli/deployer/internal/journal"
)

// fill puts journals of finished runs of long ago beside those of a scene.
func (s *scene) fill(t *testing.T, n int) (left func() int) {
	t.Helper()
	dir := filepath.Join(s.dir, ".deployer", "aws", "journal")
	for i := range n {
		name := filepath.Join(dir, fmt.Sprintf("old-%02d.jsonl", i))
		begun := time.Date(1999, 1, 1, 0, i, 0, 0, time.UTC)
		text := fmt.Sprintf(`{"journal":1,"run":"old-%02d","time":%q,"environments":["dev"]}`+"\n"+`{"kind":"run-finished"}`+"\n", i, begun.Format(time.RFC3339))
		if err := errors.Join(os.MkdirAll(dir, 0o700), os.WriteFile(name, []byte(text), 0o600), os.Chtimes(name, begun, begun)); err != nil {
			t.Fatal(err)
		}
	}
	return func() int {
		old, err := filepath.Glob(filepath.Join(dir, "old-*"))
		if err != nil {
			t.Fatal(err)
		}
		return len(old)
	}
}

// A reader that never reads on keeps neither a lock nor the end of a journal from a
// run that is over, and whoever leaves is not held up by it.
func TestReaderThatNeverReadsOn(t *testing.T) {
	t.Parallel()
	play(t, 1, 2, func(t *testing.T, s *scene) {
		old := s.fill(t, 60)
		stuck, out := io.Pipe()
		defer stuck.Close()
		var talk bytes.Buffer
		left := make(chan int)
		env := cli.Env{
			Args: []string{"deployer", "launch", "dev", "-y", "-o", "json"}, Stdin: strings.NewReader(""), Stdout: out, Stderr: &talk,
			Environ: map[string]string{"HOME": s.dir, "TERM": "dumb"}, Dir: s.dir, Now: s.now, AWS: s, Interrupts: s.interrupts,
		}
		go func() { left <- cli.Main(env) }()
		time.Sleep(10 * time.Minute)
		mine := s.interrupts
		s.interrupts = nil
		write(t, s.dir, "config/dev/c000-000.yaml", "template: {path: queue.yaml, type: file}\nstack_tags: {round: two}\n")
		s.launch(t, 0).result(t).all(t, 2, "updated", "unchanged")
		if n := old(); n != journal.Keep {
			t.Errorf("%d old journals are left", n)
		}
		select {
		case exit := <-left:
			t.Fatalf("it did not wait for its reader: exit %d\n%s", exit, talk.String())
		default:
		}
		mine <- syscall.SIGHUP
		begun := time.Now()
		if exit := <-left; exit != 0 || time.Since(begun) > 10*time.Second {
			t.Errorf("exit %d after %s\n%s", exit, time.Since(begun), talk.String())
		}
	})
}
