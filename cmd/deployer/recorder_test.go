package main_test

import (
	"bytes"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/deployer-cli/deployer/internal/awsconf"
	"github.com/deployer-cli/deployer/internal/cli"
	"github.com/deployer-cli/deployer/internal/sandbox"
	"github.com/deployer-cli/deployer/internal/sandbox/store"
)

// recorder is an AWS that keeps a record of every call: the sandbox, asked
// through the real client.
type recorder struct {
	server *sandbox.Server
	aws    awsconf.HTTPClient
	user   string            // who calls, "" for nobody in particular
	ahead  time.Duration     // how far AWS's clock is ahead of ours
	sealed bool              // the bucket of the records takes no writes
	answer func(call string) // looks at each call before it is answered; nil: nobody does

	mu    sync.Mutex
	calls []string
}

func newRecorder(opts sandbox.Options) *recorder {
	opts.Store = store.NewMemory()
	r := &recorder{server: sandbox.New(opts)}
	r.aws = r.server.Client()
	return r
}

// Do notes a call by its name, and by its target where it is one for an object.
func (r *recorder) Do(q *http.Request) (*http.Response, error) {
	name := q.Method + " " + q.URL.Path
	if target := q.Header.Get("X-Amz-Target"); target != "" {
		name = target[strings.LastIndex(target, ".")+1:]
	} else if q.Body != nil && strings.HasPrefix(q.Header.Get("Content-Type"), "application/x-www-form-urlencoded") {
		body, err := io.ReadAll(q.Body)
		if err != nil {
			return nil, err
		}
		q.Body = io.NopCloser(bytes.NewReader(body))
		if form, err := url.ParseQuery(string(body)); err == nil {
			name = form.Get("Action")
		}
	}
	r.mu.Lock()
	r.calls = append(r.calls, name)
	r.mu.Unlock()
	if r.answer != nil {
		r.answer(name)
	}
	if r.user != "" {
		q.Header.Set("Authorization", strings.Replace(q.Header.Get("Authorization"), "Credential=test/", "Credential=sandbox."+r.user+"/", 1))
	}
	if r.sealed && strings.HasPrefix(name, "PUT /records/") {
		return &http.Response{
			Status: "403 Forbidden", StatusCode: http.StatusForbidden, Header: http.Header{"Content-Type": {"application/xml"}}, Request: q,
			Body: io.NopCloser(strings.NewReader("<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>")),
		}, nil
	}
	answer, err := r.aws.Do(q)
	if err == nil && r.ahead != 0 {
		answer.Header.Set("Date", time.Now().Add(r.ahead).UTC().Format(http.TimeFormat))
		if at, err := http.ParseTime(answer.Header.Get("Last-Modified")); err == nil {
			answer.Header.Set("Last-Modified", at.Add(r.ahead).UTC().Format(http.TimeFormat))
		}
	}
	return answer, err
}

// writes lists the calls since the last look that are not known to change
// nothing, and forgets them all. What deployer writes down for itself (locks,
// history) is not among them.
func (r *recorder) writes() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []string
	for _, call := range r.calls {
		if !harmless(call) {
			out = append(out, call)
		}
	}
	r.calls = nil
	return out
}

// harmless tells whether a call reads, or writes deployer's own records.
func harmless(call string) bool {
	for _, prefix := range []string{"Get", "List", "Describe", "Head", "Validate", "AssumeRole", "GET ", "HEAD "} {
		if strings.HasPrefix(call, prefix) {
			return true
		}
	}
	return strings.HasPrefix(call, "PUT /records/")
}

// typing is what is at the other end of a command's input.
type typing struct {
	text     string
	terminal bool
}

// run runs a command line in this process, against the recorder.
func (r *recorder) run(t testing.TB, dir string, in typing, vars map[string]string, args ...string) ran {
	t.Helper()
	environ := map[string]string{"NO_COLOR": "1", "HOME": dir, "TERM": "dumb", "PATH": os.Getenv("PATH")}
	maps.Copy(environ, vars)
	var out, talk bytes.Buffer
	invoking.Lock()
	defer invoking.Unlock()
	code := cli.Main(cli.Env{
		Args: append([]string{"deployer"}, args...), Stdin: strings.NewReader(in.text), Stdout: &out, Stderr: &talk,
		Environ: environ, Dir: dir, Now: time.Now, AWS: r,
		StdinTerminal: in.terminal, StderrTerminal: in.terminal, StdoutTerminal: in.terminal,
	})
	return ran{code, out.String(), talk.String()}
}
