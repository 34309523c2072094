// Package flow waits and works side by side for as long as a context lives.
// It never starts anything that outlives the call.
package flow

import (
	"context"
	"sync"
	"time"
)

// Pause returns after d, or with the cause when ctx ends before.
func Pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}

// Each calls do for 0 to n-1, at most limit at a time, and returns when all that
// were begun are done. When ctx ends no more are begun.
func Each(ctx context.Context, limit, n int, do func(int)) {
	var wg sync.WaitGroup
	work := make(chan int)
	for range min(limit, n) {
		wg.Go(func() {
			for i := range work {
				do(i)
			}
		})
	}
	for i := range n {
		if ctx.Err() != nil {
			break
		}
		work <- i
	}
	close(work)
	wg.Wait()
}

// Turn is a lock that can be waited for with a context: what is held while others
// are asked over the network must not keep whoever gives up. The zero Turn is not
// usable: see NewTurn.
type Turn chan struct{}

// NewTurn returns a turn that nobody has.
func NewTurn() Turn { return make(Turn, 1) }

// Take waits until nobody else has the turn and takes it, until end is called. When
// ctx ends while somebody else has it, it returns its cause, and nothing is taken.
func (t Turn) Take(ctx context.Context) (end func(), err error) {
	end = func() { <-t }
	select {
	case t <- struct{}{}:
		return end, nil
	default:
	}
	select {
	case t <- struct{}{}:
		return end, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// EachOf is Each with a limit for each kind of work: what of says the same of
// counts together. Work that waits holds up nothing of another kind.
func EachOf[K comparable](ctx context.Context, limit, n int, of func(int) K, do func(int)) {
	kinds := map[K][]int{}
	for i := range n {
		kinds[of(i)] = append(kinds[of(i)], i)
	}
	var wg sync.WaitGroup
	for _, work := range kinds {
		wg.Go(func() { Each(ctx, limit, len(work), func(i int) { do(work[i]) }) })
	}
	wg.Wait()
}
