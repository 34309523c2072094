package engine

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// words is a string or a list of strings in a policy.
type words []string

// UnmarshalJSON takes both forms.
func (w *words) UnmarshalJSON(raw []byte) error {
	var one string
	if json.Unmarshal(raw, &one) == nil {
		*w = words{one}
		return nil
	}
	var many []string
	if err := json.Unmarshal(raw, &many); err != nil {
		return fmt.Errorf("policy: %w", err)
	}
	*w = many
	return nil
}

type stackPolicy struct {
	Statement []policyStatement
}

type policyStatement struct {
	Effect      string
	Action      words
	NotAction   words
	Principal   any
	Resource    words
	NotResource words
	Condition   map[string]map[string]words
}

// parsePolicy reads a stack policy.
func parsePolicy(text string) (stackPolicy, error) {
	var p stackPolicy
	bad := invalid("Error validating stack policy: Invalid stack policy")
	if json.Unmarshal([]byte(text), &p) != nil || len(p.Statement) == 0 {
		return p, bad
	}
	for _, st := range p.Statement {
		effect := st.Effect == "Allow" || st.Effect == "Deny"
		action := (len(st.Action) > 0) != (len(st.NotAction) > 0)
		on := (len(st.Resource) > 0) != (len(st.NotResource) > 0)
		if !effect || !action || !on || st.Principal != any("*") {
			return p, bad
		}
		for _, a := range slices.Concat(st.Action, st.NotAction) {
			if a != "*" && !strings.HasPrefix(a, "Update:") {
				return p, bad
			}
		}
	}
	return p, nil
}

// matches compares with * and ? as wildcards.
func matches(pattern, text string) bool {
	quoted := regexp.QuoteMeta(pattern)
	quoted = strings.ReplaceAll(strings.ReplaceAll(quoted, `\*`, ".*"), `\?`, ".")
	ok, err := regexp.MatchString("^"+quoted+"$", text)
	return err == nil && ok
}

func (w words) matches(text string) bool {
	return slices.ContainsFunc(w, func(p string) bool { return matches(p, text) })
}

func (st policyStatement) applies(action, id, typeName string) bool {
	if len(st.Action) > 0 && !st.Action.matches(action) || len(st.NotAction) > 0 && st.NotAction.matches(action) {
		return false
	}
	on := "LogicalResourceId/" + id
	if len(st.Resource) > 0 && !st.Resource.matches(on) || len(st.NotResource) > 0 && st.NotResource.matches(on) {
		return false
	}
	for operator, tests := range st.Condition {
		for name, values := range tests {
			if name != "ResourceType" {
				continue
			}
			ok := values.matches(typeName)
			if operator == "StringEquals" {
				ok = slices.Contains(values, typeName)
			}
			if !ok {
				return false
			}
		}
	}
	return true
}

// verdict tells whether a policy allows an action and, when a statement
// forbids it, which.
func (p stackPolicy) verdict(action, id, typeName string) (allowed bool, statement int) {
	for i, st := range p.Statement {
		if !st.applies(action, id, typeName) {
			continue
		}
		if st.Effect == "Deny" {
			return false, i + 1
		}
		allowed = true
	}
	return allowed, 0
}

// denied is why the stack policy forbids an action on a resource.
func (s *session) denied(st *stack, op *operation, action, id, typeName string) string {
	hash := op.Policy
	if hash == "" {
		hash = st.Policy
	}
	if hash == "" {
		return ""
	}
	p, err := parsePolicy(s.body(hash))
	if err != nil {
		return ""
	}
	allowed, statement := p.verdict(action, id, typeName)
	switch {
	case allowed:
		return ""
	case statement == 0:
		return fmt.Sprintf("Action denied by stack policy: No statement allows [%s] for resource [LogicalResourceId/%s];", action, id)
	}
	return fmt.Sprintf("Action denied by stack policy: Statement [#%d] does not allow [%s] for resource [LogicalResourceId/%s];", statement, action, id)
}

// policyText takes a stack policy from a request.
func (s *session) policyText(body, url string) (string, error) {
	if body != "" && url != "" {
		return "", invalid("You cannot specify both StackPolicyURL and StackPolicyBody")
	}
	if url != "" {
		text, err := s.fetch(s.acct, url)
		if err != nil {
			return "", err
		}
		body = text
	}
	if body == "" {
		return "", nil
	}
	if _, err := parsePolicy(body); err != nil {
		return "", err
	}
	return body, nil
}
