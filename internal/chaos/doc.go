// Package chaos is a break from its first entry to its last: what its journal
// says, when what happened, and how to go on after a crash.
//
// The journal is the only source of truth: everything here is a fold of its
// entries. The package does no IO, and decides no deletion on its own.
package chaos
