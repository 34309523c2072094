package chaos_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"github.com/deployer-cli/deployer/internal/awsconf"
	"github.com/deployer-cli/deployer/internal/capsule"
	"github.com/deployer-cli/deployer/internal/cfn"
	"github.com/deployer-cli/deployer/internal/chaos"
	"github.com/deployer-cli/deployer/internal/cloud"
	"github.com/deployer-cli/deployer/internal/sandbox"
	"github.com/deployer-cli/deployer/internal/sandbox/store"
	"github.com/deployer-cli/deployer/stacks"
)

const body = `Parameters:
  Size: {Type: String, Default: small}
Resources:
  Vpc: {Type: "AWS::EC2::VPC", Properties: {CidrBlock: 10.0.0.0/16, Tags: [{Key: size, Value: !Ref Size}]}}
  Queue: {Type: "AWS::SQS::Queue"}
Outputs:
  VpcId: {Value: !Ref Vpc, Export: {Name: dev-vpc}}
  Arn: {Value: !GetAtt Queue.Arn}
  Size: {Value: !Ref Size}
`

// account is the sandbox: people write to it with a client of their own, and we
// read it as the application does.
type account struct {
	t      *testing.T
	server *sandbox.Server
	people *cloudformation.Client
	reads  *cfn.Cloud
	access stacks.Access
}

func newAccount(t *testing.T) *account {
	t.Helper()
	a := &account{t: t, access: stacks.Access{Region: "eu-west-1"}}
	a.server = sandbox.New(sandbox.Options{Store: store.NewMemory(), Speed: sandbox.MaxSpeed})
	configs := awsconf.New(awsconf.Options{
		Realm: stacks.RealmSandbox, HTTPClient: a.server.Client(), Endpoint: sandbox.Endpoint, Keys: &awsconf.Keys{ID: "AKID", Secret: "s"},
	})
	aws := cloud.New(cloud.Options{Config: configs.Config, Realm: stacks.RealmSandbox})
	a.reads = cfn.New(cfn.Options{Config: configs.Config, Account: aws.Account, Realm: stacks.RealmSandbox})
	config, err := configs.Config(t.Context(), a.access)
	if err != nil {
		t.Fatal(err)
	}
	a.people = cloudformation.NewFromConfig(config)
	return a
}

// create makes a stack, whoever's token it is, and waits for its end.
func (a *account) create(name, body, token string) string {
	a.t.Helper()
	in := &cloudformation.CreateStackInput{StackName: &name, TemplateBody: &body, Tags: []types.Tag{{Key: new("team"), Value: new("shop")}}}
	if token != "" {
		in.ClientRequestToken = &token
	}
	out, err := a.people.CreateStack(a.t.Context(), in)
	if err != nil {
		a.t.Fatal(err)
	}
	a.end(*out.StackId)
	return *out.StackId
}

func (a *account) remove(id, token string) error {
	_, err := a.people.DeleteStack(a.t.Context(), &cloudformation.DeleteStackInput{StackName: &id, ClientRequestToken: &token})
	return err
}

// end reads a stack until nothing goes on in it.
func (a *account) end(id string) stacks.Live {
	a.t.Helper()
	for range 1000 {
		l, err := a.reads.Stack(a.t.Context(), a.access, id)
		if err != nil {
			a.t.Fatal(err)
		}
		if !l.Status.InProgress() {
			return l
		}
	}
	a.t.Fatal("it does not end")
	return stacks.Live{}
}

// look reads what a resume looks at.
func (a *account) look(id, name string) chaos.Seen {
	a.t.Helper()
	seen := chaos.Seen{Old: a.stack(id), Named: a.stack(name), Events: a.events(id)}
	if seen.Named != nil && seen.Named.ID != id {
		seen.NewEvents = a.events(seen.Named.ID)
	}
	return seen
}

func (a *account) stack(nameOrID string) *stacks.Live {
	a.t.Helper()
	l, err := a.reads.Stack(a.t.Context(), a.access, nameOrID)
	if _, none := errors.AsType[*stacks.NotFoundError](err); none {
		return nil
	}
	if err != nil {
		a.t.Fatal(err)
	}
	return &l
}

func (a *account) events(id string) []stacks.Event {
	a.t.Helper()
	var out []stacks.Event
	for e, err := range a.reads.Events(a.t.Context(), a.access, id, cfn.EventOptions{}) {
		if err != nil {
			a.t.Fatal(err)
		}
		out = append(out, e)
	}
	slices.Reverse(out)
	return out
}

// TestResumeAgainstTheSandbox: what CloudFormation shows is what the table of
// TestResume is about.
func TestResumeAgainstTheSandbox(t *testing.T) {
	t.Parallel()
	const importer = "Resources:\n  Sg: {Type: \"AWS::EC2::SecurityGroup\", Properties: {GroupDescription: x, VpcId: !ImportValue dev-vpc}}\n"
	for _, tt := range []struct {
		name string
		do   func(t *testing.T, a *account, id string)
		act  chaos.Act
		why  string
		by   chaos.By
	}{
		{"the call was not made", func(*testing.T, *account, string) {}, chaos.AskAgain, "our token", ""},
		{"the answer was lost", func(t *testing.T, a *account, id string) { t.Helper(); must(t, a.remove(id, "t1")) }, chaos.Adopt, "DELETE_", ""},
		{"it went on without us", func(t *testing.T, a *account, id string) { t.Helper(); must(t, a.remove(id, "t1")); a.end(id) }, chaos.Adopt, "DELETE_COMPLETE", ""},
		{"somebody else did it", func(t *testing.T, a *account, id string) { t.Helper(); must(t, a.remove(id, "other")) }, chaos.Adopt, "DELETE_", ""},
		{"the call was refused", func(t *testing.T, a *account, id string) {
			t.Helper()
			a.create("dev-app", importer, "")
			if err := a.remove(id, "t1"); err == nil || !strings.Contains(err.Error(), "in use by") {
				t.Errorf("%v", err)
			}
		}, chaos.AskAgain, "our token", ""},
		{"it is stuck", func(t *testing.T, a *account, id string) {
			t.Helper()
			_, err := a.server.AddFault(t.Context(), sandbox.Fault{Stack: "dev-web", Logical: "Vpc", Phase: "delete", Fail: true, Message: "it has dependencies"})
			must(t, errors.Join(err, a.remove(id, "t1")))
			a.end(id)
		}, chaos.Stuck, "Vpc: ", ""},
		{"rebuilt by hand", func(t *testing.T, a *account, id string) {
			t.Helper()
			must(t, a.remove(id, "t1"))
			a.end(id)
			a.create("dev-web", body, "")
		}, chaos.Returned, "has been rebuilt", chaos.ByHand},
		{"rebuilt in the console", func(t *testing.T, a *account, id string) {
			t.Helper()
			must(t, a.remove(id, "t1"))
			a.end(id)
			a.create("dev-web", body, "Console-CreateStack-1")
		}, chaos.Returned, "has been rebuilt", chaos.ByHand},
		{"rebuilt by deployer", func(t *testing.T, a *account, id string) {
			t.Helper()
			must(t, a.remove(id, "t1"))
			a.end(id)
			a.create("dev-web", body, "deployer-r9-1-dev-web")
		}, chaos.Returned, "has been rebuilt", chaos.ByDeployer},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			a := newAccount(t)
			id := a.create("dev-web", body, "")
			p := plan(step("dev/web", id))
			i := intent("t1")
			i.StackID = id
			s := (&diary{t: t}).add(chaos.KindPlan, p).add(chaos.KindClearance, chaos.Consent{}).add(chaos.KindIntent, i).fold()
			tt.do(t, a, id)
			got := chaos.Resume(s, map[stacks.Path]chaos.Seen{"dev/web": a.look(id, "dev-web")})[0]
			if got.Act != tt.act || !strings.Contains(got.Why, tt.why) || got.By != tt.by || got.StackID != id {
				t.Errorf("%+v, want %s because %q by %q", got, tt.act, tt.why, tt.by)
			}
		})
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestRebuiltByHandIsEqual: a stack that is deleted and made again from its
// capsule's project is equal; one that is made otherwise is not.
func TestRebuiltByHandIsEqual(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	observe := func(id string) capsule.Observation {
		t.Helper()
		template, err := a.reads.Template(t.Context(), a.access, id)
		must(t, err)
		resources, err := a.reads.Resources(t.Context(), a.access, id)
		must(t, err)
		return capsule.Observation{Live: a.stack(id), Template: string(template), Resources: resources}
	}
	id := a.create("dev-web", body, "")
	st := &stacks.Stack{Path: "dev/web", Name: "dev-web", ProjectCode: "demo", Access: a.access}
	c, err := capsule.Make(capsule.Input{
		Observation: observe(id), Stack: st, Desired: &stacks.Desired{Stack: st}, Realm: stacks.RealmSandbox,
		Time: time.Now(), Salt: []byte("0123456789abcdef"),
	})
	must(t, err)
	must(t, a.remove(id, "t1"))
	a.end(id)
	files, err := capsule.Project([]capsule.Capsule{c})
	must(t, err)
	again := a.create("dev-web", string(files["templates/dev/web.yaml"]), "")
	differences := capsule.Compare(c, observe(again), nil)
	if !capsule.Equal(differences) || len(differences) < 3 || again == id {
		t.Errorf("%+v", differences)
	}
	must(t, a.remove(again, "t2"))
	a.end(again)
	other := a.create("dev-web", strings.Replace(body, "Default: small", "Default: large", 1), "")
	var told []string
	for _, d := range capsule.Compare(c, observe(other), nil) {
		if !d.Expected {
			told = append(told, d.What)
		}
	}
	if got := strings.Join(told, ", "); got != "template, parameter Size, output Size" {
		t.Errorf("told %s", got)
	}
}
