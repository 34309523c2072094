// Package engine is CloudFormation's state machine as pure code over a
// transactional key-value store.
//
// It has no network, no clock, no goroutines and no randomness but a hash of
// (seed, stack, operation, resource, phase). A caller hands in one request at
// a simulated time with [Engine.Call]; [Engine.Advance] performs everything
// that falls due up to a time, in the order (time, sequence). Only the next
// step of each resource is ever fixed; what comes of it is decided when it is
// due, against the whole store. So advancing to t2 equals advancing to t1 and
// then to t2, and a process may die between any two calls.
//
// Records are compact JSON in these tables of the store:
//
//	stack      stack id -> the stack
//	operation  stack id -> the running operation with its graph of nodes
//	history    operation id -> type, status and times of an operation
//	resource   stack id, logical id -> one resource
//	name       account, region, name -> stack id, living stacks only
//	summary    account, region, newest first -> what listings show
//	event      stack id, newest first -> one event
//	body       hash -> template or policy text
//	export     account, region, name -> exporting stack and value
//	import     account, region, export, stack name -> stack id
//	physical   account, region, physical id, owner -> the resource behind it
//	use        account, region, physical id, user -> who refers to it
//	changeset  change set id -> the change set
//	csname     stack id, name -> change set id
//	token      stack id, client request token -> the request it named
//	due        time, sequence -> the step to perform
//	meta       counters
//
// Values inside resources are CloudFormation's: every scalar is a string.
package engine
