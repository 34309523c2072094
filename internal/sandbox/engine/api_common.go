package engine

import "time"

// The structs of this file and its neighbours api_*.go mirror CloudFormation's
// members by name, so that a codec needs nothing but the field names. An empty
// string, a nil pointer, a nil list and the zero time are absent on the wire;
// an empty list that is not nil is an empty element.

// Account says in whose account and region a request is made.
type Account struct{ AccountID, Region string }

// Parameter is a template parameter's value.
type Parameter struct {
	ParameterKey     string
	ParameterValue   *string
	UsePreviousValue *bool
	ResolvedValue    string
}

// Tag is one tag of a stack.
type Tag struct{ Key, Value string }

// RollbackTrigger is an alarm that rolls a deployment back.
type RollbackTrigger struct{ Arn, Type string }

// RollbackConfiguration says which alarms to watch and for how long.
type RollbackConfiguration struct {
	MonitoringTimeInMinutes *int
	RollbackTriggers        []RollbackTrigger
}

// DeploymentConfig chooses how a deployment runs.
type DeploymentConfig struct {
	DisableRollback *bool
	Mode            string
}

// OperationEntry names one of a stack's latest operations.
type OperationEntry struct{ OperationId, OperationType string }

// ModuleInfo tells where a resource of a module came from.
type ModuleInfo struct{ LogicalIdHierarchy, TypeHierarchy string }

// StackDriftInformation is a stack's drift as last detected.
type StackDriftInformation struct {
	StackDriftStatus   string
	LastCheckTimestamp time.Time
}

// StackResourceDriftInformation is a resource's drift as last detected.
type StackResourceDriftInformation struct {
	StackResourceDriftStatus string
	LastCheckTimestamp       time.Time
}
