package engine

import "time"

// DescribeStacksInput is the request of DescribeStacks.
type DescribeStacksInput struct{ StackName, NextToken string }

// DescribeStacksOutput is the answer of DescribeStacks.
type DescribeStacksOutput struct {
	Stacks    []Stack
	NextToken string
}

// Stack is a stack as DescribeStacks shows it.
type Stack struct {
	StackId, StackName          string
	ChangeSetId                 string
	Description                 string
	Parameters                  []Parameter
	CreationTime                time.Time
	DeletionTime                time.Time
	LastUpdatedTime             time.Time
	RollbackConfiguration       *RollbackConfiguration
	StackStatus                 string
	StackStatusReason           string
	DetailedStatus              string
	DisableRollback             *bool
	NotificationARNs            []string
	TimeoutInMinutes            *int
	Capabilities                []string
	Outputs                     []Output
	RoleARN                     string
	Tags                        []Tag
	EnableTerminationProtection *bool
	ParentId, RootId            string
	DriftInformation            *StackDriftInformation
	RetainExceptOnCreate        *bool
	DeletionMode                string
	DeploymentConfig            *DeploymentConfig
	LastOperations              []OperationEntry
}

// Output is one output of a stack.
type Output struct{ OutputKey, OutputValue, Description, ExportName string }

// ListStacksInput is the request of ListStacks.
type ListStacksInput struct {
	NextToken         string
	StackStatusFilter []string
}

// ListStacksOutput is the answer of ListStacks.
type ListStacksOutput struct {
	StackSummaries []StackSummary
	NextToken      string
}

// StackSummary is a stack as ListStacks shows it.
type StackSummary struct {
	StackId, StackName  string
	TemplateDescription string
	CreationTime        time.Time
	LastUpdatedTime     time.Time
	DeletionTime        time.Time
	StackStatus         string
	StackStatusReason   string
	ParentId, RootId    string
	DriftInformation    *StackDriftInformation
	LastOperations      []OperationEntry
}

// DescribeStackEventsInput is the request of DescribeStackEvents.
type DescribeStackEventsInput struct{ StackName, NextToken string }

// DescribeStackEventsOutput is the answer of DescribeStackEvents.
type DescribeStackEventsOutput struct {
	StackEvents []StackEvent
	NextToken   string
}

// StackEvent is one event, newest first in every list.
type StackEvent struct {
	StackId, EventId, StackName string
	OperationId                 string
	LogicalResourceId           string
	PhysicalResourceId          *string
	ResourceType                string
	Timestamp                   time.Time
	ResourceStatus              string
	ResourceStatusReason        string
	ResourceProperties          string
	ClientRequestToken          string
	HookType, HookStatus        string
	HookStatusReason            string
	HookInvocationPoint         string
	HookInvocationId            string
	HookFailureMode             string
	DetailedStatus              string
}

// DescribeStackResourcesInput is the request of DescribeStackResources.
type DescribeStackResourcesInput struct{ StackName, LogicalResourceId, PhysicalResourceId string }

// DescribeStackResourcesOutput is the answer of DescribeStackResources.
type DescribeStackResourcesOutput struct{ StackResources []StackResource }

// StackResource is a resource as DescribeStackResources shows it.
type StackResource struct {
	StackName, StackId   string
	LogicalResourceId    string
	PhysicalResourceId   string
	ResourceType         string
	Timestamp            time.Time
	ResourceStatus       string
	ResourceStatusReason string
	Description          string
	DriftInformation     *StackResourceDriftInformation
	ModuleInfo           *ModuleInfo
}

// DescribeStackResourceInput is the request of DescribeStackResource.
type DescribeStackResourceInput struct{ StackName, LogicalResourceId string }

// DescribeStackResourceOutput is the answer of DescribeStackResource.
type DescribeStackResourceOutput struct{ StackResourceDetail *StackResourceDetail }

// StackResourceDetail is a resource as DescribeStackResource shows it.
type StackResourceDetail struct {
	StackName, StackId   string
	LogicalResourceId    string
	PhysicalResourceId   string
	ResourceType         string
	LastUpdatedTimestamp time.Time
	ResourceStatus       string
	ResourceStatusReason string
	Description          string
	Metadata             string
	DriftInformation     *StackResourceDriftInformation
	ModuleInfo           *ModuleInfo
}

// ListStackResourcesInput is the request of ListStackResources.
type ListStackResourcesInput struct{ StackName, NextToken string }

// ListStackResourcesOutput is the answer of ListStackResources.
type ListStackResourcesOutput struct {
	StackResourceSummaries []StackResourceSummary
	NextToken              string
}

// StackResourceSummary is a resource as ListStackResources shows it.
type StackResourceSummary struct {
	LogicalResourceId    string
	PhysicalResourceId   string
	ResourceType         string
	LastUpdatedTimestamp time.Time
	ResourceStatus       string
	ResourceStatusReason string
	DriftInformation     *StackResourceDriftInformation
	ModuleInfo           *ModuleInfo
}

// ListExportsInput is the request of ListExports.
type ListExportsInput struct{ NextToken string }

// ListExportsOutput is the answer of ListExports.
type ListExportsOutput struct {
	Exports   []Export
	NextToken string
}

// Export is an exported output.
type Export struct{ ExportingStackId, Name, Value string }

// ListImportsInput is the request of ListImports.
type ListImportsInput struct{ ExportName, NextToken string }

// ListImportsOutput is the answer of ListImports.
type ListImportsOutput struct {
	Imports   []string
	NextToken string
}
