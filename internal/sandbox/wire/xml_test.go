package wire_test

import (
	"encoding/xml"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/deployer-cli/deployer/internal/sandbox/wire"
)

type answer struct {
	Stacks    []stack
	Always    []string `wire:"always"`
	NextToken string
}

type stack struct {
	StackName string
	Reason    *string
	Created   time.Time
	Deleted   time.Time
	Protected *bool
	Count     int
	Ratio     float64
	Tags      []string
	Drift     *struct{ Status string }
	Extra     map[string]string
	Any       any
	Blob      []byte
}

func TestEncodeQuery(t *testing.T) {
	t.Parallel()
	when := time.Date(2026, 11, 22, 5, 53, 1, 123456789, time.FixedZone("", 3600))
	full := stack{
		StackName: "a<&>\"'\n\x00é", Reason: new(""), Created: when, Protected: new(false), Ratio: 0.1,
		Tags: []string{}, Drift: &struct{ Status string }{"OK"}, Extra: map[string]string{"b": "2", "a": ""}, Any: 5, Blob: []byte("hi"),
	}
	got := string(wire.EncodeQuery("DescribeStacks", "http://ns/", "id-1", answer{Stacks: []stack{full, {}}}, false))
	want := `<DescribeStacksResponse xmlns="http://ns/"><DescribeStacksResult><Stacks><member>` +
		`<StackName>a&lt;&amp;&gt;&#34;&#39;&#xA;` + "\uFFFD" + `é</StackName><Reason></Reason><Created>2026-11-22T04:53:01.123Z</Created>` +
		`<Protected>false</Protected><Count>0</Count><Ratio>0.1</Ratio><Tags></Tags><Drift><Status>OK</Status></Drift>` +
		`<Extra><entry><key>a</key><value></value></entry><entry><key>b</key><value>2</value></entry></Extra><Any>5</Any><Blob>aGk=</Blob>` +
		`</member><member><Count>0</Count><Ratio>0</Ratio></member></Stacks><Always></Always>` +
		`</DescribeStacksResult><ResponseMetadata><RequestId>id-1</RequestId></ResponseMetadata></DescribeStacksResponse>`
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestEncodeEC2(t *testing.T) {
	t.Parallel()
	got := string(wire.EncodeEC2("DescribeStacks", "http://ns/", "id-1", answer{Stacks: []stack{{StackName: "a", Tags: []string{"b"}}}, NextToken: "n"}))
	want := `<DescribeStacksResponse xmlns="http://ns/"><requestId>id-1</requestId><stacks><item><stackName>a</stackName><count>0</count>` +
		`<ratio>0</ratio><tags><item>b</item></tags></item></stacks><always></always><nextToken>n</nextToken></DescribeStacksResponse>`
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestEncodeQueryWithoutResult(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		out      any
		noResult bool
		want     string
	}{
		"no result element":    {nil, true, ""},
		"empty result element": {&struct{}{}, false, "<XResult></XResult>"},
		"nil result element":   {nil, false, "<XResult></XResult>"},
	} {
		got := string(wire.EncodeQuery("X", "", "i", c.out, c.noResult))
		want := "<XResponse>" + c.want + "<ResponseMetadata><RequestId>i</RequestId></ResponseMetadata></XResponse>"
		if got != want {
			t.Errorf("%s: %s", name, got)
		}
	}
}

func TestErrors(t *testing.T) {
	t.Parallel()
	got := string(wire.EncodeQueryError("ns", "id", 400, "ValidationError", "Stack [a] <does> not exist"))
	want := `<ErrorResponse xmlns="ns"><Error><Type>Sender</Type><Code>ValidationError</Code><Message>Stack [a] &lt;does&gt; not exist</Message></Error><RequestId>id</RequestId></ErrorResponse>`
	if got != want {
		t.Errorf("query: %s", got)
	}
	if got := string(wire.EncodeQueryError("ns", "id", 503, "X", "")); !strings.Contains(got, "<Type>Receiver</Type>") {
		t.Errorf("server fault: %s", got)
	}
	want = xml.Header + `<Error><Code>NoSuchKey</Code><Message>m</Message><Resource>/b/k</Resource><RequestId>id</RequestId></Error>`
	if got := string(wire.EncodeXMLError("id", "NoSuchKey", "m", "/b/k")); got != want {
		t.Errorf("s3: %s", got)
	}
}

func TestEncodeXML(t *testing.T) {
	t.Parallel()
	type object struct{ Key string }
	got := string(wire.EncodeXML("ListBucketResult", "ns", struct {
		Name        string
		IsTruncated bool
		Contents    []object `wire:"flat"`
		None        []object `wire:"flat"`
	}{"b", false, []object{{"x"}, {"y"}}, nil}))
	want := xml.Header + `<ListBucketResult xmlns="ns"><Name>b</Name><IsTruncated>false</IsTruncated><Contents><Key>x</Key></Contents><Contents><Key>y</Key></Contents></ListBucketResult>`
	if got != want {
		t.Errorf("got %s", got)
	}
	if got := string(wire.EncodeXML("LocationConstraint", "", "eu-west-1")); got != xml.Header+"<LocationConstraint>eu-west-1</LocationConstraint>" {
		t.Errorf("text root: %s", got)
	}
}

// TestTextSurvives reads back with the standard library what was written.
func TestTextSurvives(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		text := rapid.StringOf(rapid.RuneFrom([]rune("<>&'\"]\r\n\t x\u00e9\U0001F600"))).Draw(rt, "text")
		var back struct {
			Result struct{ NextToken string } `xml:"XResult"`
		}
		if err := xml.Unmarshal(wire.EncodeQuery("X", "", "i", answer{NextToken: text}, false), &back); err != nil {
			rt.Fatal(err)
		}
		if back.Result.NextToken != text {
			rt.Fatalf("%q came back as %q", text, back.Result.NextToken)
		}
	})
}

func BenchmarkEncodeQuery(b *testing.B) {
	stacks := make([]stack, 100)
	for i := range stacks {
		stacks[i] = stack{StackName: "network-of-the-development-environment", Created: time.Now(), Tags: []string{"a", "b"}}
	}
	for b.Loop() {
		wire.EncodeQuery("DescribeStacks", "ns", "id", answer{Stacks: stacks}, false)
	}
}
