package main_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"

	"github.com/deployer-cli/deployer/internal/cli"
	"github.com/deployer-cli/deployer/internal/sandbox"
)

// site is where a havoc is played: its project, and an AWS that notes every
// deletion that is asked for.
type site struct {
	t   testing.TB
	h   *havoc
	dir string
	aws *recorder
	sdk *cloudformation.Client // of whoever works beside deployer, and of who looks afterwards

	interrupts chan os.Signal
	full       atomic.Bool // the bucket takes no records

	mu      sync.Mutex
	phase   string // launch, plan, break or recover
	deletes []deletion
	strike  func(accepted int) // hears of each deletion that AWS accepts
	begun   time.Time          // the blow; zero where it did not come
	landed  time.Time
	wrong   []string
}

// deletion is a call that asks for one.
type deletion struct {
	phase, id string
	at        time.Time
	accepted  bool
}

func newSite(t testing.TB, h *havoc, dir string) *site {
	s := &site{t: t, h: h, dir: dir, interrupts: make(chan os.Signal, 9), phase: "launch"}
	s.aws = newRecorder(sandbox.Options{
		Speed: 1, Durations: func(string) (create, update, remove time.Duration) { return time.Second, time.Second, 2 * time.Second },
	})
	s.sdk = cloudformation.New(cloudformation.Options{
		Region: "eu-west-1", Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
		HTTPClient: s.aws.server.Client(), BaseEndpoint: new(sandbox.Endpoint),
	})
	s.seed("buckets: [records]\n")
	return s
}

func (s *site) seed(text string) {
	if _, err := s.aws.server.Seed(s.t.Context(), []byte("region: eu-west-1\n"+text)); err != nil {
		s.failf("seed: %v", err)
	}
}

// failf notes what went otherwise than the contract says.
func (s *site) failf(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wrong = append(s.wrong, fmt.Sprintf(format, args...))
}

// Do carries a request of deployer's to AWS.
func (s *site) Do(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		body, _ = io.ReadAll(r.Body) // it is in memory
		r.Body = io.NopCloser(bytes.NewReader(body))
	}
	if s.full.Load() && r.Method == http.MethodPut && strings.HasPrefix(r.URL.Path, "/records/") {
		return &http.Response{
			Status: "507 Insufficient Storage", StatusCode: http.StatusInsufficientStorage, Header: http.Header{"Content-Type": {"application/xml"}}, Request: r,
			Body: io.NopCloser(strings.NewReader("<Error><Code>InsufficientStorage</Code><Message>it is full</Message></Error>")),
		}, nil
	}
	form, _ := url.ParseQuery(string(body)) // empty where it is no call of CloudFormation's
	if form.Get("Action") != "DeleteStack" {
		return s.aws.Do(r)
	}
	s.mu.Lock()
	at := len(s.deletes)
	s.deletes = append(s.deletes, deletion{phase: s.phase, id: form.Get("StackName"), at: time.Now()})
	s.mu.Unlock()
	answer, err := s.aws.Do(r)
	if err == nil && answer.StatusCode == http.StatusOK {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.deletes[at].accepted = true
		accepted := 0
		for _, d := range s.deletes {
			if d.accepted && d.phase == "break" {
				accepted++
			}
		}
		if s.strike != nil {
			s.strike(accepted)
		}
	}
	return answer, err
}

// run runs a command line; typed is what a person types, nil for nobody.
func (s *site) run(typed io.Reader, args ...string) ran {
	var out, talk bytes.Buffer
	if typed == nil {
		typed = strings.NewReader("")
	}
	_, nobody := typed.(*strings.Reader)
	invoking.Lock()
	defer invoking.Unlock()
	code := cli.Main(cli.Env{
		Args: append([]string{"deployer"}, args...), Stdin: typed, Stdout: &out, Stderr: &talk,
		Environ: map[string]string{"NO_COLOR": "1", "HOME": s.dir, "TERM": "dumb", "PATH": os.Getenv("PATH")},
		Dir:     s.dir, Now: time.Now, AWS: s, Interrupts: s.interrupts,
		StdinTerminal: !nobody, StderrTerminal: !nobody, StdoutTerminal: !nobody,
	})
	return ran{code, out.String(), talk.String()}
}

// person types a text, once do was done.
type person struct {
	text io.Reader
	do   func()
}

// Read implements io.Reader.
func (p *person) Read(b []byte) (int, error) {
	if p.do != nil {
		p.do()
		p.do = nil
	}
	return p.text.Read(b)
}
