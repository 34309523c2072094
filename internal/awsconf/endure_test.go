package awsconf_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"github.com/deployer-cli/deployer/internal/awsconf"
	"github.com/deployer-cli/deployer/stacks"
)

// heard keeps what a run was told.
type heard struct {
	mu   sync.Mutex
	said []string
}

func (h *heard) trouble(_ stacks.Access, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.said = append(h.said, fmt.Sprint(err))
}

func TestOutageIsEndured(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name     string
		lasts    time.Duration
		answered bool // before the outage, by this service; else by none
		brief    bool
		wantErr  bool
		atMost   time.Duration
	}{
		{"twenty minutes", 20 * time.Minute, true, false, false, 21 * time.Minute},
		{"longer than anybody waits", 3 * time.Hour, true, false, true, 62 * time.Minute},
		{"a service that never answered", 20 * time.Minute, false, false, true, time.Second},
		{"somebody else waits", 20 * time.Minute, true, true, true, time.Second},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var h heard
				var until time.Time
				o := options(doFunc(func(r *http.Request) (*http.Response, error) {
					if time.Now().Before(until) {
						return nil, &net.DNSError{Err: "no such host", Name: r.URL.Host, IsNotFound: true}
					}
					return inProcess(func(w http.ResponseWriter, _ *http.Request) { succeed(w) }).Do(r)
				}))
				o.Trouble = h.trouble
				c := awsconf.New(o)
				defer c.Endure()()
				if tt.answered {
					if err := call(t.Context(), c, access); err != nil {
						t.Fatal(err)
					}
				}
				ctx := t.Context()
				if tt.brief {
					ctx = awsconf.Brief(ctx)
				}
				start := time.Now()
				until = start.Add(tt.lasts)
				err := call(ctx, c, access)
				if took := time.Since(start); (err != nil) != tt.wantErr || took > tt.atMost {
					t.Errorf("%v after %s", err, took)
				}
				if !tt.wantErr && (len(h.said) != 2 || !strings.Contains(h.said[0], "is not known") || h.said[1] != "<nil>") {
					t.Errorf("told %q", h.said)
				}
			})
		})
	}
}

// A service that is asked for the first time while it is down is waited for as
// well, once another one has answered; one that there may be no way to for less long.
func TestOutageOfAServiceNotAskedBefore(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		down    error // nil: it answers 503
		lasts   time.Duration
		wantErr bool
		atMost  time.Duration
	}{
		{"answers 503", nil, 20 * time.Minute, false, 21 * time.Minute},
		{"no way to it for minutes", &net.DNSError{Err: "no such host", IsNotFound: true}, 10 * time.Minute, false, 11 * time.Minute},
		{"no way to it", &net.DNSError{Err: "no such host", IsNotFound: true}, 3 * time.Hour, true, 17 * time.Minute},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var until time.Time
				c := awsconf.New(options(doFunc(func(r *http.Request) (*http.Response, error) {
					down := time.Now().Before(until) && strings.Contains(r.Header.Get("Authorization"), "/ssm/")
					if down && tt.down != nil {
						return nil, tt.down
					}
					return inProcess(func(w http.ResponseWriter, r *http.Request) {
						switch {
						case down:
							w.WriteHeader(http.StatusServiceUnavailable)
						case strings.Contains(r.Header.Get("Authorization"), "/ssm/"):
							_, _ = w.Write([]byte("{}"))
						default:
							succeed(w)
						}
					}).Do(r)
				})))
				defer c.Endure()()
				if err := call(t.Context(), c, access); err != nil {
					t.Fatal(err)
				}
				start := time.Now()
				until = start.Add(tt.lasts)
				cfg, err := c.Config(t.Context(), access)
				if err != nil {
					t.Fatal(err)
				}
				_, err = ssm.NewFromConfig(cfg).GetParameter(t.Context(), &ssm.GetParameterInput{Name: new("x")})
				if took := time.Since(start); (err != nil) != tt.wantErr || took > tt.atMost || took < min(tt.lasts, unmet) {
					t.Errorf("%v after %s", err, took)
				}
			})
		})
	}
}

// unmet is how long a service that never answered is waited for where there is no way to it.
const unmet = 15 * time.Minute

type doFunc func(r *http.Request) (*http.Response, error)

func (f doFunc) Do(r *http.Request) (*http.Response, error) { return f(r) }

// Somebody renews what stands in the credentials file while a call waits.
func TestCredentialsAreReadAgain(t *testing.T) { //nolint:paralleltest // the environment is the process's
	for _, name := range []string{"AWS_CA_BUNDLE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"} {
		t.Setenv(name, "")
	}
	for name, lasts := range map[string]time.Duration{ //nolint:paralleltest // as above
		"in time": 90 * time.Second, "too late": 5 * time.Minute,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				dir := t.TempDir()
				file := filepath.Join(dir, "credentials")
				put := func(id string) {
					if err := os.WriteFile(file, []byte("[default]\naws_access_key_id="+id+"\naws_secret_access_key=x\naws_session_token=y\n"), 0o600); err != nil {
						t.Error(err)
					}
				}
				put("OLD")
				good := "OLD"
				same := func(ctx context.Context, _ stacks.Access, cfg aws.Config) error {
					if creds, err := cfg.Credentials.Retrieve(ctx); err != nil || creds.AccessKeyID == "STRANGER" {
						return fmt.Errorf("of somebody else, %w", err)
					}
					return nil
				}
				o := awsconf.Options{
					Realm: stacks.RealmAWS, Endpoint: "http://sandbox.invalid",
					HTTPClient: inProcess(func(w http.ResponseWriter, r *http.Request) {
						if strings.Contains(r.Header.Get("Authorization"), "STRANGER") {
							t.Error("a call went out with somebody else's credentials")
						}
						if !strings.Contains(r.Header.Get("Authorization"), "Credential="+good+"/") {
							fail(w, 403, "ExpiredToken", "The security token included in the request is expired")
							return
						}
						succeed(w)
					}),
					Environ: func(name string) string {
						return map[string]string{"AWS_SHARED_CREDENTIALS_FILE": file, "AWS_CONFIG_FILE": filepath.Join(dir, "none")}[name]
					},
				}
				c := awsconf.New(o)
				c.TakeOnly(same)
				a := stacks.Access{Region: "eu-west-1", Profile: "default"}
				if err := call(t.Context(), c, a); err != nil {
					t.Fatal(err)
				}
				defer c.Endure()()
				good = "NEW"
				time.AfterFunc(20*time.Second, func() { put("STRANGER") })
				time.AfterFunc(lasts, func() { put("NEW") })
				start := time.Now()
				err := call(t.Context(), c, a)
				took := time.Since(start)
				switch name {
				case "in time":
					if err != nil || took < lasts || took > lasts+10*time.Second {
						t.Errorf("%v after %s", err, took)
					}
				default:
					if !awsconf.IsCredentials(err) || took < 2*time.Minute || took > 3*time.Minute {
						t.Errorf("%v after %s", err, took)
					}
				}
				time.Sleep(lasts)
				if err := call(t.Context(), c, a); err != nil {
					t.Errorf("after they were renewed: %v", err)
				}
			})
		})
	}
}

// Without a run expired credentials are told at once.
func TestExpiredCredentialsWithoutARun(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := awsconf.New(options(inProcess(func(w http.ResponseWriter, _ *http.Request) {
			fail(w, 403, "ExpiredToken", "The security token included in the request is expired")
		})))
		start := time.Now()
		if err := call(context.WithoutCancel(t.Context()), c, access); !awsconf.IsCredentials(err) || time.Since(start) > time.Second {
			t.Errorf("%v after %s", err, time.Since(start))
		}
	})
}

// What was allowed when a call began to wait is asked again before it goes on.
func TestGateIsAskedBeforeEveryAttempt(t *testing.T) {
	t.Parallel()
	closed := errors.New("not yours any more")
	throttled := func(w http.ResponseWriter) { fail(w, 400, "Throttling", "Rate exceeded") }
	broken := func(w http.ResponseWriter) { fail(w, 500, "InternalFailure", "oops") }
	first := func(ctx context.Context, gate func() error) context.Context {
		return awsconf.GatedFirst(ctx, gate, nil)
	}
	for name, tt := range map[string]struct {
		gated    func(context.Context, func() error) context.Context
		fails    func(w http.ResponseWriter)
		asked    bool // so that it ended the call
		unknown  bool
		attempts int
	}{
		"throttled":                 {awsconf.Gated, throttled, true, false, 2},
		"maybe accepted":            {awsconf.Gated, broken, true, true, 2},
		"first, throttled":          {first, throttled, true, false, 2},
		"first, and maybe accepted": {first, broken, false, true, 4},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				attempts := 0
				c := awsconf.New(options(inProcess(func(w http.ResponseWriter, _ *http.Request) { attempts++; tt.fails(w) })))
				cfg, err := c.Config(t.Context(), access)
				if err != nil {
					t.Fatal(err)
				}
				ctx := tt.gated(t.Context(), func() error {
					if attempts > 1 {
						return closed
					}
					return nil
				})
				_, err = cloudformation.NewFromConfig(cfg).DeleteStack(ctx, &cloudformation.DeleteStackInput{StackName: new("web")})
				err = awsconf.Explain(ctx, err, awsconf.Call{Service: "CloudFormation", Operation: "DeleteStack", Write: true})
				_, unknown := errors.AsType[*stacks.UnknownError](err)
				if errors.Is(err, closed) != tt.asked || unknown != tt.unknown || attempts != tt.attempts {
					t.Errorf("%v after %d attempts", err, attempts)
				}
			})
		})
	}
}

// Begun is told where AWS may have accepted something, and only there.
func TestWhatMayHaveBegun(t *testing.T) {
	t.Parallel()
	closed := errors.New("nothing new is begun")
	answers := func(status int, code string) awsconf.HTTPClient {
		return inProcess(func(w http.ResponseWriter, _ *http.Request) {
			if status == http.StatusOK {
				succeed(w)
				return
			}
			fail(w, status, code, "no")
		})
	}
	deletes := func(ctx context.Context, cl *cloudformation.Client) error {
		_, err := cl.DeleteStack(ctx, &cloudformation.DeleteStackInput{StackName: new("web")})
		return err
	}
	proposes := func(ctx context.Context, cl *cloudformation.Client) error {
		_, err := cl.CreateChangeSet(ctx, &cloudformation.CreateChangeSetInput{StackName: new("web"), ChangeSetName: new("x")})
		return err
	}
	for name, tt := range map[string]struct {
		client awsconf.HTTPClient
		call   func(context.Context, *cloudformation.Client) error
		begun  bool
		asked  bool // again before the second attempt, so that there was none
	}{
		"accepted":           {answers(200, ""), deletes, true, false},
		"proposed":           {answers(200, ""), proposes, false, false},
		"refused":            {answers(400, "ValidationError"), deletes, false, false},
		"denied":             {answers(403, "AccessDenied"), deletes, false, false},
		"throttled":          {answers(400, "Throttling"), deletes, false, true},
		"expired":            {answers(403, "ExpiredToken"), deletes, false, false},
		"broken":             {answers(500, "InternalFailure"), deletes, true, false},
		"proposed to broken": {answers(500, "InternalFailure"), proposes, false, false},
		"connection refused": {failing{&net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}}, deletes, false, true},
		"no way there":       {failing{&net.OpError{Op: "dial", Err: os.ErrDeadlineExceeded}}, deletes, false, true},
		"connection lost":    {failing{&net.OpError{Op: "read", Err: syscall.ECONNRESET}}, deletes, true, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				cfg, err := awsconf.New(options(tt.client)).Config(t.Context(), access)
				if err != nil {
					t.Fatal(err)
				}
				begun, asked := 0, 0
				err = tt.call(awsconf.GatedFirst(t.Context(), func() error {
					if asked++; asked > 1 {
						return closed
					}
					return nil
				}, func() { begun++ }), cloudformation.NewFromConfig(cfg))
				if begun > 0 != tt.begun || errors.Is(err, closed) != tt.asked {
					t.Errorf("begun %d, asked %d: %v", begun, asked, err)
				}
			})
		})
	}
}

// TestEveryAttemptIsNoted: that AWS may have accepted a later attempt is told too, also
// with the SDK's new retries, which tell the retryer of the first one only.
func TestEveryAttemptIsNoted(t *testing.T) {
	for _, way := range []string{"", "true"} {
		t.Run("AWS_NEW_RETRIES_2026="+way, func(t *testing.T) {
			t.Setenv("AWS_NEW_RETRIES_2026", way)
			synctest.Test(t, func(t *testing.T) {
				attempts, asked, begun := 0, 0, 0
				client := inProcess(func(w http.ResponseWriter, _ *http.Request) {
					switch attempts++; attempts {
					case 1:
						fail(w, 400, "Throttling", "no")
					case 2:
						fail(w, 500, "InternalFailure", "no")
					default:
						succeed(w)
					}
				})
				cfg, err := awsconf.New(options(client)).Config(t.Context(), access)
				if err != nil {
					t.Fatal(err)
				}
				ctx := awsconf.GatedFirst(t.Context(), func() error {
					if asked++; asked > 2 {
						return errors.New("what may have begun is repeated without asking")
					}
					return nil
				}, func() { begun++ })
				_, err = cloudformation.NewFromConfig(cfg).DeleteStack(ctx, &cloudformation.DeleteStackInput{StackName: new("web")})
				if err != nil || attempts != 3 || asked != 2 || begun == 0 {
					t.Errorf("%d attempts, asked %d times, begun %d: %v", attempts, asked, begun, err)
				}
			})
		})
	}
}
