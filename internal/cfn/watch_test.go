package cfn_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/deployer-cli/deployer/internal/cfn"
	"github.com/deployer-cli/deployer/stacks"
)

// await watches to the end and returns the last progress and all events.
func await(ctx context.Context, c *cfn.Cloud, op stacks.Operation) (stacks.Progress, []stacks.Event, error) {
	var last stacks.Progress
	var events []stacks.Event
	for p, err := range c.Watch(ctx, op) {
		if err != nil {
			return last, events, err
		}
		last = p
		events = append(events, p.Events...)
	}
	return last, events, nil
}

func TestThreeHundredStacksCostFewCalls(t *testing.T) {
	t.Parallel()
	for name, poll := range map[string]func(*cfn.Options){
		"as in AWS":     func(*cfn.Options) {},
		"often":         func(o *cfn.Options) { o.PollInterval = 150 * time.Millisecond },
		"others' there": func(*cfn.Options) {},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				const n = 300
				f := newFake()
				f.page = 50
				if name == "often" {
					f.speed = 10
				}
				if name == "others' there" {
					for i := range 400 {
						f.add(fmt.Sprintf("other-%d", i), "x")
					}
				}
				launch(t, cloud(f, poll), n, 40)
				perStack := float64(f.total()) / n
				t.Logf("%.2f calls per stack: %v", perStack, f.calls)
				if perStack > 4 {
					t.Errorf("%.2f calls per created stack, want 4 at most", perStack)
				}
			})
		})
	}
}

// launch creates n stacks, so many at a time, and waits for each.
func launch(t *testing.T, c *cfn.Cloud, n, atOnce int) {
	t.Helper()
	slots := make(chan struct{}, atOnce)
	var wg sync.WaitGroup
	for i := range n {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			name := fmt.Sprintf("stack-%03d", i)
			op, err := c.Writer(clearance(t, step(name, false))).Create(t.Context(), change(stacks.Create, name))
			if err != nil {
				t.Errorf("%s: %v", name, err)
				return
			}
			p, _, err := await(t.Context(), c, op)
			if err != nil || p.Status != stacks.CreateComplete || !p.Done || p.Live == nil || p.Live.ID != op.StackID {
				t.Errorf("%s ended %+v, %v", name, p, err)
			}
		})
	}
	wg.Wait()
}

func TestOneStackIsSeenSoon(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		c := cloud(f)
		op, err := c.Writer(clearance(t, step("web", false))).Create(t.Context(), change(stacks.Create, "web"))
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		p, events, err := await(t.Context(), c, op)
		if err != nil || p.Status != stacks.CreateComplete {
			t.Fatalf("%+v, %v", p, err)
		}
		ended := f.stacks[0].phases[3].at
		if late := time.Since(ended); late > 5*time.Second {
			t.Errorf("the end was seen %s late, after %s", late, time.Since(start))
		}
		var got []string
		for _, e := range events {
			got = append(got, e.LogicalID+" "+e.Status)
		}
		want := "web CREATE_IN_PROGRESS, Thing CREATE_IN_PROGRESS, Thing CREATE_COMPLETE, web CREATE_COMPLETE"
		if strings.Join(got, ", ") != want {
			t.Errorf("events %v, want %s", got, want)
		}
	})
}

// What is known of how long a stack takes makes its end be seen sooner, for no
// more calls.
func TestExpectedEndIsSeenSooner(t *testing.T) {
	t.Parallel()
	const ends = 8 // of stacks, at different moments: a single one may end right after a look
	late, calls := map[bool]time.Duration{}, map[bool]int{}
	for _, knows := range []bool{true, false} {
		for more := range ends {
			synctest.Test(t, func(t *testing.T) {
				f := newFake()
				c := cloud(f)
				op, err := c.Writer(clearance(t, step("web", false))).Create(t.Context(), change(stacks.Create, "web"))
				if err != nil {
					t.Fatal(err)
				}
				ended := f.stacks[0].phases[3].at.Add(40*time.Second + time.Duration(more)*700*time.Millisecond)
				f.stacks[0].phases[3].at = ended
				if knows {
					op.Expected = time.Until(ended) * 105 / 100
				}
				if _, _, err := await(t.Context(), c, op); err != nil {
					t.Fatal(err)
				}
				late[knows] += time.Since(ended) / ends
				for _, n := range f.calls {
					calls[knows] += n
				}
			})
		}
	}
	t.Logf("late %v, calls %v", late, calls)
	if late[true] > 700*time.Millisecond || late[false] < 2*late[true] {
		t.Errorf("seen %v late", late)
	}
	if calls[true] > calls[false]*3/2 {
		t.Errorf("%v calls", calls)
	}
}

// updated gives a stack that was updated a while ago and is being updated again
// now, and the operation that does.
func updated(f *fake, end string) stacks.Operation {
	now := time.Now()
	s := f.add("web", "old")
	s.created = now.Add(-time.Hour)
	s.updated = now
	s.phases = []phase{
		{at: now.Add(-time.Hour), status: "CREATE_COMPLETE", token: "old"},
		{at: now.Add(-2 * time.Minute), status: "UPDATE_IN_PROGRESS", reason: "User Initiated", token: "old"},
		{at: now.Add(-time.Minute), status: "UPDATE_COMPLETE", token: "old"},
		{at: now, status: "UPDATE_IN_PROGRESS", reason: "User Initiated", token: "new"},
		{at: now.Add(10 * time.Second), status: "UPDATE_FAILED", reason: "no such queue", resource: "Thing", token: "new"},
		{at: now.Add(20 * time.Second), status: end, token: "new"},
	}
	return stacks.Operation{Verb: stacks.Update, Access: access, Name: "web", StackID: s.id, Token: "new", Accepted: now.Add(-100 * time.Millisecond)}
}

func TestStaleReadsEndNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		op := updated(f, "UPDATE_COMPLETE")
		began := time.Now()
		f.stale = func(*fakeStack) time.Time { // for half a minute every read is of before the update
			if time.Since(began) < 30*time.Second {
				return began.Add(-30 * time.Second)
			}
			return time.Time{}
		}
		p, _, err := await(t.Context(), cloud(f), op)
		if err != nil || p.Status != stacks.UpdateComplete {
			t.Fatalf("%+v, %v", p, err)
		}
		if took := time.Since(began); took < 30*time.Second {
			t.Errorf("ended after %s, on what was read of the update before", took)
		}
		if p.Live.Updated.Before(op.Accepted) {
			t.Errorf("the description is of %s, before the update", p.Live.Updated)
		}
	})
}

// A stack is updated right after it came up, and two of three reads, of its
// description and of its events, is of before the update.
func TestReadsThatGoBackAndForth(t *testing.T) {
	t.Parallel()
	for first := range 3 {
		synctest.Test(t, func(t *testing.T) {
			f := newFake()
			now := time.Now()
			s := f.add("web", "old")
			s.updated = now
			s.phases = []phase{
				{at: now.Add(-20 * time.Second), status: "CREATE_IN_PROGRESS", token: "old"},
				{at: now.Add(-100 * time.Millisecond), status: "CREATE_COMPLETE", token: "old"},
				{at: now, status: "UPDATE_IN_PROGRESS", token: "new"},
				{at: now.Add(30 * time.Second), status: "UPDATE_COMPLETE", token: "new"},
			}
			reads := first
			f.stale = func(*fakeStack) time.Time {
				if reads++; reads%3 != 0 {
					return now.Add(-time.Millisecond)
				}
				return time.Time{}
			}
			op := stacks.Operation{Access: access, Name: "web", StackID: s.id, Token: "new", Accepted: now.Add(-time.Second)}
			for _, op.Verb = range []stacks.Verb{stacks.Update, stacks.Execute} {
				p, events, err := await(t.Context(), cloud(f), op)
				if err != nil || p.Status != stacks.UpdateComplete || time.Since(now) < 30*time.Second {
					t.Errorf("%s ended %s after %s, %v", op.Verb, p.Status, time.Since(now), err)
				}
				ids := make(map[string]bool)
				for _, e := range events {
					if ids[e.ID] {
						t.Errorf("%s was told twice", e.ID)
					}
					ids[e.ID] = true
				}
			}
		})
	}
}

func TestFailureBringsItsReason(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		op := updated(f, "UPDATE_ROLLBACK_COMPLETE")
		p, events, err := await(t.Context(), cloud(f), op)
		if err != nil || p.Status != stacks.UpdateRollbackComplete {
			t.Fatalf("%+v, %v", p, err)
		}
		root, ok := stacks.RootCause(events)
		if !ok || root.Reason != "no such queue" {
			t.Errorf("root cause %+v of %d events", root, len(events))
		}
		for _, e := range events {
			if e.Token != "new" {
				t.Errorf("event of another operation: %+v", e)
			}
		}
	})
}

func TestWatchTable(t *testing.T) {
	t.Parallel()
	now := func(d time.Duration, status, token string) phase {
		return phase{at: time.Now().Add(d), status: status, token: token}
	}
	tests := map[string]struct {
		op     stacks.Operation
		phases func() []phase
		want   stacks.Status
		after  time.Duration
	}{
		"operation id in the description": {
			stacks.Operation{Verb: stacks.Update, OperationID: "op-new"},
			func() []phase {
				return []phase{now(-time.Hour, "UPDATE_COMPLETE", ""), {at: time.Now().Add(20 * time.Second), status: "UPDATE_COMPLETE", operation: "op-new"}}
			}, stacks.UpdateComplete, 20 * time.Second,
		},
		"no tokens anywhere": {
			stacks.Operation{Verb: stacks.Update, Token: "new"},
			func() []phase {
				return []phase{now(-time.Hour, "CREATE_COMPLETE", ""), now(0, "UPDATE_IN_PROGRESS", ""), now(9*time.Second, "UPDATE_COMPLETE", "")}
			}, stacks.UpdateComplete, 9 * time.Second,
		},
		"failed delete before": {
			stacks.Operation{Verb: stacks.Delete, Token: "new"},
			func() []phase {
				return []phase{now(-time.Hour, "DELETE_FAILED", "old"), now(30*time.Second, "DELETE_IN_PROGRESS", "new"), now(40*time.Second, "DELETE_FAILED", "new")}
			}, stacks.DeleteFailed, 40 * time.Second,
		},
		"delete": {
			stacks.Operation{Verb: stacks.Delete, Token: "new"},
			func() []phase {
				return []phase{now(-time.Hour, "CREATE_COMPLETE", "old"), now(0, "DELETE_IN_PROGRESS", "new"), now(15*time.Second, "DELETE_COMPLETE", "new")}
			}, stacks.DeleteComplete, 15 * time.Second,
		},
		"somebody else's": {
			stacks.Operation{Verb: stacks.Update, Joined: true},
			func() []phase {
				return []phase{now(-time.Hour, "CREATE_COMPLETE", "a"), now(-time.Minute, "UPDATE_IN_PROGRESS", "b"), now(12*time.Second, "UPDATE_COMPLETE", "b")}
			}, stacks.UpdateComplete, 12 * time.Second,
		},
		"cancelled": {
			stacks.Operation{Verb: stacks.Cancel, Token: "new"},
			func() []phase {
				return []phase{now(-time.Minute, "UPDATE_IN_PROGRESS", "old"), now(time.Second, "UPDATE_ROLLBACK_IN_PROGRESS", "new"), now(8*time.Second, "UPDATE_ROLLBACK_COMPLETE", "new")}
			}, stacks.UpdateRollbackComplete, 8 * time.Second,
		},
		"rollback continued and failed again": {
			stacks.Operation{Verb: stacks.Continue, Token: "new"},
			func() []phase {
				return []phase{now(-time.Minute, "UPDATE_ROLLBACK_FAILED", "old"), now(20*time.Second, "UPDATE_ROLLBACK_IN_PROGRESS", "new"), now(28*time.Second, "UPDATE_ROLLBACK_FAILED", "new")}
			}, stacks.UpdateRollbackFailed, 28 * time.Second,
		},
		"change set of a new stack": {
			stacks.Operation{Verb: stacks.Execute, Token: "new"},
			func() []phase {
				return []phase{now(-time.Minute, "REVIEW_IN_PROGRESS", ""), now(time.Second, "CREATE_IN_PROGRESS", "new"), now(11*time.Second, "CREATE_COMPLETE", "new")}
			}, stacks.CreateComplete, 11 * time.Second,
		},
		"cleanup is not the end": {
			stacks.Operation{Verb: stacks.Update, Token: "new"},
			func() []phase {
				return []phase{now(0, "UPDATE_IN_PROGRESS", "new"), now(5*time.Second, "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", "new"), now(25*time.Second, "UPDATE_COMPLETE", "new")}
			}, stacks.UpdateComplete, 25 * time.Second,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := newFake()
				s := f.add("web", "")
				s.created, s.phases, s.updated = time.Now().Add(-2*time.Hour), tt.phases(), time.Now()
				op := tt.op
				op.Access, op.Name, op.StackID = access, "web", s.id
				if !op.Joined {
					op.Accepted = time.Now()
				}
				start := time.Now()
				p, _, err := await(t.Context(), cloud(f), op)
				if err != nil || p.Status != tt.want || !p.Done {
					t.Fatalf("ended %+v, %v", p, err)
				}
				if took := time.Since(start); took < tt.after || took > tt.after+10*time.Second {
					t.Errorf("ended after %s, want %s or a little later", took, tt.after)
				}
			})
		})
	}
}

func TestAbsenceIsConfirmedByID(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		f.hide = func(string) bool { return true } // no listing ever shows a stack
		c := cloud(f)
		var wg sync.WaitGroup
		for i := range 5 {
			wg.Go(func() {
				name := fmt.Sprintf("s%d", i)
				op, err := c.Writer(clearance(t, step(name, false))).Create(t.Context(), change(stacks.Create, name))
				if err != nil {
					t.Error(err)
					return
				}
				if p, _, err := await(t.Context(), c, op); err != nil || p.Status != stacks.CreateComplete {
					t.Errorf("%+v, %v", p, err)
				}
			})
		}
		wg.Wait()
	})
}

func TestReadErrorsEndNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		began := time.Now()
		var heard []error
		c := cloud(f, func(o *cfn.Options) { o.Trouble = func(_ stacks.Access, err error) { heard = append(heard, err) } })
		op, err := c.Writer(clearance(t, step("web", false))).Create(t.Context(), change(stacks.Create, "web"))
		if err != nil {
			t.Fatal(err)
		}
		f.before = func(string) answer {
			if time.Since(began) > 10*time.Minute {
				return nil
			}
			return func(w http.ResponseWriter, _ *http.Request) bool {
				fail(w, 500, "InternalFailure", "oops")
				return true
			}
		}
		p, _, err := await(t.Context(), c, op)
		if err != nil || p.Status != stacks.CreateComplete {
			t.Errorf("%+v, %v", p, err)
		}
		if took := time.Since(began); took < 10*time.Minute || took > 12*time.Minute {
			t.Errorf("ended after %s", took)
		}
		synctest.Wait()
		if len(heard) != 2 || heard[0] == nil || heard[1] != nil {
			t.Errorf("heard %v, want the trouble and its end", heard)
		}
	})
}

func TestExpiredCredentials(t *testing.T) {
	t.Parallel()
	for name, back := range map[string]time.Duration{"renewed in time": 100 * time.Second, "never renewed": time.Hour} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := newFake()
				c := cloud(f)
				op, err := c.Writer(clearance(t, step("web", false))).Create(t.Context(), change(stacks.Create, "web"))
				if err != nil {
					t.Fatal(err)
				}
				began := time.Now()
				f.before = func(string) answer {
					if time.Since(began) > back {
						return nil
					}
					return func(w http.ResponseWriter, _ *http.Request) bool {
						fail(w, 403, "ExpiredToken", "The security token included in the request is expired")
						return true
					}
				}
				p, _, err := await(t.Context(), c, op)
				took := time.Since(began)
				if back < time.Hour {
					if err != nil || p.Status != stacks.CreateComplete {
						t.Errorf("%+v, %v", p, err)
					}
					return
				}
				if u, ok := errors.AsType[*stacks.UnknownError](err); !ok || u.Hint() == "" {
					t.Errorf("%v, want an UnknownError", err)
				}
				if took < 2*time.Minute || took > 4*time.Minute {
					t.Errorf("gave up after %s", took)
				}
			})
		})
	}
}

func TestListingDenied(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		f.before = func(action string) answer {
			return func(w http.ResponseWriter, r *http.Request) bool {
				if action == "DescribeStackEvents" || action == "DescribeStacks" && r.Form.Get("StackName") == "" {
					fail(w, 403, "AccessDenied", "no")
					return true
				}
				return false
			}
		}
		launch(t, cloud(f), 6, 6)
	})
}

func TestSlowReaderBlocksNobody(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		c := cloud(f)
		ops := make([]stacks.Operation, 2)
		for i := range ops {
			name := fmt.Sprintf("s%d", i)
			op, err := c.Writer(clearance(t, step(name, false))).Create(t.Context(), change(stacks.Create, name))
			if err != nil {
				t.Fatal(err)
			}
			ops[i] = op
		}
		var wg sync.WaitGroup
		wg.Go(func() {
			var events int
			for p, err := range c.Watch(t.Context(), ops[0]) {
				if err != nil {
					t.Error(err)
				}
				events += len(p.Events)
				time.Sleep(10 * time.Minute)
			}
			if events != 4 {
				t.Errorf("the slow reader got %d events, want all 4", events)
			}
		})
		start := time.Now()
		if p, _, err := await(t.Context(), c, ops[1]); err != nil || p.Status != stacks.CreateComplete {
			t.Errorf("%+v, %v", p, err)
		}
		if took := time.Since(start); took > 70*time.Second {
			t.Errorf("took %s", took)
		}
		wg.Wait()
	})
}

func TestLeavingEndsThePoller(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) { // the bubble itself fails when a goroutine is left
		f := newFake()
		c := cloud(f)
		op, err := c.Writer(clearance(t, step("web", false))).Create(t.Context(), change(stacks.Create, "web"))
		if err != nil {
			t.Fatal(err)
		}
		left := errors.New("left")
		ctx, cancel := context.WithCancelCause(t.Context())
		go func() {
			time.Sleep(5 * time.Second)
			cancel(left)
		}()
		if _, _, err := await(ctx, c, op); !errors.Is(err, left) {
			t.Errorf("got %v", err)
		}
		for range c.Watch(t.Context(), op) {
			break
		}
		n := f.total()
		time.Sleep(time.Hour)
		if f.total() != n {
			t.Errorf("%d calls were made with nobody watching", f.total()-n)
		}
	})
}

func TestForgottenStack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := cloud(newFake()) // knows of no stack, not even by id
		op := stacks.Operation{Verb: stacks.Delete, Access: access, Name: "web", StackID: arn("web"), Accepted: time.Now()}
		if p, _, err := await(t.Context(), c, op); err != nil || p.Status != stacks.DeleteComplete {
			t.Errorf("%+v, %v", p, err)
		}
		op.Verb = stacks.Update
		start := time.Now()
		if p, _, err := await(t.Context(), c, op); err != nil || p.Status != stacks.DeleteComplete || time.Since(start) < 30*time.Second {
			t.Errorf("%+v, %v after %s", p, err, time.Since(start))
		}
	})
}
