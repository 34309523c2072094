package main_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/deployer-cli/deployer/internal/cli"
	"github.com/deployer-cli/deployer/internal/sandbox"
)

// scene is a project and an AWS in fake time, with a network between them that
// can be cut, and a person who can leave.
type scene struct {
	*universe
	start      time.Time
	interrupts chan os.Signal
	person     bool
	now        func() time.Time
	latency    time.Duration // of every answer

	mu      sync.Mutex
	trouble func(r *http.Request) error // of the network; nil for none
	watch   func(action string)         // hears what is about to be asked of CloudFormation; may be nil
	created map[string]int              // stacks that AWS agreed to create
	deleted int
}

// play makes a scene of chains of stacks and plays it in fake time.
func play(t *testing.T, chains, length int, do func(t *testing.T, s *scene)) {
	t.Helper()
	invoking.Lock()
	defer invoking.Unlock()
	synctest.Test(t, func(t *testing.T) {
		do(t, &scene{
			universe: newUniverse(t, chains, length), start: time.Now(), now: time.Now,
			interrupts: make(chan os.Signal, 3), created: map[string]int{},
		})
	})
}

// Do carries a request to AWS, as far as the network lets it.
func (s *scene) Do(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		body, _ = io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(body))
	}
	form, _ := url.ParseQuery(string(body)) // empty where it is no call of CloudFormation's
	if s.watch != nil {
		s.watch(form.Get("Action"))
	}
	s.mu.Lock()
	trouble := s.trouble
	s.mu.Unlock()
	if trouble != nil {
		if err := trouble(r); err != nil {
			return nil, &url.Error{Op: "Post", URL: r.URL.String(), Err: err}
		}
	}
	answer, err := s.meter.Do(r)
	if s.latency > 0 {
		time.Sleep(s.latency)
	}
	if err == nil && answer.StatusCode == http.StatusOK {
		s.mu.Lock()
		defer s.mu.Unlock()
		switch form.Get("Action") {
		case "CreateStack":
			s.created[form.Get("StackName")]++
		case "DeleteStack":
			s.deleted++
		}
	}
	return answer, err
}

// cut makes the network fail with what trouble says; nil mends it.
func (s *scene) cut(trouble func(r *http.Request) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.trouble = trouble
}

// after does something once so much time of the scene has passed.
func (s *scene) after(d time.Duration, do func()) {
	time.AfterFunc(time.Until(s.start.Add(d)), do)
}

// fault adds a rule to AWS, and takes it away again after a while; zero is
// never.
func (s *scene) fault(t *testing.T, f sandbox.Fault, lasts time.Duration) {
	t.Helper()
	f, err := s.aws.AddFault(t.Context(), f)
	if err != nil {
		t.Error(err)
		return
	}
	if lasts > 0 {
		time.AfterFunc(lasts, func() {
			if err := s.aws.ClearFaults(t.Context(), f.ID); err != nil {
				t.Error(err)
			}
		})
	}
}

// run runs a command line, with the paces and the polling that AWS gets.
func (s *scene) run(t *testing.T, args ...string) ran {
	t.Helper()
	var out, talk bytes.Buffer
	s.start = time.Now()
	exit := cli.Main(cli.Env{
		Args: append([]string{"deployer"}, args...), Stdin: strings.NewReader(""), Stdout: &out, Stderr: &talk,
		StdinTerminal: s.person, StderrTerminal: s.person, Width: func() int { return 80 }, Height: func() int { return 24 },
		Environ: map[string]string{"HOME": s.dir, "TERM": "dumb"}, Dir: s.dir, Now: s.now, AWS: s, Interrupts: s.interrupts,
	})
	return ran{exit, out.String(), talk.String()}
}

// launch launches dev, which has to end with exit code want.
func (s *scene) launch(t *testing.T, want int, flags ...string) ran {
	t.Helper()
	r := s.run(t, append([]string{"launch", "dev", "-y", "-o", "json"}, flags...)...)
	if r.Exit != want {
		t.Fatalf("exit %d, want %d\n%s%s", r.Exit, want, r.Stdout, r.Stderr)
	}
	return r
}

// once tells that every stack was created once and none deleted.
func (s *scene) once(t *testing.T, n int) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.created) != n || s.deleted != 0 {
		t.Errorf("%d stacks were created, want %d; %d deleted", len(s.created), n, s.deleted)
	}
	for name, times := range s.created {
		if times != 1 {
			t.Errorf("%s was created %d times", name, times)
		}
	}
}

// story is the events of a run.
type story []struct {
	Time                                time.Time
	Kind, Stack, Reason, Action, Status string
	Left                                float64
}

func (r ran) story(t *testing.T) story {
	t.Helper()
	var out story
	for line := range strings.Lines(r.Stdout) {
		var e story
		if err := json.Unmarshal([]byte("["+line+"]"), &e); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		out = append(out, e...)
	}
	return out
}

// when tells when something happened to a stack; the test fails if it did not.
func (st story) when(t *testing.T, kind, stack string) time.Time {
	t.Helper()
	for _, e := range st {
		if e.Kind == kind && e.Stack == stack {
			return e.Time
		}
	}
	t.Fatalf("%s: no event %s", stack, kind)
	return time.Time{}
}

// says tells whether any event of a kind has a text in its reason.
func (st story) says(kind, text string) bool {
	for _, e := range st {
		if e.Kind == kind && strings.Contains(e.Reason, text) {
			return true
		}
	}
	return false
}
