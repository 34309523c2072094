package sandbox

import (
	"cmp"
	"slices"
	"strconv"

	"github.com/deployer-cli/deployer/internal/sandbox/engine"
	"github.com/deployer-cli/deployer/internal/sandbox/store"
)

// The shapes in which EC2 shows and takes rules of security groups.
type (
	ipRange   struct{ CidrIp, Description string }
	ipv6Range struct{ CidrIpv6, Description string }
	listID    struct{ PrefixListId, Description string }
	groupPair struct{ GroupId, UserId, Description string }

	permission struct {
		IpProtocol       string
		FromPort, ToPort *int
		IpRanges         []ipRange
		Ipv6Ranges       []ipv6Range
		PrefixListIds    []listID
		Groups           []groupPair
	}
	referencedGroup struct{ GroupId, UserId string }
	ruleItem        struct {
		SecurityGroupRuleId, GroupId, GroupOwnerId    string
		IsEgress                                      bool
		IpProtocol                                    string
		FromPort, ToPort                              int
		CidrIpv4, CidrIpv6, PrefixListId, Description string
		ReferencedGroupInfo                           *referencedGroup
	}
	groupItem struct {
		OwnerId, GroupId, GroupName, GroupDescription, VpcId string
		IpPermissions                                        []permission
	}
	describeGroupsInput struct {
		GroupId []string
		Filter  []filter
	}
	describeGroupsOutput struct{ SecurityGroupInfo []groupItem }
	describeRulesInput   struct {
		SecurityGroupRuleId []string
		Filter              []filter
	}
	describeRulesOutput struct{ SecurityGroupRuleSet []ruleItem }
)

// gatesOf takes permissions apart into single rules.
func gatesOf(permissions []permission) []gate {
	var out []gate
	for _, p := range permissions {
		port := func(n *int) string {
			if n == nil || p.IpProtocol == "-1" {
				return ""
			}
			return strconv.Itoa(*n)
		}
		base := gate{IpProtocol: p.IpProtocol, FromPort: port(p.FromPort), ToPort: port(p.ToPort)}
		add := func(description string, set func(*gate)) {
			g := base
			g.Description = description
			set(&g)
			out = append(out, gateOf(g.properties()))
		}
		for _, r := range p.IpRanges {
			add(r.Description, func(g *gate) { g.CidrIp = r.CidrIp })
		}
		for _, r := range p.Ipv6Ranges {
			add(r.Description, func(g *gate) { g.CidrIpv6 = r.CidrIpv6 })
		}
		for _, r := range p.PrefixListIds {
			add(r.Description, func(g *gate) { g.SourcePrefixListId = r.PrefixListId })
		}
		for _, r := range p.Groups {
			add(r.Description, func(g *gate) { g.SourceSecurityGroupId, g.SourceSecurityGroupOwnerId = r.GroupId, r.UserId })
		}
	}
	return out
}

// properties is a rule as a template would have it.
func (g gate) properties() map[string]any {
	out := map[string]any{}
	for name, value := range map[string]string{
		"IpProtocol": g.IpProtocol, "FromPort": g.FromPort, "ToPort": g.ToPort, "CidrIp": g.CidrIp, "CidrIpv6": g.CidrIpv6,
		"SourcePrefixListId": g.SourcePrefixListId, "SourceSecurityGroupId": g.SourceSecurityGroupId,
		"SourceSecurityGroupOwnerId": g.SourceSecurityGroupOwnerId, "Description": g.Description,
	} {
		if value != "" {
			out[name] = value
		}
	}
	return out
}

// number reads a port; EC2 shows -1 for all of them.
func number(text string) int {
	n, err := strconv.Atoi(text)
	if err != nil {
		return -1
	}
	return n
}

func (g gate) shown(o engine.Outside, c *call) ruleItem {
	out := ruleItem{
		SecurityGroupRuleId: g.id, GroupId: groupID(o), GroupOwnerId: c.caller.Account, IpProtocol: g.IpProtocol,
		FromPort: number(g.FromPort), ToPort: number(g.ToPort), CidrIpv4: g.CidrIp, CidrIpv6: g.CidrIpv6,
		PrefixListId: g.SourcePrefixListId, Description: g.Description,
	}
	if g.SourceSecurityGroupId != "" {
		out.ReferencedGroupInfo = &referencedGroup{g.SourceSecurityGroupId, cmp.Or(g.SourceSecurityGroupOwnerId, c.caller.Account)}
	}
	return out
}

func (g gate) permission(c *call) permission {
	p := permission{IpProtocol: g.IpProtocol}
	if g.FromPort != "" {
		p.FromPort, p.ToPort = new(number(g.FromPort)), new(number(g.ToPort))
	}
	switch {
	case g.CidrIp != "":
		p.IpRanges = []ipRange{{g.CidrIp, g.Description}}
	case g.CidrIpv6 != "":
		p.Ipv6Ranges = []ipv6Range{{g.CidrIpv6, g.Description}}
	case g.SourcePrefixListId != "":
		p.PrefixListIds = []listID{{g.SourcePrefixListId, g.Description}}
	default:
		p.Groups = []groupPair{{g.SourceSecurityGroupId, cmp.Or(g.SourceSecurityGroupOwnerId, c.caller.Account), g.Description}}
	}
	return p
}

// chosenGroups are the groups that ids, or the filter group-id, name.
func (s *Server) chosenGroups(tx engine.Tx, c *call, ids []string, filters []filter) ([]engine.Outside, error) {
	for _, f := range filters {
		if f.Name != "group-id" {
			return nil, invalid("InvalidParameterValue", "The filter '%s' is invalid", f.Name)
		}
		ids = append(ids, f.Value...)
	}
	all, err := s.behind.Members(tx, c.account(), typeFirewall)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(all, func(o engine.Outside) bool {
		return o.Missing || len(ids) > 0 && !slices.Contains(ids, groupID(o)) && !slices.Contains(ids, o.Physical)
	}), nil
}

func describeSecurityGroups(s *Server, tx store.Tx, c *call, in *describeGroupsInput) (*describeGroupsOutput, error) {
	for _, id := range in.GroupId {
		if _, err := s.group(tx, c, id); err != nil {
			return nil, err
		}
	}
	chosen, err := s.chosenGroups(tx, c, in.GroupId, in.Filter)
	if err != nil {
		return nil, err
	}
	out := &describeGroupsOutput{}
	for _, o := range chosen {
		p := o.Properties
		item := groupItem{
			OwnerId: c.caller.Account, GroupId: groupID(o), GroupName: cmp.Or(textOf(p["GroupName"]), o.Stack+"-"+o.LogicalID),
			GroupDescription: textOf(p["GroupDescription"]), VpcId: textOf(p["VpcId"]),
		}
		gates, err := s.gates(tx, c, o)
		if err != nil {
			return nil, err
		}
		for _, g := range gates {
			item.IpPermissions = append(item.IpPermissions, g.permission(c))
		}
		out.SecurityGroupInfo = append(out.SecurityGroupInfo, item)
	}
	return out, nil
}

func describeSecurityGroupRules(s *Server, tx store.Tx, c *call, in *describeRulesInput) (*describeRulesOutput, error) {
	chosen, err := s.chosenGroups(tx, c, nil, in.Filter)
	if err != nil {
		return nil, err
	}
	out := &describeRulesOutput{}
	for _, o := range chosen {
		gates, err := s.gates(tx, c, o)
		if err != nil {
			return nil, err
		}
		for _, g := range gates {
			if len(in.SecurityGroupRuleId) == 0 || slices.Contains(in.SecurityGroupRuleId, g.id) {
				out.SecurityGroupRuleSet = append(out.SecurityGroupRuleSet, g.shown(o, c))
			}
		}
		// What every group lets out unless its template says otherwise.
		out.SecurityGroupRuleSet = append(out.SecurityGroupRuleSet, ruleItem{
			SecurityGroupRuleId: ruleID(o, gate{}, "out"), GroupId: groupID(o), GroupOwnerId: c.caller.Account, IsEgress: true,
			IpProtocol: "-1", FromPort: -1, ToPort: -1, CidrIpv4: "0.0.0.0/0",
		})
	}
	return out, nil
}
