package cli

import (
	"slices"
	"strings"
	"testing"

	"github.com/deployer-cli/deployer/internal/capsule"
	"github.com/deployer-cli/deployer/internal/cfntemplate"
	"github.com/deployer-cli/deployer/stacks"
)

// TestSortChanges: what refers to a resource that is made again changes with it; what
// else a revert would change somebody has changed.
func TestSortChanges(t *testing.T) {
	t.Parallel()
	template, err := cfntemplate.Parse([]byte(`
Resources:
  Group: {Type: "AWS::EC2::SecurityGroup"}
  Web: {Type: "AWS::EC2::Instance", Properties: {SecurityGroupIds: [!GetAtt Group.GroupId]}}
  Alarm: {Type: "AWS::CloudWatch::Alarm", Properties: {Namespace: !Sub "${Web}"}}
  Inner: {Type: "AWS::CloudFormation::Stack"}
  Rule: {Type: "AWS::Events::Rule", DependsOn: Group}
`))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ changes, dependents, others string }{
		{"Group", "", ""},
		{"Group Web", "Web", ""},
		{"Alarm Web Group", "Alarm Web", ""},
		{"Group Inner", "", ""},
		{"Group Rule Web", "Web", "Rule"},
		{"Group Gone", "", "Gone"},
	} {
		var changes []stacks.ResourceChange
		for id := range strings.FieldsSeq(c.changes) {
			changes = append(changes, stacks.ResourceChange{LogicalID: id, Type: template.Resources[id].Type, Action: "modify"})
		}
		dependents, others := sortChanges(template, "Group", changes)
		if got := strings.Join(dependents, " "); got != c.dependents {
			t.Errorf("%s: %s refer to it, want %s", c.changes, got, c.dependents)
		}
		if got := strings.Join(others, " "); got != c.others {
			t.Errorf("%s: %s have nothing to do with it, want %s", c.changes, got, c.others)
		}
	}
}

// TestSetTo: what somebody has set since is told, and of a secret only that he has.
func TestSetTo(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		was     capsule.Parameter
		is, now string
		want    []capsule.Difference
	}{
		"as it was":           {capsule.Parameter{Key: "A", Value: "1"}, "1", "", nil},
		"another":             {capsule.Parameter{Key: "A", Value: "1"}, "2", "", []capsule.Difference{{What: "parameter A", Was: "1", Is: "2"}}},
		"a secret as it was":  {capsule.Parameter{Key: "A", Secret: true}, "hush", "hush", nil},
		"another secret":      {capsule.Parameter{Key: "A", Secret: true}, "other", "hush", []capsule.Difference{{What: "parameter A", Was: "****", Is: "****"}}},
		"one nobody can tell": {capsule.Parameter{Key: "A", Secret: true}, "other", "", []capsule.Difference{{What: "parameter A", Was: "****", Is: "****"}}},
	} {
		if got := setTo(tt.was, tt.is, tt.now); !slices.Equal(got, tt.want) {
			t.Errorf("%s: %+v", name, got)
		}
	}
}
