package probe_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/deployer-cli/deployer/internal/flow"
	"github.com/deployer-cli/deployer/internal/probe"
	"github.com/deployer-cli/deployer/internal/program"
	"github.com/deployer-cli/deployer/internal/steady"
)

// machine is the machine's clock.
type machine struct{}

func (machine) Now() time.Time                                  { return time.Now() }
func (machine) Wait(ctx context.Context, d time.Duration) error { return flow.Pause(ctx, d) }

type doer func(*http.Request) (*http.Response, error)

func (d doer) Do(r *http.Request) (*http.Response, error) { return d(r) }

type runner func(ctx context.Context, args []string) (string, error)

func (r runner) Run(ctx context.Context, args []string) (string, error) { return r(ctx, args) }

type alarms func(name string) (string, time.Time, error)

func (a alarms) State(_ context.Context, name string) (string, time.Time, error) { return a(name) }

type up func(ctx context.Context, glob string) (bool, string, error)

func (u up) Up(ctx context.Context, glob string) (bool, string, error) { return u(ctx, glob) }

func answering(status int, body string) doer {
	return func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: status, Body: io.NopCloser(strings.NewReader(body))}, nil
	}
}

func site(h steady.HTTP) steady.Probe {
	if h.URL == "" {
		h.URL = "https://me:hush@dev.example/health?token=hush"
	}
	return steady.Probe{Name: "site", HTTP: &h, Every: 5 * time.Second, Timeout: 3 * time.Second, StableFor: 30 * time.Second}
}

func TestOnce(t *testing.T) {
	t.Parallel()
	rang := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	failing := func(err error) probe.Ports {
		return probe.Ports{
			Client: doer(func(r *http.Request) (*http.Response, error) {
				return nil, fmt.Errorf("Get %s: %w", r.URL, err)
			}),
			Dial: func(context.Context, string, string) (net.Conn, error) { return nil, err },
			Runner: runner(func(context.Context, []string) (string, error) {
				return "one\n\x1b[31mlast words\x1b[0m \n\n", err
			}),
			Alarms: alarms(func(string) (string, time.Time, error) { return "", time.Time{}, err }),
			Stacks: up(func(context.Context, string) (bool, string, error) { return false, "", err }),
		}
	}
	well := probe.Ports{
		Client: answering(200, "all is ok"),
		Dial: func(_ context.Context, network, address string) (net.Conn, error) {
			if network != "tcp" || address != "db:5432" {
				return nil, errors.New("where is that?")
			}
			c, _ := net.Pipe()
			return c, nil
		},
		Runner: runner(func(context.Context, []string) (string, error) { return "fine", nil }),
		Alarms: alarms(func(string) (string, time.Time, error) { return "OK", rang, nil }),
		Stacks: up(func(context.Context, string) (bool, string, error) { return true, "", nil }),
	}
	state := func(s string) probe.Ports {
		return probe.Ports{Alarms: alarms(func(string) (string, time.Time, error) { return s, rang, nil })}
	}
	tcp, command := steady.Probe{TCP: "db:5432"}, steady.Probe{Command: []string{"/opt/check.sh", "hush"}}
	alarm, stacks := steady.Probe{Alarm: "errors"}, steady.Probe{Stacks: "dev/**"}
	for name, tt := range map[string]struct {
		probe steady.Probe
		ports probe.Ports
		want  string // "ok", or the beginning is "? " for unknown
	}{
		"http":                     {site(steady.HTTP{Contains: "ok", MaxLatency: time.Second}), well, "ok"},
		"any good status":          {site(steady.HTTP{}), probe.Ports{Client: answering(204, "")}, "ok"},
		"the status asked for":     {site(steady.HTTP{Status: 404}), probe.Ports{Client: answering(404, "")}, "ok"},
		"another status":           {site(steady.HTTP{Status: 200}), probe.Ports{Client: answering(204, "")}, "it answered 204 No Content"},
		"a bad status":             {site(steady.HTTP{}), probe.Ports{Client: answering(503, "ok")}, "it answered 503 Service Unavailable"},
		"a redirect":               {site(steady.HTTP{}), probe.Ports{Client: answering(302, "ok")}, "it answered 302 Found"},
		"another body":             {site(steady.HTTP{Contains: "hush"}), well, "its answer does not contain what body_contains asks for"},
		"text beyond the bound":    {site(steady.HTTP{Contains: "late"}), probe.Ports{Client: answering(200, strings.Repeat("x", 2<<20)+"late")}, "its answer does not contain"},
		"refused":                  {site(steady.HTTP{}), failing(&net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}), "connection refused"},
		"no such host":             {site(steady.HTTP{}), failing(&net.DNSError{Name: "dev.example", Err: "no such host", IsNotFound: true}), "there is no such host"},
		"no name server":           {site(steady.HTTP{}), failing(&net.DNSError{Name: "dev.example", Err: "i/o timeout", IsTimeout: true}), "? no name server answers here"},
		"no network":               {site(steady.HTTP{}), failing(os.NewSyscallError("connect", syscall.ENETUNREACH)), "? the network cannot be used here: network is unreachable"},
		"cut off":                  {site(steady.HTTP{}), failing(io.ErrUnexpectedEOF), "the connection was closed"},
		"tcp":                      {tcp, well, "ok"},
		"tcp refused":              {tcp, failing(os.NewSyscallError("connect", syscall.ECONNREFUSED)), "connection refused"},
		"tcp, no files left":       {tcp, failing(syscall.EMFILE), "? the network cannot be used here: too many open files"},
		"command":                  {command, well, "ok"},
		"command failed":           {command, failing(&program.ExitError{Program: "x", Code: 3, How: "exit status 3"}), "exit status 3: last words"},
		"no such command":          {command, failing(&program.NotFoundError{Program: "/opt/check.sh"}), "? check.sh cannot be run: there is no program check.sh"},
		"no keys for it":           {command, failing(errors.New("the credentials have expired")), "? check.sh cannot be run: the credentials have expired"},
		"alarm":                    {alarm, well, "ok"},
		"alarm rings":              {alarm, state("ALARM"), "it is in ALARM"},
		"alarm without data":       {alarm, state("INSUFFICIENT_DATA"), "? it has no data: INSUFFICIENT_DATA"},
		"no such alarm":            {alarm, state(""), "there is no alarm errors"},
		"alarm unreadable":         {alarm, failing(errors.New("denied")), "? denied"},
		"stacks":                   {stacks, well, "ok"},
		"stacks unreadable":        {stacks, failing(errors.New("throttled")), "? throttled"},
		"stacks down":              {stacks, probe.Ports{Stacks: up(func(context.Context, string) (bool, string, error) { return false, "dev/web is gone", nil })}, "dev/web is gone"},
		"stacks down, nobody said": {stacks, probe.Ports{Stacks: up(func(context.Context, string) (bool, string, error) { return false, "", nil })}, "dev/** is not up"},
		"no port":                  {stacks, probe.Ports{}, "? a probe of kind cloudformation cannot be looked at here"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tt.probe.Name, tt.probe.Timeout, tt.ports.Clock = "p", 3*time.Second, machine{}
			r := probe.Once(t.Context(), tt.probe, tt.ports)
			got := r.Why
			if r.Unknown {
				got = "? " + got
			}
			if r.OK {
				got = "ok" + got
			}
			if !strings.HasPrefix(got, tt.want) || got == "" || r.Probe != "p" || r.At.IsZero() {
				t.Errorf("%+v, want %s", r, tt.want)
			}
			if strings.Contains(r.Why, "hush") || strings.ContainsRune(r.Why, 0x1b) {
				t.Errorf("%q shows what it must not", r.Why)
			}
			if tt.probe.Alarm != "" && (r.OK || tt.want == "it is in ALARM") && !r.Changed.Equal(rang) {
				t.Errorf("%v is not when it rang", r.Changed)
			}
		})
	}
}

// TestRealAnswers asks real servers, one of them without a good certificate, and
// a port at which nobody listens.
func TestRealAnswers(t *testing.T) {
	t.Parallel()
	plain := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if user, password, _ := r.BasicAuth(); user != "me" || password != "hush" || r.URL.Query().Get("token") != "hush" {
			w.WriteHeader(http.StatusUnauthorized)
		}
	}))
	defer plain.Close()
	secure := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	secure.Config.ErrorLog = nil
	defer secure.Close()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := l.Addr().String()
	_ = l.Close()
	ports := probe.Ports{Client: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}, Dial: new(net.Dialer).DialContext, Clock: machine{}}
	for address, want := range map[string]string{
		strings.Replace(plain.URL, "://", "://me:hush@", 1) + "/?token=hush":  "",
		strings.Replace(secure.URL, "://", "://me:hush@", 1) + "/?token=hush": "its certificate is not good: it is signed by nobody we know",
		"http://me:hush@" + nobody + "/?token=hush":                           "connection refused",
	} {
		if r := probe.Once(t.Context(), site(steady.HTTP{URL: address}), ports); r.Why != want || r.Unknown {
			t.Errorf("%s: %+v", address, r)
		}
	}
	if r := probe.Once(t.Context(), steady.Probe{TCP: strings.TrimPrefix(plain.URL, "http://"), Timeout: 3 * time.Second}, ports); !r.OK {
		t.Errorf("%+v", r)
	}
	if r := probe.Once(t.Context(), steady.Probe{TCP: nobody, Timeout: 3 * time.Second}, ports); r.Why != "connection refused" {
		t.Errorf("%+v", r)
	}
}

// TestWhateverHangs: a look is over when its time is, even where a port does not
// listen to its context, and what gave no answer is judged by who it was.
func TestWhateverHangs(t *testing.T) {
	t.Parallel()
	for name, deaf := range map[string]bool{"a port that hears": false, "a port that is deaf": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				over := make(chan struct{})
				hang := func(ctx context.Context) error {
					if deaf {
						<-over
						return nil
					}
					<-ctx.Done()
					return ctx.Err()
				}
				ports := probe.Ports{
					Client: doer(func(r *http.Request) (*http.Response, error) {
						return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader(""))}, hang(r.Context())
					}),
					Runner: runner(func(ctx context.Context, _ []string) (string, error) { return "", hang(ctx) }),
					Stacks: up(func(ctx context.Context, _ string) (bool, string, error) { return true, "", hang(ctx) }),
					Clock:  machine{},
				}
				for _, tt := range []struct {
					probe steady.Probe
					want  string
				}{
					{steady.Probe{HTTP: &steady.HTTP{URL: "http://h/"}}, "no answer within 3s"},
					{steady.Probe{Command: []string{"x"}}, "it was not done within 3s"},
					{steady.Probe{Stacks: "**"}, "AWS gave no answer within 3s"},
				} {
					tt.probe.Timeout = 3 * time.Second
					begun := time.Now()
					r := probe.Once(t.Context(), tt.probe, ports)
					took := time.Since(begun)
					if r.OK || r.Why != tt.want || r.Unknown != (tt.probe.Stacks != "") || r.Took != 3*time.Second || took > 3*time.Second+time.Second || !r.At.Equal(begun) {
						t.Errorf("%+v after %v", r, took)
					}
				}
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				if r := probe.Once(ctx, steady.Probe{Command: []string{"x"}, Timeout: 3 * time.Second}, ports); !r.Unknown || r.Why != "the look was cut short" {
					t.Errorf("%+v", r)
				}
				close(over)
			})
		})
	}
}

func TestLatency(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ports := probe.Ports{Clock: machine{}, Client: doer(func(r *http.Request) (*http.Response, error) {
			_ = flow.Pause(r.Context(), 2500*time.Millisecond)
			return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader(""))}, nil
		})}
		if r := probe.Once(t.Context(), site(steady.HTTP{MaxLatency: 2 * time.Second}), ports); r.OK || r.Why != "it took 2.5s, longer than 2s" || r.Took != 2500*time.Millisecond {
			t.Errorf("%+v", r)
		}
		if r := probe.Once(t.Context(), site(steady.HTTP{MaxLatency: 3 * time.Second}), ports); !r.OK {
			t.Errorf("%+v", r)
		}
	})
}

// TestSchedules: each probe is looked at on its own schedule, one that hangs
// delays nothing but itself, and no two readings are told at once.
func TestSchedules(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		ctx, cancel := context.WithCancel(t.Context())
		var telling atomic.Int32
		var mu sync.Mutex
		got := map[string][]string{}
		ports := probe.Ports{
			Clock:  machine{},
			Client: answering(200, ""),
			Runner: runner(func(ctx context.Context, _ []string) (string, error) { <-ctx.Done(); return "", ctx.Err() }),
		}
		second := time.Second
		probes := []steady.Probe{
			{Name: "quick", HTTP: &steady.HTTP{URL: "http://h/"}, Every: 5 * second, Timeout: 3 * second},
			{Name: "rare", HTTP: &steady.HTTP{URL: "http://h/"}, Every: 12 * second, Timeout: 3 * second},
			{Name: "hung", Command: []string{"x"}, Every: 5 * second, Timeout: 3 * second},
			{Name: "stuck", Command: []string{"x"}, Every: 5 * second, Timeout: 8 * second},
		}
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			probe.Run(ctx, probes, ports, func(r steady.Reading) {
				if telling.Add(1) != 1 {
					t.Error("two readings are told at once")
				}
				defer telling.Add(-1)
				mu.Lock()
				defer mu.Unlock()
				if r.OK == (r.Probe == "hung" || r.Probe == "stuck") {
					t.Errorf("%+v", r)
				}
				got[r.Probe] = append(got[r.Probe], r.At.Sub(begun).String())
			})
		}()
		_ = flow.Pause(t.Context(), 26*second+second/2)
		cancel()
		synctest.Wait()
		select {
		case <-ended:
		default:
			t.Error("it has not ended with its context")
		}
		want := map[string][]string{
			"quick": {"0s", "5s", "10s", "15s", "20s", "25s"}, "rare": {"0s", "12s", "24s"},
			"hung": {"0s", "5s", "10s", "15s", "20s"}, "stuck": {"0s", "8s", "16s"},
		}
		for name := range want {
			if !slices.Equal(got[name], want[name]) {
				t.Errorf("%s: %v, want %v", name, got[name], want[name])
			}
		}
	})
}

// broken is a clock that does not wait.
type broken struct{ machine }

func (broken) Wait(context.Context, time.Duration) error { return errors.New("the store is busy") }

func TestABrokenClockIsNoBusyLoop(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		n := 0
		probe.Run(ctx, []steady.Probe{site(steady.HTTP{})}, probe.Ports{Clock: broken{}, Client: answering(200, "")}, func(steady.Reading) { n++ })
		if n < 10 || n > 601 {
			t.Errorf("%d looks in a minute", n)
		}
	})
}

func TestNothingToLookAt(t *testing.T) {
	t.Parallel()
	probe.Run(t.Context(), nil, probe.Ports{Clock: machine{}}, func(steady.Reading) { t.Error("there is nothing") })
}

// TestNoSecretIsSaidByName: what a program says last is kept, and its secrets are not.
func TestNoSecretIsSaidByName(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"login failed: password=hunter2", "PGPASSWORD=hunter2 psql: no route", `{"db_password": "hunter2 hunter2", "x": 1}`, "passwd: hunter2",
		"psql --password hunter2 -h db", "Authorization: Bearer hunter2.abc", "bearer hunter2", "API_KEY='hunter2'", "x-api-key: hunter2",
		"GET https://x.example/?access_token=hunter2&a=b", "AWS_SECRET_ACCESS_KEY=hunter2", "client_secret = hunter2",
	} {
		if got := probe.Line(text); strings.Contains(got, "hunter2") || !strings.Contains(got, "***") {
			t.Errorf("%q is told as %q", text, got)
		}
	}
	for _, text := range []string{"the token expired", "no secret was found", "basic checks failed", "port 5432: connection refused"} {
		if got := probe.Line(text); got != text {
			t.Errorf("%q is told as %q", text, got)
		}
	}
}
