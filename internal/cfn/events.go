package cfn

import (
	"context"
	"iter"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudformation"

	"github.com/deployer-cli/deployer/internal/flow"
	"github.com/deployer-cli/deployer/stacks"
)

// EventOptions narrow what Events gives.
type EventOptions struct {
	Limit int // how many at most, 0 for all
}

// Events gives the events of a stack, newest first, fetching further pages
// only as they are needed. An error ends it.
func (c *Cloud) Events(ctx context.Context, a stacks.Access, id string, opts EventOptions) iter.Seq2[stacks.Event, error] {
	return func(yield func(stacks.Event, error) bool) {
		n := 0
		for page, err := range c.eventPages(ctx, a, id) {
			if err != nil {
				yield(stacks.Event{}, err)
				return
			}
			for _, e := range page {
				if !yield(e, nil) {
					return
				}
				if n++; n == opts.Limit {
					return
				}
			}
		}
	}
}

// eventPages gives pages of events, newest first.
func (c *Cloud) eventPages(ctx context.Context, a stacks.Access, id string) iter.Seq2[[]stacks.Event, error] {
	return func(yield func([]stacks.Event, error) bool) {
		var token *string
		for {
			page, err := read(ctx, c, query{a, "DescribeStackEvents", id}, func(cl *cloudformation.Client) (*cloudformation.DescribeStackEventsOutput, error) {
				return cl.DescribeStackEvents(ctx, &cloudformation.DescribeStackEventsInput{StackName: &id, NextToken: token})
			})
			if err != nil {
				yield(nil, err)
				return
			}
			events := make([]stacks.Event, 0, len(page.StackEvents))
			for i := range page.StackEvents {
				events = append(events, describeEvent(&page.StackEvents[i]))
			}
			token = page.NextToken
			if !yield(events, nil) || str(token) == "" {
				return
			}
		}
	}
}

// Follow gives the events of a stack from a moment on, oldest first, as they
// come, until ctx ends or the stack cannot be found. Whatever else keeps it
// from reading is told to Trouble and passes.
func (c *Cloud) Follow(ctx context.Context, a stacks.Access, id string, since time.Time) iter.Seq2[stacks.Event, error] {
	return func(yield func(stacks.Event, error) bool) {
		var t tail
		op := stacks.Operation{StackID: id, Accepted: since}
		pause := c.opts.PollInterval
		for {
			events, _, err := t.read(c.eventPages(ctx, a, id), op)
			switch {
			case ctx.Err() != nil:
				yield(stacks.Event{}, context.Cause(ctx))
				return
			case isNotFound(err):
				yield(stacks.Event{}, err)
				return
			case err != nil && c.opts.Trouble != nil:
				c.opts.Trouble(a, err)
			}
			for _, e := range events {
				if !yield(e, nil) {
					return
				}
			}
			if pause = c.nextPause(pause, len(events) > 0); flow.Pause(ctx, pause) != nil {
				yield(stacks.Event{}, context.Cause(ctx))
				return
			}
		}
	}
}

// nextPause is short while things happen, and grows while nothing does.
func (c *Cloud) nextPause(pause time.Duration, busy bool) time.Duration {
	if busy {
		return c.opts.PollInterval
	}
	return min(c.opts.PollMax, pause*3/2)
}
