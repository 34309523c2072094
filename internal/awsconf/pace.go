package awsconf

import (
	"context"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// How a pace changes.
const (
	cutTo      = 0.7             // of what was getting through, after a throttle
	cutPause   = time.Second     // throttles closer together than this are one wave
	raiseEvery = time.Second     // at most
	raiseStart = 1.25            // before the first throttle
	raiseBack  = 1.1             // on the way back to where the last throttle was
	raiseProbe = 1.01            // beyond nearCeiling
	nearCeil   = 0.9             // of the pace at which the last throttle came
	window     = 2 * time.Second // over which what gets through is measured
)

// paces are one for reading and one for writing: AWS counts them apart, so that
// a wave of looks must not hold back what is to be launched.
type paces struct{ read, write *pacer }

// of picks the pace for an operation by its name.
func (p paces) of(operation string) *pacer {
	for _, verb := range [...]string{"Describe", "List", "Get", "Head", "Validate", "Estimate", "Assume"} {
		if strings.HasPrefix(operation, verb) {
			return p.read
		}
	}
	return p.write
}

// pacer holds calls back so that AWS need not. It learns the rate that AWS
// allows: a throttle lowers it, time without one raises it again.
type pacer struct {
	limits Limits
	turn   chan struct{} // held by the one that waits for the limiter: those behind it feel a change at once

	mu       sync.Mutex
	limiter  *rate.Limiter
	ceiling  float64 // where the last throttle came, 0 before the first
	cutAt    time.Time
	raisedAt time.Time
	passed   []time.Time // when calls got through, within the window
}

func newPacer(l Limits) *pacer {
	return &pacer{limits: l, turn: make(chan struct{}, 1), limiter: rate.NewLimiter(rate.Limit(l.Rate), l.Burst)}
}

// wait returns when the next call may go out.
func (p *pacer) wait(ctx context.Context) error {
	select {
	case p.turn <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-p.turn }()
	p.raise()
	if err := p.limiter.Wait(ctx); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return context.DeadlineExceeded // the limiter saw that the deadline comes before the turn
	}
	return nil
}

// accepted notes that a call was answered with anything but a throttle.
func (p *pacer) accepted() {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	p.passed = append(p.passed, now)
	p.forget(now)
}

// forget drops what lies before the window.
func (p *pacer) forget(now time.Time) {
	first := 0
	for first < len(p.passed) && now.Sub(p.passed[first]) > window {
		first++
	}
	p.passed = append(p.passed[:0], p.passed[first:]...)
}

// throttled lowers the pace below what got through of late.
func (p *pacer) throttled() {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	if !p.cutAt.IsZero() && now.Sub(p.cutAt) < cutPause {
		return
	}
	p.forget(now)
	span := window
	if !p.cutAt.IsZero() {
		span = min(window, now.Sub(p.cutAt))
	}
	through := max(float64(len(p.passed))/span.Seconds(), p.limits.Min)
	p.ceiling = min(float64(p.limiter.Limit()), through)
	p.limiter.SetBurst(1) // what AWS allows at once is no longer to be trusted
	p.limiter.SetLimit(rate.Limit(max(p.ceiling*cutTo, p.limits.Min)))
	p.cutAt, p.raisedAt = now, now
	p.passed = p.passed[:0] // what got through before tells nothing about the new pace
}

// raise lets the pace grow with time and use.
func (p *pacer) raise() {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	if p.raisedAt.IsZero() {
		p.raisedAt = now
	}
	if now.Sub(p.raisedAt) < raiseEvery {
		return
	}
	p.raisedAt = now
	current := float64(p.limiter.Limit())
	factor := raiseProbe
	switch {
	case p.ceiling == 0:
		factor = raiseStart
	case current < p.ceiling*nearCeil:
		factor = raiseBack
	}
	p.limiter.SetLimit(rate.Limit(min(current*factor, p.limits.Max)))
}
