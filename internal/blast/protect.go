package blast

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/deployer-cli/deployer/internal/guard"
	"github.com/deployer-cli/deployer/stacks"
)

// protected is G5.
func (k *scope) protected() []Finding {
	var out []Finding
	for _, u := range k.units {
		p := u.root.Path()
		if u.root.Live.TerminationProtection {
			out = append(out, Finding{Stack: p, Why: "its termination protection is on, and break never turns it off", Fix: "if it may be broken, set termination_protection: false in its file and launch it"})
		}
		if u.root.Stack != nil && u.root.Stack.Protect {
			out = append(out, Finding{Stack: p, Why: "its file says protect: true", Fix: "take protect out of its file, or leave it out"})
		}
		for _, m := range u.members {
			out = append(out, k.guarded(p, m)...)
		}
	}
	return out
}

// guarded finds what protects a stack's resources.
func (k *scope) guarded(p stacks.Path, m *member) []Finding {
	if !m.Policy.Read {
		return []Finding{{Stack: p, Why: "its stack policy cannot be read: " + m.Policy.reason(), Fix: "let the caller read it (cloudformation:GetStackPolicy)"}}
	}
	policy, err := parseStackPolicy(m.Policy.Value)
	if err != nil {
		return []Finding{{Stack: p, Why: "its stack policy is not understood: " + err.Error()}}
	}
	var out []Finding
	for _, r := range m.Resources.Value {
		if !k.touches(p, r.LogicalID) {
			continue
		}
		for _, action := range k.actions() {
			if policy.denies(action, r) {
				out = append(out, Finding{Stack: p, Why: fmt.Sprintf("its stack policy does not let %s be touched (%s)", r.LogicalID, action), Fix: "leave it out: whoever wrote the policy meant it"})
				break
			}
		}
		if k.f.Kind == DeleteStack && m.undeletable(r) {
			out = append(out, Finding{Stack: p, Why: fmt.Sprintf("%s (%s) has deletion protection: the delete would fail half-way", r.LogicalID, r.Type), Fix: "turn its deletion protection off in the template and launch it"})
		}
	}
	return out
}

// actions are what a break does, in the words of stack policies.
func (k *scope) actions() []string {
	switch k.f.Kind {
	case DeleteStack, DeleteResource:
		return []string{"Update:Delete"}
	case DriftParameter:
		return []string{"Update:Modify", "Update:Replace"}
	}
	return []string{"Update:Modify"}
}

// undeletable tells whether a resource's own protection would let its deletion
// fail.
func (m *member) undeletable(r stacks.Resource) bool {
	if m.parsed() == nil || strings.HasPrefix(m.deletionPolicy(r), retain) {
		return false
	}
	v, err := m.template.Eval(m.template.Resources[r.LogicalID].Properties, m.env)
	properties, _ := v.(map[string]any)
	if err != nil {
		return false // G10 and the service itself are left to judge
	}
	for _, key := range []string{"DeletionProtection", "DeletionProtectionEnabled", "TerminationProtection", "DisableApiTermination"} {
		if on(properties[key]) {
			return true
		}
	}
	attributes, _ := properties["LoadBalancerAttributes"].([]any)
	return slices.ContainsFunc(attributes, func(a any) bool {
		entry, _ := a.(map[string]any)
		return entry["Key"] == "deletion_protection.enabled" && on(entry["Value"])
	})
}

func on(v any) bool {
	text, _ := v.(string)
	return v == true || strings.EqualFold(text, "true") || text == "ACTIVE"
}

// stackPolicy is a stack policy: what updates may do to which resources. Once
// there is one, everything that no statement allows is denied.
type stackPolicy struct{ Statement []policyStatement }

type policyStatement struct {
	Effect      string
	Action      words
	NotAction   words
	Principal   any
	Resource    words
	NotResource words
	Condition   map[string]map[string]words
}

// words is a string or a list of strings.
type words []string

// UnmarshalJSON takes both forms.
func (w *words) UnmarshalJSON(raw []byte) error {
	var one string
	if json.Unmarshal(raw, &one) == nil {
		*w = words{one}
		return nil
	}
	var many []string
	err := json.Unmarshal(raw, &many)
	*w = many
	return err
}

// parseStackPolicy reads a policy; the empty text is none, and denies nothing.
func parseStackPolicy(text string) (*stackPolicy, error) {
	if strings.TrimSpace(text) == "" {
		return nil, nil //nolint:nilnil // there is no policy
	}
	var p stackPolicy
	if err := json.Unmarshal([]byte(text), &p); err != nil {
		return nil, err
	}
	return &p, nil
}

// denies tells whether a policy keeps an action from a resource. A condition
// that is not understood counts against.
func (p *stackPolicy) denies(action string, r stacks.Resource) bool {
	if p == nil {
		return false
	}
	allowed := false
	for _, s := range p.Statement {
		applies, sure := s.applies(action, r)
		switch {
		case s.Effect == "Allow" && applies && sure:
			allowed = true
		case s.Effect != "Allow" && applies:
			return true
		}
	}
	return !allowed
}

func (s *policyStatement) applies(action string, r stacks.Resource) (applies, sure bool) {
	if len(s.Action) > 0 && !s.Action.match(action) || len(s.NotAction) > 0 && s.NotAction.match(action) {
		return false, true
	}
	on := "LogicalResourceId/" + r.LogicalID
	if len(s.Resource) > 0 && !s.Resource.match(on) || len(s.NotResource) > 0 && s.NotResource.match(on) {
		return false, true
	}
	for operator, tests := range s.Condition {
		for key, values := range tests {
			switch {
			case key != "ResourceType" || operator != "StringEquals" && operator != "StringLike":
				return true, false
			case operator == "StringEquals" && !slices.Contains(values, r.Type), !values.match(r.Type):
				return false, true
			}
		}
	}
	return true, true
}

func (w words) match(text string) bool {
	return slices.ContainsFunc(w, func(pattern string) bool { return guard.Wild(pattern, text) })
}
