package cloud

import (
	"context"
	"encoding/xml"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/deployer-cli/deployer/internal/awsconf"
	"github.com/deployer-cli/deployer/internal/flow"
	"github.com/deployer-cli/deployer/stacks"
)

// Snapshot is a snapshot of a database or a volume.
type Snapshot struct {
	Name  string // as a template names it
	At    time.Time
	Ready bool // it can be restored from
}

// snapshotTries is how often a listing is asked for that fails for a reason that
// may pass.
const snapshotTries = 4

// Snapshots lists the snapshots that were made of a resource, oldest first: of the
// types of which recovery knows how to find them, others are an error.
// CloudFormation does not tell what it called the one that a deletion policy asks
// for, so that the service of the resource is asked.
func (c *Cloud) Snapshots(ctx context.Context, a stacks.Access, resourceType, physicalID string) ([]Snapshot, error) {
	var out []Snapshot
	var err error
	switch resourceType {
	case "AWS::RDS::DBInstance":
		out, err = c.databases(ctx, a, "DescribeDBSnapshots", "DBInstanceIdentifier", physicalID)
	case "AWS::RDS::DBCluster":
		out, err = c.databases(ctx, a, "DescribeDBClusterSnapshots", "DBClusterIdentifier", physicalID)
	case "AWS::EC2::Volume":
		out, err = c.volumes(ctx, a, physicalID)
	default:
		err = fmt.Errorf("how a snapshot of a %s is found is not known here", resourceType)
	}
	slices.SortStableFunc(out, func(a, b Snapshot) int { return a.At.Compare(b.At) })
	return out, err
}

func (c *Cloud) volumes(ctx context.Context, a stacks.Access, id string) ([]Snapshot, error) {
	cfg, err := c.opts.Config(ctx, a)
	if err != nil {
		return nil, err
	}
	var out []Snapshot
	// No paginator: it takes the client as an interface, and the linker then keeps all of
	// EC2's seven hundred calls, 50 MiB of them.
	client := ec2.NewFromConfig(cfg)
	for token, more := (*string)(nil), true; more; {
		page, err := client.DescribeSnapshots(ctx, &ec2.DescribeSnapshotsInput{
			Filters: []ec2types.Filter{{Name: new("volume-id"), Values: []string{id}}}, NextToken: token,
		})
		if err != nil {
			return nil, explain(ctx, err, awsconf.Call{Service: "EC2", Operation: "DescribeSnapshots", Access: a})
		}
		for _, s := range page.Snapshots {
			one := Snapshot{Ready: s.State == ec2types.SnapshotStateCompleted}
			if s.SnapshotId != nil && s.StartTime != nil {
				one.Name, one.At = *s.SnapshotId, s.StartTime.UTC()
				out = append(out, one)
			}
		}
		token, more = page.NextToken, value(page.NextToken) != ""
	}
	return out, nil
}

// snapshotPage is a page of what RDS answers for instances and for clusters.
type snapshotPage struct {
	Instances []rdsSnapshot `xml:"DescribeDBSnapshotsResult>DBSnapshots>DBSnapshot"`
	Clusters  []rdsSnapshot `xml:"DescribeDBClusterSnapshotsResult>DBClusterSnapshots>DBClusterSnapshot"`
	More      string        `xml:"DescribeDBSnapshotsResult>Marker"`
	MoreOf    string        `xml:"DescribeDBClusterSnapshotsResult>Marker"`
}

type rdsSnapshot struct {
	Instance string    `xml:"DBSnapshotIdentifier"`
	Cluster  string    `xml:"DBClusterSnapshotIdentifier"`
	Created  time.Time `xml:"SnapshotCreateTime"`
	Status   string    `xml:"Status"`
}

func (c *Cloud) databases(ctx context.Context, a stacks.Access, action, property, id string) ([]Snapshot, error) {
	cfg, err := c.opts.Config(ctx, a)
	if err != nil {
		return nil, err
	}
	form := url.Values{"Action": {action}, "Version": {"2014-10-31"}, property: {id}, "SnapshotType": {"manual"}}
	var out []Snapshot
	for {
		body, err := c.patiently(ctx, a, func() (int, []byte, error) { return queryService{"rds", "RDS"}.send(ctx, cfg, form.Encode()) }, action)
		if err != nil {
			return nil, err
		}
		var page snapshotPage
		if err := xml.Unmarshal(body, &page); err != nil {
			return nil, fmt.Errorf("the answer of RDS cannot be read: %w", err)
		}
		for _, s := range append(page.Instances, page.Clusters...) {
			out = append(out, Snapshot{Name: s.Instance + s.Cluster, At: s.Created.UTC(), Ready: s.Status == "available"})
		}
		if form.Set("Marker", page.More+page.MoreOf); form.Get("Marker") == "" {
			return out, nil
		}
	}
}

// patiently makes a call that reads, again while that may help.
func (c *Cloud) patiently(ctx context.Context, a stacks.Access, call func() (int, []byte, error), operation string) ([]byte, error) {
	for try := 1; ; try++ {
		status, body, err := call()
		if err == nil {
			return body, nil
		}
		if try == snapshotTries || (status != 0 && status < http.StatusInternalServerError && !throttled(err)) {
			return nil, explain(ctx, err, awsconf.Call{Service: "RDS", Operation: operation, Access: a})
		}
		if err := flow.Pause(ctx, time.Duration(try*try)*300*time.Millisecond); err != nil {
			return nil, err
		}
	}
}
