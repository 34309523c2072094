package stacks

import (
	"strings"
	"time"
)

// Verb is what is done to a stack. Guards, clearances and calls speak of the
// same verbs.
type Verb string

// The verbs.
const (
	Create    Verb = "create"
	Update    Verb = "update"
	Delete    Verb = "delete"
	Propose   Verb = "propose"   // make a change set
	Execute   Verb = "execute"   // execute a change set
	Discard   Verb = "discard"   // delete a change set, or the empty shell it made
	Cancel    Verb = "cancel"    // cancel a running update
	Continue  Verb = "continue"  // continue a failed rollback
	Rollback  Verb = "rollback"  // roll back to the last stable state
	Policy    Verb = "policy"    // set the stack policy
	Protect   Verb = "protect"   // switch termination protection on
	Unprotect Verb = "unprotect" // switch termination protection off
	Upload    Verb = "upload"    // put a template into the template bucket
	Inject    Verb = "inject"    // break a resource behind CloudFormation's back
	Restore   Verb = "restore"   // undo what was injected
)

// Change is one stack to create or update, complete.
type Change struct {
	Verb            Verb // Create or Update
	Desired         *Desired
	StackID         string // Update: the stack's id
	Token           string // client request token, made once and written down before the call
	DisableRollback bool
	KeepParameters  []string // live parameters to leave as they are

	Imports []Import // for a proposal: it takes in these resources and does nothing else
	Named   bool     // for a proposal: what exists under a name that the template gives is taken in
}

// Import is an existing resource that a stack takes in.
type Import struct {
	LogicalID  string
	Type       string
	Identifier map[string]string // the primary identifier, by property
}

// Target names a live stack to act on.
type Target struct {
	Path    Path
	Name    string
	StackID string // empty only for a stack that does not exist yet
	Access  Access
	Role    string // service role for the operation, "" for none
	Token   string
}

// Operation is work that CloudFormation has accepted.
type Operation struct {
	Path        Path
	Verb        Verb
	Access      Access
	Name        string
	StackID     string
	Token       string
	OperationID string
	Accepted    time.Time // by the service's clock where it told one
	Joined      bool      // somebody else's operation that we only watch

	Expected time.Duration // how long it is expected to take, 0 when nobody knows
	Kind     string        // what operations like it have in common: they take about as long; "" where nothing is known
}

// Progress is the latest that is known of an Operation. Events holds what was
// not reported before, oldest first.
type Progress struct {
	Status Status
	Reason string
	Events []Event
	Live   *Live // the stack as last read; nil before the first read
	Done   bool  // Status is terminal and belongs to this operation

	Overtaken bool // Done, but somebody else has changed the stack since, so that Live is not how it left it
}

// ResourceChange is what happens to one resource in a plan.
type ResourceChange struct {
	LogicalID   string `json:"logical_id"`
	Type        string `json:"type"`
	Action      string `json:"action"`      // add, modify, remove, import
	Replacement string `json:"replacement"` // true, false, conditional
	Data        bool   `json:"data"`        // the resource holds data
	Why         string `json:"why,omitempty"`
}

// LosesData tells whether a change takes a holder of data away, or may.
func (c ResourceChange) LosesData() bool {
	return c.Data && (c.Action == "remove" || c.Replacement == "true" || c.Replacement == "conditional")
}

// What CloudFormation leaves of a resource that it removes or replaces, as a
// ResourceChange says it.
const (
	OldStays      = "the old one stays"
	SnapshotStays = "a snapshot of it stays"
)

// RootCause returns the event that explains a failed operation: the first
// failed resource event, leaving out the echoes of resources that were only
// cancelled and of the stack itself. Events are oldest first.
func RootCause(events []Event) (Event, bool) {
	var fallback Event
	for _, e := range events {
		rollback := e.OfStack() && strings.Contains(e.Status, "ROLLBACK_IN_PROGRESS")
		if !strings.HasSuffix(e.Status, "_FAILED") && !rollback {
			continue
		}
		if e.OfStack() {
			if fallback.ID == "" && e.Reason != "" {
				fallback = e
			}
			continue
		}
		if isEcho(e.Reason) {
			continue
		}
		return e, true
	}
	return fallback, fallback.ID != ""
}

// isEcho tells whether a reason only repeats that something else failed
// (recorded texts: "Resource creation cancelled", "Resource update cancelled").
func isEcho(reason string) bool {
	return strings.HasPrefix(reason, "Resource ") && strings.HasSuffix(reason, " cancelled")
}
