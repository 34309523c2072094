package plan

import (
	"github.com/deployer-cli/deployer/internal/cfntemplate"
	"github.com/deployer-cli/deployer/internal/restype"
	"github.com/deployer-cli/deployer/stacks"
)

// onPaper tells what is in a stack that came up whole by the template that it lives
// with, which costs no call where the template is known. It is false where that has to
// be looked at: outside of development, where anything in it is to stay, holds data that
// lasts, a secret or other stacks, or is of a type that nobody knows, and where
// conditions, macros or loops decide what is made.
func onPaper(st *stacks.Stack, live *stacks.Live, t *cfntemplate.Template) ([]stacks.Resource, bool) {
	whole := live.Status == stacks.CreateComplete || live.Status == stacks.UpdateComplete
	if env := st.Environment; !whole || env == nil || env.Class != stacks.Development || env.SaysProduction() {
		return nil, false
	}
	if len(t.Transforms) > 0 || t.HasMacro() {
		return nil, false
	}
	out := make([]stacks.Resource, 0, len(t.ResourceNames))
	for _, id := range t.ResourceNames {
		r := t.Resources[id]
		if _, known := restype.Lookup(r.Type); !known || r.Condition != "" || r.DeletionPolicy != "" && r.DeletionPolicy != "Delete" || restype.Holds(r.Type) > restype.HoldsPassing {
			return nil, false
		}
		out = append(out, stacks.Resource{LogicalID: id, PhysicalID: inTemplate, Type: r.Type, Status: string(live.Status)})
	}
	return out, true
}

// inTemplate stands for the physical id of what only the template was asked for.
const inTemplate = "as its template says"
