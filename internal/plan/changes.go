package plan

import (
	"fmt"
	"slices"
	"strings"

	"github.com/deployer-cli/deployer/internal/cfntemplate"
	"github.com/deployer-cli/deployer/internal/cfnyaml"
	"github.com/deployer-cli/deployer/internal/restype"
	"github.com/deployer-cli/deployer/stacks"
)

// effect is what a step does to a resource, as others that refer to it have to
// know.
type effect struct {
	added       bool
	modified    bool
	replacement string // true, false or conditional
}

// Why a value is not known, as far as others have to tell the cases apart.
const (
	isNew       = " is new"
	isReplaced  = " is replaced"
	mayReplaced = " may be replaced"
	isModified  = " is changed"
)

// predict says on paper what the update does to each resource: both templates
// are evaluated, each with its own parameters, and what differs is looked up in
// the resource table. Resources come after those they refer to, so that a
// replacement travels.
func (b *Builder) predict(s *state, c *comparison) {
	if s.old == nil || s.new == nil {
		return
	}
	s.link()
	for _, id := range s.order() {
		if change, ok := s.change(id, c.tagged); ok {
			s.effects[id] = effect{added: change.Action == "add", modified: true, replacement: change.Replacement}
			s.step.Changes = append(s.step.Changes, change)
		}
	}
	for _, id := range s.old.template.ResourceNames {
		r, was := s.old.resource(id)
		if _, is := s.new.resource(id); was && !is {
			s.step.Changes = append(s.step.Changes, stacks.ResourceChange{
				LogicalID: id, Type: r.Type, Action: "remove", Replacement: "false", Data: restype.HoldsData(r.Type),
			})
		}
	}
	slices.SortFunc(s.step.Changes, func(a, b stacks.ResourceChange) int { return strings.Compare(a.LogicalID, b.LogicalID) })
	for _, change := range s.step.Changes {
		if change.Replacement != "false" {
			s.step.MayReplace = append(s.step.MayReplace, change.LogicalID)
		}
	}
}

// order gives the new resources after those they refer to. A circle is refused
// by CloudFormation; the order of the file does as well for saying so.
func (s *state) order() []string {
	if order, err := s.new.template.Order(); err == nil {
		return order
	}
	return s.new.template.ResourceNames
}

// link makes references to resources stand for what they refer to: the same on
// both sides, unless the update makes it another.
func (s *state) link() {
	s.old.env.Resource = func(id string) (any, error) { return token("ref", id), nil }
	s.old.env.Attribute = func(id, attr string) (any, error) { return token("attribute", id, attr), nil }
	s.new.env.Resource = func(id string) (any, error) {
		if why := s.moved(id); why != "" {
			return cfntemplate.Unknown{Why: id + why}, nil
		}
		return token("ref", id), nil
	}
	s.new.env.Attribute = func(id, attr string) (any, error) {
		why := s.moved(id)
		if why == "" && s.effects[id].modified && !identity(s.new.template.Resources[id].Type, attr) {
			why = isModified
		}
		if why != "" {
			return cfntemplate.Unknown{Why: id + why}, nil
		}
		return token("attribute", id, attr), nil
	}
}

// moved tells why a resource has another physical id after the update.
func (s *state) moved(id string) string {
	e := s.effects[id]
	switch {
	case e.added:
		return isNew
	case e.replacement == "true":
		return isReplaced
	case e.replacement == "conditional":
		return mayReplaced
	}
	return ""
}

// identity tells whether an attribute names the resource, and so stays as long
// as the resource does.
func identity(typ, attr string) bool {
	t, ok := restype.Lookup(typ)
	return ok && (slices.Contains(t.PrimaryID, attr) || attr == "Arn" || attr == t.Ref)
}

// change says what happens to one resource of the new template.
func (s *state) change(id string, tagged bool) (stacks.ResourceChange, bool) {
	is, ok := s.new.resource(id)
	if !ok {
		return stacks.ResourceChange{}, false
	}
	was, ok := s.old.resource(id)
	if !ok {
		return addition(is), true
	}
	out := stacks.ResourceChange{LogicalID: id, Type: is.Type, Action: "modify", Replacement: "false", Data: restype.HoldsData(is.Type)}
	if was.Type != is.Type {
		out.Replacement, out.Why = "true", "its type was "+was.Type
		out.Data = out.Data || restype.HoldsData(was.Type)
		return out, true
	}
	var why []string
	out.Replacement, why = s.properties(was, is)
	why = append(why, attributes(was, is)...)
	if t, known := restype.Lookup(is.Type); tagged && known && t.TagProperty != "" {
		why = append(why, "stack tags")
	}
	out.Why = strings.Join(why, ", ")
	return out, len(why) > 0
}

// attributes names the parts beside the properties whose change makes
// CloudFormation touch a resource.
func attributes(was, is cfntemplate.Resource) []string {
	var out []string
	for _, part := range []string{"Metadata", "CreationPolicy", "UpdatePolicy"} {
		if !same(was.Raw[part], is.Raw[part]) {
			out = append(out, part)
		}
	}
	return out
}

// properties compares evaluated properties. It gives the replacement and the
// names of the properties that differ.
func (s *state) properties(was, is cfntemplate.Resource) (replacement string, names []string) {
	old, errOld := s.old.template.Eval(anyMap(was.Properties), s.old.env)
	now, errNow := s.new.template.Eval(anyMap(is.Properties), s.new.env)
	if errOld != nil || errNow != nil {
		return s.unevaluated(was, is)
	}
	return judge(is.Type, cfnyaml.Compare(old, now))
}

// anyMap keeps a nil map from becoming null.
func anyMap(m map[string]any) any {
	if m == nil {
		return map[string]any{}
	}
	return m
}

// unevaluated is for properties that cannot be evaluated on paper: their text
// is compared, and whatever they refer to counts where it moved.
func (s *state) unevaluated(was, is cfntemplate.Resource) (string, []string) {
	replacement, names := judge(is.Type, cfnyaml.Compare(anyMap(was.Properties), anyMap(is.Properties)))
	for name, value := range is.Properties {
		if slices.Contains(names, name) || !s.touched(value) {
			continue
		}
		names = append(names, name)
		if r, _ := judge(is.Type, []cfnyaml.Difference{{Path: []string{name}, New: cfntemplate.Unknown{}}}); r != "false" && replacement == "false" {
			replacement = r
		}
	}
	slices.Sort(names)
	return replacement, names
}

// touched tells whether a value refers to something that changes.
func (s *state) touched(v any) bool {
	refs, attributes := cfntemplate.Refs(v)
	for _, r := range refs {
		if s.moved(r) != "" || !same(s.old.env.Parameters[r], s.new.env.Parameters[r]) {
			return true
		}
	}
	return slices.ContainsFunc(attributes, func(a [2]string) bool { return s.effects[a[0]].modified })
}

// judge looks up what the change of properties does to a resource of a type.
// Types that are not in the table, custom resources among them, may do anything.
func judge(typ string, found []cfnyaml.Difference) (replacement string, names []string) {
	t, listed := restype.Lookup(typ)
	replacement = "false"
	for _, d := range found {
		if len(d.Path) == 0 { // the whole is unknown
			return "conditional", []string{"properties"}
		}
		if !slices.Contains(names, d.Path[0]) {
			names = append(names, d.Path[0])
		}
		always, maybe := false, true
		if listed {
			always, maybe = t.Replaces(strings.Join(d.Path, "."))
		}
		_, unknown := unknownIn(d.New)
		switch {
		case always && !unknown:
			replacement = "true"
		case (always || maybe) && replacement == "false":
			replacement = "conditional"
		}
	}
	return replacement, names
}

// typeChanged names a resource whose type differs, which CloudFormation
// refuses.
func (s *state) typeChanged() string {
	for _, id := range s.new.template.ResourceNames {
		is, made := s.new.resource(id)
		was, ok := s.old.resource(id)
		if made && ok && was.Type != is.Type {
			return fmt.Sprintf("resource %s changes its type from %s to %s, which CloudFormation does not do", id, was.Type, is.Type)
		}
	}
	return ""
}
