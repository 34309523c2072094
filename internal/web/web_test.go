package web_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/deployer-cli/deployer/internal/web"
)

// server answers one request after the other; after the last it repeats it.
type server struct {
	answers []any // a status, an error, or "hang"
	asked   []*http.Request
	header  http.Header
}

func (s *server) Do(r *http.Request) (*http.Response, error) {
	a := s.answers[min(len(s.asked), len(s.answers)-1)]
	s.asked = append(s.asked, r)
	switch a := a.(type) {
	case error:
		return nil, a
	case string:
		<-r.Context().Done()
		return nil, r.Context().Err()
	case int:
		return &http.Response{StatusCode: a, Header: s.header, Body: io.NopCloser(strings.NewReader("body"))}, nil
	}
	return nil, nil
}

func TestGet(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		answers []any
		tries   int
		want    string // of the error; "" is success
	}{
		"at once":        {[]any{200}, 1, ""},
		"after trouble":  {[]any{503, errors.New("reset"), 429, 200}, 4, ""},
		"never":          {[]any{500}, 6, "https://x.test/a: the server answered 500 Internal Server Error, 6 times"},
		"not there":      {[]any{404}, 1, "https://x.test/a: the server answered 404 Not Found"},
		"no connection":  {[]any{errors.New("refused")}, 6, "https://x.test/a: refused, 6 times"},
		"no such host":   {[]any{&net.DNSError{Err: "no such host", Name: "x.test", IsNotFound: true}}, 1, "lookup x.test: no such host"},
		"nothing at all": {[]any{"hang"}, 6, "no answer within 5s, 6 times"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := &server{answers: tt.answers, header: http.Header{}}
				body, err := web.Client{Doer: s}.Get(t.Context(), web.Request{URL: "https://user:hush@x.test/a", Retries: -1})
				if len(s.asked) != tt.tries {
					t.Errorf("%d tries, want %d", len(s.asked), tt.tries)
				}
				switch {
				case tt.want == "" && (err != nil || string(body) != "body"):
					t.Errorf("%q, %v", body, err)
				case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "hush")):
					t.Errorf("%v, want %s", err, tt.want)
				}
			})
		})
	}
}

func TestItWaitsAsLongAsItIsTold(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &server{answers: []any{429, 200}, header: http.Header{"Retry-After": {"7"}}}
		began := time.Now()
		if _, err := (web.Client{Doer: s}).Get(t.Context(), web.Request{URL: "http://x.test", Retries: 1, User: "u", Password: "p"}); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took != 7*time.Second {
			t.Errorf("waited %s", took)
		}
		if user, password, _ := s.asked[1].BasicAuth(); user != "u" || password != "p" {
			t.Errorf("%s %s", user, password)
		}
	})
}

func TestLeavingEndsIt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		s := &server{answers: []any{"hang"}}
		if _, err := (web.Client{Doer: s}).Get(ctx, web.Request{URL: "http://x.test"}); !errors.Is(err, context.Canceled) || len(s.asked) != 1 {
			t.Errorf("%v after %d", err, len(s.asked))
		}
	})
}

func TestOnlyAddresses(t *testing.T) {
	t.Parallel()
	for _, u := range []string{"", "x", "file:///etc/passwd", "ftp://x/y", "https://", "http://a b"} {
		if _, err := (web.Client{Doer: &server{}}).Get(t.Context(), web.Request{URL: u}); err == nil {
			t.Errorf("%q is taken", u)
		}
	}
}
