package state_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/deployer-cli/deployer/internal/guard"
	"github.com/deployer-cli/deployer/internal/state"
)

// TestTheNewestEntriesAreMissed: whatever of the end of a history is removed
// shows, and goes on showing when others write behind it.
func TestTheNewestEntriesAreMissed(t *testing.T) {
	t.Parallel()
	entry := func(n int) string { return fmt.Sprintf("history/prod/%08d", n) }
	const lock, head = "locks/prod", "locks/prod/head"
	all := []string{entry(1), entry(2), entry(3), entry(4)}
	tests := map[string]struct {
		remove []string
		want   string // "" where it cannot show
	}{
		"nothing":                   {nil, ""},
		"the last":                  {all[3:], "entry 4, its newest, is missing"},
		"the last two":              {all[2:], "entries 3 to 4, its newest, are missing"},
		"all":                       {all, "entries 1 to 4, its newest, are missing"},
		"all, and the lock":         {append([]string{lock}, all...), "entries 1 to 4"},
		"all, and the head":         {append([]string{head}, all...), "entries 1 to 3"},
		"the head":                  {[]string{head}, "what says how far it goes is missing"},
		"the last two and the head": {append([]string{head}, all[2:]...), "entry 3, its newest, is missing"},
		"the last, head and lock":   {[]string{head, lock, all[3]}, "what says how far it goes is missing"},
		"all, head and lock":        {append([]string{head, lock}, all...), ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			each(t, func(t *testing.T, s *state.Store) {
				t.Helper()
				written(t, s)
				for _, key := range tt.remove {
					if err := s.Delete(t.Context(), key); err != nil {
						t.Fatal(err)
					}
				}
				for _, when := range []string{"at once", "when somebody wrote behind it"} {
					_, err := s.History(t.Context(), "prod")
					if _, ok := errors.AsType[*state.BrokenError](err); ok != (tt.want != "") || (err != nil && !ok) {
						t.Errorf("%s: %v, want %q", when, err, tt.want)
					} else if when == "at once" && ok && !strings.Contains(err.Error(), tt.want) {
						t.Errorf("%v, want %q", err, tt.want)
					}
					for range 3 {
						if _, err := s.Append(t.Context(), state.Entry{Environment: "prod", Kind: state.Noted}); err != nil {
							t.Fatal(err)
						}
					}
				}
			})
		})
	}
}

// written makes a history of four entries, of which a run that held the lock wrote
// three.
func written(t *testing.T, s *state.Store) {
	t.Helper()
	ctx := t.Context()
	signs := func(guard.Lock, state.Record) guard.Signs { return guard.Signs{} }
	for _, run := range []string{"r1", "r2"} {
		held, _, err := s.Acquire(ctx, guard.Lock{Environment: "prod", Run: run}, signs, time.Now)
		if err != nil {
			t.Fatal(err)
		}
		if run == "r1" {
			for range 3 {
				e, err := s.Append(ctx, state.Entry{Environment: "prod", Kind: state.Began})
				if err != nil {
					t.Fatal(err)
				}
				held.Wrote(e.Seq)
			}
		}
		if err := held.Release(ctx); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.Append(ctx, state.Entry{Environment: "prod", Kind: state.Noted}); err != nil {
		t.Fatal(err)
	}
}

// TestAHeadThatIsForged: entries that took the place of removed ones are others.
func TestAHeadThatIsForged(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *state.Store) {
		t.Helper()
		ctx := t.Context()
		written(t, s)
		r, err := s.Get(ctx, "history/prod/00000004")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Replace(ctx, r.Key, []byte(strings.Replace(string(r.Body), `"who":""`, `"who":"me"`, 1)), r.Version); err != nil {
			t.Fatal(err)
		}
		if _, err := s.History(ctx, "prod"); err == nil || !strings.Contains(err.Error(), "entry 4 is not the one that was written") {
			t.Errorf("another last entry: %v", err)
		}
		if r, err = s.Get(ctx, "locks/prod/head"); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Replace(ctx, r.Key, []byte("{"), r.Version); err != nil {
			t.Fatal(err)
		}
		if _, err := s.History(ctx, "prod"); err == nil || !strings.Contains(err.Error(), "cannot be read") {
			t.Errorf("a head that cannot be read: %v", err)
		}
		if _, err := s.Append(ctx, state.Entry{Environment: "prod"}); err == nil {
			t.Error("written behind a head that cannot be read")
		}
	})
}

// TestHistoryFromBefore: entries from before there were heads go on being good, and
// the next one makes a head for them.
func TestHistoryFromBefore(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *state.Store) {
		t.Helper()
		ctx := t.Context()
		if _, err := s.Create(ctx, "history/prod/00000001", []byte(`{"seq":1,"previous":"","environment":"prod"}`)); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Create(ctx, "locks/prod", []byte(`{"run":"r","released":true}`)); err != nil {
			t.Fatal(err)
		}
		if got, err := s.History(ctx, "prod"); err != nil || len(got) != 1 {
			t.Fatalf("%+v, %v", got, err)
		}
		if _, err := s.Head(ctx, "prod"); !errors.Is(err, state.ErrAbsent) {
			t.Fatal(err)
		}
		if e, err := s.Append(ctx, state.Entry{Environment: "prod"}); err != nil || e.Seq != 2 || !e.Headed {
			t.Fatalf("%+v, %v", e, err)
		}
		if got, err := s.History(ctx, "prod"); err != nil || len(got) != 2 {
			t.Fatalf("%+v, %v", got, err)
		}
		if h, err := s.Head(ctx, "prod"); err != nil || h.Seq != 2 {
			t.Errorf("%+v, %v", h, err)
		}
	})
}
