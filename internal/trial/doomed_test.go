package trial_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"syscall"

	"github.com/deployer-cli/deployer/internal/awsconf"
	"github.com/deployer-cli/deployer/internal/cli"
)

// What a child process finds in its environment.
const (
	varDoom     = "TRIAL_DOOM"     // when it dies, a doom in JSON
	varTerminal = "TRIAL_TERMINAL" // its streams count as a terminal
)

// doom says when a process kills itself, and where it writes down what it asked
// the sandbox for.
type doom struct {
	Blow    blow
	Record  string // a file: one wroteCall in JSON a line
	Ticks   string // a file: a byte a call
	Journal string // files whose lines are the journal's steps
}

// wroteCall is one call that changes something and that the sandbox answered.
type wroteCall struct {
	Action, Stack, Token string
	Status               int
}

// doomed lets the process die as its environment says: by SIGKILL, at a call to
// the embedded sandbox, before that is applied or after.
func doomed(env cli.Env) cli.Env {
	if os.Getenv(varTerminal) != "" {
		env.StdinTerminal, env.StdoutTerminal, env.StderrTerminal = true, true, true
	}
	text := os.Getenv(varDoom)
	if text == "" {
		return env
	}
	e := &executioner{}
	if err := json.Unmarshal([]byte(text), &e.doom); err != nil {
		os.Exit(98)
	}
	env.Before = func(aws awsconf.HTTPClient) awsconf.HTTPClient {
		return &gallows{aws, e} // a command may open the sandbox twice
	}
	return env
}

// executioner lets one call at a time go through, so that none is half done when
// the process dies.
type executioner struct {
	doom
	mu    sync.Mutex
	calls int
}

// gallows stand before the sandbox.
type gallows struct {
	aws awsconf.HTTPClient
	*executioner
}

// Do implements awsconf.HTTPClient.
func (e *gallows) Do(r *http.Request) (*http.Response, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.calls++
	fatal := e.Blow.at != 0 && e.calls == e.Blow.at
	if fatal && !e.Blow.applied || e.Blow.line != 0 && e.lines() >= e.Blow.line {
		die()
	}
	var body []byte
	if r.Body != nil {
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
	}
	answer, err := e.aws.Do(r)
	if err == nil {
		err = appendTo(e.Ticks, ".")
	}
	if err == nil {
		err = e.note(body, answer.StatusCode)
	}
	if fatal {
		die()
	}
	return answer, err
}

// die is kill -9: nothing of this process runs any more.
func die() {
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	select {}
}

// lines counts what is in the journal.
func (e *executioner) lines() int {
	files, _ := filepath.Glob(e.Journal) // the pattern is ours
	n := 0
	for _, f := range files {
		text, _ := os.ReadFile(f) // none yet
		n += bytes.Count(text, []byte("\n"))
	}
	return n
}

// note writes down what changes something. The form is that of CloudFormation.
func (e *executioner) note(body []byte, status int) error {
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil //nolint:nilerr // of another service
	}
	switch form.Get("Action") {
	case "CreateStack", "UpdateStack", "DeleteStack", "ExecuteChangeSet":
	default:
		return nil
	}
	line, err := json.Marshal(wroteCall{form.Get("Action"), form.Get("StackName"), form.Get("ClientRequestToken"), status})
	if err != nil {
		return err
	}
	return appendTo(e.Record, string(line)+"\n")
}

func appendTo(name, text string) error {
	f, err := os.OpenFile(name, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	return errors.Join(err, f.Close())
}

// MarshalJSON writes a blow as it stands in a case.
func (b blow) MarshalJSON() ([]byte, error) { return json.Marshal(b.String()) }

// UnmarshalJSON reads it.
func (b *blow) UnmarshalJSON(text []byte) error {
	var s string
	if err := json.Unmarshal(text, &s); err != nil {
		return err
	}
	var err error
	*b, err = parseBlow(s)
	return err
}
