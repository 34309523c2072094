package engine

import (
	"slices"
	"strings"

	"github.com/deployer-cli/deployer/internal/cfntemplate"
	"github.com/deployer-cli/deployer/internal/restype"
)

func (s *session) getTemplate(in *GetTemplateInput) (*GetTemplateOutput, error) {
	stages := []string{"Original", "Processed"}
	if in.ChangeSetName != "" {
		if in.StackName == "" && !strings.HasPrefix(in.ChangeSetName, "arn:") {
			return nil, invalid("StackName is a required parameter.")
		}
		cs, err := s.changeSet(in.StackName, in.ChangeSetName)
		if err != nil {
			return nil, err
		}
		return &GetTemplateOutput{TemplateBody: s.staged(s.find(cs.Stack), &cs.Next, in.TemplateStage), StagesAvailable: stages}, nil
	}
	if in.StackName == "" {
		return nil, invalid("StackName is required if ChangeSetName is not specified.")
	}
	st := s.find(in.StackName)
	if st == nil {
		return nil, invalid("Stack with id %s does not exist", in.StackName)
	}
	if in.TemplateStage != "" && !slices.Contains(stages, in.TemplateStage) {
		return nil, invalid("1 validation error detected: Value '%s' at 'templateStage' failed to satisfy constraint: Member must satisfy enum value set: [Original, Processed]", in.TemplateStage)
	}
	return &GetTemplateOutput{TemplateBody: s.staged(st, &st.Now, in.TemplateStage), StagesAvailable: stages}, nil
}

// staged is the template before or after its macros and loops. What cannot be
// processed is shown as it was given.
func (s *session) staged(st *stack, t *target, stage string) string {
	if stage != "Processed" {
		return s.body(t.Body)
	}
	text := s.body(t.active())
	tpl, err := s.parse(text)
	if err != nil || st == nil {
		return text
	}
	env, err := s.environment(st, tpl, t)
	if err != nil {
		return text
	}
	expanded, err := cfntemplate.Expand(tpl, env)
	if err != nil || expanded == tpl {
		return text
	}
	return jsonText(expanded.Doc)
}

func (s *session) getTemplateSummary(in *GetTemplateSummaryInput) (*GetTemplateSummaryOutput, error) {
	var text string
	if in.StackName != "" {
		st := s.living(in.StackName)
		if st == nil {
			return nil, invalid("Stack with id %s does not exist", in.StackName)
		}
		if st.Status == reviewInProgress {
			return nil, invalid("GetTemplateSummary cannot be called on REVIEW_IN_PROGRESS stacks.")
		}
		text = s.body(st.Now.Body)
	} else {
		var err error
		if text, err = s.templateText(in.TemplateBody, in.TemplateURL); err != nil {
			return nil, err
		}
	}
	t, err := s.parse(text)
	if err != nil {
		return nil, err
	}
	out := &GetTemplateSummaryOutput{Description: t.Description, DeclaredTransforms: t.Transforms, Parameters: []ParameterDeclaration{}}
	out.Capabilities, out.CapabilitiesReason = capabilities(t)
	out.Version, _ = t.Doc["AWSTemplateFormatVersion"].(string)
	if m, ok := t.Doc["Metadata"]; ok {
		out.Metadata = jsonText(m)
	}
	for _, name := range t.ParameterNames {
		p := t.Parameters[name]
		out.Parameters = append(out.Parameters, ParameterDeclaration{
			ParameterKey: name, ParameterType: p.Type, DefaultValue: p.Default, NoEcho: new(p.NoEcho), Description: p.Description,
			ParameterConstraints: &ParameterConstraints{AllowedValues: p.AllowedValues},
		})
	}
	summarise(t, out)
	return out, nil
}

// summarise lists the resource types and what identifies their resources.
func summarise(t *cfntemplate.Template, out *GetTemplateSummaryOutput) {
	ids := map[string][]string{}
	for _, id := range t.ResourceNames {
		name := t.Resources[id].Type
		if !slices.Contains(out.ResourceTypes, name) {
			out.ResourceTypes = append(out.ResourceTypes, name)
		}
		ids[name] = append(ids[name], id)
	}
	for _, name := range slices.Sorted(slices.Values(out.ResourceTypes)) {
		if known, ok := restype.Lookup(name); ok && len(known.PrimaryID) > 0 {
			out.ResourceIdentifierSummaries = append(out.ResourceIdentifierSummaries, ResourceIdentifierSummary{
				ResourceType: name, LogicalResourceIds: ids[name], ResourceIdentifiers: known.PrimaryID,
			})
		}
	}
}

func (s *session) checkedTemplate(body, url string) (*cfntemplate.Template, error) {
	text, err := s.templateText(body, url)
	if err != nil {
		return nil, err
	}
	t, err := s.parse(text)
	if err != nil {
		return nil, err
	}
	if problems := t.Check(); len(problems) > 0 {
		return nil, templateError(problems[0])
	}
	return t, nil
}

func (s *session) validateTemplate(in *ValidateTemplateInput) (*ValidateTemplateOutput, error) {
	t, err := s.checkedTemplate(in.TemplateBody, in.TemplateURL)
	if err != nil {
		return nil, err
	}
	out := &ValidateTemplateOutput{Description: t.Description, DeclaredTransforms: t.Transforms, Parameters: []TemplateParameter{}}
	out.Capabilities, out.CapabilitiesReason = capabilities(t)
	for _, name := range t.ParameterNames {
		p := t.Parameters[name]
		out.Parameters = append(out.Parameters, TemplateParameter{
			ParameterKey: name, DefaultValue: p.Default, NoEcho: new(p.NoEcho), Description: p.Description,
		})
	}
	return out, nil
}

func (s *session) estimateTemplateCost(in *EstimateTemplateCostInput) (*EstimateTemplateCostOutput, error) {
	t, err := s.checkedTemplate(in.TemplateBody, in.TemplateURL)
	if err != nil {
		return nil, err
	}
	if _, err := s.parameters(nil, t, request{Parameters: in.Parameters, Create: true}); err != nil {
		return nil, err
	}
	return &EstimateTemplateCostOutput{
		Url: "https://calculator.aws/#/estimate?sc=CLOUDFORMATION&id=" + hashText(strings.Join(t.ResourceNames, ",")),
	}, nil
}

func (s *session) describeAccountLimits(*DescribeAccountLimitsInput) (*DescribeAccountLimitsOutput, error) {
	return &DescribeAccountLimitsOutput{AccountLimits: []AccountLimit{
		{Name: "StackLimit", Value: new(s.e.limit())}, {Name: "StackOutputsLimit", Value: new(200)}, {Name: "ConcurrentResourcesLimit", Value: new(2500)},
	}}, nil
}
