package cli

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/deployer-cli/deployer/config"
	"github.com/deployer-cli/deployer/internal/execute"
	"github.com/deployer-cli/deployer/internal/graph"
	"github.com/deployer-cli/deployer/internal/guard"
	"github.com/deployer-cli/deployer/internal/plan"
	"github.com/deployer-cli/deployer/internal/ui"
	"github.com/deployer-cli/deployer/stacks"
)

// launcher is one run of a command that changes stacks.
type launcher struct {
	app     *app
	opts    runOptions
	s       *session
	planner *planner
	plan    *plan.Plan
	sets    *setsOf // the change sets to execute instead of updating, nil for none
	done    execute.Result
	ran     bool
	over    atomic.Bool // it ran, and what is left is to show it
	changes bool        // this is no mere planning: locks are looked at
	custody *custody    // what it has of the environments, nil while planning

	file      *plan.File // the reviewed plan that is applied, nil for none
	proposals *proposals // the change sets made by this run, nil for none
	tokens    int        // given out while planning

	left *leftovers // what a break left of the stacks that are recovered, nil for nothing

	begun func(context.Context) error // called when nothing stands against the run any more; nil for nothing
	salt  []byte                      // of the secrets' hashes in the plan file, nil without one
}

func (r *launcher) run(ctx context.Context) error {
	if err := r.load(); err != nil {
		return err
	}
	r.changes = !r.opts.dryRun
	if err := r.prepareInTime(ctx); err != nil {
		return err
	}
	defer r.s.close() //nolint:errcheck // what matters was synced
	defer r.s.tellStubs(ctx)
	return errors.Join(r.decided(ctx), r.discard(ctx))
}

// decided goes on from the plan on paper: what was reviewed takes its place,
// or CloudFormation is asked where the class wants that, and a person agrees.
func (r *launcher) decided(ctx context.Context) error {
	if err := errors.Join(r.verify(ctx), r.oversized()); err != nil {
		return err
	}
	if r.proposes() {
		if err := r.forbidden(ctx); err != nil {
			return err
		}
		if err := r.propose(ctx); err != nil {
			return err
		}
	}
	a := r.app
	if a.globals.output == "text" {
		ui.ShowPlan(a.talk(), a.err, r.plan, a.columns())
	}
	r.tellAlone()
	if err := r.showSets(ctx); err != nil {
		return err
	}
	request, err := r.request(ctx)
	if err != nil {
		return err
	}
	if r.opts.dryRun {
		return nil
	}
	if len(request.Steps) == 0 && !r.working() {
		return r.nothing()
	}
	if err := r.gather(ctx, &request); err != nil {
		return err
	}
	if err := errors.Join(guard.Forbidden(request), r.blockedDelete()); err != nil {
		return err
	}
	answers, err := a.ask(ctx, request)
	if err != nil {
		return err
	}
	clearance, err := guard.Check(request, answers)
	if err != nil {
		return err
	}
	if len(answers) == 0 {
		r.warn(request)
	}
	if r.proposals != nil {
		r.proposals.kept = true
	}
	if err := r.opened(ctx, &request); err != nil {
		return err
	}
	r.planner.cleared = clearedAnew(request, answers)
	err = r.execute(ctx, clearance)
	return errors.Join(err, r.custody.end(ctx, r.ending(err)))
}

// clearedAnew asks the guard again about a step as it is found while the run goes on.
func clearedAnew(request guard.Request, answers guard.Answers) func(*plan.Step) error {
	return func(step *plan.Step) error {
		var tags []stacks.Tag
		if step.Live != nil {
			tags = step.Live.Tags
		}
		return guard.Anew(request, answers, step.Stack, tags)
	}
}

// opened takes what the run needs of its environments. When it fails nothing is
// held.
func (r *launcher) opened(ctx context.Context, request *guard.Request) error {
	if err := r.custody.open(ctx, request); err != nil || r.begun == nil {
		return err
	}
	if err := r.begun(ctx); err != nil {
		return errors.Join(err, r.custody.end(ctx, "not begun"))
	}
	return nil
}

// ending says in one line how the run went.
func (r *launcher) ending(err error) string {
	counts := map[execute.Outcome]int{}
	for _, o := range r.done.Outcomes {
		counts[o]++
	}
	var parts []string
	for _, o := range slices.Sorted(maps.Keys(counts)) {
		parts = append(parts, fmt.Sprintf("%d %s", counts[o], o))
	}
	text := strings.Join(parts, ", ")
	if code := exitCode(err); code != exitOK {
		text = strings.TrimPrefix(fmt.Sprintf("%s, exit %d", text, code), ", ")
	}
	return text
}

// prepareInTime prepares within --timeout: an endpoint that hangs must not hold
// up a pipeline, and nothing was touched yet.
func (r *launcher) prepareInTime(ctx context.Context) error {
	ctx, leave := context.WithCancelCause(ctx)
	defer leave(nil)
	defer r.limited(leave)()
	err := r.prepare(ctx)
	if late, ok := errors.AsType[*timeoutError](context.Cause(ctx)); ok && err != nil {
		return late
	}
	return err
}

// timeoutError says that --timeout is over.
type timeoutError struct{ limit time.Duration }

func (e *timeoutError) Error() string {
	return fmt.Sprintf("--timeout of %s is over", e.limit)
}

// ExitCode is that of an interruption: nobody knows what would have come.
func (e *timeoutError) ExitCode() int { return exitInterrupted }

// Hint gives a way on.
func (e *timeoutError) Hint() string {
	return "nothing was touched; give it more time, or see: deployer doctor"
}

// prepare opens, connects, shows the banner and plans.
func (r *launcher) prepare(ctx context.Context) error {
	s, err := r.app.open(r.opts.arg)
	if err != nil {
		return err
	}
	r.s = s
	if r.left != nil {
		r.left.handOver(s)
	}
	sc, err := r.scope(ctx)
	if err != nil {
		return s.failed(err)
	}
	if err := errors.Join(s.checkHooks(sc.list()), s.twins(sc.list())); err != nil {
		return s.failed(err)
	}
	if err := s.connect(); err != nil {
		return s.failed(err)
	}
	if !r.opts.exercise { // recover has shown it
		if err := s.banner(ctx, sc.list()); err != nil {
			return s.failed(err)
		}
	}
	if r.changes {
		if r.custody, err = s.custody(ctx, r.opts.command, sc.list()); err != nil {
			return s.failed(err)
		}
	} else {
		s.warnOfDead(ctx, sc.list())
	}
	if err := r.shake(); err != nil {
		return s.failed(err)
	}
	opts := planOptions{
		salt: r.salt, adopt: r.opts.adopt, delete: r.deletes(), prune: r.opts.prune, sends: r.file == nil && r.opts.out == "" && !r.opts.changeSets,
	}
	if r.left != nil {
		opts.leave = r.left.leave
	}
	if r.planner, err = s.planner(ctx, sc, opts); err != nil {
		return s.failed(err)
	}
	if err := s.boundTwins(ctx, sc.list(), r.planner.accounts); err != nil {
		return s.failed(err)
	}
	r.planner.ownShells(r.file)
	if r.left != nil {
		r.left.ownShells(r.planner)
		r.planner.agreed = r.left.agreed
	}
	if r.plan, err = r.makePlan(ctx); err != nil {
		return s.failed(err)
	}
	r.narrow()
	if r.left != nil {
		r.left.annotate(r.plan)
	}
	r.planner.separate(ctx, r.plan)
	r.noteHooks()
	r.plan.NoteFound()
	return nil
}

// deletes tells whether the command does nothing but delete.
func (r *launcher) deletes() bool { return r.opts.command == "delete" || r.opts.command == "prune" }

// scope finds the stacks that the command concerns.
func (r *launcher) scope(ctx context.Context) (*scope, error) {
	switch {
	case r.opts.command == "execute":
		return r.s.inOrder(ctx, r.opts.arg)
	case r.deletes():
		return r.s.scope(ctx, r.opts.arg, graph.Down)
	}
	sc, err := r.upwards(ctx)
	if err != nil {
		return nil, err
	}
	if r.opts.all {
		sc.unmark()
	}
	if r.opts.enableRollback {
		sc.rollBack()
	}
	return sc, nil
}

// upwards is the scope of what PATH names, or the run itself, and of what that
// depends on.
func (r *launcher) upwards(ctx context.Context) (*scope, error) {
	if len(r.opts.paths) > 0 {
		return r.s.scopeOf(ctx, config.Selection{Stacks: r.opts.paths}, graph.Up)
	}
	return r.s.scope(ctx, r.opts.arg, graph.Up)
}

func (r *launcher) makePlan(ctx context.Context) (*plan.Plan, error) {
	switch r.opts.command {
	case "execute":
		return r.planExecution(ctx)
	case "delete":
		return r.planner.remove(ctx)
	case "prune":
		return r.planner.prune(ctx)
	}
	return r.planner.launch(ctx)
}

// narrow leaves out of create what exists, and of update what does not.
func (r *launcher) narrow() {
	for i := range r.plan.Steps {
		step := &r.plan.Steps[i]
		create := step.Action == plan.Create || step.Action == plan.Recreate
		switch {
		case r.opts.command == "create" && step.Changing() && !create:
			step.Action, step.Late, step.Cause = plan.None, false, "exists already"
		case r.opts.command == "update" && create:
			step.Action, step.Late, step.Cause = plan.Skip, false, "does not exist"
		}
	}
}

// working tells whether any step may still find something to do.
func (r *launcher) working() bool {
	for i := range r.plan.Steps {
		if r.plan.Steps[i].Changing() || r.plan.Steps[i].Late {
			return true
		}
	}
	return false
}

// nothing ends a run that has nothing to do.
func (r *launcher) nothing() error {
	r.ran = true
	r.done = execute.Result{Outcomes: map[stacks.Path]execute.Outcome{}}
	for i := range r.plan.Steps {
		r.done.Outcomes[r.plan.Steps[i].Stack] = untouched(&r.plan.Steps[i])
	}
	if r.app.globals.output == "text" {
		fmt.Fprintf(r.app.env.Stdout, "%s\n", r.app.out.Good(fmt.Sprintf("%s: nothing to do, %s", strings.TrimSpace(r.opts.command+" "+r.opts.arg), strings.TrimPrefix(ui.Counts(r.plan), "Plan: "))))
	}
	return nil
}

// launches tells whether hooks of launching run.
func (r *launcher) launches() bool { return r.opts.command == "launch" || r.opts.command == "recover" }

func (r *launcher) again() string {
	return strings.Join([]string{"deployer", r.opts.command, r.opts.arg}, " ")
}

// noteHooks marks the stacks whose hooks run at every launch, whether they
// change or not, as in Sceptre: builds and uploads hang on them. What goes by a
// plan or by change sets is done exactly as it was shown, so that there the
// hooks run with changes alone.
func (r *launcher) noteHooks() {
	if !r.launches() || r.file != nil || r.app.globals.noHooks || r.proposes() {
		return
	}
	for i := range r.plan.Steps {
		step := &r.plan.Steps[i]
		if r.left != nil && step.Action == plan.None {
			continue // a recovery touches nothing of it
		}
		if step.Action != plan.Skip && step.Action != plan.Delete {
			step.Hooked = r.planner.hooked(step.Stack)
		}
	}
	r.planner.rebuilds = true
}
