package cloud

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/deployer-cli/deployer/internal/awsconf"
	"github.com/deployer-cli/deployer/stacks"
)

// Lever is the off switch of a project's breaks in one account and region: an SSM
// parameter. It reaches no stack, so that it writes without a clearance: anyone
// may stop breaks.
type Lever struct {
	cloud  *Cloud
	access stacks.Access
	name   string
}

// Lever returns the switch that is kept in the parameter of that name.
func (c *Cloud) Lever(a stacks.Access, name string) *Lever {
	return &Lever{cloud: c, access: a, name: name}
}

// Name is the parameter's name.
func (l *Lever) Name() string { return l.name }

// Read gives what the parameter holds. One that does not exist is IsMissing.
func (l *Lever) Read(ctx context.Context) (string, error) {
	text, _, err := l.cloud.Parameter(ctx, l.access, l.name)
	return text, err
}

// Write sets the parameter, whatever it held.
func (l *Lever) Write(ctx context.Context, text string) error {
	cfg, err := l.cloud.opts.Config(ctx, l.access)
	if err != nil {
		return err
	}
	_, err = ssm.NewFromConfig(cfg).PutParameter(ctx, &ssm.PutParameterInput{
		Name: &l.name, Value: &text, Type: types.ParameterTypeString, Overwrite: new(true),
	})
	if err != nil {
		return explain(ctx, err, awsconf.Call{Service: "SSM", Operation: "PutParameter", Access: l.access, Write: true})
	}
	return nil
}
