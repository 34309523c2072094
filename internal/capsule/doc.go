// Package capsule is what is kept of a stack before it is broken: all that is
// needed to make it again, and to tell whether what came back is the same.
//
// It never holds a secret's value, and does no IO.
package capsule
