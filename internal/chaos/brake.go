package chaos

import (
	"context"
	"sync"
	"time"
)

// Stopped says why a break ended before everything was done. Nothing that it
// forbids was sent to AWS.
type Stopped struct {
	By  string
	Why string
	Tip string
}

// Error says what stopped it and why.
func (e *Stopped) Error() string { return "the break was stopped by " + Stopper(e.By) + ": " + e.Why }

// Stopper names who or what stops a break, in words.
func Stopper(by string) string {
	switch by {
	case ByStop, ByHalt:
		return "a person"
	case ByEnd:
		return "the end of its process"
	case ByBack:
		return "whoever gets it back"
	case ByMoved:
		return "the team's own work"
	case ByGuard:
		return "a guard"
	case ByProbe:
		return "a guard probe"
	case ByFault:
		return "a fault"
	}
	return "the " + by // lever, deadline
}

// Hint tells what to do about it.
func (e *Stopped) Hint() string { return e.Tip }

// ExitCode is that of a break that was stopped.
func (e *Stopped) ExitCode() int { return exitStopped }

// exitStopped is design.md section 4's code for a stopped break.
const exitStopped = 10

// Brake stops a break from any goroutine. Once pulled nothing further starts;
// only the first reason counts. The zero Brake is not usable: see NewBrake.
type Brake struct {
	mu     sync.Mutex
	why    *Stopped
	pulled chan struct{}
}

// NewBrake returns a brake that is not pulled.
func NewBrake() *Brake { return &Brake{pulled: make(chan struct{})} }

// Pull stops the break. It tells whether this was the first pull.
func (b *Brake) Pull(why Stopped) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.why != nil {
		return false
	}
	b.why = &why
	close(b.pulled)
	return true
}

// Pulled gives the reason, nil while the break may go on.
func (b *Brake) Pulled() *Stopped {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.why
}

// Wait lets time pass by a clock. It ends early with the reason when the brake is
// pulled.
func (b *Brake) Wait(ctx context.Context, clock Clock, d time.Duration) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- clock.Wait(ctx, d) }()
	select {
	case err := <-done:
		return err
	case <-b.Done():
		cancel()
		<-done
		return b.Pulled()
	}
}

// Done is closed when the brake is pulled.
func (b *Brake) Done() <-chan struct{} { return b.pulled }
