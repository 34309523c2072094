package engine

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
)

const serverless = `
Transform: AWS::Serverless-2016-10-31
Globals: {Function: {Runtime: python3.13, Timeout: 10, Environment: {Variables: {A: a}}}}
Resources:
  Hello:
    Type: AWS::Serverless::Function
    Properties:
      Handler: app.handler
      CodeUri: s3://code/app.zip
      Environment: {Variables: {B: !Ref Items}}
      AutoPublishAlias: live
      Policies: [AWSXrayReadOnlyAccess, {DynamoDBCrudPolicy: {TableName: !Ref Items}}]
      Events:
        Get: {Type: Api, Properties: {Path: /, Method: get}}
        Daily: {Type: Schedule, Properties: {Schedule: rate(1 day)}}
        Work: {Type: SQS, Properties: {Queue: !GetAtt Queue.Arn, BatchSize: 5}}
  Items: {Type: AWS::Serverless::SimpleTable}
  Front: {Type: AWS::Serverless::Api, Properties: {StageName: v1}}
  Queue: {Type: AWS::SQS::Queue}
Outputs:
  Arn: {Value: !GetAtt Hello.Arn}
  Role: {Value: !GetAtt HelloRole.Arn}
  Url: {Value: !Sub "https://${ServerlessRestApi}.execute-api.${AWS::Region}.amazonaws.com/Prod/"}
`

func TestServerless(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	in := &CreateStackInput{StackName: "sam", TemplateBody: serverless}
	want(t, w.refused("CreateStack", in), "InsufficientCapabilitiesException: Requires capabilities : [CAPABILITY_IAM]")
	in.Capabilities = []string{"CAPABILITY_IAM"}
	want(t, w.refused("CreateStack", in), "InsufficientCapabilitiesException: Requires capabilities : [CAPABILITY_AUTO_EXPAND]")
	in.Capabilities = append(in.Capabilities, "CAPABILITY_AUTO_EXPAND")
	do[CreateStackOutput](w, "CreateStack", in)
	w.settle()
	w.status("sam", createComplete)
	w.expectReason("sam", "sam CREATE_IN_PROGRESS Transformation succeeded")
	types := map[string]int{}
	for _, r := range do[DescribeStackResourcesOutput](w, "DescribeStackResources", &DescribeStackResourcesInput{StackName: "sam"}).StackResources {
		types[r.ResourceType]++
	}
	for name, n := range map[string]int{
		"AWS::Lambda::Function": 1, "AWS::IAM::Role": 1, "AWS::Lambda::Version": 1, "AWS::Lambda::Alias": 1, "AWS::Events::Rule": 1, "AWS::Lambda::EventSourceMapping": 1,
		"AWS::Lambda::Permission": 2, "AWS::DynamoDB::Table": 1, "AWS::ApiGateway::RestApi": 2, "AWS::ApiGateway::Deployment": 2, "AWS::ApiGateway::Stage": 2, "AWS::SQS::Queue": 1,
	} {
		if types[name] != n {
			t.Errorf("%d of %s, want %d", types[name], name, n)
		}
	}
	processed := do[GetTemplateOutput](w, "GetTemplate", &GetTemplateInput{StackName: "sam", TemplateStage: "Processed"}).TemplateBody
	var doc struct {
		Resources map[string]struct{ Properties map[string]any }
	}
	if err := json.Unmarshal([]byte(processed), &doc); err != nil {
		t.Fatal(err)
	}
	fn := doc.Resources["Hello"].Properties
	if fn["Runtime"] != "python3.13" || fn["Code"].(map[string]any)["S3Bucket"] != "code" || len(fn["Environment"].(map[string]any)["Variables"].(map[string]any)) != 2 {
		t.Errorf("%v", fn)
	}
	want(t, do[GetTemplateOutput](w, "GetTemplate", &GetTemplateInput{StackName: "sam"}).TemplateBody, serverless)

	up := &UpdateStackInput{StackName: "sam", TemplateBody: serverless, Capabilities: in.Capabilities}
	want(t, w.refused("UpdateStack", up), "ValidationError: No updates are to be performed.")
	up.TemplateBody = strings.Replace(serverless, "Timeout: 10", "Timeout: 20", 1)
	do[UpdateStackOutput](w, "UpdateStack", up)
	w.settle()
	w.status("sam", updateComplete)
	w.delete("sam")
	w.settle()
}

func TestServerlessRefusals(t *testing.T) {
	t.Parallel()
	for template, reason := range map[string]string{
		"{Type: AWS::Serverless::Application}":                                                            "Resource with id [X] is invalid. The sandbox does not expand AWS::Serverless::Application.",
		"{Type: AWS::Serverless::Function, Properties: {Handler: a, Runtime: b}}":                         "Resource with id [X] is invalid. Missing required property 'CodeUri'.",
		"{Type: AWS::Serverless::Function, Properties: {Handler: a, Runtime: b, CodeUri: ./src}}":         "Resource with id [X] is invalid. 'CodeUri' requires Bucket and Key properties to be specified.",
		"{Type: AWS::Serverless::Function, Properties: {InlineCode: a, Events: {E: {Type: AlexaSkill}}}}": "Resource with id [X] is invalid. Event with id [E] is invalid. The sandbox does not expand events of type AlexaSkill.",
		"{Type: AWS::Serverless::Api}":                                                                    "Resource with id [X] is invalid. Missing required property 'StageName'.",
	} {
		w := newWorld(t)
		do[CreateStackOutput](w, "CreateStack", &CreateStackInput{
			StackName: "sam", TemplateBody: "Transform: AWS::Serverless-2016-10-31\nResources: {X: " + template + "}", Capabilities: []string{"CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"},
		})
		w.settle()
		w.status("sam", rollbackComplete)
		w.expectReason("sam", "sam ROLLBACK_IN_PROGRESS Transform AWS::Serverless-2016-10-31 failed with: Invalid Serverless Application Specification document. Number of errors found: 1. "+strings.TrimSuffix(reason, ".")+".. Rollback requested by user.")
	}
}

func TestInclude(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.files["https://s3.amazonaws.com/bucket/props.yaml"] = "DisplayName: included\n"
	w.files["https://s3.amazonaws.com/bucket/more.json"] = `{"Resources":{"More":{"Type":"AWS::SNS::Topic"}}}`
	w.files["https://s3.amazonaws.com/bucket/bad.yaml"] = "{"
	template := `
Parameters: {Where: {Type: String, Default: "s3://bucket/props.yaml"}}
Transform: {Name: AWS::Include, Parameters: {Location: "s3://bucket/more.json"}}
Resources:
  Topic: {Type: AWS::SNS::Topic, Properties: {"Fn::Transform": {Name: AWS::Include, Parameters: {Location: !Ref Where}}, TopicName: mine}}
`
	in := &CreateStackInput{StackName: "a", TemplateBody: template, Capabilities: []string{"CAPABILITY_AUTO_EXPAND"}}
	do[CreateStackOutput](w, "CreateStack", in)
	w.settle()
	w.status("a", createComplete)
	got := map[string]bool{}
	for _, e := range w.events("a") {
		got[e.ResourceProperties] = true
	}
	if !got[`{"DisplayName":"included","TopicName":"mine"}`] || len(do[DescribeStackResourcesOutput](w, "DescribeStackResources", &DescribeStackResourcesInput{StackName: "a"}).StackResources) != 2 {
		t.Errorf("%v", slices.Sorted(maps.Keys(got)))
	}
	for where, reason := range map[string]string{
		"s3://bucket/bad.yaml": "The specified S3 object's content should be valid Yaml/JSON",
		"bucket":               "The location parameter is not a valid S3 uri.",
		"s3://bucket/none":     "Access Denied",
	} {
		cs := w.changeSet("a", "cs"+strings.Trim(strings.Map(func(r rune) rune {
			if r >= 'a' && r <= 'z' {
				return r
			}
			return -1
		}, where), "-"), "UPDATE", template, "Where", where)
		want(t, cs.Status+": "+cs.StatusReason, "FAILED: Transform AWS::Include failed with: "+reason)
	}
}
