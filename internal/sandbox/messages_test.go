package sandbox_test

import (
	"encoding/json"
	"errors"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/smithy-go"

	"github.com/deployer-cli/deployer/internal/sandbox"
)

// recorded is one text that AWS was seen to answer with; testdata/aws-messages.json
// has them all.
type recorded struct{ Kind, Text string }

func (r recorded) id() string { return r.Kind + " | " + r.Text }

func recordedMessages(t *testing.T, path string) []recorded {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var out []recorded
	if err := json.Unmarshal(raw, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// leftOut lists the recorded texts that no supported operation can give, each with
// the reason. A key ends a kind and begins a text.
var leftOut = map[string]string{
	"This type has more than one active version.":    "the registry of extensions is not in the sandbox",
	"TypeName is invalid":                            "the registry of extensions is not in the sandbox",
	"Version '00000051' is the default version":      "the registry of extensions is not in the sandbox",
	"calling the DescribeType operation":             "the registry of extensions is not in the sandbox",
	"BatchDescribeTypeConfigurations":                "the registry of extensions is not in the sandbox",
	"Hook failed with message":                       "hooks of the registry are not in the sandbox",
	"StackSetNotFoundException":                      "stack sets are not in the sandbox",
	"The key pair '<key-name:1>' does not exist":     "EC2's own operations are not in the sandbox",
	"The bucket policy does not exist":               "GetBucketPolicy is not in the sandbox",
	"The resource you requested does not exist.":     "Lambda's own operations are not in the sandbox",
	"Received malformed response from transform":     "a macro of one's own runs a Lambda function, and nothing runs in the sandbox",
	"Template format error: unsupported structure..": "what a macro of one's own returns; nothing runs in the sandbox",
	"Transform 111111111111::Unsuccessful":           "a macro of one's own runs a Lambda function, and nothing runs in the sandbox",
	"resource-status-reason":                         "the recording hides the text",
}

func whyLeftOut(r recorded) (string, bool) {
	for part, why := range leftOut {
		if strings.Contains(r.Text, part) {
			return why, true
		}
	}
	return "", false
}

var excPattern = regexp.MustCompile(`^An error occurred \((\w+)\) when calling the (\w+) operation: (?s)(.*)$`)

// answer is what the sandbox said: an error has a code, a reason in an event or a
// description has none.
type said struct{ operation, code, text string }

// refusal takes an error of the SDK apart.
func refusal(t *testing.T, err error) said {
	t.Helper()
	api, ok := errors.AsType[smithy.APIError](err)
	op, isOp := errors.AsType[*smithy.OperationError](err)
	if !ok || !isOp {
		t.Fatalf("not refused: %v", err)
	}
	return said{op.Operation(), api.ErrorCode(), api.ErrorMessage()}
}

func (r recorded) check(t *testing.T, got said) {
	t.Helper()
	want := said{got.operation, "", r.Text}
	switch kind, code, _ := strings.Cut(r.Kind, ":"); {
	case kind == "Error" && code != "None":
		want.code = code
	case kind == "Error":
		want.code = got.code // the recording repeats the text without its code
	case kind == "exc":
		m := excPattern.FindStringSubmatch(r.Text)
		if m == nil {
			t.Fatalf("recording %q", r.Text)
		}
		want = said{m[2], m[1], m[3]}
	}
	if got != want {
		t.Errorf("got  %q %q\nwant %q %q", got.operation+" "+got.code, got.text, want.operation+" "+want.code, want.text)
	}
}

// TestRecordedMessages holds every text recorded from AWS against the sandbox:
// same code, same text, at the same moment.
func TestRecordedMessages(t *testing.T) {
	t.Parallel()
	plays := messagePlays()
	all := recordedMessages(t, "testdata/aws-messages.json")
	known := map[string]bool{}
	for _, r := range all {
		known[r.id()] = true
		_, out := whyLeftOut(r)
		play, in := plays[r.id()]
		if in == out {
			t.Errorf("%s: neither played nor left out with a reason, or both", r.id())
			continue
		}
		if out {
			continue
		}
		t.Run(r.Kind+" "+r.Text[:min(60, len(r.Text))], func(t *testing.T) {
			t.Parallel()
			r.check(t, play(t, &stage{door: inProcess(sandbox.Options{Speed: sandbox.MaxSpeed})}))
		})
	}
	for id := range plays {
		if !known[id] {
			t.Errorf("%s is played but was not recorded", id)
		}
	}
	for part := range leftOut {
		used := false
		for _, r := range all {
			used = used || strings.Contains(r.Text, part)
		}
		if !used {
			t.Errorf("%q is left out but was not recorded", part)
		}
	}
}

// The copied facts are those of the shared page, where that is at hand.
func TestRecordedMessagesAreAllThere(t *testing.T) {
	t.Parallel()
	const page = "../../../shared/data/aws-messages.json"
	if _, err := os.Stat(page); err != nil {
		t.Skip("the page the texts were copied from is not here: ", err)
	}
	have := map[string]bool{}
	for _, r := range recordedMessages(t, "testdata/aws-messages.json") {
		have[r.id()] = true
	}
	for _, r := range recordedMessages(t, page) {
		if !have[r.id()] {
			t.Errorf("missing: %s", r.id())
		}
	}
}

// stage is a sandbox in which one text is provoked.
type stage struct{ door }

type play func(t *testing.T, s *stage) said

func (s *stage) change(t *testing.T, in cloudformation.CreateChangeSetInput) (*cloudformation.CreateChangeSetOutput, error) {
	t.Helper()
	if in.StackName == nil {
		in.StackName = new("app")
	}
	if in.ChangeSetName == nil {
		in.ChangeSetName = new("test")
	}
	if in.ChangeSetType == "" {
		in.ChangeSetType = types.ChangeSetTypeCreate
	}
	return s.cfn().CreateChangeSet(t.Context(), &in)
}

// changeSet makes a change set and waits for it.
func (s *stage) changeSet(t *testing.T, in cloudformation.CreateChangeSetInput, values bool) *cloudformation.DescribeChangeSetOutput {
	t.Helper()
	made := must[*cloudformation.CreateChangeSetOutput](t)(s.change(t, in))
	for range 50 {
		out := must[*cloudformation.DescribeChangeSetOutput](t)(s.cfn().DescribeChangeSet(t.Context(), &cloudformation.DescribeChangeSetInput{
			ChangeSetName: made.Id, IncludePropertyValues: &values,
		}))
		if out.Status == types.ChangeSetStatusCreateComplete || out.Status == types.ChangeSetStatusFailed {
			return out
		}
	}
	t.Fatal("the change set is never done")
	return nil
}

// up has a stack made of a template.
func (s *stage) up(t *testing.T, name, template string) types.Stack {
	t.Helper()
	create(t, s.door, cloudformation.CreateStackInput{StackName: &name, TemplateBody: &template, Capabilities: allCapabilities()})
	return settle(t, s.door, name)
}

func allCapabilities() []types.Capability {
	return []types.Capability{types.CapabilityCapabilityNamedIam, types.CapabilityCapabilityAutoExpand, types.CapabilityCapabilityIam}
}

func (s *stage) down(t *testing.T, name string) {
	t.Helper()
	must[*cloudformation.DeleteStackOutput](t)(s.cfn().DeleteStack(t.Context(), &cloudformation.DeleteStackInput{StackName: &name}))
}

// renamed replaces what this run made up by the words of the recording.
func (a said) renamed(pairs ...string) said {
	a.text = strings.NewReplacer(pairs...).Replace(a.text)
	return a
}

// eventReason finds the first reason of a stack's events that has a part.
func (s *stage) eventReason(t *testing.T, stack, part string) said {
	t.Helper()
	out := must[*cloudformation.DescribeStackEventsOutput](t)(s.cfn().DescribeStackEvents(t.Context(), &cloudformation.DescribeStackEventsInput{StackName: &stack}))
	all := ""
	for _, e := range out.StackEvents {
		if r := e.ResourceStatusReason; r != nil {
			if strings.Contains(*r, part) {
				return said{text: *r}
			}
			all += "\n" + *e.LogicalResourceId + " " + string(e.ResourceStatus) + " " + *r
		}
	}
	t.Fatalf("no event says %q:%s", part, all)
	return said{}
}

// fail makes a resource fail in a phase, once.
func (s *stage) fail(t *testing.T, id, phase string) {
	t.Helper()
	if _, err := s.s.AddFault(t.Context(), sandbox.Fault{Logical: id, Phase: phase, Fail: true, Message: "no luck"}); err != nil {
		t.Fatal(err)
	}
}
