// Package cloud is what launching needs of AWS besides CloudFormation: who we
// are (STS), parameters (SSM), secrets (Secrets Manager) and objects (S3).
//
// A Cloud only reads. Uploading is a Writer's, within a guard.Clearance; a Bucket
// keeps records and an Announcer tells people, neither of which reaches a stack. It
// never keeps or shows a secret's value: that goes to whoever asked, marked as
// secret, and nowhere else.
package cloud

import (
	"context"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/deployer-cli/deployer/internal/awsconf"
	"github.com/deployer-cli/deployer/stacks"
)

// Options connect a Cloud to what it needs. Config is required; Run only for
// writing.
type Options struct {
	Config   func(context.Context, stacks.Access) (aws.Config, error)
	Realm    stacks.Realm
	Endpoint string           // as the guard knows it, "" for AWS itself
	Run      string           // id of the run that writes
	Now      func() time.Time // the realm's clock; nil for the machine's

	// Known hears which account an access leads to. May be nil.
	Known func(a stacks.Access, account string)
}

// Cloud reads. It is safe for concurrent use.
type Cloud struct {
	opts Options

	mu         sync.Mutex
	identities map[stacks.Access]*identity
	known      map[stacks.Access]Identity // as last told by STS
	regions    map[string]string          // of buckets that are not where we are
	skew       time.Duration              // of our clock, as STS last told
}

// New returns a Cloud. Nothing is called before it is asked for something.
func New(opts Options) *Cloud {
	if opts.Now == nil {
		opts.Now = time.Now
	}
	return &Cloud{opts: opts, identities: make(map[stacks.Access]*identity), known: make(map[stacks.Access]Identity), regions: make(map[string]string)}
}

// explain puts an error of the SDK's into our words.
func explain(ctx context.Context, err error, c awsconf.Call) error {
	return awsconf.Explain(ctx, err, c)
}
