package inject

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudcontrol"
	"github.com/aws/aws-sdk-go-v2/service/cloudcontrol/types"

	"github.com/deployer-cli/deployer/internal/flow"
	"github.com/deployer-cli/deployer/stacks"
)

const serviceControl = "Cloud Control"

// resourceBefore is what is known of a resource that is deleted: that it was
// there. Its properties may be secret, and its stack knows them.
type resourceBefore struct {
	Identifier string `json:"identifier"`
}

// there tells whether Cloud Control finds the resource.
func (i *Injector) there(ctx context.Context, in stacks.Injection) (bool, error) {
	_, err := ask(ctx, i, query{serviceControl, "GetResource", in.Access}, func(cfg aws.Config) (*cloudcontrol.GetResourceOutput, error) {
		return newControl(cfg).GetResource(ctx, &cloudcontrol.GetResourceInput{TypeName: &in.Type, Identifier: &in.PhysicalID})
	})
	if gone(err) {
		return false, nil
	}
	return err == nil, err
}

func (i *Injector) captureResource(ctx context.Context, in stacks.Injection) (any, error) {
	found, err := i.there(ctx, in)
	if hasCode(err, "UnsupportedActionException", "TypeNotFoundException") {
		return nil, unsuitable(in, "Cloud Control does not know how to look at a "+in.Type)
	}
	if err != nil {
		return nil, err
	}
	if !found {
		return nil, unsuitable(in, "it is gone already")
	}
	return resourceBefore{in.PhysicalID}, nil
}

func (i *Injector) checkResource(ctx context.Context, in stacks.Injection) (stacks.Condition, error) {
	found, err := i.there(ctx, in)
	if err != nil {
		return "", err
	}
	if found {
		return stacks.Whole, nil
	}
	return stacks.Broken, nil
}

// deleteResource deletes and waits for the end. What is gone already is deleted.
func (w *Writer) deleteResource(ctx context.Context, in stacks.Injection) error {
	var event *types.ProgressEvent
	err := w.do(ctx, write{stacks.Inject, serviceControl, "DeleteResource", in, func(ctx context.Context, cfg aws.Config) error {
		out, err := newControl(cfg).DeleteResource(ctx, &cloudcontrol.DeleteResourceInput{TypeName: &in.Type, Identifier: &in.PhysicalID, ClientToken: optional(in.Token)})
		if err == nil {
			event = out.ProgressEvent
		}
		return err
	}})
	if gone(err) {
		return nil
	}
	if err != nil {
		return err
	}
	return w.injector.follow(ctx, in, event)
}

// follow polls a deletion to its end.
func (i *Injector) follow(ctx context.Context, in stacks.Injection, event *types.ProgressEvent) error {
	for {
		if event == nil {
			return errors.New("cloud control answered without saying how the deletion goes")
		}
		switch event.OperationStatus {
		case types.OperationStatusSuccess:
			return nil
		case types.OperationStatusFailed, types.OperationStatusCancelComplete:
			return failed(in, event)
		case types.OperationStatusPending, types.OperationStatusInProgress, types.OperationStatusCancelInProgress:
		}
		if err := flow.Pause(ctx, i.opts.PollInterval); err != nil {
			return &stacks.UnknownError{
				What: "the deletion of " + in.LogicalID + " in " + string(in.Stack) + " was left while it ran", Cause: err,
				Tip: "it goes on in AWS; look at it again",
			}
		}
		out, err := ask(ctx, i, query{serviceControl, "GetResourceRequestStatus", in.Access}, func(cfg aws.Config) (*cloudcontrol.GetResourceRequestStatusOutput, error) {
			return newControl(cfg).GetResourceRequestStatus(ctx, &cloudcontrol.GetResourceRequestStatusInput{RequestToken: event.RequestToken})
		})
		if err != nil {
			return err
		}
		event = out.ProgressEvent
	}
}

// failed explains why something was not deleted; what was not there is.
func failed(in stacks.Injection, event *types.ProgressEvent) error {
	if event.ErrorCode == types.HandlerErrorCodeNotFound {
		return nil
	}
	return &stacks.ServiceError{
		Service: serviceControl, Operation: "DeleteResource", Code: string(event.ErrorCode), Message: aws.ToString(event.StatusMessage),
		Tip: "something else may need " + in.LogicalID + "; nothing was deleted",
	}
}

func newControl(cfg aws.Config) *cloudcontrol.Client { return cloudcontrol.NewFromConfig(cfg) }

func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
