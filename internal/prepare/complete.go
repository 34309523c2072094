package prepare

import (
	"bytes"
	"strings"

	"github.com/deployer-cli/deployer/stacks"
	"github.com/deployer-cli/deployer/templates"
)

// IncompleteError says what of a stack is still known only later. Such a stack
// must not go to CloudFormation.
type IncompleteError struct {
	Stack stacks.Path
	What  []string
	After []stacks.Path
}

// Error names the stack, what is missing and what it waits for.
func (e *IncompleteError) Error() string {
	return string(e.Stack) + " is not complete: " + strings.Join(e.What, ", ") + " known only after " + list(e.After)
}

// Hint tells how to get the missing values.
func (e *IncompleteError) Hint() string {
	return "launch " + list(e.After) + " first, or launch them together"
}

// Complete tells whether everything that goes to CloudFormation is final. No
// placeholder ever passes it, whatever else d says of itself.
func Complete(d *stacks.Desired) error {
	var what []string
	if d.BodyLate || bytes.Contains(d.Body, []byte(templates.LateMark)) {
		what = append(what, "template")
	}
	for _, p := range d.Parameters {
		if p.Unknown || IsLate(p.Value) || strings.Contains(p.Value, templates.LateMark) {
			what = append(what, "parameter "+p.Key)
		}
	}
	for _, t := range d.Tags {
		if IsLate(t.Value) {
			what = append(what, "tag "+t.Key)
		}
	}
	for _, n := range d.Notifications {
		if IsLate(n) {
			what = append(what, "notification")
		}
	}
	if IsLate(d.ServiceRole) {
		what = append(what, "service role")
	}
	if IsLate(d.Bucket) {
		what = append(what, "template bucket")
	}
	if len(what) == 0 && len(d.After) == 0 {
		return nil
	}
	if len(what) == 0 {
		what = []string{"values"}
	}
	return &IncompleteError{Stack: d.Stack.Path, What: what, After: d.After}
}
