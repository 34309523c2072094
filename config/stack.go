package config

import (
	"path"
	"strings"

	"github.com/deployer-cli/deployer/internal/jinja"
	"github.com/deployer-cli/deployer/stacks"
)

// loadStack reads one stack file with everything it inherits.
func (l *loader) loadStack(at stacks.Path) *result {
	g := l.groups[at.Group()]
	r := &result{path: at, problems: append([]*stacks.Problem(nil), g.problems...)}
	merged, ok := l.stackConfig(r, g)
	if !ok {
		return r
	}
	b := &builder{config: merged, group: g, path: at, file: configFile("", string(at)+".yaml")}
	r.stack = b.build()
	r.problems = append(r.problems, b.problems...)
	r.problems = append(r.problems, l.targets(r.stack)...)
	return r
}

// stackConfig merges the group's settings with the files of the stack's name
// in all folders above it, and its own.
func (l *loader) stackConfig(r *result, g *group) (stacks.Value, bool) {
	own := stacks.Value{Kind: stacks.Map}
	for i, file := range l.cascade(r.path) {
		env, vars := g.env, g.vars
		if i > 0 {
			vars = l.over(g.vars, own)
		}
		if dir := path.Dir(file); dir != configFile(g.path, "") {
			env = l.inherited(g, dir)
		}
		text, warnings, problem := l.read(file)
		r.warnings = append(r.warnings, warnings...)
		if problem != nil {
			r.problems = append(r.problems, problem)
			return own, false
		}
		d, problem := l.document(env, file, text, vars)
		if problem != nil {
			r.problems = append(r.problems, problem)
			return own, false
		}
		r.warnings = append(r.warnings, d.warnings...)
		r.warnings = append(r.warnings, unknownKeys(d)...)
		r.warnings = append(r.warnings, oldKeys(d)...)
		if p := misplacedBlock(d); p != nil {
			r.problems = append(r.problems, p)
		}
		merged, problems := merge(own, d.fields)
		r.problems = append(r.problems, problems...)
		own = merged
	}
	merged, problems := merge(g.config, own)
	r.problems = append(r.problems, problems...)
	return merged, true
}

// cascade lists the files of a stack's name from config/ down to its own.
func (l *loader) cascade(at stacks.Path) []string {
	base := at.Base()
	var files []string
	for dir := stacks.Path(""); ; {
		p := stacks.Path(path.Join(string(dir), base))
		if l.tree.files[p] {
			files = append(files, configFile("", string(p)+".yaml"))
		}
		if p == at {
			return files
		}
		rest := strings.TrimPrefix(strings.TrimPrefix(string(at), string(dir)), "/")
		head, _, _ := strings.Cut(rest, "/")
		dir = stacks.Path(path.Join(string(dir), head))
	}
}

// over is what Jinja sees in a file below others of the same name: their
// keys come before the group's.
func (l *loader) over(vars *jinja.Dict, above stacks.Value) *jinja.Dict {
	d := jinja.NewDict()
	for _, k := range vars.Keys() {
		v, _ := vars.Get(k)
		d.Set(k, v)
	}
	for _, f := range above.Fields {
		d.Set(f.Key, jinjaValue(f.Value))
	}
	d.Set("command_path", commandPath(l.opts.CommandPath))
	d.Set("environment_variable", l.environ)
	return d
}

// inherited is the Jinja environment for a file that lies above its group's
// folder: includes are looked up beside the file.
func (l *loader) inherited(g *group, dir string) *jinja.Environment {
	opts := g.jinja
	opts.Loader = folderLoader{fsys: l.fsys, dir: dir}
	return jinja.New(opts)
}

// misplacedBlock refuses an environment block in a stack's file, where it
// would have no effect. Other values of that name are the project's own.
func misplacedBlock(d *document) *stacks.Problem {
	f, ok := field(d.fields, environmentKey)
	if !ok || f.Value.Kind != stacks.Map {
		return nil
	}
	if _, ok := field(f.Value, "class"); !ok {
		return nil
	}
	return &stacks.Problem{
		Pos: f.Pos, What: "an environment block belongs to a group",
		Why: "in a stack's file it has no effect", Tip: "move it to the group's config.yaml",
	}
}

// commandPath is PATH as Jinja sees it: its parts. What only spells it in
// another way, such as a slash at the end, makes no part.
func commandPath(arg string) *jinja.List {
	list := &jinja.List{}
	arg = path.Clean(strings.ReplaceAll(arg, `\`, "/"))
	for part := range strings.SplitSeq(arg, "/") {
		list.Items = append(list.Items, part)
	}
	return list
}
