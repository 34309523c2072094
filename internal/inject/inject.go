// Package inject breaks one resource of a live stack behind CloudFormation's
// back, and puts it right again: the kinds of a break other than deleting the
// stack.
//
// What is to be broken is a stacks.Injection, which is data. Preview makes it
// and calls nothing; Capture adds how the resource is, to be written down; Do
// breaks it; Check says how it looks; Undo brings back what Capture found. An
// Injector only reads. Do and Undo are a Writer's, which takes a
// guard.Clearance and asks it right before every call. The SDK's types end here.
package inject

import (
	"context"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/deployer-cli/deployer/internal/awsconf"
	"github.com/deployer-cli/deployer/stacks"
)

// Options connect an Injector to what it needs. Config is required; Account and
// Run only for writing.
type Options struct {
	Config  func(context.Context, stacks.Access) (aws.Config, error)
	Account func(context.Context, stacks.Access) (string, error) // as STS tells it

	Endpoint string           // as the guard knows it, "" for AWS itself
	Run      string           // id of the run that writes
	Now      func() time.Time // the realm's clock; nil for the machine's

	// PollInterval is the time between two looks at a deletion that is under way,
	// two seconds when zero.
	PollInterval time.Duration
}

// defaultPollInterval is what Cloud Control's own waiter begins with.
const defaultPollInterval = 2 * time.Second

// Injector reads what injections are about. It is safe for concurrent use.
type Injector struct {
	opts Options

	mu      sync.Mutex
	configs map[stacks.Access]aws.Config
}

// New returns an Injector. Nothing is called before it is asked for something.
func New(opts Options) *Injector {
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.PollInterval == 0 {
		opts.PollInterval = defaultPollInterval
	}
	return &Injector{opts: opts, configs: make(map[stacks.Access]aws.Config)}
}

// config returns the SDK's configuration for a.
func (i *Injector) config(ctx context.Context, a stacks.Access) (aws.Config, error) {
	i.mu.Lock()
	cfg, ok := i.configs[a]
	i.mu.Unlock()
	if ok {
		return cfg, nil
	}
	cfg, err := i.opts.Config(ctx, a)
	if err != nil {
		return aws.Config{}, err
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	i.configs[a] = cfg
	return cfg, nil
}

// ask makes one reading call and explains its failure. It knows no client: of one that is
// an interface, or a type argument, the linker keeps every method, and EC2's are 50 MiB.
func ask[O any](ctx context.Context, i *Injector, q query, fn func(aws.Config) (O, error)) (O, error) {
	var zero O
	cfg, err := i.config(ctx, q.access)
	if err != nil {
		return zero, err
	}
	out, err := fn(cfg)
	if err != nil {
		return zero, awsconf.Explain(ctx, err, awsconf.Call{Service: q.service, Operation: q.operation, Access: q.access})
	}
	return out, nil
}

// query says what a reading call is, for errors.
type query struct {
	service   string
	operation string
	access    stacks.Access
}
