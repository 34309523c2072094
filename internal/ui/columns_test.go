package ui

import (
	"testing"

	"github.com/charmbracelet/x/ansi"
)

// TestColumnsAgree: texts are measured and stripped as the library does that
// others use.
func TestColumnsAgree(t *testing.T) {
	t.Parallel()
	for _, s := range []string{
		"", "plain", "\x1b[31mred\x1b[0m", "\x1b[1;38;5;200mbold\x1b[m and \x1b[4mmore\x1b[24m", "日本語", "e\u0301té", "👩‍👩‍👧 family", "🇨🇭",
		"\x1b]0;title\x07text", "\x1b]8;;https://example.com\x1b\\link\x1b]8;;\x1b\\", "tail\x1b[2K", "\x1bcreset", "a\u200bb",
	} {
		if got, want := strip(s), ansi.Strip(s); got != want {
			t.Errorf("strip %q: %q, want %q", s, got, want)
		}
		if got, want := width(s), ansi.StringWidth(s); got != want {
			t.Errorf("width of %q: %d, want %d", s, got, want)
		}
		if got, want := width(cut(s, 4)), 4; got > want {
			t.Errorf("cut %q: %q has %d columns", s, cut(s, 4), got)
		}
	}
}
