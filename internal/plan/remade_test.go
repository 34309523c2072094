package plan

import (
	"strings"
	"testing"

	"github.com/deployer-cli/deployer/stacks"
)

// TestRemade: what refers to a resource that is made again follows it, as far as the
// properties say that refer to it.
func TestRemade(t *testing.T) {
	t.Parallel()
	const table = `
  Table:
    Type: AWS::DynamoDB::Table
    Properties: {TableName: %s, KeySchema: [{AttributeName: id, KeyType: HASH}]}`
	of := func(name string) string { return strings.Replace(table, "%s", name, 1) }
	for name, tt := range map[string]struct{ body, want string }{
		"nothing refers to it": {of("orders"), ""},
		"its name":             {of("!Sub 'of-${Topic.TopicName}'"), "Table conditional data"},
		"only waits for it":    {"\n  Table: {Type: 'AWS::DynamoDB::Table', DependsOn: Topic}", ""},
		"without a replacement": {
			"\n  Alarm: {Type: 'AWS::CloudWatch::Alarm', Properties: {AlarmActions: [!Ref Topic]}}", "Alarm false",
		},
		"through another": {
			"\n  Policy: {Type: 'AWS::SNS::Subscription', Properties: {TopicArn: !Ref Topic, Protocol: sqs}}" + of("!Sub 'of-${Policy}'"),
			"Policy conditional, Table conditional data",
		},
		"through one that stays": {
			"\n  Role: {Type: 'AWS::IAM::Role', Properties: {Description: !Ref Topic}}" + of("!Ref Role"), "Role false",
		},
		"beside a secret":              {of("!Sub '${Secret}-${Topic.TopicName}'"), "Table conditional data"},
		"a secret alone":               {of("!Ref Secret"), ""},
		"in a branch that is not made": {of("!If [Never, !Ref Topic, orders]"), ""},
		"in one that is":               {of("!If [Always, !Ref Topic, orders]"), "Table conditional data"},
		"in what is not made":          {strings.Replace(of("!Ref Topic"), "Properties:", "Condition: Never\n    Properties:", 1), ""},
		"of a program":                 {"\n  Thing: {Type: 'Custom::Thing', Properties: {ServiceToken: !Ref Topic}}", "Thing conditional"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			body := "Parameters: {Secret: {Type: String, NoEcho: true}, On: {Type: String}}\n" +
				"Conditions: {Never: !Equals [!Ref On, b], Always: !Equals [!Ref On, a]}\n" +
				"Resources:\n  Topic: {Type: 'AWS::SNS::Topic'}" + tt.body
			live := &stacks.Live{Name: "dev-a", ID: "arn:1", Parameters: []stacks.LiveParameter{{Key: "Secret", Value: "****"}, {Key: "On", Value: "a"}}}
			changes, err := Remade(live, []byte(body), "333333333333", "eu-west-1", "Topic")
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, c := range changes {
				one := c.LogicalID + " " + c.Replacement
				if c.Data {
					one += " data"
				}
				got = append(got, one)
			}
			if joined := strings.Join(got, ", "); joined != tt.want {
				t.Errorf("got %q, want %q", joined, tt.want)
			}
		})
	}
	if _, err := Remade(&stacks.Live{}, []byte("Resources: ["), "", "", "Topic"); err == nil {
		t.Error("a template that cannot be read tells what follows")
	}
}
