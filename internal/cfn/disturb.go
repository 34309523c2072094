package cfn

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"github.com/deployer-cli/deployer/stacks"
)

// Drift updates a live stack with other values for some of its parameters and
// nothing else: the template, the other parameters, tags, notifications, the
// service role and the policy stay as they are. A parameter that the stack has not
// is a *stacks.Problem, and values that it has already a *stacks.NoChangesError.
func (w *Writer) Drift(ctx context.Context, t stacks.Target, parameters map[string]string) (stacks.Operation, error) {
	all, err := w.previous(ctx, t, parameters)
	if err != nil {
		return stacks.Operation{}, err
	}
	in := &cloudformation.UpdateStackInput{
		StackName: &t.StackID, ClientRequestToken: optional(t.Token), Capabilities: capabilities(),
		UsePreviousTemplate: new(true), Parameters: all, RoleARN: optional(t.Role),
	}
	return w.do(ctx, write{verb: stacks.Update, operation: "UpdateStack", target: t, send: func(ctx context.Context, cl *cloudformation.Client) (receipt, error) {
		out, err := cl.UpdateStack(ctx, in)
		if err != nil {
			return receipt{}, err
		}
		return receipt{str(out.StackId), str(out.OperationId), out.ResultMetadata}, nil
	}})
}

// ProposeDrift makes the change set of what Drift does, and waits until it is
// worked out. Where the stack has those values already it is a
// *stacks.NoChangesError.
func (w *Writer) ProposeDrift(ctx context.Context, t stacks.Target, parameters map[string]string, name string) (ChangeSet, error) {
	return w.proposeSame(ctx, t, parameters, name, "")
}

// ProposeRevert makes a change set that puts right what was changed behind the
// stack's back, with the template and the parameters that the stack has, and waits
// until it is worked out. Where nothing has drifted it is a *stacks.NoChangesError.
func (w *Writer) ProposeRevert(ctx context.Context, t stacks.Target, name string) (ChangeSet, error) {
	return w.proposeSame(ctx, t, nil, name, types.DeploymentModeRevertDrift)
}

// proposeSame makes a change set with the template that a stack has; one that is to
// revert drift leaves nested stacks alone.
func (w *Writer) proposeSame(ctx context.Context, t stacks.Target, parameters map[string]string, name string, mode types.DeploymentMode) (ChangeSet, error) {
	all, err := w.previous(ctx, t, parameters)
	if err != nil {
		return ChangeSet{}, err
	}
	in := &cloudformation.CreateChangeSetInput{
		ChangeSetName: &name, ChangeSetType: types.ChangeSetTypeUpdate, StackName: &t.StackID, ClientToken: optional(t.Token), RoleARN: optional(t.Role),
		UsePreviousTemplate: new(true), Parameters: all, Capabilities: capabilities(), DeploymentMode: mode,
	}
	if mode == "" {
		in.IncludeNestedStacks = new(true)
	}
	made := name
	_, err = w.do(ctx, write{verb: stacks.Propose, operation: "CreateChangeSet", target: t, send: func(ctx context.Context, cl *cloudformation.Client) (receipt, error) {
		out, err := cl.CreateChangeSet(ctx, in)
		if err != nil {
			return receipt{}, err
		}
		made = str(out.Id)
		return receipt{stackID: str(out.StackId), metadata: out.ResultMetadata}, nil
	}})
	if err != nil && !hasCode(err, codeExists, codeTokenUsed) {
		return ChangeSet{}, err
	}
	set, err := w.cloud.settled(ctx, t.Access, t.StackID, made)
	if err != nil {
		return set, err
	}
	return set, w.judge(ctx, t, set)
}

// previous lists every parameter of a live stack: with its previous value, or with
// the one that is given.
func (w *Writer) previous(ctx context.Context, t stacks.Target, given map[string]string) ([]types.Parameter, error) {
	live, err := w.cloud.Stack(ctx, t.Access, t.StackID)
	if err != nil {
		return nil, err
	}
	var out []types.Parameter
	var have []string
	for _, p := range live.Parameters {
		have = append(have, p.Key)
		if value, ok := given[p.Key]; ok {
			out = append(out, types.Parameter{ParameterKey: &p.Key, ParameterValue: &value})
			continue
		}
		out = append(out, types.Parameter{ParameterKey: &p.Key, UsePreviousValue: new(true)})
	}
	for _, key := range slices.Sorted(maps.Keys(given)) {
		if slices.Contains(have, key) {
			continue
		}
		slices.Sort(have)
		return nil, &stacks.Problem{
			What: fmt.Sprintf("stack %s has no parameter %s", live.Name, key), Why: "it has " + orNone(strings.Join(have, ", ")),
		}
	}
	return out, nil
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}
