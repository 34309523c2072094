package cli

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/deployer-cli/deployer/internal/capsule"
	"github.com/deployer-cli/deployer/internal/cfn"
	"github.com/deployer-cli/deployer/internal/cfntemplate"
	"github.com/deployer-cli/deployer/internal/graph"
	"github.com/deployer-cli/deployer/internal/guard"
	"github.com/deployer-cli/deployer/internal/hook"
	"github.com/deployer-cli/deployer/internal/journal"
	"github.com/deployer-cli/deployer/internal/plan"
	"github.com/deployer-cli/deployer/internal/prepare"
	"github.com/deployer-cli/deployer/stacks"
)

// planner turns a scope into a plan, and decides late steps while it runs.
type planner struct {
	s        *session
	sc       *scope
	sources  plan.Sources
	snapshot *plan.Snapshot
	builder  *plan.Builder
	accounts map[stacks.Access]string
	deletes  bool
	prunes   bool
	rebuilds bool // hooks before a launch may make what its stack is made from

	mu      sync.Mutex
	actions map[stacks.Path]plan.Action
	desired map[stacks.Path]*stacks.Desired
	joined  map[stacks.Path]*stacks.Live // as what was joined left them, until they are decided
	dead    map[stacks.Path]string       // ids of those that what was joined deleted

	overtaken map[stacks.Path]bool // changed by somebody after the last operation of ours

	cleared func(*plan.Step) error // asks the guard again about a step as it is found now; nil while nothing is sent
	agreed  func(*plan.Step)       // takes off what a step asks where that was agreed on before; nil for nothing
	marks   *secretMarks           // nil where change sets are asked, or nothing can be kept
}

// planOptions are what the flags of launch and plan say about planning.
type planOptions struct {
	adopt  bool
	delete bool
	sends  bool                    // what is planned is sent from here: no plan file comes between
	prune  bool                    // delete what is obsolete, beside launching the rest
	salt   []byte                  // of a plan file's hashes of secret values
	leave  func(*plan.Step) string // why a stack is left as it lives, "" for not; nil: none is
}

// planner reads how the scope's stacks live.
func (s *session) planner(ctx context.Context, sc *scope, opts planOptions) (*planner, error) {
	p := &planner{s: s, sc: sc, accounts: map[stacks.Access]string{}, deletes: opts.delete, prunes: opts.prune}
	for _, st := range sc.list() {
		if _, ok := p.accounts[st.Access]; ok {
			continue
		}
		account, err := s.cloud.Account(ctx, st.Access)
		if err != nil {
			return nil, err
		}
		p.accounts[st.Access] = account
	}
	if err := p.bound(); err != nil {
		return nil, err
	}
	s.vetted, s.made = true, p.made
	p.sources = plan.Sources{
		Finder: s.cfn, Account: func(a stacks.Access) string { return p.accounts[a] }, Reader: s.cfn, Relations: relations{s.cfn}, Cache: templateCache{s.cache},
		Contents: opts.delete || opts.prune, Parse: s.loader.Parse,
	}
	var err error
	if p.snapshot, err = plan.Observe(ctx, p.sources, sc.list()); err != nil {
		return nil, err
	}
	if err := p.catchUp(ctx); err != nil {
		return nil, err
	}
	if opts.sends {
		p.marks = s.marks()
	}
	p.builder = plan.NewBuilder(p.input(opts))
	return p, nil
}

// bound refuses credentials for another account before anything is resolved,
// rendered or run with them.
func (p *planner) bound() error {
	steps := make([]guard.Step, 0, len(p.sc.stacks))
	for _, st := range p.sc.list() {
		steps = append(steps, guard.Step{
			Path: st.Path, Name: st.Name, Account: p.accounts[st.Access], Region: st.Access.Region, Environment: st.Environment,
		})
	}
	return guard.Bound(steps)
}

func (p *planner) input(opts planOptions) plan.Input {
	head := p.sc.head()
	return plan.Input{
		Snapshot: p.snapshot, Environment: head.Environment, Realm: p.s.realm,
		Account: p.accounts[head.Access], Region: head.Access.Region, Adopt: opts.adopt,
		AccountOf: func(a stacks.Access) string { return p.accounts[a] },
		Outside:   func(path stacks.Path) bool { return !slices.Contains(p.sc.selection.Stacks, path) },
		Parse:     p.s.loader.Parse, Uses: p.uses, SameSecret: p.same, Salt: opts.salt, Leave: opts.leave,
	}
}

// uses lists who in the project takes what of a stack.
func (p *planner) uses(path stacks.Path) []plan.Use {
	var out []plan.Use
	if p.sc.whole == nil {
		return out
	}
	for _, e := range p.sc.whole.Dependents(path) {
		if e.Key != "" && e.Kind != graph.SSM {
			out = append(out, plan.Use{By: e.From, Key: e.Key})
		}
	}
	return out
}

// separate says of every step what has to be asked for by name. What macros and
// nested stacks hide is looked up; where that cannot be, the step says so.
func (p *planner) separate(ctx context.Context, of *plan.Plan) {
	for i := range of.Steps {
		step := &of.Steps[i]
		for _, name := range p.builder.Hidden(step) {
			body, err := p.s.cfn.ProcessedTemplate(ctx, p.sc.stacks[step.Stack].Access, cmp.Or(name, step.StackID))
			if err == nil {
				p.builder.Saw(step.Stack, name, body)
			}
		}
		step.Separate = p.builder.Separate(step)
		if step.Action == plan.Delete && step.Class != stacks.Production {
			// Nobody has to name them there, and of a whole stack that is asked for by its
			// name they would only hide the data.
			step.Separate = slices.DeleteFunc(step.Separate, func(one plan.Separate) bool { return !one.Data })
		}
	}
}

// head is the first stack that PATH names: whose environment the run is in.
func (sc *scope) head() *stacks.Stack { return sc.selected()[0] }

// launch plans creating and updating.
func (p *planner) launch(ctx context.Context) (*plan.Plan, error) {
	known := p.s.known
	known.mu.Lock()
	known.known, known.live = p.builder.Known, p.outside
	known.mu.Unlock()
	// A first pass over all stacks at once fetches what comes from outside the
	// project; the second goes in order and finds it there.
	refused, err := p.ready(ctx)
	if err != nil {
		return nil, err
	}
	if p.prunes {
		if err := errors.Join(p.needed(p.obsolete()), p.absent(ctx, p.obsolete())); err != nil {
			return nil, err
		}
	}
	for _, path := range p.sc.order {
		if p.pruned(path) {
			p.builder.Remove(p.sc.stacks[path], p.dependents(path), "marked obsolete")
			continue
		}
		if why := refused[path]; why != "" {
			p.builder.Refuse(p.sc.stacks[path], p.edges(path), why)
			continue
		}
		desired, err := p.s.prepare.Prepare(ctx, p.sc.stacks[path])
		if err != nil {
			return nil, err
		}
		p.remember(desired)
		p.want(desired)
		p.decided(path, p.builder.Add(desired, p.edges(path)).Action)
	}
	if err := p.lookUpImports(ctx); err != nil {
		return nil, err
	}
	return p.builder.Plan()
}

// unmade says which outputs are asked for that no template makes: a run would
// only stumble over them half-way.
func (p *planner) unmade() error {
	var errs []error
	for _, m := range p.sc.graph.Missing() {
		if m.Kind == graph.Resolver && !p.s.app.globals.ignoreDeps {
			errs = append(errs, &stacks.Problem{Pos: m.Pos, What: string(m.Stack) + " " + m.What, Tip: m.Hint})
		}
	}
	return errors.Join(errs...)
}

// remove plans deleting, dependents first.
func (p *planner) remove(ctx context.Context) (*plan.Plan, error) {
	if err := p.absent(ctx, p.sc.order); err != nil {
		return nil, err
	}
	for _, path := range slices.Backward(p.sc.order) {
		p.builder.Remove(p.sc.stacks[path], p.dependents(path), "asked for")
	}
	if err := p.lookUpImports(ctx); err != nil {
		return nil, err
	}
	return p.builder.Plan()
}

func (p *planner) dependents(path stacks.Path) []stacks.Path {
	var out []stacks.Path
	for _, e := range p.sc.graph.Dependents(path) {
		out = append(out, e.From)
	}
	return stacks.SortPaths(out)
}

// lookUpImports asks who imports the exports that the plan would take away.
func (p *planner) lookUpImports(ctx context.Context) error {
	risk := p.builder.AtRisk()
	for _, path := range slices.Sorted(maps.Keys(risk)) {
		if err := plan.ObserveImports(ctx, p.sources, p.snapshot, p.sc.stacks[path], risk[path]); err != nil {
			return err
		}
	}
	return nil
}

func (p *planner) edges(path stacks.Path) plan.Edges {
	var out plan.Edges
	for _, e := range p.sc.graph.Dependencies(path) {
		out.After = append(out.After, e.To)
		if e.Kind == graph.Output {
			out.Reads = append(out.Reads, plan.Read{Stack: e.To, Key: e.Key})
		}
	}
	return out
}

func (p *planner) decided(path stacks.Path, a plan.Action) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.actions == nil {
		p.actions = map[stacks.Path]plan.Action{}
	}
	p.actions[path] = a
}

// made implements resolve.Made: a parameter is pending while the stack that
// makes it is part of the run, is going to change, and has not landed.
func (p *planner) made(consumer *stacks.Stack, name string) (stacks.Path, bool) {
	for _, e := range p.sc.graph.Dependencies(consumer.Path) {
		if e.Kind == graph.SSM && e.Key == name && p.changing(e.To) {
			return e.To, true
		}
	}
	return "", false
}

// changing tells whether a stack of the run may still change.
func (p *planner) changing(path stacks.Path) bool {
	if _, inside := p.sc.stacks[path]; !inside || p.s.known.has(path) {
		return false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	a, decided := p.actions[path]
	return !decided || (a != plan.None && a != plan.Skip)
}

// outside reads how a stack that is no part of the run lives. Nil leaves the
// answer to the plan.
func (p *planner) outside(ctx context.Context, producer *stacks.Stack) (*stacks.Live, error) {
	if _, inside := p.sc.stacks[producer.Path]; inside {
		return nil, nil //nolint:nilnil // nothing is known of it before it lands
	}
	producer, err := p.s.located(ctx, producer)
	if err != nil {
		return nil, err
	}
	live, err := p.s.cfn.Stack(ctx, producer.Access, producer.Name)
	if _, absent := errors.AsType[*stacks.NotFoundError](err); absent {
		return nil, &stacks.Problem{
			What: string(producer.Path) + " does not exist", Why: "a stack of this run needs an output of it",
			Tip: "launch it first, or leave out --ignore-dependencies",
		}
	}
	if err != nil {
		return nil, err
	}
	p.s.known.land(producer.Path, &live)
	return &live, nil
}

// Decide implements execute.Decider: it looks again where somebody else's
// operation was waited for, and plans with what is known now.
func (p *planner) Decide(ctx context.Context, path stacks.Path) (plan.Step, error) {
	if step, ok, err := p.asJoined(ctx, path); ok {
		return step, err
	}
	if seen, _ := p.snapshot.Get(path); seen.Live != nil && seen.Live.Status.InProgress() {
		return p.Again(ctx, path)
	}
	return p.decide(ctx, path)
}

// Again implements execute.Decider. It looks at the one stack alone.
func (p *planner) Again(ctx context.Context, path stacks.Path) (plan.Step, error) {
	id := ""
	if seen, _ := p.snapshot.Get(path); seen.Live != nil {
		id = seen.Live.ID
	}
	if _, err := p.look(ctx, []stacks.Path{path}, func(stacks.Path) string { return id }); err != nil {
		return plan.Step{}, notRead(err)
	}
	return p.decide(ctx, path)
}

// notRead says of an error of reading a stack that nothing is known by it.
func notRead(err error) error {
	if _, known := errors.AsType[*stacks.UnknownError](err); known || errors.Is(err, context.Canceled) {
		return err
	}
	return &stacks.UnknownError{What: "how the stack is could not be read", Cause: err, Tip: "run the same command again: it goes on from how the stack is"}
}

// decide plans a stack as it was seen last, and asks the guard about it.
func (p *planner) decide(ctx context.Context, path stacks.Path) (plan.Step, error) {
	step, err := p.decideAlone(ctx, path)
	if err != nil || p.cleared == nil || !step.Changing() {
		return step, err
	}
	return step, p.cleared(&step)
}

func (p *planner) decideAlone(ctx context.Context, path stacks.Path) (plan.Step, error) {
	st := p.sc.stacks[path]
	if p.deletes || p.pruned(path) {
		return p.builder.Remove(st, p.dependents(path), "asked for"), nil
	}
	prepared := p.s.prepare
	if p.rebuilds && st.Hooked(string(hook.Before(hook.Launch))) {
		prepared = p.s.anew()
	}
	desired, err := prepared.Prepare(ctx, st)
	if err == nil {
		err = prepare.Complete(desired)
	}
	if err != nil {
		return plan.Step{}, &stacks.UnsentError{Cause: err}
	}
	gained, err := p.gained(desired)
	if err != nil {
		return plan.Step{}, err
	}
	p.want(desired)
	step := p.builder.Add(desired, p.edges(path))
	step.Gained = gained
	if p.agreed != nil {
		p.agreed(&step)
	}
	return step, nil
}

// gained tells what of the run a stack depends on by what is known only now, such
// as an import whose name another stack gave. A circle is an error.
func (p *planner) gained(d *stacks.Desired) ([]stacks.Path, error) {
	t, err := p.s.loader.Parse(d.Body)
	if err != nil || p.sc.whole == nil || p.s.app.globals.ignoreDeps {
		return nil, nil //nolint:nilerr // that it cannot be parsed is told where it is planned
	}
	source := graph.Source{Stack: d.Stack, Template: t, Parameters: make(map[string]any, len(d.Parameters))}
	for _, one := range d.Parameters {
		if source.Parameters[one.Key] = any(one.Value); one.Previous {
			source.Parameters[one.Key] = cfntemplate.Unknown{Why: "it stays as it is"}
		}
	}
	edges, err := p.sc.whole.Revise(source)
	if err != nil {
		return nil, err
	}
	var out []stacks.Path
	for _, e := range edges {
		if _, inside := p.sc.stacks[e.To]; inside {
			out = append(out, e.To)
		}
	}
	return stacks.SortPaths(out), nil
}

// hooked tells whether hooks of its launch run whatever becomes of a stack.
func (p *planner) hooked(path stacks.Path) bool {
	return p.sc.stacks[path].Hooked(string(hook.Before(hook.Launch)), string(hook.After(hook.Launch)))
}

// Landed implements execute.Decider.
func (p *planner) Landed(path stacks.Path, live *stacks.Live) {
	p.builder.Landed(path, live)
	p.s.known.land(path, live)
	p.born(path, live)
}

// sweeper gives a sweep by name, the latest stack of a name winning.
type sweeper struct{ cfn *cfn.Cloud }

// Sweep implements plan.Sweeper.
func (w sweeper) Sweep(ctx context.Context, a stacks.Access) (map[string]*stacks.Live, error) {
	all, err := w.cfn.Sweep(ctx, a)
	if err != nil {
		return nil, err
	}
	out := make(map[string]*stacks.Live, len(all))
	for i := range all {
		if before, ok := out[all[i].Name]; !ok || before.Created.Before(all[i].Created) {
			out[all[i].Name] = &all[i]
		}
	}
	return out, nil
}

// relations reads who else has to do with a stack.
type relations struct{ cfn *cfn.Cloud }

// Proposals implements plan.Relations.
func (r relations) Proposals(ctx context.Context, a stacks.Access, stackID string) ([]string, error) {
	sets, err := r.cfn.ChangeSets(ctx, a, stackID)
	names := make([]string, 0, len(sets))
	for _, cs := range sets {
		names = append(names, cs.Name)
	}
	return names, err
}

// Importers implements plan.Relations.
func (r relations) Importers(ctx context.Context, a stacks.Access, export string) ([]string, error) {
	return r.cfn.Imports(ctx, a, export)
}

// templateCache keeps live templates between runs, by stack id and change.
type templateCache struct{ cache *journal.Cache }

func (c templateCache) key(stackID string, changed time.Time) string {
	return cmp.Or(stackID, "-") + " " + changed.UTC().Format(time.RFC3339Nano)
}

// Template implements plan.Cache.
func (c templateCache) Template(stackID string, changed time.Time) ([]byte, bool) {
	return c.cache.Get(c.key(stackID, changed))
}

// Keep implements plan.Cache. What was just read is not kept: a secret that was
// rendered into it may stand there. See remember.
func (templateCache) Keep(string, time.Time, []byte) {}

// born keeps the template of a stack that this run created: nobody has updated
// it, so that it is the one that was sent. Of an update that cannot be said for
// certain.
func (p *planner) born(path stacks.Path, live *stacks.Live) {
	p.mu.Lock()
	d, action, overtaken := p.desired[path], p.actions[path], p.overtaken[path]
	p.mu.Unlock()
	created := (action == plan.Create || action == plan.Recreate) && !overtaken
	if !created || live == nil || !live.Updated.IsZero() || d == nil || d.BodyLate || secretive(d) {
		return
	}
	_ = p.s.cache.Put(templateCache{}.key(live.ID, live.Changed()), d.Body) // it only costs a read
}

// secretive tells whether a template holds a secret: one that was rendered into it,
// or the default of a secret parameter.
func secretive(d *stacks.Desired) bool {
	return len(d.Secrets) > 0 || capsule.Kept(string(d.Body)) != string(d.Body)
}

// lag is more than reads of AWS's lag behind, and than a clock that AWS still
// takes goes wrong.
const lag = 15 * time.Minute

// remember keeps a live template that says what the project wants, where that
// holds no secret. It saves reading it again, and a cache that cannot be written
// only costs time.
func (p *planner) remember(d *stacks.Desired) {
	seen, ok := p.snapshot.Get(d.Stack.Path)
	if !ok || seen.Live == nil || d.BodyLate || secretive(d) || !bytes.Equal(seen.Template, d.Body) || !p.settled(seen.Live) {
		return
	}
	c := templateCache{p.s.cache}
	key := c.key(seen.Live.ID, seen.Live.Changed())
	if have, kept := p.s.cache.Get(key); !kept || !bytes.Equal(have, d.Body) {
		_ = p.s.cache.Put(key, d.Body)
	}
}

// settled tells whether a template read now is certain to be the one of this
// description: the two are two reads, of which one may be older than the last
// change. A stack that was never updated has had no other.
func (p *planner) settled(live *stacks.Live) bool {
	return live.Status == stacks.CreateComplete && live.Updated.IsZero() || p.s.now().Sub(live.Changed()) > lag
}
