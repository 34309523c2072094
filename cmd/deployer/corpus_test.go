package main_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/deployer-cli/deployer/internal/cfntemplate"
)

// corpus finds the folder of real templates, or skips the test.
func corpus(t testing.TB) string {
	t.Helper()
	dir := os.Getenv("DEPLOYER_CORPUS")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared", "corpus")
	}
	dir = filepath.Join(dir, "cloudformation", "widdix")
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("no corpus of templates at %s: set DEPLOYER_CORPUS to the folder that has cloudformation/widdix", dir)
	}
	return dir
}

// widdix is an environment made of real templates that were written to belong
// together. What is wired to what stands in their Parent*Stack parameters and
// Fn::ImportValue alone: no stack names a dependency.
var widdix = map[string][]string{
	"alert":     {"operations/alert.yaml", "Email: ops@example.com"},
	"key":       {"security/kms-key.yaml", "ParentAlertStack: acme-dev-alert"},
	"vpc":       {"vpc/vpc-2azs.yaml", "ClassB: '10'"},
	"nat":       {"vpc/vpc-nat-gateway.yaml", "ParentVPCStack: acme-dev-vpc", "ParentAlertStack: acme-dev-alert", "SubnetZone: A"},
	"s3-route":  {"vpc/vpc-endpoint-s3.yaml", "ParentVPCStack: acme-dev-vpc"},
	"flow-logs": {"vpc/vpc-flow-logs.yaml", "ParentVPCStack: acme-dev-vpc"},
	"bastion":   {"vpc/vpc-ssh-bastion.yaml", "ParentVPCStack: acme-dev-vpc", "ParentAlertStack: acme-dev-alert"},
	"zone":      {"vpc/zone-private.yaml", "ParentVPCStack: acme-dev-vpc", "Name: acme.internal"},
	"names":     {"vpc/cloudmap-private.yaml", "ParentVPCStack: acme-dev-vpc", "Name: acme.local"},
	"client":    {"state/client-sg.yaml", "ParentVPCStack: acme-dev-vpc"},
	"secret":    {"state/secretsmanager-dbsecret.yaml", "ParentKmsKeyStack: acme-dev-key"},
	"logs":      {"state/s3.yaml", "Access: ElbAccessLogWrite"},
	"files":     {"state/s3.yaml", "Access: Private", "ParentKmsKeyStack: acme-dev-key"},
	"database": {
		"state/rds-postgres.yaml", "ParentVPCStack: acme-dev-vpc", "ParentClientStack: acme-dev-client",
		"ParentSSHBastionStack: acme-dev-bastion", "ParentKmsKeyStack: acme-dev-key", "ParentZoneStack: acme-dev-zone",
		"ParentAlertStack: acme-dev-alert", "ParentSecretStack: acme-dev-secret", "DBName: shop", "EngineVersion: '15.3'",
	},
	"cache": {
		"state/elasticache-redis.yaml", "ParentVPCStack: acme-dev-vpc", "ParentClientStack: acme-dev-client",
		"ParentZoneStack: acme-dev-zone", "ParentAlertStack: acme-dev-alert", "EngineVersion: 5.0.6", "ParentSSHBastionStack: acme-dev-bastion",
	},
	"table": {"state/dynamodb.yaml", "PartitionKeyName: id", "ParentAlertStack: acme-dev-alert", "ParentKmsKeyStack: acme-dev-key"},
	"cluster": {
		"fargate/cluster.yaml", "ParentVPCStack: acme-dev-vpc", "ParentAlertStack: acme-dev-alert",
		"ParentS3StackAccessLog: acme-dev-logs", "ParentZoneStack: acme-dev-zone", "SubDomainNameWithDot: www.",
	},
	"service": {
		"fargate/service-cluster-alb.yaml", "ParentVPCStack: acme-dev-vpc", "ParentClusterStack: acme-dev-cluster",
		"ParentAlertStack: acme-dev-alert", "ParentClientStack1: acme-dev-client", "AppImage: nginx:1.27",
		"LoadBalancerPriority: '1'", "LoadBalancerHttps: 'false'", "LoadBalancerPathPattern: '/*'",
	},
	"worker": {
		"fargate/service-cloudmap.yaml", "ParentVPCStack: acme-dev-vpc", "ParentClusterStack: acme-dev-cluster",
		"ParentCloudMapStack: acme-dev-names", "ParentClientStack: acme-dev-client", "ParentAlertStack: acme-dev-alert",
		"Name: worker", "AppImage: nginx:1.27",
	},
}

// makeWiddix writes the project and returns its folder.
func makeWiddix(t testing.TB) string {
	t.Helper()
	from, dir := corpus(t), t.TempDir()
	write(t, dir, "config/config.yaml", "project_code: acme\nproject_id: 00112233445566aa\nregion: eu-west-1\n")
	write(t, dir, "config/dev/config.yaml", "environment: {class: development}\n")
	for name, lines := range widdix {
		addStack(t, dir, from, "dev/"+name, lines[0], lines[1:])
	}
	return dir
}

func addStack(t testing.TB, dir, from, path, template string, parameters []string) {
	t.Helper()
	body, err := os.ReadFile(filepath.Join(from, filepath.FromSlash(template)))
	if err != nil {
		t.Fatal(err)
	}
	text := string(body)
	if template == "security/kms-key.yaml" { // an alias that is kept stands in the way of the next launch
		text = strings.Replace(text, "DeletionPolicy: Retain\n    UpdateReplacePolicy: Retain\n    Type: 'AWS::KMS::Alias'", "Type: 'AWS::KMS::Alias'", 1)
	}
	write(t, dir, "templates/"+template, text)
	var b strings.Builder
	b.WriteString("template: {path: " + template + ", type: file}\n")
	if len(parameters) > 0 {
		b.WriteString("parameters:\n")
	}
	for _, p := range parameters {
		b.WriteString("  " + p + "\n")
	}
	write(t, dir, "config/"+path+".yaml", b.String())
}

// TestRealTemplates takes nineteen stacks made of real templates through their
// life: launched in an order found from the templates alone, nothing to do,
// one changed, deleted the other way round, and launched again.
func TestRealTemplates(t *testing.T) {
	t.Parallel()
	dir := makeWiddix(t)
	first := must(t, 0, dir, "--sandbox", "launch", "dev", "-y", "-o", "json")
	first.result(t).all(t, len(widdix), "created")
	inOrder(t, first.ended(t), func(before, after string) (string, string) { return before, after })

	must(t, 0, dir, "--sandbox", "launch", "dev", "-y", "-o", "json").result(t).all(t, len(widdix), "unchanged")
	must(t, 0, dir, "--sandbox", "diff", "dev", "--exit-code")

	addStack(t, dir, corpus(t), "dev/cluster", widdix["cluster"][0], append(slices.Clone(widdix["cluster"][1:]), "LoadBalancerIdleTimeout: '61'"))
	must(t, 9, dir, "--sandbox", "diff", "dev", "--exit-code")
	changed := must(t, 0, dir, "--sandbox", "launch", "dev", "-y", "-o", "json").result(t)
	for stack, got := range changed.Stacks {
		if want := map[bool]string{true: "updated", false: "unchanged"}[stack == "dev/cluster"]; got != want {
			t.Errorf("%s is %s, want %s", stack, got, want)
		}
	}

	gone := must(t, 0, dir, "--sandbox", "delete", "dev", "-y", "-o", "json")
	gone.result(t).all(t, len(widdix), "deleted")
	inOrder(t, gone.ended(t), func(before, after string) (string, string) { return after, before })
	must(t, 0, dir, "--sandbox", "launch", "dev", "-y", "-o", "json").result(t).all(t, len(widdix), "created")
}

// inOrder checks the order in which stacks ended against the Parent parameters.
func inOrder(t *testing.T, ended []string, order func(before, after string) (string, string)) {
	t.Helper()
	if len(ended) != len(widdix) {
		t.Errorf("%d stacks ended, want %d: %v", len(ended), len(widdix), ended)
	}
	for name, lines := range widdix {
		for _, line := range lines[1:] {
			_, parent, ok := strings.Cut(line, ": acme-dev-")
			if !ok {
				continue
			}
			a, b := order("dev/"+parent, "dev/"+name)
			if slices.Index(ended, a) > slices.Index(ended, b) {
				t.Errorf("%s ended after %s", a, b)
			}
		}
	}
}

// parents says which stack of the corpus makes what a parameter asks for.
var parents = map[string]string{
	"ParentVPCStack": "vpc-vpc-4azs", "ParentClientStack": "state-client-sg", "ParentAlertStack": "operations-alert",
	"ParentZoneStack": "vpc-zone-public", "ParentKmsKeyStack": "security-kms-key", "ParentCloudMapStack": "vpc-cloudmap-private",
}

// accepted are the findings in the corpus that AWS would refuse, too.
// These templates have an empty default for a parent that they cannot do without.
var accepted = map[string]string{
	"operations/alb-access-logs-anonymizer":        "imports -BucketName, which no stack",
	"operations/cloudfront-access-logs-anonymizer": "imports -BucketName, which no stack",
	"state/rds-aurora-serverless":                  "imports -KeyArn, which no stack",
	"state/rds-aurora-serverless-postgres":         "imports -KeyArn, which no stack",
}

// TestValidateRealTemplates: what a template of the corpus is found at fault
// for must be what AWS would refuse, too.
func TestValidateRealTemplates(t *testing.T) {
	t.Parallel()
	from, dir := corpus(t), t.TempDir()
	write(t, dir, "config/config.yaml", "project_code: acme\nregion: eu-west-1\ntemplate_bucket_name: acme-templates\n")
	files, err := filepath.Glob(filepath.Join(from, "*", "*.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no templates in %s: %v", from, err)
	}
	for _, file := range files {
		name, err := filepath.Rel(from, file)
		if err != nil {
			t.Fatal(err)
		}
		name = filepath.ToSlash(name)
		addStack(t, dir, from, strings.TrimSuffix(name, ".yaml"), name, demanded(t, file))
	}
	var findings []struct{ Stack, Where, What, Hint string }
	out := invoke(dir, nil, "validate", "-o", "json")
	if err := json.Unmarshal([]byte(out.Stdout), &findings); err != nil {
		t.Fatalf("%v\n%s%s", err, out.Stdout, out.Stderr)
	}
	for _, f := range findings {
		if accepted[f.Stack] == "" || !strings.Contains(f.What, accepted[f.Stack]) {
			t.Errorf("%s: %s: %s", f.Stack, f.Where, f.What)
		}
	}
}

// demanded gives a value to every parameter that has no default.
func demanded(t *testing.T, file string) []string {
	t.Helper()
	body, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	tmpl, err := cfntemplate.Parse(body)
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	var out []string
	for _, name := range tmpl.ParameterNames {
		p := tmpl.Parameters[name]
		if p.Default != nil {
			continue
		}
		value := "value-12345"
		switch {
		case parents[name] != "":
			value = "acme-" + parents[name]
		case name == "ParentClusterStack":
			value = "acme-" + filepath.Base(filepath.Dir(file)) + "-cluster"
		case len(p.AllowedValues) > 0:
			value = p.AllowedValues[0]
		case p.Type == "Number":
			value = "1"
		case strings.HasPrefix(p.Type, "AWS::EC2::VPC"):
			value = "vpc-0123456789abcdef0"
		case strings.HasPrefix(p.Type, "AWS::EC2::Subnet"):
			value = "subnet-0123456789abcdef0"
		case strings.HasPrefix(p.Type, "AWS::EC2::AvailabilityZone"):
			value = "eu-west-1a"
		}
		out = append(out, name+": '"+value+"'")
	}
	return out
}
