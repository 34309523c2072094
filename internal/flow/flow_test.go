package flow_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/deployer-cli/deployer/internal/flow"
)

func TestPause(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		if err := flow.Pause(t.Context(), time.Minute); err != nil || time.Since(begun) != time.Minute {
			t.Errorf("%v after %v", err, time.Since(begun))
		}
		why := errors.New("enough")
		ctx, cancel := context.WithCancelCause(t.Context())
		go func() { _ = flow.Pause(t.Context(), time.Second); cancel(why) }()
		begun = time.Now()
		if err := flow.Pause(ctx, time.Hour); !errors.Is(err, why) || time.Since(begun) != time.Second {
			t.Errorf("%v after %v", err, time.Since(begun))
		}
	})
}

func TestEach(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var now, most atomic.Int32
		done := make([]bool, 10)
		flow.Each(t.Context(), 3, len(done), func(i int) {
			if n := now.Add(1); n > most.Load() {
				most.Store(n)
			}
			_ = flow.Pause(t.Context(), time.Second)
			now.Add(-1)
			done[i] = true
		})
		for i, ok := range done {
			if !ok {
				t.Errorf("%d was left out", i)
			}
		}
		if most.Load() != 3 {
			t.Errorf("%d at a time", most.Load())
		}
	})
}

func TestEachEndsWithTheContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	begun := 0
	flow.Each(ctx, 1, 100, func(int) { begun++; cancel() })
	// One may have been handed over before the end was seen.
	if begun < 1 || begun > 2 {
		t.Errorf("%d were begun", begun)
	}
	flow.Each(ctx, 4, 0, func(int) { t.Error("there was nothing to do") })
}

func TestTurn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		turn := flow.NewTurn()
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		end, err := turn.Take(gone) // it is free: nobody waits
		if err != nil {
			t.Fatal(err)
		}
		why := errors.New("enough")
		ctx, leave := context.WithCancelCause(t.Context())
		go func() { _ = flow.Pause(t.Context(), time.Minute); leave(why) }()
		if _, err := turn.Take(ctx); !errors.Is(err, why) {
			t.Errorf("%v", err)
		}
		go func() { _ = flow.Pause(t.Context(), time.Minute); end() }()
		begun := time.Now()
		if end, err = turn.Take(t.Context()); err != nil || time.Since(begun) != time.Minute {
			t.Errorf("%v after %v", err, time.Since(begun))
		}
		end()
	})
}

func TestEachOf(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		var quick atomic.Int64 // when the last of the quick ones was done
		done := make([]bool, 40)
		flow.EachOf(t.Context(), 2, len(done), func(i int) bool { return i < 20 }, func(i int) {
			wait := time.Second
			if i < 20 {
				wait = time.Minute
			}
			_ = flow.Pause(t.Context(), wait)
			if done[i] = true; i >= 20 {
				quick.Store(int64(time.Since(begun)))
			}
		})
		if took := time.Since(begun); time.Duration(quick.Load()) != 10*time.Second || took != 10*time.Minute {
			t.Errorf("the quick ones took %s, all %s", time.Duration(quick.Load()), took)
		}
		for i, ok := range done {
			if !ok {
				t.Errorf("%d was left out", i)
			}
		}
	})
}
