// Package reattach decides how what CloudFormation left behind when a stack was
// deleted gets into a new stack of the same template: by the names that the template
// gives, by the ids that it has, or not at all, and why not. The guards of a break
// ask it what recovery will be able to do, and recovery asks it what to do, so that
// the two cannot disagree.
//
// It never talks to AWS, never reads a file and keeps no state.
package reattach
