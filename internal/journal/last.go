package journal

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"time"

	"github.com/deployer-cli/deployer/internal/event"
	"github.com/deployer-cli/deployer/stacks"
)

// Last is the latest operation that a run of this machine began with a stack.
type Last struct {
	Intent
	Run       string
	Operation string    // CloudFormation's id of it, "" where it gave none
	Known     bool      // that it was accepted is written down; else it may have been
	Accepted  time.Time // the earliest that can have been, by the service's clock
}

// Operations gives the latest operation of each stack in the journals that were
// written to since a time, by this machine's clock. Only what creates, updates or
// deletes counts. A line that cannot be read is passed over.
func Operations(dir string, since time.Time) (map[stacks.Path]Last, error) {
	runs, err := Runs(dir)
	if err != nil {
		return nil, err
	}
	out := map[stacks.Path]Last{}
	for _, r := range runs {
		name := filepath.Join(dir, r.Run+suffix)
		if info, err := os.Stat(name); err != nil || info.ModTime().Before(since) {
			continue
		}
		if err := operations(name, r.Run, out); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// operations adds those of one journal, whose other lines are not worth decoding.
func operations(name, run string, to map[stacks.Path]Last) error {
	body, err := os.ReadFile(name)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return &Error{What: "the journal cannot be read", Dir: filepath.Dir(name), cause: err}
	}
	for line := range bytes.Lines(body) {
		if !bytes.Contains(line, []byte(KindIntent)) && !bytes.Contains(line, []byte(event.StepAccepted)) {
			continue
		}
		e, ok := parse(line)
		if !ok {
			continue
		}
		last := to[e.Stack]
		switch {
		case e.Intent != nil && begins(e.Intent.Verb) && !e.Intent.Time.Before(last.Time):
			to[e.Stack] = Last{Intent: *e.Intent, Run: run}
		case e.Kind == event.StepAccepted && e.Token != "" && e.Token == last.Token:
			last.Known, last.Accepted, last.Operation = true, e.Accepted, e.Operation
			last.StackID = e.StackID
			to[e.Stack] = last
		}
	}
	return nil
}

// begins tells whether a call of that kind begins an operation that a stack's
// description shows.
func begins(v stacks.Verb) bool {
	switch v {
	case stacks.Create, stacks.Update, stacks.Delete, stacks.Execute:
		return true
	default:
		return false
	}
}
