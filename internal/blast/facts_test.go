package blast_test

import (
	"errors"
	"strings"
	"time"

	"github.com/deployer-cli/deployer/internal/blast"
	"github.com/deployer-cli/deployer/internal/guard"
	"github.com/deployer-cli/deployer/stacks"
)

const (
	account = "333333333333"
	region  = "eu-west-1"
	project = "p1"
	arn     = "arn:aws:cloudformation:eu-west-1:333333333333:stack/"
)

// noon is a Sunday at 12:00 UTC.
func noon() time.Time { return time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC) }

var errDenied = errors.New("AccessDenied: not authorized")

func yes() stacks.Value            { return stacks.Value{Kind: stacks.Bool, Text: "true"} }
func num(text string) stacks.Value { return stacks.Value{Kind: stacks.Int, Text: text} }

// block makes a map of keys and values.
func block(pairs ...any) stacks.Value {
	v := stacks.Value{Kind: stacks.Map}
	for i := 0; i < len(pairs); i += 2 {
		value, ok := pairs[i+1].(stacks.Value)
		if !ok {
			value = stacks.String(pairs[i+1].(string))
		}
		v.Fields = append(v.Fields, stacks.Field{Key: pairs[i].(string), Value: value})
	}
	return v
}

func environment(name string, class stacks.Class) *stacks.Environment {
	e := &stacks.Environment{Name: name, Path: stacks.Path(name), Class: class, Declared: class != stacks.Undeclared, Break: block("allow", yes())}
	if class == stacks.Production {
		e.Accounts = []string{"999999999999"}
	}
	return e
}

func tags(e *stacks.Environment, path string) []stacks.Tag {
	return []stacks.Tag{
		{Key: stacks.TagClass, Value: string(e.Class)},
		{Key: stacks.TagEnvironment, Value: e.Name},
		{Key: stacks.TagProject, Value: project},
		{Key: stacks.TagStack, Value: path},
	}
}

// seen makes a live stack of an environment. Resources are "Logical Type physical".
func seen(e *stacks.Environment, path, template string, resources ...string) blast.Seen {
	name := strings.ReplaceAll(path, "/", "-")
	s := blast.Seen{
		Stack: &stacks.Stack{Path: stacks.Path(path), Name: name, Environment: e},
		Live: &stacks.Live{
			ID: arn + name + "/1", Name: name, Account: account, Region: region, Status: stacks.CreateComplete,
			Created: noon().Add(-24 * time.Hour), Tags: tags(e, path),
		},
		Template: blast.Got(template, nil),
		Policy:   blast.Got("", nil),
	}
	var all []stacks.Resource
	for _, r := range resources {
		f := strings.Fields(r)
		all = append(all, stacks.Resource{LogicalID: f[0], Type: f[1], PhysicalID: f[2], Status: "CREATE_COMPLETE"})
	}
	s.Resources = blast.Got(all, nil)
	return s
}

const networkTemplate = `
Resources:
  Vpc: {Type: "AWS::EC2::VPC", Properties: {CidrBlock: 10.0.0.0/16}}
  Subnet: {Type: "AWS::EC2::Subnet", Properties: {VpcId: !Ref Vpc}}
Outputs:
  VpcId: {Value: !Ref Vpc}
  SubnetId: {Value: !Ref Subnet, Export: {Name: net-subnet}}
`

const appTemplate = `
Parameters: {VpcId: {Type: String}}
Resources:
  Group: {Type: "AWS::EC2::SecurityGroup", Properties: {GroupDescription: g, VpcId: !Ref VpcId}}
  Bucket: {Type: "AWS::S3::Bucket", DeletionPolicy: Retain}
`

const queueTemplate = `
Resources:
  Orders: {Type: "AWS::SQS::Queue"}
`

// good gives facts about which no guard has anything to say: dev/network is the
// target, dev/app sits in its VPC, dev/queue has nothing to do with it.
func good() *blast.Facts {
	dev, prod := environment("dev", stacks.Development), environment("prod", stacks.Production)
	network := seen(dev, "dev/network", networkTemplate, "Vpc AWS::EC2::VPC vpc-0abc12345", "Subnet AWS::EC2::Subnet subnet-0abc12345")
	network.Live.Outputs = []stacks.Output{{Key: "SubnetId", Value: "subnet-0abc12345", Export: "net-subnet"}, {Key: "VpcId", Value: "vpc-0abc12345"}}
	app := seen(dev, "dev/app", appTemplate, "Group AWS::EC2::SecurityGroup sg-0abc12345", "Bucket AWS::S3::Bucket dev-app-bucket")
	app.Live.Parameters = []stacks.LiveParameter{{Key: "VpcId", Value: "vpc-0abc12345"}}
	queue := seen(dev, "dev/queue", queueTemplate, "Orders AWS::SQS::Queue https://sqs.eu-west-1.amazonaws.com/333333333333/orders")
	none := blast.Got([]blast.Secret(nil), nil)
	return &blast.Facts{
		Now: noon(), Realm: stacks.RealmSandbox, Project: project, Account: account, Region: region,
		Caller:       guard.Identity{ARN: "arn:aws:iam::333333333333:user/ann", Account: account},
		Environment:  dev,
		Environments: []*stacks.Environment{dev, prod},
		Targets:      []stacks.Path{"dev/network"}, Choice: blast.Choice{Paths: []stacks.Path{"dev/network"}}, OutOf: 3, Kind: blast.DeleteStack,
		Stacks:     blast.Got([]blast.Seen{network, app, queue}, nil),
		Exports:    blast.Got([]blast.Export{{Export: stacks.Export{Name: "net-subnet", Value: "subnet-0abc12345", StackID: network.Live.ID}, Importers: blast.Got([]string(nil), nil)}}, nil),
		Dependents: map[stacks.Path][]stacks.Path{"dev/app": {"dev/queue"}},
		Lever:      blast.Got(blast.Lever{}, nil),
		Open:       blast.Got([]blast.Open(nil), nil),
		Past:       blast.Got([]blast.Past(nil), nil),
		Permits:    blast.Got([]blast.Permit(nil), nil),
		Stands:     blast.Got([]blast.Stand{{What: "the state bucket", Names: []string{"shop-state"}}}, nil),
		Probes:     blast.Got([]blast.Probed{{Name: "site", Role: "steady", OK: true}, {Name: "live", Role: "guard", OK: true}}, nil),
		Secrets:    map[stacks.Path]blast.Known[[]blast.Secret]{"dev/network": none, "dev/app": none, "dev/queue": none},
	}
}

// at gives the live stack of a path in facts.
func at(f *blast.Facts, path stacks.Path) *blast.Seen {
	for i := range f.Stacks.Value {
		if f.Stacks.Value[i].Path() == path {
			return &f.Stacks.Value[i]
		}
	}
	return nil
}

func setTag(s *blast.Seen, key, value string) {
	for i := range s.Live.Tags {
		if s.Live.Tags[i].Key == key {
			s.Live.Tags[i].Value = value
		}
	}
}

// failed lists the guards that say no.
func failed(verdicts []blast.Verdict) []string {
	var out []string
	for _, v := range verdicts {
		if !v.OK {
			out = append(out, v.Guard)
		}
	}
	return out
}
