package cli

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"

	"github.com/deployer-cli/deployer/internal/event"
	"github.com/deployer-cli/deployer/internal/flow"
	"github.com/deployer-cli/deployer/internal/notify"
	"github.com/deployer-cli/deployer/internal/probe"
	"github.com/deployer-cli/deployer/internal/sandbox"
	"github.com/deployer-cli/deployer/internal/sandbox/store"
	"github.com/deployer-cli/deployer/internal/steady"
	"github.com/deployer-cli/deployer/stacks"
)

const exerciseConfig = `project_code: demo
region: eu-west-1
environment:
  class: development
  probes:
    site: {http: {url: "http://sandbox.localhost/_health/demo-dev-network", body_contains: '"up":true'}}
    script: {command: [scripts/check.sh]}
    rang: {cloudwatch_alarm: errors}
    all: {cloudformation: "dev/**"}
    away: {tcp: "sandbox.localhost:5432"}
  notify:
    team: {webhook: {env: TEAM_WEBHOOK}}
    topic: {sns: arn:aws:sns:eu-west-1:123456789012:gameday}
    fn: {lambda: listener}
    pager: {command: [scripts/page.sh]}
`

const exerciseTemplate = `Resources:
  Topic: {Type: AWS::SNS::Topic, Properties: {TopicName: gameday}}
  Listener: {Type: AWS::Lambda::Function, Properties: {FunctionName: listener, Runtime: python3.13, Handler: i.h, Role: "arn:aws:iam::123456789012:role/x", Code: {ZipFile: "x"}}}
  Errors: {Type: AWS::CloudWatch::Alarm, Properties: {AlarmName: errors, MetricName: Errors, Namespace: App, Statistic: Sum, Period: 60, EvaluationPeriods: 2, Threshold: 1, ComparisonOperator: GreaterThanThreshold}}
`

// playground is a connected session of a project in the sandbox, and where it is.
func playground(t *testing.T, environ map[string]string) (*session, stacks.Access) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"config/dev/config.yaml":  exerciseConfig,
		"config/dev/network.yaml": "template: {path: network.yaml, type: file}\n",
		"config/dev/old.yaml":     "template: {path: network.yaml, type: file}\nobsolete: true\n",
		"templates/network.yaml":  exerciseTemplate,
		"scripts/check.sh":        "#!/bin/sh\necho \"$AWS_ENDPOINT_URL in $(basename $PWD)\"\ntest ! -e down || { echo it is down; exit 3; }\n",
		"scripts/page.sh":         "#!/bin/sh\ncat > heard.json\n",
		"scripts/hang.sh":         "#!/bin/sh\ntrap '' TERM\n(sleep 1; echo x > left) &\nwait\nsleep 30\n",
	} {
		name = filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o755), os.WriteFile(name, []byte(text), 0o755)); err != nil {
			t.Fatal(err)
		}
	}
	environ["PATH"], environ["DEPLOYER_SANDBOX_SPEED"] = os.Getenv("PATH"), "max"
	a := &app{interrupts: watchInterrupts(nil, nil), globals: globals{sandbox: true, output: "text", logLevel: "info"}, env: Env{Dir: dir, Stdout: io.Discard, Stderr: io.Discard, Now: time.Now, Environ: environ}}
	a.paint()
	s, err := a.open("dev")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.close(); err != nil {
			t.Error(err)
		}
	})
	if err := s.connect(); err != nil {
		t.Fatal(err)
	}
	place, err := s.environment("dev")
	if err != nil {
		t.Fatal(err)
	}
	return s, place.access
}

func clientOf(s *session) *cloudformation.Client {
	return cloudformation.NewFromConfig(aws.Config{
		Region: "eu-west-1", HTTPClient: s.server.Client(), BaseEndpoint: new(sandbox.Endpoint), Credentials: credentials.NewStaticCredentialsProvider("sandbox", "sandbox", ""),
	})
}

// build makes the project's stack.
func build(t *testing.T, s *session) {
	t.Helper()
	if _, err := clientOf(s).CreateStack(t.Context(), &cloudformation.CreateStackInput{StackName: new("demo-dev-network"), TemplateBody: new(exerciseTemplate)}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.server.Advance(t.Context(), time.Hour); err != nil {
		t.Fatal(err)
	}
}

// TestProbesOfAProject looks with every kind of probe before its stack is there,
// while it is, and after.
func TestProbesOfAProject(t *testing.T) {
	t.Parallel()
	s, at := playground(t, map[string]string{})
	place, err := s.environment("dev")
	if err != nil {
		t.Fatal(err)
	}
	probes, err := steady.Parse(place.env.Probes)
	if err != nil || len(probes) != 5 {
		t.Fatalf("%v, %v", probes, err)
	}
	ports := s.probePorts(at, s.clock())
	look := func() string {
		var out []string
		for _, p := range probes {
			r := probe.Once(t.Context(), p, ports)
			why := r.Why
			if r.Unknown {
				why = "? " + why
			}
			out = append(out, p.Name+": "+why)
		}
		return strings.Join(out, "\n")
	}
	const tcp = "away: sandbox.localhost answers probes of kind http only\n"
	want := "all: dev/network is not there\n" + tcp + "rang: there is no alarm errors\nscript: \nsite: it answered 503 Service Unavailable"
	if got := look(); got != want {
		t.Errorf("before\n%s", got)
	}
	build(t, s)
	want = "all: \n" + tcp + "rang: ? it has no data: INSUFFICIENT_DATA\nscript: \nsite: "
	if got := look(); got != want {
		t.Errorf("while it is up\n%s", got)
	}
	if err := os.WriteFile(filepath.Join(s.dir, "down"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := clientOf(s).DeleteStack(t.Context(), &cloudformation.DeleteStackInput{StackName: new("demo-dev-network")}); err != nil {
		t.Fatal(err)
	}
	if got := look(); !strings.Contains(got, "script: exit status 3: it is down") || !strings.Contains(got, "site: it answered 503") || !strings.Contains(got, "all: dev/network is ") {
		t.Errorf("after\n%s", got)
	}
	if r := probe.Once(t.Context(), steady.Probe{Stacks: "prod/**", Timeout: time.Second}, ports); r.Why != "the project has no stack prod/**" {
		t.Errorf("%+v", r)
	}
	if r := probe.Once(t.Context(), steady.Probe{HTTP: &steady.HTTP{URL: "http://sandbox.localhost:8080/x"}, Timeout: time.Second}, ports); r.Why != "sandbox.localhost answers /_health/STACK,STACK and nothing else" {
		t.Errorf("%+v", r)
	}
}

// TestAHungCommandIsKilled: what it started is gone with it.
func TestAHungCommandIsKilled(t *testing.T) {
	t.Parallel()
	s, at := playground(t, map[string]string{})
	begun := time.Now()
	r := probe.Once(t.Context(), steady.Probe{Name: "hung", Command: []string{"scripts/hang.sh"}, Timeout: 300 * time.Millisecond}, s.probePorts(at, s.clock()))
	if took := time.Since(begun); r.OK || r.Unknown || r.Why != "it was not done within 300ms" || took > 5*time.Second {
		t.Errorf("%+v after %v", r, took)
	}
	_ = flow.Pause(t.Context(), 1200*time.Millisecond)
	if _, err := os.Stat(filepath.Join(s.dir, "left")); err == nil {
		t.Error("what it started went on")
	}
}

// TestOutsideOfTheSandbox: its host is nobody's there.
func TestOutsideOfTheSandbox(t *testing.T) {
	t.Parallel()
	s := &session{}
	for _, address := range []string{"sandbox.localhost:80", "SANDBOX.localhost.:80"} {
		if _, err := s.dialer()(t.Context(), "tcp", address); err == nil || err.Error() != "sandbox.localhost answers in the sandbox only (--sandbox)" {
			t.Error(err)
		}
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+address+"/_health/x", nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := (&healthDoer{client: plainClient()}).Do(r); err == nil || err.Error() != "sandbox.localhost answers in the sandbox only (--sandbox)" {
			t.Error(err)
		}
	}
	hops := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		hops++
		http.Redirect(w, r, "/elsewhere", http.StatusFound)
	}))
	defer server.Close()
	ports := probe.Ports{Client: &healthDoer{client: plainClient()}, Clock: &realmClock{now: time.Now}}
	if r := probe.Once(t.Context(), steady.Probe{HTTP: &steady.HTTP{URL: server.URL}, Timeout: 3 * time.Second}, ports); r.Why != "it answered 302 Found" || hops != 1 {
		t.Errorf("%+v after %d requests", r, hops)
	}
}

// TestAnnouncementsOfAProject sends to every kind of target.
func TestAnnouncementsOfAProject(t *testing.T) {
	t.Parallel()
	got := make(chan string, 1)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got <- string(body)
	}))
	defer server.Close()
	s, at := playground(t, map[string]string{"TEAM_WEBHOOK": server.URL + "/hush"})
	place, err := s.environment("dev")
	if err != nil {
		t.Fatal(err)
	}
	targets, err := notify.Parse(place.env.Notify)
	if err != nil || len(targets) != 4 {
		t.Fatalf("%v, %v", targets, err)
	}
	build(t, s)
	a := event.Announcement{Event: event.Started, Environment: "dev", Break: "b-1", Realm: s.realm, Stacks: []stacks.Path{"dev/network"}}
	if errs := notify.Send(t.Context(), targets, a, s.notifyPorts(at)); len(errs) > 0 {
		t.Fatal(errs)
	}
	heard, err := os.ReadFile(filepath.Join(s.dir, "heard.json"))
	sent, err2 := s.server.Published(t.Context())
	calls, err3 := s.server.Invocations(t.Context())
	if err := errors.Join(err, err2, err3); err != nil || len(calls) != 1 || len(sent) == 0 {
		t.Fatalf("%v, %v, %v", sent, calls, err)
	}
	last := sent[len(sent)-1]
	if last.Attributes["event"] != "started" || last.Attributes["severity"] != "warning" || !strings.Contains(last.Protocols["email"], "exercise") {
		t.Errorf("%+v", last)
	}
	for name, body := range map[string]string{"webhook": <-got, "command": string(heard), "function": string(calls[0].Payload), "topic": last.Text} {
		if !strings.Contains(body, "EXERCISE: dev (sandbox) is being broken now") || strings.Contains(body, "network") {
			t.Errorf("%s: %s", name, body)
		}
	}

	// Nothing leaves this machine from the sandbox, and no error says where to.
	s.app.env.Environ["TEAM_WEBHOOK"] = "https://hooks.example/hush"
	errs := notify.Send(t.Context(), slices.DeleteFunc(targets, func(t notify.Target) bool { return t.Webhook == "" }), a, s.notifyPorts(at))
	if len(errs) != 1 || errs[0].Error() != "notification team was not sent: from the sandbox no webhook leaves this machine" {
		t.Error(errs)
	}
}

// TestTheSandboxsClock: at top speed time goes to whoever is due first, and no
// further; everybody who waits is woken in order.
func TestTheSandboxsClock(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		server := sandbox.New(sandbox.Options{Store: store.NewMemory(), Speed: sandbox.MaxSpeed})
		s := &session{server: server}
		s.now = s.simulated
		s.app = &app{env: Env{Now: time.Now}}
		c := s.clock()
		begun := c.Now()
		var mu sync.Mutex
		var order []time.Duration
		var wg sync.WaitGroup
		for _, d := range []time.Duration{time.Hour, 5 * time.Minute, 30 * time.Minute, 5 * time.Minute} {
			wg.Go(func() {
				if err := c.Wait(t.Context(), d); err != nil {
					t.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				order = append(order, d)
				if passed := c.Now().Sub(begun); passed < d || d < time.Hour && passed > time.Hour {
					t.Errorf("after %v %v have passed", d, passed)
				}
			})
		}
		wg.Wait()
		if !slices.IsSorted(order) {
			t.Errorf("%v", order)
		}
		if passed := c.Now().Sub(begun); passed > time.Hour+time.Minute {
			t.Errorf("%v have passed", passed)
		}
		ctx, cancel := context.WithCancelCause(t.Context())
		why := errors.New("enough")
		cancel(why)
		if err := c.Wait(ctx, time.Hour); err == nil {
			t.Error("it waited without a context")
		}
	})
}

// TestALongWaitIsNotOverInAMoment: who was due before, and gives up, leaves no leap behind.
func TestALongWaitIsNotOverInAMoment(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		server := sandbox.New(sandbox.Options{Store: store.NewMemory(), Speed: sandbox.MaxSpeed})
		s := &session{server: server, app: &app{env: Env{Now: time.Now}}}
		s.now = s.simulated
		c := s.clock()
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() {
			if err := c.Wait(ctx, 10*time.Minute); err == nil {
				t.Error("it waited to its end")
			}
		})
		synctest.Wait()
		begun := time.Now()
		wg.Go(func() {
			if err := c.Wait(t.Context(), 25*time.Minute); err != nil {
				t.Error(err)
			}
		})
		synctest.Wait()
		cancel()
		wg.Wait()
		if took, want := time.Since(begun), 25*time.Minute/time.Duration(sandbox.DefaultSpeed); took < want-time.Second {
			t.Errorf("it was over after %v, not %v", took, want)
		}
	})
}

// TestTheSandboxsClockAtSpeed: thirty seconds at speed 60 take half a second, and
// less when somebody else moves time on.
func TestTheSandboxsClockAtSpeed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		server := sandbox.New(sandbox.Options{Store: store.NewMemory(), Speed: 60})
		c := (&session{server: server, now: time.Now}).clock()
		begun := time.Now()
		if err := c.Wait(t.Context(), 30*time.Second); err != nil || time.Since(begun).Round(10*time.Millisecond) != 500*time.Millisecond {
			t.Errorf("%v after %v", err, time.Since(begun))
		}
		go func() {
			_ = flow.Pause(t.Context(), time.Second)
			_, _ = server.Advance(t.Context(), time.Hour)
		}()
		begun = time.Now()
		if err := c.Wait(t.Context(), time.Hour); err != nil || time.Since(begun) > 1500*time.Millisecond {
			t.Errorf("%v after %v", err, time.Since(begun))
		}
		machine := (&session{now: time.Now}).clock()
		begun = time.Now()
		if err := machine.Wait(t.Context(), time.Minute); err != nil || time.Since(begun) != time.Minute {
			t.Errorf("%v after %v", err, time.Since(begun))
		}
	})
}

// TestSweepsAreShared: who asks while a sweep is under way shares the next one,
// so that nobody hears of a time before they asked.
func TestSweepsAreShared(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := 0
		s := &sharedSweeps{sweep: func(ctx context.Context, _ stacks.Access) ([]stacks.Live, error) {
			n++
			mine := n
			if err := flow.Pause(ctx, time.Second); err != nil {
				return nil, err
			}
			return make([]stacks.Live, mine), nil
		}}
		ask := func(after time.Duration, want int) func() {
			return func() {
				_ = flow.Pause(t.Context(), after)
				if got, err := s.lives(t.Context(), stacks.Access{}); len(got) != want || err != nil {
					t.Errorf("after %v: sweep %d, %v", after, len(got), err)
				}
			}
		}
		var wg sync.WaitGroup
		for _, f := range []func(){ask(0, 1), ask(100*time.Millisecond, 2), ask(200*time.Millisecond, 2), ask(1500*time.Millisecond, 3), ask(5*time.Second, 4)} {
			wg.Go(f)
		}
		wg.Wait()
		// Whoever makes a sweep may leave; the others are not left without one.
		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		defer cancel()
		wg.Go(func() {
			if _, err := s.lives(t.Context(), stacks.Access{}); err != nil {
				t.Error(err)
			}
		})
		wg.Go(func() {
			_ = flow.Pause(t.Context(), time.Millisecond)
			if _, err := s.lives(ctx, stacks.Access{}); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%v", err)
			}
		})
		wg.Go(func() {
			_ = flow.Pause(t.Context(), 2*time.Millisecond)
			if _, err := s.lives(t.Context(), stacks.Access{}); err != nil {
				t.Error(err)
			}
		})
		wg.Wait()
	})
}

// TestTheProbesPage: the examples of docs/probes.md are what they say they are.
func TestTheProbesPage(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "probes.md"))
	if err != nil {
		t.Fatal(err)
	}
	blocks := strings.Split(string(page), "```")
	probes, targets := 0, 0
	for _, b := range blocks {
		example, ok := strings.CutPrefix(b, "yaml\n")
		if !ok {
			continue
		}
		if !strings.HasPrefix(example, "environment:") {
			example = "environment:\n  class: development\n" + example
		}
		dir := t.TempDir()
		for name, text := range map[string]string{
			"config/dev/config.yaml": "project_code: demo\nregion: eu-west-1\n" + example,
			"config/dev/web.yaml":    "template: {path: web.yaml, type: file}\n",
			"templates/web.yaml":     "Resources: {Queue: {Type: AWS::SQS::Queue}}\n",
		} {
			name = filepath.Join(dir, name)
			if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o755), os.WriteFile(name, []byte(text), 0o600)); err != nil {
				t.Fatal(err)
			}
		}
		a := &app{interrupts: watchInterrupts(nil, nil), globals: globals{output: "text", logLevel: "info"}, env: Env{Dir: dir, Stdout: io.Discard, Stderr: io.Discard, Now: time.Now, Environ: map[string]string{}}}
		a.paint()
		s, err := a.open("dev")
		if err != nil {
			t.Fatalf("%v\n%s", err, example)
		}
		place, err := s.environment("dev")
		if err != nil {
			t.Fatal(err)
		}
		read, err := steady.Parse(place.env.Probes)
		told, err2 := notify.Parse(place.env.Notify)
		if err := errors.Join(err, err2, s.close()); err != nil {
			t.Fatal(err)
		}
		probes, targets = probes+len(read), targets+len(told)
	}
	if probes != 7 || targets != 4 {
		t.Errorf("the page shows %d probes and %d targets", probes, targets)
	}
	_, example, _ := strings.Cut(string(page), "```json\n")
	example, _, _ = strings.Cut(example, "```")
	var a event.Announcement
	if err := json.Unmarshal([]byte(example), &a); err != nil {
		t.Fatal(err)
	}
	bare := a
	bare.Title, bare.Text, bare.Severity, bare.Exercise = "", "", "", false
	got := notify.For(bare, notify.Target{})
	if opening, _ := strings.CutSuffix(a.Text, "…"); got.Title != a.Title || !strings.HasPrefix(got.Text, opening) || got.Severity != a.Severity || !a.Exercise {
		t.Errorf("the page shows %+v, what is sent is %+v", a, got)
	}
}
