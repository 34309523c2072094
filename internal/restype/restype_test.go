package restype_test

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/deployer-cli/deployer/internal/restype"
)

func lookup(t *testing.T, name string) *restype.Type {
	t.Helper()
	typ, ok := restype.Lookup(name)
	if !ok {
		t.Fatalf("no type %s", name)
	}
	return typ
}

func TestTable(t *testing.T) {
	t.Parallel()
	names := restype.Names()
	if len(names) < 1800 || !slices.IsSorted(names) {
		t.Fatalf("%d names, sorted %v", len(names), slices.IsSorted(names))
	}
	for _, name := range names {
		typ := lookup(t, name)
		for _, p := range typ.Required {
			if !typ.HasProperty(p) {
				t.Errorf("%s requires %s, which it does not have", name, p)
			}
		}
	}
	if _, ok := restype.Lookup("AWS::S3::Bucketx"); ok {
		t.Error("found a type that does not exist")
	}
}

func TestType(t *testing.T) {
	t.Parallel()
	bucket := lookup(t, "AWS::S3::Bucket")
	if !bucket.HasProperty("BucketName") || bucket.HasProperty("Arn") || !bucket.HasAttribute("Arn") || bucket.HasAttribute("Nope") {
		t.Error("wrong properties or attributes of a bucket")
	}
	if bucket.TagProperty != "Tags" || !bucket.Data || !bucket.Regional || bucket.DeleteFirst || bucket.ARN != "arn:${Partition}:s3:::${BucketName}" {
		t.Errorf("wrong flags: %+v", bucket)
	}
	if !lookup(t, "AWS::CloudFormation::Stack").HasAttribute("Outputs.Anything") {
		t.Error("a nested stack has its outputs")
	}
	if got := lookup(t, "AWS::Cognito::UserPool").TagProperty; got != "UserPoolTags" {
		t.Errorf("tag property %q", got)
	}
	if got := lookup(t, "AWS::EC2::EIP").Ref; got != "PublicIp" {
		t.Errorf("Ref %q", got)
	}
	if !lookup(t, "AWS::EC2::VPCGatewayAttachment").DeleteFirst {
		t.Error("an attachment is deleted first")
	}
}

func TestReplaces(t *testing.T) {
	t.Parallel()
	nested := &restype.Type{CreateOnly: []string{"Name", "Config.Mode", "Rules.*.Port"}, Conditional: []string{"Engine", "Deep.Part"}}
	for prop, want := range map[string][2]bool{
		"Name":           {true, false},
		"Name.Below":     {true, false},
		"Config.Mode":    {true, false},
		"Config.Other":   {false, false},
		"Config":         {false, true},
		"Rules.3.Port":   {true, false},
		"Rules.*.Port.X": {true, false},
		"Rules.x.Port":   {false, false},
		"Rules":          {false, true},
		"Engine":         {false, true},
		"Deep":           {false, true},
		"Tags":           {false, false},
		"":               {false, false},
	} {
		always, maybe := nested.Replaces(prop)
		if got := [2]bool{always, maybe}; got != want {
			t.Errorf("Replaces(%q) = %v, want %v", prop, got, want)
		}
	}
}

func TestHolds(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]restype.Holding{
		"AWS::RDS::DBInstance":               restype.HoldsLasting,
		"AWS::RDS::DBProxy":                  restype.HoldsNothing,
		"AWS::RDS::GlobalCluster":            restype.HoldsLasting,
		"AWS::DynamoDB::Table":               restype.HoldsLasting,
		"AWS::EC2::RouteTable":               restype.HoldsNothing,
		"AWS::S3::Bucket":                    restype.HoldsLasting,
		"AWS::S3Tables::TableBucket":         restype.HoldsLasting,
		"AWS::S3::BucketPolicy":              restype.HoldsNothing,
		"AWS::EFS::FileSystem":               restype.HoldsLasting,
		"AWS::EFS::MountTarget":              restype.HoldsNothing,
		"AWS::EC2::Volume":                   restype.HoldsLasting,
		"AWS::EC2::VolumeAttachment":         restype.HoldsNothing,
		"AWS::Cognito::UserPool":             restype.HoldsLasting,
		"AWS::KMS::Key":                      restype.HoldsLasting,
		"AWS::KMS::ReplicaKey":               restype.HoldsLasting,
		"AWS::ApiGateway::ApiKey":            restype.HoldsNothing,
		"AWS::Backup::BackupVault":           restype.HoldsLasting,
		"AWS::OpenSearchService::Domain":     restype.HoldsLasting,
		"AWS::Glacier::Vault":                restype.HoldsLasting,
		"AWS::HealthLake::FHIRDatastore":     restype.HoldsLasting,
		"AWS::DirectoryService::MicrosoftAD": restype.HoldsLasting,
		"AWS::SageMaker::Domain":             restype.HoldsNothing,
		"AWS::Logs::LogGroup":                restype.HoldsPassing,
		"AWS::SQS::Queue":                    restype.HoldsPassing,
		"AWS::ElastiCache::ServerlessCache":  restype.HoldsPassing,
		"AWS::SecretsManager::Secret":        restype.HoldsSecret,
		"AWS::CloudFormation::Stack":         restype.HoldsNested,
		"AWS::EC2::Instance":                 restype.HoldsLasting, // its own volumes go with it
		"AWS::EC2::LaunchTemplate":           restype.HoldsNothing,
		"AWS::AutoScaling::AutoScalingGroup": restype.HoldsNothing, // makes its instances anew as a matter of course
		"AWS::Cloud9::EnvironmentEC2":        restype.HoldsLasting,
		"AWS::WorkSpaces::Workspace":         restype.HoldsLasting,
		"AWS::ACMPCA::CertificateAuthority":  restype.HoldsLasting,
		"AWS::ACMPCA::Certificate":           restype.HoldsNothing,
		"AWS::RDS::DBSnapshot":               restype.HoldsLasting,
		"AWS::FSx::Backup":                   restype.HoldsLasting,
		"AWS::Grafana::Workspace":            restype.HoldsLasting,
		"AWS::APS::Workspace":                restype.HoldsPassing,
		"AWS::SSM::Parameter":                restype.HoldsNothing, // the template gives it again
		"AWS::Glue::Registry":                restype.HoldsLasting,
		"Acme::Grafana::Workspace":           restype.HoldsNothing,
		"AWS::EC2::VPC":                      restype.HoldsNothing,
		"Acme::Store::Bucket":                restype.HoldsNothing,
		"Custom::Bucket":                     restype.HoldsNothing,
	} {
		if got := restype.Holds(name); got != want || restype.HoldsData(name) != (want != restype.HoldsNothing) {
			t.Errorf("Holds(%s) = %d, want %d", name, got, want)
		}
	}
	for _, name := range restype.Names() {
		if lookup(t, name).Data && !restype.HoldsData(name) {
			t.Errorf("%s is flagged but holds nothing", name)
		}
	}
}

func TestDurations(t *testing.T) {
	t.Parallel()
	for name, want := range map[string][2]time.Duration{
		"AWS::EC2::VPC":                        {13 * time.Second, 2 * time.Second},
		"AWS::EC2::NatGateway":                 {100 * time.Second, 56 * time.Second},
		"AWS::RDS::DBInstance":                 {9 * time.Minute, 5 * time.Minute},
		"AWS::IAM::Role":                       {18 * time.Second, 11 * time.Second},
		"AWS::IAM::User":                       {15 * time.Second, 7 * time.Second},
		"AWS::DocDB::DBCluster":                {9 * time.Minute, 270 * time.Second},
		"AWS::EC2::TransitGateway":             {100 * time.Second, 50 * time.Second},
		"AWS::CertificateManager::Certificate": {20 * time.Second, 10 * time.Second},
		"AWS::Glue::Job":                       {3 * time.Second, time.Second},
		"Custom::Thing":                        {5 * time.Second, 5 * time.Second},
		"Acme::Some::Thing":                    {3 * time.Second, time.Second},
		"nonsense":                             {3 * time.Second, time.Second},
	} {
		create, update, remove := restype.Durations(name)
		if create != want[0] || remove != want[1] || update < time.Second {
			t.Errorf("Durations(%s) = %v %v %v, want %v", name, create, update, remove, want)
		}
	}
	for _, name := range restype.Names() {
		if c, u, r := restype.Durations(name); min(c, u, r) < time.Second {
			t.Errorf("%s takes no time: %v %v %v", name, c, u, r)
		}
	}
}

func TestNearest(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"AWS::S3::Buckte":              "AWS::S3::Bucket",
		"aws::s3::bucket":              "AWS::S3::Bucket",
		"AWS::Lambda::Funtion":         "AWS::Lambda::Function", //nolint:misspell // misspelt on purpose
		"AWS::EC2::HostedZone":         "AWS::Route53::HostedZone",
		"Completely::Different::Thing": "",
		"":                             "",
	} {
		got, ok := restype.Nearest(name)
		if got != want || ok != (want != "") {
			t.Errorf("Nearest(%q) = %q, %v, want %q", name, got, ok, want)
		}
	}
	if got, _ := lookup(t, "AWS::S3::Bucket").NearestProperty("BucketNam"); got != "BucketName" {
		t.Errorf("nearest property %q", got)
	}
	if got, _ := lookup(t, "AWS::S3::Bucket").NearestAttribute("ARN"); got != "Arn" {
		t.Errorf("nearest attribute %q", got)
	}
}

func TestClosestFindsOneEdit(t *testing.T) {
	t.Parallel()
	names := restype.Names()
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.SampledFrom(names).Draw(t, "name")
		at := rapid.IntRange(0, len(name)-1).Draw(t, "at")
		broken := name[:at] + name[at+1:]
		if got, ok := restype.Nearest(broken); !ok {
			t.Fatalf("nothing near %q (from %q), got %q", broken, name, got)
		}
	})
}

func BenchmarkLookup(b *testing.B) {
	for b.Loop() {
		if _, ok := restype.Lookup("AWS::S3::Bucket"); !ok {
			b.Fatal("not found")
		}
	}
}
