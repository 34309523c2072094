package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/deployer-cli/deployer/internal/awsconf"
	"github.com/deployer-cli/deployer/internal/flow"
	"github.com/deployer-cli/deployer/internal/guard"
	"github.com/deployer-cli/deployer/internal/journal"
	"github.com/deployer-cli/deployer/internal/state"
	"github.com/deployer-cli/deployer/stacks"
)

// custody is what a run has of the environments it changes: their locks, and
// its lines in their histories.
type custody struct {
	s        *session
	command  string
	areas    []area
	caller   guard.Identity
	seen     map[string]state.Record // the locks before anything was planned
	living   []guard.Lock            // of others
	held     []*state.Held
	begun    []state.Entry
	reason   string // for the histories
	lockless bool   // cancel: it stops a run that holds the lock
	stop     func()
	mu       sync.Mutex
	lost     *lockLostError // once a lock is somebody else's
	silent   chan struct{}  // closed when a lock that could not be renewed is; nil while they are
}

// lockLostError says that a lock was lost while its run went on.
type lockLostError struct{ cause error }

func (e *lockLostError) Error() string {
	return "the lock is lost, and nothing new was started: " + e.cause.Error()
}
func (e *lockLostError) Unwrap() error { return e.cause }

// ExitCode is that of an interruption: what was begun goes on.
func (e *lockLostError) ExitCode() int { return exitInterrupted }

// Hint gives a way on.
func (e *lockLostError) Hint() string {
	return "see who is at it with: deployer lock show ENV; then run this again, it goes on from how the stacks live"
}

// gate lets a call of a verb go out while the run holds its locks: not while it
// cannot show that it lives, and others may hold them by now. After they were lost
// only what tidies up behind a call that went out already does, where that is
// allowed.
func (c *custody) gate(tidy ...stacks.Verb) func(context.Context, stacks.Verb) error {
	return func(ctx context.Context, v stacks.Verb) error {
		for {
			c.mu.Lock()
			lost, silent := c.lost, c.silent
			c.mu.Unlock()
			if lost != nil && !slices.Contains(tidy, v) {
				return lost
			}
			if silent == nil {
				return nil
			}
			select {
			case <-silent:
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}
	}
}

// hold keeps the gate shut until heard; it tells whether it was open.
func (c *custody) hold() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.silent != nil {
		return false
	}
	c.silent = make(chan struct{})
	return true
}

// heard opens the gate that hold shut; it tells whether it was.
func (c *custody) heard() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.silent == nil {
		return false
	}
	close(c.silent)
	c.silent = nil
	return true
}

// lose notes that a lock is lost.
func (c *custody) lose(err error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lost = &lockLostError{err}
	if c.silent != nil {
		close(c.silent)
		c.silent = nil
	}
	return c.lost
}

// isLost gives why the run may start nothing more, nil while it may.
func (c *custody) isLost() *lockLostError {
	if c == nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.lost
}

// custody looks at the locks of the stacks' environments, before anything is
// planned. Taking them comes later.
func (s *session) custody(ctx context.Context, command string, sts []*stacks.Stack) (*custody, error) {
	c := &custody{s: s, command: command, seen: map[string]state.Record{}}
	var err error
	if c.areas, err = areas(sts); err != nil {
		return nil, err
	}
	for _, a := range c.areas {
		if c.caller.ARN == "" {
			if c.caller, err = s.caller(ctx, a.access); err != nil {
				return nil, err
			}
		}
		l, r, err := s.afterExercise(ctx, a, command)
		if errors.Is(err, state.ErrAbsent) {
			continue
		}
		if err != nil {
			return nil, unkept("P12", a, s, err)
		}
		c.seen[a.env.Name] = r
		if _, dead := l.Dead(s.signs(l, r)); !dead {
			c.living = append(c.living, l)
		}
		s.warn(s.died(ctx, a, l, r, command))
	}
	return c, nil
}

// afterExercise reads an environment's lock. While a break takes it down a
// recovery has to wait, for a moment only: the lock is given back as soon as the
// last stack is on its way.
func (s *session) afterExercise(ctx context.Context, a area, command string) (guard.Lock, state.Record, error) {
	told := false
	for {
		l, r, err := s.records(a.env, a.access).Lock(ctx, a.env.Name)
		if err != nil || l.Command != "break" || command == "break" {
			return l, r, err
		}
		if _, dead := l.Dead(s.signs(l, r)); dead {
			return l, r, nil
		}
		if !told {
			told = true
			fmt.Fprintf(s.app.talk(), "%s an exercise is on: %s is being broken on purpose by %s; this goes on when the last stack is on its way\n", s.app.err.Warn("waiting:"), a.env.Name, l.Says())
		}
		if err := flow.Pause(ctx, time.Second); err != nil {
			return l, r, err
		}
	}
}

// names are those of the environments.
func (c *custody) names() []string {
	if c == nil {
		return nil
	}
	out := make([]string, len(c.areas))
	for i, a := range c.areas {
		out[i] = a.env.Name
	}
	return out
}

// others gives the locks that living others hold.
func (c *custody) others() []guard.Lock { return c.living }

// unkept refuses a run whose records cannot be kept: what cannot be written down
// does not happen. Where they gate nothing the failure is told as it is.
func unkept(rule string, a area, s *session, err error) error {
	if a.env.Class != stacks.Production && a.env.State.Bucket == "" {
		return err
	}
	return &guard.Refusal{
		Rule: rule, Code: exitRefused, What: a.env.Name + " is not touched",
		Why: "what is done to it could not be written down: " + err.Error(),
		Tip: "its records are in " + s.records(a.env, a.access).Place() + "; nothing is done without them",
	}
}

// signs tells what is known of a lock's owner from here. In the sandbox the
// service's clock runs faster than any owner, so that the owner's own counts.
func (s *session) signs(l guard.Lock, r state.Record) guard.Signs {
	signs := guard.Signs{Silent: r.Age}
	if s.realm == stacks.RealmSandbox && !l.Beat.IsZero() {
		signs.Silent = s.app.env.Now().Sub(l.Beat)
	}
	signs.Gone = state.Process{PID: l.PID, Machine: l.Machine, Started: l.Started}.Gone()
	return signs
}

// open takes the locks and writes down what is about to be done. When it fails
// nothing is held.
func (c *custody) open(ctx context.Context, request *guard.Request) error {
	for _, a := range c.areas {
		if a.env.Class == stacks.Production && a.env.State.Bucket == "" && c.s.app.globals.output == "text" {
			fmt.Fprintf(c.s.app.talk(), "%s lock, approvals and history of %s are on this machine only; environment.state would share them\n", c.s.app.err.Warn("note:"), a.env.Name)
		}
	}
	err := c.take(ctx)
	if err == nil {
		err = c.begin(ctx, request)
	}
	if err == nil {
		return nil
	}
	_ = c.end(ctx, "not begun: "+err.Error()) // why it was not begun says more
	return err
}

// take takes every lock. Where somebody else changed an environment since it was
// looked at, the plan is stale.
func (c *custody) take(ctx context.Context) error {
	if c.lockless {
		return nil
	}
	host, err := os.Hostname()
	if err != nil {
		host = "?"
	}
	me := state.Self()
	for _, a := range c.areas {
		l := guard.Lock{
			Environment: a.env.Name, Run: c.s.run, Command: c.command, Owner: c.caller, Host: host, PID: me.PID, Machine: me.Machine, Started: me.Started,
			From: c.s.app.pipeline(), Taken: c.s.app.env.Now().UTC(),
		}
		store := c.s.records(a.env, a.access)
		now, _, err := store.Lock(ctx, a.env.Name)
		if err != nil && !errors.Is(err, state.ErrAbsent) {
			return unkept("P12", a, c.s, err)
		}
		held, taken, err := store.Acquire(ctx, l, c.s.signs, c.s.app.env.Now)
		if locked, ok := errors.AsType[*state.LockedError](err); ok {
			return locked.Lock.Refusal()
		}
		if err != nil {
			return unkept("P12", a, c.s, err)
		}
		c.held = append(c.held, held)
		if held.Before() != c.seen[a.env.Name].Version {
			return &guard.Refusal{
				Rule: "P12", Code: exitStale, What: a.env.Name + " was changed while this was planned",
				Why: "by " + now.Says(), Tip: "run it again: it plans anew",
			}
		}
		if taken != nil {
			c.tell(ctx, a, taken)
		}
	}
	return nil
}

// tell says out loud that a dead run's lock was taken over. Who it was, and what it
// had begun, was said when the lock was looked at.
func (c *custody) tell(ctx context.Context, a area, t *state.Taken) {
	fmt.Fprintf(c.s.app.talk(), "  its lock is taken over; this run goes on from how the stacks live now (see: deployer history %s)\n", a.env.Name)
	_, _ = c.s.records(a.env, a.access).Append(ctx, c.entry(a, state.TookOver, "the lock of "+t.From.Run+": "+t.Why))
}

// died tells of a run that died while it changed an environment: who it was, what
// it had begun, and how command goes on. Nothing for one that lives, or that ended.
// Of a break its journal tells that to the commands that read it.
func (s *session) died(ctx context.Context, a area, l guard.Lock, r state.Record, command string) []string {
	why, dead := l.Dead(s.signs(l, r))
	if !dead || l.Released {
		return nil
	}
	out := []string{fmt.Sprintf("%s was locked by %s; %s", a.env.Name, l.Says(), why)}
	if begun := s.unfinished(l.Run); len(begun) > 0 {
		out = append(out, "it had begun: "+strings.Join(begun, ", "))
	} else if about := s.about(ctx, a, l.Run); len(about) > 0 {
		out = append(out, fmt.Sprintf("it was about to change: %s (how far it came is in its journal, on %s)", strings.Join(about, ", "), l.Host))
	}
	switch {
	case !slices.Contains([]string{"break", "recover"}, l.Command):
	case slices.Contains([]string{"break", "recover"}, command):
		return out // which finds out itself how far that came
	default:
		return append(out, s.app.advice(fmt.Sprintf("what is down since: deployer break status %s; get it back with: deployer recover", a.env.Name)))
	}
	return append(out, s.app.advice(fmt.Sprintf("CloudFormation goes on by itself with what was begun. When the stacks rest (see: deployer status %s) run the command again;\n"+
		"  a plan file from before is stale then: plan again what is left, and have that reviewed", a.env.Name)))
}

// about lists what a run was going to change, as the history has it: for the journal
// of another machine is not here.
func (s *session) about(ctx context.Context, a area, run string) []string {
	entries, _ := s.records(a.env, a.access).History(ctx, a.env.Name) // a broken chain still tells
	var out []string
	for _, e := range entries {
		if e.Run == run && e.Kind == state.Began {
			for _, p := range e.Stacks {
				out = append(out, string(p))
			}
		}
	}
	return out
}

// warn says what died tells.
func (s *session) warn(lines []string) {
	for i, line := range lines {
		lead := "  "
		if i == 0 {
			lead = s.app.err.Warn("warning:") + " "
		}
		fmt.Fprintf(s.app.talk(), "%s%s\n", lead, line)
	}
}

// warnOfDead looks at the locks of the stacks' environments for a command that
// takes none.
func (s *session) warnOfDead(ctx context.Context, sts []*stacks.Stack) {
	places, err := areas(sts)
	if err != nil {
		return // whoever changes something is told
	}
	for _, a := range places {
		if l, r, err := s.records(a.env, a.access).Lock(ctx, a.env.Name); err == nil {
			s.warn(s.died(ctx, a, l, r, ""))
		}
	}
}

// unfinished lists what a run announced and did not see the end of, where its
// journal is on this machine.
func (s *session) unfinished(run string) []string {
	var order []stacks.Path
	verbs := map[stacks.Path]stacks.Verb{}
	for e, err := range journal.Entries(s.state("journal"), run) {
		if err != nil {
			return nil
		}
		switch {
		case e.Intent != nil:
			if _, known := verbs[e.Stack]; !known {
				order = append(order, e.Stack)
			}
			verbs[e.Stack] = e.Intent.Verb
		case e.Kind == "step-done" || e.Kind == "step-failed":
			delete(verbs, e.Stack)
		}
	}
	var out []string
	for _, p := range order {
		if verb, open := verbs[p]; open {
			out = append(out, fmt.Sprintf("%s %s", verb, p))
		}
	}
	return out
}

func (c *custody) entry(a area, kind, reason string) state.Entry {
	return state.Entry{
		Time: c.s.now().UTC(), Kind: kind, Environment: a.env.Name, Run: c.s.run, Command: c.command,
		Who: c.caller.ARN, From: c.s.app.from(), Realm: c.s.realm, Account: c.caller.Account, Reason: reason,
	}
}

// begin writes into every history what is about to be done. Without that
// nothing is done.
func (c *custody) begin(ctx context.Context, request *guard.Request) error {
	for i, a := range c.areas {
		e := c.entry(a, state.Began, c.reason)
		e.Digest = request.Digest
		for _, st := range request.Steps {
			if st.Environment != nil && st.Environment.Name == a.env.Name {
				e.Stacks = append(e.Stacks, st.Path)
				e.Account = cmp.Or(st.Account, e.Account)
			}
		}
		if len(e.Stacks) == 0 {
			continue
		}
		under(&e, request)
		stored, err := c.s.records(a.env, a.access).Append(ctx, e)
		if err != nil {
			return unkept("P11", a, c.s, err)
		}
		c.begun = append(c.begun, stored)
		c.wrote(i, stored)
	}
	return nil
}

// wrote tells the lock of an area which entry the run wrote: so that it is noticed
// when a whole history is gone. The locks are taken in the order of the areas.
func (c *custody) wrote(i int, e state.Entry) {
	if i < len(c.held) {
		c.held[i].Wrote(e.Seq)
	}
}

// under notes the approvals and the lease that a run goes by.
func under(e *state.Entry, request *guard.Request) {
	for _, approval := range guard.Counted(*request) {
		if approval.Environment == e.Environment {
			e.Approvals = append(e.Approvals, approval.ID+" by "+approval.Approver.ARN)
			e.Reason = cmp.Or(e.Reason, approval.Reason)
		}
	}
	for _, l := range request.Leases {
		if l.Environment == e.Environment && l.Over(request.Now) == "" && strings.EqualFold(l.Holder.ARN, request.Caller.ARN) {
			e.Reason = cmp.Or(e.Reason, l.Reason)
		}
	}
}

// end writes how it went and gives the locks back.
func (c *custody) end(ctx context.Context, result string) error {
	if c == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), endAtMost)
	defer cancel()
	if c.stop != nil {
		c.stop()
	}
	var errs []error
	for _, b := range c.begun {
		i := slices.IndexFunc(c.areas, func(a area) bool { return a.env.Name == b.Environment })
		e := b
		e.Kind, e.Time, e.Result, e.Stacks = state.Ended, c.s.now().UTC(), result, nil
		stored, err := c.s.records(c.areas[i].env, c.areas[i].access).Append(ctx, e)
		if err != nil {
			errs = append(errs, fmt.Errorf("how it went could not be written into the history of %s: %w", b.Environment, err))
			continue
		}
		c.wrote(i, stored)
	}
	for _, h := range c.held {
		if err := h.Release(ctx); err != nil {
			errs = append(errs, fmt.Errorf("the lock could not be given back: %w", err))
		}
	}
	c.begun, c.held = nil, nil
	return errors.Join(errs...)
}

// endAtMost is how long the last records of a run may take.
const endAtMost = 30 * time.Second

// lifeSigns are what beat calls, on a goroutine of its own.
type lifeSigns struct {
	lost func(error)  // a lock is somebody else's, or cannot be renewed; once
	wait func(string) // tells that nothing is sent until a lock is renewed, and that it is; nil for who does not wait
}

// beat shows that the run lives, until stop. When a lock is somebody else's the gate
// closes for good. When it cannot be renewed any more, for a reason that may pass,
// the gate closes until it is, for those that wait.
func (c *custody) beat(ctx context.Context, say lifeSigns) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	var wg sync.WaitGroup
	c.stop = func() { cancel(); wg.Wait() }
	held := slices.Clone(c.held)
	wg.Go(func() {
		ticker := time.NewTicker(guard.BeatEvery)
		defer ticker.Stop()
		good := time.Now()
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
			}
			err := renewed(ctx, held)
			late := time.Since(good) > guard.DeadAfter/2
			switch {
			case err == nil:
				good = time.Now()
				if c.heard() {
					say.wait("the lock is renewed; going on")
				}
			case ctx.Err() != nil:
				return
			case errors.Is(err, state.ErrChanged), late && (say.wait == nil || awsconf.IsDenied(err)):
				say.lost(c.lose(err))
				return
			case late && c.hold():
				say.wait(fmt.Sprintf("the lock cannot be renewed, and others may take it; nothing is sent until it is: %v", err))
			}
		}
	})
}

// renewed renews all locks at once, and takes no longer than to the next beat: what is
// waited for longer may be somebody else's before it is known.
func renewed(ctx context.Context, held []*state.Held) error {
	ctx, cancel := context.WithTimeout(awsconf.Ahead(awsconf.Brief(ctx)), guard.BeatEvery)
	defer cancel()
	errs := make([]error, len(held))
	var wg sync.WaitGroup
	for i, h := range held {
		wg.Go(func() { errs[i] = h.Renew(ctx) })
	}
	wg.Wait()
	return errors.Join(errs...)
}

// from tells where a command is run: by whom on which machine, or the job of a
// pipeline.
func (a *app) from() string {
	host, err := os.Hostname()
	if err != nil {
		host = "?"
	}
	user := cmp.Or(a.env.Environ["USER"], a.env.Environ["LOGNAME"], a.env.Environ["USERNAME"], "?")
	text := user + "@" + host
	if job := a.pipeline(); job != "" {
		text += ", " + job
	}
	return text
}

// pipeline names the pipeline's job that this is, "" outside of one.
func (a *app) pipeline() string {
	env := a.env.Environ
	switch {
	case env["GITHUB_RUN_ID"] != "":
		return env["GITHUB_SERVER_URL"] + "/" + env["GITHUB_REPOSITORY"] + "/actions/runs/" + env["GITHUB_RUN_ID"]
	case env["CI_JOB_URL"] != "":
		return env["CI_JOB_URL"]
	case env["CODEBUILD_BUILD_ID"] != "":
		return env["CODEBUILD_BUILD_ID"]
	case env["BUILD_URL"] != "":
		return env["BUILD_URL"]
	}
	return ""
}
