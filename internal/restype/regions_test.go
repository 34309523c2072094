package restype_test

import (
	"testing"

	"github.com/deployer-cli/deployer/internal/restype"
)

func TestCrosses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		container, user string
		want            bool
	}{
		{"AWS::IAM::ManagedPolicy", "AWS::IAM::Role", true},
		{"AWS::IAM::InstanceProfile", "AWS::EC2::Instance", true},
		{"AWS::Route53::HostedZone", "AWS::Route53::RecordSet", true},
		{"AWS::CertificateManager::Certificate", "AWS::CloudFront::Distribution", true},
		{"AWS::Lambda::Version", "AWS::CloudFront::Distribution", true},
		{"AWS::EC2::VPC", "AWS::EC2::VPCPeeringConnection", true},
		{"AWS::KMS::Key", "AWS::KMS::ReplicaKey", true},
		{"AWS::EC2::VPC", "AWS::EC2::Subnet", false},
		{"AWS::ECS::Cluster", "AWS::ECS::Service", false},
		{"AWS::IAM::Role", "AWS::Lambda::Function", false}, // it does not keep it from being deleted
	} {
		if got := restype.Crosses(c.container, c.user); got != c.want {
			t.Errorf("%s on %s: %v", c.user, c.container, got)
		}
		if c.want && !restype.CrossedBy(c.container) {
			t.Errorf("nothing crosses to %s", c.container)
		}
	}
	for _, name := range []string{"AWS::SQS::Queue", "AWS::ECS::Cluster", "AWS::DynamoDB::Table"} {
		if restype.CrossedBy(name) {
			t.Errorf("something crosses to %s", name)
		}
	}
}
