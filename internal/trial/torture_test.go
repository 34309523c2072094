package trial_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// What `make torture` gives us.
var (
	torture = flag.Duration("torture", 0, "TestTorture tortures so long, beside -stacks")
	seed    = flag.Uint64("seed", 1, "the first random case of TestTorture")
	again   = flag.String("case", "", "the only `CASE` of TestTorture")
	large30 = flag.Int("stacks", 0, "stacks of a launch that is killed at every call first; 0 for no such launch")
	breaks  = flag.Duration("breaks", 0, "breaks are tortured so long, before anything else")
	steps   = flag.Bool("steps", false, "of breaks only every line of their journals")
	part    = flag.Bool("part", false, "what goes through every moment ends when its share of the time is over, and is a part")
	crowd   = flag.Int("crowd", 12, "cases at the same time: they mostly wait")
)

// tally counts what happened to cases of a kind.
type tally struct {
	name                   string
	tries, survived, kills int
}

func (c *tally) String() string {
	return fmt.Sprintf("%-34s %6d tries %6d kills %6d survived", c.name, c.tries, c.kills, c.survived)
}

// TestTorture kills the program at every call of every operation on a generated
// environment, then at random in random environments with random faults until
// the time is over. On the first failure it looks for the shortest one.
func TestTorture(t *testing.T) { //nolint:paralleltest // it is many processes already
	if *torture == 0 && *breaks == 0 && *again == "" {
		t.Skip("takes minutes: make torture")
	}
	if *again != "" {
		var o interface{ endure(t testing.TB) verdict }
		var err error
		if o, err = parseOrdeal(*again); strings.HasPrefix(*again, "op=break ") {
			o, err = parseWreck(*again)
		}
		if err != nil {
			t.Fatal(err)
		}
		if v := o.endure(t); v.err != nil {
			t.Fatalf("%s: %v", o, v.err)
		}
		fmt.Println("survived:", o)
		return
	}
	fmt.Println("seed", *seed)
	found := results{}
	if *breaks > 0 {
		tortureBreaks(t, found)
	}
	if *large30 > 0 {
		found["every-call"] = every(t, fmt.Sprintf("launch of %d, every call", *large30), layered(*large30), *torture)
	}
	if *torture > 0 {
		tortureOperations(t, found)
	}
	if *out != "" {
		writeJSON(t, *out, tortured{Commit: commit(t), Found: found})
	}
}

// tortured is what bin/torture.json says, and of which commit.
type tortured struct {
	Commit string  `json:"commit"` // "" where that cannot be said for certain
	Found  results `json:"found"`
}

// commit is the one that is measured, "" where files differ from it.
func commit(t *testing.T) string {
	t.Helper()
	said, err := exec.CommandContext(t.Context(), "git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*").Output()
	name := strings.TrimSpace(string(said))
	if err != nil || strings.HasSuffix(name, "-dirty") {
		return ""
	}
	return name
}

// within bounds what goes through every moment, where only a part is asked for.
func within(ctx context.Context, share time.Duration) (context.Context, context.CancelFunc) {
	if !*part {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, share)
}

// tortureOperations kills each of the operations at every call, then any of them at random.
func tortureOperations(t *testing.T, found results) {
	t.Helper()
	small := random(*seed)
	small.faults = nil
	for _, op := range operations() { // half of the time for these, half for the random part
		small.op = op
		found["every-call-"+op] = every(t, op+", every call", small, *torture/8)
	}
	rest, done := context.WithTimeout(t.Context(), *torture/2)
	defer done()
	found["random"] = attack(rest, t, "random faults, random kills", func(yield func(ordeal) bool) {
		for n := *seed; yield(random(n)); n++ {
		}
	})
}

// layered is a launch of so many stacks in chains of three.
func layered(stacks int) ordeal {
	o := ordeal{op: "launch"}
	for i := range stacks {
		var needs []int
		if i%3 > 0 {
			needs = []int{i - 1}
		}
		o.needs = append(o.needs, needs)
	}
	return o
}

// every kills the operation at each of the calls that it makes when nobody
// disturbs it, before the call is applied and after; of a part, until the share is over.
func every(t *testing.T, name string, o ordeal, share time.Duration) metrics {
	t.Helper()
	o.blows = []blow{{}}
	calm := o.endure(t)
	if calm.err != nil {
		t.Fatalf("%s: %v", o, calm.err)
	}
	ctx, cancel := within(t.Context(), share)
	defer cancel()
	m := attack(ctx, t, fmt.Sprintf("%s of %d", name, calm.calls), func(yield func(ordeal) bool) {
		for at := range calm.calls {
			for _, applied := range []bool{false, true} {
				o := o.clone()
				o.blows = []blow{{at: at + 1, applied: applied}}
				if !yield(o) {
					return
				}
			}
		}
	})
	m["planned"] = float64(2 * calm.calls)
	return m
}

// hardship is a case that is gone through, and made shorter where it fails.
type hardship[C any] interface {
	endure(t testing.TB) verdict
	shorter() []C
	String() string
}

// attack goes through cases, many at a time, until there are none left, the time
// is over, or one does not survive.
func attack[C hardship[C]](ctx context.Context, t *testing.T, name string, cases func(yield func(C) bool)) metrics {
	t.Helper()
	c := &tally{name: name}
	var failed *C
	var why error
	var mu sync.Mutex
	next := make(chan C)
	var wg sync.WaitGroup
	for range *crowd {
		wg.Go(func() {
			for o := range next {
				v := o.endure(t)
				mu.Lock()
				c.tries++
				c.kills += v.kills
				if v.err == nil {
					c.survived++
				} else if failed == nil {
					failed, why = &o, v.err
				}
				mu.Unlock()
			}
		})
	}
	cases(func(o C) bool {
		mu.Lock()
		over := failed != nil || ctx.Err() != nil
		mu.Unlock()
		if !over {
			next <- o
		}
		return !over
	})
	close(next)
	wg.Wait()
	fmt.Println(c)
	if failed != nil {
		shortest(t, *failed, why)
	}
	return metrics{"tries": float64(c.tries), "survived": float64(c.survived), "kills": float64(c.kills)}
}

// shortest prints the failure and the shortest case that fails.
func shortest[C hardship[C]](t *testing.T, o C, why error) {
	t.Helper()
	fmt.Fprintf(os.Stderr, "did not survive: %s\n%v\nlooking for a shorter case, up to five minutes\n", o.String(), why)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	said := why
	short := shrink(ctx, o, func(o C) bool {
		// What depends on the moment fails now and then: three tries.
		return slices.ContainsFunc([]int{1, 2, 3}, func(int) bool {
			v := o.endure(t)
			if v.err != nil {
				said = v.err
			}
			return v.err != nil
		})
	})
	t.Fatalf("the shortest that does not:\n\n  make torture TORTURE_CASE='%s'\n\n%v", short.String(), said)
}
