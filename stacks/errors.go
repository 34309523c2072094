package stacks

import (
	"fmt"
	"strings"
)

// Problem is something wrong in the project's own files: what, why, where, and
// how to mend it. It makes a command end with exit code 2.
type Problem struct {
	Pos  Pos
	What string
	Why  string
	Tip  string
}

// Error gives "file:line:column: what: why".
func (p *Problem) Error() string {
	parts := make([]string, 0, 3)
	if p.Pos.File != "" {
		parts = append(parts, p.Pos.String())
	}
	parts = append(parts, p.What)
	if p.Why != "" {
		parts = append(parts, p.Why)
	}
	return strings.Join(parts, ": ")
}

// Hint tells how to mend it, "" when nothing is known.
func (p *Problem) Hint() string { return p.Tip }

// ExitCode is 2: nothing was touched.
func (p *Problem) ExitCode() int { return 2 }

// NotFoundError says that a stack does not exist.
type NotFoundError struct{ Name string }

// Error names the stack.
func (e *NotFoundError) Error() string { return fmt.Sprintf("stack %s does not exist", e.Name) }

// NoChangesError says that an update would change nothing, which is success.
type NoChangesError struct{ Name string }

// Error names the stack.
func (e *NoChangesError) Error() string { return fmt.Sprintf("stack %s has nothing to update", e.Name) }

// BusyError says that a stack is in a status in which the call is not allowed.
type BusyError struct {
	Name   string
	Status Status
	Why    string
}

// Error names the stack and its status.
func (e *BusyError) Error() string {
	return fmt.Sprintf("stack %s is %s: %s", e.Name, e.Status, e.Why)
}

// ExistsError says that a stack of that name exists already.
type ExistsError struct{ Name string }

// Error names the stack.
func (e *ExistsError) Error() string { return fmt.Sprintf("stack %s already exists", e.Name) }

// ProtectedError says that termination protection forbids a delete.
type ProtectedError struct{ Name string }

// Error names the stack.
func (e *ProtectedError) Error() string {
	return fmt.Sprintf("stack %s has termination protection", e.Name)
}

// ServiceError is an answer of AWS's that says no. It never holds credentials.
type ServiceError struct {
	Service   string // CloudFormation, S3, …
	Operation string // CreateStack, …
	Code      string // ValidationError, AccessDenied, …
	Message   string
	Tip       string
}

// Error gives operation, code and message.
func (e *ServiceError) Error() string {
	return fmt.Sprintf("%s %s: %s: %s", e.Service, e.Operation, e.Code, e.Message)
}

// Hint tells what to do about it, "" when nothing is known.
func (e *ServiceError) Hint() string { return e.Tip }

// UnknownError says that the outcome of a call or an operation is not known:
// credentials ran out, or the service cannot be reached. It is never a result.
type UnknownError struct {
	What  string
	Cause error
	Tip   string

	// Everywhere tells that nothing else can be found out or done either: the
	// credentials are no good any more.
	Everywhere bool
}

// Error says what is unknown and why.
func (e *UnknownError) Error() string { return e.What + ": " + e.Cause.Error() }

// Unwrap gives the cause.
func (e *UnknownError) Unwrap() error { return e.Cause }

// Hint tells how to find out.
func (e *UnknownError) Hint() string { return e.Tip }

// UnsentError says that a call was not made, since what it needs could not be had, or
// that AWS took none of it: whatever the cause, its stack is as it was.
type UnsentError struct{ Cause error }

// Error is the cause's.
func (e *UnsentError) Error() string { return e.Cause.Error() }

// Unwrap gives the cause.
func (e *UnsentError) Unwrap() error { return e.Cause }
