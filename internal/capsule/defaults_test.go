package capsule_test

import (
	"encoding/json"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/deployer-cli/deployer/internal/capsule"
	"github.com/deployer-cli/deployer/internal/cfntemplate"
)

// TestKept: the default of a secret parameter is not kept, and nothing else of the
// template's text changes.
func TestKept(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ text, want string }{
		"flow, first":  {"Parameters:\n  P: {Default: hush, Type: String, NoEcho: true} # x\n", "Parameters:\n  P: {Type: String, NoEcho: true} # x\n"},
		"flow, last":   {"Parameters:\n  P: {Type: String, NoEcho: true, Default: 'hu''sh'}\n", "Parameters:\n  P: {Type: String, NoEcho: true}\n"},
		"block":        {"Parameters:\n  P:\n    Type: String\n    Default: hush # why\n    NoEcho: true\nOutputs: {}\n", "Parameters:\n  P:\n    Type: String\n    NoEcho: true\nOutputs: {}\n"},
		"block, end":   {"Parameters:\n  Ü:\n    NoEcho: 'true'\n    Type: String\n    Default: \"hu\\\"sh\"", "Parameters:\n  Ü:\n    NoEcho: 'true'\n    Type: String\n"},
		"two":          {"Parameters:\n  P: {Type: String, NoEcho: true, Default: hush}\n  Q: {Type: Number, Default: 1234, NoEcho: true}\n", "Parameters:\n  P: {Type: String, NoEcho: true}\n  Q: {Type: Number, NoEcho: true}\n"},
		"JSON":         {"{\"Parameters\": {\"P\": {\"Type\": \"String\",\n  \"NoEcho\": true,\n  \"Default\": \"hush\"\n}}, \"Resources\": {\"T\": {\"Type\": \"AWS::SNS::Topic\"}}}", "{\"Parameters\": {\"P\": {\"Type\": \"String\",\n  \"NoEcho\": true\n}}, \"Resources\": {\"T\": {\"Type\": \"AWS::SNS::Topic\"}}}"},
		"it may show":  {"Parameters:\n  P: {Type: String, Default: hush}\n  Q: {Type: String, NoEcho: false, Default: hush}\n", ""},
		"says nothing": {"Parameters:\n  P: {Type: String, Default: '', NoEcho: true}\n", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if tt.want == "" {
				tt.want = tt.text
			}
			if tt.text[0] != '{' {
				const rest = "Resources: {T: {Type: 'AWS::SNS::Topic'}}\n"
				tt.text, tt.want = rest+tt.text, rest+tt.want
			}
			if got := capsule.Kept(tt.text); got != tt.want {
				t.Errorf("got\n%s\nwant\n%s", got, tt.want)
			}
		})
	}
}

// TestKeptOfAny: whatever the default is, it is gone, and the rest reads the same.
func TestKeptOfAny(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		value := "Hush" + rapid.StringMatching(`[ -~äß]{0,12}`).Draw(t, "value")
		doc := map[string]any{
			"Parameters": map[string]any{"P": map[string]any{"Type": "String", "NoEcho": true, "Default": value}, "Q": map[string]any{"Type": "String", "Default": "stays"}},
			"Resources":  map[string]any{"T": map[string]any{"Type": "AWS::SNS::Topic"}},
		}
		text, err := json.MarshalIndent(doc, "", rapid.SampledFrom([]string{"", " ", "\t"}).Draw(t, "indent"))
		if err != nil {
			t.Fatal(err)
		}
		got := capsule.Kept(string(text))
		is, err := cfntemplate.Parse([]byte(got))
		if err != nil || strings.Contains(got, "Hush") || is.Parameters["P"].Default != nil || *is.Parameters["Q"].Default != "stays" || len(is.Resources) != 1 {
			t.Fatalf("%v\n%s", err, got)
		}
	})
}
