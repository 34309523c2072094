package cli

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/deployer-cli/deployer/internal/awsconf"
	"github.com/deployer-cli/deployer/internal/blast"
	"github.com/deployer-cli/deployer/internal/chaos"
	"github.com/deployer-cli/deployer/internal/event"
	"github.com/deployer-cli/deployer/internal/execute"
	"github.com/deployer-cli/deployer/internal/guard"
	"github.com/deployer-cli/deployer/internal/journal"
	"github.com/deployer-cli/deployer/internal/plan"
	"github.com/deployer-cli/deployer/internal/state"
	"github.com/deployer-cli/deployer/internal/ui"
	"github.com/deployer-cli/deployer/stacks"
)

// breakOutcome is what became of a break, for the result.
type breakOutcome struct {
	state  *chaos.State
	result execute.Result
}

// breakIt shows the plan, asks, writes down, and takes down.
func (b *breaker) breakIt(ctx context.Context) error {
	a := b.app
	if err := errors.Join(b.unused(ctx), b.stale()); err != nil {
		return err
	}
	if a.globals.output == "text" {
		ui.ShowBreak(a.talk(), a.err, b.plan, a.columns())
		b.showGuards(a.talk(), a.err, a.columns())
	}
	if err := b.refused(); err != nil {
		return err
	}
	custody, err := b.s.custody(ctx, "break", b.goingStacks())
	if err != nil {
		return err
	}
	request, err := b.request(ctx, custody)
	if err != nil {
		return err
	}
	if err := guard.Forbidden(request); err != nil {
		return err
	}
	answers, err := a.ask(ctx, request)
	if errors.Is(err, context.Canceled) {
		return untouchedError{further: b.resumed}
	}
	if err != nil {
		return err
	}
	clearance, err := guard.Check(request, answers)
	if err != nil {
		return err
	}
	if err := custody.open(ctx, &request); err != nil {
		return err
	}
	release := sync.OnceValue(func() error { return custody.end(ctx, "broken: "+b.plan.ID) })
	err = b.cleared(ctx, clearance, custody, func() { _ = release() })
	return errors.Join(err, release())
}

// untouchedError says that somebody left while the phrase was asked for.
type untouchedError struct {
	cancelledError
	further bool
}

func (e untouchedError) Error() string {
	if e.further {
		return "interrupted: nothing further was touched"
	}
	return "interrupted: nothing was touched"
}

// goingStacks lists the stacks that the plan touches.
func (b *breaker) goingStacks() []*stacks.Stack {
	out := make([]*stacks.Stack, 0, len(b.plan.Steps))
	for i := range b.plan.Steps {
		if st := b.stack(b.plan.Steps[i].Stack); st != nil {
			out = append(out, st)
		}
	}
	return out
}

func (b *breaker) stack(p stacks.Path) *stacks.Stack {
	if st, ok := b.sc.stacks[p]; ok {
		return st
	}
	st, _ := b.s.project.Stack(p)
	return st
}

// request says to the guard what the break wants to touch.
func (b *breaker) request(ctx context.Context, c *custody) (guard.Request, error) {
	a, s := b.app, b.s
	request := guard.Request{
		Run: s.run, Command: "break", Realm: s.realm, Endpoint: s.endpoint,
		Terminal: a.env.person() && a.globals.output == "text", Now: s.now(), For: breakFor, Locks: c.others(),
		Project: projectName(b.any), Environments: s.project.Environments(),
	}
	if b.file != nil {
		request.Digest = b.file.Sum
	}
	for i := range b.plan.Steps {
		step := &b.plan.Steps[i]
		st := b.stack(step.Stack)
		if st == nil {
			continue // the guard refuses a step without its environment
		}
		g := guard.Step{
			Path: step.Stack, Name: step.Name, StackID: step.StackID, Account: b.facts.Account, Region: st.Access.Region,
			Environment: st.Environment, Verbs: []stacks.Verb{step.Verb}, Deletes: step.Verb == stacks.Delete, Protected: st.Protect,
		}
		if live := b.live(step.StackID); live != nil {
			g.LiveTags = live.Tags
		}
		request.Steps = append(request.Steps, g)
	}
	return request, s.gather(ctx, &request, c.areas)
}

func (b *breaker) live(id string) *stacks.Live { return liveIn(b.facts, id) }

// liveIn finds a stack by its id, nil where it is not among the facts.
func liveIn(f *blast.Facts, id string) *stacks.Live {
	for _, seen := range f.Stacks.Value {
		if seen.Live != nil && seen.Live.ID == id {
			return seen.Live
		}
	}
	return nil
}

// cleared looks once more with the lock held, opens the journal, keeps the
// capsules, and begins.
func (b *breaker) cleared(ctx context.Context, clearance guard.Clearance, c *custody, sent func()) error {
	if err := b.again(ctx); err != nil {
		return err
	}
	var err error
	if b.made, err = b.capsules(ctx); err != nil {
		return err
	}
	if err := b.capture(ctx); err != nil {
		return err
	}
	b.id = b.plan.ID
	b.record = &breakRecord{b.s.books(b.place.env, b.place.access), b.place.env.Name, b.id, b.s.now}
	if err := b.writeDown(ctx); err != nil {
		return err
	}
	b.announce(ctx, event.Planned)
	brake := chaos.NewBrake()
	c.beat(ctx, lifeSigns{lost: func(err error) {
		brake.Pull(chaos.Stopped{By: chaos.ByFault, Why: err.Error(), Tip: "see: deployer lock show " + b.place.env.Name})
	}})
	b.gate = c.gate()
	return b.perform(ctx, clearance, brake, sent)
}

// again makes the plan anew, now that nobody else can change the environment by
// deployer: what moved while the phrase was typed stops everything.
func (b *breaker) again(ctx context.Context) error {
	paths := make([]stacks.Path, 0, len(b.plan.Steps))
	for i := range b.plan.Steps {
		paths = append(paths, b.plan.Steps[i].Stack)
	}
	if err := b.refresh(ctx, paths, b.gates()); err != nil {
		return err
	}
	facts, err := b.gather(ctx)
	if err != nil {
		return unread(ctx, "G3", "who runs this, and how everything is reached", err)
	}
	b.facts = facts
	fresh := blast.Make(facts)
	if errs := blast.Stale(b.plan, fresh); len(errs) > 0 {
		return errors.Join(errs...)
	}
	b.plan.Verdicts, b.shown = fresh.Verdicts, false
	return b.refused()
}

// unused refuses a plan that was begun before: what was agreed on is done once.
func (b *breaker) unused(ctx context.Context) error {
	if b.file == nil {
		return nil
	}
	books := b.s.books(b.place.env, b.place.access)
	ids, err := books.List(ctx, b.place.env.Name)
	if err != nil || !slices.Contains(ids, b.file.ID) {
		return err
	}
	if _, err := books.Read(ctx, b.place.env.Name, b.file.ID); errors.Is(err, state.ErrAbsent) {
		return nil // whoever began it died before its first entry was whole: nothing was done
	}
	return usedPlan(b.file.ID)
}

// usedPlan says that a plan was begun before.
func usedPlan(id string) error {
	return &guard.Refusal{
		Rule: "G16", Code: exitStale, What: "nothing is broken", Why: "this plan was used already, by the break " + id + ": a plan is carried out once",
		Tip: "see how that went with: deployer break show " + id + "\nto break it again, make a new plan with: deployer break plan, and agree on its digest",
	}
}

// writeDown begins the journal: the plan, who agreed, and a capsule of every
// stack, each read back. Nothing is touched before all of it is durable.
func (b *breaker) writeDown(ctx context.Context) error {
	if !b.resumed {
		if err := b.record.begin(ctx, b.journalPlan(ctx)); err != nil {
			return err
		}
	}
	if err := b.keepCapsules(ctx); err != nil {
		if b.resumed { // what is down stays the business of this break
			return b.unkept(ctx, err)
		}
		return errors.Join(err, b.record.Write(ctx, chaos.KindFinish, chaos.Finish{Why: "not begun: " + err.Error(), Result: "refused", Exit: exitCode(err)}))
	}
	how := "typed"
	if b.file != nil {
		how = "digest"
	}
	var guards []string
	for _, v := range b.plan.Verdicts {
		guards = append(guards, v.Guard)
	}
	err := b.record.Write(ctx, chaos.KindClearance, chaos.Consent{
		Run: b.s.run, How: how, Digest: b.plan.Sum, Who: b.facts.Caller.ARN, From: b.app.from(), Expires: b.s.now().Add(breakFor).UTC(), Guards: guards,
	})
	if err != nil {
		return err
	}
	return b.record.seal(ctx)
}

// unkept refuses to go on with a break of which something is not kept any more: it
// stays open.
func (b *breaker) unkept(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return &guard.Refusal{
		Rule: "G12", Code: exitRefused, What: "nothing further is broken", Why: "what was kept of it cannot be read back: " + err.Error(),
		Tip: b.goOnWith(),
	}
}

// journalPlan is the plan as the journal begins with it.
func (b *breaker) journalPlan(ctx context.Context) chaos.Plan {
	p := b.plan
	detail, _ := json.Marshal(p) // plain data
	out := chaos.Plan{
		ID: p.ID, Environment: p.Environment, Class: p.Class, Account: p.Account, Region: p.Region, Realm: p.Realm, Digest: p.Sum,
		Kind: p.Kind, Argument: p.Arg, Seed: p.Choice.Seed, Objective: p.Radius.RTOSeconds, Pause: b.opts.pause.Seconds(), By: b.facts.Caller.ARN, From: b.app.from(),
		Detail: detail, Probes: []string{}, Probed: b.s.probed(ctx, b.probes),
	}
	if policy, err := guardBlocks(b.place.env, b.s.project.Environments()); err == nil && !b.opts.noRecover {
		out.MaxDuration = policy.MaxDuration.Seconds()
	}
	for _, probe := range b.probes {
		out.StableFor = max(out.StableFor, probe.StableFor.Seconds())
		if probe.Role == "steady" {
			out.Probes = append(out.Probes, probe.Name)
		}
	}
	for i := range p.Steps {
		step := &p.Steps[i]
		one := chaos.Step{Stack: step.Stack, Name: step.Name, StackID: step.StackID, Verb: step.Verb, Access: b.access}
		if st := b.stack(step.Stack); st != nil {
			one.Access = st.Access
		}
		if len(step.Injections) == 0 {
			out.Steps = append(out.Steps, one)
			continue
		}
		for _, in := range b.captured[step.Stack] {
			each := one
			each.Injection = &in
			out.Steps = append(out.Steps, each)
		}
	}
	return out
}

// perform takes everything down while the watch runs beside it, and goes on
// watching.
func (b *breaker) perform(ctx context.Context, clearance guard.Clearance, brake *chaos.Brake, sent func()) error {
	a := b.app
	state, err := b.record.fold(ctx)
	if err != nil {
		return err
	}
	sink, shown := b.sink()
	watchCtx, leave := context.WithCancelCause(ctx)
	defer leave(nil)
	runCtx, detach := context.WithCancelCause(ctx)
	defer detach(nil)
	var down atomic.Bool
	defer b.interruptible(brake, &down, leave, detach)()
	watched := b.watch(watchCtx, state, brake, sink, &down)
	stopClock := b.deadline(watchCtx, state, sink, brake, leave)
	b.announce(ctx, event.Started)
	result, runErr := b.takeDown(runCtx, clearance, brake, sink, sent)
	down.Store(true)
	sent() // nothing further is: whoever recovers must not wait for us
	// From here on a network that is gone for minutes ends nothing. A deletion that
	// waited so long would go out by guards that were asked before.
	defer b.s.configs.Endure()()
	runErr = b.stopped(ctx, brake, runErr)
	b.outcome = &breakOutcome{result: result}
	if b.opts.detach || runErr != nil && !b.touched(ctx) {
		leave(errDetached)
	}
	if why := brake.Pulled(); why != nil && !b.opts.detach && b.touched(ctx) {
		sink.Event(event.Event{Kind: event.Warning, Reason: why.Error() + "; staying until what is down is back, Ctrl-C leaves"})
	}
	end := <-watched
	stopClock()
	if errors.Is(end.err, errDetached) {
		b.lastLook(runCtx, &end)
	}
	shown()
	if errors.Is(end.err, errDeadline) {
		if stopped, ok := errors.AsType[*chaos.Stopped](runErr); ok && stopped.By == chaos.ByDeadline {
			runErr = nil
		}
		if runCtx.Err() != nil { // somebody left while what goes down was waited for
			return errors.Join(b.leftLate(ctx, context.Canceled), runErr)
		}
		return errors.Join(b.afterDeadline(ctx), runErr)
	}
	brief, done := lastWords(ctx)
	runErr = errors.Join(runErr, b.endUnbroken(brief, &end, runErr))
	done()
	b.outcome.state = end.state
	if a.globals.output == "text" {
		b.summary(ctx, end.state)
	}
	return b.ended(ctx, end, runErr)
}

// takeDown makes the calls.
func (b *breaker) takeDown(ctx context.Context, clearance guard.Clearance, brake *chaos.Brake, sink event.Sink, sent func()) (execute.Result, error) {
	j, err := journal.Open(b.s.state("journal"), b.s.run)
	if err != nil {
		return execute.Result{}, err
	}
	defer j.Close() //nolint:errcheck // every intent was synced
	if b.plan.Kind != blast.DeleteStack {
		return b.inflict(ctx, clearance, brake, sink, sent)
	}
	writer := journaled{writer: b.s.cfn.Writer(clearance), journal: j, accounts: map[stacks.Access]string{b.access: b.facts.Account}, gate: b.braked(brake)}
	job := chaos.Job{
		Plan: b.deletions(), Clearance: clearance, Chosen: b.plan.Targets, Pause: b.opts.pause,
		Token: func(p stacks.Path, n int) string { return token(b.s.run, p, n) },
	}
	return chaos.Run(ctx, job, chaos.Ports{
		Deleter: deleter{writer}, Watcher: b.s.cfn, Book: b.record, Clock: b.clock(), Again: b.oncemore, Brake: brake, AllSent: sent,
	}, sink)
}

// deleter implements chaos.Deleter. Where no attempt of a call can have been taken, since
// AWS refused each, or never heard it, it says so.
type deleter struct{ journaled }

// Delete implements chaos.Deleter.
func (d deleter) Delete(ctx context.Context, t stacks.Target, retain []string) (stacks.Operation, error) {
	var taken atomic.Bool
	op, err := d.journaled.Delete(awsconf.GatedFirst(ctx, nil, func() { taken.Store(true) }), t, retain)
	if err != nil && !taken.Load() {
		err = &stacks.UnsentError{Cause: err}
	}
	return op, err
}

// braked lets no attempt of a call go out once the brake was pulled, or the lock is lost:
// also of one that AWS makes wait.
func (b *breaker) braked(brake *chaos.Brake) func(context.Context, stacks.Verb) error {
	return func(ctx context.Context, v stacks.Verb) error {
		if why := brake.Pulled(); why != nil {
			return why
		}
		return b.gate(ctx, v)
	}
}

// deletions is the plan as the executor takes it.
func (b *breaker) deletions() *plan.Plan {
	out := &plan.Plan{Environment: b.plan.Environment, Class: b.plan.Class, Account: b.plan.Account, Region: b.plan.Region, Realm: b.plan.Realm}
	for i := range b.plan.Steps {
		step := &b.plan.Steps[i]
		st := b.stack(step.Stack)
		one := plan.Step{
			Stack: step.Stack, Name: step.Name, Action: plan.Delete, After: step.After, StackID: step.StackID,
			Live: b.live(step.StackID), Desired: &stacks.Desired{Stack: st},
		}
		for j := range b.plan.Radius.Stacks {
			if b.plan.Radius.Stacks[j].Stack == step.Stack {
				one.Resources = b.plan.Radius.Stacks[j].Resources
			}
		}
		out.Steps = append(out.Steps, one)
	}
	return out
}

// locked makes a sink that several goroutines may use.
func locked(s event.Sink) event.Sink {
	var mu sync.Mutex
	return event.Func(func(e event.Event) {
		mu.Lock()
		defer mu.Unlock()
		s.Event(e)
	})
}

// interruptible makes the first Ctrl-C, or SIGTERM, stop what is left of the break, and the
// next leave. Once everything is down the first leaves.
func (b *breaker) interruptible(brake *chaos.Brake, down *atomic.Bool, leave, detach context.CancelCauseFunc) (restore func()) {
	return b.app.interrupts.handle(func(sig os.Signal) {
		why := chaos.Stopped{By: chaos.ByStop, Why: "Ctrl-C"}
		if sig == syscall.SIGTERM {
			why = chaos.Stopped{By: chaos.ByEnd, Why: "it was told to end (SIGTERM)"}
		}
		if !down.Load() && sig != syscall.SIGHUP && brake.Pull(why) {
			return
		}
		leave(cancelledError{})
		detach(cancelledError{})
	})
}

// sink is where the events of a break are shown, until shown is called. Several
// goroutines may use it, and who was not told stands among them.
func (b *breaker) sink() (sink event.Sink, shown func()) {
	r := &launcher{app: b.app, s: b.s}
	show, end := r.sink()
	sink = locked(event.NewStamper(b.s.run, b.s.now, show))
	back := b.s.crier.into(func(err error) { sink.Event(event.Event{Kind: event.Warning, Reason: err.Error()}) })
	return sink, func() {
		back()
		end()
	}
}

// lookEvery is how often the targets are looked at.
const lookEvery = 5 * time.Second
