package main_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// exits runs a program and succeeds when it ends with the given code.
func exits(args []string) int {
	want, err := strconv.Atoi(args[0])
	if err != nil {
		fmt.Fprintln(os.Stderr, "usage: exits CODE PROGRAM ARGS...")
		return 1
	}
	cmd := exec.Command(args[1], args[2:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	got := codeOf(cmd.Run())
	if got != want {
		fmt.Fprintf(os.Stderr, "exits: %s ended with %d, want %d\n", strings.Join(args[1:], " "), got, want)
		return 1
	}
	return 0
}

func codeOf(err error) int {
	if err == nil {
		return 0
	}
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return exit.ExitCode()
	}
	fmt.Fprintln(os.Stderr, err)
	return -1
}

// terminal runs a program with all its streams at a terminal of the given
// size, types what stands on stdin, and prints what the terminal showed. The
// input ends when it was typed.
func terminal(args []string) int {
	var size unix.Winsize
	if _, err := fmt.Sscanf(args[0], "%dx%d", &size.Col, &size.Row); err != nil {
		fmt.Fprintln(os.Stderr, "usage: terminal COLSxROWS PROGRAM ARGS...")
		return 1
	}
	typed, err := io.ReadAll(os.Stdin)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	screen, tty, err := openTerminal(&size)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	cmd := exec.Command(args[1], args[2:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = tty, tty, tty
	cmd.SysProcAttr = &unix.SysProcAttr{Setsid: true, Setctty: true}
	if err := cmd.Start(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	_ = tty.Close() // the program holds it: reading ends when it does
	_, _ = screen.Write(append(typed, 4))
	_, _ = io.Copy(os.Stdout, screen) // ends with EIO, once everything was read
	return codeOf(cmd.Wait())
}

func openTerminal(size *unix.Winsize) (screen, tty *os.File, err error) {
	if screen, err = os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0); err != nil {
		return nil, nil, err
	}
	fd := int(screen.Fd())
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		return nil, nil, err
	}
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		return nil, nil, err
	}
	if err := unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, size); err != nil {
		return nil, nil, err
	}
	tty, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	return screen, tty, err
}
