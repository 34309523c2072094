package sandbox

import (
	"context"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/deployer-cli/deployer/internal/sandbox/engine"
	"github.com/deployer-cli/deployer/internal/sandbox/store"
)

// fakeEngine has things fall due and forgets them; it counts its writes.
type fakeEngine struct{ calls, advances atomic.Int64 }

const fakeDue = "fake.due"

func (f *fakeEngine) Call(_ engine.Tx, at time.Time, _ engine.Account, action string, in any) (any, error) {
	f.calls.Add(1)
	if action == "DeleteStack" {
		return nil, invalid("ValidationError", "no")
	}
	if d, ok := in.(*engine.DescribeStacksInput); ok && d.StackName == "panic" {
		panic("at the disco")
	}
	return &engine.DescribeStacksOutput{Stacks: []engine.Stack{{StackName: "a", CreationTime: at}}}, nil
}

func (f *fakeEngine) Advance(tx engine.Tx, until time.Time) (bool, error) {
	due := false
	for {
		at, ok, err := f.NextDue(tx)
		if err != nil || !ok || at.After(until) {
			return due, err
		}
		f.advances.Add(1)
		due = true
		if err := tx.Delete(fakeDue, at.Format(time.RFC3339Nano)); err != nil {
			return due, err
		}
	}
}

func (f *fakeEngine) NextDue(tx engine.Tx) (at time.Time, ok bool, err error) {
	err = tx.Scan(fakeDue, "", "", func(key string, _ []byte) bool {
		at, _ = time.Parse(time.RFC3339Nano, key)
		ok = true
		return false
	})
	return at, ok, err
}

// countingStore counts updates.
type countingStore struct {
	Store
	updates atomic.Int64
}

func (c *countingStore) Update(ctx context.Context, fn func(store.Tx) error) error {
	c.updates.Add(1)
	return c.Store.Update(ctx, fn)
}

// start is the real time at which the tests' clocks begin.
var start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

type rig struct {
	*Server
	t      *testing.T
	now    time.Time
	engine *fakeEngine
	store  *countingStore
}

func newRig(t *testing.T, opts Options) *rig {
	t.Helper()
	r := &rig{t: t, now: start, engine: &fakeEngine{}, store: &countingStore{Store: store.NewMemory()}}
	opts.Store, opts.Now = r.store, func() time.Time { return r.now }
	r.Server = New(opts)
	r.Server.engine = r.engine
	return r
}

func (r *rig) due(ats ...time.Duration) {
	r.t.Helper()
	err := r.store.Store.Update(r.t.Context(), func(tx store.Tx) error {
		for _, at := range ats {
			if err := tx.Put(fakeDue, start.Add(at).Format(time.RFC3339Nano), nil); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		r.t.Fatal(err)
	}
}

// get sends a CloudFormation request and answers the simulated time since start.
func (r *rig) get(action string) time.Duration {
	r.t.Helper()
	res := r.send(action)
	at, err := http.ParseTime(res.Header.Get("Date"))
	if err != nil {
		r.t.Fatal(err)
	}
	return at.Sub(start)
}

func (r *rig) send(query string) *http.Response {
	r.t.Helper()
	req := httptest.NewRequestWithContext(r.t.Context(), http.MethodGet, "/?Action="+query, nil)
	res, err := r.Client().Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	return res
}

func TestClockRuns(t *testing.T) {
	t.Parallel()
	r := newRig(t, Options{})
	check := func(want time.Duration) {
		t.Helper()
		if got := r.get("DescribeStacks"); got != want {
			t.Errorf("simulated time is %v, want %v", got, want)
		}
	}
	check(0)
	r.now = r.now.Add(time.Second)
	check(time.Minute) // sixty times as fast
	r.now = r.now.Add(-10 * time.Minute)
	check(time.Minute) // never backwards
	r.now = r.now.Add(time.Second)
	check(2 * time.Minute) // and on from there, although the real clock is behind

	if err := r.SetSpeed(t.Context(), 3600); err != nil {
		t.Fatal(err)
	}
	r.now = r.now.Add(time.Second)
	check(62 * time.Minute)
	if at, err := r.Advance(t.Context(), time.Hour); err != nil || at.Sub(start) != 122*time.Minute {
		t.Errorf("advanced to %v, %v", at, err)
	}
	check(122 * time.Minute)
	if _, err := r.Advance(t.Context(), -1); err == nil {
		t.Error("advanced backwards")
	}
}

func TestReadsWriteNothing(t *testing.T) {
	t.Parallel()
	r := newRig(t, Options{})
	r.get("DescribeStacks") // starts the clock
	before := r.store.updates.Load()
	for range 10 {
		r.now = r.now.Add(time.Second)
		r.get("DescribeStacks")
	}
	if n := r.store.updates.Load() - before; n != 0 {
		t.Errorf("ten reads with nothing due made %d updates", n)
	}
	r.due(30 * time.Minute)
	r.now = r.now.Add(time.Hour)
	r.get("DescribeStacks")
	r.get("DescribeStacks")
	if n := r.store.updates.Load() - before; n != 1 || r.engine.advances.Load() != 1 {
		t.Errorf("one thing due: %d updates, %d advances", n, r.engine.advances.Load())
	}
}

func TestMaxJumps(t *testing.T) {
	t.Parallel()
	r := newRig(t, Options{Speed: MaxSpeed})
	r.due(time.Minute, 2*time.Minute, time.Hour)
	for i, want := range []time.Duration{time.Minute, 2 * time.Minute, time.Hour, time.Hour} {
		if got := r.get("DescribeStacks"); got != want {
			t.Errorf("read %d: at %v, want %v", i, got, want)
		}
	}
	r.now = r.now.Add(5 * time.Second)
	if got := r.get("DescribeStacks"); got != time.Hour+5*time.Second {
		t.Errorf("with nothing due time is real: %v", got)
	}
	r.due(2 * time.Hour)
	if got := r.get("GetCallerIdentity&Version=2011-06-15"); got != time.Hour+5*time.Second {
		t.Errorf("a read of another service jumped to %v", got)
	}
	if got := r.get("DeleteStack"); got != time.Hour+5*time.Second {
		t.Errorf("a write jumped to %v", got)
	}
}

// A refusal is an answer: what was due before it stays done, or a client at full
// speed that only asks for what is gone would never get further.
func TestRefusalKeepsWhatWasDue(t *testing.T) {
	t.Parallel()
	r := newRig(t, Options{Speed: MaxSpeed})
	r.get("DescribeStacks")
	r.due(time.Minute)
	r.now = r.now.Add(time.Hour)
	if res := r.send("DeleteStack"); res.StatusCode != http.StatusBadRequest {
		t.Fatal(res.Status)
	}
	err := r.store.View(t.Context(), func(tx store.Tx) error {
		if _, ok, err := r.engine.NextDue(tx); ok || err != nil {
			t.Errorf("still due: %v %v", ok, err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestSpeedOfTheOptionsIsSetOnce(t *testing.T) {
	t.Parallel()
	r := newRig(t, Options{Speed: 2})
	r.get("DescribeStacks")
	r.now = r.now.Add(time.Minute)
	if got := r.get("DescribeStacks"); got != 2*time.Minute {
		t.Errorf("at twice the speed: %v", got)
	}
	if err := r.SetSpeed(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	r.now = r.now.Add(time.Minute)
	if got := r.get("DescribeStacks"); got != 3*time.Minute {
		t.Errorf("after SetSpeed: %v", got)
	}
	other := New(Options{Store: r.store, Now: func() time.Time { return r.now }})
	other.engine = r.engine
	if st, err := other.Status(t.Context()); err != nil || st.Speed != "1" {
		t.Errorf("another server on the store: %+v %v", st, err)
	}
	if err := r.SetSpeed(t.Context(), 0); err == nil {
		t.Error("speed 0 was taken")
	}
}

func TestTheCalendarEnds(t *testing.T) {
	t.Parallel()
	r := newRig(t, Options{Speed: maxNumber})
	r.get("DescribeStacks")
	r.now = r.now.Add(200 * 365 * 24 * time.Hour)
	if got, err := r.Time(t.Context()); err != nil || !got.Equal(last()) {
		t.Errorf("got %v %v", got, err)
	}
	r.get("DescribeStacks")
}

func TestParseSpeed(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]Speed{"1": 1, "0.5": 0.5, "60": 60, "max": MaxSpeed} {
		got, err := ParseSpeed(text)
		if err != nil || got != want || got.String() != text {
			t.Errorf("%s: %v %v", text, got, err)
		}
	}
	for _, text := range []string{"", "0", "-1", "fast", "NaN", "Inf", "1e9"} {
		if _, err := ParseSpeed(text); err == nil {
			t.Errorf("%q was taken", text)
		}
	}
}

// Several processes share a store: two servers whose real clocks differ.
func TestServersWithDifferentClocks(t *testing.T) {
	t.Parallel()
	db, err := store.Open(filepath.Join(t.TempDir(), "state.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	now := start
	ahead := New(Options{Store: db, Now: func() time.Time { return now.Add(time.Second) }})
	behind := New(Options{Store: db, Now: func() time.Time { return now }})
	var before time.Time
	for i := range 20 {
		s := ahead
		if i%2 == 1 {
			s = behind
		}
		at, err := s.Advance(t.Context(), 0)
		if err != nil {
			t.Fatal(err)
		}
		if at.Before(before) {
			t.Errorf("time went back from %v to %v", before, at)
		}
		before = at
		now = now.Add(100 * time.Millisecond)
	}
}

func TestDelayInABubble(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{Store: store.NewMemory()})
		s.engine = &fakeEngine{}
		if _, err := s.AddFault(t.Context(), Fault{Delay: 90 * time.Second, Count: 1}); err != nil {
			t.Fatal(err)
		}
		begin := time.Now()
		req := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader("Action=DescribeStacks"))
		if res, err := s.Client().Do(req); err != nil || res.StatusCode != http.StatusOK {
			t.Fatal(res, err)
		}
		if waited := time.Since(begin); waited != 90*time.Second {
			t.Errorf("waited %v", waited)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := s.AddFault(ctx, Fault{Delay: time.Hour}); err != nil {
			t.Fatal(err)
		}
		begin = time.Now()
		if _, err := s.Client().Do(req.Clone(ctx)); err == nil || time.Since(begin) != time.Second {
			t.Errorf("a client that gave up: %v after %v", err, time.Since(begin))
		}
	})
}

func TestPanicIsAnAnswer(t *testing.T) {
	t.Parallel()
	r := newRig(t, Options{})
	res := r.send("DescribeStacks&StackName=panic")
	if res.StatusCode != http.StatusInternalServerError {
		t.Error(res.Status)
	}
	if res := r.send("DescribeStacks"); res.StatusCode != http.StatusOK {
		t.Errorf("afterwards: %s", res.Status)
	}
}
