package cfn

import (
	"context"
	"math"

	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"github.com/deployer-cli/deployer/stacks"
)

// Create starts the creation of a stack. A stack of that name that lives
// already is a *stacks.ExistsError.
func (w *Writer) Create(ctx context.Context, c stacks.Change) (stacks.Operation, error) {
	p, err := w.prepare(ctx, c)
	if err != nil {
		return stacks.Operation{}, err
	}
	st := c.Desired.Stack
	in := &cloudformation.CreateStackInput{
		StackName: &st.Name, ClientRequestToken: optional(c.Token), Capabilities: capabilities(),
		TemplateBody: p.body, TemplateURL: p.url, Parameters: p.parameters, Tags: p.tags,
		NotificationARNs: c.Desired.Notifications, RoleARN: optional(c.Desired.ServiceRole),
		EnableTerminationProtection: st.TerminationProtection, DeploymentConfig: p.deployment,
		StackPolicyBody: optional(string(c.Desired.Policy)),
	}
	if st.TimeoutMinutes > 0 {
		in.TimeoutInMinutes = new(int32(min(st.TimeoutMinutes, math.MaxInt32)))
	}
	switch { // the two exclude each other
	case c.DisableRollback:
		in.DisableRollback = new(true)
	case st.OnFailure != "":
		in.OnFailure = types.OnFailure(st.OnFailure)
	}
	return w.do(ctx, write{verb: stacks.Create, operation: "CreateStack", target: targetOf(c), send: func(ctx context.Context, cl *cloudformation.Client) (receipt, error) {
		out, err := cl.CreateStack(ctx, in)
		if err != nil {
			return receipt{}, err
		}
		return receipt{str(out.StackId), str(out.OperationId), out.ResultMetadata}, nil
	}})
}

// Update starts the update of a stack. That there is nothing to update is a
// *stacks.NoChangesError.
func (w *Writer) Update(ctx context.Context, c stacks.Change) (stacks.Operation, error) {
	p, err := w.prepare(ctx, c)
	if err != nil {
		return stacks.Operation{}, err
	}
	in := &cloudformation.UpdateStackInput{
		StackName: &c.StackID, ClientRequestToken: optional(c.Token), Capabilities: capabilities(),
		TemplateBody: p.body, TemplateURL: p.url, Parameters: p.parameters, DeploymentConfig: p.deployment,
		RoleARN:          optional(c.Desired.ServiceRole),
		Tags:             p.tags,                                         // an empty list takes the tags away, none leaves them
		NotificationARNs: append([]string{}, c.Desired.Notifications...), // as do these
	}
	if c.DisableRollback {
		in.DisableRollback = new(true)
	}
	return w.do(ctx, write{verb: stacks.Update, operation: "UpdateStack", target: targetOf(c), send: func(ctx context.Context, cl *cloudformation.Client) (receipt, error) {
		out, err := cl.UpdateStack(ctx, in)
		if err != nil {
			return receipt{}, err
		}
		return receipt{str(out.StackId), str(out.OperationId), out.ResultMetadata}, nil
	}})
}

// Delete starts the deletion of a stack, leaving alive the resources to retain.
// Those may only be given for a stack whose deletion failed before.
func (w *Writer) Delete(ctx context.Context, t stacks.Target, retain []string) (stacks.Operation, error) {
	return w.do(ctx, write{verb: stacks.Delete, operation: "DeleteStack", target: t, send: func(ctx context.Context, cl *cloudformation.Client) (receipt, error) {
		out, err := cl.DeleteStack(ctx, &cloudformation.DeleteStackInput{
			StackName: address(t), ClientRequestToken: optional(t.Token), RoleARN: optional(t.Role), RetainResources: retain,
		})
		if err != nil {
			return receipt{}, err
		}
		return receipt{metadata: out.ResultMetadata}, nil
	}})
}

// Cancel cancels a running update; the stack rolls back.
func (w *Writer) Cancel(ctx context.Context, t stacks.Target) (stacks.Operation, error) {
	return w.do(ctx, write{verb: stacks.Cancel, operation: "CancelUpdateStack", target: t, send: func(ctx context.Context, cl *cloudformation.Client) (receipt, error) {
		out, err := cl.CancelUpdateStack(ctx, &cloudformation.CancelUpdateStackInput{StackName: address(t), ClientRequestToken: optional(t.Token)})
		if err != nil {
			return receipt{}, err
		}
		return receipt{metadata: out.ResultMetadata}, nil
	}})
}

// Continue goes on with a rollback that failed, passing over the resources to
// skip.
func (w *Writer) Continue(ctx context.Context, t stacks.Target, skip []string) (stacks.Operation, error) {
	return w.do(ctx, write{verb: stacks.Continue, operation: "ContinueUpdateRollback", target: t, send: func(ctx context.Context, cl *cloudformation.Client) (receipt, error) {
		out, err := cl.ContinueUpdateRollback(ctx, &cloudformation.ContinueUpdateRollbackInput{
			StackName: address(t), ClientRequestToken: optional(t.Token), RoleARN: optional(t.Role), ResourcesToSkip: skip,
		})
		if err != nil {
			return receipt{}, err
		}
		return receipt{metadata: out.ResultMetadata}, nil
	}})
}

// ForceContinue goes on with a rollback that failed and leaves whatever cannot
// be rolled back as it is.
func (w *Writer) ForceContinue(ctx context.Context, t stacks.Target) (stacks.Operation, error) {
	return w.do(ctx, write{verb: stacks.Continue, operation: "ContinueUpdateRollback", target: t, send: func(ctx context.Context, cl *cloudformation.Client) (receipt, error) {
		out, err := cl.ContinueUpdateRollback(ctx, &cloudformation.ContinueUpdateRollbackInput{
			StackName: address(t), ClientRequestToken: optional(t.Token), RoleARN: optional(t.Role), ForceRollback: new(true),
		})
		if err != nil {
			return receipt{}, err
		}
		return receipt{metadata: out.ResultMetadata}, nil
	}})
}

// Rollback brings a stack whose creation or update failed, and was left so, to
// its last good state.
func (w *Writer) Rollback(ctx context.Context, t stacks.Target) (stacks.Operation, error) {
	return w.do(ctx, write{verb: stacks.Rollback, operation: "RollbackStack", target: t, send: func(ctx context.Context, cl *cloudformation.Client) (receipt, error) {
		out, err := cl.RollbackStack(ctx, &cloudformation.RollbackStackInput{
			StackName: address(t), ClientRequestToken: optional(t.Token), RoleARN: optional(t.Role),
		})
		if err != nil {
			return receipt{}, err
		}
		return receipt{str(out.StackId), str(out.OperationId), out.ResultMetadata}, nil
	}})
}

// SetPolicy sets a stack's policy. One that is set can be replaced and never
// taken away.
func (w *Writer) SetPolicy(ctx context.Context, t stacks.Target, policy []byte) error {
	_, err := w.do(ctx, write{verb: stacks.Policy, operation: "SetStackPolicy", target: t, send: func(ctx context.Context, cl *cloudformation.Client) (receipt, error) {
		_, err := cl.SetStackPolicy(ctx, &cloudformation.SetStackPolicyInput{StackName: address(t), StackPolicyBody: new(string(policy))})
		return receipt{}, err
	}})
	return err
}

// Protect switches termination protection on or off.
func (w *Writer) Protect(ctx context.Context, t stacks.Target, on bool) error {
	verb := stacks.Protect
	if !on {
		verb = stacks.Unprotect
	}
	_, err := w.do(ctx, write{verb: verb, operation: "UpdateTerminationProtection", target: t, send: func(ctx context.Context, cl *cloudformation.Client) (receipt, error) {
		_, err := cl.UpdateTerminationProtection(ctx, &cloudformation.UpdateTerminationProtectionInput{StackName: address(t), EnableTerminationProtection: &on})
		return receipt{}, err
	}})
	return err
}

// address is how a call names its stack: by id, but for one that has none yet.
func address(t stacks.Target) *string {
	if t.StackID != "" {
		return &t.StackID
	}
	return &t.Name
}

func targetOf(c stacks.Change) stacks.Target {
	st := c.Desired.Stack
	return stacks.Target{Path: st.Path, Name: st.Name, StackID: c.StackID, Access: st.Access, Role: c.Desired.ServiceRole, Token: c.Token}
}
