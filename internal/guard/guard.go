// Package guard decides whether a run may touch its targets.
//
// It derives the class of every target from the loaded environments, the live
// tags and the names, asks for what that class asks for, and compares typed
// text, never a boolean. Whoever writes to AWS needs the Clearance that only
// Check makes. The package does no IO, and whatever it cannot read or does not
// know, it refuses.
package guard

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/go-multierror"

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
	Verbs       []stacks.Verb // everything the step may call
	Deletes     bool          // the stack is deleted, alone or to be created again
	Replaces    []string      // what is lost on the way, for the reader
	Protected   bool          // protect: true in its config
	Asks        string        // something of its own that a person has to agree to
}

// Request is what a run wants.
type Request struct {
	Run      string // id of the run; the clearance is good for this run alone
	Command  string // launch, delete, …
	Realm    stacks.Realm
	Endpoint string // what AWS_ENDPOINT_URL names, "" for none
	Steps    []Step
	Terminal bool // a person is there to type
	Yes      bool // --yes was given
	Now      time.Time
	For      time.Duration // how long the clearance lasts
}

// Question asks a person for something before a run.
type Question struct {
	ID    string
	Text  string // what is asked, in one line
	Want  string // the phrase to type; "" for a y/N question
	Class stacks.Class
	Notes []string // what to know before answering
}

// Answers holds what was typed, by question ID.
type Answers map[string]string

// The ids of questions.
const (
	askGo = "go"
)

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

// named tells whether an undeclared environment has a production word.
func (s *Step) named() bool {
	return s.Class() == stacks.Undeclared && stacks.HasProductionWord(s.Environment.Name)
}

// Class is the strictest class among the steps.
func (r *Request) Class() stacks.Class {
	class := stacks.Undeclared
	for i := range r.Steps {
		class = stacks.Strictest(class, r.Steps[i].Class())
	}
	return class
}

func (r *Request) productionName() bool {
	return slices.ContainsFunc(r.Steps, func(s Step) bool { return s.named() })
}

func (r *Request) deletes() int {
	n := 0
	for _, s := range r.Steps {
		if s.Deletes {
			n++
		}
	}
	return n
}

// Phrase is what has to be typed for a run that a y is not enough for. It is
// made from the plan, so that it cannot be typed by habit: the environments,
// the number of stacks that change, and the number that are deleted.
func (r *Request) Phrase() string {
	var names []string
	for _, s := range r.Steps {
		if s.Environment != nil && !slices.Contains(names, s.Environment.Name) {
			names = append(names, s.Environment.Name)
		}
	}
	slices.Sort(names)
	return fmt.Sprintf("%s %d changes %d deletes", strings.Join(names, " "), len(r.Steps), r.deletes())
}

// needsPhrase tells whether y/N is not enough.
func (r *Request) needsPhrase() bool {
	switch r.Class() {
	case stacks.Production:
		return true
	case stacks.Persistent:
		return r.deletes() > 0
	case stacks.Development:
		return r.productionName()
	case stacks.Undeclared:
		return r.productionName()
	}
	return true
}

// YesIsEnough tells whether --yes may stand for the answer.
func (r *Request) YesIsEnough() bool {
	if slices.ContainsFunc(r.Steps, func(s Step) bool { return s.Asks != "" }) {
		return false
	}
	switch r.Class() {
	case stacks.Production:
		return false
	case stacks.Persistent:
		return r.deletes() == 0
	default:
		// A pipeline that worked with Sceptre goes on working for a launch; a
		// person at a terminal types, and nothing deletes by --yes there.
		return !r.productionName() || (!r.Terminal && r.deletes() == 0)
	}
}

// Questions lists what a person has to answer before the run; none when there
// is nothing to do or --yes is enough.
func Questions(r Request) []Question {
	if len(r.Steps) == 0 || (r.Yes && r.YesIsEnough()) {
		return nil
	}
	var qs []Question
	for _, s := range r.Steps {
		if s.Asks != "" {
			qs = append(qs, Question{ID: "ask " + string(s.Path), Text: s.Asks, Class: s.Class()})
		}
	}
	q := Question{ID: askGo, Class: r.Class(), Text: fmt.Sprintf("%s %d stacks?", r.Command, len(r.Steps))}
	if len(r.Steps) == 1 {
		q.Text = fmt.Sprintf("%s %s?", r.Command, r.Steps[0].Path)
	}
	if r.needsPhrase() {
		q.Want = r.Phrase()
		q.Text = fmt.Sprintf("type %q to %s", q.Want, r.Command)
	}
	if r.productionName() {
		q.Notes = append(q.Notes, "the name says production, but no environment block declares it: add one to its config.yaml with class: production and its accounts")
	}
	return append(qs, q)
}

// Check decides. It returns a Clearance for exactly the request's steps, or
// everything that speaks against it: an error of *Refusal, with the exit code
// of the most serious.
func Check(r Request, answers Answers) (Clearance, error) {
	var errs *multierror.Error
	for i := range r.Steps {
		for _, refusal := range r.Steps[i].refusals(r.Command) {
			errs = multierror.Append(errs, refusal)
		}
	}
	if r.Run == "" || r.Now.IsZero() || r.For <= 0 {
		errs = multierror.Append(errs, &Refusal{Rule: "clearance", Code: exitRefused, What: "no clearance", Why: "the request names no run or no time"})
	}
	if errs == nil {
		for _, q := range Questions(r) {
			if refusal := judge(r, q, answers); refusal != nil {
				errs = multierror.Append(errs, refusal)
			}
		}
	}
	if err := errs.ErrorOrNil(); err != nil {
		errs.ErrorFormat = formatRefusals
		return Clearance{}, &Refused{errs: errs}
	}
	return newClearance(r), nil
}

// Bound tells whether every step lies in the account and region that its
// environment is bound to. It is asked before any program or resolver is given
// credentials, and again by Check.
func Bound(steps []Step) error {
	var errs *multierror.Error
	for i := range steps {
		if steps[i].Environment == nil {
			continue // Check refuses to touch it
		}
		for _, refusal := range steps[i].mismatches() {
			errs = multierror.Append(errs, refusal)
		}
	}
	if errs == nil {
		return nil
	}
	errs.ErrorFormat = formatRefusals
	return &Refused{errs: errs}
}

// judge compares one answer with what was asked.
func judge(r Request, q Question, answers Answers) *Refusal {
	got, answered := answers[q.ID]
	got = strings.TrimSpace(got)
	switch {
	case !answered && r.Yes && !r.Terminal && r.Class() == stacks.Production:
		return &Refusal{
			Rule: "P4", Code: exitUnconfirmed, What: "production takes no --yes", Why: "nobody has read this plan",
			Tip: "run it at a terminal and type the phrase",
		}
	case !answered:
		return &Refusal{
			Rule: "confirmation", Code: exitUnconfirmed, What: "nobody said yes", Why: "there is no terminal to ask at, or the input ended",
			Tip: tipFor(r),
		}
	case q.Want == "" && (strings.EqualFold(got, "y") || strings.EqualFold(got, "yes")):
		return nil
	case q.Want == "":
		return &Refusal{Rule: "confirmation", Code: exitUnconfirmed, What: "not confirmed", Why: "the answer was no"}
	case got == q.Want:
		return nil
	default:
		return &Refusal{
			Rule: "confirmation", Code: exitUnconfirmed, What: "not confirmed",
			Why: fmt.Sprintf("what was typed is not %q", q.Want),
		}
	}
}

func tipFor(r Request) string {
	if r.YesIsEnough() {
		return "add --yes if you mean it"
	}
	return "run it at a terminal, where you can read the plan and type the phrase"
}

// refusals lists what forbids a step whatever anybody answers.
func (s *Step) refusals(command string) []*Refusal {
	if s.Environment == nil {
		return []*Refusal{{
			Rule: "P1", Code: exitRefused, What: fmt.Sprintf("%s is not touched", s.Path),
			Why: "its environment is not known",
		}}
	}
	out := s.mismatches()
	if s.Protected {
		out = append(out, &Refusal{
			Rule: "protect", Code: exitRefused, What: fmt.Sprintf("%s is not touched", s.Path),
			Why: "its config says protect: true", Tip: "take protect out of its config, or leave the stack out of PATH",
		})
	}
	if s.Class() == stacks.Production && s.Deletes && command == "delete" {
		out = append(out, &Refusal{
			Rule: "P9", Code: exitRefused, What: fmt.Sprintf("%s is not deleted", s.Path),
			Why: "it is production, where only an approved plan deletes",
			Tip: "if the stack is not needed any more, say obsolete: true in its config and have the change reviewed",
		})
	}
	return append(out, s.weakened()...)
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

// weakened refuses to take the class off a stack that is live as production.
func (s *Step) weakened() []*Refusal {
	for _, t := range s.LiveTags {
		live := stacks.Class(t.Value)
		if t.Key == stacks.TagClass && live == stacks.Production && s.Environment.Class != stacks.Production {
			return []*Refusal{{
				Rule: "P1", Code: exitRefused, What: fmt.Sprintf("%s is not touched", s.Path),
				Why: fmt.Sprintf("the live stack is tagged %s=production, the files say %s", stacks.TagClass, s.Environment.Class.Word()),
				Tip: "put class: production back; taking it off is a change to production of its own",
			}}
		}
	}
	return nil
}

func orUnknown(s string) string {
	if s == "" {
		return "unknown"
	}
	return s
}

// Exit codes of refusals, design.md section 4.
const (
	exitRefused     = 3
	exitUnconfirmed = 4
	exitMismatch    = 5
)

// Refusal is one reason not to run: which rule, what, why, and the safe way on.
type Refusal struct {
	Rule string
	Code int
	What string
	Why  string
	Tip  string
}

// Error gives what and why, and the rule.
func (r *Refusal) Error() string { return fmt.Sprintf("%s: %s (%s)", r.What, r.Why, r.Rule) }

// Hint gives the safe way on.
func (r *Refusal) Hint() string { return r.Tip }

// ExitCode is 3, 4 or 5.
func (r *Refusal) ExitCode() int { return r.Code }

// Refused holds every reason for which a run was refused.
type Refused struct{ errs *multierror.Error }

// Error lists the reasons.
func (r *Refused) Error() string { return r.errs.Error() }

// Unwrap gives the reasons.
func (r *Refused) Unwrap() []error { return r.errs.WrappedErrors() }

// ExitCode is the most serious one: a guard's refusal before a mismatch before
// a missing confirmation.
func (r *Refused) ExitCode() int {
	code := exitUnconfirmed
	for _, err := range r.errs.WrappedErrors() {
		refusal, ok := errors.AsType[*Refusal](err)
		if !ok || refusal.Code == exitRefused {
			return exitRefused
		}
		code = max(code, refusal.Code)
	}
	return code
}

func formatRefusals(errs []error) string {
	lines := make([]string, 0, len(errs))
	for _, e := range errs {
		lines = append(lines, e.Error())
	}
	return strings.Join(lines, "\n")
}
