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

// Request is what a run wants.
type Request struct {
	Run      string // id of the run; the clearance is good for this run alone
	Command  string // launch, delete, break, …
	Project  string // project_id, else project_code; asked for by a break
	Realm    stacks.Realm
	Endpoint string // what AWS_ENDPOINT_URL names, "" for none
	Steps    []Step
	Terminal bool // a person is there to type
	Yes      bool // --yes was given
	Hooked   bool // hooks of the project's run on the way, and they may do anything
	Now      time.Time
	For      time.Duration // how long the clearance lasts

	Environments []*stacks.Environment // all of the project; asked for by a break

	Digest    string                // of the plan file that is applied; "" when it was planned in this very run
	Planner   Identity              // who made the plan file
	Caller    Identity              // who runs this, as STS tells
	Callers   map[string][]Identity // by environment, where a run goes by several credentials
	Planners  []Identity            // the others who Planner is, for the same reason
	Plans     []PlanRecord          // as stored, unjudged
	Policies  map[string]Policy     // by environment; one that is missing is read from its block
	Approvals []Approval            // as stored, unjudged
	Leases    []Lease               // as stored, oldest first, unjudged
	Releases  []Release             // as stored, unjudged
	Locks     []Lock                // held by living others
	Skew      time.Duration         // how far Now is ahead of AWS's clock
	Forecast  time.Duration         // how long the run is expected to take, 0 when nobody knows
	DataLoss  []string              // STACK::LOGICAL of holders of data that are deleted or replaced
	Separate  map[string]string     // STACK::LOGICAL of what else is lost only by name, and why
	Allowed   []string              // STACK::LOGICAL or STACK that were named when it was planned
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

// deletedStacks counts the stacks that go.
func (r *Request) deletedStacks() int {
	n := 0
	for _, s := range r.Steps {
		if s.Deletes {
			n++
		}
	}
	return n
}

// deletes counts the stacks that go, and of the others the resources that are
// removed or replaced.
func (r *Request) deletes() int {
	n := r.deletedStacks()
	for _, s := range r.Steps {
		if !s.Deletes {
			n += len(s.Replaces)
		}
	}
	return n
}

// Phrase is what has to be typed for a run that a y is not enough for. It is
// made from the plan, so that it cannot be typed by habit: the environments,
// the number of stacks that change, how many stacks and resources are deleted or
// replaced, and how many stacks lose the class that they live as.
func (r *Request) Phrase() string {
	var names []string
	for _, s := range r.Steps {
		if s.Environment != nil && !slices.Contains(names, s.Environment.Name) {
			names = append(names, s.Environment.Name)
		}
	}
	slices.Sort(names)
	if r.Command == cmdBreak {
		return r.breakPhrase(names)
	}
	if r.dropping() {
		return dropPhrase(strings.Join(names, " "), len(r.Steps))
	}
	phrase := fmt.Sprintf("%s %d changes %d deletes", strings.Join(names, " "), len(r.Steps), r.deletes())
	if n := len(r.weakening()); n > 0 {
		phrase += fmt.Sprintf(" %d weakened", n)
	}
	return phrase
}

// needsPhrase tells whether y/N is not enough.
func (r *Request) needsPhrase() bool {
	if r.Command == cmdBreak || len(r.weakening()) > 0 {
		return true
	}
	switch r.Class() {
	case stacks.Production:
		return true
	case stacks.Persistent:
		return r.deletedStacks() > 0
	case stacks.Development:
		return r.productionName()
	case stacks.Undeclared:
		return r.productionName()
	}
	return true
}

// YesIsEnough tells whether --yes may stand for the answer.
func (r *Request) YesIsEnough() bool {
	if r.Command == cmdBreak {
		return false
	}
	if slices.ContainsFunc(r.Steps, func(s Step) bool { return s.Asks != "" }) || len(r.weakening()) > 0 {
		return false
	}
	switch r.Class() {
	case stacks.Production:
		return false
	case stacks.Persistent:
		return r.deletedStacks() == 0
	default:
		// A pipeline that worked with Sceptre goes on working for a launch; a
		// person at a terminal types, and nothing deletes by --yes there.
		return !r.productionName() || (!r.Terminal && r.deletedStacks() == 0)
	}
}

// Questions lists what a person has to answer before the run; none when there
// is nothing to do, --yes is enough, or a reviewed plan is applied: whoever
// gives its digest has read it.
func Questions(r Request) []Question {
	if len(r.Steps) == 0 || r.planning() || r.Digest != "" || (r.Yes && r.YesIsEnough()) {
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
	q.Notes = r.weakening()
	if r.productionName() {
		q.Notes = append(q.Notes, "the name says production, but no environment block declares it: add one to its config.yaml with class: production and its accounts")
	}
	return append(qs, q)
}

// Forbidden gives what forbids a request whatever anybody types, so that nobody
// is asked in vain: an error of *Refusal, nil for nothing.
func Forbidden(r Request) error {
	var errs *multierror.Error
	for i := range r.Steps {
		for _, refusal := range r.Steps[i].refusals(&r) {
			errs = multierror.Append(errs, refusal)
		}
	}
	for _, refusal := range r.standing() {
		errs = multierror.Append(errs, refusal)
	}
	for _, refusal := range []*Refusal{r.habit(), r.unread(), r.consent()} {
		if refusal != nil {
			errs = multierror.Append(errs, refusal)
		}
	}
	if errs == nil {
		return nil
	}
	errs.ErrorFormat = formatRefusals
	return &Refused{errs: errs}
}

// Check decides. It returns a Clearance for exactly the request's steps, or
// everything that speaks against it: an error of *Refusal, with the exit code
// of the most serious.
func Check(r Request, answers Answers) (Clearance, error) {
	var errs *multierror.Error
	if refused, ok := errors.AsType[*Refused](Forbidden(r)); ok {
		errs = refused.errs
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

// habit refuses what takes a run to production without anybody reading: --yes,
// and a run without a terminal that applies no reviewed plan.
func (r *Request) habit() *Refusal {
	switch {
	case r.Class() != stacks.Production || len(r.Steps) == 0 || r.planning() || r.Terminal:
		return nil
	case r.dropping():
		return r.dropHabit()
	case r.Yes:
		return &Refusal{
			Rule: "P4", Code: exitUnconfirmed, What: "production takes no --yes", Why: "nobody has read this plan",
			Tip: r.byPlan("run it at a terminal and type the phrase, or apply a reviewed plan: deployer launch --plan F --digest D"),
		}
	case r.Digest == "" && r.Hooked && r.proposing():
		return &Refusal{
			Rule: "P5", Code: exitUnconfirmed, What: "no hooks run in production from here", Why: "they may do anything, and there is no terminal to type the phrase at",
			Tip: "leave them out with --no-hooks, or run it at a terminal",
		}
	case r.Digest == "":
		return &Refusal{
			Rule: "P5", Code: exitUnconfirmed, What: "production is not changed from here", Why: "there is no terminal to type the phrase at, and no reviewed plan",
			Tip: r.byPlan("deployer plan PATH --out F, have it reviewed, then: deployer launch --plan F --digest D"),
		}
	}
	return nil
}

// byPlan is a tip that leads to a reviewed plan, where there can be one for the
// command; for the others a terminal is the only way.
func (r *Request) byPlan(tip string) string {
	switch r.Command {
	case "launch", "create", "update", cmdDelete, "prune", "recover":
		return tip
	}
	return "run it at a terminal, where you can type the phrase: there is no plan for a " + r.Command
}

func tipFor(r Request) string {
	if r.YesIsEnough() {
		return "add --yes if you mean it"
	}
	return "run it at a terminal, where you can read the plan and type the phrase"
}
