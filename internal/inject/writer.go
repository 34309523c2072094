package inject

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/deployer-cli/deployer/internal/awsconf"
	"github.com/deployer-cli/deployer/internal/guard"
	"github.com/deployer-cli/deployer/stacks"
)

// Writer breaks and puts right, as far as its clearance goes.
type Writer struct {
	// Took is told, by our clock, when AWS takes each call: what that sets going may
	// take long. It may be nil.
	Took func(stacks.Injection, time.Time)

	injector  *Injector
	clearance guard.Clearance
}

// Writer returns what breaks within the clearance. The zero clearance permits
// nothing.
func (i *Injector) Writer(clearance guard.Clearance) *Writer {
	return &Writer{injector: i, clearance: clearance}
}

// Do breaks what was captured. What is broken already stays so and is no error.
// A resource that its stack has replaced since is left alone: *MovedError.
func (w *Writer) Do(ctx context.Context, in stacks.Injection) error {
	if len(in.Before) == 0 {
		return &UnsuitableError{Kind: in.Kind, Path: in.Stack, Why: "how " + in.LogicalID + " is was not captured", Tip: "capture it first, so that it can be put back"}
	}
	now, err := w.injector.current(ctx, in)
	if err != nil {
		return err
	}
	if now.physical != in.PhysicalID {
		return &MovedError{Path: in.Stack, LogicalID: in.LogicalID, Was: in.PhysicalID, Is: now.physical}
	}
	switch in.Kind {
	case DeleteResource:
		return w.deleteResource(ctx, in)
	case StopInstances:
		return w.stopInstances(ctx, in)
	case RevokeIngress:
		return w.revokeIngress(ctx, in)
	case LambdaZero:
		return w.throttleFunction(ctx, in)
	case DisableRule:
		return w.disableRule(ctx, in)
	}
	return noKind(in)
}

// Undo brings back what Capture found, where it is still as the break left it. What
// is whole already, what somebody has set since (Changed tells it), and what its
// stack has replaced since, stays as it is and is no error. A resource that was
// deleted is not made again here: *UnsuitableError.
func (w *Writer) Undo(ctx context.Context, in stacks.Injection) error {
	if in.Kind == DeleteResource {
		return &UnsuitableError{
			Kind: in.Kind, Path: in.Stack, Why: "only its stack can make " + in.LogicalID + " again",
			Tip: "execute a change set that reverts the stack's drift",
		}
	}
	now, err := w.injector.current(ctx, in)
	if err != nil || now.physical != in.PhysicalID {
		return err
	}
	switch in.Kind {
	case StopInstances:
		return w.startInstances(ctx, in)
	case RevokeIngress:
		return w.authorizeIngress(ctx, in)
	case LambdaZero:
		return w.releaseFunction(ctx, in)
	case DisableRule:
		return w.enableRule(ctx, in)
	}
	return noKind(in)
}

// write is one writing call.
type write struct {
	verb      stacks.Verb
	service   string
	operation string
	injection stacks.Injection
	send      func(context.Context, aws.Config) error
}

// do asks for permission and sends.
func (w *Writer) do(ctx context.Context, c write) error {
	cfg, err := w.injector.config(ctx, c.injection.Access)
	if err != nil {
		return err
	}
	if err := w.permit(ctx, cfg.Region, c); err != nil {
		return err
	}
	gated := awsconf.Gated(ctx, func() error { return w.permit(ctx, cfg.Region, c) })
	if err := c.send(gated, cfg); err != nil {
		return awsconf.Explain(ctx, err, awsconf.Call{Service: c.service, Operation: c.operation, Access: c.injection.Access, Write: true})
	}
	if w.Took != nil {
		w.Took(c.injection, w.injector.opts.Now())
	}
	return nil
}

// permit asks the clearance about one call, right before it.
func (w *Writer) permit(ctx context.Context, region string, c write) error {
	account := ""
	if w.injector.opts.Account != nil {
		var err error
		if account, err = w.injector.opts.Account(ctx, c.injection.Access); err != nil {
			return err
		}
	}
	return w.clearance.Permits(guard.Call{
		Verb: c.verb, Path: c.injection.Stack, Name: c.injection.Name, StackID: c.injection.StackID,
		Account: account, Region: region, Endpoint: w.injector.opts.Endpoint,
		Run: w.injector.opts.Run, At: w.injector.opts.Now(),
	})
}

// MovedError says that a stack has another resource under the name than the one
// that was captured.
type MovedError struct {
	Path      stacks.Path
	LogicalID string
	Was, Is   string // physical ids; Is is empty where there is none
}

// Error names both.
func (e *MovedError) Error() string {
	if e.Is == "" {
		return fmt.Sprintf("%s in %s was not touched: %s is not there any more", e.LogicalID, e.Path, e.Was)
	}
	return fmt.Sprintf("%s in %s was not touched: it is %s now, and %s was looked at", e.LogicalID, e.Path, e.Is, e.Was)
}

// Hint says what to do.
func (e *MovedError) Hint() string { return "plan the break again" }

// ExitCode is 10: the target is not the one that was looked at.
func (e *MovedError) ExitCode() int { return 10 }

func noKind(in stacks.Injection) error {
	return &UnsuitableError{Kind: in.Kind, Path: in.Stack, Why: "there is no such kind"}
}

// before reads what a kind's capture wrote.
func before[T any](in stacks.Injection) (T, error) {
	var out T
	if len(in.Before) == 0 {
		return out, &UnsuitableError{Kind: in.Kind, Path: in.Stack, Why: "nothing tells how " + in.LogicalID + " was", Tip: "launch the stack, or put it right by hand"}
	}
	if err := json.Unmarshal(in.Before, &out); err != nil {
		return out, fmt.Errorf("read how %s in %s was: %w", in.LogicalID, in.Stack, err)
	}
	return out, nil
}
