// Package trial holds what `make bench` and `make torture` run: projects of many
// shapes, launched as whole command lines against the sandbox, measured against
// what is possible at all, and killed at every call.
//
// It is tests only, imports the command line and is imported by nothing. What is
// measured in counts and ratios comes from launches in fake time, so that it is
// the same on every machine; what is measured in seconds or MiB comes from real
// processes and is compared with nothing that is committed.
package trial
