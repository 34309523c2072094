// Package notify tells people and programs outside about an exercise: a webhook,
// a command, a topic of SNS, a function of Lambda.
//
// It never shows the address of a webhook, never names a stack or an account to a
// target without full_detail, and never keeps a break waiting for long.
package notify

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/deployer-cli/deployer/internal/event"
	"github.com/deployer-cli/deployer/stacks"
)

// Target is one place to tell. Exactly one of Webhook, SNS, Command and Lambda
// says which.
type Target struct {
	Name       string
	Webhook    string   // the variable of the environment that holds the address
	SNS        string   // ARN of a topic
	Command    []string // gets the announcement as JSON on its standard input
	Lambda     string   // name or ARN of a function
	FullDetail bool     // may be told stack names and the account
	Pos        stacks.Pos
}

// Kind is the key that the target is written with; "" for the zero Target.
func (t Target) Kind() string {
	switch {
	case t.Webhook != "":
		return "webhook"
	case t.SNS != "":
		return "sns"
	case len(t.Command) > 0:
		return "command"
	case t.Lambda != "":
		return "lambda"
	}
	return ""
}

// Doer sends requests; *http.Client is one. It should follow no redirects.
type Doer interface {
	Do(*http.Request) (*http.Response, error)
}

// Runner runs a program for the user with something on its standard input. When
// ctx ends it kills the program and all that it started, and returns.
type Runner interface {
	Run(ctx context.Context, args []string, stdin []byte) error
}

// Topics publishes to SNS.
type Topics interface {
	Publish(ctx context.Context, topic string, m Message) error
}

// Functions invokes functions of Lambda and waits for no answer.
type Functions interface {
	Invoke(ctx context.Context, function string, payload []byte) error
}

// Ports is what announcements go out through. What a nil port would do is an
// error.
type Ports struct {
	Client    Doer
	Environ   func(name string) string // a variable of the user's environment
	Runner    Runner
	Topics    Topics
	Functions Functions
}

// patience is how long one target may take, and mercy how long one that took
// longer is still waited for, so that a program it started is gone.
const (
	patience = 10 * time.Second
	mercy    = time.Second
)

// Error says that one target was not told. It never holds an address.
type Error struct {
	Target string
	Why    string
	Tip    string
	Late   bool // it did not answer in time
}

// Error names the target and why.
func (e *Error) Error() string { return "notification " + e.Target + " was not sent: " + e.Why }

// Hint tells what to do, "" when nothing is known.
func (e *Error) Hint() string { return e.Tip }

// Send tells every target, all at once, each for ten seconds at most, and returns
// when all were told or given up. The errors, of type *Error, are those of the
// targets that were not told, in the order of targets; none of them is a reason to
// stop anything.
func Send(ctx context.Context, targets []Target, a event.Announcement, ports Ports) []error {
	failed := make([]error, len(targets))
	var wg sync.WaitGroup
	for i, t := range targets {
		wg.Go(func() { failed[i] = send(ctx, t, a, ports) })
	}
	wg.Wait()
	return slices.DeleteFunc(failed, func(err error) bool { return err == nil })
}

func send(ctx context.Context, t Target, a event.Announcement, ports Ports) error {
	bounded, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	answer := make(chan error, 1)
	go func() { answer <- tell(bounded, t, a, ports) }()
	var err error
	select {
	case err = <-answer:
	case <-bounded.Done():
		await(answer)
		err = context.Cause(bounded)
	}
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return &Error{Target: t.Name, Why: "it was given up"}
	case errors.Is(err, context.DeadlineExceeded) || bounded.Err() != nil:
		return &Error{Target: t.Name, Why: fmt.Sprintf("it took longer than %s", patience), Late: true}
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return &Error{Target: t.Name, Why: e.Why, Tip: e.Tip}
	}
	out := &Error{Target: t.Name, Why: err.Error()}
	if h, ok := errors.AsType[interface {
		error
		Hint() string
	}](err); ok {
		out.Tip = h.Hint()
	}
	return out
}

func await(answer <-chan error) {
	timer := time.NewTimer(mercy)
	defer timer.Stop()
	select {
	case <-answer:
	case <-timer.C:
	}
}

func tell(ctx context.Context, t Target, a event.Announcement, ports Ports) error {
	switch {
	case t.Webhook != "" && ports.Client != nil && ports.Environ != nil:
		address := strings.TrimSpace(ports.Environ(t.Webhook))
		if address == "" {
			return &Error{Why: "the variable " + t.Webhook + " is not set", Tip: "set " + t.Webhook + " to the address of the webhook, or take the target out of notify"}
		}
		return post(ctx, address, WebhookBody(a, t), ports.Client)
	case t.SNS != "" && ports.Topics != nil:
		return ports.Topics.Publish(ctx, t.SNS, SNSMessage(a, t))
	case len(t.Command) > 0 && ports.Runner != nil:
		return ports.Runner.Run(ctx, t.Command, Body(a, t))
	case t.Lambda != "" && ports.Functions != nil:
		return ports.Functions.Invoke(ctx, t.Lambda, Body(a, t))
	}
	return &Error{Why: "a target of kind " + t.Kind() + " cannot be reached here"}
}
