package engine

import (
	"cmp"
	"maps"
	"slices"

	"github.com/deployer-cli/deployer/internal/cfntemplate"
	"github.com/deployer-cli/deployer/internal/cfnyaml"
	"github.com/deployer-cli/deployer/internal/restype"
)

// planned is one entry of a change set as stored: with all values.
type planned struct {
	Change  ResourceChange `json:"c"`
	Details []plannedWhy   `json:"d,omitempty"`
}

// plannedWhy is a detail; some are shown only together with values.
type plannedWhy struct {
	ResourceChangeDetail
	WithValues bool `json:"w,omitempty"`
}

// What an update does to a resource, as far as others are concerned.
type fate uint8

const (
	fateSame     fate = iota
	fateUpdated       // same physical resource, some properties new
	fateMaybe         // may be replaced
	fateReplaced      // new or replaced
)

// planner works out what a target would change in a stack.
type planner struct {
	s        *session
	st       *stack
	old, now *scope
	target   *target
	params   map[string]bool // whose values differ
	fates    map[string]fate
	next     map[string]*state
	changes  []planned
	current  string // the resource under consideration
	warning  string // why property values are not complete
	revert   bool   // drift counts as a change
}

// plan lists what a target would change, without changing anything.
func (s *session) plan(st *stack, t *target) (*planner, error) { return s.planned(st, t, false) }

// planned is plan; with revert, drift counts as a change.
func (s *session) planned(st *stack, t *target, revert bool) (*planner, error) {
	if err := s.transform(st, t); err != nil {
		return nil, err
	}
	tpl, err := s.template(t.active())
	if err != nil {
		return nil, err
	}
	tpl, env, err := s.effective(st, tpl, t)
	if err != nil {
		return nil, err
	}
	p := &planner{s: s, st: st, target: t, revert: revert, fates: map[string]fate{}, next: map[string]*state{}, params: map[string]bool{}}
	p.now = &scope{tpl: tpl, env: env}
	env.Resource, env.Attribute, env.Import = p.ref, p.attribute, p.imported
	if st.Now.Body != "" && st.Status != reviewInProgress {
		if p.old, err = s.scope(st, &st.Now); err != nil {
			return nil, err
		}
		p.compareParameters(t)
	}
	ids, err := p.now.tpl.Order()
	if err != nil {
		return nil, templateError(err)
	}
	for _, id := range ids {
		if err := p.consider(id, tagText(t.Tags)); err != nil {
			return nil, err
		}
	}
	for _, r := range s.listed(st.ID) {
		if r.alive() && !p.now.active(r.ID) && st.Status != reviewInProgress {
			p.remove(r)
		}
	}
	slices.SortFunc(p.changes, func(a, b planned) int {
		return cmp.Compare(a.Change.LogicalResourceId, b.Change.LogicalResourceId)
	})
	return p, nil
}

func (p *planner) compareParameters(t *target) {
	before := map[string]param{}
	for _, v := range p.st.Now.Params {
		before[v.Key] = v
	}
	for _, v := range t.Params {
		if old, ok := before[v.Key]; !ok || old.Value != v.Value || old.Resolved != v.Resolved {
			p.params[v.Key] = true
		}
	}
}

func (p *planner) ref(id string) (any, error) {
	if p.fates[id] >= fateMaybe {
		return cfntemplate.Unknown{Why: id}, nil
	}
	return p.s.refOf(p.st, id)
}

func (p *planner) attribute(id, attr string) (any, error) {
	switch p.fates[id] {
	case fateReplaced, fateMaybe:
		return cfntemplate.Unknown{Why: id + "." + attr}, nil
	case fateUpdated:
		if v, ok := p.next[id].Props[attr]; ok {
			return v, nil
		}
		if p.next[id].Type == stackType {
			return cfntemplate.Unknown{Why: id + "." + attr}, nil
		}
	case fateSame:
	}
	return p.s.attributeOf(p.st, id, attr)
}

func (p *planner) imported(name string) (any, error) {
	if e, ok := p.s.export(p.st.account(), name); ok {
		return e.Value, nil
	}
	p.warn("No export named " + name)
	return cfntemplate.Unknown{Why: name}, nil
}

func (p *planner) consider(id, tags string) error {
	p.current = id
	next, err := desiredIn(p.now, id, tags)
	if err != nil {
		return err
	}
	p.warnJoins(p.now.tpl.Resources[id].Properties)
	p.next[id] = next
	r := p.s.resource(p.st.ID, id)
	if r == nil || !r.alive() || r.Physical == "" {
		p.fates[id] = fateReplaced
		p.changes = append(p.changes, planned{Change: ResourceChange{
			Action: "Add", LogicalResourceId: id, ResourceType: next.Type, Scope: []string{}, AfterContext: p.contextOf(next),
		}})
		return nil
	}
	if p.revert && r.Missing {
		p.again(r, next)
		return nil
	}
	why, scope := p.details(r, next)
	if len(scope) == 0 && (!p.revert || !r.drifting()) {
		return nil
	}
	c := ResourceChange{
		Action: "Modify", LogicalResourceId: id, PhysicalResourceId: r.Physical, ResourceType: r.Type, Scope: scope,
		Replacement: replacement(why), BeforeContext: p.contextOf(&r.state), AfterContext: p.contextOf(next),
	}
	if p.revert {
		why = p.reverts(r, next, &c, why)
		c.Replacement = replacement(why)
	}
	switch c.Replacement {
	case "True":
		p.fates[id] = fateReplaced
		c.PolicyAction = "ReplaceAnd" + policyWord(next.OnReplace)
	case "Conditional":
		p.fates[id] = fateMaybe
	default:
		p.fates[id] = fateUpdated
	}
	p.changes = append(p.changes, planned{Change: c, Details: why})
	return nil
}

func (p *planner) remove(r *resource) {
	p.changes = append(p.changes, planned{Change: ResourceChange{
		Action: "Remove", LogicalResourceId: r.ID, PhysicalResourceId: r.Physical, ResourceType: r.Type,
		PolicyAction: policyWord(r.OnDelete), Scope: []string{}, BeforeContext: p.contextOf(&r.state),
	}})
}

func policyWord(policy string) string {
	if policy == "" || policy == "RetainExceptOnCreate" {
		return "Delete"
	}
	return policy
}

// contextOf is a resource as BeforeContext and AfterContext write it.
func (p *planner) contextOf(r *state) string {
	all := map[string]any{"Properties": map[string]any{}}
	if r.Props != nil {
		all["Properties"] = p.masked(r.Props)
	}
	return propsJSON(all)
}

// masked hides the secrets of both targets.
func (p *planner) masked(props map[string]any) map[string]any {
	return p.target.masked(p.st.Now.masked(props))
}

// replacement is the verdict over all details of a change.
func replacement(why []plannedWhy) string {
	verdict := "False"
	for _, d := range why {
		switch d.Target.RequiresRecreation {
		case "Always":
			if d.Evaluation == "Static" {
				return "True"
			}
			verdict = "Conditional"
		case "Conditionally":
			verdict = "Conditional"
		}
	}
	return verdict
}

// details says what differs and why.
func (p *planner) details(r *resource, next *state) (why []plannedWhy, scope []string) {
	for _, name := range slices.Sorted(maps.Keys(union(r.Props, next.Props))) {
		before, had := r.Props[name]
		after, has := next.Props[name]
		if same(before, after) {
			continue
		}
		attribute := "Properties"
		if t, ok := restype.Lookup(r.Type); ok && name == t.TagProperty {
			attribute = "Tags"
		}
		hidden := p.masked(map[string]any{"b": before, "a": after})
		target := ResourceTargetDefinition{
			Attribute: attribute, Name: name, RequiresRecreation: recreation(next.Type, name, before, after),
			Path: "/Properties/" + name, BeforeValue: valueText(hidden["b"]), AfterValue: valueText(hidden["a"]), AttributeChangeType: "Modify",
		}
		if attribute == "Tags" {
			target.Name = ""
		}
		switch {
		case !had:
			target.AttributeChangeType = "Add"
		case !has:
			target.AttributeChangeType = "Remove"
		}
		why = append(why, p.causes(r.ID, name, target)...)
		scope = add(scope, attribute)
	}
	for _, name := range []string{"Metadata", "CreationPolicy", "UpdatePolicy"} {
		if r.Extra[name] != next.Extra[name] {
			scope = add(scope, name)
			why = append(why, direct(ResourceTargetDefinition{Attribute: name, RequiresRecreation: "Never"}))
		}
	}
	if t, ok := restype.Lookup(r.Type); ok && t.TagProperty != "" && r.Tags != next.Tags {
		scope = add(scope, "Tags")
		why = append(why, direct(ResourceTargetDefinition{Attribute: "Tags", RequiresRecreation: "Never"}))
	}
	if r.Type == stackType && len(scope) == 0 {
		scope = []string{"Properties"}
		why = append(why, plannedWhy{ResourceChangeDetail: ResourceChangeDetail{
			Target: &ResourceTargetDefinition{Attribute: "Properties", RequiresRecreation: "Never"}, Evaluation: "Dynamic", ChangeSource: "Automatic",
		}})
	}
	if r.Type == waitType || r.Type == handleType {
		return nil, nil
	}
	return why, scope
}

func add(list []string, item string) []string {
	if slices.Contains(list, item) {
		return list
	}
	return append(list, item)
}

func direct(target ResourceTargetDefinition) plannedWhy {
	return plannedWhy{ResourceChangeDetail: ResourceChangeDetail{Target: &target, Evaluation: "Static", ChangeSource: "DirectModification"}}
}

func recreation(typeName, property string, before, after any) string {
	t, ok := restype.Lookup(typeName)
	if !ok {
		return "Never"
	}
	if replaces(t, property, before, after) {
		return "Always"
	}
	if _, maybe := t.Replaces(property); maybe {
		for _, path := range paths(property, before, after) {
			if _, m := t.Replaces(path); m {
				return "Conditionally"
			}
		}
	}
	return "Never"
}

func valueText(v any) string {
	if text, ok := v.(string); ok || v == nil {
		return text
	}
	return jsonText(v)
}

// causes names what makes a property change: parameters, other resources, or
// the template itself.
func (p *planner) causes(id, property string, target ResourceTargetDefinition) []plannedWhy {
	raw := p.now.tpl.Resources[id].Properties[property]
	refs, attributes := cfntemplate.Refs(raw)
	var why []plannedWhy
	cause := func(source, entity, evaluation string) {
		t := target
		why = append(why, plannedWhy{ResourceChangeDetail: ResourceChangeDetail{
			Target: &t, Evaluation: evaluation, ChangeSource: source, CausingEntity: entity,
		}})
	}
	parameter, attribute := false, false
	for _, name := range refs {
		switch {
		case p.params[name]:
			cause("ParameterReference", name, "Static")
			parameter = true
		case p.fates[name] == fateReplaced:
			cause("ResourceReference", name, "Static")
		case p.fates[name] == fateMaybe:
			cause("ResourceReference", name, "Dynamic")
		}
	}
	for _, a := range attributes {
		if f := p.fates[a[0]]; f != fateSame {
			evaluation := "Static"
			if f == fateMaybe {
				evaluation = "Dynamic"
			}
			cause("ResourceAttribute", a[0]+"."+a[1], evaluation)
			attribute = true
		}
	}
	var before any
	if p.old != nil {
		before = p.old.tpl.Resources[id].Properties[property]
	}
	switch {
	case len(why) == 0 || len(cfnyaml.Compare(before, raw)) > 0:
		why = append(why, direct(target))
	case parameter:
		cause("DirectModification", "", "Dynamic")
	case attribute:
		cause("DirectModification", "", "Dynamic")
		why[len(why)-1].WithValues = true
	}
	return why
}

// changed reports whether there is anything to update. Other topics to notify are:
// the CDK's own tests against AWS update a stack by nothing else. A role alone is
// taken to be none; nothing proves either.
func (s *session) changed(st *stack, t *target) bool {
	p, err := s.plan(st, t)
	if err != nil {
		return true
	}
	return len(p.changes) > 0 || p.outputsChange() || tagText(t.Tags) != tagText(st.Now.Tags) ||
		!slices.Equal(slices.Sorted(slices.Values(t.Notify)), slices.Sorted(slices.Values(st.Now.Notify)))
}
