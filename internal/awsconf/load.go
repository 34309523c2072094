package awsconf

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/credentials/ssocreds"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go/logging"

	"github.com/deployer-cli/deployer/stacks"
)

const (
	sessionName  = "deployer"
	refreshAhead = time.Minute // a role's credentials are renewed this long before they end
)

// load makes the configuration for a and proves that it has credentials.
func (c *Configs) load(ctx context.Context, a stacks.Access) (aws.Config, error) {
	cfg, err := c.base(ctx, a)
	if err != nil {
		return aws.Config{}, err
	}
	if cfg.Region == "" {
		return aws.Config{}, &ConfigError{
			What: "no AWS region",
			Why:  "neither the project's config nor the environment nor the profile names one",
			Tip:  "add region: to config/config.yaml, or set AWS_REGION",
		}
	}
	r := c.equip(&cfg, a)
	if err := retrieve(ctx, cfg.Credentials, a); err != nil {
		return aws.Config{}, err
	}
	if a.Role != "" {
		cfg.Credentials = assume(cfg, a)
		if err := retrieve(ctx, cfg.Credentials, a); err != nil {
			return aws.Config{}, err
		}
	}
	r.renewing = newRenewing(cfg.Credentials, c.reloader(a))
	cfg.Credentials = &named{next: r.renewing}
	return cfg, nil
}

// reloader looks credentials for a up anew, as load did, and takes only those of
// the same account. It is nil where there is nowhere to look.
func (c *Configs) reloader(a stacks.Access) func(context.Context) (aws.CredentialsProvider, error) {
	if c.same == nil || c.opts.Keys != nil && a.Role == "" {
		return nil
	}
	return func(ctx context.Context) (aws.CredentialsProvider, error) {
		cfg, err := c.base(ctx, a)
		if err != nil {
			return nil, err
		}
		c.equip(&cfg, a).standing.trouble = nil // told already
		if a.Role != "" {
			cfg.Credentials = assume(cfg, a)
		}
		if err := c.same(ctx, a, cfg); err != nil {
			return nil, err
		}
		return cfg.Credentials, nil
	}
}

// base loads what does not depend on a role.
func (c *Configs) base(ctx context.Context, a stacks.Access) (aws.Config, error) {
	if c.opts.Keys != nil {
		k := c.opts.Keys
		return aws.Config{
			Region:       cmp.Or(a.Region, c.opts.Region),
			Credentials:  credentials.NewStaticCredentialsProvider(k.ID, k.Secret, k.Token),
			HTTPClient:   c.httpClient(),
			BaseEndpoint: optional(c.opts.Endpoint),
		}, nil
	}
	cfg, err := config.LoadDefaultConfig(ctx, c.loadOptions(a)...)
	if err != nil {
		return aws.Config{}, loadError(err)
	}
	if c.opts.Endpoint != "" {
		cfg.BaseEndpoint = &c.opts.Endpoint
		cfg.ConfigSources = nil // a service's own endpoint variable would win over ours unseen
	}
	return cfg, nil
}

// loadOptions tell the SDK's chain what we know better than it.
func (c *Configs) loadOptions(a stacks.Access) []func(*config.LoadOptions) error {
	env := c.opts.Environ
	if env == nil {
		env = func(string) string { return "" }
	}
	opts := []func(*config.LoadOptions) error{
		config.WithHTTPClient(c.httpClient()),
		config.WithLogger(logging.Nop{}), // it would write into the middle of our output
	}
	if region := cmp.Or(a.Region, c.opts.Region, env("AWS_REGION"), env("AWS_DEFAULT_REGION")); region != "" {
		opts = append(opts, config.WithRegion(region))
	}
	if f := env("AWS_CONFIG_FILE"); f != "" {
		opts = append(opts, config.WithSharedConfigFiles([]string{f}))
	}
	if f := env("AWS_SHARED_CREDENTIALS_FILE"); f != "" {
		opts = append(opts, config.WithSharedCredentialsFiles([]string{f}))
	}
	named := cmp.Or(a.Profile, c.opts.Profile)
	id := env("AWS_ACCESS_KEY_ID")
	switch {
	case named != "": // in the project's words: it wins over keys in the environment
		opts = append(opts, config.WithSharedConfigProfile(named))
	case id != "" && env("AWS_SECRET_ACCESS_KEY") != "":
		opts = append(opts, config.WithCredentialsProvider(credentials.NewStaticCredentialsProvider(id, env("AWS_SECRET_ACCESS_KEY"), env("AWS_SESSION_TOKEN"))))
	case env("AWS_PROFILE") != "":
		opts = append(opts, config.WithSharedConfigProfile(env("AWS_PROFILE")))
	}
	if c.opts.MFACode != nil {
		opts = append(opts, config.WithAssumeRoleCredentialOptions(func(o *stscreds.AssumeRoleOptions) { o.TokenProvider = c.opts.MFACode }))
	}
	return opts
}

// httpClient is the client given, or one that gives up on a dead network
// sooner than the SDK's own.
func (c *Configs) httpClient() HTTPClient {
	if c.opts.HTTPClient != nil {
		return c.opts.HTTPClient
	}
	return awshttp.NewBuildableClient().
		WithDialerOptions(func(d *net.Dialer) { d.Timeout = 10 * time.Second }).
		WithTransportOptions(func(t *http.Transport) {
			t.TLSHandshakeTimeout = 10 * time.Second
			t.MaxIdleConnsPerHost = 32
		})
}

// equip puts our pace, retries and timeouts into cfg. The SDK's credential
// providers were made before and keep their own.
func (c *Configs) equip(cfg *aws.Config, a stacks.Access) *retryer {
	r := &retryer{
		access: a, limits: c.opts.Limits, paces: c.paces(a, cfg.Region),
		counter: c.opts.Counter, throttled: c.opts.Throttled, enduring: &c.enduring,
		standing: &standing{access: a, trouble: c.opts.Trouble}, renewing: newRenewing(cfg.Credentials, nil),
	}
	cfg.Retryer = func() aws.Retryer { return r }
	cfg.RetryMaxAttempts = 0
	cfg.APIOptions = append(cfg.APIOptions, addCallState)
	cfg.HTTPClient = &bounded{next: cfg.HTTPClient, timeout: c.opts.Limits.Timeout}
	cfg.AppID = sessionName
	cfg.Credentials = &named{next: cfg.Credentials}
	return r
}

// assume returns credentials of a's role, renewed before they end.
func assume(cfg aws.Config, a stacks.Access) aws.CredentialsProvider {
	provider := stscreds.NewAssumeRoleProvider(sts.NewFromConfig(cfg), a.Role, func(o *stscreds.AssumeRoleOptions) {
		o.RoleSessionName = sessionName
		o.Duration = time.Duration(a.RoleSeconds) * time.Second
	})
	return &named{next: aws.NewCredentialsCache(provider, func(o *aws.CredentialsCacheOptions) { o.ExpiryWindow = refreshAhead })}
}

// named makes every failure to get credentials one type of error.
type named struct{ next aws.CredentialsProvider }

// Retrieve asks the provider behind n.
func (n *named) Retrieve(ctx context.Context) (aws.Credentials, error) {
	if n.next == nil {
		return aws.Credentials{}, &credentialsError{errors.New("none were found")}
	}
	creds, err := n.next.Retrieve(ctx)
	if err != nil {
		return creds, &credentialsError{err}
	}
	return creds, nil
}

// retrieve looks credentials up once, at the start, so that it is this that
// fails and not the first call of a run.
func retrieve(ctx context.Context, p aws.CredentialsProvider, a stacks.Access) error {
	_, err := p.Retrieve(ctx)
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return context.Cause(ctx)
	}
	cause := err
	if ce, ok := errors.AsType[*credentialsError](err); ok {
		cause = ce.err
	}
	if e := explainRole(ctx, cause, a); e != nil {
		return e
	}
	return noCredentials(cause, a)
}

// noCredentials says in our words why the SDK's chain came back empty.
func noCredentials(err error, a stacks.Access) error {
	profile := ""
	if a.Profile != "" {
		profile = " --profile " + a.Profile
	}
	if _, ok := errors.AsType[*ssocreds.InvalidTokenError](err); ok || strings.Contains(err.Error(), "SSO") {
		return &ConfigError{What: "no AWS credentials", Why: "the SSO session has ended", Tip: "run aws sso login" + profile, cause: err}
	}
	why := "there are none in the environment, in the AWS config files, or from an instance or container role"
	if text := err.Error(); !strings.Contains(text, "IMDS") && !strings.Contains(text, "ec2imds") {
		why = oneLine(text)
	}
	return &ConfigError{
		What: "no AWS credentials", Why: why,
		Tip:   "run aws configure" + profile + " or aws sso login, or try it without an account: --sandbox",
		cause: err,
	}
}

// loadError says what is wrong with the AWS config files.
func loadError(err error) error {
	if e, ok := errors.AsType[config.SharedConfigProfileNotExistError](err); ok {
		return &ConfigError{
			What: fmt.Sprintf("AWS profile %s does not exist", e.Profile),
			Why:  "it stands neither in the AWS config file nor in the credentials file",
			Tip:  "aws configure list-profiles shows those that do; --sandbox needs none", cause: err,
		}
	}
	return &ConfigError{
		What: "the AWS configuration cannot be read", Why: oneLine(err.Error()),
		Tip: "mend ~/.aws/config or the AWS_ variables, or try it without an account: --sandbox", cause: err,
	}
}

func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
