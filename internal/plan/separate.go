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
		if s != nil {
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

// missed tells who or what relies on a resource, beside its own stack, and what
// of that cannot be seen: nobody could tell then.
func (b *Builder) missed(s *state, c stacks.ResourceChange) []string {
	var out []string
	if opaque(c.Type) {
		out = append(out, "is of a type that cannot be seen into")
	}
	if public(c.Type) {
		out = append(out, "has a public name or address")
	}
	id, where := c.LogicalID, s.processed[""]
	if nest, inner, nested := cutNested(c.LogicalID); nested {
		id, where = inner, s.processed[nest]
	} else if where == nil {
		where = s.old
	}
	switch {
	case where != nil && where == s.old && where.template.HasMacro():
		return append(out, "comes from a macro, so that its name and its users are not seen")
	case where == nil:
		return append(out, "stands in a template that cannot be read, so that its name and its users are not seen")
	}
	r, ok := where.template.Resources[id]
	switch name := where.fixedName(r); {
	case !ok:
		return append(out, "is not in the template that lives, so that its name and its users are not seen")
	case name != "" && !public(c.Type):
		out = append(out, name)
	}
	if id != c.LogicalID {
		return out // the outputs of a nested stack are its parent's
	}
	return append(out, b.usedOutputs(s, where, id)...)
}

// usedOutputs tells of each output that a resource stands in who takes it. Stacks
// that go with this one take nothing any more.
func (b *Builder) usedOutputs(s *state, where *side, id string) []string {
	var uses []Use
	if b.in.Uses != nil {
		uses = slices.DeleteFunc(slices.Clone(b.in.Uses(s.stack.Path)), func(u Use) bool { return b.goes(u.By, "") })
	}
	if fresh, ok := b.in.Snapshot.Get(s.stack.Path); ok {
		s.seen.Imported = fresh.Imported
	}
	var out []string
	for _, key := range where.template.OutputNames {
		if !mentions(where.template.Outputs[key].Value, id) {
			continue
		}
		export := s.liveExport(key)
		by := users(uses, key, export)
		for _, name := range s.seen.Imported[export] {
			if export != "" && !slices.Contains(by, name) && !b.goes("", name) {
				by = append(by, name)
			}
		}
		if len(by) > 0 {
			out = append(out, fmt.Sprintf("has the output %s, used by %s", key, strings.Join(by, ", ")))
		}
	}
	return out
}

// goes tells whether the plan deletes a stack, given by its path or its name. It
// is deleted before what it depends on, or neither is.
func (b *Builder) goes(path stacks.Path, name string) bool {
	for p, s := range b.states {
		if s.step.Action == Delete && (p == path || name != "" && s.step.Name == name) {
			return true
		}
	}
	return false
}

// opaque tells whether nobody can tell from here what is lost with a resource: a
// custom one is whatever its function makes of it.
func opaque(typ string) bool {
	_, known := restype.Lookup(typ)
	return !known || typ == "AWS::CloudFormation::CustomResource"
}

// cutNested parts the logical id of a nested stack's resource into the name of
// that stack and the id within.
func cutNested(logicalID string) (nest, id string, nested bool) {
	parts := strings.Split(logicalID, "/")
	if len(parts) < 2 {
		return "", logicalID, false
	}
	return parts[len(parts)-2], parts[len(parts)-1], true
}

// Hidden lists the stacks whose templates have to be read as CloudFormation
// processed them, before Separate can look at what a step removes or replaces: ""
// for the step's own, else the names of nested ones.
func (b *Builder) Hidden(step *Step) []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.states[step.Stack]
	var out []string
	for _, c := range step.Changes {
		nest, id, nested := cutNested(c.LogicalID)
		if s == nil || gone(c) == "" || s.processed[nest] != nil || slices.Contains(out, nest) {
			continue
		}
		if !nested {
			if s.old == nil {
				continue
			}
			if _, stands := s.old.template.Resources[id]; stands && !s.old.template.HasMacro() {
				continue
			}
		}
		out = append(out, nest)
	}
	return out
}

// Saw gives a template that Hidden asked for. One that cannot be read hides what
// stands in it.
func (b *Builder) Saw(path stacks.Path, name string, body []byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.states[path]
	t, err := b.in.Parse(body)
	if s == nil || err != nil {
		return
	}
	env := b.oldEnv(s, t)
	if name != "" { // nobody looked with what a nested stack was made
		for key := range env.Parameters {
			env.Parameters[key] = cfntemplate.Unknown{Why: "parameter " + key}
		}
	}
	if s.processed == nil {
		s.processed = map[string]*side{}
	}
	s.processed[name] = newSide(t, env)
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

// fixedName tells of the property in which a template gives a resource a name in
// so many words, so that others may know it by heart. The name itself is not told:
// a secret may stand in it.
func (s *side) fixedName(r cfntemplate.Resource) string {
	t, ok := restype.Lookup(r.Type)
	if !ok {
		return ""
	}
	if _, ok := r.Properties[transform]; ok {
		return "has properties that a macro makes, so that its name is not seen"
	}
	kind := r.Type[strings.LastIndex(r.Type, ":")+1:]
	for _, property := range append(slices.Clone(t.PrimaryID), kind+"Name") {
		given, ok := r.Properties[property]
		if !ok {
			continue
		}
		value, err := s.template.Eval(given, s.env)
		name, plain := value.(string)
		_, unknown := unknownIn(value)
		switch {
		case err != nil || unknown || plain && hasText(name, tokenMark+"import"):
			return "has a name that is not seen (" + property + ")"
		case plain && name != "" && !hasText(name, tokenMark), !plain && value != nil:
			return "has a fixed name (" + property + ")"
		}
	}
	return ""
}

// transform is where a part of a template is left to a macro.
const transform = "Fn::Transform"

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
