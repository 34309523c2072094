package cli

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/deployer-cli/deployer/internal/flow"
	"github.com/deployer-cli/deployer/internal/sandbox"
)

// realmClock is the clock by which breaks are stamped and waited for: the
// machine's, or in the sandbox the sandbox's. All who wait in one process have to
// use the same one: at top speed time is moved on by whoever is due first.
type realmClock struct {
	now    func() time.Time
	server *sandbox.Server // nil outside of the sandbox

	mu      sync.Mutex
	waiting []time.Time   // for which times somebody waits
	moved   chan struct{} // closed when somebody has moved time on

	moving sync.Mutex // held while time is moved on
}

// How long the sandbox's time is left alone before anybody looks at it again.
// Others move it, too.
const (
	clockGlance = 250 * time.Millisecond
	clockTurn   = 20 * time.Millisecond // at top speed
)

// clock gives the session's realm's clock.
func (s *session) clock() *realmClock {
	return &realmClock{now: s.now, server: s.server, moved: make(chan struct{})}
}

// Now is the realm's time, in UTC.
func (c *realmClock) Now() time.Time { return c.now().UTC() }

// Wait returns when d has passed by the realm's clock, or with the cause when ctx
// ends before.
func (c *realmClock) Wait(ctx context.Context, d time.Duration) error {
	if c.server == nil {
		return flow.Pause(ctx, d)
	}
	now, err := c.server.Time(ctx)
	if err != nil || d <= 0 {
		return err
	}
	until := now.Add(d)
	c.enter(until)
	defer c.leave(until)
	for {
		left, err := c.left(ctx, until)
		if err != nil || left <= 0 {
			return err
		}
		speed, err := c.server.Speed(ctx)
		if err != nil {
			return err
		}
		if speed != sandbox.MaxSpeed {
			if speed <= 0 {
				speed = sandbox.DefaultSpeed
			}
			pause := max(time.Duration(float64(left)/float64(speed)), time.Millisecond)
			if err := flow.Pause(ctx, min(pause, clockGlance)); err != nil {
				return err
			}
			continue
		}
		if err := c.turn(ctx, until, left); err != nil {
			return err
		}
	}
}

func (c *realmClock) left(ctx context.Context, until time.Time) (time.Duration, error) {
	now, err := c.server.Time(ctx)
	return until.Sub(now), err
}

func (c *realmClock) enter(until time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.waiting = append(c.waiting, until)
}

func (c *realmClock) leave(until time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if i := slices.IndexFunc(c.waiting, until.Equal); i >= 0 {
		c.waiting = slices.Delete(c.waiting, i, i+1)
	}
}

// turn is one round of waiting at top speed, where nothing but a wait takes time.
// Whoever is due first moves time on; a moment before that is left to those who
// are at work and about to wait for something earlier. Waiting goes at the usual
// speed all the same: an exercise in which hours pass while a person types, or
// another program starts, would measure nothing.
func (c *realmClock) turn(ctx context.Context, until time.Time, left time.Duration) error {
	first, moved := c.first(until)
	pause := clockTurn
	if first {
		pause = min(max(sandboxPollMax, time.Duration(float64(left)/float64(sandbox.DefaultSpeed))), clockGlance)
	}
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-moved:
		return nil
	case <-timer.C:
	}
	if still, _ := c.first(until); !first || !still { // whoever was due before may just have left
		return nil
	}
	if step := pause * time.Duration(sandbox.DefaultSpeed); step < left && pause == clockGlance {
		until = until.Add(step - left) // a long wait is not over in a moment
	}
	return c.move(ctx, until)
}

func (c *realmClock) first(until time.Time) (bool, <-chan struct{}) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !until.After(slices.MinFunc(c.waiting, time.Time.Compare)), c.moved
}

// move moves the sandbox's time on, unless that has happened already.
func (c *realmClock) move(ctx context.Context, until time.Time) error {
	c.moving.Lock()
	defer c.moving.Unlock()
	left, err := c.left(ctx, until)
	if err != nil || left <= 0 {
		return err
	}
	if _, err := c.server.Advance(ctx, left); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	close(c.moved)
	c.moved = make(chan struct{})
	return nil
}
