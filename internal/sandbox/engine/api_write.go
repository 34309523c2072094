package engine

// CreateStackInput is the request of CreateStack.
type CreateStackInput struct {
	StackName                   string
	TemplateBody, TemplateURL   string
	Parameters                  []Parameter
	Capabilities                []string
	ClientRequestToken          string
	DeploymentConfig            *DeploymentConfig
	DisableRollback             *bool
	DisableValidation           *bool
	EnableTerminationProtection *bool
	NotificationARNs            []string
	OnFailure                   string
	ResourceTypes               []string
	RetainExceptOnCreate        *bool
	RoleARN                     string
	RollbackConfiguration       *RollbackConfiguration
	StackPolicyBody             string
	StackPolicyURL              string
	Tags                        []Tag
	TimeoutInMinutes            *int
}

// CreateStackOutput is the answer of CreateStack.
type CreateStackOutput struct{ StackId, OperationId string }

// UpdateStackInput is the request of UpdateStack.
type UpdateStackInput struct {
	StackName                   string
	TemplateBody, TemplateURL   string
	UsePreviousTemplate         *bool
	Parameters                  []Parameter
	Capabilities                []string
	ClientRequestToken          string
	DeploymentConfig            *DeploymentConfig
	DisableRollback             *bool
	DisableValidation           *bool
	NotificationARNs            []string
	ResourceTypes               []string
	RetainExceptOnCreate        *bool
	RoleARN                     string
	RollbackConfiguration       *RollbackConfiguration
	StackPolicyBody             string
	StackPolicyURL              string
	StackPolicyDuringUpdateBody string
	StackPolicyDuringUpdateURL  string
	Tags                        []Tag
}

// UpdateStackOutput is the answer of UpdateStack.
type UpdateStackOutput struct{ StackId, OperationId string }

// DeleteStackInput is the request of DeleteStack.
type DeleteStackInput struct {
	StackName          string
	ClientRequestToken string
	DeletionMode       string
	DeploymentConfig   *DeploymentConfig
	RetainResources    []string
	RoleARN            string
}

// DeleteStackOutput is the empty answer of DeleteStack.
type DeleteStackOutput struct{}

// CancelUpdateStackInput is the request of CancelUpdateStack.
type CancelUpdateStackInput struct{ StackName, ClientRequestToken string }

// CancelUpdateStackOutput is the empty answer of CancelUpdateStack.
type CancelUpdateStackOutput struct{}

// ContinueUpdateRollbackInput is the request of ContinueUpdateRollback.
type ContinueUpdateRollbackInput struct {
	StackName, ClientRequestToken string
	ForceRollback                 *bool
	ResourcesToSkip               []string
	RoleARN                       string
}

// ContinueUpdateRollbackOutput is the empty answer of ContinueUpdateRollback.
type ContinueUpdateRollbackOutput struct{}

// RollbackStackInput is the request of RollbackStack.
type RollbackStackInput struct {
	StackName, ClientRequestToken string
	DeploymentConfig              *DeploymentConfig
	RetainExceptOnCreate          *bool
	RoleARN                       string
}

// RollbackStackOutput is the answer of RollbackStack.
type RollbackStackOutput struct{ StackId, OperationId string }

// UpdateTerminationProtectionInput is the request of
// UpdateTerminationProtection.
type UpdateTerminationProtectionInput struct {
	StackName                   string
	EnableTerminationProtection *bool
}

// UpdateTerminationProtectionOutput is the answer of
// UpdateTerminationProtection.
type UpdateTerminationProtectionOutput struct{ StackId string }

// SetStackPolicyInput is the request of SetStackPolicy.
type SetStackPolicyInput struct{ StackName, StackPolicyBody, StackPolicyURL string }

// SetStackPolicyOutput is the empty answer of SetStackPolicy.
type SetStackPolicyOutput struct{}

// GetStackPolicyInput is the request of GetStackPolicy.
type GetStackPolicyInput struct{ StackName string }

// GetStackPolicyOutput is the answer of GetStackPolicy.
type GetStackPolicyOutput struct{ StackPolicyBody string }

// SignalResourceInput is the request of SignalResource.
type SignalResourceInput struct{ StackName, LogicalResourceId, UniqueId, Status string }

// SignalResourceOutput is the empty answer of SignalResource.
type SignalResourceOutput struct{}
