package awsconf

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/smithy-go/middleware"

	"github.com/deployer-cli/deployer/stacks"
)

const (
	firstThrottleDelay = 500 * time.Millisecond
	maxThrottleDelay   = 8 * time.Second
	firstRetryDelay    = 250 * time.Millisecond
	maxRetryDelay      = 5 * time.Second
	firstRenewalDelay  = time.Second      // between two looks for credentials
	unmet              = 15 * time.Minute // for a service that never answered: there may be no way to it from here
)

// errGaveUp ends the attempts of one call; what it failed with stands beside it.
var errGaveUp = errors.New("no more attempts")

// retryer is the SDK's view of the paces: it waits before each attempt, repeats
// what was throttled for as long as it takes, and what failed for another
// passing reason a few times, or, once Endure was called, until the limits end
// it. A repeated write carries the same token, which is what makes repeating it
// safe.
type retryer struct {
	access    stacks.Access
	limits    Limits
	paces     *shared
	counter   *Counter
	standing  *standing
	renewing  *renewing
	enduring  *atomic.Bool
	throttled func(stacks.Access, string)
}

var _ aws.RetryerV2 = (*retryer)(nil)

// callState is what one call, attempts and all, has been through. It is only
// touched by the goroutine that makes the call.
type callState struct {
	started  time.Time
	failures int  // for passing reasons other than throttling
	open     bool // AWS may have accepted an attempt

	end func(error) // of the attempt that is under way, once, nil before the first
}

type callStateKey struct{}

// addCallState gives every call its own state, in the context because the SDK
// shares one retryer among all calls. The end of each attempt is noted here as well: with
// its new retries (AWS_NEW_RETRIES_2026) the SDK tells the retryer of the first one only.
func addCallState(s *middleware.Stack) error {
	if _, retries := s.Finalize.Get("Retry"); retries {
		err := s.Finalize.Insert(middleware.FinalizeMiddlewareFunc("DeployerAttemptEnd",
			func(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (middleware.FinalizeOutput, middleware.Metadata, error) {
				out, metadata, err := next.HandleFinalize(ctx, in)
				if state, _ := ctx.Value(callStateKey{}).(*callState); state != nil && state.end != nil {
					state.end(err)
				}
				return out, metadata, err
			}), "Retry", middleware.After)
		if err != nil {
			return err
		}
	}
	return s.Initialize.Add(middleware.InitializeMiddlewareFunc("DeployerCallState",
		func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
			return next.HandleInitialize(context.WithValue(ctx, callStateKey{}, &callState{started: time.Now()}), in)
		}), middleware.Before)
}

// IsErrorRetryable tells whether another attempt may succeed.
func (r *retryer) IsErrorRetryable(err error) bool {
	return classify(err) != permanent || r.enduring.Load() && unreachable(err)
}

// MaxAttempts is without bound; GetRetryToken ends them.
func (r *retryer) MaxAttempts() int { return 0 }

// RetryDelay grows with each attempt and has chance in it, so that those who
// failed together do not come back together.
func (r *retryer) RetryDelay(attempt int, err error) (time.Duration, error) {
	first, limit := firstRetryDelay, maxRetryDelay
	switch classify(err) {
	case throttle:
		first, limit = firstThrottleDelay, maxThrottleDelay
	case lapsed:
		first = firstRenewalDelay
	case permanent, passing:
	}
	d := min(first<<min(max(attempt-1, 0), 10), limit)
	return d/2 + rand.N(d/2), nil //nolint:gosec // chance, not secrecy
}

// GetRetryToken decides whether there is another attempt.
func (r *retryer) GetRetryToken(ctx context.Context, err error) (func(error) error, error) {
	state, _ := ctx.Value(callStateKey{}).(*callState)
	if state == nil {
		return nil, errGaveUp
	}
	switch classify(err) {
	case throttle:
		patience := r.limits.Patience
		if r.enduring.Load() {
			patience = max(patience, r.limits.Outage) // it slows a run and fails nothing
		}
		if time.Since(state.started) < patience {
			yieldOf(ctx).idle(r.changes(ctx)) // AWS began nothing
			return release, nil
		}
	case lapsed:
		if d, _, ok := r.endured(ctx, err); ok && d < r.limits.Renewal {
			yieldOf(ctx).idle(r.changes(ctx))
			return release, nil
		}
	case passing, permanent:
		state.failures++
		if classify(err) == passing && state.failures < r.limits.Attempts {
			return release, nil
		}
		d, met, ok := r.endured(ctx, err)
		limit := r.limits.Outage
		if !met && statusOf(err) == 0 {
			limit = min(limit, unmet)
		}
		if ok && d < limit {
			return release, nil
		}
	}
	return nil, errGaveUp
}

// endured tells for how long this kind of failure has been going on, and whether
// the service has answered before; ok is false where nobody is to wait for its end.
func (r *retryer) endured(ctx context.Context, err error) (d time.Duration, met, ok bool) {
	if brief, _ := ctx.Value(briefKey{}).(bool); brief || !r.enduring.Load() {
		return 0, false, false
	}
	call := Call{Service: awsmiddleware.GetServiceID(ctx), Operation: awsmiddleware.GetOperationName(ctx), Access: r.access}
	return r.standing.since(call, err)
}

// serviceOfStacks is how the SDK calls the service whose changes wait for each other.
const serviceOfStacks = "CloudFormation"

// changes tells whether a call changes a stack.
func (r *retryer) changes(ctx context.Context) bool {
	paces := r.paces.Load()
	return awsmiddleware.GetServiceID(ctx) == serviceOfStacks && paces.of(awsmiddleware.GetOperationName(ctx)) == paces.write
}

// GetAttemptToken waits until the next call may go out, and counts it.
func (r *retryer) GetAttemptToken(ctx context.Context) (func(error) error, error) {
	name := awsmiddleware.GetOperationName(ctx)
	paces := r.paces.Load()
	pacer := paces.of(name)
	yield := yieldOf(ctx)
	done := pacer.done
	if ahead, _ := ctx.Value(aheadKey{}).(bool); ahead {
		done = func(class) {}
	} else if err := pacer.wait(ctx, func() { yield.idle(r.changes(ctx)) }); err != nil {
		return nil, err
	}
	if err := yield.resume(ctx, pacer); err != nil {
		return nil, err
	}
	if pacer == paces.write {
		if err := ask(ctx); err != nil {
			done(passing)
			return nil, err
		}
	}
	operation := awsmiddleware.GetServiceID(ctx) + " " + name
	r.counter.called(operation)
	ended := false
	end := func(err error) {
		if ended {
			return
		}
		ended = true
		if pacer == paces.write {
			wrote(ctx, name, err)
		}
		r.standing.heard(awsmiddleware.GetServiceID(ctx), err)
		if classify(err) == lapsed {
			r.renewing.reject()
		}
		done(classify(err))
		if classify(err) != throttle {
			return
		}
		r.counter.wasThrottled()
		if r.throttled != nil {
			r.throttled(r.access, operation)
		}
	}
	if state, _ := ctx.Value(callStateKey{}).(*callState); state != nil {
		state.end = end
	}
	return func(err error) error { end(err); return nil }, nil
}

// GetInitialToken is the old form of GetAttemptToken, which the SDK prefers.
func (r *retryer) GetInitialToken() func(error) error { return release }

func release(error) error { return nil }
