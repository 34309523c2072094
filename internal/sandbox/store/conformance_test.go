package store_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/deployer-cli/deployer/internal/sandbox/store"
)

type db interface {
	View(ctx context.Context, fn func(store.Tx) error) error
	Update(ctx context.Context, fn func(store.Tx) error) error
	Reset(ctx context.Context) error
	Close() error
}

func openSQLite(t testing.TB) db {
	t.Helper()
	s, err := store.Open(filepath.Join(t.TempDir(), "sub", "state.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func both() map[string]func(testing.TB) db {
	return map[string]func(testing.TB) db{
		"memory": func(testing.TB) db { return store.NewMemory() },
		"sqlite": openSQLite,
	}
}

func eachStore(t *testing.T, test func(t *testing.T, s db)) {
	t.Helper()
	for name, open := range both() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open(t))
		})
	}
}

func update(t testing.TB, s db, fn func(store.Tx) error) {
	t.Helper()
	if err := s.Update(t.Context(), fn); err != nil {
		t.Fatal(err)
	}
}

func put(t testing.TB, s db, table string, pairs ...string) {
	t.Helper()
	update(t, s, func(tx store.Tx) error {
		for i := 0; i < len(pairs); i += 2 {
			if err := tx.Put(table, pairs[i], []byte(pairs[i+1])); err != nil {
				return err
			}
		}
		return nil
	})
}

func get(t testing.TB, s db, table, key string) (value string, found bool) {
	t.Helper()
	err := s.View(t.Context(), func(tx store.Tx) error {
		v, ok, err := tx.Get(table, key)
		value, found = string(v), ok
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return value, found
}

func keys(t testing.TB, s db, table, prefix, after string) []string {
	t.Helper()
	var out []string
	err := s.View(t.Context(), func(tx store.Tx) error {
		return tx.Scan(table, prefix, after, func(k string, _ []byte) bool { out = append(out, k); return true })
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestGetPutDelete(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s db) {
		long := strings.Repeat("x", 70_000)
		put(t, s, "t", "a", "1", "a", "2", "empty", "", "long", long, "shrinks", long, "shrinks", "short", "nul\x00k", "n", "bad\xff", "u")
		put(t, s, "u", "a", "other table")
		for key, want := range map[string]string{"a": "2", "empty": "", "long": long, "shrinks": "short", "nul\x00k": "n", "bad\xff": "u"} {
			if got, ok := get(t, s, "t", key); !ok || got != want {
				t.Errorf("%q = %.20q, %v", key, got, ok)
			}
		}
		update(t, s, func(tx store.Tx) error {
			return errors.Join(tx.Delete("t", "long"), tx.Delete("t", "never"), tx.Delete("no table", "never"))
		})
		if _, ok := get(t, s, "t", "long"); ok {
			t.Error("a deleted key is still there")
		}
		put(t, s, "t", "long", long+"2")
		if got, _ := get(t, s, "t", "long"); got != long+"2" {
			t.Error("a long value put again is not the new one")
		}
		if _, ok := get(t, s, "no table", "a"); ok {
			t.Error("found in a table that is not there")
		}
	})
}

func TestValuesAreCopies(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s db) {
		mine := []byte("before")
		update(t, s, func(tx store.Tx) error {
			err := tx.Put("t", "k", mine)
			copy(mine, "after!")
			got, _, getErr := tx.Get("t", "k")
			copy(got, "broken")
			return errors.Join(err, getErr)
		})
		if got, _ := get(t, s, "t", "k"); got != "before" {
			t.Errorf("stored value became %q", got)
		}
	})
}

func TestScan(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s db) {
		put(t, s, "t", "a", "", "a/1", "", "a/2", "", "a/3", "", "b", "", "\xff\xff", "", "\xff\xff1", "")
		put(t, s, "other", "a/9", "")
		for _, c := range []struct{ prefix, after, want string }{
			{"", "", "a a/1 a/2 a/3 b \xff\xff \xff\xff1"},
			{"a/", "", "a/1 a/2 a/3"},
			{"a/", "a/1", "a/2 a/3"},
			{"a/", "a/15", "a/2 a/3"},
			{"a/", "A", "a/1 a/2 a/3"},
			{"a/", "b", ""},
			{"", "a/3", "b \xff\xff \xff\xff1"},
			{"\xff", "", "\xff\xff \xff\xff1"},
			{"none", "", ""},
		} {
			if got := strings.Join(keys(t, s, "t", c.prefix, c.after), " "); got != c.want {
				t.Errorf("prefix %q after %q: %q, want %q", c.prefix, c.after, got, c.want)
			}
		}
		n := 0
		_ = s.View(t.Context(), func(tx store.Tx) error {
			return tx.Scan("t", "", "", func(string, []byte) bool { n++; return n < 2 })
		})
		if n != 2 {
			t.Errorf("the scan went on to %d keys after being stopped", n)
		}
	})
}

func TestScanSeesOwnWritesAhead(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s db) {
		for i := range 40 {
			put(t, s, "t", fmt.Sprintf("k%02d", i), "")
		}
		var seen []string
		update(t, s, func(tx store.Tx) error {
			var failed error
			err := tx.Scan("t", "k", "", func(k string, _ []byte) bool {
				seen = append(seen, k)
				switch k {
				case "k03":
					failed = errors.Join(tx.Delete("t", "k04"), tx.Put("t", "k05a", nil), tx.Put("t", "k02a", nil))
				case "k39":
					failed = errors.Join(failed, tx.Put("t", "k40", []byte("new")))
				}
				return true
			})
			return errors.Join(err, failed)
		})
		if slices.Contains(seen, "k04") || slices.Contains(seen, "k02a") || !slices.Contains(seen, "k05a") || !slices.Contains(seen, "k40") || len(seen) != 41 {
			t.Errorf("saw %d: %v", len(seen), seen)
		}
	})
}

func TestUpdateIsUndone(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s db) {
		long := strings.Repeat("y", 5000)
		put(t, s, "t", "kept", "old", "gone", long)
		work := func(tx store.Tx) error {
			return errors.Join(tx.Put("t", "kept", []byte("new")), tx.Put("t", "kept", []byte(long)), tx.Delete("t", "gone"), tx.Put("t", "extra", nil))
		}
		stop := errors.New("stop")
		if err := s.Update(t.Context(), func(tx store.Tx) error { return errors.Join(work(tx), stop) }); !errors.Is(err, stop) {
			t.Fatalf("the function's error became %v", err)
		}
		func() {
			defer func() { _ = recover() }()
			_ = s.Update(t.Context(), func(tx store.Tx) error {
				if err := work(tx); err != nil {
					return err
				}
				panic("stop")
			})
			t.Error("the panic was swallowed")
		}()
		if got := keys(t, s, "t", "", ""); !slices.Equal(got, []string{"gone", "kept"}) {
			t.Errorf("keys are %v", got)
		}
		if got, _ := get(t, s, "t", "kept"); got != "old" {
			t.Errorf("kept is %.10q", got)
		}
		if got, _ := get(t, s, "t", "gone"); got != long {
			t.Errorf("gone is %.10q", got)
		}
	})
}

func TestMisuse(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s db) {
		var leaked store.Tx
		err := s.View(t.Context(), func(tx store.Tx) error {
			leaked = tx
			if err := tx.Delete("t", "k"); !errors.Is(err, store.ErrReadOnly) {
				t.Errorf("delete in a view: %v", err)
			}
			return tx.Put("t", "k", nil)
		})
		if !errors.Is(err, store.ErrReadOnly) {
			t.Errorf("put in a view: %v", err)
		}
		_, _, getErr := leaked.Get("t", "k")
		scanErr := leaked.Scan("t", "", "", func(string, []byte) bool { return true })
		for _, err := range []error{getErr, scanErr, leaked.Put("t", "k", nil), leaked.Delete("t", "k")} {
			if !errors.Is(err, store.ErrDone) {
				t.Errorf("after the end: %v", err)
			}
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := s.Update(ctx, func(store.Tx) error { t.Error("ran"); return nil }); !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled: %v", err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		for _, err := range []error{
			s.View(t.Context(), func(store.Tx) error { return nil }),
			s.Update(t.Context(), func(store.Tx) error { return nil }),
			s.Reset(t.Context()),
		} {
			if !errors.Is(err, store.ErrClosed) {
				t.Errorf("closed: %v", err)
			}
		}
	})
}

func TestReset(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s db) {
		put(t, s, "t", "a", "1", "b", strings.Repeat("z", 9000))
		if err := s.Reset(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := keys(t, s, "t", "", ""); got != nil {
			t.Errorf("left: %v", got)
		}
		put(t, s, "t", "b", strings.Repeat("w", 9000))
	})
}

func TestConcurrentCounters(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s db) {
		const workers, rounds = 8, 25
		var wg sync.WaitGroup
		for range workers {
			wg.Go(func() {
				for range rounds {
					if err := s.Update(t.Context(), increment); err != nil {
						t.Error(err)
					}
					if err := s.View(t.Context(), consistent); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		if got, _ := get(t, s, "t", "a"); len(got) != workers*rounds {
			t.Errorf("counted %d", len(got))
		}
	})
}

// increment makes the unary number under two keys longer by one.
func increment(tx store.Tx) error {
	for _, key := range []string{"a", "b"} {
		v, _, err := tx.Get("t", key)
		if err != nil {
			return err
		}
		if err := tx.Put("t", key, append(v, 'x')); err != nil {
			return err
		}
	}
	return nil
}

func consistent(tx store.Tx) error {
	a, _, errA := tx.Get("t", "a")
	b, _, errB := tx.Get("t", "b")
	if err := errors.Join(errA, errB); err != nil {
		return err
	}
	if !bytes.Equal(a, b) {
		return fmt.Errorf("half a transaction: %d and %d", len(a), len(b))
	}
	return nil
}

// TestModel compares both stores with a plain map, step by step.
func TestModel(t *testing.T) {
	t.Parallel()
	for name, open := range both() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := open(t)
			rapid.Check(t, func(rt *rapid.T) { checkModel(rt, s) })
		})
	}
}

func checkModel(rt *rapid.T, s db) {
	ctx := context.Background()
	if err := s.Reset(ctx); err != nil {
		rt.Fatal(err)
	}
	model := map[string]string{}
	key := rapid.StringOfN(rapid.SampledFrom([]rune{'a', 'b', '/', 0xff}), 0, 3, -1)
	for range rapid.IntRange(1, 6).Draw(rt, "transactions") {
		next := maps.Clone(model)
		keep := rapid.Bool().Draw(rt, "keep")
		err := s.Update(ctx, func(tx store.Tx) error {
			for range rapid.IntRange(0, 12).Draw(rt, "writes") {
				k, size := key.Draw(rt, "key"), rapid.SampledFrom([]int{-1, 0, 3, 2000}).Draw(rt, "size")
				if size < 0 {
					delete(next, k)
					if err := tx.Delete("t", k); err != nil {
						return err
					}
					continue
				}
				next[k] = strings.Repeat("v", size)
				if err := tx.Put("t", k, []byte(next[k])); err != nil {
					return err
				}
			}
			compare(rt, tx, next, key.Draw(rt, "prefix"), key.Draw(rt, "after"))
			if !keep {
				return errors.New("undo")
			}
			return nil
		})
		if keep != (err == nil) {
			rt.Fatal(err)
		}
		if keep {
			model = next
		}
		_ = s.View(ctx, func(tx store.Tx) error { compare(rt, tx, model, "", ""); return nil })
	}
}

func compare(rt *rapid.T, tx store.Tx, model map[string]string, prefix, after string) {
	var want, got []string
	for _, k := range slices.Sorted(maps.Keys(model)) {
		if strings.HasPrefix(k, prefix) && (after == "" || k > after) {
			want = append(want, k+"="+model[k])
		}
	}
	if err := tx.Scan("t", prefix, after, func(k string, v []byte) bool { got = append(got, k+"="+string(v)); return true }); err != nil {
		rt.Fatal(err)
	}
	if !slices.Equal(got, want) {
		rt.Fatalf("prefix %q after %q: got %.200q want %.200q", prefix, after, got, want)
	}
}
