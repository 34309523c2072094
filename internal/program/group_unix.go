//go:build unix

package program

import (
	"errors"
	"os"
	"os/exec"
	"syscall"
)

// group starts cmd as the leader of its own process group, so that a Ctrl-C at
// the terminal does not reach it, and so that all it started ends with it.
func group(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error {
		err := syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM)
		if errors.Is(err, syscall.ESRCH) {
			return os.ErrProcessDone
		}
		return err
	}
}

// killGroup ends what is left of a group. That nothing is left is fine.
func killGroup(leader int) { _ = syscall.Kill(-leader, syscall.SIGKILL) }
