package cfntemplate_test

import (
	"reflect"
	"strings"
	"testing"
)

func TestResolveParameters(t *testing.T) {
	t.Parallel()
	tpl := parse(t, topic+`
Parameters:
  A: {Type: String, Default: a}
  B: {Type: String, Default: b}
  N: {Type: Number, Default: 80, MinValue: 1, MaxValue: 90.5}
  L: {Type: CommaDelimitedList, Default: "x, y ,z", AllowedPattern: "[a-z]"}
  S: {Type: "List<AWS::EC2::Subnet::Id>", Default: ""}
  V: {Type: "AWS::SSM::Parameter::Value<List<String>>", Default: "/a,b", NoEcho: "true"}
  J: {Type: String, Default: x, AllowedPattern: "(?!never)x+"}
`)
	got, err := tpl.ResolveParameters(map[string]string{"A": "given"}, map[string]string{"A": "previous", "B": "previous"})
	want := map[string]any{
		"A": "given", "B": "previous", "N": "80", "L": []string{"x", "y", "z"}, "S": []string{""}, "V": "/a,b", "J": "x",
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, %v, want %v", got, err, want)
	}
	v := tpl.Parameters["V"]
	if !v.IsSSM() || !v.IsList() || !v.NoEcho || !reflect.DeepEqual(v.Value("a, b"), []string{"a", "b"}) {
		t.Errorf("wrong about %+v", v)
	}
	if n := tpl.Parameters["N"]; n.IsSSM() || n.IsList() || n.Value("1,2") != "1,2" {
		t.Errorf("wrong about %+v", n)
	}
}

func TestResolveParametersErrors(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		parameters string
		given      map[string]string
		want       string
	}{
		{"{A: {Type: String}, C: {Type: String}, B: {Type: String, Default: x}}", nil, "Parameters: [A, C] must have values"},
		{"{InputValue: {Type: AWS::SSM::Parameter::Value<String>}}", nil, "Parameter InputValue should either have input value or default value"},
		{"{A: {Type: String, Default: x}}", map[string]string{"Y": "1", "X": "1"}, "Parameters: [X, Y] do not exist in the template"},
		{"{}", map[string]string{"X": "1"}, "Parameter values specified for a template which does not require them."},
		{"{Value: {Type: Number}}", map[string]string{"Value": "x"}, "Parameter 'Value' must be a number."},
		{"{Value: {Type: Number, ConstraintDescription: c}}", map[string]string{"Value": ""}, "Parameter 'Value' must be a number."},
		{"{V: {Type: List<Number>}}", map[string]string{"V": "1,x"}, "Parameter 'V' must be a number."},
		{"{V: {Type: Number, MinValue: 2}}", map[string]string{"V": "1"}, "Parameter 'V' must be a number not less than 2"},
		{"{V: {Type: Number, MaxValue: 2.5}}", map[string]string{"V": "3"}, "Parameter 'V' must be a number not greater than 2.5"},
		{"{V: {Type: String, MinLength: 2}}", map[string]string{"V": "ü"}, "Parameter 'V' must contain at least 2 characters"},
		{"{V: {Type: String, MaxLength: 2}}", map[string]string{"V": "abc"}, "Parameter 'V' must contain at most 2 characters"},
		{"{V: {Type: String}}", map[string]string{"V": strings.Repeat("x", 4097)}, "Parameter 'V' must contain at most 4096 bytes"},
		{"{V: {Type: String, AllowedPattern: 'a|b'}}", map[string]string{"V": "ab"}, "Parameter 'V' must match pattern a|b"},
		{"{V: {Type: CommaDelimitedList, AllowedPattern: '[ab]'}}", map[string]string{"V": "a, c"}, "Parameter 'V' must match pattern [ab]"},
		{"{V: {Type: String, AllowedValues: [a]}}", map[string]string{"V": "b"}, "Parameter 'V' must be one of AllowedValues"},
		{"{V: {Type: CommaDelimitedList, AllowedValues: [a, b]}}", map[string]string{"V": "a,c"}, "Parameter 'V' must be one of AllowedValues"},
		{"{V: {Type: String, AllowedValues: [a], ConstraintDescription: say a}}", map[string]string{"V": "b"}, "Parameter 'V' failed to satisfy constraint: say a"},
	} {
		tpl := parse(t, topic+"Parameters: "+tc.parameters)
		if got, err := tpl.ResolveParameters(tc.given, nil); err == nil || err.Error() != tc.want {
			t.Errorf("%s %v\ngot  %v, %v\nwant %s", tc.parameters, tc.given, got, err, tc.want)
		}
	}
}
