package trial_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// bar is a row of the contract (design.md, section 9).
type bar struct {
	Measure string   `json:"measure"`
	Bar     string   `json:"bar"`
	Here    *float64 `json:"here"` // nil where it was not measured
	Unit    string   `json:"unit,omitempty"`
	Met     string   `json:"met"` // yes, no, part of it, or where it is measured
}

// contract holds the results against the rows, in their order.
func contract(got results) []bar {
	var out []bar
	add := func(measure, unit string, limit, here float64, ok bool) {
		b := bar{Measure: measure, Bar: fmt.Sprintf("≤ %g %s", limit, unit), Unit: unit, Met: "make bench"}
		if ok {
			b.Here, b.Met = &here, "yes"
			if here > limit {
				b.Met = "no"
			}
		}
		out = append(out, b)
	}
	// at is the worst of the rows that begin with one of the words.
	at := func(name string, rows ...string) (float64, bool) {
		worst, ok := math.Inf(-1), false
		for row, m := range got {
			for _, want := range rows {
				if value, has := m[name]; has && strings.HasPrefix(row, want) && (strings.HasSuffix(want, " ") || row == want) {
					worst, ok = max(worst, value), true
				}
			}
		}
		return worst, ok
	}
	row := func(measure, unit string, limit float64, name string, rows ...string) {
		here, ok := at(name, rows...)
		add(measure, unit, limit, here, ok)
	}
	row("launch of 300 ÷ longest chain: 10 chains of 30", "times", 1.05, wall, "shape=10x30/stacks=300/reads=none create")
	row("the same: 30 chains of 10", "times", 1.05, wall, "shape=30x10/stacks=300/reads=none create")
	row("the same: 100 chains of 3", "times", 1.05, wall, "shape=100x3/stacks=300/reads=none create")
	row("the same: a real-shaped environment", "times", 1.05, wall, "shape=real/stacks=300/reads=none create")
	row("a chain of 10 stacks (no bar; others take 1.6 to 2.3 times)", "times", 1.6, wall, "shape=chain/stacks=10/reads=none create")
	row("calls for 300 unchanged stacks, warm cache", "calls", 10, calls, "shape=30x10/stacks=300/reads=none no-op", "shape=10x30/stacks=300/reads=none no-op")
	row("calls per created stack, 300 stacks, 30 chains", "calls", 4, perStack, "shape=30x10/stacks=300/reads=none create")
	row("the same, worst of all shapes: one chain", "calls", 4, perStack, allShapes(300, "none", "create")...)
	row("limit of 5 reads/s, 300 stacks: stacks failed", "stacks", 0, failed, allShapes(300, "5", "create")...)
	row("the same: calls throttled", "%", 5, throttled, allShapes(300, "5", "create")...)
	row("1,000 stacks, 4 regions, 3 accounts, 5 reads/s: failed", "stacks", 0, failed, "shape=world/stacks=1000/reads=5 create")
	row("the same launched by a process: memory", "MiB", 200, "MiB", "process launch-1000")
	row("the same: warnings, such as of a read that failed", "warnings", 0, "warnings", "process launch-1000")
	row("load and graph 5,000 stacks", "s", 1, "s", "process graph-5000")
	row("the same: processor", "s", 1, "cpu-s", "process graph-5000")
	row("the same: memory", "MiB", 200, "MiB", "process graph-5000")
	row("2,000 stacks that depend on one", "s", 0.5, "s", "process graph-hub-2000")
	row("the same: processor", "s", 0.5, "cpu-s", "process graph-hub-2000")
	row("cold start of deployer --version", "s", 0.030, "s", "process version")
	row("size of the program, with symbols (our own bar; Rain: 175)", "MiB", 60, "MiB", "size")
	return append(out, elsewhere(got)...)
}

// elsewhere are the rows that other targets measure.
func elsewhere(got results) []bar {
	return []bar{
		survived(got, "kill -9 at every call of 30 stacks: not the same end", func(row string) bool { return row == "torture every-call" }),
		survived(got, "kill -9 at every journal step of a break, each with five endings: lost", stepRow),
		survived(got, "kill -9 at every call of a break: lost", func(row string) bool { return strings.HasPrefix(row, "torture break-") && !stepRow(row) }),
		{Measure: "fuzzing of every parser", Bar: "no panic, no hang", Met: "make fuzz"},
	}
}

func stepRow(row string) bool {
	return strings.HasPrefix(row, "torture break-") && strings.HasSuffix(row, "-steps")
}

// survived is a row of make torture. What was planned has to have been tried, all of it:
// else nothing more is known than of a part.
func survived(got results, measure string, counts func(row string) bool) bar {
	out := bar{Measure: measure, Bar: "≤ 0 runs", Unit: "runs", Met: "make torture"}
	var tries, lost, planned, missed float64
	whole := true
	for name, m := range got {
		if !counts(name) {
			continue
		}
		tries, lost = tries+m["tries"], lost+m["tries"]-m["survived"]
		planned, missed = planned+m["planned"], missed+max(0, m["planned"]-m["tries"])
		whole = whole && (m["planned"] > 0 || strings.HasSuffix(name, "random") || strings.HasSuffix(name, "endings"))
	}
	if tries == 0 {
		return out
	}
	out.Here, out.Met = &lost, "yes"
	switch {
	case lost > 0:
		out.Met = "no"
	case !whole || planned == 0 || missed > 0:
		out.Met = "part"
	}
	out.Measure += fmt.Sprintf(", of %g, %g of %g planned", tries, planned-missed, planned)
	return out
}

func allShapes(stacks int, reads, command string) []string {
	var out []string
	for _, shape := range []string{"10x30", "30x10", "100x3", "chain", "wide", "diamond", "real"} {
		out = append(out, fmt.Sprintf("shape=%s/stacks=%d/reads=%s %s", shape, stacks, reads, command))
	}
	return out
}

// known adds what make torture wrote beside the file we write, where that is of the
// commit that is measured.
func known(t *testing.T, got results) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(filepath.Dir(*out), "torture.json"))
	if err != nil {
		return
	}
	found, stale := fromTorture(text, commit(t))
	if stale != "" {
		fmt.Println(stale)
	}
	maps.Copy(got, found)
}

// fromTorture reads the file of make torture, or tells why it says nothing about here.
func fromTorture(text []byte, here string) (found results, stale string) {
	var file tortured
	if err := json.Unmarshal(text, &file); err != nil {
		return nil, fmt.Sprintf("torture.json is left out: %v", err)
	}
	if file.Commit == "" || file.Commit != here {
		return nil, fmt.Sprintf("torture.json is left out: it is of %s, this is %s: make torture", cmp.Or(file.Commit, "no commit"), cmp.Or(here, "none"))
	}
	found = results{}
	for name, m := range file.Found {
		found["torture "+name] = m
	}
	return found, ""
}

// table shows everything that was measured, ratios to the floor first.
func table(got results) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%-44s %-11s %10s %10s %7s %9s %6s\n", "scenario", "command", "wall/floor", "calls/floor", "calls", "throttled", "failed")
	for _, row := range slices.SortedFunc(maps.Keys(got), naturally) {
		m := got[row]
		name, command, _ := strings.Cut(row, " ")
		if _, ok := m[calls]; !ok {
			fmt.Fprintf(&b, "%-56s", row)
			for _, unit := range slices.Sorted(maps.Keys(m)) {
				fmt.Fprintf(&b, " %.4g %s", m[unit], unit)
			}
			b.WriteByte('\n')
			continue
		}
		ratio := "-"
		if value, ok := m[wall]; ok {
			ratio = fmt.Sprintf("%.2f", value)
		}
		fmt.Fprintf(&b, "%-44s %-11s %10s %10.2f %7.0f %8.1f%% %6.0f\n", name, command, ratio, m[floor], m[calls], m[throttled], m[failed])
	}
	return b.String()
}

// naturally sorts numbers within names as numbers, and commands as they are run.
func naturally(a, b string) int {
	pad := func(s string) string {
		var out strings.Builder
		for _, field := range strings.FieldsFunc(s, func(r rune) bool { return strings.ContainsRune("/= ", r) }) {
			if i := slices.IndexFunc(commands(), func(c command) bool { return c.name == field }); i >= 0 {
				field = fmt.Sprint(i)
			}
			if _, err := strconv.Atoi(field); err == nil {
				field = fmt.Sprintf("%12s", field)
			}
			fmt.Fprintf(&out, "%-12s", field)
		}
		return out.String()
	}
	return strings.Compare(pad(a), pad(b))
}

// barTable shows the rows of the contract.
func barTable(bars []bar) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%-60s %16s %10s  %s\n", "measure", "bar", "here", "met")
	for _, r := range bars {
		here := "-"
		if r.Here != nil {
			here = fmt.Sprintf("%.4g", *r.Here)
		}
		fmt.Fprintf(&b, "%-60s %*s %10s  %s\n", r.Measure, 16+len(r.Bar)-len([]rune(r.Bar)), r.Bar, here, r.Met)
	}
	return b.String()
}

// TestContract: a bar is met, missed or not measured, and never by chance.
func TestContract(t *testing.T) {
	t.Parallel()
	row := "shape=30x10/stacks=300/reads=none create"
	find := func(got results) bar {
		i := slices.IndexFunc(contract(got), func(b bar) bool { return strings.Contains(b.Measure, "30 chains of 10") })
		return contract(got)[i]
	}
	for _, c := range []struct {
		got results
		met string
	}{
		{results{row: {wall: 1.05}}, "yes"},
		{results{row: {wall: 1.06}}, "no"},
		{results{row + "d": {wall: 1}}, "make bench"},
		{results{row: {calls: 1}}, "make bench"},
	} {
		if b := find(c.got); b.Met != c.met {
			t.Errorf("%v: %q, want %q", c.got, b.Met, c.met)
		}
	}
}

// TestTortureRows: kills that were not all tried prove a part, and those of another
// commit nothing.
func TestTortureRows(t *testing.T) {
	t.Parallel()
	call := func(m metrics) results { return results{"torture every-call": m} }
	for name, c := range map[string]struct {
		got                  results
		calls, steps, breaks string
	}{
		"nothing":           {results{}, "make torture", "make torture", "make torture"},
		"all":               {call(metrics{"tries": 132, "survived": 132, "planned": 132}), "yes", "make torture", "make torture"},
		"the time was over": {call(metrics{"tries": 40, "survived": 40, "planned": 132}), "part", "make torture", "make torture"},
		"nobody knows":      {call(metrics{"tries": 40, "survived": 40}), "part", "make torture", "make torture"},
		"lost":              {call(metrics{"tries": 40, "survived": 39, "planned": 132}), "no", "make torture", "make torture"},
		"steps":             {results{"torture break-5-steps": {"tries": 90, "survived": 90, "planned": 90}}, "make torture", "yes", "make torture"},
		"steps in part": {results{
			"torture break-5-steps": {"tries": 90, "survived": 90, "planned": 90}, "torture break-4-steps": {"tries": 80, "survived": 80, "planned": 90},
		}, "make torture", "part", "make torture"},
		"breaks": {results{
			"torture break-1-bucket-false": {"tries": 30, "survived": 30, "planned": 30}, "torture break-1-bucket-false-endings": {"tries": 2, "survived": 2},
			"torture break-random": {"tries": 9, "survived": 9},
		}, "make torture", "make torture", "yes"},
		"breaks in part": {results{
			"torture break-1-bucket-false": {"tries": 30, "survived": 30, "planned": 30}, "torture break-2-bucket-false": {"tries": 20, "survived": 20, "planned": 60},
			"torture break-random": {"tries": 99, "survived": 99},
		}, "make torture", "make torture", "part"},
		"breaks at random only": {results{"torture break-random": {"tries": 9, "survived": 9}}, "make torture", "make torture", "part"},
	} {
		if rows := elsewhere(c.got); rows[0].Met != c.calls || rows[1].Met != c.steps || rows[2].Met != c.breaks {
			t.Errorf("%s: %s, %s and %s", name, rows[0].Met, rows[1].Met, rows[2].Met)
		}
	}
	const text = `{"commit": "abc", "found": {"every-call": {"tries": 1}}}`
	for here, want := range map[string]int{"abc": 1, "def": 0, "": 0} {
		if found, stale := fromTorture([]byte(text), here); len(found) != want || (stale == "") != (want > 0) {
			t.Errorf("at %q: %v, %s", here, found, stale)
		}
	}
	for _, old := range []string{`{"every-call": {"tries": 1}}`, `[`} {
		if found, stale := fromTorture([]byte(old), "abc"); len(found) > 0 || stale == "" {
			t.Errorf("%s: %v", old, found)
		}
	}
}

// TestWarningsAreCounted: what a launch says that it could not read is a measure.
func TestWarningsAreCounted(t *testing.T) {
	t.Parallel()
	w := warnings{metrics{}}
	for _, text := range []string{"", "{\"kind\":\"stack\"}\n", "{\"kind\":\"warning\",\"reason\":\"x\"}\n{\"kind\":\"stack\"}\n{\"kind\":\"warning\"}\n"} {
		if n, err := w.Write([]byte(text)); n != len(text) || err != nil {
			t.Errorf("%d of %d, %v", n, len(text), err)
		}
	}
	if w.metrics["warnings"] != 2 {
		t.Errorf("%v, want two", w.metrics)
	}
	row := func(m metrics) string {
		rows := contract(results{"process launch-1000": m})
		return rows[slices.IndexFunc(rows, func(b bar) bool { return strings.HasPrefix(b.Measure, "the same: warnings") })].Met
	}
	if row(w.metrics) != "no" || row(metrics{"warnings": 0}) != "yes" || row(metrics{"s": 1}) != "make bench" {
		t.Error("the row says something else")
	}
}
