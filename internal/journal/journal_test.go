package journal_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/deployer-cli/deployer/internal/event"
	"github.com/deployer-cli/deployer/internal/journal"
	"github.com/deployer-cli/deployer/stacks"
)

func open(t *testing.T, dir, run string) *journal.Journal {
	t.Helper()
	j, err := journal.Open(dir, run)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = j.Close() })
	return j
}

func entries(t *testing.T, dir, run string) []journal.Entry {
	t.Helper()
	var out []journal.Entry
	for e, err := range journal.Entries(dir, run) {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, e)
	}
	return out
}

func TestWhatIsWrittenIsRead(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "sandbox", "journal")
	j := open(t, dir, "r1")
	at := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	e := event.Event{Seq: 7, Time: at, Run: "r1", Kind: event.StepStarted, Stack: "dev/web", Token: "t"}
	i := journal.Intent{Verb: stacks.Create, Stack: "dev/web", Name: "web", Token: "t", Account: "1", Region: "eu-west-1", Time: at}
	if err := errors.Join(j.Append(e), j.Intend(i)); err != nil {
		t.Fatal(err)
	}
	got := entries(t, dir, "r1")
	if len(got) != 2 || got[0].Event != e || got[0].Intent != nil {
		t.Fatalf("got %+v", got)
	}
	if got[1].Kind != journal.KindIntent || got[1].Run != "r1" || got[1].Stack != "dev/web" || *got[1].Intent != i {
		t.Errorf("got %+v", got[1])
	}
	info, err := os.Stat(filepath.Join(dir, "r1.jsonl"))
	if err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

func TestOneRunManyGoroutines(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	j := open(t, dir, "r1")
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range 50 {
				if err := j.Append(event.Event{Kind: event.Resource, Reason: fmt.Sprint(g, i)}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if n := len(entries(t, dir, "r1")); n != 400 {
		t.Errorf("%d entries, want 400", n)
	}
}

// Wherever a kill cuts the file, what was whole before is read, and a journal
// opened again goes on behind it.
func TestKilledAnywhere(t *testing.T) {
	t.Parallel()
	base := t.TempDir()
	n := 0
	rapid.Check(t, func(rt *rapid.T) {
		n++
		dir := filepath.Join(base, strconv.Itoa(n))
		j, err := journal.Open(dir, "r")
		if err != nil {
			rt.Fatal(err)
		}
		reasons := rapid.SliceOfN(rapid.String(), 0, 8).Draw(rt, "reasons")
		for _, r := range reasons {
			if err := j.Append(event.Event{Kind: event.Warning, Reason: r}); err != nil {
				rt.Fatal(err)
			}
		}
		_ = j.Close()
		name := filepath.Join(dir, "r.jsonl")
		whole, _ := os.ReadFile(name)
		cut := rapid.IntRange(0, len(whole)).Draw(rt, "cut")
		if err := os.WriteFile(name, whole[:cut], 0o600); err != nil {
			rt.Fatal(err)
		}
		lines := strings.Count(string(whole[:cut]), "\n")
		expectReasons(rt, dir, max(lines-1, 0), "")
		j, err = journal.Open(dir, "r")
		if err != nil {
			rt.Fatal(err)
		}
		if err := j.Append(event.Event{Kind: event.Warning, Reason: "after"}); err != nil {
			rt.Fatal(err)
		}
		_ = j.Close()
		expectReasons(rt, dir, max(lines-1, 0)+1, "after")
	})
}

func expectReasons(t *rapid.T, dir string, n int, last string) {
	var got []string
	for e, err := range journal.Entries(dir, "r") {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, e.Reason)
	}
	if len(got) != n || last != "" && got[n-1] != last {
		t.Fatalf("read %q, want %d entries ending in %q", got, n, last)
	}
}

func TestCorruptLineIsNamed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	j := open(t, dir, "r")
	_ = j.Append(event.Event{Kind: event.Warning, Reason: "one"})
	name := filepath.Join(dir, "r.jsonl")
	raw, _ := os.ReadFile(name)
	raw = append(append(raw, "garbage\n"...), `{"kind":"warning","reason":"two"}`+"\n"...)
	if err := os.WriteFile(name, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	var reasons []string
	var corrupt *journal.CorruptError
	for e, err := range journal.Entries(dir, "r") {
		if c, ok := errors.AsType[*journal.CorruptError](err); ok {
			corrupt = c
			continue
		}
		reasons = append(reasons, e.Reason)
	}
	if corrupt == nil || corrupt.Line != 3 || strings.Join(reasons, " ") != "one two" {
		t.Errorf("%v, %v", corrupt, reasons)
	}
}

func TestARunDoesNotStartWithoutItsJournal(t *testing.T) {
	t.Parallel()
	base := t.TempDir()
	file := filepath.Join(base, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	full := filepath.Join(base, "full")
	readOnly := filepath.Join(base, "read-only")
	for _, d := range []string{full, readOnly} {
		if err := os.Mkdir(d, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	tests := map[string]struct {
		dir, run, hint string
		skip           bool
	}{
		"no folder":        {dir: filepath.Join(file, "journal"), run: "r"},
		"full disk":        {dir: full, run: "r", hint: "full", skip: os.Symlink("/dev/full", filepath.Join(full, "r.jsonl")) != nil || runtime.GOOS != "linux"},
		"read-only":        {dir: readOnly, run: "r", hint: ".deployer/", skip: os.Geteuid() <= 0 || os.Chmod(readOnly, 0o500) != nil},
		"outside":          {dir: base, run: "../r"},
		"no name":          {dir: base, run: ""},
		"a name of nobody": {dir: base, run: ".."},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if tt.skip {
				t.Skip("cannot be made here")
			}
			j, err := journal.Open(tt.dir, tt.run)
			e, ok := errors.AsType[*journal.Error](err)
			if !ok || j != nil || !strings.Contains(e.Error(), tt.dir) || !strings.Contains(e.Hint(), tt.hint) {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestFailureSticks(t *testing.T) {
	t.Parallel()
	j := open(t, t.TempDir(), "r")
	_ = j.Close()
	var heard []error
	sink := j.Sink(func(err error) { heard = append(heard, err) })
	for range 3 {
		sink.Event(event.Event{Kind: event.StepStarted})
	}
	if len(heard) != 1 || j.Err() == nil || j.Intend(journal.Intent{}) == nil {
		t.Errorf("heard %v, err %v", heard, j.Err())
	}
}

func TestRunsAndLatest(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "journal")
	if latest, err := journal.Latest(dir); latest != "" || err != nil {
		t.Errorf("of none: %q, %v", latest, err)
	}
	for _, run := range []string{"b", "a", "c"} {
		_ = open(t, dir, run).Close()
		time.Sleep(2 * time.Millisecond)
	}
	_ = open(t, dir, "b").Close() // opened again is not started again
	if err := os.WriteFile(filepath.Join(dir, "notes.jsonl"), []byte("{}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	runs, err := journal.Runs(dir)
	if err != nil || len(runs) != 3 || runs[0].Run != "b" || runs[2].Run != "c" {
		t.Errorf("%v, %v", runs, err)
	}
	if latest, err := journal.Latest(dir); latest != "c" || err != nil {
		t.Errorf("latest %q, %v", latest, err)
	}
}

func TestDurations(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for i, run := range []string{"r1", "r2"} {
		j := open(t, dir, run)
		for _, e := range []event.Event{
			{Kind: event.StepDone, Stack: "dev/web", Action: []string{"create", "created"}[i], Seconds: float64(60 + i)},
			{Kind: event.StepDone, Stack: "dev/db", Action: "updated", Seconds: 1.5},
			{Kind: event.StepDone, Stack: "dev/queued", Action: "updated", Seconds: 100, Worked: 9},
			{Kind: event.StepDone, Stack: "dev/anew", Action: "recreated", Seconds: 100, Worked: 30},
			{Kind: event.StepDone, Stack: "dev/same", Action: "unchanged"},
			{Kind: event.StepFailed, Stack: "dev/bad", Action: "create", Seconds: 9},
		} {
			if err := j.Append(e); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(2 * time.Millisecond)
	}
	got, err := journal.Durations(dir)
	want := map[stacks.Path]journal.Took{
		"dev/web": {Create: 61 * time.Second}, "dev/db": {Update: 1500 * time.Millisecond},
		"dev/queued": {Update: 9 * time.Second}, "dev/anew": {Recreate: 30 * time.Second},
	}
	if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %v, %v; want %v", got, err, want)
	}
}

func FuzzEntries(f *testing.F) {
	f.Add([]byte(`{"journal":1,"run":"r","time":"2026-01-01T00:00:00Z"}` + "\n" + `{"kind":"warning","reason":"x"}` + "\n" + `{"kind":"int`))
	f.Add([]byte("\n\n{}\n[]\nnull\n\"\"\n"))
	f.Add([]byte(`{"kind":"intent","intent":{"verb":1}}` + "\n"))
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, raw []byte) {
		if err := os.WriteFile(filepath.Join(dir, "r.jsonl"), raw, 0o600); err != nil {
			t.Fatal(err)
		}
		n := 0
		for e, err := range journal.Entries(dir, "r") {
			n++
			if _, ok := errors.AsType[*journal.CorruptError](err); err != nil && !ok {
				t.Fatalf("%T: %v", err, err)
			}
			if err == nil && e.Kind == "" {
				t.Fatal("an entry of no kind")
			}
		}
		if lines := strings.Count(string(raw), "\n"); n > lines {
			t.Fatalf("%d entries in %d lines", n, lines)
		}
	})
}
