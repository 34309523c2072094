package cli

import (
	"context"
	"fmt"
	"slices"

	"github.com/deployer-cli/deployer/internal/blast"
	"github.com/deployer-cli/deployer/internal/chaos"
	"github.com/deployer-cli/deployer/stacks"
)

// overtaken tells why what is left of a plan cannot be broken any more, "" where it can:
// what had to be gone before it has been rebuilt, and is never deleted again.
func overtaken(p *blast.Plan, st *chaos.State, left []stacks.Path) string {
	for i := range p.Steps {
		step := &p.Steps[i]
		if !slices.Contains(left, step.Stack) {
			continue
		}
		for _, first := range step.After {
			if t := st.Targets[first]; t != nil && t.NewID != "" {
				return fmt.Sprintf("%s would have to be gone before %s, and has been rebuilt", first, step.Stack)
			}
		}
	}
	return ""
}

// endHere stops a resumed break of which what is left stays: it is only watched.
func (b *breaker) endHere(ctx context.Context, why string) (*chaos.State, error) {
	if err := b.record.Write(ctx, chaos.KindStop, chaos.Stop{By: chaos.ByMoved, Why: why}); err != nil {
		return nil, err
	}
	fmt.Fprintln(b.app.talk(), "nothing further is broken:", why)
	return b.record.fold(ctx)
}

// finishedAlready says of a break that is over how it went.
func (b *breaker) finishedAlready(ctx context.Context, arg string) bool {
	if arg == "" {
		b.say("nothing to recover: nothing is broken")
		return true
	}
	k, err := b.s.findBreak(ctx, arg, false)
	if err != nil {
		return false
	}
	b.over(ctx, "recover", k)
	return true
}

// over says of a break that there is nothing to do about, since it is over, how it went.
func (b *breaker) over(ctx context.Context, what string, k *knownBreak) {
	fmt.Fprintf(b.app.talk(), "nothing to %s: break %s is over\n", what, k.record.id)
	b.outcome = &breakOutcome{state: k.state}
	if b.app.globals.output == "text" {
		b.summary(ctx, k.state)
	}
	b.notBack(k.record.id, k.state)
}

// notBack says what a break that is over has left down.
func (b *breaker) notBack(id string, st *chaos.State) {
	if down := st.Broken(); len(down) > 0 {
		fmt.Fprintln(b.app.talk(), b.app.err.Warn("note:"), b.app.advice(fmt.Sprintf("not back: %s; get that with: deployer recover %s", pathsOf(down), id)))
	}
}

// resumeOver says how a break went that is over, with its exit code. What was not back
// when it ended, and is now, is compared first.
func (b *breaker) resumeOver(ctx context.Context, k *knownBreak) error {
	if len(k.state.Broken()) == 0 && !k.state.Uncompared() || b.opts.detach {
		b.over(ctx, "resume", k)
		if b.opts.detach {
			return nil
		}
		return b.verdict(ctx, k.state)
	}
	if err := b.takeOver(ctx, k); err != nil {
		return err
	}
	fmt.Fprintf(b.app.talk(), "nothing to resume: break %s is over\n", b.id)
	b.opts.noRecover = true // its max_duration is over as well
	err := b.stay(ctx)
	if o := b.outcome; o != nil && o.state != nil {
		b.notBack(b.id, o.state)
	}
	return err
}
