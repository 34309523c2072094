package resolve

import (
	"slices"

	"github.com/deployer-cli/deployer/stacks"
)

// Reference is a use of another stack's output.
type Reference struct {
	Path stacks.Path
	Key  string
	Pos  stacks.Pos
}

// Dependencies lists the targets of !stack_output in v, arguments of other
// calls included, in the order in which they stand.
func Dependencies(v stacks.Value) []Reference {
	var out []Reference
	v.Walk(func(w stacks.Value) bool {
		if w.Kind != stacks.Call || w.Call.Name != "stack_output" || w.Call.Arg.Kind != stacks.Text {
			return true
		}
		if target, key, ok := splitOutput(w.Call.Arg.Text); ok {
			out = append(out, Reference{Path: target, Key: key, Pos: w.Pos})
		}
		return true
	})
	return out
}

// References lists every use that a stack makes of outputs of the project's
// stacks: !stack_output, !stack_output_external where it names one of them,
// and what !stack_attr leads to. Each stack and key is listed once.
func (s *Set) References(st *stacks.Stack) []Reference {
	f := finder{set: s, stack: st, seen: map[string]bool{}}
	for _, v := range resolvable(st) {
		f.find(v)
	}
	return slices.Clip(f.found)
}

// finder collects references of one stack.
type finder struct {
	set   *Set
	stack *stacks.Stack
	seen  map[string]bool // keys of !stack_attr, and references
	found []Reference
}

func (f *finder) find(v stacks.Value) {
	v.Walk(func(w stacks.Value) bool {
		if w.Kind != stacks.Call || w.Call.Arg.Kind != stacks.Text {
			return true
		}
		switch w.Call.Name {
		case "stack_output":
			if target, key, ok := splitOutput(w.Call.Arg.Text); ok {
				f.add(Reference{Path: target, Key: key, Pos: w.Pos})
			}
		case "stack_output_external":
			f.external(w)
		case "stack_attr":
			f.attr(w.Call.Arg.Text)
		}
		return true
	})
}

// external adds the target of !stack_output_external if it is ours.
func (f *finder) external(v stacks.Value) {
	e, ok := readExternal(v.Call.Arg.Text, f.stack)
	if !ok {
		return
	}
	if producer, ok := f.set.ours(e, f.stack); ok {
		f.add(Reference{Path: producer.Path, Key: e.key, Pos: v.Pos})
	}
}

// attr goes on in what !stack_attr leads to.
func (f *finder) attr(dotted string) {
	if !f.once("!" + dotted) {
		return
	}
	if target, _, why := lookUp(f.stack, dotted); why == "" {
		f.find(target)
	}
}

func (f *finder) add(r Reference) {
	if f.once(string(r.Path) + "::" + r.Key) {
		f.found = append(f.found, r)
	}
}

func (f *finder) once(what string) bool {
	if f.seen[what] {
		return false
	}
	f.seen[what] = true
	return true
}

// resolvable are the values of a stack in which calls are made.
func resolvable(st *stacks.Stack) []stacks.Value {
	out := make([]stacks.Value, 0, len(st.Parameters)+len(st.Tags)+len(st.Notifications)+5)
	for _, p := range st.Parameters {
		out = append(out, p.Value)
	}
	for _, t := range st.Tags {
		out = append(out, t.Value)
	}
	out = append(out, st.UserData, st.ServiceRole, st.Bucket, st.AccessRole, st.Template.Args)
	out = append(out, st.Notifications...)
	for _, h := range st.Hooks {
		out = append(out, h.Hooks...)
	}
	return out
}
