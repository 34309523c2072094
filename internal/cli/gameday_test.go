package cli

import (
	"testing"
	"time"
)

// TestMomentOf: what people say was, was between the beginning of the break and now.
func TestMomentOf(t *testing.T) {
	t.Parallel()
	at := func(text string) time.Time {
		out, err := time.Parse(time.RFC3339, text)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	day, night := at("2026-11-22T14:07:30Z"), at("2026-11-22T23:50:00Z")
	for _, tt := range []struct {
		text       string
		began, now time.Time
		want       string // "" for an error
	}{
		{"", day, at("2026-11-22T14:30:00Z"), "2026-11-22T14:30:00Z"},
		{"14:10", day, at("2026-11-22T14:30:00Z"), "2026-11-22T14:10:00Z"},
		{"14:07", day, at("2026-11-22T14:30:00Z"), "2026-11-22T14:07:30Z"},
		{"14:06", day, at("2026-11-22T14:30:00Z"), ""},
		{"23:59", day, at("2026-11-22T14:30:00Z"), ""},
		{"14:31", day, at("2026-11-22T14:30:00Z"), ""},
		{"23:55", night, at("2026-11-23T00:10:00Z"), "2026-11-22T23:55:00Z"},
		{"23:50", night, at("2026-11-23T00:10:00Z"), "2026-11-22T23:50:00Z"},
		{"00:05", night, at("2026-11-23T00:10:00Z"), "2026-11-23T00:05:00Z"},
		{"2026-11-22T15:10:00+01:00", day, at("2026-11-22T14:30:00Z"), "2026-11-22T14:10:00Z"},
		{"2020-01-01T00:00:00Z", day, at("2026-11-22T14:30:00Z"), ""},
		{"noon", day, at("2026-11-22T14:30:00Z"), ""},
	} {
		got, err := momentOf(tt.text, tt.began, tt.now)
		if (err != nil) != (tt.want == "") || err == nil && got.Format(time.RFC3339) != tt.want {
			t.Errorf("%q: %s, %v, want %q", tt.text, got, err, tt.want)
		}
	}
}
