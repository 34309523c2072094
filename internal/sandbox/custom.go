package sandbox

import (
	"fmt"
	"path"
	"slices"

	"github.com/deployer-cli/deployer/internal/cfnyaml"
	"github.com/deployer-cli/deployer/internal/sandbox/engine"
	"github.com/deployer-cli/deployer/internal/sandbox/store"
)

// customRule is an answer for custom resources, whose providers do not run in the
// sandbox. The latest rule that matches answers.
type customRule struct {
	Type     string            `json:"type,omitempty"` // patterns, as in faults
	Stack    string            `json:"stack,omitempty"`
	Logical  string            `json:"resource,omitempty"`
	Request  string            `json:"request,omitempty"` // Create, Update or Delete; all of them when empty
	Physical string            `json:"physical_id,omitempty"`
	Data     map[string]string `json:"data,omitempty"`
	Fail     string            `json:"fail,omitempty"`
}

func parseCustom(n *cfnyaml.Node) (customRule, error) {
	var r customRule
	f := newFields(n)
	f.string("type", &r.Type)
	f.string("stack", &r.Stack)
	f.string("resource", &r.Logical)
	f.string("request", &r.Request)
	f.string("physical_id", &r.Physical)
	f.string("fail", &r.Fail)
	for _, p := range f.pairs("data") {
		if r.Data == nil {
			r.Data = map[string]string{}
		}
		r.Data[text(p.Key)] = f.textOrJSON(p.Value)
	}
	if requests := []string{"", "Create", "Update", "Delete"}; !slices.Contains(requests, r.Request) {
		f.fail(n, "request %q is none of Create, Update, Delete", r.Request)
	}
	for _, pattern := range []string{r.Type, r.Stack, r.Logical} {
		if _, err := path.Match(pattern, ""); err != nil {
			f.fail(n, "pattern %q: %v", pattern, err)
		}
	}
	if r.Fail != "" && (r.Physical != "" || r.Data != nil) {
		f.fail(n, "an answer fails or has a physical id and data, not both")
	}
	return r, f.done()
}

// plantCustom adds the answers of a seed to those of its account and region.
func plantCustom(tx store.Tx, one seed, out *Seeded) error {
	if len(one.custom) == 0 {
		return nil
	}
	var rules []customRule
	if _, err := getJSON(tx, tableCustom, place(one.account), &rules); err != nil {
		return err
	}
	out.Custom += len(one.custom)
	return putJSON(tx, tableCustom, place(one.account), append(rules, one.custom...))
}

// custom answers for the provider of a custom resource.
func (s *Server) custom(tx engine.Tx, r engine.CustomRequest) (a engine.CustomAnswer, found bool, err error) {
	var rules []customRule
	if _, err := getJSON(tx, tableCustom, place(r.Account), &rules); err != nil {
		return a, false, fmt.Errorf("answers for custom resources: %w", err)
	}
	for _, rule := range slices.Backward(rules) {
		if matches(rule.Type, r.Type) && matches(rule.Stack, r.Stack) && matches(rule.Logical, r.LogicalID) && (rule.Request == "" || rule.Request == r.Request) {
			return engine.CustomAnswer{Physical: rule.Physical, Data: rule.Data, Fail: rule.Fail != "", Reason: rule.Fail}, true, nil
		}
	}
	return a, false, nil
}
