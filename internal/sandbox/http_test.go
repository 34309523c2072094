package sandbox_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/deployer-cli/deployer/internal/sandbox"
	"github.com/deployer-cli/deployer/internal/sandbox/store"
)

type request struct {
	method, target, body string
	header               map[string]string
}

func send(t testing.TB, s *sandbox.Server, r request) (*http.Response, string) {
	t.Helper()
	if r.method == "" {
		r.method = http.MethodPost
	}
	req := httptest.NewRequestWithContext(t.Context(), r.method, r.target, strings.NewReader(r.body))
	for name, value := range r.header {
		req.Header.Set(name, value)
	}
	res, err := s.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res, string(body)
}

func signed(key, region, service string) string {
	return "AWS4-HMAC-SHA256 Credential=" + key + "/20261122/" + region + "/" + service + "/aws4_request, SignedHeaders=host, Signature=00"
}

const form = "application/x-www-form-urlencoded; charset=utf-8"

func TestProtocols(t *testing.T) {
	t.Parallel()
	s := sandbox.New(sandbox.Options{Store: store.NewMemory()})
	for name, c := range map[string]struct {
		request
		status int
		want   string // part of the body
	}{
		"form":                    {request{target: "/", body: "Action=ListStacks&Version=2010-05-15", header: map[string]string{"Content-Type": form}}, 200, "<ListStacksResponse xmlns=\"http://cloudformation"},
		"form without its type":   {request{target: "/", body: "Action=ListStacks&Version=2010-05-15"}, 200, "<ListStacksResult>"},
		"query string":            {request{method: "GET", target: "/?Action=ListStacks&Version=2010-05-15"}, 200, "<ListStacksResult>"},
		"posted query string":     {request{target: "/?Action=ListStacks"}, 200, "<ListStacksResult>"},
		"unknown action":          {request{target: "/", body: "Action=MakeTea&Version=2010-05-15", header: map[string]string{"Content-Type": form}}, 400, "<Code>InvalidAction</Code><Message>Could not find operation MakeTea for version 2010-05-15</Message>"},
		"no action":               {request{target: "/", body: "Version=2010-05-15", header: map[string]string{"Content-Type": form, "Authorization": signed("A", "eu-west-1", "cloudformation")}}, 400, "MissingAction"},
		"broken form":             {request{target: "/", body: "Action=%zz", header: map[string]string{"Content-Type": form}}, 400, "MalformedQueryString"},
		"malformed number":        {request{target: "/", body: "Action=CreateStack&StackName=a&TimeoutInMinutes=soon"}, 400, "TimeoutInMinutes"},
		"sts by version":          {request{target: "/", body: "Action=GetCallerIdentity&Version=2011-06-15"}, 200, "<Account>123456789012</Account>"},
		"account as key":          {request{target: "/", body: "Action=GetCallerIdentity", header: map[string]string{"Authorization": signed("000000000042", "eu-west-1", "sts")}}, 200, "<Account>000000000042</Account>"},
		"presigned":               {request{method: "GET", target: "/?Action=GetCallerIdentity&X-Amz-Credential=000000000043%2F20261122%2Feu-west-1%2Fsts%2Faws4_request"}, 200, "<Account>000000000043</Account>"},
		"by host":                 {request{method: "GET", target: "http://sts.eu-west-1.amazonaws.com/?Action=GetCallerIdentity"}, 200, "<Account>"},
		"bad authorization":       {request{target: "/", body: "Action=ListStacks", header: map[string]string{"Authorization": "Credential=///,"}}, 200, "<ListStacksResult>"},
		"ec2":                     {request{target: "/", body: "Action=DescribeVpcs&Version=2016-11-15", header: map[string]string{"Content-Type": form}}, 501, "<Errors><Error><Code>NotImplemented</Code><Message>ec2 DescribeVpcs is not in the sandbox"},
		"iam":                     {request{target: "/", body: "Action=GetRole&Version=2010-05-08", header: map[string]string{"Authorization": signed("A", "us-east-1", "iam")}}, 501, "iam GetRole is not in the sandbox"},
		"sts action":              {request{target: "/", body: "Action=AssumeRoot&Version=2011-06-15"}, 501, "sts AssumeRoot is not in the sandbox"},
		"json":                    {request{target: "/", body: `{"Name":"x"}`, header: map[string]string{"X-Amz-Target": "AmazonSSM.GetParameter"}}, 400, `{"__type":"ParameterNotFound"`},
		"json nonsense":           {request{target: "/", body: `{"Name":`, header: map[string]string{"X-Amz-Target": "AmazonSSM.GetParameter"}}, 400, `"SerializationException"`},
		"json unknown action":     {request{target: "/", body: `{}`, header: map[string]string{"X-Amz-Target": "AmazonSSM.SendCommand"}}, 501, "ssm SendCommand is not in the sandbox"},
		"json unknown service":    {request{target: "/", body: `{}`, header: map[string]string{"X-Amz-Target": "DynamoDB_20120810.ListTables"}}, 501, "DynamoDB_20120810 ListTables is not in the sandbox"},
		"json without operation":  {request{target: "/", body: `{}`, header: map[string]string{"X-Amz-Target": "AmazonSSM"}}, 400, "UnknownOperationException"},
		"rest service":            {request{method: "GET", target: "/2015-03-31/functions", header: map[string]string{"Authorization": signed("A", "us-east-1", "lambda")}}, 501, `"message":"lambda GET /2015-03-31/functions is not in the sandbox`},
		"function":                {request{method: "GET", target: "/2015-03-31/functions/f", header: map[string]string{"Authorization": signed("A", "us-east-1", "lambda")}}, 404, `"message":"Function not found: arn:aws:lambda:us-east-1:123456789012:function:f"`},
		"function by ARN":         {request{method: "GET", target: "/2019-09-30/functions/arn%3Aaws%3Alambda%3Aus-east-1%3A123456789012%3Afunction%3Af%3A1/concurrency", header: map[string]string{"Authorization": signed("A", "us-east-1", "lambda")}}, 404, `:function:f:1"`},
		"no concurrency":          {request{method: "PUT", target: "/2017-10-31/functions/f/concurrency", body: "{}", header: map[string]string{"Authorization": signed("A", "us-east-1", "lambda")}}, 400, "InvalidParameterValueException"},
		"nonsense for a function": {request{method: "PUT", target: "/2017-10-31/functions/f/concurrency", body: "{", header: map[string]string{"Authorization": signed("A", "us-east-1", "lambda")}}, 400, "not a JSON object"},
		"no instance":             {request{target: "/", body: "Action=StopInstances&Version=2016-11-15&InstanceId.1=i-1", header: map[string]string{"Content-Type": form}}, 400, "<Code>InvalidInstanceID.NotFound</Code><Message>The instance ID &#39;i-1&#39; does not exist"},
		"no instances":            {request{target: "/", body: "Action=DescribeInstances&Version=2016-11-15", header: map[string]string{"Content-Type": form}}, 200, `<DescribeInstancesResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><requestId>`},
		"unheard-of filter":       {request{target: "/", body: "Action=DescribeSecurityGroups&Version=2016-11-15&Filter.1.Name=colour&Filter.1.Value.1=red", header: map[string]string{"Content-Type": form}}, 400, "<Code>InvalidParameterValue</Code>"},
		"no security group":       {request{target: "/", body: "Action=RevokeSecurityGroupIngress&Version=2016-11-15&GroupId=sg-1", header: map[string]string{"Content-Type": form}}, 400, "<Code>InvalidGroup.NotFound</Code>"},
		"no rule":                 {request{target: "/", body: `{"Name":"r"}`, header: map[string]string{"X-Amz-Target": "AWSEvents.DisableRule"}}, 400, "Rule r does not exist on EventBus default."},
		"no such type":            {request{target: "/", body: `{"TypeName":"A::B::C","Identifier":"x"}`, header: map[string]string{"X-Amz-Target": "CloudApiService.GetResource"}}, 400, "TypeNotFoundException"},
		"nothing to control":      {request{target: "/", body: `{"TypeName":"AWS::SNS::Topic","Identifier":"x"}`, header: map[string]string{"X-Amz-Target": "CloudApiService.GetResource"}}, 400, "ResourceNotFoundException"},
		"no such request":         {request{target: "/", body: `{"RequestToken":"x"}`, header: map[string]string{"X-Amz-Target": "CloudApiService.GetResourceRequestStatus"}}, 400, "RequestTokenNotFoundException"},
		"s3 operation":            {request{method: "PUT", target: "/b?acl", header: map[string]string{"Authorization": signed("A", "us-east-1", "s3")}}, 501, "<Code>NotImplemented</Code>"},
		"anonymous object":        {request{method: "GET", target: "/no-such-bucket/key"}, 404, "<Code>NoSuchBucket</Code>"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			res, body := send(t, s, c.request)
			if res.StatusCode != c.status || !strings.Contains(body, c.want) {
				t.Errorf("%d %s", res.StatusCode, body)
			}
			if res.Header.Get("X-Amzn-Requestid") == "" || res.Header.Get("Date") == "" {
				t.Errorf("header: %v", res.Header)
			}
		})
	}
}

// brokenBody fails while it is read.
type brokenBody struct{}

func (brokenBody) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func TestBodies(t *testing.T) {
	t.Parallel()
	s := sandbox.New(sandbox.Options{Store: store.NewMemory()})
	req := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", brokenBody{})
	if res, err := s.Client().Do(req); err != nil || res.StatusCode != http.StatusBadRequest {
		t.Error(res, err)
	}
	big := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", io.LimitReader(zeros{}, 65<<20))
	if res, err := s.Client().Do(big); err != nil || res.StatusCode != http.StatusRequestEntityTooLarge {
		t.Error(res, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Client().Do(big.Clone(ctx)); err == nil {
		t.Error("a cancelled request was answered")
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// FuzzServer sends anything anywhere: every request gets an answer, and no answer
// is the mark of a panic.
func FuzzServer(f *testing.F) {
	f.Add("POST", "/", "Action=DescribeStacks&StackName=x", "Content-Type", form)
	f.Add("POST", "/", "Action=CreateStack&StackName=x&TemplateBody={}&Parameters.member.1.ParameterKey=a", "Content-Type", form)
	f.Add("POST", "/", `{"Name":"a","Value":"b"}`, "X-Amz-Target", "AmazonSSM.PutParameter")
	f.Add("POST", "/", `{"SecretId":"arn:aws:secretsmanager"}`, "X-Amz-Target", "secretsmanager.GetSecretValue")
	f.Add("PUT", "/bucket", "<CreateBucketConfiguration/>", "Authorization", signed("A", "us-east-1", "s3"))
	f.Add("PUT", "/bucket/key", "3\r\nabc\r\n0\r\n\r\n", "Content-Encoding", "aws-chunked")
	f.Add("GET", "/bucket/key", "", "Range", "bytes=1-0")
	f.Add("GET", "/bucket?list-type=2&delimiter=/&prefix=a&max-keys=0", "", "If-None-Match", "*")
	f.Add("POST", "/bucket?delete", "<Delete><Object><Key>k</Key></Object></Delete>", "Content-Md5", "")
	f.Add("POST", "/bucket/key?uploads", "", "Authorization", signed("A", "us-east-1", "s3"))
	f.Add("PUT", "/bucket/key?partNumber=1&uploadId=x", "part", "X-Amz-Copy-Source", "a/b")
	f.Add("POST", "/bucket/key?uploadId=x", "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber></Part></CompleteMultipartUpload>", "X-Amz-Copy-Source", "%zz")
	f.Add("PUT", "/bucket/key", "", "X-Amz-Copy-Source", "bucket/other")
	f.Add("POST", "/service/GraniteServiceVersion20100801/operation/DescribeAlarms", "\xbf\xff", "Smithy-Protocol", "rpc-v2-cbor")
	f.Add("POST", "/", `{"AlarmName":"a","StateValue":"OK"}`, "X-Amz-Target", "GraniteServiceVersion20100801.SetAlarmState")
	f.Add("POST", "/", `{"Entries":[{"Source":"a"}]}`, "X-Amz-Target", "AWSEvents.PutEvents")
	f.Add("POST", "/", "Action=CreateChangeSet&StackName=x&ChangeSetName=y&ChangeSetType=IMPORT&TemplateBody={\"Transform\":\"AWS::Serverless-2016-10-31\",\"Resources\":{\"A\":{\"Type\":\"AWS::Serverless::Function\"}}}", "Content-Type", form)
	s := sandbox.New(sandbox.Options{Store: store.NewMemory(), Stubs: true})
	f.Fuzz(func(t *testing.T, method, target, body, name, value string) {
		req, err := http.NewRequestWithContext(t.Context(), method, sandbox.Endpoint+target, strings.NewReader(body))
		if err != nil {
			t.Skip()
		}
		req.Header.Set(name, value)
		res, err := s.Client().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		if res.StatusCode == http.StatusInternalServerError {
			b, _ := io.ReadAll(res.Body)
			t.Errorf("%s", b)
		}
	})
}
