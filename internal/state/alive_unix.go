//go:build unix

package state

import (
	"errors"
	"syscall"
)

// Gone tells whether no process of this machine has the id any more.
func Gone(pid int) bool {
	return pid > 0 && errors.Is(syscall.Kill(pid, 0), syscall.ESRCH)
}
