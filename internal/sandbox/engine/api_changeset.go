package engine

import "time"

// ResourceToImport names an existing resource to import.
type ResourceToImport struct {
	LogicalResourceId, ResourceType string
	ResourceIdentifier              map[string]string
}

// CreateChangeSetInput is the request of CreateChangeSet.
type CreateChangeSetInput struct {
	ChangeSetName, StackName  string
	TemplateBody, TemplateURL string
	UsePreviousTemplate       *bool
	Parameters                []Parameter
	Capabilities              []string
	ChangeSetType             string
	ClientToken               string
	DeploymentConfig          *DeploymentConfig
	DeploymentMode            string
	Description               string
	DisableValidation         *bool
	ImportExistingResources   *bool
	IncludeNestedStacks       *bool
	NotificationARNs          []string
	OnStackFailure            string
	ResourceTypes             []string
	ResourcesToImport         []ResourceToImport
	RoleARN                   string
	RollbackConfiguration     *RollbackConfiguration
	Tags                      []Tag
}

// CreateChangeSetOutput is the answer of CreateChangeSet.
type CreateChangeSetOutput struct{ Id, StackId string }

// DescribeChangeSetInput is the request of DescribeChangeSet.
type DescribeChangeSetInput struct {
	ChangeSetName, StackName, NextToken string
	IncludePropertyValues               *bool
}

// DescribeChangeSetOutput is the answer of DescribeChangeSet.
type DescribeChangeSetOutput struct {
	ChangeSetName, ChangeSetId       string
	StackId, StackName               string
	Description                      string
	Parameters                       []Parameter
	CreationTime                     time.Time
	ExecutionStatus, Status          string
	StatusReason                     string
	NotificationARNs                 []string
	RollbackConfiguration            *RollbackConfiguration
	Capabilities                     []string
	Tags                             []Tag
	Changes                          []Change
	NextToken                        string
	IncludeNestedStacks              *bool
	ImportExistingResources          *bool
	ParentChangeSetId                string
	RootChangeSetId                  string
	OnStackFailure                   string
	DeploymentMode, StackDriftStatus string
	DeploymentConfig                 *DeploymentConfig
}

// Change is one entry of a change set.
type Change struct {
	Type                string
	HookInvocationCount *int
	ResourceChange      *ResourceChange
}

// ResourceChange says what a change set does to a resource.
type ResourceChange struct {
	PolicyAction       string
	Action             string
	LogicalResourceId  string
	PhysicalResourceId string
	ResourceType       string
	Replacement        string
	Scope              []string
	Details            []ResourceChangeDetail
	ChangeSetId        string
	ModuleInfo         *ModuleInfo
	BeforeContext      string
	AfterContext       string

	ResourceDriftStatus string
}

// ResourceChangeDetail says why and how one property changes.
type ResourceChangeDetail struct {
	Target        *ResourceTargetDefinition
	Evaluation    string
	ChangeSource  string
	CausingEntity string
}

// ResourceTargetDefinition names what changes inside a resource.
type ResourceTargetDefinition struct {
	Attribute           string
	Name                string
	RequiresRecreation  string
	Path                string
	BeforeValue         string
	AfterValue          string
	AttributeChangeType string
	BeforeValueFrom     string
	AfterValueFrom      string
	Drift               *LiveResourceDrift
}

// LiveResourceDrift tells what somebody made of a property.
type LiveResourceDrift struct {
	PreviousValue, ActualValue string
	DriftDetectionTimestamp    time.Time
}

// ExecuteChangeSetInput is the request of ExecuteChangeSet.
type ExecuteChangeSetInput struct {
	ChangeSetName, StackName string
	ClientRequestToken       string
	DisableRollback          *bool
	RetainExceptOnCreate     *bool
}

// ExecuteChangeSetOutput is the empty answer of ExecuteChangeSet.
type ExecuteChangeSetOutput struct{}

// DeleteChangeSetInput is the request of DeleteChangeSet.
type DeleteChangeSetInput struct{ ChangeSetName, StackName string }

// DeleteChangeSetOutput is the empty answer of DeleteChangeSet.
type DeleteChangeSetOutput struct{}

// ListChangeSetsInput is the request of ListChangeSets.
type ListChangeSetsInput struct{ StackName, NextToken string }

// ListChangeSetsOutput is the answer of ListChangeSets.
type ListChangeSetsOutput struct {
	Summaries []ChangeSetSummary
	NextToken string
}

// ChangeSetSummary is a change set as ListChangeSets shows it.
type ChangeSetSummary struct {
	StackId, StackName         string
	ChangeSetId, ChangeSetName string
	ExecutionStatus, Status    string
	StatusReason               string
	CreationTime               time.Time
	Description                string
	IncludeNestedStacks        *bool
	ImportExistingResources    *bool
	ParentChangeSetId          string
	RootChangeSetId            string
}
