package cli

import (
	"slices"
	"strings"
)

// haltedAs is how a halt ends once the break is stopped. It was stopped whatever became
// of the recovery, so that it never ends as if nothing had been touched: with what says
// so of a refused, unconfirmed, stale or locked recovery, or with success. What the
// recovery came to otherwise has a code of its own.
func haltedAs(err error, id string) error {
	code := exitCode(err)
	if !slices.Contains(harmless(), code) {
		return err
	}
	if errs := flatten(err); len(errs) == 0 || quiet(errs) {
		return &exitError{exitStoppedBreak}
	}
	return &haltedError{id, code, err}
}

// harmless are the exit codes that say that nothing was touched: design.md section 4.
func harmless() []int {
	return []int{exitOK, exitUsage, exitRefused, exitUnconfirmed, exitStale, exitSteady, exitLocked, exitChanges}
}

// quiet tells whether nothing is left to say of errors.
func quiet(errs []error) bool {
	return !slices.ContainsFunc(errs, func(err error) bool { _, ok := err.(*exitError); return !ok }) //nolint:errorlint // one that is wrapped says something
}

// haltedError says that a break was stopped, and why what is down was not recovered.
type haltedError struct {
	id   string
	code int // as which the recovery would have ended
	why  error
}

func (e *haltedError) Error() string {
	return e.id + " is stopped, and what is down was not recovered: " + e.why.Error()
}

// ExitCode is that of a break that was stopped.
func (*haltedError) ExitCode() int { return exitStoppedBreak }

// Hint tells what to mend, and how to get it back.
func (e *haltedError) Hint() string {
	if e.code == exitUnconfirmed {
		return "get it back with: deployer recover " + e.id + " -y"
	}
	var hints []string
	for _, err := range flatten(e.why) {
		if h := hintOf(err); h != "" {
			hints = append(hints, h)
		}
	}
	return strings.Join(append(hints, "then get it back with: deployer recover "+e.id), "\n")
}
