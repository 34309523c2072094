package execute_test

import (
	"fmt"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/deployer-cli/deployer/internal/event"
	"github.com/deployer-cli/deployer/internal/execute"
	"github.com/deployer-cli/deployer/internal/plan"
	"github.com/deployer-cli/deployer/stacks"
)

// forecasts runs a job and returns by how much each forecast of its end was off,
// as a share of what was really left, in order.
func forecasts(t *testing.T, s *service, j execute.Job) []float64 {
	t.Helper()
	type told struct{ at, left time.Duration }
	var all []told
	start := time.Now()
	sink := event.Func(func(e event.Event) {
		if e.Left > 0 {
			all = append(all, told{time.Since(start), time.Duration(e.Left * float64(time.Second))})
		}
	})
	if _, err := execute.Run(t.Context(), j, execute.Ports{Changer: s, Mender: s, Watcher: s, Decider: s, Hooks: s}, sink); err != nil {
		t.Fatal(err)
	}
	end := time.Since(start)
	out := make([]float64, 0, len(all))
	for _, f := range all {
		if really := end - f.at; really > 0 {
			out = append(out, math.Abs(float64(f.left-really))/float64(really))
		}
	}
	return out
}

// chains makes n chains of length steps, of which each takes so long.
func chains(n, length int, s *service, took time.Duration) []plan.Step {
	steps := make([]plan.Step, 0, n*length)
	for c := range n {
		for i := range length {
			p := stacks.Path(fmt.Sprintf("c%d-%d", c, i))
			s.takes[p] = took + time.Duration(c)*time.Second
			if i == 0 {
				steps = append(steps, step(p, plan.Create))
			} else {
				steps = append(steps, step(p, plan.Create, stacks.Path(fmt.Sprintf("c%d-%d", c, i-1))))
			}
		}
	}
	return steps
}

func TestForecast(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name        string
		n, length   int
		limit       int
		there       int // at once in one account and region
		took        time.Duration
		expected    time.Duration // 0: nobody knows
		first, half float64       // how far the first may be off, and that of half-way
	}{
		{"as it was before", 4, 5, 0, 0, 2 * time.Minute, 2 * time.Minute, 0.1, 0.1},
		{"nobody knows, and it takes longer", 4, 10, 0, 0, 5 * time.Minute, 0, 0.9, 0.1},
		{"nobody knows, and it is quick", 4, 10, 0, 0, 10 * time.Second, 0, 6, 0.2},
		{"few at once", 30, 2, 3, 0, time.Minute, time.Minute, 0.4, 0.2},
		{"few at once there", 30, 2, 0, 3, time.Minute, time.Minute, 0.4, 0.2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := &service{takes: map[stacks.Path]time.Duration{}}
				j := job(chains(tt.n, tt.length, s, tt.took)...)
				j.Limit, j.PlaceLimit = tt.limit, tt.there
				j.Expected = func(*plan.Step) time.Duration { return tt.expected }
				off := forecasts(t, s, j)
				t.Logf("%.2f", off)
				if len(off) < 2 || off[0] > tt.first || off[len(off)/2] > tt.half {
					t.Errorf("off by %.2f", off)
				}
			})
		})
	}
}
