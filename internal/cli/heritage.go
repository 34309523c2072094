package cli

import (
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/deployer-cli/deployer/internal/hook"
	"github.com/deployer-cli/deployer/internal/resolve"
	"github.com/deployer-cli/deployer/stacks"
)

// heritage says what of a Sceptre project is used here, and what of it behaves
// differently: a check for each, none for what is not there.
func (s *session) heritage() []check {
	all := s.project.Stacks()
	var out []check
	add := func(says, fix string) { out = append(out, check{Name: "sceptre", OK: true, Says: says, Fix: fix}) }
	for _, find := range []func([]*stacks.Stack, func(says, fix string)){
		s.hookPoints, s.otherCalls, s.programsNeeded, cascades, protections, renamed, s.markedStacks, escaped, s.wrongEndings,
	} {
		find(all, add)
	}
	if n := len(s.project.Warnings()); n > 0 {
		add(count(n, "warning")+" about keys, told above: Sceptre says nothing of them", "")
	}
	return out
}

// names shortens a list of paths for a line of text.
func names(paths []string) string {
	slices.Sort(paths)
	paths = slices.Compact(paths)
	const most = 4
	if len(paths) > most {
		return fmt.Sprintf("%s and %d more", strings.Join(paths[:most], ", "), len(paths)-most)
	}
	return strings.Join(paths, ", ")
}

// hookPoints tells which hooks run when, and that each runs as its own stack.
func (s *session) hookPoints(all []*stacks.Stack, add func(says, fix string)) {
	points := map[string]int{}
	regions := map[string]bool{}
	for _, st := range all {
		for _, p := range st.Hooks {
			points[p.Name] += len(p.Hooks)
			regions[st.Access.Region] = true
		}
		for _, err := range hook.Refused(st, s.plugins) {
			add("hook: "+err.Error(), hintOf(err))
		}
	}
	if len(points) == 0 {
		return
	}
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(points)) {
		parts = append(parts, fmt.Sprintf("%s (%d)", name, points[name]))
	}
	add("hooks at "+strings.Join(parts, ", "), "")
	if points["before_create"]+points["before_update"]+points["before_launch"] > 0 {
		add("hooks that build something: the plan is made before they run, so templates and files have to be there; what before_launch changes is read again, what before_create and before_update change is taken by the next launch", "")
	}
	if len(regions) > 1 {
		add("hooks in several regions: here each runs with its own stack's region and credentials, in Sceptre all with those of one stack", "")
	}
}

// otherCalls tells of resolvers that are not built in.
func (s *session) otherCalls(all []*stacks.Stack, add func(says, fix string)) {
	used := map[string][]string{}
	for _, st := range all {
		for _, v := range values(st) {
			v.Walk(func(w stacks.Value) bool {
				if w.Kind == stacks.Call && !resolve.Known(w.Call.Name) {
					used[w.Call.Name] = append(used[w.Call.Name], string(st.Path))
				}
				return true
			})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(used)) {
		program := "deployer-resolver-" + name
		if _, ok := s.lookUp(program); ok {
			add(fmt.Sprintf("resolver !%s of %s is the plugin %s", name, names(used[name]), program), "")
			continue
		}
		add(fmt.Sprintf("resolver !%s of %s is not built in", name, names(used[name])), "put a program "+program+" on the path or into plugins/; docs/plugins.md shows how to run a Sceptre plugin by it")
	}
}

// values lists everything of a stack in which a resolver may stand.
func values(st *stacks.Stack) []stacks.Value {
	out := append([]stacks.Value{st.UserData, st.ServiceRole, st.Bucket, st.AccessRole}, st.Notifications...)
	for _, f := range slices.Concat(st.Parameters, st.Tags) {
		out = append(out, f.Value)
	}
	return out
}

// programsNeeded tells which programs the templates ask for.
func (s *session) programsNeeded(all []*stacks.Stack, add func(says, fix string)) {
	needs := map[string][]string{}
	for _, st := range all {
		switch {
		case path.Ext(st.Template.Path) == ".py":
			needs["python3"] = append(needs["python3"], string(st.Path))
		case st.Template.Type == "sam":
			needs["sam"] = append(needs["sam"], string(st.Path))
		}
	}
	for _, program := range slices.Sorted(maps.Keys(needs)) {
		says := fmt.Sprintf("templates of %s need %s", names(needs[program]), program)
		if _, ok := s.lookUp(program); ok {
			add(says+", which is there", "")
			continue
		}
		add(says+", which is not on the path", "install it; without it these stacks cannot be rendered")
	}
}

// cascades tells of files that are the base of others of their name further
// down, which is easily overlooked.
func cascades(all []*stacks.Stack, add func(says, fix string)) {
	known := map[stacks.Path]bool{}
	for _, st := range all {
		known[st.Path] = true
	}
	var pairs []string
	for _, st := range all {
		for above := st.Path.Group(); above != ""; {
			above = above.Group()
			base := stacks.Path(path.Join(string(above), st.Path.Base()))
			if known[base] {
				pairs = append(pairs, fmt.Sprintf("%s of %s", base, st.Path))
			}
		}
	}
	if len(pairs) > 0 {
		add("stacks that are also the base of others, which have the same name further down: "+names(pairs), "")
	}
}

// protections tells what protects stacks here and not there.
func protections(all []*stacks.Stack, add func(says, fix string)) {
	var old, now []string
	for _, st := range all {
		if _, ok := st.Config.Get("protected"); ok && st.Protect {
			old = append(old, string(st.Path))
		} else if st.Protect {
			now = append(now, string(st.Path))
		}
	}
	if len(old) > 0 {
		add("protected: true of "+names(old)+" protects here; Sceptre's manual names that key, and Sceptre ignores it", "write protect: true, which both know")
	}
	if len(now) > 0 {
		add("protect: true of "+names(now)+": only a run that would change them stops, and change sets and policies are refused too", "")
	}
}

// renamed tells of !stack_output into stacks with a name of their own.
func renamed(all []*stacks.Stack, add func(says, fix string)) {
	own := map[stacks.Path]bool{}
	for _, st := range all {
		v, ok := st.Config.Get("stack_name")
		own[st.Path] = ok && v.Kind != stacks.Null
	}
	var by []string
	for _, st := range all {
		for _, v := range values(st) {
			for _, d := range resolve.Dependencies(v) {
				if own[d.Path] {
					by = append(by, string(st.Path))
				}
			}
		}
	}
	if len(by) > 0 {
		add("!stack_output of "+names(by)+" leads to stacks with a stack_name, which Sceptre does not find", "")
	}
}

// markedStacks tells what ignore and obsolete mean.
func (s *session) markedStacks(all []*stacks.Stack, add func(says, fix string)) {
	var marked []string
	for _, st := range all {
		if st.Ignore || st.Obsolete {
			marked = append(marked, string(st.Path))
		}
	}
	if len(marked) > 0 {
		add("ignore or obsolete at "+names(marked)+": create and update leave them out too, where Sceptre does them", "")
	}
}

// escaped tells of templates that Sceptre changes while it renders them.
func escaped(all []*stacks.Stack, add func(says, fix string)) {
	var at []string
	for _, st := range all {
		if (st.Template.Type == "http" || st.Template.Type == "s3") && strings.HasSuffix(st.Template.Path, ".j2") {
			at = append(at, string(st.Path))
		}
	}
	if len(at) > 0 {
		add("fetched .j2 templates of "+names(at)+" are rendered as they are; Sceptre writes & as &amp; in these", "look at: deployer diff PATH")
	}
}

// wrongEndings tells of files that look like configs and are none.
func (s *session) wrongEndings(_ []*stacks.Stack, add func(says, fix string)) {
	var found []string
	err := fs.WalkDir(s.root.FS(), "config", func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && path.Ext(name) == ".yml" {
			found = append(found, name)
		}
		return nil
	})
	if err == nil && len(found) > 0 {
		add(names(found)+": only .yaml files are configs", "rename them if they should be stacks")
	}
}
