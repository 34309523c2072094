package state

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
)

func self() Process {
	p := Process{PID: os.Getpid()}
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return p
	}
	space, err := os.Readlink("/proc/self/ns/pid")
	if err != nil || strings.TrimSpace(string(boot)) == "" {
		return p
	}
	p.Machine, p.Started = strings.TrimSpace(string(boot))+" "+space, started(p.PID)
	return p
}

// vanished tells whether no process has an id.
func vanished(pid int) bool { return errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) }

// startField is the number, behind the name, of starttime in proc_pid_stat(5).
const startField = 22 - 3

// started is when a process began, in ticks since the boot; "" where that is hidden.
func started(pid int) string {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return ""
	}
	// The name is in brackets, and may hold anything.
	fields := bytes.Fields(text[bytes.LastIndexByte(text, ')')+1:])
	if len(fields) <= startField {
		return ""
	}
	return string(fields[startField])
}
