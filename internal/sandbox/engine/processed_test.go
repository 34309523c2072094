package engine

import (
	"encoding/json"
	"maps"
	"slices"
	"testing"
)

const looped = `
Transform: AWS::LanguageExtensions
Parameters: {Names: {Type: CommaDelimitedList, Default: "A,B"}}
Resources:
  Fn::ForEach::Topics: [Name, !Ref Names, {"Topic${Name}": {Type: AWS::SNS::Topic, Properties: {DisplayName: !Sub "${Name}"}}}]
`

// The processed template has its loops run, of a stack and of a change set.
func TestProcessedTemplateOfLoops(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	do[CreateStackOutput](w, "CreateStack", &CreateStackInput{StackName: "net", TemplateBody: looped, Capabilities: []string{"CAPABILITY_AUTO_EXPAND"}})
	w.settle()
	do[CreateChangeSetOutput](w, "CreateChangeSet", &CreateChangeSetInput{
		StackName: "net", ChangeSetName: "more", UsePreviousTemplate: new(true), Parameters: parameters([]string{"Names", "A,C"}),
		Capabilities: []string{"CAPABILITY_AUTO_EXPAND"},
	})
	w.settle()
	for _, tt := range []struct {
		in   GetTemplateInput
		want []string
	}{
		{GetTemplateInput{StackName: "net", TemplateStage: "Processed"}, []string{"TopicA", "TopicB"}},
		{GetTemplateInput{StackName: "net", ChangeSetName: "more", TemplateStage: "Processed"}, []string{"TopicA", "TopicC"}},
	} {
		body := do[GetTemplateOutput](w, "GetTemplate", &tt.in).TemplateBody
		var doc struct{ Resources map[string]any }
		if err := json.Unmarshal([]byte(body), &doc); err != nil {
			t.Fatalf("%v in %s", err, body)
		}
		if got := slices.Sorted(maps.Keys(doc.Resources)); !slices.Equal(got, tt.want) {
			t.Errorf("%+v has %v, want %v", tt.in, got, tt.want)
		}
	}
	want(t, do[GetTemplateOutput](w, "GetTemplate", &GetTemplateInput{StackName: "net"}).TemplateBody, looped)
}
