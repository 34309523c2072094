// Package awsconf makes one AWS configuration for every way of reaching AWS, a
// profile, a role and a region, and one pair of paces for every account and region.
//
// Whoever calls AWS gets its configuration here, so that credentials, retries,
// timeouts, rate limits and the words for what went wrong are the same
// everywhere. The package itself calls nothing but STS, to take a role; it
// never falls back from one realm to another.
package awsconf

import (
	"context"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/deployer-cli/deployer/stacks"
)

// HTTPClient sends requests: a real client, or the sandbox in this process.
type HTTPClient interface {
	Do(*http.Request) (*http.Response, error)
}

// Keys are credentials given outright.
type Keys struct{ ID, Secret, Token string }

// Options say how AWS is reached.
type Options struct {
	Realm      stacks.Realm
	HTTPClient HTTPClient // nil for the network
	Endpoint   string     // where every service is, "" for AWS or what the environment names

	// Keys are used instead of looking for credentials anywhere. With them no
	// file and no variable is read; the sandbox's are such.
	Keys *Keys

	// Environ reads a variable of the environment; nil leaves the environment
	// to the SDK, which reads the process's own in any case.
	Environ func(string) string

	// Profile and Region are used where an Access names none.
	Profile string
	Region  string

	// MFACode asks a person for the code that a profile with mfa_serial needs;
	// nil where nobody is there.
	MFACode func() (string, error)

	Limits  Limits
	Counter *Counter // counts calls; nil counts for nobody

	// Throttled hears that AWS asked us to slow down. It is called from many
	// goroutines and must not block. May be nil.
	Throttled func(a stacks.Access, operation string)

	// Trouble hears that calls wait, because of err, and, with nil, that they go
	// on. It is called from many goroutines and must not block. May be nil.
	Trouble func(a stacks.Access, err error)
}

// Limits bound what one Access may cost. Zero fields take their defaults.
type Limits struct {
	Rate  float64 // calls per second to begin with
	Max   float64 // calls per second never passed
	Min   float64 // calls per second that throttling never goes below
	Burst int     // calls at once after a pause, until the first throttle

	// Opening is how many writing calls may be under way to begin with; their
	// number grows until the first throttle.
	Opening int

	Attempts int           // of a call that fails for a reason that may pass
	Timeout  time.Duration // of one attempt
	Patience time.Duration // how long one call puts up with being throttled

	// Once Endure was called:
	Renewal time.Duration // how long calls wait for credentials that ran out
	Outage  time.Duration // how long they try to reach a service that answered before
}

// defaults are for AWS: its limits are not published, so that we start where
// nobody is known to be throttled and find the rest out.
func (l Limits) withDefaults(realm stacks.Realm) Limits {
	d := Limits{Rate: 10, Max: 40, Min: 0.5, Burst: 10, Opening: 5, Attempts: 4, Timeout: 30 * time.Second, Patience: 10 * time.Minute, Renewal: 2 * time.Minute, Outage: time.Hour}
	if realm == stacks.RealmSandbox {
		d.Rate, d.Max, d.Burst, d.Opening = 2000, 2000, 8, 0 // a function call; the small burst leaves few in flight when a fault throttles
	}
	if l.Rate > 0 {
		d.Rate, d.Max = l.Rate, max(d.Max, l.Rate)
	}
	if l.Max > 0 {
		d.Max, d.Rate = l.Max, min(d.Rate, l.Max)
	}
	if l.Min > 0 {
		d.Min = l.Min
	}
	if l.Burst > 0 {
		d.Burst = l.Burst
	}
	if l.Opening > 0 {
		d.Opening = l.Opening
	}
	if l.Attempts > 0 {
		d.Attempts = l.Attempts
	}
	if l.Timeout > 0 {
		d.Timeout = l.Timeout
	}
	if l.Patience > 0 {
		d.Patience = l.Patience
	}
	if l.Renewal > 0 {
		d.Renewal = l.Renewal
	}
	if l.Outage > 0 {
		d.Outage = l.Outage
	}
	return d
}

// Configs holds the configurations made so far. It is safe for concurrent use.
type Configs struct {
	opts     Options
	same     func(ctx context.Context, a stacks.Access, cfg aws.Config) error
	enduring atomic.Bool

	mu      sync.Mutex
	entries map[stacks.Access]*entry
	pacers  map[paceKey]*shared
	regions map[stacks.Access]string // as the configuration says where the access does not
}

// paceKey is what AWS counts calls by: an account and region; until the account is
// known, whatever leads to it.
type paceKey struct{ account, profile, role, region string }

// shared is the paces of all who hold it; they become another's once it is known
// that they call the same account.
type shared struct{ atomic.Pointer[paces] }

type entry struct {
	ready chan struct{} // closed when the rest is set
	cfg   aws.Config
	err   error
}

// New returns an empty set of configurations. Nothing is read or called before
// the first Config.
func New(opts Options) *Configs {
	opts.Limits = opts.Limits.withDefaults(opts.Realm)
	if opts.Counter == nil {
		opts.Counter = new(Counter)
	}
	return &Configs{
		opts:    opts,
		entries: make(map[stacks.Access]*entry),
		pacers:  make(map[paceKey]*shared),
		regions: make(map[stacks.Access]string),
	}
}

// Counter counts the calls made with these configurations.
func (c *Configs) Counter() *Counter { return c.opts.Counter }

// Config returns the configuration for a, with credentials that were looked up
// once already. The answer is kept, whether good or bad; only a lookup that
// its caller gave up is tried again.
func (c *Configs) Config(ctx context.Context, a stacks.Access) (aws.Config, error) {
	for {
		e, mine := c.entry(a)
		if mine {
			e.cfg, e.err = c.load(ctx, a)
			if ctx.Err() != nil {
				c.forget(a)
			}
			close(e.ready)
			return e.cfg, e.err
		}
		select {
		case <-ctx.Done():
			return aws.Config{}, context.Cause(ctx)
		case <-e.ready:
		}
		if !c.forgotten(a, e) {
			return e.cfg, e.err
		}
	}
}

// entry returns the entry for a; mine tells that the caller has to fill it.
func (c *Configs) entry(a stacks.Access) (e *entry, mine bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e, ok := c.entries[a]; ok {
		return e, false
	}
	e = &entry{ready: make(chan struct{})}
	c.entries[a] = e
	return e, true
}

func (c *Configs) forget(a stacks.Access) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.entries, a)
}

func (c *Configs) forgotten(a stacks.Access, e *entry) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.entries[a] != e
}

// paces returns those that everybody shares who uses the same profile, role and
// region, or, once Leads told so, comes to the same account.
func (c *Configs) paces(a stacks.Access, region string) *shared {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.regions[a] = region
	key := paceKey{profile: a.Profile, role: a.Role, region: region}
	p, ok := c.pacers[key]
	if !ok {
		p = new(shared)
		p.Store(&paces{read: newPacer(c.opts.Limits, 0), write: newPacer(c.opts.Limits, c.opts.Limits.Opening)})
		c.pacers[key] = p
	}
	return p
}

// Leads tells to which account a leads, as STS says. AWS counts calls by account and
// region, so that all who lead there have one pace from now on.
func (c *Configs) Leads(a stacks.Access, account string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	region, ok := c.regions[a]
	if !ok {
		return // it never called anything
	}
	mine := c.pacers[paceKey{profile: a.Profile, role: a.Role, region: region}]
	key := paceKey{account: account, region: region}
	if theirs, ok := c.pacers[key]; ok {
		mine.Store(theirs.Load())
		return
	}
	c.pacers[key] = mine
}

// EndpointFrom returns the endpoint that the environment names for
// CloudFormation, "" for AWS itself.
func EndpointFrom(environ func(string) string) string {
	if environ == nil || environ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS") == "true" {
		return ""
	}
	if e := environ("AWS_ENDPOINT_URL_CLOUDFORMATION"); e != "" {
		return e
	}
	return environ("AWS_ENDPOINT_URL")
}
