package blast

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/deployer-cli/deployer/internal/cfntemplate"
	"github.com/deployer-cli/deployer/internal/restype"
	"github.com/deployer-cli/deployer/stacks"
)

// nestedType is a stack as a resource of another.
const nestedType = "AWS::CloudFormation::Stack"

// deleted is the status of a resource that is no more. A stack whose deletion
// failed still lists those.
const deleted = "DELETE_COMPLETE"

// world is the live stacks as far as they have to do with each other. Stacks that
// are nested go with their root, so a unit is a root and everything below it.
type world struct {
	f     *Facts
	units []*unit // sorted by name, then id
	byID  map[string]*unit
	byArn map[string]*Seen
}

// unit is a stack that can be deleted by itself, with its nested stacks.
type unit struct {
	root    *Seen
	members []*member // the root first
}

func newWorld(f *Facts) *world {
	w := &world{f: f, byID: map[string]*unit{}, byArn: map[string]*Seen{}}
	all := f.Stacks.Value
	for i := range all {
		if all[i].Live != nil && all[i].Live.ID != "" {
			w.byArn[all[i].Live.ID] = &all[i]
		}
	}
	for i := range all {
		s := &all[i]
		if s.Live == nil || !s.Live.Status.Exists() {
			continue
		}
		root := w.root(s)
		u := w.byID[root.Live.ID]
		if u == nil {
			u = &unit{root: root, members: []*member{w.member(root)}}
			w.byID[root.Live.ID] = u
			w.units = append(w.units, u)
		}
		if s != root {
			u.members = append(u.members, w.member(s))
			w.byID[s.Live.ID] = u
		}
	}
	for _, u := range w.units {
		u.complete(w)
	}
	slices.SortFunc(w.units, func(a, b *unit) int {
		return cmp.Or(cmp.Compare(a.root.Live.Name, b.root.Live.Name), cmp.Compare(a.root.Live.ID, b.root.Live.ID))
	})
	return w
}

// complete notes which nested stacks of a unit were not read.
func (u *unit) complete(w *world) {
	for _, m := range u.members {
		for _, r := range m.Resources.Value {
			if r.Type == nestedType && r.PhysicalID != "" && r.Status != deleted && w.byID[r.PhysicalID] != u {
				m.unread = append(m.unread, "its nested stack "+r.LogicalID)
			}
		}
	}
}

// root goes up from a nested stack. One whose parent is not among the stacks is
// taken for a root, which Guards refuses as a target.
func (w *world) root(s *Seen) *Seen {
	for range len(w.f.Stacks.Value) {
		up := w.byArn[s.Live.ParentID]
		if s.Live.ParentID == "" || up == nil {
			return s
		}
		s = up
	}
	return s
}

// at finds the unit of a file of the project, nil when it does not live.
func (w *world) at(path stacks.Path) *unit {
	i := slices.IndexFunc(w.units, func(u *unit) bool { return u.root.Stack != nil && u.root.Stack.Path == path })
	if i < 0 {
		return nil
	}
	return w.units[i]
}

// named finds the unit of a stack by its name, in the account and region of
// another.
func (w *world) named(name string, beside *stacks.Live) *unit {
	for _, u := range w.units {
		for _, m := range u.members {
			here := m.Live.Account == beside.Account && m.Live.Region == beside.Region
			if here && m.Live.Name == name || m.Live.ID == name {
				return u
			}
		}
	}
	return nil
}

// hidden is how CloudFormation shows the value of a NoEcho parameter.
const hidden = "****"

// Why a value is not known, as far as sits has to tell the cases apart.
const (
	whyHidden    = "a value that is not shown (NoEcho)"
	whySSM       = "what SSM had"
	whyExport    = "an export that is not known"
	whyOutput    = "an output of a stack that was not read"
	whyGiven     = "what %s.%s (%s) gives"
	whyCondition = "condition "
)

// env is what a live template was last evaluated in, as far as that shows.
func (w *world) env(s *Seen, t *cfntemplate.Template) *cfntemplate.Env {
	env := &cfntemplate.Env{
		Parameters: map[string]any{}, AccountID: s.Live.Account, Region: s.Live.Region, StackName: s.Live.Name, StackID: s.Live.ID,
		NotificationARNs: s.Live.Notifications, Partition: partition(s.Live.ID), URLSuffix: "amazonaws.com",
	}
	for _, p := range s.Live.Parameters {
		decl, ok := t.Parameters[p.Key]
		switch {
		case !ok:
		case p.Value == hidden || decl.NoEcho:
			env.Parameters[p.Key] = cfntemplate.Unknown{Why: whyHidden}
		case decl.IsSSM() && p.Resolved == "":
			env.Parameters[p.Key] = cfntemplate.Unknown{Why: whySSM}
		case decl.IsSSM():
			env.Parameters[p.Key] = decl.Value(p.Resolved)
		default:
			env.Parameters[p.Key] = decl.Value(p.Value)
		}
	}
	env.Resource = func(id string) (any, error) { return physical(s, id), nil }
	env.Attribute = func(id, attribute string) (any, error) { return w.attribute(s, t, id, attribute), nil }
	env.Import = func(name string) (any, error) {
		for _, e := range w.f.Exports.Value {
			if e.Name == name {
				return e.Value, nil
			}
		}
		return cfntemplate.Unknown{Why: whyExport}, nil
	}
	env.StackOutput = func(args map[string]any) (any, error) { return w.output(args), nil }
	return env
}

// partition is that of a stack's id.
func partition(id string) string {
	if parts := strings.Split(id, ":"); len(parts) > 1 && parts[0] == "arn" {
		return parts[1]
	}
	return "aws"
}

// physical is what a reference to an own resource most likely gives.
func physical(s *Seen, id string) any {
	for _, r := range s.Resources.Value {
		if r.LogicalID == id && r.PhysicalID != "" {
			return r.PhysicalID
		}
	}
	return cfntemplate.Unknown{Why: "a resource that was not read"}
}

// attribute knows the outputs of nested stacks. All others are not shown: that of a
// resource of AWS's names the resource itself or what it names, that of another may
// be anything.
func (w *world) attribute(s *Seen, t *cfntemplate.Template, id, attribute string) any {
	key, ok := strings.CutPrefix(attribute, "Outputs.")
	if arn, is := physical(s, id).(string); ok && is && w.byArn[arn] != nil {
		if value, has := w.byArn[arn].Live.Output(key); has {
			return value
		}
	}
	for _, r := range s.Resources.Value {
		if _, known := restype.Lookup(r.Type); r.LogicalID == id && (!known || custom(r.Type) || ok && r.Type == nestedType) {
			if value, shown := given(s, t, id, attribute); shown {
				return value
			}
			return cfntemplate.Unknown{Why: fmt.Sprintf(whyGiven, id, attribute, r.Type)}
		}
	}
	return cfntemplate.Unknown{Why: "an attribute"}
}

// output answers Fn::GetStackOutput.
func (w *world) output(args map[string]any) any {
	key, _ := args["OutputName"].(string)
	for _, by := range []string{"StackName", "StackArn", "StackId"} {
		name, _ := args[by].(string)
		if name == "" {
			continue
		}
		for i := range w.f.Stacks.Value {
			live := w.f.Stacks.Value[i].Live
			if live == nil || live.Name != name && live.ID != name {
				continue
			}
			if value, ok := live.Output(key); ok {
				return value
			}
		}
	}
	return cfntemplate.Unknown{Why: whyOutput}
}
