package cli

import (
	"context"
	"slices"

	"github.com/deployer-cli/deployer/internal/blast"
	"github.com/deployer-cli/deployer/internal/steady"
	"github.com/deployer-cli/deployer/stacks"
)

// probeAlong asks the probes of the other environments whose stacks would go along: an
// exercise begins where everything is well, for their users too. Those probes do not
// tell when the break is over: that is for the environment that was broken.
func (b *breaker) probeAlong(ctx context.Context) {
	b.along = nil
	var blind []blast.Probed
	for _, e := range b.alongside() {
		probes, err := steady.Parse(e.Probes)
		if err != nil {
			blind = append(blind, blast.Probed{Name: e.Name, Role: string(steady.Guard), Unknown: true, Why: err.Error()})
		}
		for _, p := range probes {
			if p.Role != steady.Evidence {
				p.Name = e.Name + ": " + p.Name
				b.along = append(b.along, p)
			}
		}
	}
	if len(b.along) == 0 && len(blind) == 0 {
		return
	}
	b.readings = slices.Concat(b.readings, blind, b.judged(b.probeOnce(ctx, b.along)))
	b.facts.Probes.Value = b.readings
}

// alongside lists the environments, but for the targets', of what would go.
func (b *breaker) alongside() []*stacks.Environment {
	var out []*stacks.Environment
	going, _ := blast.MustGo(b.facts)
	for _, g := range going {
		if st := b.stack(g.Path); st != nil && st.Environment != nil && st.Environment.Name != b.place.env.Name && !slices.Contains(out, st.Environment) {
			out = append(out, st.Environment)
		}
	}
	return out
}

// gates are the probes that have to be well before anything goes.
func (b *breaker) gates() []steady.Probe { return slices.Concat(b.probes, b.along) }
