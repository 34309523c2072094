package inject

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/deployer-cli/deployer/stacks"
)

// inbound is one inbound rule of a security group. Exactly one of the peers is
// there.
type inbound struct {
	ID          string `json:"id,omitempty"` // a rule that is made again gets another
	Protocol    string `json:"protocol"`
	From        *int32 `json:"from,omitempty"`
	To          *int32 `json:"to,omitempty"`
	CIDR        string `json:"cidr,omitempty"`
	CIDRv6      string `json:"cidr_v6,omitempty"`
	List        string `json:"prefix_list,omitempty"`
	Group       string `json:"group,omitempty"`
	User        string `json:"user,omitempty"` // the account of Group
	Description string `json:"description,omitempty"`
}

// same tells whether two rules let the same in.
func (r inbound) same(o inbound) bool {
	return r.Protocol == o.Protocol && aws.ToInt32(r.From) == aws.ToInt32(o.From) && aws.ToInt32(r.To) == aws.ToInt32(o.To) &&
		r.CIDR == o.CIDR && r.CIDRv6 == o.CIDRv6 && r.List == o.List && r.Group == o.Group
}

// rulesBefore is which inbound rules a security group had.
type rulesBefore struct {
	Rules []inbound `json:"rules"`
	Kept  []string  `json:"kept,omitempty"` // ids of rules that are resources of their own, and are left alone
}

func (i *Injector) inbound(ctx context.Context, in stacks.Injection) ([]inbound, error) {
	var out []inbound
	var token *string
	for {
		page, err := ask(ctx, i, query{serviceEC2, "DescribeSecurityGroupRules", in.Access}, func(cfg aws.Config) (*ec2.DescribeSecurityGroupRulesOutput, error) {
			return newEC2(cfg).DescribeSecurityGroupRules(ctx, &ec2.DescribeSecurityGroupRulesInput{
				Filters: []types.Filter{{Name: new("group-id"), Values: []string{in.PhysicalID}}}, NextToken: token,
			})
		})
		if err != nil {
			return nil, err
		}
		for _, r := range page.SecurityGroupRules {
			if !aws.ToBool(r.IsEgress) {
				out = append(out, inboundOf(r))
			}
		}
		if token = page.NextToken; aws.ToString(token) == "" {
			return out, nil
		}
	}
}

func inboundOf(r types.SecurityGroupRule) inbound {
	out := inbound{
		ID: aws.ToString(r.SecurityGroupRuleId), Protocol: aws.ToString(r.IpProtocol), From: r.FromPort, To: r.ToPort,
		CIDR: aws.ToString(r.CidrIpv4), CIDRv6: aws.ToString(r.CidrIpv6), List: aws.ToString(r.PrefixListId), Description: aws.ToString(r.Description),
	}
	if g := r.ReferencedGroupInfo; g != nil {
		out.Group, out.User = aws.ToString(g.GroupId), aws.ToString(g.UserId)
	}
	return out
}

// permission is the rule as EC2 takes it.
func (r inbound) permission() types.IpPermission {
	p := types.IpPermission{IpProtocol: &r.Protocol, FromPort: r.From, ToPort: r.To}
	why := optional(r.Description)
	switch {
	case r.CIDR != "":
		p.IpRanges = []types.IpRange{{CidrIp: &r.CIDR, Description: why}}
	case r.CIDRv6 != "":
		p.Ipv6Ranges = []types.Ipv6Range{{CidrIpv6: &r.CIDRv6, Description: why}}
	case r.List != "":
		p.PrefixListIds = []types.PrefixListId{{PrefixListId: &r.List, Description: why}}
	default:
		p.UserIdGroupPairs = []types.UserIdGroupPair{{GroupId: &r.Group, UserId: optional(r.User), Description: why}}
	}
	return p
}

// captureRules writes down the inbound rules. A rule that is a resource of its
// own in a stack is left alone: made again it would have another id, and its
// stack would miss it.
func (i *Injector) captureRules(ctx context.Context, in stacks.Injection) (any, error) {
	all, err := i.inbound(ctx, in)
	if err != nil {
		return nil, err
	}
	var out rulesBefore
	own, err := i.ingressResources(ctx, in)
	if err != nil {
		return nil, err
	}
	for _, r := range all {
		if slices.Contains(own, r.ID) {
			out.Kept = append(out.Kept, r.ID)
			continue
		}
		out.Rules = append(out.Rules, r)
	}
	switch {
	case len(all) == 0:
		return nil, unsuitable(in, "it lets nobody in already")
	case len(out.Rules) == 0:
		return nil, unsuitable(in, "each of its inbound rules is a resource of its own (AWS::EC2::SecurityGroupIngress); delete one of those")
	}
	return out, nil
}

// checkRules compares by what the rules let in. Where the stack has made the
// group anew, rules that let in the old one let in the new.
func (i *Injector) checkRules(ctx context.Context, in stacks.Injection, old string) (stacks.Condition, error) {
	was, err := before[rulesBefore](in)
	if err != nil {
		return "", err
	}
	now, err := i.inbound(ctx, in)
	if err != nil {
		return "", err
	}
	anew := in.PhysicalID != old
	if anew {
		was.follow(old, in.PhysicalID)
	}
	missing := 0
	for _, r := range was.Rules {
		if !slices.ContainsFunc(now, r.same) && (anew || len(was.instead(r, now)) == 0) {
			missing++
		}
	}
	switch missing {
	case 0:
		return stacks.Whole, nil
	case len(was.Rules):
		return stacks.Broken, nil
	}
	return stacks.Between, nil
}

// follow makes rules that let in the group's old self let in the new one.
func (b *rulesBefore) follow(old, now string) {
	b.Rules = slices.Clone(b.Rules)
	for i := range b.Rules {
		if b.Rules[i].Group == old {
			b.Rules[i].Group = now
		}
	}
}

// instead lists what somebody has allowed since on the ports of a rule that was
// taken away: then who may come in there is theirs to say.
func (b *rulesBefore) instead(r inbound, now []inbound) []inbound {
	var out []inbound
	for _, n := range now {
		ports := n.Protocol == r.Protocol && aws.ToInt32(n.From) == aws.ToInt32(r.From) && aws.ToInt32(n.To) == aws.ToInt32(r.To)
		if ports && !slices.Contains(b.Kept, n.ID) && !slices.ContainsFunc(b.Rules, n.same) {
			out = append(out, n)
		}
	}
	return out
}

// changedRules tells which rules somebody made in the place of those that were
// taken away.
func (i *Injector) changedRules(ctx context.Context, in stacks.Injection) ([]Change, error) {
	was, err := before[rulesBefore](in)
	if err != nil {
		return nil, err
	}
	now, err := i.inbound(ctx, in)
	if err != nil {
		return nil, err
	}
	var out []Change
	for _, r := range was.Rules {
		if slices.ContainsFunc(now, r.same) {
			continue
		}
		var is []string
		for _, n := range was.instead(r, now) {
			is = append(is, n.words())
		}
		if len(is) > 0 {
			out = append(out, Change{What: "inbound rule", Was: r.words(), Is: strings.Join(is, ", ")})
		}
	}
	return out, nil
}

// rulesAgain tells that a rule which was captured is there by another id: it was taken away,
// and somebody has made it again just as it was.
func (i *Injector) rulesAgain(ctx context.Context, in stacks.Injection) (string, error) {
	was, err := before[rulesBefore](in)
	if err != nil {
		return "", err
	}
	now, err := i.inbound(ctx, in)
	if err != nil {
		return "", err
	}
	for _, r := range was.Rules {
		kept := slices.ContainsFunc(now, func(n inbound) bool { return n.ID == r.ID })
		if at := slices.IndexFunc(now, r.same); at >= 0 && !kept && r.ID != "" {
			return fmt.Sprintf("the inbound rule %s of %s was made again since: it is %s, and was %s", r.words(), in.LogicalID, now[at].ID, r.ID), nil
		}
	}
	return "", nil
}

// words is a rule for a reader.
func (r inbound) words() string {
	ports := ""
	if r.From != nil {
		ports = " " + strconv.Itoa(int(*r.From))
		if to := aws.ToInt32(r.To); to != *r.From {
			ports += "-" + strconv.Itoa(int(to))
		}
	}
	protocol := r.Protocol
	if protocol == "-1" {
		protocol, ports = "all", ""
	}
	return protocol + ports + " from " + cmp.Or(r.CIDR, r.CIDRv6, r.List, r.Group)
}

// revokeIngress takes away the rules that were captured. An answer that was lost
// makes the service say that there are none; then it is looked again.
func (w *Writer) revokeIngress(ctx context.Context, in stacks.Injection) error {
	was, err := before[rulesBefore](in)
	if err != nil {
		return err
	}
	err = w.revoke(ctx, in, was)
	if hasCode(err, "InvalidSecurityGroupRuleId.NotFound", "InvalidPermission.NotFound") {
		err = w.revoke(ctx, in, was)
	}
	return err
}

func (w *Writer) revoke(ctx context.Context, in stacks.Injection, was rulesBefore) error {
	now, err := w.injector.inbound(ctx, in)
	if err != nil {
		return err
	}
	var ids []string
	for _, r := range now {
		if slices.ContainsFunc(was.Rules, func(o inbound) bool { return o.ID == r.ID }) {
			ids = append(ids, r.ID)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	return w.do(ctx, write{stacks.Inject, serviceEC2, "RevokeSecurityGroupIngress", in, func(ctx context.Context, cfg aws.Config) error {
		_, err := newEC2(cfg).RevokeSecurityGroupIngress(ctx, &ec2.RevokeSecurityGroupIngressInput{GroupId: &in.PhysicalID, SecurityGroupRuleIds: ids})
		return err
	}})
}

// authorizeIngress makes those of the captured rules again that are missing, except
// where somebody has allowed others on their ports since.
func (w *Writer) authorizeIngress(ctx context.Context, in stacks.Injection) error {
	was, err := before[rulesBefore](in)
	if err != nil {
		return err
	}
	err = w.authorize(ctx, in, was)
	if hasCode(err, "InvalidPermission.Duplicate") {
		err = w.authorize(ctx, in, was)
	}
	return err
}

func (w *Writer) authorize(ctx context.Context, in stacks.Injection, was rulesBefore) error {
	now, err := w.injector.inbound(ctx, in)
	if err != nil {
		return err
	}
	var missing []types.IpPermission
	for _, r := range was.Rules {
		if !slices.ContainsFunc(now, r.same) && len(was.instead(r, now)) == 0 {
			missing = append(missing, r.permission())
		}
	}
	if len(missing) == 0 {
		return nil
	}
	return w.do(ctx, write{stacks.Restore, serviceEC2, "AuthorizeSecurityGroupIngress", in, func(ctx context.Context, cfg aws.Config) error {
		_, err := newEC2(cfg).AuthorizeSecurityGroupIngress(ctx, &ec2.AuthorizeSecurityGroupIngressInput{GroupId: &in.PhysicalID, IpPermissions: missing})
		return err
	}})
}
