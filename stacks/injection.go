package stacks

import "encoding/json"

// Injection is one fault made in a live stack on purpose, other than deleting
// the stack: a resource stopped, emptied or deleted behind CloudFormation's back.
// It is data, so that it can be written down before it is done, and undone from
// what was written.
type Injection struct {
	Kind       string          `json:"kind"` // delete-resource, stop-instances, revoke-ingress, lambda-zero, disable-rule
	Stack      Path            `json:"stack"`
	Name       string          `json:"name"` // of the stack
	StackID    string          `json:"stack_id"`
	Access     Access          `json:"access"`
	LogicalID  string          `json:"logical_id"`
	PhysicalID string          `json:"physical_id"`
	Type       string          `json:"type"`             // of the resource
	Says       string          `json:"says"`             // what is done, for the reader
	Before     json.RawMessage `json:"before,omitempty"` // how it was, as the kind's Capture read it
	Token      string          `json:"token,omitempty"`  // of the call
}

// Condition is how what an Injection is about looks now.
type Condition string

// The conditions.
const (
	Whole   Condition = "whole"   // as it was before, or never broken
	Broken  Condition = "broken"  // as the injection leaves it
	Between Condition = "between" // on the way from one to the other
)
