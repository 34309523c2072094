package engine

// GetTemplateInput is the request of GetTemplate.
type GetTemplateInput struct{ StackName, ChangeSetName, TemplateStage string }

// GetTemplateOutput is the answer of GetTemplate.
type GetTemplateOutput struct {
	TemplateBody    string
	StagesAvailable []string
}

// TemplateSummaryConfig chooses how GetTemplateSummary treats unknown types.
type TemplateSummaryConfig struct{ TreatUnrecognizedResourceTypesAsWarnings *bool }

// GetTemplateSummaryInput is the request of GetTemplateSummary.
type GetTemplateSummaryInput struct {
	StackName, TemplateBody, TemplateURL string
	StackSetName, CallAs                 string
	TemplateSummaryConfig                *TemplateSummaryConfig
}

// GetTemplateSummaryOutput is the answer of GetTemplateSummary.
type GetTemplateSummaryOutput struct {
	Parameters                  []ParameterDeclaration
	Description                 string
	Capabilities                []string
	CapabilitiesReason          string
	ResourceTypes               []string
	Version                     string
	Metadata                    string
	DeclaredTransforms          []string
	ResourceIdentifierSummaries []ResourceIdentifierSummary
	Warnings                    *Warnings
}

// Warnings lists resource types the template uses and nobody knows.
type Warnings struct{ UnrecognizedResourceTypes []string }

// ParameterConstraints holds a parameter's allowed values.
type ParameterConstraints struct{ AllowedValues []string }

// ParameterDeclaration is a parameter as GetTemplateSummary shows it.
type ParameterDeclaration struct {
	ParameterKey, ParameterType string
	DefaultValue                *string
	NoEcho                      *bool
	Description                 string
	ParameterConstraints        *ParameterConstraints
}

// ResourceIdentifierSummary says what identifies resources of a type.
type ResourceIdentifierSummary struct {
	ResourceType        string
	LogicalResourceIds  []string
	ResourceIdentifiers []string
}

// ValidateTemplateInput is the request of ValidateTemplate.
type ValidateTemplateInput struct{ TemplateBody, TemplateURL string }

// ValidateTemplateOutput is the answer of ValidateTemplate.
type ValidateTemplateOutput struct {
	Parameters         []TemplateParameter
	Description        string
	Capabilities       []string
	CapabilitiesReason string
	DeclaredTransforms []string
}

// TemplateParameter is a parameter as ValidateTemplate shows it.
type TemplateParameter struct {
	ParameterKey string
	DefaultValue *string
	NoEcho       *bool
	Description  string
}

// EstimateTemplateCostInput is the request of EstimateTemplateCost.
type EstimateTemplateCostInput struct {
	TemplateBody, TemplateURL string
	Parameters                []Parameter
}

// EstimateTemplateCostOutput is the answer of EstimateTemplateCost.
type EstimateTemplateCostOutput struct{ Url string }

// DescribeAccountLimitsInput is the request of DescribeAccountLimits.
type DescribeAccountLimitsInput struct{ NextToken string }

// DescribeAccountLimitsOutput is the answer of DescribeAccountLimits.
type DescribeAccountLimitsOutput struct {
	AccountLimits []AccountLimit
	NextToken     string
}

// AccountLimit is one quota.
type AccountLimit struct {
	Name  string
	Value *int
}
