package engine

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

const exporter = `
Parameters: {Value: {Type: String, Default: one}, Mode: {Type: String, Default: a}}
Conditions: {More: !Equals [!Ref Mode, b]}
Resources:
  Topic: {Type: AWS::SNS::Topic, Properties: {DisplayName: !Ref Value}}
  Vpc: {Type: AWS::EC2::VPC, Properties: {CidrBlock: !If [More, 10.1.0.0/16, 10.0.0.0/16]}}
  Subnet: {Type: AWS::EC2::Subnet, Properties: {VpcId: !Ref Vpc, CidrBlock: 10.0.0.0/24}}
  Extra: {Type: AWS::SNS::Topic, Condition: More, Properties: {DisplayName: !GetAtt Topic.TopicName}}
Outputs:
  Value: {Value: !Ref Value, Export: {Name: !Sub "${AWS::StackName}-value"}}
`

const consumer = `
Parameters: {Value: {Type: String, Default: one}, Mode: {Type: String, Default: a}}
Resources:
  Param: {Type: AWS::SSM::Parameter, Properties: {Type: String, Value: !ImportValue a-value, Name: !Sub "/x/${Mode}"}}
  Group: {Type: AWS::EC2::SecurityGroup, DependsOn: Param, Properties: {GroupDescription: !Ref Value}}
`

const nester = `
Parameters: {Value: {Type: String, Default: one}, Mode: {Type: String, Default: a}}
Resources:
  Child:
    Type: AWS::CloudFormation::Stack
    Properties: {TemplateURL: "https://bucket.s3.amazonaws.com/child.yaml", Parameters: {Value: !Ref Value, Mode: !Ref Mode}}
  After: {Type: AWS::SNS::Topic, DeletionPolicy: Retain, UpdateReplacePolicy: Retain, Properties: {TopicName: !Sub "${Value}-${AWS::StackName}", DisplayName: !GetAtt Child.Outputs.Value}}
`

// fuzzed is a world of random faults and random operations.
func fuzzed(tb testing.TB, t *rapid.T) *world {
	tb.Helper()
	w := newWorld(tb)
	w.t = quiet{tb, t}
	w.files["https://bucket.s3.amazonaws.com/child.yaml"] = exporter
	seed := rapid.Uint64().Draw(t, "seed")
	chance := rapid.IntRange(0, 40).Draw(t, "faults in 100")
	fetch := w.e.cfg.Fetch
	w.e = New(Config{Seed: seed, Fetch: fetch, Fault: func(_ Tx, q FaultQuery) (FaultAnswer, error) {
		b := w.e.chance("fault", q.StackID, q.LogicalID, q.Phase, q.Step, q.At.String())
		return FaultAnswer{Fail: int(b[0])*100/256 < chance, Message: "struck", HandlerCode: "InternalFailure"}, nil
	}})
	return w
}

// quiet reports failures to rapid, so that it can shrink them.
type quiet struct {
	testing.TB
	r *rapid.T
}

func (q quiet) Helper()                      {}
func (q quiet) Fatalf(f string, args ...any) { q.r.Fatalf(f, args...) }
func (q quiet) Fatal(args ...any)            { q.r.Fatal(args...) }
func (q quiet) Errorf(f string, args ...any) { q.r.Errorf(f, args...) }

// step does one random thing and ignores refusals.
func step(t *rapid.T, w *world, n int) {
	name := rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "stack")
	template := []string{exporter, consumer, nester}[rapid.IntRange(0, 2).Draw(t, "template")]
	params := parameters([]string{
		"Value", rapid.SampledFrom([]string{"one", "two"}).Draw(t, "value"), "Mode", rapid.SampledFrom([]string{"a", "b"}).Draw(t, "mode"),
	})
	token := fmt.Sprintf("t%d", n)
	var action string
	var in any
	what := rapid.IntRange(0, 9).Draw(t, "what")
	if rapid.IntRange(0, 3).Draw(t, "any action") > 0 {
		what = sensible(w, name, what)
	}
	switch what {
	case 0, 1:
		on := rapid.SampledFrom([]string{"", "DELETE", "DO_NOTHING"}).Draw(t, "on failure")
		action, in = "CreateStack", &CreateStackInput{StackName: name, TemplateBody: template, Parameters: params, ClientRequestToken: token, OnFailure: on}
	case 2, 3:
		off := rapid.Bool().Draw(t, "disable rollback")
		action, in = "UpdateStack", &UpdateStackInput{StackName: name, TemplateBody: template, Parameters: params, ClientRequestToken: token, DisableRollback: &off}
	case 4:
		action, in = "DeleteStack", &DeleteStackInput{StackName: name, ClientRequestToken: token}
	case 5:
		action, in = "CancelUpdateStack", &CancelUpdateStackInput{StackName: name, ClientRequestToken: token}
	case 6:
		action, in = "ContinueUpdateRollback", &ContinueUpdateRollbackInput{StackName: name, ClientRequestToken: token}
	case 7:
		action, in = "RollbackStack", &RollbackStackInput{StackName: name, ClientRequestToken: token}
	case 8:
		kind := rapid.SampledFrom([]string{"CREATE", "UPDATE"}).Draw(t, "kind")
		action, in = "CreateChangeSet", &CreateChangeSetInput{StackName: name, ChangeSetName: "cs" + token, ChangeSetType: kind, TemplateBody: template, Parameters: params, IncludeNestedStacks: new(rapid.Bool().Draw(t, "nested"))}
	case 9:
		if open := do[DescribeStacksOutput](w, "DescribeStacks", &DescribeStacksInput{}); len(open.Stacks) > 0 {
			st := open.Stacks[0]
			if sets := do[ListChangeSetsOutput](w, "ListChangeSets", &ListChangeSetsInput{StackName: st.StackId}).Summaries; len(sets) > 0 {
				action, in = "ExecuteChangeSet", &ExecuteChangeSetInput{ChangeSetName: sets[0].ChangeSetId, ClientRequestToken: token}
			}
		}
	}
	if action == "" {
		return
	}
	if _, err := w.try(action, in); err != nil {
		if _, refusal := err.(*Error); !refusal { //nolint:errorlint // refusals are not wrapped
			t.Fatalf("%s: %v", action, err)
		}
	}
}

// sensible replaces an action by one that a stack's status allows.
func sensible(w *world, name string, what int) int {
	out, err := w.try("DescribeStacks", &DescribeStacksInput{StackName: name})
	if err != nil {
		return []int{0, 8}[what%2]
	}
	switch out.(*DescribeStacksOutput).Stacks[0].StackStatus {
	case createComplete, updateComplete, undoComplete:
		return []int{2, 2, 2, 2, 2, 8, 2, 4, 8, 9}[what]
	case updateInProgress:
		return []int{5, 2, 5, 4, 4, 5, 8, 7, 2, 6}[what]
	case undoFailed:
		return []int{6, 6, 6, 6, 4, 6, 6, 2, 6, 6}[what]
	case updateFailed, createFailed:
		return []int{2, 7, 2, 7, 4, 2, 7, 2, 8, 7}[what]
	case reviewInProgress:
		return []int{9, 9, 9, 0, 4, 9, 9, 8, 8, 9}[what]
	case rollbackComplete, rollbackFailed, deleteFailed:
		return 4
	}
	return what
}

// legal says which statuses of a stack may follow one another.
var legal = map[string][]string{
	"":                 {createInProgress, reviewInProgress},
	reviewInProgress:   {createInProgress, deleteInProgress},
	createInProgress:   {createComplete, createFailed, rollbackInProgress, deleteInProgress},
	createComplete:     {updateInProgress, deleteInProgress},
	createFailed:       {updateInProgress, deleteInProgress},
	rollbackInProgress: {rollbackComplete, rollbackFailed, deleteInProgress},
	rollbackComplete:   {deleteInProgress},
	rollbackFailed:     {deleteInProgress},
	updateInProgress:   {updateCleanup, updateFailed, undoInProgress},
	updateCleanup:      {updateComplete},
	updateComplete:     {updateInProgress, deleteInProgress},
	updateFailed:       {updateInProgress, undoInProgress, deleteInProgress},
	undoInProgress:     {undoCleanup, undoFailed},
	undoCleanup:        {undoComplete},
	undoComplete:       {updateInProgress, deleteInProgress},
	undoFailed:         {undoInProgress, deleteInProgress},
	deleteInProgress:   {deleteComplete, deleteFailed},
	deleteFailed:       {deleteInProgress},
}

// check holds a world against what is always true.
func check(t *rapid.T, w *world) {
	exports := map[string]string{}
	for _, sum := range do[ListStacksOutput](w, "ListStacks", &ListStacksInput{}).StackSummaries {
		last, token, op := "", "", ""
		ids := map[string]bool{}
		for _, e := range w.events(sum.StackId) {
			if ids[e.EventId+e.Timestamp.String()+e.ResourceStatusReason+*e.PhysicalResourceId] {
				t.Errorf("event %s twice", e.EventId)
			}
			ids[e.EventId+e.Timestamp.String()+e.ResourceStatusReason+*e.PhysicalResourceId] = true
			if e.ResourceType == stackType && e.LogicalResourceId == sum.StackName {
				heldBack := sum.ParentId != "" && last == updateCleanup && e.ResourceStatus == undoInProgress
				if !heldBack && !slices.Contains(legal[last], e.ResourceStatus) {
					t.Errorf("%s went from %q to %s\n%s", sum.StackName, last, e.ResourceStatus, w.stream(sum.StackId))
				}
				last, token, op = e.ResourceStatus, e.ClientRequestToken, e.OperationId
			}
			if e.ClientRequestToken != token || e.OperationId != op {
				t.Errorf("event %s %s has token %q of operation %s, its stack's are %q and %s", e.LogicalResourceId, e.ResourceStatus, e.ClientRequestToken, e.OperationId, token, op)
			}
		}
		if last != sum.StackStatus {
			t.Errorf("%s is %s, its last event says %s", sum.StackName, sum.StackStatus, last)
		}
		if sum.StackStatus == deleteComplete {
			continue
		}
		for _, o := range w.stack(sum.StackId).Outputs {
			if o.ExportName != "" {
				exports[o.ExportName] = o.OutputValue
			}
		}
	}
	for _, e := range do[ListExportsOutput](w, "ListExports", &ListExportsInput{}).Exports {
		if exports[e.Name] != e.Value {
			t.Errorf("export %s is %q, its output %q", e.Name, e.Value, exports[e.Name])
		}
		delete(exports, e.Name)
	}
	if len(exports) > 0 {
		t.Errorf("exports %v are not listed", exports)
	}
}

func TestRandomOperations(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		w := fuzzed(t, r)
		for n := range rapid.IntRange(1, 25).Draw(r, "steps") {
			step(r, w, n)
			w.pass(time.Duration(rapid.IntRange(0, 90).Draw(r, "seconds")) * time.Second)
		}
		check(r, w)
		w.settle()
		check(r, w)
		for _, sum := range do[ListStacksOutput](w, "ListStacks", &ListStacksInput{}).StackSummaries {
			if !stable(sum.StackStatus) {
				r.Fatalf("%s is %s for ever\n%s", sum.StackName, sum.StackStatus, w.stream(sum.StackId))
			}
		}
		if left := w.tx.tables["due"]; len(left) > 0 {
			r.Fatalf("steps are left: %v", left)
		}
		if left := w.tx.tables["operation"]; len(left) > 0 {
			r.Fatalf("operations are left: %v", left)
		}
		inventory(r, w)
	})
}

// inventory holds the index of physical resources against the stacks' own: all
// that stacks have is in it, and nothing else but what was left behind.
func inventory(t *rapid.T, w *world) {
	owned := map[string]string{}
	for k, raw := range w.tx.tables["physical"] {
		var o owner
		if err := json.Unmarshal(raw, &o); err != nil {
			t.Fatal(err)
		}
		if o.Stack != "" {
			owned[strings.Split(k, "\x01")[2]+" "+o.Stack+" "+o.ID] = o.Type
		}
	}
	used := map[string]bool{}
	for k := range w.tx.tables["use"] {
		parts := strings.Split(k, "\x01")
		used[parts[3]+" "+parts[4]] = true
	}
	for k, raw := range w.tx.tables["resource"] {
		stackID, _, _ := strings.Cut(k, "\x01")
		var r resource
		if err := json.Unmarshal(raw, &r); err != nil {
			t.Fatal(err)
		}
		delete(used, stackID+" "+r.ID)
		if !r.alive() {
			continue
		}
		states := []state{r.state}
		for _, old := range r.Old {
			states = append(states, old.state)
		}
		for i, st := range states {
			for _, name := range st.names() {
				entry := name + " " + stackID + " " + r.ID
				if owned[entry] == "" && i == 0 && st.Type != stackType {
					t.Errorf("%s of %s is not in the index\n%s", name, r.ID, w.stream(stackID))
				}
				delete(owned, entry)
			}
		}
	}
	for entry := range owned {
		t.Errorf("the index has %s, which nobody owns\n%s", entry, w.stream(strings.Fields(entry)[1]))
	}
	if len(used) > 0 {
		t.Errorf("users are left: %v", used)
	}
}

func TestAdvanceMaySplit(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		w := fuzzed(t, r)
		for n := range rapid.IntRange(1, 12).Draw(r, "steps") {
			step(r, w, n)
			ahead := time.Duration(rapid.IntRange(0, 60_000).Draw(r, "milliseconds")) * time.Millisecond
			half := time.Duration(rapid.Int64Range(0, int64(ahead)).Draw(r, "half"))
			split := w.tx.clone()
			for _, until := range []time.Time{w.now.Add(half), w.now.Add(ahead)} {
				if _, err := w.e.Advance(split, until); err != nil {
					r.Fatal(err)
				}
			}
			w.pass(ahead)
			if a, b := w.tx.dump(), split.dump(); a != b {
				r.Fatalf("one advance:\n%s\ntwo:\n%s", a, b)
			}
		}
	})
}
