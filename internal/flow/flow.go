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
