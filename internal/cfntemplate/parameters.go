package cfntemplate

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
)

const (
	maxParameterBytes = 4096
	ssmName           = "AWS::SSM::Parameter::Name"
	ssmValuePrefix    = "AWS::SSM::Parameter::Value<"
)

// IsSSM reports whether the parameter's value is the name of an SSM parameter
// that CloudFormation resolves.
func (p Parameter) IsSSM() bool { return strings.HasPrefix(p.Type, ssmValuePrefix) }

// IsList reports whether Ref of the parameter is a list.
func (p Parameter) IsList() bool {
	kind := p.valueType()
	return kind == "CommaDelimitedList" || strings.HasPrefix(kind, "List<")
}

// valueType is the type of what Ref returns.
func (p Parameter) valueType() string {
	if inner, ok := strings.CutPrefix(p.Type, ssmValuePrefix); ok {
		return strings.TrimSuffix(inner, ">")
	}
	return p.Type
}

// Value gives s the type that Ref returns: a []string for lists, else s.
func (p Parameter) Value(s string) any {
	if !p.IsList() {
		return s
	}
	items := strings.Split(s, ",")
	for i := range items {
		items[i] = strings.TrimSpace(items[i])
	}
	return items
}

// ResolveParameters gives every parameter its value: the given one, else the
// previous one, else the default. Values are strings, or []string for lists. The
// value of an SSM type stays the name; see Parameter.IsSSM and Value.
func (t *Template) ResolveParameters(given, previous map[string]string) (map[string]any, error) {
	if err := t.checkGiven(given); err != nil {
		return nil, err
	}
	texts := make(map[string]string, len(t.ParameterNames))
	var missing []string
	for _, name := range t.ParameterNames {
		s, ok := t.Parameters[name].pick(given, previous)
		if !ok {
			missing = append(missing, name)
		}
		texts[name] = s
	}
	if len(missing) > 0 {
		return nil, t.missing(missing)
	}
	values := make(map[string]any, len(texts))
	for _, name := range t.ParameterNames {
		p := t.Parameters[name]
		if err := p.check(texts[name]); err != nil {
			return nil, err
		}
		values[name] = p.Value(texts[name])
		if p.IsSSM() {
			values[name] = texts[name]
		}
	}
	return values, nil
}

func (t *Template) checkGiven(given map[string]string) error {
	if len(given) > 0 && len(t.Parameters) == 0 {
		return refuse("Parameter values specified for a template which does not require them.")
	}
	var strange []string
	for _, name := range sortedKeys(given) {
		if _, ok := t.Parameters[name]; !ok {
			strange = append(strange, name)
		}
	}
	if len(strange) > 0 {
		return refuse("Parameters: [%s] do not exist in the template", strings.Join(strange, ", "))
	}
	return nil
}

func (p Parameter) pick(given, previous map[string]string) (string, bool) {
	if s, ok := given[p.Name]; ok {
		return s, true
	}
	if s, ok := previous[p.Name]; ok {
		return s, true
	}
	if p.Default != nil {
		return *p.Default, true
	}
	return "", false
}

func (t *Template) missing(names []string) *Error {
	first := t.Parameters[names[0]]
	err := refuse("Parameters: [%s] must have values", strings.Join(names, ", "))
	if !slices.ContainsFunc(names, func(n string) bool { return !t.Parameters[n].IsSSM() }) {
		err = refuse("Parameter %s should either have input value or default value", names[0])
	}
	return err.at(place{first.Line, first.Column})
}

// check refuses a value that breaks a constraint.
func (p Parameter) check(s string) error {
	problem := p.problem(s)
	if problem == "" {
		return nil
	}
	if p.ConstraintDescription != "" && problem != p.notNumber() {
		problem = "Parameter '" + p.Name + "' failed to satisfy constraint: " + p.ConstraintDescription
	}
	return refuse("%s", problem).at(place{p.Line, p.Column})
}

func (p Parameter) notNumber() string { return "Parameter '" + p.Name + "' must be a number." }

// problem says what constraint s breaks, in CloudFormation's words.
func (p Parameter) problem(s string) string {
	parts := []string{s}
	if p.IsList() && !p.IsSSM() {
		parts, _ = p.Value(s).([]string)
	}
	must := "Parameter '" + p.Name + "' must "
	if len(s) > maxParameterBytes {
		return must + "contain at most " + strconv.Itoa(maxParameterBytes) + " bytes"
	}
	for _, part := range parts {
		if len(p.AllowedValues) > 0 && !slices.Contains(p.AllowedValues, part) && !slices.Contains(p.AllowedValues, s) {
			return must + "be one of AllowedValues"
		}
		if !p.matches(part) {
			return must + "match pattern " + p.AllowedPattern
		}
		if problem := p.numberProblem(part); problem != "" {
			return problem
		}
	}
	return p.lengthProblem(s)
}

func (p Parameter) matches(s string) bool {
	if p.AllowedPattern == "" {
		return true
	}
	// CloudFormation's patterns are Java's: what RE2 cannot read is not checked.
	re, err := regexp.Compile(`\A(?:` + p.AllowedPattern + `)\z`)
	return err != nil || re.MatchString(s)
}

func (p Parameter) numberProblem(s string) string {
	if p.Type != "Number" && p.Type != "List<Number>" {
		return ""
	}
	f, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
	if err != nil {
		return p.notNumber()
	}
	if p.MinValue != nil && f < *p.MinValue {
		return "Parameter '" + p.Name + "' must be a number not less than " + number(*p.MinValue)
	}
	if p.MaxValue != nil && f > *p.MaxValue {
		return "Parameter '" + p.Name + "' must be a number not greater than " + number(*p.MaxValue)
	}
	return ""
}

func number(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }

func (p Parameter) lengthProblem(s string) string {
	if p.IsList() || p.Type == "Number" {
		return ""
	}
	n := len([]rune(s))
	if p.MinLength != nil && n < *p.MinLength {
		return "Parameter '" + p.Name + "' must contain at least " + strconv.Itoa(*p.MinLength) + " characters"
	}
	if p.MaxLength != nil && n > *p.MaxLength {
		return "Parameter '" + p.Name + "' must contain at most " + strconv.Itoa(*p.MaxLength) + " characters"
	}
	return ""
}

// knownParameterType reports whether CloudFormation has the parameter type.
func knownParameterType(kind string) bool {
	if inner, ok := strings.CutPrefix(kind, ssmValuePrefix); ok {
		return strings.HasSuffix(inner, ">") && knownValueType(strings.TrimSuffix(inner, ">"))
	}
	return kind == "Number" || kind == "List<Number>" || kind == ssmName || knownValueType(kind)
}

func knownValueType(kind string) bool {
	if inner, ok := strings.CutPrefix(kind, "List<"); ok {
		kind = strings.TrimSuffix(inner, ">")
	}
	switch kind {
	case "String", "CommaDelimitedList",
		"AWS::EC2::AvailabilityZone::Name", "AWS::EC2::Image::Id", "AWS::EC2::Instance::Id", "AWS::EC2::KeyPair::KeyName",
		"AWS::EC2::SecurityGroup::GroupName", "AWS::EC2::SecurityGroup::Id", "AWS::EC2::Subnet::Id",
		"AWS::EC2::Volume::Id", "AWS::EC2::VPC::Id", "AWS::Route53::HostedZone::Id":
		return true
	}
	return false
}
