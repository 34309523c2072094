package notify_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/deployer-cli/deployer/internal/event"
	"github.com/deployer-cli/deployer/internal/flow"
	"github.com/deployer-cli/deployer/internal/notify"
	"github.com/deployer-cli/deployer/stacks"
)

var told = event.Announcement{
	Event: event.Restored, Environment: "dev", Break: "b-20261122-1432-x7f3", Time: time.Date(2026, 11, 22, 14, 50, 0, 0, time.UTC),
	Title: "dev/network is back", Text: "dev/network <and> dev/web came back after 12m", Stacks: []stacks.Path{"dev/network", "dev/web"},
	Seconds: 750, Objective: 1800, Realm: stacks.RealmAWS, Account: "333333333333", Region: "eu-west-2",
}

type doer func(*http.Request) (*http.Response, error)

func (d doer) Do(r *http.Request) (*http.Response, error) { return d(r) }

// world hears everything, and does what fail says.
type world struct {
	fail error
	hang bool

	posted, ran, invoked string
	published            notify.Message
	args                 []string
	topic, function      string
}

func (w *world) answer(ctx context.Context) error {
	if w.hang {
		<-ctx.Done()
		return ctx.Err()
	}
	return w.fail
}

// The ports are separate types, since two of them have a Run or a Do.
type (
	programs  struct{ *world }
	topics    struct{ *world }
	functions struct{ *world }
)

func (p programs) Run(ctx context.Context, args []string, stdin []byte) error {
	p.args, p.ran = args, string(stdin)
	return p.answer(ctx)
}

func (t topics) Publish(ctx context.Context, topic string, m notify.Message) error {
	t.topic, t.published = topic, m
	return t.answer(ctx)
}

func (f functions) Invoke(ctx context.Context, function string, payload []byte) error {
	f.function, f.invoked = function, string(payload)
	return f.answer(ctx)
}

const webhook = "https://hooks.example/services/T000/B000/hush"

func (w *world) ports() notify.Ports {
	return notify.Ports{
		Environ: func(name string) string {
			return map[string]string{"TEAM_WEBHOOK": " " + webhook + "\n", "BROKEN": "hush"}[name]
		},
		Client: doer(func(r *http.Request) (*http.Response, error) {
			body, err := io.ReadAll(r.Body)
			if err != nil || r.URL.String() != webhook || r.Header.Get("Content-Type") != "application/json" {
				return nil, errors.New("that is no post to the webhook")
			}
			w.posted = string(body)
			if err := w.answer(r.Context()); err != nil {
				return nil, &url.Error{Op: "Post", URL: webhook, Err: err}
			}
			return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader("ok"))}, nil
		}),
		Runner: programs{w}, Topics: topics{w}, Functions: functions{w},
	}
}

func targets(full bool) []notify.Target {
	return []notify.Target{
		{Name: "fn", Lambda: "recovery-listener", FullDetail: full},
		{Name: "pager", Command: []string{"scripts/page.sh", "x"}, FullDetail: full},
		{Name: "team", Webhook: "TEAM_WEBHOOK", FullDetail: full},
		{Name: "topic", SNS: "arn:aws:sns:eu-west-2:333333333333:gameday", FullDetail: full},
	}
}

// everything is all that left the house.
func (w *world) everything() string {
	return strings.Join([]string{w.posted, w.ran, w.invoked, w.published.Subject, string(w.published.JSON), w.published.Text, fmt.Sprint(w.published.Attributes)}, "\n")
}

func TestSend(t *testing.T) {
	t.Parallel()
	w := &world{}
	if errs := notify.Send(t.Context(), targets(true), told, w.ports()); len(errs) > 0 {
		t.Fatal(errs)
	}
	const want = `{"event":"restored","environment":"dev","severity":"info","break":"b-20261122-1432-x7f3","time":"2026-11-22T14:50:00Z",` +
		`"title":"EXERCISE: dev/network is back","text":"EXERCISE: dev/network <and> dev/web came back after 12m","stacks":["dev/network","dev/web"],` +
		`"seconds":750,"objective":1800,"realm":"aws","account":"333333333333","region":"eu-west-2","exercise":true}`
	for _, got := range []string{w.ran, w.invoked, string(w.published.JSON)} {
		if got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
	if w.function != "recovery-listener" || w.topic != "arn:aws:sns:eu-west-2:333333333333:gameday" || strings.Join(w.args, " ") != "scripts/page.sh x" {
		t.Errorf("%s, %s, %v", w.function, w.topic, w.args)
	}
	const slack = `{"text":"*EXERCISE: dev/network is back*\nEXERCISE: dev/network &lt;and&gt; dev/web came back after 12m\nStacks: dev/network, dev/web\nAccount 333333333333, eu-west-2"}`
	if w.posted != slack {
		t.Errorf("got  %s\nwant %s", w.posted, slack)
	}
	if a := w.published.Attributes; len(a) != 3 || a["event"] != "restored" || a["environment"] != "dev" || a["severity"] != "info" || w.published.Subject != "EXERCISE: dev/network is back" {
		t.Errorf("%+v", w.published)
	}
}

// TestWithoutFullDetail: what leaves names no stack, no account and no region,
// says that it is an exercise, and tells the recovery time and the objective.
func TestWithoutFullDetail(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{event.Planned, event.Started, event.Stopped, event.Restored, event.Missed, event.Finished, "another"} {
		w, a := &world{}, told
		a.Event = kind
		if errs := notify.Send(t.Context(), targets(false), a, w.ports()); len(errs) > 0 {
			t.Fatal(errs)
		}
		out := w.everything()
		for _, word := range []string{"network", "dev/", "web", "333333333333", "eu-west-2", "hush", "12m"} {
			if strings.Contains(strings.ReplaceAll(out, "12m30s", ""), word) {
				t.Errorf("%s: %q stands in\n%s", kind, word, out)
			}
		}
		for name, body := range map[string]string{"webhook": w.posted, "command": w.ran, "function": w.invoked, "subject": w.published.Subject, "mail": w.published.Text} {
			if !strings.Contains(strings.ToLower(body), "exercise") {
				t.Errorf("%s: the %s does not say that it is an exercise: %s", kind, name, body)
			}
		}
		if kind == event.Restored && (!strings.Contains(w.posted, "restored after 12m30s, within the objective of 30m") || !strings.Contains(w.ran, `"seconds":750,"objective":1800`)) {
			t.Error(out)
		}
	}
	late := told
	late.Seconds = 2000
	if body := string(notify.WebhookBody(late, notify.Target{})); !strings.Contains(body, "after 33m20s, 3m20s longer than the objective of 30m") {
		t.Error(body)
	}
	played := told
	played.Realm = stacks.RealmSandbox
	if body := string(notify.WebhookBody(played, notify.Target{})); !strings.Contains(body, "dev (sandbox) is restored") {
		t.Error(body)
	}
}

func TestSeverity(t *testing.T) {
	t.Parallel()
	for kind, want := range map[string]string{event.Planned: "info", event.Started: "warning", event.Missed: "warning", event.Restored: "info"} {
		if got := (event.Announcement{Event: kind}).Weight(); got != want {
			t.Errorf("%s: %s", kind, got)
		}
	}
	if got := (event.Announcement{Event: event.Started, Severity: "page"}).Weight(); got != "page" {
		t.Error(got)
	}
}

// TestNoErrorShowsTheAddress: whatever goes wrong with a webhook, the address and
// its host are in no error.
func TestNoErrorShowsTheAddress(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		err  error
		env  string
		want string
	}{
		"not set":      {nil, "MISSING", "notification team was not sent: the variable MISSING is not set"},
		"no address":   {nil, "BROKEN", "its variable holds no http or https address"},
		"no such host": {&net.DNSError{Err: "no such host", Name: "hooks.example", IsNotFound: true}, "TEAM_WEBHOOK", "the host of the webhook does not exist"},
		"refused":      {&net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}, "TEAM_WEBHOOK", "the webhook cannot be reached: connection refused"},
		"anything":     {errors.New("x509: certificate is valid for other, not hooks.example/services/hush"), "TEAM_WEBHOOK", "the webhook cannot be reached"},
		"fenced":       {&notify.Error{Why: "not from here", Tip: "go home"}, "TEAM_WEBHOOK", "not from here"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := &world{fail: tt.err}
			errs := notify.Send(t.Context(), []notify.Target{{Name: "team", Webhook: tt.env}}, told, w.ports())
			if len(errs) != 1 || !strings.Contains(errs[0].Error(), tt.want) {
				t.Fatalf("%v", errs)
			}
			whole := fmt.Sprintf("%v %+v %#v", errs[0], errs[0], errs[0])
			for e := errs[0]; e != nil; e = errors.Unwrap(e) {
				whole += e.Error()
			}
			if strings.Contains(whole, "hush") || strings.Contains(whole, "hooks.example") {
				t.Errorf("it shows the address: %s", whole)
			}
		})
	}
}

// TestARealWebhook posts over the network.
func TestARealWebhook(t *testing.T) {
	t.Parallel()
	got := make(chan string, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/gone" {
			http.Error(w, "no_service hush", http.StatusNotFound)
			return
		}
		body, _ := io.ReadAll(r.Body)
		got <- r.Method + " " + string(body)
	}))
	defer server.Close()
	address := server.URL
	ports := notify.Ports{Client: server.Client(), Environ: func(string) string { return address }}
	if errs := notify.Send(t.Context(), []notify.Target{{Name: "team", Webhook: "X"}}, told, ports); len(errs) != 0 {
		t.Fatal(errs)
	}
	method, body, _ := strings.Cut(<-got, " ")
	var message map[string]string
	if err := json.Unmarshal([]byte(body), &message); err != nil || method != http.MethodPost || len(message) != 1 || !strings.Contains(message["text"], "exercise") {
		t.Errorf("%s %s, %v", method, body, err)
	}
	address += "/gone"
	errs := notify.Send(t.Context(), []notify.Target{{Name: "team", Webhook: "X"}}, told, ports)
	if len(errs) != 1 || errs[0].Error() != "notification team was not sent: the webhook answered 404 Not Found" {
		t.Errorf("%v", errs)
	}
}

// TestNobodyIsWaitedForLong: all are told at once, for ten seconds at most, those
// that are deaf to their context too; what failed is told in order.
func TestNobodyIsWaitedForLong(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := &world{hang: true}
		begun := time.Now()
		errs := notify.Send(t.Context(), targets(false), told, w.ports())
		if took := time.Since(begun); took != 10*time.Second || len(errs) != 4 {
			t.Errorf("%v after %v", errs, took)
		}
		for i, name := range []string{"fn", "pager", "team", "topic"} {
			if want := "notification " + name + " was not sent: it took longer than 10s"; errs[i].Error() != want {
				t.Errorf("%v, want %s", errs[i], want)
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if errs := notify.Send(ctx, targets(false), told, w.ports()); len(errs) != 4 || !strings.Contains(errs[0].Error(), "it was given up") {
			t.Error(errs)
		}
		over := make(chan struct{})
		ports := w.ports()
		ports.Client = doer(func(*http.Request) (*http.Response, error) { <-over; return nil, errors.New("late") })
		begun = time.Now()
		if errs := notify.Send(t.Context(), targets(false)[2:3], told, ports); len(errs) != 1 || time.Since(begun) > 11*time.Second {
			t.Errorf("%v after %v", errs, time.Since(begun))
		}
		close(over)
		_ = flow.Pause(t.Context(), time.Second)
	})
}

func TestWhatFailsIsToldWithAHint(t *testing.T) {
	t.Parallel()
	w := &world{fail: fmt.Errorf("publish: %w", &stacks.ServiceError{Service: "SNS", Operation: "Publish", Code: "AuthorizationError", Message: "no", Tip: "ask for sns:Publish"})}
	errs := notify.Send(t.Context(), targets(false)[3:], told, w.ports())
	if len(errs) != 1 {
		t.Fatal(errs)
	}
	e, ok := errors.AsType[*notify.Error](errs[0])
	if !ok || e.Target != "topic" || !strings.Contains(e.Why, "AuthorizationError") || e.Hint() != "ask for sns:Publish" {
		t.Errorf("%+v", errs[0])
	}
	if errs := notify.Send(t.Context(), targets(false), told, notify.Ports{}); len(errs) != 4 || !strings.Contains(errs[0].Error(), "a target of kind lambda cannot be reached here") {
		t.Error(errs)
	}
	if errs := notify.Send(t.Context(), nil, told, notify.Ports{}); len(errs) != 0 {
		t.Error(errs)
	}
}

// TestASubjectFitsSNS: and says that this is an exercise, once.
func TestASubjectFitsSNS(t *testing.T) {
	t.Parallel()
	for title, want := range map[string]string{
		"exercise:\nin dev – now":               "exercise: in dev  now",
		"This is an exercise":                   "This is an exercise",
		"exercise-db is gone":                   "EXERCISE: exercise-db is gone",
		"exercise: " + strings.Repeat("x", 200): "exercise: " + strings.Repeat("x", 87) + "...",
	} {
		a := told
		a.Title = title
		if got := notify.SNSMessage(a, notify.Target{FullDetail: true}).Subject; got != want || len(got) > 100 {
			t.Errorf("%q", got)
		}
	}
}
