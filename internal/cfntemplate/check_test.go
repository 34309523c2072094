package cfntemplate_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/deployer-cli/deployer/internal/cfntemplate"
)

// property puts v into a template as a property.
func property(v string) string {
	return "Parameters: {P: {Type: String}}\nResources:\n  A: {Type: AWS::SNS::Topic}\n  B:\n    Type: AWS::SNS::Topic\n    Properties:\n      DisplayName: " + v + "\n"
}

func TestCheckRefuses(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ body, want string }{
		{topic + "Strange: 1\nOther: 2", "Invalid template property or properties [Strange, Other]"},
		{topic + "AWSTemplateFormatVersion: 2010-09-08", "Template format error: 2010-09-08 is not a supported value for AWSTemplateFormatVersion."},
		{topic + "Description: [a]", "Template format error: Every Description member must be a string."},
		{topic + "Description: " + strings.Repeat("x", 1025), "Template format error: 'Description' length is greater than 1024."},
		{topic + "Transform: {Name: {Ref: X}}", "Key Name of transform definition must be a string."},
		{topic + "Transform: [{Parameters: {}}]", "Key Name of transform definition must be a string."},
		{property("{Fn::Transform: {Name: !Ref MacroName}}"), "Key Name of transform definition must be a string."},
		{"Resources:\n  AWS::NoValue: {Type: AWS::SNS::Topic}", "Template format error: Resource name AWS::NoValue is non alphanumeric."},
		{"Resources:\n  my-bad-resource-id: {Type: AWS::SNS::Topic}", "Template format error: Resource name my-bad-resource-id is non alphanumeric."},
		{topic + "Parameters:\n  AWS::NoValue: {Type: String}", "Template format error: Parameter name AWS::NoValue is non alphanumeric."},
		{topic + "Outputs:\n  a-b: {Value: x}", "Template format error: Output name a-b is non alphanumeric."},
		{topic + "Mappings:\n  a-b: {c: {d: e}}", "Template format error: Mappings name a-b is non alphanumeric."},
		{topic + "Conditions:\n  a-b: !Equals [a, b]", "Template format error: Condition name a-b is non alphanumeric."},
		{"Resources:\n  " + strings.Repeat("x", 256) + ": {Type: AWS::SNS::Topic}", "Template format error: Resource name " + strings.Repeat("x", 256) + " is longer than 255 characters."},
		{topic + "Parameters:\n  P: {Type: String, Description: " + strings.Repeat("x", 4001) + "}", "Template format error: 'Description' length is greater than 4000."},
		{topic + "Parameters:\n  P: {Type: Text}", "Template format error: Unrecognized parameter type: Text"},
		{topic + "Parameters:\n  P: {Type: AWS::SSM::Parameter::Value<Number>}", "Template format error: Unrecognized parameter type: AWS::SSM::Parameter::Value<Number>"},
		{"Resources:\n  A: {Type: AWS::SNS::Topik}\n  B: {Type: AWS::SNS::Topik}\n  C: {Type: Foo}", "Template format error: Unrecognized resource types: [AWS::SNS::Topik, Foo]"},
		{"Resources:\n  A: {Type: 'Custom::with space'}", "Template format error: Unrecognized resource types: [Custom::with space]"},
		{"Resources:\n  A: {Type: Module}", "Template format error: Unrecognized resource types: [Module]"},
		{"Resources:\n  A: {Type: AWS::SNS::Topic, Invalid: 10}", "Invalid template resource property 'Invalid'"},
		{"Resources:\n  A: {Type: AWS::SNS::Topic, DeletionPolicy: Keep}", "Template format error: Unrecognized DeletionPolicy Keep for resource A"},
		{"Resources:\n  A: {Type: AWS::SNS::Topic, UpdateReplacePolicy: RetainExceptOnCreate}", "Template format error: Unrecognized UpdateReplacePolicy RetainExceptOnCreate for resource A"},
		{"Resources:\n  A: {Type: AWS::SNS::Topic, DeletionPolicy: Snapshot}", "Template error: resource type AWS::SNS::Topic does not support deletion policy Snapshot"},
		{"Resources:\n  A: {Type: AWS::SNS::Topic, DeletionPolicy: !Ref P}\nParameters: {P: {Type: String}}", "Template format error: Every DeletionPolicy member must be a string."},
		{"Resources:\n  A: {Type: AWS::SNS::Topic, Condition: Nope}", "Template format error: Unresolved condition dependencies [Nope] in the Resources block of the template"},
		{"Resources:\n  A: {Type: AWS::SNS::Topic, DependsOn: NonExistingResource}", "Template format error: Unresolved resource dependencies [NonExistingResource] in the Resources block of the template"},
		{"Resources:\n  A: {Type: AWS::SNS::Topic, DependsOn: [B]}\n  B: {Type: AWS::SNS::Topic, DependsOn: A}", "Circular dependency between resources: [A, B]"},
		{"Resources:\n  A: {Type: AWS::SNS::Topic, DependsOn: A}", "Circular dependency between resources: [A]"},
		{property("!Ref InvalidRef"), "Template format error: Unresolved resource dependencies [InvalidRef] in the Resources block of the template"},
		{property("!Sub '${X} ${P} ${W} ${AWS::Nope}'"), "Template format error: Unresolved resource dependencies [AWS::Nope, W, X] in the Resources block of the template"},
		{property("!Sub '${X.Y}'"), "Template error: instance of Fn::Sub references invalid resource attribute X.Y"},
		{property("!Sub '${P.Y}'"), "Template error: instance of Fn::Sub references invalid resource attribute P.Y"},
		{property("!GetAtt X.Y"), "Template error: instance of Fn::GetAtt references undefined resource X"},
		{property("!GetAtt A.Nope"), "Template error: resource A does not support attribute type Nope in Fn::GetAtt"},
		{property("!Sub '${A.Nope}'"), "Template error: resource A does not support attribute type Nope in Fn::GetAtt"},
		{property("!GetAtt A"), "Template error: every Fn::GetAtt object requires two non-empty parameters, the resource name and the resource attribute"},
		{property("!If [MissingCondition, a, b]"), "Template error: unresolved condition dependency MissingCondition in Fn::If"},
		{property("!If [a, b]"), "Template error: every Fn::If object requires a list of three parameters, the condition name, the value if it is true and the value if it is false."},
		{property("!Select [bad, [test]]"), "Template error: Fn::Select requires a list argument with two elements: an integer index and a list"},
		{property("!Select [0, 2]"), "Template error: Fn::Select requires a list argument with two elements: an integer index and a list"},
		{property("!Select [100, [test]]"), "Template error: Fn::Select requires a list argument with two elements: an integer index and a list"},
		{property("!Split [',']"), "Template error: every Fn::Split object requires two parameters, (1) a string delimiter and (2) a string to be split or a function that returns a string to be split."},
		{property("!Split [1, a]"), "Template error: every Fn::Split object requires two parameters, (1) a string delimiter and (2) a string to be split or a function that returns a string to be split."},
		{property("!Join [',', a]"), "Template error: every Fn::Join object requires two parameters, (1) a string delimiter and (2) a list of strings to be joined or a function that returns a list of strings (such as Fn::GetAZs) to be joined."},
		{property("!Join [{a: b}, [a]]"), "Template error: every Fn::Join object requires two parameters, (1) a string delimiter and (2) a list of strings to be joined or a function that returns a list of strings (such as Fn::GetAZs) to be joined."},
		{property("!Equals [a, b]"), "Template error: Fn::Equals cannot be partially collapsed"},
		{property("!Sub [a]"), "Template error: One or more Fn::Sub intrinsic functions don't specify expected arguments. Specify a string as first argument, and an optional second argument to specify a mapping of values to replace in the string"},
		{property("!Sub '${a b}'"), "Template error: variable names in Fn::Sub syntax must contain only alphanumeric characters, underscores, periods, and colons"},
		{property("!FindInMap [A, b]"), "Template error: every Fn::FindInMap object requires three parameters, the map name, map key and the attribute for return value"},
		{property("!FindInMap [A, b, {c: d}]"), "Template error: every Fn::FindInMap object requires three parameters, the map name, map key and the attribute for return value"},
		{property("!FindInMap [M, a, b]"), "Template error: Mapping named 'M' is not present in the 'Mappings' section of template."},
		{property("!FindInMap [M, a, c]") + "Mappings: {M: {a: {b: c}}}", "Template error: Unable to get mapping for M::a::c"},
		{property("{Ref: ''}"), "Template format error: every Ref object must have a single String value."},
		{property("{Fn::Base64: [a]}"), "Template error: every Fn::Base64 object must have a String-typed value."},
		{property("{Fn::GetAZs: [a]}"), "Template error: every Fn::GetAZs object must have a String-typed value."},
		{property("!Cidr [10.0.0.0/8]"), "Template error: every Fn::Cidr object requires a list of an IP block, a count between 1 and 256 and the number of subnet bits"},
		{property("{Fn::ImportValue: ''}"), "Template error: the attribute in Fn::ImportValue must be a string or a function that returns a string"},
		{property("{Fn::ImportValue: !Ref A}"), "Template error: the attribute in Fn::ImportValue must not depend on any resources, imported values, or Fn::GetAZs"},
		{property("{Fn::ImportValue: !ImportValue a}"), "Template error: the attribute in Fn::ImportValue must not depend on any resources, imported values, or Fn::GetAZs"},
		{property("{Fn::GetStackOutput: {OutputName: a}}"), "Template error: every Fn::GetStackOutput object requires a map with a StackName and an OutputName"},
		{property("{Fn::Length: [a]}"), "Template format error: Unresolved function Fn::Length: it needs the transform AWS::LanguageExtensions"},
		{property("{Fn::Length: a}") + "Transform: AWS::LanguageExtensions", "Template error: every Fn::Length object requires a list or a function that returns a list"},
		{property("{Fn::ToJsonString: a}") + "Transform: AWS::LanguageExtensions", "Template error: every Fn::ToJsonString object requires an object or a list"},
		{topic + "Conditions: {C: !Equals [a]}", "Template error: every Fn::Equals object requires a list of 2 string parameters."},
		{topic + "Conditions: {C: !Equals [a, {b: c}]}", "Template error: every Fn::Equals object requires a list of 2 string parameters."},
		{topic + "Conditions: {C: !And [!Equals [a, a]]}", "Template error: every Fn::And object requires a list of at least 2 and at most 10 boolean parameters."},
		{topic + "Conditions: {C: !Not []}", "Template error: every Fn::Not object requires one boolean parameter."},
		{topic + "Conditions: {C: {a: b}}", "Template format error: Conditions can only be boolean operations on parameters and other conditions"},
		{topic + "Conditions: {C: !Equals [!Ref T, a]}", "Template format error: Unresolved dependencies [T]. Cannot reference resources in the Conditions block of the template"},
		{topic + "Conditions: {C: !Equals [!GetAtt T.Arn, !Sub '${X}']}", "Template format error: Unresolved dependencies [T, X]. Cannot reference resources in the Conditions block of the template"},
		{topic + "Conditions: {C: !Condition D}", "Template format error: Unresolved condition dependencies [D] in the Conditions block of the template"},
		{topic + "Conditions: {C: !Condition D, D: !Not [!Condition C]}", "Template error: Found circular condition dependency: [C, D]"},
		{topic + "Conditions: {C: !Equals [!ImportValue a, a]}", "Template error: Cannot use Fn::ImportValue in Conditions."},
		{topic + "Outputs: {O: {Value: !Ref X}}", "Unresolved resource dependencies [X] in the Outputs block of the template"},
		{topic + "Outputs: {O: {Value: x, Condition: C}}", "Template format error: Unresolved condition dependencies [C] in the Outputs block of the template"},
		{topic + "Outputs: {O: {Value: [a]}}", "Template format error: The Value field of every Outputs member must evaluate to a String."},
		{topic + "Outputs: {O: {Value: {a: b}}}", "Template format error: The Value field of every Outputs member must evaluate to a String."},
		{topic + "Outputs: {O: {Value: x, Colour: red}}", "Invalid template output property 'Colour'"},
		{topic + "Outputs: {O: {Value: x, Export: {Name: 'a b'}}}", "Template format error: Output O is malformed. The Name field of every Export member must be specified and consist only of alphanumeric characters, colons, or hyphens."},
		{topic + "Outputs: {O: {Value: x, Export: {Name: !Ref T}}}", "Template format error: Output O is malformed. The Name field of Export must not depend on any resources, imported values, or Fn::GetAZs."},
	} {
		t.Run(tc.want, func(t *testing.T) {
			t.Parallel()
			found := parse(t, tc.body).Check()
			if len(found) != 1 || found[0].Message != tc.want {
				t.Errorf("%s\ngot  %q\nwant %q", tc.body, texts(found), tc.want)
			}
			if len(found) > 0 && found[0].Line == 0 {
				t.Errorf("%s: no place", tc.want)
			}
		})
	}
}

func texts(found []*cfntemplate.Error) []string {
	var out []string
	for _, e := range found {
		out = append(out, e.Message)
	}
	return out
}

func TestCheckAccepts(t *testing.T) {
	t.Parallel()
	for _, body := range []string{
		"Resources:\n  A: {Type: Custom::Thing_1@x-y}\n  B: {Type: AWS::CloudFormation::CustomResource, Properties: {ServiceToken: x}}\n  C: {Type: Acme::My::Thing}\n  D: {Type: Acme::My::Thing::MODULE}\n  E: {Type: AWS::S3::Bucket::MODULE}\nOutputs:\n  O: {Value: !Sub '${A.anything.at.all}${B.what}${C.ever}${D.X}'}",
		"Resources:\n  N: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: x}}\nOutputs: {O: {Value: !GetAtt N.Outputs.Some}, P: {Value: !Sub '${N.Outputs.Other}'}}",
		"Resources:\n  D: {Type: AWS::RDS::DBInstance, DeletionPolicy: Snapshot, UpdateReplacePolicy: Snapshot}\nOutputs: {O: {Value: !GetAtt D.Endpoint.Address, Export: {Name: 'a:b-c'}}}",
		"Resources:\n  A: {Type: AWS::SNS::Topic, DeletionPolicy: RetainExceptOnCreate, UpdateReplacePolicy: Snapshot, Metadata: {x: !Ref AWS::Region}}",
		"Transform: AWS::LanguageExtensions\nParameters: {P: {Type: String}}\nResources:\n  A: {Type: AWS::SNS::Topic, DeletionPolicy: !Ref P, Properties: {DisplayName: !GetAtt [A, !Ref P]}}\n",
		"Transform: AWS::Serverless-2016-10-31\nGlobals: {}\nResources:\n  F: {Type: AWS::Serverless::Function, Connectors: {}, Properties: {Role: !GetAtt FRole.Arn, X: !If [Made, a, b]}}\nOutputs: {O: {Value: !Ref FRole}}",
		"Transform: MyMacro\nAnything: 1\nResources:\n  F: {Type: AWS::Not::There}",
		"Transform: AWS::LanguageExtensions\nResources:\n  Fn::ForEach::Loop: [X, [a, b], {'T${X}': {Type: AWS::SNS::Topic}}]\nOutputs: {O: {Value: !Ref Ta}}",
		topic + "Conditions:\n  C: !Or [!Equals [!Ref AWS::Region, x], !Not [!Condition D]]\n  D: !Equals ['', '']\nOutputs: {O: {Value: !If [C, !Ref T, !Ref AWS::NoValue], Condition: D}}",
		property("!Join ['', [!Select [1, [a, !Ref A]], !Split [!Ref P, 'a']]]"),
		property("{Fn::GetStackOutput: {StackName: a, OutputName: b, Region: !Ref P}}"),
		property("!GetAtt A.DisplayName"),
		property("{Condition: {StringEquals: {a: b}}}"),
	} {
		if found := parse(t, body).Check(); strings.Contains(body, "GetAtt [A") {
			if want := "Circular dependency between resources: [A]"; len(found) != 1 || found[0].Message != want {
				t.Errorf("%s\ngot %q, want %q", body, texts(found), want)
			}
		} else if len(found) > 0 {
			t.Errorf("%s\n%q", body, texts(found))
		}
	}
}

func TestCheckLimits(t *testing.T) {
	t.Parallel()
	many := func(n int, format string) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, format, i)
		}
		return b.String()
	}
	topics := func(n int) string { return "Resources:\n" + many(n, "  T%d: {Type: AWS::SNS::Topic}\n") }
	for body, want := range map[string]string{
		topics(500): "",
		topics(501): "Template format error: Number of resources, 501, is greater than maximum allowed, 500",
		topic + "Parameters:\n" + many(201, "  P%d: {Type: String}\n"):                     "Template format error: Number of parameters, 201, is greater than maximum allowed, 200",
		topic + "Outputs:\n" + many(201, "  O%d: {Value: x}\n"):                            "Template format error: Number of outputs, 201, is greater than maximum allowed, 200",
		topic + "Mappings:\n" + many(201, "  M%d: {a: {b: c}}\n"):                          "Template format error: Number of mappings, 201, is greater than maximum allowed, 200",
		topic + "Mappings:\n  M:\n" + many(201, "    m%d: {b: c}\n"):                       "Template format error: Number of mapping attributes, 201, is greater than maximum allowed, 200",
		topic + "Metadata:\n" + many(30, "  k%d: '{{resolve:ssm:a}} {{resolve:ssm:b}}'\n"): "",
		topic + "Metadata:\n" + many(61, "  k%d: '{{resolve:ssm:a}}'\n"):                   "Template format error: Number of dynamic references, 61, is greater than maximum allowed, 60",
	} {
		if got := strings.Join(texts(parse(t, body).Check()), "; "); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestCheckPlaces(t *testing.T) {
	t.Parallel()
	tpl := parse(t, `Resources:
  A:
    Type: AWS::SNS::Topic
    Properties:
      DisplayName: !Join
        - ','
        - - !Ref Nobody
          - Fn::GetAtt: [Nothing, Arn]
  B:
    Type: AWS::Nope::Nope
    DependsOn: Gone
`)
	var got []string
	for _, e := range tpl.Check() {
		got = append(got, fmt.Sprintf("%d:%d %s", e.Line, e.Column, e.Message))
	}
	want := []string{
		"9:3 Template format error: Unrecognized resource types: [AWS::Nope::Nope]",
		"8:13 Template error: instance of Fn::GetAtt references undefined resource Nothing",
		"7:13 Template format error: Unresolved resource dependencies [Gone, Nobody] in the Resources block of the template",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestCheckProperties(t *testing.T) {
	t.Parallel()
	tpl := parse(t, `Parameters: {P: {Type: String}}
Conditions: {C: !Equals [!Ref P, a]}
Resources:
  Good:
    Type: AWS::SSM::Parameter
    Properties: {Type: !If [C, String, !Ref AWS::NoValue], Value: x}
  Bad:
    Type: AWS::SSM::Parameter
    Properties:
      Valeu: x
      Type: !Ref AWS::NoValue
      Utterly: y
  Bare: {Type: AWS::SSM::Parameter}
  Included: {Type: AWS::SSM::Parameter, Properties: {Fn::Transform: {Name: AWS::Include, Parameters: {Location: x}}}}
  Custom: {Type: Custom::X, Properties: {Any: thing}}
  Custom2: {Type: AWS::CloudFormation::CustomResource, Properties: {ServiceToken: x, Any: thing}}
  Other: {Type: Acme::A::B, Properties: {Any: thing}}
`)
	var got []string
	for _, f := range cfntemplate.CheckProperties(tpl) {
		got = append(got, fmt.Sprintf("%d:%d %s %s: %s", f.Line, f.Column, f.Path, f.Text, f.Hint))
	}
	want := []string{
		"10:7 /Resources/Bad/Properties/Valeu AWS::SSM::Parameter has no property Valeu: did you mean Value?",
		"12:7 /Resources/Bad/Properties/Utterly AWS::SSM::Parameter has no property Utterly: ",
		"7:3 /Resources/Bad/Properties AWS::SSM::Parameter needs the property Type: add Type to Bad",
		"7:3 /Resources/Bad/Properties AWS::SSM::Parameter needs the property Value: add Value to Bad",
		"13:3 /Resources/Bare/Properties AWS::SSM::Parameter needs the property Type: add Type to Bare",
		"13:3 /Resources/Bare/Properties AWS::SSM::Parameter needs the property Value: add Value to Bare",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

// The first text is recorded from AWS in test_attributes::test_invalid_getatt_fails.
func TestCheckOutputs(t *testing.T) {
	t.Parallel()
	tpl := parse(t, `Resources:
  P: {Type: AWS::SSM::Parameter, Properties: {Type: String, Value: x}}
Outputs:
  InvalidOutput: {Value: !GetAtt P.Invalid}
  Sub: {Value: !Sub ["${P.Value} ${x} ${P.Bad}", {x: !GetAtt P.Worse}]}
  Good: {Value: !Join ["", [!GetAtt P.Value, !Sub "${P.Type}", !GetAtt [P, !Ref AWS::Region]]]}
`)
	var got []string
	for _, e := range tpl.CheckOutputs() {
		got = append(got, fmt.Sprintf("%d:%d %s", e.Line, e.Column, e.Message))
	}
	want := []string{
		"4:26 [Error] /Outputs/InvalidOutput/Value/Fn::GetAtt: Resource type AWS::SSM::Parameter does not support attribute {Invalid}",
		"5:16 [Error] /Outputs/Sub/Value/Fn::Sub: Resource type AWS::SSM::Parameter does not support attribute {Bad}",
		"5:54 [Error] /Outputs/Sub/Value/Fn::GetAtt: Resource type AWS::SSM::Parameter does not support attribute {Worse}",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	if found := tpl.Check(); len(found) > 0 {
		t.Errorf("Check: %q", texts(found))
	}
	if found := cfntemplate.CheckProperties(tpl); len(found) != 3 || found[0].Path != "/Outputs/InvalidOutput/Value/Fn::GetAtt" ||
		found[0].Text != "Resource type AWS::SSM::Parameter does not support attribute {Invalid}" {
		t.Errorf("findings %+v", found)
	}
}
