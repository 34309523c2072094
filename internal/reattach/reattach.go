package reattach

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/deployer-cli/deployer/internal/cfntemplate"
	"github.com/deployer-cli/deployer/internal/restype"
)

// Kept is a resource that CloudFormation left when its stack went.
type Kept struct {
	LogicalID  string
	Type       string
	PhysicalID string
}

// Way is how a resource gets into the new stack.
type Way string

// The ways.
const (
	// ByName: the template gives the very name that the resource has, and a change
	// set that creates takes in what exists by that name.
	ByName Way = "by its name"
	// ByID: an import names its identifier.
	ByID Way = "by its id"
	// Gone: the template does not make it any more, so that it stays where it is.
	Gone Way = "not in the template any more"
	// Lost: the stack would get a new one, or could not be made.
	Lost Way = "not at all"
)

// Fate is what becomes of one resource.
type Fate struct {
	Kept
	Way        Way
	Why        string            // Lost: why
	Identifier map[string]string // ByID: the primary identifier, by property
}

// Plan is what becomes of all that was kept.
type Plan struct {
	Fates []Fate // sorted by logical id
	Body  []byte // the template of the import, JSON; nil where nothing is taken in by its id
}

// Keeps tells whether a deletion policy leaves the resource behind.
func Keeps(policy string) bool { return policy == "Retain" || policy == "RetainExceptOnCreate" }

// FindsSnapshot tells whether recovery knows how to find the snapshot that the
// deletion of a resource of that type leaves.
func FindsSnapshot(resourceType string) bool { return SnapshotProperty(resourceType) != "" }

// SnapshotProperty names the property by which a resource of that type is made from
// the snapshot that its deletion leaves; "" where recovery does not find that.
func SnapshotProperty(resourceType string) string {
	switch resourceType {
	case "AWS::RDS::DBInstance":
		return "DBSnapshotIdentifier"
	case "AWS::RDS::DBCluster":
		return "SnapshotIdentifier"
	case "AWS::EC2::Volume":
		return "SnapshotId"
	}
	return ""
}

// Fate finds what becomes of one resource.
func (p Plan) Fate(logicalID string) (Fate, bool) {
	for _, f := range p.Fates {
		if f.LogicalID == logicalID {
			return f, true
		}
	}
	return Fate{}, false
}

// Of lists what goes one way.
func (p Plan) Of(way Way) []Fate {
	var out []Fate
	for _, f := range p.Fates {
		if f.Way == way {
			out = append(out, f)
		}
	}
	return out
}

// Missing is what is left to be done when a new stack holds something already, given
// by its physical ids: what is in it is in it, and where it has another the old one has
// no way in any more.
func (p Plan) Missing(holds map[string]string) Plan {
	out := Plan{Body: p.Body}
	for _, f := range p.Fates {
		switch there := holds[f.LogicalID]; {
		case there == "" || f.Way == Gone:
		case there == f.PhysicalID:
			continue
		default:
			f.Way, f.Identifier, f.Why = Lost, nil, "its new stack has another one already, "+there
		}
		out.Fates = append(out.Fates, f)
	}
	return out
}

// Make decides. The template is the one that the new stack will have, after its
// macros; env is what it will be evaluated in, as far as that is known.
func Make(t *cfntemplate.Template, env *cfntemplate.Env, kept []Kept) (Plan, error) {
	if expanded, err := cfntemplate.Expand(t, env); err == nil {
		t = expanded
	}
	fresh := *env // ids and attributes of the old stack's resources say nothing about the new one's
	fresh.Resource, fresh.Attribute, fresh.StackID, fresh.Conditions = nil, nil, "", nil
	if holds, err := t.EvalConditions(&fresh); err == nil {
		fresh.Conditions = holds
	}
	m := &maker{t: t, env: &fresh, set: map[string]bool{}, fates: map[string]*Fate{}}
	for _, k := range kept {
		m.first(k)
	}
	if m.needsIDs() {
		m.prune()
	}
	m.settle()
	p := Plan{}
	for _, id := range slices.Sorted(maps.Keys(m.fates)) {
		p.Fates = append(p.Fates, *m.fates[id])
	}
	if len(p.Of(ByID)) == 0 {
		return p, nil
	}
	var err error
	p.Body, err = m.body()
	return p, err
}

// maker decides about one stack.
type maker struct {
	t     *cfntemplate.Template
	env   *cfntemplate.Env
	set   map[string]bool // what may still go by its id
	fates map[string]*Fate
}

// first tells what of a resource can be told without the others: a name is as good
// as decided, an id may still turn out to be of no use.
func (m *maker) first(k Kept) {
	f := &Fate{Kept: k, Way: Lost}
	m.fates[k.LogicalID] = f
	r, declared := m.t.Resources[k.LogicalID]
	if declared && r.Condition != "" {
		if holds, known := m.env.Conditions[r.Condition]; known && !holds {
			declared = false
		}
	}
	known, ok := restype.Lookup(k.Type)
	switch {
	case !declared || r.Type != k.Type:
		f.Way = Gone
		return
	case k.Type == "AWS::CloudFormation::Stack":
		f.Why = "a nested stack is not taken in again"
		return
	case !ok || len(known.PrimaryID) == 0:
		f.Why = "CloudFormation cannot take a " + k.Type + " in again"
		return
	}
	id := identifier(known, k.PhysicalID)
	switch {
	case id == nil:
		f.Why = fmt.Sprintf("its id does not tell its %s, by which CloudFormation would find it", strings.Join(known.PrimaryID, " and "))
		return
	case m.named(r, id) && Keeps(r.DeletionPolicy):
		f.Way = ByName
	case r.DeletionPolicy == "":
		f.Why = "the template has no DeletionPolicy for it any more, without which CloudFormation takes nothing in"
		return
	}
	f.Identifier, m.set[k.LogicalID] = id, true
}

// identifier takes a physical id apart, nil where it does not hold the whole
// primary identifier.
func identifier(t *restype.Type, physical string) map[string]string {
	parts := []string{physical}
	if len(t.PrimaryID) > 1 {
		parts = strings.Split(physical, "|")
	}
	if physical == "" || len(parts) != len(t.PrimaryID) {
		return nil
	}
	out := map[string]string{}
	for i, name := range t.PrimaryID {
		out[name] = parts[i]
	}
	return out
}

// named tells whether the template itself gives the whole primary identifier.
func (m *maker) named(r cfntemplate.Resource, id map[string]string) bool {
	for name, want := range id {
		v, err := m.t.Eval(r.Properties[name], m.env)
		if is, text := v.(string); err != nil || !text || is != want {
			return false
		}
	}
	return true
}

// needsIDs tells whether something can only be taken in by its id. Otherwise one
// change set does it all.
func (m *maker) needsIDs() bool {
	for id := range m.set {
		if m.fates[id].Way != ByName {
			return true
		}
	}
	return false
}

// prune takes out of the set what cannot be imported before the rest of its stack
// is there: an import makes nothing, so that what a resource refers to has to be
// imported with it.
func (m *maker) prune() {
	for again := true; again; {
		again = false
		for _, id := range slices.Sorted(maps.Keys(m.set)) {
			if why := m.needs(m.t.Resources[id]); why != "" {
				delete(m.set, id)
				again = true
				if f := m.fates[id]; f.Way != ByName {
					f.Why = why
				}
			}
		}
	}
}

// needs says what keeps a resource from being imported first, "" for nothing. What
// can be set later is no hindrance: the import leaves it out, and the update that
// follows brings it.
func (m *maker) needs(r cfntemplate.Resource) string {
	known, _ := restype.Lookup(r.Type)
	for _, name := range slices.Sorted(maps.Keys(r.Properties)) {
		if other := m.outside(r.Properties[name]); other != "" && !optional(known, name) {
			return fmt.Sprintf("its %s is of %s, which is rebuilt and has another id then", name, other)
		}
	}
	return ""
}

// outside names a resource that a value refers to and that is not imported.
func (m *maker) outside(v any) string {
	refs, attributes := cfntemplate.Refs(v)
	for _, a := range attributes {
		refs = append(refs, a[0])
	}
	for _, name := range refs {
		if _, resource := m.t.Resources[name]; resource && !m.set[name] {
			return name
		}
	}
	return ""
}

// optional tells whether a property can be set after the resource was imported.
func optional(t *restype.Type, name string) bool {
	if t.Name == "AWS::EC2::Volume" && name != "Tags" {
		return false // most of it cannot be changed at all, says its reference
	}
	always, maybe := t.Replaces(name)
	return !always && !maybe && !slices.Contains(t.Required, name) && !slices.Contains(t.PrimaryID, name)
}

// settle fixes the way of everything that is left in the set. Where that is only
// what has names, nothing needs an import of its own.
func (m *maker) settle() {
	if !m.needsIDs() {
		m.set = map[string]bool{}
	}
	for id, f := range m.fates {
		switch {
		case m.set[id]:
			f.Way = ByID
		default:
			f.Identifier = nil
		}
	}
}
