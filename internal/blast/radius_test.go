package blast_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/deployer-cli/deployer/internal/blast"
	"github.com/deployer-cli/deployer/internal/restype"
	"github.com/deployer-cli/deployer/stacks"
)

func TestHolders(t *testing.T) {
	t.Parallel()
	const snap = "DeletionPolicy: Snapshot"
	tests := map[string]struct {
		typ, body string
		data      stacks.Value
		cover     string // "" for no holder
		why       string
	}{
		"bucket":                     {"AWS::S3::Bucket", "", stacks.Value{}, blast.Uncovered, "would be lost"},
		"bucket, retained":           {"AWS::S3::Bucket", "DeletionPolicy: Retain", stacks.Value{}, blast.Retained, ""},
		"bucket, except on create":   {"AWS::S3::Bucket", "DeletionPolicy: RetainExceptOnCreate", stacks.Value{}, blast.Retained, ""},
		"bucket, expendable":         {"AWS::S3::Bucket", "", block("R", "expendable"), blast.Expendable, ""},
		"bucket, another expendable": {"AWS::S3::Bucket", "", block("r", "expendable"), blast.Uncovered, ""},
		"policy is a function":       {"AWS::S3::Bucket", "DeletionPolicy: !Ref P", stacks.Value{}, blast.Uncovered, "cannot be told"},
		"database, by default":       {"AWS::RDS::DBInstance", "", stacks.Value{}, blast.Uncovered, "nothing hands it over"},
		"database, snapshot named":   {"AWS::RDS::DBInstance", "Properties: {DBSnapshotIdentifier: !Ref P}", block("R", block("snapshot_parameter", "P")), blast.Snapshot, ""},
		"database, unused parameter": {"AWS::RDS::DBInstance", "", block("R", block("snapshot_parameter", "P")), blast.Uncovered, "does not become its DBSnapshotIdentifier"},
		"database, in a tag":         {"AWS::RDS::DBInstance", "Properties: {Tags: [{Key: a, Value: !Ref P}]}", block("R", block("snapshot_parameter", "P")), blast.Uncovered, "does not become"},
		"database, not met":          {"AWS::RDS::DBInstance", "Condition: No\n    Properties: {DBSnapshotIdentifier: !Ref P}", block("R", block("snapshot_parameter", "P")), blast.Uncovered, "does not become"},
		"database, when given":       {"AWS::RDS::DBInstance", "Properties: {DBSnapshotIdentifier: !If [Given, !Ref P, !Ref 'AWS::NoValue']}", block("R", block("snapshot_parameter", "P")), blast.Snapshot, ""},
		"database, never given":      {"AWS::RDS::DBInstance", "Properties: {DBSnapshotIdentifier: !If [No, !Ref P, !Ref 'AWS::NoValue']}", block("R", block("snapshot_parameter", "P")), blast.Uncovered, "does not become"},
		"database, in a text":        {"AWS::RDS::DBInstance", "Properties: {DBSnapshotIdentifier: !Sub 'x-${P}'}", block("R", block("snapshot_parameter", "P")), blast.Uncovered, "does not become"},
		"database, of another too":   {"AWS::RDS::DBInstance", "Properties: {DBSnapshotIdentifier: !Ref P}", block("R", block("snapshot_parameter", "P"), "S", block("snapshot_parameter", "P")), blast.Uncovered, "of another holder"},
		"volume, snapshot named":     {"AWS::EC2::Volume", snap + "\n    Properties: {SnapshotId: !Ref P}", block("R", block("snapshot_parameter", "P")), blast.Snapshot, ""},
		"graph, by a snapshot":       {"AWS::Neptune::DBCluster", snap, block("R", block("snapshot_parameter", "P")), blast.Uncovered, "does not know how to find"},
		"database, wrong parameter":  {"AWS::RDS::DBInstance", snap, block("R", block("snapshot_parameter", "Q")), blast.Uncovered, "no parameter"},
		"database of a cluster":      {"AWS::RDS::DBInstance", "Properties: {DBClusterIdentifier: c}", stacks.Value{}, blast.Uncovered, "would be lost"},
		"database, deleted":          {"AWS::RDS::DBInstance", "DeletionPolicy: Delete", block("R", block("snapshot_parameter", "P")), blast.Uncovered, "would be lost"},
		"cluster, by default":        {"AWS::RDS::DBCluster", "Properties: {SnapshotIdentifier: !Ref P}", block("R", block("snapshot_parameter", "P")), blast.Snapshot, ""},
		"table, snapshot":            {"AWS::DynamoDB::Table", snap, block("R", block("snapshot_parameter", "P")), blast.Uncovered, "makes no snapshot"},
		"key":                        {"AWS::KMS::Key", "", stacks.Value{}, blast.Uncovered, ""},
		"user pool":                  {"AWS::Cognito::UserPool", "", stacks.Value{}, blast.Uncovered, ""},
		"instance":                   {"AWS::EC2::Instance", "", stacks.Value{}, blast.Uncovered, "its own volumes"},
		"instance, expendable":       {"AWS::EC2::Instance", "", block("R", "expendable"), blast.Expendable, ""},
		"private authority":          {"AWS::ACMPCA::CertificateAuthority", "", stacks.Value{}, blast.Uncovered, ""},
		"queue":                      {"AWS::SQS::Queue", "", stacks.Value{}, blast.Passing, ""},
		"log group":                  {"AWS::Logs::LogGroup", "", stacks.Value{}, blast.Passing, ""},
		"cache":                      {"AWS::ElastiCache::ReplicationGroup", "", stacks.Value{}, blast.Passing, ""},
		"secret, generated":          {"AWS::SecretsManager::Secret", "Properties: {GenerateSecretString: {}}", stacks.Value{}, blast.Generated, ""},
		"secret, given":              {"AWS::SecretsManager::Secret", "Properties: {SecretString: x}", stacks.Value{}, blast.Uncovered, ""},
		"secret, both":               {"AWS::SecretsManager::Secret", "Properties: {SecretString: x, GenerateSecretString: {}}", stacks.Value{}, blast.Uncovered, ""},
		"somebody's type":            {"Acme::Data::Store", "", stacks.Value{}, blast.Uncovered, "nobody here knows"},
		"a new type of AWS's":        {"AWS::Nouveau::Vault2", "", stacks.Value{}, blast.Uncovered, "nobody here knows"},
		"somebody's, retained":       {"Acme::Data::Store", "DeletionPolicy: Retain", stacks.Value{}, blast.Uncovered, "cannot take"},
		"a custom resource":          {"Custom::Thing", "", stacks.Value{}, "", ""},
		"a function":                 {"AWS::Lambda::Function", "", stacks.Value{}, "", ""},
		"a network":                  {"AWS::EC2::VPC", "", stacks.Value{}, "", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := good()
			template := fmt.Sprintf("Parameters: {P: {Type: String}}\nConditions: {No: !Equals [a, b], Given: !Not [!Equals [!Ref P, '']]}\nResources:\n  R:\n    Type: %s\n    %s\n", tt.typ, tt.body)
			s := seen(f.Environment, "dev/data", template, "R "+tt.typ+" some-name")
			s.Stack.Break = block("data", tt.data)
			f.Stacks.Value, f.Targets = append(f.Stacks.Value, s), []stacks.Path{"dev/data"}
			f.Secrets["dev/data"] = f.Secrets["dev/app"]
			f.Contents = map[string]blast.Known[bool]{"some-name": blast.Got(tt.cover == blast.Uncovered, nil)}
			p := blast.Make(f)
			holders := p.Radius.Stacks[0].Holders
			if tt.cover == "" {
				if len(holders) > 0 {
					t.Errorf("%+v", holders)
				}
				return
			}
			if len(holders) != 1 || holders[0].Cover != tt.cover || !strings.Contains(holders[0].Why, tt.why) {
				t.Fatalf("%+v", holders)
			}
			if lost := slices.Contains(failed(p.Verdicts), "G10"); lost != (tt.cover == blast.Uncovered) {
				t.Errorf("G10 fails: %v", lost)
			}
		})
	}
}

// TestOnlyEmpty: what AWS deletes only when it is empty does not go while it is not
// known to be.
func TestOnlyEmpty(t *testing.T) {
	t.Parallel()
	const bucket, images = "AWS::S3::Bucket", "AWS::ECR::Repository"
	expendable, open := block("R", "expendable"), stacks.Value{}
	empty, full, unread := blast.Got(false, nil), blast.Got(true, nil), blast.Got(false, errDenied)
	for name, c := range map[string]struct {
		typ, body string
		data      stacks.Value
		contents  blast.Known[bool]
		cover     string
		finding   string // "" when G10 passes
	}{
		"empty":               {bucket, "", open, empty, blast.Empty, ""},
		"empty, expendable":   {bucket, "", expendable, empty, blast.Expendable, ""},
		"full, expendable":    {bucket, "", expendable, full, blast.Expendable, "and there are some"},
		"full":                {bucket, "", open, full, blast.Uncovered, "would be lost"},
		"unread, expendable":  {bucket, "", expendable, unread, blast.Expendable, "is not known: AccessDenied"},
		"nobody looked":       {bucket, "", expendable, blast.Known[bool]{}, blast.Expendable, "is not known: it was not read"},
		"full, retained":      {bucket, "DeletionPolicy: Retain", open, full, blast.Retained, ""},
		"emptied by the CDK":  {bucket, "\n  E: {Type: 'Custom::S3AutoDeleteObjects', Properties: {BucketName: !Ref R}}", expendable, full, blast.Expendable, ""},
		"another is emptied":  {bucket, "\n  E: {Type: 'Custom::S3AutoDeleteObjects', Properties: {BucketName: other}}", expendable, full, blast.Expendable, "and there are some"},
		"images":              {images, "", expendable, empty, blast.Expendable, "with images in it"},
		"images, emptied":     {images, "Properties: {EmptyOnDelete: true}", expendable, empty, blast.Expendable, ""},
		"images, left":        {images, "Properties: {EmptyOnDelete: false}", expendable, empty, blast.Expendable, "with images in it"},
		"images, cannot tell": {images, "Properties: {EmptyOnDelete: !Ref P}", expendable, empty, blast.Expendable, "with images in it"},
		"vault":               {"AWS::Backup::BackupVault", "", expendable, empty, blast.Expendable, "only when it is empty"},
	} {
		f := good()
		template := fmt.Sprintf("Parameters: {P: {Type: String}}\nResources:\n  R:\n    Type: %s\n    %s\n", c.typ, c.body)
		s := seen(f.Environment, "dev/data", template, "R "+c.typ+" some-name")
		s.Stack.Break = block("data", c.data)
		f.Stacks.Value, f.Targets = append(f.Stacks.Value, s), []stacks.Path{"dev/data"}
		f.Secrets["dev/data"] = f.Secrets["dev/app"]
		wanted := c.typ == bucket && c.cover != blast.Retained
		if got := blast.Unweighed(f); slices.Contains(got, "some-name") != wanted {
			t.Errorf("%s: to be looked into: %v", name, got)
		}
		f.Contents = map[string]blast.Known[bool]{"some-name": c.contents}
		p := blast.Make(f)
		if h := p.Radius.Stacks[0].Holders; len(h) != 1 || h[0].Cover != c.cover {
			t.Errorf("%s: %+v", name, h)
		}
		why := ""
		for _, v := range p.Verdicts {
			if v.Guard == "G10" {
				why = v.Why
			}
		}
		if c.finding == "" && why != "" || !strings.Contains(why, c.finding) {
			t.Errorf("%s: G10 says %q", name, why)
		}
	}
}

// TestNestedHolders: a nested stack is judged by its contents; what it keeps
// nothing takes in again.
func TestNestedHolders(t *testing.T) {
	t.Parallel()
	for policy, cover := range map[string]string{"Delete": blast.Uncovered, "Retain": blast.Uncovered} {
		f := good()
		parent := seen(f.Environment, "dev/data", "Resources: {Inner: {Type: 'AWS::CloudFormation::Stack', Properties: {TemplateURL: x}}}", "Inner AWS::CloudFormation::Stack "+arn+"dev-inner/1")
		child := seen(f.Environment, "dev/inner", "Resources: {T: {Type: 'AWS::DynamoDB::Table', DeletionPolicy: "+policy+"}}", "T AWS::DynamoDB::Table t1")
		child.Stack, child.Live.ParentID = nil, parent.Live.ID
		f.Stacks.Value, f.Targets = append(f.Stacks.Value, parent, child), []stacks.Path{"dev/data"}
		r := blast.Make(f).Radius.Stacks[0]
		if len(r.Holders) != 1 || r.Holders[0].Cover != cover || r.Holders[0].LogicalID != "Inner.T" || r.Resources != 2 {
			t.Errorf("%+v", r)
		}
		parent.Stack.Break = block("data", block("Inner.T", "expendable"))
		if h := blast.Make(f).Radius.Stacks[0].Holders[0]; h.Cover != blast.Expendable {
			t.Errorf("%+v", h)
		}
	}
}

func TestRadius(t *testing.T) {
	t.Parallel()
	f := good()
	f.Environment.Break.Fields = append(f.Environment.Break.Fields, stacks.Field{Key: "rto", Value: stacks.String("30m")})
	at(f, "dev/app").Stack.Break = block("rto", "45m", "runbook", "docs/app.md", "probes", stacks.Strings("site"))
	f.Past.Value = []blast.Past{
		{Break: "b-1", Kind: blast.DeleteStack, Stack: "dev/network", At: noon().Add(-48 * time.Hour), Seconds: 600},
		{Break: "b-2", Kind: blast.DeleteStack, Stack: "dev/network", At: noon().Add(-24 * time.Hour), Recovered: true, Seconds: 300},
		{Break: "b-3", Kind: blast.DriftParameter, Stack: "dev/network", At: noon().Add(-12 * time.Hour), Recovered: true, Seconds: 30},
		{Break: "b-2", Stack: "dev/queue"},
	}
	r := blast.Make(f).Radius
	app, network := r.Stacks[0], r.Stacks[1]
	if r.RTOSeconds != 1800 || app.RTOSeconds != 2700 || network.RTOSeconds != 1800 || app.Runbook != "docs/app.md" || network.Runbook != "none" || len(app.Probes) != 1 {
		t.Errorf("%+v", r)
	}
	if len(network.Past) != 2 || network.Past[0].Break != "b-2" || network.AgeSeconds != 86400 || network.Policies["Delete"] != 2 || app.Policies["Retain"] != 1 {
		t.Errorf("%+v", network)
	}
	if len(network.NotSame) != 2 || network.NotSame[0].What != "a new id" {
		t.Errorf("%+v", network.NotSame)
	}
	if len(r.Dependents) != 1 || r.Dependents[0].Stack != "dev/queue" || joined(r.Dependents[0].Loses) != "dev/app" {
		t.Errorf("%+v", r.Dependents)
	}
}

// TestChangesAndInjections: G10 of the kinds that delete no stack.
func TestChangesAndInjections(t *testing.T) {
	t.Parallel()
	change := func(typ, action, replacement string) []stacks.ResourceChange {
		return []stacks.ResourceChange{{LogicalID: "R", Type: typ, Action: action, Replacement: replacement}}
	}
	type facts = func(f *blast.Facts)
	changes := func(c []stacks.ResourceChange) facts {
		return func(f *blast.Facts) {
			f.Kind = blast.DriftParameter
			f.Changes = map[stacks.Path][]stacks.ResourceChange{"dev/network": c}
		}
	}
	nestedTable := func(data stacks.Value) facts {
		return func(f *blast.Facts) {
			changes(nil)(f)
			parent := at(f, "dev/network")
			parent.Stack.Break = data
			parent.Template.Value = strings.Replace(networkTemplate, "Resources:", "Resources:\n  N: {Type: 'AWS::CloudFormation::Stack', Properties: {TemplateURL: x}}", 1)
			child := seen(f.Environment, "dev/child", "Resources: {T: {Type: 'AWS::DynamoDB::Table'}}", "T AWS::DynamoDB::Table t-1")
			child.Stack, child.Live.ParentID = nil, parent.Live.ID
			parent.Resources.Value = append(parent.Resources.Value, stacks.Resource{LogicalID: "N", Type: "AWS::CloudFormation::Stack", PhysicalID: child.Live.ID, Status: "CREATE_COMPLETE"})
			f.Stacks.Value = append(f.Stacks.Value, child)
		}
	}
	inject := func(kind, typ string) facts {
		return func(f *blast.Facts) {
			f.Kind = kind
			f.Injections = []stacks.Injection{{Kind: kind, Stack: "dev/network", LogicalID: "R", Type: typ}}
			f.Changes = map[stacks.Path][]stacks.ResourceChange{"dev/network": {}}
		}
	}
	// What making the deleted resource again would change besides, as recover will see it.
	anew := func(typ, replacement string, also ...facts) facts {
		return func(f *blast.Facts) {
			inject(blast.DeleteResource, "AWS::SNS::Topic")(f)
			id := "Subnet"
			if restype.Holds(typ) == restype.HoldsNested {
				id = "N"
			}
			f.Changes["dev/network"] = []stacks.ResourceChange{{LogicalID: id, Type: typ, Action: "modify", Replacement: replacement, Data: restype.HoldsData(typ)}}
			for _, set := range also {
				set(f)
			}
		}
	}
	for name, c := range map[string]struct {
		facts facts
		ok    bool
	}{
		"a change":                {changes(change("AWS::EC2::VPC", "modify", "false")), true},
		"may replace a network":   {changes(change("AWS::EC2::VPC", "modify", "conditional")), true},
		"replaces a network":      {changes(change("AWS::EC2::VPC", "modify", "true")), false},
		"removes a network":       {changes(change("AWS::EC2::VPC", "remove", "")), false},
		"changes a table":         {changes(change("AWS::DynamoDB::Table", "modify", "false")), true},
		"may replace a table":     {changes(change("AWS::DynamoDB::Table", "modify", "conditional")), false},
		"replaces a table":        {changes(change("AWS::DynamoDB::Table", "modify", "true")), false},
		"removes a table":         {changes(change("AWS::DynamoDB::Table", "remove", "")), false},
		"does nobody knows what":  {changes(change("AWS::DynamoDB::Table", "dynamic", "")), false},
		"replaces a stranger":     {changes(change("Acme::Data::Store", "modify", "true")), false},
		"changes a set of stacks": {changes(change("AWS::CloudFormation::StackSet", "modify", "false")), false},
		"table in a nested one":   {nestedTable(stacks.Value{}), false},
		"nested, expendable":      {nestedTable(block("data", block("N.T", "expendable"))), true},
		"changes not known":       {func(f *blast.Facts) { f.Kind = blast.DriftParameter }, false},
		"stops instances":         {inject("stop-instances", "AWS::EC2::Instance"), true},
		"deletes a function":      {inject(blast.DeleteResource, "AWS::Lambda::Function"), true},
		"deletes a table":         {inject(blast.DeleteResource, "AWS::DynamoDB::Table"), false},
		"deletes a secret":        {inject(blast.DeleteResource, "AWS::SecretsManager::Secret"), false},
		"deletes a stranger":      {inject(blast.DeleteResource, "Acme::Data::Store"), false},
		"again, a table changes":  {anew("AWS::DynamoDB::Table", "false"), true},
		"again, a table moves":    {anew("AWS::DynamoDB::Table", "true"), false},
		"again, a table may move": {anew("AWS::DynamoDB::Table", "conditional"), false},
		"and it is expendable": {anew("AWS::DynamoDB::Table", "conditional", func(f *blast.Facts) {
			at(f, "dev/network").Stack.Break = block("data", block("Subnet", "expendable")) // recovery asks nobody
		}), false},
		"again, a queue may move":  {anew("AWS::SQS::Queue", "conditional"), false},
		"again, an alarm may move": {anew("AWS::CloudWatch::Alarm", "conditional"), true},
		"again, a stranger":        {anew("Acme::Data::Store", "conditional"), false},
		"again, a program's":       {anew("Custom::Thing", "conditional"), true},
		"again, nested, a table":   {func(f *blast.Facts) { nestedTable(stacks.Value{})(f); anew("AWS::CloudFormation::Stack", "false")(f) }, false},
		"again, nested, nothing":   {anew("AWS::CloudFormation::Stack", "false"), true},
		"again, nobody knows": {func(f *blast.Facts) {
			inject(blast.DeleteResource, "AWS::SNS::Topic")(f)
			f.Changes = nil
		}, false},
		"no preview": {func(f *blast.Facts) { f.Kind = "lambda-zero" }, false},
		"no kind":    {func(f *blast.Facts) { f.Kind = "" }, false},
	} {
		f := good()
		c.facts(f)
		p := blast.Make(f)
		if got := failed(p.Verdicts); (got == nil) != c.ok || !c.ok && !slices.Equal(got, []string{"G10"}) {
			t.Errorf("%s: %v fail", name, got)
		}
		if len(p.Steps) != 1 || p.Steps[0].Verb == stacks.Delete || p.Phrase != "dev 1" {
			t.Errorf("%s: %+v", name, p.Steps)
		}
	}
	f := good()
	f.Kind, f.Unfit = "lambda-zero", []blast.Finding{{Stack: "dev/network", Why: "it has no function"}}
	f.Injections = []stacks.Injection{{Stack: "dev/network"}}
	if got := failed(blast.Make(f).Verdicts); !slices.Equal(got, []string{"G9"}) {
		t.Errorf("%v fail", got)
	}
}
