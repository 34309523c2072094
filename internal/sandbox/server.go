// Package sandbox is AWS in the binary, as far as launching and breaking
// environments needs it: an http.Handler that speaks the protocols of
// CloudFormation, STS, S3, SSM, Secrets Manager, SNS, CloudWatch alarms and
// EventBridge, and of EC2, Lambda and Cloud Control what breaking needs, over a
// store and a clock of its own.
//
// It never talks to AWS, checks no signatures and knows nothing of the
// application. Every call is one transaction: what has fallen due happens, then
// the call is answered. There is no goroutine of its own; between calls nothing
// runs, and yet the stacks go on, since time does.
package sandbox

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/deployer-cli/deployer/internal/sandbox/engine"
	"github.com/deployer-cli/deployer/internal/sandbox/store"
)

// Defaults of Options.
const (
	DefaultAccount = "123456789012"
	DefaultRegion  = "us-east-1"
)

// Store is where the sandbox keeps its state; package store has two.
type Store interface {
	View(ctx context.Context, fn func(store.Tx) error) error
	Update(ctx context.Context, fn func(store.Tx) error) error
	Reset(ctx context.Context) error
}

// Options is what a sandbox is made of. Only Store is needed.
type Options struct {
	Store   Store
	Seed    uint64           // of everything that looks random
	Account string           // of callers that assumed no role; DefaultAccount
	Region  string           // of requests that name none; DefaultRegion
	Speed   Speed            // simulated seconds per real second; 0 leaves what the store has
	Now     func() time.Time // the real clock; time.Now
	// Stubs answers SSM parameters, secrets and buckets that are missing with
	// stub-<name> and remembers them for Stubbed.
	Stubs bool
	// AllowRemote lets Serve listen on other addresses than loopback.
	AllowRemote bool
	// Hosts are further names this server is reached by, so that S3 can tell
	// bucket.name from name.
	Hosts []string
	// Durations overrides how long resources take.
	Durations func(typeName string) (create, update, remove time.Duration)
}

// Server is the sandbox. It is safe for use by many goroutines, and many
// processes may have servers on one store.
type Server struct {
	opts     Options
	engine   machine
	behind   backdoor
	services map[string]service
	requests atomic.Uint64
	speedSet atomic.Bool // the speed of the options is in the store

	mu      sync.Mutex // guards what follows
	seen    time.Time  // latest simulated time answered by this server
	rules   ruleCache
	buckets map[string]*bucket
	history map[string][]pastAnswer
}

// machine is the engine, as the server uses it.
type machine interface {
	Call(tx engine.Tx, at time.Time, acct engine.Account, action string, in any) (any, error)
	Advance(tx engine.Tx, until time.Time) (bool, error)
	NextDue(tx engine.Tx) (time.Time, bool, error)
}

// backdoor is the engine as the other services use it, behind the stacks' backs.
type backdoor interface {
	Lookup(tx engine.Tx, acct engine.Account, name string, types ...string) (engine.Outside, bool, error)
	Members(tx engine.Tx, acct engine.Account, types ...string) ([]engine.Outside, error)
	ResourcesOf(tx engine.Tx, acct engine.Account, stackName string) ([]engine.Outside, error)
	Alter(tx engine.Tx, at time.Time, o engine.Outside, properties map[string]any) error
	Remove(tx engine.Tx, at time.Time, o engine.Outside) (why string, err error)
}

// New makes a sandbox.
func New(opts Options) *Server {
	if opts.Account == "" {
		opts.Account = DefaultAccount
	}
	if opts.Region == "" {
		opts.Region = DefaultRegion
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	s := &Server{opts: opts, buckets: map[string]*bucket{}, history: map[string][]pastAnswer{}}
	e := engine.New(s.engineConfig())
	s.engine, s.behind = e, e
	s.services = services()
	return s
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a := s.answer(r)
	if a.dropped {
		// The way net/http offers to close a connection without an answer.
		panic(http.ErrAbortHandler)
	}
	maps.Copy(w.Header(), a.header)
	w.Header().Set("Content-Length", strconv.Itoa(a.length()))
	w.WriteHeader(a.status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(a.body) // the client has gone, and nothing is lost
	}
}

// answer is a response before it meets a connection.
type answer struct {
	status  int
	header  http.Header
	body    []byte
	size    int  // of the object that HEAD asks about
	dropped bool // the connection ends without an answer
}

func (a *answer) length() int { return max(len(a.body), a.size) }

// answer serves one request on the caller's goroutine.
func (s *Server) answer(r *http.Request) (out *answer) {
	c := s.newCall(r)
	defer func() {
		if p := recover(); p != nil {
			out = c.refuse(fault(http.StatusInternalServerError, "InternalFailure", "the sandbox failed: %v", p))
			s.finish(c, out)
		}
	}()
	if err := c.read(s, r); err != nil {
		out = c.refuse(err)
	} else {
		out = s.serve(r.Context(), c)
	}
	s.finish(c, out)
	return out
}

// finish adds what every answer carries. The date is the simulated one: clients
// compare it with the times of events.
func (s *Server) finish(c *call, a *answer) {
	if a.header == nil {
		a.header = http.Header{}
	}
	at := c.at
	if at.IsZero() {
		at = s.lastSeen()
	}
	a.header.Set("Date", at.UTC().Format(http.TimeFormat))
	a.header.Set("X-Amzn-Requestid", c.id)
	if c.protocol == protocolREST {
		a.header.Set("X-Amz-Request-Id", c.id)
	}
}

// requestID is unique within a server and the same in every run.
func (s *Server) requestID() string {
	var b [24]byte
	copy(b[:], "request:")
	binary.BigEndian.PutUint64(b[8:], s.opts.Seed)
	binary.BigEndian.PutUint64(b[16:], s.requests.Add(1))
	return uuid(sha256.Sum256(b[:]))
}

func uuid(b [sha256.Size]byte) string {
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[0:4], b[4:6], b[6:8], b[8:10], b[10:16])
}

// fault makes the error answer of a service.
func fault(status int, code, format string, args ...any) *engine.Error {
	return &engine.Error{Status: status, Code: code, Message: fmt.Sprintf(format, args...)}
}

func invalid(code, format string, args ...any) *engine.Error {
	return fault(http.StatusBadRequest, code, format, args...)
}

// asFault makes an error answer of any error.
func asFault(err error) *engine.Error {
	if e, ok := errors.AsType[*engine.Error](err); ok {
		return e
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return fault(http.StatusServiceUnavailable, "ServiceUnavailable", "the request was given up: %v", err)
	}
	return fault(http.StatusInternalServerError, "InternalFailure", "the sandbox failed: %v", err)
}
