package sandbox_test

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"github.com/deployer-cli/deployer/internal/sandbox"
	"github.com/deployer-cli/deployer/internal/sandbox/store"
)

const topicTemplate = `
Resources:
  Topic: {Type: "AWS::SNS::Topic"}
Outputs:
  Arn: {Value: !Ref Topic, Export: {Name: topic}}
`

func create(t testing.TB, d door, in cloudformation.CreateStackInput) {
	t.Helper()
	must[*cloudformation.CreateStackOutput](t)(d.cfn().CreateStack(t.Context(), &in))
}

// settle reads a stack until it stops moving. At full speed each read moves it.
func settle(t testing.TB, d door, name string) types.Stack {
	t.Helper()
	for range 500 {
		out := must[*cloudformation.DescribeStacksOutput](t)(d.cfn().DescribeStacks(t.Context(), &cloudformation.DescribeStacksInput{StackName: &name}))
		if st := out.Stacks[0]; !strings.HasSuffix(string(st.StackStatus), "IN_PROGRESS") {
			return st
		}
	}
	t.Fatalf("%s does not settle", name)
	return types.Stack{}
}

func wantStatus(t testing.TB, d door, name string, want types.StackStatus) types.Stack {
	t.Helper()
	st := settle(t, d, name)
	if st.StackStatus != want {
		t.Fatalf("%s is %s (%s), want %s%s", name, st.StackStatus, aws.ToString(st.StackStatusReason), want, reasons(t, d, *st.StackId))
	}
	return st
}

func reasons(t testing.TB, d door, id string) string {
	t.Helper()
	var out strings.Builder
	ev := must[*cloudformation.DescribeStackEventsOutput](t)(d.cfn().DescribeStackEvents(t.Context(), &cloudformation.DescribeStackEventsInput{StackName: &id}))
	for _, e := range ev.StackEvents {
		if r := aws.ToString(e.ResourceStatusReason); r != "" {
			out.WriteString("\n  " + *e.LogicalResourceId + " " + string(e.ResourceStatus) + ": " + r)
		}
	}
	return out.String()
}

func TestStack(t *testing.T) {
	t.Parallel()
	eachDoor(t, sandbox.Options{Speed: sandbox.MaxSpeed}, func(t *testing.T, d door) {
		_, err := d.cfn().DescribeStacks(t.Context(), &cloudformation.DescribeStacksInput{StackName: new("a")})
		if code(err) != "ValidationError" || !strings.Contains(err.Error(), "Stack with id a does not exist") {
			t.Errorf("got %v", err)
		}
		create(t, d, cloudformation.CreateStackInput{StackName: new("a"), TemplateBody: new(topicTemplate), Tags: []types.Tag{{Key: new("k"), Value: new("v")}}})
		st := wantStatus(t, d, "a", types.StackStatusCreateComplete)
		if len(st.Outputs) != 1 || *st.Outputs[0].ExportName != "topic" || len(st.Tags) != 1 || st.CreationTime == nil || st.DeletionTime != nil {
			t.Errorf("%+v", st)
		}
		other := d
		other.region = "us-east-1"
		if _, err := other.cfn().DescribeStacks(t.Context(), &cloudformation.DescribeStacksInput{StackName: new("a")}); code(err) != "ValidationError" {
			t.Errorf("the stack is in another region too: %v", err)
		}
		must[*cloudformation.DeleteStackOutput](t)(d.cfn().DeleteStack(t.Context(), &cloudformation.DeleteStackInput{StackName: new("a")}))
		wantStatus(t, d, *st.StackId, types.StackStatusDeleteComplete)
		status := must[sandbox.Status](t)(d.s.Status(t.Context()))
		if len(status.Accounts) != 1 || status.Accounts[0].Stacks["DELETE_COMPLETE"] != 1 || status.Speed != "max" {
			t.Errorf("%+v", status)
		}
	})
}

// The waiters of the SDK, in a bubble: twenty simulated minutes take no time.
func TestWaiterInABubble(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := inProcess(sandbox.Options{Speed: 1})
		create(t, d, cloudformation.CreateStackInput{StackName: new("a"), TemplateBody: new(`{"Resources":{"Db":{"Type":"AWS::RDS::DBInstance","Properties":{"DBInstanceClass":"db.t3.micro"}}}}`)})
		begin := time.Now()
		w := cloudformation.NewStackCreateCompleteWaiter(d.cfn())
		if err := w.Wait(t.Context(), &cloudformation.DescribeStacksInput{StackName: new("a")}, time.Hour); err != nil {
			t.Fatal(err, reasons(t, d, "a"))
		}
		if took := time.Since(begin); took < time.Minute {
			t.Errorf("a database took %v", took)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		must[*cloudformation.DeleteStackOutput](t)(d.cfn().DeleteStack(t.Context(), &cloudformation.DeleteStackInput{StackName: new("a")}))
		if err := cloudformation.NewStackDeleteCompleteWaiter(d.cfn()).Wait(ctx, &cloudformation.DescribeStacksInput{StackName: new("a")}, time.Hour); err == nil {
			t.Error("the database was gone within ten seconds")
		}
	})
}

const servicesTemplate = `
Resources:
  Parameter: {Type: "AWS::SSM::Parameter", Properties: {Name: /made/by/stack, Type: String, Value: hello}}
  Bucket: {Type: "AWS::S3::Bucket", Properties: {BucketName: made-by-stack}}
  Topic: {Type: "AWS::SNS::Topic", Properties: {TopicName: made}}
  Secret:
    Type: AWS::SecretsManager::Secret
    Properties: {Name: made/secret, GenerateSecretString: {SecretStringTemplate: '{"user":"me"}', GenerateStringKey: password}}
Outputs:
  Secret: {Value: !Ref Secret}
`

func TestWhatStacksMakeIsThere(t *testing.T) {
	t.Parallel()
	d := inProcess(sandbox.Options{Speed: sandbox.MaxSpeed})
	ctx := t.Context()
	create(t, d, cloudformation.CreateStackInput{StackName: new("a"), TemplateBody: new(servicesTemplate), NotificationARNs: []string{"arn:aws:sns:eu-west-1:123456789012:news"}})
	st := wantStatus(t, d, "a", types.StackStatusCreateComplete)
	p := must[*ssm.GetParameterOutput](t)(d.ssm().GetParameter(ctx, &ssm.GetParameterInput{Name: new("/made/by/stack")}))
	if *p.Parameter.Value != "hello" {
		t.Errorf("parameter: %s", *p.Parameter.Value)
	}
	for _, id := range []string{"made/secret", *st.Outputs[0].OutputValue} {
		secret := must[*secretsmanager.GetSecretValueOutput](t)(d.sm().GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &id}))
		if !strings.Contains(*secret.SecretString, `"user":"me"`) || !strings.Contains(*secret.SecretString, `"password":"`) {
			t.Errorf("secret %s: %s", id, *secret.SecretString)
		}
	}
	if _, topics := send(t, d.s, request{target: "/", body: "Action=ListTopics&Version=2010-03-31", header: map[string]string{"Authorization": signed("A", "eu-west-1", "sns")}}); !strings.Contains(topics, "<TopicArn>arn:aws:sns:eu-west-1:123456789012:made</TopicArn>") {
		t.Errorf("topics: %s", topics)
	}
	must[*cloudformation.UpdateStackOutput](t)(d.cfn().UpdateStack(ctx, &cloudformation.UpdateStackInput{StackName: new("a"), TemplateBody: new(strings.Replace(servicesTemplate, "Value: hello", "Value: goodbye", 1))}))
	wantStatus(t, d, "a", types.StackStatusUpdateComplete)
	p = must[*ssm.GetParameterOutput](t)(d.ssm().GetParameter(ctx, &ssm.GetParameterInput{Name: new("/made/by/stack")}))
	if *p.Parameter.Value != "goodbye" || p.Parameter.Version != 2 {
		t.Errorf("updated parameter: %s, version %d", *p.Parameter.Value, p.Parameter.Version)
	}
	put(t, d, "made-by-stack", "precious", "data")
	news := must[[]sandbox.Message](t)(d.s.Published(ctx))
	if len(news) < 2 || !strings.Contains(news[len(news)-1].Text, "ResourceStatus='UPDATE_COMPLETE'") || news[0].Subject != "AWS CloudFormation Notification" {
		t.Errorf("%d published, the first of them %+v", len(news), news[0])
	}

	must[*cloudformation.DeleteStackOutput](t)(d.cfn().DeleteStack(ctx, &cloudformation.DeleteStackInput{StackName: new("a")}))
	wantStatus(t, d, "a", types.StackStatusDeleteFailed)
	if why := reasons(t, d, "a"); !strings.Contains(why, "The bucket you tried to delete is not empty") {
		t.Errorf("no reason for the failed delete:%s", why)
	}
	must[*s3.DeleteObjectOutput](t)(d.s3().DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: new("made-by-stack"), Key: new("precious")}))
	must[*cloudformation.DeleteStackOutput](t)(d.cfn().DeleteStack(ctx, &cloudformation.DeleteStackInput{StackName: new("a")}))
	wantStatus(t, d, *st.StackId, types.StackStatusDeleteComplete)
	_, err := d.ssm().GetParameter(ctx, &ssm.GetParameterInput{Name: new("/made/by/stack")})
	wantCode(t, err, "ParameterNotFound")
	_, err = d.s3().HeadBucket(ctx, &s3.HeadBucketInput{Bucket: new("made-by-stack")})
	wantCode(t, err, "NotFound")
	_, err = d.sm().GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: new("made/secret")})
	wantCode(t, err, "ResourceNotFoundException")
}

const consumerTemplate = `
Parameters:
  FromStore: {Type: "AWS::SSM::Parameter::Value<String>", Default: /shared/vpc}
Resources:
  Out:
    Type: AWS::SSM::Parameter
    Properties:
      Name: /out
      Type: String
      Value: !Join [" ", [!Ref FromStore, !ImportValue SharedSubnet, "{{resolve:ssm:/shared/vpc}}", "{{resolve:secretsmanager:api:SecretString:password}}"]]
`

const seedFile = `
account: 123456789012
region: eu-west-1
parameters:
  /shared/vpc: vpc-1
  /shared/pw: {value: hush, type: SecureString}
secrets:
  api: {user: me, password: 12345}
objects:
  templates:
    consumer.yaml: |
` + "      # a template\n"

func seedWithTemplate() []byte {
	indented := strings.ReplaceAll(strings.TrimSpace(consumerTemplate), "\n", "\n      ")
	return []byte(seedFile + "      " + indented + "\nexports: {SharedSubnet: subnet-1}\nkeys: [AKIASEEDED]\n")
}

func TestSeededWorld(t *testing.T) {
	t.Parallel()
	d := inProcess(sandbox.Options{Speed: sandbox.MaxSpeed})
	got := must[sandbox.Seeded](t)(d.s.Seed(t.Context(), seedWithTemplate()))
	if got != (sandbox.Seeded{Parameters: 2, Secrets: 1, Buckets: 1, Objects: 1, Exports: 1, Keys: 1}) {
		t.Errorf("%+v", got)
	}
	must[sandbox.Seeded](t)(d.s.Seed(t.Context(), seedWithTemplate())) // and again
	create(t, d, cloudformation.CreateStackInput{StackName: new("a"), TemplateURL: new("https://templates.s3.eu-west-1.amazonaws.com/consumer.yaml")})
	wantStatus(t, d, "a", types.StackStatusCreateComplete)
	out := must[*ssm.GetParameterOutput](t)(d.ssm().GetParameter(t.Context(), &ssm.GetParameterInput{Name: new("/out")}))
	if *out.Parameter.Value != "vpc-1 subnet-1 vpc-1 12345" {
		t.Errorf("got %q", *out.Parameter.Value)
	}
	exports := must[*cloudformation.ListExportsOutput](t)(d.cfn().ListExports(t.Context(), nil))
	if len(exports.Exports) != 1 || *exports.Exports[0].Value != "subnet-1" {
		t.Errorf("%+v", exports.Exports)
	}
	create(t, d, cloudformation.CreateStackInput{StackName: new("topic"), TemplateBody: new(topicTemplate)})
	wantStatus(t, d, "topic", types.StackStatusCreateComplete)
	if _, err := d.s.Seed(t.Context(), []byte("region: eu-west-1\nexports: {topic: x}")); err == nil || !strings.Contains(err.Error(), "belongs to the stack topic") {
		t.Errorf("seeded over a stack's export: %v", err)
	}
	_, err := d.cfn().CreateStack(t.Context(), &cloudformation.CreateStackInput{StackName: new("b"), TemplateURL: new("https://templates.s3.eu-west-1.amazonaws.com/none.yaml")})
	wantCode(t, err, "ValidationError")
}

func TestStubs(t *testing.T) {
	t.Parallel()
	template := strings.Replace(consumerTemplate, "!ImportValue SharedSubnet", "x", 1)
	strict := inProcess(sandbox.Options{Speed: sandbox.MaxSpeed})
	_, err := strict.cfn().CreateStack(t.Context(), &cloudformation.CreateStackInput{StackName: new("a"), TemplateBody: &template})
	wantCode(t, err, "ValidationError")

	d := inProcess(sandbox.Options{Speed: sandbox.MaxSpeed, Stubs: true})
	create(t, d, cloudformation.CreateStackInput{StackName: new("a"), TemplateBody: &template})
	wantStatus(t, d, "a", types.StackStatusCreateComplete)
	out := must[*ssm.GetParameterOutput](t)(d.ssm().GetParameter(t.Context(), &ssm.GetParameterInput{Name: new("/out")}))
	if *out.Parameter.Value != "stub-/shared/vpc x stub-/shared/vpc stub-api" {
		t.Errorf("got %q", *out.Parameter.Value)
	}
	must[*s3.HeadBucketOutput](t)(d.s3().HeadBucket(t.Context(), &s3.HeadBucketInput{Bucket: new("not-there")}))
	var names []string
	for _, s := range must[[]sandbox.Stub](t)(d.s.Stubbed(t.Context())) {
		names = append(names, s.Kind+" "+s.Name)
	}
	if got := strings.Join(names, ", "); got != "bucket not-there, parameter /shared/vpc, secret api" {
		t.Errorf("stubbed: %s", got)
	}
}

func TestResourceFaultReachesTheStack(t *testing.T) {
	t.Parallel()
	d := inProcess(sandbox.Options{Speed: sandbox.MaxSpeed})
	must[sandbox.Fault](t)(d.s.AddFault(t.Context(), sandbox.Fault{Stack: "a", Logical: "Topic", Phase: "create", Fail: true, Message: "out of topics", Count: 1}))
	create(t, d, cloudformation.CreateStackInput{StackName: new("a"), TemplateBody: new(topicTemplate)})
	st := wantStatus(t, d, "a", types.StackStatusRollbackComplete)
	if why := reasons(t, d, "a"); !strings.Contains(why, "out of topics") {
		t.Errorf("reasons:%s", why)
	}
	must[*cloudformation.DeleteStackOutput](t)(d.cfn().DeleteStack(t.Context(), &cloudformation.DeleteStackInput{StackName: st.StackId}))
	wantStatus(t, d, *st.StackId, types.StackStatusDeleteComplete)
	create(t, d, cloudformation.CreateStackInput{StackName: new("a"), TemplateBody: new(topicTemplate)})
	wantStatus(t, d, "a", types.StackStatusCreateComplete)
}

// Many goroutines, one store: every stack arrives, and time never goes backwards.
func TestManyClients(t *testing.T) {
	t.Parallel()
	for name, open := range map[string]func() sandbox.Store{
		"memory": func() sandbox.Store { return store.NewMemory() },
		"sqlite": func() sandbox.Store {
			return must[*store.SQLite](t)(store.Open(filepath.Join(t.TempDir(), "state.db")))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := inProcess(sandbox.Options{Store: open(), Speed: sandbox.MaxSpeed})
			var wg sync.WaitGroup
			for i := range 8 {
				wg.Go(func() { launchAndWait(t, d, fmt.Sprintf("stack-%d", i)) })
			}
			wg.Wait()
			status := must[sandbox.Status](t)(d.s.Status(t.Context()))
			if got := status.Accounts[0].Stacks["CREATE_COMPLETE"]; got != 8 {
				t.Errorf("%d of 8 stacks are there: %+v", got, status)
			}
		})
	}
}

func launchAndWait(t *testing.T, d door, name string) {
	t.Helper()
	template := `{"Resources":{"T":{"Type":"AWS::SNS::Topic"}}}`
	if _, err := d.cfn().CreateStack(t.Context(), &cloudformation.CreateStackInput{StackName: &name, TemplateBody: &template}); err != nil {
		t.Error(err)
		return
	}
	var before time.Time
	for range 500 {
		at, err := d.s.Time(t.Context())
		if err != nil || at.Before(before) {
			t.Errorf("time went from %v to %v, %v", before, at, err)
		}
		before = at
		out, err := d.cfn().DescribeStacks(t.Context(), &cloudformation.DescribeStacksInput{StackName: &name})
		if err != nil {
			t.Error(err)
			return
		}
		if out.Stacks[0].StackStatus == types.StackStatusCreateComplete {
			return
		}
	}
	t.Errorf("%s does not arrive", name)
}

func TestHealthFollowsTheStacks(t *testing.T) {
	t.Parallel()
	d := inProcess(sandbox.Options{Speed: 1}) // nothing ends by itself while we look
	check := func(path string, want int) {
		t.Helper()
		if res, body := send(t, d.s, request{method: "GET", target: "http://127.0.0.1:80" + path}); res.StatusCode != want {
			t.Errorf("%s: %d %s", path, res.StatusCode, body)
		}
	}
	check("/_health/a", 503)
	check("/_health/", 503)
	create(t, d, cloudformation.CreateStackInput{StackName: new("a"), TemplateBody: new(topicTemplate)})
	check("/_health/a", 503)
	must[time.Time](t)(d.s.Advance(t.Context(), time.Hour))
	check("/_health/a", 200)
	check("/_health/a?region=eu-west-1", 200)
	check("/_health/a?region=us-east-1", 503)
	check("/_health/a?account=999999999999", 503)
	check("/_health/a,b", 503)
	must[*cloudformation.DeleteStackOutput](t)(d.cfn().DeleteStack(t.Context(), &cloudformation.DeleteStackInput{StackName: new("a")}))
	check("/_health/a", 503)
}

// Two terminals: two servers on one file.
func TestTwoServersShareAStore(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "state.db")
	open := func() door {
		db := must[*store.SQLite](t)(store.Open(path))
		t.Cleanup(func() { _ = db.Close() })
		return inProcess(sandbox.Options{Store: db, Speed: sandbox.MaxSpeed})
	}
	one, two := open(), open()
	create(t, one, cloudformation.CreateStackInput{StackName: new("a"), TemplateBody: new(topicTemplate)})
	wantStatus(t, two, "a", types.StackStatusCreateComplete)
	must[*cloudformation.DeleteStackOutput](t)(two.cfn().DeleteStack(t.Context(), &cloudformation.DeleteStackInput{StackName: new("a")}))
	for range 50 {
		if _, err := one.cfn().DescribeStacks(t.Context(), &cloudformation.DescribeStacksInput{StackName: new("a")}); code(err) == "ValidationError" {
			break
		}
	}
	create(t, one, cloudformation.CreateStackInput{StackName: new("a"), TemplateBody: new(topicTemplate)})
	if err := two.s.Reset(t.Context()); err != nil {
		t.Fatal(err)
	}
	_, err := one.cfn().DescribeStacks(t.Context(), &cloudformation.DescribeStacksInput{StackName: new("a")})
	wantCode(t, err, "ValidationError")
}
