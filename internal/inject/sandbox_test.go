package inject_test

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/deployer-cli/deployer/internal/awsconf"
	"github.com/deployer-cli/deployer/internal/cfn"
	awscloud "github.com/deployer-cli/deployer/internal/cloud"
	"github.com/deployer-cli/deployer/internal/guard"
	"github.com/deployer-cli/deployer/internal/inject"
	"github.com/deployer-cli/deployer/internal/sandbox"
	"github.com/deployer-cli/deployer/internal/sandbox/store"
	"github.com/deployer-cli/deployer/stacks"
)

const (
	account = "123456789012"
	region  = "eu-west-1"
	run     = "run-1"
)

const shop = `
Parameters:
  Prefix: {Type: String, Default: shop}
  Secret: {Type: String, NoEcho: true, Default: hush}
Resources:
  Vpc: {Type: AWS::EC2::VPC, Properties: {CidrBlock: 10.0.0.0/16}}
  Subnet: {Type: AWS::EC2::Subnet, Properties: {VpcId: !Ref Vpc, CidrBlock: 10.0.1.0/24}}
  Firewall:
    Type: AWS::EC2::SecurityGroup
    Properties:
      GroupDescription: web
      VpcId: !Ref Vpc
      SecurityGroupIngress:
        - {IpProtocol: tcp, FromPort: 443, ToPort: 443, CidrIp: 0.0.0.0/0, Description: everybody}
        - {IpProtocol: tcp, FromPort: 443, ToPort: 443, CidrIpv6: "::/0"}
        - {IpProtocol: "-1", SourcePrefixListId: pl-12345678}
  Self:
    Type: AWS::EC2::SecurityGroupIngress
    Properties: {GroupId: !Ref Firewall, IpProtocol: tcp, FromPort: 80, ToPort: 80, SourceSecurityGroupId: !Ref Firewall}
  Closed: {Type: AWS::EC2::SecurityGroup, Properties: {GroupDescription: nobody, VpcId: !Ref Vpc}}
  Server: {Type: AWS::EC2::Instance, Properties: {ImageId: ami-1, SubnetId: !Ref Subnet}}
  Template: {Type: AWS::EC2::LaunchTemplate, Properties: {LaunchTemplateData: {ImageId: ami-1}}}
  Fleet:
    Type: AWS::AutoScaling::AutoScalingGroup
    Properties:
      MinSize: "1"
      MaxSize: "4"
      DesiredCapacity: "2"
      VPCZoneIdentifier: [!Ref Subnet]
      LaunchTemplate: {LaunchTemplateId: !Ref Template, Version: "1"}
  Role: {Type: AWS::IAM::Role, Properties: {AssumeRolePolicyDocument: {Statement: []}}}
  Free: {Type: AWS::Lambda::Function, Properties: {Code: {ZipFile: x}, Role: !GetAtt Role.Arn, Runtime: python3.13, Handler: a.b}}
  Kept:
    Type: AWS::Lambda::Function
    Properties: {Code: {ZipFile: x}, Role: !GetAtt Role.Arn, Runtime: python3.13, Handler: a.b, ReservedConcurrentExecutions: 7}
  Nightly: {Type: AWS::Events::Rule, Properties: {ScheduleExpression: rate(1 day), State: ENABLED}}
  Off: {Type: AWS::Events::Rule, Properties: {ScheduleExpression: rate(1 day), State: DISABLED}}
  Bus: {Type: AWS::Events::EventBus, Properties: {Name: orders}}
  Ordered: {Type: AWS::Events::Rule, Properties: {EventBusName: !Ref Bus, EventPattern: {source: [shop]}}}
  Topic: {Type: AWS::SNS::Topic}
  Named: {Type: AWS::SSM::Parameter, Properties: {Name: !Sub "/${Prefix}/colour", Type: String, Value: blue}}
`

// world is the sandbox with one stack, reached as the application reaches it.
type world struct {
	t        *testing.T
	server   *sandbox.Server
	cfn      *cfn.Cloud
	injector *inject.Injector
	target   stacks.Target
	team     aws.Config // by which somebody else works at it
}

// inShop runs a test in a bubble of fake time, with the shop launched.
func inShop(t *testing.T, test func(t *testing.T, w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := &world{
			t:      t,
			server: sandbox.New(sandbox.Options{Store: store.NewMemory(), Speed: 60, Account: account}),
		}
		configs := awsconf.New(awsconf.Options{
			Realm: stacks.RealmSandbox, HTTPClient: w.server.Client(), Endpoint: sandbox.Endpoint,
			Keys: &awsconf.Keys{ID: "sandbox", Secret: "sandbox"},
		})
		sts := awscloud.New(awscloud.Options{Config: configs.Config, Realm: stacks.RealmSandbox, Run: run})
		w.cfn = cfn.New(cfn.Options{Config: configs.Config, Account: sts.Account, Realm: stacks.RealmSandbox, Run: run})
		w.injector = inject.New(inject.Options{Config: configs.Config, Account: sts.Account, Run: run, PollInterval: 100 * time.Millisecond})
		w.target = stacks.Target{Path: "dev/shop", Name: "shop", Access: stacks.Access{Region: region}, Token: "create"}
		var err error
		if w.team, err = configs.Config(t.Context(), w.target.Access); err != nil {
			t.Fatal(err)
		}
		op, err := w.cfn.Writer(w.clearance(stacks.Create)).Create(t.Context(), stacks.Change{
			Verb: stacks.Create, Token: "create", Desired: &stacks.Desired{
				Stack: &stacks.Stack{Path: "dev/shop", Name: "shop", Access: w.target.Access, Environment: &stacks.Environment{Name: "dev"}},
				Body:  []byte(shop), Tags: []stacks.Tag{{Key: "team", Value: "a"}},
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		w.end(op, stacks.CreateComplete)
		w.target.StackID = op.StackID
		test(t, w)
	})
}

func (w *world) clearance(verbs ...stacks.Verb) guard.Clearance {
	w.t.Helper()
	step := guard.Step{
		Path: "dev/shop", Name: "shop", StackID: w.target.StackID, Account: account, Region: region, Verbs: verbs,
		Environment: &stacks.Environment{Name: "dev", Class: stacks.Development, Declared: true},
	}
	c, err := guard.Check(guard.Request{Run: run, Command: "launch", Steps: []guard.Step{step}, Yes: true, Now: time.Now(), For: 12 * time.Hour}, nil)
	if err != nil {
		w.t.Fatalf("no clearance: %v", err)
	}
	return c
}

func (w *world) writer() *inject.Writer {
	return w.injector.Writer(w.clearance(stacks.Inject, stacks.Restore))
}

// end follows an operation to its end.
func (w *world) end(op stacks.Operation, want stacks.Status) {
	w.t.Helper()
	for {
		time.Sleep(time.Second)
		l, err := w.cfn.Stack(w.t.Context(), op.Access, op.Name)
		if err != nil {
			w.t.Fatal(err)
		}
		if !l.Status.InProgress() {
			if l.Status != want {
				w.t.Fatalf("%s: %s (%s)", op.Name, l.Status, l.Reason)
			}
			return
		}
	}
}

// captured previews and captures a kind.
func (w *world) captured(kind, arg string) stacks.Injection {
	w.t.Helper()
	out, err := w.injector.Capture(w.t.Context(), w.preview(kind, arg))
	if err != nil {
		w.t.Fatalf("capture %s=%s: %v", kind, arg, err)
	}
	return out
}

func (w *world) preview(kind, arg string) stacks.Injection {
	w.t.Helper()
	all, err := w.cfn.Resources(w.t.Context(), w.target.Access, w.target.StackID)
	if err != nil {
		w.t.Fatal(err)
	}
	found, err := inject.Preview(kind, arg, w.target, all)
	if err != nil || len(found) != 1 {
		w.t.Fatalf("preview %s=%s: %v %v", kind, arg, found, err)
	}
	found[0].Token = "token-" + kind
	return found[0]
}

// is waits until an injection's resource looks as wanted, and compares how the
// stack's health endpoint sees it.
func (w *world) is(in stacks.Injection, want stacks.Condition) {
	w.t.Helper()
	var got stacks.Condition
	for range 60 {
		var err error
		if got, err = w.injector.Check(w.t.Context(), in); err != nil {
			w.t.Fatalf("check %s: %v", in.LogicalID, err)
		}
		if got == want {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	if got != want {
		w.t.Fatalf("%s of %s is %s, want %s", in.Kind, in.LogicalID, got, want)
	}
	if up := w.up(); up != (want == stacks.Whole) {
		w.t.Errorf("%s is %s, and its stack's health is %v", in.LogicalID, want, up)
	}
}

func (w *world) drift() string {
	w.t.Helper()
	d, err := w.cfn.DetectDrift(w.t.Context(), w.target.Access, w.target.StackID)
	if err != nil {
		w.t.Fatal(err)
	}
	var out []string
	for _, r := range d.Resources {
		out = append(out, r.LogicalID+" "+r.Status)
	}
	return d.Status + " " + strings.Join(out, ", ")
}

func isA[T error](err error) bool {
	_, ok := errors.AsType[T](err)
	return ok
}
