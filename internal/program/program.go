// Package program runs other people's programs: hooks, commands that give
// values, templates written in Python, plugins.
//
// It never leaves one behind: each runs in a process group of its own, and when
// the context ends the whole group is asked to stop, and killed a little later.
// What a program prints is bounded, and so is the time of one that is
// waited for.
package program

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// Bounds of a program.
const (
	maxOutput = 16 << 20         // bytes of an answer
	maxLine   = 64 << 10         // bytes of one line that is passed on
	tail      = 4 << 10          // bytes of stderr kept for the error
	grace     = 3 * time.Second  // between asking a program to stop and killing it
	patience  = 10 * time.Minute // for a program that has to give an answer
)

// Program is something to run.
type Program struct {
	Args  []string
	Dir   string
	Env   []string // KEY=value, complete
	Stdin []byte
	Grace time.Duration // between asking it to stop and killing it; 0 for three seconds
}

// Run runs p to its end and passes on what it prints, line by line, both
// streams in the order in which they come. line is called from one goroutine
// at a time.
func Run(ctx context.Context, p Program, line func(string)) error {
	cmd := p.command(ctx)
	out := &lines{to: line}
	cmd.Stdout, cmd.Stderr = out, out // the same writer: one pipe, one goroutine
	err := run(ctx, cmd)
	out.flush()
	return explain(ctx, p, err, "")
}

// Output runs p to its end and gives what it prints to its standard output.
func Output(ctx context.Context, p Program) ([]byte, error) {
	bounded, cancel := context.WithTimeoutCause(ctx, patience, fmt.Errorf("it took longer than %s", patience))
	defer cancel()
	cmd := p.command(bounded)
	out, talk := &answer{limit: maxOutput}, &ending{}
	cmd.Stdout, cmd.Stderr = out, talk
	err := run(bounded, cmd)
	if err == nil && out.over {
		return nil, fmt.Errorf("%s printed more than %d MiB", p.name(), maxOutput>>20)
	}
	return out.kept.Bytes(), explain(bounded, p, err, talk.String())
}

func (p Program) name() string {
	if len(p.Args) == 0 {
		return "the program"
	}
	return p.Args[0]
}

func (p Program) command(ctx context.Context) *exec.Cmd {
	cmd := exec.CommandContext(ctx, p.name()) //nolint:gosec // running what the project names is the job
	cmd.Args, cmd.Dir, cmd.Env = p.Args, p.Dir, p.Env
	if cmd.Env == nil {
		cmd.Env = []string{} // never the process's own
	}
	if p.Stdin != nil {
		cmd.Stdin = bytes.NewReader(p.Stdin)
	}
	group(cmd)
	cmd.WaitDelay = cmp.Or(p.Grace, grace)
	return cmd
}

// run runs cmd to its end. What it has left running in the background is left
// alone, unless the context has ended.
func run(ctx context.Context, cmd *exec.Cmd) error {
	err := cmd.Run()
	if ctx.Err() != nil && cmd.Process != nil {
		killGroup(cmd.Process.Pid)
	}
	if errors.Is(err, exec.ErrWaitDelay) {
		return nil
	}
	return err
}

// ExitError says that a program ended badly. It does not wrap os/exec's error,
// whose exit code would be taken for our own.
type ExitError struct {
	Program string
	Code    int    // -1 when a signal ended it
	How     string // "exit status 2", "signal: killed"
	Stderr  string // the end of what it said
}

// Error tells how it ended, and its last words.
func (e *ExitError) Error() string {
	if words := strings.TrimSpace(e.Stderr); words != "" {
		return e.How + ": " + words
	}
	return e.How
}

// NotFoundError says that there is no such program.
type NotFoundError struct{ Program string }

// Error names the program.
func (e *NotFoundError) Error() string { return "there is no program " + filepath.Base(e.Program) }

func explain(ctx context.Context, p Program, err error, stderr string) error {
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if errors.Is(err, exec.ErrNotFound) || errors.Is(err, fs.ErrNotExist) {
		return &NotFoundError{p.name()}
	}
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return &ExitError{Program: p.name(), Code: exit.ExitCode(), How: exit.String(), Stderr: stderr}
	}
	return fmt.Errorf("%s cannot be run: %w", p.name(), err)
}
