package logbook_test

import (
	"errors"
	"os"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/deployer-cli/deployer/internal/logbook"
)

// TestDiskFull: an entry that finds no room is an error with a hint, and leaves
// no half line. The journal goes on when there is room, with what was shared
// meanwhile in its place.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	for name, shared := range map[string]logbook.Shared{"alone": nil, "shared": bucket()} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=16k"); err != nil {
				t.Skip("no disk can be mounted here: ", err)
			}
			t.Cleanup(func() { _ = unix.Unmount(dir, unix.MNT_DETACH) })
			b := logbook.New(dir, "r1", shared)
			written := 0
			var err error
			for err == nil && written < 50 {
				if _, err = b.Append(t.Context(), "dev", id, "note", noon(), strings.Repeat("x", 700)); err == nil {
					written++
				}
			}
			e, ok := errors.AsType[*logbook.Error](err)
			if !ok || !errors.Is(err, syscall.ENOSPC) || !strings.Contains(e.Hint(), "disk is full") || !strings.Contains(e.Error(), dir) || written == 0 {
				t.Fatalf("after %d entries: %v", written, err)
			}
			text, err := os.ReadFile(file(dir))
			if err != nil || strings.Count(string(text), "\n") != written || !strings.HasSuffix(string(text), "\n") {
				t.Errorf("%d bytes after %d entries: %v", len(text), written, err)
			}
			if err := unix.Mount("tmpfs", dir, "tmpfs", unix.MS_REMOUNT, "size=1m"); err != nil {
				t.Fatal(err)
			}
			add(t, b, "room")
			want := written + 1
			if shared != nil {
				want++ // the entry that found no room was shared: an intent without a deed
			}
			if got := strings.Fields(said(t, logbook.New(dir, "r2", nil))); len(got) != want || got[want-1] != `"room"` {
				t.Errorf("%d entries, want %d", len(got), want)
			}
			if err := unix.Mount("tmpfs", dir, "tmpfs", unix.MS_REMOUNT|unix.MS_RDONLY, ""); err != nil {
				t.Fatal(err)
			}
			if _, err := b.Append(t.Context(), "dev", id, "note", noon(), "x"); err == nil {
				t.Error("a read-only disk took an entry")
			}
		})
	}
}
