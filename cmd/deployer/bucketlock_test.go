package main_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/deployer-cli/deployer/internal/sandbox"
)

// bucketed keeps the records of the scene's environment in a bucket.
func bucketed(t *testing.T, s *scene) {
	t.Helper()
	if _, err := s.aws.Seed(t.Context(), []byte("buckets: [records]\n")); err != nil {
		t.Fatal(err)
	}
	write(t, s.dir, "config/dev/config.yaml", "environment:\n  class: development\n  state: {bucket: records}\n")
}

func hang(r *http.Request) error {
	<-r.Context().Done()
	return r.Context().Err()
}

// A lock in a bucket cannot be renewed while nothing can be reached: the run waits,
// and sends nothing that others might be sending by then.
func TestALockOutlastsWhatPasses(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		lasts time.Duration
		begin func(t *testing.T, s *scene)
		says  string
	}{
		"a dead network": {10 * time.Minute, func(_ *testing.T, s *scene) {
			s.cut(hang)
			time.AfterFunc(10*time.Minute, func() { s.cut(nil) })
		}, "nothing is sent until it is"},
		"expired credentials": {5 * time.Minute, func(t *testing.T, s *scene) {
			s.fault(t, sandbox.Fault{Expire: true}, 5*time.Minute)
		}, ""},
		"a lost answer to a sign of life": {0, func(t *testing.T, s *scene) {
			s.fault(t, sandbox.Fault{Drop: "answer", Service: "s3", Phase: "write", Count: 1}, 0)
		}, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			play(t, 6, 8, func(t *testing.T, s *scene) {
				bucketed(t, s)
				s.person = true // who can renew credentials
				time.AfterFunc(4*time.Second, func() { tt.begin(t, s) })
				r := s.launch(t, 0)
				r.result(t).all(t, 48, "created")
				if took := time.Since(s.start); took < tt.lasts {
					t.Errorf("it was over in %s", took)
				}
				if !strings.Contains(r.Stdout+r.Stderr, tt.says) || tt.says != "" && !strings.Contains(r.Stdout+r.Stderr, "the lock is renewed") {
					t.Errorf("it does not say %q:\n%s%s", tt.says, r.Stdout, r.Stderr)
				}
				s.once(t, 48)
			})
		})
	}
}

// The calls that wait for the lock are in nobody's way, least of all in that of its
// renewal: as many as may be under way at once wait when the network comes back.
func TestWhatWaitsForALockHoldsNotItsRenewal(t *testing.T) {
	t.Parallel()
	play(t, 40, 1, func(t *testing.T, s *scene) {
		bucketed(t, s)
		s.latency = 200 * time.Millisecond
		var first sync.Once
		s.watch = func(action string) {
			if action == "CreateStack" {
				first.Do(func() {
					time.AfterFunc(100*time.Millisecond, func() { s.cut(hang) }) // within the first wave
					time.AfterFunc(6*time.Minute, func() { s.cut(nil) })
				})
			}
		}
		s.launch(t, 0, "--timeout", "1h").result(t).all(t, 40, "created")
		s.once(t, 40)
	})
}

// Whichever write's answer is lost, the lock is ours, and given back.
func TestALockIsTakenThoughTheAnswerIsLost(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]sandbox.Fault{"once": {Count: 1}, "twice": {Count: 2}, "now and then": {Probability: 0.2}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			play(t, 2, 2, func(t *testing.T, s *scene) {
				bucketed(t, s)
				f.Drop, f.Service, f.Phase = "answer", "s3", "write"
				s.fault(t, f, 0)
				s.launch(t, 0).result(t).all(t, 4, "created")
				for range 5 {
					write(t, s.dir, "config/dev/more.yaml", "template: {path: queue.yaml, type: file}\n")
					s.launch(t, 0)
					s.run(t, "delete", "dev/more", "-y")
				}
			})
		})
	}
}

// While a run could not be heard somebody else took over: it sends nothing more.
func TestALockTakenInTheDarkIsLost(t *testing.T) {
	t.Parallel()
	const theirs = `{"environment":"dev","run":"theirs","command":"launch","owner":{"arn":"arn:aws:iam::123456789012:user/mallory","account":"123456789012"},"host":"elsewhere","pid":1,"taken":"2026-01-01T00:00:00Z","beat":"2999-01-01T00:00:00Z"}`
	play(t, 6, 8, func(t *testing.T, s *scene) {
		bucketed(t, s)
		var before int
		time.AfterFunc(4*time.Second, func() { s.cut(hang) })
		time.AfterFunc(3*time.Minute, func() {
			s.mu.Lock()
			before = len(s.created)
			s.mu.Unlock()
			c := s3.New(s3.Options{HTTPClient: s.aws.Client(), BaseEndpoint: new(sandbox.Endpoint), UsePathStyle: true, Region: "eu-west-1", Credentials: credentials.NewStaticCredentialsProvider("test", "x", "")})
			list, err := c.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: new("records")})
			if err != nil {
				t.Error(err)
				return
			}
			for _, o := range list.Contents {
				if !strings.HasSuffix(*o.Key, "locks/dev") && !strings.HasSuffix(*o.Key, "locks/dev.json") {
					continue
				}
				if _, err := c.PutObject(t.Context(), &s3.PutObjectInput{Bucket: new("records"), Key: o.Key, Body: strings.NewReader(theirs)}); err != nil {
					t.Error(err)
				}
			}
		})
		time.AfterFunc(10*time.Minute, func() { s.cut(nil) })
		r := s.run(t, "launch", "dev", "-y", "-o", "json")
		if r.Exit != 130 || !strings.Contains(r.Stdout, "the lock is lost") {
			t.Errorf("exit %d\n%s", r.Exit, r.Stderr)
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		if before == 0 || len(s.created) != before {
			t.Errorf("%d stacks before, %d after somebody else had the lock", before, len(s.created))
		}
	})
}
