package cli

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/deployer-cli/deployer/internal/awsconf"
	"github.com/deployer-cli/deployer/internal/chaos"
	"github.com/deployer-cli/deployer/internal/event"
	"github.com/deployer-cli/deployer/internal/steady"
	"github.com/deployer-cli/deployer/stacks"
)

// lastLook asks the steady probes once more before everybody leaves, where none of them
// has noticed anything: what breaks in a moment breaks between two looks.
func (b *breaker) lastLook(ctx context.Context, end *watchEnd) {
	st, err := b.record.fold(ctx)
	if err != nil || !st.Stamps[chaos.T0].Recorded() || st.Stamps[chaos.T1].Recorded() {
		return
	}
	asked := slices.DeleteFunc(slices.Clone(b.probes), func(p steady.Probe) bool { return p.Role != steady.Steady })
	for _, r := range b.probeOnce(ctx, asked) {
		if r.OK || r.Unknown {
			continue
		}
		if b.record.Write(ctx, chaos.KindProbe, chaos.Probe{Probe: r.Name, Role: r.Role, At: r.At, Why: r.Why}) != nil {
			return // that somebody leaves is not held up by what he might have seen
		}
	}
	if st, err = b.record.fold(ctx); err == nil {
		end.state = st
	}
}

// endUnbroken ends a break of which nothing is left to wait for, where nobody stayed
// to see that: it failed before anything was broken.
func (b *breaker) endUnbroken(ctx context.Context, end *watchEnd, failed error) error {
	last, err := b.record.fold(ctx)
	if err != nil {
		return nil //nolint:nilerr // what the watch saw last is shown
	}
	end.state = last
	how, unbroken := last.Unbroken()
	if failed == nil || !unbroken || last.Finished != nil {
		return nil
	}
	if err := b.record.Write(ctx, chaos.KindFinish, how); err != nil {
		return err
	}
	if last, err = b.record.fold(ctx); err == nil {
		end.state = last
		b.told(ctx, last)
	}
	return nil
}

// errDetached ends watching because nobody wanted to stay.
var errDetached = errors.New("left")

// touched tells whether anything was ever sent.
func (b *breaker) touched(ctx context.Context) bool {
	state, err := b.record.fold(ctx)
	return err != nil || state.Touched()
}

// lastWords is the context for what is written down at the end, also after Ctrl-C. A
// bucket that takes nothing does not keep anybody.
func lastWords(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(awsconf.Brief(context.WithoutCancel(ctx)), endAtMost)
}

// stopped writes down why nothing further was broken.
func (b *breaker) stopped(ctx context.Context, brake *chaos.Brake, err error) error {
	why := brake.Pulled()
	switch {
	case why == nil && err == nil:
		return nil
	case why == nil: // what was not sent is not going to be
		var whys []string
		for _, e := range flatten(err) {
			whys = append(whys, e.Error())
		}
		why = &chaos.Stopped{By: chaos.ByFault, Why: strings.Join(whys, "; ")}
	}
	brief, cancel := lastWords(ctx)
	defer cancel()
	werr := b.record.Write(brief, chaos.KindStop, chaos.Stop{By: why.By, Why: why.Why})
	if state, ferr := b.record.fold(brief); ferr == nil && state.StoppedRun == b.s.run { // else whoever stopped it has told
		b.announce(ctx, event.Stopped)
	}
	return errors.Join(err, werr)
}

// unsure gives the error of a watch that ended since something is not known, which is
// never a result, the way to go on with it. Every other it gives back.
func (b *breaker) unsure(err error) error {
	unknown, ok := errors.AsType[*stacks.UnknownError](err)
	if !ok {
		return err
	}
	tip := "watch it with: deployer break resume " + b.id
	if unknown.Tip != "" {
		tip = unknown.Tip + "\n" + tip
	}
	return &stacks.UnknownError{What: "how the break goes on is not known", Cause: err, Tip: tip, Everywhere: unknown.Everywhere}
}
