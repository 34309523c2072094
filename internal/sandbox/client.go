package sandbox

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
)

// Endpoint is the base endpoint to give to clients that use InProcess. No such
// host exists, so that a request that went another way cannot reach anything.
const Endpoint = "http://sandbox.invalid"

// ErrDropped is what a client in the process gets when a fault drops its
// connection.
var ErrDropped = errors.New("connection reset by the sandbox")

// InProcess calls the sandbox on the caller's goroutine, without a port. It is
// the HTTP client to give to SDK clients, and works in a bubble of fake time.
type InProcess struct{ s *Server }

// Client makes a client of this server.
func (s *Server) Client() *InProcess { return &InProcess{s} }

// Do answers a request.
func (c *InProcess) Do(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, context.Cause(r.Context())
	}
	a := c.s.answer(r)
	if r.Body != nil {
		_ = r.Body.Close() // a RoundTripper must
	}
	if err := r.Context().Err(); err != nil {
		return nil, context.Cause(r.Context())
	}
	if a.dropped {
		return nil, ErrDropped
	}
	body := a.body
	if r.Method == http.MethodHead {
		body = nil
	}
	a.header.Set("Content-Length", strconv.Itoa(a.length()))
	return &http.Response{
		Status: strconv.Itoa(a.status) + " " + http.StatusText(a.status), StatusCode: a.status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: a.header, Body: io.NopCloser(bytes.NewReader(body)), ContentLength: int64(a.length()),
		Request: r,
	}, nil
}

// RoundTrip makes the client usable as an http.RoundTripper.
func (c *InProcess) RoundTrip(r *http.Request) (*http.Response, error) { return c.Do(r) }
