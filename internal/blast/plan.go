package blast

import (
	"time"

	"github.com/deployer-cli/deployer/internal/guard"
	"github.com/deployer-cli/deployer/stacks"
)

// Schema names the version of the break plan's form.
const Schema = "deployer.break/v1"

// Plan is what a break would do: what a person reads before typing the phrase,
// and what is carried to the one who runs it. It holds no secret.
type Plan struct {
	Schema  string         `json:"schema"`
	Sum     string         `json:"digest"` // over everything else
	ID      string         `json:"id"`
	Made    time.Time      `json:"made"` // UTC, by the realm's clock
	By      guard.Identity `json:"by"`
	Version string         `json:"version"`
	Project string         `json:"project"`
	Commit  string         `json:"commit"` // recorded and shown, never compared
	Dirty   bool           `json:"dirty"`

	Environment string       `json:"environment"`
	Class       stacks.Class `json:"class"`
	Account     string       `json:"account"`
	Region      string       `json:"region"`
	Realm       stacks.Realm `json:"realm"`
	Endpoint    string       `json:"endpoint"`

	Kind    string        `json:"kind"`
	Arg     string        `json:"arg"`
	Choice  Choice        `json:"choice"`
	Only    bool          `json:"only"`
	Targets []stacks.Path `json:"targets"`

	Steps    []Step    `json:"steps"` // in the order in which they are done
	Radius   Radius    `json:"radius"`
	Verdicts []Verdict `json:"verdicts"`
	Phrase   string    `json:"phrase"`
}

// Step is one stack that the break touches. It starts when all steps in After
// are done.
type Step struct {
	Stack       stacks.Path        `json:"stack"`
	Name        string             `json:"name"`
	StackID     string             `json:"stack_id"`
	Environment string             `json:"environment"`
	Verb        stacks.Verb        `json:"verb"`   // delete, update or inject
	Target      bool               `json:"target"` // it was chosen, and does not only go with others
	Why         []string           `json:"why"`
	After       []stacks.Path      `json:"after"` // what has to be gone before, sorted
	Found       string             `json:"found"` // the live stack in one line: status, time of its last change
	Injections  []stacks.Injection `json:"injections,omitempty"`

	// Changes are what another value of a parameter does, as far as that can be
	// told before.
	Changes []stacks.ResourceChange `json:"changes,omitempty"`
}

// Going is a stack that has to go, and why: it was chosen, or what was chosen
// cannot go without it.
type Going struct {
	Path    stacks.Path
	Name    string
	StackID string
	Target  bool
	Why     []string
	Before  []string // ids of the stacks that can go only after it, sorted
}

// Refusal is a stack that would have to go and cannot.
type Refusal struct {
	Name string // path, else the stack's name
	Why  string
	Fix  string
}

// Radius is what a break takes with it.
type Radius struct {
	Stacks     []StackRadius `json:"stacks"` // in the order in which they go
	Dependents []Dependent   `json:"dependents"`
	RTOSeconds float64       `json:"rto_seconds"` // the longest objective of what was chosen, 0 for none
}

// StackRadius is what goes with one stack.
type StackRadius struct {
	Stack      stacks.Path    `json:"stack"`
	Name       string         `json:"name"`
	StackID    string         `json:"stack_id"`
	Target     bool           `json:"target"`
	Why        []string       `json:"why"`
	Created    time.Time      `json:"created"`
	AgeSeconds float64        `json:"age_seconds"`
	Resources  int            `json:"resources"`
	Policies   map[string]int `json:"deletion_policies"` // resources by DeletionPolicy
	Holders    []Holder       `json:"holders"`           // of data
	Importers  []string       `json:"importers"`         // names of the stacks that import its exports
	NotSame    []NotSame      `json:"not_same"`          // what will not come back the same
	Runbook    string         `json:"runbook"`           // "none" where there is none
	Probes     []string       `json:"probes"`
	RTOSeconds float64        `json:"rto_seconds"` // 0 for none
	Past       []Past         `json:"past"`        // earlier recoveries, latest first
}

// How a holder of data is covered.
const (
	Retained   = "retained"   // CloudFormation leaves it; recovery takes it in again
	Snapshot   = "snapshot"   // CloudFormation makes a snapshot; recovery hands it to a parameter
	Expendable = "expendable" // the stack's file names it as expendable
	Generated  = "generated"  // a secret that CloudFormation makes anew
	Passing    = "passing"    // what passes through is lost: logs, queues, streams, caches
	Empty      = "empty"      // a bucket with nothing in it
	Uncovered  = "uncovered"  // it would be lost
)

// Holder is a resource that holds data, and how it is covered.
type Holder struct {
	Stack      stacks.Path `json:"stack"`
	LogicalID  string      `json:"logical_id"`
	Type       string      `json:"type"`
	PhysicalID string      `json:"physical_id"`
	Policy     string      `json:"deletion_policy"`
	Cover      string      `json:"cover"`
	Parameter  string      `json:"parameter,omitempty"` // that takes the snapshot
	Why        string      `json:"why,omitempty"`       // uncovered: why
	Stuck      string      `json:"stuck,omitempty"`     // why AWS would refuse to delete it
	Fix        string      `json:"fix,omitempty"`       // what to do about that
}

// Becomes says in a few words what becomes of the data.
func (h *Holder) Becomes() string {
	switch h.Cover {
	case Retained:
		return "stays, taken in again"
	case Snapshot:
		return "leaves a snapshot for " + h.Parameter
	case Expendable:
		return "lost: called expendable"
	case Generated:
		return "made anew"
	case Passing:
		return "its contents are lost"
	case Empty:
		return "is empty"
	}
	return "WOULD BE LOST"
}

// NotSame is something that recovery cannot bring back as it was.
type NotSame struct {
	LogicalID string `json:"logical_id"`
	Type      string `json:"type"`
	What      string `json:"what"`
}

// Dependent is a stack that stays and loses something it needs.
type Dependent struct {
	Stack stacks.Path   `json:"stack"`
	Loses []stacks.Path `json:"loses"`
}
