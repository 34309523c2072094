package guard

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/go-multierror"
)

// Exit codes of refusals, design.md section 4.
const (
	exitConfig      = 2
	exitRefused     = 3
	exitUnconfirmed = 4
	exitMismatch    = 5
	exitLocked      = 7
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

// ExitCode is 2, 3, 4, 5 or 7.
func (r *Refusal) ExitCode() int { return r.Code }

// Refused holds every reason for which a run was refused.
type Refused struct{ errs *multierror.Error }

// Error lists the reasons.
func (r *Refused) Error() string { return r.errs.Error() }

// Unwrap gives the reasons.
func (r *Refused) Unwrap() []error { return r.errs.WrappedErrors() }

// ExitCode is that of the most serious: a guard's refusal, then a config that
// has to be mended, a mismatch, a lock, and last a missing confirmation.
func (r *Refused) ExitCode() int {
	order := []int{exitUnconfirmed, exitLocked, exitMismatch, exitConfig, exitRefused}
	worst := 0
	for _, err := range r.errs.WrappedErrors() {
		refusal, ok := errors.AsType[*Refusal](err)
		if !ok {
			return exitRefused
		}
		worst = max(worst, slices.Index(order, refusal.Code))
	}
	return order[worst]
}

func formatRefusals(errs []error) string {
	lines := make([]string, 0, len(errs))
	for _, e := range errs {
		lines = append(lines, e.Error())
	}
	return strings.Join(lines, "\n")
}
