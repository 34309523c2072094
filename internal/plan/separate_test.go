package plan

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/deployer-cli/deployer/stacks"
)

const relied = `
Parameters: {Stage: {Type: String, Default: live}, Secret: {Type: String, NoEcho: true, Default: x}}
Resources:
  Table: {Type: AWS::DynamoDB::Table, Properties: {TableName: orders}}
  Plain: {Type: AWS::DynamoDB::Table}
  Code: {Type: "Custom::Code", Properties: {ServiceToken: x}}
  Quiet: {Type: AWS::SNS::Topic, Properties: {TopicName: !Ref Secret}}
  Theirs: {Type: AWS::SNS::Topic, Properties: {TopicName: !ImportValue theirs}}
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
		"data and a name":       {change("Table", "AWS::DynamoDB::Table", "modify", "true", "", true), Update, "AWS::DynamoDB::Table is replaced: holds data; has a fixed name (TableName)"},
		"data, may be":          {change("Plain", "AWS::DynamoDB::Table", "modify", "conditional", "", true), Update, "may be replaced: holds data"},
		"data that stays":       {change("Plain", "AWS::DynamoDB::Table", "remove", "false", "x, "+stacks.OldStays, true), Update, "is removed, the old one stays: holds data"},
		"data modified":         {change("Table", "AWS::DynamoDB::Table", "modify", "false", "", true), Update, ""},
		"a name of parameters":  {change("Role", "AWS::IAM::Role", "remove", "false", "", false), Update, "is removed: has a fixed name (RoleName)"},
		"no name":               {change("Own", "AWS::IAM::Role", "modify", "true", "", false), Update, ""},
		"a name that moves":     {change("Topic", "AWS::SNS::Topic", "modify", "true", "", false), Update, ""},
		"a name beside the id":  {change("Named", "AWS::SNS::Topic", "modify", "true", "", false), Update, "has a fixed name (TopicName)"},
		"an address":            {change("Address", "AWS::EC2::EIP", "modify", "true", "", false), Update, "has a public name or address"},
		"an output used":        {change("Group", "AWS::EC2::SecurityGroup", "modify", "true", "", false), Update, "has the output GroupId, used by dev/app"},
		"an export used":        {change("Shared", "AWS::EC2::SecurityGroup", "modify", "conditional", "", false), Update, "has the output SharedId, used by dev/web, theirs"},
		"an output unused":      {change("Task", "AWS::ECS::TaskDefinition", "modify", "true", "", false), Update, ""},
		"a secret name":         {change("Quiet", "AWS::SNS::Topic", "remove", "false", "", false), Update, "has a name that is not seen (TopicName)"},
		"an imported name":      {change("Theirs", "AWS::SNS::Topic", "remove", "false", "", false), Update, "has a name that is not seen (TopicName)"},
		"a custom resource":     {change("Code", "Custom::Code", "remove", "false", "", false), Update, "is of a type that cannot be seen into"},
		"one that nobody knows": {change("Else", "AWS::IAM::Role", "remove", "false", "", false), Update, "is not in the template that lives, so that its name and its users are not seen"},
		"in a nested stack":     {change("app-Nest/Role", "AWS::IAM::Role", "modify", "true", "", false), Update, "stands in a template that cannot be read, so that its name and its users are not seen"},
		"only changed":          {change("Group", "AWS::EC2::SecurityGroup", "modify", "false", "", false), Update, ""},
		"with its stack":        {change("Address", "AWS::EC2::EIP", "remove", "false", "", false), Delete, "is removed: has a public name or address"},
		"data with its stack":   {change("Table", "AWS::DynamoDB::Table", "remove", "false", "", true), Delete, "is removed: holds data; has a fixed name (TableName)"},
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

// TestSeparateBehindAMacro: what a macro makes is looked at in the template that it
// left; where that cannot be read, the step says that nobody can see.
func TestSeparateBehindAMacro(t *testing.T) {
	t.Parallel()
	const given = "Transform: Ours\nResources:\n  Fn: {Type: 'AWS::SNS::Topic'}"
	const made = `{"Resources": {"Fn": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "news"}},
  "FnRole": {"Type": "AWS::IAM::Role"}, "Bare": {"Type": "AWS::IAM::Role"}}, "Outputs": {"Arn": {"Value": {"Fn::GetAtt": ["FnRole", "Arn"]}}}}`
	const inner = `{"Parameters": {"N": {"Type": "String"}}, "Resources": {"T": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": {"Ref": "N"}}}, "U": {"Type": "AWS::IAM::Role"}}}`
	w := newWorld()
	d := &stacks.Desired{Stack: &stacks.Stack{Path: "dev/net", Name: "net"}, Body: []byte(given)}
	w.bring(d).Outputs = []stacks.Output{{Key: "Arn", Value: "a"}}
	b := NewBuilder(Input{Snapshot: w.see(d.Stack), Uses: func(stacks.Path) []Use { return []Use{{"dev/app", "Arn"}} }})
	changed := *d
	changed.Tags = []stacks.Tag{{Key: "a", Value: "b"}}
	step := b.Add(&changed, Edges{})
	step.Changes = nil
	for _, id := range []string{"Fn", "FnRole", "Bare", "net-Nest-1/T", "net-Nest-1/U"} {
		typ := "AWS::IAM::Role"
		if id == "Fn" || strings.HasSuffix(id, "T") {
			typ = "AWS::SNS::Topic"
		}
		step.Changes = append(step.Changes, stacks.ResourceChange{LogicalID: id, Type: typ, Action: "remove"})
	}
	why := func() map[string]string {
		out := map[string]string{}
		for _, one := range b.Separate(&step) {
			out[strings.TrimPrefix(one.Name, "dev/net::")] = one.Why
		}
		return out
	}
	if got := why(); len(got) != 5 || got["FnRole"] != "comes from a macro, so that its name and its users are not seen" {
		t.Errorf("unseen: %v", got)
	}
	hidden := b.Hidden(&step)
	if !slices.Equal(hidden, []string{"", "net-Nest-1"}) {
		t.Fatalf("hidden %q", hidden)
	}
	b.Saw("dev/net", "", []byte(made))
	b.Saw("dev/net", "net-Nest-1", []byte(inner))
	want := map[string]string{"Fn": "has a fixed name (TopicName)", "FnRole": "has the output Arn, used by dev/app", "net-Nest-1/T": "has a name that is not seen (TopicName)"}
	if got := why(); !maps.Equal(got, want) {
		t.Errorf("seen: %v", got)
	}
	if len(b.Hidden(&step)) > 0 {
		t.Error("asks again")
	}
}

// TestSeparateOfADeletedStack: what others use has to be named, unless they go too.
func TestSeparateOfADeletedStack(t *testing.T) {
	t.Parallel()
	w := newWorld()
	net := &stacks.Desired{Stack: &stacks.Stack{Path: "dev/net", Name: "net"}, Body: []byte("Resources: {Vpc: {Type: AWS::EC2::VPC}}\nOutputs: {Id: {Value: !Ref Vpc}}")}
	app := &stacks.Desired{Stack: &stacks.Stack{Path: "dev/app", Name: "app"}, Body: []byte("Resources: {T: {Type: AWS::SNS::Topic}}")}
	w.bring(net).Outputs = []stacks.Output{{Key: "Id", Value: "v"}}
	w.bring(app)
	for _, both := range []bool{false, true} {
		snapshot := w.see(net.Stack, app.Stack)
		seen, _ := snapshot.Get("dev/net")
		seen.Resources = []stacks.Resource{{LogicalID: "Vpc", Type: "AWS::EC2::VPC", PhysicalID: "vpc-1"}}
		snapshot.Put("dev/net", seen)
		b := NewBuilder(Input{Snapshot: snapshot, Uses: func(stacks.Path) []Use { return []Use{{"dev/app", "Id"}} }})
		if both {
			b.Remove(app.Stack, nil, "asked for")
		}
		step := b.Remove(net.Stack, nil, "asked for")
		got := b.Separate(&step)
		if both != (len(got) == 0) || !both && got[0].Why != "has the output Id, used by dev/app" {
			t.Errorf("with its dependent %v: %+v", both, got)
		}
	}
}
