package reattach_test

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/deployer-cli/deployer/internal/cfntemplate"
	"github.com/deployer-cli/deployer/internal/reattach"
)

const template = `
Parameters:
  Name: {Type: String}
Conditions:
  Never: !Equals [a, b]
Resources:
  Named:
    Type: AWS::S3::Bucket
    DeletionPolicy: Retain
    Properties: {BucketName: !Sub "${Name}-data"}
  Unnamed:
    Type: AWS::DynamoDB::Table
    DeletionPolicy: RetainExceptOnCreate
    DependsOn: Topic
    Metadata: {About: !Ref Topic}
    Properties:
      KeySchema: [{AttributeName: id, KeyType: HASH}]
      AttributeDefinitions: [{AttributeName: id, AttributeType: S}]
      SSESpecification: {SSEEnabled: true, KMSMasterKeyId: !Ref Key}
      Tags: [{Key: topic, Value: !Ref Topic}]
  Key:
    Type: AWS::KMS::Key
    DeletionPolicy: Retain
    Properties: {KeyPolicy: {}}
  Disk:
    Type: AWS::EC2::Volume
    DeletionPolicy: Retain
    Properties: {AvailabilityZone: !GetAtt Machine.AvailabilityZone, Size: 1}
  Machine: {Type: AWS::EC2::Instance}
  Topic: {Type: AWS::SNS::Topic}
  Off: {Type: AWS::SQS::Queue, Condition: Never, DeletionPolicy: Retain}
  Bare: {Type: AWS::S3::Bucket}
  Nested: {Type: AWS::CloudFormation::Stack, DeletionPolicy: Retain, Properties: {TemplateURL: x}}
  Strange: {Type: Custom::Thing, DeletionPolicy: Retain}
  Pair:
    Type: AWS::ECS::Service
    DeletionPolicy: Retain
Outputs:
  Topic: {Value: !Ref Topic}
`

func make1(t *testing.T, text string, kept ...reattach.Kept) reattach.Plan {
	t.Helper()
	tpl, err := cfntemplate.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	env := &cfntemplate.Env{Parameters: map[string]any{"Name": "shop"}, StackName: "s"}
	p, err := reattach.Make(tpl, env, kept)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

var (
	named   = reattach.Kept{LogicalID: "Named", Type: "AWS::S3::Bucket", PhysicalID: "shop-data"}
	unnamed = reattach.Kept{LogicalID: "Unnamed", Type: "AWS::DynamoDB::Table", PhysicalID: "s-Unnamed-1ABC"}
	key     = reattach.Kept{LogicalID: "Key", Type: "AWS::KMS::Key", PhysicalID: "11111111-2222-3333-4444-555555555555"}
)

func TestEachGoesItsWay(t *testing.T) {
	t.Parallel()
	one := func(id, kind, physical string) reattach.Kept {
		return reattach.Kept{LogicalID: id, Type: kind, PhysicalID: physical}
	}
	cases := []struct {
		name string
		kept []reattach.Kept
		want map[string]reattach.Way
		why  string // of the first
	}{
		{"a name alone needs no import", []reattach.Kept{named}, map[string]reattach.Way{"Named": reattach.ByName}, ""},
		{"a name that is another one now", []reattach.Kept{one("Named", "AWS::S3::Bucket", "other")}, map[string]reattach.Way{"Named": reattach.ByID}, ""},
		{"an id, with what it needs later left out", []reattach.Kept{unnamed}, map[string]reattach.Way{"Unnamed": reattach.ByID}, ""},
		{"one import for all", []reattach.Kept{named, unnamed, key}, map[string]reattach.Way{"Named": reattach.ByID, "Unnamed": reattach.ByID, "Key": reattach.ByID}, ""},
		{"what cannot be set later", []reattach.Kept{one("Disk", "AWS::EC2::Volume", "vol-1")}, map[string]reattach.Way{"Disk": reattach.Lost}, "its AvailabilityZone is of Machine, which is rebuilt"},
		{"the lost one leaves the named one alone", []reattach.Kept{one("Disk", "AWS::EC2::Volume", "vol-1"), named}, map[string]reattach.Way{"Disk": reattach.Lost, "Named": reattach.ByName}, "AvailabilityZone"},
		{"a condition that is off", []reattach.Kept{one("Off", "AWS::SQS::Queue", "https://q")}, map[string]reattach.Way{"Off": reattach.Gone}, ""},
		{"not in the template", []reattach.Kept{one("Nothing", "AWS::SQS::Queue", "https://q")}, map[string]reattach.Way{"Nothing": reattach.Gone}, ""},
		{"another type", []reattach.Kept{one("Topic", "AWS::SQS::Queue", "https://q")}, map[string]reattach.Way{"Topic": reattach.Gone}, ""},
		{"no policy any more", []reattach.Kept{one("Bare", "AWS::S3::Bucket", "b")}, map[string]reattach.Way{"Bare": reattach.Lost}, "no DeletionPolicy"},
		{"a nested stack", []reattach.Kept{one("Nested", "AWS::CloudFormation::Stack", "arn")}, map[string]reattach.Way{"Nested": reattach.Lost}, "nested"},
		{"an unknown type", []reattach.Kept{one("Strange", "Custom::Thing", "x")}, map[string]reattach.Way{"Strange": reattach.Lost}, "cannot take a Custom::Thing"},
		{"half an identifier", []reattach.Kept{one("Pair", "AWS::ECS::Service", "arn:aws:ecs:x")}, map[string]reattach.Way{"Pair": reattach.Lost}, "does not tell"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := make1(t, template, c.kept...)
			got := map[string]reattach.Way{}
			for _, f := range p.Fates {
				got[f.LogicalID] = f.Way
				if (f.Way == reattach.Lost) != (f.Why != "") || (f.Way == reattach.ByID) != (f.Identifier != nil) {
					t.Errorf("%+v", f)
				}
			}
			if !maps.Equal(got, c.want) {
				t.Errorf("got %v, want %v", got, c.want)
			}
			if f, _ := p.Fate(c.kept[0].LogicalID); !strings.Contains(f.Why, c.why) {
				t.Errorf("%s: %q does not say %q", f.LogicalID, f.Why, c.why)
			}
			if (p.Body != nil) != (len(p.Of(reattach.ByID)) > 0) {
				t.Errorf("a template %s for %v", p.Body, got)
			}
		})
	}
}

// TestMissing: of what was kept that is left to be done which a stack, begun before, does
// not hold yet; one that was made anew in its place is in the way.
func TestMissing(t *testing.T) {
	t.Parallel()
	topic := reattach.Kept{LogicalID: "Topic", Type: "AWS::SQS::Queue", PhysicalID: "https://q"}
	p := make1(t, template, named, unnamed, key, topic)
	for name, tt := range map[string]struct {
		holds map[string]string
		want  map[string]reattach.Way
	}{
		"nothing":       {nil, map[string]reattach.Way{"Named": reattach.ByID, "Unnamed": reattach.ByID, "Key": reattach.ByID, "Topic": reattach.Gone}},
		"some":          {map[string]string{"Unnamed": unnamed.PhysicalID, "Topic": "arn:t"}, map[string]reattach.Way{"Named": reattach.ByID, "Key": reattach.ByID, "Topic": reattach.Gone}},
		"a new one":     {map[string]string{"Unnamed": "s-Unnamed-2", "Key": key.PhysicalID, "Named": named.PhysicalID}, map[string]reattach.Way{"Unnamed": reattach.Lost, "Topic": reattach.Gone}},
		"something new": {map[string]string{"Other": "x"}, map[string]reattach.Way{"Named": reattach.ByID, "Unnamed": reattach.ByID, "Key": reattach.ByID, "Topic": reattach.Gone}},
	} {
		got := map[string]reattach.Way{}
		for _, f := range p.Missing(tt.holds).Fates {
			got[f.LogicalID] = f.Way
			if f.Way == reattach.Lost && (!strings.Contains(f.Why, "s-Unnamed-2") || f.Identifier != nil) {
				t.Errorf("%s: %+v", name, f)
			}
		}
		if !maps.Equal(got, tt.want) {
			t.Errorf("%s: %v, want %v", name, got, tt.want)
		}
	}
}

// TestTheImportHasOnlyWhatIsThere: the template of the import holds what it takes
// in, as the project has it, and refers to nothing that has yet to be made.
func TestTheImportHasOnlyWhatIsThere(t *testing.T) {
	t.Parallel()
	p := make1(t, template, unnamed)
	tpl, err := cfntemplate.Parse(p.Body)
	if err != nil {
		t.Fatal(err)
	}
	if found := tpl.Check(); len(found) > 0 {
		t.Errorf("CloudFormation would refuse it: %v", found[0])
	}
	if len(tpl.ResourceNames) != 1 || len(tpl.Outputs) != 0 || len(tpl.Parameters) != 1 {
		t.Errorf("%s", p.Body)
	}
	r := tpl.Resources["Unnamed"]
	if r.DeletionPolicy != "RetainExceptOnCreate" || len(r.DependsOn) > 0 {
		t.Errorf("%+v", r)
	}
	if got := slices.Sorted(maps.Keys(r.Properties)); !slices.Equal(got, []string{"AttributeDefinitions", "KeySchema"}) {
		t.Errorf("its properties are %v", got)
	}
	with := make1(t, template, unnamed, key)
	var doc map[string]any
	if err := json.Unmarshal(with.Body, &doc); err != nil || !strings.Contains(string(with.Body), `"KMSMasterKeyId":{"Ref":"Key"}`) {
		t.Errorf("%v: %s", err, with.Body)
	}
}
