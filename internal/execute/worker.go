package execute

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/deployer-cli/deployer/internal/event"
	"github.com/deployer-cli/deployer/internal/plan"
	"github.com/deployer-cli/deployer/stacks"
)

// worker performs one step on its own goroutine. It reads the run's ports and
// job, which do not change, and tells the owner what happens.
type worker struct {
	run    *run
	step   *plan.Step
	token  func(n int) string
	tokens int
	done   map[string]bool // logical ids of resources that came to an end
	failed []stacks.Event

	ran    map[string]bool      // moments before the step whose hooks have run
	again  int                  // times that it was decided anew because of others
	sent   atomic.Bool          // AWS may have accepted something of it, so that it goes on though the run drains
	gone   bool                 // the operation that was joined deleted the stack
	gained map[stacks.Path]bool // what it turned out to depend on, and has waited for
	worked time.Duration        // how long its own operations took, from their acceptance on
}

func (w *worker) tell(m message) { w.run.messages <- m }

func (w *worker) emit(e event.Event) {
	e.Stack = w.step.Stack
	w.tell(message{path: w.step.Stack, event: &e})
}

func (w *worker) nextToken() string {
	w.tokens++
	return w.token(w.tokens)
}

// perform does the step and says how it ended.
func (w *worker) perform(ctx context.Context) end {
	for joins := 0; ; joins++ {
		if w.step.Action == plan.Join {
			if e := w.join(ctx); e != nil {
				return *e
			}
		}
		if e := w.decide(ctx); e != nil {
			return *e
		}
		if w.step.Action != plan.Join {
			break
		}
		if joins == mostAnew { // one ends, and the next one is there
			return end{outcome: Failed, live: w.step.Live, err: w.fail("was not changed", "others keep changing it", againTip)}
		}
	}
	if w.step.Blocked != "" {
		return end{outcome: Failed, err: w.fail("cannot be done", w.step.Blocked, "")}
	}
	if err := w.mayBegin(); err != nil && w.step.Changing() {
		return w.ended(ctx, end{err: err})
	}
	switch w.step.Action {
	case plan.Create:
		return w.create(ctx, Created)
	case plan.Update:
		return w.update(ctx)
	case plan.Recreate:
		return w.recreate(ctx)
	case plan.Delete:
		return w.remove(ctx)
	case plan.None:
		if w.gone && w.step.Live == nil {
			return end{outcome: Deleted} // by the operation that was joined
		}
		return w.after(ctx, end{outcome: Unchanged, live: w.step.Live}, "after_launch")
	case plan.Join: // it was waited for above
	case plan.Skip:
		return end{outcome: Skipped, live: w.step.Live}
	}
	return end{outcome: Failed, err: w.fail("cannot be done", fmt.Sprintf("action %q is not known", w.step.Action), "")}
}

// decide plans the step again where what it waits for is known only now, and
// where hooks before its launch may have made what it is made from.
func (w *worker) decide(ctx context.Context) *end {
	if w.step.Blocked != "" {
		return nil
	}
	again := w.step.Late || w.step.Action == plan.Join
	if w.step.Hooked && w.step.Action != plan.Delete {
		if err := w.hooks(ctx, "before_launch"); err != nil {
			return new(w.unhooked(err))
		}
		again = again || w.step.Desired != nil && w.step.Desired.Stack.Hooked("before_launch")
	}
	if !again {
		return nil
	}
	decided, err := w.run.ports.Decider.Decide(ctx, w.step.Stack)
	if err != nil {
		if w.step.Action != plan.Join { // what somebody else did there is not known by that
			err = &stacks.UnsentError{Cause: err}
		}
		return new(w.ended(ctx, end{live: w.step.Live, err: err}))
	}
	if decided.Asks != "" && (decided.Asks != w.step.Asks || decided.Action != w.step.Action) {
		return &end{outcome: Failed, live: decided.Live, err: w.fail("needs a person", decided.Asks, "run the same command again: it will ask")}
	}
	if wait := w.unmet(decided.Gained); len(wait) > 0 {
		return &end{wait: wait, worker: w}
	}
	decided.Resources, decided.Hooked = max(decided.Resources, w.step.Resources), w.step.Hooked
	w.step = &decided
	return nil
}

// unmet are those of the stacks that the step has not waited for yet, and will have.
func (w *worker) unmet(gained []stacks.Path) []stacks.Path {
	var out []stacks.Path
	for _, p := range gained {
		if w.gained[p] {
			continue
		}
		if w.gained == nil {
			w.gained = map[stacks.Path]bool{}
		}
		w.gained[p] = true
		out = append(out, p)
	}
	return out
}

// join waits for an operation that somebody else started. It returns nil when
// the step can go on.
func (w *worker) join(ctx context.Context) *end {
	live := w.step.Live
	op := stacks.Operation{
		Path: w.step.Stack, Verb: verbOf(live.Status), Access: w.step.Desired.Stack.Access,
		Name: live.Name, StackID: live.ID, Joined: true, Accepted: live.Changed(),
	}
	w.emit(event.Event{Kind: event.StepAccepted, Action: string(plan.Join), StackID: live.ID, Status: string(live.Status)})
	e := w.watch(ctx, op)
	if e.outcome == Running || e.outcome == Unknown {
		return &e
	}
	w.gone = op.Verb == stacks.Delete && e.outcome == ""
	return nil
}

func verbOf(s stacks.Status) stacks.Verb {
	switch {
	case strings.HasPrefix(string(s), "CREATE"):
		return stacks.Create
	case strings.HasPrefix(string(s), "DELETE"):
		return stacks.Delete
	default:
		return stacks.Update
	}
}

func (w *worker) create(ctx context.Context, outcome Outcome) end {
	if err := w.hooks(ctx, "before_launch", "before_create"); err != nil {
		return w.unhooked(err)
	}
	e := w.operate(ctx, func() (stacks.Operation, error) {
		return w.run.ports.Changer.Create(ctx, w.change(stacks.Create))
	})
	if e.outcome == "" {
		e.outcome = outcome
		return w.after(ctx, e, "after_create", "after_launch")
	}
	if ctx.Err() == nil && isExists(e.err) {
		return w.exists(ctx, e, outcome)
	}
	return e
}

func (w *worker) update(ctx context.Context) end {
	if e := w.mend(ctx); e != nil {
		return *e
	}
	if err := w.hooks(ctx, "before_launch", "before_update"); err != nil {
		return w.unhooked(err)
	}
	if err := w.beside(ctx); err != nil {
		return w.ended(ctx, end{err: err})
	}
	e := w.operate(ctx, func() (stacks.Operation, error) {
		return w.run.ports.Changer.Update(ctx, w.change(stacks.Update))
	})
	if _, none := errors.AsType[*stacks.NoChangesError](e.err); none {
		return w.standing(ctx)
	}
	if isBusy(e.err) {
		return w.busy(ctx, e)
	}
	if e.outcome == "" {
		e.outcome = Updated
		return w.after(ctx, e, "after_update", "after_launch")
	}
	return e
}

// onlyBeside tells whether all that differs is set by calls of its own, so
// that UpdateStack rightly had nothing to do.
func onlyBeside(diff []plan.Difference) bool {
	for _, d := range diff {
		if d.Part != "policy" && d.Part != "protection" {
			return false
		}
	}
	return true
}

// beside makes the calls that UpdateStack does not cover.
func (w *worker) beside(ctx context.Context) error {
	for _, d := range w.step.Diff {
		switch d.Part {
		case "policy":
			if err := w.run.ports.Mender.SetPolicy(ctx, w.target(), w.step.Desired.Policy); err != nil {
				return err
			}
		case "protection":
			want := w.step.Desired.Stack.TerminationProtection
			if want == nil || !*want {
				continue // protection is only ever taken off by a command of its own
			}
			if err := w.run.ports.Mender.Protect(ctx, w.target(), true); err != nil {
				return err
			}
		}
	}
	return nil
}

// mend continues a rollback that got stuck, so that the update can follow.
func (w *worker) mend(ctx context.Context) *end {
	if w.step.Live == nil || w.step.Live.Status != stacks.UpdateRollbackFailed {
		return nil
	}
	t := w.target()
	e := w.operateAs(ctx, stacks.Rollback, func() (stacks.Operation, error) { return w.run.ports.Mender.Continue(ctx, t, nil) })
	if isBusy(e.err) {
		return new(w.busy(ctx, e))
	}
	if e.outcome == "" {
		w.sent.Store(false) // the update is something new
		return nil
	}
	return &e
}

func (w *worker) recreate(ctx context.Context) end {
	if e := w.remove(ctx); e.outcome != Deleted {
		return e
	}
	w.done, w.failed = nil, nil
	return w.create(ctx, Recreated)
}

func (w *worker) remove(ctx context.Context) end {
	if err := w.hooks(ctx, "before_delete"); err != nil {
		return w.unhooked(err)
	}
	t := w.target()
	e := w.operateAs(ctx, stacks.Delete, func() (stacks.Operation, error) { return w.run.ports.Changer.Delete(ctx, t, nil) })
	if e.outcome == "" {
		e.outcome, e.live = Deleted, nil
		return w.after(ctx, e, "after_delete")
	}
	if isBusy(e.err) {
		return w.busy(ctx, e)
	}
	return e
}

func (w *worker) target() stacks.Target {
	t := stacks.Target{Path: w.step.Stack, Name: w.step.Name, StackID: w.step.StackID, Token: w.nextToken()}
	if d := w.step.Desired; d != nil {
		t.Access, t.Role = d.Stack.Access, d.ServiceRole
	}
	if t.Role == "" && w.step.Live != nil {
		t.Role = w.step.Live.ServiceRole
	}
	return t
}

func (w *worker) change(v stacks.Verb) stacks.Change {
	return stacks.Change{
		Verb: v, Desired: w.step.Desired, StackID: w.step.StackID, Token: w.nextToken(),
		DisableRollback: w.run.job.DisableRollback || w.step.Desired.Stack.DisableRollback,
	}
}

// operate makes one call and watches what it started. The outcome is empty
// when it ended well.
func (w *worker) operate(ctx context.Context, call func() (stacks.Operation, error)) end {
	return w.operateAs(ctx, "", call)
}

func (w *worker) operateAs(ctx context.Context, verb stacks.Verb, call func() (stacks.Operation, error)) end {
	if err := w.mayBegin(); err != nil {
		return w.ended(ctx, end{err: err})
	}
	op, err := call()
	if err != nil {
		return w.ended(ctx, end{err: err})
	}
	w.sent.Store(true)
	if verb != "" {
		op.Verb = verb
	}
	w.emit(event.Event{
		Kind: event.StepAccepted, Action: string(w.step.Action), StackID: op.StackID, Token: op.Token, Operation: op.OperationID, Accepted: op.Accepted,
	})
	began := w.run.job.Now()
	e := w.watch(ctx, op)
	w.worked += w.run.job.Now().Sub(began)
	return e
}

// watch follows an operation. The outcome is empty when it ended well.
func (w *worker) watch(ctx context.Context, op stacks.Operation) end {
	if w.step.Action != plan.Recreate {
		op.Expected, op.Kind = w.run.job.known(w.step), kind(op, w.step)
	}
	last := stacks.Progress{}
	for p, err := range w.run.ports.Watcher.Watch(ctx, op) {
		if err != nil {
			return w.ended(ctx, end{err: err})
		}
		w.report(&last, p)
		if p.Done {
			return w.landed(op, p)
		}
	}
	return w.ended(ctx, end{err: &stacks.UnknownError{What: "the watch ended before the stack did", Cause: errors.New("no terminal status was seen"), Tip: attachTip}})
}

const attachTip = "run the same command again: it joins what is still running"

// report passes on what is new since the last progress.
func (w *worker) report(last *stacks.Progress, p stacks.Progress) {
	if w.done == nil {
		w.done = map[string]bool{}
	}
	for _, e := range p.Events {
		if strings.HasSuffix(e.Status, "_FAILED") || e.OfStack() {
			w.failed = append(w.failed, e)
		}
		if e.OfStack() {
			continue
		}
		if strings.HasSuffix(e.Status, "_COMPLETE") || strings.HasSuffix(e.Status, "_SKIPPED") {
			w.done[e.LogicalID] = true
		}
		w.emit(event.Event{
			Kind: event.Resource, Resource: e.LogicalID, Type: e.Type, Status: e.Status, Reason: e.Reason,
			Time: e.Time, Done: len(w.done), Total: w.step.Resources,
		})
	}
	if p.Status != last.Status && p.Status != "" {
		w.emit(event.Event{Kind: event.Stack, Status: string(p.Status), Reason: p.Reason, Done: len(w.done), Total: w.step.Resources})
	}
	last.Status = p.Status
}

// landed turns a terminal status into an end.
func (w *worker) landed(op stacks.Operation, p stacks.Progress) end {
	if p.Overtaken && !op.Joined {
		w.emit(event.Event{Kind: event.Warning, Reason: "somebody else seems to have changed it after this run did: the next launch compares it anew"})
	}
	if p.Status.Succeeded(op.Verb) {
		if p.Live != nil {
			w.step.StackID, w.step.Live = p.Live.ID, p.Live
		}
		return end{live: p.Live}
	}
	failure := w.fail(fmt.Sprintf("%s ended in %s", op.Verb, p.Status), p.Reason, "")
	if e, ok := stacks.RootCause(w.failed); ok && !e.OfStack() {
		failure.Why = fmt.Sprintf("%s (%s): %s", e.LogicalID, e.Type, e.Reason)
	} else if ok && e.Reason != "" {
		failure.Why = e.Reason
	}
	failure.Tip = fmt.Sprintf("see: deployer events %s", w.step.Stack)
	return end{outcome: Failed, live: p.Live, err: failure}
}

// ended sorts an error into failed, unknown, or running because we left. A stack
// for which nothing was sent is not unknown, unless nothing can be known any more.
func (w *worker) ended(ctx context.Context, e end) end {
	lost, unknown := errors.AsType[*stacks.UnknownError](e.err)
	_, unsent := errors.AsType[*stacks.UnsentError](e.err)
	switch {
	case ctx.Err() != nil:
		e.outcome = Running
	case IsHalted(e.err):
		e.outcome = NotStarted
	case unknown && (!unsent || lost.Everywhere):
		e.outcome = Unknown
	default:
		e.outcome = Failed
	}
	return e
}

func (w *worker) fail(what, why, tip string) *StepError {
	return &StepError{Stack: w.step.Stack, What: what, Why: strings.TrimSpace(why), Tip: tip}
}

// unhooked ends a step whose hooks did not run, or failed.
func (w *worker) unhooked(err error) end {
	if IsHalted(err) {
		return end{outcome: NotStarted, err: err}
	}
	return end{outcome: Failed, err: err}
}

// hooks runs the hooks of the given moments in order: those before a step only where
// it may begin.
func (w *worker) hooks(ctx context.Context, moments ...string) error {
	if w.run.ports.Hooks == nil || w.step.Desired == nil {
		return nil
	}
	for _, m := range moments {
		if !w.due(m) {
			continue
		}
		if err := w.mayBegin(); err != nil && strings.HasPrefix(m, "before_") {
			return err
		}
		err := w.run.ports.Hooks.Run(ctx, w.step.Desired.Stack, m, func(line string) {
			w.emit(event.Event{Kind: event.Hook, Action: m, Reason: line})
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// due tells whether hooks of a moment run: those of a launch in a launch alone,
// and those before a step once, however often it is decided anew.
func (w *worker) due(moment string) bool {
	launch := w.run.job.Command == "launch" || w.run.job.Command == "recover"
	if strings.HasPrefix(moment, "before_") {
		if w.ran[moment] {
			return false
		}
		if w.ran == nil {
			w.ran = map[string]bool{}
		}
		w.ran[moment] = true
	}
	switch moment {
	case "before_launch":
		return launch
	case "after_launch":
		return launch && (w.step.Hooked || w.ran["before_launch"])
	}
	return true
}

// after runs the hooks that follow a step that ended well; where one fails,
// the step failed, and says that the stack itself is as planned.
func (w *worker) after(ctx context.Context, e end, moments ...string) end {
	w.sent.Store(true) // they belong to what is done
	if err := w.hooks(ctx, moments...); err != nil {
		failure := w.fail(fmt.Sprintf("%s, but a hook failed", e.outcome), err.Error(), "the stack itself is as planned; mend the hook and launch again")
		failure.Cause = err
		return end{outcome: Failed, live: e.live, err: failure}
	}
	return e
}
