package plan

import (
	"fmt"
	"slices"
	"strings"

	"github.com/deployer-cli/deployer/internal/cfntemplate"
	"github.com/deployer-cli/deployer/internal/restype"
	"github.com/deployer-cli/deployer/stacks"
)

// Separate is a removal or replacement that has to be asked for by name: what
// is lost with it is more than the resource.
type Separate struct {
	Name string `json:"name"` // STACK::LOGICAL
	What string `json:"what"` // "AWS::RDS::DBInstance is replaced"
	Why  string `json:"why"`  // "holds data; has the output Endpoint, used by dev/app"
	Data bool   `json:"data"` // it holds data
}

// Use says that a stack of the project takes an output, or an export, of
// another.
type Use struct {
	By  stacks.Path
	Key string // of the output, or the export's name
}

// Separate lists what of a step is a separate act, holders of data first. It
// goes by the step's changes as they are now: of a change set, where there is one.
func (b *Builder) Separate(step *Step) []Separate {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.states[step.Stack]
	var out []Separate
	for _, c := range step.Changes {
		how := gone(c)
		if how == "" {
			continue
		}
		var why []string
		if c.Data {
			why = append(why, "holds data")
		}
		// Of a stack that goes as a whole, the stack is what is named.
		if s != nil && step.Action != Delete {
			why = append(why, b.missed(s, c)...)
		}
		if len(why) > 0 {
			out = append(out, Separate{Name: fmt.Sprintf("%s::%s", step.Stack, c.LogicalID), What: c.Type + " " + how, Why: strings.Join(why, "; "), Data: c.Data})
		}
	}
	slices.SortStableFunc(out, func(x, y Separate) int {
		switch {
		case x.Data == y.Data:
			return 0
		case x.Data:
			return -1
		}
		return 1
	})
	return out
}

// gone tells what becomes of a resource that does not stay, "" when it stays.
func gone(c stacks.ResourceChange) string {
	how := ""
	switch {
	case c.Action == "remove":
		how = "is removed"
	case c.Replacement == "true":
		how = "is replaced"
	case severity(c.Replacement) > 0:
		how = "may be replaced"
	default:
		return ""
	}
	says := []string{how}
	for _, spared := range []string{stacks.OldStays, stacks.SnapshotStays} {
		if strings.Contains(c.Why, spared) {
			says = append(says, spared)
		}
	}
	return strings.Join(says, ", ")
}

// missed tells who or what relies on a resource, beside its own stack.
func (b *Builder) missed(s *state, c stacks.ResourceChange) []string {
	var out []string
	if public(c.Type) {
		out = append(out, "has a public name or address")
	}
	if s.old == nil {
		return out
	}
	r, ok := s.old.resource(c.LogicalID)
	if !ok {
		return out
	}
	if name := s.fixedName(r); name != "" && !public(c.Type) {
		out = append(out, "has a fixed name ("+name+")")
	}
	var uses []Use
	if b.in.Uses != nil {
		uses = b.in.Uses(s.stack.Path)
	}
	for _, key := range s.old.template.OutputNames {
		output := s.old.template.Outputs[key]
		if !mentions(output.Value, c.LogicalID) {
			continue
		}
		export := s.liveExport(key)
		by := users(uses, key, export)
		for _, name := range s.seen.Imported[export] {
			if export != "" && !slices.Contains(by, name) {
				by = append(by, name)
			}
		}
		if len(by) > 0 {
			out = append(out, fmt.Sprintf("has the output %s, used by %s", key, strings.Join(by, ", ")))
		}
	}
	return out
}

func users(uses []Use, key, export string) []string {
	var out []string
	for _, u := range uses {
		if (u.Key == key || export != "" && u.Key == export) && !slices.Contains(out, string(u.By)) {
			out = append(out, string(u.By))
		}
	}
	slices.Sort(out)
	return out
}

// liveExport is the name that an output is exported by, "" for none.
func (s *state) liveExport(key string) string {
	if s.seen.Live == nil {
		return ""
	}
	i := slices.IndexFunc(s.seen.Live.Outputs, func(o stacks.Output) bool { return o.Key == key })
	if i < 0 {
		return ""
	}
	return s.seen.Live.Outputs[i].Export
}

func mentions(v any, logicalID string) bool {
	refs, attributes := cfntemplate.Refs(v)
	return slices.Contains(refs, logicalID) || slices.ContainsFunc(attributes, func(a [2]string) bool { return a[0] == logicalID })
}

// fixedName is the property in which a template gives a resource a name in so
// many words, so that others may know it by heart. The name itself is not told:
// a secret may stand in it.
func (s *state) fixedName(r cfntemplate.Resource) string {
	t, ok := restype.Lookup(r.Type)
	if !ok {
		return ""
	}
	kind := r.Type[strings.LastIndex(r.Type, ":")+1:]
	for _, property := range append(slices.Clone(t.PrimaryID), kind+"Name") {
		given, ok := r.Properties[property]
		if !ok {
			continue
		}
		value, err := s.old.template.Eval(given, s.old.env)
		if name, plain := value.(string); err == nil && plain && name != "" && !hasText(name, tokenMark) {
			return property
		}
	}
	return ""
}

// public tells whether a resource is what people or machines outside have the
// name or address of.
func public(typ string) bool {
	switch typ {
	case "AWS::EC2::EIP", "AWS::EC2::NatGateway",
		"AWS::Route53::RecordSet", "AWS::Route53::RecordSetGroup", "AWS::Route53::HostedZone",
		"AWS::ElasticLoadBalancing::LoadBalancer", "AWS::ElasticLoadBalancingV2::LoadBalancer",
		"AWS::CloudFront::Distribution", "AWS::GlobalAccelerator::Accelerator",
		"AWS::ApiGateway::RestApi", "AWS::ApiGateway::DomainName", "AWS::ApiGatewayV2::Api", "AWS::ApiGatewayV2::DomainName",
		"AWS::AppSync::GraphQLApi", "AWS::Lambda::Url":
		return true
	}
	return false
}
