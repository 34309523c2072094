package engine

import (
	"fmt"
	"maps"
	"strings"
)

// CustomRequest is what a custom resource's provider is asked.
type CustomRequest struct {
	Account   Account
	Stack     string
	LogicalID string
	Type      string
	Request   string // Create, Update, Delete
	Physical  string
}

// CustomAnswer is what the provider of a custom resource says.
type CustomAnswer struct {
	Physical string // "" leaves it to the sandbox
	Data     map[string]string
	Fail     bool
	Reason   string
}

func isCustom(typeName string) bool {
	return strings.HasPrefix(typeName, "Custom::") || typeName == "AWS::CloudFormation::CustomResource"
}

// provider asks who answers for a custom resource; found is false where nobody
// does, and then the sandbox makes answers up.
func (s *session) provider(st *stack, id string, r *state, request string) (a CustomAnswer, found bool) {
	if !isCustom(r.Type) || s.e.cfg.Custom == nil || s.err != nil {
		return a, false
	}
	a, found, err := s.e.cfg.Custom(s.tx, CustomRequest{
		Account: st.account(), Stack: st.Name, LogicalID: id, Type: r.Type, Request: request, Physical: r.Physical,
	})
	s.fail(err)
	return a, found
}

// provide makes what a provider answers part of a resource, and says why it failed.
func (s *session) provide(st *stack, id string, r *state, request string) (why string) {
	a, found := s.provider(st, id, r, request)
	switch {
	case !found:
		return ""
	case a.Fail:
		return s.customFailure(st, id, a.Reason)
	}
	r.Answered, r.Attrs = true, maps.Clone(a.Data)
	if a.Physical != "" {
		r.Physical = a.Physical
	}
	return ""
}

// customFailure is how CloudFormation passes on what a provider says.
func (s *session) customFailure(st *stack, id, reason string) string {
	return fmt.Sprintf("Received response status [FAILED] from custom resource. Message returned: %s (RequestId: %s)",
		reason, s.e.uuid("custom", st.ID, st.OpID, id, ordinal(st.Events)))
}

// failure is the reason of a resource that a fault strikes.
func (s *session) failure(st *stack, typeName, id, message, code string) string {
	if isCustom(typeName) && code == "" {
		return s.customFailure(st, id, message)
	}
	return s.handlerMessage(st, id, message, code)
}

// noKey is why an attribute of a custom resource cannot be had.
func (s *session) noKey(st *stack, id, attr string) error {
	return invalid("CustomResource attribute error: Vendor response doesn't contain %s key in object %s|%s|%s in S3 bucket cloudformation-custom-resource-storage-%s",
		attr, st.ID, id, s.e.uuid("object", st.ID, id), strings.ReplaceAll(st.Region, "-", ""))
}
