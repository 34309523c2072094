package cloud

import (
	"context"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/deployer-cli/deployer/internal/awsconf"
	"github.com/deployer-cli/deployer/stacks"
)

// AlarmState gives the state of an alarm of CloudWatch, metric or composite, and
// since when it has been in it: OK, ALARM or INSUFFICIENT_DATA; "" where there is
// no alarm of that name. An ARN may stand for the name, and brings its region.
func (c *Cloud) AlarmState(ctx context.Context, a stacks.Access, name string) (state string, since time.Time, err error) {
	if region, rest, ok := fromARN(name, "cloudwatch"); ok {
		a.Region, name = region, strings.TrimPrefix(rest, "alarm:")
	}
	cfg, err := c.opts.Config(ctx, a)
	if err != nil {
		return "", time.Time{}, err
	}
	out, err := cloudwatch.NewFromConfig(cfg).DescribeAlarms(ctx, &cloudwatch.DescribeAlarmsInput{
		AlarmNames: []string{name}, AlarmTypes: []types.AlarmType{types.AlarmTypeMetricAlarm, types.AlarmTypeCompositeAlarm},
	})
	if err != nil {
		return "", time.Time{}, explain(ctx, err, awsconf.Call{Service: "CloudWatch", Operation: "DescribeAlarms", Access: a})
	}
	for _, m := range out.MetricAlarms {
		return string(m.StateValue), latest(m.StateTransitionedTimestamp, m.StateUpdatedTimestamp), nil
	}
	for _, m := range out.CompositeAlarms {
		return string(m.StateValue), latest(m.StateTransitionedTimestamp, m.StateUpdatedTimestamp), nil
	}
	return "", time.Time{}, nil
}

// latest is when an alarm came into its state: when that changed, else when
// anything about it last did.
func latest(changed, updated *time.Time) time.Time {
	for _, t := range []*time.Time{changed, updated} {
		if t != nil {
			return t.UTC()
		}
	}
	return time.Time{}
}

// fromARN takes region and resource out of an ARN of a service.
func fromARN(text, service string) (region, resource string, ok bool) {
	parts := strings.SplitN(text, ":", 6)
	if len(parts) < 6 || parts[0] != "arn" || parts[2] != service || parts[3] == "" {
		return "", "", false
	}
	return parts[3], parts[5], true
}
