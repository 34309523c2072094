package engine

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/deployer-cli/deployer/internal/restype"
)

// attribute answers Fn::GetAtt on a resource that exists.
func (s *session) attribute(st *stack, r *state, name string) (any, bool) {
	if v, ok := r.Attrs[name]; ok {
		return v, true
	}
	if isCustom(r.Type) {
		if r.Answered {
			return nil, false
		}
		return "sandbox-" + strings.ToLower(name) + "-" + s.e.hex(8, "custom", r.Physical, name), true
	}
	t, known := restype.Lookup(r.Type)
	if !known {
		return nil, false
	}
	if !t.HasAttribute(name) && !t.HasProperty(name) && !slices.Contains(t.PrimaryID, name) && name != "Id" {
		return nil, false
	}
	if v, ok := s.ownAttribute(st, r, name); ok {
		return v, true
	}
	if v, ok := propertyAt(r.Props, name); ok {
		return v, true
	}
	if i := slices.Index(t.PrimaryID, name); i >= 0 {
		if parts := strings.Split(r.Physical, "|"); i < len(parts) && len(parts) == len(t.PrimaryID) {
			return parts[i], true
		}
	}
	return s.plausible(st, t, r, name), true
}

func propertyAt(props map[string]any, path string) (any, bool) {
	var v any = props
	for part := range strings.SplitSeq(path, ".") {
		m, ok := v.(map[string]any)
		if !ok {
			return nil, false
		}
		if v, ok = m[part]; !ok {
			return nil, false
		}
	}
	return v, true
}

// ownAttribute knows the attributes of common types.
func (s *session) ownAttribute(st *stack, r *state, name string) (any, bool) {
	id, region, dns := r.Physical, st.Region, suffix(st.Region)
	switch r.Type + "." + name {
	case "AWS::SQS::Queue.QueueName", "AWS::SNS::Topic.TopicName":
		return id[strings.LastIndexAny(id, "/:")+1:], true
	case "AWS::SQS::Queue.Arn":
		return "arn:" + partition(region) + ":sqs:" + region + ":" + st.Account + ":" + id[strings.LastIndexByte(id, '/')+1:], true
	case "AWS::Logs::LogGroup.Arn":
		return "arn:" + partition(region) + ":logs:" + region + ":" + st.Account + ":log-group:" + id + ":*", true
	case "AWS::ECR::Repository.RepositoryUri":
		return st.Account + ".dkr.ecr." + region + "." + dns + "/" + id, true
	case "AWS::CloudFormation::WaitCondition.Data":
		return "{}", true
	case "AWS::Route53::HostedZone.NameServers":
		return nameServers(s, id), true
	case "AWS::ElasticLoadBalancingV2::LoadBalancer.LoadBalancerFullName":
		_, full, _ := strings.Cut(id, "loadbalancer/")
		return full, true
	case "AWS::ElasticLoadBalancingV2::LoadBalancer.DNSName":
		parts := strings.Split(id, "/")
		return fmt.Sprintf("%s-%s.%s.elb.%s", parts[len(parts)-2], s.e.letters(10, digits, id), region, dns), true
	case "AWS::ElasticLoadBalancingV2::TargetGroup.TargetGroupFullName":
		_, full, _ := strings.Cut(id, ":targetgroup/")
		return "targetgroup/" + full, true
	case "AWS::CloudFront::Distribution.DomainName":
		return "d" + s.e.letters(13, lowerAlnum, id) + ".cloudfront.net", true
	case "AWS::EKS::Cluster.Endpoint":
		return "https://" + strings.ToUpper(s.e.hex(32, id)) + ".gr7." + region + ".eks." + dns, true
	case "AWS::IAM::Role.RoleId":
		return "AROA" + s.e.letters(17, upperAlnum, id), true
	}
	switch service, _, _ := strings.Cut(strings.TrimPrefix(r.Type, "AWS::"), "::"); service {
	case "S3":
		return s.bucketAttribute(st, r, name)
	case "EC2":
		return s.networkAttribute(st, r, name)
	case "RDS", "DocDB", "Neptune":
		return s.databaseAttribute(st, r, name)
	}
	return nil, false
}

func (s *session) bucketAttribute(st *stack, r *state, name string) (any, bool) {
	id, region, dns := r.Physical, st.Region, suffix(st.Region)
	switch r.Type + "." + name {
	case "AWS::S3::Bucket.Arn":
		return "arn:" + partition(region) + ":s3:::" + id, true
	case "AWS::S3::Bucket.DomainName":
		return id + ".s3." + dns, true
	case "AWS::S3::Bucket.RegionalDomainName":
		return id + ".s3." + region + "." + dns, true
	case "AWS::S3::Bucket.DualStackDomainName":
		return id + ".s3.dualstack." + region + "." + dns, true
	case "AWS::S3::Bucket.WebsiteURL":
		return "http://" + id + ".s3-website-" + region + "." + dns, true
	}
	return nil, false
}

func (s *session) networkAttribute(st *stack, r *state, name string) (any, bool) {
	id := r.Physical
	switch r.Type + "." + name {
	case "AWS::EC2::EIP.PublicIp":
		ip, _, _ := strings.Cut(id, "|")
		return ip, true
	case "AWS::EC2::EIP.AllocationId":
		_, alloc, _ := strings.Cut(id, "|")
		return alloc, true
	case "AWS::EC2::LaunchTemplate.LatestVersionNumber", "AWS::EC2::LaunchTemplate.DefaultVersionNumber":
		return "1", true
	case "AWS::EC2::VPC.CidrBlockAssociations":
		return []any{"vpc-cidr-assoc-0" + s.e.hex(16, id, name)}, true
	case "AWS::EC2::VPC.Ipv6CidrBlocks":
		b := s.e.chance(id, name)
		return []any{fmt.Sprintf("2a05:d018:%x:%x00::/56", 0x100+int(b[0]), 0x10+int(b[1])%0xf0)}, true
	case "AWS::EC2::SecurityGroup.GroupId":
		return id, true
	case "AWS::EC2::Subnet.AvailabilityZone":
		if v, ok := r.Props["AvailabilityZone"]; ok {
			return v, true
		}
		return st.Region + "a", true
	}
	return nil, false
}

func (s *session) databaseAttribute(st *stack, r *state, name string) (any, bool) {
	host := strings.ToLower(r.Physical) + "." + s.e.letters(12, lowerAlnum, "rds", st.Account, st.Region)
	switch name {
	case "Endpoint.Address", "Endpoint":
		return host + "." + st.Region + ".rds." + suffix(st.Region), true
	case "ReadEndpoint.Address", "ReadEndpoint":
		return strings.Replace(host, ".", ".cluster-ro-", 1) + "." + st.Region + ".rds." + suffix(st.Region), true
	case "Endpoint.Port", "Port":
		if v, ok := r.Props["Port"]; ok {
			return v, true
		}
		if engine, _ := r.Props["Engine"].(string); strings.Contains(engine, "postgres") {
			return "5432", true
		}
		return "3306", true
	}
	return nil, false
}

func nameServers(s *session, id string) []any {
	var out []any
	for i, tld := range []string{"com", "net", "org", "co.uk"} {
		out = append(out, fmt.Sprintf("ns-%s.awsdns-%02d.%s", s.e.letters(3, "123456789", id, tld), i*16+7, tld))
	}
	return out
}

// listAttributes are the names of attributes that are lists wherever a type has
// them.
func listAttributes() []string {
	return []string{
		"AvailabilityZones", "DnsEntries", "DnsIpAddresses", "Ipv6CidrBlocks", "LoadBalancerArns", "NetworkInterfaceIds",
		"SecondaryPrivateIpAddresses", "SecurityGroups", "SubnetIds", "VpcEndpointIds",
	}
}

// plausible makes up what no rule knows, always the same for one resource.
func (s *session) plausible(st *stack, t *restype.Type, r *state, name string) any {
	last := name[strings.LastIndexByte(name, '.')+1:]
	seed := []string{"attribute", r.Physical, name}
	host := strings.ToLower(t.Name[strings.LastIndexByte(t.Name, ':')+1:])
	switch {
	case slices.Contains(listAttributes(), last):
		return []any{strings.ToLower(strings.TrimSuffix(last, "s")) + "-" + s.e.letters(13, lowerAlnum, seed...)}
	case strings.HasSuffix(last, "Arn") || strings.HasSuffix(last, "ARN"):
		if strings.HasPrefix(r.Physical, "arn:") {
			return r.Physical
		}
		return arnOf(st, t, r, r.Physical)
	case last == "Id" || last == "Name" || last == host+"Name":
		return r.Physical
	case strings.HasSuffix(last, "Id"):
		return s.e.letters(13, lowerAlnum, seed...)
	case strings.HasSuffix(last, "Port"):
		return "443"
	case strings.HasSuffix(last, "Url"), strings.HasSuffix(last, "URL"), strings.HasSuffix(last, "Uri"):
		return "https://" + s.e.letters(10, lowerAlnum, seed...) + "." + host + "." + st.Region + "." + suffix(st.Region)
	case strings.Contains(last, "Endpoint"), strings.Contains(last, "Domain"), strings.Contains(last, "DNS"), strings.HasSuffix(last, "Address"):
		return s.e.letters(10, lowerAlnum, seed...) + "." + host + "." + st.Region + "." + suffix(st.Region)
	case strings.HasSuffix(last, "Name"):
		return r.Physical
	case strings.HasSuffix(last, "Ip"):
		b := s.e.chance(seed...)
		return fmt.Sprintf("10.%d.%d.%d", b[0], b[1], 4+int(b[2])%250)
	}
	return last + "-" + s.e.letters(8, lowerAlnum, seed...)
}

var placeholder = regexp.MustCompile(`\$\{([A-Za-z0-9]+)\}`)

// arnOf fills in a type's ARN template.
func arnOf(st *stack, t *restype.Type, r *state, name string) string {
	if t.ARN == "" {
		parts := strings.Split(t.Name, "::")
		service, kind := strings.ToLower(parts[1]), strings.ToLower(parts[len(parts)-1])
		return fmt.Sprintf("arn:%s:%s:%s:%s:%s/%s", partition(st.Region), service, st.Region, st.Account, kind, name)
	}
	return placeholder.ReplaceAllStringFunc(t.ARN, func(p string) string {
		switch word := p[2 : len(p)-1]; word {
		case "Partition":
			return partition(st.Region)
		case "Region":
			return st.Region
		case "Account":
			return st.Account
		case "ParameterNameWithoutLeadingSlash":
			return strings.TrimPrefix(name, "/")
		case "RoleNameWithPath", "UserNameWithPath", "PolicyNameWithPath", "InstanceProfileNameWithPath", "GroupNameWithPath":
			path, _ := r.Props["Path"].(string)
			return strings.TrimPrefix(path, "/") + name
		default:
			if v, ok := r.Props[word].(string); ok && v != "" {
				return v
			}
			return name
		}
	})
}
