package cfn

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"github.com/deployer-cli/deployer/internal/flow"
	"github.com/deployer-cli/deployer/stacks"
)

// Drift is how far a stack's resources are from its template. Statuses are the
// service's own words.
type Drift struct {
	Status    string // IN_SYNC, DRIFTED, UNKNOWN, NOT_CHECKED
	Reason    string // why it could not be found out in full
	Checked   time.Time
	Resources []DriftedResource
}

// DriftedResource is a resource that is not as its template says. The values
// are not kept: they may be secret.
type DriftedResource struct {
	LogicalID  string
	PhysicalID string
	Type       string
	Status     string   // MODIFIED, DELETED
	Paths      []string // of the properties that differ
}

// DetectDrift has CloudFormation compare a stack with its template, waits, and
// returns what it found. It changes nothing.
func (c *Cloud) DetectDrift(ctx context.Context, a stacks.Access, id string) (Drift, error) {
	started, err := read(ctx, c, query{a, "DetectStackDrift", id}, func(cl *cloudformation.Client) (*cloudformation.DetectStackDriftOutput, error) {
		return cl.DetectStackDrift(ctx, &cloudformation.DetectStackDriftInput{StackName: &id})
	})
	if err != nil {
		return Drift{}, err
	}
	pause := c.opts.PollInterval
	for {
		s, err := read(ctx, c, query{a, "DescribeStackDriftDetectionStatus", id}, func(cl *cloudformation.Client) (*cloudformation.DescribeStackDriftDetectionStatusOutput, error) {
			return cl.DescribeStackDriftDetectionStatus(ctx, &cloudformation.DescribeStackDriftDetectionStatusInput{StackDriftDetectionId: started.StackDriftDetectionId})
		})
		if err != nil {
			return Drift{}, err
		}
		if s.DetectionStatus != types.StackDriftDetectionStatusDetectionInProgress {
			d, err := c.Drift(ctx, a, id)
			d.Status, d.Reason, d.Checked = string(s.StackDriftStatus), str(s.DetectionStatusReason), when(s.Timestamp)
			return d, err
		}
		if err := flow.Pause(ctx, pause); err != nil {
			return Drift{}, err
		}
		pause = c.nextPause(pause, false)
	}
}

// Drift returns what the last detection found.
func (c *Cloud) Drift(ctx context.Context, a stacks.Access, id string) (Drift, error) {
	out := Drift{Status: string(types.StackDriftStatusInSync)}
	var token *string
	for {
		page, err := read(ctx, c, query{a, "DescribeStackResourceDrifts", id}, func(cl *cloudformation.Client) (*cloudformation.DescribeStackResourceDriftsOutput, error) {
			return cl.DescribeStackResourceDrifts(ctx, &cloudformation.DescribeStackResourceDriftsInput{StackName: &id, NextToken: token})
		})
		if err != nil {
			return Drift{}, err
		}
		for i := range page.StackResourceDrifts {
			out.add(&page.StackResourceDrifts[i])
		}
		if token = page.NextToken; str(token) == "" {
			return out, nil
		}
	}
}

func (d *Drift) add(r *types.StackResourceDrift) {
	if at := when(r.Timestamp); at.After(d.Checked) {
		d.Checked = at
	}
	if r.StackResourceDriftStatus != types.StackResourceDriftStatusModified && r.StackResourceDriftStatus != types.StackResourceDriftStatusDeleted {
		return
	}
	d.Status = string(types.StackDriftStatusDrifted)
	out := DriftedResource{
		LogicalID: str(r.LogicalResourceId), PhysicalID: str(r.PhysicalResourceId), Type: str(r.ResourceType),
		Status: string(r.StackResourceDriftStatus),
	}
	for _, p := range r.PropertyDifferences {
		out.Paths = append(out.Paths, str(p.PropertyPath))
	}
	d.Resources = append(d.Resources, out)
}
