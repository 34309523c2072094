package jinja

import (
	"testing"
	"time"
	"unicode/utf8"
)

// FuzzRender looks for panics, hangs and errors that are no *Error or have
// no position.
func FuzzRender(f *testing.F) {
	c := readCorpus(f)
	for _, tc := range c.Cases {
		f.Add(tc.Template)
	}
	vars := orderedDict(f, c.Vars)
	vars.Set("late", Late{"later"})
	f.Fuzz(func(t *testing.T, source string) {
		e := New(Options{
			Loader: fileLoader{"t": source, "inc.j2": "{{ name }}"},
			Limits: Limits{Steps: 200_000, Output: 1 << 20},
		})
		start := time.Now()
		out, err := e.Render("t", source, vars)
		if spent := time.Since(start); spent > 10*time.Second {
			t.Fatalf("took %v", spent)
		}
		if err != nil {
			e := asError(t, err)
			if e.Line < 1 || e.Column < 1 || e.Msg == "" || e.Template == "" {
				t.Fatalf("error without position: %#v", e)
			}
			return
		}
		if utf8.ValidString(source) && !utf8.ValidString(out) {
			t.Fatalf("the output is no UTF-8: %q", out)
		}
	})
}
