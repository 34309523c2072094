package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/deployer-cli/deployer/internal/blast"
	"github.com/deployer-cli/deployer/internal/chaos"
	"github.com/deployer-cli/deployer/stacks"
)

// oncemore asks the guards that are asked again right before a call.
func (b *breaker) oncemore(ctx context.Context, path stacks.Path) error {
	end, err := b.checking.Take(ctx)
	if err != nil {
		return err
	}
	defer end()
	state, err := b.record.fold(ctx)
	if err != nil {
		return err
	}
	if state.Stopped != nil {
		return &chaos.Stopped{By: state.Stopped.By, Why: state.Stopped.Why, Tip: "get back what is down with: deployer recover " + b.id}
	}
	i := slices.IndexFunc(b.plan.Steps, func(s blast.Step) bool { return s.Stack == path })
	if i < 0 {
		return &chaos.Stopped{By: chaos.ByGuard, Why: fmt.Sprintf("%s is not in the plan", path)}
	}
	step := &b.plan.Steps[i]
	b.capsuled = map[stacks.Path]blast.Capsuled{path: b.keptStill(ctx, state.Targets[path])}
	facts, err := b.upToDate(ctx, step)
	if err != nil {
		return err
	}
	for _, v := range blast.Again(facts, b.plan, step) {
		if v.OK {
			continue
		}
		by := chaos.ByGuard
		switch {
		case v.Guard == blast.Moved:
			by = chaos.ByMoved
		case v.Guard == "G6" && facts.Lever.Value.Engaged:
			by = chaos.ByLever
		case v.Guard == "G8":
			by = chaos.ByProbe
		}
		why := strings.TrimPrefix(v.Why, string(path)+": ")
		if v.Guard != blast.Moved {
			why += " (" + v.Guard + ")"
		}
		return &chaos.Stopped{By: by, Why: fmt.Sprintf("%s: %s", path, why), Tip: v.Fix}
	}
	return nil
}

// behindAtMost is how many looks, lookEvery apart, AWS's lists may be behind what
// was seen of one stack: a minute.
const behindAtMost = 12

// upToDate gathers the facts for a step, whose turn has come since what goes before
// it is gone. AWS's answers are behind each other: while some still tell of that it
// is looked at again, for a while.
func (b *breaker) upToDate(ctx context.Context, step *blast.Step) (*blast.Facts, error) {
	for looks := 1; ; looks++ {
		if err := b.refresh(ctx, []stacks.Path{step.Stack}, guarding(b.gates())); err != nil {
			return nil, err
		}
		facts, err := b.gather(ctx)
		if err != nil || looks == behindAtMost || !b.behind(facts, step) {
			return facts, err
		}
		if err := b.clock().Wait(ctx, lookEvery); err != nil {
			return nil, err
		}
	}
}

// behind tells whether facts tell of something that is gone already: the list of
// stacks that it is being deleted, or that of imports that it imports.
func (b *breaker) behind(facts *blast.Facts, step *blast.Step) bool {
	return slices.ContainsFunc(b.plan.Steps, func(s blast.Step) bool {
		if !slices.Contains(step.After, s.Stack) {
			return false
		}
		if live := liveIn(facts, s.StackID); live != nil {
			return live.Status == stacks.DeleteInProgress
		}
		named := slices.ContainsFunc(facts.Stacks.Value, func(o blast.Seen) bool { return o.Live != nil && o.Live.Name == s.Name })
		return !named && slices.ContainsFunc(facts.Exports.Value, func(e blast.Export) bool {
			return e.StackID == step.StackID && slices.Contains(e.Importers.Value, s.Name)
		})
	})
}
