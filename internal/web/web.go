// Package web fetches what a project names by address: templates, files,
// answers of a service.
//
// It never lets a password into a message. It tries again what may pass, and
// bounds time and size.
package web

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/deployer-cli/deployer/internal/flow"
	"github.com/deployer-cli/deployer/stacks"
)

// Defaults, as in Sceptre's http_template_handler.
const (
	DefaultRetries = 5
	DefaultTimeout = 5 * time.Second
	maxBody        = 64 << 20
	firstPause     = 200 * time.Millisecond
	longestPause   = 10 * time.Second
)

// Doer sends requests; *http.Client is one.
type Doer interface {
	Do(*http.Request) (*http.Response, error)
}

// Request is what to fetch.
type Request struct {
	URL            string
	User, Password string        // basic authentication where User is given
	Retries        int           // after the first try; negative for DefaultRetries
	Timeout        time.Duration // of one try; 0 for DefaultTimeout
}

// Client fetches. The zero value uses a plain http.Client.
type Client struct{ Doer Doer }

// Error says why something could not be fetched.
type Error struct {
	URL    string // as it may be shown
	Status int    // 0 where there was no answer
	Tries  int
	Cause  error
}

// Error names address, cause and tries.
func (e *Error) Error() string {
	why := ""
	if e.Cause != nil {
		why = e.Cause.Error()
	} else {
		why = fmt.Sprintf("the server answered %d %s", e.Status, http.StatusText(e.Status))
	}
	if e.Tries > 1 {
		why += fmt.Sprintf(", %d times", e.Tries)
	}
	return e.URL + ": " + why
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Cause }

// Get fetches. 429, 5xx and connections that fail are tried again.
func (c Client) Get(ctx context.Context, r Request) ([]byte, error) {
	address, err := url.Parse(r.URL)
	if err != nil || address.Host == "" || (address.Scheme != "http" && address.Scheme != "https") {
		return nil, errors.New("it is no address: it has to begin with https:// or http://")
	}
	if r.Retries < 0 {
		r.Retries = DefaultRetries
	}
	if r.Timeout <= 0 {
		r.Timeout = DefaultTimeout
	}
	for try := 1; ; try++ {
		body, status, wait, err := c.once(ctx, r)
		if err == nil && status == http.StatusOK {
			return body, nil
		}
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if !passing(status, err) || try > r.Retries {
			return nil, &Error{URL: stacks.ShownAddress(r.URL), Status: status, Tries: try, Cause: bare(err)}
		}
		if err := flow.Pause(ctx, max(wait, min(firstPause<<(try-1), longestPause))); err != nil {
			return nil, err
		}
	}
}

// passing tells whether another try may go better.
func passing(status int, err error) bool {
	if nobody, ok := errors.AsType[*net.DNSError](err); ok && nobody.IsNotFound {
		return false // there is no such host
	}
	if err != nil {
		return !errors.Is(err, errTooLarge)
	}
	return status == http.StatusTooManyRequests || status >= http.StatusInternalServerError
}

var errTooLarge = fmt.Errorf("it is larger than %d MiB", maxBody>>20)

func (c Client) once(ctx context.Context, r Request) (body []byte, status int, wait time.Duration, err error) {
	bounded, cancel := context.WithTimeoutCause(ctx, r.Timeout, fmt.Errorf("no answer within %s", r.Timeout))
	defer cancel()
	req, err := http.NewRequestWithContext(bounded, http.MethodGet, r.URL, nil)
	if err != nil {
		return nil, 0, 0, err
	}
	if r.User != "" {
		req.SetBasicAuth(r.User, r.Password)
	}
	req.Header.Set("User-Agent", "deployer")
	var doer Doer = http.DefaultClient
	if c.Doer != nil {
		doer = c.Doer
	}
	resp, err := doer.Do(req)
	if err != nil {
		return nil, 0, 0, causeOf(bounded, err)
	}
	defer resp.Body.Close() //nolint:errcheck // read to its end or given up
	body, err = io.ReadAll(io.LimitReader(resp.Body, maxBody+1))
	if err == nil && len(body) > maxBody {
		err = errTooLarge
	}
	if seconds, convErr := strconv.Atoi(resp.Header.Get("Retry-After")); convErr == nil && seconds > 0 {
		wait = min(time.Duration(seconds)*time.Second, longestPause)
	}
	return body, resp.StatusCode, wait, causeOf(bounded, err)
}

// causeOf tells a timeout in our words.
func causeOf(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// bare takes net/http's "Get url:" away: the address is told beside it.
func bare(err error) error {
	if e, ok := errors.AsType[*url.Error](err); ok {
		return e.Err
	}
	return err
}
