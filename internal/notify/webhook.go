package notify

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"syscall"
)

// post sends a body to an address that is a secret: no error holds any of it.
func post(ctx context.Context, address string, body []byte, client Doer) error {
	u, err := url.Parse(address)
	if err != nil || u.Hostname() == "" || (u.Scheme != "https" && u.Scheme != "http") {
		return &Error{Why: "its variable holds no http or https address"}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return &Error{Why: "its variable holds no http or https address"}
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "deployer")
	resp, err := client.Do(req)
	if err != nil {
		return unsent(ctx, err)
	}
	defer resp.Body.Close() //nolint:errcheck // nothing is read from it
	_, _ = io.CopyN(io.Discard, resp.Body, 64<<10)
	if resp.StatusCode < http.StatusOK || resp.StatusCode >= http.StatusMultipleChoices {
		e := &Error{Why: "the webhook answered " + strconv.Itoa(resp.StatusCode) + " " + http.StatusText(resp.StatusCode)}
		if resp.StatusCode == http.StatusNotFound || resp.StatusCode == http.StatusForbidden || resp.StatusCode == http.StatusGone {
			e.Tip = "the address may have been withdrawn: make a new one"
		}
		return e
	}
	return nil
}

// unsent says why nothing was sent, in words that cannot hold the address.
func unsent(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	if e, ok := errors.AsType[*net.DNSError](err); ok && e.IsNotFound {
		return &Error{Why: "the host of the webhook does not exist"}
	}
	if errno, ok := errors.AsType[syscall.Errno](err); ok {
		return &Error{Why: "the webhook cannot be reached: " + errno.Error()}
	}
	return &Error{Why: "the webhook cannot be reached"}
}
