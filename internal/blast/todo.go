package blast

import (
	"errors"

	"github.com/deployer-cli/deployer/stacks"
)

// Still to be written; until then everything is refused.

// ParsePolicy reads the break block of an environment, tightened by those of
// the environments around it. What cannot be read is a *stacks.Problem.
func ParsePolicy(e *stacks.Environment, all []*stacks.Environment) (Policy, error) {
	return Policy{}, errors.New("not written yet")
}

// ParseStack reads the break block of a stack.
func ParseStack(st *stacks.Stack) (StackPolicy, error) {
	return StackPolicy{}, errors.New("not written yet")
}

// Choose picks targets, sorted. The same seed picks the same stacks.
func Choose(all []Candidate, c Choice) ([]stacks.Path, error) {
	return nil, errors.New("not written yet")
}

// Unasked names the exports of what would go whose importers have to be looked
// up; after that, ask again.
func Unasked(f *Facts) []string { return nil }

// MustGo lists what has to go for the targets to go, in the order of deletion.
func MustGo(f *Facts) ([]Going, []Refusal) { return nil, nil }

// Measure tells what a break takes with it.
func Measure(f *Facts, going []Going) Radius { return Radius{} }

// Guards asks all guards but G14 and G16, which run as they come.
func Guards(f *Facts, going []Going, refused []Refusal, r Radius) []Verdict {
	return []Verdict{{Guard: "G1", Why: "not written yet", Code: exitRefused}}
}

// Again asks the guards that are asked again right before a step's call.
func Again(f *Facts, p *Plan, step *Step) []Verdict {
	return []Verdict{{Guard: "G1", Why: "not written yet", Code: exitRefused}}
}

// Make makes the whole plan of the facts: steps, radius, verdicts and phrase.
// The caller fills in ID, Made, By, Version, Commit, Dirty, and then seals it.
func Make(f *Facts) *Plan { return &Plan{Schema: Schema} }

// Seal fills in the digest.
func (p *Plan) Seal() error { return errors.New("not written yet") }

// Digest computes the digest over everything else in the plan.
func (p *Plan) Digest() string { return "" }

// ReadPlan reads a plan file strictly, and checks that it is what its digest says.
func ReadPlan(text []byte) (*Plan, error) { return nil, errors.New("not written yet") }

// Stale says what moved between a plan and the same plan made again just now;
// each is an error with exit code 5.
func Stale(p, fresh *Plan) []error { return []error{errors.New("not written yet")} }

// Phrase is what a person has to type: the environment, and the number of stacks
// that are deleted, or touched where the kind deletes none.
func Phrase(p *Plan) string { return "" }
