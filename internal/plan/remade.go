package plan

import (
	"cmp"
	"maps"
	"slices"

	"github.com/deployer-cli/deployer/internal/cfntemplate"
	"github.com/deployer-cli/deployer/internal/cfnyaml"
	"github.com/deployer-cli/deployer/internal/restype"
	"github.com/deployer-cli/deployer/stacks"
)

// Remade says on paper what else CloudFormation changes in a live stack, sorted by logical
// id, when it makes one of its resources again: what refers to it, at last through others.
// The body is the template as CloudFormation runs it. What cannot be told may be replaced.
func Remade(live *stacks.Live, body []byte, account, region, id string) ([]stacks.ResourceChange, error) {
	t, err := cfntemplate.Parse(body)
	if err != nil {
		return nil, err
	}
	s := &state{seen: Observation{Live: live}, effects: map[string]effect{id: {added: true, modified: true}}}
	s.step = Step{Name: live.Name, Account: account, Region: region, Action: Update, StackID: live.ID}
	none := &Builder{}
	s.old, s.new = newSide(t, none.oldEnv(s, t)), newSide(t, none.oldEnv(s, t))
	s.link()
	var out []stacks.ResourceChange
	for _, name := range s.order() {
		r, made := s.new.resource(name)
		if !made || name == id {
			continue
		}
		if replacement, why := s.follows(r); len(why) > 0 {
			s.effects[name] = effect{modified: true, replacement: replacement}
			out = append(out, stacks.ResourceChange{
				LogicalID: name, Type: r.Type, Action: "modify", Replacement: replacement, Data: restype.HoldsData(r.Type),
			})
		}
	}
	slices.SortFunc(out, func(a, b stacks.ResourceChange) int { return cmp.Compare(a.LogicalID, b.LogicalID) })
	return out, nil
}

// follows tells what becomes of a resource whose properties refer to what moves, and which
// of them do.
func (s *state) follows(r cfntemplate.Resource) (replacement string, names []string) {
	var found []cfnyaml.Difference
	for _, name := range slices.Sorted(maps.Keys(r.Properties)) {
		value := r.Properties[name]
		if !s.touched(value) {
			continue
		}
		was, errWas := s.old.template.Eval(value, s.old.env)
		is, errIs := s.new.template.Eval(value, s.new.env)
		if _, unseen := unknownIn(was); errWas != nil || errIs != nil || unseen {
			found = append(found, cfnyaml.Difference{Path: []string{name}, New: cfntemplate.Unknown{}})
			continue
		}
		for _, d := range cfnyaml.Compare(was, is) {
			d.Path = append([]string{name}, d.Path...)
			found = append(found, d)
		}
	}
	return judge(r.Type, found)
}
