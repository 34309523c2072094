package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/deployer-cli/deployer/internal/awsconf"
	"github.com/deployer-cli/deployer/internal/blast"
	"github.com/deployer-cli/deployer/internal/chaos"
	"github.com/deployer-cli/deployer/internal/inject"
	"github.com/deployer-cli/deployer/internal/plan"
	"github.com/deployer-cli/deployer/stacks"
)

// remade says on paper what else it changes in a stack to make a deleted resource again.
func remade(f *blast.Facts, seen *blast.Seen) ([]stacks.ResourceChange, error) {
	if !seen.Template.Read {
		return nil, fmt.Errorf("what making %s again would change cannot be told: its template was not read: %s", f.Arg, seen.Template.Why)
	}
	return plan.Remade(seen.Live, []byte(seen.Template.Value), f.Account, f.Region, f.Arg)
}

// capture reads how the resources are that are about to be broken. Of a break that goes
// on it is what was captured when it began, and what was broken then is left out.
func (b *breaker) capture(ctx context.Context) error {
	if !isInjection(b.plan.Kind) {
		return nil
	}
	b.captured = map[stacks.Path][]stacks.Injection{}
	if b.resumed {
		return b.capturedBefore(ctx)
	}
	injector := b.s.injector()
	for i := range b.plan.Steps {
		for _, in := range b.plan.Steps[i].Injections {
			c, err := injector.Capture(ctx, in)
			if err != nil {
				return err
			}
			b.captured[b.plan.Steps[i].Stack] = append(b.captured[b.plan.Steps[i].Stack], c)
		}
	}
	return nil
}

// capturedBefore takes out of the journal how what is left to break was.
func (b *breaker) capturedBefore(ctx context.Context) error {
	state, err := b.record.fold(ctx)
	if err != nil {
		return err
	}
	for i := range b.plan.Steps {
		p := b.plan.Steps[i].Stack
		t := state.Targets[p]
		if t == nil {
			return fmt.Errorf("%s is not in the plan of %s", p, b.plan.ID)
		}
		for _, d := range t.Deeds {
			if d.Injection != nil && d.Accepted.IsZero() && (d.Status == chaos.StatusPlanned || d.Status == chaos.StatusIntended) {
				b.captured[p] = append(b.captured[p], *d.Injection)
			}
		}
	}
	return nil
}

// strike breaks what was captured of one stack, each announced before and told after.
func (b *breaker) strike(ctx context.Context, writer *inject.Writer, brake *chaos.Brake, path stacks.Path) error {
	gate := b.braked(brake)
	var took time.Time // of the first call: what it sets going is no part of T0
	writer.Took = func(_ stacks.Injection, at time.Time) {
		if took.IsZero() {
			took = at.UTC()
		}
	}
	for n, in := range b.captured[path] {
		b.heed(ctx, in, brake)
		if why := brake.Pulled(); why != nil {
			return why
		}
		in.Token = token(b.s.run, path, n+1)
		if err := b.record.Write(ctx, chaos.KindIntent, chaos.Intent{Stack: path, StackID: in.StackID, Verb: stacks.Inject, Token: in.Token, For: chaos.ToBreak, Injection: &in}); err != nil {
			return err
		}
		took = time.Time{}
		if err := writer.Do(awsconf.Gated(ctx, func() error { return gate(ctx, stacks.Inject) }), in); err != nil {
			return errors.Join(err, b.spared(ctx, in, err))
		}
		now := b.s.now().UTC()
		err := b.record.Write(context.WithoutCancel(ctx), chaos.KindAccepted, chaos.Accepted{
			Stack: path, StackID: in.StackID, Verb: stacks.Inject, Token: in.Token, LogicalID: in.LogicalID, At: or2(took, now),
		})
		if err == nil {
			err = b.record.Write(context.WithoutCancel(ctx), chaos.KindObserved, chaos.Observed{
				Stack: path, StackID: in.StackID, LogicalID: in.LogicalID, Condition: stacks.Broken, At: now,
			})
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// heed pulls the brake where a resource is not as it was captured any more, right before
// it is broken: somebody set it while the phrase was typed or others were broken, and
// recovery would take that away.
func (b *breaker) heed(ctx context.Context, in stacks.Injection, brake *chaos.Brake) {
	condition, err := b.s.injector().Check(ctx, in)
	why := ""
	switch {
	case err != nil:
	case condition != stacks.Whole:
		why = fmt.Sprintf("%s is %s, and not by this break", in.LogicalID, condition)
	default:
		why, err = b.s.injector().Anew(ctx, in)
	}
	switch {
	case err != nil:
		brake.Pull(chaos.Stopped{By: chaos.ByGuard, Why: fmt.Sprintf("%s: whether %s is as it was captured is not known: %v", in.Stack, in.LogicalID, err)})
	case why != "":
		brake.Pull(chaos.Stopped{By: chaos.ByMoved, Why: fmt.Sprintf("%s: %s", in.Stack, why), Tip: "what is left can be broken by a new plan, once this break is over"})
	}
}
