package inject

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"

	"github.com/deployer-cli/deployer/internal/awsconf"
	"github.com/deployer-cli/deployer/stacks"
)

// Capture reads how the resource of an injection is and returns the injection
// with that in Before. What was captured once stays: after the deed the truth is
// in what was written. A resource that is broken already, or that could not be put
// back, is an *UnsuitableError.
func (i *Injector) Capture(ctx context.Context, in stacks.Injection) (stacks.Injection, error) {
	if len(in.Before) > 0 {
		return in, nil
	}
	found, err := i.capture(ctx, in)
	if err != nil {
		return in, err
	}
	raw, err := json.Marshal(found)
	if err != nil {
		return in, fmt.Errorf("write down how %s in %s is: %w", in.LogicalID, in.Stack, err)
	}
	in.Before = raw
	return in, nil
}

func (i *Injector) capture(ctx context.Context, in stacks.Injection) (any, error) {
	switch in.Kind {
	case DeleteResource:
		return i.captureResource(ctx, in)
	case StopInstances:
		return i.captureInstances(ctx, in)
	case RevokeIngress:
		return i.captureRules(ctx, in)
	case LambdaZero:
		return i.captureFunction(ctx, in)
	case DisableRule:
		return i.captureRule(ctx, in)
	}
	return nil, noKind(in)
}

// Check says how the resource of an injection looks now, compared with Before.
// It follows the logical id: where the stack has made the resource anew, it is
// the new one that is looked at.
func (i *Injector) Check(ctx context.Context, in stacks.Injection) (stacks.Condition, error) {
	now, err := i.current(ctx, in)
	switch {
	case err != nil:
		return "", err
	case now.physical == "":
		return stacks.Broken, nil
	case strings.HasSuffix(now.status, "_IN_PROGRESS"):
		return stacks.Between, nil
	}
	in.PhysicalID, now.physical = now.physical, in.PhysicalID
	switch in.Kind {
	case DeleteResource:
		return i.checkResource(ctx, in)
	case StopInstances:
		return i.checkInstances(ctx, in)
	case RevokeIngress:
		return i.checkRules(ctx, in, now.physical)
	case LambdaZero:
		return i.checkFunction(ctx, in)
	case DisableRule:
		return i.checkRule(ctx, in)
	}
	return "", noKind(in)
}

// Change is something of a resource that is neither as it was captured nor as the
// break left it: somebody set it since.
type Change struct {
	What    string // such as "reserved concurrency"
	Was, Is string // as captured, and now
}

// Changed tells what of an injection's resource somebody has set since it was
// broken. Undo leaves that as it is. A resource that its stack has made anew, and
// one that is as it was or as the break left it, has none.
func (i *Injector) Changed(ctx context.Context, in stacks.Injection) ([]Change, error) {
	if now, err := i.current(ctx, in); err != nil || now.physical != in.PhysicalID {
		return nil, err
	}
	switch in.Kind {
	case RevokeIngress:
		return i.changedRules(ctx, in)
	case LambdaZero:
		return i.changedFunction(ctx, in)
	case DisableRule:
		return i.changedRule(ctx, in)
	}
	return nil, nil // there is, or runs, or not
}

// Anew says, of an injection's resource that may look whole, how it is another than
// the one captured: its stack has made it anew, or somebody has set it, or put its rules
// back, since; "" where it is neither.
func (i *Injector) Anew(ctx context.Context, in stacks.Injection) (string, error) {
	now, err := i.current(ctx, in)
	switch {
	case err != nil:
		return "", err
	case now.physical == "":
		return "", nil
	case now.physical != in.PhysicalID:
		return fmt.Sprintf("%s is %s now, and was %s", in.LogicalID, now.physical, in.PhysicalID), nil
	}
	changes, err := i.Changed(ctx, in)
	if err == nil && len(changes) == 0 && in.Kind == RevokeIngress {
		return i.rulesAgain(ctx, in)
	}
	if err != nil || len(changes) == 0 {
		return "", err
	}
	c := changes[0]
	return fmt.Sprintf("somebody has set %s of %s to %s since (it was %s)", c.What, in.LogicalID, c.Is, c.Was), nil
}

// named is what a stack has under a logical id.
type named struct {
	physical string // "" where there is none
	status   string
}

// current asks CloudFormation what the injection's stack has under its logical id.
func (i *Injector) current(ctx context.Context, in stacks.Injection) (named, error) {
	q := query{"CloudFormation", "DescribeStackResource", in.Access}
	out, err := ask(ctx, i, q, func(cfg aws.Config) (*cloudformation.DescribeStackResourceOutput, error) {
		return newCloudFormation(cfg).DescribeStackResource(ctx, &cloudformation.DescribeStackResourceInput{StackName: &in.StackID, LogicalResourceId: &in.LogicalID})
	})
	if answer, ok := awsconf.Answer(err); ok && answer.Code == "ValidationError" && strings.Contains(answer.Message, "does not exist") {
		return named{}, nil
	}
	if err != nil || out.StackResourceDetail == nil {
		return named{}, err
	}
	d := out.StackResourceDetail
	if strings.HasPrefix(string(d.ResourceStatus), "DELETE_COMPLETE") {
		return named{}, nil
	}
	return named{physical: aws.ToString(d.PhysicalResourceId), status: string(d.ResourceStatus)}, nil
}

func newCloudFormation(cfg aws.Config) *cloudformation.Client {
	return cloudformation.NewFromConfig(cfg)
}

// ingressResources lists the physical ids of the stack's rules that are resources
// of their own.
func (i *Injector) ingressResources(ctx context.Context, in stacks.Injection) ([]string, error) {
	var out []string
	var token *string
	for {
		page, err := ask(ctx, i, query{"CloudFormation", "ListStackResources", in.Access}, func(cfg aws.Config) (*cloudformation.ListStackResourcesOutput, error) {
			return newCloudFormation(cfg).ListStackResources(ctx, &cloudformation.ListStackResourcesInput{StackName: &in.StackID, NextToken: token})
		})
		if err != nil {
			return nil, err
		}
		for _, r := range page.StackResourceSummaries {
			if aws.ToString(r.ResourceType) == typeIngress {
				out = append(out, aws.ToString(r.PhysicalResourceId))
			}
		}
		if token = page.NextToken; aws.ToString(token) == "" {
			return out, nil
		}
	}
}

// unsuitable says why an injection cannot be made.
func unsuitable(in stacks.Injection, why string) error {
	return &UnsuitableError{Kind: in.Kind, Path: in.Stack, Why: in.LogicalID + ": " + why, Tip: "choose another resource, or put this one right first"}
}

// gone tells whether err says that what was asked about is not there.
func gone(err error) bool {
	return hasCode(err, "ResourceNotFoundException", "InvalidInstanceID.NotFound", "InvalidGroup.NotFound")
}

// hasCode tells whether err is a plain answer with one of the codes.
func hasCode(err error, codes ...string) bool {
	e, ok := awsconf.Answer(err)
	return ok && slices.Contains(codes, e.Code)
}
