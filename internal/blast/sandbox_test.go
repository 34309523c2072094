package blast_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"pgregory.net/rapid"

	"github.com/deployer-cli/deployer/internal/awsconf"
	"github.com/deployer-cli/deployer/internal/blast"
	"github.com/deployer-cli/deployer/internal/cfn"
	"github.com/deployer-cli/deployer/internal/sandbox"
	"github.com/deployer-cli/deployer/internal/sandbox/store"
	"github.com/deployer-cli/deployer/stacks"
)

// cloud is a sandbox, reached as the application reaches it.
type cloud struct {
	sdk  *cloudformation.Client
	read *cfn.Cloud
}

func newCloud(t fataler, s sandbox.Store) *cloud {
	server := sandbox.New(sandbox.Options{Store: s, Speed: sandbox.MaxSpeed, Account: account})
	configs := awsconf.New(awsconf.Options{
		Realm: stacks.RealmSandbox, HTTPClient: server.Client(), Endpoint: sandbox.Endpoint, Keys: &awsconf.Keys{ID: "sandbox", Secret: "sandbox"},
	})
	c, err := configs.Config(context.Background(), stacks.Access{Region: region})
	if err != nil {
		t.Fatal(err)
	}
	return &cloud{sdk: cloudformation.NewFromConfig(c), read: cfn.New(cfn.Options{Config: configs.Config, Realm: stacks.RealmSandbox})}
}

type fataler interface {
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

// gather reads everything about the live stacks that the facts hold, file by file.
func (c *cloud) gather(t fataler, f *blast.Facts, files map[string]*stacks.Stack) {
	ctx, access := context.Background(), stacks.Access{Region: region}
	all, err := c.read.Sweep(ctx, access)
	if err != nil {
		t.Fatal(err)
	}
	var found []blast.Seen
	for i := range all {
		s := blast.Seen{Live: &all[i], Stack: files[all[i].Name]}
		s.Resources = blast.Got(c.read.Resources(ctx, access, all[i].ID))
		text, err := c.read.ProcessedTemplate(ctx, access, all[i].ID)
		s.Template = blast.Got(string(text), err)
		policy, err := c.read.Policy(ctx, access, all[i].ID)
		s.Policy = blast.Got(string(policy), err)
		found = append(found, s)
	}
	f.Stacks = blast.Got(found, nil)
	f.Exports = blast.Known[[]blast.Export]{Read: true}
	exports, err := c.read.Exports(ctx, access)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range exports {
		f.Exports.Value = append(f.Exports.Value, blast.Export{Export: e})
	}
	for range 20 { // as deep as stacks import from each other
		names := blast.Unasked(f)
		for i := range f.Exports.Value {
			if e := &f.Exports.Value[i]; slices.Contains(names, e.Name) {
				e.Importers = blast.Got(c.read.Imports(ctx, access, e.Name))
			}
		}
		if names == nil {
			return
		}
	}
	t.Fatal("exports are asked for without end")
}

func (c *cloud) delete(id string) (*cloudformation.DeleteStackOutput, error) {
	return c.sdk.DeleteStack(context.Background(), &cloudformation.DeleteStackInput{StackName: &id})
}

// settle reads a stack until it rests, and gives its status and why.
func (c *cloud) settle(t fataler, id string) (status types.StackStatus, why string) {
	for range 300 {
		out, err := c.sdk.DescribeStacks(context.Background(), &cloudformation.DescribeStacksInput{StackName: &id})
		if err != nil {
			t.Fatal(err)
		}
		st := out.Stacks[0]
		if !strings.HasSuffix(string(st.StackStatus), "IN_PROGRESS") {
			return st.StackStatus, aws.ToString(st.StackStatusReason)
		}
	}
	t.Fatalf("%s does not settle", id)
	return "", ""
}

// drawn is a random stack: its resources by the types that others can be in or on.
type drawn struct {
	name   string
	env    *stacks.Environment
	things map[string][]string // logical ids by type
}

// drawer makes stacks that use each other's resources in every way there is.
type drawer struct {
	t      *rapid.T
	c      *cloud
	stacks []*drawn
	files  map[string]*stacks.Stack
}

// needs says of a type which properties name other resources.
func needs() map[string]map[string]string {
	return map[string]map[string]string{
		"AWS::EC2::VPC":                             {},
		"AWS::EC2::Subnet":                          {"VpcId": "AWS::EC2::VPC"},
		"AWS::EC2::SecurityGroup":                   {"VpcId": "AWS::EC2::VPC"},
		"AWS::EC2::SecurityGroupIngress":            {"GroupId": "AWS::EC2::SecurityGroup"},
		"AWS::EC2::RouteTable":                      {"VpcId": "AWS::EC2::VPC"},
		"AWS::EC2::SubnetRouteTableAssociation":     {"SubnetId": "AWS::EC2::Subnet", "RouteTableId": "AWS::EC2::RouteTable"},
		"AWS::EC2::Instance":                        {"SubnetId": "AWS::EC2::Subnet"},
		"AWS::RDS::DBSubnetGroup":                   {"SubnetIds": "AWS::EC2::Subnet"},
		"AWS::ECS::Cluster":                         {},
		"AWS::ECS::Service":                         {"Cluster": "AWS::ECS::Cluster"},
		"AWS::IAM::Role":                            {},
		"AWS::IAM::InstanceProfile":                 {"Roles": "AWS::IAM::Role"},
		"AWS::IAM::ManagedPolicy":                   {"Roles": "AWS::IAM::Role"},
		"AWS::SSM::Parameter":                       {"Value": "AWS::EC2::VPC"},
		"AWS::ElasticLoadBalancingV2::TargetGroup":  {"VpcId": "AWS::EC2::VPC"},
		"AWS::ElasticLoadBalancingV2::ListenerRule": {"ListenerArn": "AWS::ElasticLoadBalancingV2::TargetGroup"},
		"AWS::Lambda::Function":                     {"Role": "AWS::IAM::Role"},
	}
}

// constants are what the types need besides.
func constants(typ string) map[string]any {
	return map[string]map[string]any{
		"AWS::EC2::VPC":                             {"CidrBlock": "10.0.0.0/16"},
		"AWS::EC2::Subnet":                          {"CidrBlock": "10.0.0.0/24"},
		"AWS::EC2::SecurityGroup":                   {"GroupDescription": "g"},
		"AWS::EC2::SecurityGroupIngress":            {"IpProtocol": "tcp"},
		"AWS::RDS::DBSubnetGroup":                   {"DBSubnetGroupDescription": "d"},
		"AWS::ECS::Service":                         {"TaskDefinition": "t"},
		"AWS::IAM::Role":                            {"AssumeRolePolicyDocument": map[string]any{}},
		"AWS::IAM::ManagedPolicy":                   {"PolicyDocument": map[string]any{}},
		"AWS::SSM::Parameter":                       {"Type": "String"},
		"AWS::ElasticLoadBalancingV2::ListenerRule": {"Priority": 1, "Actions": []any{map[string]any{"Type": "forward"}}, "Conditions": []any{map[string]any{"Field": "x"}}},
		"AWS::Lambda::Function":                     {"Code": map[string]any{"ZipFile": "x"}},
	}[typ]
}

func listed(property string) bool { return property == "SubnetIds" || property == "Roles" }

// stack draws one stack and creates it.
func (d *drawer) stack(i int, env *stacks.Environment) {
	name := fmt.Sprintf("%s-s%d", env.Name, i)
	s := &drawn{name: name, env: env, things: map[string][]string{}}
	resources, outputs, parameters := map[string]any{}, map[string]any{}, map[string]any{}
	var given []types.Parameter
	for j := range rapid.IntRange(1, 5).Draw(d.t, "resources") {
		typ, id := rapid.SampledFrom(d.possible(s)).Draw(d.t, "type"), fmt.Sprintf("R%d", j)
		properties := map[string]any{}
		maps.Copy(properties, constants(typ))
		fits := true
		for _, property := range slices.Sorted(maps.Keys(needs()[typ])) {
			container := needs()[typ][property]
			value, ok := d.use(s, container, func(v string) any {
				p := fmt.Sprintf("P%d%s", j, property)
				parameters[p] = map[string]any{"Type": "String"}
				given = append(given, types.Parameter{ParameterKey: &p, ParameterValue: &v})
				return map[string]any{"Ref": p}
			})
			fits = fits && ok
			if properties[property] = value; listed(property) {
				properties[property] = []any{value}
			}
		}
		if !fits {
			continue
		}
		r := map[string]any{"Type": typ, "Properties": properties}
		if rapid.IntRange(0, 9).Draw(d.t, "retain") == 0 {
			r["DeletionPolicy"] = "Retain"
		}
		resources[id] = r
		s.things[typ] = append(s.things[typ], id)
		outputs["Ref"+id] = map[string]any{"Value": map[string]any{"Ref": id}, "Export": map[string]any{"Name": name + "-" + id}}
		if typ == "AWS::IAM::Role" || typ == "AWS::ECS::Cluster" {
			outputs["Arn"+id] = map[string]any{"Value": map[string]any{"Fn::GetAtt": []string{id, "Arn"}}}
		}
	}
	if len(resources) == 0 {
		resources["Topic"] = map[string]any{"Type": "AWS::SNS::Topic"}
	}
	doc := map[string]any{"Resources": resources, "Outputs": outputs, "Parameters": parameters}
	if len(outputs) == 0 {
		delete(doc, "Outputs")
	}
	body, err := json.Marshal(doc)
	if err != nil {
		d.t.Fatal(err)
	}
	path := strings.ReplaceAll(name, "-", "/")
	in := &cloudformation.CreateStackInput{StackName: &name, TemplateBody: new(string(body)), Parameters: given, Capabilities: []types.Capability{types.CapabilityCapabilityNamedIam}}
	for _, tag := range tags(env, path) {
		in.Tags = append(in.Tags, types.Tag{Key: &tag.Key, Value: &tag.Value})
	}
	if _, err := d.c.sdk.CreateStack(context.Background(), in); err != nil {
		d.t.Fatalf("%v: %s", err, body)
	}
	if status, why := d.c.settle(d.t, name); status != types.StackStatusCreateComplete {
		d.t.Fatalf("%s: %s %s: %s", name, status, why, body)
	}
	d.stacks = append(d.stacks, s)
	d.files[name] = &stacks.Stack{Path: stacks.Path(path), Name: name, Environment: env}
}

// possible lists the types that a stack can have next, those that use others more
// than once.
func (d *drawer) possible(s *drawn) []string {
	var out []string
	for _, typ := range slices.Sorted(maps.Keys(needs())) {
		met := true
		for _, container := range needs()[typ] {
			met = met && slices.ContainsFunc(append(slices.Clone(d.stacks), s), func(o *drawn) bool { return len(o.things[container]) > 0 })
		}
		for range len(needs()[typ])*2 + 1 {
			if met {
				out = append(out, typ)
			}
		}
	}
	return out
}

// use names a resource of a type: of the stack itself, or of one before it, by its
// id as a parameter, written down, by an import, or by its ARN.
func (d *drawer) use(s *drawn, typ string, parameter func(string) any) (any, bool) {
	type place struct {
		of *drawn
		id string
	}
	var places []place
	for _, o := range append(slices.Clone(d.stacks), s) {
		for _, id := range o.things[typ] {
			places = append(places, place{o, id})
		}
	}
	if len(places) == 0 {
		return nil, false
	}
	p := rapid.SampledFrom(places).Draw(d.t, "place")
	if p.of == s {
		return map[string]any{"Ref": p.id}, true
	}
	live, err := d.c.read.Stack(context.Background(), stacks.Access{Region: region}, p.of.name)
	if err != nil {
		d.t.Fatal(err)
	}
	physical, _ := live.Output("Ref" + p.id)
	arn, hasArn := live.Output("Arn" + p.id)
	switch rapid.IntRange(0, 4).Draw(d.t, "how") {
	case 0:
		return physical, true
	case 1:
		return map[string]any{"Fn::ImportValue": p.of.name + "-" + p.id}, true
	case 2:
		if hasArn {
			return parameter(arn), true
		}
		return map[string]any{"Fn::Sub": []any{"${A}", map[string]any{"A": physical}}}, true
	case 3:
		return map[string]any{"Fn::Select": []any{1, map[string]any{"Fn::Split": []any{",", parameter("x," + physical)}}}}, true
	}
	return parameter(physical), true
}

// TestWhatMustGoIsWhatTheSandboxAsksFor: over random stacks that use each other's
// resources, deleting what a plan says, in its order, never fails; what stays, stays
// whole; and nothing of another class is ever in it.
func TestWhatMustGoIsWhatTheSandboxAsksFor(t *testing.T) {
	t.Parallel()
	tried, plans, taken, left := 0, 0, 0, 0
	rapid.Check(t, func(t *rapid.T) {
		tried++
		d := &drawer{t: t, c: newCloud(t, store.NewMemory()), files: map[string]*stacks.Stack{}}
		dev, qa, prod := environment("dev", stacks.Development), environment("qa", stacks.Persistent), environment("prod", stacks.Production)
		n := rapid.IntRange(2, 5).Draw(t, "stacks")
		for i := range n {
			d.stack(i, rapid.SampledFrom([]*stacks.Environment{dev, dev, dev, dev, dev, qa, prod}).Draw(t, "environment"))
		}
		target := rapid.SampledFrom(d.stacks).Draw(t, "target")
		f := good()
		f.Environments, f.Environment, f.Targets = []*stacks.Environment{dev, qa, prod}, dev, []stacks.Path{d.files[target.name].Path}
		d.c.gather(t, f, d.files)
		p := blast.Make(f)
		var gone []string
		for _, s := range p.Steps {
			if d.files[s.Name].Environment != dev {
				t.Fatalf("%s is to go: %+v", s.Name, s)
			}
		}
		i := slices.IndexFunc(p.Verdicts, func(v blast.Verdict) bool { return v.Guard == "G9" })
		if !p.Verdicts[i].OK {
			return
		}
		for _, s := range p.Steps {
			for _, a := range s.After {
				if !slices.Contains(gone, string(a)) {
					t.Fatalf("%s comes before %s", s.Stack, a)
				}
			}
			if _, err := d.c.delete(s.StackID); err != nil {
				t.Fatal(err)
			}
			if status, why := d.c.settle(t, s.StackID); status != types.StackStatusDeleteComplete {
				t.Fatalf("%s is %s: %s\nplan: %+v", s.Name, status, why, p.Steps)
			}
			gone = append(gone, string(s.Stack))
		}
		for _, s := range d.stacks {
			if slices.Contains(gone, string(d.files[s.name].Path)) {
				continue
			}
			if status, _ := d.c.settle(t, s.name); status != types.StackStatusCreateComplete {
				t.Fatalf("%s, which stays, is %s", s.name, status)
			}
		}
		plans++
		taken += len(gone) - 1
		left += n - len(gone)
	})
	if tried >= 100 && (plans < 20 || taken == 0 || left == 0) { // fewer, as with -short, may show less
		t.Errorf("%d plans took %d with them and left %d: that proves little", plans, taken, left)
	}
}
