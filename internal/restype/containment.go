package restype

import (
	_ "embed"
	"slices"
	"strings"
	"sync"
)

//go:embed containment.txt
var containment string

// contents lists what sits on a type, by full name of the container, as full
// names with a star for the rest.
var contents = sync.OnceValue(func() map[string][]string { //nolint:gochecknoglobals // written once, read-only afterwards
	rows := map[string][]string{}
	for line := range strings.Lines(containment) {
		container, users, ok := strings.Cut(line, ": ")
		if !ok || strings.HasPrefix(line, "#") {
			continue
		}
		for user := range strings.FieldsSeq(users) {
			rows["AWS::"+container] = append(rows["AWS::"+container], "AWS::"+user)
		}
	}
	return rows
})

// SitsOn reports whether a live resource of type user that names one of type
// container lies in it or on it: AWS refuses to delete the container before it, or
// takes it along. What the table does not know counts where the schemas say it: a
// type of the same service with a property for the container's id. The answer is no
// for a container that nothing sits on.
func SitsOn(container, user string) bool {
	return slices.ContainsFunc(contents()[container], func(rule string) bool { return fits(rule, user) }) || pointsAt(container, user)
}

// IsContainer reports whether anything can sit on resources of a type.
func IsContainer(name string) bool { return len(contents()[name]) > 0 || pointedAt()[name] }

// pointers are the properties of other types of a service that take the id of one
// of this type: DirectConnectGatewayId for a DirectConnectGateway.
func pointers(name string) []string {
	kind := name[strings.LastIndexByte(name, ':')+1:]
	var out []string
	for _, end := range []string{"Id", "Arn", "ARN", "Name", "Identifier", "Ids", "Arns", "Names"} {
		out = append(out, kind+end)
	}
	return out
}

func pointsAt(container, user string) bool {
	t, ok := Lookup(user)
	if !ok || user == container || service(user) != service(container) || mentions(user) {
		return false
	}
	return slices.ContainsFunc(pointers(container), t.HasProperty)
}

// service is the name of a type up to its last part.
func service(name string) string { return name[:max(0, strings.LastIndex(name, "::"))] }

// pointedAt lists the types that another of their service points at.
var pointedAt = sync.OnceValue(func() map[string]bool { //nolint:gochecknoglobals // written once, read-only afterwards
	out, of := map[string]bool{}, map[string][]string{}
	for _, name := range Names() {
		of[service(name)] = append(of[service(name)], name)
	}
	for _, siblings := range of {
		for _, container := range siblings {
			out[container] = slices.ContainsFunc(siblings, func(user string) bool { return pointsAt(container, user) })
		}
	}
	return out
})

// customType is a custom resource by its long name.
const customType = "AWS::CloudFormation::CustomResource"

func fits(rule, user string) bool {
	if strings.HasPrefix(user, "Custom::") {
		user = customType
	}
	if rule == "AWS::*" {
		return !mentions(user)
	}
	prefix, open := strings.CutSuffix(rule, "*")
	return user == rule || open && strings.HasPrefix(user, prefix)
}

// mentions names the types that only speak of what they name: they hold nothing
// up and lose nothing. A nested stack is one: what sits on the container are its
// own resources.
func mentions(user string) bool {
	switch user {
	case customType:
		return false // nobody knows what it made
	case "AWS::SSM::Parameter", "AWS::Config::ConfigRule", "AWS::SecretsManager::ResourcePolicy",
		"AWS::S3::BucketPolicy", "AWS::SQS::QueuePolicy", "AWS::SNS::TopicPolicy", "AWS::Events::EventBusPolicy":
		return true
	}
	return slices.ContainsFunc([]string{"AWS::CloudFormation::", "AWS::CloudWatch::", "AWS::IAM::"}, func(service string) bool {
		return strings.HasPrefix(user, service)
	})
}
