package engine

import (
	"fmt"
	"slices"
	"strings"

	"github.com/deployer-cli/deployer/internal/restype"
)

// identify gives a new resource its physical id and what Ref answers. named
// tells that the template chose the name. draw makes each generation differ.
func (s *session) identify(st *stack, id string, r *state, draw string) (named bool) {
	g := generator{s: s, st: st, id: id, r: r, draw: draw}
	t, known := restype.Lookup(r.Type)
	switch {
	case r.Type == waitType:
		r.Physical = strings.Replace(st.ID, ":stack/", ":stack/", 1) + "/" + id
	case r.Type == handleType:
		r.Physical = fmt.Sprintf("https://cloudformation-waitcondition-%s.s3.%s.%s/%s/%s?AWSAccessKeyId=%s",
			st.Region, st.Region, suffix(st.Region), strings.ReplaceAll(st.ID, ":", "%3A"), id, "AKIA"+g.letters(16, upperAlnum))
	case !known:
		r.Physical = g.generated()
	default:
		named = g.known(t)
	}
	r.Ref = g.ref(t)
	return named
}

// nameProperty is the property in which a template may choose the physical
// name of a type, "" when there is none.
func nameProperty(t *restype.Type) string {
	if len(t.PrimaryID) == 1 && t.HasProperty(t.PrimaryID[0]) {
		return t.PrimaryID[0]
	}
	kind := t.Name[strings.LastIndex(t.Name, ":")+1:]
	for _, candidate := range []string{kind + "Name", "Name"} {
		if t.HasProperty(candidate) && slices.Contains(t.CreateOnly, candidate) {
			return candidate
		}
	}
	return ""
}

type generator struct {
	s    *session
	st   *stack
	id   string
	r    *state
	draw string
}

func (g generator) letters(n int, alphabet string) string {
	return g.s.e.letters(n, alphabet, "physical", g.st.ID, g.id, g.draw)
}

func (g generator) hex() string {
	return g.s.e.hex(16, "physical", g.st.ID, g.id, g.draw)
}

func (g generator) uuid() string {
	return g.s.e.uuid("physical", g.st.ID, g.id, g.draw)
}

func (g generator) prop(name string) string {
	v, _ := g.r.Props[name].(string)
	return v
}

func (g generator) known(t *restype.Type) (named bool) {
	property := nameProperty(t)
	named = property != "" && g.prop(property) != ""
	if prefix, ok := idPrefixes()[t.Name]; ok {
		g.r.Physical = prefix + "-0" + g.hex()
		return false
	}
	if physical, ok := g.special(t.Name); ok {
		g.r.Physical = physical
		return named
	}
	switch {
	case len(t.PrimaryID) > 1:
		parts := make([]string, len(t.PrimaryID))
		for i, p := range t.PrimaryID {
			if parts[i] = g.prop(p); parts[i] == "" {
				parts[i] = g.component(t, p)
			}
		}
		g.r.Physical = strings.Join(parts, "|")
	case named && t.PrimaryID[0] == property:
		g.r.Physical = g.prop(property)
	case len(t.PrimaryID) == 1:
		g.r.Physical = g.component(t, t.PrimaryID[0])
	case named:
		g.r.Physical = g.prop(property)
	default:
		g.r.Physical = g.generated()
	}
	return named
}

// component makes one part of a primary identifier.
func (g generator) component(t *restype.Type, name string) string {
	name = name[strings.LastIndexAny(name, "./")+1:]
	switch {
	case strings.HasSuffix(name, "Arn"), strings.HasSuffix(name, "ARN"):
		return arnOf(g.st, t, g.r, g.resourceName(t))
	case name == "Id" || strings.HasSuffix(name, "Id"):
		return g.uuid()
	}
	return g.resourceName(t)
}

// resourceName is the chosen or a generated name.
func (g generator) resourceName(t *restype.Type) string {
	if p := nameProperty(t); p != "" && g.prop(p) != "" {
		return g.prop(p)
	}
	return g.generated()
}

// generated makes "<stack>-<logical>-<12 characters>" within the service's
// limit, cutting both parts.
func (g generator) generated() string {
	const random = 12
	limit, lower := nameLimit(g.r.Type)
	alphabet := mixedAlnum
	if lower {
		alphabet = lowerAlnum
	}
	tail := g.letters(random, alphabet)
	stackPart, idPart := g.st.Name, g.id
	if room := limit - random - 2; limit > 0 && len(stackPart)+len(idPart) > room {
		half := room / 2
		idPart = idPart[:min(len(idPart), max(half, room-len(stackPart)))]
		stackPart = stackPart[:min(len(stackPart), room-len(idPart))]
	}
	name := stackPart + "-" + idPart + "-" + tail
	if lower {
		name = strings.ToLower(name)
	}
	return name
}

func nameLimit(typeName string) (limit int, lower bool) {
	switch {
	case typeName == "AWS::S3::Bucket", strings.HasPrefix(typeName, "AWS::RDS::"), strings.HasPrefix(typeName, "AWS::DocDB::"),
		strings.HasPrefix(typeName, "AWS::Neptune::"):
		return 63, true
	case typeName == "AWS::ECR::Repository":
		return 256, true
	case typeName == "AWS::ElasticLoadBalancingV2::LoadBalancer", typeName == "AWS::ElasticLoadBalancingV2::TargetGroup":
		return 32, false
	case strings.HasPrefix(typeName, "AWS::ElastiCache::"):
		return 40, true
	case strings.HasPrefix(typeName, "AWS::IAM::"), strings.HasPrefix(typeName, "AWS::Lambda::"), strings.HasPrefix(typeName, "AWS::Events::"):
		return 64, false
	case strings.HasPrefix(typeName, "AWS::SQS::"), strings.HasPrefix(typeName, "AWS::StepFunctions::"):
		return 80, false
	}
	return 255, false
}

func idPrefixes() map[string]string {
	return map[string]string{
		"AWS::EC2::VPC": "vpc", "AWS::EC2::Subnet": "subnet", "AWS::EC2::InternetGateway": "igw", "AWS::EC2::RouteTable": "rtb",
		"AWS::EC2::SubnetRouteTableAssociation": "rtbassoc", "AWS::EC2::NatGateway": "nat", "AWS::EC2::SecurityGroup": "sg",
		"AWS::EC2::SecurityGroupIngress": "sgr", "AWS::EC2::SecurityGroupEgress": "sgr", "AWS::EC2::Instance": "i",
		"AWS::EC2::LaunchTemplate": "lt", "AWS::EC2::VPCEndpoint": "vpce", "AWS::EC2::Volume": "vol",
		"AWS::EC2::NetworkInterface": "eni", "AWS::EC2::FlowLog": "fl", "AWS::EC2::NetworkAcl": "acl", "AWS::EC2::DHCPOptions": "dopt",
		"AWS::EC2::TransitGateway": "tgw", "AWS::EC2::TransitGatewayAttachment": "tgw-attach", "AWS::EC2::VPNGateway": "vgw",
		"AWS::EC2::CustomerGateway": "cgw", "AWS::EC2::VPNConnection": "vpn", "AWS::EC2::VPCPeeringConnection": "pcx",
		"AWS::EC2::EgressOnlyInternetGateway": "eigw", "AWS::EC2::PrefixList": "pl",
		"AWS::EFS::FileSystem": "fs", "AWS::EFS::MountTarget": "fsmt", "AWS::EFS::AccessPoint": "fsap", "AWS::FSx::FileSystem": "fs",
	}
}

// special makes the ids that neither the table nor a prefix describes.
func (g generator) special(typeName string) (string, bool) {
	switch typeName {
	case "AWS::EC2::EIP":
		b := g.s.e.chance("ip", g.st.ID, g.id, g.draw)
		return fmt.Sprintf("%d.%d.%d.%d|eipalloc-0%s", 13+int(b[0])%40, b[1], b[2], 1+int(b[3])%254, g.hex()), true
	case "AWS::EC2::VPCGatewayAttachment":
		kind := "IGW"
		if g.prop("VpnGatewayId") != "" {
			kind = "VGW"
		}
		return kind + "|" + g.prop("VpcId"), true
	case "AWS::EC2::Route":
		for _, p := range []string{"DestinationCidrBlock", "DestinationIpv6CidrBlock", "DestinationPrefixListId"} {
			if v := g.prop(p); v != "" {
				return g.prop("RouteTableId") + "|" + v, true
			}
		}
		return g.prop("RouteTableId") + "|", true
	}
	return g.service(typeName)
}

// service makes the ids of application services.
func (g generator) service(typeName string) (string, bool) {
	switch typeName {
	case "AWS::SQS::Queue":
		t, _ := restype.Lookup(typeName)
		return fmt.Sprintf("https://sqs.%s.%s/%s/%s", g.st.Region, suffix(g.st.Region), g.st.Account, g.resourceName(t)), true
	case "AWS::IAM::AccessKey":
		return "AKIA" + g.letters(16, upperAlnum), true
	case "AWS::KMS::Key":
		return g.uuid(), true
	case "AWS::SecretsManager::Secret":
		t, _ := restype.Lookup(typeName)
		name := g.prop("Name")
		if name == "" {
			name = g.resourceName(t)
		}
		return fmt.Sprintf("arn:%s:secretsmanager:%s:%s:secret:%s-%s", partition(g.st.Region), g.st.Region, g.st.Account, name, g.letters(6, mixedAlnum)), true
	case "AWS::SSM::Parameter":
		if g.prop("Name") == "" {
			return "CFN-" + g.id + "-" + g.letters(12, mixedAlnum), true
		}
	case "AWS::Route53::HostedZone":
		return "Z" + g.letters(20, upperAlnum), true
	case "AWS::CloudFront::Distribution":
		return "E" + g.letters(13, upperAlnum), true
	case "AWS::ApiGateway::RestApi", "AWS::ApiGatewayV2::Api":
		return g.letters(10, lowerAlnum), true
	case "AWS::ApiGateway::Resource", "AWS::ApiGateway::Deployment":
		return g.letters(6, lowerAlnum), true
	case "AWS::Cognito::UserPool":
		return g.st.Region + "_" + g.letters(9, mixedAlnum), true
	case "AWS::Cognito::UserPoolClient":
		return g.letters(26, lowerAlnum), true
	case "AWS::ECS::TaskDefinition":
		family := g.prop("Family")
		if family == "" {
			family = g.st.Name + g.id + g.letters(8, mixedAlnum)
		}
		return fmt.Sprintf("arn:%s:ecs:%s:%s:task-definition/%s:1", partition(g.st.Region), g.st.Region, g.st.Account, family), true
	case "AWS::Events::Rule":
		return g.eventRule(), true
	case "AWS::EKS::Nodegroup":
		name := g.prop("NodegroupName")
		if name == "" {
			name = g.id + "-" + g.letters(12, mixedAlnum)
		}
		return g.prop("ClusterName") + "/" + name, true
	}
	return g.balancing(typeName)
}

// eventRule makes the ARN of a rule, which names its bus unless it is the default one.
func (g generator) eventRule() string {
	name, bus := g.prop("Name"), g.prop("EventBusName")
	if name == "" {
		name = g.generated()
	}
	if bus = bus[strings.LastIndexByte(bus, '/')+1:]; bus != "" && bus != "default" {
		name = bus + "/" + name
	}
	return fmt.Sprintf("arn:%s:events:%s:%s:rule/%s", partition(g.st.Region), g.st.Region, g.st.Account, name)
}

// balancing makes the ids of load balancers and their kin.
func (g generator) balancing(typeName string) (string, bool) {
	base := fmt.Sprintf("arn:%s:elasticloadbalancing:%s:%s:", partition(g.st.Region), g.st.Region, g.st.Account)
	name := g.prop("Name")
	if name == "" {
		name = g.generated()
	}
	switch typeName {
	case "AWS::ElasticLoadBalancingV2::LoadBalancer":
		kind := map[string]string{"network": "net", "gateway": "gwy"}[g.prop("Type")]
		if kind == "" {
			kind = "app"
		}
		return base + "loadbalancer/" + kind + "/" + name + "/" + g.hex(), true
	case "AWS::ElasticLoadBalancingV2::TargetGroup":
		return base + "targetgroup/" + name + "/" + g.hex(), true
	case "AWS::ElasticLoadBalancingV2::Listener":
		return strings.Replace(g.prop("LoadBalancerArn"), ":loadbalancer/", ":listener/", 1) + "/" + g.hex(), true
	case "AWS::ElasticLoadBalancingV2::ListenerRule":
		return strings.Replace(g.prop("ListenerArn"), ":listener/", ":listener-rule/", 1) + "/" + g.hex(), true
	case "AWS::Lambda::Version", "AWS::Lambda::LayerVersion":
		t, _ := restype.Lookup(typeName)
		fn := g.prop("FunctionName")
		if typeName == "AWS::Lambda::LayerVersion" {
			return fmt.Sprintf("arn:%s:lambda:%s:%s:layer:%s:1", partition(g.st.Region), g.st.Region, g.st.Account, g.resourceName(t)), true
		}
		return lambdaARN(g.st, fn) + ":1", true
	case "AWS::Lambda::Alias":
		return lambdaARN(g.st, g.prop("FunctionName")) + ":" + g.prop("Name"), true
	case "AWS::Lambda::Url":
		return lambdaARN(g.st, g.prop("TargetFunctionArn")), true
	case "AWS::SNS::Subscription":
		return g.prop("TopicArn") + ":" + g.uuid(), true
	}
	return "", false
}

func lambdaARN(st *stack, function string) string {
	if strings.HasPrefix(function, "arn:") {
		return function
	}
	return fmt.Sprintf("arn:%s:lambda:%s:%s:function:%s", partition(st.Region), st.Region, st.Account, function)
}

// refNow is ref for an existing resource.
func (g generator) refNow() string {
	t, _ := restype.Lookup(g.r.Type)
	return g.ref(t)
}

// ref is what Ref answers where that is not the physical id.
func (g generator) ref(t *restype.Type) string {
	if t == nil || t.Ref == "" {
		return ""
	}
	parts := strings.Split(t.Ref, ",")
	for i, name := range parts {
		v, ok := g.s.attribute(g.st, g.r, name)
		text, isText := v.(string)
		if !ok || !isText || text == "" {
			return ""
		}
		parts[i] = text
	}
	return strings.Join(parts, "|")
}
