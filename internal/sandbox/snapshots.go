package sandbox

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/deployer-cli/deployer/internal/sandbox/engine"
	"github.com/deployer-cli/deployer/internal/sandbox/store"
)

const tableSnapshot = "snapshot"

// snapshotRecord is a snapshot that a deletion left, as DeletionPolicy: Snapshot
// asks for.
type snapshotRecord struct {
	Name   string    `json:"name"`
	Type   string    `json:"type"` // of what it is a snapshot of
	Source string    `json:"source"`
	At     time.Time `json:"at"`
}

// databaseService is RDS as far as its snapshots can be listed.
func databaseService() service {
	return service{
		"DescribeDBSnapshots":        reads(describeDBSnapshots),
		"DescribeDBClusterSnapshots": reads(describeDBClusterSnapshots),
	}
}

type (
	dbSnapshotsInput struct{ DBInstanceIdentifier, DBClusterIdentifier, SnapshotType, Marker string }
	dbSnapshotItem   struct {
		DBSnapshotIdentifier, DBInstanceIdentifier string
		SnapshotCreateTime                         time.Time
		Status, SnapshotType                       string
	}
	dbClusterSnapshotItem struct {
		DBClusterSnapshotIdentifier, DBClusterIdentifier string
		SnapshotCreateTime                               time.Time
		Status, SnapshotType                             string
	}
	dbSnapshotsOutput struct {
		DBSnapshots struct {
			DBSnapshot []dbSnapshotItem `wire:"flat"`
		} `wire:"always"`
	}
	dbClusterSnapshotsOutput struct {
		DBClusterSnapshots struct {
			DBClusterSnapshot []dbClusterSnapshotItem `wire:"flat"`
		} `wire:"always"`
	}
	volumeSnapshotsInput struct {
		SnapshotId []string
		Filter     []filter
		NextToken  string
	}
	volumeSnapshotItem   struct{ SnapshotId, VolumeId, Status, StartTime string }
	volumeSnapshotOutput struct{ SnapshotSet []volumeSnapshotItem }
)

// snapshotted keeps what a deletion left.
func (s *Server) snapshotted(tx engine.Tx, m engine.Made, name string) error {
	if m.Type == "AWS::EC2::Volume" {
		name = "snap-0" + strings.ReplaceAll(s.id("snapshot", m.StackID, m.Physical), "-", "")[:16]
	}
	return putJSON(tx, tableSnapshot, place(m.Account)+name, snapshotRecord{name, m.Type, m.Physical, m.At})
}

// snapshots lists those of a type, oldest first; source "" for all.
func (s *Server) snapshots(tx engine.Tx, a engine.Account, kind, source string) ([]snapshotRecord, error) {
	var out []snapshotRecord
	var bad error
	err := tx.Scan(tableSnapshot, place(a), "", func(_ string, value []byte) bool {
		var r snapshotRecord
		if bad = json.Unmarshal(value, &r); bad != nil {
			return false
		}
		if r.Type == kind && (source == "" || r.Source == source) {
			out = append(out, r)
		}
		return true
	})
	slices.SortStableFunc(out, func(a, b snapshotRecord) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Name, b.Name)) })
	return out, cmp.Or(err, bad)
}

func describeDBSnapshots(s *Server, tx store.Tx, c *call, in *dbSnapshotsInput) (*dbSnapshotsOutput, error) {
	out := &dbSnapshotsOutput{}
	list, err := s.snapshots(tx, c.account(), "AWS::RDS::DBInstance", in.DBInstanceIdentifier)
	for _, r := range list {
		out.DBSnapshots.DBSnapshot = append(out.DBSnapshots.DBSnapshot, dbSnapshotItem{r.Name, r.Source, r.At, "available", "manual"})
	}
	return out, err
}

func describeDBClusterSnapshots(s *Server, tx store.Tx, c *call, in *dbSnapshotsInput) (*dbClusterSnapshotsOutput, error) {
	out := &dbClusterSnapshotsOutput{}
	list, err := s.snapshots(tx, c.account(), "AWS::RDS::DBCluster", in.DBClusterIdentifier)
	for _, r := range list {
		out.DBClusterSnapshots.DBClusterSnapshot = append(out.DBClusterSnapshots.DBClusterSnapshot, dbClusterSnapshotItem{r.Name, r.Source, r.At, "available", "manual"})
	}
	return out, err
}

func describeVolumeSnapshots(s *Server, tx store.Tx, c *call, in *volumeSnapshotsInput) (*volumeSnapshotOutput, error) {
	out := &volumeSnapshotOutput{}
	list, err := s.snapshots(tx, c.account(), "AWS::EC2::Volume", "")
	for _, r := range list {
		fits := len(in.SnapshotId) == 0 || slices.Contains(in.SnapshotId, r.Name)
		for _, f := range in.Filter {
			if f.Name != "volume-id" {
				return nil, invalid("InvalidParameterValue", "The filter '%s' is invalid", f.Name)
			}
			fits = fits && slices.Contains(f.Value, r.Source)
		}
		if fits {
			out.SnapshotSet = append(out.SnapshotSet, volumeSnapshotItem{r.Name, r.Source, "completed", r.At.UTC().Format("2006-01-02T15:04:05.000Z")})
		}
	}
	return out, err
}
