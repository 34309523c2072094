package capsule_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/deployer-cli/deployer/internal/capsule"
	"github.com/deployer-cli/deployer/stacks"
)

const (
	newStack = "arn:aws:cloudformation:eu-west-1:123456789012:stack/demo-dev-web/new"
	newVpc   = "vpc-0fedcba9876543210"
)

// rebuilt is the stack of input, made anew by the same template.
func rebuilt() capsule.Observation {
	now := input().Observation
	now.Live.ID = newStack
	now.Live.Outputs[1].Value = "https://web2/"
	now.Live.Outputs[2].Value = newVpc
	now.Resources[0].PhysicalID = "i-0fedcba9876543210"
	now.Resources[1].PhysicalID = newVpc
	now.Secrets = map[string]string{"Password": secret}
	return now
}

// TestComparePerField: one row for each thing that may come back different.
func TestComparePerField(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		spoil func(*capsule.Observation)
		want  string // "" for nothing, else What|Was|Is|Note
	}{
		{"as it was", func(*capsule.Observation) {}, ""},
		{"template laid out anew", func(o *capsule.Observation) { o.Template = "# again\n" + strings.ReplaceAll(o.Template, "\n", "\n\n") }, ""},
		{"template", func(o *capsule.Observation) { o.Template = strings.Replace(o.Template, "Delete", "Retain", 1) }, "template|sha256:|sha256:|~Resources.Vpc.DeletionPolicy"},
		{"template with more", func(o *capsule.Observation) { o.Template += "  More: {Value: a}\n" }, "template|sha256:|sha256:|+Outputs.More"},
		{"template that cannot be read", func(o *capsule.Observation) { o.Template = "{" }, "template|sha256:|sha256:|"},
		{"parameter", func(o *capsule.Observation) { o.Live.Parameters[2].Value = "large" }, "parameter Size|small|large|"},
		{"parameter added", func(o *capsule.Observation) {
			o.Live.Parameters = append(o.Live.Parameters, stacks.LiveParameter{Key: "X", Value: "1"})
		}, "parameter X||1|added"},
		{"parameter missing", func(o *capsule.Observation) { o.Live.Parameters = o.Live.Parameters[:2] }, "parameter Size|small||missing"},
		{"parameter resolved", func(o *capsule.Observation) { o.Live.Parameters[2].Resolved = "ami-2" }, "parameter Size (resolved)||ami-2|"},
		{"secret parameter", func(o *capsule.Observation) { o.Secrets["Password"] = "hunter3" }, "parameter Password|||secret: another value"},
		{"secret shown", func(o *capsule.Observation) { o.Live.Parameters[1].Value = "hunter3" }, "parameter Password|||secret: another value"},
		{"secret shown, the same", func(o *capsule.Observation) { o.Live.Parameters[1].Value = secret }, ""},
		{"tag", func(o *capsule.Observation) { o.Live.Tags[1].Value = "x" }, "tag team|shop|x|"},
		{"tag of deployer's", func(o *capsule.Observation) { o.Live.Tags = o.Live.Tags[1:] }, "tag deployer:stack|dev/web||missing"},
		{"tag added", func(o *capsule.Observation) {
			o.Live.Tags = append(o.Live.Tags, stacks.Tag{Key: "x", Value: "y"})
		}, "tag x||y|added"},
		{"output", func(o *capsule.Observation) { o.Live.Outputs[0].Value = "large" }, "output Size|small|large|"},
		{"output of another kind", func(o *capsule.Observation) { o.Live.Outputs[2].Value = "subnet-0123456789abcdef0" }, "output VpcId|vpc-0123456789abcdef0|subnet-0123456789abcdef0|"},
		{"output without a value", func(o *capsule.Observation) { o.Live.Outputs[1].Value = "" }, "output Url|https://web1/||"},
		{"output missing", func(o *capsule.Observation) { o.Live.Outputs = o.Live.Outputs[1:] }, "output Size|small||missing"},
		{"output added", func(o *capsule.Observation) {
			o.Live.Outputs = append(o.Live.Outputs, stacks.Output{Key: "Z", Value: "1"})
		}, "output Z||1|added"},
		{"export", func(o *capsule.Observation) { o.Live.Outputs[2].Export = "dev-vpc2" }, "export of output VpcId|dev-vpc|dev-vpc2|"},
		{"export missing", func(o *capsule.Observation) { o.Live.Outputs[2].Export = "" }, "export of output VpcId|dev-vpc||"},
		{"policy", func(o *capsule.Observation) { o.Policy = strings.Replace(o.Policy, "Allow", "Deny", 1) }, "stack policy|sha256:|sha256:|~Statement.0.Effect"},
		{"policy laid out anew", func(o *capsule.Observation) { o.Policy = strings.ReplaceAll(o.Policy, ",", ",\n ") }, ""},
		{"policy missing", func(o *capsule.Observation) { o.Policy = "" }, "stack policy|sha256:||"},
		{"protection", func(o *capsule.Observation) { o.Live.TerminationProtection = false }, "termination protection|on|off|"},
		{"role", func(o *capsule.Observation) { o.Live.ServiceRole = "" }, "service role|arn:aws:iam::123456789012:role/service||"},
		{"notifications", func(o *capsule.Observation) { o.Live.Notifications = o.Live.Notifications[:1] }, "notifications|arn:aws:sns:eu-west-1:123456789012:a,arn:aws:sns:eu-west-1:123456789012:b|arn:aws:sns:eu-west-1:123456789012:b|"},
		{"notifications in another order", func(o *capsule.Observation) { slices.Reverse(o.Live.Notifications) }, ""},
		{"resource missing", func(o *capsule.Observation) { o.Resources = o.Resources[1:] }, "resource Web|i-0123456789abcdef0||missing"},
		{"resource added", func(o *capsule.Observation) {
			o.Resources = append(o.Resources, stacks.Resource{LogicalID: "X", PhysicalID: "x1"})
		}, "resource X||x1|added"},
		{"resource of another type", func(o *capsule.Observation) { o.Resources[0].Type = "AWS::EC2::Host" }, "resource Web|AWS::EC2::Instance|AWS::EC2::Host|another type"},
		{"account", func(o *capsule.Observation) { o.Live.Account = "2" }, "account|123456789012|2|"},
		{"region", func(o *capsule.Observation) { o.Live.Region = "us-east-1" }, "region|eu-west-1|us-east-1|"},
		{"not there", func(o *capsule.Observation) { o.Live = nil }, "stack|demo-dev-web||"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			now := rebuilt()
			tt.spoil(&now)
			all := capsule.Compare(made(t, input()), now, nil)
			var real []capsule.Difference
			for _, d := range all {
				if strings.Contains(d.Was+d.Is+d.Note, secret) {
					t.Errorf("%+v tells a secret", d)
				}
				if !d.Expected {
					real = append(real, d)
				}
			}
			if tt.want == "" {
				if len(real) > 0 || !capsule.Equal(all) {
					t.Errorf("%+v", real)
				}
				return
			}
			want := strings.Split(tt.want, "|")
			if len(real) != 1 || capsule.Equal(all) {
				t.Fatalf("%+v, want %s", real, tt.want)
			}
			d := real[0]
			same := func(got, want string) bool {
				return got == want || want == "sha256:" && strings.HasPrefix(got, want) && len(got) > len(want)
			}
			if d.What != want[0] || !same(d.Was, want[1]) || !same(d.Is, want[2]) || d.Note != want[3] {
				t.Errorf("%+v, want %s", d, tt.want)
			}
		})
	}
}

// TestNewIDs: what comes with rebuilding is listed as such, and nothing is when
// nothing was rebuilt.
func TestNewIDs(t *testing.T) {
	t.Parallel()
	c := made(t, input())
	var told []string
	for _, d := range capsule.Compare(c, rebuilt(), nil) {
		if !d.Expected || d.Note != "new id" || d.Was == d.Is {
			t.Errorf("%+v", d)
		}
		told = append(told, d.What)
	}
	if got := strings.Join(told, ", "); got != "stack, output Url, output VpcId, resource Vpc, resource Web" {
		t.Errorf("told %s", got)
	}
	same := input().Observation
	same.Secrets = map[string]string{"Password": secret}
	if d := capsule.Compare(c, same, nil); len(d) != 0 {
		t.Errorf("the very same: %+v", d)
	}
	delete(same.Secrets, "Password")
	if d := capsule.Compare(c, same, nil); len(d) != 1 || d[0].Note != "secret: not compared" || !d[0].Expected {
		t.Errorf("a secret that is not known: %+v", d)
	}
}

// TestIDsOfOthers: a value that came from another rebuilt stack is expected to
// be another, alone or within a text; without that stack it is a difference.
func TestIDsOfOthers(t *testing.T) {
	t.Parallel()
	network := made(t, input())
	app := input()
	app.Stack.Path, app.Live.Name = "dev/app", "demo-dev-app"
	app.Live.ID = "arn:aws:cloudformation:eu-west-1:123456789012:stack/demo-dev-app/one"
	app.Live.Parameters[2].Value = "vpc-0123456789abcdef0,vpc-0123456789abcdef0"
	app.Live.Tags[1].Value = "in vpc-0123456789abcdef0 at https://web1/"
	app.Live.ServiceRole = ""
	app.Live.Outputs, app.Resources = nil, nil
	c := made(t, app)
	now := app.Observation
	live := *app.Live
	now.Live = &live
	now.Live.Parameters = []stacks.LiveParameter{{Key: "Key", Value: "****"}, {Key: "Password", Value: "****"}, {Key: "Size", Value: newVpc + "," + newVpc}}
	now.Live.Tags = []stacks.Tag{{Key: "deployer:stack", Value: "dev/web"}, {Key: "team", Value: "in " + newVpc + " at https://web2/"}}
	now.Secrets = map[string]string{"Password": secret}
	renamed := capsule.Rename([]capsule.Capsule{network, c}, map[stacks.Path]capsule.Observation{"dev/web": rebuilt(), "dev/app": now})
	if d := capsule.Compare(c, now, renamed); len(d) != 2 || !capsule.Equal(d) {
		t.Errorf("%+v", d)
	}
	if d := capsule.Compare(c, now, nil); len(d) != 2 || capsule.Equal(d) {
		t.Errorf("%+v", d)
	}
}

// TestWhatWasKeptIsTheSame: a resource that CloudFormation left behind comes back as
// itself; a new one in its place is a difference.
func TestWhatWasKeptIsTheSame(t *testing.T) {
	t.Parallel()
	c := made(t, input())
	now := rebuilt()
	i := slices.IndexFunc(c.Resources, func(r capsule.Resource) bool { return r.LogicalID == "Vpc" })
	c.Resources[i].DeletionPolicy = "RetainExceptOnCreate"
	all := capsule.Compare(c, now, nil)
	at := slices.IndexFunc(all, func(d capsule.Difference) bool { return d.What == "resource Vpc" })
	if at < 0 || all[at].Expected || !strings.Contains(all[at].Note, "kept") || capsule.Equal(all) {
		t.Errorf("%+v", all)
	}
	for j := range now.Resources {
		if now.Resources[j].LogicalID == "Vpc" {
			now.Resources[j].PhysicalID = c.Resources[i].PhysicalID
		}
	}
	if all := capsule.Compare(c, now, nil); slices.ContainsFunc(all, func(d capsule.Difference) bool { return d.What == "resource Vpc" }) {
		t.Errorf("%+v", all)
	}
}

// TestASnapshotIsHandedOver: the parameter that takes the snapshot of what was
// deleted has to name another one than before.
func TestASnapshotIsHandedOver(t *testing.T) {
	t.Parallel()
	c := made(t, input())
	c.Break = "data: {Db: {snapshot_parameter: Size}}\n"
	for value, expected := range map[string]bool{"small": false, "snap-2": true} {
		now := rebuilt()
		for i := range now.Live.Parameters {
			if now.Live.Parameters[i].Key == "Size" {
				now.Live.Parameters[i].Value = value
			}
		}
		all := capsule.Compare(c, now, nil)
		i := slices.IndexFunc(all, func(d capsule.Difference) bool { return d.What == "parameter Size" })
		if i < 0 || all[i].Expected != expected {
			t.Errorf("%s: %+v", value, all)
		}
	}
}
