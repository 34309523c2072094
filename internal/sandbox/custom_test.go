package sandbox_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"github.com/deployer-cli/deployer/internal/sandbox"
)

const customTemplate = `
Parameters: {Size: {Type: String, Default: small}}
Resources:
  Zone: {Type: Custom::Zone, Properties: {ServiceToken: "arn:aws:lambda:eu-west-1:123456789012:function:zone", Size: !Ref Size}}
  Plain: {Type: AWS::CloudFormation::CustomResource, Properties: {ServiceToken: "arn:aws:lambda:eu-west-1:123456789012:function:zone"}}
Outputs:
  Id: {Value: !GetAtt Zone.Id}
  Ref: {Value: !Ref Zone}
  Made: {Value: !GetAtt Plain.Anything}
`

func seedText(t *testing.T, d door, text string) {
	t.Helper()
	if _, err := d.s.Seed(t.Context(), []byte("region: eu-west-1\n"+text)); err != nil {
		t.Fatal(err)
	}
}

func TestCustomResources(t *testing.T) {
	t.Parallel()
	d := inProcess(sandbox.Options{Speed: sandbox.MaxSpeed})
	seedText(t, d, `custom: [{type: "Custom::Zone", physical_id: zone-1, data: {Id: Z1, Names: [a, b]}}]`)
	create(t, d, cloudformation.CreateStackInput{StackName: new("a"), TemplateBody: new(customTemplate)})
	st := wantStatus(t, d, "a", types.StackStatusCreateComplete)
	got := map[string]string{}
	for _, o := range st.Outputs {
		got[*o.OutputKey] = *o.OutputValue
	}
	if got["Id"] != "Z1" || got["Ref"] != "zone-1" || got["Made"] == "" {
		t.Errorf("%v", got)
	}
	seedText(t, d, `custom: [{type: "Custom::Z*", physical_id: zone-2, data: {Id: Z2}}]`)
	update := func(size string) {
		must[*cloudformation.UpdateStackOutput](t)(d.cfn().UpdateStack(t.Context(), &cloudformation.UpdateStackInput{
			StackName: new("a"), UsePreviousTemplate: new(true), Parameters: []types.Parameter{{ParameterKey: new("Size"), ParameterValue: &size}},
		}))
	}
	update("large")
	wantStatus(t, d, "a", types.StackStatusUpdateComplete)
	if all := reasons(t, d, "a"); !strings.Contains(all, "Requested update required the provider to create a new physical resource") {
		t.Error(all)
	}
	seedText(t, d, `custom: [{resource: Zone, request: Update, fail: no room}]`)
	update("huge")
	wantStatus(t, d, "a", types.StackStatusUpdateRollbackFailed)
	if all := reasons(t, d, "a"); !strings.Contains(all, "Zone UPDATE_FAILED: Received response status [FAILED] from custom resource. Message returned: no room (RequestId: ") {
		t.Error(all)
	}
}

func TestCustomResourceWithoutTheAttribute(t *testing.T) {
	t.Parallel()
	d := inProcess(sandbox.Options{Speed: sandbox.MaxSpeed})
	seedText(t, d, `custom: [{type: "Custom::Zone", data: {Other: x}}]`)
	create(t, d, cloudformation.CreateStackInput{StackName: new("a"), TemplateBody: new(customTemplate)})
	wantStatus(t, d, "a", types.StackStatusRollbackComplete)
	if all := reasons(t, d, "a"); !strings.Contains(all, "CustomResource attribute error: Vendor response doesn't contain Id key in object ") {
		t.Error(all)
	}
}

func TestBadAnswersForCustomResources(t *testing.T) {
	t.Parallel()
	d := inProcess(sandbox.Options{})
	_, err := d.s.Seed(t.Context(), []byte("custom:\n- {type: 'Custom::[', request: Make, fail: x, physical_id: y, colour: z}\n"))
	for _, part := range []string{"line 2", "pattern", `request "Make"`, "not both", `unknown key "colour"`} {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("no %q in %v", part, err)
		}
	}
}

func TestExpiredCredentials(t *testing.T) {
	t.Parallel()
	d := inProcess(sandbox.Options{})
	must[sandbox.Fault](t)(d.s.AddFault(t.Context(), sandbox.Fault{Expire: true, Service: "cloudformation", Count: 1}))
	_, err := d.cfn().DescribeStacks(t.Context(), nil)
	if code(err) != "ExpiredToken" || !strings.Contains(err.Error(), "403") {
		t.Errorf("%v", err)
	}
	must[*cloudformation.DescribeStacksOutput](t)(d.cfn().DescribeStacks(t.Context(), nil))
}
