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
	cutTo      = 0.7                     // of what was getting through, after a throttle
	cutPause   = time.Second             // throttles closer together than this are one wave
	raiseEvery = time.Second             // at most
	raiseStart = 1.25                    // before the first throttle
	raiseBack  = 1.1                     // on the way back to where the last throttle was
	raiseProbe = 0.01                    // beyond nearCeiling, more with each raise
	nearCeil   = 0.9                     // of the pace at which the last throttle came
	window     = 2 * time.Second         // over which what gets through is measured
	measured   = 1500 * time.Millisecond // the least over which it is: a wave after a pause took no time at all
	mostAtOnce = 256                     // calls under way while nobody has throttled
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
//
// A pacer that opens begins with few calls under way, and one more for each that
// was accepted: twice as many with every round trip, so that hundreds go out
// within seconds where AWS lets them, and hardly more than it lets through are
// throttled where it does not. The first throttle ends that for good.
type pacer struct {
	limits Limits
	turn   chan struct{} // held by the one that waits: those behind it feel a change at once
	news   chan struct{} // the one that waits may look again

	mu       sync.Mutex
	limiter  *rate.Limiter
	opening  int // calls that may be under way, 0 where the rate alone counts
	flying   int // calls under way
	ceiling  float64
	cutAt    time.Time
	raisedAt time.Time
	probes   int         // raises beyond the ceiling since the last throttle
	before   float64     // the pace before the last cut,
	wave     int         // and the calls that were under way then, and are still
	passed   []time.Time // when calls got through, within the window
}

func newPacer(l Limits, opening int) *pacer {
	return &pacer{
		limits: l, turn: make(chan struct{}, 1), news: make(chan struct{}, 1), opening: opening,
		limiter: rate.NewLimiter(rate.Limit(l.Rate), l.Burst),
	}
}

// wait returns when the next call may go out; done has to be called when it
// ended. Where that takes any time at all, idle is called before, maybe twice.
func (p *pacer) wait(ctx context.Context, idle func()) error {
	select {
	case p.turn <- struct{}{}:
	default:
		idle()
		select {
		case p.turn <- struct{}{}:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	defer func() { <-p.turn }()
	for {
		opening, free := p.take()
		if free {
			return nil
		}
		if !opening {
			break
		}
		idle()
		select {
		case <-p.news:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	p.raise()
	if p.limiter.Tokens() < 1 {
		idle()
	}
	if err := p.limiter.Wait(ctx); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return context.DeadlineExceeded // the limiter saw that the deadline comes before the turn
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.flying++
	return nil
}

// stepAside gives the place of a call under way to another, for as long as it waits for
// something else; the pace has counted it already.
func (p *pacer) stepAside() {
	p.mu.Lock()
	p.flying--
	p.mu.Unlock()
	p.tell()
}

// stepBack takes a place again. Where it fails there is none to give back.
func (p *pacer) stepBack(ctx context.Context) error {
	opening, free := p.take()
	if opening && !free {
		select {
		case p.turn <- struct{}{}:
		case <-ctx.Done():
			return ctx.Err()
		}
		defer func() { <-p.turn }()
	}
	for opening && !free {
		if opening, free = p.take(); free || !opening {
			break
		}
		select {
		case <-p.news:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if free {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.flying++
	return nil
}

// tell wakes the one that waits.
func (p *pacer) tell() {
	select {
	case p.news <- struct{}{}:
	default:
	}
}

// take takes one of the calls that may be under way, where those are counted.
func (p *pacer) take() (opening, free bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.opening == 0 || p.flying >= p.opening {
		return p.opening > 0, false
	}
	p.flying++
	return true, true
}

// done notes how a call ended.
func (p *pacer) done(c class) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.flying--
	late := p.wave > 0 // answers come in the order of the questions, or nearly
	p.wave = max(p.wave-1, 0)
	switch c {
	case throttle:
		p.throttled(time.Now())
	case permanent: // it was answered
		p.accepted(time.Now(), late)
	case passing, lapsed:
	}
	p.tell()
}

// accepted notes a call that got through. One of a wave that was throttled tells
// that more got through than was thought when the pace was cut.
func (p *pacer) accepted(now time.Time, late bool) {
	if late {
		p.ceiling = min(p.ceiling+1/measured.Seconds(), max(p.before, p.limits.Min))
		p.limiter.SetLimit(rate.Limit(max(p.ceiling*cutTo, p.limits.Min)))
		return
	}
	if p.opening > 0 {
		p.opening = min(p.opening+1, mostAtOnce)
	}
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
func (p *pacer) throttled(now time.Time) {
	if !p.cutAt.IsZero() && now.Sub(p.cutAt) < cutPause {
		return
	}
	p.opening = 0
	p.before, p.wave = float64(p.limiter.Limit()), p.flying
	p.ceiling = max(p.through(now), p.limits.Min)
	p.limiter.SetBurst(1) // what AWS allows at once is no longer to be trusted
	p.limiter.SetLimit(rate.Limit(max(p.ceiling*cutTo, p.limits.Min)))
	p.cutAt, p.raisedAt, p.probes = now, now, 0
	p.passed = p.passed[:0] // what got through before tells nothing about the new pace
}

// through estimates at which pace AWS lets calls through: as it did in the
// window, counting from the first call in it.
func (p *pacer) through(now time.Time) float64 {
	p.forget(now)
	current := float64(p.limiter.Limit())
	if len(p.passed) == 0 {
		return min(current, p.limits.Min)
	}
	span := max(now.Sub(p.passed[0]), measured)
	return min(current, float64(len(p.passed))/span.Seconds())
}

// raise lets the pace grow with time, and beyond where it was throttled with
// use.
func (p *pacer) raise() {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	if p.raisedAt.IsZero() {
		p.raisedAt = now
	}
	for range min(int(now.Sub(p.raisedAt)/raiseEvery), 60) {
		p.raisedAt = now
		current := float64(p.limiter.Limit())
		factor := raiseStart
		switch {
		case p.ceiling > 0 && current < p.ceiling*nearCeil:
			factor = raiseBack
		case p.ceiling > 0:
			p.probes++
			factor = 1 + raiseProbe*float64(p.probes)
		}
		p.limiter.SetLimit(rate.Limit(min(current*factor, p.limits.Max)))
		if p.ceiling == 0 || float64(p.limiter.Limit()) >= p.ceiling*nearCeil {
			return // time alone proves no more
		}
	}
}
