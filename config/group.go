package config

import (
	"slices"

	"github.com/deployer-cli/deployer/internal/jinja"
	"github.com/deployer-cli/deployer/stacks"
)

// group is a folder's settings with all it inherits. It is complete before
// anything reads it, and never changes afterwards.
type group struct {
	path     stacks.Path
	config   stacks.Value        // merged
	vars     *jinja.Dict         // what Jinja sees in the group's stack files
	jinja    jinja.Options       // settings of j2_environment, for this folder's stacks
	env      *jinja.Environment  // for this folder's stacks
	declared *stacks.Environment // the environment block of this very group
	problems []*stacks.Problem   // make every stack of the group unusable
	fatal    []*stacks.Problem   // make the whole project unusable
	warnings []*stacks.Problem
}

// loadGroup reads one folder's group file over what its parent has.
func (l *loader) loadGroup(at stacks.Path) *group {
	g := &group{path: at}
	base := stacks.Value{Kind: stacks.Map}
	if at != "" {
		parent := l.groups[at.Group()]
		base, g.problems, g.jinja = parent.config, slices.Clone(parent.problems), parent.jinja
	}
	base = l.placed(base, at)
	g.config = base
	g.setJinja(l)
	if l.tree.settings[at] {
		l.readGroup(g, base)
		g.setJinja(l)
	}
	g.vars = l.groupVars(g)
	return g
}

// placed gives a config the two keys that say where it lies.
func (l *loader) placed(v stacks.Value, at stacks.Path) stacks.Value {
	v.Fields = slices.Clone(v.Fields)
	put(&v, stacks.Field{Key: "project_path", Value: stacks.String(l.opts.ProjectPath)})
	put(&v, stacks.Field{Key: "stack_group_path", Value: stacks.String(string(at))})
	return v
}

func (l *loader) readGroup(g *group, base stacks.Value) {
	file := configFile(g.path, groupFile)
	text, warnings, problem := l.read(file)
	g.warnings = append(g.warnings, warnings...)
	if problem != nil {
		g.broken(problem, true)
		return
	}
	block := findBlock(file, text)
	g.fatal = append(g.fatal, block.problems...)
	d, problem := l.document(g.env, file, text, l.contextVars(base, nil))
	if problem != nil {
		// What depends on variables may be right with others, and the block
		// says on its own which environment this is.
		g.broken(problem, !hasJinja(text))
		g.declare(block, nil)
		return
	}
	g.warnings = append(g.warnings, d.warnings...)
	g.fatal = append(g.fatal, misspeltBlock(d)...)
	g.warnings = append(g.warnings, unknownKeys(d)...)
	g.warnings = append(g.warnings, oldKeys(d)...)
	g.declare(block, d)
	own, problem := sharedData(d.fields)
	if problem != nil {
		g.problems = append(g.problems, problem)
	}
	merged, problems := merge(base, own)
	g.config = merged
	g.problems = append(g.problems, problems...)
}

// broken keeps a problem of the group's file. Without its settings none of
// the group's stacks can be built.
func (g *group) broken(p *stacks.Problem, fatal bool) {
	g.problems = append(g.problems, p)
	if fatal {
		g.fatal = append(g.fatal, p)
	}
}

// declare takes in the group's environment block. d is nil when the file
// could not be read to the end.
func (g *group) declare(b *block, d *document) {
	if d != nil {
		g.fatal = append(g.fatal, b.literal(d)...)
	}
	if !b.found || len(b.problems) > 0 {
		return
	}
	e, problems := declaredEnvironment(g.path, b.value)
	g.declared = e
	g.fatal = append(g.fatal, problems...)
}

// setJinja makes the Jinja environment for the files of this folder.
func (g *group) setJinja(l *loader) {
	if f, ok := field(g.config, "j2_environment"); ok && f.Value.Kind == stacks.Map {
		opts, err := (jinja.Options{}).WithSettings(jinjaSettings(f.Value))
		if err != nil {
			g.problems = append(g.problems, &stacks.Problem{Pos: f.Pos, What: "j2_environment cannot be used", Why: err.Error()})
		} else {
			g.jinja = opts
		}
	}
	opts := g.jinja
	opts.Loader = folderLoader{fsys: l.fsys, dir: configFile(g.path, "")}
	g.env = jinja.New(opts)
}

// jinjaSettings are the settings of a j2_environment block. The debug
// extension only adds a tag that prints the variables, and is left out.
func jinjaSettings(v stacks.Value) map[string]any {
	settings := make(map[string]any, len(v.Fields))
	for _, f := range v.Fields {
		value := f.Value.Plain()
		if list, ok := value.([]any); ok && f.Key == "extensions" {
			value = slices.DeleteFunc(list, func(e any) bool { return e == "jinja2.ext.debug" })
		}
		settings[f.Key] = value
	}
	return settings
}

// groupVars is what Jinja sees in the stack files of a group.
func (l *loader) groupVars(g *group) *jinja.Dict {
	return l.contextVars(g.config, jinjaDict(g.config.Fields))
}

// contextVars is what Jinja sees in a config file: var, the inherited keys,
// and for stacks the whole group as stack_group_config.
func (l *loader) contextVars(inherited stacks.Value, groupConfig *jinja.Dict) *jinja.Dict {
	d := jinja.NewDict()
	d.Set("var", l.opts.Vars)
	if groupConfig != nil {
		d.Set("stack_group_config", groupConfig)
	}
	for _, f := range inherited.Fields {
		d.Set(f.Key, jinjaValue(f.Value))
	}
	d.Set("command_path", commandPath(l.opts.CommandPath))
	d.Set("environment_variable", l.environ)
	return d
}
