package cloud

import (
	"context"
	"errors"
	"strings"

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
func (l *Lever) Write(ctx context.Context, text string) error { return l.set(ctx, text, true) }

// Create makes the parameter. One that is there is an error, and stays as it is.
func (l *Lever) Create(ctx context.Context, text string) error {
	err := l.set(ctx, text, false)
	if refused, ok := errors.AsType[*stacks.ServiceError](err); ok && refused.Code == "ParameterAlreadyExists" {
		if held, readErr := l.Read(ctx); readErr == nil && held == text {
			return nil // by us: the answer was lost
		}
	}
	return err
}

func (l *Lever) set(ctx context.Context, text string, over bool) error {
	cfg, err := l.cloud.opts.Config(ctx, l.access)
	if err != nil {
		return err
	}
	_, err = ssm.NewFromConfig(cfg).PutParameter(ctx, &ssm.PutParameterInput{
		Name: &l.name, Value: &text, Type: types.ParameterTypeString, Overwrite: &over,
	})
	if err != nil {
		return explain(ctx, err, awsconf.Call{Service: "SSM", Operation: "PutParameter", Access: l.access, Write: true})
	}
	return nil
}

// Remove takes the parameter away. One that is not there is no error.
func (l *Lever) Remove(ctx context.Context) error {
	cfg, err := l.cloud.opts.Config(ctx, l.access)
	if err != nil {
		return err
	}
	if _, err = ssm.NewFromConfig(cfg).DeleteParameter(ctx, &ssm.DeleteParameterInput{Name: &l.name}); err != nil {
		err = explain(ctx, err, awsconf.Call{Service: "SSM", Operation: "DeleteParameter", Access: l.access, Write: true})
		if refused, ok := errors.AsType[*stacks.ServiceError](err); !ok || refused.Code != "ParameterNotFound" {
			return err
		}
	}
	return nil
}

// Below gives what the parameters right below a path hold, by their last name.
func (c *Cloud) Below(ctx context.Context, a stacks.Access, path string) (map[string]string, error) {
	cfg, err := c.opts.Config(ctx, a)
	if err != nil {
		return nil, err
	}
	out := map[string]string{}
	client := ssm.NewFromConfig(cfg) // no paginator: see volumes
	for token, more := (*string)(nil), true; more; {
		page, err := client.GetParametersByPath(ctx, &ssm.GetParametersByPathInput{Path: &path, WithDecryption: new(true), NextToken: token})
		if err != nil {
			return nil, explain(ctx, err, awsconf.Call{Service: "SSM", Operation: "GetParametersByPath", Access: a})
		}
		for _, p := range page.Parameters {
			out[strings.TrimPrefix(value(p.Name), path+"/")] = value(p.Value)
		}
		token, more = page.NextToken, value(page.NextToken) != ""
	}
	return out, nil
}
