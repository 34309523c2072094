package guard

import (
	"fmt"
	"slices"

	"github.com/deployer-cli/deployer/stacks"
)

// Commands that drop what plans left: change sets, and the shells around them.
const (
	cmdDiscard = "plan discard"
	cmdStale   = "prune --stale-plans"
	cmdPlanSet = "delete a plan's change set"
)

// dropping tells whether a request takes plans away that somebody may have reviewed.
// That a run drops its own proposals again is another thing, and needs nobody's word.
func (r *Request) dropping() bool {
	if !slices.Contains([]string{cmdDiscard, cmdStale, cmdPlanSet}, r.Command) || len(r.Steps) == 0 {
		return false
	}
	for i := range r.Steps {
		if v := r.Steps[i].Verbs; len(v) != 1 || v[0] != stacks.Discard {
			return false
		}
	}
	return true
}

// dropStanding is all of standing that speaks against dropping plans: somebody who is
// at it, and may be applying one. It begins nothing, so that freezes, leases and
// approvals are no matter of it, as with cancel.
func (r *Request) dropStanding() []*Refusal {
	var out []*Refusal
	for _, e := range r.environments() {
		out = append(out, r.locked(e)...)
	}
	return out
}

// dropPhrase is what has to be typed to drop plans of production.
func dropPhrase(names string, n int) string { return fmt.Sprintf("%s %d drops", names, n) }

// dropHabit refuses to drop plans of production where nobody can have looked.
func (r *Request) dropHabit() *Refusal {
	refusal := &Refusal{
		Rule: "P5", Code: exitUnconfirmed, What: "no plan of production is dropped from here",
		Why: "there is no terminal to type the phrase at, and no digest that says which plan is meant",
		Tip: "run it at a terminal and type the phrase, or name the plan: deployer plan discard F --digest D",
	}
	switch {
	case r.Yes:
		refusal.Rule, refusal.What, refusal.Why = "P4", "production takes no --yes", "nobody has looked at what is dropped"
		return refusal
	case r.Digest == "":
		return refusal
	}
	return nil
}
