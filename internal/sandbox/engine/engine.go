package engine

import (
	"fmt"
	"time"

	"github.com/deployer-cli/deployer/internal/cfntemplate"
	"github.com/deployer-cli/deployer/internal/restype"
)

// Tx is one transaction of the store. A call that fails, or is refused with an
// [*Error], has done nothing worth keeping: its transaction may be rolled back,
// and must be unless the error is an *Error.
type Tx interface {
	Get(table, key string) (value []byte, found bool, err error)
	Put(table, key string, value []byte) error
	Delete(table, key string) error
	// Scan yields keys in byte order that begin with prefix and come after
	// after.
	Scan(table, prefix, after string, yield func(key string, value []byte) bool) error
}

// FaultQuery asks whether a step of a resource shall fail or be slow.
type FaultQuery struct {
	Account   Account
	At        time.Time
	Stack     string // name
	StackID   string
	LogicalID string
	Type      string
	Phase     string // create, update, delete, import; rollback when an update is taken back
	Step      string // start, when Slow and Delay count and Fail stops creates and updates; end, when only Fail counts
}

// FaultAnswer is what a fault does to a step. The zero value does nothing.
type FaultAnswer struct {
	Fail        bool
	Message     string // whole reason when it stands alone, else put into AWS's frame
	HandlerCode string // e.g. AlreadyExists; empty means InternalFailure
	Slow        float64
	Delay       time.Duration
}

// Made is a resource a stack made, changed or deleted.
type Made struct {
	Account    Account
	StackID    string
	LogicalID  string
	Type       string
	Physical   string
	Properties map[string]any // with dynamic references resolved
	Attributes map[string]string
	At         time.Time
}

// Config is what an engine is made of. All functions work on the store of the
// transaction they are given; a nil one means its service is empty.
type Config struct {
	Seed uint64
	// Durations overrides how long resources take; nil means restype.Durations.
	Durations func(typeName string) (create, update, remove time.Duration)
	// Fault is asked when a step of a resource starts and ends.
	Fault func(tx Tx, q FaultQuery) (FaultAnswer, error)
	// Fetch reads a template or policy from S3.
	Fetch func(tx Tx, acct Account, url string) ([]byte, error)
	// Parameter reads an SSM parameter for an SSM parameter type.
	Parameter func(tx Tx, acct Account, name string) (value string, found bool, err error)
	// Dynamic resolves the inside of {{resolve:…}}.
	Dynamic func(tx Tx, acct Account, reference string) (string, error)
	// Alarm gives an alarm's state: OK, ALARM, INSUFFICIENT_DATA or "" when
	// there is none.
	Alarm func(tx Tx, acct Account, arn string) (string, error)
	// Made and Gone hear of each resource created or updated, and deleted.
	Made func(tx Tx, m Made) error
	Gone func(tx Tx, m Made) error
	// Snapshot hears of a snapshot that is made of what is about to be deleted,
	// with the name that CloudFormation would give it.
	Snapshot func(tx Tx, m Made, name string) error
	// Holds says why a resource cannot be deleted ("" when it can), e.g. a
	// bucket with objects.
	Holds func(tx Tx, m Made) (string, error)
	// Exists reports whether a resource of that name exists outside stacks.
	Exists func(tx Tx, acct Account, typeName, physical string) (bool, error)
	// Custom answers for the provider of a custom resource; found is false where
	// nobody does.
	Custom func(tx Tx, r CustomRequest) (a CustomAnswer, found bool, err error)
	// Tracks tells of which types Exists knows every resource; nil means none.
	Tracks func(typeName string) bool
	// Event hears of every event, for notifications.
	Event func(tx Tx, acct Account, topics []string, ev StackEvent) error
	// Limit is the number of stacks per account and region; 0 means 2,000.
	Limit int
}

// Engine answers calls and moves stacks. It holds no state of its own but a
// cache of parsed templates, so one engine may serve many transactions at
// once.
type Engine struct {
	cfg       Config
	templates *templateCache
}

// New makes an engine.
func New(cfg Config) *Engine {
	if cfg.Durations == nil {
		cfg.Durations = restype.Durations
	}
	return &Engine{cfg: cfg, templates: &templateCache{entries: map[string]*cfntemplate.Template{}}}
}

// Call accepts one input of an action at a simulated time. The caller has
// advanced to that time first. The error is an *Error when CloudFormation
// refuses the input and anything else when the store fails.
func (e *Engine) Call(tx Tx, at time.Time, acct Account, action string, in any) (any, error) {
	a, ok := actions()[action]
	if !ok {
		return nil, refuse("InvalidAction", "Could not find operation %s for version 2010-05-15", action)
	}
	if err := checkMembers(in); err != nil {
		return nil, err
	}
	s := newSession(e, tx, at)
	s.acct = acct
	out, err := a.call(s, in)
	if err != nil {
		return nil, err
	}
	if err := s.flush(); err != nil {
		return nil, err
	}
	return out, nil
}

// Advance performs every step due up to and including until, in the order
// (time, sequence), and reports whether there was one.
func (e *Engine) Advance(tx Tx, until time.Time) (bool, error) {
	s := newSession(e, tx, time.Time{})
	due := false
	for {
		at, key, d, ok := s.nextDue()
		if !ok || at.After(until) {
			break
		}
		due = true
		s.now = at
		s.dropDue(key)
		s.perform(d)
		if s.err != nil {
			break
		}
	}
	if !due {
		return false, s.err
	}
	return true, s.flush()
}

// NextDue tells when the next step is due.
func (e *Engine) NextDue(tx Tx) (time.Time, bool, error) {
	s := newSession(e, tx, time.Time{})
	at, _, _, ok := s.nextDue()
	return at, ok, s.err
}

// Action describes one action of the service.
type Action struct {
	NewInput func() any
	Mutates  bool
	NoResult bool // its answer has no result element
	call     func(s *session, in any) (any, error)
}

// action makes an Action of a typed handler.
func action[I, O any](mutates, noResult bool, handle func(s *session, in *I) (*O, error)) Action {
	return Action{
		NewInput: func() any { return new(I) }, Mutates: mutates, NoResult: noResult,
		call: func(s *session, in any) (any, error) {
			typed, ok := in.(*I)
			if !ok {
				return nil, fmt.Errorf("input is %T, not %T", in, typed)
			}
			out, err := handle(s, typed)
			if err != nil {
				return nil, err
			}
			if s.err != nil {
				return nil, s.err
			}
			return out, nil
		},
	}
}
