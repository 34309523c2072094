package engine

import "time"

// EventFilter narrows DescribeEvents.
type EventFilter struct{ FailedEvents *bool }

// DescribeEventsInput is the request of DescribeEvents.
type DescribeEventsInput struct {
	StackName, ChangeSetName, OperationId, NextToken string
	Filters                                          *EventFilter
}

// DescribeEventsOutput is the answer of DescribeEvents.
type DescribeEventsOutput struct {
	OperationEvents []OperationEvent
	NextToken       string
}

// OperationEvent is an event with the operation it belongs to.
type OperationEvent struct {
	EventId, StackId       string
	OperationId            string
	OperationType          string
	OperationStatus        string
	EventType              string
	LogicalResourceId      string
	PhysicalResourceId     *string
	ResourceType           string
	Timestamp              time.Time
	StartTime, EndTime     time.Time
	ResourceStatus         string
	ResourceStatusReason   string
	ResourceProperties     string
	ClientRequestToken     string
	HookType, HookStatus   string
	HookStatusReason       string
	HookInvocationPoint    string
	HookFailureMode        string
	DetailedStatus         string
	ValidationFailureMode  string
	ValidationName         string
	ValidationStatus       string
	ValidationStatusReason string
	ValidationPath         string
}

// DetectStackDriftInput is the request of DetectStackDrift.
type DetectStackDriftInput struct {
	StackName          string
	LogicalResourceIds []string
}

// DetectStackDriftOutput is the answer of DetectStackDrift.
type DetectStackDriftOutput struct{ StackDriftDetectionId string }

// DescribeStackDriftDetectionStatusInput is the request of
// DescribeStackDriftDetectionStatus.
type DescribeStackDriftDetectionStatusInput struct{ StackDriftDetectionId string }

// DescribeStackDriftDetectionStatusOutput is the answer of
// DescribeStackDriftDetectionStatus.
type DescribeStackDriftDetectionStatusOutput struct {
	StackId, StackDriftDetectionId string
	StackDriftStatus               string
	DetectionStatus                string
	DetectionStatusReason          string
	DriftedStackResourceCount      *int
	Timestamp                      time.Time
}

// DescribeStackResourceDriftsInput is the request of
// DescribeStackResourceDrifts.
type DescribeStackResourceDriftsInput struct {
	StackName                       string
	StackResourceDriftStatusFilters []string
	NextToken                       string
	MaxResults                      *int
}

// DescribeStackResourceDriftsOutput is the answer of
// DescribeStackResourceDrifts.
type DescribeStackResourceDriftsOutput struct {
	StackResourceDrifts []StackResourceDrift
	NextToken           string
}

// DetectStackResourceDriftInput is the request of DetectStackResourceDrift.
type DetectStackResourceDriftInput struct{ StackName, LogicalResourceId string }

// DetectStackResourceDriftOutput is the answer of DetectStackResourceDrift.
type DetectStackResourceDriftOutput struct{ StackResourceDrift *StackResourceDrift }

// StackResourceDrift compares a resource with its template.
type StackResourceDrift struct {
	StackId                  string
	LogicalResourceId        string
	PhysicalResourceId       string
	ResourceType             string
	ExpectedProperties       string
	ActualProperties         string
	PropertyDifferences      []PropertyDifference
	StackResourceDriftStatus string
	Timestamp                time.Time
	ModuleInfo               *ModuleInfo
}

// PropertyDifference is one property that drifted.
type PropertyDifference struct{ PropertyPath, ExpectedValue, ActualValue, DifferenceType string }
