package inject_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/deployer-cli/deployer/internal/inject"
	"github.com/deployer-cli/deployer/stacks"
)

func target() stacks.Target {
	return stacks.Target{
		Path: "dev/web", Name: "demo-dev-web", StackID: "arn:aws:cloudformation:eu-west-1:123456789012:stack/demo-dev-web/1",
		Access: stacks.Access{Region: "eu-west-1"},
	}
}

func resource(id, kind, physical string) stacks.Resource {
	return stacks.Resource{LogicalID: id, Type: kind, PhysicalID: physical, Status: "CREATE_COMPLETE"}
}

func resources() []stacks.Resource {
	half := resource("Half", "AWS::Lambda::Function", "half")
	half.Status = "UPDATE_IN_PROGRESS"
	gone := resource("Gone", "AWS::Events::Rule", "gone")
	gone.Status = "DELETE_COMPLETE"
	return []stacks.Resource{
		resource("Server", "AWS::EC2::Instance", "i-1"), resource("Fleet", "AWS::AutoScaling::AutoScalingGroup", "fleet-1"),
		resource("Firewall", "AWS::EC2::SecurityGroup", "sg-1"), resource("Worker", "AWS::Lambda::Function", "worker"), half, gone,
		resource("Topic", "AWS::SNS::Topic", "arn:aws:sns:eu-west-1:123456789012:topic"), resource("Table", "AWS::DynamoDB::Table", "table"),
		resource("Queue", "AWS::SQS::Queue", "https://queue"), resource("Secret", "AWS::SecretsManager::Secret", "arn:secret"),
		resource("Child", "AWS::CloudFormation::Stack", "arn:stack"), resource("Hook", "Custom::Hook", "hook"),
		resource("Wait", "AWS::CloudFormation::WaitConditionHandle", "https://wait"), resource("Permission", "AWS::Lambda::Permission", "permission-1"),
		resource("Nightly", "AWS::Events::Rule", "shop-nightly"), resource("Route", "AWS::EC2::Route", "rtb-1|0.0.0.0/0"), resource("Unmade", "AWS::SNS::Topic", ""),
	}
}

func TestPreview(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		kind, arg string
		want      []string // logical ids
		says      string
		refused   string
	}{
		"every instance":    {kind: "stop-instances", want: []string{"Server", "Fleet"}, says: "stop the instance Server (i-1)"},
		"one group":         {kind: "stop-instances", arg: "Fleet", want: []string{"Fleet"}, says: "the group replaces them by itself"},
		"firewall":          {kind: "revoke-ingress", want: []string{"Firewall"}, says: "every inbound rule of the security group Firewall (sg-1)"},
		"what is settled":   {kind: "lambda-zero", want: []string{"Worker"}, says: "to zero"},
		"a topic":           {kind: "delete-resource", arg: "Topic", want: []string{"Topic"}, says: "delete Topic"},
		"two parts":         {kind: "delete-resource", arg: "Route", want: []string{"Route"}, says: "AWS::EC2::Route"},
		"in progress":       {kind: "lambda-zero", arg: "Half", refused: "Half is UPDATE_IN_PROGRESS"},
		"not the deleted":   {kind: "disable-rule", want: []string{"Nightly"}, says: "disable the rule Nightly"},
		"none":              {kind: "lambda-zero", arg: "Gone", refused: "Gone is a AWS::Events::Rule"},
		"no such resource":  {kind: "stop-instances", arg: "Nobody", refused: "it has no resource Nobody"},
		"another type":      {kind: "lambda-zero", arg: "Server", refused: "Server is a AWS::EC2::Instance"},
		"no name":           {kind: "delete-resource", refused: "names no resource"},
		"data":              {kind: "delete-resource", arg: "Table", refused: "holds data"},
		"passing data":      {kind: "delete-resource", arg: "Queue", refused: "holds data"},
		"secret":            {kind: "delete-resource", arg: "Secret", refused: "holds data"},
		"nested":            {kind: "delete-resource", arg: "Child", refused: "nested stack"},
		"custom":            {kind: "delete-resource", arg: "Hook", refused: "Cloud Control does not delete"},
		"CloudFormation's":  {kind: "delete-resource", arg: "Wait", refused: "Cloud Control does not delete"},
		"unaddressable":     {kind: "delete-resource", arg: "Permission", refused: "addressed by"},
		"no ARN":            {kind: "delete-resource", arg: "Nightly", refused: "addressed by Arn"},
		"not made":          {kind: "delete-resource", arg: "Unmade", refused: "Unmade was not made"},
		"no such kind":      {kind: "set-on-fire", refused: "no such kind"},
		"a kind of another": {kind: "delete-stack", refused: "no such kind"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := inject.Preview(c.kind, c.arg, target(), resources())
			if c.refused != "" {
				e, ok := errors.AsType[*inject.UnsuitableError](err)
				if !ok || !strings.Contains(err.Error(), c.refused) || e.Hint() == "" || e.ExitCode() != 2 {
					t.Fatalf("refused with %v, want %q and a hint", err, c.refused)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			var ids []string
			for _, i := range got {
				ids = append(ids, i.LogicalID)
				if i.Kind != c.kind || i.Stack != "dev/web" || i.StackID != target().StackID || i.PhysicalID == "" || i.Access.Region != "eu-west-1" {
					t.Errorf("incomplete: %+v", i)
				}
			}
			if !slices.Equal(ids, c.want) || !strings.Contains(got[0].Says, c.says) {
				t.Errorf("got %v, %q", ids, got[0].Says)
			}
		})
	}
}
