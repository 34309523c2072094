package inject

import (
	"context"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/deployer-cli/deployer/internal/flow"
	"github.com/deployer-cli/deployer/stacks"
)

const serviceEC2 = "EC2"

// tagGroup is the tag by which Auto Scaling marks a group's instances.
const tagGroup = "aws:autoscaling:groupName"

// instancesBefore is how an instance, or a group's instances, were.
type instancesBefore struct {
	Running []string `json:"running"` // ids
}

// machines lists the instances that an injection is about, those that are
// terminated left out.
func (i *Injector) machines(ctx context.Context, in stacks.Injection) ([]types.Instance, error) {
	by := types.Filter{Name: new("instance-id"), Values: []string{in.PhysicalID}}
	if in.Type == typeGroup {
		by.Name = new("tag:" + tagGroup)
	}
	var out []types.Instance
	var token *string
	for {
		page, err := ask(ctx, i, query{serviceEC2, "DescribeInstances", in.Access}, func(cfg aws.Config) (*ec2.DescribeInstancesOutput, error) {
			return newEC2(cfg).DescribeInstances(ctx, &ec2.DescribeInstancesInput{Filters: []types.Filter{by}, NextToken: token})
		})
		if err != nil {
			return nil, err
		}
		for _, r := range page.Reservations {
			out = append(out, r.Instances...)
		}
		if token = page.NextToken; aws.ToString(token) == "" {
			break
		}
	}
	return slices.DeleteFunc(out, func(m types.Instance) bool { return stateOf(m) == types.InstanceStateNameTerminated }), nil
}

func stateOf(m types.Instance) types.InstanceStateName {
	if m.State == nil {
		return ""
	}
	return m.State.Name
}

func inState(all []types.Instance, states ...types.InstanceStateName) []string {
	var out []string
	for _, m := range all {
		if slices.Contains(states, stateOf(m)) {
			out = append(out, aws.ToString(m.InstanceId))
		}
	}
	slices.Sort(out)
	return out
}

func (i *Injector) captureInstances(ctx context.Context, in stacks.Injection) (any, error) {
	all, err := i.machines(ctx, in)
	if err != nil {
		return nil, err
	}
	running := inState(all, types.InstanceStateNameRunning)
	if len(running) == 0 {
		return nil, unsuitable(in, "no instance of it runs")
	}
	for _, m := range all {
		id := aws.ToString(m.InstanceId)
		switch {
		case !slices.Contains(running, id):
		case m.RootDeviceType == types.DeviceTypeInstanceStore:
			return nil, unsuitable(in, "the root device of "+id+" is an instance store, so that it cannot be stopped")
		case m.InstanceLifecycle == types.InstanceLifecycleTypeSpot && in.Type == typeInstance:
			return nil, unsuitable(in, id+" is a spot instance, which may not start again")
		}
	}
	return instancesBefore{running}, nil
}

func (i *Injector) checkInstances(ctx context.Context, in stacks.Injection) (stacks.Condition, error) {
	was, err := before[instancesBefore](in)
	if err != nil {
		return "", err
	}
	all, err := i.machines(ctx, in)
	if err != nil {
		return "", err
	}
	running := len(inState(all, types.InstanceStateNameRunning))
	moving := len(inState(all, types.InstanceStateNamePending, types.InstanceStateNameStopping, types.InstanceStateNameShuttingDown))
	switch {
	case running >= len(was.Running):
		return stacks.Whole, nil
	case running+moving == 0:
		return stacks.Broken, nil
	}
	return stacks.Between, nil
}

// stopInstances stops what ran when it was captured.
func (w *Writer) stopInstances(ctx context.Context, in stacks.Injection) error {
	was, err := before[instancesBefore](in)
	if err != nil {
		return err
	}
	all, err := w.injector.machines(ctx, in)
	if err != nil {
		return err
	}
	ids := both(was.Running, inState(all, types.InstanceStateNameRunning, types.InstanceStateNamePending))
	if len(ids) == 0 {
		return nil
	}
	return w.do(ctx, write{stacks.Inject, serviceEC2, "StopInstances", in, func(ctx context.Context, cfg aws.Config) error {
		_, err := newEC2(cfg).StopInstances(ctx, &ec2.StopInstancesInput{InstanceIds: ids})
		return err
	}})
}

// startInstances starts what ran when it was captured and is stopped. One that is
// still stopping is waited for. What a group has replaced stays replaced.
func (w *Writer) startInstances(ctx context.Context, in stacks.Injection) error {
	was, err := before[instancesBefore](in)
	if err != nil {
		return err
	}
	var all []types.Instance
	for {
		if all, err = w.injector.machines(ctx, in); err != nil {
			return err
		}
		if len(both(was.Running, inState(all, types.InstanceStateNameStopping))) == 0 {
			break
		}
		if err := flow.Pause(ctx, w.injector.opts.PollInterval); err != nil {
			return fmt.Errorf("waiting for the instances of %s to have stopped: %w", in.LogicalID, err)
		}
	}
	if len(all) == 0 && in.Type == typeInstance {
		return &stacks.ServiceError{
			Service: serviceEC2, Operation: "StartInstances", Code: "InvalidInstanceID.NotFound", Message: in.PhysicalID + " is terminated",
			Tip: "execute a change set that reverts the stack's drift",
		}
	}
	ids := both(was.Running, inState(all, types.InstanceStateNameStopped))
	if len(ids) == 0 {
		return nil
	}
	return w.do(ctx, write{stacks.Restore, serviceEC2, "StartInstances", in, func(ctx context.Context, cfg aws.Config) error {
		_, err := newEC2(cfg).StartInstances(ctx, &ec2.StartInstancesInput{InstanceIds: ids})
		return err
	}})
}

// both lists what is in both.
func both(a, b []string) []string {
	var out []string
	for _, s := range a {
		if slices.Contains(b, s) {
			out = append(out, s)
		}
	}
	return out
}

func newEC2(cfg aws.Config) *ec2.Client { return ec2.NewFromConfig(cfg) }
