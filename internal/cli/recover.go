package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync/atomic"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/deployer-cli/deployer/internal/blast"
	"github.com/deployer-cli/deployer/internal/chaos"
	"github.com/deployer-cli/deployer/internal/guard"
	"github.com/deployer-cli/deployer/internal/plan"
	"github.com/deployer-cli/deployer/internal/steady"
	"github.com/deployer-cli/deployer/stacks"
)

// recoverOptions are the flags of recover.
type recoverOptions struct {
	arg    string
	from   string // config or capsule
	plan   bool
	yes    bool
	halted bool // by break halt: what it brings back was stopped, and the exit code says so
}

// recoverCommand brings back what a break took down.
func (a *app) recoverCommand() *cli.Command {
	return &cli.Command{
		Name: "recover", Usage: "bring back what a break took down, and say how long that took", ArgsUsage: "[ID|PATH]",
		Description: "Launches what is down again, in the order of its dependencies, from the project's files\nor, with --from capsule, from what was kept of it before. Then it stays until users are\nknown to be back, and compares. Run it again and nothing happens.",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "from", Usage: "what to rebuild from, `SOURCE`: config or capsule", Value: "config"},
			&cli.BoolFlag{Name: "plan", Usage: "show what it would do, and stop"},
			yesFlag(),
		},
		Action: func(c *cli.Context) error {
			arg, err := a.path(c, false)
			if err != nil {
				return err
			}
			if err := oneOf("--from", c.String("from"), "config", "capsule"); err != nil {
				return err
			}
			return a.recover(c.Context, recoverOptions{arg: arg, from: c.String("from"), plan: c.Bool("plan"), yes: c.Bool("yes")})
		},
	}
}

// recover launches what is down, watches until it is back, and says how it went.
func (a *app) recover(ctx context.Context, o recoverOptions) error {
	b := newBreaker(a, breakOptions{command: "recover"})
	err := b.recover(ctx, o)
	if b.s == nil && o.from == "config" {
		fmt.Fprintln(a.talk(), a.advice("what was kept of a break needs none of the files: deployer recover --from capsule"))
	}
	if b.s != nil {
		err = errors.Join(err, b.s.close())
	}
	if o.halted {
		err = haltedAs(err, o.arg)
	}
	switch {
	case a.globals.output == "text", o.plan && err != nil:
		return err
	case o.plan:
		_, err := a.document(b.planned())
		return err
	}
	return b.result(err)
}

// recoverDocument is what recover --plan says as JSON.
type recoverDocument struct {
	Break string         `json:"break"` // its id, "" where nothing is broken
	Plan  *plan.Plan     `json:"plan"`  // of the launch that brings stacks back, null for none
	Undo  []undoDocument `json:"undo"`  // what is put right in place
}

func (b *breaker) planned() recoverDocument {
	doc := recoverDocument{Break: b.id, Undo: append([]undoDocument{}, b.undoing...)}
	if b.relaunched != nil && b.relaunched.plan != nil {
		doc.Plan = published(b.relaunched.plan)
	}
	return doc
}

// say writes what a person reads to the standard output, which is for JSON where
// that was asked for.
func (b *breaker) say(text string) {
	out := b.app.env.Stdout
	if b.app.globals.output != "text" {
		out = b.app.talk()
	}
	fmt.Fprintln(out, text)
}

func (b *breaker) recover(ctx context.Context, o recoverOptions) error {
	if o.from == "capsule" {
		restore, err := b.fromCapsules(ctx, &o)
		if err != nil {
			return err
		}
		defer restore()
	}
	k, err := b.attach(ctx, o.arg, true)
	if isNoBreak(err) {
		if b.finishedAlready(ctx, o.arg) {
			return nil
		}
	}
	if err != nil {
		return err
	}
	if !o.plan {
		if err := b.findOut(ctx, k); err != nil {
			return err
		}
	}
	if err := b.findIntact(ctx, k); err != nil {
		return err
	}
	if err := b.blank(ctx, k); err != nil {
		return err
	}
	if o.plan && len(b.down(k.state)) == 0 {
		b.say("everything is back already")
		return nil
	}
	if err := b.bringBack(ctx, k, o); err != nil || o.plan {
		return err
	}
	if err := b.callOff(ctx); err != nil {
		return err
	}
	return b.stay(ctx)
}

// bringBack undoes what was injected, and launches what is down.
func (b *breaker) bringBack(ctx context.Context, k *knownBreak, o recoverOptions) error {
	down, inPlace := b.down(k.state), k.state.Plan.Kind != blast.DeleteStack
	switch {
	case inPlace && o.plan:
		return b.showUndo(ctx, k.state)
	case inPlace:
		if err := b.s.settled(ctx, k); err != nil {
			return err
		}
		return b.undo(ctx, k, o.yes)
	case len(down) > 0:
		return b.relaunch(ctx, k, down, o)
	}
	return nil
}

// findOut asks AWS which of the calls that were announced it took: whoever was
// breaking may have died between a call and its answer. How the stacks are now is
// for the launch and the watch to see.
func (b *breaker) findOut(ctx context.Context, k *knownBreak) error {
	seen, err := b.seenOf(ctx, k.state)
	if err != nil {
		return err
	}
	for _, d := range chaos.Resume(k.state, seen) {
		if err := b.adopt(ctx, k.state, d); err != nil {
			return err
		}
	}
	if err := b.goneAgain(ctx, k.state, seen); err != nil {
		return err
	}
	k.state, err = b.record.fold(ctx)
	return err
}

// goneAgain writes down which stacks had come back and are gone again: they are
// still to be brought back.
func (b *breaker) goneAgain(ctx context.Context, st *chaos.State, seen map[stacks.Path]chaos.Seen) error {
	for _, p := range st.Order {
		t, now := st.Targets[p], seen[p]
		if t.NewID == "" || now.Unknown != "" || now.Named != nil {
			continue
		}
		o := chaos.Observed{Stack: p, StackID: t.StackID, NewID: t.NewID, Status: stacks.DeleteComplete, At: b.s.now().UTC()}
		if err := b.record.Write(ctx, chaos.KindObserved, o); err != nil {
			return err
		}
	}
	return nil
}

// callOff stops what is left of a break whose recovery has begun: whoever was
// breaking may be dead, and then nobody would ever say that nothing further goes.
// Where he lives it waits until he has sent everything.
func (b *breaker) callOff(ctx context.Context) error {
	if _, err := b.s.custody(ctx, "recover", []*stacks.Stack{b.any}); err != nil {
		return err
	}
	state, err := b.record.fold(ctx)
	if err != nil || state.Stopped != nil || state.Finished != nil || !state.Unsent() {
		return err
	}
	return b.record.Write(ctx, chaos.KindStop, chaos.Stop{By: chaos.ByBack, Why: "its recovery has begun"})
}

// down lists what has to be brought back, in the plan's order.
func (b *breaker) down(st *chaos.State) []stacks.Path {
	var out []stacks.Path
	for _, p := range st.Order {
		t := st.Targets[p]
		if b.taken[p] {
			continue
		}
		if t.Status == chaos.StatusRebuilding || slices.ContainsFunc(t.Deeds, b.broken) && t.Status.Broken() {
			out = append(out, p)
		}
	}
	return out
}

// attach finds a break and takes it over: its journal, its plan, its probes.
func (b *breaker) attach(ctx context.Context, arg string, openOnly bool) (*knownBreak, error) {
	k, err := b.find(ctx, arg, openOnly)
	if err != nil {
		return nil, err
	}
	return k, b.takeOver(ctx, k)
}

// find opens the project and finds a break of its realm.
func (b *breaker) find(ctx context.Context, arg string, openOnly bool) (*knownBreak, error) {
	if b.s == nil {
		s, err := b.app.open("")
		if err != nil {
			return nil, err
		}
		b.s = s
		if err := s.connect(); err != nil {
			return nil, err
		}
	}
	k, err := b.s.findBreak(ctx, arg, openOnly)
	if err != nil {
		return nil, err
	}
	if k.state.Plan.Realm != b.s.realm {
		return nil, &guard.Refusal{Rule: "realm", Code: exitStale, What: "this break is of another realm", Why: fmt.Sprintf("it was made in %s, this is %s", k.state.Plan.Realm, b.s.realm)}
	}
	return k, nil
}

func (b *breaker) takeOver(ctx context.Context, k *knownBreak) error {
	s := b.s
	b.id, b.record, b.place = k.record.id, k.record, k.place
	i := slices.IndexFunc(s.project.Stacks(), func(st *stacks.Stack) bool { return st.Environment == k.place.env })
	if i < 0 {
		return &usageError{fmt.Sprintf("no file describes a stack of %s any more", k.place.env.Name), withoutFiles(k.state)}
	}
	b.any = s.project.Stacks()[i]
	if err := b.sameJournal(ctx, k); err != nil {
		return err
	}
	if err := s.banner(ctx, []*stacks.Stack{b.any}); err != nil {
		return err
	}
	b.access = k.place.access
	for _, t := range k.state.Targets {
		b.access = t.Access
	}
	account, err := s.cloud.Account(ctx, b.access)
	if err != nil {
		return err
	}
	if account != k.state.Plan.Account {
		return &guard.Refusal{
			Rule: "G3", Code: exitStale, What: "these credentials are for another account",
			Why: fmt.Sprintf("the break is in %s, they are for %s", k.state.Plan.Account, account), Tip: "use the credentials of that account",
		}
	}
	s.vetted = true
	if b.app.home != "" { // the project is made of capsules
		s.unpacked, s.remembered = true, k.state.Plan.Probed
	}
	s.readOutputs()
	var plan blast.Plan
	if err := json.Unmarshal(k.state.Plan.Detail, &plan); err != nil {
		return fmt.Errorf("the plan in the journal of %s cannot be read: %w", b.id, err)
	}
	b.plan = &plan
	b.probes, err = b.probesOf(k.state)
	return err
}

// probesOf are the probes that the environment declares now, and those of the stacks
// that the plan watches because none was declared then.
func (b *breaker) probesOf(st *chaos.State) ([]steady.Probe, error) {
	out, err := steady.Parse(b.any.Environment.Probes)
	for _, name := range st.Plan.Probes {
		_, described := b.s.project.Stack(stacks.Path(name))
		remembered := slices.ContainsFunc(b.s.remembered, func(p chaos.Probed) bool { return string(p.Stack) == name })
		if !described && !remembered && st.Targets[stacks.Path(name)] == nil {
			continue
		}
		if !slices.ContainsFunc(out, func(p steady.Probe) bool { return p.Name == name }) {
			out = append(out, steady.ForStacks([]stacks.Path{stacks.Path(name)})...)
		}
	}
	return out, err
}

// relaunch launches what is down again.
func (b *breaker) relaunch(ctx context.Context, k *knownBreak, down []stacks.Path, o recoverOptions) error {
	r := &launcher{app: b.app, opts: runOptions{
		command: "recover", arg: b.id, paths: down, yes: o.yes, dryRun: o.plan, exercise: true,
	}}
	var err error
	if r.left, err = b.leftoversOf(ctx, k, down); err != nil {
		return err
	}
	r.begun = func(ctx context.Context) error {
		if err := b.callOff(ctx); err != nil {
			return err
		}
		return b.record.Write(ctx, chaos.KindIntent, chaos.Intent{
			Stack: down[0], Verb: stacks.Create, Token: token(r.s.run, down[0], 0), For: chaos.ToRecover, Overdue: b.overdueTokens(r.s.run),
		})
	}
	err = r.run(ctx)
	b.relaunched = r
	return err
}

// stay watches until everything is verified and compared.
func (b *breaker) stay(ctx context.Context) error {
	state, err := b.record.fold(ctx)
	if err != nil {
		return err
	}
	defer b.s.configs.Endure()()
	sink, shown := b.sink()
	watchCtx, leave := context.WithCancelCause(ctx)
	defer leave(nil)
	var down atomic.Bool
	down.Store(true)
	restore := b.app.interrupts.handle(func(os.Signal) { leave(cancelledError{}) })
	defer restore()
	stopClock := func() {}
	if b.opts.command == "resume" && !b.late { // who takes the watch over takes the deadline over
		stopClock = b.deadline(watchCtx, state, sink, nil, leave)
	}
	end := <-b.watch(watchCtx, state, nil, sink, &down)
	stopClock()
	shown()
	if errors.Is(end.err, errDeadline) {
		return b.afterDeadline(ctx)
	}
	b.outcome = &breakOutcome{state: end.state}
	if b.app.globals.output == "text" {
		b.summary(ctx, end.state)
	}
	return b.ended(ctx, end, nil)
}

// resume finds out what became of everything that was announced, asks again for
// what was not sent, and goes on watching.
func (b *breaker) resume(ctx context.Context, arg string) error {
	k, err := b.find(ctx, arg, true)
	if err != nil {
		return err
	}
	if k.state.Finished != nil {
		return b.resumeOver(ctx, k)
	}
	if err := b.takeOver(ctx, k); err != nil {
		return err
	}
	left, err := b.reconcile(ctx, k)
	if err != nil {
		return err
	}
	state, err := b.record.fold(ctx)
	if err != nil {
		return err
	}
	if why := overtaken(b.plan, state, left); why != "" && state.Stopped == nil {
		if state, err = b.endHere(ctx, why); err != nil {
			return err
		}
	}
	if len(left) > 0 && state.Stopped == nil && !b.opts.detach {
		return b.goOn(ctx, state, left)
	}
	if b.opts.detach {
		b.outcome = &breakOutcome{state: state}
		if b.app.globals.output == "text" {
			b.summary(ctx, state)
		}
		return nil
	}
	return b.stay(ctx)
}

// reconcile asks AWS about every call that was announced and writes down what it
// says. It returns the stacks for which nothing was ever sent.
func (b *breaker) reconcile(ctx context.Context, k *knownBreak) ([]stacks.Path, error) {
	seen, err := b.seenOf(ctx, k.state)
	if err != nil {
		return nil, err
	}
	var left []stacks.Path
	var errs []error
	moved := false
	say := func(d chaos.Decision, text string) {
		if b.app.globals.output == "text" {
			fmt.Fprintf(b.app.talk(), "  %s  %s: %s\n", d.Stack, text, d.Why)
		}
	}
	for _, d := range chaos.Resume(k.state, seen) {
		switch d.Act {
		case chaos.AskAgain:
			left = append(left, d.Stack)
			say(d, "not broken")
		case chaos.Unread:
			errs = append(errs, fmt.Errorf("%s: %s", d.Stack, d.Why))
		case chaos.Settled:
		default:
			say(d, string(d.Act))
			errs = append(errs, b.settle(ctx, k, d, seen[d.Stack].Named))
			moved = moved || d.Act == chaos.Moved
		}
	}
	if moved && b.app.globals.output == "text" {
		fmt.Fprintln(b.app.talk(), b.app.advice("nothing further is broken: somebody else is at it, and what was captured is of before; "+b.recoverWith()+"; what is left can be broken by a new plan, once this break is over"))
	}
	return slices.Compact(left), errors.Join(errs...)
}

// settle writes one decision down. named is what stands under the stack's name.
func (b *breaker) settle(ctx context.Context, k *knownBreak, d chaos.Decision, named *stacks.Live) error {
	st, at := k.state, d.At
	if at.IsZero() {
		at = b.s.now().UTC()
	}
	if err := b.adopt(ctx, st, d); err != nil {
		return err
	}
	observed := chaos.Observed{Stack: d.Stack, StackID: d.StackID, LogicalID: d.LogicalID, Status: d.Status, Reason: d.Why, At: at, By: d.By, Token: d.Made}
	switch d.Act {
	case chaos.Adopt:
		if d.Status != stacks.DeleteComplete || st.Targets[d.Stack].Deed(d.LogicalID).Status == chaos.StatusGone {
			return nil
		}
		observed.Reason = ""
	case chaos.Returned:
		observed.NewID, observed.Reason = d.NewID, ""
		if named != nil {
			if err := b.returned(ctx, k, named, &observed); err != nil {
				return err
			}
		}
		if t := st.Targets[d.Stack]; d.NewID != "" && d.NewID != t.NewID && observed.Status != stacks.CreateInProgress && at.After(d.Begun) { // it was begun before it came to where it is now
			first := observed
			first.Status, first.Empty, first.At = stacks.CreateInProgress, nil, d.Begun
			if err := b.record.Write(ctx, chaos.KindObserved, first); err != nil {
				return err
			}
		}
	case chaos.Moved:
		if st.Stopped != nil {
			return nil
		}
		return b.record.Write(ctx, chaos.KindStop, chaos.Stop{By: chaos.ByMoved, Why: fmt.Sprintf("%s: %s", d.Stack, d.Why)})
	case chaos.Denied, chaos.Stuck:
	default:
		return nil
	}
	return b.record.Write(ctx, chaos.KindObserved, observed)
}

// returned tells of what the team has back how it looks: another stack, or, where what
// was broken is whole again in the stack itself, by whose hand.
func (b *breaker) returned(ctx context.Context, k *knownBreak, named *stacks.Live, o *chaos.Observed) error {
	look, t := b.s.lookerOf(k), k.state.Targets[o.Stack]
	if o.NewID == "" {
		var err error
		o.Condition = stacks.Whole
		o.By, o.Token, err = look.changedBy(ctx, t, named)
		return err
	}
	in, err := look.inside(ctx, t, named, k.state)
	o.Status, o.Empty = in.status, in.empty
	return err
}

// adopt writes down that AWS took a call of which the journal does not know it, where a
// decision says so.
func (b *breaker) adopt(ctx context.Context, st *chaos.State, d chaos.Decision) error {
	deed, at := st.Targets[d.Stack].Deed(d.LogicalID), d.Taken
	if d.Act == chaos.Adopt && at.IsZero() {
		at = or2(d.At, b.s.now().UTC()) // of what was injected nobody tells when
	}
	if deed == nil || !deed.Accepted.IsZero() || at.IsZero() {
		return nil
	}
	return b.record.Write(ctx, chaos.KindAccepted, chaos.Accepted{
		Stack: d.Stack, StackID: d.StackID, Verb: deed.Verb, Token: d.Token, LogicalID: d.LogicalID, At: at, Adopted: true,
	})
}

// goOn breaks what is left of a plan, after all guards and a person said yes
// again.
func (b *breaker) goOn(ctx context.Context, state *chaos.State, left []stacks.Path) error {
	if !b.app.env.person() || b.app.globals.output != "text" {
		return noTerminal(fmt.Sprintf("%d of %s are not broken yet, and nothing further is", len(left), b.id))
	}
	// What the one who died sent is let go down first: the guards would trip over it.
	if err := b.s.settled(ctx, &knownBreak{place: b.place, record: b.record, state: state}); err != nil {
		return err
	}
	whole, watched := b.plan, b.probes
	b.opts.kind, b.opts.arg, b.opts.only, b.resumed = whole.Kind, whole.Arg, false, true
	if !b.opts.paused {
		b.opts.pause = time.Duration(state.Plan.Pause * float64(time.Second))
	}
	b.felt = slices.ContainsFunc(state.Broken(), func(p stacks.Path) bool { return state.Targets[p].Status != chaos.StatusIntended })
	if err := b.stand(ctx); err != nil {
		return err
	}
	// Those that were chosen: what has to go with them is found anew.
	chosen := slices.DeleteFunc(slices.Clone(left), func(p stacks.Path) bool { return !slices.Contains(whole.Targets, p) })
	if len(chosen) == 0 {
		chosen = left
	}
	b.targets, b.choice, b.outOf = chosen, blast.Choice{Paths: chosen}, len(chosen)
	if err := b.decide(ctx); err != nil {
		return err
	}
	b.plan.ID = state.ID
	b.probes = watched // what was broken before has to come back, too
	if errs := blast.Rest(whole, b.plan); len(errs) > 0 {
		return &guard.Refusal{
			Rule: blast.Moved, Code: exitStale, What: "the break does not go on", Why: errors.Join(errs...).Error(),
			Tip: "end it with: deployer break stop " + b.id + "\nthen " + b.recoverWith() + "\nthe rest can be broken later, by a new plan",
		}
	}
	if err := b.plan.Seal(); err != nil {
		return err
	}
	return b.breakIt(ctx)
}
