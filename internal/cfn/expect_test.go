package cfn_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/deployer-cli/deployer/internal/cfn"
	"github.com/deployer-cli/deployer/stacks"
)

// chain creates stacks one after the other, all of one kind, and tells how long their
// ends went unseen in all, and how long they took.
func chain(t *testing.T, f *fake, c *cfn.Cloud, n int, kind string) (unseen, took time.Duration) {
	t.Helper()
	for range n {
		name := fmt.Sprintf("link-%03d", len(f.stacks))
		op, err := c.Writer(clearance(t, step(name, false))).Create(t.Context(), change(stacks.Create, name))
		if err != nil {
			t.Fatal(err)
		}
		op.Kind = kind
		began := time.Now()
		if p, _, err := await(t.Context(), c, op); err != nil || p.Status != stacks.CreateComplete || p.Live == nil {
			t.Fatalf("%s ended %+v, %v", name, p, err)
		}
		ended := f.stacks[len(f.stacks)-1].phases[3].at
		unseen, took = unseen+time.Since(ended), took+ended.Sub(began)
	}
	return unseen, took
}

// Those that are like others which ended before are looked at when they can be
// expected to end, so that a chain costs few calls and little time. Where the service's
// clock tells how long they took, that is known well; else looks alone have to tell.
func TestChainLearnsFromItself(t *testing.T) {
	t.Parallel()
	const n = 100
	run := func(kind string, realm stacks.Realm) (calls, late float64) {
		synctest.Test(t, func(t *testing.T) {
			f := newFake()
			f.speed = 8 // between 2.5 and 7.5 s
			unseen, took := chain(t, f, cloud(f, func(o *cfn.Options) { o.Realm = realm }), n, kind)
			calls, late = float64(f.total())/n, float64(unseen)/float64(took)
			t.Logf("%q in %s: %.2f calls per stack, seen %.1f %% late: %v", kind, realm, calls, 100*late, f.calls)
		})
		return calls, late
	}
	unknown, _ := run("", stacks.RealmAWS)
	for realm, most := range map[stacks.Realm]float64{stacks.RealmAWS: 0.12, stacks.RealmSandbox: 0.13} {
		calls, late := run("create: add AWS::SQS::Queue", realm)
		if calls > unknown/3 || calls > 5.5 {
			t.Errorf("%s: %.1f calls per stack, and %.1f where nothing is known", realm, calls, unknown)
		}
		if late > most {
			t.Errorf("%s: seen %.1f %% late", realm, 100*late)
		}
	}
}

// What was learned and is wrong costs little: a stack that takes ten times as long as
// those before, and one that takes a third.
func TestWrongExpectations(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		factor float64
		late   time.Duration
	}{
		"ten times as long": {10, 5 * time.Second},
		"a third":           {1.0 / 3, 5 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := newFake()
				f.speed = 8
				c := cloud(f)
				chain(t, f, c, 10, "k")
				op, err := c.Writer(clearance(t, step("other", false))).Create(t.Context(), change(stacks.Create, "other"))
				if err != nil {
					t.Fatal(err)
				}
				op.Kind = "k"
				f.mu.Lock()
				s := f.stacks[len(f.stacks)-1]
				for i := range s.phases {
					s.phases[i].at = s.created.Add(time.Duration(float64(s.phases[i].at.Sub(s.created)) * tt.factor))
				}
				ended := s.phases[3].at
				f.mu.Unlock()
				if _, _, err := await(t.Context(), c, op); err != nil {
					t.Fatal(err)
				}
				if late := time.Since(ended); late > tt.late {
					t.Errorf("seen %s late", late)
				}
			})
		})
	}
}

// A stack of which it is known how long it takes is seen to end beside a chain of quick
// ones, each of which is looked at more often.
func TestExpectedBesideAChain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		c := cloud(f)
		f.speed = 1
		chain(t, f, c, 4, "slow")
		f.speed = 40
		chain(t, f, c, 20, "quick")
		f.speed = 1
		op, err := c.Writer(clearance(t, step("other", false))).Create(t.Context(), change(stacks.Create, "other"))
		if err != nil {
			t.Fatal(err)
		}
		op.Kind = "slow"
		ended := f.stacks[len(f.stacks)-1].phases[3].at
		var late time.Duration
		var wg sync.WaitGroup
		wg.Go(func() {
			if _, _, err := await(t.Context(), c, op); err != nil {
				t.Error(err)
			}
			late = time.Since(ended)
		})
		f.speed = 40
		chain(t, f, c, 100, "quick")
		if !time.Now().After(ended.Add(10 * time.Second)) {
			t.Errorf("the chain was over %s after", time.Since(ended))
		}
		wg.Wait()
		if late > 5*time.Second {
			t.Errorf("seen %s late", late)
		}
	})
}

// One that took long among many quick ones keeps the next ones unseen no longer than
// any other.
func TestOneThatTookLong(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		c := cloud(f)
		f.speed = 40
		chain(t, f, c, 10, "k")
		f.speed = 1
		chain(t, f, c, 1, "k")
		f.speed = 15
		for range 10 {
			if unseen, took := chain(t, f, c, 1, "k"); unseen > 6*time.Second {
				t.Errorf("one that took %s was seen %s late", took, unseen)
			}
		}
	})
}

// Looks are spread by chance, which is the same for the same run.
func TestLooksAreSpread(t *testing.T) {
	t.Parallel()
	looks := func(run string) (at []time.Duration) {
		synctest.Test(t, func(t *testing.T) {
			f := newFake()
			s := f.add("web", "x")
			began := time.Now()
			f.before = func(action string) answer {
				if action == "DescribeStacks" {
					at = append(at, time.Since(began))
				}
				return nil
			}
			c := cloud(f, func(o *cfn.Options) { o.Run = run })
			op := stacks.Operation{Verb: stacks.Create, Access: access, Name: "web", StackID: s.id, Token: "x", Accepted: began}
			if _, _, err := await(t.Context(), c, op); err != nil {
				t.Fatal(err)
			}
		})
		return at
	}
	one, again, other := looks("one"), looks("one"), looks("other")
	if !slices.Equal(one, again) {
		t.Errorf("the same run looks at %v and at %v", one, again)
	}
	if len(one) < 10 || slices.Equal(one, other) {
		t.Errorf("two runs look at the same times: %v", one)
	}
}
