package journal_test

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/deployer-cli/deployer/internal/journal"
)

func TestCache(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "cache")
	c := journal.NewCache(dir)
	if _, ok := c.Get("k"); ok {
		t.Error("found what nobody put there")
	}
	for _, v := range []string{"", "one", "two\nlines\x00"} {
		if err := c.Put("k/../..", []byte(v)); err != nil {
			t.Fatal(err)
		}
		if got, ok := journal.NewCache(dir).Get("k/../.."); !ok || string(got) != v {
			t.Errorf("got %q, want %q", got, v)
		}
	}
	if _, ok := c.Get("k"); ok {
		t.Error("found another key's value")
	}
	if err := c.Delete("k/../.."); err != nil {
		t.Error(err)
	}
	if _, ok := c.Get("k/../.."); ok || c.Delete("k/../..") != nil {
		t.Error("still there")
	}
}

func TestCacheDistrustsItsFiles(t *testing.T) {
	t.Parallel()
	for name, content := range map[string]string{"empty": "", "cut": "abc", "changed": "", "nonsense": strings.Repeat("x\n", 9)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			c := journal.NewCache(dir)
			if err := c.Put("k", []byte("value")); err != nil {
				t.Fatal(err)
			}
			files, _ := os.ReadDir(dir)
			file := filepath.Join(dir, files[0].Name())
			if name == "changed" {
				raw, _ := os.ReadFile(file)
				content = strings.Replace(string(raw), "value", "other", 1)
			}
			if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
			if got, ok := c.Get("k"); ok {
				t.Errorf("believed %q", got)
			}
		})
	}
}

func TestCacheIsNeverHalf(t *testing.T) {
	t.Parallel()
	c := journal.NewCache(t.TempDir())
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			for range 50 {
				if err := c.Put("k", []byte(strings.Repeat(strconv.Itoa(g), 10_000))); err != nil {
					t.Error(err)
				}
				if v, ok := c.Get("k"); !ok || strings.Count(string(v), string(v[:1])) != 10_000 {
					t.Errorf("%d bytes, %v", len(v), ok)
				}
			}
		})
	}
	wg.Wait()
}
