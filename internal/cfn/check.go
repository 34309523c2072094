package cfn

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"github.com/deployer-cli/deployer/stacks"
)

// maxBody is how many bytes of template CloudFormation takes in a request.
const maxBody = 51_200

// NeedsBucket tells whether a template is too large to be sent as it is.
func NeedsBucket(body []byte) bool { return len(body) > maxBody }

// Summary is what CloudFormation says about a template.
type Summary struct {
	Description   string
	Parameters    []SummaryParameter
	ResourceTypes []string
	Capabilities  []string
	Transforms    []string
}

// SummaryParameter is a parameter that a template declares.
type SummaryParameter struct {
	Key         string
	Type        string
	Default     string
	Description string
	NoEcho      bool
}

// TemplateSummary describes the template of a live stack.
func (c *Cloud) TemplateSummary(ctx context.Context, a stacks.Access, id string) (Summary, error) {
	return c.summary(ctx, a, id, &cloudformation.GetTemplateSummaryInput{StackName: &id})
}

// BodySummary describes a template that is not live.
func (c *Cloud) BodySummary(ctx context.Context, a stacks.Access, body []byte) (Summary, error) {
	if NeedsBucket(body) {
		return Summary{}, &TooLargeError{len(body)}
	}
	return c.summary(ctx, a, "", &cloudformation.GetTemplateSummaryInput{TemplateBody: new(string(body))})
}

func (c *Cloud) summary(ctx context.Context, a stacks.Access, id string, in *cloudformation.GetTemplateSummaryInput) (Summary, error) {
	out, err := read(ctx, c, query{a, "GetTemplateSummary", id}, func(cl *cloudformation.Client) (*cloudformation.GetTemplateSummaryOutput, error) {
		return cl.GetTemplateSummary(ctx, in)
	})
	if err != nil {
		return Summary{}, err
	}
	s := Summary{Description: str(out.Description), ResourceTypes: out.ResourceTypes, Transforms: out.DeclaredTransforms}
	for _, p := range out.Parameters {
		s.Parameters = append(s.Parameters, SummaryParameter{
			Key: str(p.ParameterKey), Type: str(p.ParameterType), Default: str(p.DefaultValue),
			Description: str(p.Description), NoEcho: deref(p.NoEcho),
		})
	}
	for _, capability := range out.Capabilities {
		s.Capabilities = append(s.Capabilities, string(capability))
	}
	return s, nil
}

// Validate asks CloudFormation whether a template is well formed.
func (c *Cloud) Validate(ctx context.Context, a stacks.Access, body []byte) error {
	if NeedsBucket(body) {
		return &TooLargeError{len(body)}
	}
	_, err := read(ctx, c, query{access: a, operation: "ValidateTemplate"}, func(cl *cloudformation.Client) (*cloudformation.ValidateTemplateOutput, error) {
		return cl.ValidateTemplate(ctx, &cloudformation.ValidateTemplateInput{TemplateBody: new(string(body))})
	})
	return err
}

// EstimateCost returns the address of a cost estimate for a template.
func (c *Cloud) EstimateCost(ctx context.Context, a stacks.Access, body []byte, parameters []stacks.Parameter) (string, error) {
	if NeedsBucket(body) {
		return "", &TooLargeError{len(body)}
	}
	var given []types.Parameter
	for _, p := range parameters {
		if !p.Unknown && !p.Previous {
			given = append(given, types.Parameter{ParameterKey: &p.Key, ParameterValue: &p.Value})
		}
	}
	out, err := read(ctx, c, query{access: a, operation: "EstimateTemplateCost"}, func(cl *cloudformation.Client) (*cloudformation.EstimateTemplateCostOutput, error) {
		return cl.EstimateTemplateCost(ctx, &cloudformation.EstimateTemplateCostInput{TemplateBody: new(string(body)), Parameters: given})
	})
	if err != nil {
		return "", err
	}
	return str(out.Url), nil
}
