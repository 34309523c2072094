package linefile_test

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/deployer-cli/deployer/internal/linefile"
)

// TestCutAnywhere: wherever a kill cuts the file, what was whole stays, and the
// next line goes behind it.
func TestCutAnywhere(t *testing.T) {
	t.Parallel()
	whole := "one\n" + strings.Repeat("x", 5000) + "\nthree\n"
	name := filepath.Join(t.TempDir(), "f")
	for cut := range len(whole) + 1 {
		if cut > 20 && cut < len(whole)-20 && cut%97 != 0 {
			continue
		}
		if err := os.WriteFile(name, []byte(whole[:cut]), 0o600); err != nil {
			t.Fatal(err)
		}
		f, err := linefile.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		want := whole[:strings.LastIndexByte(whole[:cut], '\n')+1]
		if f.Size() != int64(len(want)) {
			t.Fatalf("cut at %d: size %d, want %d", cut, f.Size(), len(want))
		}
		if err := errors.Join(f.Append([]byte("next"), true), f.Close()); err != nil {
			t.Fatal(err)
		}
		if got, _ := os.ReadFile(name); string(got) != want+"next\n" {
			t.Fatalf("cut at %d: %q", cut, got)
		}
	}
}

func TestPermissionsAndFailures(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	f, err := linefile.Open(filepath.Join(dir, "f"))
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(filepath.Join(dir, "f"))
	if err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if err := errors.Join(f.Sync(), f.Close(), linefile.SyncDir(dir)); err != nil {
		t.Error(err)
	}
	if err := f.Append([]byte("x"), false); err == nil || f.Size() != 0 {
		t.Errorf("a closed file took a line: %v", err)
	}
	_, err = linefile.Open(filepath.Join(dir, "none", "f"))
	if err == nil || strings.Contains(linefile.Cause(err), dir) {
		t.Errorf("%v", err)
	}
	if linefile.Hint(err) != "" || !strings.Contains(linefile.Hint(syscall.ENOSPC), "full") || !strings.Contains(linefile.Hint(os.ErrPermission), ".deployer/") {
		t.Error("hints")
	}
	if linefile.SyncDir(filepath.Join(dir, "none")) == nil {
		t.Error("a folder that is not there was synced")
	}
}

// TestDiskFull: /dev/full takes nothing, as a full disk does.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("there is no /dev/full here")
	}
	name := filepath.Join(t.TempDir(), "f")
	if err := os.Symlink("/dev/full", name); err != nil {
		t.Fatal(err)
	}
	f, err := linefile.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	err = f.Append([]byte("x"), true)
	if !errors.Is(err, syscall.ENOSPC) || f.Size() != 0 {
		t.Errorf("%v, size %d", err, f.Size())
	}
	_ = f.Close()
}
