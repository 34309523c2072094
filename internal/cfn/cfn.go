// Package cfn is CloudFormation as the application sees it, over the AWS SDK.
//
// A Cloud only reads. What changes stacks is a Writer, which takes a
// guard.Clearance and asks it right before every call. The SDK's types and the
// service's wordings end here: what comes out are words of package stacks.
// Values of NoEcho parameters and resource properties are never kept.
package cfn

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"

	"github.com/deployer-cli/deployer/internal/awsconf"
	"github.com/deployer-cli/deployer/internal/guard"
	"github.com/deployer-cli/deployer/stacks"
)

// service is CloudFormation's name in errors.
const service = "CloudFormation"

// Options connect a Cloud to what it needs. Config is required; Account,
// Uploader and Run only for writing.
type Options struct {
	Config  func(context.Context, stacks.Access) (aws.Config, error)
	Account func(context.Context, stacks.Access) (string, error) // as STS tells it

	// Uploader gives what puts large templates into a bucket for one stack.
	Uploader func(guard.Clearance, stacks.Target) Uploader

	Realm    stacks.Realm
	Endpoint string           // as the guard knows it, "" for AWS itself
	Run      string           // id of the run that writes
	Now      func() time.Time // the realm's clock; nil for the machine's

	// PollInterval is the shortest time between two looks at running stacks,
	// one second when zero. PollMax is the longest: five seconds when both are
	// zero, else PollInterval.
	PollInterval time.Duration
	PollMax      time.Duration

	// Patience is how long watching goes on without good credentials, two
	// minutes when zero.
	Patience time.Duration

	Sizes Sizes // remembers how full accounts are; may be nil

	// Trouble hears when watching cannot read, and, with nil, when it can
	// again. It must not block. May be nil.
	Trouble func(stacks.Access, error)
}

// Uploader stores a template where CloudFormation can fetch it.
type Uploader interface {
	Upload(ctx context.Context, bucket, key string, body []byte) (url string, err error)
}

// Cloud reads CloudFormation. It is safe for concurrent use.
type Cloud struct {
	opts Options

	mu      sync.Mutex
	clients map[stacks.Access]*cloudformation.Client
	pollers map[spot]*poller
	ledgers map[spot]*ledger
	sizes   map[string]int     // how many pages the stacks of a place fill
	past    map[string]history // how long operations took in this run, by kind

	foreseen atomic.Int64 // operations that ended when their end was foreseen,
	looks    atomic.Int64 // and looks at such
}

// New returns a Cloud. Nothing is called before it is asked for something.
func New(opts Options) *Cloud {
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.PollMax == 0 && opts.PollInterval == 0 {
		opts.PollMax = defaultPollMax
	}
	if opts.PollInterval == 0 {
		opts.PollInterval = defaultPollInterval
	}
	opts.PollMax = max(opts.PollMax, opts.PollInterval)
	if opts.Patience == 0 {
		opts.Patience = defaultPatience
	}
	return &Cloud{
		opts:    opts,
		clients: make(map[stacks.Access]*cloudformation.Client),
		pollers: make(map[spot]*poller),
		ledgers: make(map[spot]*ledger),
		sizes:   make(map[string]int),
		past:    make(map[string]history),
	}
}

// client returns the SDK's client for a.
func (c *Cloud) client(ctx context.Context, a stacks.Access) (*cloudformation.Client, error) {
	c.mu.Lock()
	client, ok := c.clients[a]
	c.mu.Unlock()
	if ok {
		return client, nil
	}
	cfg, err := c.opts.Config(ctx, a)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if client, ok := c.clients[a]; ok {
		return client, nil
	}
	client = cloudformation.NewFromConfig(cfg)
	c.clients[a] = client
	return client, nil
}

// read makes one reading call and explains its failure.
func read[T any](ctx context.Context, c *Cloud, q query, fn func(*cloudformation.Client) (T, error)) (T, error) {
	var zero T
	client, err := c.client(ctx, q.access)
	if err != nil {
		return zero, err
	}
	out, err := fn(client)
	if err != nil {
		return zero, translate(ctx, err, awsconf.Call{Service: service, Operation: q.operation, Access: q.access}, q.stack)
	}
	return out, nil
}

// query says what a reading call is about, for errors.
type query struct {
	access    stacks.Access
	operation string
	stack     string // name or id, "" when it is about no single stack
}
