package blast_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/deployer-cli/deployer/internal/blast"
	"github.com/deployer-cli/deployer/stacks"
)

// TestExportInUse: an export that is imported cannot change, so that what it names is not
// deleted by itself where it would come back as another.
func TestExportInUse(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		id, typ, physical string
		importers         []string
		changes           []stacks.ResourceChange
		refused           bool
	}{
		"nobody imports":      {"Subnet", "AWS::EC2::Subnet", "subnet-1", nil, nil, false},
		"imported":            {"Subnet", "AWS::EC2::Subnet", "subnet-1", []string{"dev-queue"}, nil, true},
		"of another resource": {"Vpc", "AWS::EC2::VPC", "vpc-1", []string{"dev-queue"}, nil, false},
		"of what follows": {"Vpc", "AWS::EC2::VPC", "vpc-1", []string{"dev-queue"}, []stacks.ResourceChange{
			{LogicalID: "Subnet", Type: "AWS::EC2::Subnet", Action: "modify", Replacement: "conditional"},
		}, true},
		"of what is changed": {"Vpc", "AWS::EC2::VPC", "vpc-1", []string{"dev-queue"}, []stacks.ResourceChange{
			{LogicalID: "Subnet", Type: "AWS::EC2::Subnet", Action: "modify", Replacement: "false"},
		}, false},
		"with a name of its own": {"Subnet", "AWS::SNS::Topic", "arn:aws:sns:eu-west-1:333333333333:orders", []string{"dev-queue"}, nil, false},
		"with a generated name":  {"Subnet", "AWS::SNS::Topic", "arn:aws:sns:eu-west-1:333333333333:dev-Topic-1A2B3C4D5E6F", []string{"dev-queue"}, nil, true},
	} {
		f := good()
		f.Kind, f.Exports.Value[0].Importers.Value = blast.DeleteResource, tt.importers
		f.Injections = []stacks.Injection{{Kind: f.Kind, Stack: "dev/network", LogicalID: tt.id, Type: tt.typ, PhysicalID: tt.physical}}
		f.Changes = map[stacks.Path][]stacks.ResourceChange{"dev/network": tt.changes}
		p := blast.Make(f)
		i := slices.IndexFunc(p.Verdicts, func(v blast.Verdict) bool { return v.Guard == "G12" })
		if v := p.Verdicts[i]; v.OK == tt.refused || tt.refused && !strings.Contains(v.Why, "its export net-subnet would change") {
			t.Errorf("%s: %+v", name, v)
		}
	}
}
