package engine

import (
	"fmt"
	"net/http"
)

// Error is an answer in which CloudFormation refuses a request.
type Error struct {
	Status  int    // HTTP status
	Code    string // error code on the wire
	Message string // text to the letter, since clients match on it
}

// Error gives the code and the message.
func (e *Error) Error() string { return e.Code + ": " + e.Message }

const (
	codeValidation   = "ValidationError"
	codeExists       = "AlreadyExistsException"
	codeCapabilities = "InsufficientCapabilitiesException"
	codeToken        = "TokenAlreadyExistsException"
	codeLimit        = "LimitExceededException"
	codeNoChangeSet  = "ChangeSetNotFound"
	codeChangeSet    = "InvalidChangeSetStatus"
)

func invalid(format string, args ...any) *Error {
	return refuse(codeValidation, format, args...)
}

func refuse(code, format string, args ...any) *Error {
	status := http.StatusBadRequest
	if code == codeNoChangeSet {
		status = http.StatusNotFound
	}
	return &Error{Status: status, Code: code, Message: fmt.Sprintf(format, args...)}
}
