package cfntemplate

import (
	"strings"
)

// ref evaluates Ref.
func (e *evaluator) ref(arg any) (any, error) {
	name, unknown, err := e.name(arg)
	if err != nil || unknown != nil {
		return unknown, err
	}
	return e.named(name)
}

// name evaluates the argument of Ref, which the language extensions allow to be
// a function. Where that is not known, unknown is the Unknown.
func (e *evaluator) name(arg any) (name string, unknown any, err error) {
	if isCall(arg) && e.t.extended() {
		v, err := e.value(arg)
		if err != nil {
			return "", nil, err
		}
		if u, ok := v.(Unknown); ok {
			return "", u, nil
		}
		arg = v
	}
	name, ok := text(arg)
	if !ok || name == "" {
		return "", nil, refuse("Template format error: every Ref object must have a single String value.")
	}
	return name, nil, nil
}

// named gives the value of a pseudo parameter, parameter or resource.
func (e *evaluator) named(name string) (any, error) {
	if strings.HasPrefix(name, pseudoPrefix) {
		return e.pseudo(name)
	}
	if _, ok := e.t.Parameters[name]; ok {
		v, given := e.env.Parameters[name]
		if !given {
			return Unknown{"parameter " + name + " has no value"}, nil
		}
		return normal(v), nil
	}
	if _, ok := e.t.Resources[name]; !ok {
		return nil, unresolved([]string{name}, "Resources")
	}
	if e.env.Resource == nil {
		return Unknown{"resource " + name + " does not exist yet"}, nil
	}
	v, err := e.env.Resource(name)
	return normal(v), err
}

// unresolved refuses references to what the template does not have. Outputs are
// spoken of without the prefix.
func unresolved(names []string, block string) *Error {
	prefix := "Template format error: "
	if block == "Outputs" {
		prefix = ""
	}
	return refuse("%sUnresolved resource dependencies [%s] in the %s block of the template", prefix, strings.Join(names, ", "), block)
}

// isPseudo reports whether name is a pseudo parameter.
func isPseudo(name string) bool {
	switch name {
	case "AWS::AccountId", "AWS::NotificationARNs", noValueName, "AWS::Partition",
		"AWS::Region", "AWS::StackId", "AWS::StackName", "AWS::URLSuffix":
		return true
	}
	return false
}

func (e *evaluator) pseudo(name string) (any, error) {
	value := ""
	switch name {
	case noValueName:
		return NoValue, nil
	case "AWS::NotificationARNs":
		return normal(e.env.NotificationARNs), nil
	case "AWS::AccountId":
		value = e.env.AccountID
	case "AWS::Region":
		value = e.env.Region
	case "AWS::StackId":
		value = e.env.StackID
	case "AWS::StackName":
		value = e.env.StackName
	case "AWS::Partition":
		value, _ = e.env.partition()
	case "AWS::URLSuffix":
		_, value = e.env.partition()
	default:
		return nil, unresolved([]string{name}, "Resources")
	}
	if value == "" {
		return Unknown{name + " is not known"}, nil
	}
	return value, nil
}

// partition gives the partition and the URL suffix, from the region where they are
// not given.
func (env *Env) partition() (name, suffix string) {
	name, suffix = "aws", "amazonaws.com"
	switch {
	case env.Region == "":
		name, suffix = "", ""
	case strings.HasPrefix(env.Region, "cn-"):
		name, suffix = "aws-cn", "amazonaws.com.cn"
	case strings.HasPrefix(env.Region, "us-gov-"):
		name = "aws-us-gov"
	case strings.HasPrefix(env.Region, "eusc-"):
		name, suffix = "aws-eusc", "amazonaws.eu"
	}
	if env.Partition != "" {
		name = env.Partition
	}
	if env.URLSuffix != "" {
		suffix = env.URLSuffix
	}
	return name, suffix
}

// getAtt evaluates Fn::GetAtt.
func (e *evaluator) getAtt(arg any) (any, error) {
	resource, attribute, ok := getAttArgs(arg)
	if !ok {
		return nil, refuse(textGetAtt)
	}
	id, unknown, err := e.part(resource)
	if err != nil || unknown != nil {
		return unknown, err
	}
	attr, unknown, err := e.part(attribute)
	if err != nil || unknown != nil {
		return unknown, err
	}
	if _, ok := e.t.Resources[id]; !ok {
		return nil, refuse("Template error: instance of Fn::GetAtt references undefined resource %s", id)
	}
	return e.attribute(id, attr)
}

// part evaluates one part of Fn::GetAtt. Where that is not known, unknown is the
// Unknown.
func (e *evaluator) part(arg any) (name string, unknown any, err error) {
	v, err := e.value(arg)
	if err != nil {
		return "", nil, err
	}
	if u, ok := v.(Unknown); ok {
		return "", u, nil
	}
	s, ok := text(v)
	if !ok || s == "" {
		return "", nil, refuse(textGetAtt)
	}
	return s, nil, nil
}

func (e *evaluator) attribute(id, attr string) (any, error) {
	if e.env.Attribute == nil {
		return Unknown{"attribute " + attr + " of resource " + id + " is not known yet"}, nil
	}
	v, err := e.env.Attribute(id, attr)
	return normal(v), err
}

// sub evaluates Fn::Sub.
func (e *evaluator) sub(arg any) (any, error) {
	s, local, bad := subArgs(arg)
	if bad != nil {
		return nil, bad
	}
	parts, bad := pieces(s)
	if bad != nil {
		return nil, bad
	}
	var out strings.Builder
	var missing *Unknown
	for _, p := range parts {
		if p.name == "" {
			out.WriteString(p.literal)
			continue
		}
		v, err := e.variable(p.name, local)
		if err != nil {
			return nil, err
		}
		if u, ok := v.(Unknown); ok {
			missing = &u
			continue
		}
		written, ok := text(v)
		if !ok && v != NoValue {
			return nil, refuse("Template error: variable %s in Fn::Sub expression does not resolve to a string", p.name)
		}
		out.WriteString(written)
	}
	if missing != nil {
		return *missing, nil
	}
	return out.String(), nil
}

func (e *evaluator) variable(name string, local map[string]any) (any, error) {
	if v, ok := local[name]; ok {
		return e.value(v)
	}
	id, attr, dotted := strings.Cut(name, ".")
	if !dotted {
		return e.named(name)
	}
	if _, ok := e.t.Resources[id]; !ok || attr == "" {
		return nil, refuse("Template error: instance of Fn::Sub references invalid resource attribute %s", name)
	}
	return e.attribute(id, attr)
}
