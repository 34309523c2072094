package main_test

import (
	"fmt"
	"strings"
)

// build writes the project and brings it up, all of it as development, and then
// makes files and live stacks what the havoc says.
func (s *site) build() {
	h := s.h
	write(s.t, s.dir, "config/config.yaml", "project_code: many\nproject_id: 00112233445566aa\nregion: eu-west-1\n")
	s.block("dev", "development")
	s.block("other", "development")
	for i := range h.nodes {
		write(s.t, s.dir, fmt.Sprintf("templates/s%d.yaml", i), h.template(i))
		s.file(i, h.nodes[i].never)
	}
	for _, env := range []string{"dev", "other"} {
		if !h.has(env) {
			continue
		}
		if r := s.run(nil, "launch", env, "-y"); r.Exit != 0 {
			s.t.Fatalf("launch %s: exit %d\n%s%s", env, r.Exit, r.Stdout, r.Stderr)
		}
	}
	s.phase = "plan" // what a file protects could not be launched
	s.block("other", h.class)
	for i, n := range h.nodes {
		switch tag := n.tag; {
		case tag != "":
			s.retag(h.name(i), "deployer:class", tag)
		case n.env == "other" && (h.class == "persistent" || h.class == "production"):
			s.retag(h.name(i), "deployer:class", h.class)
		}
		switch n.shield {
		case "live":
			s.shield(h.name(i))
		case "file":
			s.file(i, n.never)
		}
	}
	if h.stranger.how != "" {
		s.stranger("stranger", h.stranger)
	}
}

func (h *havoc) has(env string) bool {
	for _, n := range h.nodes {
		if n.env == env {
			return true
		}
	}
	return false
}

// block writes the environment block.
func (s *site) block(env, class string) {
	if !s.h.has(env) {
		return
	}
	if class == "" {
		write(s.t, s.dir, "config/"+env+"/config.yaml", "stack_tags: {team: blue}\n")
		return
	}
	allow := "true"
	if class == "closed" {
		class, allow = "development", "false"
	}
	text := "environment:\n  class: " + class + "\n  accounts: [\"" + here + "\"]\n  break: {allow: " + allow + ", rto: 240h, shared_account: acknowledged"
	if s.h.total > 0 {
		text += fmt.Sprintf(", max_total: %d", s.h.total)
	}
	text += "}\n"
	if s.h.bucket {
		text += "  state: {bucket: records}\n"
	}
	write(s.t, s.dir, "config/"+env+"/config.yaml", text+"stack_tags: {team: blue}\n")
}

// file writes a stack's config.
func (s *site) file(i int, never bool) {
	n := s.h.nodes[i]
	var b strings.Builder
	fmt.Fprintf(&b, "template: {path: s%d.yaml, type: file}\nparameters:\n  Note: n%d\n", i, i)
	var deps []string
	for _, d := range n.needs {
		switch d.how {
		case lives:
			fmt.Fprintf(&b, "  V%d: !stack_output %s.yaml::Hold\n", d.of, s.h.path(d.of))
		case reads:
			fmt.Fprintf(&b, "  V%d: !stack_output %s.yaml::Arn\n", d.of, s.h.path(d.of))
		case after:
			deps = append(deps, s.h.path(d.of)+".yaml")
		}
	}
	fmt.Fprintf(&b, "dependencies: [%s]\nprotect: %v\nbreak:\n  allow: %s\n", strings.Join(deps, ", "), n.shield == "file" && s.phase != "launch", map[bool]string{true: "never", false: "true"}[never])
	if n.data == "named" {
		b.WriteString("  data: {Data: expendable}\n")
	}
	write(s.t, s.dir, "config/"+s.h.path(i)+".yaml", b.String())
}

// template is that of a stack.
func (h *havoc) template(i int) string {
	n := h.nodes[i]
	parameters, resources := "  Note: {Type: String}\n", "  It: {Type: AWS::SNS::Topic, Properties: {DisplayName: !Ref Note}}\n"
	outputs := fmt.Sprintf("  Arn: {Value: !Ref It, Export: {Name: %s-Arn}}\n", h.name(i))
	if n.holds != "" {
		resources += "  Hold: " + map[string]string{
			"vpc": "{Type: AWS::EC2::VPC, Properties: {CidrBlock: 10.0.0.0/16}}", "cluster": "{Type: AWS::ECS::Cluster}",
			"role": "{Type: AWS::IAM::Role, Properties: {AssumeRolePolicyDocument: {}}}",
		}[n.holds] + "\n"
		outputs += fmt.Sprintf("  Hold: {Value: !Ref Hold, Export: {Name: %s-Hold}}\n", h.name(i))
	}
	for _, d := range n.needs {
		value := fmt.Sprintf("!Ref V%d", d.of)
		switch d.how {
		case after:
			continue
		case lives, reads:
			parameters += fmt.Sprintf("  V%d: {Type: String}\n", d.of)
		default:
			value = h.imported(d)
		}
		resources += fmt.Sprintf("  N%d: %s\n", d.of, h.user(d, value))
	}
	resources += map[string]string{
		"queue": "  Data: {Type: AWS::SQS::Queue}\n", "lost": table("Delete"), "named": table("Delete"), "kept": table("Retain"),
		"bucket": fmt.Sprintf("  Data: {Type: AWS::S3::Bucket, DeletionPolicy: Retain, Properties: {BucketName: many-s%d}}\n", i),
	}[n.data]
	return "Parameters:\n" + parameters + "Resources:\n" + resources + "Outputs:\n" + outputs
}

func table(policy string) string {
	return "  Data: {Type: AWS::DynamoDB::Table, DeletionPolicy: " + policy + ", Properties: {AttributeDefinitions: [{AttributeName: id, AttributeType: S}], " +
		"KeySchema: [{AttributeName: id, KeyType: HASH}], BillingMode: PAY_PER_REQUEST}}\n"
}

// imported is how a template imports what it needs.
func (h *havoc) imported(d need) string {
	return fmt.Sprintf("{'Fn::ImportValue': %s-%s}", h.name(d.of), map[bool]string{true: "Arn", false: "Hold"}[d.how == imports])
}

// user is the resource by which a need is had.
func (h *havoc) user(d need, value string) string {
	if d.how == imports || d.how == reads {
		return "{Type: AWS::SNS::Topic, Properties: {DisplayName: " + value + "}}"
	}
	return fmt.Sprintf(map[string]string{
		"vpc":     "{Type: AWS::EC2::SecurityGroup, Properties: {GroupDescription: g, VpcId: %s}}",
		"cluster": "{Type: AWS::ECS::Service, Properties: {TaskDefinition: t, Cluster: %s}}",
		"role":    "{Type: AWS::IAM::InstanceProfile, Properties: {Roles: [%s]}}",
	}[h.nodes[d.of].holds], value)
}
