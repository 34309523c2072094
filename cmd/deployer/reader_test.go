package main_test

import (
	"bytes"
	"io"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/deployer-cli/deployer/internal/cli"
)

// A reader that never reads on keeps neither a lock nor the end of a journal from a
// run that is over, and whoever leaves is not held up by it.
func TestReaderThatNeverReadsOn(t *testing.T) {
	t.Parallel()
	play(t, 1, 2, func(t *testing.T, s *scene) {
		stuck, out := io.Pipe()
		defer stuck.Close()
		var talk bytes.Buffer
		left := make(chan int)
		go func() {
			left <- cli.Main(cli.Env{
				Args: []string{"deployer", "launch", "dev", "-y", "-o", "json"}, Stdin: strings.NewReader(""), Stdout: out, Stderr: &talk,
				Environ: map[string]string{"HOME": s.dir, "TERM": "dumb"}, Dir: s.dir, Now: s.now, AWS: s, Interrupts: s.interrupts,
			})
		}()
		time.Sleep(10 * time.Minute)
		mine := s.interrupts
		s.interrupts = nil
		write(t, s.dir, "config/dev/c000-000.yaml", "template: {path: queue.yaml, type: file}\nstack_tags: {round: two}\n")
		s.launch(t, 0).result(t).all(t, 2, "updated", "unchanged")
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
