package main_test

import (
	"flag"
	"strings"
	"testing"
	"testing/synctest"

	"pgregory.net/rapid"
)

// surely is a havoc, and how far it comes.
type surely struct {
	what string
	h    havoc
	want toll
}

// certain are havocs that reach what the draws may not.
func certain() []surely {
	chain := []node{
		{env: "dev", holds: "vpc", data: "kept"},
		{env: "dev", needs: []need{{0, lives}}, data: "named"},
		{env: "other", needs: []need{{1, imports}}, data: "bucket"},
		{env: "dev", needs: []need{{0, reads}, {1, after}}},
	}
	apart := []node{{env: "dev", holds: "role"}, {env: "dev", needs: []need{{0, importIn}}}, {env: "dev", data: "kept"}}
	return []surely{
		{"a whole chain", havoc{nodes: chain, class: "development", targets: []int{0}, typed: "phrase"}, toll{sent: 3, taken: 2, back: 3}},
		{"of another class", havoc{nodes: chain, class: "persistent", targets: []int{0}, typed: "plan"}, toll{refused: true}},
		{
			"an import, before the last call",
			havoc{nodes: apart, targets: []int{0, 2}, typed: "plan", bucket: true, pause: true, amid: &blow{"import", 2, 2, 40}},
			toll{sent: 2, taken: 1, amid: true, kept: true, back: 2},
		},
		{
			"the lever, and somebody stays",
			havoc{nodes: apart, targets: []int{1, 2}, typed: "phrase", pause: true, stays: true, amid: &blow{"lever", 0, 1, 0}},
			toll{sent: 1, amid: true, kept: true, back: 1},
		},
		{"a list of stacks that is behind", havoc{nodes: apart, targets: []int{0}, typed: "plan", fault: "stale"}, toll{sent: 2, taken: 1, back: 2}},
		{
			"a bucket that takes no records any more",
			havoc{nodes: apart, targets: []int{1, 2}, typed: "plan", bucket: true, pause: true, amid: &blow{"full", 0, 1, 0}},
			toll{sent: 1, amid: true, kept: true, back: 1},
		},
		{"a deletion that gets stuck", havoc{nodes: apart, targets: []int{0}, typed: "plan", fault: "stuck", ill: 0}, toll{sent: 2, taken: 1, back: 2}},
	}
}

// few is how many havocs are drawn where nobody asks for more of them, with -short
// even less: -rapid.checks=101 is all of them.
const (
	few    = 10
	lesser = 2
)

// TestNoBreakHarmsMoreThanItSays: over random stacks that import from each other,
// live in each other and hold data, of classes and tags that agree or not, with
// faults of AWS and people who work beside it: whatever the command line is given, no
// stack goes that was not announced, nobody loses what he imports or lives in,
// no data is lost that was not named or covered, the exit code tells the truth, and
// recover brings back what went.
func TestNoBreakHarmsMoreThanItSays(t *testing.T) {
	t.Parallel()
	holds := func(fatal func(string, ...any), h havoc) (got toll) {
		dir := t.TempDir()
		var wrong []string
		synctest.Test(t, func(t *testing.T) { got, wrong = h.play(t, dir) })
		if len(wrong) > 0 {
			fatal("%+v\nbefore %+v amid %+v\n%s", h, h.before, h.amid, strings.Join(wrong, "\n"))
		}
		return got
	}
	for _, c := range certain() {
		if got := holds(t.Errorf, c.h); got != c.want {
			t.Errorf("%s: %+v, want %+v", c.what, got, c.want)
		}
	}
	if t.Failed() {
		return // rapid would only panic
	}
	most := 1 << 30
	if asked := flag.Lookup("rapid.checks"); asked.Value.String() == asked.DefValue {
		if most = few; testing.Short() {
			most = lesser
		}
	}
	drawn, sent, failed := 0, 0, false
	rapid.Check(t, func(r *rapid.T) {
		if drawn == most && !failed {
			return
		}
		drawn++
		h := drawHavoc(r)
		if holds(func(format string, args ...any) { failed = true; r.Fatalf(format, args...) }, h).sent > 0 {
			sent++
		}
	})
	if t.Logf("%d of %d broke something", sent, drawn); drawn > 100 && sent < drawn/4 {
		t.Error("too few break anything: that proves little")
	}
}
