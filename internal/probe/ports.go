// Package probe looks whether an environment works: it asks what its probes ask,
// again and again, and says what it saw.
//
// It never judges what a reading means (internal/steady does), never changes
// anything, and no probe that hangs keeps another one, or a clock, waiting.
package probe

import (
	"context"
	"net"
	"net/http"
	"time"
)

// Doer sends requests; *http.Client is one. It should follow no redirects: one is
// an answer like any other.
type Doer interface {
	Do(*http.Request) (*http.Response, error)
}

// Runner runs a program for the user and gives the end of what it printed. A
// program that ended badly is a *program.ExitError. When ctx ends it kills the
// program and all that it started, and returns.
type Runner interface {
	Run(ctx context.Context, args []string) (output string, err error)
}

// Alarms reads alarms of CloudWatch.
type Alarms interface {
	// State gives OK, ALARM or INSUFFICIENT_DATA and since when; "" where there is
	// no alarm of that name.
	State(ctx context.Context, name string) (state string, changed time.Time, err error)
}

// Stacks looks stacks up.
type Stacks interface {
	// Up tells whether all stacks that a pattern of paths names are there and
	// serve, and if not, why.
	Up(ctx context.Context, glob string) (ok bool, why string, err error)
}

// Clock is the realm's: readings are stamped, and scheduled, by it.
type Clock interface {
	Now() time.Time
	// Wait returns after d, or with the cause when ctx ends before.
	Wait(ctx context.Context, d time.Duration) error
}

// Ports is what probes reach the world through. A nil port makes the readings of
// the probes that need it Unknown; Clock is required.
type Ports struct {
	Client Doer
	Dial   func(ctx context.Context, network, address string) (net.Conn, error)
	Runner Runner
	Alarms Alarms
	Stacks Stacks
	Clock  Clock
}
