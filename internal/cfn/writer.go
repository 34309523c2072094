package cfn

import (
	"context"
	"errors"
	"time"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/smithy-go/middleware"

	"github.com/deployer-cli/deployer/internal/awsconf"
	"github.com/deployer-cli/deployer/internal/guard"
	"github.com/deployer-cli/deployer/stacks"
)

// Writer changes stacks, as far as its clearance goes.
type Writer struct {
	cloud     *Cloud
	clearance guard.Clearance
}

// Writer returns what changes stacks within the clearance. The zero clearance
// permits nothing.
func (c *Cloud) Writer(clearance guard.Clearance) *Writer {
	return &Writer{cloud: c, clearance: clearance}
}

// write is one writing call.
type write struct {
	verb      stacks.Verb
	operation string
	target    stacks.Target
	send      func(context.Context, *cloudformation.Client) (receipt, error)
}

// receipt is what CloudFormation says when it accepts something.
type receipt struct {
	stackID     string
	operationID string
	metadata    middleware.Metadata
}

// do asks for permission and sends. What was accepted comes back as an
// Operation. A call that CloudFormation refuses only because an earlier attempt
// with the same token was accepted, and its answer lost, is that operation.
func (w *Writer) do(ctx context.Context, c write) (stacks.Operation, error) {
	client, err := w.cloud.client(ctx, c.target.Access)
	if err != nil {
		return stacks.Operation{}, err
	}
	if err := w.permit(ctx, client.Options().Region, c); err != nil {
		return stacks.Operation{}, err
	}
	if c.verb == stacks.Discard {
		ctx = awsconf.GatedFirst(ctx, nil, nil) // what was only proposed is tidied up also where nothing new is begun
	}
	var start time.Time // of the first attempt: what it waited before is not the service's
	r, err := c.send(awsconf.Gated(ctx, func() error {
		if start.IsZero() {
			start = time.Now()
		}
		return w.permit(ctx, client.Options().Region, c)
	}), client)
	if err == nil {
		return w.accepted(c, r, time.Since(start)), nil
	}
	call := awsconf.Call{Service: service, Operation: c.operation, Access: c.target.Access, Write: true}
	err = translate(ctx, err, call, c.target.Name)
	if repeated(err) && c.target.Token != "" {
		if op, ok := w.find(ctx, c); ok {
			return op, nil
		}
	}
	return stacks.Operation{}, err
}

// permit asks the clearance about one call, right before it.
func (w *Writer) permit(ctx context.Context, region string, c write) error {
	account := ""
	if w.cloud.opts.Account != nil {
		var err error
		if account, err = w.cloud.opts.Account(ctx, c.target.Access); err != nil {
			return err
		}
	}
	return w.clearance.Permits(guard.Call{
		Verb: c.verb, Path: c.target.Path, Name: c.target.Name, StackID: c.target.StackID,
		Account: account, Region: region, Endpoint: w.cloud.opts.Endpoint,
		Run: w.cloud.opts.Run, At: w.cloud.opts.Now(),
	})
}

// accepted makes the Operation. Its time is the earliest at which the service
// can have accepted it, by the service's clock: the answer's date less the
// time that the call took. Later readings are compared with it, so that it must
// never lie after what they are about.
func (w *Writer) accepted(c write, r receipt, took time.Duration) stacks.Operation {
	at, ok := awsmiddleware.GetServerTime(r.metadata)
	if !ok || at.IsZero() {
		at = w.cloud.opts.Now()
	}
	op := operation(c)
	op.Accepted = at.Add(-took).UTC()
	op.OperationID = r.operationID
	if r.stackID != "" {
		op.StackID = r.stackID
	}
	return op
}

func operation(c write) stacks.Operation {
	return stacks.Operation{
		Path: c.target.Path, Verb: c.verb, Access: c.target.Access,
		Name: c.target.Name, StackID: c.target.StackID, Token: c.target.Token,
	}
}

// repeated tells whether a refusal may be due to an earlier attempt of the same
// call.
func repeated(err error) bool {
	if _, ok := errors.AsType[*stacks.ExistsError](err); ok {
		return true
	}
	if _, ok := errors.AsType[*stacks.BusyError](err); ok {
		return true
	}
	return hasCode(err, codeTokenUsed, codeChangeSet, codeNoChangeSet)
}

// find looks for an operation with the call's token among the stack's latest
// events.
func (w *Writer) find(ctx context.Context, c write) (stacks.Operation, bool) {
	id := c.target.StackID
	if id == "" || c.verb == stacks.Create { // what has an id before it is made is the one that it replaces
		id = c.target.Name
	}
	op, found := operation(c), false
	for page, err := range w.cloud.eventPages(ctx, c.target.Access, id) {
		if err != nil {
			return op, false
		}
		for _, e := range page {
			if e.Token == c.target.Token {
				op.StackID, op.OperationID, op.Accepted = e.StackID, e.Operation, e.Time
				found = true
			}
		}
		break // it began moments ago, so that the first page has it
	}
	return op, found
}
