package plan

import (
	"strings"
	"testing"

	"github.com/deployer-cli/deployer/stacks"
)

const relied = `
Parameters: {Stage: {Type: String, Default: live}}
Resources:
  Table: {Type: AWS::DynamoDB::Table, Properties: {TableName: orders}}
  Role: {Type: AWS::IAM::Role, Properties: {RoleName: !Sub "app-${Stage}"}}
  Own: {Type: AWS::IAM::Role, Properties: {Path: /}}
  Address: {Type: AWS::EC2::EIP}
  Group: {Type: AWS::EC2::SecurityGroup, Properties: {GroupDescription: g}}
  Shared: {Type: AWS::EC2::SecurityGroup, Properties: {GroupDescription: g}}
  Topic: {Type: AWS::SNS::Topic, Properties: {TopicName: !Sub "${Own}-x"}}
  Named: {Type: AWS::SNS::Topic, Properties: {TopicName: news}}
  Task: {Type: AWS::ECS::TaskDefinition, Properties: {Family: app}}
Outputs:
  GroupId: {Value: !GetAtt Group.GroupId}
  SharedId: {Value: !Sub "x-${Shared}", Export: {Name: shared}}
  TaskArn: {Value: !Ref Task}
`

// TestSeparate: what has to be asked for by name, and why.
func TestSeparate(t *testing.T) {
	t.Parallel()
	change := func(id, typ, action, replacement, why string, data bool) stacks.ResourceChange {
		return stacks.ResourceChange{LogicalID: id, Type: typ, Action: action, Replacement: replacement, Why: why, Data: data}
	}
	tests := map[string]struct {
		change stacks.ResourceChange
		action Action
		want   string // "" is none
	}{
		"data and a name":      {change("Table", "AWS::DynamoDB::Table", "modify", "true", "", true), Update, "AWS::DynamoDB::Table is replaced: holds data; has a fixed name (TableName)"},
		"data, may be":         {change("New", "AWS::DynamoDB::Table", "modify", "conditional", "", true), Update, "may be replaced: holds data"},
		"data that stays":      {change("New", "AWS::DynamoDB::Table", "remove", "false", "x, "+stacks.OldStays, true), Update, "is removed, the old one stays: holds data"},
		"data modified":        {change("Table", "AWS::DynamoDB::Table", "modify", "false", "", true), Update, ""},
		"a name of parameters": {change("Role", "AWS::IAM::Role", "remove", "false", "", false), Update, "is removed: has a fixed name (RoleName)"},
		"no name":              {change("Own", "AWS::IAM::Role", "modify", "true", "", false), Update, ""},
		"a name that moves":    {change("Topic", "AWS::SNS::Topic", "modify", "true", "", false), Update, ""},
		"a name beside the id": {change("Named", "AWS::SNS::Topic", "modify", "true", "", false), Update, "has a fixed name (TopicName)"},
		"an address":           {change("Address", "AWS::EC2::EIP", "modify", "true", "", false), Update, "has a public name or address"},
		"an output used":       {change("Group", "AWS::EC2::SecurityGroup", "modify", "true", "", false), Update, "has the output GroupId, used by dev/app"},
		"an export used":       {change("Shared", "AWS::EC2::SecurityGroup", "modify", "conditional", "", false), Update, "has the output SharedId, used by dev/web, theirs"},
		"an output unused":     {change("Task", "AWS::ECS::TaskDefinition", "modify", "true", "", false), Update, ""},
		"only changed":         {change("Group", "AWS::EC2::SecurityGroup", "modify", "false", "", false), Update, ""},
		"with its stack":       {change("Address", "AWS::EC2::EIP", "remove", "false", "", false), Delete, ""},
		"data with its stack":  {change("Table", "AWS::DynamoDB::Table", "remove", "false", "", true), Delete, "is removed: holds data"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld()
			d := &stacks.Desired{Stack: &stacks.Stack{Path: "dev/net", Name: "net"}, Body: []byte(relied)}
			w.bring(d).Outputs = []stacks.Output{{Key: "GroupId", Value: "g"}, {Key: "SharedId", Value: "s", Export: "shared"}, {Key: "TaskArn", Value: "t"}}
			snapshot := w.see(d.Stack)
			seen, _ := snapshot.Get("dev/net")
			seen.Imported = map[string][]string{"shared": {"theirs"}}
			snapshot.Put("dev/net", seen)
			b := NewBuilder(Input{Snapshot: snapshot, Uses: func(stacks.Path) []Use { return []Use{{"dev/app", "GroupId"}, {"dev/web", "shared"}} }})
			changed := *d
			changed.Tags = []stacks.Tag{{Key: "a", Value: "b"}}
			step := b.Add(&changed, Edges{})
			step.Action, step.Changes = tt.action, []stacks.ResourceChange{tt.change}
			got := b.Separate(&step)
			switch {
			case tt.want == "" && len(got) > 0, tt.want != "" && len(got) != 1:
				t.Fatalf("%+v, want %q", got, tt.want)
			case tt.want != "" && !strings.HasSuffix(got[0].What+": "+got[0].Why, tt.want):
				t.Errorf("%+v, want %q", got[0], tt.want)
			}
		})
	}
}
