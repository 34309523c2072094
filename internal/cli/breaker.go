package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/deployer-cli/deployer/config"
	"github.com/deployer-cli/deployer/internal/blast"
	"github.com/deployer-cli/deployer/internal/capsule"
	"github.com/deployer-cli/deployer/internal/flow"
	"github.com/deployer-cli/deployer/internal/graph"
	"github.com/deployer-cli/deployer/internal/guard"
	"github.com/deployer-cli/deployer/internal/logbook"
	"github.com/deployer-cli/deployer/internal/probe"
	"github.com/deployer-cli/deployer/internal/steady"
	"github.com/deployer-cli/deployer/internal/ui"
	"github.com/deployer-cli/deployer/stacks"
)

// breaker is one run of break, from the choice to the last watch.
type breaker struct {
	app    *app
	opts   breakOptions
	s      *session
	sc     *scope        // every stack of the environment, and what depends on it
	any    *stacks.Stack // one of the environment's
	place  area
	access stacks.Access // by which all targets are reached

	file    *blast.Plan // that is carried out, nil for none
	choice  blast.Choice
	targets []stacks.Path
	outOf   int
	id      string

	looks    *looks
	probes   []steady.Probe
	along    []steady.Probe // of other environments whose stacks go along: they gate it, and are not waited for
	readings []blast.Probed
	secrets  map[stacks.Path]blast.Known[[]blast.Secret]
	desired  map[stacks.Path]*stacks.Desired
	capsuled map[stacks.Path]blast.Capsuled
	captured map[stacks.Path][]stacks.Injection // as they were before
	made     map[stacks.Path]capsule.Capsule    // before they are kept
	facts    *blast.Facts
	plan     *blast.Plan
	shown    bool // the guards were

	record     *breakRecord                             // its journal, once it begins
	gate       func(context.Context, stacks.Verb) error // says no once the lock is lost
	ticks      *realmClock
	tick       sync.Mutex           // guards ticks
	files      *config.Project      // as they were read last; nil: as the session did
	checking   flow.Turn            // held while the guards are asked again
	resumed    bool                 // the journal was begun by an earlier run
	felt       bool                 // something of it is down already, and users may notice
	relaunched *launcher            // what recover launched
	undoing    []undoDocument       // what recover would put right in place
	undone     map[stacks.Path]bool // by recover: what was injected into them
	intact     map[deedKey]bool     // what is not as the break left it any more, as recover found it
	taken      map[stacks.Path]bool // somebody is at them, as it was found when max_duration was over
	warned     sync.Map             // warnings that were given
	late       bool                 // max_duration was over while it watched
	pending    atomic.Bool          // this process brings back what is down when it is over
	outcome    *breakOutcome
}

func newBreaker(a *app, o breakOptions) *breaker {
	return &breaker{app: a, opts: o, looks: newLooks(), checking: flow.NewTurn()}
}

func (b *breaker) run(ctx context.Context) error {
	if err := b.begin(ctx); err != nil {
		return err
	}
	if err := b.decide(ctx); err != nil {
		return err
	}
	switch b.opts.command {
	case "plan":
		return b.writePlan()
	case "doctor":
		return b.doctor()
	}
	return b.breakIt(ctx)
}

// begin opens the project, finds the environment and the targets, connects and
// shows the banner.
func (b *breaker) begin(ctx context.Context) error {
	if b.opts.command == "run" {
		if err := b.load(); err != nil {
			return err
		}
	}
	hint := ""
	if len(b.opts.args) > 0 {
		hint = b.opts.args[0]
	}
	s, err := b.app.open(hint)
	if err != nil {
		return err
	}
	b.s = s
	pool, named, err := b.pool()
	if err != nil {
		return err
	}
	if b.any, err = environmentOf(pool); err != nil {
		return err
	}
	if err := b.stand(ctx); err != nil {
		return err
	}
	if err := s.connect(); err != nil {
		return err
	}
	if err := s.banner(ctx, []*stacks.Stack{b.any}); err != nil {
		return unread(ctx, "G3", "who runs this, and where", err)
	}
	return b.choose(pool, named)
}

// pool gives the stacks that the arguments and globs name, and those paths that
// the arguments name.
func (b *breaker) pool() (pool []*stacks.Stack, named []stacks.Path, err error) {
	for _, arg := range b.opts.args {
		selection, err := b.s.project.Select(arg)
		if err != nil {
			return nil, nil, b.app.meantCommand(arg, err)
		}
		if err := b.s.project.Problems(selection.Stacks); err != nil {
			return nil, nil, err
		}
		named = append(named, selection.Stacks...)
	}
	named = slices.Compact(stacks.SortPaths(named))
	for _, st := range b.s.project.Stacks() {
		if slices.Contains(named, st.Path) || matchesAny(b.opts.globs, st.Path) {
			pool = append(pool, st)
		}
	}
	if len(pool) == 0 {
		return nil, nil, &usageError{"no stack is named", "such as: deployer break dev/network; see: deployer status"}
	}
	return pool, named, nil
}

func matchesAny(globs []string, p stacks.Path) bool {
	return slices.ContainsFunc(globs, func(g string) bool { return p.Matches(g) })
}

// stand finds the environment's stacks, what depends on them, and how they are
// reached.
func (b *breaker) stand(ctx context.Context) error {
	s := b.s
	var all []stacks.Path
	for _, st := range s.project.Stacks() {
		if environmentName(st) == environmentName(b.any) {
			all = append(all, st.Path)
		}
	}
	var err error
	if b.sc, err = s.scopeOf(ctx, config.Selection{Stacks: all}, graph.Down); err != nil {
		return err
	}
	b.any = b.sc.stacks[b.any.Path]
	policy, err := guard.ParsePolicy(b.any.Environment)
	if err != nil {
		return err
	}
	b.place = area{b.any.Environment, b.any.Access, policy}
	b.access = b.any.Access
	if b.probes, err = steady.Parse(b.any.Environment.Probes); err != nil {
		return err
	}
	breaks, err := guardBlocks(b.any.Environment, s.project.Environments())
	if err == nil && breaks.MaxDuration > 0 && b.opts.detach && !b.opts.noRecover {
		return &usageError{
			fmt.Sprintf("--detach leaves nobody to bring %s back when its max_duration of %s is over", b.any.Environment.Name, ui.Span(breaks.MaxDuration)),
			"stay, or add --no-auto-recover",
		}
	}
	return err
}

// guardBlocks reads the break blocks, so that what is wrong in one is told
// before anything is asked of AWS.
func guardBlocks(e *stacks.Environment, all []*stacks.Environment) (blast.Policy, error) {
	if e == nil || !e.Declared {
		return blast.Policy{}, nil // the guards say what is missing
	}
	return blast.ParsePolicy(e, all)
}

// choose picks the targets.
func (b *breaker) choose(pool []*stacks.Stack, named []stacks.Path) error {
	b.choice = blast.Choice{
		Paths: named, Globs: b.opts.globs, Tags: b.opts.tags, Exclude: b.opts.exclude,
		Random: b.opts.random, Percent: b.opts.percent, Seed: b.opts.seed,
	}
	if b.file != nil {
		b.choice = b.file.Choice
	}
	if (b.choice.Random > 0 || b.choice.Percent > 0) && b.choice.Seed == "" {
		b.choice.Seed = newRunID(b.app.env.Now())
	}
	account := ""
	if accounts := b.place.env.Accounts; len(accounts) == 1 {
		account = accounts[0]
	}
	candidates := make([]blast.Candidate, 0, len(pool))
	for _, st := range pool {
		if st.Ignore || st.Obsolete {
			continue
		}
		tags := map[string]string{}
		for _, f := range st.Tags {
			if f.Value.IsScalar() {
				tags[f.Key] = f.Value.Text
			}
		}
		candidates = append(candidates, blast.Candidate{Path: st.Path, Name: st.Name, Account: account, Region: st.Access.Region, Tags: tags})
	}
	var err error
	if b.targets, err = blast.Choose(candidates, b.choice); err != nil {
		return err
	}
	left, err := blast.Pool(candidates, b.choice) // what is excluded could not be drawn
	if err != nil {
		return err
	}
	b.outOf = len(left)
	first := b.sc.stacks[b.targets[0]]
	for _, p := range b.targets {
		if st := b.sc.stacks[p]; st.Access != first.Access {
			return errElsewhere(first, st)
		}
	}
	b.access, b.place.access = first.Access, first.Access
	return nil
}

// decide gathers the facts and makes the plan. In an environment that may not be
// broken in any case no program of the project is run and no probe is asked.
func (b *breaker) decide(ctx context.Context) error {
	s, e := b.s, b.place.env
	account, err := s.cloud.Account(ctx, b.access)
	if err != nil {
		return unread(ctx, "G3", "which account this is", err)
	}
	bound := e.Declared && e.Class == stacks.Development && (len(e.Accounts) == 0 || slices.Contains(e.Accounts, account))
	if bound {
		s.vetted = true
		b.prepareValues(ctx, b.environmentStacks())
		if len(b.probes) == 0 {
			live, err := (sweeper{s.cfn}).Sweep(ctx, b.access)
			if err != nil {
				return unread(ctx, "G9", "what lives here", err)
			}
			b.probes = b.stackProbes(live)
		}
		b.readings = b.judged(b.probeOnce(ctx, b.probes))
	}
	if err := ctx.Err(); err != nil {
		return context.Cause(ctx)
	}
	if b.facts, err = b.gather(ctx); err != nil {
		return unread(ctx, "G3", "who runs this, and how everything is reached", err)
	}
	if bound {
		b.prepareAlong(ctx)
		b.probeAlong(ctx)
	}
	b.plan = blast.Make(b.facts)
	b.plan.ID, b.plan.Made, b.plan.By, b.plan.Version = b.newID(), s.now().UTC(), b.facts.Caller, Version()
	b.plan.Commit, b.plan.Dirty = commit(ctx, s.dir)
	return b.plan.Seal()
}

// unread is the refusal of a break where AWS does not say what it takes to ask the
// guards at all. An error that has an exit code of its own keeps that.
func unread(ctx context.Context, rule, what string, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if _, own := errors.AsType[coder](err); own {
		return err
	}
	return &guard.Refusal{Rule: rule, Code: exitRefused, What: "nothing is broken", Why: what + " cannot be told: " + err.Error(), Tip: hintOf(err)}
}

// environmentStacks lists the stacks of the environment.
func (b *breaker) environmentStacks() []*stacks.Stack {
	var out []*stacks.Stack
	for _, st := range b.sc.list() {
		if environmentName(st) == environmentName(b.any) && st.Access == b.access {
			out = append(out, st)
		}
	}
	return out
}

// clock is the one clock that everything in this break waits by.
func (b *breaker) clock() *realmClock {
	b.tick.Lock()
	defer b.tick.Unlock()
	if b.ticks == nil {
		b.ticks = b.s.clock()
	}
	return b.ticks
}

// newID names a break so that it sorts by time and can be typed.
func (b *breaker) newID() string {
	if b.file != nil {
		return b.file.ID
	}
	return logbook.NewID(b.s.now())
}

// probeOnce asks every probe that gates a break, all at once.
func (b *breaker) probeOnce(ctx context.Context, probes []steady.Probe) []blast.Probed {
	ports := b.s.probePorts(b.access, b.clock())
	readings := make([]steady.Reading, len(probes))
	done := make(chan struct{})
	left := len(probes)
	results := make(chan int)
	for i, p := range probes {
		go func() {
			readings[i] = probe.Once(ctx, p, ports)
			results <- i
		}()
	}
	go func() {
		for ; left > 0; left-- {
			<-results
		}
		close(done)
	}()
	<-done
	out := make([]blast.Probed, 0, len(readings))
	for i, r := range readings {
		out = append(out, blast.Probed{Name: r.Probe, Role: string(probes[i].Role), OK: r.OK, Unknown: r.Unknown, Why: r.Why, At: r.At})
	}
	return out
}

// load reads the plan that break run carries out.
func (b *breaker) load() error {
	text, err := os.ReadFile(b.app.abs(b.opts.planFile))
	if err != nil {
		return &usageError{fmt.Sprintf("the plan %s cannot be read: %v", b.opts.planFile, pathless(err)), "make one with: deployer break plan PATH --out F"}
	}
	p, err := blast.ReadPlan(text)
	if err != nil {
		return fmt.Errorf("%s: %w", b.opts.planFile, err)
	}
	if p.Sum != b.opts.digest {
		return &guard.Refusal{
			Rule: "G14", Code: exitStale, What: "nothing is broken", Why: "the plan's digest is not the one given",
			Tip: "somebody made another plan; read it again with: deployer break plan, and agree on its digest",
		}
	}
	b.file = p
	b.opts.kind, b.opts.arg, b.opts.only = p.Kind, p.Arg, p.Only
	b.opts.globs = p.Choice.Globs // it is drawn again, from what it was drawn from
	for _, path := range p.Choice.Paths {
		b.opts.args = append(b.opts.args, string(path))
	}
	return nil
}

// writePlan shows the plan and writes it out where that was asked for. A plan
// that the guards refuse is shown, and not written.
func (b *breaker) writePlan() error {
	a := b.app
	refused := b.refused()
	if refused == nil && b.opts.out != "" {
		var text bytes.Buffer
		if err := b.plan.Write(&text); err != nil {
			return err
		}
		if err := os.WriteFile(a.abs(b.opts.out), text.Bytes(), 0o600); err != nil {
			return &usageError{fmt.Sprintf("the plan cannot be written to %s: %v", b.opts.out, pathless(err)), ""}
		}
	}
	if done, err := a.document(b.plan); done {
		return errors.Join(err, refused)
	}
	ui.ShowBreak(a.env.Stdout, a.out, b.plan, a.outColumns())
	b.showGuards(a.env.Stdout, a.out, a.outColumns())
	if refused != nil {
		return b.refused()
	}
	fmt.Fprintf(a.env.Stdout, "digest %s\n", b.plan.Sum)
	if b.opts.out != "" {
		fmt.Fprintln(a.talk(), a.advice(fmt.Sprintf("written to %s; carry it out with: deployer break run --plan %s --digest %s", b.opts.out, b.opts.out, b.plan.Sum)))
	}
	return nil
}

// doctor shows every guard, passed or failed, with the fix.
func (b *breaker) doctor() error {
	a := b.app
	if done, err := a.document(b.plan.Verdicts); !done {
		ui.ShowGuards(a.env.Stdout, a.out, b.advised(), true, a.outColumns())
	} else if err != nil {
		return err
	}
	if code := blast.Code(b.plan.Verdicts); code != exitOK {
		return &exitError{code}
	}
	return nil
}

// refused gives what the guards refuse, all of it, nil when all pass.
func (b *breaker) refused() error {
	code := blast.Code(b.plan.Verdicts)
	if code == exitOK {
		return nil
	}
	var errs []error
	var names []string
	what, tip := "nothing is broken", "mend that, and ask every guard again with: deployer break doctor "+b.chosenBy()
	switch {
	case blast.Kept(b.place.env):
		tip = "no flag and no file makes what is " + string(b.place.env.Class) + " breakable: practise in an environment of class development"
	case b.resumed:
		what, tip = "nothing further is broken", b.goOnWith()
	}
	for _, v := range b.plan.Verdicts {
		if v.OK {
			continue
		}
		names = append(names, v.Guard)
		errs = append(errs, &guard.Refusal{Rule: v.Guard, Code: code, What: what, Why: v.Why, Tip: v.Fix})
	}
	if b.app.globals.output != "text" || !b.shown {
		return errors.Join(errs...)
	}
	return &guard.Refusal{ // what each says stands above
		Rule: strings.Join(names, ", "), Code: code, What: what, Why: "what is marked above refuses it", Tip: tip,
	}
}

// chosenBy are the arguments that choose the same again.
func (b *breaker) chosenBy() string {
	o, c := &b.opts, &b.choice
	words := make([]string, 0, len(o.args)+8)
	for _, arg := range o.args {
		words = append(words, quoted(arg))
	}
	flag := func(name, value string) { words = append(words, name, quoted(value)) }
	for _, g := range c.Globs {
		flag("--stacks", g)
	}
	for _, k := range slices.Sorted(maps.Keys(c.Tags)) {
		flag("--tag", k+"="+c.Tags[k])
	}
	for _, g := range c.Exclude {
		flag("--exclude", g)
	}
	if c.Random > 0 {
		flag("--random", strconv.Itoa(c.Random))
	}
	if c.Percent > 0 {
		flag("--percent", strconv.Itoa(c.Percent))
	}
	if c.Random > 0 || c.Percent > 0 {
		flag("--seed", c.Seed)
	}
	if o.only {
		words = append(words, "--only")
	}
	if kind := strings.TrimSuffix(o.kind+"="+o.arg, "="); o.kind != "" && kind != blast.DeleteStack {
		flag("--kind", kind)
	}
	return strings.Join(words, " ")
}

// quoted is a word as a shell takes it.
func quoted(word string) string {
	if word != "" && strings.Trim(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./=:,@%+") == "" {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// advised are the verdicts with the flags in their fixes that reach what this
// command reached.
func (b *breaker) advised() []blast.Verdict {
	out := slices.Clone(b.plan.Verdicts)
	for i := range out {
		out[i].Fix = b.app.advice(out[i].Fix)
		out[i].Findings = slices.Clone(out[i].Findings)
		for j := range out[i].Findings {
			out[i].Findings[j].Fix = b.app.advice(out[i].Findings[j].Fix)
		}
	}
	return out
}

// showGuards shows what the guards say, before what they refuse is told.
func (b *breaker) showGuards(w io.Writer, style ui.Style, columns int) {
	ui.ShowGuards(w, style, b.advised(), false, columns)
	b.shown = true
}

// stale says what moved since the plan was agreed.
func (b *breaker) stale() error {
	if b.file == nil {
		return nil
	}
	if errs := blast.Stale(b.file, b.plan); len(errs) > 0 {
		return errors.Join(errs...)
	}
	made := b.plan
	b.plan = b.file
	b.plan.Verdicts = made.Verdicts // as they are now
	return nil
}

// breakFor is how long a break may send calls after it was cleared.
const breakFor = 12 * time.Hour
