package cli

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/deployer-cli/deployer/internal/event"
	"github.com/deployer-cli/deployer/internal/notify"
)

const (
	// beforehand is how long the first call waits for those who are to know before it.
	beforehand = 5 * time.Second
	// afterwards is how long the end of a command waits for those who are still being told,
	// and atTheEnd where that was the end of the exercise: for who takes his time over the
	// message that he is at, that it is restored, and that it is finished.
	afterwards = 11 * time.Second
	atTheEnd   = 3*10*time.Second + time.Second
)

// crier tells people and programs outside what happens, beside what happens: who hangs
// delays nothing. Each target is told one thing after the other.
type crier struct {
	out sync.WaitGroup

	mu   sync.Mutex
	last map[string]<-chan struct{} // of each target: closed when it was told
	said map[string]bool            // what was warned of: once is enough
	warn func(error)
	cut  []context.CancelFunc

	ended time.Time       // since when the command only waits for who is told, zero before
	final bool            // somebody is told that it is over
	hung  map[string]bool // did not answer since
}

func newCrier(warn func(error)) *crier {
	return &crier{last: map[string]<-chan struct{}{}, said: map[string]bool{}, hung: map[string]bool{}, warn: warn}
}

// cry tells every target. What it gives is closed when all were told, or given up.
func (c *crier) cry(ctx context.Context, targets []notify.Target, a event.Announcement, ports notify.Ports) <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	c.cut = append(c.cut, cancel)
	c.final = c.final || lasting(a.Event)
	ends := make([]<-chan struct{}, 0, len(targets))
	for _, t := range targets {
		before, end := c.last[t.Name], make(chan struct{})
		c.last[t.Name] = end
		ends = append(ends, end)
		c.out.Go(func() {
			defer close(end)
			if before != nil {
				<-before
			}
			if err := c.spare(t.Name, a.Event, end); err != nil {
				c.failed(err)
				return
			}
			for _, err := range notify.Send(ctx, []notify.Target{t}, a, ports) {
				c.failed(err)
				c.late(t.Name, err)
			}
		})
	}
	told := make(chan struct{})
	c.out.Go(func() {
		defer close(told)
		for _, end := range ends {
			<-end
		}
	})
	return told
}

// lasting tells whether an event is how the exercise ended: nothing that comes after it
// takes its place.
func lasting(what string) bool { return what == event.Restored || what == event.Finished }

// spare tells why a target is not told of something any more, nil where it is: at the end
// the latest counts, and who has not answered by then is not asked again.
func (c *crier) spare(target, what string, end <-chan struct{}) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.ended.IsZero() || time.Since(c.ended) < time.Second: // who is quick hears everything
		return nil
	case c.hung[target]:
		return &notify.Error{Target: target, Why: "it was given up"}
	case !lasting(what) && c.last[target] != end:
		return &notify.Error{Target: target, Why: "what came after it (" + what + ") was sent instead"}
	}
	return nil
}

// late notes who does not answer while everybody waits for that.
func (c *crier) late(target string, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e, ok := errors.AsType[*notify.Error](err); ok && e.Late && !c.ended.IsZero() {
		c.hung[target] = true
	}
}

func (c *crier) failed(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.said[err.Error()] {
		c.said[err.Error()] = true
		c.warn(err)
	}
}

// into makes warn take in who was not told, until back is called.
func (c *crier) into(warn func(error)) (back func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	before := c.warn
	c.warn = warn
	return func() { c.into(before) }
}

// wait returns when everybody was told, or ctx ends. Who is not by then is given up.
func (c *crier) wait(ctx context.Context) {
	c.mu.Lock()
	c.ended = time.Now()
	limit := afterwards
	if c.final {
		limit = atTheEnd
	}
	c.mu.Unlock()
	done := make(chan struct{})
	go func() {
		defer close(done)
		c.out.Wait()
	}()
	within(ctx, done, limit)
	c.mu.Lock()
	for _, cut := range c.cut {
		cut()
	}
	c.mu.Unlock()
	<-done
}

// within waits until something is done, ctx ends or d has passed.
func within(ctx context.Context, done <-chan struct{}, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-done:
	case <-ctx.Done():
	case <-timer.C:
	}
}

// unsent says on the screen who was not told.
func (a *app) unsent(err error) { fmt.Fprintf(a.talk(), "%s %v\n", a.err.Warn("warning:"), err) }
