package cli

import (
	"context"
	"slices"
	"sync/atomic"

	"github.com/deployer-cli/deployer/internal/capsule"
	"github.com/deployer-cli/deployer/internal/cfn"
	"github.com/deployer-cli/deployer/internal/chaos"
	"github.com/deployer-cli/deployer/stacks"
)

// seenOf reads what AWS says about every target of a break: by id, by name, and
// the events of both.
func (b *breaker) seenOf(ctx context.Context, st *chaos.State) (map[stacks.Path]chaos.Seen, error) {
	out := map[stacks.Path]chaos.Seen{}
	for _, p := range st.Order {
		t := st.Targets[p]
		var seen chaos.Seen
		var err error
		if seen.Old, err = b.stackOrNil(ctx, t.Access, t.StackID); err == nil {
			seen.Named, err = b.stackOrNil(ctx, t.Access, t.Name)
		}
		if err == nil && seen.Old != nil {
			seen.Changed = b.plan.Since(seen.Old)
			seen.Events, err = b.s.eventsOf(ctx, t.Access, t.StackID)
		}
		if err == nil && seen.Named != nil && seen.Named.ID != t.StackID {
			seen.NewEvents, err = b.s.eventsOf(ctx, t.Access, seen.Named.ID)
		}
		if err == nil {
			seen.Conditions, err = b.conditions(ctx, t, seen.Old)
		}
		if err == nil {
			seen.Anew, err = b.anew(ctx, t)
		}
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if err != nil {
			seen.Unknown = err.Error()
		}
		out[p] = seen
	}
	return out, nil
}

// anew tells which of the resources that AWS is not known to have broken are others now,
// or were set anew.
func (b *breaker) anew(ctx context.Context, t *chaos.Target) (map[string]string, error) {
	out := map[string]string{}
	for _, d := range t.Deeds {
		if d.Verb != stacks.Inject || !d.Accepted.IsZero() {
			continue
		}
		why, err := b.s.injector().Anew(ctx, *d.Injection)
		if err != nil {
			return nil, err
		}
		if why != "" {
			out[d.LogicalID()] = why
		}
	}
	return out, nil
}

func (b *breaker) stackOrNil(ctx context.Context, a stacks.Access, nameOrID string) (*stacks.Live, error) {
	l, err := b.s.cfn.Stack(ctx, a, nameOrID)
	if absent(err) {
		return nil, nil //nolint:nilnil // there is none
	}
	if err != nil {
		return nil, err
	}
	return &l, nil
}

// eventsOf reads the events of a stack, oldest first: AWS gives them the other way
// round.
func (s *session) eventsOf(ctx context.Context, a stacks.Access, id string) ([]stacks.Event, error) {
	var out []stacks.Event
	for e, err := range s.cfn.Events(ctx, a, id, cfn.EventOptions{}) {
		if err != nil {
			return nil, err
		}
		out = append(out, e)
	}
	slices.Reverse(out)
	return out, nil
}

// lookerOf looks at the targets of a break that this process does not run.
func (s *session) lookerOf(k *knownBreak) *looker {
	down := new(atomic.Bool)
	down.Store(true)
	return &looker{s: s, record: k.record, down: down, by: map[string]made{}, insides: map[string]inside{}, arg: k.state.Plan.Argument}
}

// Equal implements chaos.Looker: it compares a target with its capsule.
func (l *looker) Equal(ctx context.Context, t *chaos.Target) ([]capsule.Difference, error) {
	if l.compared == nil {
		var err error
		if l.compared, err = l.s.compare(ctx, l.record); err != nil {
			return nil, err
		}
	}
	out, err := l.compared.of(t)
	if err != nil {
		return nil, err
	}
	more, err := l.changedSince(ctx, t)
	return append(out, more...), err
}
