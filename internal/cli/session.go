package cli

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/deployer-cli/deployer/config"
	"github.com/deployer-cli/deployer/internal/awsconf"
	"github.com/deployer-cli/deployer/internal/cfn"
	"github.com/deployer-cli/deployer/internal/chaos"
	"github.com/deployer-cli/deployer/internal/cloud"
	"github.com/deployer-cli/deployer/internal/flow"
	"github.com/deployer-cli/deployer/internal/graph"
	"github.com/deployer-cli/deployer/internal/guard"
	"github.com/deployer-cli/deployer/internal/journal"
	"github.com/deployer-cli/deployer/internal/notify"
	"github.com/deployer-cli/deployer/internal/plugin"
	"github.com/deployer-cli/deployer/internal/prepare"
	"github.com/deployer-cli/deployer/internal/resolve"
	"github.com/deployer-cli/deployer/internal/sandbox"
	"github.com/deployer-cli/deployer/internal/steady"
	"github.com/deployer-cli/deployer/internal/ui"
	"github.com/deployer-cli/deployer/stacks"
	"github.com/deployer-cli/deployer/templates"
)

// session is one command's view of a project: its files, and, once connected,
// its AWS.
type session struct {
	app     *app
	dir     string
	base    string // whose .deployer is used, when it was opened: what is told beside may outlast the command
	root    *os.Root
	project *config.Project
	reload  func() (*config.Project, error) // reads the files again
	loader  *templates.Loader
	known   *outputs
	prepare *prepare.Preparer

	runner   *runner
	plugins  *plugin.Plugins
	resolver *resolve.Set         // asks AWS once the session is connected
	made     resolve.Made         // while planning; nil otherwise
	vetted   bool                 // the account was checked: programs may have credentials
	sketchy  bool                 // costly templates do not matter
	stubs    *stubs               // what was made up here; nil without DEPLOYER_SANDBOX_STUBS
	drawn    map[stacks.Path]bool // stacks whose costly templates the graph needs

	run        string
	realm      stacks.Realm
	endpoint   string
	now        func() time.Time // the realm's clock
	counter    awsconf.Counter
	configs    *awsconf.Configs
	troubles   troubles
	server     *sandbox.Server
	poll       time.Duration // between two looks at the sandbox
	cfn        *cfn.Cloud
	cloud      *cloud.Cloud
	cache      *journal.Cache
	closers    []func() error
	crier      *crier
	titled     bool           // the terminal's title says production
	remembered []chaos.Probed // stacks that it does not have then, as the journal knows them
	unpacked   bool           // the project is made of the capsules of a break
	unread     error          // what of the files cannot be read, for who gets by without; else nil
}

// open reads the project. Nothing outside its folder is touched or called.
// arg is PATH as given, for the config files that want to know it.
func (a *app) open(arg string) (*session, error) {
	root, err := a.openRoot()
	if err != nil {
		return nil, err
	}
	return a.opened(arg, root, false)
}

// openAnyhow opens the project for what a journal tells. Files that cannot be read
// are told, and the session knows what is in the others.
func (a *app) openAnyhow() (*session, error) {
	root, missing := a.openRoot()
	if missing != nil {
		var err error
		if root, err = os.OpenRoot(a.projectDir()); err != nil {
			return nil, missing
		}
	}
	s, err := a.opened("", root, true)
	if err != nil || s.unread == nil {
		return s, err
	}
	for _, e := range flatten(s.unread) {
		fmt.Fprintf(a.talk(), "%s %v\n", a.err.Warn("warning:"), e)
	}
	fmt.Fprintf(a.talk(), "%s this goes by what was written down; everything else is for when that is mended\n", a.err.Warn("note:"))
	return s, nil
}

func (a *app) opened(arg string, root *os.Root, anyhow bool) (*session, error) {
	s := &session{app: a, dir: a.projectDir(), base: cmp.Or(a.home, a.projectDir()), root: root, closers: []func() error{root.Close}, now: a.env.Now, crier: newCrier(a.unsent)}
	vars, err := a.variables()
	if err != nil {
		return nil, s.failed(err)
	}
	s.reload = func() (*config.Project, error) {
		return config.Load(root.FS(), config.Options{
			Vars: vars, Environ: a.env.Environ, CommandPath: arg, ProjectPath: s.dir, Version: Version(),
		})
	}
	s.project, err = s.reload()
	if s.project == nil && anyhow {
		s.project = &config.Project{}
	}
	if err != nil && !anyhow {
		return nil, s.failed(err)
	}
	s.unread = err
	if a.globals.logLevel != "error" {
		for _, w := range s.project.Warnings() {
			fmt.Fprintf(a.talk(), "%s %s\n", a.err.Warn("warning:"), w.Error())
			if w.Tip != "" {
				fmt.Fprintf(a.talk(), "hint: %s\n", w.Tip)
			}
		}
	}
	if err := readable(s.project); err != nil && !anyhow {
		return nil, s.failed(err)
	} else if err != nil {
		s.unread = errors.Join(s.unread, err)
	}
	s.programs()
	s.known = newOutputs()
	s.wire()
	return s, nil
}

// readable reads every guard, probes and notify block. What is wrong in one is a mistake in an
// environment block like any other, and stops every command.
func readable(p *config.Project) error {
	var errs []error
	for _, e := range p.Environments() {
		_, err := guard.ParsePolicy(e)
		_, probes := steady.Parse(e.Probes)
		_, targets := notify.Parse(e.Notify)
		errs = append(errs, err, probes, targets)
	}
	return errors.Join(errs...)
}

// wire makes the preparer: over the files alone until the session connects.
func (s *session) wire() {
	s.resolver, s.prepare = s.preparer(s.loader)
}

// anew is a preparer that has read and fetched nothing yet.
func (s *session) anew() *prepare.Preparer {
	_, fresh := s.preparer(s.newLoader())
	return fresh
}

func (s *session) preparer(loader *templates.Loader) (*resolve.Set, *prepare.Preparer) {
	ports := resolve.Ports{
		Project: s.project, Outputs: s.known, Files: s.root.FS(), Now: s.app.env.Now,
		Environ: func(name string) (string, bool) { v, ok := s.app.env.Environ[name]; return v, ok },
		Outside: s.outsideFile, Plugins: s.plugins,
	}
	offline := resolve.New(ports)
	resolver := offline
	if s.cfn != nil {
		ports.External, ports.Parameters, ports.Secrets = s.external(), s.cloud, s.cloud
		ports.Commands, ports.Web, ports.Made = s.runner, fetcher{}, s.pending
		ports.Stubs = s.stubs != nil
		resolver = resolve.New(ports)
	}
	return resolver, prepare.New(prepare.Ports{
		Resolver: resolver, Offline: offline, Renderer: loader, Sketch: sketch{s}, Parser: loader, Files: s.root.FS(),
	})
}

func (a *app) projectDir() string { return a.abs(cmp.Or(a.globals.dir, ".")) }

// openRoot opens the project's folder so that nothing outside it can be read.
func (a *app) openRoot() (*os.Root, error) {
	dir := a.projectDir()
	info, err := os.Stat(filepath.Join(dir, "config"))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, &usageError{
			fmt.Sprintf("no project in %s: it has no folder config", cmp.Or(a.globals.dir, "this folder")),
			"make one with: deployer init shop; or say where it is with --dir",
		}
	case err != nil:
		return nil, &usageError{fmt.Sprintf("the project in %s cannot be read: %v", dir, err), ""}
	case !info.IsDir():
		return nil, &usageError{fmt.Sprintf("no project in %s: config is no folder", dir), ""}
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, &usageError{fmt.Sprintf("the project in %s cannot be opened: %v", dir, err), ""}
	}
	return root, nil
}

// variables reads --var-file and --var.
func (a *app) variables() (vars varsDict, err error) {
	files := make([]config.VarFile, 0, len(a.globals.varFiles))
	for _, name := range a.globals.varFiles {
		data, err := os.ReadFile(a.abs(name))
		if err != nil {
			return nil, &usageError{fmt.Sprintf("--var-file %s cannot be read: %v", name, errors.Unwrap(err)), ""}
		}
		files = append(files, config.VarFile{Name: name, Data: data})
	}
	return config.MergeVars(files, a.globals.vars, a.globals.mergeVars)
}

func (s *session) failed(err error) error { return errors.Join(err, s.close()) }

func (s *session) close() error {
	if s.crier != nil {
		ctx, leave := context.WithCancel(context.Background())
		restore := s.app.interrupts.handle(func(os.Signal) { leave() })
		s.crier.wait(ctx)
		restore()
		leave()
	}
	var errs []error
	for _, c := range slices.Backward(s.closers) {
		errs = append(errs, c())
	}
	s.closers = nil
	return errors.Join(errs...)
}

// home is the folder whose .deployer holds the state, and in which programs of probes and
// notify run: the project's, also for what recover unpacks.
func (s *session) home() string { return cmp.Or(s.base, s.dir) }

// state is a folder of the realm's own below .deployer, such as its journals.
func (s *session) state(name string) string {
	return filepath.Join(s.home(), ".deployer", string(s.realm), name)
}

func newRunID(now time.Time) string {
	var b [3]byte
	_, _ = rand.Read(b[:]) // never fails, says its documentation
	return now.UTC().Format("20060102t150405") + "-" + hex.EncodeToString(b[:])
}

// scope is the stacks that a command concerns.
type scope struct {
	selection config.Selection
	graph     *graph.Graph // of the stacks concerned
	whole     *graph.Graph // of the project
	order     []stacks.Path
	stacks    map[stacks.Path]*stacks.Stack
}

// list gives the stacks in dependency order.
func (sc *scope) list() []*stacks.Stack {
	out := make([]*stacks.Stack, 0, len(sc.order))
	for _, p := range sc.order {
		out = append(out, sc.stacks[p])
	}
	return out
}

// selected gives the stacks that PATH itself names, sorted.
func (sc *scope) selected() []*stacks.Stack {
	out := make([]*stacks.Stack, 0, len(sc.selection.Stacks))
	for _, p := range sc.selection.Stacks {
		if st, ok := sc.stacks[p]; ok {
			out = append(out, st)
		}
	}
	return out
}

// scope finds the stacks that arg names and, in the given direction, those
// they take along.
func (s *session) scope(ctx context.Context, arg string, d graph.Direction) (*scope, error) {
	selection, err := s.project.Select(arg)
	if err != nil {
		return nil, err
	}
	if len(selection.Stacks) == 0 {
		return nil, &usageError{fmt.Sprintf("there are no stacks under %s", cmp.Or(arg, "config")), "a stack is a .yaml file in config/ other than config.yaml"}
	}
	return s.scopeOf(ctx, selection, d)
}

// scopeOf is the scope of the stacks selected.
func (s *session) scopeOf(ctx context.Context, selection config.Selection, d graph.Direction) (*scope, error) {
	whole, err := s.graphOf(ctx, selection.Stacks, d)
	if whole == nil {
		return nil, err
	}
	if err := s.project.Problems(s.concerned(whole, selection.Stacks, d)); err != nil {
		return nil, err
	}
	part := whole.IgnoreDependencies(selection.Stacks...)
	if !s.app.globals.ignoreDeps {
		if part, err = whole.Select(d, selection.Stacks...); err != nil {
			return nil, err
		}
	}
	sc := &scope{selection: selection, graph: part, whole: whole, order: part.Order(), stacks: map[stacks.Path]*stacks.Stack{}}
	for _, p := range sc.order {
		st, ok := s.project.Stack(p)
		if !ok {
			return nil, &usageError{fmt.Sprintf("stack %s cannot be read", p), ""}
		}
		if sc.stacks[p], err = s.located(ctx, st); err != nil {
			return nil, err
		}
	}
	return sc, nil
}

// concerned lists the stack files whose problems stop a command.
func (s *session) concerned(g *graph.Graph, paths []stacks.Path, d graph.Direction) []stacks.Path {
	if s.app.globals.ignoreDeps {
		return paths
	}
	var known []stacks.Path
	for _, p := range paths {
		if g.Has(p) {
			known = append(known, p)
		}
	}
	all := g.Closure(d, known...)
	for _, p := range all {
		if st, ok := s.project.Stack(p); ok {
			for _, dep := range st.Dependencies {
				all = append(all, dep.Path)
			}
		}
	}
	return stacks.SortPaths(append(all, paths...))
}

func (s *session) exists(p stacks.Path) bool {
	selection, err := s.project.Select(string(p) + ".yaml")
	return err == nil && !selection.Group
}

// located returns the stack with the role it is reached by resolved.
func (s *session) located(ctx context.Context, st *stacks.Stack) (*stacks.Stack, error) {
	if st.AccessRole.Kind == stacks.Null || st.Access.Role != "" {
		return st, nil
	}
	access, err := s.prepare.Access(ctx, st)
	if err != nil {
		return nil, err
	}
	moved := *st
	moved.Access = access
	return &moved, nil
}

// banner says where a command is about to look or act, before anything else.
func (s *session) banner(ctx context.Context, sts []*stacks.Stack) error {
	if len(sts) == 0 {
		return nil
	}
	type place struct {
		env     string
		account string
		region  string
	}
	s.identify(ctx, sts, func(a stacks.Access) stacks.Access { return a })
	seen := map[place]bool{}
	for _, st := range sts {
		p := place{env: bannerName(st), region: st.Access.Region}
		if s.cloud != nil {
			id, err := s.cloud.Identity(ctx, st.Access)
			if err != nil {
				s.showBanner(st, "unknown")
				return err
			}
			p.account = id.Account
		}
		if seen[p] {
			continue
		}
		seen[p] = true
		s.showBanner(st, p.account)
	}
	return nil
}

// identify asks all accesses at once who they are, so that whoever needs one of
// the answers finds it there. What cannot be had is asked for again, and told then.
func (s *session) identify(ctx context.Context, sts []*stacks.Stack, as func(stacks.Access) stacks.Access) {
	known := map[stacks.Access]bool{}
	var accesses []stacks.Access
	for _, st := range sts {
		if a := as(st.Access); !known[a] {
			known[a] = true
			accesses = append(accesses, a)
		}
	}
	if s.cloud != nil && len(accesses) > 1 {
		flow.Each(ctx, len(accesses), len(accesses), func(i int) { _, _ = s.cloud.Identity(ctx, accesses[i]) })
	}
}

func (s *session) showBanner(st *stacks.Stack, account string) {
	b := ui.Banner{Environment: bannerName(st), Account: account, Region: st.Access.Region, Realm: s.realm, Endpoint: s.endpoint}
	if s.cfn == nil {
		b.Realm = "files only"
	}
	if s.server != nil {
		b.Note = s.pace()
	}
	if e := st.Environment; e != nil {
		b.Class, b.Production = e.Class, e.SaysProduction() || stacks.HasProductionWord(b.Environment)
	}
	s.title(b)
	b.Show(s.app.talk(), s.app.err, s.app.columns())
}

// pace says how fast the sandbox's time goes, "" where it jumps or goes like
// ours: all durations are by that clock.
func (s *session) pace() string {
	speed, err := s.server.Speed(context.Background())
	if err != nil || speed == sandbox.MaxSpeed || speed == 1 || speed == sandbox.KeepSpeed {
		return ""
	}
	return fmt.Sprintf("time x%s", speed)
}

// title puts production into the terminal's title for as long as the command
// lasts.
func (s *session) title(b ui.Banner) {
	term := s.app.env.Environ["TERM"]
	if !b.Production || s.titled || !s.app.env.StderrTerminal || term == "" || term == "dumb" {
		return
	}
	s.titled = true
	begin, end := ui.Title("!! PRODUCTION " + b.Environment + " !!")
	fmt.Fprint(s.app.talk(), begin)
	s.closers = append(s.closers, func() error {
		_, err := fmt.Fprint(s.app.talk(), end)
		return err
	})
}

func environmentName(st *stacks.Stack) string {
	if st.Environment != nil {
		return st.Environment.Name
	}
	return string(st.Path.Group())
}

// bannerName is the environment, or the group in it whose name says production
// where the environment's does not.
func bannerName(st *stacks.Stack) string {
	group := string(st.Path.Group())
	if st.Environment != nil && !st.Environment.SaysProduction() && stacks.HasProductionWord(group) {
		return group
	}
	return environmentName(st)
}

// relative shows a path of the project's as short as it can be.
func (s *session) relative(name string) string {
	if r, err := filepath.Rel(s.app.env.Dir, name); err == nil && !strings.HasPrefix(r, "..") {
		return r
	}
	return name
}
