package restype

import (
	"strings"
	"time"
)

// timing is in seconds.
type timing struct{ create, update, remove int }

func (t timing) durations() (create, update, remove time.Duration) {
	return time.Duration(t.create) * time.Second, time.Duration(t.update) * time.Second, time.Duration(t.remove) * time.Second
}

// Durations returns how long CloudFormation typically takes to create, update
// and delete one resource of that type. Types without a measurement get the
// times of their class.
func Durations(name string) (create, update, remove time.Duration) {
	if t, ok := measured(name); ok {
		return t.durations()
	}
	seconds := classSeconds(name)
	half := max(seconds/2, 1)
	return timing{seconds, half, half}.durations()
}

// measured holds medians of published deployment logs; updates, which no log
// isolates, are judged from what the service has to do.
func measured(name string) (timing, bool) {
	service, kind, ok := strings.Cut(strings.TrimPrefix(name, "AWS::"), "::")
	if !ok {
		return timing{}, false
	}
	if service == "Custom" || name == "AWS::CloudFormation::CustomResource" {
		return timing{5, 5, 5}, true
	}
	if !strings.HasPrefix(name, "AWS::") {
		return timing{}, false
	}
	if service == "EC2" {
		return measuredEC2(kind)
	}
	t, ok := map[string]timing{
		"IAM::Role": {18, 12, 11}, "IAM::Policy": {15, 12, 1}, "IAM::InstanceProfile": {130, 15, 1},
		"Lambda::Function": {8, 6, 6}, "Lambda::Permission": {2, 2, 1},
		"SQS::Queue": {31, 10, 31}, "S3::Bucket": {15, 5, 2}, "DynamoDB::Table": {43, 30, 30},
		"Events::Rule": {62, 31, 31}, "Events::EventBus": {2, 2, 1},
		"ApiGateway::RestApi": {2, 2, 1}, "ApiGateway::Resource": {2, 2, 1}, "ApiGateway::Method": {4, 2, 1},
		"ElasticBeanstalk::Application": {7, 4, 4}, "ElasticBeanstalk::ApplicationVersion": {7, 4, 4},
		"ElasticBeanstalk::Environment":        {180, 120, 90},
		"AutoScaling::LaunchConfiguration":     {2, 1, 1},
		"ElasticLoadBalancingV2::LoadBalancer": {160, 5, 20},
		"ElasticLoadBalancingV2::TargetGroup":  {2, 2, 1}, "ElasticLoadBalancingV2::Listener": {2, 2, 1},
		"RDS::DBInstance": {540, 240, 300}, "RDS::DBCluster": {120, 60, 90},
		"ElastiCache::ReplicationGroup": {450, 240, 300},
		"EKS::Cluster":                  {600, 300, 240}, "EKS::Nodegroup": {240, 180, 480},
		"CloudFront::Distribution": {300, 240, 300}, "ECS::Service": {120, 120, 60},
		"SNS::Topic": {11, 5, 1}, "Logs::LogGroup": {2, 2, 1}, "SSM::Parameter": {2, 2, 1}, "CloudWatch::Alarm": {2, 2, 1},
		"Route53::RecordSet": {31, 31, 31}, "OpenSearchService::Domain": {900, 900, 600}, "Elasticsearch::Domain": {900, 900, 600},
		"KMS::Key": {120, 10, 1}, "CloudFormation::WaitConditionHandle": {1, 1, 1},
	}[service+"::"+kind]
	return t, ok
}

func measuredEC2(kind string) (timing, bool) {
	t, ok := map[string]timing{
		"VPC": {13, 5, 2}, "Subnet": {5, 3, 2}, "InternetGateway": {16, 2, 1}, "VPCGatewayAttachment": {3, 2, 1},
		"RouteTable": {12, 3, 1}, "Route": {2, 2, 2}, "SubnetRouteTableAssociation": {2, 2, 20},
		"EIP": {16, 5, 2}, "NatGateway": {100, 10, 56}, "SecurityGroup": {10, 5, 2},
		"VPCEndpoint": {3, 3, 1}, "Instance": {13, 10, 45},
	}[kind]
	return t, ok
}

const (
	controlPlane     = 3
	identity         = 15
	eventual         = 20
	networkAppliance = 100
	database         = 540
)

func classSeconds(name string) int {
	service, kind, _ := strings.Cut(strings.TrimPrefix(name, "AWS::"), "::")
	switch {
	case isDatabase(service, kind):
		return database
	case isAppliance(service, kind):
		return networkAppliance
	case service == "IAM", service == "SSO", strings.HasSuffix(kind, "Role"):
		return identity
	case Holds(name) != HoldsNothing, strings.HasSuffix(kind, "Certificate"),
		service == "Route53", service == "CloudFront", service == "WAFv2":
		return eventual
	default:
		return controlPlane
	}
}

func isDatabase(service, kind string) bool {
	switch service {
	case "RDS", "DocDB", "DocDBElastic", "Neptune", "NeptuneGraph", "Redshift", "RedshiftServerless", "ElastiCache",
		"MemoryDB", "DAX", "DSQL", "Timestream", "MSK", "AmazonMQ", "EMR", "EKS", "FSx", "Kendra", "PCS", "MWAA":
	default:
		return false
	}
	for _, suffix := range []string{"Cluster", "Instance", "Graph", "Workgroup", "Cache", "Broker", "FileSystem", "Index", "Environment"} {
		if strings.HasSuffix(kind, suffix) {
			return true
		}
	}
	return false
}

func isAppliance(service, kind string) bool {
	switch service + "::" + kind {
	case "EC2::TransitGateway", "EC2::TransitGatewayAttachment", "EC2::TransitGatewayVpcAttachment", "EC2::VPNConnection",
		"EC2::VPNGateway", "EC2::ClientVpnEndpoint", "EC2::CarrierGateway", "NetworkFirewall::Firewall",
		"ElasticLoadBalancing::LoadBalancer", "GlobalAccelerator::Accelerator", "EFS::MountTarget",
		"DirectoryService::MicrosoftAD", "DirectoryService::SimpleAD", "AutoScaling::AutoScalingGroup":
		return true
	}
	return false
}
