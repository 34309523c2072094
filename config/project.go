package config

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/deployer-cli/deployer/stacks"
)

// Project is a project as read. It never changes, and may be read by many at
// once; what it returns is shared and must not be changed.
type Project struct {
	id           string
	stacks       []*stacks.Stack
	byPath       map[stacks.Path]*stacks.Stack
	byName       map[string][]*stacks.Stack
	environments []*stacks.Environment
	paths        []stacks.Path // every stack file, broken ones too, sorted
	groups       map[stacks.Path]bool
	problems     map[stacks.Path][]*stacks.Problem
	warnings     []*stacks.Problem
}

// project puts together what groups and stack files gave.
func (l *loader) project() *Project {
	p := &Project{
		byPath:   make(map[stacks.Path]*stacks.Stack, len(l.results)),
		byName:   make(map[string][]*stacks.Stack, len(l.results)),
		groups:   make(map[stacks.Path]bool, len(l.groups)),
		problems: map[stacks.Path][]*stacks.Problem{},
		paths:    l.tree.stacks,
		warnings: l.notes,
	}
	for at := range l.groups {
		p.groups[at] = true
	}
	p.id = l.projectID()
	undeclared := map[stacks.Path]*stacks.Environment{}
	used := map[*stacks.Environment]bool{}
	for _, r := range l.results {
		p.warnings = append(p.warnings, r.warnings...)
		env := l.environmentOf(r.path.Group(), undeclared)
		used[env] = true
		if len(r.problems) == 0 {
			r.problems = unknownProbes(r.stack, env)
		}
		if len(r.problems) > 0 {
			p.problems[r.path] = tidy(r.problems)
			continue
		}
		r.stack.Environment, r.stack.ProjectID = env, p.id
		if env.Class == stacks.Production {
			// What its config says does not switch it off: guard release does, for one deletion.
			r.stack.TerminationProtection = new(true)
		}
		p.stacks = append(p.stacks, r.stack)
		p.byPath[r.path] = r.stack
		p.byName[r.stack.Name] = append(p.byName[r.stack.Name], r.stack)
	}
	for _, g := range l.groups {
		if g.declared != nil {
			used[g.declared] = true
		}
	}
	p.environments = slices.SortedFunc(maps.Keys(used), func(a, b *stacks.Environment) int { return cmp.Compare(a.Name, b.Name) })
	p.warnings = append(p.warnings, l.lostWords()...)
	p.warnings = append(p.warnings, p.sharedNames()...)
	p.warnings = tidy(p.warnings)
	return p
}

// projectID is project_id of config/config.yaml, "" when there is none.
func (l *loader) projectID() string {
	f, ok := field(l.groups[""].config, "project_id")
	if !ok || f.Value.Kind == stacks.Null {
		return ""
	}
	if !f.Value.IsScalar() {
		l.fatal = append(l.fatal, &stacks.Problem{Pos: f.Value.Pos, What: "project_id must be a string", Why: "it is " + shown(f.Value)})
		return ""
	}
	return f.Value.Text
}

// targets checks that the stacks a stack names exist.
func (l *loader) targets(st *stacks.Stack) []*stacks.Problem {
	var out []*stacks.Problem
	for _, d := range st.Dependencies {
		if !l.tree.files[d.Path] {
			out = append(out, l.unknownStack(d.Path, d.Pos, "dependency"))
		}
	}
	eachCall(st, func(v *stacks.Value) {
		if target, ok := outputTarget(v); ok && !l.tree.files[target] {
			out = append(out, l.unknownStack(target, v.Pos, "!stack_output"))
		}
	})
	return out
}

// eachCall visits the resolver calls in all values of a stack. Values are
// large, and projects have many: nothing is copied.
func eachCall(st *stacks.Stack, visit func(*stacks.Value)) {
	for i := range st.Parameters {
		callsIn(&st.Parameters[i].Value, visit)
	}
	for i := range st.Tags {
		callsIn(&st.Tags[i].Value, visit)
	}
	for i := range st.Notifications {
		callsIn(&st.Notifications[i], visit)
	}
	for i := range st.Hooks {
		for j := range st.Hooks[i].Hooks {
			callsIn(&st.Hooks[i].Hooks[j], visit)
		}
	}
	for _, v := range []*stacks.Value{&st.UserData, &st.ServiceRole, &st.Bucket, &st.AccessRole, &st.Template.Args} {
		callsIn(v, visit)
	}
}

func callsIn(v *stacks.Value, visit func(*stacks.Value)) {
	if v.Call != nil {
		visit(v)
		callsIn(&v.Call.Arg, visit)
	}
	for i := range v.Items {
		callsIn(&v.Items[i], visit)
	}
	for i := range v.Fields {
		callsIn(&v.Fields[i].Value, visit)
	}
}

func (l *loader) unknownStack(target stacks.Path, pos stacks.Pos, what string) *stacks.Problem {
	p := &stacks.Problem{Pos: pos, What: fmt.Sprintf("%s %s does not exist", what, target), Why: "there is no " + configFile("", string(target)+".yaml")}
	if l.groups[target] != nil {
		p.Why, p.Tip = string(target)+" is a group", "name the stacks you mean"
		return p
	}
	if l.looked.Add(1) > maxLookedUp {
		return p
	}
	if near := nearestPath(target, slices.Values(l.tree.stacks)); near != "" {
		p.Tip = "did you mean " + string(near) + ".yaml?"
	}
	return p
}

// lostWords warns of groups with a production word in an environment that
// calls itself less: the class of the file wins only upwards.
func (l *loader) lostWords() []*stacks.Problem {
	var out []*stacks.Problem
	for at, g := range l.groups {
		e := l.environmentOf(at, map[stacks.Path]*stacks.Environment{})
		if g.declared != nil || !e.Declared || e.Class == stacks.Production || !stacks.HasProductionWord(string(at)) {
			continue
		}
		out = append(out, &stacks.Problem{
			Pos:  e.Pos,
			What: fmt.Sprintf("group %s lies in environment %s of class %s", at, e.Name, e.Class),
			Why:  "its name says production",
			Tip:  "declare an environment of its own in " + configFile(at, groupFile),
		})
	}
	return out
}

// sharedNames warns of two files that are one stack to CloudFormation.
func (p *Project) sharedNames() []*stacks.Problem {
	var out []*stacks.Problem
	for _, name := range sortedKeys(p.byName) {
		same := p.byName[name]
		for i, st := range same {
			first := slices.IndexFunc(same[:i], func(o *stacks.Stack) bool {
				return o.Access == st.Access && o.Environment == st.Environment
			})
			if first < 0 {
				continue
			}
			out = append(out, &stacks.Problem{
				Pos:  st.Pos,
				What: fmt.Sprintf("stack name %s is used twice", name),
				Why:  same[first].File + " has it too, in the same region",
				Tip:  "give one of them another stack_name",
			})
		}
	}
	return out
}

// Stacks returns the stacks without problems, sorted by path.
func (p *Project) Stacks() []*stacks.Stack { return slices.Clone(p.stacks) }

// Stack returns the stack with the given path, unless it has problems.
func (p *Project) Stack(path stacks.Path) (*stacks.Stack, bool) {
	st, ok := p.byPath[path]
	return st, ok
}

// Named returns the stacks that CloudFormation knows by the given name, in
// any region, sorted by path.
func (p *Project) Named(name string) []*stacks.Stack { return slices.Clone(p.byName[name]) }

// ID is project_id of config/config.yaml, "" when the project has none.
func (p *Project) ID() string { return p.id }

// Environments returns every environment, declared or not, sorted by name.
func (p *Project) Environments() []*stacks.Environment { return slices.Clone(p.environments) }

// Problems returns what is wrong with the given stack files, or with all of
// them when paths is nil: a *multierror.Error of *stacks.Problem.
func (p *Project) Problems(paths []stacks.Path) error {
	if paths == nil {
		paths = p.paths
	}
	var all []*stacks.Problem
	for _, at := range paths {
		all = append(all, p.problems[at]...)
	}
	return combine(all)
}

// Warnings returns what is odd and still works, sorted by place.
func (p *Project) Warnings() []*stacks.Problem { return slices.Clone(p.warnings) }
