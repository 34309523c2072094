package cfntemplate_test

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/deployer-cli/deployer/internal/cfntemplate"
)

const evalTemplate = `
Transform: AWS::LanguageExtensions
Parameters:
  Name: {Type: String}
  Count: {Type: Number}
  List: {Type: CommaDelimitedList}
  Later: {Type: String}
  Absent: {Type: String}
Mappings:
  Map:
    top: {second: value, list: [a, b], number: 5}
Conditions:
  Yes: !Equals [!Ref Name, name]
  No: !Not [!Condition Yes]
  Open: !Equals [!Ref Later, x]
Resources:
  Topic: {Type: AWS::SNS::Topic}
  Other: {Type: AWS::SNS::Topic}
`

func evalEnv() *cfntemplate.Env {
	return &cfntemplate.Env{
		Parameters: map[string]any{"Name": "name", "Count": "2", "List": []string{"x", "y", "z"}, "Later": cfntemplate.Unknown{Why: "later"}},
		AccountID:  "123456789012", Region: "eu-west-1", StackName: "stack", StackID: "arn:stack", NotificationARNs: []string{"arn:n"},
		Resource: func(id string) (any, error) {
			if id == "Other" {
				return cfntemplate.Unknown{Why: "not yet"}, nil
			}
			return "ref-" + id, nil
		},
		Attribute: func(id, attr string) (any, error) {
			switch attr {
			case "Broken":
				return nil, errors.New("no such thing")
			case "None":
				return nil, nil
			case "Size":
				return 7, nil
			}
			return id + "." + attr, nil
		},
		Import: func(name string) (any, error) { return "import-" + name, nil },
		StackOutput: func(args map[string]any) (any, error) {
			return fmt.Sprint("output ", args["StackName"], " ", args["OutputName"], " ", args["Region"]), nil
		},
		Zones: func(region string) []string { return []string{region + "a", region + "b"} },
	}
}

// value reads v, a flow of YAML, as it would stand in a template.
func value(t testing.TB, v string) any {
	t.Helper()
	tpl := parse(t, topic+"Metadata:\n  V: "+strings.ReplaceAll(v, "\n", "\n    ")+"\n")
	metadata, _ := tpl.Doc["Metadata"].(map[string]any)
	return metadata["V"]
}

func TestEval(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]any{
		"text":                       "text",
		"5":                          int64(5),
		"[a, 1.5, true]":             []any{"a", 1.5, true},
		"!Ref Name":                  "name",
		"!Ref Count":                 "2",
		"!Ref List":                  []any{"x", "y", "z"},
		"!Ref Topic":                 "ref-Topic",
		"!Ref AWS::Region":           "eu-west-1",
		"!Ref AWS::AccountId":        "123456789012",
		"!Ref AWS::StackName":        "stack",
		"!Ref AWS::StackId":          "arn:stack",
		"!Ref AWS::Partition":        "aws",
		"!Ref AWS::URLSuffix":        "amazonaws.com",
		"!Ref AWS::NoValue":          cfntemplate.NoValue,
		"{Ref: !Select [0, [Name]]}": "name",
		"!Ref AWS::NotificationARNs": []any{"arn:n"},
		"{a: !Ref AWS::NoValue, b: [!Ref AWS::NoValue, c]}":              map[string]any{"b": []any{"c"}},
		"!GetAtt Topic.TopicArn":                                         "Topic.TopicArn",
		"!GetAtt Topic.Nested.Part":                                      "Topic.Nested.Part",
		"!GetAtt Topic.Size":                                             int64(7),
		"{Fn::GetAtt: [Topic, Nested, Part]}":                            "Topic.Nested.Part",
		"{Fn::GetAtt: Topic.A.B}":                                        "Topic.A.B",
		"{Fn::GetAtt: [Topic, !Ref Name]}":                               "Topic.name",
		`!Sub "${Name}-${Topic}-${Topic.A.B}-${AWS::Region}"`:            "name-ref-Topic-Topic.A.B-eu-west-1",
		`!Sub "${!Name} $Name $${Name} ${Name"`:                          "${Name} $Name $name ${Name",
		`!Sub "${ Name }${AWS::NoValue}"`:                                "name",
		`!Sub ["${a}-${Name}-${b}", {a: !Ref Count, Name: local, b: 1}]`: "2-local-1",
		"!Sub 5": "5",
		"!Join ['-', [a, !Ref Name, 1, true, 1.50]]": "a-name-1-true-1.5",
		"!Join ['', []]":                                            "",
		"!Join [',', !Ref List]":                                    "x,y,z",
		"!Join [',', [a, !Ref AWS::NoValue, b]]":                    "a,b",
		"!Join [',', !GetAZs '']":                                   "eu-west-1a,eu-west-1b",
		"!Split [',', 'a,,b']":                                      []any{"a", "", "b"},
		"!Split ['|', !Ref Name]":                                   []any{"name"},
		"!Select [1, [a, b]]":                                       "b",
		"!Select ['1', !Ref List]":                                  "y",
		"!Select [!Ref Count, !Ref List]":                           "z",
		"!Select [0, [known, !Ref Later]]":                          "known",
		"!Select [1, !Split [',', 'a,b']]":                          "b",
		"!FindInMap [Map, top, second]":                             "value",
		"!FindInMap [Map, top, list]":                               []any{"a", "b"},
		"!FindInMap [Map, top, number]":                             int64(5),
		"!FindInMap [Map, top, missing, {DefaultValue: !Ref Name}]": "name",
		"!FindInMap [None, top, missing, {DefaultValue: 1}]":        int64(1),
		"!If [Yes, !Ref Name, !Ref Later]":                          "name",
		"!If [No, a, b]":                                            "b",
		"{x: !If [No, a, !Ref AWS::NoValue]}":                       map[string]any{},
		"!ImportValue shared":                                       "import-shared",
		"{Fn::ImportValue: !Sub '${Name}-x'}":                       "import-name-x",
		"{Fn::GetStackOutput: {StackName: s, OutputName: !Ref Name, Region: us-east-1}}": "output s name us-east-1",
		"!Base64 hello":                  "aGVsbG8=",
		"!GetAZs us-east-1":              []any{"us-east-1a", "us-east-1b"},
		"!GetAZs {Ref: AWS::Region}":     []any{"eu-west-1a", "eu-west-1b"},
		"!Cidr [10.0.0.0/24, 3, 5]":      []any{"10.0.0.0/27", "10.0.0.32/27", "10.0.0.64/27"},
		"!Cidr [10.0.0.7/16, '2']":       []any{"10.0.0.0/24", "10.0.1.0/24"},
		"!Cidr ['2001:db8::/56', 2, 64]": []any{"2001:db8::/64", "2001:db8:0:1::/64"},
		"{Fn::Length: [a, b]}":           int64(2),
		"{Fn::Length: !Ref List}":        int64(3),
		"{Fn::Length: [!Ref Later]}":     int64(1),
		"{Fn::ToJsonString: {b: <1>, a: !Ref List, c: !Ref AWS::NoValue}}": `{"a":["x","y","z"],"b":"<1>"}`,
		"{Fn::ToJsonString: [1, true]}":                                    "[1,true]",
		"{Condition: {StringEquals: {a: b}}}":                              map[string]any{"Condition": map[string]any{"StringEquals": map[string]any{"a": "b"}}},
		"!Equals [a, a]":                                                   true,
		"{Statement: [{Condition: Yes}]}":                                  map[string]any{"Statement": []any{map[string]any{"Condition": "Yes"}}},
	} {
		t.Run(in, func(t *testing.T) {
			t.Parallel()
			tpl := parse(t, evalTemplate)
			got, err := tpl.Eval(value(t, in), evalEnv())
			if err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("got %#v, %v, want %#v", got, err, want)
			}
		})
	}
}

func TestEvalUnknown(t *testing.T) {
	t.Parallel()
	for _, in := range []string{
		"!Ref Later", "!Ref Absent", "!Ref Other", "!GetAtt Topic.None", "{Fn::GetAtt: [Topic, !Ref Later]}", "{Fn::GetAtt: [!Ref Later, A]}",
		`!Sub "${Name} ${Later}"`, `!Sub ["${a}", {a: !Ref Later}]`, "!Join [',', [a, !Ref Later]]", "!Join [',', !Ref Later]",
		"!Split [',', !Ref Later]", "!Select [!Ref Later, [a, b]]", "!Select [1, [a, !Ref Later]]", "!Select [0, !Ref Later]",
		"!FindInMap [Map, !Ref Later, second]", "!If [Open, a, b]", "{Fn::ImportValue: !Ref Later}",
		"{Fn::GetStackOutput: {StackName: !Ref Later, OutputName: o}}", "{Fn::Base64: !Ref Later}", "{Fn::GetAZs: !Ref Later}",
		"!Cidr [!Ref Later, 1, 8]", "{Fn::Length: !Ref Later}", "{Fn::ToJsonString: {a: [!Ref Later]}}", "!Equals [!Ref Later, a]",
		"{Fn::Transform: {Name: AWS::Include, Parameters: {Location: x}}}", "{Ref: !Ref Later}",
	} {
		t.Run(in, func(t *testing.T) {
			t.Parallel()
			got, err := parse(t, evalTemplate).Eval(value(t, in), evalEnv())
			if u, ok := got.(cfntemplate.Unknown); !ok || err != nil || u.Why == "" {
				t.Errorf("got %#v, %v, want Unknown with a reason", got, err)
			}
		})
	}
	for _, in := range []string{
		"!Ref AWS::Region", "!Ref AWS::AccountId", "!Ref AWS::StackId", "!Ref AWS::StackName", "!Ref AWS::Partition", "!Ref AWS::URLSuffix", "!Ref Name",
		"!Ref Topic", "!GetAtt Topic.Arn", "!ImportValue x", "!GetAZs ''", "{Fn::GetStackOutput: {StackName: s, OutputName: o}}", "!If [Yes, a, b]",
	} {
		got, err := parse(t, evalTemplate).Eval(value(t, in), &cfntemplate.Env{})
		if _, ok := got.(cfntemplate.Unknown); !ok || err != nil {
			t.Errorf("%s in an empty Env: got %#v, %v, want Unknown", in, got, err)
		}
	}
}

func TestEvalErrors(t *testing.T) {
	t.Parallel()
	const (
		join       = "Template error: every Fn::Join object requires two parameters, (1) a string delimiter and (2) a list of strings to be joined or a function that returns a list of strings (such as Fn::GetAZs) to be joined."
		split      = "Template error: every Fn::Split object requires two parameters, (1) a string delimiter and (2) a string to be split or a function that returns a string to be split."
		choose     = "Template error: Fn::Select requires a list argument with two elements: an integer index and a list"
		getAtt     = "Template error: every Fn::GetAtt object requires two non-empty parameters, the resource name and the resource attribute"
		sub        = "Template error: One or more Fn::Sub intrinsic functions don't specify expected arguments. Specify a string as first argument, and an optional second argument to specify a mapping of values to replace in the string"
		cidr       = "Template error: every Fn::Cidr object requires a list of an IP block, a count between 1 and 256 and the number of subnet bits"
		findInMap  = "Template error: every Fn::FindInMap object requires three parameters, the map name, map key and the attribute for return value"
		importText = "Template error: the attribute in Fn::ImportValue must be a string or a function that returns a string"
		output     = "Template error: every Fn::GetStackOutput object requires a map with a StackName and an OutputName"
		ref        = "Template format error: every Ref object must have a single String value."
		ifText     = "Template error: every Fn::If object requires a list of three parameters, the condition name, the value if it is true and the value if it is false."
	)
	for in, want := range map[string]string{
		"!Ref Nobody":                             "Template format error: Unresolved resource dependencies [Nobody] in the Resources block of the template",
		"!Ref AWS::Nothing":                       "Template format error: Unresolved resource dependencies [AWS::Nothing] in the Resources block of the template",
		"{Ref: [a]}":                              ref,
		"{Ref: !Ref List}":                        ref,
		"!GetAtt Nobody.Arn":                      "Template error: instance of Fn::GetAtt references undefined resource Nobody",
		"!GetAtt Topic":                           getAtt,
		"{Fn::GetAtt: [Topic]}":                   getAtt,
		"{Fn::GetAtt: [Topic, '']}":               getAtt,
		"{Fn::GetAtt: ['', A]}":                   getAtt,
		"{Fn::GetAtt: [Topic, A, {b: c}]}":        getAtt,
		"{Fn::GetAtt: [Topic, !Ref List]}":        getAtt,
		"!GetAtt Topic.Broken":                    "no such thing",
		`!Sub "${Nobody}"`:                        "Template format error: Unresolved resource dependencies [Nobody] in the Resources block of the template",
		`!Sub "${Nobody.Arn}"`:                    "Template error: instance of Fn::Sub references invalid resource attribute Nobody.Arn",
		`!Sub "${Name.Arn}"`:                      "Template error: instance of Fn::Sub references invalid resource attribute Name.Arn",
		`!Sub "${List}"`:                          "Template error: variable List in Fn::Sub expression does not resolve to a string",
		`!Sub "${a-b}"`:                           "Template error: variable names in Fn::Sub syntax must contain only alphanumeric characters, underscores, periods, and colons",
		`!Sub "${}"`:                              "Template error: variable names in Fn::Sub syntax must contain only alphanumeric characters, underscores, periods, and colons",
		"!Sub ['a']":                              sub,
		"!Sub [a, b]":                             sub,
		"!Sub {a: b}":                             sub,
		"!Join [a]":                               join,
		"!Join [',', a]":                          join,
		"!Join [1, [a]]":                          join,
		"!Join [',', [[a]]]":                      join,
		"!Join [',', [!Ref List]]":                join,
		"!Split [',']":                            split,
		"!Split ['', a]":                          split,
		"!Split [',', [a]]":                       split,
		"!Select [0]":                             choose,
		"!Select [bad, [a]]":                      choose,
		"!Select [0, 2]":                          choose,
		"!Select [0, !Ref Name]":                  choose,
		"!Select [5, !Ref List]":                  "Template error: Fn::Select cannot select nonexistent value at index 5",
		"!Select [-1, !Ref List]":                 "Template error: Fn::Select cannot select nonexistent value at index -1",
		"!FindInMap [Map, top]":                   findInMap,
		"!FindInMap [Map, top, [a]]":              findInMap,
		"!FindInMap [Map, top, no, {x: 1}]":       findInMap,
		"!FindInMap [Map, C, Suffix]":             "Template error: Unable to get mapping for Map::C::Suffix",
		"!FindInMap [Map, top, no]":               "Template error: Unable to get mapping for Map::top::no",
		"!FindInMap [None, top, no]":              "Template error: Mapping named 'None' is not present in the 'Mappings' section of template.",
		"!If [Missing, a, b]":                     "Template error: unresolved condition dependency Missing in Fn::If",
		"!If [Yes, a]":                            ifText,
		"!If [!Ref Name, a, b]":                   ifText,
		"{Fn::ImportValue: [a]}":                  importText,
		"{Fn::ImportValue: ''}":                   importText,
		"{Fn::GetStackOutput: x}":                 output,
		"{Fn::GetStackOutput: {StackName: x}}":    output,
		"!Base64 [a]":                             "Template error: every Fn::Base64 object must have a String-typed value.",
		"!GetAZs [a]":                             "Template error: every Fn::GetAZs object must have a String-typed value.",
		"!Cidr x":                                 cidr,
		"!Cidr [10.0.0.0/24]":                     cidr,
		"!Cidr [nonsense, 1, 8]":                  cidr,
		"!Cidr [10.0.0.0/24, 0, 8]":               cidr,
		"!Cidr [10.0.0.0/24, 257, 1]":             cidr,
		"!Cidr [10.0.0.0/24, [a], 1]":             cidr,
		"!Cidr [10.0.0.0/24, 1, 9]":               "Template error: Fn::Cidr cannot make blocks of 9 subnet bits in 10.0.0.0/24",
		"!Cidr [10.0.0.0/24, 3, 7]":               "Template error: Fn::Cidr cannot make 3 blocks of 7 subnet bits in 10.0.0.0/24",
		"{Fn::Length: x}":                         "Template error: every Fn::Length object requires a list or a function that returns a list",
		"{Fn::ToJsonString: x}":                   "Template error: every Fn::ToJsonString object requires an object or a list",
		"!Equals [a]":                             "Template error: every Fn::Equals object requires a list of 2 string parameters.",
		"!And [!Equals [a, a]]":                   "Template error: every Fn::And object requires a list of at least 2 and at most 10 boolean parameters.",
		"!Or [!Equals [a, a]]":                    "Template error: every Fn::Or object requires a list of at least 2 and at most 10 boolean parameters.",
		"!Not [!Equals [a, a], 1]":                "Template error: every Fn::Not object requires one boolean parameter.",
		"!Not [x]":                                "Template format error: Conditions can only be boolean operations on parameters and other conditions",
		"!Not [!Ref Name]":                        "Template format error: Conditions can only be boolean operations on parameters and other conditions",
		"[!Or [!Condition None, !Condition Yes]]": "Template error: unresolved condition dependency None in Condition",
	} {
		t.Run(in, func(t *testing.T) {
			t.Parallel()
			got, err := parse(t, evalTemplate).Eval(value(t, in), evalEnv())
			if err == nil || err.Error() != want {
				t.Errorf("got %#v, %v\nwant %s", got, err, want)
			}
		})
	}
	_, err := parse(t, evalTemplate).Eval(value(t, "{Fn::Nonsense: x}"), evalEnv())
	if err == nil || !strings.HasPrefix(err.Error(), "Template error: Encountered unsupported function: Fn::Nonsense Supported functions are: [Fn::Base64, ") {
		t.Errorf("got %v", err)
	}
	plain := parse(t, topic)
	for _, in := range []string{"{Fn::Length: [a]}", "{Fn::ToJsonString: [a]}", "{Ref: !Ref T}", "!FindInMap [a, b, c, {DefaultValue: d}]"} {
		if got, err := plain.Eval(value(t, in), evalEnv()); err == nil {
			t.Errorf("%s works without the language extensions: %v", in, got)
		}
	}
}

func TestEvalErrorHasPlace(t *testing.T) {
	t.Parallel()
	tpl := parse(t, "Resources:\n  A:\n    Type: AWS::SNS::Topic\n    Properties:\n      Tags:\n        - Key: !Select [0, [x]]\n        - Key: !Sub\n            - '${a}'\n            - a: !Select [x, [y]]\n")
	_, err := tpl.Eval(tpl.Resources["A"].Properties, &cfntemplate.Env{})
	e, ok := errors.AsType[*cfntemplate.Error](err)
	if !ok || e.Line != 9 || e.Column != 18 {
		t.Errorf("got %#v, want line 9, column 18", e)
	}
}

func TestEvalDynamic(t *testing.T) {
	t.Parallel()
	tpl := parse(t, evalTemplate)
	env := evalEnv()
	in := value(t, "{a: !Join ['', ['{{resolve:ssm:', !Ref Name, '}}']], b: ['x{{resolve:ssm:a:1}}y{{resolve:ssm:b}}', 5]}")
	got, err := tpl.Eval(in, env)
	if want := map[string]any{"a": "{{resolve:ssm:name}}", "b": []any{"x{{resolve:ssm:a:1}}y{{resolve:ssm:b}}", int64(5)}}; err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("without Dynamic: got %v, %v", got, err)
	}
	env.Dynamic = func(reference string) (string, error) { return "<" + strings.Trim(reference, "{}") + ">", nil }
	got, err = tpl.Eval(in, env)
	if want := map[string]any{"a": "<resolve:ssm:name>", "b": []any{"x<resolve:ssm:a:1>y<resolve:ssm:b>", int64(5)}}; err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("with Dynamic: got %v, %v", got, err)
	}
	env.Dynamic = func(string) (string, error) { return "", errors.New("denied") }
	if _, err = tpl.Eval(in, env); err == nil || err.Error() != "denied" {
		t.Errorf("got %v, want denied", err)
	}
}

func TestPartition(t *testing.T) {
	t.Parallel()
	tpl := parse(t, topic)
	for region, want := range map[string]string{
		"eu-west-1": "aws amazonaws.com", "cn-north-1": "aws-cn amazonaws.com.cn", "us-gov-west-1": "aws-us-gov amazonaws.com", "eusc-de-east-1": "aws-eusc amazonaws.eu",
	} {
		got, err := tpl.Eval(value(t, `!Sub "${AWS::Partition} ${AWS::URLSuffix}"`), &cfntemplate.Env{Region: region})
		if got != want || err != nil {
			t.Errorf("%s: got %v, %v, want %s", region, got, err, want)
		}
	}
	got, _ := tpl.Eval(value(t, `!Sub "${AWS::Partition} ${AWS::URLSuffix}"`), &cfntemplate.Env{Partition: "p", URLSuffix: "u"})
	if got != "p u" {
		t.Errorf("given ones: got %v", got)
	}
}

// plainValues draws values without functions.
func plainValues() *rapid.Generator[any] {
	scalar := rapid.OneOf(
		rapid.Map(rapid.StringMatching(`[a-zA-Z0-9 ${}:.-]{0,12}`), func(s string) any { return s }),
		rapid.Map(rapid.Int64(), func(i int64) any { return i }),
		rapid.Map(rapid.Bool(), func(b bool) any { return b }),
	)
	level := func(inner *rapid.Generator[any]) *rapid.Generator[any] {
		return rapid.OneOf(scalar,
			rapid.Map(rapid.SliceOfN(inner, 0, 4), func(l []any) any { return l }),
			rapid.Map(rapid.MapOfN(rapid.StringMatching(`[A-Z][a-z]{0,6}`), inner, 0, 4), func(m map[string]any) any {
				delete(m, "Ref")
				return m
			}))
	}
	return level(level(level(scalar)))
}

func TestEvalWithoutFunctionsIsIdentity(t *testing.T) {
	t.Parallel()
	tpl := parse(t, evalTemplate)
	rapid.Check(t, func(t *rapid.T) {
		v := plainValues().Draw(t, "value")
		got, err := tpl.Eval(v, &cfntemplate.Env{})
		if err != nil || !reflect.DeepEqual(got, v) {
			t.Fatalf("got %#v, %v, want %#v", got, err, v)
		}
	})
}

func TestJoinUndoesSplit(t *testing.T) {
	t.Parallel()
	tpl := parse(t, topic)
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.StringMatching(`[a-c,]{0,20}`).Draw(t, "text")
		split := map[string]any{"Fn::Split": []any{",", s}}
		got, err := tpl.Eval(map[string]any{"Fn::Join": []any{",", split}}, &cfntemplate.Env{})
		if got != s || err != nil {
			t.Fatalf("got %v, %v, want %s", got, err, s)
		}
	})
}
