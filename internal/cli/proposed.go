package cli

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/deployer-cli/deployer/internal/cfn"
	"github.com/deployer-cli/deployer/internal/plan"
	"github.com/deployer-cli/deployer/stacks"
)

// asReviewed reads the change set of a reviewed step again. It has to be ready,
// one of the plan's own, made from what the project wants now, and to do what
// reviewers were told: the file alone proves nothing of that.
func (r *launcher) asReviewed(ctx context.Context, step *plan.Step) error {
	stale := func(what, why string) error {
		return &plan.StaleError{What: fmt.Sprintf("the change set of %s %s", step.Stack, what), Why: why, Tip: "plan again and have that reviewed"}
	}
	access := step.Desired.Stack.Access
	cs, err := r.s.cfn.ChangeSet(ctx, access, step.StackID, step.ChangeSet)
	switch {
	case err != nil:
		return stale("is gone", err.Error())
	case !cs.Ready():
		return stale("cannot be carried out", strings.TrimSpace(cs.Status+" "+cs.Execution+" "+cs.Reason))
	case cs.StackID != step.StackID || cs.Name != changeSetOfRun(r.file.Run):
		return stale("is not the plan's", fmt.Sprintf("it is %s of %s", cs.Name, cs.StackID))
	}
	changes, err := r.s.contents(ctx, access, cs)
	if err != nil {
		return err
	}
	if !slices.Equal(sortedChanges(changes), sortedChanges(step.Changes)) {
		return stale("does something else", "what it changes is not what the plan says")
	}
	body, err := r.s.cfn.ProposedTemplate(ctx, access, step.StackID, cs.ID)
	switch {
	case err != nil:
		return stale("cannot be compared", err.Error())
	case !r.sameTemplate(body, step.Desired.Body):
		return stale("has another template", "it was not made from what was reviewed")
	}
	if key := otherInput(cs, step.Desired); key != "" {
		return stale("has other inputs", key+" is not what was reviewed")
	}
	return nil
}

// changeSetOfRun is the name of all change sets that a run makes.
func changeSetOfRun(run string) string { return "deployer-" + run }

func sortedChanges(changes []stacks.ResourceChange) []stacks.ResourceChange {
	out := slices.Clone(changes)
	slices.SortFunc(out, func(a, b stacks.ResourceChange) int {
		return strings.Compare(a.LogicalID+" "+a.Action, b.LogicalID+" "+b.Action)
	})
	return out
}

// sameTemplate compares two templates by their bytes, else by what they say.
func (r *launcher) sameTemplate(a, b []byte) bool {
	if bytes.Equal(bytes.TrimSpace(a), bytes.TrimSpace(b)) {
		return true
	}
	x, err := r.s.loader.Parse(a)
	if err != nil {
		return false
	}
	y, err := r.s.loader.Parse(b)
	return err == nil && plan.Same(x.Doc, y.Doc)
}

// otherInput names a parameter or tag with which a change set was made and that
// is another now. What CloudFormation does not show is not compared.
func otherInput(cs cfn.ChangeSet, d *stacks.Desired) string {
	given := map[string]string{}
	for _, p := range cs.Parameters {
		given[p.Key] = p.Value
	}
	for _, p := range d.Parameters {
		value, ok := given[p.Key]
		if p.Unknown || p.Previous || ok && value == "****" {
			continue
		}
		if !ok || value != p.Value {
			return "parameter " + p.Key
		}
	}
	tags := map[string]string{}
	for _, t := range cs.Tags {
		tags[t.Key] = t.Value
	}
	if len(tags) != len(d.Tags) {
		return "the tags"
	}
	for _, t := range d.Tags {
		if value, ok := tags[t.Key]; !ok || value != t.Value {
			return "tag " + t.Key
		}
	}
	return ""
}
