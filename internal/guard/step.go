package guard

import (
	"fmt"
	"slices"
	"strings"

	"github.com/deployer-cli/deployer/stacks"
)

// Step is one stack that a run wants to touch.
type Step struct {
	Path        stacks.Path
	Name        string
	StackID     string // as observed; "" when the stack does not exist
	Account     string // as STS told for the stack's credentials
	Region      string
	Environment *stacks.Environment
	LiveTags    []stacks.Tag
	OwnTags     []stacks.Tag  // deployer's own, as the files would have them
	Projects    []string      // what the live tag deployer:project may say besides
	Verbs       []stacks.Verb // everything the step may call
	Deletes     bool          // the stack is deleted, alone or to be created again
	Again       bool          // and then created again, by a change set
	NeverUp     bool          // as observed: its creation never ended well
	Replaces    []string      // what is lost on the way, for the reader
	Protected   bool          // protect: true in its config
	Asks        string        // something of its own that a person has to agree to
}

// Class is the class in force for a step: the strictest of the file, the live
// tags and the name.
func (s *Step) Class() stacks.Class {
	class := stacks.Undeclared
	if s.Environment == nil {
		return stacks.Production
	}
	class = stacks.Strictest(class, s.Environment.Class)
	for _, t := range s.LiveTags {
		if t.Key == stacks.TagClass {
			class = stacks.Strictest(class, stacks.Class(t.Value))
		}
	}
	return class
}

// named tells whether a name says production where no environment block does:
// that of an undeclared environment, or of a group inside of a declared weaker
// one, which a block in the folder above must not take the word from.
func (s *Step) named() bool {
	return s.Class() != stacks.Production && (stacks.HasProductionWord(s.Environment.Name) || stacks.HasProductionWord(string(s.Path.Group())))
}

// refusals lists what forbids a step whatever anybody answers.
func (s *Step) refusals(r *Request) []*Refusal {
	if s.Environment == nil {
		return []*Refusal{{
			Rule: "P1", Code: exitRefused, What: fmt.Sprintf("%s is not touched", s.Path),
			Why: "its environment is not known",
		}}
	}
	out := s.mismatches()
	if r.Command == cmdBreak {
		out = append(out, s.breaking(r)...)
	}
	if s.Protected && !r.planning() && !r.dropping() {
		out = append(out, &Refusal{
			Rule: "protect", Code: exitRefused, What: fmt.Sprintf("%s is not touched", s.Path),
			Why: "its config says protect: true", Tip: "take protect out of its config, or leave the stack out of PATH",
		})
	}
	if s.Class() == stacks.Production && r.Command == "execute" {
		out = append(out, &Refusal{
			Rule: "P5", Code: exitRefused, What: fmt.Sprintf("no change set of %s is executed", s.Path),
			Why: "it is production, where only the change sets of a reviewed plan are",
			Tip: "see what it comes to with: deployer plan " + string(s.Path),
		})
	}
	return append(append(out, s.weakened()...), s.foreign(r)...)
}

// mismatches compares account and region with the environment's lists.
func (s *Step) mismatches() []*Refusal {
	var out []*Refusal
	e := s.Environment
	if len(e.Accounts) > 0 && !slices.Contains(e.Accounts, s.Account) {
		out = append(out, &Refusal{
			Rule: "P2", Code: exitMismatch, What: fmt.Sprintf("%s is bound to another account", e.Name),
			Why: fmt.Sprintf("these credentials are for account %s, the environment may live in %s", orUnknown(s.Account), strings.Join(e.Accounts, ", ")),
			Tip: "use the credentials of that account (AWS_PROFILE, or profile: in its config)",
		})
	}
	if e.Class == stacks.Production && len(e.Accounts) == 0 {
		out = append(out, &Refusal{
			Rule: "P2", Code: exitRefused, What: fmt.Sprintf("%s is not touched", s.Path),
			Why: "a production environment names the accounts it may live in", Tip: "add accounts: to its environment block",
		})
	}
	if len(e.Regions) > 0 && !slices.Contains(e.Regions, s.Region) {
		out = append(out, &Refusal{
			Rule: "P2", Code: exitMismatch, What: fmt.Sprintf("%s is bound to other regions", e.Name),
			Why: fmt.Sprintf("%s is in %s, the environment may live in %s", s.Path, orUnknown(s.Region), strings.Join(e.Regions, ", ")),
			Tip: "mend region: in its config, or regions: in the environment block",
		})
	}
	return out
}

func orUnknown(s string) string {
	if s == "" {
		return "unknown"
	}
	return s
}
