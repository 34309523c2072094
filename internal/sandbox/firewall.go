package sandbox

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/deployer-cli/deployer/internal/sandbox/engine"
	"github.com/deployer-cli/deployer/internal/sandbox/store"
)

const (
	typeFirewall = "AWS::EC2::SecurityGroup"
	typeIngress  = "AWS::EC2::SecurityGroupIngress"
	propIngress  = "SecurityGroupIngress"

	// propRuleIDs gives ids to rules that were made behind the stack's back, which
	// never get those of earlier ones. It is no property of CloudFormation's.
	propRuleIDs = "sandbox:rules"
)

// gate is one inbound rule of a security group, with the names that
// CloudFormation gives its parts.
type gate struct {
	IpProtocol, FromPort, ToPort                            string `json:",omitempty"`
	CidrIp, CidrIpv6, SourcePrefixListId                    string `json:",omitempty"`
	SourceSecurityGroupId, SourceSecurityGroupOwnerId, Name string `json:",omitempty"`
	Description                                             string `json:",omitempty"`

	id    string
	owner *engine.Outside // the rule's own resource, nil for a rule inside of its group's
	plain any             // as the template has it
}

// key is what makes two rules the same to EC2, which leaves the description out.
func (g gate) key() string {
	g.Description, g.Name = "", ""
	raw, err := json.Marshal(g)
	if err != nil {
		return ""
	}
	return string(raw)
}

func gateOf(v any) gate {
	var g gate
	raw, err := json.Marshal(v)
	if err == nil {
		err = json.Unmarshal(raw, &g)
	}
	if err != nil { // a template may hold anything
		return gate{plain: v}
	}
	g.plain = v
	if g.IpProtocol == "-1" {
		g.FromPort, g.ToPort = "", ""
	}
	return g
}

// group finds a security group by its id.
func (s *Server) group(tx engine.Tx, c *call, id string) (engine.Outside, error) {
	o, found, err := s.behind.Lookup(tx, c.account(), id, typeFirewall)
	if err == nil && (!found || o.Missing) {
		err = invalid("InvalidGroup.NotFound", "The security group '%s' does not exist", id)
	}
	return o, err
}

// gates lists the inbound rules of a group: its own, and those that are resources
// of their own.
func (s *Server) gates(tx engine.Tx, c *call, o engine.Outside) ([]gate, error) {
	out := inlineGates(o)
	singles, err := s.behind.Members(tx, c.account(), typeIngress)
	for _, r := range singles {
		if id := textOf(r.Properties["GroupId"]); r.Missing || id != groupID(o) && id != o.Physical {
			continue
		}
		g := gateOf(r.Properties)
		g.id, g.owner = r.Physical, &r
		out = append(out, g)
	}
	return out, err
}

func inlineGates(o engine.Outside) []gate {
	items, ok := o.Properties[propIngress].([]any)
	if single, isMap := o.Properties[propIngress].(map[string]any); isMap && !ok {
		items = []any{single}
	}
	ids, _ := o.Properties[propRuleIDs].(map[string]any)
	out := make([]gate, 0, len(items))
	for _, item := range items {
		g := gateOf(item)
		if g.id = textOf(ids[g.key()]); g.id == "" {
			g.id = ruleID(o, g, "")
		}
		out = append(out, g)
	}
	return out
}

func groupID(o engine.Outside) string { return cmp.Or(o.Attributes["GroupId"], o.Physical) }

func ruleID(o engine.Outside, g gate, draw string) string {
	return "sgr-" + strings.TrimPrefix(machineID("rule\x00"+o.Physical, g.key()+draw), "i-")
}

// setGates replaces the rules inside of a group. The order of rules means
// nothing, so that the template's own is taken where they are the same.
func (s *Server) setGates(tx engine.Tx, c *call, o engine.Outside, gates []gate, ids map[string]any) error {
	value := make([]any, 0, len(gates))
	for _, g := range gates {
		value = append(value, g.plain)
	}
	template := o
	template.Properties = o.Template
	was := inlineGates(template)
	change := map[string]any{propIngress: value, propRuleIDs: ids}
	if sameGates(was, gates) {
		change[propIngress] = o.Template[propIngress]
	}
	return s.behind.Alter(tx, c.at, o, change)
}

func sameGates(a, b []gate) bool {
	keys := func(gs []gate) []string {
		var out []string
		for _, g := range gs {
			out = append(out, g.key()+g.Description)
		}
		slices.Sort(out)
		return out
	}
	return slices.Equal(keys(a), keys(b))
}

type (
	revokeInput struct {
		GroupId             string
		SecurityGroupRuleId []string
		IpPermissions       []permission
	}
	revokeOutput   struct{ Return bool }
	authorizeInput struct {
		GroupId       string
		IpPermissions []permission
	}
	authorizeOutput struct {
		Return               bool
		SecurityGroupRuleSet []ruleItem
	}
)

func revokeIngress(s *Server, tx store.Tx, c *call, in *revokeInput) (*revokeOutput, error) {
	o, err := s.group(tx, c, in.GroupId)
	if err != nil {
		return nil, err
	}
	gates, err := s.gates(tx, c, o)
	if err != nil {
		return nil, err
	}
	var going []gate
	for _, id := range in.SecurityGroupRuleId {
		i := slices.IndexFunc(gates, func(g gate) bool { return g.id == id })
		if i < 0 {
			return nil, invalid("InvalidSecurityGroupRuleId.NotFound", "The security group rule ID '%s' does not exist", id)
		}
		going = append(going, gates[i])
	}
	for _, want := range gatesOf(in.IpPermissions) {
		i := slices.IndexFunc(gates, func(g gate) bool { return g.key() == want.key() })
		if i < 0 {
			return nil, invalid("InvalidPermission.NotFound", "The specified rule does not exist in this security group.")
		}
		going = append(going, gates[i])
	}
	var left []gate
	for _, g := range gates {
		gone := slices.ContainsFunc(going, func(x gate) bool { return x.id == g.id })
		switch {
		case gone && g.owner != nil:
			if _, err := s.behind.Remove(tx, c.at, *g.owner); err != nil {
				return nil, err
			}
		case !gone && g.owner == nil:
			left = append(left, g)
		}
	}
	ids, _ := o.Properties[propRuleIDs].(map[string]any)
	return &revokeOutput{true}, s.setGates(tx, c, o, left, ids)
}

func authorizeIngress(s *Server, tx store.Tx, c *call, in *authorizeInput) (*authorizeOutput, error) {
	o, err := s.group(tx, c, in.GroupId)
	if err != nil {
		return nil, err
	}
	gates, err := s.gates(tx, c, o)
	if err != nil {
		return nil, err
	}
	ids := map[string]any{}
	old, _ := o.Properties[propRuleIDs].(map[string]any)
	maps.Copy(ids, old)
	out := &authorizeOutput{Return: true}
	for _, g := range gatesOf(in.IpPermissions) {
		if slices.ContainsFunc(gates, func(x gate) bool { return x.key() == g.key() }) {
			return nil, invalid("InvalidPermission.Duplicate", "the specified rule \"peer: %s, %s, from port: %s, to port: %s, ALLOW\" already exists",
				cmp.Or(g.CidrIp, g.CidrIpv6, g.SourceSecurityGroupId, g.SourcePrefixListId), strings.ToUpper(g.IpProtocol), g.FromPort, g.ToPort)
		}
		g.id = ruleID(o, g, strconv.FormatInt(c.at.UnixNano(), 10))
		ids[g.key()] = g.id
		gates = append(gates, g)
		out.SecurityGroupRuleSet = append(out.SecurityGroupRuleSet, g.shown(o, c))
	}
	inline := slices.DeleteFunc(gates, func(g gate) bool { return g.owner != nil })
	return out, s.setGates(tx, c, o, inline, ids)
}
