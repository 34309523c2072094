package store

import (
	"path/filepath"
	"strings"
	"testing"
)

func TestFullDisk(t *testing.T) {
	t.Parallel()
	s, err := Open(filepath.Join(t.TempDir(), "state.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	c, err := s.write.get(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.c.ExecContext(t.Context(), "PRAGMA max_page_count = 40"); err != nil {
		t.Fatal(err)
	}
	s.write.put(c)
	fill := func(key string, size int) error {
		return s.Update(t.Context(), func(tx Tx) error { return tx.Put("t", key, make([]byte, size)) })
	}
	if err := fill("fits", 2000); err != nil {
		t.Fatal(err)
	}
	err = fill("too long", 1<<20)
	if err == nil || !strings.Contains(err.Error(), "the disk is full") {
		t.Errorf("got %v", err)
	}
	if err := fill("fits too", 2000); err != nil {
		t.Errorf("after a full disk: %v", err)
	}
}

func TestBodiesGoWithTheirKeys(t *testing.T) {
	t.Parallel()
	s, err := Open(filepath.Join(t.TempDir(), "state.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	long, short := make([]byte, bodyMin), make([]byte, bodyMin-1)
	err = s.Update(t.Context(), func(tx Tx) error {
		for _, w := range []func() error{
			func() error { return tx.Put("t", "shrinks", long) },
			func() error { return tx.Put("t", "shrinks", short) },
			func() error { return tx.Put("t", "goes", long) },
			func() error { return tx.Put("t", "goes", long) },
			func() error { return tx.Delete("t", "goes") },
			func() error { return tx.Put("t", "stays", long) },
		} {
			if err := w(); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	if err := s.db.QueryRowContext(t.Context(), "SELECT count(*) FROM body").Scan(&n); err != nil {
		t.Fatal(err)
	}
	if n != 1 {
		t.Errorf("%d bodies are left, want 1", n)
	}
}
