package cfn

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"github.com/deployer-cli/deployer/internal/flow"
	"github.com/deployer-cli/deployer/stacks"
)

// Propose makes a change set and waits until CloudFormation has worked it out.
// One without changes is a *stacks.NoChangesError, and is discarded; one that
// CloudFormation cannot make is a *stacks.ServiceError. Proposing the creation
// of a stack leaves an empty shell of it, REVIEW_IN_PROGRESS. A change with
// Imports takes those in and does nothing else: the template of one that creates
// must hold no other resource, and no outputs.
func (w *Writer) Propose(ctx context.Context, c stacks.Change, name string) (ChangeSet, error) {
	p, err := w.prepare(ctx, c)
	if err != nil {
		return ChangeSet{}, err
	}
	d, t := c.Desired, targetOf(c)
	kind := types.ChangeSetTypeUpdate
	if c.Verb == stacks.Create {
		kind = types.ChangeSetTypeCreate
	}
	imports, named := toImport(c.Imports), c.Named && len(c.Imports) == 0
	nested := new(true)
	if len(imports) > 0 {
		kind = types.ChangeSetTypeImport
	}
	if len(imports) > 0 || named {
		nested = nil // the two are not for each other
	}
	var made string
	op, err := w.do(ctx, write{verb: stacks.Propose, operation: "CreateChangeSet", target: t, send: func(ctx context.Context, cl *cloudformation.Client) (receipt, error) {
		out, err := cl.CreateChangeSet(ctx, &cloudformation.CreateChangeSetInput{
			ChangeSetName: &name, ChangeSetType: kind, StackName: address(t), ClientToken: optional(c.Token), Capabilities: capabilities(),
			TemplateBody: p.body, TemplateURL: p.url, Parameters: p.parameters, Tags: p.tags, DeploymentConfig: p.deployment,
			NotificationARNs: append([]string{}, d.Notifications...), RoleARN: optional(d.ServiceRole), IncludeNestedStacks: nested,
			ResourcesToImport: imports, ImportExistingResources: optional(named),
		})
		if err != nil {
			return receipt{}, err
		}
		made = str(out.Id)
		return receipt{stackID: str(out.StackId), metadata: out.ResultMetadata}, nil
	}})
	if err != nil && !hasCode(err, codeExists, codeTokenUsed) {
		return ChangeSet{}, err
	}
	if made == "" { // an earlier attempt made it, and its answer was lost
		made, op.StackID = name, *address(t)
	}
	if c.StackID == "" {
		w.clearance.Made(t.Path, op.StackID)
	}
	set, err := w.cloud.settled(ctx, t.Access, op.StackID, made)
	if err != nil {
		return set, err
	}
	return set, w.judge(ctx, t, set)
}

func toImport(list []stacks.Import) []types.ResourceToImport {
	var out []types.ResourceToImport
	for _, i := range list {
		out = append(out, types.ResourceToImport{LogicalResourceId: &i.LogicalID, ResourceType: &i.Type, ResourceIdentifier: i.Identifier})
	}
	return out
}

// judge turns a change set that failed into the error that it means.
func (w *Writer) judge(ctx context.Context, t stacks.Target, set ChangeSet) error {
	switch {
	case set.Status == string(types.ChangeSetStatusCreateComplete):
		return nil
	case set.Empty():
		if t.StackID != "" {
			if err := w.Discard(ctx, t, set.ID); err != nil && !isRefusal(err) {
				return err
			}
		}
		return &stacks.NoChangesError{Name: t.Name}
	}
	return advise(&stacks.ServiceError{Service: service, Operation: "CreateChangeSet", Code: set.Status, Message: set.Reason})
}

// isRefusal tells whether the guard said no: a clearance to propose need not be
// one to discard, and an empty change set left behind does no harm.
func isRefusal(err error) bool {
	e, ok := errors.AsType[interface {
		error
		ExitCode() int
	}](err)
	return ok && e.ExitCode() > 2
}

// settled waits until CloudFormation has worked a change set out.
func (c *Cloud) settled(ctx context.Context, a stacks.Access, stack, id string) (ChangeSet, error) {
	pause := c.opts.PollInterval
	for {
		set, err := c.ChangeSet(ctx, a, stack, id)
		if err != nil && !hasCode(err, codeNoChangeSet) { // a read may not have heard of it yet
			return set, err
		}
		if err == nil && !set.pending() {
			return set, nil
		}
		if err := flow.Pause(ctx, pause); err != nil {
			return set, fmt.Errorf("waiting for change set %s: %w", id, err)
		}
		pause = c.nextPause(pause, false)
	}
}

// Execute carries a change set out.
func (w *Writer) Execute(ctx context.Context, t stacks.Target, changeSet string, disableRollback bool) (stacks.Operation, error) {
	return w.do(ctx, write{verb: stacks.Execute, operation: "ExecuteChangeSet", target: t, send: func(ctx context.Context, cl *cloudformation.Client) (receipt, error) {
		out, err := cl.ExecuteChangeSet(ctx, &cloudformation.ExecuteChangeSetInput{
			ChangeSetName: &changeSet, StackName: address(t), ClientRequestToken: optional(t.Token), DisableRollback: optional(disableRollback),
		})
		if err != nil {
			return receipt{}, err
		}
		return receipt{metadata: out.ResultMetadata}, nil
	}})
}

// Discard deletes a change set. One that is gone already is no error.
func (w *Writer) Discard(ctx context.Context, t stacks.Target, changeSet string) error {
	_, err := w.do(ctx, write{verb: stacks.Discard, operation: "DeleteChangeSet", target: t, send: func(ctx context.Context, cl *cloudformation.Client) (receipt, error) {
		_, err := cl.DeleteChangeSet(ctx, &cloudformation.DeleteChangeSetInput{ChangeSetName: &changeSet, StackName: address(t)})
		return receipt{}, err
	}})
	if hasCode(err, codeNoChangeSet) || isNotFound(err) {
		return nil
	}
	return err
}

// DiscardShell deletes what proposing the creation of a stack left behind. It
// looks first, and leaves anything but an empty shell without change sets alone.
func (w *Writer) DiscardShell(ctx context.Context, t stacks.Target) error {
	l, err := w.cloud.Stack(ctx, t.Access, *address(t))
	if isNotFound(err) {
		return nil
	}
	if err != nil {
		return err
	}
	if l.Status != stacks.ReviewInProgress {
		return &stacks.BusyError{Name: t.Name, Status: l.Status, Why: "only a shell that was never created is discarded"}
	}
	sets, err := w.cloud.ChangeSets(ctx, t.Access, l.ID)
	if err != nil {
		return err
	}
	if len(sets) > 0 {
		return &stacks.BusyError{Name: t.Name, Status: l.Status, Why: fmt.Sprintf("the shell has the change set %s", sets[0].Name)}
	}
	_, err = w.do(ctx, write{verb: stacks.Discard, operation: "DeleteStack", target: t, send: func(ctx context.Context, cl *cloudformation.Client) (receipt, error) {
		_, err := cl.DeleteStack(ctx, &cloudformation.DeleteStackInput{StackName: &l.ID, ClientRequestToken: optional(t.Token)})
		return receipt{}, err
	}})
	return err
}
