package ui

import (
	"github.com/deployer-cli/deployer/internal/plan"
	"github.com/deployer-cli/deployer/stacks"
)

// separate lists, before anything else, what is lost that others rely on or
// that holds data, with why it would be missed.
func (v *planView) separate(p *plan.Plan) {
	first := true
	for i := range p.Steps {
		step := &p.Steps[i]
		for _, one := range step.Separate {
			if first {
				head := "  Lost with this plan:"
				if p.Class == stacks.Production {
					head = "  Lost with this plan, each only where it was named (--allow-replace, --allow-delete):"
				}
				v.line(v.s.Bold(head))
				first = false
			}
			v.line(v.s.Bad("  ! "+clean(one.Name)) + "  " + clean(one.What+": "+one.Why))
		}
	}
	if !first {
		v.line("")
	}
}
