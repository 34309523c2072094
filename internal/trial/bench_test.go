package trial_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// results are all that was measured: scenario and command, or the name of a
// process, to metrics.
type results map[string]metrics

// short is what CI measures on each change: minutes on two busy cores.
func short() []scenario {
	var out []scenario
	for _, shape := range []string{"chain", "wide", "diamond", "real"} {
		out = append(out, scenario{shape, 10, 0}, scenario{shape, 10, 5}, scenario{shape, 100, 0})
	}
	return append(out, scenario{"real", 100, 5}, scenario{"30x10", 300, 0}, scenario{"30x10", 300, 5}, scenario{"world", 120, 5})
}

// full is all of it.
func full() []scenario {
	out := []scenario{{"10x30", 300, 0}, {"100x3", 300, 0}, {"world", 1000, 5}}
	for _, shape := range []string{"chain", "wide", "diamond", "real"} {
		for _, stacks := range []int{1000, 300, 100, 10} {
			for _, reads := range []float64{0, 5, 10} {
				out = append(out, scenario{shape, stacks, reads})
			}
		}
	}
	for _, s := range short() {
		if !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	slices.SortStableFunc(out, func(a, b scenario) int { return b.stacks - a.stacks }) // the long ones first: no core waits at the end
	return out
}

// TestBench takes the measures, prints them against their bars, writes them down
// and judges them.
func TestBench(t *testing.T) { //nolint:paralleltest // it measures: nothing beside it
	var list []scenario
	switch *measure {
	case "":
		t.Skip("takes minutes: make bench-check, or make bench")
	case "short":
		list = short()
	case "full":
		list = full()
	default:
		t.Fatalf("-measure %s: short or full", *measure)
	}
	got := scenarios(t, list)
	base, program := baseline(t), built(t, got)
	if *measure == "full" {
		processes(t, got, program)
	} else if !*update {
		onceMore(list, got, base, func(some []scenario) results { return scenarios(t, some) })
	}
	known(t, got)
	bars := contract(got)
	fmt.Print(table(got), "\n", barTable(bars))
	if *out != "" {
		writeJSON(t, *out, map[string]any{"go": runtime.Version(), "measures": got, "bars": bars})
	}
	if *update {
		if *measure == "full" {
			clear(base) // what is measured no more goes
		}
		maps.Copy(base, got.counted())
		writeJSON(t, baselineName, base)
		return
	}
	said, wrong := judge(*measure, got, bars, base)
	for _, line := range said {
		fmt.Println(line)
	}
	for _, line := range wrong {
		t.Error(line)
	}
}

const baselineName = "testdata/baseline.json"

// baseline are the committed counts and ratios.
func baseline(t *testing.T) results {
	t.Helper()
	base := results{}
	text, err := os.ReadFile(baselineName)
	if err == nil {
		err = json.Unmarshal(text, &base)
	}
	if err != nil {
		t.Fatal(err)
	}
	return base
}

// retries is how often what looks worse is measured again.
const retries = 2

// onceMore measures again what looks worse than the base, and keeps the better of both:
// dice that fall badly do so once, and what really got worse is worse each time.
func onceMore(list []scenario, got, base results, run func([]scenario) results) {
	for range retries {
		worse, _, _ := compare(got.counted(), base)
		missed := slices.ContainsFunc(contract(got), func(b bar) bool { return b.Met == "no" })
		some := slices.DeleteFunc(slices.Clone(list), func(s scenario) bool {
			return !missed && !slices.ContainsFunc(worse, func(line string) bool { return strings.HasPrefix(line, s.String()+" ") })
		})
		if len(some) == 0 {
			return
		}
		for row, m := range run(some) {
			for name, is := range m {
				if was, ok := got[row][name]; ok {
					got[row][name] = min(was, is)
				}
			}
		}
	}
}

// judge says what of a measure is worth a line, and what makes it fail: a bar that
// is missed, always; what is worse than the base, or not in it, in the short measure
// only, which is there to compare. The full one has rows that nobody compares.
func judge(measure string, got results, bars []bar, base results) (said, wrong []string) {
	worse, better, unknown := compare(got.counted(), base)
	for _, line := range better {
		said = append(said, "better: "+line)
	}
	if measure == "full" {
		for _, line := range worse {
			said = append(said, "worse: "+line)
		}
		if len(unknown) > 0 {
			some := strings.Join(unknown[:min(len(unknown), 3)], ", ")
			if len(unknown) > 3 {
				some += ", …"
			}
			said = append(said, fmt.Sprintf("%d of %d rows are compared with nothing: %s", len(unknown), len(got.counted()), some))
		}
	} else {
		for _, row := range unknown {
			wrong = append(wrong, row+": not in testdata/baseline.json: make bench-baseline")
		}
		if wrong = append(wrong, worse...); len(wrong) > 0 {
			said = append(said, "", "If that is worth it, say why in the commit and take new numbers: make bench-baseline")
		}
	}
	for _, b := range bars {
		if b.Met == "no" {
			wrong = append(wrong, fmt.Sprintf("bar missed: %s: %.4g, bar %s", b.Measure, *b.Here, b.Bar))
		}
	}
	return said, wrong
}

// scenarios runs them in processes, as many at a time as there are cores: the
// command line of a process is one at a time, and a bubble uses one core.
func scenarios(t *testing.T, list []scenario) results {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	got := results{}
	next := make(chan scenario)
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for s := range next {
				name := filepath.Join(t.TempDir(), "result")
				start := time.Now()
				cmd := exec.CommandContext(t.Context(), exe, "-test.run", "^TestScenario$")
				cmd.Env = append(os.Environ(), "TRIAL_SCENARIO="+s.String(), "TRIAL_RESULT="+name)
				said, err := cmd.CombinedOutput()
				found := results{}
				text, readErr := os.ReadFile(name)
				if err == nil && readErr == nil {
					err = json.Unmarshal(text, &found)
				}
				mu.Lock()
				if err != nil || readErr != nil {
					t.Errorf("%s: %v\n%s", s, err, said)
				}
				for command, m := range found {
					got[s.String()+" "+command] = m
				}
				fmt.Fprintf(os.Stderr, "%-40s %5.1f s\n", s, time.Since(start).Seconds())
				mu.Unlock()
			}
		})
	}
	for _, s := range list {
		next <- s
	}
	close(next)
	wg.Wait()
	return got
}

// TestScenario runs one scenario for the TestBench of another process.
func TestScenario(t *testing.T) { //nolint:paralleltest // alone in its process
	name := os.Getenv("TRIAL_SCENARIO")
	if name == "" {
		t.Skip("run by TestBench")
	}
	s, err := parse(name)
	if err != nil {
		t.Fatal(err)
	}
	writeJSON(t, os.Getenv("TRIAL_RESULT"), s.run(t))
}

// BenchmarkScenario is for benchstat: one scenario a benchmark, the metrics of
// its commands as units.
func BenchmarkScenario(b *testing.B) {
	for _, s := range short() {
		b.Run(s.String(), func(b *testing.B) {
			var last map[string]metrics
			for b.Loop() {
				last = s.run(b)
			}
			for command, m := range last {
				for _, name := range []string{wall, calls, throttled} {
					if value, ok := m[name]; ok {
						b.ReportMetric(value, command+"-"+name)
					}
				}
			}
		})
	}
}

func writeJSON(t *testing.T, name string, value any) {
	t.Helper()
	text, err := json.MarshalIndent(value, "", "  ")
	if err == nil {
		err = os.MkdirAll(filepath.Dir(name), 0o755)
	}
	if err == nil {
		err = os.WriteFile(name, append(text, '\n'), 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}
