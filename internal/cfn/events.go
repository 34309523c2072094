package cfn

import (
	"context"
	"iter"

	"github.com/aws/aws-sdk-go-v2/service/cloudformation"

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
