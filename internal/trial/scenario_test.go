package trial_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// scenario is a project of a shape and size under a limit.
type scenario struct {
	shape  string
	stacks int
	reads  float64 // a second, account and region; 0 for no limit
}

// parse reads what String wrote.
func parse(name string) (scenario, error) {
	s := scenario{}
	limit := ""
	if _, err := fmt.Sscanf(strings.NewReplacer("/", " ", "=", " ").Replace(name), "shape %s stacks %d reads %s", &s.shape, &s.stacks, &limit); err != nil {
		return s, fmt.Errorf("scenario %q: %w", name, err)
	}
	if limit == "none" {
		return s, nil
	}
	var err error
	s.reads, err = strconv.ParseFloat(limit, 64)
	return s, err
}

// String is a name as benchstat likes them.
func (s scenario) String() string {
	limit := "none"
	if s.reads > 0 {
		limit = fmt.Sprint(s.reads)
	}
	return fmt.Sprintf("shape=%s/stacks=%d/reads=%s", s.shape, s.stacks, limit)
}

// metrics are what was measured, by name. Ratios are to the floor: what would be
// possible if nothing but AWS took time, and no call was made too many.
type metrics map[string]float64

// Names of metrics.
const (
	wall      = "wall/critical" // time over the longest chain of the stacks' own durations
	calls     = "calls"
	floor     = "calls/floor" // calls over the fewest possible
	perStack  = "calls/stack"
	throttled = "throttled%" // of the calls
	failed    = "failed"     // stacks without the outcome they should have
)

// command is one of those that every scenario goes through.
type command struct {
	name    string
	args    []string
	outcome string // of a stack that is touched
}

func commands() []command {
	launch := []string{"launch", "dev", "-y", "--timeout", "24h"}
	return []command{
		{"create", launch, "created"},
		{"no-op-cold", launch, "unchanged"}, // the cache was deleted
		{"no-op", launch, "unchanged"},
		{"one-change", launch, "updated"},
		{"delete", []string{"delete", "dev", "-y", "--timeout", "24h"}, "deleted"},
	}
}

// least is how few calls the command could do with: who we are, the listing before,
// one call for each stack that is touched, and one listing that tells the end.
func (p *project) least(command string) int {
	places := len(p.places())
	each := len(p.nodes) / places
	pages := max(1, (each+99)/100)
	switch command {
	case "create":
		return places*(1+1+pages) + len(p.nodes)
	case "one-change":
		return places*(1+pages) + 1 + 1
	case "delete":
		return places*(1+pages+1) + len(p.nodes)
	}
	return places * (1 + pages)
}

// run goes through the commands in fake time and returns what each took.
func (s scenario) run(tb testing.TB) map[string]metrics {
	tb.Helper()
	out := map[string]metrics{}
	inBubble(tb, func(t *testing.T) {
		u := newUniverse(t, shaped(s.shape, s.stacks), s.reads)
		var windows []window
		for _, c := range commands() {
			switch c.name {
			case "no-op-cold":
				if err := os.RemoveAll(filepath.Join(u.dir, ".deployer", "aws", "cache")); err != nil {
					t.Fatal(err)
				}
			case "one-change":
				u.project.touch(t, u.dir)
			}
			from := time.Now()
			o := u.deployer(t, c.args...)
			windows = append(windows, window{from, time.Now()})
			n := u.meter.take()
			if testing.Verbose() {
				t.Logf("%s %s: %v", s, c.name, n.actions)
			}
			out[c.name] = u.project.judge(c, o, n)
			time.Sleep(time.Minute) // the buckets fill again, and windows do not touch
		}
		spans := u.spans(t, windows)
		for i, c := range commands() {
			if critical := u.project.critical(spans[i]); critical > 0 {
				out[c.name][wall] = windows[i].to.Sub(windows[i].from).Seconds() / critical.Seconds()
			}
		}
	})
	return out
}

// touch changes the one stack.
func (p *project) touch(t *testing.T, dir string) {
	t.Helper()
	for _, n := range p.nodes {
		if n.name == p.change {
			n.write(t, dir, "changed")
		}
	}
}

// judge makes metrics of what a command said and what was counted.
func (p *project) judge(c command, o outcome, n count) metrics {
	wrong := len(p.nodes) - len(o.Stacks)
	for stack, got := range o.Stacks {
		want := c.outcome
		if c.name == "one-change" && stack != "dev/"+p.change {
			want = "unchanged"
		}
		if got != want {
			wrong++
		}
	}
	return metrics{
		calls: float64(n.calls), perStack: float64(n.calls) / float64(len(p.nodes)), floor: float64(n.calls) / float64(p.least(c.name)),
		throttled: 100 * float64(n.throttled) / float64(n.calls), failed: float64(wrong),
	}
}
