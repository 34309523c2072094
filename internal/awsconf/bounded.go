package awsconf

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

// bounded ends an attempt that takes too long, whatever client is behind it.
type bounded struct {
	next    HTTPClient
	timeout time.Duration
}

// Do sends req and gives up after the timeout. Reading the answer counts.
func (b *bounded) Do(req *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithTimeoutCause(req.Context(), b.timeout, &timeoutError{b.timeout})
	resp, err := b.next.Do(req.WithContext(ctx))
	if err != nil {
		defer cancel()
		return resp, cause(ctx, err)
	}
	if resp.Body == nil {
		resp.Body = http.NoBody
	}
	resp.Body = &boundedBody{ReadCloser: resp.Body, ctx: ctx, cancel: cancel}
	return resp, nil
}

// cause puts our timeout in the place of the error it led to.
func cause(ctx context.Context, err error) error {
	if t, ok := errors.AsType[*timeoutError](context.Cause(ctx)); ok {
		return t
	}
	return err
}

type boundedBody struct {
	io.ReadCloser
	ctx    context.Context
	cancel context.CancelFunc
}

// Read reads on until the timeout.
func (b *boundedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = cause(b.ctx, err)
	}
	return n, err
}

// Close ends the request.
func (b *boundedBody) Close() error {
	defer b.cancel()
	return b.ReadCloser.Close()
}

// timeoutError says that an attempt was not answered in time.
type timeoutError struct{ after time.Duration }

// Error says how long we waited.
func (e *timeoutError) Error() string { return fmt.Sprintf("no answer within %s", e.after) }

// Timeout is true.
func (e *timeoutError) Timeout() bool { return true }
