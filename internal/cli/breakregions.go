package cli

import (
	"context"
	"slices"

	"github.com/deployer-cli/deployer/internal/blast"
	"github.com/deployer-cli/deployer/internal/flow"
	"github.com/deployer-cli/deployer/stacks"
)

// elsewhere reads what lives of the account in the other regions of which the project
// speaks: roles, hosted zones and their like are shared by all of them. What is in those
// stacks is read where something of what goes is of that kind.
func (b *breaker) elsewhere(ctx context.Context, f *blast.Facts) []blast.Region {
	names := b.regions(f.Account)
	if len(names) == 0 || f.Account == "" {
		return nil // without an account G3 refuses
	}
	crossed := blast.Crossed(f)
	out := make([]blast.Region, len(names))
	for i := range out {
		out[i].Name = names[i] // until it is read
	}
	flow.Each(ctx, len(names), len(names), func(i int) { out[i] = b.region(ctx, f.Account, names[i], crossed) })
	return slices.DeleteFunc(out, func(r blast.Region) bool { return r.Name == "" })
}

// regions names the regions, but for the one that is broken, in which the files may
// have something in an account.
func (b *breaker) regions(account string) []string {
	var out []string
	for _, e := range b.project().Environments() {
		if mayBeOf(e, account) {
			out = append(out, e.Regions...)
		}
	}
	for _, st := range b.project().Stacks() {
		if mayBeOf(st.Environment, account) {
			out = append(out, st.Access.Region)
		}
	}
	slices.Sort(out)
	return slices.DeleteFunc(slices.Compact(out), func(r string) bool { return r == "" || r == b.access.Region })
}

// mayBeOf tells whether an environment may have something in an account: one that names
// no accounts may be anywhere.
func mayBeOf(e *stacks.Environment, account string) bool {
	return e == nil || len(e.Accounts) == 0 || slices.Contains(e.Accounts, account)
}

// region reads the live stacks of a region: as what is broken is reached, or else as a
// stack of the project there is. One that cannot be read, and where only other accounts
// have something, is not named.
func (b *breaker) region(ctx context.Context, account, name string, whole bool) blast.Region {
	access := b.access
	access.Region = name
	all, err := b.s.cfn.Sweep(ctx, access)
	if err != nil {
		ways, mine := b.ways(ctx, account, name)
		if !mine && ctx.Err() == nil {
			return blast.Region{}
		}
		for _, way := range ways {
			if found, werr := b.s.cfn.Sweep(ctx, way); werr == nil {
				access, all, err = way, found, nil
				break
			}
		}
	}
	if err != nil {
		return blast.Region{Name: name, Stacks: blast.Known[[]blast.Seen]{Why: err.Error()}}
	}
	out := make([]blast.Seen, len(all))
	flow.Each(ctx, reads, len(all), func(i int) {
		out[i] = blast.Seen{Live: &all[i], Stack: b.described(&all[i])}
		if whole {
			b.look(ctx, access, &out[i])
		}
	})
	if ctx.Err() != nil {
		return blast.Region{Name: name}
	}
	r := blast.Region{Name: name, Stacks: blast.Got(out, nil)}
	if whole {
		r.Exports = blast.Got(b.exports(ctx, access))
	}
	return r
}

// ways lists how the project reaches its stacks of an account and region. mine tells
// whether it has, or may have, something there.
func (b *breaker) ways(ctx context.Context, account, region string) (out []stacks.Access, mine bool) {
	for _, e := range b.project().Environments() {
		mine = mine || slices.Contains(e.Regions, region) && mayBeOf(e, account)
	}
	for _, st := range b.project().Stacks() {
		if st.Access.Region != region {
			continue
		}
		at, err := b.s.located(ctx, st)
		if err != nil {
			mine = true
			continue
		}
		switch is, err := b.s.cloud.Account(ctx, at.Access); {
		case err != nil:
			mine = true
		case is == account && !slices.Contains(out, at.Access):
			mine, out = true, append(out, at.Access)
		}
	}
	return out, mine
}
