package cli

import (
	"context"

	"github.com/deployer-cli/deployer/internal/awsconf"
	"github.com/deployer-cli/deployer/internal/cfn"
	"github.com/deployer-cli/deployer/internal/journal"
	"github.com/deployer-cli/deployer/stacks"
)

// journaled writes down what is about to be done before it lets the call go
// out. A call whose intent cannot be written is not made.
type journaled struct {
	writer   *cfn.Writer
	journal  *journal.Journal
	accounts map[stacks.Access]string
	gate     func(context.Context, stacks.Verb) error // waits, or says no, where the run does not hold its lock; nil: there is none
}

func (w journaled) intend(ctx context.Context, verb stacks.Verb, t stacks.Target) error {
	if w.gate != nil {
		if err := w.gate(ctx, verb); err != nil {
			return err
		}
	}
	return w.journal.Intend(journal.Intent{
		Verb: verb, Stack: t.Path, Name: t.Name, StackID: t.StackID, Token: t.Token,
		Account: w.accounts[t.Access], Region: t.Access.Region, Profile: t.Access.Profile, Role: t.Access.Role,
	})
}

// gated lets the attempts of a call go out only while the gate is open.
func (w journaled) gated(ctx context.Context, verb stacks.Verb) context.Context {
	if w.gate == nil {
		return ctx
	}
	return awsconf.Gated(ctx, func() error { return w.gate(ctx, verb) })
}

func targetOf(c stacks.Change) stacks.Target {
	st := c.Desired.Stack
	return stacks.Target{Path: st.Path, Name: st.Name, StackID: c.StackID, Access: st.Access, Token: c.Token}
}

// Create implements execute.Changer.
func (w journaled) Create(ctx context.Context, c stacks.Change) (stacks.Operation, error) {
	if err := w.intend(ctx, stacks.Create, targetOf(c)); err != nil {
		return stacks.Operation{}, err
	}
	return w.writer.Create(w.gated(ctx, stacks.Create), c)
}

// Update implements execute.Changer.
func (w journaled) Update(ctx context.Context, c stacks.Change) (stacks.Operation, error) {
	if err := w.intend(ctx, stacks.Update, targetOf(c)); err != nil {
		return stacks.Operation{}, err
	}
	return w.writer.Update(w.gated(ctx, stacks.Update), c)
}

// Delete implements execute.Changer.
func (w journaled) Delete(ctx context.Context, t stacks.Target, retain []string) (stacks.Operation, error) {
	if err := w.intend(ctx, stacks.Delete, t); err != nil {
		return stacks.Operation{}, err
	}
	return w.writer.Delete(w.gated(ctx, stacks.Delete), t, retain)
}

// Continue implements execute.Mender.
func (w journaled) Continue(ctx context.Context, t stacks.Target, skip []string) (stacks.Operation, error) {
	if err := w.intend(ctx, stacks.Continue, t); err != nil {
		return stacks.Operation{}, err
	}
	return w.writer.Continue(w.gated(ctx, stacks.Continue), t, skip)
}

// SetPolicy implements execute.Mender.
func (w journaled) SetPolicy(ctx context.Context, t stacks.Target, body []byte) error {
	if err := w.intend(ctx, stacks.Policy, t); err != nil {
		return err
	}
	return w.writer.SetPolicy(w.gated(ctx, stacks.Policy), t, body)
}

// Protect implements execute.Mender.
func (w journaled) Protect(ctx context.Context, t stacks.Target, on bool) error {
	verb := stacks.Protect
	if !on {
		verb = stacks.Unprotect
	}
	if err := w.intend(ctx, verb, t); err != nil {
		return err
	}
	return w.writer.Protect(w.gated(ctx, verb), t, on)
}

// Cancel cancels a running update.
func (w journaled) Cancel(ctx context.Context, t stacks.Target) (stacks.Operation, error) {
	if err := w.intend(ctx, stacks.Cancel, t); err != nil {
		return stacks.Operation{}, err
	}
	return w.writer.Cancel(w.gated(ctx, stacks.Cancel), t)
}

// Propose makes a change set.
func (w journaled) Propose(ctx context.Context, c stacks.Change, name string) (cfn.ChangeSet, error) {
	if err := w.intend(ctx, stacks.Propose, targetOf(c)); err != nil {
		return cfn.ChangeSet{}, err
	}
	return w.writer.Propose(w.gated(ctx, stacks.Propose), c, name)
}

// Execute carries a change set out.
func (w journaled) Execute(ctx context.Context, t stacks.Target, changeSet string, disableRollback bool) (stacks.Operation, error) {
	if err := w.intend(ctx, stacks.Execute, t); err != nil {
		return stacks.Operation{}, err
	}
	return w.writer.Execute(w.gated(ctx, stacks.Execute), t, changeSet, disableRollback)
}

// Discard deletes a change set.
func (w journaled) Discard(ctx context.Context, t stacks.Target, changeSet string) error {
	if err := w.intend(ctx, stacks.Discard, t); err != nil {
		return err
	}
	return w.writer.Discard(w.gated(ctx, stacks.Discard), t, changeSet)
}

// DiscardShell deletes the empty shell that a proposed creation left.
func (w journaled) DiscardShell(ctx context.Context, t stacks.Target) error {
	if err := w.intend(ctx, stacks.Discard, t); err != nil {
		return err
	}
	return w.writer.DiscardShell(w.gated(ctx, stacks.Discard), t)
}
