package cfntemplate_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/deployer-cli/deployer/internal/cfntemplate"
)

func TestRefs(t *testing.T) {
	t.Parallel()
	refs, attributes := cfntemplate.Refs(value(t, `
- !Ref B
- !Ref B
- !Sub "${A}-${!Not}-${C.X.Y}-${AWS::Region}"
- !Sub ["${local}${D}", {local: !GetAtt E.F}]
- Fn::GetAtt: [G, !Ref H]
- Fn::If: [Cond, !Ref I, {Ref: [odd]}]
- {Ref: notACall, sibling: 1}
`))
	if want := []string{"A", "AWS::Region", "B", "D", "H", "I"}; !slices.Equal(refs, want) {
		t.Errorf("refs %q, want %q", refs, want)
	}
	if want := [][2]string{{"C", "X.Y"}, {"E", "F"}, {"G", ""}}; !reflect.DeepEqual(attributes, want) {
		t.Errorf("attributes %q, want %q", attributes, want)
	}
}

const dependTemplate = `
Parameters: {P: {Type: String}}
Conditions: {C: !Equals [!Ref P, a]}
Resources:
  Web:
    Type: AWS::SNS::Topic
    DependsOn: [Net, Extra]
    Properties: {A: !Ref P, B: !Sub "${Db.TopicArn}", C: !If [C, !Ref Extra, !Ref Other], D: !Ref AWS::Region}
    Metadata: {M: !Ref Meta}
    UpdatePolicy: {U: !GetAtt Upd.TopicArn}
    CreationPolicy: {U: !Ref Cre}
  Db: {Type: AWS::SNS::Topic, Properties: {N: !Ref Net}}
  Net: {Type: AWS::SNS::Topic}
  Extra: {Type: AWS::SNS::Topic, Condition: C}
  Other: {Type: AWS::SNS::Topic}
  Meta: {Type: AWS::SNS::Topic}
  Upd: {Type: AWS::SNS::Topic}
  Cre: {Type: AWS::SNS::Topic, Properties: {V: !ImportValue shared}}
Outputs:
  O: {Value: !Ref Extra, Condition: C}
  P: {Value: !If [C, {Fn::GetStackOutput: {StackName: s, OutputName: o}}, !ImportValue other]}
`

func TestDependencies(t *testing.T) {
	t.Parallel()
	tpl := parse(t, dependTemplate)
	if got, want := tpl.Dependencies("Web"), []string{"Cre", "Db", "Extra", "Meta", "Net", "Other", "Upd"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := tpl.Dependencies("Nobody"); got != nil {
		t.Errorf("nobody depends on %q", got)
	}
	order, err := tpl.Order()
	if err != nil || len(order) != len(tpl.Resources) {
		t.Fatalf("%q, %v", order, err)
	}
	for i, name := range order {
		for _, d := range tpl.Dependencies(name) {
			if slices.Index(order, d) > i {
				t.Errorf("%s comes before %s: %q", name, d, order)
			}
		}
	}
	if got, want := tpl.Imports(), []any{"other", "shared"}; !reflect.DeepEqual(got, want) {
		t.Errorf("imports %v, want %v", got, want)
	}
	if got, want := tpl.StackOutputs(), []any{map[string]any{"StackName": "s", "OutputName": "o"}}; !reflect.DeepEqual(got, want) {
		t.Errorf("stack outputs %v, want %v", got, want)
	}
}

func TestPrune(t *testing.T) {
	t.Parallel()
	tpl := parse(t, dependTemplate)
	pruned := tpl.Prune(map[string]bool{"C": false})
	if got, want := pruned.Dependencies("Web"), []string{"Cre", "Db", "Meta", "Net", "Other", "Upd"}; !slices.Equal(got, want) {
		t.Errorf("dependencies %q, want %q", got, want)
	}
	if _, ok := pruned.Resources["Extra"]; ok || slices.Contains(pruned.ResourceNames, "Extra") || slices.Contains(pruned.OutputNames, "O") {
		t.Error("what its condition leaves out is still there")
	}
	if got := pruned.Outputs["P"].Value; !reflect.DeepEqual(got, map[string]any{"Fn::ImportValue": "other"}) {
		t.Errorf("output %v", got)
	}
	if got := pruned.StackOutputs(); got != nil {
		t.Errorf("stack outputs %v", got)
	}
	if found := pruned.Check(); len(found) > 0 {
		t.Errorf("Check: %q", texts(found))
	}
	if !reflect.DeepEqual(tpl.Prune(nil).Resources, tpl.Resources) || !reflect.DeepEqual(tpl.Prune(nil).Outputs, tpl.Outputs) {
		t.Error("pruning by no condition changes something")
	}
	if !reflect.DeepEqual(parse(t, dependTemplate).Doc, tpl.Doc) {
		t.Error("pruning changed the original")
	}
}

// References to what a condition leaves out are refused: recorded from AWS in
// test_conditions::test_dependent_get_att and ::test_output_reference_to_skipped_resource.
func TestPruneShowsSkippedReferences(t *testing.T) {
	t.Parallel()
	tpl := parse(t, `
Conditions: {Never: !Equals [a, b]}
Resources:
  MyTopic: {Type: AWS::SNS::Topic, Condition: Never}
  P:
    Type: AWS::SSM::Parameter
    Properties: {Type: String, Value: !Ref MyTopic}
Outputs: {O: {Value: !Ref MyTopic}}
`)
	if found := tpl.Check(); len(found) > 0 {
		t.Fatalf("unpruned: %q", texts(found))
	}
	want := []string{
		"Template format error: Unresolved resource dependencies [MyTopic] in the Resources block of the template",
		"Unresolved resource dependencies [MyTopic] in the Outputs block of the template",
	}
	found := tpl.Prune(map[string]bool{"Never": false}).Check()
	if !slices.Equal(texts(found), want) {
		t.Errorf("got %q, want %q", texts(found), want)
	}
	if found[0].Line != 7 {
		t.Errorf("line %d, want 7", found[0].Line)
	}
}

func TestOrderTakesLinearTime(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString("Resources:\n  R0: {Type: AWS::SNS::Topic}\n")
	for i := range 5000 {
		fmt.Fprintf(&b, "  R%d: {Type: AWS::SNS::Topic, DependsOn: R%d, Properties: {D: !Ref R0}}\n", i+1, i)
	}
	tpl := parse(t, b.String())
	start := time.Now()
	order, err := tpl.Order()
	if err != nil || len(order) != 5001 || order[5000] != "R5000" {
		t.Fatalf("%d resources, %v", len(order), err)
	}
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("5,000 resources took %v", took)
	}
}

func TestOrderOfRandomGraphs(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 12).Draw(t, "n")
		var b strings.Builder
		b.WriteString("Resources:\n")
		for i := range n {
			d := rapid.SliceOfNDistinct(rapid.IntRange(0, n-1), 0, min(n, 3), rapid.ID[int]).Draw(t, "needs")
			fmt.Fprintf(&b, "  R%d: {Type: AWS::SNS::Topic, DependsOn: [", i)
			for _, j := range d {
				fmt.Fprintf(&b, "R%d, ", j)
			}
			b.WriteString("]}\n")
		}
		tpl, err := cfntemplate.Parse([]byte(b.String()))
		if err != nil {
			t.Fatal(err)
		}
		order, err := tpl.Order()
		if err != nil {
			if !strings.HasPrefix(err.Error(), "Circular dependency between resources: [R") {
				t.Fatal(err)
			}
			return
		}
		for i, name := range order {
			for _, d := range tpl.Dependencies(name) {
				if slices.Index(order, d) >= i {
					t.Fatalf("%s comes before %s: %q", name, d, order)
				}
			}
		}
	})
}

// large is a template as long as CloudFormation takes.
func large() []byte {
	var b strings.Builder
	b.WriteString("Parameters: {P: {Type: String}}\nConditions: {C: !Equals [!Ref P, a]}\nResources:\n  R0: {Type: AWS::SNS::Topic}\n")
	for i := range 499 {
		fmt.Fprintf(&b, `  R%d:
    Type: AWS::SNS::Topic
    Properties:
      DisplayName: !Sub "${P}-${R%d.TopicName}-${AWS::Region}"
      Tags: [{Key: a, Value: !If [C, !Ref R0, !Ref AWS::NoValue]}, {Key: b, Value: !Join ["", [x, !Ref P]]}]
`, i+1, i)
	}
	return []byte(b.String())
}

func BenchmarkParse(b *testing.B) {
	body := large()
	for b.Loop() {
		if _, err := cfntemplate.Parse(body); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCheck(b *testing.B) {
	tpl := parse(b, string(large()))
	for b.Loop() {
		if found := tpl.Check(); len(found) > 0 {
			b.Fatal(texts(found))
		}
	}
}

func BenchmarkEval(b *testing.B) {
	tpl := parse(b, string(large()))
	env := evalEnv()
	env.Parameters["P"] = "a"
	for b.Loop() {
		for _, name := range tpl.ResourceNames {
			if _, err := tpl.Eval(tpl.Resources[name].Properties, env); err != nil {
				b.Fatal(err)
			}
		}
	}
}
