package sandbox

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/deployer-cli/deployer/internal/sandbox/store"
)

// Invocation is a call of a function of Lambda. No code runs in the sandbox: what
// it was given is kept, and the answer is null.
type Invocation struct {
	ID       string          `json:"id"`
	At       time.Time       `json:"at"`
	Account  string          `json:"account"`
	Region   string          `json:"region"`
	Function string          `json:"function"`
	Type     string          `json:"type"` // Event or RequestResponse
	Payload  json.RawMessage `json:"payload,omitempty"`
}

// lambdaCall is one request to Lambda.
type lambdaCall struct {
	*call
	s    *Server
	tx   store.Tx
	name string // of the function, as the request gives it
}

// actionInvoke is the operation whose body is the function's, not a structure.
const actionInvoke = "Invoke"

func (s *Server) planInvoke(c *call) func(tx store.Tx) (*answer, error) {
	c.mutates = true
	return func(tx store.Tx) (*answer, error) {
		return lambdaCall{call: c, s: s, tx: tx, name: c.form.Get("FunctionName")}.invoke()
	}
}

// invoke keeps what a function was called with.
func (r lambdaCall) invoke() (*answer, error) {
	o, err := r.s.function(r.tx, r.call, r.name)
	if err != nil {
		return nil, err
	}
	kind := r.r.Header.Get("X-Amz-Invocation-Type")
	switch kind {
	case "":
		kind = "RequestResponse"
	case "RequestResponse", "Event":
	case "DryRun":
		return &answer{status: http.StatusNoContent}, nil
	default:
		return nil, invalid("InvalidParameterValueException", "1 validation error detected: Value '%.80s' at 'invocationType' failed to satisfy constraint: Member must satisfy enum value set: [Event, RequestResponse, DryRun]", kind)
	}
	if kind == "RequestResponse" && throttled(o.Properties) {
		return nil, fault(http.StatusTooManyRequests, "TooManyRequestsException", "Rate Exceeded.")
	}
	if len(r.body) > 0 && !json.Valid(r.body) {
		return nil, invalid("InvalidRequestContentException", "Could not parse request body into json: the payload is no JSON")
	}
	n, err := nextNumber(r.tx, tableInvoked)
	if err != nil {
		return nil, err
	}
	kept := Invocation{r.s.id("invocation", strconv.Itoa(n)), r.at, r.caller.Account, r.region, o.Physical, kind, r.body}
	if err := putJSON(r.tx, tableInvoked, fmt.Sprintf("%016x", n), kept); err != nil {
		return nil, err
	}
	if kind == "Event" {
		return &answer{status: http.StatusAccepted}, nil
	}
	header := http.Header{"Content-Type": {"application/json"}, "X-Amz-Executed-Version": {"$LATEST"}}
	return &answer{status: http.StatusOK, header: header, body: []byte("null")}, nil
}

// Invocations lists the calls of functions of Lambda, oldest first.
func (s *Server) Invocations(ctx context.Context) ([]Invocation, error) {
	var out []Invocation
	err := s.control(ctx, false, func(tx store.Tx, _ time.Time) (err error) {
		out, err = scanJSON[Invocation](tx, tableInvoked, "")
		return err
	})
	return out, err
}
