package cli

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// Exit codes, design.md section 4.
const (
	exitOK           = 0
	exitFailed       = 1
	exitUsage        = 2
	exitRefused      = 3
	exitUnconfirmed  = 4
	exitStale        = 5
	exitSteady       = 6
	exitLocked       = 7
	exitChanges      = 9
	exitStoppedBreak = 10
	exitPartly       = 11
	exitDeadline     = 12
	exitMissed       = 13
	exitUnequal      = 14
	exitInterrupted  = 130
)

// usageError is a wrong command line. Nothing was touched.
type usageError struct{ what, hint string }

func (e *usageError) Error() string { return e.what }
func (e *usageError) Hint() string  { return e.hint }
func (e *usageError) ExitCode() int { return exitUsage }

// exitError ends the program with a code and no message: everything was said.
type exitError struct{ code int }

func (e *exitError) Error() string { return fmt.Sprintf("exit %d", e.code) }
func (e *exitError) ExitCode() int { return e.code }

type coder interface {
	error
	ExitCode() int
}

type hinter interface {
	error
	Hint() string
}

// exitCode maps an error to the exit code of the program.
func exitCode(err error) int {
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, context.Canceled):
		return exitInterrupted
	}
	if c, ok := errors.AsType[coder](err); ok {
		return c.ExitCode()
	}
	return exitFailed
}

// printError writes every error in err, each with its hints.
func (a *app) printError(err error) {
	w, style := a.env.Stderr, a.err
	seen := map[string]bool{}
	for _, e := range flatten(err) {
		if _, quiet := errors.AsType[*exitError](e); quiet || seen[e.Error()] {
			continue
		}
		seen[e.Error()] = true
		fmt.Fprintf(w, "%s %s\n", style.Bad("deployer: error:"), indentAfterFirst(e.Error()))
		if h, ok := errors.AsType[hinter](e); ok && h.Hint() != "" {
			fmt.Fprintf(w, "%s %s\n", style.Dim("hint:"), indentAfterFirst(a.advice(h.Hint())))
		}
	}
}

// advised matches a command that a hint tells to run.
var advised = regexp.MustCompile(`(^|: |with |then |and )deployer (break|recover|launch|plan|diff|create|update|delete|status|list|describe|events|doctor|cancel|drift|lock|unlock|history|approve|guard|prune|execute)\b`)

// advice gives a hint with the flags that its commands need to reach what this
// one reached.
func (a *app) advice(hint string) string {
	flags := ""
	if a.globals.dir != "" {
		flags += " -C " + a.globals.dir
	}
	if a.globals.sandbox && !truthy(a.env.Environ["DEPLOYER_SANDBOX"]) {
		flags += " --sandbox"
	}
	return advised.ReplaceAllString(hint, "${1}deployer"+strings.ReplaceAll(flags, "$", "$$")+" $2")
}

func indentAfterFirst(s string) string { return strings.ReplaceAll(s, "\n", "\n  ") }

// flatten lists the single errors in err. What wraps exactly one error is kept
// whole, for its message says where it happened.
func flatten(err error) []error {
	if err == nil {
		return nil
	}
	if many, ok := err.(interface{ Unwrap() []error }); ok {
		var out []error
		for _, e := range many.Unwrap() {
			out = append(out, flatten(e)...)
		}
		return out
	}
	if many, ok := err.(interface{ WrappedErrors() []error }); ok {
		var out []error
		for _, e := range many.WrappedErrors() {
			out = append(out, flatten(e)...)
		}
		return out
	}
	return []error{err}
}

// inOneLine tells all errors of one, for the middle of a sentence.
func inOneLine(err error) string {
	all := flatten(err)
	says := make([]string, 0, len(all))
	for _, e := range all {
		says = append(says, e.Error())
	}
	return strings.Join(says, "; ")
}
