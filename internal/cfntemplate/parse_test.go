package cfntemplate_test

import (
	"errors"
	"reflect"
	"slices"
	"testing"

	"github.com/deployer-cli/deployer/internal/cfntemplate"
)

// parse reads a template that must be readable.
func parse(t testing.TB, body string) *cfntemplate.Template {
	t.Helper()
	tpl, err := cfntemplate.Parse([]byte(body))
	if err != nil {
		t.Fatalf("Parse: %v", err)
	}
	return tpl
}

const topic = "Resources:\n  T: {Type: AWS::SNS::Topic}\n"

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		body, want   string
		line, column int
	}{
		"empty":               {"", "Template format error: unsupported structure.", 0, 0},
		"a URL":               {"https://example.com/t.yaml", "Template format error: unsupported structure.", 1, 1},
		"a list":              {"[1]", "Template format error: unsupported structure.", 1, 1},
		"bad JSON":            {`{"this is invalid JSON"="bobbins"}`, "Template format error: JSON not well-formed. (line 1, column 25)", 1, 24},
		"half JSON":           {"{\n \"A\": ", "Template format error: JSON not well-formed. (line 2, column 7)", 2, 6},
		"bad YAML":            {"Resources:\n  A: [", "Template format error: YAML not well-formed. (line 3, column 1)", 3, 1},
		"no resources":        {"Description: x", "Template format error: At least one Resources member must be defined.", 1, 1},
		"empty resources":     {"Resources: {}", "Template format error: At least one Resources member must be defined.", 1, 1},
		"null resources":      {"Resources:", "[/Resources] 'null' values are not allowed in templates", 1, 1},
		"text resources":      {"Resources: x", "Template format error: Any Resources member must be an object.", 1, 1},
		"text resource":       {"Resources:\n  A: x", "Template format error: Any Resources member must be an object.", 2, 3},
		"no type":             {"Resources:\n  A: {Properties: {}}", "Template format error: [/Resources/A] Every Resources object must contain a Type member.", 2, 3},
		"null property":       {"Resources:\n  A:\n    Type: AWS::SNS::Topic\n    Properties:\n      DisplayName:", "[/Resources/A/Properties/DisplayName] 'null' values are not allowed in templates", 5, 7},
		"null in a list":      {"Resources:\n  A:\n    Type: AWS::SNS::Topic\n    Properties:\n      Tags: [x, ~]", "[/Resources/A/Properties/Tags/1] 'null' values are not allowed in templates", 5, 13},
		"text properties":     {"Resources:\n  A:\n    Type: AWS::SNS::Topic\n    Properties: x", "Template format error: [/Resources/A/Properties] Every Properties member must be an object.", 4, 5},
		"condition function":  {"Resources:\n  A:\n    Type: AWS::SNS::Topic\n    Condition: !Equals [a, a]", "Template format error: Every Condition member must be a string.", 4, 5},
		"depends on a map":    {"Resources:\n  A:\n    Type: AWS::SNS::Topic\n    DependsOn: {a: b}", "Template format error: DependsOn must be a string or list of strings.", 4, 5},
		"depends on a number": {"Resources:\n  A:\n    Type: AWS::SNS::Topic\n    DependsOn: [1]", "Template format error: DependsOn must be a string or list of strings.", 4, 5},
		"null output value":   {topic + "Outputs:\n  MyOutput:\n    Value:\n    AnotherValue:", "[/Outputs/MyOutput/Value] 'null' values are not allowed in templates", 5, 5},
		"empty output":        {topic + "Outputs:\n  MyOutput: {}", "Template format error: Every Outputs member must contain a Value object", 4, 3},
		"text output":         {topic + "Outputs:\n  MyOutput: x", "Template format error: Any Outputs member must be an object.", 4, 3},
		"output condition":    {topic + "Outputs:\n  O: {Value: x, Condition: [a]}", "Template format error: Every Condition member must be a string.", 4, 17},
		"text outputs":        {topic + "Outputs: x", "Template format error: Outputs must be an object.", 3, 1},
		"export without name": {topic + "Outputs:\n  O: {Value: x, Export: {}}", "Template format error: Output O is malformed. The Name field of every Export member must be specified and consist only of alphanumeric characters, colons, or hyphens.", 4, 17},
		"untyped parameter":   {"Parameters:\n  P: {Default: x}\n" + topic, "Template format error: Every Parameters object must contain a Type member.", 2, 3},
		"text parameter":      {"Parameters:\n  P: x\n" + topic, "Template format error: Any Parameters member must be an object.", 2, 3},
		"strange parameter":   {"Parameters:\n  P: {Type: String, Colour: red}\n" + topic, "Invalid template parameter property 'Colour'", 2, 21},
		"two words":           {"Parameters:\n  P: {Type: String, Type Default: x}\n" + topic, "Invalid template parameter property 'Type Default'", 2, 21},
		"list default":        {"Parameters:\n  P: {Type: String, Default: [a]}\n" + topic, "Template format error: Every Default member must be a string.", 2, 21},
		"scalar allowed":      {"Parameters:\n  P: {Type: String, AllowedValues: a}\n" + topic, "Template format error: Every AllowedValues member must be a list.", 2, 21},
		"map allowed":         {"Parameters:\n  P: {Type: String, AllowedValues: [{a: b}]}\n" + topic, "Template format error: Every AllowedValues value must be a string.", 2, 21},
		"text length":         {"Parameters:\n  P: {Type: String, MinLength: x}\n" + topic, "Template format error: Every MinLength member must be a number.", 2, 21},
		"text maximum":        {"Parameters:\n  P: {Type: Number, MaxValue: x}\n" + topic, "Template format error: Every MaxValue member must be a number.", 2, 21},
		"flat mapping":        {"Mappings:\n  A: x\n" + topic, "Template format error: Every Mappings member A must be a map", 2, 3},
		"shallow mapping":     {"Mappings:\n  A: {B: x}\n" + topic, "Template format error: Every Mappings member A must be a map", 2, 7},
		"deep mapping":        {"Mappings:\n  A: {B: {C: {D: x}}}\n" + topic, "Template format error: Every Mappings attribute must be a String or a List.", 2, 11},
		"text condition":      {"Conditions:\n  C: x\n" + topic, "Template format error: Every Conditions member must be a boolean function.", 2, 3},
		"text rule":           {"Rules:\n  R: x\n" + topic, "Template format error: Any Rules member must be an object.", 2, 3},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := cfntemplate.Parse([]byte(tc.body))
			e, ok := errors.AsType[*cfntemplate.Error](err)
			if !ok || e.Code != "ValidationError" {
				t.Fatalf("got %v, want a ValidationError", err)
			}
			if e.Message != tc.want {
				t.Errorf("got  %s\nwant %s", e.Message, tc.want)
			}
			if tc.line > 0 && (e.Line != tc.line || e.Column != tc.column) {
				t.Errorf("at %d:%d, want %d:%d", e.Line, e.Column, tc.line, tc.column)
			}
		})
	}
}

const full = `AWSTemplateFormatVersion: 2010-09-09
Description: All of it
Transform: [AWS::LanguageExtensions, AWS::Serverless-2016-10-31]
Parameters:
  Size: {Type: Number, Default: 3, MinValue: 1, MaxValue: 5.5, Description: How many}
  Name: {Type: String, NoEcho: true, MinLength: 1, MaxLength: "20", AllowedPattern: "[a-z]+", ConstraintDescription: lower case}
  Kind: {Type: String, AllowedValues: [a, 1, true]}
Mappings: {M: {T: {K: v}}}
Conditions: {C: !Equals [!Ref Kind, a]}
Rules: {R: {Assertions: []}}
Resources:
  Zeta:
    Type: AWS::SNS::Topic
    DependsOn: Alpha
    DeletionPolicy: Retain
    UpdateReplacePolicy: Delete
    Condition: C
    Metadata: {a: 1}
    CreationPolicy: {b: 2}
    UpdatePolicy: {c: 3}
    Properties: {DisplayName: !Ref Name}
  Alpha:
    Type: AWS::SNS::Topic
    DependsOn: []
Outputs:
  Out: {Description: d, Condition: C, Value: !GetAtt Zeta.TopicArn, Export: {Name: !Sub "${AWS::StackName}-x"}}
  Bare: {Value: 1}
`

func TestParse(t *testing.T) {
	t.Parallel()
	tpl := parse(t, full)
	if tpl.Description != "All of it" || !slices.Equal(tpl.Transforms, []string{"AWS::LanguageExtensions", "AWS::Serverless-2016-10-31"}) {
		t.Errorf("description %q, transforms %q", tpl.Description, tpl.Transforms)
	}
	for what, got := range map[string][2][]string{
		"parameters": {tpl.ParameterNames, {"Size", "Name", "Kind"}},
		"resources":  {tpl.ResourceNames, {"Zeta", "Alpha"}},
		"outputs":    {tpl.OutputNames, {"Out", "Bare"}},
	} {
		if !slices.Equal(got[0], got[1]) {
			t.Errorf("%s %q, want %q", what, got[0], got[1])
		}
	}
	want := cfntemplate.Parameter{
		Name: "Name", Type: "String", NoEcho: true, MinLength: new(1), MaxLength: new(20),
		AllowedPattern: "[a-z]+", ConstraintDescription: "lower case", Line: 6, Column: 3,
	}
	if got := tpl.Parameters["Name"]; !reflect.DeepEqual(got, want) {
		t.Errorf("parameter %+v", got)
	}
	if size := tpl.Parameters["Size"]; *size.Default != "3" || *size.MinValue != 1 || *size.MaxValue != 5.5 || size.Description != "How many" {
		t.Errorf("parameter %+v", size)
	}
	if got := tpl.Parameters["Kind"].AllowedValues; !slices.Equal(got, []string{"a", "1", "true"}) {
		t.Errorf("allowed values %q", got)
	}
	zeta := tpl.Resources["Zeta"]
	zeta.Raw = nil
	if want := (cfntemplate.Resource{
		LogicalID: "Zeta", Type: "AWS::SNS::Topic", Condition: "C", DeletionPolicy: "Retain", UpdateReplacePolicy: "Delete",
		DependsOn: []string{"Alpha"}, Properties: map[string]any{"DisplayName": map[string]any{"Ref": "Name"}},
		Metadata: map[string]any{"a": int64(1)}, CreationPolicy: map[string]any{"b": int64(2)}, UpdatePolicy: map[string]any{"c": int64(3)},
		Line: 12, Column: 3,
	}); !reflect.DeepEqual(zeta, want) {
		t.Errorf("resource %+v", zeta)
	}
	if got, want := tpl.Outputs["Out"], (cfntemplate.Output{
		Key: "Out", Description: "d", Condition: "C",
		Value:      map[string]any{"Fn::GetAtt": []any{"Zeta", "TopicArn"}},
		ExportName: map[string]any{"Fn::Sub": "${AWS::StackName}-x"}, Line: 26, Column: 3,
	}); !reflect.DeepEqual(got, want) {
		t.Errorf("output %+v", got)
	}
	if bare := tpl.Outputs["Bare"]; bare.ExportName != nil || bare.Value != int64(1) {
		t.Errorf("output %+v", bare)
	}
}

func TestParseLeavesRoomForMacros(t *testing.T) {
	t.Parallel()
	tpl := parse(t, `
Transform: {Name: AWS::Include, Parameters: {Location: s3://b/k}}
Parameters: {Fn::Transform: {Name: A}}
Mappings: {Fn::Transform: {Name: A}, M: {Fn::Transform: {Name: A}, T: {Fn::Transform: {Name: A}}}}
Conditions: {Fn::Transform: {Name: A}}
Resources: {Fn::Transform: {Name: A}, R: {Fn::Transform: {Name: A}}, F: {Type: AWS::Serverless::Function, Properties: {Null: }}}
Outputs: {Fn::Transform: {Name: A}, O: {Fn::Transform: {Name: A}}}
`)
	if !slices.Equal(tpl.Transforms, []string{"AWS::Include"}) || !slices.Equal(tpl.ResourceNames, []string{"R", "F"}) || !slices.Equal(tpl.OutputNames, []string{"O"}) {
		t.Errorf("transforms %q, resources %q, outputs %q", tpl.Transforms, tpl.ResourceNames, tpl.OutputNames)
	}
	for _, e := range tpl.Check() {
		t.Errorf("Check: %s", e.Message)
	}
}
