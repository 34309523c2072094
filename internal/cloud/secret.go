package cloud

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/deployer-cli/deployer/internal/awsconf"
	"github.com/deployer-cli/deployer/stacks"
)

// Parameter returns the value of an SSM parameter, decrypted, and whether it is
// secret: a SecureString.
func (c *Cloud) Parameter(ctx context.Context, a stacks.Access, name string) (text string, secret bool, err error) {
	cfg, err := c.opts.Config(ctx, a)
	if err != nil {
		return "", false, err
	}
	out, err := ssm.NewFromConfig(cfg).GetParameter(ctx, &ssm.GetParameterInput{Name: &name, WithDecryption: new(true)})
	if err != nil {
		err = explain(ctx, err, awsconf.Call{Service: "SSM", Operation: "GetParameter", Access: a})
		return "", false, missing(err, "ParameterNotFound", fmt.Sprintf("there is no SSM parameter %s in %s", name, cfg.Region))
	}
	if out.Parameter == nil {
		return "", false, &stacks.ServiceError{Service: "SSM", Operation: "GetParameter", Code: "NoParameter", Message: "the answer holds no parameter"}
	}
	return value(out.Parameter.Value), out.Parameter.Type == types.ParameterTypeSecureString, nil
}

// PlainParameter is an SSM parameter as it reads without decryption.
type PlainParameter struct {
	Value    string // "" where it is secret
	Secret   bool   // a SecureString
	Modified time.Time
}

// Plain reads an SSM parameter, by name or name:version, without decrypting anything.
func (c *Cloud) Plain(ctx context.Context, a stacks.Access, name string) (PlainParameter, error) {
	cfg, err := c.opts.Config(ctx, a)
	if err != nil {
		return PlainParameter{}, err
	}
	out, err := ssm.NewFromConfig(cfg).GetParameter(ctx, &ssm.GetParameterInput{Name: &name})
	if err != nil {
		err = explain(ctx, err, awsconf.Call{Service: "SSM", Operation: "GetParameter", Access: a})
		return PlainParameter{}, missing(err, "ParameterNotFound", fmt.Sprintf("there is no SSM parameter %s in %s", name, cfg.Region))
	}
	p := out.Parameter
	if p == nil || p.LastModifiedDate == nil {
		return PlainParameter{}, &stacks.ServiceError{Service: "SSM", Operation: "GetParameter", Code: "NoParameter", Message: "the answer holds no parameter"}
	}
	if p.Type == types.ParameterTypeSecureString {
		return PlainParameter{Secret: true, Modified: *p.LastModifiedDate}, nil
	}
	return PlainParameter{Value: value(p.Value), Modified: *p.LastModifiedDate}, nil
}

// Secret returns the current value of a secret in Secrets Manager. A binary
// secret is an error: no parameter could hold it.
func (c *Cloud) Secret(ctx context.Context, a stacks.Access, id string) (string, error) {
	cfg, err := c.opts.Config(ctx, a)
	if err != nil {
		return "", err
	}
	out, err := secretsmanager.NewFromConfig(cfg).GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &id})
	if err != nil {
		err = explain(ctx, err, awsconf.Call{Service: "SecretsManager", Operation: "GetSecretValue", Access: a})
		return "", missing(err, "ResourceNotFoundException", fmt.Sprintf("there is no secret %s in %s", id, cfg.Region))
	}
	if out.SecretString == nil {
		return "", &stacks.ServiceError{Service: "SecretsManager", Operation: "GetSecretValue", Code: "BinarySecret", Message: fmt.Sprintf("the secret %s is binary, a string is needed", id)}
	}
	return *out.SecretString, nil
}

// missing names what does not exist, where AWS's own text does not.
func missing(err error, code, message string) error {
	e, ok := awsconf.Answer(err)
	if !ok || e.Code != code {
		return err
	}
	named := *e
	named.Message = message
	named.Tip = "make it, or mend its name, region or account in the config"
	return &named
}

// IsMissing tells whether err says that what was asked for does not exist.
func IsMissing(err error) bool {
	e, ok := errors.AsType[*stacks.ServiceError](err)
	if !ok {
		return false
	}
	switch e.Code {
	case "ParameterNotFound", "ResourceNotFoundException", "NoSuchKey", "NoSuchBucket", "NotFound":
		return true
	}
	return false
}
