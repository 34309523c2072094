package restype

import (
	"slices"
	"strings"
	"sync"
)

// Worldwide reports whether the resources of a type are of no one region, so that a
// stack of any region of the account may sit on them.
func Worldwide(name string) bool {
	return slices.ContainsFunc([]string{
		"AWS::IAM::", "AWS::Route53::", "AWS::CloudFront::", "AWS::GlobalAccelerator::", "AWS::WAF::", "AWS::Organizations::",
		"AWS::NetworkManager::", "AWS::SSO::", "AWS::IdentityStore::", "AWS::DirectConnect::DirectConnectGateway", "AWS::RDS::GlobalCluster",
		"AWS::ElastiCache::GlobalReplicationGroup", "AWS::MemoryDB::MultiRegionCluster", "AWS::S3::MultiRegionAccessPoint",
	}, func(prefix string) bool { return strings.HasPrefix(name, prefix) })
}

// reaching are the types of one region that name things of another.
func reaching(name string) bool {
	return slices.Contains([]string{
		"AWS::EC2::VPCPeeringConnection", "AWS::EC2::TransitGatewayPeeringAttachment", "AWS::KMS::ReplicaKey",
	}, name)
}

// Crosses reports whether a resource of type user may sit on one of type container in
// another region: one of both is worldwide, or reaches over.
func Crosses(container, user string) bool {
	return (Worldwide(container) || Worldwide(user) || reaching(user)) && SitsOn(container, user)
}

// CrossedBy reports whether anything of another region may sit on resources of a type.
func CrossedBy(container string) bool {
	if Worldwide(container) {
		return IsContainer(container)
	}
	return slices.ContainsFunc(over(), func(user string) bool { return SitsOn(container, user) })
}

// over lists the types whose resources may sit on those of another region.
var over = sync.OnceValue(func() []string { //nolint:gochecknoglobals // written once, read-only afterwards
	return slices.DeleteFunc(slices.Clone(Names()), func(name string) bool { return !Worldwide(name) && !reaching(name) })
})
