package restype_test

import (
	"slices"
	"testing"

	"github.com/deployer-cli/deployer/internal/restype"
)

func TestSitsOn(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		container, user string
		want            bool
	}{
		{"AWS::EC2::VPC", "AWS::EC2::Subnet", true},
		{"AWS::EC2::Subnet", "AWS::Lambda::Function", true},
		{"AWS::EC2::SecurityGroup", "AWS::EC2::SecurityGroupIngress", true},
		{"AWS::EC2::VPC", "AWS::SSM::Parameter", false},
		{"AWS::EC2::VPC", "AWS::CloudFormation::Stack", false},
		{"AWS::EC2::VPC", "AWS::CloudFormation::CustomResource", true},
		{"AWS::EC2::VPC", "Custom::Peering", true},
		{"AWS::ECS::Cluster", "AWS::ECS::Service", true},
		{"AWS::ECS::Cluster", "AWS::ECS::TaskDefinition", false},
		{"AWS::EKS::Cluster", "AWS::EKS::Nodegroup", true},
		{"AWS::ElasticLoadBalancingV2::Listener", "AWS::ElasticLoadBalancingV2::ListenerRule", true},
		{"AWS::ElasticLoadBalancingV2::TargetGroup", "AWS::ECS::Service", false},
		{"AWS::IAM::Role", "AWS::IAM::InstanceProfile", true},
		{"AWS::IAM::Role", "AWS::Lambda::Function", false},
		{"AWS::IAM::ManagedPolicy", "AWS::IAM::Role", true},
		{"AWS::KMS::Key", "AWS::RDS::DBInstance", true},
		{"AWS::KMS::Key", "AWS::IAM::Policy", false},
		{"AWS::KMS::Key", "AWS::IAM::Role", false},
		{"AWS::EC2::VPC", "AWS::S3::BucketPolicy", false},
		{"AWS::EFS::FileSystem", "AWS::EFS::MountTarget", true},
		{"AWS::Route53::HostedZone", "AWS::Route53::RecordSet", true},
		{"AWS::SQS::Queue", "AWS::Lambda::Function", false},
		{"AWS::SNS::Topic", "AWS::CloudWatch::Alarm", false},
		{"Custom::Thing", "AWS::EC2::Instance", false},
		{"AWS::Lambda::Function", "Custom::Thing", true},
		{"AWS::Lambda::Function", "AWS::CloudFormation::CustomResource", true},
		{"AWS::Lambda::Alias", "Custom::Thing", true},
		{"AWS::SNS::Topic", "Custom::Thing", true},
		{"AWS::SQS::Queue", "Custom::Thing", false},
		{"AWS::Route53Resolver::ResolverEndpoint", "AWS::Route53Resolver::ResolverRule", true},
		{"AWS::Route53Resolver::ResolverRule", "AWS::Route53Resolver::ResolverRuleAssociation", true},
		{"AWS::NetworkFirewall::FirewallPolicy", "AWS::NetworkFirewall::Firewall", true},
		{"AWS::NetworkFirewall::RuleGroup", "AWS::NetworkFirewall::FirewallPolicy", true},
		{"AWS::DMS::ReplicationSubnetGroup", "AWS::DMS::ReplicationInstance", true},
		{"AWS::DMS::Endpoint", "AWS::DMS::ReplicationTask", true},
		{"AWS::EC2::Subnet", "AWS::EKS::Nodegroup", true},
		{"AWS::EC2::EIP", "AWS::ElasticLoadBalancingV2::LoadBalancer", true},
		{"AWS::EC2::TransitGatewayVpcAttachment", "AWS::EC2::TransitGatewayRoute", true},
		{"AWS::CertificateManager::Certificate", "AWS::Transfer::Server", true},
		{"AWS::CodeDeploy::Application", "AWS::CodeDeploy::DeploymentGroup", true},
		{"AWS::KMS::Key", "AWS::KMS::Alias", true},
		{"AWS::ApiGateway::ApiKey", "AWS::ApiGateway::UsagePlanKey", true},
		{"AWS::S3::AccessPoint", "AWS::S3ObjectLambda::AccessPoint", true},
		// By the schemas, in no row of the table.
		{"AWS::DirectConnect::DirectConnectGateway", "AWS::DirectConnect::DirectConnectGatewayAssociation", true},
		{"AWS::Deadline::Farm", "AWS::Deadline::Queue", true},
		{"AWS::DirectConnect::DirectConnectGateway", "AWS::EC2::Instance", false},
		{"AWS::DynamoDB::Table", "AWS::SQS::Queue", false},
	} {
		if got := restype.SitsOn(c.container, c.user); got != c.want {
			t.Errorf("%s on %s: %v", c.user, c.container, got)
		}
		if c.want && !restype.IsContainer(c.container) {
			t.Errorf("%s is no container", c.container)
		}
	}
}

// TestContainersAreTypes: a misspelt row would let a delete fail half-way.
func TestContainersAreTypes(t *testing.T) {
	t.Parallel()
	for name, users := range restype.Contents() {
		if _, ok := restype.Lookup(name); !ok {
			t.Errorf("container %s is no type", name)
		}
		for _, user := range users {
			if !slices.ContainsFunc(restype.Names(), func(n string) bool { return restype.Fits(user, n) }) {
				t.Errorf("%s: nothing is %s", name, user)
			}
		}
	}
}
