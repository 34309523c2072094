package cfn_test

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/deployer-cli/deployer/stacks"
)

const shaped = `
Parameters:
  Colour: {Type: String, Default: blue}
  Secret: {Type: String, NoEcho: true}
  Size: {Type: Number, Default: 1}
Resources:
  Topic: {Type: AWS::SNS::Topic, Properties: {DisplayName: !Sub "${Colour}-${Size}"}}
  Hidden: {Type: AWS::SSM::Parameter, Properties: {Type: String, Value: !Ref Secret}}
`

// TestDriftChangesOneParameter: all else of the stack stays as it is, and the same
// again is no change.
func TestDriftChangesOneParameter(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		c := change(stacks.Create, "web")
		c.Desired.Body = []byte(shaped)
		c.Desired.Parameters = []stacks.Parameter{{Key: "Secret", Value: "hush"}, {Key: "Size", Value: "7"}}
		c.Desired.Tags = []stacks.Tag{{Key: "team", Value: "a"}}
		op, err := w.cfn.Writer(clearance(t, step("web", false))).Create(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		w.end(t, op, stacks.CreateComplete)
		target := web()
		target.StackID, target.Token = op.StackID, "drift-1"
		writer := w.cfn.Writer(in(t, op.StackID))
		changed, err := writer.Drift(t.Context(), target, map[string]string{"Colour": "red"})
		if err != nil {
			t.Fatal(err)
		}
		p := w.end(t, changed, stacks.UpdateComplete)
		for key, want := range map[string]string{"Colour": "red", "Size": "7", "Secret": "****"} {
			if !slices.ContainsFunc(p.Live.Parameters, func(p stacks.LiveParameter) bool { return p.Key == key && p.Value == want }) {
				t.Errorf("%s is not %q: %v", key, want, p.Live.Parameters)
			}
		}
		if len(p.Live.Tags) != 1 || p.Live.Tags[0].Value != "a" {
			t.Errorf("tags %v", p.Live.Tags)
		}
		target.Token = "drift-2"
		if _, err := writer.Drift(t.Context(), target, map[string]string{"Colour": "red"}); !isA[*stacks.NoChangesError](err) {
			t.Errorf("the same again: %v", err)
		}
		if _, err := writer.Drift(t.Context(), target, map[string]string{"Color": "red"}); !isA[*stacks.Problem](err) || !strings.Contains(err.Error(), "Colour, Secret, Size") {
			t.Errorf("a parameter that is not there: %v", err)
		}
		if _, err := writer.ProposeRevert(t.Context(), target, "revert"); !isA[*stacks.NoChangesError](err) {
			t.Errorf("nothing has drifted: %v", err)
		}
	})
}
