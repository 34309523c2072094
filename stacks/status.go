package stacks

import "strings"

// Status is a stack's status as CloudFormation gives it, or Pending.
// The 23 values are those of the StackStatus type in the CloudFormation API
// reference.
type Status string

// The stack statuses. Pending is ours: the stack does not exist.
const (
	Pending                       Status = "PENDING"
	CreateInProgress              Status = "CREATE_IN_PROGRESS"
	CreateFailed                  Status = "CREATE_FAILED"
	CreateComplete                Status = "CREATE_COMPLETE"
	RollbackInProgress            Status = "ROLLBACK_IN_PROGRESS"
	RollbackFailed                Status = "ROLLBACK_FAILED"
	RollbackComplete              Status = "ROLLBACK_COMPLETE"
	DeleteInProgress              Status = "DELETE_IN_PROGRESS"
	DeleteFailed                  Status = "DELETE_FAILED"
	DeleteComplete                Status = "DELETE_COMPLETE"
	UpdateInProgress              Status = "UPDATE_IN_PROGRESS"
	UpdateCompleteCleanup         Status = "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"
	UpdateComplete                Status = "UPDATE_COMPLETE"
	UpdateFailed                  Status = "UPDATE_FAILED"
	UpdateRollbackInProgress      Status = "UPDATE_ROLLBACK_IN_PROGRESS"
	UpdateRollbackFailed          Status = "UPDATE_ROLLBACK_FAILED"
	UpdateRollbackCompleteCleanup Status = "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS"
	UpdateRollbackComplete        Status = "UPDATE_ROLLBACK_COMPLETE"
	ReviewInProgress              Status = "REVIEW_IN_PROGRESS"
	ImportInProgress              Status = "IMPORT_IN_PROGRESS"
	ImportComplete                Status = "IMPORT_COMPLETE"
	ImportRollbackInProgress      Status = "IMPORT_ROLLBACK_IN_PROGRESS"
	ImportRollbackFailed          Status = "IMPORT_ROLLBACK_FAILED"
	ImportRollbackComplete        Status = "IMPORT_ROLLBACK_COMPLETE"
)

// Statuses lists every status CloudFormation may give, in the order of its
// API reference.
func Statuses() []Status {
	return []Status{
		CreateInProgress, CreateFailed, CreateComplete,
		RollbackInProgress, RollbackFailed, RollbackComplete,
		DeleteInProgress, DeleteFailed, DeleteComplete,
		UpdateInProgress, UpdateCompleteCleanup, UpdateComplete, UpdateFailed,
		UpdateRollbackInProgress, UpdateRollbackFailed, UpdateRollbackCompleteCleanup, UpdateRollbackComplete,
		ReviewInProgress,
		ImportInProgress, ImportComplete, ImportRollbackInProgress, ImportRollbackFailed, ImportRollbackComplete,
	}
}

// InProgress tells whether CloudFormation is working on the stack.
// REVIEW_IN_PROGRESS is not work: the stack waits for a change set.
func (s Status) InProgress() bool {
	return strings.HasSuffix(string(s), "_IN_PROGRESS") && s != ReviewInProgress
}

// Exists tells whether there is a stack to speak of: a REVIEW_IN_PROGRESS
// shell has never been created.
func (s Status) Exists() bool {
	return s != Pending && s != "" && s != DeleteComplete && s != ReviewInProgress
}

// Healthy tells whether the stack's last operation left it whole. A rolled
// back update is healthy: the stack is as it was before.
func (s Status) Healthy() bool {
	switch s {
	case CreateComplete, UpdateComplete, UpdateRollbackComplete, ImportComplete, ImportRollbackComplete:
		return true
	default:
		return false
	}
}

// Serves tells whether what the stack holds is there for its users: it was
// created, and nobody is taking it away. An update does not interrupt it, even
// one that failed.
func (s Status) Serves() bool {
	return s == CreateComplete || strings.HasPrefix(string(s), "UPDATE_") || strings.HasPrefix(string(s), "IMPORT_")
}

// Succeeded tells whether s is how an operation of the given verb ends well.
// An update that ends in UPDATE_ROLLBACK_COMPLETE left a healthy stack and
// still failed.
func (s Status) Succeeded(v Verb) bool {
	switch v {
	case Delete:
		return s == DeleteComplete
	case Rollback:
		return s == UpdateRollbackComplete || s == RollbackComplete || s == DeleteComplete
	default:
		return s == CreateComplete || s == UpdateComplete || s == ImportComplete
	}
}

// Failed tells whether s says that something went wrong.
func (s Status) Failed() bool {
	return strings.HasSuffix(string(s), "_FAILED") || strings.Contains(string(s), "ROLLBACK")
}
