package record_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/deployer-cli/deployer/internal/record"
)

func noon() time.Time { return time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC) }

func chain(t *testing.T, bodies ...any) []record.Entry {
	t.Helper()
	var out []record.Entry
	var last *record.Entry
	for i, b := range bodies {
		e, err := record.Next(last, noon().Add(time.Duration(i)*time.Second), "r1", "note", b)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, e)
		last = &out[len(out)-1]
	}
	return out
}

func text(t *testing.T, entries []record.Entry) []byte {
	t.Helper()
	var out []byte
	for _, e := range entries {
		line, err := e.Line()
		if err != nil {
			t.Fatal(err)
		}
		out = append(append(out, line...), '\n')
	}
	return out
}

func TestChain(t *testing.T) {
	t.Parallel()
	entries := chain(t, "a", map[string]any{"x": "<&>\u2028"}, nil, 1.5)
	read, err := record.DecodeLines(text(t, entries))
	if err != nil || record.Verify(read) != nil || len(read) != 4 {
		t.Fatalf("%v, %v", read, err)
	}
	for i := range read {
		if read[i].Hash() != entries[i].Hash() || read[i].Seq != i+1 {
			t.Errorf("entry %d came back as %+v", i, read[i])
		}
	}
	if entries[0].Previous != "" || entries[1].Previous != entries[0].Hash() {
		t.Errorf("chained as %+v", entries)
	}
	if err := record.Verify(nil); err != nil {
		t.Errorf("of none: %v", err)
	}
}

// TestTheWrittenFormStays: what is on people's disks has to be read for ever.
func TestTheWrittenFormStays(t *testing.T) {
	t.Parallel()
	const want = `{"seq":1,"previous":"","time":"2026-11-22T12:00:00Z","run":"r1","kind":"note","body":{"text":"x"},` +
		`"hash":"d7e51c576b7c0b6d99955d73545d3578a82ab098938c1e44bef86696bfa57136"}`
	e := chain(t, map[string]string{"text": "x"})[0]
	line, err := e.Line()
	if err != nil || string(line) != want {
		t.Errorf("%s, %v", line, err)
	}
}

func TestBodies(t *testing.T) {
	t.Parallel()
	e := chain(t, map[string]any{"Text": "x", "More": 1})[0]
	var short struct{ Text string }
	if err := e.Into(&short); err == nil || !strings.Contains(err.Error(), "entry 1 (note)") {
		t.Errorf("a body with more in it was read: %v", err)
	}
	var full struct {
		Text string
		More int
	}
	if err := e.Into(&full); err != nil || full.Text != "x" || full.More != 1 {
		t.Errorf("%+v, %v", full, err)
	}
	if _, err := record.Next(nil, noon(), "r", "note", func() {}); err == nil {
		t.Error("a function was written down")
	}
	if _, err := record.Next(nil, noon(), "\xff", "note", nil); err == nil {
		t.Error("a run was written down as something else")
	}
}

// TestForged: each way to change a record, and which entry is named.
func TestForged(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		forge func([]record.Entry) []record.Entry
		seq   int
	}{
		{"a body changed", func(e []record.Entry) []record.Entry { e[1].Body = json.RawMessage(`"z"`); return e }, 3},
		{"a time changed", func(e []record.Entry) []record.Entry { e[0].Time = e[0].Time.Add(1); return e }, 2},
		{"one taken out", func(e []record.Entry) []record.Entry { return slices.Delete(e, 1, 2) }, 2},
		{"the first taken out", func(e []record.Entry) []record.Entry { return e[1:] }, 1},
		{"two changed round", func(e []record.Entry) []record.Entry { e[1], e[2] = e[2], e[1]; return e }, 2},
		{"renumbered", func(e []record.Entry) []record.Entry { e = slices.Delete(e, 1, 2); e[1].Seq = 2; return e }, 2},
		{"one put twice", func(e []record.Entry) []record.Entry { return slices.Insert(e, 1, e[0]) }, 2},
		{"a first that follows", func(e []record.Entry) []record.Entry { e[0].Previous = "x"; return e }, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			err := record.Verify(tt.forge(chain(t, "a", "b", "c", "d")))
			broken, ok := errors.AsType[*record.BrokenError](err)
			if !ok || broken.Seq != tt.seq || broken.Error() == "" {
				t.Errorf("%v, want entry %d", err, tt.seq)
			}
		})
	}
}

// TestEveryByteCounts: no byte of a record can be another, the last line's
// included.
func TestEveryByteCounts(t *testing.T) {
	t.Parallel()
	good := text(t, chain(t, "a", map[string]string{"k": "v"}))
	for i := range good {
		bad := bytes.Clone(good)
		bad[i] ^= 1
		entries, err := record.DecodeLines(bad)
		if err == nil && record.Verify(entries) == nil && len(entries) == 2 {
			t.Errorf("byte %d changed unseen: %q", i, bad)
		}
	}
}

func TestCutAnywhere(t *testing.T) {
	t.Parallel()
	good := text(t, chain(t, "a", "b\n", "c"))
	for i := range good {
		entries, err := record.DecodeLines(good[:i])
		if want := bytes.Count(good[:i], []byte("\n")); err != nil || len(entries) != want || record.Verify(entries) != nil {
			t.Fatalf("cut at %d: %d entries, want %d, %v", i, len(entries), want, err)
		}
	}
}

func TestWhatIsWrittenIsRead(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		body := rapid.MapOf(rapid.String(), rapid.String()).Draw(t, "body")
		e, err := record.Next(nil, time.Unix(rapid.Int64Range(0, 1<<33).Draw(t, "at"), 7), "r", "k", body)
		if err != nil {
			t.Fatal(err)
		}
		line, _ := e.Line()
		back, err := record.Decode(append(line, '\n'))
		if err != nil || back.Hash() != e.Hash() {
			t.Fatalf("%s: %v", line, err)
		}
		var got map[string]string
		if err := back.Into(&got); err != nil || len(got) != len(body) {
			t.Fatalf("%v: %v", got, err)
		}
	})
}

func FuzzDecode(f *testing.F) {
	first, _ := record.Next(nil, noon(), "r", "plan", map[string]any{"a": []int{1}})
	second, _ := record.Next(&first, noon(), "r", "note", nil)
	for _, e := range []record.Entry{first, second} {
		line, _ := e.Line()
		f.Add(line)
		f.Add(bytes.ToUpper(line))
	}
	f.Add([]byte(`{"seq":1,"kind":"x","body":{}}` + "\n"))
	f.Add([]byte("null\n\n[]\n"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		e, err := record.Decode(raw)
		if err == nil {
			line, err := e.Line()
			if err != nil || !bytes.Equal(line, bytes.TrimSuffix(raw, []byte("\n"))) {
				t.Fatalf("%q was taken for %q, %v", raw, line, err)
			}
		}
		entries, err := record.DecodeLines(raw)
		if _, ok := errors.AsType[*record.BrokenError](err); err != nil && !ok {
			t.Fatalf("%T", err)
		}
		if len(entries) > bytes.Count(raw, []byte("\n")) {
			t.Fatalf("%d entries of %q", len(entries), raw)
		}
		_ = record.Verify(entries)
	})
}
