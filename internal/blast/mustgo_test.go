package blast_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/deployer-cli/deployer/internal/blast"
	"github.com/deployer-cli/deployer/stacks"
)

// goes is what goes, in order, and what is refused, by name.
func goes(f *blast.Facts) (going, refused string) {
	g, r := blast.MustGo(f)
	var a, b []string
	for _, s := range g {
		a = append(a, string(s.Path))
	}
	for _, s := range r {
		b = append(b, s.Name)
	}
	return strings.Join(a, " "), strings.Join(b, " ")
}

// user adds dev/user, a stack with one resource that names what goes somehow.
func user(f *blast.Facts, typ, properties string, spoil func(s *blast.Seen)) {
	template := fmt.Sprintf("Parameters: {P: {Type: String, Default: d}}\nResources:\n  R: {Type: %q, Properties: {%s}}\n", typ, properties)
	s := seen(f.Environment, "dev/user", template, "R "+typ+" user-1")
	if spoil != nil {
		spoil(&s)
	}
	f.Stacks.Value = append(f.Stacks.Value, s)
}

// hides makes P a parameter whose value CloudFormation does not show.
func hides(s *blast.Seen) {
	s.Template.Value = strings.Replace(s.Template.Value, "P: {Type: String, Default: d}", "P: {Type: String, NoEcho: true}", 1)
	s.Live.Parameters = []stacks.LiveParameter{{Key: "P", Value: "****"}}
}

// beside adds a resource of a type to the one of dev/user.
func beside(id, typ string) func(*blast.Seen) {
	return func(s *blast.Seen) {
		s.Template.Value += fmt.Sprintf("  %s: {Type: %q}\n", id, typ)
		s.Resources.Value = append(s.Resources.Value, stacks.Resource{LogicalID: id, Type: typ, PhysicalID: "beside-1", Status: "CREATE_COMPLETE"})
	}
}

// lambda puts a function into dev/network.
func lambda(f *blast.Facts, name string) {
	s := at(f, "dev/network")
	s.Template = blast.Got(strings.Replace(s.Template.Value, "Resources:\n", "Resources:\n  Function: {Type: 'AWS::Lambda::Function'}\n", 1), nil)
	s.Resources.Value = append(s.Resources.Value, stacks.Resource{LogicalID: "Function", Type: "AWS::Lambda::Function", PhysicalID: name, Status: "CREATE_COMPLETE"})
}

func given(value string) func(*blast.Seen) {
	return func(s *blast.Seen) { s.Live.Parameters = []stacks.LiveParameter{{Key: "P", Value: value}} }
}

func TestWhatSitsOnATargetGoes(t *testing.T) {
	t.Parallel()
	const both, with = "dev/app dev/network", "dev/app dev/user dev/network"
	tests := map[string]struct {
		add     func(f *blast.Facts)
		going   string
		refused string
	}{
		"nobody else":    {func(*blast.Facts) {}, both, ""},
		"by a parameter": {func(f *blast.Facts) { user(f, "AWS::EC2::Instance", "SubnetId: !Ref P", given("subnet-0abc12345")) }, with, ""},
		"in a list": {func(f *blast.Facts) {
			user(f, "AWS::Lambda::Function", "X: !Ref P", given("subnet-1, subnet-0abc12345"))
		}, with, ""},
		"split": {func(f *blast.Facts) {
			user(f, "AWS::Lambda::Function", `X: !Split [",", !Ref P]`, given("a,subnet-0abc12345"))
		}, with, ""},
		"written down":     {func(f *blast.Facts) { user(f, "AWS::EC2::RouteTable", "VpcId: vpc-0abc12345", nil) }, with, ""},
		"deep":             {func(f *blast.Facts) { user(f, "AWS::EC2::RouteTable", "A: [{B: {C: [vpc-0abc12345]}}]", nil) }, with, ""},
		"inside of a text": {func(f *blast.Facts) { user(f, "AWS::EC2::RouteTable", "A: !Sub 'in ${P}.'", given("vpc-0abc12345")) }, with, ""},
		"a longer id":      {func(f *blast.Facts) { user(f, "AWS::EC2::RouteTable", "VpcId: vpc-0abc123456", nil) }, both, ""},
		"by an import":     {func(f *blast.Facts) { user(f, "AWS::EC2::Instance", "SubnetId: !ImportValue net-subnet", nil) }, with, ""},
		"by GetStackOutput": {func(f *blast.Facts) {
			user(f, "AWS::EC2::RouteTable", "VpcId: {'Fn::GetStackOutput': {StackName: dev-network, OutputName: VpcId}}", nil)
		}, with, ""},
		"a parameter of SSM": {func(f *blast.Facts) { user(f, "AWS::EC2::RouteTable", "VpcId: !Ref S", ssm("vpc-0abc12345")) }, with, ""},
		"another SSM value":  {func(f *blast.Facts) { user(f, "AWS::EC2::RouteTable", "VpcId: !Ref S", ssm("vpc-1")) }, both, ""},
		"dynamic": {func(f *blast.Facts) {
			user(f, "AWS::EC2::RouteTable", "VpcId: '{{resolve:ssm:/net/vpc}}'", resolved("vpc-0abc12345"))
		}, with, ""},
		"dynamic, another": {func(f *blast.Facts) {
			user(f, "AWS::EC2::RouteTable", "VpcId: '{{resolve:ssm:/net/vpc}}'", resolved("vpc-1"))
		}, both, ""},
		"dynamic, unresolved":  {func(f *blast.Facts) { user(f, "AWS::EC2::RouteTable", "VpcId: '{{resolve:ssm:/net/vpc}}'", nil) }, both, "dev/user"},
		"a secret's reference": {func(f *blast.Facts) { user(f, "AWS::EC2::RouteTable", "X: '{{resolve:secretsmanager:a}}'", nil) }, both, ""},
		"an alarm about it":    {func(f *blast.Facts) { user(f, "AWS::CloudWatch::Alarm", "X: vpc-0abc12345", nil) }, both, ""},
		"an SSM parameter":     {func(f *blast.Facts) { user(f, "AWS::SSM::Parameter", "Value: vpc-0abc12345", nil) }, both, ""},
		"a custom resource":    {func(f *blast.Facts) { user(f, "Custom::Peering", "VpcId: vpc-0abc12345", nil) }, with, ""},
		"hidden value":         {func(f *blast.Facts) { user(f, "AWS::EC2::RouteTable", "VpcId: !Ref P", given("****")) }, both, "dev/user"},
		"made by a function of the target": {func(f *blast.Facts) {
			n := at(f, "dev/network")
			n.Template.Value = strings.Replace(networkTemplate, "Resources:", "Resources:\n  F: {Type: 'AWS::Lambda::Function'}", 1)
			n.Resources.Value = append(n.Resources.Value, stacks.Resource{LogicalID: "F", Type: "AWS::Lambda::Function", PhysicalID: "dev-make", Status: "CREATE_COMPLETE"})
			user(f, "Custom::Made", "ServiceToken: 'arn:aws:lambda:eu-west-1:333333333333:function:dev-make'", nil)
		}, "dev/app dev/user dev/network", ""},
		"by its provider": {func(f *blast.Facts) {
			lambda(f, "provider")
			user(f, "Custom::Thing", "ServiceToken: 'arn:aws:lambda:eu-west-1:333333333333:function:provider'", nil)
		}, with, ""},
		"by an alias of its provider": {func(f *blast.Facts) {
			lambda(f, "provider")
			user(f, "Custom::Thing", "ServiceToken: 'arn:aws:lambda:eu-west-1:333333333333:function:provider:live'", nil)
		}, with, ""},
		"another's provider": {func(f *blast.Facts) {
			lambda(f, "provider")
			user(f, "Custom::Thing", "ServiceToken: 'arn:aws:lambda:eu-west-1:333333333333:function:providers'", nil)
		}, both, ""},
		"hidden where an id stands": {func(f *blast.Facts) { user(f, "AWS::EC2::Instance", "SubnetId: !Ref P", hides) }, both, "dev/user"},
		"hidden where none stands":  {func(f *blast.Facts) { user(f, "AWS::EC2::Instance", "UserData: !Ref P", hides) }, both, ""},
		"given by a custom resource": {func(f *blast.Facts) {
			user(f, "AWS::EC2::Instance", "SubnetId: !GetAtt L.Id", beside("L", "Custom::Lookup"))
		}, both, "dev/user"},
		"given by a stranger": {func(f *blast.Facts) {
			user(f, "AWS::EC2::Instance", "SubnetId: !GetAtt L.Id", beside("L", "Acme::Net::Lookup"))
		}, both, "dev/user"},
		"given by its own": {func(f *blast.Facts) {
			user(f, "AWS::EC2::Instance", "SubnetId: !GetAtt L.SubnetId", beside("L", "AWS::EC2::Subnet"))
		}, both, ""},
		"an export nobody knows": {func(f *blast.Facts) { user(f, "AWS::EC2::Instance", "SubnetId: !ImportValue other", nil) }, both, "dev/user"},
		"an output nobody knows": {func(f *blast.Facts) {
			user(f, "AWS::EC2::RouteTable", "VpcId: {'Fn::GetStackOutput': {StackName: elsewhere, OutputName: VpcId}}", nil)
		}, both, "dev/user"},
		"an SSM value nobody knows": {func(f *blast.Facts) { user(f, "AWS::EC2::RouteTable", "VpcId: !Ref S", ssm("")) }, both, "dev/user"},
		"condition not met": {func(f *blast.Facts) {
			user(f, "AWS::EC2::RouteTable", "VpcId: !If [C, vpc-0abc12345, vpc-1]", func(s *blast.Seen) {
				s.Template.Value = "Conditions: {C: !Equals [a, b]}\n" + s.Template.Value
			})
		}, both, ""},
		"condition met": {func(f *blast.Facts) {
			user(f, "AWS::EC2::RouteTable", "VpcId: !If [C, vpc-0abc12345, vpc-1]", func(s *blast.Seen) {
				s.Template.Value = "Conditions: {C: !Equals [a, a]}\n" + s.Template.Value
			})
		}, with, ""},
		"not in its template": {func(f *blast.Facts) {
			user(f, "AWS::EC2::RouteTable", "VpcId: vpc-1", func(s *blast.Seen) {
				s.Resources.Value[0].LogicalID = "Other"
				s.Live.Parameters = []stacks.LiveParameter{{Key: "P", Value: "vpc-0abc12345"}}
			})
		}, with, ""},
		"by its own physical id": {func(f *blast.Facts) {
			user(f, "AWS::EC2::VPCGatewayAttachment", "X: 1", func(s *blast.Seen) { s.Resources.Value[0].PhysicalID = "IGW|vpc-0abc12345" })
		}, with, ""},
		"nested": {func(f *blast.Facts) {
			user(f, "AWS::CloudFormation::Stack", "X: 1", nil)
			child := seen(f.Environment, "dev/child", "Resources: {T: {Type: 'AWS::EC2::RouteTable', Properties: {VpcId: vpc-0abc12345}}}", "T AWS::EC2::RouteTable rtb-1")
			parent := at(f, "dev/user")
			child.Stack, child.Live.ParentID = nil, parent.Live.ID
			parent.Resources.Value[0].PhysicalID = child.Live.ID
			f.Stacks.Value = append(f.Stacks.Value, child)
		}, with, ""},
		"nested, not read": {func(f *blast.Facts) { user(f, "AWS::CloudFormation::Stack", "X: 1", nil) }, both, "dev/user"},
		"transitively": {func(f *blast.Facts) {
			user(f, "AWS::EC2::Instance", "SecurityGroupIds: [!Ref P]", given("sg-0abc12345"))
		}, "dev/user dev/app dev/network", ""},
		"gone already": {func(f *blast.Facts) {
			user(f, "AWS::EC2::RouteTable", "VpcId: vpc-0abc12345", func(s *blast.Seen) { s.Live.Status = stacks.DeleteComplete })
		}, both, ""},
		"its resource is gone": {func(f *blast.Facts) {
			user(f, "AWS::EC2::RouteTable", "VpcId: vpc-0abc12345", func(s *blast.Seen) { s.Resources.Value[0].Status = "DELETE_COMPLETE" })
		}, both, ""},
		"kept by the target": {func(f *blast.Facts) {
			at(f, "dev/network").Template.Value = strings.ReplaceAll(networkTemplate, "Properties:", "DeletionPolicy: Retain, Properties:")
			user(f, "AWS::EC2::RouteTable", "VpcId: vpc-0abc12345", nil)
		}, "dev/network", ""},
		"importer": {func(f *blast.Facts) { f.Exports.Value[0].Importers.Value = []string{"dev-queue"} }, "dev/queue dev/app dev/network", ""},
		"holding each other": {func(f *blast.Facts) {
			user(f, "AWS::EC2::VPC", "X: !Ref P", given("vpc-0abc12345"))
			at(f, "dev/user").Resources.Value[0].PhysicalID = "vpc-0feedbeef"
			at(f, "dev/network").Template.Value = strings.Replace(networkTemplate, "VpcId: !Ref Vpc", "VpcId: !Ref Vpc, Peer: vpc-0feedbeef", 1)
		}, "", "dev/network dev/user"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := good()
			tt.add(f)
			going, refused := goes(f)
			if going != tt.going || refused != tt.refused {
				_, why := blast.MustGo(f)
				t.Errorf("goes %q, refused %q; want %q, %q\n%+v", going, refused, tt.going, tt.refused, why)
			}
		})
	}
}

// ssm gives the parameter S, of a type that SSM resolves.
func ssm(value string) func(*blast.Seen) {
	return func(s *blast.Seen) {
		s.Template.Value = strings.Replace(s.Template.Value, "Parameters: {", "Parameters: {S: {Type: 'AWS::SSM::Parameter::Value<String>'}, ", 1)
		s.Live.Parameters = []stacks.LiveParameter{{Key: "S", Value: "/net/vpc", Resolved: value}}
	}
}

func resolved(value string) func(*blast.Seen) {
	return func(s *blast.Seen) { s.Resolved = map[string]string{"ssm:/net/vpc": value} }
}

// TestRolesGoWithWhatIsAttached: by type, what names a role does or does not keep
// it from going.
func TestRolesGoWithWhatIsAttached(t *testing.T) {
	t.Parallel()
	for typ, goesToo := range map[string]bool{"AWS::IAM::ManagedPolicy": true, "AWS::IAM::InstanceProfile": true, "AWS::Lambda::Function": false} {
		f := good()
		at(f, "dev/network").Template.Value = "Resources: {Role: {Type: 'AWS::IAM::Role'}}\nOutputs: {Arn: {Value: !GetAtt Role.Arn}}"
		at(f, "dev/network").Resources.Value = []stacks.Resource{{LogicalID: "Role", Type: "AWS::IAM::Role", PhysicalID: "web"}}
		at(f, "dev/network").Live.Outputs = []stacks.Output{{Key: "Arn", Value: "arn:aws:iam::333333333333:role/path/web"}}
		user(f, typ, "Uses: !Ref P", given("arn:aws:iam::333333333333:role/path/web"))
		going, _ := goes(f)
		if strings.Contains(going, "dev/user") != goesToo {
			t.Errorf("%s: %q", typ, going)
		}
	}
}

// TestConfigurationOrders: who needs something by configuration goes before it,
// where both go.
func TestConfigurationOrders(t *testing.T) {
	t.Parallel()
	f := good()
	f.Targets = []stacks.Path{"dev/queue", "dev/network"}
	f.Dependents = map[stacks.Path][]stacks.Path{"dev/queue": {"dev/app"}}
	if going, _ := goes(f); going != "dev/app dev/network dev/queue" {
		t.Errorf("got %q", going)
	}
	f.Dependents = map[stacks.Path][]stacks.Path{"dev/app": {"dev/queue"}, "dev/queue": {"dev/network"}}
	if going, _ := goes(f); going != "dev/app dev/network dev/queue" { // a circle: what has to be counts
		t.Errorf("got %q", going)
	}
}

// TestServiceRolesGoLast: what CloudFormation deletes by a role goes before it.
func TestServiceRolesGoLast(t *testing.T) {
	t.Parallel()
	f := good()
	base := seen(f.Environment, "dev/a-role", "Resources: {Role: {Type: 'AWS::IAM::Role'}}", "Role AWS::IAM::Role deploy")
	at(f, "dev/queue").Live.ServiceRole = "arn:aws:iam::333333333333:role/deploy"
	f.Stacks.Value = append(f.Stacks.Value, base)
	f.Targets = []stacks.Path{"dev/a-role", "dev/queue"}
	if going, refused := goes(f); going != "dev/queue dev/a-role" || refused != "" {
		t.Errorf("%q, %q", going, refused)
	}
}

// TestUnasked: exports whose importers nobody looked up are asked for, again for
// those of whoever imports.
func TestUnasked(t *testing.T) {
	t.Parallel()
	f := good()
	at(f, "dev/app").Live.Outputs = []stacks.Output{{Key: "G", Value: "sg-0abc12345", Export: "app-group"}}
	at(f, "dev/queue").Live.Outputs = []stacks.Output{{Key: "Q", Value: "q", Export: "queue-url"}}
	f.Exports.Value[0].Importers = blast.Known[[]string]{}
	if got := blast.Unasked(f); !slices.Equal(got, []string{"app-group", "net-subnet"}) {
		t.Errorf("got %v", got)
	}
	f.Exports.Value[0].Importers = blast.Got([]string{"dev-queue"}, nil)
	f.Exports.Value = append(f.Exports.Value, blast.Export{Export: stacks.Export{Name: "app-group", StackID: at(f, "dev/app").Live.ID}, Importers: blast.Got([]string(nil), errDenied)})
	if got := blast.Unasked(f); !slices.Equal(got, []string{"queue-url"}) {
		t.Errorf("got %v", got)
	}
	f.Kind = blast.DriftParameter
	f.Exports.Value[0].Importers = blast.Known[[]string]{}
	if got := blast.Unasked(f); !slices.Equal(got, []string{"net-subnet"}) {
		t.Errorf("got %v", got)
	}
}

// TestTwoAlike: of two networks that have nothing to do with each other, each looks as if it
// used the other's subnets while their importers are not read. They are asked for all the
// same, and with the answers one goes alone; without them nothing does, and nobody says that
// they hold each other.
func TestTwoAlike(t *testing.T) {
	t.Parallel()
	alike := func() *blast.Facts {
		f := good()
		f.Stacks.Value, f.Exports.Value = nil, nil
		for i, name := range []string{"dev/network", "dev/other"} {
			subnet, export := fmt.Sprintf("subnet-0abc1234%d", i), fmt.Sprintf("subnet-%d", i)
			s := seen(f.Environment, name, `
Resources:
  Address: {Type: "AWS::EC2::EIP"}
  Subnet: {Type: "AWS::EC2::Subnet"}
  Nat: {Type: "AWS::EC2::NatGateway", Properties: {SubnetId: !Ref Subnet, AllocationId: !GetAtt Address.AllocationId}}
`, "Subnet AWS::EC2::Subnet "+subnet, fmt.Sprintf("Nat AWS::EC2::NatGateway nat-%d", i))
			s.Live.Outputs = []stacks.Output{{Key: "S", Value: subnet, Export: export}}
			f.Stacks.Value = append(f.Stacks.Value, s)
			f.Exports.Value = append(f.Exports.Value, blast.Export{Export: stacks.Export{Name: export, Value: subnet, StackID: s.Live.ID}})
		}
		return f
	}
	answer := func(f *blast.Facts, err error) {
		if got := blast.Unasked(f); !slices.Equal(got, []string{"subnet-0", "subnet-1"}) {
			t.Errorf("asks for %v", got)
		}
		for i := range f.Exports.Value {
			f.Exports.Value[i].Importers = blast.Got([]string(nil), err)
		}
	}
	f := alike()
	answer(f, nil)
	if going, refused := goes(f); going != "dev/network" || refused != "" {
		t.Errorf("read: goes %q, refused %q", going, refused)
	}
	f = alike()
	answer(f, errDenied)
	going, refused := blast.MustGo(f)
	if len(going) > 0 || len(refused) != 2 || !slices.Contains(failed(blast.Make(f).Verdicts), "G9") {
		t.Errorf("denied: goes %v, refused %+v", going, refused)
	}
	for _, r := range refused {
		if !strings.Contains(r.Why, "AccessDenied") {
			t.Errorf("denied: %+v", r)
		}
	}
}

// TestWhoIsHurt: a kind that deletes no stack takes none with it; who imports from its
// target, or sits on what is broken, is shown, and refused where no break may reach.
func TestWhoIsHurt(t *testing.T) {
	t.Parallel()
	deletes := func(id, typ string) func(*blast.Facts) {
		return func(f *blast.Facts) {
			f.Kind = blast.DeleteResource
			f.Injections = []stacks.Injection{{Kind: blast.DeleteResource, Stack: "dev/network", LogicalID: id, Type: typ}}
		}
	}
	imported := func(name string) func(*blast.Facts) {
		return func(f *blast.Facts) { f.Exports.Value[0].Importers.Value = []string{name} }
	}
	foreign := func(class stacks.Class) func(*blast.Facts) {
		return func(f *blast.Facts) {
			s := seen(f.Environment, "dev/other", "Resources: {T: {Type: 'AWS::EC2::RouteTable', Properties: {VpcId: vpc-0abc12345}}}", "T AWS::EC2::RouteTable rtb-1")
			setTag(&s, stacks.TagClass, string(class))
			if class == "" {
				s.Stack = nil
			}
			f.Stacks.Value = append(f.Stacks.Value, s)
		}
	}
	drift := func(id string) func(*blast.Facts) {
		return func(f *blast.Facts) {
			f.Kind = blast.DriftParameter
			f.Changes = map[stacks.Path][]stacks.ResourceChange{"dev/network": {{LogicalID: id, Type: "AWS::EC2::VPC", Action: "modify", Replacement: "false"}}}
		}
	}
	vpc, subnet := deletes("Vpc", "AWS::EC2::VPC"), deletes("Subnet", "AWS::EC2::Subnet")
	for name, tt := range map[string]struct {
		facts   []func(*blast.Facts)
		loses   string
		refused string
	}{
		"nobody":                             {[]func(*blast.Facts){subnet}, "", ""},
		"who sits on it":                     {[]func(*blast.Facts){vpc}, "dev/app", ""},
		"who imports":                        {[]func(*blast.Facts){subnet, imported("dev-queue")}, "dev/queue", ""},
		"who was not read":                   {[]func(*blast.Facts){subnet, imported("prod-app")}, "", "prod-app"},
		"importers unread":                   {[]func(*blast.Facts){subnet, func(f *blast.Facts) { f.Exports.Value[0].Importers = blast.Got([]string(nil), errDenied) }}, "", "dev/network"},
		"an importer tagged production":      {[]func(*blast.Facts){subnet, foreign(stacks.Production), imported("dev-other")}, "dev/other", "dev/other"},
		"an importer of no file":             {[]func(*blast.Facts){subnet, foreign(""), imported("dev-other")}, "", "dev-other"},
		"tagged production, sits on it":      {[]func(*blast.Facts){vpc, foreign(stacks.Production)}, "dev/app dev/other", "dev/other"},
		"tagged production, sits on another": {[]func(*blast.Facts){subnet, foreign(stacks.Production)}, "", ""},
		"another value, sits on it":          {[]func(*blast.Facts){drift("Vpc"), foreign("")}, "dev/app", "dev-other"},
		"another value elsewhere":            {[]func(*blast.Facts){drift("Subnet"), foreign("")}, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := good()
			f.Dependents = nil
			for _, set := range tt.facts {
				set(f)
			}
			going, refused := goes(f)
			var loses []string
			p := blast.Make(f)
			for _, d := range p.Radius.Dependents {
				loses = append(loses, string(d.Stack))
			}
			if got := strings.Join(loses, " "); going != "dev/network" || refused != tt.refused || got != tt.loses {
				t.Errorf("goes %q, refused %q, loses %q", going, refused, got)
			}
			if got := slices.Contains(failed(p.Verdicts), "G9"); got != (tt.refused != "") {
				t.Errorf("G9 fails: %v", got)
			}
		})
	}
}

// TestOtherKindsTakeNothing: only a deletion takes others with it.
func TestOtherKindsTakeNothing(t *testing.T) {
	t.Parallel()
	f := good()
	f.Kind = "lambda-zero"
	if going, refused := goes(f); going != "dev/network" || refused != "" {
		t.Errorf("%q, %q", going, refused)
	}
}
