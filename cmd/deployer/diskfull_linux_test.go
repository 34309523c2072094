package main_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// fill makes the disk full for what is open in a folder.
func fill(t *testing.T, dir string) {
	t.Helper()
	full, err := os.OpenFile("/dev/full", os.O_RDWR, 0)
	if err != nil {
		t.Error(err)
		return
	}
	defer full.Close()
	fds, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Error(err)
		return
	}
	found := 0
	for _, fd := range fds {
		name, err := os.Readlink("/proc/self/fd/" + fd.Name())
		if err != nil || filepath.Dir(name) != dir {
			continue
		}
		var n int
		if _, err := fmt.Sscan(fd.Name(), &n); err != nil {
			t.Error(err)
			continue
		}
		if err := syscall.Dup3(int(full.Fd()), n, syscall.O_CLOEXEC); err != nil {
			t.Error(err)
		}
		found++
	}
	if found != 1 {
		t.Errorf("%d journals are open in %s", found, dir)
	}
}

// A disk that is full in the middle of a launch: nothing new is begun, since
// nothing may be that is not written down first, and what runs is watched to its end.
func TestDiskFullInMidRun(t *testing.T) {
	t.Parallel()
	play(t, 3, 3, func(t *testing.T, s *scene) {
		dir, err := filepath.EvalSymlinks(s.dir)
		if err != nil {
			t.Fatal(err)
		}
		s.after(4*time.Second, func() { fill(t, filepath.Join(dir, ".deployer", "aws", "journal")) })
		r := s.launch(t, 1)
		o := r.result(t)
		o.all(t, 9, "created", "not-started", "failed", "skipped")
		if strings.Contains(r.Stdout, `"kind":"detached"`) || !strings.Contains(r.Stdout, `"kind":"draining"`) || !r.story(t).says("warning", "the journal cannot be written") {
			t.Errorf("%s", r.Stdout)
		}
		for _, e := range o.Errors { // of the run, and of a stack that had begun but for its intent
			if !strings.Contains(e.What+e.Why, "no space left on device") || !strings.Contains(e.Hint, "make room") {
				t.Errorf("%+v", e)
			}
			if e.Stack != "" && o.Stacks[e.Stack] != "failed" {
				t.Errorf("%+v of a stack that is %s", e, o.Stacks[e.Stack])
			}
		}
		if len(o.Errors) == 0 {
			t.Error("no error")
		}
		s.launch(t, 0).result(t).all(t, 9, "created", "unchanged")
		s.once(t, 9)
	})
}
