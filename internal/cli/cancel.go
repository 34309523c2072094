package cli

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/urfave/cli/v2"

	"github.com/deployer-cli/deployer/internal/execute"
	"github.com/deployer-cli/deployer/stacks"
)

// cancelCommand cancels running updates.
func (a *app) cancelCommand() *cli.Command {
	return &cli.Command{
		Name: "cancel", Usage: "cancel the updates that are running", ArgsUsage: "PATH",
		Description: "Each stack rolls back to how it was before its update, and cancel waits for that.\nOnly an update can be cancelled: what is being created or deleted goes on. In JSON\na stack that rolled back is unchanged, one without a running update skipped.",
		Flags:       []cli.Flag{yesFlag()},
		Action: func(c *cli.Context) error {
			arg, err := a.path(c, true)
			if err != nil {
				return err
			}
			r := &actor{app: a, command: "cancel", arg: arg, yes: c.Bool("yes")}
			return r.finish(r.cancel(c.Context))
		},
	}
}

func (r *actor) cancel(ctx context.Context) error {
	if err := r.begin(ctx); err != nil {
		return err
	}
	var aims []aim
	for _, st := range r.sc.selected() {
		live := r.live[st.Path]
		switch {
		case live == nil:
			r.outcomes[st.Path] = execute.Skipped
		case live.Status == stacks.UpdateInProgress:
			aims = append(aims, aim{stack: st, live: live, verbs: []stacks.Verb{stacks.Cancel}, says: "its update is cancelled, it rolls back"})
		default:
			r.outcomes[st.Path] = execute.Skipped
			if live.Status.InProgress() {
				fmt.Fprintf(r.app.talk(), "  %s  is %s, which cannot be cancelled\n", st.Path, live.Status)
			}
		}
	}
	if len(aims) == 0 {
		r.done("no update is running")
		return nil
	}
	operations := map[stacks.Path]stacks.Operation{}
	err := r.act(ctx, aims, func(ctx context.Context, w journaled, m aim) (execute.Outcome, error) {
		op, err := w.Cancel(ctx, r.target(m))
		operations[m.stack.Path] = op
		return execute.Running, err
	})
	if err = errors.Join(err, r.rolledBack(ctx, operations)); err != nil {
		return err
	}
	r.done(fmt.Sprintf("%d rolled back", len(operations)))
	return nil
}

// rolledBack waits until every stack whose update was cancelled has come to
// rest.
func (r *actor) rolledBack(ctx context.Context, operations map[stacks.Path]stacks.Operation) error {
	var mu sync.Mutex
	var wg sync.WaitGroup
	var errs []error
	for path, op := range operations {
		if r.outcomes[path] != execute.Running {
			continue
		}
		wg.Go(func() {
			outcome, err := r.watched(ctx, op)
			mu.Lock()
			defer mu.Unlock()
			r.outcomes[path] = outcome
			if err != nil {
				errs = append(errs, err)
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// watched follows one rollback to its end.
func (r *actor) watched(ctx context.Context, op stacks.Operation) (execute.Outcome, error) {
	for p, err := range r.s.cfn.Watch(ctx, op) {
		switch {
		case ctx.Err() != nil:
			return execute.Running, context.Cause(ctx)
		case err != nil:
			return execute.Unknown, &execute.StepError{Stack: op.Path, What: "cancelled, and how it ended is not known", Why: err.Error(), Tip: "see: deployer status " + string(op.Path), Cause: err}
		case !p.Done:
		case p.Status == stacks.UpdateRollbackComplete:
			fmt.Fprintf(r.app.talk(), "  %s  %s\n", op.Path, r.app.err.Status(p.Status))
			return execute.Unchanged, nil
		default:
			return execute.Failed, &execute.StepError{
				Stack: op.Path, What: fmt.Sprintf("cancelled, and ended in %s", p.Status), Why: p.Reason,
				Tip: fmt.Sprintf("see: deployer events %s", op.Path),
			}
		}
	}
	return execute.Unknown, &execute.StepError{Stack: op.Path, What: "cancelled, and how it ended is not known", Tip: "see: deployer status " + string(op.Path)}
}
