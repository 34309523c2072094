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
// takes it along. The answer is no for a container that nothing sits on.
func SitsOn(container, user string) bool {
	return slices.ContainsFunc(contents()[container], func(rule string) bool { return fits(rule, user) })
}

// IsContainer reports whether anything can sit on resources of a type.
func IsContainer(name string) bool { return len(contents()[name]) > 0 }

func fits(rule, user string) bool {
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
	case "AWS::CloudFormation::CustomResource":
		return false // nobody knows what it made
	case "AWS::SSM::Parameter", "AWS::Config::ConfigRule", "AWS::SecretsManager::ResourcePolicy",
		"AWS::S3::BucketPolicy", "AWS::SQS::QueuePolicy", "AWS::SNS::TopicPolicy", "AWS::Events::EventBusPolicy":
		return true
	}
	return slices.ContainsFunc([]string{"AWS::CloudFormation::", "AWS::CloudWatch::", "AWS::IAM::"}, func(service string) bool {
		return strings.HasPrefix(user, service)
	})
}
