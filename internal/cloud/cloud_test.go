package cloud_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/deployer-cli/deployer/internal/awsconf"
	"github.com/deployer-cli/deployer/internal/cloud"
	"github.com/deployer-cli/deployer/internal/guard"
	"github.com/deployer-cli/deployer/stacks"
)

const account = "111111111111"

var access = stacks.Access{Region: "eu-west-1"}

type handler func(w http.ResponseWriter, r *http.Request)

func (h handler) Do(r *http.Request) (*http.Response, error) {
	rec := httptest.NewRecorder()
	h(rec, r)
	return rec.Result(), nil
}

func over(h handler, change ...func(*cloud.Options)) *cloud.Cloud {
	configs := awsconf.New(awsconf.Options{
		Realm: stacks.RealmSandbox, HTTPClient: h, Endpoint: "http://sandbox.invalid", Keys: &awsconf.Keys{ID: "AKID", Secret: "s"},
	})
	o := cloud.Options{Config: configs.Config, Realm: stacks.RealmSandbox, Run: "run-1"}
	for _, f := range change {
		f(&o)
	}
	return cloud.New(o)
}

func identify(w http.ResponseWriter) {
	fmt.Fprintf(w, `<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:me</Arn><UserId>AIDA</UserId><Account>%s</Account></GetCallerIdentityResult></GetCallerIdentityResponse>`, account)
}

func TestIdentityIsAskedOnce(t *testing.T) {
	t.Parallel()
	var asked atomic.Int64
	c := over(func(w http.ResponseWriter, _ *http.Request) {
		if asked.Add(1) == 1 {
			w.WriteHeader(http.StatusForbidden)
			fmt.Fprint(w, `<ErrorResponse><Error><Code>InvalidClientTokenId</Code><Message>no</Message></Error></ErrorResponse>`)
			return
		}
		identify(w)
	})
	if _, err := c.Identity(t.Context(), access); err == nil {
		t.Fatal("a refusal is no identity")
	}
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			who, err := c.Identity(t.Context(), access)
			if err != nil || who != (cloud.Identity{Account: account, ARN: "arn:me", UserID: "AIDA"}) {
				t.Errorf("%+v, %v", who, err)
			}
		})
	}
	wg.Wait()
	if asked.Load() != 2 {
		t.Errorf("asked %d times", asked.Load())
	}
}

func TestParameterAndSecret(t *testing.T) {
	t.Parallel()
	c := over(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		target, text := r.Header.Get("X-Amz-Target"), string(body)
		switch {
		case strings.Contains(text, "missing"):
			w.WriteHeader(http.StatusBadRequest)
			code := "ParameterNotFound"
			if strings.HasPrefix(target, "secretsmanager") {
				code = "ResourceNotFoundException"
			}
			fmt.Fprintf(w, `{"__type":%q,"message":""}`, code)
		case target == "AmazonSSM.GetParameter" && strings.Contains(text, "/secure") && strings.Contains(text, `"WithDecryption":true`):
			fmt.Fprint(w, `{"Parameter":{"Type":"SecureString","Value":"hush"}}`)
		case target == "AmazonSSM.GetParameter" && strings.Contains(text, "/secure"):
			fmt.Fprint(w, `{"Parameter":{"Type":"SecureString","Value":"AQICAH","LastModifiedDate":1732276800}}`)
		case target == "AmazonSSM.GetParameter":
			fmt.Fprint(w, `{"Parameter":{"Type":"String","Value":"plain","LastModifiedDate":1732276800}}`)
		case strings.Contains(text, "binary"):
			fmt.Fprint(w, `{"SecretBinary":"AAEC"}`)
		default:
			fmt.Fprint(w, `{"SecretString":"hush"}`)
		}
	})
	for name, want := range map[string]string{"/plain": "plain false", "/secure": "hush true"} {
		v, secret, err := c.Parameter(t.Context(), access, name)
		if got := fmt.Sprint(v, " ", secret); err != nil || got != want {
			t.Errorf("%s is %s, %v", name, got, err)
		}
	}
	for name, want := range map[string]cloud.PlainParameter{"/plain:3": {Value: "plain"}, "/secure": {Secret: true}} {
		want.Modified = time.Unix(1732276800, 0).UTC()
		if got, err := c.Plain(t.Context(), access, name); err != nil || got != want {
			t.Errorf("%s is %+v, %v", name, got, err)
		}
	}
	_, gone := c.Plain(t.Context(), access, "/missing")
	expectMissing(t, gone, "there is no SSM parameter /missing in eu-west-1")
	if v, err := c.Secret(t.Context(), access, "db"); v != "hush" || err != nil {
		t.Errorf("%s, %v", v, err)
	}
	_, _, missing := c.Parameter(t.Context(), access, "/missing")
	expectMissing(t, missing, "there is no SSM parameter /missing in eu-west-1")
	_, missing = c.Secret(t.Context(), access, "missing")
	expectMissing(t, missing, "there is no secret missing in eu-west-1")
	if _, err := c.Secret(t.Context(), access, "binary"); err == nil || !strings.Contains(err.Error(), "binary") || cloud.IsMissing(err) {
		t.Errorf("%v", err)
	}
}

func expectMissing(t *testing.T, err error, text string) {
	t.Helper()
	e, ok := errors.AsType[*stacks.ServiceError](err)
	if !ok || !cloud.IsMissing(err) || !strings.Contains(e.Error(), text) || e.Hint() == "" {
		t.Errorf("%T: %v, want %q", err, err, text)
	}
}

// s3 is a bucket of a few lines, in a region of its own.
type s3 struct {
	mu      sync.Mutex
	region  string
	objects map[string]string
	puts    int
	answers []string // codes to answer puts with, first come
}

func (s *s3) handle(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.URL.Path == "/" {
		identify(w)
		return
	}
	if !strings.Contains(r.Header.Get("Authorization"), "/"+s.region+"/s3/") {
		w.Header().Set("X-Amz-Bucket-Region", s.region)
		refuse(w, http.StatusMovedPermanently, "PermanentRedirect")
		return
	}
	if !strings.HasPrefix(r.URL.Path, "/templates/") {
		refuse(w, http.StatusNotFound, "NoSuchBucket")
		return
	}
	body, there := s.objects[r.URL.Path]
	switch {
	case r.Method == http.MethodGet && !there:
		refuse(w, http.StatusNotFound, "NoSuchKey")
	case r.Method == http.MethodGet:
		fmt.Fprint(w, body)
	default:
		s.put(w, r, there)
	}
}

func (s *s3) put(w http.ResponseWriter, r *http.Request, there bool) {
	s.puts++
	if len(s.answers) > 0 {
		code := s.answers[0]
		s.answers = s.answers[1:]
		status := http.StatusConflict
		if code == "NotImplemented" {
			status = http.StatusNotImplemented
		}
		refuse(w, status, code)
		return
	}
	if there && r.Header.Get("If-None-Match") == "*" {
		refuse(w, http.StatusPreconditionFailed, "PreconditionFailed")
		return
	}
	content, _ := io.ReadAll(r.Body)
	s.objects[r.URL.Path] = string(content)
}

func refuse(w http.ResponseWriter, status int, code string) {
	w.WriteHeader(status)
	fmt.Fprintf(w, `<?xml version="1.0"?><Error><Code>%s</Code><Message>words</Message></Error>`, code)
}

func target() stacks.Target { return stacks.Target{Path: "dev/web", Name: "web", Access: access} }

func clearance(t *testing.T, verbs ...stacks.Verb) guard.Clearance {
	t.Helper()
	c, err := guard.Check(guard.Request{Run: "run-1", Command: "launch", Yes: true, Now: time.Now(), For: time.Hour, Steps: []guard.Step{{
		Path: "dev/web", Name: "web", Account: account, Region: "eu-west-1", Verbs: verbs,
		Environment: &stacks.Environment{Name: "dev", Class: stacks.Development, Declared: true},
	}}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestUpload(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		region  string
		answers []string
		url     string
		puts    int
	}{
		"here":                 {"eu-west-1", nil, "https://templates.s3.eu-west-1.amazonaws.com/a/b.template", 2},
		"in another region":    {"us-east-1", nil, "https://templates.s3.us-east-1.amazonaws.com/a/b.template", 2},
		"beside another":       {"eu-west-1", []string{"ConditionalRequestConflict", "ConditionalRequestConflict"}, "https://templates.s3.eu-west-1.amazonaws.com/a/b.template", 4},
		"without conditionals": {"eu-west-1", []string{"NotImplemented"}, "https://templates.s3.eu-west-1.amazonaws.com/a/b.template", 3},
		"in China":             {"cn-north-1", nil, "https://templates.s3.cn-north-1.amazonaws.com.cn/a/b.template", 2},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := &s3{region: tt.region, objects: map[string]string{}, answers: tt.answers}
				c := over(s.handle)
				w := c.Writer(clearance(t, stacks.Upload), target())
				for range 2 { // the second time it is there
					url, err := w.Upload(t.Context(), "templates", "a/b.template", []byte("Resources: {}"))
					if err != nil || url != tt.url {
						t.Fatalf("%s, %v", url, err)
					}
				}
				if s.puts != tt.puts || s.objects["/templates/a/b.template"] != "Resources: {}" {
					t.Errorf("%d puts made %v", s.puts, s.objects)
				}
				body, err := c.Fetch(t.Context(), access, "templates", "a/b.template")
				if err != nil || string(body) != "Resources: {}" {
					t.Errorf("fetched %q, %v", body, err)
				}
			})
		})
	}
}

func TestObjectsThatAreNotThere(t *testing.T) {
	t.Parallel()
	s := &s3{region: "eu-west-1", objects: map[string]string{}}
	c := over(s.handle)
	_, err := c.Fetch(t.Context(), access, "templates", "nope")
	expectMissing(t, err, "there is no object nope in bucket templates")
	_, err = c.Writer(clearance(t, stacks.Upload), target()).Upload(t.Context(), "nope", "k", []byte("x"))
	expectMissing(t, err, "there is no bucket nope")
}

func TestUploadNeedsClearance(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]guard.Clearance{"none": {}, "for another verb": clearance(t, stacks.Create)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := &s3{region: "eu-west-1", objects: map[string]string{}}
			_, err := over(s.handle).Writer(c, target()).Upload(t.Context(), "templates", "k", []byte("x"))
			if _, ok := err.(*guard.Refusal); !ok || s.puts != 0 { //nolint:errorlint // untouched means not even wrapped
				t.Errorf("%T: %v after %d puts", err, err, s.puts)
			}
		})
	}
}

func TestNoCredentialsComeThrough(t *testing.T) {
	t.Parallel()
	none := &awsconf.ConfigError{What: "no AWS credentials", Why: "none"}
	c := over(nil, func(o *cloud.Options) {
		o.Config = func(context.Context, stacks.Access) (cfg aws.Config, err error) { return cfg, none }
	})
	if _, err := c.Identity(t.Context(), access); !errors.Is(err, none) {
		t.Errorf("%v", err)
	}
	if _, err := c.Fetch(t.Context(), access, "b", "k"); !errors.Is(err, none) {
		t.Errorf("%v", err)
	}
}

// TestChangedCredentialsAreAskedAbout: a profile whose keys change while a run
// lasts may lead to another account.
func TestChangedCredentialsAreAskedAbout(t *testing.T) {
	t.Parallel()
	key := "AKIDFIRST"
	accounts := map[string]string{"AKIDFIRST": account, "AKIDSECOND": "999999999999"}
	h := handler(func(w http.ResponseWriter, r *http.Request) {
		_, signed, _ := strings.Cut(r.Header.Get("Authorization"), "Credential=")
		by, _, _ := strings.Cut(signed, "/")
		fmt.Fprintf(w, `<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:me</Arn><UserId>AIDA</UserId><Account>%s</Account></GetCallerIdentityResult></GetCallerIdentityResponse>`, accounts[by])
	})
	changing := aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{AccessKeyID: key, SecretAccessKey: "s"}, nil
	})
	c := over(h, func(o *cloud.Options) {
		config := o.Config
		o.Config = func(ctx context.Context, a stacks.Access) (aws.Config, error) {
			cfg, err := config(ctx, a)
			cfg.Credentials = changing
			return cfg, err
		}
	})
	for _, want := range []string{account, account} {
		if got, err := c.Account(t.Context(), access); err != nil || got != want {
			t.Fatalf("%s, %v", got, err)
		}
	}
	key = "AKIDSECOND"
	if got, err := c.Account(t.Context(), access); err != nil || got != "999999999999" {
		t.Errorf("after the keys changed: %s, %v", got, err)
	}
}

func TestAClockThatIsWrongIsNoticed(t *testing.T) {
	t.Parallel()
	c := over(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Date", time.Now().Add(-time.Hour).UTC().Format(http.TimeFormat))
		identify(w)
	})
	if _, err := c.Identity(t.Context(), access); err != nil {
		t.Fatal(err)
	}
	if skew := c.Skew(); skew < 59*time.Minute || skew > 61*time.Minute {
		t.Errorf("an hour ahead, and told %s", skew)
	}
}
