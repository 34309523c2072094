package chaos

import (
	"encoding/json"
	"time"

	"github.com/deployer-cli/deployer/internal/capsule"
	"github.com/deployer-cli/deployer/stacks"
)

// The kinds of entries in a break's journal. Each has a body of the type of the
// same name.
const (
	KindPlan      = "plan"
	KindClearance = "clearance"
	KindCapsule   = "capsule"
	KindIntent    = "intent"
	KindAccepted  = "accepted"
	KindObserved  = "observed"
	KindProbe     = "probe"
	KindPerson    = "person"
	KindNote      = "note"
	KindStop      = "stop"
	KindRestored  = "restored"
	KindEqual     = "equal"
	KindFinish    = "finish"
	KindSeal      = "seal"
	KindReveal    = "reveal"
)

// Plan is the first entry: what is to be broken, in order.
type Plan struct {
	ID          string          `json:"id"`
	Environment string          `json:"environment"`
	Class       stacks.Class    `json:"class"`
	Account     string          `json:"account"`
	Region      string          `json:"region"`
	Realm       stacks.Realm    `json:"realm"`
	Digest      string          `json:"digest"`
	Kind        string          `json:"kind"`                   // of breaking: delete-stack, …
	Argument    string          `json:"argument,omitempty"`     // of the kind: NAME:VALUE, LOGICAL
	Seed        string          `json:"seed,omitempty"`         // of the choice
	Objective   float64         `json:"objective"`              // RTO in seconds, 0 for none
	MaxDuration float64         `json:"max_duration,omitempty"` // seconds since T0 after which deployer brings back what is still broken, 0 for never
	Pause       float64         `json:"pause,omitempty"`        // seconds between one target and the next
	StableFor   float64         `json:"stable_for,omitempty"`   // seconds, the longest of the probes
	Probes      []string        `json:"probes"`                 // the steady ones: all have to come back
	Probed      []Probed        `json:"probed,omitempty"`       // the stacks that probes of kind cloudformation look at
	Steps       []Step          `json:"steps"`
	Blind       bool            `json:"blind,omitempty"`
	By          string          `json:"by"`               // ARN
	From        string          `json:"from"`             // user and host
	Detail      json.RawMessage `json:"detail,omitempty"` // the whole plan as it was shown
}

// Probed is a stack that a probe looks at, as it was found when the break was planned: a
// project that is made of capsules does not have those that stay.
type Probed struct {
	Stack  stacks.Path   `json:"stack"`
	Name   string        `json:"name"`
	Access stacks.Access `json:"access"`
}

// Step is one call that breaks something. A stack may have several, one for
// each resource.
type Step struct {
	Stack     stacks.Path       `json:"stack"`
	Name      string            `json:"name"`
	StackID   string            `json:"stack_id"`
	Verb      stacks.Verb       `json:"verb"` // Delete, Update or Inject
	Access    stacks.Access     `json:"access"`
	Injection *stacks.Injection `json:"injection,omitempty"` // for Inject
}

// LogicalID is the resource that a step breaks, "" for the stack itself.
func (s Step) LogicalID() string { return logicalID(s.Injection) }

func logicalID(i *stacks.Injection) string {
	if i == nil {
		return ""
	}
	return i.LogicalID
}

// Consent says that all guards passed and who agreed.
type Consent struct {
	Run     string    `json:"run"`
	How     string    `json:"how"` // typed, digest
	Digest  string    `json:"digest"`
	Who     string    `json:"who"`  // ARN
	From    string    `json:"from"` // user and host
	Permit  string    `json:"permit,omitempty"`
	Expires time.Time `json:"expires,omitzero"`
	Guards  []string  `json:"guards,omitempty"` // those that passed
}

// Capsule says that what is needed to rebuild a stack is stored, and was read
// back.
type Capsule struct {
	Stack stacks.Path `json:"stack"`
	Name  string      `json:"name"` // in the logbook
	Hash  string      `json:"hash"`
}

// Why an intended call is made.
const (
	ToBreak   = "break"
	ToRecover = "recover"
)

// Intent announces one writing call. It is durable before the call is made.
type Intent struct {
	Stack     stacks.Path       `json:"stack"`
	StackID   string            `json:"stack_id"` // "" for a stack that is to be created
	Verb      stacks.Verb       `json:"verb"`
	Token     string            `json:"token"`
	For       string            `json:"for"` // ToBreak, ToRecover
	Injection *stacks.Injection `json:"injection,omitempty"`
	Overdue   string            `json:"overdue,omitempty"` // ToRecover, because max_duration is over: how the tokens of all its calls begin
}

// Accepted says that AWS took the call that an Intent announced, in the order
// of the same token. On resume it is also written for a call that is found to
// have been taken.
type Accepted struct {
	Stack     stacks.Path `json:"stack"`
	StackID   string      `json:"stack_id"`
	Verb      stacks.Verb `json:"verb"`
	Token     string      `json:"token"`
	LogicalID string      `json:"logical_id,omitempty"` // of what was injected
	Operation string      `json:"operation,omitempty"`
	At        time.Time   `json:"at"`                // by the service's clock where it told one
	Adopted   bool        `json:"adopted,omitempty"` // found out on resume
}

// Observed is how a stack, or what was injected, was seen to be. Only changes
// are written.
type Observed struct {
	Stack     stacks.Path      `json:"stack"`
	StackID   string           `json:"stack_id"` // the one that was broken
	Status    stacks.Status    `json:"status"`   // of NewID where there is one, else of StackID
	Reason    string           `json:"reason,omitempty"`
	NewID     string           `json:"new_id,omitempty"`     // another stack under the same name
	Empty     []string         `json:"empty,omitempty"`      // its holders of data that were covered, and are new and empty
	LogicalID string           `json:"logical_id,omitempty"` // what was injected is looked at
	Condition stacks.Condition `json:"condition,omitempty"`  // of what was injected, or of a drifted parameter
	By        By               `json:"by,omitempty"`         // whose hand
	Token     string           `json:"token,omitempty"`      // of the operation that By speaks of
	At        time.Time        `json:"at"`                   // of the event that told it
}

// Probe is a reading that changed what is known: a first failure, or a change
// between good and bad.
type Probe struct {
	Probe   string    `json:"probe"`
	Role    string    `json:"role"`            // steady, guard, evidence
	Alarm   bool      `json:"alarm,omitempty"` // it reads an alarm, and At is when that changed
	At      time.Time `json:"at"`
	OK      bool      `json:"ok"`
	Unknown bool      `json:"unknown,omitempty"`
	Gone    bool      `json:"gone,omitempty"` // nothing declares it any more, so that nobody can ask it
	Why     string    `json:"why,omitempty"`
}

// What people say by a Person entry.
const (
	Detect    = "detect"
	Diagnose  = "diagnose"
	Recovered = "recovered"
	Guess     = "guess"
)

// Person is somebody pressing the stopwatch.
type Person struct {
	What    string    `json:"what"` // Detect, Diagnose, Recovered, Guess
	Text    string    `json:"text,omitempty"`
	Who     string    `json:"who,omitempty"`
	Right   bool      `json:"right,omitempty"`   // of a guess
	Instead bool      `json:"instead,omitempty"` // a correction: what was said before does not count
	At      time.Time `json:"at"`
}

// NoteMissed, of the owner Deployer, says that the objective has passed. The first that
// is written counts: whoever wrote it tells the world.
const (
	NoteMissed = "missed"
	Deployer   = "deployer"
)

// Note is something worth remembering.
type Note struct {
	Kind  string      `json:"kind"`
	Text  string      `json:"text"`
	Stack stacks.Path `json:"stack,omitempty"`
	Owner string      `json:"owner,omitempty"`
	At    time.Time   `json:"at"`
}

// Who stops a break.
const (
	ByStop  = "stop"  // break stop, or Ctrl-C
	ByEnd   = "end"   // the process was told to end
	ByBack  = "back"  // a recovery has begun
	ByHalt  = "halt"  // break halt: stop, then recover
	ByLever = "lever" // the project's off switch
	ByProbe = "probe" // a guard probe failed
	ByMoved = "moved" // the team is already rebuilding
	ByGuard = "guard" // a guard that runs again refused
	ByFault = "fault" // a call failed, or a record could not be written

	ByDeadline = "deadline" // max_duration is over: deployer brings back what is still broken
)

// Stop says that nothing further is broken.
type Stop struct {
	By  string `json:"by"`
	Why string `json:"why"`
}

// Restored says that a probe, or a stack, is back. A probe is back from the
// start of the first window in which it stayed good for as long as it has to.
type Restored struct {
	Probe    string      `json:"probe,omitempty"`
	Stack    stacks.Path `json:"stack,omitempty"`
	NewID    string      `json:"new_id,omitempty"`
	By       By          `json:"by,omitempty"`
	At       time.Time   `json:"at"`
	Verified time.Time   `json:"verified"` // the window's end; for a stack the same as At
}

// Equal is the comparison of a stack with its capsule.
type Equal struct {
	Stack       stacks.Path          `json:"stack"`
	Differences []capsule.Difference `json:"differences"`
}

// Finish ends the exercise.
type Finish struct {
	Why    string `json:"why"`
	Result string `json:"result"` // restored, equal, closed, refused, …
	Exit   int    `json:"exit"`
}

// Seal is the commitment of a blind break: the SHA-256 of what is sealed.
type Seal struct {
	Commitment string `json:"commitment"`
}

// Reveal opens a blind break.
type Reveal struct {
	Commitment string `json:"commitment"`
	Key        string `json:"key"`
}

// By says by whose hand a stack came back.
type By string

// The hands.
const (
	ByDeployer By = "deployer"
	ByHand     By = "hand"     // console, CLI: no token of a tool's
	ByPipeline By = "pipeline" // another tool's token

	ByDeployerLate By = "deployer, deadline" // by deployer, since the team did not before max_duration was over
)

// Words is how a hand is told to a person.
func (b By) Words() string {
	switch b {
	case ByDeployer:
		return "by deployer"
	case ByDeployerLate:
		return "by deployer, deadline"
	case ByHand:
		return "by hand"
	case ByPipeline:
		return "by another pipeline"
	}
	return "by whom is not recorded"
}
