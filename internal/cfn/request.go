package cfn

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"github.com/deployer-cli/deployer/stacks"
)

// parts are what creating, updating and proposing have in common.
type parts struct {
	body       *string // or url
	url        *string
	parameters []types.Parameter
	tags       []types.Tag
	deployment *types.DeploymentConfig
}

// prepare makes the common parts of a request. A large template is uploaded
// here, which asks for a clearance of its own.
func (w *Writer) prepare(ctx context.Context, c stacks.Change) (parts, error) {
	p := parts{tags: []types.Tag{}, deployment: deployment(c.Desired.Stack)}
	for _, t := range c.Desired.Tags {
		p.tags = append(p.tags, types.Tag{Key: &t.Key, Value: &t.Value})
	}
	var err error
	if p.parameters, err = parameters(c); err != nil {
		return parts{}, err
	}
	if !NeedsBucket(c.Desired.Body) {
		p.body = new(string(c.Desired.Body))
		return p, nil
	}
	url, err := w.upload(ctx, c)
	if err != nil {
		return parts{}, &stacks.UnsentError{Cause: err}
	}
	p.url = &url
	return p, nil
}

// parameters turns the desired parameters into the service's. One that is to
// stay as it is has a previous value only where there is a stack, and else its
// default, if it has one.
func parameters(c stacks.Change) ([]types.Parameter, error) {
	var out []types.Parameter
	for _, p := range c.Desired.Parameters {
		switch {
		case p.Unknown:
			return nil, &stacks.Problem{
				Pos: c.Desired.Stack.Pos, What: fmt.Sprintf("parameter %s of %s has no value yet", p.Key, c.Desired.Stack.Path),
				Why: "it comes from a stack that is not done",
			}
		case !p.Previous:
			out = append(out, types.Parameter{ParameterKey: &p.Key, ParameterValue: &p.Value})
		case c.StackID != "" && c.Verb != stacks.Create:
			out = append(out, types.Parameter{ParameterKey: &p.Key, UsePreviousValue: new(true)})
		case p.Value != "":
			out = append(out, types.Parameter{ParameterKey: &p.Key, ParameterValue: &p.Value})
		}
	}
	for _, key := range c.KeepParameters {
		if !slices.ContainsFunc(out, func(p types.Parameter) bool { return *p.ParameterKey == key }) {
			out = append(out, types.Parameter{ParameterKey: &key, UsePreviousValue: new(true)})
		}
	}
	return out, nil
}

// upload puts the template where CloudFormation can fetch it. The key is made
// from the content, so that doing it twice does nothing.
func (w *Writer) upload(ctx context.Context, c stacks.Change) (string, error) {
	d := c.Desired
	if d.Bucket == "" || w.cloud.opts.Uploader == nil {
		return "", &TooLargeError{len(d.Body)}
	}
	return w.cloud.opts.Uploader(w.clearance, targetOf(c)).Upload(ctx, d.Bucket, templateKey(d), d.Body)
}

func templateKey(d *stacks.Desired) string {
	sum := sha256.Sum256(d.Body)
	return path.Join(strings.Trim(d.Stack.KeyPrefix, "/"), d.Stack.Name, hex.EncodeToString(sum[:])+".template")
}

// capabilities are always all of them: whoever may launch a template may read
// what it makes, in the plan.
func capabilities() []types.Capability {
	return []types.Capability{types.CapabilityCapabilityIam, types.CapabilityCapabilityNamedIam, types.CapabilityCapabilityAutoExpand}
}

// deployment asks for an express deployment where the environment wants one.
func deployment(st *stacks.Stack) *types.DeploymentConfig {
	if st.Environment == nil || st.Environment.Mode != "express" || st.Environment.SaysProduction() {
		return nil
	}
	return &types.DeploymentConfig{Mode: types.DeploymentConfigModeExpress}
}
