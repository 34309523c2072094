// Package cli is the command line: it reads arguments, wires the packages
// together, and turns what comes back into output and an exit code.
//
// It is the only place that knows all others. Commands hold no logic of their
// own beyond the order of calls.
package cli

import (
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"golang.org/x/term"

	"github.com/deployer-cli/deployer/internal/awsconf"
)

// Env is everything a command takes from the process it runs in. Tests make
// their own.
type Env struct {
	Args    []string
	Stdin   io.Reader
	Stdout  io.Writer
	Stderr  io.Writer
	Environ map[string]string
	Dir     string // working directory
	Now     func() time.Time
	// Interrupts delivers a value for every Ctrl-C, and SIGHUP when the terminal
	// is closed.
	Interrupts <-chan os.Signal
	// Terminals: whether the stream is one, and how wide it is now.
	StdinTerminal  bool
	StdoutTerminal bool
	StderrTerminal bool
	Width          func() int // of stderr's terminal; 0 when it is none
	Height         func() int
	Executable     string // path of the running binary, for completion and hooks
	// AWS answers in place of AWS where it is not nil. Tests and measures have
	// their own, since fake time does not reach the network.
	AWS awsconf.HTTPClient
	// Before makes what stands before the embedded sandbox, such as a record of
	// the calls that reach it; nil for nothing.
	Before func(sandbox awsconf.HTTPClient) awsconf.HTTPClient
}

// System returns the Env of the running process.
func System() Env {
	dir, err := os.Getwd()
	if err != nil {
		dir = "."
	}
	interrupts := make(chan os.Signal, 3)
	signal.Notify(interrupts, os.Interrupt, syscall.SIGTERM)
	if !signal.Ignored(syscall.SIGHUP) { // else by nohup
		signal.Notify(interrupts, syscall.SIGHUP)
	}
	// A reader that is gone must not end a run: the write's error says it. To ignore
	// the signal would have programs that we start ignore it too.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	size := func() (int, int) {
		w, h, err := term.GetSize(int(os.Stderr.Fd()))
		if err != nil {
			return 0, 0
		}
		return w, h
	}
	exe, err := os.Executable()
	if err != nil {
		exe = os.Args[0]
	}
	return Env{
		Args: os.Args, Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
		Environ: environ(os.Environ()), Dir: dir, Now: time.Now, Interrupts: interrupts,
		StdinTerminal:  term.IsTerminal(int(os.Stdin.Fd())),
		StdoutTerminal: term.IsTerminal(int(os.Stdout.Fd())),
		StderrTerminal: term.IsTerminal(int(os.Stderr.Fd())),
		Width:          func() int { w, _ := size(); return w },
		Height:         func() int { _, h := size(); return h },
		Executable:     exe,
	}
}

func environ(pairs []string) map[string]string {
	out := make(map[string]string, len(pairs))
	for _, p := range pairs {
		if k, v, ok := strings.Cut(p, "="); ok {
			out[k] = v
		}
	}
	return out
}

// person tells whether somebody is there to read a question and to type.
func (e *Env) person() bool { return e.StdinTerminal && e.StderrTerminal }
