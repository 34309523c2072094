package cfn_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/deployer-cli/deployer/internal/cfn"
	"github.com/deployer-cli/deployer/stacks"
)

const described = `<Stacks><member>
<StackId>arn:aws:cloudformation:eu-west-1:111111111111:stack/web/0001</StackId><StackName>web</StackName><Description>d</Description>
<StackStatus>UPDATE_ROLLBACK_COMPLETE</StackStatus><StackStatusReason>why  </StackStatusReason><CreationTime>2026-01-02T03:04:05.678Z</CreationTime><LastUpdatedTime>2026-02-02T03:04:05Z</LastUpdatedTime>
<Parameters><member><ParameterKey>Z</ParameterKey><ParameterValue>1</ParameterValue></member><member><ParameterKey>Ami</ParameterKey><ParameterValue>/ami</ParameterValue><ResolvedValue>ami-1</ResolvedValue></member><member><ParameterKey>Password</ParameterKey><ParameterValue>****</ParameterValue></member></Parameters>
<Outputs><member><OutputKey>Vpc</OutputKey><OutputValue>vpc-1</OutputValue><Description>the</Description><ExportName>web-VPC</ExportName></member><member><OutputKey>Arn</OutputKey><OutputValue>a</OutputValue></member></Outputs>
<Tags><member><Key>b</Key><Value>2</Value></member><member><Key>a</Key><Value>1</Value></member></Tags>
<Capabilities><member>CAPABILITY_NAMED_IAM</member><member>CAPABILITY_IAM</member></Capabilities><NotificationARNs><member>arn:topic</member></NotificationARNs>
<RoleARN>arn:role</RoleARN><TimeoutInMinutes>7</TimeoutInMinutes><DisableRollback>true</DisableRollback><EnableTerminationProtection>true</EnableTerminationProtection><ParentId>arn:parent</ParentId><ChangeSetId>arn:set</ChangeSetId>
</member></Stacks>`

func TestStack(t *testing.T) {
	t.Parallel()
	f := newFake()
	f.before = say("DescribeStacks", described)
	got, err := cloud(f).Stack(t.Context(), access, "web")
	if err != nil {
		t.Fatal(err)
	}
	want := stacks.Live{
		ID: arn("web"), Name: "web", Account: account, Region: "eu-west-1", Status: stacks.UpdateRollbackComplete, Reason: "why", Description: "d",
		Parameters:    []stacks.LiveParameter{{Key: "Ami", Value: "/ami", Resolved: "ami-1"}, {Key: "Password", Value: "****"}, {Key: "Z", Value: "1"}},
		Outputs:       []stacks.Output{{Key: "Arn", Value: "a"}, {Key: "Vpc", Value: "vpc-1", Description: "the", Export: "web-VPC"}},
		Tags:          []stacks.Tag{{Key: "a", Value: "1"}, {Key: "b", Value: "2"}},
		Notifications: []string{"arn:topic"}, Capabilities: []string{"CAPABILITY_IAM", "CAPABILITY_NAMED_IAM"},
		ServiceRole: "arn:role", TimeoutMinutes: 7, DisableRollback: true, TerminationProtection: true, ParentID: "arn:parent", ChangeSetID: "arn:set",
		Created: time.Date(2026, 1, 2, 3, 4, 5, 678e6, time.UTC), Updated: time.Date(2026, 2, 2, 3, 4, 5, 0, time.UTC),
	}
	if g, w := fmt.Sprintf("%+v", got), fmt.Sprintf("%+v", want); g != w {
		t.Errorf("got  %s\nwant %s", g, w)
	}
}

func TestOutputs(t *testing.T) {
	t.Parallel()
	f := newFake()
	f.before = say("DescribeStacks", described)
	c := cloud(f)
	if v, err := c.ExternalOutput(t.Context(), access, "web", "Vpc"); v != "vpc-1" || err != nil {
		t.Errorf("%q, %v", v, err)
	}
	_, err := c.Output(t.Context(), access, "web", "Vcp")
	if e, ok := errors.AsType[*cfn.NoOutputError](err); !ok || e.Hint() != "it has Arn, Vpc" {
		t.Errorf("%v", err)
	}
	_, err = cloud(newFake()).Output(t.Context(), access, "nope", "Vpc")
	if e, ok := errors.AsType[*stacks.NotFoundError](err); !ok || e.Name != "nope" {
		t.Errorf("%v", err)
	}
}

func TestSweepReadsAllPages(t *testing.T) {
	t.Parallel()
	f := newFake()
	f.page = 100
	for i := range 250 {
		f.add(fmt.Sprintf("s%03d", i), "")
	}
	got, err := cloud(f).Sweep(t.Context(), access)
	if err != nil || len(got) != 250 || f.count("DescribeStacks") != 3 || got[0].Name != "s249" {
		t.Errorf("%d stacks in %d calls, %v", len(got), f.count("DescribeStacks"), err)
	}
}

func TestImports(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		before func(string) answer
		want   []string
		fails  bool
	}{
		"some":    {say("ListImports", "<Imports><member>app</member><member>web</member></Imports>"), []string{"app", "web"}, false},
		"none":    {refuse("ListImports", 400, "ValidationError", "Export 'x' is not imported by any stack."), nil, false},
		"unknown": {refuse("ListImports", 403, "AccessDenied", "no"), nil, true},
		"missing": {refuse("ListImports", 400, "ValidationError", "Export 'x' does not exist"), nil, true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFake()
			f.before = tt.before
			got, err := cloud(f).Imports(t.Context(), access, "x")
			if !slices.Equal(got, tt.want) || (err != nil) != tt.fails {
				t.Errorf("%v, %v", got, err)
			}
		})
	}
}

// An endpoint without ListImports has the importers in its templates.
func TestImportsOfAnEndpoint(t *testing.T) {
	t.Parallel()
	const plain = "Resources:\n  Q: {Type: AWS::SQS::Queue}\n"
	const imports = "Parameters:\n  Net: {Type: String, Default: net}\nResources:\n  Q: {Type: AWS::SQS::Queue, Properties: {QueueName: !ImportValue {'Fn::Sub': '${Net}-VPC'}}}\n"
	const untold = "Resources:\n  R: {Type: AWS::SQS::Queue}\n  Q: {Type: AWS::SQS::Queue, Properties: {QueueName: !ImportValue {Ref: R}}}\n"
	tests := map[string]struct {
		second string // template of the second stack
		code   string // of ListImports
		want   []string
		fails  bool
	}{
		"one":          {imports, "InvalidAction", []string{"b"}, false},
		"none":         {plain, "InvalidAction", nil, false},
		"cannot tell":  {untold, "InvalidAction", nil, true},
		"not allowed":  {imports, "AccessDenied", nil, true},
		"bad template": {"a: [", "InvalidAction", nil, true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFake()
			f.add("a", "")
			f.add("b", "")
			f.before = func(action string) answer {
				switch action {
				case "ListImports":
					return refuse(action, 400, tt.code, "words")(action)
				case "GetTemplate":
					return func(w http.ResponseWriter, r *http.Request) bool {
						body := plain
						if r.Form.Get("StackName") == arn("b") {
							body = tt.second
						}
						fmt.Fprintf(w, "<GetTemplateResponse><GetTemplateResult><TemplateBody>%s</TemplateBody></GetTemplateResult></GetTemplateResponse>", body)
						return true
					}
				}
				return nil
			}
			c := cloud(f, func(o *cfn.Options) { o.Realm = stacks.RealmEndpoint })
			got, err := c.Imports(t.Context(), access, "net-VPC")
			if !slices.Equal(got, tt.want) || (err != nil) != tt.fails {
				t.Errorf("%v, %v", got, err)
			}
		})
	}
}

func TestEventsStopWhenTheReaderDoes(t *testing.T) {
	t.Parallel()
	f := newFake()
	page := 0
	f.before = func(action string) answer {
		page++
		return say(action, fmt.Sprintf(`<StackEvents><member><EventId>e%d</EventId><StackId>s</StackId><StackName>web</StackName><Timestamp>2026-01-01T00:00:00Z</Timestamp></member></StackEvents><NextToken>t</NextToken>`, page))(action)
	}
	var got []string
	for e, err := range cloud(f).Events(t.Context(), access, "web", cfn.EventOptions{}) {
		if err != nil {
			t.Fatal(err)
		}
		if got = append(got, e.ID); len(got) == 3 {
			break
		}
	}
	if strings.Join(got, " ") != "e1 e2 e3" || page != 3 {
		t.Errorf("%v in %d pages", got, page)
	}
	got = nil
	for e := range cloud(f).Events(t.Context(), access, "web", cfn.EventOptions{Limit: 2}) {
		got = append(got, e.ID)
	}
	if len(got) != 2 {
		t.Errorf("limit 2 gave %v", got)
	}
}

func TestOtherReads(t *testing.T) {
	t.Parallel()
	f := newFake()
	answers := map[string]string{
		"GetTemplate":          "<TemplateBody>Resources: {}</TemplateBody>",
		"GetStackPolicy":       "",
		"ListStackResources":   "<StackResourceSummaries><member><LogicalResourceId>Q</LogicalResourceId><PhysicalResourceId>q-1</PhysicalResourceId><ResourceType>AWS::SQS::Queue</ResourceType><ResourceStatus>CREATE_COMPLETE</ResourceStatus><LastUpdatedTimestamp>2026-01-01T00:00:00Z</LastUpdatedTimestamp></member></StackResourceSummaries>",
		"ListExports":          "<Exports><member><Name>n</Name><Value>v</Value><ExportingStackId>s</ExportingStackId></member></Exports>",
		"ListChangeSets":       "<Summaries><member><ChangeSetId>arn:set</ChangeSetId><ChangeSetName>c</ChangeSetName><Status>FAILED</Status><StatusReason>No updates are to be performed.</StatusReason></member></Summaries>",
		"GetTemplateSummary":   "<Parameters><member><ParameterKey>P</ParameterKey><NoEcho>true</NoEcho><ParameterType>String</ParameterType></member></Parameters><DeclaredTransforms><member>M</member></DeclaredTransforms>",
		"ValidateTemplate":     "",
		"EstimateTemplateCost": "<Url>https://calculator</Url>",
	}
	f.before = func(action string) answer { return say(action, answers[action])(action) }
	c, ctx := cloud(f), t.Context()
	body, err := c.Template(ctx, access, "web")
	expect(t, string(body), "Resources: {}", err)
	policy, err := c.Policy(ctx, access, "web")
	expect(t, string(policy), "", err)
	resources, err := c.Resources(ctx, access, "web")
	expect(t, fmt.Sprint(resources), "[{Q q-1 AWS::SQS::Queue CREATE_COMPLETE  2026-01-01 00:00:00 +0000 UTC}]", err)
	exports, err := c.Exports(ctx, access)
	expect(t, fmt.Sprint(exports), "[{n v s}]", err)
	sets, err := c.ChangeSets(ctx, access, "web")
	expect(t, fmt.Sprint(sets[0].Name, " ", sets[0].Empty()), "c true", err)
	summary, err := c.TemplateSummary(ctx, access, "web")
	expect(t, fmt.Sprint(summary.Parameters, summary.Transforms), "[{P String   true}] [M]", err)
	summary, err = c.BodySummary(ctx, access, []byte("x"))
	expect(t, fmt.Sprint(summary.Transforms), "[M]", err)
	expect(t, "", "", c.Validate(ctx, access, []byte("x")))
	url, err := c.EstimateCost(ctx, access, []byte("x"), []stacks.Parameter{{Key: "A", Value: "1"}, {Key: "B", Unknown: true}})
	expect(t, url, "https://calculator", err)
	expectForm(t, f.last(t, "EstimateTemplateCost"), map[string]string{"Parameters.member.1.ParameterKey": "A", "Parameters.member.2.ParameterKey": ""})
	if err := c.Validate(ctx, access, make([]byte, 60_000)); err == nil {
		t.Error("a template that is too large to send was sent")
	}
}

func expect(t *testing.T, got, want string, err error) {
	t.Helper()
	if err != nil || got != want {
		t.Errorf("got %s, %v; want %s", got, err, want)
	}
}

func TestFollow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		s := f.add("web", "")
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
		defer cancel()
		var got []string
		var ended error
		for e, err := range cloud(f).Follow(ctx, access, "web", s.created.Add(time.Second/10)) {
			if err != nil {
				ended = err
				break
			}
			if late := time.Since(e.Time); late > 6*time.Second {
				t.Errorf("%s was told %s late", e.Status, late)
			}
			got = append(got, e.LogicalID+" "+e.Status)
		}
		if strings.Join(got, ", ") != "Thing CREATE_IN_PROGRESS, Thing CREATE_COMPLETE, web CREATE_COMPLETE" || !errors.Is(ended, context.DeadlineExceeded) {
			t.Errorf("got %v, %v", got, ended)
		}
	})
	for _, err := range cloud(newFake()).Follow(t.Context(), access, "nope", time.Time{}) {
		if _, ok := errors.AsType[*stacks.NotFoundError](err); !ok {
			t.Errorf("%v", err)
		}
	}
}

func TestDrift(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		asked := 0
		f.before = func(action string) answer {
			switch action {
			case "DetectStackDrift":
				return say(action, "<StackDriftDetectionId>d1</StackDriftDetectionId>")(action)
			case "DescribeStackDriftDetectionStatus":
				status := "DETECTION_IN_PROGRESS"
				if asked++; asked == 3 {
					status = "DETECTION_COMPLETE"
				}
				return say(action, "<StackDriftDetectionId>d1</StackDriftDetectionId><DetectionStatus>"+status+"</DetectionStatus><StackDriftStatus>DRIFTED</StackDriftStatus><Timestamp>2026-01-01T00:00:00Z</Timestamp>")(action)
			}
			return say(action, "<StackResourceDrifts><member><LogicalResourceId>Same</LogicalResourceId><StackResourceDriftStatus>IN_SYNC</StackResourceDriftStatus></member><member><LogicalResourceId>Q</LogicalResourceId><StackResourceDriftStatus>MODIFIED</StackResourceDriftStatus><PropertyDifferences><member><PropertyPath>/DelaySeconds</PropertyPath><ActualValue>hush</ActualValue></member></PropertyDifferences></member></StackResourceDrifts>")(action)
		}
		d, err := cloud(f).DetectDrift(t.Context(), access, "web")
		if err != nil || d.Status != "DRIFTED" || len(d.Resources) != 1 || fmt.Sprint(d.Resources[0].Paths) != "[/DelaySeconds]" || asked != 3 {
			t.Errorf("%+v, %v", d, err)
		}
	})
}

func TestReadFailures(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		f.before = refuse("*", 503, "ServiceUnavailable", "later")
		_, err := cloud(f).Sweep(t.Context(), access)
		if _, ok := errors.AsType[*stacks.UnknownError](err); !ok {
			t.Errorf("%T: %v", err, err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := cloudOver(client{handler: http.NotFoundHandler()}).Stack(ctx, access, "web"); !errors.Is(err, context.Canceled) {
			t.Errorf("%T: %v", err, err)
		}
	})
}
