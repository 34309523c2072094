package cloud

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/deployer-cli/deployer/internal/awsconf"
	"github.com/deployer-cli/deployer/stacks"
)

// Identity is who AWS takes us for.
type Identity struct {
	Account string
	ARN     string
	UserID  string
}

// identity is asked for once; who comes meanwhile waits.
type identity struct {
	key       string        // the access key that it was asked with
	ready     chan struct{} // closed when the rest is set
	who       Identity
	err       error
	abandoned bool // whoever asked left before the answer
}

// Identity tells who a's credentials are. A good answer is kept for as long as
// the access key stays the same: credentials that change while a run lasts may be
// another account's.
func (c *Cloud) Identity(ctx context.Context, a stacks.Access) (Identity, error) {
	for {
		key, err := c.accessKey(ctx, a)
		if awsconf.IsCredentials(err) {
			// A call waits for credentials where they are waited for; a look at them
			// does not.
			if _, err := c.ask(ctx, a); err != nil {
				return Identity{}, err
			}
			key, err = c.accessKey(ctx, a)
		}
		if err != nil {
			return Identity{}, err
		}
		i, mine := c.identity(a, key)
		if mine {
			i.who, i.err = c.ask(ctx, a)
			if i.err != nil {
				i.abandoned = ctx.Err() != nil
				c.forget(a, i)
			}
			close(i.ready)
			return i.who, i.err
		}
		select {
		case <-ctx.Done():
			return Identity{}, context.Cause(ctx)
		case <-i.ready:
		}
		if !i.abandoned {
			return i.who, i.err
		}
	}
}

// Account is the account of a's credentials.
func (c *Cloud) Account(ctx context.Context, a stacks.Access) (string, error) {
	i, err := c.Identity(ctx, a)
	return i.Account, err
}

// accessKey is the one that the next call would be signed with.
func (c *Cloud) accessKey(ctx context.Context, a stacks.Access) (string, error) {
	cfg, err := c.opts.Config(ctx, a)
	if err != nil || cfg.Credentials == nil {
		return "", err
	}
	creds, err := cfg.Credentials.Retrieve(ctx)
	if err != nil {
		return "", explain(ctx, err, awsconf.Call{Service: "STS", Operation: "GetCallerIdentity", Access: a})
	}
	return creds.AccessKeyID, nil
}

// Skew is how far our clock is ahead of the service's, as it was when somebody
// was last identified.
func (c *Cloud) Skew() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.skew
}

func (c *Cloud) identity(a stacks.Access, key string) (i *identity, mine bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if i, ok := c.identities[a]; ok && i.key == key {
		return i, false
	}
	i = &identity{key: key, ready: make(chan struct{})}
	c.identities[a] = i
	return i, true
}

func (c *Cloud) forget(a stacks.Access, i *identity) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.identities[a] == i {
		delete(c.identities, a)
	}
}

func (c *Cloud) ask(ctx context.Context, a stacks.Access) (Identity, error) {
	cfg, err := c.opts.Config(ctx, a)
	if err != nil {
		return Identity{}, err
	}
	who, err := c.whose(ctx, a, cfg)
	if err == nil {
		c.mu.Lock()
		c.known[a] = who
		c.mu.Unlock()
		if c.opts.Known != nil {
			c.opts.Known(a, who.Account)
		}
	}
	return who, err
}

// Same refuses a configuration for a whose credentials are not those of whom a
// was before: of the same role or user, in the same account.
func (c *Cloud) Same(ctx context.Context, a stacks.Access, cfg aws.Config) error {
	c.mu.Lock()
	before, ok := c.known[a]
	c.mu.Unlock()
	if !ok {
		return errors.New("whose the credentials were is not known")
	}
	now, err := c.whose(ctx, a, cfg)
	if err != nil {
		return err
	}
	if now.Account != before.Account || now.principal() != before.principal() {
		return fmt.Errorf("those that are there now are of %s, and this run began as %s", now.ARN, before.ARN)
	}
	return nil
}

// principal is the part of an identity that is the same in every session.
func (i Identity) principal() string {
	id, _, _ := strings.Cut(i.UserID, ":")
	return id
}

func (c *Cloud) whose(ctx context.Context, a stacks.Access, cfg aws.Config) (Identity, error) {
	out, err := sts.NewFromConfig(cfg).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return Identity{}, explain(ctx, err, awsconf.Call{Service: "STS", Operation: "GetCallerIdentity", Access: a})
	}
	if theirs, ok := awsmiddleware.GetServerTime(out.ResultMetadata); ok && !theirs.IsZero() {
		c.mu.Lock()
		c.skew = c.opts.Now().Sub(theirs)
		c.mu.Unlock()
	}
	return Identity{Account: value(out.Account), ARN: value(out.Arn), UserID: value(out.UserId)}, nil
}

func value(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
