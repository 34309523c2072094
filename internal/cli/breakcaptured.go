package cli

import (
	"context"
	"fmt"

	"github.com/deployer-cli/deployer/internal/blast"
	"github.com/deployer-cli/deployer/internal/chaos"
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
