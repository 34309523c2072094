package chaos

import (
	"fmt"
	"slices"
	"time"

	"github.com/deployer-cli/deployer/internal/capsule"
	"github.com/deployer-cli/deployer/stacks"
)

// Status is how far a target, or one deed, has come.
type Status string

// The statuses.
const (
	StatusPlanned    Status = "planned"
	StatusIntended   Status = "intended"   // the call may or may not have been made
	StatusAccepted   Status = "accepted"   // AWS took it, and is at it
	StatusGone       Status = "gone"       // broken: for a stack deleted, for a resource as the injection leaves it
	StatusFailed     Status = "failed"     // the deletion got stuck
	StatusRefused    Status = "refused"    // CloudFormation turned it back: the stack is as it was
	StatusRebuilding Status = "rebuilding" // a new stack stands under the name, and is not ready
	StatusRestored   Status = "restored"
)

// Broken tells whether something is, or may be, out of order because of us.
func (s Status) Broken() bool {
	switch s {
	case StatusIntended, StatusAccepted, StatusGone, StatusFailed, StatusRebuilding:
		return true
	default:
		return false
	}
}

// Deed is one step of the plan and what became of it.
type Deed struct {
	Step
	Status   Status
	Tokens   []string // of all calls that were announced, oldest first
	Intended time.Time
	Accepted time.Time // zero when not known to have been accepted
	Done     time.Time // gone, failed or refused
	Back     time.Time
	Reason   string
}

// does says what the deed is, behind "to".
func (d *Deed) does() string {
	switch {
	case d.Injection != nil:
		return fmt.Sprintf("break %s of %s (%s)", d.Injection.LogicalID, d.Stack, d.Injection.Kind)
	case d.Verb == stacks.Update:
		return fmt.Sprintf("change a parameter of %s", d.Stack)
	}
	return fmt.Sprintf("%s %s", d.Verb, d.Stack)
}

// Token is that of the last call announced, "" for none.
func (d *Deed) Token() string {
	if len(d.Tokens) == 0 {
		return ""
	}
	return d.Tokens[len(d.Tokens)-1]
}

// Target is one stack of the plan and what became of it.
type Target struct {
	Stack       stacks.Path
	Name        string
	StackID     string // as planned: the only id that may ever be deleted
	Access      stacks.Access
	Status      Status
	Deeds       []*Deed // in the plan's order; one for kinds that break the whole stack
	Capsule     Capsule
	NewID       string // another stack under the name
	NewStatus   stacks.Status
	NewSince    time.Time // when it was first seen
	Empty       []string  // its holders of data that were covered, and are new and empty: it does not count as back
	Filled      time.Time // when it was first seen without them again, zero where there were none
	By          By        // by whose hand it comes back
	Back        time.Time
	Reason      string
	Differences []capsule.Difference
	Compared    time.Time // zero while not compared since it is back
}

// Equal tells whether the target is back and nothing differs but what comes
// with rebuilding.
func (t *Target) Equal() bool { return !t.Compared.IsZero() && capsule.Equal(t.Differences) }

// Deed returns the deed on a resource, "" for the stack itself.
func (t *Target) Deed(logicalID string) *Deed {
	for _, d := range t.Deeds {
		if d.LogicalID() == logicalID {
			return d
		}
	}
	return nil
}

// rebuilt takes in that another stack stands under the target's name.
func (t *Target) rebuilt(o Observed) {
	before := t.NewID
	switch {
	case o.Status == stacks.DeleteComplete: // it was taken away again
		t.NewID, t.NewStatus = "", ""
	case t.NewID != o.NewID:
		t.NewID, t.NewStatus, t.Back, t.Compared, t.Differences = o.NewID, o.Status, time.Time{}, time.Time{}, nil
		if t.NewSince.IsZero() {
			t.NewSince = o.At
		}
	default:
		t.NewStatus = o.Status
	}
	if o.By != "" {
		t.By = o.By
	}
	if t.NewID != before || o.Status.Healthy() { // else nobody looks into it
		if len(t.Empty) > 0 && len(o.Empty) == 0 {
			t.Filled = o.At
		}
		t.Empty = o.Empty
	}
	switch {
	case t.NewID == "" || !o.Status.Healthy():
	case len(t.Empty) > 0:
		t.Back = time.Time{}
	case t.Back.IsZero():
		t.Back = o.At
	}
	t.Reason = o.Reason
	t.sum()
}

// seen takes in how the old stack, or what was injected into it, looks.
func (d *Deed) seen(o Observed) {
	switch o.Condition {
	case stacks.Broken:
		d.to(StatusGone, o)
		return
	case stacks.Whole:
		switch d.Status {
		case StatusAccepted, StatusGone, StatusFailed:
			d.to(StatusRestored, o)
		case StatusIntended: // the call never got there
			d.Status = StatusPlanned
		default:
		}
		return
	case stacks.Between:
		return
	}
	if d.Verb == stacks.Inject {
		return // a stack's status says nothing about what was done behind its back
	}
	switch {
	case o.Status.Succeeded(d.Verb):
		d.to(StatusGone, o)
	case o.Status == stacks.DeleteFailed:
		d.to(StatusFailed, o)
	case !o.Status.Healthy():
	case d.Status == StatusFailed:
		d.to(StatusRestored, o)
	case d.Status == StatusAccepted, d.Status == StatusIntended && o.Reason != "":
		d.to(StatusRefused, o)
	case d.Status == StatusIntended:
		d.Status = StatusPlanned
	}
}

func (d *Deed) to(s Status, o Observed) {
	d.Status, d.Reason = s, o.Reason
	if s == StatusRestored {
		d.Back = o.At
	} else {
		d.Done, d.Back = o.At, time.Time{}
	}
}

// sum makes the target's status of its deeds' and of what stands in its place.
func (t *Target) sum() {
	before := t.Status
	defer func() {
		if t.Status == StatusRestored && before != StatusRestored {
			t.Compared, t.Differences = time.Time{}, nil // what it was compared with was not back
		}
	}()
	switch {
	case t.NewID != "" && !t.Back.IsZero():
		t.Status = StatusRestored
		return
	case t.NewID != "":
		t.Status = StatusRebuilding
		return
	}
	t.Status, t.Back = StatusPlanned, time.Time{}
	for _, s := range []Status{StatusIntended, StatusAccepted, StatusFailed, StatusGone, StatusRestored, StatusPlanned, StatusRefused} {
		if slices.ContainsFunc(t.Deeds, func(d *Deed) bool { return d.Status == s }) {
			t.Status = s
			break
		}
	}
	for _, d := range t.Deeds {
		if d.Reason != "" {
			t.Reason = d.Reason
		}
		if t.Status == StatusRestored && d.Back.After(t.Back) {
			t.Back = d.Back
		}
	}
}
