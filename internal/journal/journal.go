// Package journal keeps what a run did on disk: its events and, before each
// deed, the intent.
//
// A journal is a file of JSON lines that is only ever appended to, readable by
// its owner alone. What has to survive a kill is on the disk before the deed it
// announces. It never holds values of parameters, templates or credentials.
package journal

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/deployer-cli/deployer/internal/event"
	"github.com/deployer-cli/deployer/internal/linefile"
	"github.com/deployer-cli/deployer/stacks"
)

const (
	version = 1
	suffix  = ".jsonl"
)

// KindIntent marks an entry that announces a call.
const KindIntent event.Kind = "intent"

// Entry is one line: an event, or an intent.
type Entry struct {
	event.Event
	Intent *Intent `json:"intent,omitempty"`
}

// Intent announces one writing call. With the token, a later run can find out
// whether it was accepted.
type Intent struct {
	Verb    stacks.Verb `json:"verb"`
	Stack   stacks.Path `json:"stack"`
	Name    string      `json:"name"`
	StackID string      `json:"stack_id,omitempty"` // "" for a stack that does not exist yet
	Token   string      `json:"token,omitempty"`
	Account string      `json:"account,omitempty"`
	Region  string      `json:"region,omitempty"`
	Profile string      `json:"profile,omitempty"`
	Role    string      `json:"role,omitempty"` // the role that reaches the stack
	Time    time.Time   `json:"time,omitzero"`
}

// header is a journal's first line.
type header struct {
	Journal int       `json:"journal"` // the version
	Run     string    `json:"run"`
	Time    time.Time `json:"time"`

	Environments []string `json:"environments,omitempty"`
}

// Journal is open for appending. It is safe for concurrent use.
type Journal struct {
	run string
	dir string

	mu   sync.Mutex
	file *linefile.File
	err  error // the first failure; nothing is written after it
}

// Open opens the journal of a run, making it and its folder where needed. That it can
// be written to is proven here: a run must not start without. The environments are
// those that it is about, as far as Prune is to know them.
func Open(dir, run string, environments ...string) (*Journal, error) {
	if run == "" || run != filepath.Base(run) || strings.HasPrefix(run, ".") {
		return nil, &Error{What: "no journal", Dir: dir, cause: fmt.Errorf("%q is no name for a run", run)}
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, &Error{What: "the journal's folder cannot be made", Dir: dir, cause: err}
	}
	file, err := linefile.Open(filepath.Join(dir, run+suffix))
	if err != nil {
		return nil, &Error{What: "the journal cannot be opened", Dir: dir, cause: err}
	}
	j := &Journal{run: run, dir: dir, file: file}
	if err := j.begin(environments); err != nil {
		_ = file.Close()
		return nil, &Error{What: "the journal cannot be written", Dir: dir, cause: err}
	}
	if err := linefile.SyncDir(dir); err != nil {
		_ = file.Close()
		return nil, &Error{What: "the journal cannot be written", Dir: dir, cause: err}
	}
	return j, nil
}

// begin writes the first line of a new journal.
func (j *Journal) begin(environments []string) error {
	if j.file.Size() > 0 {
		return j.file.Sync() // proves that it can be written, as the first line does for a new one
	}
	return j.write(header{Journal: version, Run: j.run, Time: time.Now().UTC(), Environments: environments}, true)
}

// Append writes an event. Events that announce a deed or its acceptance are on
// the disk when it returns.
func (j *Journal) Append(e event.Event) error {
	return j.append(Entry{Event: e}, e.Kind == event.StepStarted || e.Kind == event.StepAccepted || e.Kind == event.RunFinished)
}

// Intend writes an intent, and returns when it is on the disk. Where it fails,
// the call must not be made.
func (j *Journal) Intend(i Intent) error {
	if i.Time.IsZero() {
		i.Time = time.Now().UTC()
	}
	return j.append(Entry{Event: event.Event{Kind: KindIntent, Run: j.run, Time: i.Time, Stack: i.Stack}, Intent: &i}, true)
}

func (j *Journal) append(e Entry, durable bool) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.err != nil {
		return j.err
	}
	if err := j.write(e, durable); err != nil {
		j.err = &Error{What: "the journal cannot be written", Dir: j.dir, cause: err}
	}
	return j.err
}

func (j *Journal) write(v any, durable bool) error {
	line, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return j.file.Append(line, durable)
}

// Sink makes the journal hear events. failed is called, once, when one could
// not be written; Err tells it as well.
func (j *Journal) Sink(failed func(error)) event.Sink {
	var once sync.Once
	return event.Func(func(e event.Event) {
		if err := j.Append(e); err != nil && failed != nil {
			once.Do(func() { failed(err) })
		}
	})
}

// Err is the failure that ended the journal, nil while it goes well.
func (j *Journal) Err() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.err
}

// Close puts everything on the disk and closes the file.
func (j *Journal) Close() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.file.Close()
}

// Error says that a journal could not be kept.
type Error struct {
	What  string
	Dir   string
	cause error
}

// Error says what, where and why.
func (e *Error) Error() string {
	return fmt.Sprintf("%s in %s: %s", e.What, e.Dir, linefile.Cause(e.cause))
}

// Hint tells what to do about it.
func (e *Error) Hint() string { return linefile.Hint(e.cause) }

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.cause }
