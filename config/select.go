package config

import (
	"fmt"
	"iter"
	"path"
	"slices"
	"strings"

	"github.com/deployer-cli/deployer/stacks"
)

// Selection is what a PATH on the command line means.
type Selection struct {
	Path   stacks.Path
	Group  bool          // a folder, the whole project included
	Stacks []stacks.Path // every stack file of it, broken ones too, sorted
}

// Select finds what arg names: a group ("dev", "dev/"), a stack ("dev/network",
// "dev/network.yaml"), or everything ("", "."). Where a group and a stack share
// a name the group is meant, unless .yaml is written.
func (p *Project) Select(arg string) (Selection, error) {
	clean := strings.ReplaceAll(strings.TrimSpace(arg), `\`, "/")
	isFolder := strings.HasSuffix(clean, "/")
	clean = strings.TrimPrefix(path.Clean("/"+clean), "/")
	if s, ok := p.find(clean, isFolder); ok && !strings.HasPrefix(path.Clean(arg), "..") {
		return s, nil
	}
	if rest, ok := strings.CutPrefix(clean+"/", root+"/"); ok {
		// What completion of file names types.
		if s, ok := p.find(strings.TrimSuffix(rest, "/"), isFolder); ok {
			return s, nil
		}
	}
	return Selection{}, p.notFound(arg, clean)
}

func (p *Project) find(name string, isFolder bool) (Selection, bool) {
	at := stacks.Path(name)
	if p.groups[at] {
		s := Selection{Path: at, Group: true}
		for _, st := range p.paths {
			if st.Within(at) && st != at {
				s.Stacks = append(s.Stacks, st)
			}
		}
		return s, true
	}
	if isFolder {
		return Selection{}, false
	}
	at = stacks.Path(strings.TrimSuffix(name, ".yaml"))
	if _, ok := slices.BinarySearch(p.paths, at); ok {
		return Selection{Path: at, Stacks: []stacks.Path{at}}, true
	}
	return Selection{}, false
}

func (p *Project) notFound(arg, clean string) error {
	problem := &stacks.Problem{What: fmt.Sprintf("no stack or group %q", arg), Why: "PATH is relative to config/"}
	if base, ok := strings.CutSuffix(clean, ".yml"); ok {
		problem.Why, problem.Tip = "only .yaml files are configs", "rename it to "+base+".yaml"
		return problem
	}
	if near := nearestPath(stacks.Path(strings.TrimSuffix(clean, ".yaml")), p.everyPath()); near != "" {
		problem.Tip = "did you mean " + string(near) + "?"
	} else if len(p.groups) > 1 {
		problem.Tip = "groups: " + strings.Join(p.topGroups(), ", ")
	}
	return problem
}

func (p *Project) everyPath() iter.Seq[stacks.Path] {
	return func(yield func(stacks.Path) bool) {
		for _, st := range p.paths {
			if !yield(st) {
				return
			}
		}
		for g := range p.groups {
			if !yield(g) {
				return
			}
		}
	}
}

func (p *Project) topGroups() []string {
	var out []string
	for g := range p.groups {
		if g != "" && !strings.Contains(string(g), "/") {
			out = append(out, string(g))
		}
	}
	slices.Sort(out)
	return out
}

// nearestPath finds the path meant by one that does not exist: spelt almost
// the same, or the same name in another folder.
func nearestPath(to stacks.Path, all iter.Seq[stacks.Path]) stacks.Path {
	names := func(yield func(string) bool) {
		for p := range all {
			if p != "" && !yield(string(p)) {
				return
			}
		}
	}
	if near := nearest(string(to), names); near != "" {
		return stacks.Path(near)
	}
	var found stacks.Path
	for p := range all {
		if p.Base() == to.Base() && (found == "" || p < found) {
			found = p
		}
	}
	return found
}

// outputTarget gives the stack that a !stack_output call names.
func outputTarget(v *stacks.Value) (stacks.Path, bool) {
	if v.Call == nil || v.Call.Name != "stack_output" || v.Call.Arg.Kind != stacks.Text {
		return "", false
	}
	target, _, ok := strings.Cut(v.Call.Arg.Text, "::")
	return stackPath(target), ok
}
