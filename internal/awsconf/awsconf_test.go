package awsconf_test

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudformation"

	"github.com/deployer-cli/deployer/internal/awsconf"
	"github.com/deployer-cli/deployer/stacks"
)

var access = stacks.Access{Region: "eu-west-1"}

// inProcess calls a handler without a network.
type inProcess func(w http.ResponseWriter, r *http.Request)

func (f inProcess) Do(r *http.Request) (*http.Response, error) {
	rec := httptest.NewRecorder()
	f(rec, r)
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	return rec.Result(), nil
}

// failing fails every request in the same way.
type failing struct{ err error }

func (f failing) Do(r *http.Request) (*http.Response, error) {
	return nil, &url.Error{Op: "Post", URL: r.URL.String(), Err: f.err}
}

func options(client awsconf.HTTPClient) awsconf.Options {
	return awsconf.Options{
		Realm: stacks.RealmSandbox, HTTPClient: client, Endpoint: "http://sandbox.invalid",
		Keys: &awsconf.Keys{ID: "AKID", Secret: "not-so-secret"},
	}
}

func fail(w http.ResponseWriter, status int, code, message string) {
	w.WriteHeader(status)
	fmt.Fprintf(w, `<ErrorResponse><Error><Type>Sender</Type><Code>%s</Code><Message>%s</Message></Error><RequestId>r</RequestId></ErrorResponse>`, code, message)
}

func succeed(w http.ResponseWriter) {
	fmt.Fprint(w, `<ListExportsResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/"><ListExportsResult><Exports/></ListExportsResult></ListExportsResponse>`)
}

// call makes one call of CloudFormation's.
func call(ctx context.Context, c *awsconf.Configs, a stacks.Access) error {
	cfg, err := c.Config(ctx, a)
	if err != nil {
		return err
	}
	_, err = cloudformation.NewFromConfig(cfg).ListExports(ctx, &cloudformation.ListExportsInput{})
	return awsconf.Explain(ctx, err, awsconf.Call{Service: "CloudFormation", Operation: "ListExports", Access: a})
}

func TestAnswersAreExplained(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		status   int
		code     string
		unknown  bool
		text     string
		hint     string
		attempts int
	}{
		"no":               {400, "ValidationError", false, "CloudFormation ListExports: ValidationError: words", "", 1},
		"denied":           {403, "AccessDenied", false, "AccessDenied", "cloudformation:ListExports", 1},
		"quota":            {400, "LimitExceededException", false, "LimitExceededException", "quota", 1},
		"expired":          {403, "ExpiredToken", true, "expired", "aws sso login", 1},
		"unknown key":      {403, "InvalidClientTokenId", false, "InvalidClientTokenId", "aws sso login", 1},
		"broken":           {500, "InternalFailure", true, "failed inside AWS", "try again", 4},
		"unavailable":      {503, "ServiceUnavailable", true, "failed inside AWS", "try again", 4},
		"not in sandbox":   {501, "NotImplemented", false, "NotImplemented", "", 1},
		"html of a portal": {200, "", true, "not an answer of CloudFormation's", "login page", 4},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				attempts := 0
				c := awsconf.New(options(inProcess(func(w http.ResponseWriter, _ *http.Request) {
					attempts++
					if tt.code == "" {
						fmt.Fprint(w, "<html>please log in</html><p>")
						return
					}
					fail(w, tt.status, tt.code, "words")
				})))
				start := time.Now()
				err := call(t.Context(), c, access)
				expectError(t, err, tt.unknown, tt.text, tt.hint)
				if attempts != tt.attempts || c.Counter().Calls() != tt.attempts {
					t.Errorf("%d attempts, %d counted, want %d", attempts, c.Counter().Calls(), tt.attempts)
				}
				if d := time.Since(start); d > 10*time.Second {
					t.Errorf("took %s", d)
				}
			})
		})
	}
}

func TestSilenceIsExplained(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		err  error
		text string
		hint string
	}{
		"unknown host": {&net.DNSError{Err: "no such host", Name: "cloudformation.eu-wets-1.amazonaws.com", IsNotFound: true}, "is not known", "region"},
		"refused":      {&net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}, "refuses connections", "listening"},
		"dropped":      {io.ErrUnexpectedEOF, "connection to sandbox.invalid was lost", "run the command again"},
		"untrusted":    {x509.UnknownAuthorityError{}, "not trusted", "AWS_CA_BUNDLE"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				err := call(t.Context(), awsconf.New(options(failing{tt.err})), access)
				expectError(t, err, true, tt.text, tt.hint)
			})
		})
	}
}

func TestHangingEndpoint(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := awsconf.New(options(inProcess(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })))
		start := time.Now()
		err := call(t.Context(), c, access)
		expectError(t, err, true, "no answer within 30s", "network")
		if d := time.Since(start); d < time.Minute || d > 3*time.Minute {
			t.Errorf("gave up after %s", d)
		}
	})
}

func TestHangingBody(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := awsconf.New(options(hangingBody{}))
		err := call(t.Context(), c, access)
		if _, ok := errors.AsType[*stacks.UnknownError](err); !ok {
			t.Errorf("got %v", err)
		}
	})
}

type hangingBody struct{}

func (hangingBody) Do(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: blockedBody{r.Context()}}, nil
}

type blockedBody struct{ ctx context.Context }

func (b blockedBody) Read([]byte) (int, error) {
	<-b.ctx.Done()
	return 0, b.ctx.Err()
}
func (blockedBody) Close() error { return nil }

func TestCancelledCall(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		stop := errors.New("the user left")
		ctx, cancel := context.WithCancelCause(t.Context())
		c := awsconf.New(options(inProcess(func(_ http.ResponseWriter, r *http.Request) {
			cancel(stop)
			<-r.Context().Done()
		})))
		if err := call(ctx, c, access); !errors.Is(err, stop) {
			t.Errorf("got %v, want the cause of the cancellation", err)
		}
		write := awsconf.Explain(ctx, context.Canceled, awsconf.Call{Service: "CloudFormation", Operation: "CreateStack", Write: true})
		expectError(t, write, true, "was interrupted", "find out")
	})
}

func TestPassingFailureIsRepeated(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		attempts := 0
		c := awsconf.New(options(inProcess(func(w http.ResponseWriter, _ *http.Request) {
			if attempts++; attempts < 3 {
				fail(w, 500, "InternalFailure", "oops")
				return
			}
			succeed(w)
		})))
		if err := call(t.Context(), c, access); err != nil || attempts != 3 {
			t.Errorf("%v after %d attempts", err, attempts)
		}
	})
}

// limited answers like a service with a token bucket.
type limited struct {
	mu     sync.Mutex
	rate   float64
	burst  float64
	tokens float64
	last   time.Time
	served int
	denied int
}

func (l *limited) handle(w http.ResponseWriter, _ *http.Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	l.tokens = min(l.burst, l.tokens+now.Sub(l.last).Seconds()*l.rate)
	l.last = now
	if l.tokens < 1 {
		l.denied++
		fail(w, 400, "Throttling", "Rate exceeded")
		return
	}
	l.tokens--
	l.served++
	succeed(w)
}

func TestThrottlingSlowsAndNeverFails(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const calls, workers, allowed = 1200, 32, 5.0
		service := &limited{rate: allowed, burst: 5, tokens: 5, last: time.Now()}
		o := options(inProcess(service.handle))
		o.Realm = stacks.RealmAWS // AWS's pace to begin with
		var heard atomic.Int64
		o.Throttled = func(stacks.Access, string) { heard.Add(1) }
		c := awsconf.New(o)
		var failed atomic.Int64
		work := make(chan struct{})
		var wg sync.WaitGroup
		start := time.Now()
		for range workers {
			wg.Go(func() {
				for range work {
					if err := call(t.Context(), c, access); err != nil {
						failed.Add(1)
					}
				}
			})
		}
		for range calls {
			work <- struct{}{}
		}
		close(work)
		wg.Wait()
		share := float64(service.denied) / float64(service.denied+service.served)
		ratio := time.Since(start).Seconds() / (calls / allowed)
		t.Logf("%d served, %d throttled (%.1f %%), %.2f times the time it needs", service.served, service.denied, 100*share, ratio)
		if failed.Load() != 0 || service.served != calls {
			t.Errorf("%d calls failed, %d served", failed.Load(), service.served)
		}
		if share > 0.05 {
			t.Errorf("%.1f %% of the calls were throttled, want 5 at most", 100*share)
		}
		if ratio > 1.5 {
			t.Errorf("the calls took %.2f times what the service needs", ratio)
		}
		if c.Counter().Throttled() != service.denied || int(heard.Load()) != service.denied {
			t.Errorf("counted %d, heard %d of %d throttles", c.Counter().Throttled(), heard.Load(), service.denied)
		}
	})
}

func TestEndlessThrottlingEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := awsconf.New(options(inProcess(func(w http.ResponseWriter, _ *http.Request) { fail(w, 400, "Throttling", "Rate exceeded") })))
		start := time.Now()
		err := call(t.Context(), c, access)
		expectError(t, err, true, "throttled for too long", "--max-concurrency")
		if d := time.Since(start); d < 10*time.Minute || d > 11*time.Minute {
			t.Errorf("gave up after %s", d)
		}
	})
}

func TestThrottledCallCanBeCancelled(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := awsconf.New(options(inProcess(func(w http.ResponseWriter, _ *http.Request) { fail(w, 400, "Throttling", "Rate exceeded") })))
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := call(ctx, c, access); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
	})
}

func TestConfigIsMadeOnce(t *testing.T) {
	t.Parallel()
	var assumed atomic.Int64
	c := awsconf.New(options(inProcess(func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		assumed.Add(1)
		if r.Form.Get("RoleArn") != "arn:aws:iam::222222222222:role/deploy" || r.Form.Get("DurationSeconds") != "1800" {
			fail(w, 400, "ValidationError", r.Form.Encode())
			return
		}
		fmt.Fprintf(w, `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials><AccessKeyId>ASIA</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>%s</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`,
			time.Now().Add(time.Hour).UTC().Format(time.RFC3339))
	})))
	role := stacks.Access{Region: "eu-west-1", Role: "arn:aws:iam::222222222222:role/deploy", RoleSeconds: 1800}
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			cfg, err := c.Config(t.Context(), role)
			if err != nil {
				t.Errorf("config: %v", err)
				return
			}
			if creds, err := cfg.Credentials.Retrieve(t.Context()); err != nil || creds.AccessKeyID != "ASIA" {
				t.Errorf("credentials %q: %v", creds.AccessKeyID, err)
			}
		})
	}
	wg.Wait()
	if assumed.Load() != 1 {
		t.Errorf("the role was taken %d times", assumed.Load())
	}
}

func TestRoleIsRenewedBeforeItEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		assumed := 0
		c := awsconf.New(options(inProcess(func(w http.ResponseWriter, _ *http.Request) {
			assumed++
			fmt.Fprintf(w, `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials><AccessKeyId>ASIA%d</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>%s</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`,
				assumed, time.Now().Add(15*time.Minute).UTC().Format(time.RFC3339))
		})))
		cfg, err := c.Config(t.Context(), stacks.Access{Region: "eu-west-1", Role: "arn:aws:iam::222222222222:role/deploy"})
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(14*time.Minute + 30*time.Second)
		if creds, err := cfg.Credentials.Retrieve(t.Context()); err != nil || creds.AccessKeyID != "ASIA2" {
			t.Errorf("after 14.5 minutes: %q, %v", creds.AccessKeyID, err)
		}
	})
}

func TestDeniedRole(t *testing.T) {
	t.Parallel()
	c := awsconf.New(options(inProcess(func(w http.ResponseWriter, _ *http.Request) {
		fail(w, 403, "AccessDenied", "User: x is not authorized to perform: sts:AssumeRole")
	})))
	_, err := c.Config(t.Context(), stacks.Access{Region: "eu-west-1", Role: "arn:aws:iam::222222222222:role/deploy"})
	expectError(t, err, false, "STS AssumeRole: AccessDenied", "trust policy")
}

// chain is the SDK's own chain, kept from whatever the machine has.
func chain(t *testing.T, files map[string]string, env map[string]string) *awsconf.Configs {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"config", "credentials"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(files[name]), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return awsconf.New(awsconf.Options{
		Realm: stacks.RealmAWS,
		HTTPClient: inProcess(func(w http.ResponseWriter, _ *http.Request) {
			fail(w, 404, "NotFound", "no such thing") // the metadata service of no instance
		}),
		Environ: func(name string) string {
			switch name {
			case "AWS_CONFIG_FILE":
				return filepath.Join(dir, "config")
			case "AWS_SHARED_CREDENTIALS_FILE":
				return filepath.Join(dir, "credentials")
			}
			return env[name]
		},
	})
}

func TestChain(t *testing.T) { //nolint:paralleltest // the environment is the process's
	for _, name := range []string{
		"AWS_CA_BUNDLE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION",
		"AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_EC2_METADATA_DISABLED",
	} {
		t.Setenv(name, "") // the SDK reads the process's own; not parallel therefore
	}
	credentials := map[string]string{
		"config":      "[profile other]\nregion = us-east-2\n",
		"credentials": "[default]\naws_access_key_id = DEFAULT\naws_secret_access_key = x\n[other]\naws_access_key_id = OTHER\naws_secret_access_key = x\n",
	}
	keys := map[string]string{"AWS_ACCESS_KEY_ID": "ENV", "AWS_SECRET_ACCESS_KEY": "x", "AWS_REGION": "eu-north-1"}
	tests := map[string]struct {
		access stacks.Access
		files  map[string]string
		env    map[string]string
		key    string
		region string
		errs   string
		hint   string
	}{
		"default profile":           {access: access, files: credentials, key: "DEFAULT", region: "eu-west-1"},
		"profile, with region":      {access: stacks.Access{Profile: "other"}, files: credentials, key: "OTHER", region: "us-east-2"},
		"environment":               {access: access, files: credentials, env: keys, key: "ENV", region: "eu-west-1"},
		"environment, region":       {env: keys, key: "ENV", region: "eu-north-1"},
		"profile before keys":       {access: stacks.Access{Profile: "other"}, files: credentials, env: keys, key: "OTHER", region: "eu-north-1"},
		"profile from environment":  {files: credentials, env: map[string]string{"AWS_PROFILE": "other"}, key: "OTHER", region: "us-east-2"},
		"no such profile":           {access: stacks.Access{Profile: "nope", Region: "eu-west-1"}, files: credentials, errs: "AWS profile nope does not exist", hint: "list-profiles"},
		"no region":                 {files: credentials, errs: "no AWS region", hint: "config/config.yaml"},
		"no credentials":            {access: access, errs: "no AWS credentials", hint: "--sandbox"},
		"no credentials, configure": {access: access, errs: "none in the environment", hint: "aws configure"},
		"broken config":             {access: access, files: map[string]string{"config": "[profile x\n=="}, errs: "AWS", hint: "--sandbox"},
	}
	for name, tt := range tests { //nolint:paralleltest // as above
		t.Run(name, func(t *testing.T) {
			cfg, err := chain(t, tt.files, tt.env).Config(t.Context(), tt.access)
			if tt.errs != "" {
				expectExit2(t, err, tt.errs, tt.hint)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			creds, err := cfg.Credentials.Retrieve(t.Context())
			if err != nil || creds.AccessKeyID != tt.key || cfg.Region != tt.region {
				t.Errorf("key %q region %q (%v), want %q and %q", creds.AccessKeyID, cfg.Region, err, tt.key, tt.region)
			}
		})
	}
}

func TestEndpointFrom(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		env  map[string]string
		want string
	}{
		"none":    {nil, ""},
		"all":     {map[string]string{"AWS_ENDPOINT_URL": "http://a"}, "http://a"},
		"own":     {map[string]string{"AWS_ENDPOINT_URL": "http://a", "AWS_ENDPOINT_URL_CLOUDFORMATION": "http://b"}, "http://b"},
		"ignored": {map[string]string{"AWS_ENDPOINT_URL": "http://a", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"}, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := awsconf.EndpointFrom(func(n string) string { return tt.env[n] }); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func expectError(t *testing.T, err error, unknown bool, text, hint string) {
	t.Helper()
	if err == nil {
		t.Fatal("no error")
	}
	var got interface{ Hint() string }
	if u, ok := errors.AsType[*stacks.UnknownError](err); ok && unknown {
		got = u
	} else if s, ok := errors.AsType[*stacks.ServiceError](err); ok && !unknown {
		got = s
	}
	if got == nil {
		t.Fatalf("%T: %v, want unknown %v", err, err, unknown)
	}
	if !strings.Contains(err.Error(), text) || !strings.Contains(got.Hint(), hint) {
		t.Errorf("error %q, hint %q; want %q and %q in them", err, got.Hint(), text, hint)
	}
	if strings.Contains(err.Error(), "\n") || strings.Contains(err.Error(), "not-so-secret") {
		t.Errorf("unfit for a reader: %q", err)
	}
}

func expectExit2(t *testing.T, err error, text, hint string) {
	t.Helper()
	e, ok := errors.AsType[*awsconf.ConfigError](err)
	if !ok {
		t.Fatalf("%T: %v, want a ConfigError", err, err)
	}
	if e.ExitCode() != 2 || !strings.Contains(e.Error(), text) || !strings.Contains(e.Hint(), hint) {
		t.Errorf("exit %d, error %q, hint %q; want %q and %q in them", e.ExitCode(), e, e.Hint(), text, hint)
	}
}
