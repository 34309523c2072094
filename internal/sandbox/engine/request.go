package engine

import (
	"errors"
	"regexp"
	"slices"
	"strings"

	"github.com/deployer-cli/deployer/internal/cfntemplate"
)

// request is what the calls that bring a template have in common.
type request struct {
	Body, URL     string
	Previous      bool // keep the template of the stack
	Parameters    []Parameter
	Capabilities  []string
	Role          string
	Notify        []string
	Monitor       *RollbackConfiguration
	Tags          []Tag
	ResourceTypes []string
	Unchecked     bool // capabilities are looked at later
	Create        bool // there are no previous values
}

var (
	namePattern = regexp.MustCompile(`^[a-zA-Z][-a-zA-Z0-9]*$`)
	rolePattern = regexp.MustCompile(`^arn:aws[a-z-]*:iam::[0-9]{12}:role/.+$`)
)

// checkName refuses what cannot be a stack's name or id.
func checkName(name string) error {
	const maxName = 128
	if name == "" {
		return invalid("1 validation error detected: Value null at 'stackName' failed to satisfy constraint: Member must not be null")
	}
	if strings.HasPrefix(name, "arn:") {
		return nil
	}
	if !namePattern.MatchString(name) {
		return invalid("1 validation error detected: Value '%s' at 'stackName' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z][-a-zA-Z0-9]*|arn:[-a-zA-Z0-9:/._+]*", name)
	}
	if len(name) > maxName {
		return invalid("1 validation error detected: Value '%s' at 'stackName' failed to satisfy constraint: Member must have length less than or equal to %d", name, maxName)
	}
	return nil
}

// target checks a request as far as CloudFormation does before it accepts it.
func (s *session) target(st *stack, req request) (target, *cfntemplate.Template, error) {
	text, err := s.requestText(st, req)
	if err != nil {
		return target{}, nil, err
	}
	tpl, err := s.parse(text)
	if err != nil {
		return target{}, nil, err
	}
	if problems := tpl.Check(); len(problems) > 0 {
		return target{}, nil, templateError(problems[0])
	}
	if err := checkRequest(tpl, req); err != nil {
		return target{}, nil, err
	}
	if req.Role != "" && (!rolePattern.MatchString(req.Role) || !s.assumable(req.Role)) {
		return target{}, nil, invalid("Role %s is invalid or cannot be assumed", req.Role)
	}
	t := target{
		Body: s.saveBody(text), Tags: req.Tags, Caps: req.Capabilities, Role: req.Role, Notify: req.Notify,
		Monitor: req.Monitor, Description: tpl.Description, ResourceTypes: req.ResourceTypes,
	}
	if t.Params, err = s.parameters(st, tpl, req); err != nil {
		return target{}, nil, err
	}
	effective, env, err := s.effective(st, tpl, &t)
	if err != nil {
		return target{}, nil, err
	}
	if problems := tpl.CheckRules(env); len(problems) > 0 {
		return target{}, nil, templateError(problems[0])
	}
	if err := dangling(effective); err != nil {
		return target{}, nil, err
	}
	if s.err != nil {
		return target{}, nil, s.err
	}
	return t, effective, nil
}

func (s *session) requestText(st *stack, req request) (string, error) {
	if !req.Previous {
		return s.templateText(req.Body, req.URL)
	}
	if req.Body != "" || req.URL != "" {
		return "", invalid("You cannot specify both usePreviousTemplate and Template Body/Template URL.")
	}
	return s.body(st.Now.Body), nil
}

func checkRequest(tpl *cfntemplate.Template, req request) error {
	const maxTags, maxTopics = 50, 5
	if !req.Unchecked {
		if err := checkCapabilities(tpl, req.Capabilities); err != nil {
			return err
		}
	}
	for _, id := range tpl.ResourceNames {
		if r := tpl.Resources[id]; !allowedType(r.Type, req.ResourceTypes) {
			return invalid("Resource type %s is not allowed by parameter ResourceTypes [%s]", r.Type, strings.Join(req.ResourceTypes, ", "))
		}
	}
	if len(req.Tags) > maxTags {
		return invalid("1 validation error detected: Value at 'tags' failed to satisfy constraint: Member must have length less than or equal to %d", maxTags)
	}
	if len(req.Notify) > maxTopics {
		return invalid("1 validation error detected: Value at 'notificationARNs' failed to satisfy constraint: Member must have length less than or equal to %d", maxTopics)
	}
	if err := checkTags(req.Tags); err != nil {
		return err
	}
	return checkMonitor(req.Monitor)
}

// dangling refuses references to resources that conditions leave out.
func dangling(effective *cfntemplate.Template) error {
	for _, problem := range effective.Check() {
		if strings.Contains(problem.Message, "Unresolved resource dependencies") {
			return templateError(problem)
		}
	}
	return nil
}

// assumable reports whether a role lets CloudFormation assume it, as far as the
// sandbox knows it: a role that no stack made is taken to exist and to trust.
func (s *session) assumable(arn string) bool {
	for _, o := range s.owners(s.acct, arn) {
		r := s.resource(o.Stack, o.ID)
		if o.Type != "AWS::IAM::Role" || r == nil {
			continue
		}
		doc, _ := r.Props["AssumeRolePolicyDocument"].(map[string]any)
		statements, ok := doc["Statement"].([]any)
		if !ok {
			statements = []any{doc["Statement"]}
		}
		return slices.ContainsFunc(statements, func(v any) bool {
			st, _ := v.(map[string]any)
			return st["Effect"] == "Allow" && (st["Principal"] == "*" || says(st["Principal"], "cloudformation."))
		})
	}
	return true
}

func checkTags(tags []Tag) error {
	seen := map[string]bool{}
	for _, t := range tags {
		if strings.HasPrefix(strings.ToLower(t.Key), "aws:") {
			return invalid("aws: prefixed tag key names are not allowed for external use.")
		}
		if seen[t.Key] {
			return invalid("Duplicate tag key found. Tag keys must be unique.")
		}
		seen[t.Key] = true
	}
	return nil
}

func checkMonitor(m *RollbackConfiguration) error {
	const maxTriggers, maxMinutes = 5, 180
	if m == nil {
		return nil
	}
	if m.MonitoringTimeInMinutes != nil && (*m.MonitoringTimeInMinutes < 0 || *m.MonitoringTimeInMinutes > maxMinutes) {
		return invalid("1 validation error detected: Value '%d' at 'rollbackConfiguration.monitoringTimeInMinutes' failed to satisfy constraint: Member must have value less than or equal to %d", *m.MonitoringTimeInMinutes, maxMinutes)
	}
	if len(m.RollbackTriggers) > maxTriggers {
		return invalid("1 validation error detected: Value at 'rollbackConfiguration.rollbackTriggers' failed to satisfy constraint: Member must have length less than or equal to %d", maxTriggers)
	}
	for _, t := range m.RollbackTriggers {
		if t.Type != "AWS::CloudWatch::Alarm" && t.Type != "AWS::CloudWatch::CompositeAlarm" {
			return invalid("Rollback Trigger Type not supported")
		}
		if !strings.Contains(t.Arn, ":alarm:") {
			return invalid("RelativeId of a Rollback Trigger's ARN is incorrect")
		}
	}
	return nil
}

func allowedType(name string, allowed []string) bool {
	if len(allowed) == 0 {
		return true
	}
	return slices.ContainsFunc(allowed, func(a string) bool {
		if prefix, ok := strings.CutSuffix(a, "*"); ok && strings.HasSuffix(prefix, "::") {
			return strings.HasPrefix(name, prefix)
		}
		return a == name
	})
}

// parameters merges given, previous and default values.
func (s *session) parameters(st *stack, tpl *cfntemplate.Template, req request) ([]param, error) {
	previous := map[string]string{}
	if st != nil && !req.Create {
		for _, p := range st.Now.Params {
			previous[p.Key] = p.Value
		}
	}
	given := map[string]string{}
	var extra []string
	for _, p := range req.Parameters {
		if _, declared := tpl.Parameters[p.ParameterKey]; !declared {
			extra = append(extra, p.ParameterKey)
			continue
		}
		value, err := givenValue(p, previous, req.Create)
		if err != nil {
			return nil, err
		}
		given[p.ParameterKey] = value
	}
	if len(extra) > 0 {
		return nil, invalid("Parameters: [%s] do not exist in the template", strings.Join(extra, ", "))
	}
	if _, err := tpl.ResolveParameters(given, nil); err != nil {
		return nil, templateError(err)
	}
	var out []param
	for _, name := range tpl.ParameterNames {
		p, err := s.parameter(tpl.Parameters[name], given)
		if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, nil
}

func givenValue(p Parameter, previous map[string]string, create bool) (string, error) {
	if p.UsePreviousValue == nil || !*p.UsePreviousValue {
		if p.ParameterValue == nil {
			return "", invalid("ParameterValue for ParameterKey %s is required", p.ParameterKey)
		}
		return *p.ParameterValue, nil
	}
	if create {
		return "", invalid("Cannot specify UsePreviousValue on Parameters when ChangeSetType is CREATE")
	}
	if p.ParameterValue != nil && *p.ParameterValue != "" {
		return "", invalid("Invalid input for parameter key %s. Cannot specify usePreviousValue as true and non empty value for a parameter", p.ParameterKey)
	}
	value, ok := previous[p.ParameterKey]
	if !ok {
		return "", invalid("Invalid input for parameter key %s. Cannot specify usePreviousValue as true for a parameter key not in the previous template", p.ParameterKey)
	}
	return value, nil
}

// parameter settles one declared parameter, reading SSM when its type says so.
func (s *session) parameter(d cfntemplate.Parameter, given map[string]string) (param, error) {
	p := param{Key: d.Name, NoEcho: d.NoEcho}
	value, ok := given[d.Name]
	switch {
	case ok:
		p.Value = value
	case d.Default != nil:
		p.Value = *d.Default
	}
	if !d.IsSSM() {
		return p, nil
	}
	p.SSM = true
	if s.e.cfg.Parameter == nil {
		return p, invalid("Unable to fetch parameters [%s] from parameter store for this account.", p.Value)
	}
	resolved, found, err := s.e.cfg.Parameter(s.tx, s.acct, p.Value)
	if err != nil {
		if _, refused := errors.AsType[*Error](err); !refused {
			s.fail(err)
		}
		return p, err
	}
	if !found {
		return p, invalid("Unable to fetch parameters [%s] from parameter store for this account.", p.Value)
	}
	p.Resolved = resolved
	return p, nil
}
