package cloud

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/deployer-cli/deployer/internal/awsconf"
	"github.com/deployer-cli/deployer/stacks"
)

// ProveMFA shows STS a code of a person's MFA device. The credentials that come
// back are thrown away: that they came is the proof.
func (c *Cloud) ProveMFA(ctx context.Context, a stacks.Access, serial, code string) error {
	cfg, err := c.opts.Config(ctx, a)
	if err != nil {
		return err
	}
	_, err = sts.NewFromConfig(cfg).GetSessionToken(ctx, &sts.GetSessionTokenInput{
		SerialNumber: &serial, TokenCode: &code, DurationSeconds: new(int32(900)),
	})
	return explain(ctx, err, awsconf.Call{Service: "STS", Operation: "GetSessionToken", Access: a})
}
