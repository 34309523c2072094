package state

import (
	"errors"
	"os"
	"syscall"
)

func self() Process {
	boot, err := syscall.Sysctl("kern.bootsessionuuid")
	if err != nil {
		boot = ""
	}
	return Process{PID: os.Getpid(), Machine: boot}
}

// vanished tells whether no process has an id.
func vanished(pid int) bool { return errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) }

// started would be when a process began.
func started(int) string { return "" }
