package sandbox_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"github.com/deployer-cli/deployer/internal/sandbox"
)

// CloudFormation reads a SecureString by ssm-secure and in no other way.
func TestSecureStringsAreNotForTemplates(t *testing.T) {
	t.Parallel()
	const topic = "Resources: {Topic: {Type: AWS::SNS::Topic, Properties: {DisplayName: %}}}\n"
	d := inProcess(sandbox.Options{Speed: sandbox.MaxSpeed})
	must[sandbox.Seeded](t)(d.s.Seed(t.Context(), []byte("region: eu-west-1\nparameters: {/pw: {value: hush, type: SecureString}, /open: one}")))

	typed := strings.Replace(topic, "%", "!Ref P", 1) + "Parameters: {P: {Type: 'AWS::SSM::Parameter::Value<String>', Default: /pw}}"
	_, err := d.cfn().CreateStack(t.Context(), &cloudformation.CreateStackInput{StackName: new("typed"), TemplateBody: &typed})
	if err == nil || !strings.HasSuffix(err.Error(), "ValidationError: Parameters [/pw] referenced by template have types not supported by CloudFormation.") {
		t.Errorf("a parameter's type: %v", err)
	}

	for name, c := range map[string]struct {
		reference string
		want      types.StackStatus
	}{
		"open":    {"{{resolve:ssm:/open}}", types.StackStatusCreateComplete},
		"plain":   {"{{resolve:ssm:/pw}}", types.StackStatusRollbackComplete},
		"version": {"{{resolve:ssm:/pw:1}}", types.StackStatusRollbackComplete},
	} {
		body := strings.Replace(topic, "%", "'"+c.reference+"'", 1)
		create(t, d, cloudformation.CreateStackInput{StackName: &name, TemplateBody: &body})
		wantStatus(t, d, name, c.want)
		events := must[*cloudformation.DescribeStackEventsOutput](t)(d.cfn().DescribeStackEvents(t.Context(), &cloudformation.DescribeStackEventsInput{StackName: &name}))
		said := false
		for _, e := range events.StackEvents {
			said = said || e.ResourceStatusReason != nil && *e.ResourceStatusReason == "Non-secure ssm prefix was used for secure parameter /pw"
		}
		if said != (c.want == types.StackStatusRollbackComplete) {
			t.Errorf("%s: the reason is told: %t", name, said)
		}
	}
}
