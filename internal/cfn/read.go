package cfn

import (
	"context"
	"errors"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"github.com/deployer-cli/deployer/internal/awsconf"
	"github.com/deployer-cli/deployer/stacks"
)

// Sweep lists every stack that can be seen with a, newest first. Deleted
// stacks are not among them.
func (c *Cloud) Sweep(ctx context.Context, a stacks.Access) ([]stacks.Live, error) {
	var out []stacks.Live
	err := c.sweep(ctx, a, func(page []seen, _ bool) bool {
		for i := range page {
			out = append(out, page[i].live)
		}
		return true
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// sweep gives the stacks page by page, and whether there are more, until visit has
// enough.
func (c *Cloud) sweep(ctx context.Context, a stacks.Access, visit func(page []seen, more bool) bool) error {
	var token *string
	for {
		page, err := read(ctx, c, query{access: a, operation: "DescribeStacks"}, func(cl *cloudformation.Client) (*cloudformation.DescribeStacksOutput, error) {
			return cl.DescribeStacks(ctx, &cloudformation.DescribeStacksInput{NextToken: token})
		})
		if err != nil {
			return err
		}
		found := make([]seen, 0, len(page.Stacks))
		for i := range page.Stacks {
			found = append(found, describe(&page.Stacks[i]))
		}
		token = page.NextToken
		if !visit(found, str(token) != "") || str(token) == "" {
			return nil
		}
	}
}

// Stack returns one stack by its name or id, else a *stacks.NotFoundError. By
// id a deleted stack is found too.
func (c *Cloud) Stack(ctx context.Context, a stacks.Access, nameOrID string) (stacks.Live, error) {
	s, err := c.stack(ctx, a, nameOrID)
	return s.live, err
}

func (c *Cloud) stack(ctx context.Context, a stacks.Access, nameOrID string) (seen, error) {
	out, err := read(ctx, c, query{a, "DescribeStacks", nameOrID}, func(cl *cloudformation.Client) (*cloudformation.DescribeStacksOutput, error) {
		return cl.DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: &nameOrID})
	})
	if err != nil {
		return seen{}, err
	}
	if len(out.Stacks) == 0 {
		return seen{}, &stacks.NotFoundError{Name: nameOrID}
	}
	return describe(&out.Stacks[0]), nil
}

// Template returns the template of a stack as it was sent, before any macro.
func (c *Cloud) Template(ctx context.Context, a stacks.Access, id string) ([]byte, error) {
	return c.template(ctx, a, id, types.TemplateStageOriginal)
}

// ProcessedTemplate returns the template of a stack as its macros left it.
func (c *Cloud) ProcessedTemplate(ctx context.Context, a stacks.Access, id string) ([]byte, error) {
	return c.template(ctx, a, id, types.TemplateStageProcessed)
}

func (c *Cloud) template(ctx context.Context, a stacks.Access, id string, stage types.TemplateStage) ([]byte, error) {
	out, err := read(ctx, c, query{a, "GetTemplate", id}, func(cl *cloudformation.Client) (*cloudformation.GetTemplateOutput, error) {
		return cl.GetTemplate(ctx, &cloudformation.GetTemplateInput{StackName: &id, TemplateStage: stage})
	})
	if err != nil {
		return nil, err
	}
	return []byte(str(out.TemplateBody)), nil
}

// Policy returns a stack's policy, nil when it has none.
func (c *Cloud) Policy(ctx context.Context, a stacks.Access, id string) ([]byte, error) {
	out, err := read(ctx, c, query{a, "GetStackPolicy", id}, func(cl *cloudformation.Client) (*cloudformation.GetStackPolicyOutput, error) {
		return cl.GetStackPolicy(ctx, &cloudformation.GetStackPolicyInput{StackName: &id})
	})
	if err != nil || str(out.StackPolicyBody) == "" {
		return nil, err
	}
	return []byte(*out.StackPolicyBody), nil
}

// Resources lists the resources of a stack, in CloudFormation's order.
func (c *Cloud) Resources(ctx context.Context, a stacks.Access, id string) ([]stacks.Resource, error) {
	var out []stacks.Resource
	var token *string
	for {
		page, err := read(ctx, c, query{a, "ListStackResources", id}, func(cl *cloudformation.Client) (*cloudformation.ListStackResourcesOutput, error) {
			return cl.ListStackResources(ctx, &cloudformation.ListStackResourcesInput{StackName: &id, NextToken: token})
		})
		if err != nil {
			return nil, err
		}
		for _, r := range page.StackResourceSummaries {
			out = append(out, stacks.Resource{
				LogicalID: str(r.LogicalResourceId), PhysicalID: str(r.PhysicalResourceId), Type: str(r.ResourceType),
				Status: string(r.ResourceStatus), Reason: strings.TrimSpace(str(r.ResourceStatusReason)), Updated: when(r.LastUpdatedTimestamp),
			})
		}
		if token = page.NextToken; str(token) == "" {
			return out, nil
		}
	}
}

// Exports lists everything that is exported where a leads to.
func (c *Cloud) Exports(ctx context.Context, a stacks.Access) ([]stacks.Export, error) {
	var out []stacks.Export
	var token *string
	for {
		page, err := read(ctx, c, query{access: a, operation: "ListExports"}, func(cl *cloudformation.Client) (*cloudformation.ListExportsOutput, error) {
			return cl.ListExports(ctx, &cloudformation.ListExportsInput{NextToken: token})
		})
		if err != nil {
			return nil, err
		}
		for _, e := range page.Exports {
			out = append(out, stacks.Export{Name: str(e.Name), Value: str(e.Value), StackID: str(e.ExportingStackId)})
		}
		if token = page.NextToken; str(token) == "" {
			return out, nil
		}
	}
}

// Imports names the stacks that import an export. None is an answer; that it
// could not be found out is an error.
func (c *Cloud) Imports(ctx context.Context, a stacks.Access, export string) ([]string, error) {
	var out []string
	var token *string
	for {
		page, err := read(ctx, c, query{access: a, operation: "ListImports"}, func(cl *cloudformation.Client) (*cloudformation.ListImportsOutput, error) {
			return cl.ListImports(ctx, &cloudformation.ListImportsInput{ExportName: &export, NextToken: token})
		})
		if e, ok := errors.AsType[*stacks.ServiceError](err); ok && strings.Contains(e.Message, "is not imported by any stack") {
			return nil, nil
		}
		if err != nil && c.opts.Realm == stacks.RealmEndpoint && !awsconf.IsCredentials(err) && !awsconf.IsDenied(err) {
			return c.importers(ctx, a, export, err)
		}
		if err != nil {
			return nil, err
		}
		out = append(out, page.Imports...)
		if token = page.NextToken; str(token) == "" {
			return out, nil
		}
	}
}

// Output returns the value of one output of a stack.
func (c *Cloud) Output(ctx context.Context, a stacks.Access, name, key string) (string, error) {
	l, err := c.Stack(ctx, a, name)
	if err != nil {
		return "", err
	}
	if v, ok := l.Output(key); ok {
		return v, nil
	}
	e := &NoOutputError{Stack: name, Key: key, Status: l.Status}
	for _, o := range l.Outputs {
		e.Have = append(e.Have, o.Key)
	}
	return "", e
}

// ExternalOutput is Output for stacks that are no part of the project.
func (c *Cloud) ExternalOutput(ctx context.Context, a stacks.Access, stack, key string) (string, error) {
	return c.Output(ctx, a, stack, key)
}

// ProposedTemplate returns the template of a change set, as it was given.
func (c *Cloud) ProposedTemplate(ctx context.Context, a stacks.Access, stackID, changeSet string) ([]byte, error) {
	out, err := read(ctx, c, query{a, "GetTemplate", stackID}, func(cl *cloudformation.Client) (*cloudformation.GetTemplateOutput, error) {
		return cl.GetTemplate(ctx, &cloudformation.GetTemplateInput{StackName: &stackID, ChangeSetName: &changeSet, TemplateStage: types.TemplateStageOriginal})
	})
	if err != nil {
		return nil, err
	}
	return []byte(str(out.TemplateBody)), nil
}
