package engine

import (
	"maps"
	"slices"

	"github.com/deployer-cli/deployer/internal/restype"
)

const revertDrift = "REVERT_DRIFT"

// drifting reports whether a resource is not what its template made.
func (r *resource) drifting() bool { return r.Missing || len(r.propertyDrift()) > 0 }

// reverts adds to a change what brings a resource back that was changed behind its
// stack's back.
func (p *planner) reverts(r *resource, next *state, c *ResourceChange, why []plannedWhy) []plannedWhy {
	if !r.drifting() {
		return why
	}
	c.ResourceDriftStatus = driftModified
	for _, name := range slices.Sorted(maps.Keys(r.Actual)) {
		actual, had := r.Actual[name]
		if same(actual, next.Props[name]) {
			continue
		}
		why = slices.DeleteFunc(why, func(d plannedWhy) bool { return d.Target.Name == name })
		attribute, kind := "Properties", "Modify"
		if t, ok := restype.Lookup(r.Type); ok && name == t.TagProperty {
			attribute = "Tags"
		}
		if !had || actual == nil {
			kind = "Add"
		} else if _, wanted := next.Props[name]; !wanted {
			kind = "Remove"
		}
		hidden := p.masked(map[string]any{"p": r.Props[name], "a": actual, "n": next.Props[name]})
		why = append(why, plannedWhy{ResourceChangeDetail: ResourceChangeDetail{
			Evaluation: "Static", ChangeSource: "NoModification",
			Target: &ResourceTargetDefinition{
				Attribute: attribute, Name: name, RequiresRecreation: "Never", Path: "/Properties/" + name, AttributeChangeType: kind,
				BeforeValue: valueText(hidden["a"]), AfterValue: valueText(hidden["n"]), BeforeValueFrom: "ACTUAL_STATE", AfterValueFrom: "TEMPLATE",
				Drift: &LiveResourceDrift{PreviousValue: valueText(hidden["p"]), ActualValue: valueText(hidden["a"]), DriftDetectionTimestamp: p.s.now},
			},
		}})
		c.Scope = add(c.Scope, attribute)
	}
	return why
}

// again makes what somebody deleted behind the stack's back.
func (p *planner) again(r *resource, next *state) {
	p.fates[r.ID] = fateReplaced
	p.changes = append(p.changes, planned{Change: ResourceChange{
		Action: "Add", LogicalResourceId: r.ID, ResourceType: next.Type, Scope: []string{}, AfterContext: p.contextOf(next), ResourceDriftStatus: driftDeleted,
	}})
}
