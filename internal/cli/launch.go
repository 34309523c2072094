package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/deployer-cli/deployer/internal/cfn"
	"github.com/deployer-cli/deployer/internal/event"
	"github.com/deployer-cli/deployer/internal/execute"
	"github.com/deployer-cli/deployer/internal/graph"
	"github.com/deployer-cli/deployer/internal/guard"
	"github.com/deployer-cli/deployer/internal/journal"
	"github.com/deployer-cli/deployer/internal/plan"
	"github.com/deployer-cli/deployer/internal/ui"
	"github.com/deployer-cli/deployer/stacks"
)

// runOptions are the flags of a command that changes stacks.
type runOptions struct {
	command         string // launch, create, update, delete
	arg             string
	yes             bool
	dryRun          bool
	adopt           bool
	prune           bool
	enableRollback  bool
	changeSets      bool // go by change sets whatever the class
	verbose         bool // and show what they are given
	all             bool // what is ignored or obsolete too; nothing is changed then
	disableRollback bool
	failFast        bool
	timeout         time.Duration
	planFile        string // --plan: apply this file
	digest          string // --digest: what was reviewed
	out             string // plan --out
	allow           []string
}

func runFlags() []cli.Flag {
	return []cli.Flag{
		&cli.BoolFlag{Name: "yes", Aliases: []string{"y"}, Usage: "do not ask, where the environment's class allows that"},
		&cli.BoolFlag{Name: "dry-run", Usage: "show the plan and stop"},
		&cli.BoolFlag{Name: "fail-fast", Usage: "start nothing new after the first failure"},
		&cli.DurationFlag{Name: "timeout", Usage: "stop watching after `D`, such as 90m; CloudFormation goes on (default: none at a terminal, else 2h)"},
	}
}

func rollbackFlags() []cli.Flag {
	return []cli.Flag{
		&cli.BoolFlag{Name: "disable-rollback", Usage: "leave a failed stack as it is, to look at it"},
		&cli.BoolFlag{Name: "enable-rollback", Usage: "roll back also what disable_rollback: true would leave"},
	}
}

// wholeProject tells whether a PATH is every stack there is, as "$ENV/" is for
// a shell in which ENV is unset.
func wholeProject(arg string) bool {
	clean := path.Clean("/" + strings.ReplaceAll(strings.TrimSpace(arg), `\`, "/"))
	return arg != "" && (clean == "/" || clean == "/config")
}

func (a *app) runOptions(c *cli.Context) (runOptions, error) {
	arg, err := a.path(c, c.Command.Name != "prune" && c.String("plan") == "")
	if err != nil {
		return runOptions{}, err
	}
	if c.Command.Name == "delete" && wholeProject(arg) {
		return runOptions{}, &usageError{"delete never takes the whole project", "name the environment, such as dev"}
	}
	if c.Bool("enable-rollback") && c.Bool("disable-rollback") {
		return runOptions{}, &usageError{"--enable-rollback and --disable-rollback exclude each other", ""}
	}
	if c.Duration("timeout") < 0 {
		return runOptions{}, &usageError{fmt.Sprintf("--timeout %s: it cannot be negative", c.Duration("timeout")), ""}
	}
	return runOptions{
		command: c.Command.Name, arg: arg, yes: c.Bool("yes"), dryRun: c.Bool("dry-run"), adopt: c.Bool("adopt"), prune: c.Bool("prune"),
		enableRollback: c.Bool("enable-rollback"), changeSets: c.Bool("change-set"), verbose: c.Bool("verbose"),
		disableRollback: c.Bool("disable-rollback"), failFast: c.Bool("fail-fast"), timeout: c.Duration("timeout"),
		planFile: c.String("plan"), digest: c.String("digest"),
	}, nil
}

// launchCommand creates or updates everything under PATH with its dependencies.
func (a *app) launchCommand() *cli.Command {
	return &cli.Command{
		Name: "launch", Usage: "create or update stacks and what they depend on", ArgsUsage: "PATH",
		Description: "Shows the plan, asks, then starts every stack the moment its own dependencies are\ndone. Run it again and nothing happens. Ctrl-C once starts nothing new and waits\nfor what runs; twice leaves, and CloudFormation goes on.",
		Flags: append(append(append(runFlags(), applyFlags()...), rollbackFlags()...),
			&cli.BoolFlag{Name: "adopt", Usage: "also add deployer's own tags to stacks that lack them"},
			&cli.BoolFlag{Name: "prune", Aliases: []string{"p"}, Usage: "also delete the stacks under PATH that are marked obsolete"}),
		Action: a.runAction,
	}
}

// createCommand creates what does not exist; updateCommand updates what does.
func (a *app) createCommand() *cli.Command {
	return &cli.Command{
		Name: "create", Usage: "create the stacks that do not exist", ArgsUsage: "PATH",
		Flags: append(runFlags(), rollbackFlags()...), Action: a.runAction,
	}
}

func (a *app) updateCommand() *cli.Command {
	return &cli.Command{
		Name: "update", Usage: "update the stacks that exist", ArgsUsage: "PATH",
		Flags: append(runFlags(), rollbackFlags()...), Action: a.runAction,
	}
}

// deleteCommand deletes the stacks under PATH and what depends on them.
func (a *app) deleteCommand() *cli.Command {
	return &cli.Command{
		Name: "delete", Usage: "delete stacks, and before them what depends on them", ArgsUsage: "PATH",
		Flags: append(runFlags(), applyFlags()...), Action: a.runAction,
	}
}

func (a *app) runAction(c *cli.Context) error {
	opts, err := a.runOptions(c)
	if err != nil {
		return err
	}
	r := &launcher{app: a, opts: opts}
	err = r.run(c.Context)
	if a.globals.output != "text" {
		return r.result(err)
	}
	return err
}

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
	changes bool     // this is no mere planning: locks are looked at
	custody *custody // what it has of the environments, nil while planning

	file      *plan.File // the reviewed plan that is applied, nil for none
	proposals *proposals // the change sets made by this run, nil for none
	tokens    int        // given out while planning
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
	if err := r.custody.open(ctx, &request); err != nil {
		return err
	}
	err = r.execute(ctx, clearance)
	return errors.Join(err, r.custody.end(ctx, r.ending(err)))
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

// forbidden asks the guard before change sets are made: what is refused in any
// case leaves none behind.
func (r *launcher) forbidden(ctx context.Context) error {
	request, err := r.request(ctx)
	if err != nil || !r.changes {
		return err
	}
	if err := r.gather(ctx, &request); err != nil {
		return err
	}
	return guard.Forbidden(request)
}

// blockedDelete refuses to delete some of the stacks where it is known that
// others cannot go: half an environment helps nobody.
func (r *launcher) blockedDelete() error {
	if !r.deletes() {
		return nil
	}
	var errs []error
	for i := range r.plan.Steps {
		if step := &r.plan.Steps[i]; step.Blocked != "" {
			errs = append(errs, &guard.Refusal{
				Rule: "all or nothing", Code: 3, What: fmt.Sprintf("%s cannot be deleted", step.Stack), Why: step.Blocked,
				Tip: "nothing was deleted; mend that, or name the stacks that may go",
			})
		}
	}
	return errors.Join(errs...)
}

// oversized finds the templates that would have to go through a bucket where
// none is given, before anything starts.
func (r *launcher) oversized() error {
	if r.plan == nil {
		return nil // said by verify
	}
	var errs []error
	for i := range r.plan.Steps {
		step := &r.plan.Steps[i]
		d := step.Desired
		if d == nil || d.BodyLate || d.Bucket != "" || !cfn.NeedsBucket(d.Body) || step.Action == plan.None || step.Action == plan.Skip {
			continue
		}
		errs = append(errs, &stacks.Problem{
			Pos:  d.Stack.Pos,
			What: "template of " + string(step.Stack),
			Why:  fmt.Sprintf("it has %d bytes, what is longer than 51200 goes through S3, and no bucket is given", len(d.Body)),
			Tip:  "set template_bucket_name in the group's config.yaml",
		})
	}
	return errors.Join(errs...)
}

// warn says what a person would have been told before the question.
func (r *launcher) warn(request guard.Request) {
	if r.app.globals.output != "text" {
		return
	}
	request.Yes = false
	for _, q := range guard.Questions(request) {
		for _, note := range q.Notes {
			fmt.Fprintf(r.app.talk(), "%s %s\n", r.app.err.Warn("warning:"), note)
		}
	}
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
	sc, err := r.scope(ctx)
	if err != nil {
		return s.failed(err)
	}
	if err := s.checkHooks(sc.list()); err != nil {
		return s.failed(err)
	}
	if err := s.connect(); err != nil {
		return s.failed(err)
	}
	if err := s.banner(ctx, sc.list()); err != nil {
		return s.failed(err)
	}
	if r.changes {
		if r.custody, err = s.custody(ctx, r.opts.command, sc.list()); err != nil {
			return s.failed(err)
		}
	}
	if r.planner, err = s.planner(ctx, sc, planOptions{adopt: r.opts.adopt, delete: r.deletes(), prune: r.opts.prune}); err != nil {
		return s.failed(err)
	}
	r.planner.ownShells(r.file)
	if r.plan, err = r.makePlan(ctx); err != nil {
		return s.failed(err)
	}
	r.narrow()
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
	sc, err := r.s.scope(ctx, r.opts.arg, graph.Up)
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

// noteHooks marks the stacks whose hooks run at every launch, whether they
// change or not, as in Sceptre: builds and uploads hang on them. What goes by a
// plan or by change sets is done exactly as it was shown, so that there the
// hooks run with changes alone.
func (r *launcher) noteHooks() {
	if r.opts.command != "launch" || r.file != nil || r.app.globals.noHooks || r.proposes() {
		return
	}
	for i := range r.plan.Steps {
		step := &r.plan.Steps[i]
		if step.Action != plan.Skip && step.Action != plan.Delete {
			step.Hooked = r.planner.hooked(step.Stack)
		}
	}
	r.planner.rebuilds = true
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

// request says to the guard what the plan wants to touch.
func (r *launcher) request(ctx context.Context) (guard.Request, error) {
	a, s := r.app, r.s
	request := guard.Request{
		Run: s.run, Command: r.opts.command, Realm: s.realm, Endpoint: s.endpoint,
		Terminal: a.env.person() && a.globals.output == "text", Yes: r.opts.yes, Now: s.now(), For: clearanceFor,
		DataLoss: r.plan.Losses(), Allowed: r.opts.allow,
	}
	if r.file != nil {
		request.Digest, request.Allowed = r.file.Digest, r.file.Allow
		request.Planner = guard.Identity{ARN: r.file.Planner, Account: r.file.Plan.Account}
	}
	for i := range r.plan.Steps {
		step := &r.plan.Steps[i]
		if !step.Changing() && !step.Late && !step.Hooked {
			continue
		}
		st := r.planner.sc.stacks[step.Stack]
		account, err := s.cloud.Account(ctx, st.Access)
		if err != nil {
			return request, err
		}
		request.Steps = append(request.Steps, r.guardStep(step, st, account))
	}
	return request, nil
}

// clearanceFor is how long a run may write after it was cleared.
const clearanceFor = 24 * time.Hour

func (r *launcher) guardStep(step *plan.Step, st *stacks.Stack, account string) guard.Step {
	g := guard.Step{
		Path: step.Stack, Name: step.Name, StackID: step.StackID, Account: account, Region: st.Access.Region,
		Environment: st.Environment, Protected: st.Protect, Asks: step.Asks,
		Deletes: step.Action == plan.Delete || step.Action == plan.Recreate || r.deletes(),
	}
	if step.Live != nil {
		g.LiveTags = step.Live.Tags
	}
	switch {
	case r.deletes():
		g.Verbs = []stacks.Verb{stacks.Delete} // whatever is found: a delete never creates
		return g
	case r.file != nil || r.proposals != nil:
		g.Verbs = []stacks.Verb{
			stacks.Execute, stacks.Propose, stacks.Discard, stacks.Upload, stacks.Policy, stacks.Protect, stacks.Continue,
		}
		if step.Action == plan.Recreate {
			g.Verbs = append(g.Verbs, stacks.Delete)
		}
		g.Replaces = replaced(step)
		return g
	case r.sets != nil:
		g.Verbs = []stacks.Verb{stacks.Execute, stacks.Policy, stacks.Protect}
		g.Replaces = replaced(step)
		return g
	}
	changes := []stacks.Verb{stacks.Update, stacks.Upload, stacks.Policy, stacks.Protect}
	switch step.Action {
	case plan.Delete:
		g.Verbs = []stacks.Verb{stacks.Delete}
	case plan.Create:
		g.Verbs = []stacks.Verb{stacks.Create, stacks.Upload}
	case plan.Recreate:
		g.Verbs = []stacks.Verb{stacks.Delete, stacks.Create, stacks.Upload}
	case plan.Join:
		g.Verbs = append(changes, stacks.Create)
		if neverCompleted(step.Status) && g.Class().Strength() <= stacks.Development.Strength() {
			g.Verbs = append(g.Verbs, stacks.Delete) // of that stack id, should its creation fail
		}
	case plan.Update, plan.None, plan.Skip:
		g.Verbs = append(changes, stacks.Continue)
	}
	g.Replaces = replaced(step)
	return g
}

// replaced lists the resources that a step loses.
func replaced(step *plan.Step) []string {
	var out []string
	for _, c := range step.Changes {
		if c.Action == "remove" || c.Replacement == "true" {
			out = append(out, c.LogicalID)
		}
	}
	return out
}

// neverCompleted tells whether a stack is still in its first creation.
func neverCompleted(status stacks.Status) bool {
	return status == stacks.CreateInProgress || status == stacks.RollbackInProgress
}

// ask puts the guard's questions to a person, when one is there.
func (a *app) ask(ctx context.Context, request guard.Request) (guard.Answers, error) {
	questions := guard.Questions(request)
	if len(questions) == 0 || !request.Terminal {
		return nil, nil
	}
	if a.prompter == nil {
		a.prompter = ui.NewPrompter(a.talk(), a.env.Stdin, a.err)
	}
	answers := guard.Answers{}
	for _, q := range questions {
		text, err := a.prompter.Ask(ctx, q)
		if errors.Is(err, ui.ErrNoAnswer) {
			return answers, nil
		}
		if err != nil {
			return nil, err
		}
		answers[q.ID] = text
	}
	return answers, nil
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

// execute carries the plan out, with the journal written before every deed.
func (r *launcher) execute(ctx context.Context, clearance guard.Clearance) error {
	a, s := r.app, r.s
	j, err := journal.Open(s.state("journal"), s.run)
	if err != nil {
		return err
	}
	defer j.Close() //nolint:errcheck // every entry that matters was synced
	show, shown := r.sink()
	known := s.known
	known.mu.Lock()
	known.known = r.planner.builder.Known
	known.mu.Unlock()

	ctx, detach := context.WithCancelCause(ctx)
	defer detach(nil)
	drain := make(chan struct{})
	stop := sync.OnceFunc(func() { close(drain) })
	defer r.interruptible(stop, detach)()
	r.custody.beat(ctx, func(err error) {
		fmt.Fprintf(a.talk(), "%s the lock is lost, nothing new is started: %v\n", a.err.Bad("deployer:"), err)
		stop()
	})
	defer r.limited(detach)()

	writer := journaled{writer: s.cfn.Writer(clearance), journal: j, accounts: r.planner.accounts}
	job := execute.Job{
		Command: r.opts.command, Plan: r.plan, Clearance: clearance, Limit: a.globals.limit, FailFast: r.opts.failFast,
		DisableRollback: r.opts.disableRollback, Drain: drain, Now: s.now, Expected: r.expected(),
		Token: func(p stacks.Path, n int) string { return token(s.run, p, n) },
	}
	ports := execute.Ports{Changer: r.changer(writer), Mender: writer, Watcher: s.cfn, Decider: r.planner, Hooks: r.hooks(clearance)}
	sink := event.NewStamper(s.run, s.now, event.Tee(j.Sink(detach), show))
	r.done, err = execute.Run(ctx, job, ports, sink)
	r.ran = true
	shown()
	if err := errors.Join(err, j.Err()); err != nil {
		r.summary()
		return &runError{flatten(err)}
	}
	r.summary()
	if r.done.Interrupted {
		why := "interrupted"
		if late, ok := errors.AsType[*timeoutError](context.Cause(ctx)); ok {
			why = late.Error()
		}
		return &interruptedError{why, "go on with: " + r.again()}
	}
	return nil
}

// runError holds what failed in a run. Whatever the causes are, something was
// touched: it is exit 1.
type runError struct{ errs []error }

func (e *runError) Error() string   { return errors.Join(e.errs...).Error() }
func (e *runError) Unwrap() []error { return e.errs }
func (e *runError) ExitCode() int   { return exitFailed }

// interruptedError ends a run that a person, or --timeout, ended early.
type interruptedError struct{ why, hint string }

func (e *interruptedError) Error() string { return e.why + ": not everything was done" }
func (e *interruptedError) Hint() string  { return e.hint }
func (e *interruptedError) ExitCode() int { return exitInterrupted }

// sink is where events are shown, by --output and the terminal.
func (r *launcher) sink() (event.Sink, func()) {
	a := r.app
	if a.globals.output != "text" {
		return ui.JSONLines(a.env.Stdout), func() {}
	}
	return ui.Sink(ui.Stream{
		W: a.talk(), Style: a.err, Live: a.env.StderrTerminal && a.env.Environ["TERM"] != "dumb",
		Columns: a.columns, Rows: func() int {
			if a.env.Height == nil {
				return 0
			}
			return a.env.Height()
		},
		Now: r.s.now, Verbose: a.globals.logLevel == "debug",
	})
}

// interruptible makes the first Ctrl-C drain and the second detach.
func (r *launcher) interruptible(drain func(), detach context.CancelCauseFunc) (restore func()) {
	times := 0
	return r.app.interrupts.handle(func() {
		if times++; times == 1 {
			drain()
			return
		}
		detach(cancelledError{})
	})
}

// limited detaches when --timeout is over; without a terminal it defaults to
// two hours.
func (r *launcher) limited(detach context.CancelCauseFunc) (stop func()) {
	limit := r.opts.timeout
	if limit == 0 && !r.app.env.StderrTerminal {
		limit = 2 * time.Hour
	}
	if limit == 0 {
		return func() {}
	}
	timer := time.AfterFunc(limit, func() { detach(&timeoutError{limit}) })
	return func() { timer.Stop() }
}

// expected tells how long stacks took the last time they were launched here.
func (r *launcher) expected() func(stacks.Path) time.Duration {
	durations, err := journal.Durations(r.s.state("journal"))
	if err != nil {
		return nil
	}
	return func(p stacks.Path) time.Duration {
		took := durations[p]
		if r.deletes() {
			return took.Delete
		}
		return max(took.Create, took.Update)
	}
}

// token is the client request token of the n-th call for a stack in a run.
// CloudFormation takes letters, digits and dashes, 128 at most.
func token(run string, p stacks.Path, n int) string {
	name := strings.Map(func(r rune) rune {
		if r < 128 && (r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z') {
			return r
		}
		return '-'
	}, string(p))
	if len(name) > 80 {
		name = name[len(name)-80:]
	}
	return fmt.Sprintf("deployer-%s-%d-%s", run, n, name)
}

func (r *launcher) again() string {
	return strings.Join([]string{"deployer", r.opts.command, r.opts.arg}, " ")
}

func (r *launcher) summary() {
	if r.app.globals.output == "text" {
		ui.Summary(r.app.env.Stdout, r.app.out, strings.TrimSpace(r.opts.command+" "+r.opts.arg), r.done)
	}
}

// resultDocument is the last line of a long run in JSON.
type resultDocument struct {
	Kind    string                          `json:"kind"`
	OK      bool                            `json:"ok"`
	Exit    int                             `json:"exit"`
	Seconds float64                         `json:"seconds"`
	Calls   int                             `json:"calls"`
	Realm   stacks.Realm                    `json:"realm"`
	Stacks  map[stacks.Path]execute.Outcome `json:"stacks"`
	Errors  []resultError                   `json:"errors"`
}

type resultError struct {
	Stack stacks.Path `json:"stack"`
	What  string      `json:"what"`
	Why   string      `json:"why"`
	Hint  string      `json:"hint"`
}

// result writes the last line of a run in JSON, whatever happened, and gives
// the error that carries the exit code and says no more.
func (r *launcher) result(err error) error {
	doc := resultDocument{
		Kind: "result", OK: err == nil, Exit: exitCode(err), Realm: stacks.RealmAWS,
		Stacks: map[stacks.Path]execute.Outcome{}, Errors: []resultError{},
	}
	if r.s != nil {
		doc.Realm, doc.Calls = r.s.realm, r.s.counter.Calls()
	}
	if r.ran {
		doc.Stacks, doc.Seconds = r.done.Outcomes, r.done.Ended.Sub(r.done.Started).Seconds()
	} else if r.plan != nil {
		for i := range r.plan.Steps {
			doc.Stacks[r.plan.Steps[i].Stack] = untouched(&r.plan.Steps[i])
		}
	}
	for _, e := range flatten(err) {
		one := asResultError(e)
		one.Hint = r.app.advice(one.Hint)
		doc.Errors = append(doc.Errors, one)
	}
	enc := json.NewEncoder(r.app.env.Stdout)
	enc.SetEscapeHTML(false)
	if werr := enc.Encode(doc); werr != nil {
		return werr
	}
	if err == nil {
		return nil
	}
	return &exitError{doc.Exit}
}

// untouched is what became of a step of a run that did not begin.
func untouched(step *plan.Step) execute.Outcome {
	switch {
	case step.Action == plan.Skip:
		return execute.Skipped
	case step.Changing() || step.Late:
		return execute.NotStarted
	}
	return execute.Unchanged
}

func asResultError(err error) resultError {
	out := resultError{What: err.Error()}
	if failure, ok := errors.AsType[*execute.StepError](err); ok {
		out = resultError{Stack: failure.Stack, What: failure.What, Why: failure.Why}
	}
	if h, ok := errors.AsType[hinter](err); ok {
		out.Hint = h.Hint()
	}
	return out
}
