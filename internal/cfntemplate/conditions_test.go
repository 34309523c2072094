package cfntemplate_test

import (
	"maps"
	"testing"

	"github.com/deployer-cli/deployer/internal/cfntemplate"
)

func TestEvalConditions(t *testing.T) {
	t.Parallel()
	tpl := parse(t, topic+`
Parameters: {P: {Type: String}, L: {Type: CommaDelimitedList}, U: {Type: String}}
Mappings: {M: {a: {k: "true"}}}
Conditions:
  Same: !Equals [!Ref P, a]
  Case: !Equals [!Ref P, A]
  Number: !Equals ["80", 80]
  Truth: !Equals ["true", true]
  Lists: !Equals [!Ref L, !Split [",", "x,1"]]
  Map: !Equals [!FindInMap [M, !Ref P, k], true]
  Sub: !Equals [!Sub "${P}-${AWS::Region}", a-r]
  Open: !Equals [!Ref U, a]
  NotOpen: !Not [!Condition Open]
  Not: !Not [!Condition Same]
  And: !And [!Condition Same, !Condition Not]
  Or: !Or [!Condition Same, !Condition Not]
  AndOpen: !And [!Condition Same, !Condition Open]
  AndFalse: !And [!Condition Open, !Condition Not]
  OrOpen: !Or [!Condition Not, !Condition Open]
  OrTrue: !Or [!Condition Open, {Condition: Same}]
`)
	env := &cfntemplate.Env{
		Region:     "r",
		Conditions: map[string]bool{"Same": false}, // must not be taken for granted
		Parameters: map[string]any{"P": "a", "L": []string{"x", "1"}, "U": cfntemplate.Unknown{Why: "later"}},
	}
	got, err := tpl.EvalConditions(env)
	want := map[string]bool{
		"Same": true, "Case": false, "Number": true, "Truth": true, "Lists": true, "Map": true, "Sub": true,
		"Not": false, "And": false, "Or": true, "AndFalse": false, "OrTrue": true,
	}
	if err != nil || !maps.Equal(got, want) {
		t.Errorf("got  %v, %v\nwant %v", got, err, want)
	}
	if env.Conditions["Same"] {
		t.Error("the Env was changed")
	}
	if v, err := tpl.Eval(value(t, "!If [Same, a, b]"), env); v != "b" || err != nil {
		t.Errorf("Conditions of the Env do not count: %v, %v", v, err)
	}
	v, err := tpl.Eval(value(t, "!If [Not, a, b]"), env)
	if _, ok := v.(cfntemplate.Unknown); !ok || err != nil {
		t.Errorf("a condition that is not given is known: %v, %v", v, err)
	}
}

func TestEvalConditionsErrors(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"{A: !Not [!Condition B], B: !Not [!Condition A]}": "Template error: Found circular condition dependency: [A]",
		"{A: !Condition A}":             "Template error: Found circular condition dependency: [A]",
		"{A: !Condition B}":             "Template error: unresolved condition dependency B in Condition",
		"{A: !Equals [a, b, c]}":        "Template error: every Fn::Equals object requires a list of 2 string parameters.",
		"{A: {x: y}}":                   "Template format error: Conditions can only be boolean operations on parameters and other conditions",
		"{A: !Equals [!Ref Nobody, a]}": "Template format error: Unresolved resource dependencies [Nobody] in the Resources block of the template",
	} {
		_, err := parse(t, topic+"Conditions: "+in).EvalConditions(&cfntemplate.Env{})
		if err == nil || err.Error() != want {
			t.Errorf("%s: got %v, want %s", in, err, want)
		}
	}
}

func TestCheckRules(t *testing.T) {
	t.Parallel()
	for rule, want := range map[string]string{
		`{RuleCondition: !Equals [!Ref P, a], Assertions: [{Assert: {Fn::Contains: [[x, y], !Ref Q]}, AssertDescription: Q is wrong}]}`: "Rule R failed: Q is wrong",
		`{RuleCondition: !Equals [!Ref P, b], Assertions: [{Assert: {Fn::Contains: [[x, y], !Ref Q]}}]}`:                                "",
		`{Assertions: [{Assert: {Fn::Contains: [[x, q], !Ref Q]}}]}`:                                                                    "",
		`{Assertions: [{Assert: {Fn::EachMemberEquals: [!Ref L, x]}, AssertDescription: d}]}`:                                           "Rule R failed: d",
		`{Assertions: [{Assert: {Fn::EachMemberEquals: [[x, x], x]}}]}`:                                                                 "",
		`{Assertions: [{Assert: {Fn::EachMemberIn: [!Ref L, [x, y, z]]}}]}`:                                                             "",
		`{Assertions: [{Assert: {Fn::EachMemberIn: [!Ref L, [x]]}}]}`:                                                                   "Rule R failed: ",
		`{Assertions: [{Assert: {Fn::EachMemberIn: [{Fn::ValueOfAll: [AWS::EC2::VPC::Id, Tags.T]}, [x]]}}]}`:                            "",
		`{Assertions: [{Assert: !Equals [{Fn::ValueOf: [P, Tags.T]}, x]}]}`:                                                             "",
		`{Assertions: [{Assert: {Fn::Contains: [{Fn::RefAll: AWS::EC2::VPC::Id}, x]}}]}`:                                                "",
		`{Assertions: [{Assert: !And [!Equals [!Ref P, a], !Not [!Equals [!Ref Q, q]]], AssertDescription: no}]}`:                       "Rule R failed: no",
		`{}`: "Template format error: Every Rules member must contain Assertions.",
		`{Assertions: [{Assert: {Fn::Contains: [a]}}]}`:        "Template error: every Fn::Contains object requires two parameters.",
		`{Assertions: [{Assert: {Fn::Split: [a, b]}}]}`:        "Template format error: Fn::Split cannot be used in Rules",
		`{Assertions: [{Assert: {Fn::Contains: [[[a]], b]}}]}`: "Template format error: Rules compare strings and lists of strings",
	} {
		tpl := parse(t, topic+"Parameters: {P: {Type: String}, Q: {Type: String}, L: {Type: CommaDelimitedList}}\nRules:\n  R: "+rule+"\n")
		got := ""
		for _, e := range tpl.CheckRules(&cfntemplate.Env{Parameters: map[string]any{"P": "a", "Q": "q", "L": []string{"x", "y"}}}) {
			got = e.Message
			if e.Line == 0 {
				t.Errorf("%s: no place", rule)
			}
		}
		if got != want {
			t.Errorf("%s\ngot  %s\nwant %s", rule, got, want)
		}
	}
}
