package capsule_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/deployer-cli/deployer/internal/capsule"
	"github.com/deployer-cli/deployer/stacks"
)

const template = `Parameters:
  Size: {Type: String}
  Password: {Type: String, NoEcho: true}
  Key: {Type: String, NoEcho: true, Default: ''}
Resources:
  Vpc: {Type: "AWS::EC2::VPC", DeletionPolicy: Delete}
  Web: {Type: "AWS::EC2::Instance"}
Outputs:
  VpcId: {Value: !Ref Vpc, Export: {Name: dev-vpc}}
  Url: {Value: !Sub "https://${Web.PublicDnsName}/"}
  Size: {Value: !Ref Size}
`

const secret = "hunter2-and-more"

// TestNoPasswordsOfAddresses: what stands before the host of an address is kept
// nowhere in a capsule.
func TestNoPasswordsOfAddresses(t *testing.T) {
	t.Parallel()
	at := func(key string) stacks.Value {
		return stacks.Value{Kind: stacks.Map, Fields: []stacks.Field{{Key: key, Value: stacks.String("curl https://me:hush@dev.example/" + key)}}}
	}
	in := input()
	in.Stack.Environment.Probes, in.Stack.Environment.Notify, in.Stack.Environment.Break = at("probe"), at("notify"), at("break")
	in.Stack.Break = at("runbook")
	in.Stack.Config.Fields = append(in.Stack.Config.Fields, at("config").Fields...)
	c, err := capsule.Make(in)
	if err != nil {
		t.Fatal(err)
	}
	text, err := c.Encode()
	if err != nil || strings.Contains(string(text), "hush") || strings.Count(string(text), "https://dev.example/") != 5 {
		t.Errorf("%v\n%s", err, text)
	}
}

// input is a stack of one environment, with everything that a stack may have.
func input() capsule.Input {
	env := &stacks.Environment{Name: "dev", Path: "dev", Declared: true, Class: stacks.Development, Accounts: []string{"123456789012"}}
	store := stacks.Value{Kind: stacks.Call, Call: &stacks.Invocation{Name: "aws_secrets_manager", Arg: stacks.String("dev/db")}}
	st := &stacks.Stack{
		Path: "dev/web", Name: "demo-dev-web", Environment: env, ProjectCode: "demo", ProjectID: "p1",
		Access:     stacks.Access{Region: "eu-west-1", Role: "arn:aws:iam::123456789012:role/deploy"},
		Parameters: []stacks.Field{{Key: "Size", Value: stacks.String("small")}, {Key: "Password", Value: store}},
		Config: stacks.Value{Kind: stacks.Map, Fields: []stacks.Field{
			{Key: "project_path", Value: stacks.String("/home/me/shop")},
			{Key: "api_token", Value: stacks.String("t0ken-in-config")},
			{Key: "note", Value: stacks.String("it is " + secret)},
		}},
	}
	live := &stacks.Live{
		ID: "arn:aws:cloudformation:eu-west-1:123456789012:stack/demo-dev-web/old", Name: "demo-dev-web", Account: "123456789012", Region: "eu-west-1",
		Status:        stacks.CreateComplete,
		Parameters:    []stacks.LiveParameter{{Key: "Key", Value: "****"}, {Key: "Password", Value: "****"}, {Key: "Size", Value: "small"}},
		Tags:          []stacks.Tag{{Key: "deployer:stack", Value: "dev/web"}, {Key: "team", Value: "shop"}},
		Outputs:       []stacks.Output{{Key: "Size", Value: "small"}, {Key: "Url", Value: "https://web1/"}, {Key: "VpcId", Value: "vpc-0123456789abcdef0", Export: "dev-vpc"}},
		Notifications: []string{"arn:aws:sns:eu-west-1:123456789012:b", "arn:aws:sns:eu-west-1:123456789012:a"},
		ServiceRole:   "arn:aws:iam::123456789012:role/service", TerminationProtection: true, Created: time.Unix(1e9, 0),
	}
	return capsule.Input{
		Observation: capsule.Observation{
			Live: live, Template: template, Policy: `{"Statement":[{"Effect":"Allow","Action":"Update:*","Principal":"*","Resource":"*"}]}`,
			Resources: []stacks.Resource{
				{LogicalID: "Web", PhysicalID: "i-0123456789abcdef0", Type: "AWS::EC2::Instance"},
				{LogicalID: "Vpc", PhysicalID: "vpc-0123456789abcdef0", Type: "AWS::EC2::VPC"},
			},
		},
		Stack: st,
		Desired: &stacks.Desired{Stack: st, Parameters: []stacks.Parameter{
			{Key: "Password", Value: secret, Secret: true}, {Key: "Size", Value: "small"},
		}},
		Realm: stacks.RealmSandbox, Exports: []capsule.Export{{Name: "dev-vpc", Value: "vpc-0123456789abcdef0", Importers: []string{"b", "a"}}},
		After: []stacks.Path{"dev/network", "dev/base"}, Commit: "abc", Dirty: true, Caller: "arn:aws:iam::123456789012:user/me", Version: "1",
		Probes: json.RawMessage(`[{"probe":"site"}]`), Time: time.Unix(2e9, 0), Salt: []byte(strings.Repeat("s", 16)),
	}
}

// TestNoSecretsInNames: a secret in the physical id of a resource, or encoded in an
// output, is not kept; both are compared all the same.
func TestNoSecretsInNames(t *testing.T) {
	t.Parallel()
	encoded := base64.StdEncoding.EncodeToString([]byte("me:" + secret + "!"))
	in := input()
	in.Resources = append(in.Resources, stacks.Resource{LogicalID: "Topic", PhysicalID: "arn:aws:sns:eu-west-1:123456789012:t-" + secret, Type: "AWS::SNS::Topic"})
	in.Live.Outputs = append(in.Live.Outputs, stacks.Output{Key: "Auth", Value: encoded})
	c := made(t, in)
	text, err := c.Encode()
	if err != nil || strings.Contains(string(text), secret) || strings.Contains(string(text), encoded[4:16]) {
		t.Errorf("%v\n%s", err, text)
	}
	now := in.Observation
	now.Secrets = map[string]string{"Password": secret}
	if found := capsule.Compare(c, now, nil); len(found) != 0 {
		t.Errorf("%+v", found)
	}
	now.Resources = slices.Clone(in.Resources)
	now.Resources[2].PhysicalID += "-2"
	want := []capsule.Difference{{What: "resource Topic", Note: "new id", Expected: true}}
	if found := capsule.Compare(c, now, nil); !slices.Equal(found, want) {
		t.Errorf("%+v", found)
	}

	in.DeletionPolicies = map[string]string{"Topic": "Retain"} // it could not be taken in again
	if _, err := capsule.Make(in); err == nil || strings.Contains(err.Error(), secret) || !strings.Contains(err.Error(), "in the name of Topic") {
		t.Errorf("%v", err)
	}
}

func made(t *testing.T, in capsule.Input) capsule.Capsule {
	t.Helper()
	c, err := capsule.Make(in)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestMake(t *testing.T) {
	t.Parallel()
	c := made(t, input())
	text, err := c.Encode()
	if err != nil {
		t.Fatal(err)
	}
	for _, hidden := range []string{secret, "t0ken-in-config", "/home/me"} {
		if strings.Contains(string(text), hidden) {
			t.Errorf("%q stands in %s", hidden, text)
		}
	}
	for _, kept := range []string{
		`"schema": "deployer.capsule/v1"`, `"call": "!aws_secrets_manager \"dev/db\""`, `"deletion_policy": "Delete"`, `"commit": "abc"`,
		`"api_token\": \"****\"`, `it is ****`, `"importers": [`, `class`,
	} {
		if !strings.Contains(string(text), kept) {
			t.Errorf("%s is not in %s", kept, text)
		}
	}
	back, err := capsule.Read(text)
	if err != nil {
		t.Fatal(err)
	}
	again, _ := back.Encode()
	if string(again) != string(text) {
		t.Errorf("it came back as %s", again)
	}
	if c.After[0] != "dev/base" || c.Notifications[0] > c.Notifications[1] || c.Exports[0].Importers[0] != "a" || !c.Parameters[0].Default {
		t.Errorf("%+v", c)
	}
	other := input()
	other.Salt = []byte(strings.Repeat("t", 16))
	if made(t, other).Parameters[1].Hash == c.Parameters[1].Hash || c.Parameters[1].Hash == "" {
		t.Error("the hash does not depend on the salt")
	}
}

// TestMakeRefuses: what cannot be had again is not broken.
func TestMakeRefuses(t *testing.T) {
	t.Parallel()
	call := func(name string, arg stacks.Value) stacks.Value {
		return stacks.Value{Kind: stacks.Call, Call: &stacks.Invocation{Name: name, Arg: arg}}
	}
	for _, tt := range []struct {
		name      string
		spoil     func(*capsule.Input)
		parameter string
		why       string
	}{
		{"a literal secret", func(in *capsule.Input) { in.Stack.Parameters[1].Value = stacks.String(secret) }, "Password", "stands in the config itself"},
		{"a literal beside a call", func(in *capsule.Input) {
			in.Stack.Parameters[1].Value = stacks.Value{Kind: stacks.List, Items: []stacks.Value{call("ssm", stacks.String("/a")), stacks.String(secret)}}
		}, "Password", "stands in the config itself"},
		{"no value", func(in *capsule.Input) { in.Stack.Parameters = in.Stack.Parameters[:1] }, "Password", "gives no value"},
		{"another pipeline's", func(in *capsule.Input) {
			in.Stack.Parameters[1].Value = call("previous", stacks.Value{})
			in.Desired.Parameters[0] = stacks.Parameter{Key: "Password", Previous: true, Secret: true}
		}, "Password", "cannot be had from the config now"},
		{"known later", func(in *capsule.Input) { in.Desired.Parameters[0].Unknown = true }, "Password", "cannot be had from the config now"},
		{"not made ready", func(in *capsule.Input) { in.Desired = nil }, "Password", "cannot be had from the config now"},
		{"a secret by its resolver", func(in *capsule.Input) {
			in.Desired.Parameters[1].Secret = true
		}, "Size", "stands in the config itself"},
		{"a secret by default", func(in *capsule.Input) {
			in.Template = strings.Replace(in.Template, "Default: ''", "Default: dull", 1)
		}, "Key", "the default that stands in the template"},
		{"a default in a block", func(in *capsule.Input) {
			in.Template = strings.Replace(in.Template, "{Type: String, NoEcho: true}", "\n    Type: String\n    NoEcho: true\n    Default: |-\n      dull", 1)
		}, "Password", "cannot be taken out"},
		{"a secret in the template", func(in *capsule.Input) {
			in.Desired.Secrets = []string{"s3cr3t"}
			in.Template += "Description: s3cr3t\n"
		}, "", "rendered into it"},
		{"a secret in a tag", func(in *capsule.Input) {
			in.Stack.Tags = []stacks.Field{{Key: "team", Value: stacks.String(secret)}}
			in.Live.Tags[1].Value = secret
		}, "stack_tags.team", "in the config itself"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			in := input()
			tt.spoil(&in)
			_, err := capsule.Make(in)
			e, ok := errors.AsType[*capsule.LiteralSecretError](err)
			if !ok || e.Parameter != tt.parameter || !strings.Contains(e.Error(), tt.why) || e.Hint() == "" {
				t.Fatalf("%v", err)
			}
			if text := err.Error() + e.Hint(); strings.Contains(text, secret) || strings.Contains(text, "s3cr3t") {
				t.Errorf("%s tells it", text)
			}
		})
	}
	for name, spoil := range map[string]func(*capsule.Input){
		"not alive":   func(in *capsule.Input) { in.Live = nil },
		"no template": func(in *capsule.Input) { in.Template = "" },
		"no salt":     func(in *capsule.Input) { in.Salt = nil },
	} {
		in := input()
		spoil(&in)
		if _, err := capsule.Make(in); err == nil {
			t.Errorf("%s: made", name)
		}
	}
}

// TestSecretsElsewhere: a secret that stands in a tag, an output or a
// description is a hash there too.
func TestSecretsElsewhere(t *testing.T) {
	t.Parallel()
	in := input()
	in.Stack.Tags = []stacks.Field{{Key: "team", Value: in.Stack.Parameters[1].Value}}
	in.Live.Tags[1].Value = secret
	in.Live.Outputs[0].Value = "x" + secret
	in.Live.Outputs[1].Description = secret
	in.Live.Description = "for " + secret
	in.Exports[0].Value = secret
	c := made(t, in)
	text, _ := c.Encode()
	if strings.Contains(string(text), secret) {
		t.Errorf("%s", text)
	}
	now := in.Observation
	now.Secrets = map[string]string{"Password": secret}
	if d := capsule.Compare(c, now, nil); len(d) != 0 {
		t.Errorf("%+v", d)
	}
	now.Live.Tags[1].Value = "another"
	if d := capsule.Compare(c, now, nil); len(d) != 1 || d[0].What != "tag team" || d[0].Was+d[0].Is != "" || d[0].Expected {
		t.Errorf("%+v", d)
	}
}

func TestReadRefuses(t *testing.T) {
	t.Parallel()
	good, _ := made(t, input()).Encode()
	for name, text := range map[string]string{
		"nothing": "", "no JSON": "x", "a list": "[]", "another schema": strings.Replace(string(good), "capsule/v1", "capsule/v2", 1),
		"one more field": strings.Replace(string(good), "{", `{"more": 1,`, 1), "something behind": string(good) + "{}",
		"no stack": `{"schema": "deployer.capsule/v1"}`,
	} {
		if _, err := capsule.Read([]byte(text)); err == nil || !strings.HasPrefix(err.Error(), "not a capsule") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzRead(f *testing.F) {
	c, err := capsule.Make(input())
	if err != nil {
		f.Fatal(err)
	}
	good, _ := c.Encode()
	f.Add(good)
	f.Add([]byte(`{"schema":"deployer.capsule/v1","stack":"a","name":"a","stack_id":"a","after":["a","../b"]}`))
	f.Add([]byte(`{"schema":"deployer.capsule/v1","stack":"a","name":"a","stack_id":"a","policy":"{\"a\":[1e400,{}]}"}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		c, err := capsule.Read(raw)
		if err != nil {
			return
		}
		if _, err := c.Encode(); err != nil {
			t.Fatal(err)
		}
		files, err := capsule.Project([]capsule.Capsule{c})
		if err == nil && len(files) == 0 {
			t.Fatal("a project without files")
		}
		_ = capsule.Compare(c, capsule.Observation{Live: &stacks.Live{}, Template: c.Template.Original}, nil)
	})
}
