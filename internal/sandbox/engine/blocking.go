package engine

import (
	"slices"
	"strings"

	"github.com/deployer-cli/deployer/internal/restype"
)

// blocking says how a service refuses to delete a resource of a type that others
// are in or on, and which kinds of users make it; text is "" where none do. It knows
// that from the services' guides and the schemas, and does not ask the table by which
// breaks are guarded: what that one lacks has to show.
func blocking(typeName string) (service, text string, by func(user string) bool) {
	switch typeName {
	case "AWS::EC2::VPC":
		return "Ec2", "The vpc '<id>' has dependencies and cannot be deleted.", takes("vpc", "subnet", "securitygroup")
	case "AWS::EC2::Subnet":
		return "Ec2", "The subnet '<id>' has dependencies and cannot be deleted.", takes("subnet", "vpcconfig", "networkconfiguration", "networkinterface")
	case "AWS::EC2::SecurityGroup":
		return "Ec2", "resource <id> has a dependent object", takes("securitygroup", "vpcconfig", "networkconfiguration", "networkinterface", "groupid")
	case "AWS::EC2::InternetGateway":
		return "Ec2", "The internetGateway '<id>' has dependencies and cannot be deleted.", takes("internetgateway", "gatewayid")
	case "AWS::EC2::RouteTable":
		return "Ec2", "The routeTable '<id>' has dependencies and cannot be deleted.", takes("routetableid")
	}
	for _, u := range inUse {
		if u.typeName == typeName {
			return u.service, u.text, func(user string) bool {
				return slices.Contains(strings.Fields(u.users), strings.TrimPrefix(user, "AWS::"))
			}
		}
	}
	return "", "", nil
}

// takes tells of a type whether one of its properties is for such things.
func takes(words ...string) func(user string) bool {
	return func(user string) bool {
		t, ok := restype.Lookup(user)
		// What only watches or lists them holds nothing up.
		if !ok || strings.HasPrefix(user, "AWS::CloudFormation::") || strings.HasPrefix(user, "AWS::IAM::") {
			return false
		}
		return slices.ContainsFunc(t.Properties, func(property string) bool {
			return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(strings.ToLower(property), w) })
		})
	}
}

// inUse are the types of other services that are not deleted while resources of
// these types use them.
var inUse = []struct{ typeName, service, text, users string }{ //nolint:gochecknoglobals // a table, read-only
	{"AWS::ApiGateway::UsagePlan", "ApiGateway", "Usage plan <id> cannot be deleted while it has keys", "ApiGateway::UsagePlanKey"},
	{"AWS::CertificateManager::Certificate", "Acm", "Certificate <id> is in use.", "ElasticLoadBalancingV2::Listener ElasticLoadBalancingV2::ListenerCertificate ElasticLoadBalancing::LoadBalancer CloudFront::Distribution ApiGateway::DomainName ApiGatewayV2::DomainName Cognito::UserPoolDomain Transfer::Server EC2::ClientVpnEndpoint"},
	{"AWS::DMS::Endpoint", "Dms", "Endpoint <id> is part of one or more ReplicationTasks.", "DMS::ReplicationTask DMS::ReplicationConfig"},
	{"AWS::DMS::ReplicationInstance", "Dms", "Replication instance <id> has replication tasks.", "DMS::ReplicationTask"},
	{"AWS::DMS::ReplicationSubnetGroup", "Dms", "Replication subnet group <id> is in use.", "DMS::ReplicationInstance DMS::ReplicationConfig"},
	{"AWS::EC2::EIP", "Ec2", "You do not have permission to access the specified resource.", "EC2::NatGateway EC2::EIPAssociation ElasticLoadBalancingV2::LoadBalancer"},
	{"AWS::EC2::TransitGateway", "Ec2", "<id> has non-deleted attachments.", "EC2::TransitGatewayAttachment EC2::TransitGatewayVpcAttachment EC2::TransitGatewayPeeringAttachment EC2::VPNConnection"},
	{"AWS::ECS::Cluster", "AmazonECS", "The Cluster cannot be deleted while Services are active.", "ECS::Service"},
	{"AWS::EFS::FileSystem", "Efs", "Cannot delete file system with mount targets", "EFS::MountTarget"},
	{"AWS::EKS::Cluster", "Eks", "Cluster has nodegroups attached", "EKS::Nodegroup EKS::FargateProfile"},
	{"AWS::ElasticLoadBalancingV2::TargetGroup", "ElasticLoadBalancingV2", "Target group '<id>' is currently in use by a listener or a rule", "ElasticLoadBalancingV2::Listener ElasticLoadBalancingV2::ListenerRule"},
	{"AWS::ElastiCache::SubnetGroup", "ElastiCache", "Cache subnet group <id> is currently in use by a cache cluster.", "ElastiCache::CacheCluster ElastiCache::ReplicationGroup"},
	{"AWS::Events::EventBus", "CloudWatchEvents", "Cannot delete event bus <id> since it has rules.", "Events::Rule"},
	{"AWS::IAM::ManagedPolicy", "Iam", "Cannot delete a policy attached to entities.", "IAM::Role IAM::User IAM::Group"},
	{"AWS::IAM::Role", "Iam", "Cannot delete entity, must detach all policies first.", "IAM::InstanceProfile IAM::Policy IAM::ManagedPolicy IAM::RolePolicy"},
	{"AWS::NetworkFirewall::FirewallPolicy", "NetworkFirewall", "Unable to delete the object because it is still in use", "NetworkFirewall::Firewall"},
	{"AWS::NetworkFirewall::RuleGroup", "NetworkFirewall", "Unable to delete the object because it is still in use", "NetworkFirewall::FirewallPolicy"},
	{"AWS::RDS::DBCluster", "Rds", "Cluster cannot be deleted, it still contains DB instances in non-deleting state.", "RDS::DBInstance"},
	{"AWS::RDS::DBParameterGroup", "Rds", "One or more database instances are still members of this parameter group <id>, so the group cannot be deleted", "RDS::DBInstance"},
	{"AWS::RDS::DBSubnetGroup", "Rds", "Cannot delete the subnet group '<id>' because at least one database instance is still using it.", "RDS::DBInstance RDS::DBCluster"},
	{"AWS::Route53::HostedZone", "Route53", "The specified hosted zone contains non-required resource record sets and so cannot be deleted.", "Route53::RecordSet Route53::RecordSetGroup"},
	{"AWS::Route53Resolver::ResolverEndpoint", "Route53Resolver", "Resolver endpoint <id> is in use by a rule", "Route53Resolver::ResolverRule"},
	{"AWS::Route53Resolver::ResolverRule", "Route53Resolver", "Cannot delete resolver rule <id>: it is associated with at least one VPC", "Route53Resolver::ResolverRuleAssociation"},
	{"AWS::ServiceDiscovery::PrivateDnsNamespace", "ServiceDiscovery", "The namespace <id> contains services", "ServiceDiscovery::Service"},
	{"AWS::WAFv2::WebACL", "Wafv2", "AWS WAF could not delete your resource because it is associated with another resource.", "WAFv2::WebACLAssociation CloudFront::Distribution"},
}
