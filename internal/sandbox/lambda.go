package sandbox

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/deployer-cli/deployer/internal/sandbox/engine"
	"github.com/deployer-cli/deployer/internal/sandbox/store"
)

const typeFunction = "AWS::Lambda::Function"

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

// function is a function of a stack.
type function struct {
	StackID string `json:"stack_id"`
}

// lambdaCall is one request to Lambda.
type lambdaCall struct {
	*call
	s    *Server
	tx   store.Tx
	name string // of the function, as the request gives it
}

type lambdaHandler func(lambdaCall) (*answer, error)

// planLambda finds the operation of a REST request:
// METHOD /version/functions/NAME/what.
func (s *Server) planLambda(c *call) func(tx store.Tx) (*answer, error) {
	parts := strings.Split(strings.Trim(c.r.URL.EscapedPath(), "/"), "/")
	var run lambdaHandler
	name := ""
	if len(parts) >= 3 && parts[1] == "functions" {
		name, _ = url.PathUnescape(parts[2])
		c.action, c.mutates, run = lambdaOperation(c.r.Method, strings.Join(parts[3:], "/"))
	}
	return func(tx store.Tx) (*answer, error) {
		if run == nil {
			return nil, c.absent()
		}
		return run(lambdaCall{call: c, s: s, tx: tx, name: name})
	}
}

func lambdaOperation(method, what string) (name string, mutates bool, run lambdaHandler) {
	if method == http.MethodPost && what == "invocations" {
		return "Invoke", true, lambdaCall.invoke
	}
	return "", false, nil
}

// found gives the name of the function that a request names in one of four ways:
// name, account:function:name, the whole ARN, and each with a version behind.
func (r lambdaCall) found() (string, error) {
	a := r.account()
	name := r.name
	if before, rest, ok := strings.Cut(name, "function:"); ok {
		if name = rest; before != a.AccountID+":" && before != "arn:aws:lambda:"+a.Region+":"+a.AccountID+":" {
			name = "" // somebody else's
		}
	}
	name, _, _ = strings.Cut(name, ":")
	known, err := hasKey(r.tx, tableFunction, place(a)+name)
	if err == nil && !known {
		arn := r.name
		if !strings.HasPrefix(arn, "arn:") {
			arn = "arn:aws:lambda:" + a.Region + ":" + a.AccountID + ":function:" + r.name
		}
		err = fault(http.StatusNotFound, "ResourceNotFoundException", "Function not found: %.300s", arn)
	}
	return name, err
}

// invoke keeps what a function was called with.
func (r lambdaCall) invoke() (*answer, error) {
	name, err := r.found()
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
	if len(r.body) > 0 && !json.Valid(r.body) {
		return nil, invalid("InvalidRequestContentException", "Could not parse request body into json: the payload is no JSON")
	}
	n, err := nextNumber(r.tx, tableInvoked)
	if err != nil {
		return nil, err
	}
	kept := Invocation{r.s.id("invocation", strconv.Itoa(n)), r.at, r.caller.Account, r.region, name, kind, r.body}
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

// madeFunction shows a function of a stack.
func madeFunction(tx engine.Tx, m engine.Made) error {
	return putJSON(tx, tableFunction, place(m.Account)+m.Physical, function{m.StackID})
}
