package awsconf

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/smithy-go"

	"github.com/deployer-cli/deployer/stacks"
)

// Endure makes calls outlast what passes, from now on until stop: credentials
// that ran out are waited for, and a network or a service that is gone is tried
// for as long as the limits say. Without it a command that only looks fails soon.
// It is for runs that change stacks: there giving up costs more than waiting.
func (c *Configs) Endure() (stop func()) {
	c.enduring.Store(true)
	return func() { c.enduring.Store(false) }
}

// TakeOnly makes calls look for other credentials once AWS no longer takes those
// they have, and take only such as same has no error for: cfg has what was found
// for a. Without it none are looked for. It is called before the first Config.
func (c *Configs) TakeOnly(same func(ctx context.Context, a stacks.Access, cfg aws.Config) error) {
	c.same = same
}

// Brief marks the calls made with ctx as ones that give up soon all the same,
// because who makes them tries again.
func Brief(ctx context.Context) context.Context { return context.WithValue(ctx, briefKey{}, true) }

type briefKey struct{}

// Ahead marks the calls made with ctx as ones that wait for no other call: what they
// do, such as showing that a run lives, the others may be waiting for.
func Ahead(ctx context.Context) context.Context { return context.WithValue(ctx, aheadKey{}, true) }

type aheadKey struct{}

// Gated makes every attempt of the writing calls made with ctx ask first, right
// before it goes out: what was allowed when a call began to wait need not be so when it
// goes on. An error of the gate's ends the call.
func Gated(ctx context.Context, gate func() error) context.Context {
	outer, _ := ctx.Value(gateKey{}).(func() error)
	return context.WithValue(ctx, gateKey{}, func() error {
		if outer != nil {
			if err := outer(); err != nil {
				return err
			}
		}
		return gate()
	})
}

type gateKey struct{}

// GatedFirst is Gated for attempts before which AWS can have accepted none of the call:
// what may have been goes out again without asking, to find out. Begun is told when AWS
// may have accepted something, but for what only prepares: an upload, a change set. A
// nil gate asks nobody.
func GatedFirst(ctx context.Context, gate func() error, begun func()) context.Context {
	return context.WithValue(ctx, firstGateKey{}, firstGate{gate, begun})
}

type firstGateKey struct{}

type firstGate struct {
	ask   func() error
	begun func()
}

// prepares tells whether an operation changes nothing that lives.
func prepares(operation string) bool {
	return operation == "PutObject" || operation == "CreateChangeSet"
}

// gateError is a gate's no.
type gateError struct {
	err      error
	attempts bool // AWS may have accepted an earlier one
}

func (e *gateError) Error() string { return e.err.Error() }
func (e *gateError) Unwrap() error { return e.err }

// ask asks the gates of a call, where it has any.
func ask(ctx context.Context) error {
	state, _ := ctx.Value(callStateKey{}).(*callState)
	attempts := state != nil && state.open
	var err error
	if gate, ok := ctx.Value(gateKey{}).(func() error); ok {
		err = gate()
	}
	if first, _ := ctx.Value(firstGateKey{}).(firstGate); first.ask != nil && err == nil && !attempts {
		err = first.ask()
	}
	if err == nil {
		return nil
	}
	return &gateError{err: err, attempts: attempts}
}

// wrote notes how an attempt of a writing call ended.
func wrote(ctx context.Context, operation string, err error) {
	if refused(err) {
		return
	}
	if state, _ := ctx.Value(callStateKey{}).(*callState); state != nil {
		state.open = true
	}
	if first, _ := ctx.Value(firstGateKey{}).(firstGate); first.begun != nil && !prepares(operation) {
		first.begun()
	}
}

// standing is how things are with one Access: which services have answered, and
// since when something is wrong. Its zero value is ready.
type standing struct {
	access  stacks.Access
	trouble func(stacks.Access, error) // may be nil

	mu       sync.Mutex
	answered map[string]bool      // services that took the credentials, and anyService when one did
	wrong    map[string]time.Time // since when, by service; the credentials by anyService
}

// anyService stands for all services: credentials are good or bad for each.
const anyService = ""

// heard takes in what came of an attempt to call a service.
func (s *standing) heard(service string, err error) {
	if classify(err) != permanent || !answer(err) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.answered == nil {
		s.answered = make(map[string]bool)
	}
	s.answered[service], s.answered[anyService] = true, true
	troubled := len(s.wrong) > 0
	delete(s.wrong, service)
	delete(s.wrong, anyService)
	if troubled && len(s.wrong) == 0 && s.trouble != nil {
		s.trouble(s.access, nil)
	}
}

// answer tells whether the service itself spoke: that it denies or does not
// find something is an answer too.
func answer(err error) bool {
	_, api := errors.AsType[smithy.APIError](err)
	return err == nil || api
}

// since notes that a call failed for a reason that may pass, and tells for how
// long things have been so, and whether that service has answered before; ok is
// false where nothing ever went well.
func (s *standing) since(call Call, err error) (d time.Duration, met, ok bool) {
	service := call.Service
	if classify(err) == lapsed {
		service = anyService
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.answered[anyService] {
		return 0, false, false
	}
	began, was := s.wrong[service]
	if !was {
		if s.wrong == nil {
			s.wrong = make(map[string]time.Time)
		}
		began = time.Now()
		s.wrong[service] = began
		if s.trouble != nil {
			s.trouble(s.access, Explain(context.Background(), err, call))
		}
	}
	return time.Since(began), s.answered[service], true
}

// reloadEvery is how often credentials are looked for at most.
const reloadEvery = time.Second

// renewing gives credentials and looks for them anew once AWS no longer takes
// them: somebody may have put others into the file, or logged in again.
type renewing struct {
	load func(context.Context) (aws.CredentialsProvider, error) // nil where there is nowhere to look
	turn chan struct{}                                          // held while looking

	mu       sync.Mutex
	current  aws.CredentialsProvider
	stale    bool
	loadedAt time.Time
}

// newRenewing begins with credentials that were just looked up.
func newRenewing(current aws.CredentialsProvider, load func(context.Context) (aws.CredentialsProvider, error)) *renewing {
	return &renewing{load: load, turn: make(chan struct{}, 1), current: current, loadedAt: time.Now()}
}

// Retrieve gives the credentials of now. It gives up soon: who needs them asks
// again.
func (r *renewing) Retrieve(ctx context.Context) (aws.Credentials, error) {
	ctx = Brief(ctx)
	if err := r.reload(ctx); err != nil {
		return aws.Credentials{}, &credentialsError{err}
	}
	r.mu.Lock()
	current := r.current
	r.mu.Unlock()
	creds, err := current.Retrieve(ctx)
	if err != nil && ctx.Err() == nil {
		r.reject()
	}
	return creds, err
}

// reload looks for other credentials where those there are were rejected.
func (r *renewing) reload(ctx context.Context) error {
	select {
	case r.turn <- struct{}{}:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	defer func() { <-r.turn }()
	r.mu.Lock()
	due := r.load != nil && r.stale && time.Since(r.loadedAt) >= reloadEvery
	if due {
		r.loadedAt = time.Now()
	}
	r.mu.Unlock()
	if !due {
		return nil
	}
	next, err := r.load(ctx)
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.current, r.stale = next, false
	return nil
}

// reject notes that AWS does not take the credentials.
func (r *renewing) reject() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stale = true
}
