package trial_test

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"
)

// margin is how much worse a number may be than the committed one: a share of
// it, and so much beside, since goroutines take turns as they like and small
// numbers jump.
type margin struct{ share, beside float64 }

// margins of what is compared in a row. What is not here is not: it follows from
// these, or is a time of a machine.
func margins(row string) map[string]margin {
	all := map[string]margin{
		wall:      {0.10, 0.05},
		calls:     {0.10, 4},
		throttled: {0.50, 2},
		failed:    {},
	}
	switch {
	case strings.HasSuffix(row, " one-change"):
		// How long one single stack takes, and how often it is looked at, hangs
		// on the dice that spread our looks.
		delete(all, wall)
		all[calls] = margin{0.30, 8}
	case strings.HasSuffix(row, " no-op"):
		all[calls] = margin{0, 2} // no dice there
	case strings.Contains(row, "/stacks=10/"):
		all[calls] = margin{0.20, 8}
	}
	if strings.Contains(row, "/stacks=10/") && strings.HasSuffix(row, " no-op-cold") {
		all[throttled] = margin{0.50, 25} // of a dozen calls: two more are fourteen points
	}
	return all
}

// counted is what of the results is the same on every machine.
func (r results) counted() results {
	out := results{}
	for row, m := range r {
		for name, value := range m {
			if _, ok := margins(row)[name]; !ok {
				continue
			}
			if out[row] == nil {
				out[row] = metrics{}
			}
			out[row][name] = math.Round(value*1000) / 1000
		}
	}
	return out
}

// compare says what is worse than the base by more than its margin, what is
// better, and which rows the base does not know. Rows of the base that were not
// measured this time do not count.
func compare(got, base results) (worse, better, unknown []string) {
	for _, row := range slices.Sorted(maps.Keys(got)) {
		was, ok := base[row]
		if !ok {
			unknown = append(unknown, row)
			continue
		}
		for _, name := range slices.Sorted(maps.Keys(got[row])) {
			m, is := margins(row)[name], got[row][name]
			line := fmt.Sprintf("%s: %s is %.4g, was %.4g (margin %.0f %% and %g)", row, name, is, was[name], 100*m.share, m.beside)
			switch by := was[name]*m.share + m.beside; {
			case is > was[name]+by:
				worse = append(worse, line)
			case is < was[name]-by:
				better = append(better, line)
			}
		}
	}
	return worse, better, unknown
}

// TestCompare proves that the check can fail, and at what.
func TestCompare(t *testing.T) {
	t.Parallel()
	base := func() results {
		return results{"shape=wide create": {calls: 400, wall: 1.04, throttled: 1, failed: 0}}
	}
	for _, c := range []struct {
		name          string
		change        func(results)
		worse, better string
	}{
		{"the same", func(results) {}, "", ""},
		{"within", func(r results) { r["shape=wide create"][calls] = 444 }, "", ""},
		{"more calls", func(r results) { r["shape=wide create"][calls] = 445 }, "shape=wide create: calls is 445, was 400", ""},
		{"slower", func(r results) { r["shape=wide create"][wall] = 1.2 }, "wall/critical is 1.2, was 1.04", ""},
		{"throttled", func(r results) { r["shape=wide create"][throttled] = 4 }, "throttled% is 4, was 1", ""},
		{"one stack failed", func(r results) { r["shape=wide create"][failed] = 1 }, "failed is 1, was 0", ""},
		{"better", func(r results) { r["shape=wide create"][calls] = 300 }, "", "calls is 300, was 400"},
		{"not measured", func(r results) { delete(r, "shape=wide create") }, "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got := base()
			c.change(got)
			worse, better, _ := compare(got.counted(), base())
			for _, side := range []struct {
				lines []string
				want  string
			}{{worse, c.worse}, {better, c.better}} {
				if (len(side.lines) == 0) != (side.want == "") || !strings.Contains(strings.Join(side.lines, "\n"), side.want) {
					t.Errorf("got %q, want %q", side.lines, side.want)
				}
			}
		})
	}
}

// TestJudge: what fails make bench and what make bench-check, and that the rest is
// at least said.
func TestJudge(t *testing.T) {
	t.Parallel()
	row := "shape=30x10/stacks=300/reads=none create"
	base := results{row: {calls: 400, wall: 1.02}}
	for _, c := range []struct {
		name, measure string
		got           results
		said, wrong   string
	}{
		{"as it was", "full", results{row: {calls: 400, wall: 1.02}}, "", ""},
		{"a row without a base, of all", "full", results{"new": {calls: 1}}, "1 of 1 rows are compared with nothing: new", ""},
		{"the same where it is compared", "short", results{"new": {calls: 1}}, "make bench-baseline", "new: not in"},
		{"worse, of all", "full", results{row: {calls: 500}}, "worse: " + row + ": calls is 500", ""},
		{"the same where it is compared", "short", results{row: {calls: 500}}, "make bench-baseline", "calls is 500, was 400"},
		{"better", "short", results{row: {calls: 300}}, "better: " + row, ""},
		{"a bar is missed", "full", results{row: {calls: 400, wall: 1.06}}, "", "bar missed: the same: 30 chains of 10: 1.06, bar ≤ 1.05"},
		{"the same where it is compared", "short", results{row: {calls: 400, wall: 1.06}}, "", "bar missed: the same: 30 chains of 10: 1.06"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			said, wrong := judge(c.measure, c.got, contract(c.got), base)
			for _, side := range []struct {
				lines []string
				want  string
			}{{said, c.said}, {wrong, c.wrong}} {
				if text := strings.Join(side.lines, "\n"); (text == "") != (side.want == "") || !strings.Contains(text, side.want) {
					t.Errorf("got %q, want %q", text, side.want)
				}
			}
		})
	}
}

// TestOnceMore: what is worse by chance is measured again, and only that; what is worse each
// time stays so.
func TestOnceMore(t *testing.T) {
	t.Parallel()
	unlucky, slow, fine := scenario{"chain", 100, 0}, scenario{"wide", 100, 0}, scenario{"real", 100, 0}
	row := func(s scenario) string { return s.String() + " create" }
	base := results{row(unlucky): {calls: 400}, row(slow): {calls: 400}, row(fine): {calls: 400}}
	got := results{row(unlucky): {calls: 451}, row(slow): {calls: 500}, row(fine): {calls: 410}}
	var asked []int
	onceMore([]scenario{unlucky, slow, fine}, got, base, func(some []scenario) results {
		asked = append(asked, len(some))
		return results{row(unlucky): {calls: 405}, row(slow): {calls: 480}}
	})
	worse, _, _ := compare(got.counted(), base)
	if !slices.Equal(asked, []int{2, 1}) || len(worse) != 1 || !strings.HasPrefix(worse[0], row(slow)) || got[row(unlucky)][calls] != 405 {
		t.Errorf("%v times, %v, worse: %v", asked, got, worse)
	}
}

// TestScenarioMeasures: names come back as they went, and a small
// scenario measures what is known about it.
func TestScenarioMeasures(t *testing.T) { //nolint:paralleltest // command lines of a process run one at a time
	s := scenario{"chain", 3, 5}
	if back, err := parse(s.String()); err != nil || back != s {
		t.Fatalf("%s came back as %v, %v", s, back, err)
	}
	got := s.run(t)
	for _, c := range commands() {
		m := got[c.name]
		if m[failed] != 0 || m[floor] < 1 || m[calls] == 0 {
			t.Errorf("%s: %v", c.name, m)
		}
		if touched := c.outcome != "unchanged"; touched != (m[wall] > 0) || touched && m[wall] < 1 {
			t.Errorf("%s: %v times the longest chain", c.name, m[wall])
		}
	}
}
