package sandbox_test

import (
	"maps"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
)

const (
	oneParam  = `{"Resources":{"Parameter":{"Type":"AWS::SSM::Parameter","Properties":{"Type":"String","Value":"a"}}}}`
	oneTopic  = `{"Parameters":{"TopicName":{"Type":"String","Default":"t"}},"Resources":{"Topic":{"Type":"AWS::SNS::Topic","Properties":{"TopicName":{"Ref":"TopicName"}}}}}`
	missingID = "arn:aws:cloudformation:eu-west-1:123456789012:changeSet/change-set-926829fe/d065e78c"
)

// messagePlays says how each recorded text comes about.
func messagePlays() map[string]play {
	all := map[string]play{}
	for _, part := range []map[string]play{identityPlays(), statePlays(), requestPlays(), templatePlays(), refusedTemplates(), reasonPlays(), servicePlays()} {
		maps.Copy(all, part)
	}
	return all
}

// identityPlays are about stacks and change sets that are not, or are already.
func identityPlays() map[string]play {
	return map[string]play{
		"Error:AlreadyExistsException | Stack [<stack-name:1>] already exists": func(t *testing.T, s *stage) said {
			s.up(t, "app", oneParam)
			_, err := s.cfn().CreateStack(t.Context(), &cloudformation.CreateStackInput{StackName: new("app"), TemplateBody: new(oneParam)})
			return refusal(t, err).renamed("app", "<stack-name:1>")
		},
		"Error:ChangeSetNotFound | ChangeSet [<change-set-id>] does not exist": func(t *testing.T, s *stage) said {
			_, err := s.cfn().GetTemplate(t.Context(), &cloudformation.GetTemplateInput{ChangeSetName: new(missingID)})
			return refusal(t, err).renamed(missingID, "<change-set-id>")
		},
		"Error:ChangeSetNotFound | ChangeSet [<cs-1-name>] does not exist": func(t *testing.T, s *stage) said {
			s.changeSet(t, cloudformation.CreateChangeSetInput{TemplateBody: new(oneParam)}, false)
			must[*cloudformation.DeleteChangeSetOutput](t)(s.cfn().DeleteChangeSet(t.Context(), &cloudformation.DeleteChangeSetInput{StackName: new("app"), ChangeSetName: new("test")}))
			_, err := s.cfn().DescribeChangeSet(t.Context(), &cloudformation.DescribeChangeSetInput{StackName: new("app"), ChangeSetName: new("test")})
			return refusal(t, err).renamed("test", "<cs-1-name>")
		},
		"exc | An error occurred (ChangeSetNotFound) when calling the DescribeChangeSet operation: ChangeSet [arn:<partition>:cloudformation:<region>:111111111111:changeSet/<resource:1>] does not exist": func(t *testing.T, s *stage) said {
			_, err := s.cfn().DescribeChangeSet(t.Context(), &cloudformation.DescribeChangeSetInput{ChangeSetName: new(missingID)})
			return refusal(t, err).renamed(missingID, "arn:<partition>:cloudformation:<region>:111111111111:changeSet/<resource:1>")
		},
		"exc | An error occurred (ValidationError) when calling the DescribeChangeSet operation: Stack [somestack] does not exist": func(t *testing.T, s *stage) said {
			_, err := s.cfn().DescribeChangeSet(t.Context(), &cloudformation.DescribeChangeSetInput{StackName: new("somestack"), ChangeSetName: new("x")})
			return refusal(t, err)
		},
		"Error:ValidationError | Stack [<stack-name:1>] does not exist": func(t *testing.T, s *stage) said {
			_, err := s.change(t, cloudformation.CreateChangeSetInput{ChangeSetType: types.ChangeSetTypeUpdate, TemplateBody: new(oneParam)})
			return refusal(t, err).renamed("app", "<stack-name:1>")
		},
		"Error:ValidationError | Stack [does-not-exist] does not exist": func(t *testing.T, s *stage) said {
			_, err := s.cfn().DescribeStackEvents(t.Context(), &cloudformation.DescribeStackEventsInput{StackName: new("does-not-exist")})
			return refusal(t, err)
		},
		"Error:ValidationError | Stack [nostack] does not exist": func(t *testing.T, s *stage) said {
			_, err := s.cfn().DeleteChangeSet(t.Context(), &cloudformation.DeleteChangeSetInput{StackName: new("nostack"), ChangeSetName: new("x")})
			return refusal(t, err)
		},
		"Error:ValidationError | StackName must be specified if ChangeSetName is not specified as an ARN.": func(t *testing.T, s *stage) said {
			_, err := s.cfn().DeleteChangeSet(t.Context(), &cloudformation.DeleteChangeSetInput{ChangeSetName: new("x")})
			return refusal(t, err)
		},
		"Error:ValidationError | Stack with id <nested-stack-name> does not exist": func(t *testing.T, s *stage) said {
			_, err := s.cfn().DescribeStacks(t.Context(), &cloudformation.DescribeStacksInput{StackName: new("nested")})
			return refusal(t, err).renamed("nested", "<nested-stack-name>")
		},
		"Error:ValidationError | Stack with id <stack-name:1> does not exist": func(t *testing.T, s *stage) said {
			st := s.up(t, "app", oneParam)
			s.down(t, "app")
			settle(t, s.door, *st.StackId)
			_, err := s.cfn().DescribeStacks(t.Context(), &cloudformation.DescribeStacksInput{StackName: new("app")})
			return refusal(t, err).renamed("app", "<stack-name:1>")
		},
		"Error:ValidationError | Stack with id <stack-name> does not exist": func(t *testing.T, s *stage) said {
			_, err := s.cfn().UpdateStack(t.Context(), &cloudformation.UpdateStackInput{StackName: new("app"), TemplateBody: new(oneParam)})
			return refusal(t, err).renamed("app", "<stack-name>")
		},
		"Error:ValidationError | Stack with id does-not-exist does not exist": func(t *testing.T, s *stage) said {
			_, err := s.cfn().GetTemplate(t.Context(), &cloudformation.GetTemplateInput{StackName: new("does-not-exist")})
			return refusal(t, err)
		},
		"Error:ValidationError | StackName is a required parameter.": func(t *testing.T, s *stage) said {
			_, err := s.cfn().GetTemplate(t.Context(), &cloudformation.GetTemplateInput{ChangeSetName: new("does-not-exist")})
			return refusal(t, err)
		},
		"Error:ValidationError | StackName is required if ChangeSetName is not specified.": func(t *testing.T, s *stage) said {
			_, err := s.cfn().GetTemplate(t.Context(), &cloudformation.GetTemplateInput{})
			return refusal(t, err)
		},
		"Error:ValidationError | Resource NonExistentResource does not exist for stack <stack-name>": func(t *testing.T, s *stage) said {
			s.up(t, "app", oneParam)
			return s.noResource(t, "app", "NonExistentResource").renamed("stack app", "stack <stack-name>")
		},
		"Error:ValidationError | Resource Parameter does not exist for stack <stack-name:1>": func(t *testing.T, s *stage) said {
			s.up(t, "app", oneParam)
			must[*cloudformation.UpdateStackOutput](t)(s.cfn().UpdateStack(t.Context(), &cloudformation.UpdateStackInput{StackName: new("app"), TemplateBody: new(strings.Replace(oneParam, `"Parameter"`, `"Other"`, 1))}))
			wantStatus(t, s.door, "app", types.StackStatusUpdateComplete)
			return s.noResource(t, "app", "Parameter").renamed("stack app", "stack <stack-name:1>")
		},
		"Error:ValidationError | Resource Parameter does not exist for stack <stack-name>": func(t *testing.T, s *stage) said {
			s.up(t, "app", `{"Resources":{"Parameter":{"Type":"AWS::SSM::Parameter","Properties":{"Value":"a"}}}}`)
			return s.noResource(t, "app", "Parameter").renamed("stack app", "stack <stack-name>")
		},
		"exc | An error occurred (ValidationError) when calling the DescribeStackResource operation: Resource not-a-valid-resource does not exist for stack <stack-id>": func(t *testing.T, s *stage) said {
			id := *s.up(t, "app", oneParam).StackId
			return s.noResource(t, id, "not-a-valid-resource").renamed(id, "<stack-id>")
		},
		"exc | An error occurred (ValidationError) when calling the DescribeStackResource operation: Stack 'not-a-valid-stack' does not exist": func(t *testing.T, s *stage) said {
			return s.noResource(t, "not-a-valid-stack", "x")
		},
	}
}

func (s *stage) noResource(t *testing.T, stack, id string) said {
	t.Helper()
	_, err := s.cfn().DescribeStackResource(t.Context(), &cloudformation.DescribeStackResourceInput{StackName: &stack, LogicalResourceId: &id})
	return refusal(t, err)
}

// gone makes a stack and deletes it.
func (s *stage) gone(t *testing.T) string {
	t.Helper()
	id := *s.up(t, "app", oneParam).StackId
	s.down(t, "app")
	settle(t, s.door, id)
	return id
}

// statePlays are about what a stack or change set is doing.
func statePlays() map[string]play {
	return map[string]play{
		"Error:ValidationError | No updates are to be performed.": func(t *testing.T, s *stage) said {
			s.up(t, "app", oneParam)
			_, err := s.cfn().UpdateStack(t.Context(), &cloudformation.UpdateStackInput{StackName: new("app"), TemplateBody: new(oneParam)})
			return refusal(t, err)
		},
		"Error:ValidationError | Stack [<stack-id>] already exists and cannot be created again with the changeSet [test].": func(t *testing.T, s *stage) said {
			id := s.gone(t)
			_, err := s.change(t, cloudformation.CreateChangeSetInput{StackName: &id, TemplateBody: new(oneParam)})
			return refusal(t, err).renamed(id, "<stack-id>")
		},
		"Error:ValidationError | Stack [arn:<partition>:cloudformation:<region>:111111111111:stack/<stack-name:1>/<resource:1>] already exists and cannot be created again with the changeSet [revived-stack-changeset].": func(t *testing.T, s *stage) said {
			id := s.gone(t)
			_, err := s.change(t, cloudformation.CreateChangeSetInput{StackName: &id, ChangeSetName: new("revived-stack-changeset"), TemplateBody: new(oneParam)})
			return refusal(t, err).renamed(id, "arn:<partition>:cloudformation:<region>:111111111111:stack/<stack-name:1>/<resource:1>")
		},
		"Error:ValidationError | Stack [<stack-name:1>] already exists and cannot be created again with the changeSet [<change-set-name:1>].": func(t *testing.T, s *stage) said {
			s.up(t, "app", oneParam)
			_, err := s.change(t, cloudformation.CreateChangeSetInput{TemplateBody: new(oneParam)})
			return refusal(t, err).renamed("app", "<stack-name:1>", "test", "<change-set-name:1>")
		},
		"Error:ValidationError | Stack:<stack-id> is in DELETE_COMPLETE state and can not be updated.": func(t *testing.T, s *stage) said {
			id := s.gone(t)
			_, err := s.cfn().UpdateStack(t.Context(), &cloudformation.UpdateStackInput{StackName: &id, TemplateBody: new(oneParam)})
			return refusal(t, err).renamed(id, "<stack-id>")
		},
		"Error:ValidationError | Stack:<stack-id> is in DELETE_IN_PROGRESS state and can not be updated.": func(t *testing.T, s *stage) said {
			id := *s.up(t, "app", oneParam).StackId
			s.down(t, "app")
			_, err := s.change(t, cloudformation.CreateChangeSetInput{StackName: &id, ChangeSetType: types.ChangeSetTypeUpdate, TemplateBody: new(oneParam)})
			return refusal(t, err).renamed(id, "<stack-id>")
		},
		"Error:ValidationError | GetTemplateSummary cannot be called on REVIEW_IN_PROGRESS stacks.": func(t *testing.T, s *stage) said {
			s.changeSet(t, cloudformation.CreateChangeSetInput{TemplateBody: new(oneParam)}, false)
			_, err := s.cfn().GetTemplateSummary(t.Context(), &cloudformation.GetTemplateSummaryInput{StackName: new("app")})
			return refusal(t, err)
		},
		"Error:InsufficientCapabilitiesException | Requires capabilities : [CAPABILITY_AUTO_EXPAND]": func(t *testing.T, s *stage) said {
			s.changeSet(t, cloudformation.CreateChangeSetInput{TemplateBody: new(strings.Replace(oneParam, `{"Resources"`, `{"Transform":"AWS::LanguageExtensions","Resources"`, 1))}, false)
			_, err := s.cfn().ExecuteChangeSet(t.Context(), &cloudformation.ExecuteChangeSetInput{StackName: new("app"), ChangeSetName: new("test")})
			return refusal(t, err)
		},
		"exc | An error occurred (InvalidChangeSetStatus) when calling the ExecuteChangeSet operation: ChangeSet [arn:<partition>:cloudformation:<region>:111111111111:changeSet/<resource:3>] cannot be executed in its current status of [FAILED]": func(t *testing.T, s *stage) said {
			s.up(t, "app", oneParam)
			cs := s.changeSet(t, cloudformation.CreateChangeSetInput{ChangeSetType: types.ChangeSetTypeUpdate, TemplateBody: new(oneParam)}, false)
			_, err := s.cfn().ExecuteChangeSet(t.Context(), &cloudformation.ExecuteChangeSetInput{ChangeSetName: cs.ChangeSetId})
			return refusal(t, err).renamed(*cs.ChangeSetId, "arn:<partition>:cloudformation:<region>:111111111111:changeSet/<resource:3>")
		},
	}
}

// requestPlays are about what a request says beside its template.
func requestPlays() map[string]play {
	all := map[string]play{
		"Error:ValidationError | 1 validation error detected: Value '*@da591fa3_$' at 'stackName' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z][-a-zA-Z0-9]*|arn:[-a-zA-Z0-9:/._+]*": func(t *testing.T, s *stage) said {
			_, err := s.cfn().CreateStack(t.Context(), &cloudformation.CreateStackInput{StackName: new("*@da591fa3_$"), TemplateBody: new(oneParam)})
			return refusal(t, err)
		},
		"Error:ValidationError | 1 validation error detected: Value '<template-body>' at 'templateBody' failed to satisfy constraint: Member must have length less than or equal to 51200": func(t *testing.T, s *stage) said {
			body := `{"Description":"` + strings.Repeat("x", 51200) + `"}`
			_, err := s.change(t, cloudformation.CreateChangeSetInput{TemplateBody: &body})
			return refusal(t, err).renamed(body, "<template-body>")
		},
		"Error:ValidationError | S3 error: Domain name specified in <bucket_name> is not a valid S3 domain": func(t *testing.T, s *stage) said {
			_, err := s.cfn().CreateStack(t.Context(), &cloudformation.CreateStackInput{StackName: new("app"), TemplateURL: new("s3://bucket-1/test/template.yml")})
			return refusal(t, err).renamed("bucket-1", "<bucket_name>")
		},
		"Error:ValidationError | TemplateURL must be a supported URL.": func(t *testing.T, s *stage) said {
			_, err := s.cfn().CreateStack(t.Context(), &cloudformation.CreateStackInput{StackName: new("app"), TemplateURL: new("https://example.com/dummy.yml")})
			return refusal(t, err)
		},
		"Error:ValidationError | You cannot specify both StackPolicyURL and StackPolicyBody": func(t *testing.T, s *stage) said {
			s.up(t, "app", oneParam)
			_, err := s.cfn().SetStackPolicy(t.Context(), &cloudformation.SetStackPolicyInput{StackName: new("app"), StackPolicyBody: new("{}"), StackPolicyURL: new("https://b.s3.amazonaws.com/p")})
			return refusal(t, err)
		},
		"Error:ValidationError | Error validating stack policy: Invalid stack policy": func(t *testing.T, s *stage) said {
			s.up(t, "app", oneParam)
			var last said
			for _, policy := range []string{
				`{"Statement":[{"Effect":"Allow","Action":"Delete:*","Principal":"*","Resource":"*"}]}`,
				`{"Statement":[{"Effect":"Allow","Action":"Update:*","Principal":"Someone","Resource":"*"}]}`,
				`{"Statement":[{"Effect":"Allow"}]}`, "no json",
			} {
				_, err := s.cfn().SetStackPolicy(t.Context(), &cloudformation.SetStackPolicyInput{StackName: new("app"), StackPolicyBody: &policy})
				next := refusal(t, err)
				if last.text != "" && next != last {
					t.Errorf("%s: %q", policy, next.text)
				}
				last = next
			}
			return last
		},
		"exc | An error occurred (ValidationError) when calling the CreateChangeSet operation: Parameter InputValue should either have input value or default value": func(t *testing.T, s *stage) said {
			_, err := s.change(t, cloudformation.CreateChangeSetInput{TemplateBody: new(`{"Parameters":{"InputValue":{"Type":"AWS::SSM::Parameter::Value<String>"}},"Resources":{"T":{"Type":"AWS::SNS::Topic"}}}`)})
			return refusal(t, err)
		},
		"exc | An error occurred (ValidationError) when calling the CreateChangeSet operation: Parameters: [Input] must have values": func(t *testing.T, s *stage) said {
			_, err := s.change(t, cloudformation.CreateChangeSetInput{TemplateBody: new(`{"Parameters":{"Input":{"Type":"String"}},"Resources":{"T":{"Type":"AWS::SNS::Topic"}}}`)})
			return refusal(t, err)
		},
		"Error:ValidationError | Parameter 'Value' must be a number.": func(t *testing.T, s *stage) said {
			_, err := s.change(t, cloudformation.CreateChangeSetInput{
				TemplateBody: new(`{"Parameters":{"Value":{"Type":"Number"}},"Resources":{"T":{"Type":"AWS::SNS::Topic"}}}`),
				Parameters:   []types.Parameter{{ParameterKey: new("Value"), ParameterValue: new("x")}},
			})
			return refusal(t, err)
		},
	}
	maps.Copy(all, updatePlays())
	return all
}

// updatePlays are refusals of UpdateStack.
func updatePlays() map[string]play {
	update := func(in cloudformation.UpdateStackInput) play {
		return func(t *testing.T, s *stage) said {
			s.up(t, "app", oneTopic)
			in.StackName = new("app")
			_, err := s.cfn().UpdateStack(t.Context(), &in)
			return refusal(t, err)
		}
	}
	trigger := func(arn, kind string) play {
		return update(cloudformation.UpdateStackInput{UsePreviousTemplate: new(true), RollbackConfiguration: &types.RollbackConfiguration{
			RollbackTriggers: []types.RollbackTrigger{{Arn: &arn, Type: &kind}},
		}})
	}
	return map[string]play{
		"Error:ValidationError | Either Template URL or Template Body must be specified.":                               update(cloudformation.UpdateStackInput{}),
		"Error:ValidationError | Rollback Trigger Type not supported":                                                   trigger("x", "Another"),
		"Error:ValidationError | RelativeId of a Rollback Trigger's ARN is incorrect":                                   trigger("arn:aws:cloudwatch:us-east-1:123456789012:example-name", "AWS::CloudWatch::Alarm"),
		"Error:ValidationError | Resource type AWS::SNS::Topic is not allowed by parameter ResourceTypes [AWS::EC2:*]":  update(cloudformation.UpdateStackInput{TemplateBody: new(oneTopic), ResourceTypes: []string{"AWS::EC2:*"}}),
		"Error:ValidationError | Resource type AWS::SNS::Topic is not allowed by parameter ResourceTypes [AWS::EC2::*]": update(cloudformation.UpdateStackInput{TemplateBody: new(oneTopic), ResourceTypes: []string{"AWS::EC2::*"}}),
		"Error:ValidationError | Role arn:<partition>:iam::111111111111:role/role-fb405076 is invalid or cannot be assumed": func(t *testing.T, s *stage) said {
			s.up(t, "roles", `{"Resources":{"Role":{"Type":"AWS::IAM::Role","Properties":{"RoleName":"role-fb405076","AssumeRolePolicyDocument":{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":{"AWS":"arn:aws:iam::123456789012:user/me"},"Action":"sts:AssumeRole"}]}}}}}`)
			got := update(cloudformation.UpdateStackInput{UsePreviousTemplate: new(true), RoleARN: new("arn:aws:iam::123456789012:role/role-fb405076")})(t, s)
			return got.renamed("arn:aws:", "arn:<partition>:", "123456789012", "111111111111")
		},
	}
}

// templatePlays are refusals that another operation than CreateStack gives.
func templatePlays() map[string]play {
	refused := func(template string) play {
		return func(t *testing.T, s *stage) said {
			_, err := s.change(t, cloudformation.CreateChangeSetInput{TemplateBody: &template})
			return refusal(t, err)
		}
	}
	const mapped = `{"Mappings":{"TopicSuffixMap":{"A":{"Suffix":"a"}}},"Resources":{"T":{"Type":"AWS::SNS::Topic","Properties":{"TopicName":{"Fn::FindInMap":["TopicSuffixMap","A","Suffix"]}}}}}`
	return map[string]play{
		"exc | An error occurred (ValidationError) when calling the CreateChangeSet operation: Template error: Unable to get mapping for TopicSuffixMap::A::NotValid": refused(strings.Replace(mapped, `"A","Suffix"`, `"A","NotValid"`, 1)),
		"exc | An error occurred (ValidationError) when calling the CreateChangeSet operation: Template error: Unable to get mapping for TopicSuffixMap::C::Suffix":   refused(strings.Replace(mapped, `"A","Suffix"`, `"C","Suffix"`, 1)),
		"exc | An error occurred (ValidationError) when calling the CreateChangeSet operation: Template format error: Resource name my-bad-resource-id is non alphanumeric.": refused(
			`{"Resources":{"my-bad-resource-id":{"Type":"AWS::SNS::Topic"}}}`),
		"exc | An error occurred (ValidationError) when calling the CreateChangeSet operation: Template format error: [/Resources/Foo] Every Resources object must contain a Type member.": refused(
			`{"Resources":{"Foo":{"Properties":{}}}}`),
		"exc | An error occurred (ValidationError) when calling the CreateStack operation: Template format error: unsupported structure.": func(t *testing.T, s *stage) said {
			_, err := s.cfn().CreateStack(t.Context(), &cloudformation.CreateStackInput{StackName: new("app"), TemplateBody: new("https://bucket.s3.amazonaws.com/template.yaml")})
			return refusal(t, err)
		},
		"Error:ValidationError | Template format error: JSON not well-formed. (line 1, column 25)": func(t *testing.T, s *stage) said {
			_, err := s.cfn().ValidateTemplate(t.Context(), &cloudformation.ValidateTemplateInput{TemplateBody: new(`{"this is invalid JSON"="bobbins"}`)})
			return refusal(t, err)
		},
		"Error:ValidationError | Template format error: At least one Resources member must be defined.": func(t *testing.T, s *stage) said {
			_, err := s.cfn().GetTemplateSummary(t.Context(), &cloudformation.GetTemplateSummaryInput{TemplateBody: new("{}")})
			return refusal(t, err)
		},
	}
}

// refusedTemplates are refused by CreateStack and by CreateChangeSet alike.
func refusedTemplates() map[string]play {
	const topic = `"Type":"AWS::SNS::Topic"`
	all := map[string]play{}
	for text, template := range map[string]string{
		"Template error: Unable to get mapping for TopicSuffixMap::C::Suffix":                                                                                                  `{"Mappings":{"TopicSuffixMap":{"A":{"Suffix":"a"}}},"Resources":{"A":{` + topic + `,"Properties":{"TopicName":{"Fn::FindInMap":["TopicSuffixMap","C","Suffix"]}}}}}`,
		"Invalid template resource property 'Invalid'":                                                                                                                         `{"Resources":{"A":{` + topic + `,"Invalid":1}}}`,
		"Key Name of transform definition must be a string.":                                                                                                                   `{"Parameters":{"M":{"Type":"String","Default":"x"}},"Resources":{"A":{` + topic + `,"Properties":{"TopicName":{"Fn::Transform":{"Name":{"Ref":"M"}}}}}}}`,
		"Template error: Fn::Select requires a list argument with two elements: an integer index and a list":                                                                   `{"Resources":{"A":{` + topic + `,"Properties":{"TopicName":{"Fn::Select":["x",["a"]]}}}}}`,
		"Template error: every Fn::Equals object requires a list of 2 string parameters.":                                                                                      `{"Conditions":{"C":{"Fn::Equals":["a"]}},"Resources":{"A":{` + topic + `}}}`,
		"Template error: every Fn::GetAtt object requires two non-empty parameters, the resource name and the resource attribute":                                              `{"Resources":{"A":{` + topic + `,"Properties":{"TopicName":{"Fn::GetAtt":["A",""]}}}}}`,
		"Template error: every Fn::Split object requires two parameters, (1) a string delimiter and (2) a string to be split or a function that returns a string to be split.": `{"Resources":{"A":{` + topic + `,"Properties":{"TopicName":{"Fn::Select":[0,{"Fn::Split":["|"]}]}}}}}`,
		"Template error: unresolved condition dependency MissingCondition in Fn::If":                                                                                           `{"Resources":{"A":{` + topic + `,"Properties":{"TopicName":{"Fn::If":["MissingCondition","a","b"]}}}}}`,
		"Template format error: Any Resources member must be an object.":                                                                                                       `{"Resources":{"A":"x"}}`,
		"Template format error: Every Mappings attribute must be a String or a List.":                                                                                          `{"Mappings":{"A":{"B":{"C":{"D":"e"}}}},"Resources":{"A":{` + topic + `}}}`,
		"Template format error: Every Mappings member A must be a map":                                                                                                         `{"Mappings":{"A":"x"},"Resources":{"A":{` + topic + `}}}`,
		"Template format error: Every Outputs member must contain a Value object":                                                                                              `{"Resources":{"A":{` + topic + `}},"Outputs":{"O":{"Description":"x"}}}`,
		"Template format error: Parameter name AWS::NoValue is non alphanumeric.":                                                                                              `{"Parameters":{"AWS::NoValue":{"Type":"String","Default":"x"}},"Resources":{"A":{` + topic + `}}}`,
		"Template format error: Resource name AWS::NoValue is non alphanumeric.":                                                                                               `{"Resources":{"AWS::NoValue":{` + topic + `}}}`,
		"Template format error: Unresolved resource dependencies [InvalidRef] in the Resources block of the template":                                                          `{"Resources":{"A":{` + topic + `,"Properties":{"TopicName":{"Ref":"InvalidRef"}}}}}`,
		"Template format error: Unresolved resource dependencies [MyTopic] in the Resources block of the template":                                                             `{"Conditions":{"No":{"Fn::Equals":["a","b"]}},"Resources":{"MyTopic":{` + topic + `,"Condition":"No"},"A":{"Type":"AWS::SSM::Parameter","Properties":{"Type":"String","Value":{"Ref":"MyTopic"}}}}}`,
		"Template format error: Unresolved resource dependencies [NonExistingResource] in the Resources block of the template":                                                 `{"Resources":{"A":{` + topic + `,"DependsOn":"NonExistingResource"}}}`,
		"Template format error: YAML not well-formed.":                                                                                                                         "Resources:\n  A: {Type: x\n B",
		"Template format error: [/Resources/A] Every Resources object must contain a Type member.":                                                                             `{"Resources":{"A":{"Properties":{}}}}`,
		"Unresolved resource dependencies [MyTopic] in the Outputs block of the template":                                                                                      `{"Conditions":{"No":{"Fn::Equals":["a","b"]}},"Resources":{"MyTopic":{` + topic + `,"Condition":"No"},"B":{` + topic + `}},"Outputs":{"O":{"Value":{"Ref":"MyTopic"}}}}`,
		"[/Outputs/MyOutput/Value] 'null' values are not allowed in templates":                                                                                                 `{"Resources":{"A":{` + topic + `}},"Outputs":{"MyOutput":{"Value":null}}}`,
	} {
		all["Error:ValidationError | "+text] = func(t *testing.T, s *stage) said {
			_, err := s.change(t, cloudformation.CreateChangeSetInput{TemplateBody: &template})
			first := refusal(t, err)
			_, err = s.cfn().CreateStack(t.Context(), &cloudformation.CreateStackInput{StackName: new("app"), TemplateBody: &template})
			if second := refusal(t, err); second.text != first.text || second.code != first.code {
				t.Errorf("CreateStack says %q", second.text)
			}
			return first.renamed("YAML not well-formed. (line 4, column 1)", "YAML not well-formed.")
		}
	}
	return all
}

// reasonPlays are reasons in events and descriptions.
func reasonPlays() map[string]play {
	all := map[string]play{
		"ResourceStatusReason | Property validation failure: [The property {/Type} is required]": func(t *testing.T, s *stage) said {
			s.up(t, "app", `{"Resources":{"Parameter":{"Type":"AWS::SSM::Parameter","Properties":{"Value":"a"}}}}`)
			return s.eventReason(t, "app", "Property validation")
		},
		"ResourceStatusReason | Requested update requires the creation of a new physical resource; hence creating one.": func(t *testing.T, s *stage) said {
			s.up(t, "app", oneTopic)
			must[*cloudformation.UpdateStackOutput](t)(s.cfn().UpdateStack(t.Context(), &cloudformation.UpdateStackInput{
				StackName: new("app"), UsePreviousTemplate: new(true), Parameters: []types.Parameter{{ParameterKey: new("TopicName"), ParameterValue: new("other")}},
			}))
			wantStatus(t, s.door, "app", types.StackStatusUpdateComplete)
			return s.eventReason(t, "app", "Requested update")
		},
		"ResourceStatusReason | Resource creation Initiated": func(t *testing.T, s *stage) said {
			s.up(t, "app", oneParam)
			return s.eventReason(t, "app", "creation")
		},
		"ResourceStatusReason | User Initiated": func(t *testing.T, s *stage) said {
			s.up(t, "app", oneParam)
			return s.eventReason(t, "app", "User")
		},
		"ResourceStatusReason | [Error] /Outputs/InvalidOutput/Value/Fn::GetAtt: Resource type AWS::SSM::Parameter does not support attribute {Invalid}. Rollback requested by user.": func(t *testing.T, s *stage) said {
			s.up(t, "app", strings.TrimSuffix(oneParam, "}")+`,"Outputs":{"InvalidOutput":{"Value":{"Fn::GetAtt":["Parameter","Invalid"]}}}}`)
			wantStatus(t, s.door, "app", types.StackStatusRollbackComplete)
			return s.eventReason(t, "app", "[Error]")
		},
		"StackStatusReason | The following resource(s) failed to delete: [BrokenPolicy]. ": func(t *testing.T, s *stage) said {
			s.up(t, "app", strings.Replace(oneParam, `"Parameter"`, `"BrokenPolicy"`, 1))
			s.fail(t, "BrokenPolicy", "delete")
			s.down(t, "app")
			return said{text: *wantStatus(t, s.door, "app", types.StackStatusDeleteFailed).StackStatusReason}
		},
		"StackStatusReason | User Initiated": func(t *testing.T, s *stage) said {
			s.changeSet(t, cloudformation.CreateChangeSetInput{TemplateBody: new(oneParam)}, false)
			out := must[*cloudformation.DescribeStacksOutput](t)(s.cfn().DescribeStacks(t.Context(), &cloudformation.DescribeStacksInput{StackName: new("app")}))
			if out.Stacks[0].StackStatus != types.StackStatusReviewInProgress {
				t.Errorf("the stack is %s", out.Stacks[0].StackStatus)
			}
			return said{text: *out.Stacks[0].StackStatusReason}
		},
	}
	maps.Copy(all, changeSetReasons())
	return all
}

func changeSetReasons() map[string]play {
	reason := func(kind types.ChangeSetType, template string, want types.ChangeSetStatus) play {
		return func(t *testing.T, s *stage) said {
			if kind == types.ChangeSetTypeUpdate {
				s.up(t, "app", oneParam)
			}
			cs := s.changeSet(t, cloudformation.CreateChangeSetInput{ChangeSetType: kind, TemplateBody: &template, Capabilities: allCapabilities()}, true)
			if cs.Status != want || cs.StatusReason == nil {
				t.Fatalf("%s %v", cs.Status, cs.StatusReason)
			}
			return said{text: *cs.StatusReason}
		}
	}
	const split = `{"Resources":{"Topic1":{"Type":"AWS::SNS::Topic","Properties":{"DisplayName":"a-b"}},"Topic2":{"Type":"AWS::SNS::Topic","Properties":{"DisplayName":{"Fn::Join":["_",{"Fn::Split":["-",{"Fn::GetAtt":["Topic1","TopicName"]}]}]}}}}}`
	importing := reason(types.ChangeSetTypeCreate, `{"Resources":{"MyFoo":{"Type":"AWS::SSM::Parameter","Properties":{"Type":"String","Value":{"Fn::ImportValue":"none-1"}}}}}`, types.ChangeSetStatusCreateComplete)
	return map[string]play{
		"StatusReason | The submitted information didn't contain changes. Submit different information to create a change set.": reason(types.ChangeSetTypeUpdate, oneParam, types.ChangeSetStatusFailed),
		"StatusReason | Transform AWS::Include failed with: S3 bucket [doesnotexist] does not exist.": reason(types.ChangeSetTypeCreate,
			`{"Transform":{"Name":"AWS::Include","Parameters":{"Location":"s3://doesnotexist/file"}},"Resources":{"T":{"Type":"AWS::SNS::Topic"}}}`, types.ChangeSetStatusFailed),
		"StatusReason | [WARN] --include-property-values option can return incomplete ChangeSet data because: ChangeSet creation failed for resource [MyFoo] because: No export named <export-name>": func(t *testing.T, s *stage) said {
			return importing(t, s).renamed("none-1", "<export-name>")
		},
		"StatusReason | [WARN] --include-property-values option can return incomplete ChangeSet data because: ChangeSet creation failed for resource [Topic2] because: Template error: every Fn::Join object requires two parameters, (1) a string delimiter and (2) a list of strings to be joined or a function that returns a list of strings (such as Fn::GetAZs) to be joined.": reason(types.ChangeSetTypeCreate, split, types.ChangeSetStatusCreateComplete),
	}
}

// servicePlays are answers of other services about what stacks made.
func servicePlays() map[string]play {
	noSecret := func(t *testing.T, s *stage) said {
		id := *s.up(t, "app", `{"Resources":{"S":{"Type":"AWS::SecretsManager::Secret","Properties":{"Name":"mine","SecretString":"x"}}}}`).StackId
		s.down(t, "app")
		settle(t, s.door, id)
		_, err := s.sm().DescribeSecret(t.Context(), &secretsmanager.DescribeSecretInput{SecretId: new("mine")})
		return refusal(t, err)
	}
	return map[string]play{
		"Error:NoSuchBucket | The specified bucket does not exist": func(t *testing.T, s *stage) said {
			id := *s.up(t, "app", `{"Resources":{"B":{"Type":"AWS::S3::Bucket","Properties":{"BucketName":"mine-1"}}}}`).StackId
			s.down(t, "app")
			settle(t, s.door, id)
			_, err := s.s3().ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: new("mine-1")})
			return refusal(t, err)
		},
		"Error:None | Secrets Manager can't find the specified secret.":                      noSecret,
		"Error:ResourceNotFoundException | Secrets Manager can't find the specified secret.": noSecret,
		"exc | An error occurred (ParameterNotFound) when calling the GetParameter operation: ": func(t *testing.T, s *stage) said {
			id := *s.up(t, "app", strings.Replace(oneParam, `"Value"`, `"Name":"mine","Value"`, 1)).StackId
			s.down(t, "app")
			settle(t, s.door, id)
			_, err := s.ssm().GetParameter(t.Context(), &ssm.GetParameterInput{Name: new("mine")})
			return refusal(t, err)
		},
	}
}
