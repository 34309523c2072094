package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/deployer-cli/deployer/internal/awsconf"
	"github.com/deployer-cli/deployer/internal/event"
	"github.com/deployer-cli/deployer/internal/execute"
	"github.com/deployer-cli/deployer/internal/guard"
	"github.com/deployer-cli/deployer/internal/journal"
	"github.com/deployer-cli/deployer/internal/ui"
	"github.com/deployer-cli/deployer/stacks"
)

// execute carries the plan out, with the journal written before every deed.
func (r *launcher) execute(ctx context.Context, clearance guard.Clearance) error {
	a, s := r.app, r.s
	j, err := journal.Open(s.state("journal"), s.run, r.custody.names()...)
	if err != nil {
		return err
	}
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
	notices := s.troubles.open()
	defer s.troubles.close()
	r.custody.beat(ctx, lifeSigns{wait: s.troubles.note, lost: func(err error) {
		s.troubles.note(err.Error())
		stop()
	}})
	defer r.limited(detach)()

	writer := journaled{
		writer: s.cfn.Writer(clearance), journal: j, accounts: r.planner.accounts,
		gate: r.custody.gate(stacks.Policy, stacks.Protect, stacks.Discard),
	}
	defer s.configs.Endure()()
	job := execute.Job{
		Command: r.opts.command, Plan: r.plan, Clearance: clearance, Limit: a.globals.limit, PlaceLimit: a.globals.placeLimit, FailFast: r.opts.failFast,
		DisableRollback: r.opts.disableRollback, Fixed: r.file != nil || r.proposals != nil || r.sets != nil, Drain: drain, Notices: notices, Now: s.now, Expected: r.expected(),
		Token: func(p stacks.Path, n int) string { return token(s.run, p, n) },
	}
	ports := execute.Ports{
		Changer: r.changer(writer), Mender: writer, Watcher: joining{s.cfn, r.planner}, Reader: s.cfn, Decider: r.planner, Hooks: r.hooks(clearance), Yielding: awsconf.Yielding, Gated: awsconf.GatedFirst, Lately: r.planner.lately,
	}
	sink := event.NewStamper(s.run, s.now, event.Tee(j.Sink(func(err error) {
		s.troubles.note(err.Error() + ": nothing new is begun")
		stop()
	}), show))
	r.done, err = execute.Run(ctx, job, ports, sink)
	r.ran = true
	r.over.Store(true)
	r.mark()
	r.attachable()
	if r.left != nil {
		r.left.advise(r)
	}
	err = r.ended(ctx, errors.Join(err, j.Err()))
	_ = j.Close()                                               // every entry that matters was synced
	if late := r.custody.end(ctx, r.ending(err)); late != nil { // now: whoever reads what is shown may take for ever
		err = errors.Join(err, late)
	}
	_, _ = journal.Prune(s.state("journal"), time.Now()) // what is left only takes room
	a.wait(ctx, shown)
	r.summary()
	return err
}

// ended is the error that a run ends with, nil where all was done.
func (r *launcher) ended(ctx context.Context, err error) error {
	if err != nil {
		return &runError{flatten(err)}
	}
	if !r.done.Interrupted {
		return nil
	}
	if lost := r.custody.isLost(); lost != nil {
		return lost
	}
	why := "interrupted"
	if late, ok := errors.AsType[*timeoutError](context.Cause(ctx)); ok {
		why = late.Error()
	}
	if hung, ok := errors.AsType[hangupError](context.Cause(ctx)); ok {
		why = hung.Error()
	}
	return &interruptedError{why, "go on with: " + r.again()}
}

// patience is how long a reader has for what is left to read once the run is left.
const patience = 3 * time.Second

// wait waits until everything was shown. A reader that does not read on is waited for
// until somebody leaves, and then only for a moment.
func (a *app) wait(ctx context.Context, shown func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		shown()
	}()
	select {
	case <-done:
		return
	case <-ctx.Done():
	}
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-done:
	case <-timer.C:
		for _, stream := range a.streams {
			stream.leave()
		}
	}
}

// attachable says, with everything whose end is not known, how to go on.
func (r *launcher) attachable() {
	for _, f := range r.done.Failures {
		if r.done.Outcomes[f.Stack] == execute.Unknown {
			f.Tip = strings.TrimPrefix(f.Tip+"; go on with: "+r.again(), "; ")
		}
	}
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
		return ui.JSONLines(a.env.Stdout)
	}
	return ui.Sink(ui.Stream{
		W: a.talk(), Style: a.err, Live: a.env.StderrTerminal && a.env.Environ["TERM"] != "dumb",
		Columns: a.columns, Rows: func() int {
			if a.env.Height == nil {
				return 0
			}
			return a.env.Height()
		},
		Now: r.s.now, Verbose: a.globals.logLevel == "debug", Advice: a.advice,
	})
}

// interruptible makes the first Ctrl-C drain and the second detach; there is nothing
// to drain once the run is over. A terminal that is closed leaves nobody to wait for.
func (r *launcher) interruptible(drain func(), detach context.CancelCauseFunc) (restore func()) {
	times := 0
	return r.app.interrupts.handle(func(signal os.Signal) {
		if signal == syscall.SIGHUP {
			detach(hangupError{})
			return
		}
		if times++; times == 1 && !r.over.Load() {
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
	return fmt.Sprintf("%s%d-%s", tokensOf(run), n, name)
}

// tokensOf is how all tokens of a run begin.
func tokensOf(run string) string { return "deployer-" + run + "-" }
