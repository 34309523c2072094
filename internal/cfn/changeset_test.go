package cfn

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
)

// TestWhyChanged: what of a resource stays, by the policy action that the service
// tells, stands in the reason; plan.Separate reads it there.
func TestWhyChanged(t *testing.T) {
	t.Parallel()
	property := func(name, by string) types.ResourceChangeDetail {
		d := types.ResourceChangeDetail{Target: &types.ResourceTargetDefinition{Attribute: types.ResourceAttributeProperties}}
		if name != "" {
			d.Target.Name = &name
		}
		if by != "" {
			d.CausingEntity = &by
		}
		return d
	}
	tests := map[string]struct {
		change types.ResourceChange
		want   string
	}{
		"removed":                       {types.ResourceChange{PolicyAction: types.PolicyActionDelete}, ""},
		"removed, retained":             {types.ResourceChange{PolicyAction: types.PolicyActionRetain}, "the old one stays"},
		"removed, with a snapshot":      {types.ResourceChange{PolicyAction: types.PolicyActionSnapshot}, "a snapshot of it stays"},
		"replaced":                      {types.ResourceChange{PolicyAction: types.PolicyActionReplaceAndDelete, Details: []types.ResourceChangeDetail{property("Engine", "")}}, "Engine"},
		"replaced, retained":            {types.ResourceChange{PolicyAction: types.PolicyActionReplaceAndRetain, Details: []types.ResourceChangeDetail{property("Engine", "")}}, "Engine, the old one stays"},
		"replaced, with a snapshot":     {types.ResourceChange{PolicyAction: types.PolicyActionReplaceAndSnapshot, Details: []types.ResourceChangeDetail{property("Engine", "Version")}}, "Engine (from Version), a snapshot of it stays"},
		"nothing told":                  {types.ResourceChange{Scope: []types.ResourceAttribute{types.ResourceAttributeTags}}, "Tags"},
		"a word that nobody knows":      {types.ResourceChange{PolicyAction: "Hide", Scope: []types.ResourceAttribute{types.ResourceAttributeTags}}, "Tags"},
		"told twice, once with a cause": {types.ResourceChange{Details: []types.ResourceChangeDetail{property("Name", "Stage"), property("Name", "")}}, "Name (from Stage)"},
		"an attribute without a name":   {types.ResourceChange{Details: []types.ResourceChangeDetail{property("", ""), {}}}, "Properties"},
	}
	for name, tt := range tests {
		if got := whyChanged(&tt.change); got != tt.want {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}
	for _, action := range types.PolicyAction("").Values() {
		why := whyChanged(&types.ResourceChange{PolicyAction: action})
		switch action {
		case types.PolicyActionDelete, types.PolicyActionReplaceAndDelete:
			if why != "" {
				t.Errorf("%s says %q", action, why)
			}
		default:
			if why == "" {
				t.Errorf("%s says nothing of what stays", action)
			}
		}
	}
}
