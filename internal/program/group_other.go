//go:build !unix

package program

import "os/exec"

// group leaves cmd as it is: there are no process groups here.
func group(*exec.Cmd) {}

func killGroup(int) {}
