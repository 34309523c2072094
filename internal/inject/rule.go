package inject

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"github.com/deployer-cli/deployer/stacks"
)

const serviceEvents = "EventBridge"

// ruleBefore is how a rule was.
type ruleBefore struct {
	State string `json:"state"`
}

// ruleName takes a rule's physical id apart: a name, bus|name, or an ARN with
// :rule/name or :rule/bus/name. The bus is nil for the default one.
func ruleName(physical string) (name, bus *string) {
	rest, between := physical, "|"
	if _, resource, ok := strings.Cut(physical, ":rule/"); ok && strings.HasPrefix(physical, "arn:") {
		rest, between = resource, "/" // a partner's bus has slashes of its own, a rule has none
	}
	if i := strings.LastIndex(rest, between); i >= 0 {
		first, last := rest[:i], rest[i+1:]
		return &last, &first
	}
	return &rest, nil
}

func (i *Injector) rule(ctx context.Context, in stacks.Injection) (*eventbridge.DescribeRuleOutput, error) {
	name, bus := ruleName(in.PhysicalID)
	return ask(ctx, i, query{serviceEvents, "DescribeRule", in.Access}, func(cfg aws.Config) (*eventbridge.DescribeRuleOutput, error) {
		return newEventBridge(cfg).DescribeRule(ctx, &eventbridge.DescribeRuleInput{Name: name, EventBusName: bus})
	})
}

func (i *Injector) captureRule(ctx context.Context, in stacks.Injection) (any, error) {
	r, err := i.rule(ctx, in)
	if err != nil {
		return nil, err
	}
	switch {
	case r.ManagedBy != nil && *r.ManagedBy != "":
		return nil, unsuitable(in, "it is managed by "+*r.ManagedBy)
	case r.State == types.RuleStateDisabled:
		return nil, unsuitable(in, "it is disabled already")
	case r.State != types.RuleStateEnabled:
		return nil, unsuitable(in, "enabling it again would not make it "+string(r.State))
	}
	return ruleBefore{string(r.State)}, nil
}

func (i *Injector) checkRule(ctx context.Context, in stacks.Injection) (stacks.Condition, error) {
	if _, err := before[ruleBefore](in); err != nil {
		return "", err
	}
	r, err := i.rule(ctx, in)
	switch {
	case gone(err):
		return stacks.Broken, nil
	case err != nil:
		return "", err
	case r.State == types.RuleStateDisabled:
		return stacks.Broken, nil
	}
	return stacks.Whole, nil // as it was, or in a state that somebody put it in since
}

// changedRule tells in which state somebody put a rule since.
func (i *Injector) changedRule(ctx context.Context, in stacks.Injection) ([]Change, error) {
	was, err := before[ruleBefore](in)
	if err != nil {
		return nil, err
	}
	r, err := i.rule(ctx, in)
	if gone(err) || err == nil && (r.State == types.RuleStateDisabled || string(r.State) == was.State) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return []Change{{What: "state", Was: was.State, Is: string(r.State)}}, nil
}

func (w *Writer) disableRule(ctx context.Context, in stacks.Injection) error {
	name, bus := ruleName(in.PhysicalID)
	return w.do(ctx, write{stacks.Inject, serviceEvents, "DisableRule", in, func(ctx context.Context, cfg aws.Config) error {
		_, err := newEventBridge(cfg).DisableRule(ctx, &eventbridge.DisableRuleInput{Name: name, EventBusName: bus})
		return err
	}})
}

func (w *Writer) enableRule(ctx context.Context, in stacks.Injection) error {
	if _, err := before[ruleBefore](in); err != nil {
		return err
	}
	r, err := w.injector.rule(ctx, in)
	if err != nil || r.State != types.RuleStateDisabled {
		return err // the state that it is in somebody put it in
	}
	name, bus := ruleName(in.PhysicalID)
	return w.do(ctx, write{stacks.Restore, serviceEvents, "EnableRule", in, func(ctx context.Context, cfg aws.Config) error {
		_, err := newEventBridge(cfg).EnableRule(ctx, &eventbridge.EnableRuleInput{Name: name, EventBusName: bus})
		return err
	}})
}

func newEventBridge(cfg aws.Config) *eventbridge.Client { return eventbridge.NewFromConfig(cfg) }
