package spell_test

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/deployer-cli/deployer/internal/spell"
)

func TestDistance(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		a, b string
		want int
	}{
		{"", "", 0},
		{"a", "", 1},
		{"", "ab", 2},
		{"parmeters", "parameters", 1},
		{"netowkr", "network", 2},
		{"kitten", "sitting", 3},
		{"ab", "ba", 1},
		{"ca", "abc", 3},
	} {
		if got := spell.Distance(tt.a, tt.b, 9); got != tt.want {
			t.Errorf("%s %s: %d, want %d", tt.a, tt.b, got, tt.want)
		}
	}
}

// TestDistanceIsBounded holds the shortcut to the full count.
func TestDistanceIsBounded(t *testing.T) {
	t.Parallel()
	word := rapid.StringOfN(rapid.RuneFrom([]rune("abc")), 0, 9, -1)
	rapid.Check(t, func(t *rapid.T) {
		a, b, most := word.Draw(t, "a"), word.Draw(t, "b"), rapid.IntRange(0, 10).Draw(t, "most")
		full := spell.Distance(a, b, 100)
		if got := spell.Distance(a, b, most); got != min(full, most+1) {
			t.Fatalf("%q %q within %d: %d, in full %d", a, b, most, got, full)
		}
		if back := spell.Distance(b, a, 100); back != full {
			t.Fatalf("%q %q: %d, the other way %d", a, b, full, back)
		}
		if (full == 0) != (a == b) {
			t.Fatalf("%q %q: %d", a, b, full)
		}
	})
}

func TestNearest(t *testing.T) {
	t.Parallel()
	known := []string{"status", "launch", "plan", "plum"}
	for _, tt := range []struct {
		word string
		most int
		want string
	}{
		{"lanuch", 1, "launch"}, {"pla", 2, "plan"}, {"pl", 2, "plan"}, {"plam", 2, "plan"}, {"plam", 0, ""}, {"plan", 0, "plan"}, {"PLAN", 2, ""}, {"", 2, ""},
	} {
		for range 2 {
			slices.Reverse(known) // the order must not matter
			got, ok := spell.Nearest(tt.word, tt.most, slices.Values(slices.Clone(known)))
			if got != tt.want || ok != (tt.want != "") {
				t.Errorf("%q within %d: %q, %t, want %q", tt.word, tt.most, got, ok, tt.want)
			}
		}
	}
	if got, _ := spell.NearestFold("PLUN", 1, slices.Values([]string{"Plum", "Stem"})); got != "Plum" {
		t.Errorf("without regard to case: %q", got)
	}
}
