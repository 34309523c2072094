package blast_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/deployer-cli/deployer/internal/blast"
	"github.com/deployer-cli/deployer/stacks"
)

// TestExportInUse: an export that is imported cannot change, so that what it names is not
// deleted by itself where it would come back as another.
func TestExportInUse(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		id, typ, physical string
		importers         []string
		changes           []stacks.ResourceChange
		refused           bool
	}{
		"nobody imports":      {"Subnet", "AWS::EC2::Subnet", "subnet-1", nil, nil, false},
		"imported":            {"Subnet", "AWS::EC2::Subnet", "subnet-1", []string{"dev-queue"}, nil, true},
		"of another resource": {"Vpc", "AWS::EC2::VPC", "vpc-1", []string{"dev-queue"}, nil, false},
		"of what follows": {"Vpc", "AWS::EC2::VPC", "vpc-1", []string{"dev-queue"}, []stacks.ResourceChange{
			{LogicalID: "Subnet", Type: "AWS::EC2::Subnet", Action: "modify", Replacement: "conditional"},
		}, true},
		"by Ref of what is changed": {"Vpc", "AWS::EC2::VPC", "vpc-1", []string{"dev-queue"}, []stacks.ResourceChange{
			{LogicalID: "Subnet", Type: "AWS::EC2::Subnet", Action: "modify", Replacement: "false"},
		}, false},
		"with a name of its own": {"Subnet", "AWS::SNS::Topic", "arn:aws:sns:eu-west-1:333333333333:orders", []string{"dev-queue"}, nil, false},
		"with a generated name":  {"Subnet", "AWS::SNS::Topic", "arn:aws:sns:eu-west-1:333333333333:dev-Topic-1A2B3C4D5E6F", []string{"dev-queue"}, nil, true},
	} {
		f := good()
		at(f, "dev/network").Template.Value = strings.Replace(networkTemplate, "VpcId: !Ref Vpc}", "Name: orders}", 1)
		f.Kind, f.Exports.Value[0].Importers.Value = blast.DeleteResource, tt.importers
		f.Injections = []stacks.Injection{{Kind: f.Kind, Stack: "dev/network", LogicalID: tt.id, Type: tt.typ, PhysicalID: tt.physical}}
		f.Changes = map[stacks.Path][]stacks.ResourceChange{"dev/network": tt.changes}
		p := blast.Make(f)
		i := slices.IndexFunc(p.Verdicts, func(v blast.Verdict) bool { return v.Guard == "G12" })
		if v := p.Verdicts[i]; v.OK == tt.refused || tt.refused && !strings.Contains(v.Why, "its export net-subnet would change") {
			t.Errorf("%s: %+v", name, v)
		}
	}
}

// TestExportOfWhatIsChanged: an attribute may change with a resource that is only changed,
// and what a nested stack exports with that stack.
func TestExportOfWhatIsChanged(t *testing.T) {
	t.Parallel()
	const child = "Child AWS::CloudFormation::Stack"
	for name, tt := range map[string]struct {
		value   string // of the export of dev/network, "" where a stack nested in it has it
		changed string
		refused bool
	}{
		"attribute":               {"!GetAtt Subnet.AvailabilityZone", "Subnet AWS::EC2::Subnet", true},
		"attribute in a text":     {"!Sub 'x-${Subnet.AvailabilityZone}'", "Subnet AWS::EC2::Subnet", true},
		"attribute of another":    {"!GetAtt Other.Arn", "Subnet AWS::EC2::Subnet", false},
		"of the deleted one":      {"!GetAtt Vpc.CidrBlock", child, true},
		"output of a nested one":  {"!GetAtt Child.Outputs.V", child, true},
		"nested":                  {"", child, true},
		"nested, nothing changed": {"", "Subnet AWS::EC2::Subnet", false},
	} {
		f := good()
		network := at(f, "dev/network")
		id, typ, _ := strings.Cut(tt.changed, " ")
		if tt.value != "" {
			network.Template.Value = strings.Replace(networkTemplate, "!Ref Subnet", tt.value, 1)
		} else {
			nested := seen(f.Environment, "dev/child", queueTemplate, "Orders AWS::SQS::Queue orders")
			nested.Stack, nested.Live.ParentID, nested.Live.Outputs = nil, network.Live.ID, network.Live.Outputs[:1]
			network.Live.Outputs = nil
			network.Resources.Value = append(network.Resources.Value, stacks.Resource{LogicalID: "Child", Type: "AWS::CloudFormation::Stack", PhysicalID: nested.Live.ID})
			f.Exports.Value[0].StackID = nested.Live.ID
			f.Stacks.Value = append(f.Stacks.Value, nested)
		}
		f.Kind, f.Exports.Value[0].Importers.Value = blast.DeleteResource, []string{"dev-queue"}
		f.Injections = []stacks.Injection{{Kind: f.Kind, Stack: "dev/network", LogicalID: "Vpc", Type: "AWS::EC2::VPC", PhysicalID: "vpc-1"}}
		f.Changes = map[stacks.Path][]stacks.ResourceChange{"dev/network": {{LogicalID: id, Type: typ, Action: "modify", Replacement: "false"}}}
		verdicts := blast.Make(f).Verdicts
		v := verdicts[slices.IndexFunc(verdicts, func(v blast.Verdict) bool { return v.Guard == "G12" })]
		if told := !v.OK && strings.Contains(v.Why, "its export net-subnet would change"); told != tt.refused {
			t.Errorf("%s: %+v", name, v)
		}
	}
}

// TestExportOfWhatAWSNames: what is deleted comes back as the same only where the template
// gives it its name, whatever its type; what its attributes are then, nobody knows.
func TestExportOfWhatAWSNames(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		typ, physical, properties, value string
		refused                          bool
	}{
		"an id":             {"AWS::EC2::NetworkAcl", "acl-1", "Name: x", "!Ref Made", true},
		"an id beside":      {"AWS::ServiceDiscovery::PrivateDnsNamespace", "ns-1", "Name: corp", "!Ref Made", true},
		"a version":         {"AWS::ECS::TaskDefinition", "arn:aws:ecs:eu-west-1:333333333333:task-definition/web:3", "Family: web, Cpu: '3'", "!Ref Made", true},
		"a name below":      {"AWS::SNS::Topic", "arn:aws:sns:eu-west-1:333333333333:a", "Tags: [{Key: k, Value: a}]", "!Ref Made", true},
		"the end of a name": {"AWS::SNS::Topic", "arn:aws:sns:eu-west-1:333333333333:my-orders", "TopicName: orders", "!Ref Made", true},
		"nothing said":      {"AWS::SNS::Topic", "arn:aws:sns:eu-west-1:333333333333:a", "", "!Ref Made", true},
		"not known":         {"AWS::SNS::Topic", "arn:aws:sns:eu-west-1:333333333333:a", "TopicName: !ImportValue a", "!Ref Made", true},
		"a name":            {"AWS::IAM::Role", "web", "RoleName: web", "!Ref Made", false},
		"a name in an ARN":  {"AWS::SNS::Topic", "arn:aws:sns:eu-west-1:333333333333:a", "TopicName: a", "!Ref Made", false},
		"a parameter":       {"AWS::IAM::ManagedPolicy", "arn:aws:iam::333333333333:policy/web", "ManagedPolicyName: !Ref Name", "!Ref Made", false},
		"an attribute":      {"AWS::IAM::Role", "web", "RoleName: web", "!GetAtt Made.RoleId", true},
	} {
		f := good()
		network := at(f, "dev/network")
		network.Template.Value = "Parameters: {Name: {Type: String}}\nResources: {Made: {Type: '" + tt.typ + "', Properties: {" + tt.properties + "}}}\n" +
			"Outputs: {SubnetId: {Value: " + tt.value + ", Export: {Name: net-subnet}}}"
		network.Live.Parameters = []stacks.LiveParameter{{Key: "Name", Value: "web"}}
		network.Resources.Value = []stacks.Resource{{LogicalID: "Made", Type: tt.typ, PhysicalID: tt.physical}}
		f.Kind, f.Exports.Value[0].Importers.Value = blast.DeleteResource, []string{"dev-queue"}
		f.Injections = []stacks.Injection{{Kind: f.Kind, Stack: "dev/network", LogicalID: "Made", Type: tt.typ, PhysicalID: tt.physical}}
		f.Changes = map[stacks.Path][]stacks.ResourceChange{"dev/network": nil}
		verdicts := blast.Make(f).Verdicts
		v := verdicts[slices.IndexFunc(verdicts, func(v blast.Verdict) bool { return v.Guard == "G12" })]
		if told := !v.OK && strings.Contains(v.Why, "its export net-subnet would change"); told != tt.refused {
			t.Errorf("%s: %+v", name, v)
		}
	}
}
