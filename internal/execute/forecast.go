package execute

import (
	"slices"
	"strings"
	"time"

	"github.com/deployer-cli/deployer/internal/plan"
	"github.com/deployer-cli/deployer/stacks"
)

// forecast learns, from the steps that ended, how far what was expected of them
// was off, and tells how long the rest takes.
type forecast struct {
	expected, took time.Duration // of the steps that ended

	told time.Duration // the last forecast,
	at   time.Time     // and when it was made
}

// What keeps a forecast from running away.
const (
	prior    = 30 * time.Second // what is expected counts as much as this much of what was seen
	leastOff = 0.05             // of what was expected
	mostOff  = 20
	overdue  = 0.1         // of what it took so far: how much longer a step takes that should have ended
	fresh    = time.Second // for so long a forecast is not made again
)

// learn takes in how long a step took.
func (f *forecast) learn(expected, took time.Duration) {
	f.expected += expected
	f.took += took
}

// off is by what factor expectations were off so far.
func (f *forecast) off() float64 {
	return min(max(float64(f.took+prior)/float64(f.expected+prior), leastOff), mostOff)
}

// left is how long the run is expected to go on.
func (r *run) left() time.Duration {
	now := r.job.Now()
	if since := now.Sub(r.forecast.at); since < 0 || since >= fresh {
		r.forecast.told, r.forecast.at = r.rest(now), now
	}
	return r.forecast.told
}

// rest is how long the rest of the run takes: as its longest chain does, or as
// the work does that its limits let through.
func (r *run) rest(now time.Time) time.Duration {
	off := r.forecast.off()
	scaled := func(d time.Duration) time.Duration { return time.Duration(float64(d) * off) }
	var longest, work time.Duration
	there := map[place]time.Duration{}
	own := make(map[stacks.Path]time.Duration, len(r.steps))
	chain := make(map[stacks.Path]time.Duration, len(r.steps))
	for i := len(r.job.Plan.Steps) - 1; i >= 0; i-- {
		s := &r.job.Plan.Steps[i]
		if r.result.Outcomes[s.Stack] != "" {
			continue
		}
		own[s.Stack] = scaled(r.own[s.Stack])
		if began, runs := r.running[s.Stack]; runs {
			elapsed := now.Sub(began)
			own[s.Stack] = max(own[s.Stack]-elapsed, time.Duration(float64(elapsed)*overdue))
		} else if r.draining {
			continue // it is not going to start
		}
		var after time.Duration
		for _, d := range r.dependents[s.Stack] {
			after = max(after, chain[d])
		}
		chain[s.Stack] = own[s.Stack] + after
		longest = max(longest, chain[s.Stack])
		work += own[s.Stack]
		there[placeOf(s)] += own[s.Stack]
	}
	if r.job.PlaceLimit > 0 {
		for _, d := range there {
			longest = max(longest, d/time.Duration(r.job.PlaceLimit))
		}
	}
	if r.job.Limit > 0 {
		longest = max(longest, work/time.Duration(r.job.Limit))
	}
	return longest
}

// expect is how long a step is expected to take: what the job knows of it, else a
// minute.
func (j *Job) expect(s *plan.Step) time.Duration {
	if !s.Changing() {
		return 0
	}
	if d := j.known(s); d > 0 {
		return d
	}
	return unknownDuration
}

// known is what the job knows of how long a step takes, 0 for nothing.
func (j *Job) known(s *plan.Step) time.Duration {
	if j.Expected == nil {
		return 0
	}
	return j.Expected(s)
}

// kind names what an operation does, by the types of what it changes: others that do
// the same take about as long. It is empty where that is not known.
func kind(op stacks.Operation, s *plan.Step) string {
	if op.Joined || len(s.Changes) == 0 {
		return ""
	}
	changes := make([]string, 0, len(s.Changes))
	for _, c := range s.Changes {
		changes = append(changes, c.Action+" "+c.Type+" "+c.Replacement)
	}
	slices.Sort(changes)
	return string(op.Verb) + ": " + strings.Join(changes, ", ")
}
