// Package plan compares what a project wants with what lives in the account
// and says what a run would do, in which order and why.
//
// It decides and never changes anything. Observe reads how stacks live, through
// ports that others fill; everything else is a pure function of what was read.
// It never reads a file or prints.
package plan

import (
	"github.com/deployer-cli/deployer/stacks"
)

// Action is what a step does to its stack.
type Action string

// The actions. None is a stack that is as it should be; Skip one that is left
// out on purpose (ignored, obsolete).
const (
	Create   Action = "create"
	Update   Action = "update"
	Recreate Action = "recreate" // delete what never came up, then create
	Delete   Action = "delete"
	Join     Action = "join" // somebody's operation is running: wait, then look again
	None     Action = "none"
	Skip     Action = "skip"
)

// Symbol is the action as one character at the head of a line.
func (a Action) Symbol() string {
	switch a {
	case Create:
		return "+"
	case Update:
		return "~"
	case Recreate:
		return "±"
	case Delete:
		return "-"
	case Join:
		return "…"
	case None:
		return "="
	case Skip:
		return "·"
	}
	return "?"
}

// Plan is what a run would do, in the order in which steps may start.
type Plan struct {
	Digest      string       `json:"digest"`
	Environment string       `json:"environment"`
	Class       stacks.Class `json:"class"`
	Account     string       `json:"account"`
	Region      string       `json:"region"`
	Realm       stacks.Realm `json:"realm"`
	Steps       []Step       `json:"steps"`
}

// Step is what happens to one stack, and why.
type Step struct {
	Stack      stacks.Path             `json:"stack"`
	Name       string                  `json:"name"`
	Action     Action                  `json:"action"`
	Late       bool                    `json:"late"`
	After      []stacks.Path           `json:"after"`
	MayReplace []string                `json:"may_replace"`
	Cause      string                  `json:"cause"`
	Changes    []stacks.ResourceChange `json:"changes"`

	Environment string        `json:"environment,omitempty"`
	Class       stacks.Class  `json:"class,omitempty"`
	Account     string        `json:"account,omitempty"`
	Region      string        `json:"region,omitempty"`
	StackID     string        `json:"stack_id,omitempty"`
	Status      stacks.Status `json:"status,omitempty"` // as found
	NotAdopted  bool          `json:"not_adopted,omitempty"`
	Asks        string        `json:"asks,omitempty"` // what needs a person's yes before this step, "" for nothing
	Blocked     string        `json:"blocked,omitempty"`
	Diff        []Difference  `json:"diff,omitempty"`
	Inputs      string        `json:"inputs,omitempty"` // hash of every input that reaches AWS
	ChangeSet   string        `json:"change_set,omitempty"`
	Separate    []Separate    `json:"separate,omitempty"` // removals and replacements that have to be asked for by name
	Found       string        `json:"found,omitempty"`    // in a plan file: the live stack it was planned against

	// Secrets are in a plan file: salted hashes of the secret parameters' values.
	Secrets map[string]string `json:"secrets,omitempty"`

	Resources int             `json:"-"` // resources the operation will report, for progress
	Desired   *stacks.Desired `json:"-"`
	Live      *stacks.Live    `json:"-"`
	Outside   bool            `json:"-"` // not under the PATH that was asked for
	Hooked    bool            `json:"-"` // hooks of its launch run, whether it changes or not
	Gained    []stacks.Path   `json:"-"` // what it turned out to depend on besides After, when it was decided anew
}

// Difference is one thing that differs between desired and live, told so that
// a person understands it. Secret values never stand in it.
type Difference struct {
	Part string `json:"part"` // parameter, tag, template, policy, role, notification, protection
	Key  string `json:"key"`
	Old  string `json:"old"`
	New  string `json:"new"`
	Why  string `json:"why,omitempty"` // such as "known after dev/network"
}

// Changing tells whether the step touches its stack.
func (s *Step) Changing() bool { return s.Action != None && s.Action != Skip }
