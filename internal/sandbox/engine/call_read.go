package engine

import (
	"slices"
	"strings"
	"time"
)

func (s *session) describeStacks(in *DescribeStacksInput) (*DescribeStacksOutput, error) {
	if in.StackName != "" {
		if err := checkName(in.StackName); err != nil {
			return nil, err
		}
		st := s.find(in.StackName)
		if st == nil {
			return nil, invalid("Stack with id %s does not exist", in.StackName)
		}
		return &DescribeStacksOutput{Stacks: []Stack{s.describe(st)}}, nil
	}
	out := &DescribeStacksOutput{Stacks: []Stack{}}
	next, err := s.page("summary", place(s.acct), in.NextToken, func(_ string, raw []byte) bool {
		var sum summary
		s.fail(decode("summary", raw, &sum))
		if sum.Status == deleteComplete {
			return false
		}
		if st := s.stack(sum.ID); st != nil {
			out.Stacks = append(out.Stacks, s.describe(st))
		}
		return true
	})
	out.NextToken = next
	return out, err
}

// describe shows a stack.
func (s *session) describe(st *stack) Stack {
	out := Stack{
		StackId: st.ID, StackName: st.Name, ChangeSetId: st.ChangeSet, Description: st.Now.Description,
		CreationTime: st.Created, DeletionTime: st.Deleted, LastUpdatedTime: st.Updated,
		RollbackConfiguration: &RollbackConfiguration{}, StackStatus: st.Status, StackStatusReason: st.Reason,
		DetailedStatus: st.Detailed, DisableRollback: new(st.NoRollback), NotificationARNs: orEmpty(st.Now.Notify),
		Capabilities: st.Now.Caps, RoleARN: st.Now.Role, Tags: orEmpty(st.Now.Tags), ParentId: st.Parent, RootId: st.Root,
		DriftInformation: st.drift(), RetainExceptOnCreate: st.RetainExcept, DeletionMode: st.DeletionMode,
		LastOperations: st.lastOperations(), Parameters: st.Now.shown(),
	}
	if st.Now.Monitor != nil {
		out.RollbackConfiguration = st.Now.Monitor
	}
	if st.Timeout > 0 {
		out.TimeoutInMinutes = new(st.Timeout)
	}
	if st.Express != "" {
		out.DeploymentConfig = &DeploymentConfig{Mode: st.Express}
	}
	if st.Status != deleteComplete {
		out.EnableTerminationProtection = new(st.Protected)
	}
	for _, o := range st.Outputs {
		out.Outputs = append(out.Outputs, Output{OutputKey: o.Key, OutputValue: o.Value, Description: o.Description, ExportName: o.Export})
	}
	return out
}

func orEmpty[T any](items []T) []T {
	if items == nil {
		return []T{}
	}
	return items
}

func (st *stack) drift() *StackDriftInformation {
	status := st.Drift
	if status == "" {
		status = driftUnchecked
	}
	return &StackDriftInformation{StackDriftStatus: status, LastCheckTimestamp: st.DriftAt}
}

func (st *stack) lastOperations() []OperationEntry { return entries(st.Last) }

func entries(last []lastOp) []OperationEntry {
	var out []OperationEntry
	for _, l := range last {
		out = append(out, OperationEntry{OperationId: l.ID, OperationType: l.Type})
	}
	return out
}

// shown lists parameters as answers show them.
func (t *target) shown() []Parameter {
	var out []Parameter
	for _, p := range t.Params {
		shown := Parameter{ParameterKey: p.Key, ParameterValue: new(p.Value), ResolvedValue: p.Resolved}
		if p.NoEcho {
			shown.ParameterValue, shown.ResolvedValue = new(mask), ""
		}
		out = append(out, shown)
	}
	return out
}

func (s *session) listStacks(in *ListStacksInput) (*ListStacksOutput, error) {
	const kept = 90 * 24 * time.Hour
	out := &ListStacksOutput{StackSummaries: []StackSummary{}}
	next, err := s.page("summary", place(s.acct), in.NextToken, func(_ string, raw []byte) bool {
		var sum summary
		s.fail(decode("summary", raw, &sum))
		if len(in.StackStatusFilter) > 0 && !slices.Contains(in.StackStatusFilter, sum.Status) ||
			!sum.Deleted.IsZero() && s.now.Sub(sum.Deleted) > kept {
			return false
		}
		out.StackSummaries = append(out.StackSummaries, sum.shown())
		return true
	})
	out.NextToken = next
	return out, err
}

func (sum *summary) shown() StackSummary {
	st := stack{Drift: sum.Drift, DriftAt: sum.DriftAt}
	return StackSummary{
		StackId: sum.ID, StackName: sum.Name, TemplateDescription: sum.Desc, CreationTime: sum.Created,
		LastUpdatedTime: sum.Updated, DeletionTime: sum.Deleted, StackStatus: sum.Status, StackStatusReason: sum.Reason,
		ParentId: sum.Parent, RootId: sum.Root, DriftInformation: st.drift(), LastOperations: entries(sum.Last),
	}
}

func (s *session) describeStackEvents(in *DescribeStackEventsInput) (*DescribeStackEventsOutput, error) {
	st := s.find(in.StackName)
	if st == nil {
		return nil, invalid("Stack [%s] does not exist", in.StackName)
	}
	out := &DescribeStackEventsOutput{StackEvents: []StackEvent{}}
	next, err := s.page("event", key(st.ID, ""), in.NextToken, func(_ string, raw []byte) bool {
		var ev record
		s.fail(decode("event", raw, &ev))
		out.StackEvents = append(out.StackEvents, ev.event(st))
		return true
	})
	out.NextToken = next
	return out, err
}

func (r *resource) drifted() *StackResourceDriftInformation {
	status := r.Drift
	if status == "" {
		status = driftUnchecked
	}
	return &StackResourceDriftInformation{StackResourceDriftStatus: status, LastCheckTimestamp: r.DriftAt}
}

func (r *resource) shown(st *stack) StackResource {
	return StackResource{
		StackName: st.Name, StackId: st.ID, LogicalResourceId: r.ID, PhysicalResourceId: r.Physical, ResourceType: r.Type,
		Timestamp: r.Changed, ResourceStatus: r.Status, ResourceStatusReason: r.Reason, DriftInformation: r.drifted(),
	}
}

func (s *session) describeStackResources(in *DescribeStackResourcesInput) (*DescribeStackResourcesOutput, error) {
	st, only := (*stack)(nil), in.LogicalResourceId
	switch {
	case in.StackName != "" && in.PhysicalResourceId != "":
		return nil, invalid("Both StackName and PhysicalResourceId cannot be specified")
	case in.StackName != "":
		if st = s.find(in.StackName); st == nil {
			return nil, invalid("Stack with id %s does not exist", in.StackName)
		}
	case in.PhysicalResourceId != "":
		for _, o := range s.owners(s.acct, in.PhysicalResourceId) {
			if o.Stack != "" {
				st = s.stack(o.Stack)
			}
		}
		if st == nil {
			return nil, invalid("Stack for %s does not exist", in.PhysicalResourceId)
		}
	default:
		return nil, invalid("Either StackName or PhysicalResourceId must be specified")
	}
	out := &DescribeStackResourcesOutput{StackResources: []StackResource{}}
	for _, r := range s.listed(st.ID) {
		if only == "" || r.ID == only {
			out.StackResources = append(out.StackResources, r.shown(st))
		}
	}
	out.StackResources = out.StackResources[:min(len(out.StackResources), pageSize)]
	return out, nil
}

func (s *session) describeStackResource(in *DescribeStackResourceInput) (*DescribeStackResourceOutput, error) {
	st := s.find(in.StackName)
	if st == nil {
		return nil, invalid("Stack '%s' does not exist", in.StackName)
	}
	r := s.resource(st.ID, in.LogicalResourceId)
	if r == nil {
		return nil, invalid("Resource %s does not exist for stack %s", in.LogicalResourceId, in.StackName)
	}
	metadata := r.Extra["Metadata"]
	if metadata == "" {
		metadata = "{}"
	}
	return &DescribeStackResourceOutput{StackResourceDetail: &StackResourceDetail{
		StackName: st.Name, StackId: st.ID, LogicalResourceId: r.ID, PhysicalResourceId: r.Physical, ResourceType: r.Type,
		LastUpdatedTimestamp: r.Changed, ResourceStatus: r.Status, ResourceStatusReason: r.Reason, Metadata: metadata,
		DriftInformation: r.drifted(),
	}}, nil
}

func (s *session) listStackResources(in *ListStackResourcesInput) (*ListStackResourcesOutput, error) {
	st := s.find(in.StackName)
	if st == nil {
		return nil, invalid("Stack with id %s does not exist", in.StackName)
	}
	shown, next, err := pages(s.listed(st.ID), in.NextToken, func(r *resource) string { return r.ID })
	if err != nil {
		return nil, err
	}
	out := &ListStackResourcesOutput{StackResourceSummaries: []StackResourceSummary{}, NextToken: next}
	for _, r := range shown {
		out.StackResourceSummaries = append(out.StackResourceSummaries, StackResourceSummary{
			LogicalResourceId: r.ID, PhysicalResourceId: r.Physical, ResourceType: r.Type, LastUpdatedTimestamp: r.Changed,
			ResourceStatus: r.Status, ResourceStatusReason: r.Reason, DriftInformation: r.drifted(),
		})
	}
	return out, nil
}

func (s *session) listExports(in *ListExportsInput) (*ListExportsOutput, error) {
	out := &ListExportsOutput{Exports: []Export{}}
	prefix := place(s.acct)
	next, err := s.page("export", prefix, in.NextToken, func(k string, raw []byte) bool {
		var e export
		s.fail(decode("export", raw, &e))
		out.Exports = append(out.Exports, Export{ExportingStackId: e.Stack, Name: strings.TrimPrefix(k, prefix), Value: e.Value})
		return true
	})
	out.NextToken = next
	return out, err
}

func (s *session) listImports(in *ListImportsInput) (*ListImportsOutput, error) {
	if _, ok := s.export(s.acct, in.ExportName); !ok {
		return nil, invalid("No export named %s found", in.ExportName)
	}
	out := &ListImportsOutput{}
	prefix := place(s.acct) + key(in.ExportName, "")
	next, err := s.page("import", prefix, in.NextToken, func(k string, _ []byte) bool {
		out.Imports = append(out.Imports, strings.TrimPrefix(k, prefix))
		return true
	})
	if err == nil && len(out.Imports) == 0 {
		return nil, invalid("Export '%s' is not imported by any stack.", in.ExportName)
	}
	out.NextToken = next
	return out, err
}
