package cfn

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"github.com/deployer-cli/deployer/stacks"
)

// seen is a stack as one read saw it.
type seen struct {
	live       stacks.Live
	operations []string // ids of the operations that led to it, where the service tells
	brief      bool     // live has no more than what a list of names tells
}

func describe(s *types.Stack) seen {
	out := seen{live: live(s)}
	for _, o := range s.LastOperations {
		out.operations = append(out.operations, str(o.OperationId))
	}
	return out
}

// told is what is told of the stack: nothing where too little was read of it.
func (s *seen) told() *stacks.Live {
	if s.brief {
		return nil
	}
	return &s.live
}

func live(s *types.Stack) stacks.Live {
	l := stacks.Live{
		ID:                    str(s.StackId),
		Name:                  str(s.StackName),
		Status:                stacks.Status(s.StackStatus),
		Reason:                strings.TrimSpace(str(s.StackStatusReason)),
		Description:           str(s.Description),
		Notifications:         s.NotificationARNs,
		ServiceRole:           str(s.RoleARN),
		ParentID:              str(s.ParentId),
		ChangeSetID:           str(s.ChangeSetId),
		DisableRollback:       deref(s.DisableRollback),
		TerminationProtection: deref(s.EnableTerminationProtection),
		TimeoutMinutes:        int(deref(s.TimeoutInMinutes)),
		Created:               when(s.CreationTime),
		Updated:               when(s.LastUpdatedTime),
	}
	l.Region, l.Account = placeOf(l.ID)
	for _, p := range s.Parameters {
		l.Parameters = append(l.Parameters, stacks.LiveParameter{Key: str(p.ParameterKey), Value: str(p.ParameterValue), Resolved: str(p.ResolvedValue)})
	}
	for _, o := range s.Outputs {
		l.Outputs = append(l.Outputs, stacks.Output{Key: str(o.OutputKey), Value: str(o.OutputValue), Description: str(o.Description), Export: str(o.ExportName)})
	}
	for _, t := range s.Tags {
		l.Tags = append(l.Tags, stacks.Tag{Key: str(t.Key), Value: str(t.Value)})
	}
	for _, c := range s.Capabilities {
		l.Capabilities = append(l.Capabilities, string(c))
	}
	slices.SortFunc(l.Parameters, func(a, b stacks.LiveParameter) int { return cmp.Compare(a.Key, b.Key) })
	slices.SortFunc(l.Outputs, func(a, b stacks.Output) int { return cmp.Compare(a.Key, b.Key) })
	slices.SortFunc(l.Tags, func(a, b stacks.Tag) int { return cmp.Compare(a.Key, b.Key) })
	slices.Sort(l.Capabilities)
	return l
}

func describeEvent(e *types.StackEvent) stacks.Event {
	return stacks.Event{
		ID:         str(e.EventId),
		StackID:    str(e.StackId),
		StackName:  str(e.StackName),
		LogicalID:  str(e.LogicalResourceId),
		PhysicalID: str(e.PhysicalResourceId),
		Type:       str(e.ResourceType),
		Status:     string(e.ResourceStatus),
		Reason:     strings.TrimSpace(str(e.ResourceStatusReason)),
		Token:      str(e.ClientRequestToken),
		Operation:  str(e.OperationId),
		Time:       when(e.Timestamp),
	}
}

// placeOf reads region and account out of a stack's ARN.
func placeOf(arn string) (region, account string) {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) < 6 {
		return "", ""
	}
	return parts[3], parts[4]
}

func str(s *string) string { return deref(s) }

func deref[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}

func when(t *time.Time) time.Time { return deref(t).UTC() }

// optional is nil for the zero value, which the SDK leaves out.
func optional[T comparable](v T) *T {
	var zero T
	if v == zero {
		return nil
	}
	return &v
}
