package cloud

import (
	"context"

	"github.com/deployer-cli/deployer/internal/awsconf"
	"github.com/deployer-cli/deployer/stacks"
)

// Environ gives the variables with which a program reaches AWS as a says:
// region and credentials, as they are now. They go to programs that the project
// names, and nowhere else.
func (c *Cloud) Environ(ctx context.Context, a stacks.Access) (map[string]string, error) {
	cfg, err := c.opts.Config(ctx, a)
	if err != nil {
		return nil, err
	}
	out := map[string]string{"AWS_REGION": cfg.Region, "AWS_DEFAULT_REGION": cfg.Region}
	if cfg.Credentials == nil {
		return out, nil
	}
	keys, err := cfg.Credentials.Retrieve(ctx)
	if err != nil {
		return nil, explain(ctx, err, awsconf.Call{Service: "STS", Operation: "GetCredentials", Access: a})
	}
	out["AWS_ACCESS_KEY_ID"], out["AWS_SECRET_ACCESS_KEY"] = keys.AccessKeyID, keys.SecretAccessKey
	if keys.SessionToken != "" {
		out["AWS_SESSION_TOKEN"] = keys.SessionToken
	}
	return out, nil
}
