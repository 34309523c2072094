package blast

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/deployer-cli/deployer/internal/cfntemplate"
	"github.com/deployer-cli/deployer/internal/reattach"
	"github.com/deployer-cli/deployer/internal/restype"
	"github.com/deployer-cli/deployer/stacks"
)

// Measure tells what a break takes with it: of the stacks in going what is in
// them and how it is covered, and which stacks stay and lose something.
func Measure(f *Facts, going []Going) Radius { return newWorld(f).measure(going) }

func (w *world) measure(going []Going) Radius {
	out := Radius{Stacks: []StackRadius{}, Dependents: w.dependents(going)}
	for _, g := range going {
		u := w.at(g.Path)
		if u == nil {
			continue
		}
		s := w.stack(u, g)
		if g.Target { // what goes along is back in the time of what was chosen
			out.RTOSeconds = max(out.RTOSeconds, s.RTOSeconds)
		}
		out.Stacks = append(out.Stacks, s)
	}
	return out
}

// dependents lists who stays and needs something that goes or is broken: by
// configuration, and where nothing goes with it also by import or by what it sits on.
func (w *world) dependents(going []Going) []Dependent {
	goes := func(p stacks.Path) bool {
		return slices.ContainsFunc(going, func(g Going) bool { return g.Path == p })
	}
	loses := map[stacks.Path][]stacks.Path{}
	add := func(d, of stacks.Path) {
		if d != "" && !goes(d) && !slices.Contains(loses[d], of) {
			loses[d] = append(loses[d], of)
		}
	}
	for _, g := range going {
		for _, d := range w.f.Dependents[g.Path] {
			add(d, g.Path)
		}
		if u := w.at(g.Path); u != nil && w.f.Kind != DeleteStack {
			uses, _ := w.users(u)
			for _, use := range uses {
				add(use.by.root.Path(), g.Path)
			}
		}
	}
	out := make([]Dependent, 0, len(loses))
	for p, what := range loses {
		out = append(out, Dependent{Stack: p, Loses: stacks.SortPaths(what)})
	}
	slices.SortFunc(out, func(a, b Dependent) int { return cmp.Compare(a.Stack, b.Stack) })
	return out
}

func (w *world) stack(u *unit, g Going) StackRadius {
	out := StackRadius{
		Stack: g.Path, Name: g.Name, StackID: g.StackID, Target: g.Target, Why: g.Why, Created: u.root.Live.Created.UTC(),
		Policies: map[string]int{}, Holders: []Holder{}, Importers: []string{}, NotSame: []NotSame{}, Runbook: "none", Probes: []string{}, Past: w.alike(g.Path),
	}
	if age := w.f.Now.Sub(u.root.Live.Created); age > 0 && !u.root.Live.Created.IsZero() {
		out.AgeSeconds = age.Seconds()
	}
	own, _ := ParseStack(u.root.Stack) // G2 refuses what cannot be read
	out.Runbook = cmp.Or(own.Runbook, out.Runbook)
	out.Probes = append(out.Probes, own.Probes...)
	out.RTOSeconds = own.RTO.Seconds()
	if out.RTOSeconds == 0 {
		policy, _ := ParsePolicy(u.root.Stack.Environment, w.f.Environments)
		out.RTOSeconds = policy.RTO.Seconds()
	}
	for _, e := range u.exports() {
		known, _ := w.export(e)
		out.Importers = append(out.Importers, known.Importers.Value...)
	}
	slices.Sort(out.Importers)
	out.Importers = slices.Compact(out.Importers)
	for i, m := range u.members {
		for _, r := range m.Resources.Value {
			if r.Status == deleted {
				continue
			}
			out.Resources++
			if w.f.Kind != DeleteStack {
				continue
			}
			policy := m.deletionPolicy(r)
			out.Policies[policy]++
			if h, holds := m.holder(r, policy, &covering{own, g.Path, i > 0, w.prefix(u, m)}); holds {
				out.Holders = append(out.Holders, h)
			}
			if what := notSame(r); what != "" && !strings.HasPrefix(policy, retain) {
				out.NotSame = append(out.NotSame, NotSame{LogicalID: r.LogicalID, Type: r.Type, What: what})
			}
		}
	}
	slices.SortFunc(out.Holders, func(a, b Holder) int { return cmp.Compare(a.LogicalID, b.LogicalID) })
	slices.SortFunc(out.NotSame, func(a, b NotSame) int { return cmp.Compare(a.LogicalID, b.LogicalID) })
	return out
}

// past lists the earlier breaks of a stack, latest first.
func (w *world) past(p stacks.Path) []Past {
	out := []Past{}
	for _, b := range w.f.Past.Value {
		if b.Stack == p {
			out = append(out, b)
		}
	}
	slices.SortStableFunc(out, func(a, b Past) int { return b.At.Compare(a.At) })
	return out
}

// alike lists the earlier breaks of a stack that were of the same kind: how long
// another kind took to recover from says nothing about this one.
func (w *world) alike(p stacks.Path) []Past {
	return slices.DeleteFunc(w.past(p), func(b Past) bool { return b.Kind != w.f.Kind })
}

// prefix is what stands before the logical ids of a nested stack: those of the
// resources that lead to it, each with a dot.
func (w *world) prefix(u *unit, m *member) string {
	prefix := ""
	for at := m.Seen; at != u.root && at != nil && len(prefix) < 1000; at = w.byArn[at.Live.ParentID] {
		parent := w.byArn[at.Live.ParentID]
		if parent == nil {
			return prefix
		}
		for _, r := range parent.Resources.Value {
			if r.PhysicalID == at.Live.ID {
				prefix = r.LogicalID + "." + prefix
			}
		}
	}
	return prefix
}

// The deletion policies, and the word for one that cannot be told.
const (
	retain   = "Retain"
	snapshot = "Snapshot"
	deletes  = "Delete"
	notRead  = "unknown"
)

// deletionPolicy is what CloudFormation does with a resource when its stack goes.
func (m *member) deletionPolicy(r stacks.Resource) string {
	if m.parsed() == nil {
		return notRead
	}
	entry, ok := m.template.Resources[r.LogicalID]
	if !ok {
		return notRead
	}
	if entry.DeletionPolicy != "" {
		return entry.DeletionPolicy
	}
	if _, given := entry.Raw["DeletionPolicy"]; given {
		return notRead // a function, which nobody evaluated
	}
	_, member := entry.Properties["DBClusterIdentifier"]
	if r.Type == "AWS::RDS::DBCluster" || r.Type == "AWS::RDS::DBInstance" && !member {
		return snapshot // the default of these two
	}
	return deletes
}

// covering is what may cover the holders of data of a stack.
type covering struct {
	own    StackPolicy
	path   stacks.Path
	nested bool
	prefix string // of logical ids in a nested stack
}

// holder tells whether a resource holds data, and how that is covered.
func (m *member) holder(r stacks.Resource, policy string, c *covering) (Holder, bool) {
	kind := restype.Holds(r.Type)
	_, known := restype.Lookup(r.Type)
	stranger := !known && kind == restype.HoldsNothing && !custom(r.Type)
	if kind == restype.HoldsNothing && !stranger || kind == restype.HoldsNested && known {
		return Holder{}, false // the contents of a nested stack are looked at themselves
	}
	h := Holder{Stack: c.path, LogicalID: c.prefix + r.LogicalID, Type: r.Type, PhysicalID: m.w.f.Veil.Masked(r.PhysicalID), Policy: policy, Cover: Uncovered}
	named := c.own.Data[h.LogicalID]
	switch {
	case r.PhysicalID == "" || r.Status == deleted || r.Status == "DELETE_SKIPPED":
		return Holder{}, false // it was never made, or is not of the stack any more
	case named.Expendable:
		h.Cover = Expendable
	case kind == restype.HoldsPassing:
		h.Cover = Passing
	case kind == restype.HoldsSecret && m.generated(r):
		h.Cover = Generated
	case strings.HasPrefix(policy, retain):
		h.Cover, h.Why = m.retained(r, c)
	case policy == snapshot:
		h.Cover, h.Why = m.snapshotted(r, named.SnapshotParameter, c)
		h.Parameter = named.SnapshotParameter
	case stranger:
		h.Why = "nobody here knows what a " + r.Type + " holds"
	case policy == notRead:
		h.Why = "what happens to it when the stack goes cannot be told"
	case m.vacant(r):
		h.Cover = Empty
	case r.Type == "AWS::EC2::Instance":
		h.Why = "what is on its own volumes would be lost"
	default:
		h.Why = "its data would be lost"
	}
	h.Stuck, h.Fix = m.stuck(r)
	if h.Cover != Snapshot {
		h.Parameter = ""
	}
	return h, true
}

// custom tells whether a resource is made by a program of the team's.
func custom(typeName string) bool {
	return strings.HasPrefix(typeName, "Custom::") || typeName == "AWS::CloudFormation::CustomResource"
}

// generated tells whether CloudFormation itself makes the value of a secret.
func (m *member) generated(r stacks.Resource) bool {
	if m.parsed() == nil {
		return false
	}
	properties := m.template.Resources[r.LogicalID].Properties
	_, made := properties["GenerateSecretString"]
	_, given := properties["SecretString"]
	return made && !given
}

// retained tells whether recovery can take a resource in again that CloudFormation
// leaves behind.
func (m *member) retained(r stacks.Resource, c *covering) (cover, why string) {
	if c.nested {
		return Uncovered, "it is kept, but nothing takes it into a nested stack again"
	}
	fate, ok := m.fates().Fate(r.LogicalID)
	switch {
	case !ok:
		return Uncovered, "it is kept, but whether it can be taken in again cannot be told"
	case fate.Way == reattach.ByName || fate.Way == reattach.ByID:
		return Retained, ""
	}
	return Uncovered, "it is kept, but " + cmp.Or(fate.Why, string(fate.Way))
}

// fates is what recovery will be able to do about everything that CloudFormation
// leaves of the stack.
func (m *member) fates() reattach.Plan {
	if m.reattached != nil || m.parsed() == nil {
		return planOr(m.reattached)
	}
	var kept []reattach.Kept
	for _, r := range m.Resources.Value {
		if reattach.Keeps(m.deletionPolicy(r)) && r.PhysicalID != "" && r.Status != deleted && r.Status != "DELETE_SKIPPED" {
			kept = append(kept, reattach.Kept{LogicalID: r.LogicalID, Type: r.Type, PhysicalID: r.PhysicalID})
		}
	}
	p, err := reattach.Make(m.template, m.env, kept)
	if err != nil {
		p = reattach.Plan{}
	}
	m.reattached = &p
	return p
}

func planOr(p *reattach.Plan) reattach.Plan {
	if p == nil {
		return reattach.Plan{}
	}
	return *p
}

// snapshotted tells whether recovery can hand over the snapshot that
// CloudFormation makes.
func (m *member) snapshotted(r stacks.Resource, parameter string, c *covering) (cover, why string) {
	switch {
	case !cfntemplate.SupportsSnapshot(r.Type):
		return Uncovered, "CloudFormation makes no snapshot of a " + r.Type
	case !reattach.FindsSnapshot(r.Type):
		return Uncovered, "a snapshot is made, but recovery does not know how to find that of a " + r.Type
	case parameter == "":
		return Uncovered, "a snapshot is made, and nothing hands it over when it comes back"
	case c.nested:
		return Uncovered, "a snapshot is made, but nothing hands it to a nested stack"
	}
	t := m.parsed()
	switch property := reattach.SnapshotProperty(r.Type); {
	case t == nil || t.Parameters[parameter].Name == "":
		return Uncovered, fmt.Sprintf("snapshot_parameter names %s, which is no parameter of the template", parameter)
	case !m.takes(r, property, parameter):
		return Uncovered, fmt.Sprintf("snapshot_parameter names %s, and a value for it does not become its %s", parameter, property)
	case c.claimed(parameter) > 1:
		return Uncovered, fmt.Sprintf("snapshot_parameter names %s, as that of another holder does", parameter)
	}
	return Snapshot, ""
}

// takes tells whether a value given to a parameter becomes the property of a resource,
// just as it is.
func (m *member) takes(r stacks.Resource, property, parameter string) bool {
	const given = "snapshot-0123456789abcdef"
	env := *m.env
	env.Parameters = maps.Clone(env.Parameters)
	env.Parameters[parameter] = given
	conditions, err := m.template.EvalConditions(&env)
	if err != nil {
		return false
	}
	env.Conditions = conditions
	entry := m.template.Resources[r.LogicalID]
	if entry.Condition != "" && !conditions[entry.Condition] {
		return false
	}
	v, err := m.template.Eval(entry.Properties[property], &env)
	return err == nil && v == given
}

// claimed counts the holders whose snapshot a parameter is to take.
func (c *covering) claimed(parameter string) int {
	n := 0
	for _, h := range c.own.Data {
		if h.SnapshotParameter == parameter {
			n++
		}
	}
	return n
}

// made is how CloudFormation ends the names that it makes.
var made = regexp.MustCompile(`-[0-9A-Za-z]{12,13}$`)

// notSame says what of a resource recovery cannot bring back as it was, "" for
// nothing that others could notice.
func notSame(r stacks.Resource) string {
	if custom(r.Type) {
		return "what a custom resource makes cannot be seen"
	}
	if what := anew(strings.TrimPrefix(r.Type, "AWS::")); what != "" {
		return what
	}
	if made.MatchString(r.PhysicalID) {
		return "a new generated name"
	}
	return ""
}

// anew says what AWS gives out anew for a type, whatever the template names.
func anew(name string) string {
	switch name {
	case "EC2::VPC", "EC2::Subnet", "EC2::SecurityGroup", "EC2::RouteTable", "EC2::InternetGateway", "EC2::NatGateway", "EC2::Instance", "EC2::Volume",
		"EC2::NetworkInterface", "EC2::LaunchTemplate", "EC2::TransitGateway", "EFS::FileSystem", "FSx::FileSystem", "EFS::AccessPoint":
		return "a new id"
	case "EC2::VPCEndpoint":
		return "a new endpoint id, with new addresses"
	case "EC2::EIP":
		return "a new public address"
	case "ElasticLoadBalancingV2::LoadBalancer", "ElasticLoadBalancing::LoadBalancer":
		return "a new ARN and DNS name"
	case "ElasticLoadBalancingV2::TargetGroup", "ElasticLoadBalancingV2::Listener", "ElasticLoadBalancingV2::ListenerRule":
		return "a new ARN"
	case "ApiGateway::RestApi", "ApiGatewayV2::Api", "AppSync::GraphQLApi":
		return "a new id and address"
	case "CloudFront::Distribution":
		return "a new id and domain name"
	case "Lambda::Url":
		return "a new address"
	case "Cognito::UserPool", "Cognito::UserPoolClient", "Cognito::IdentityPool":
		return "a new id, and its users are gone"
	case "KMS::Key":
		return "a new key: what was encrypted with the old one needs that"
	case "Route53::HostedZone":
		return "a new id and new name servers"
	case "IAM::AccessKey":
		return "a new access key"
	case "CertificateManager::Certificate":
		return "a new ARN, to be validated again"
	case "SecretsManager::Secret":
		return "a new ARN and a new value"
	case "RDS::DBInstance", "RDS::DBCluster", "ElastiCache::ReplicationGroup", "ElastiCache::CacheCluster", "OpenSearchService::Domain", "Redshift::Cluster", "DocDB::DBCluster", "Neptune::DBCluster":
		return "a new endpoint, unless its identifier is fixed"
	case "SQS::Queue":
		return "a queue without its messages, and with a new URL unless its name is fixed"
	case "Logs::LogGroup":
		return "a log group without its logs"
	}
	return ""
}
