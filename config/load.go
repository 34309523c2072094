package config

import (
	"cmp"
	"errors"
	"io/fs"
	"path"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/hashicorp/go-multierror"

	"github.com/deployer-cli/deployer/internal/jinja"
	"github.com/deployer-cli/deployer/stacks"
)

// root is the folder of a project that holds its config files.
const root = "config"

// Options is what a load needs besides the files.
type Options struct {
	Vars        *jinja.Dict       // --var and --var-file, merged by MergeVars
	Environ     map[string]string // the process's environment, for Jinja's environment_variable
	CommandPath string            // PATH as given, for Jinja's command_path
	ProjectPath string            // where the project lies, for Jinja's project_path
	Version     string            // deployer's own version
}

// Load reads the whole project in fsys, which is rooted at the project.
//
// The error is a *multierror.Error of *stacks.Problem for what makes the whole
// project unusable: no config folder, an unreadable group file, a wrong
// environment block. The Project is returned beside it, so that everything
// else that is wrong can be told at the same time; nothing else may be done
// with it then. It is nil only where there is nothing to read.
func Load(fsys fs.FS, opts Options) (*Project, error) {
	tree, err := scan(fsys)
	if err != nil {
		return nil, err
	}
	l := newLoader(fsys, opts, tree)
	l.loadGroups()
	l.loadStacks()
	p := l.project()
	return p, combine(l.fatal)
}

// loader reads one project. Groups are complete before stacks begin, and a
// worker writes only to its own slot.
type loader struct {
	fsys    fs.FS
	opts    Options
	tree    *tree
	environ *jinja.Dict
	groups  map[stacks.Path]*group
	results []*result // one per stack file, in the order of tree.stacks
	fatal   []*stacks.Problem
	notes   []*stacks.Problem // warnings
	looked  atomic.Int64      // near paths looked for
}

// maxLookedUp bounds how many unknown paths get a hint: each is compared with
// every path there is.
const maxLookedUp = 100

// result is what became of one stack file.
type result struct {
	path     stacks.Path
	stack    *stacks.Stack // nil when its files could not be read; of no use when there are problems
	problems []*stacks.Problem
	warnings []*stacks.Problem
}

func newLoader(fsys fs.FS, opts Options, t *tree) *loader {
	l := &loader{fsys: fsys, opts: opts, tree: t, groups: make(map[stacks.Path]*group, len(t.groups))}
	if l.opts.Vars == nil {
		l.opts.Vars = jinja.NewDict()
	}
	l.environ = jinja.NewDict()
	for _, k := range sortedKeys(opts.Environ) {
		l.environ.Set(k, opts.Environ[k])
	}
	l.notes = append(l.notes, t.warnings...)
	l.fatal = append(l.fatal, t.problems...)
	return l
}

// loadGroups reads the groups level by level: parents before children.
func (l *loader) loadGroups() {
	byDepth := slices.Clone(l.tree.groups)
	slices.SortStableFunc(byDepth, func(a, b stacks.Path) int { return cmp.Compare(depth(a), depth(b)) })
	for len(byDepth) > 0 {
		n := 1
		for n < len(byDepth) && depth(byDepth[n]) == depth(byDepth[0]) {
			n++
		}
		level := make([]*group, n)
		forEach(n, func(i int) { level[i] = l.loadGroup(byDepth[i]) })
		for _, g := range level {
			l.groups[g.path] = g
			l.fatal = append(l.fatal, g.fatal...)
			l.notes = append(l.notes, g.warnings...)
		}
		byDepth = byDepth[n:]
	}
}

func (l *loader) loadStacks() {
	l.results = make([]*result, len(l.tree.stacks))
	forEach(len(l.results), func(i int) { l.results[i] = l.loadStack(l.tree.stacks[i]) })
}

// forEach calls work for 0 to n-1 on as many goroutines as there are
// processors.
func forEach(n int, work func(i int)) {
	var next atomic.Int64
	var workers sync.WaitGroup
	for range min(n, runtime.GOMAXPROCS(0)) {
		workers.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				work(i)
			}
		})
	}
	workers.Wait()
}

func depth(p stacks.Path) int {
	if p == "" {
		return 0
	}
	return strings.Count(string(p), "/") + 1
}

// combine makes one error of problems, in the order of their places and
// without repeats; nil when there are none.
func combine(problems []*stacks.Problem) error {
	if len(problems) == 0 {
		return nil
	}
	all := &multierror.Error{}
	for _, p := range tidy(problems) {
		all.Errors = append(all.Errors, p)
	}
	return all
}

// tidy sorts problems by place and drops repeats.
func tidy(problems []*stacks.Problem) []*stacks.Problem {
	out := slices.Clone(problems)
	slices.SortStableFunc(out, func(a, b *stacks.Problem) int {
		return cmp.Or(
			cmp.Compare(a.Pos.File, b.Pos.File), cmp.Compare(a.Pos.Line, b.Pos.Line),
			cmp.Compare(a.Pos.Column, b.Pos.Column), cmp.Compare(a.What, b.What), cmp.Compare(a.Why, b.Why),
		)
	})
	return slices.CompactFunc(out, func(a, b *stacks.Problem) bool { return *a == *b })
}

// scanError is the error for a project without a readable config folder.
func scanError(err error) error {
	p := &stacks.Problem{
		Pos:  stacks.Pos{File: root},
		What: "no config folder",
		Why:  "a project holds config/ and templates/",
		Tip:  "go to the project's folder, or name it with --dir; deployer init makes a new one",
	}
	if !errors.Is(err, fs.ErrNotExist) {
		p.What, p.Why, p.Tip = "config cannot be read", cause(err), ""
	}
	return combine([]*stacks.Problem{p})
}

// cause is err without the path, which the problem tells already.
func cause(err error) string {
	if pe, ok := errors.AsType[*fs.PathError](err); ok {
		return pe.Err.Error()
	}
	return err.Error()
}

func configFile(dir stacks.Path, name string) string { return path.Join(root, string(dir), name) }
