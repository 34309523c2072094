package cfn

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"github.com/deployer-cli/deployer/stacks"
)

// ChangeSet is a change set as CloudFormation describes it. Statuses are the
// service's own words.
type ChangeSet struct {
	ID          string
	Name        string
	StackID     string
	StackName   string
	Description string
	Status      string // CREATE_COMPLETE, FAILED, …
	Execution   string // AVAILABLE, UNAVAILABLE, OBSOLETE, …
	Reason      string
	Created     time.Time
	Changes     []stacks.ResourceChange // nil in a listing
	Parameters  []stacks.LiveParameter  // nil in a listing
	Tags        []stacks.Tag            // nil in a listing
	Nested      []string                // ids of the change sets of nested stacks
}

// Ready tells whether the change set can be executed.
func (s *ChangeSet) Ready() bool {
	return s.Status == string(types.ChangeSetStatusCreateComplete) && s.Execution == string(types.ExecutionStatusAvailable)
}

// Empty tells whether the change set says that there is nothing to change.
func (s *ChangeSet) Empty() bool {
	return s.Status == string(types.ChangeSetStatusFailed) && noChanges(s.Reason)
}

func (s *ChangeSet) pending() bool {
	return s.Status == string(types.ChangeSetStatusCreatePending) || s.Status == string(types.ChangeSetStatusCreateInProgress)
}

// ChangeSets lists the change sets of a stack.
func (c *Cloud) ChangeSets(ctx context.Context, a stacks.Access, id string) ([]ChangeSet, error) {
	var out []ChangeSet
	var token *string
	for {
		page, err := read(ctx, c, query{a, "ListChangeSets", id}, func(cl *cloudformation.Client) (*cloudformation.ListChangeSetsOutput, error) {
			return cl.ListChangeSets(ctx, &cloudformation.ListChangeSetsInput{StackName: &id, NextToken: token})
		})
		if err != nil {
			return nil, err
		}
		for _, s := range page.Summaries {
			out = append(out, ChangeSet{
				ID: str(s.ChangeSetId), Name: str(s.ChangeSetName), StackID: str(s.StackId), StackName: str(s.StackName),
				Description: str(s.Description), Status: string(s.Status), Execution: string(s.ExecutionStatus),
				Reason: strings.TrimSpace(str(s.StatusReason)), Created: when(s.CreationTime),
			})
		}
		if token = page.NextToken; str(token) == "" {
			return out, nil
		}
	}
}

// ChangeSet describes one change set, by its id, or by its name and its stack.
// The values of properties are not asked for, since they may be secret.
func (c *Cloud) ChangeSet(ctx context.Context, a stacks.Access, stack, nameOrID string) (ChangeSet, error) {
	var out ChangeSet
	var token *string
	for {
		page, err := read(ctx, c, query{a, "DescribeChangeSet", stack}, func(cl *cloudformation.Client) (*cloudformation.DescribeChangeSetOutput, error) {
			return cl.DescribeChangeSet(ctx, &cloudformation.DescribeChangeSetInput{StackName: optional(stack), ChangeSetName: &nameOrID, NextToken: token})
		})
		if err != nil {
			return ChangeSet{}, err
		}
		if token == nil {
			out = describeChangeSet(page)
		}
		for i := range page.Changes {
			out.add(page.Changes[i].ResourceChange)
		}
		if token = page.NextToken; str(token) == "" {
			return out, nil
		}
	}
}

func describeChangeSet(s *cloudformation.DescribeChangeSetOutput) ChangeSet {
	out := ChangeSet{
		ID: str(s.ChangeSetId), Name: str(s.ChangeSetName), StackID: str(s.StackId), StackName: str(s.StackName),
		Description: str(s.Description), Status: string(s.Status), Execution: string(s.ExecutionStatus),
		Reason: strings.TrimSpace(str(s.StatusReason)), Created: when(s.CreationTime), Changes: []stacks.ResourceChange{},
	}
	for _, p := range s.Parameters {
		out.Parameters = append(out.Parameters, stacks.LiveParameter{Key: str(p.ParameterKey), Value: str(p.ParameterValue), Resolved: str(p.ResolvedValue)})
	}
	for _, t := range s.Tags {
		out.Tags = append(out.Tags, stacks.Tag{Key: str(t.Key), Value: str(t.Value)})
	}
	return out
}

// add takes one of the service's changes over.
func (s *ChangeSet) add(r *types.ResourceChange) {
	if r == nil {
		return
	}
	if nested := str(r.ChangeSetId); nested != "" {
		s.Nested = append(s.Nested, nested)
	}
	s.Changes = append(s.Changes, stacks.ResourceChange{
		LogicalID:   str(r.LogicalResourceId),
		Type:        str(r.ResourceType),
		Action:      strings.ToLower(string(r.Action)),
		Replacement: strings.ToLower(string(r.Replacement)),
		Why:         whyChanged(r),
	})
}

// whyChanged tells in a few words what makes a resource change: its properties
// by name, and where the change comes from.
func whyChanged(r *types.ResourceChange) string {
	var out []string
	for _, d := range r.Details {
		if d.Target == nil {
			continue
		}
		what := str(d.Target.Name)
		if what == "" {
			what = string(d.Target.Attribute)
		}
		if by := str(d.CausingEntity); by != "" {
			what = fmt.Sprintf("%s (from %s)", what, by)
		}
		out = append(out, what)
	}
	if len(out) == 0 {
		for _, scope := range r.Scope {
			out = append(out, string(scope))
		}
	}
	slices.Sort(out)
	out = named(slices.Compact(out))
	switch r.PolicyAction {
	case types.PolicyActionRetain, types.PolicyActionReplaceAndRetain:
		out = append(out, stacks.OldStays)
	case types.PolicyActionSnapshot, types.PolicyActionReplaceAndSnapshot:
		out = append(out, stacks.SnapshotStays)
	case types.PolicyActionDelete, types.PolicyActionReplaceAndDelete:
	}
	return strings.Join(out, ", ")
}

// named drops a plain "Name" that also stands there with its cause: the service
// tells a change that comes from a parameter twice.
func named(reasons []string) []string {
	var out []string
	for _, r := range reasons {
		if !slices.ContainsFunc(reasons, func(s string) bool { return strings.HasPrefix(s, r+" (from ") }) {
			out = append(out, r)
		}
	}
	return out
}
