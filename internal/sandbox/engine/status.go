package engine

import "strings"

// Statuses of stacks; resources share most of them.
const (
	createInProgress     = "CREATE_IN_PROGRESS"
	createFailed         = "CREATE_FAILED"
	createComplete       = "CREATE_COMPLETE"
	rollbackInProgress   = "ROLLBACK_IN_PROGRESS"
	rollbackFailed       = "ROLLBACK_FAILED"
	rollbackComplete     = "ROLLBACK_COMPLETE"
	deleteInProgress     = "DELETE_IN_PROGRESS"
	deleteFailed         = "DELETE_FAILED"
	deleteComplete       = "DELETE_COMPLETE"
	deleteSkipped        = "DELETE_SKIPPED"
	updateInProgress     = "UPDATE_IN_PROGRESS"
	updateCleanup        = "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"
	updateComplete       = "UPDATE_COMPLETE"
	updateFailed         = "UPDATE_FAILED"
	undoInProgress       = "UPDATE_ROLLBACK_IN_PROGRESS"
	undoFailed           = "UPDATE_ROLLBACK_FAILED"
	undoCleanup          = "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS"
	undoComplete         = "UPDATE_ROLLBACK_COMPLETE"
	reviewInProgress     = "REVIEW_IN_PROGRESS"
	importInProgress     = "IMPORT_IN_PROGRESS"
	importComplete       = "IMPORT_COMPLETE"
	importUndoInProgress = "IMPORT_ROLLBACK_IN_PROGRESS"
	importUndoFailed     = "IMPORT_ROLLBACK_FAILED"
	importUndoComplete   = "IMPORT_ROLLBACK_COMPLETE"
)

const (
	validationFailed      = "VALIDATION_FAILED"
	configurationComplete = "CONFIGURATION_COMPLETE"
)

// Types of operations as LastOperations and DescribeEvents name them.
const (
	opCreate   = "CREATE_STACK"
	opUpdate   = "UPDATE_STACK"
	opDelete   = "DELETE_STACK"
	opContinue = "CONTINUE_ROLLBACK"
	opRollback = "ROLLBACK"
	opReview   = "CREATE_CHANGESET"
)

const (
	userInitiated = "User Initiated"
	initiated     = "Resource creation Initiated"
	replacing     = "Requested update requires the creation of a new physical resource; hence creating one."
	byUser        = " Rollback requested by user."
)

const (
	stackType  = "AWS::CloudFormation::Stack"
	handleType = "AWS::CloudFormation::WaitConditionHandle"
	waitType   = "AWS::CloudFormation::WaitCondition"
)

// stable reports whether nothing is under way in a stack of that status.
func stable(status string) bool {
	return !strings.HasSuffix(status, "_IN_PROGRESS") || status == reviewInProgress
}

// updatable reports whether UpdateStack may start in that status.
func updatable(status string) bool {
	switch status {
	case createComplete, updateComplete, undoComplete, importComplete, importUndoComplete, updateFailed, createFailed:
		return true
	}
	return false
}
