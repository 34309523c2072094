package cli

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/deployer-cli/deployer/internal/blast"
	"github.com/deployer-cli/deployer/internal/capsule"
	"github.com/deployer-cli/deployer/internal/chaos"
	"github.com/deployer-cli/deployer/internal/logbook"
	"github.com/deployer-cli/deployer/stacks"
)

// capsuleName is the name of a stack's capsule among the documents of a break.
func capsuleName(p stacks.Path) string { return "capsule-" + string(p) + ".json" }

// capsules makes the capsule of every stack that goes. Nothing is written yet: a
// stack of which none can be made must not be broken.
func (b *breaker) capsules(ctx context.Context) (map[stacks.Path]capsule.Capsule, error) {
	out := map[stacks.Path]capsule.Capsule{}
	var errs []error
	for i := range b.plan.Steps {
		step := &b.plan.Steps[i]
		c, err := b.capsuleOf(ctx, step)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		out[step.Stack] = c
	}
	return out, errors.Join(errs...)
}

func (b *breaker) capsuleOf(ctx context.Context, step *blast.Step) (capsule.Capsule, error) {
	st := b.stack(step.Stack)
	seen, err := b.s.observe(ctx, b.access, step.StackID)
	if err != nil {
		return capsule.Capsule{}, err
	}
	var salt [16]byte
	_, _ = rand.Read(salt[:]) // never fails, says its documentation
	probes, err := json.Marshal(b.readings)
	if err != nil {
		return capsule.Capsule{}, err
	}
	in := capsule.Input{
		Observation: seen, Stack: st, Desired: b.desired[step.Stack], Realm: b.s.realm, Exports: b.exportsOf(step.StackID),
		Commit: b.plan.Commit, Dirty: b.plan.Dirty, Probes: probes, Caller: b.facts.Caller.ARN, Version: Version(),
		Time: b.s.now().UTC(), Salt: salt[:],
	}
	for _, e := range b.sc.whole.Dependencies(step.Stack) {
		if !slices.Contains(in.After, e.To) {
			in.After = append(in.After, e.To)
		}
	}
	in.After = stacks.SortPaths(in.After)
	return capsule.Make(in)
}

// exportsOf lists the exports of a stack with who imports them.
func (b *breaker) exportsOf(stackID string) []capsule.Export {
	var out []capsule.Export
	for _, e := range b.facts.Exports.Value {
		if e.StackID == stackID {
			out = append(out, capsule.Export{Name: e.Name, Value: e.Value, Importers: e.Importers.Value})
		}
	}
	return out
}

// observe reads everything of one live stack that a capsule holds, or is compared
// with.
func (s *session) observe(ctx context.Context, a stacks.Access, id string) (capsule.Observation, error) {
	var o capsule.Observation
	live, err := s.cfn.Stack(ctx, a, id)
	if err != nil {
		return o, err
	}
	o.Live = &live
	text, err := s.cfn.Template(ctx, a, live.ID)
	if err != nil {
		return o, err
	}
	o.Template = string(text)
	if text, err = s.cfn.Processed(ctx, a, live.ID); err != nil {
		return o, err
	}
	o.Processed = string(text)
	if text, err = s.cfn.Policy(ctx, a, live.ID); err != nil {
		return o, err
	}
	o.Policy = string(text)
	o.Resources, err = s.cfn.Resources(ctx, a, live.ID)
	return o, err
}

// keepCapsules writes a capsule of every stack, and reads each back: what cannot
// be put back is not broken. Those that an earlier run kept stay as they are.
func (b *breaker) keepCapsules(ctx context.Context) error {
	kept, err := b.keptBefore(ctx)
	if err != nil {
		return err
	}
	b.capsuled = map[stacks.Path]blast.Capsuled{}
	for i := range b.plan.Steps {
		step := &b.plan.Steps[i]
		if known, ok := kept[step.Stack]; ok {
			b.capsuled[step.Stack] = known
			continue
		}
		c, ok := b.made[step.Stack]
		if !ok || c.StackID != step.StackID {
			return fmt.Errorf("nothing was captured of %s", step.Stack)
		}
		text, err := c.Encode()
		if err != nil {
			return err
		}
		name := capsuleName(step.Stack)
		hash, err := b.record.books.Put(ctx, b.record.env, b.id, name, text)
		if err != nil {
			return err
		}
		back, err := b.record.books.Get(ctx, b.record.env, b.id, name)
		if err != nil {
			return err
		}
		if logbook.Sum(back) != hash || logbook.Sum(text) != hash {
			return fmt.Errorf("the capsule of %s came back other than it was written", step.Stack)
		}
		if err := b.record.Write(ctx, chaos.KindCapsule, chaos.Capsule{Stack: step.Stack, Name: name, Hash: hash}); err != nil {
			return err
		}
		b.capsuled[step.Stack] = blast.Capsuled{Written: true, StackID: c.StackID, Hash: hash, Back: logbook.Sum(back)}
	}
	return nil
}

// keptBefore gives the capsules that an earlier run of this break wrote, each
// read back now.
func (b *breaker) keptBefore(ctx context.Context) (map[stacks.Path]blast.Capsuled, error) {
	state, err := b.record.fold(ctx)
	if err != nil {
		return nil, err
	}
	out := map[stacks.Path]blast.Capsuled{}
	for p, t := range state.Targets {
		if t.Capsule.Hash == "" {
			continue
		}
		c, hash, err := b.s.capsule(ctx, b.record, t)
		if err != nil {
			return nil, err
		}
		out[p] = blast.Capsuled{Written: true, StackID: c.StackID, Hash: t.Capsule.Hash, Back: hash}
	}
	return out, nil
}

// keptStill reads the capsule of a target back once more: it has to be where it was
// written until the target goes.
func (b *breaker) keptStill(ctx context.Context, t *chaos.Target) blast.Capsuled {
	if t == nil {
		return blast.Capsuled{Why: "the journal does not know the stack"}
	}
	c, hash, err := b.s.capsule(ctx, b.record, t)
	if err != nil {
		return blast.Capsuled{Why: err.Error()}
	}
	return blast.Capsuled{Written: true, StackID: c.StackID, Hash: t.Capsule.Hash, Back: hash}
}

// capsule reads the capsule of one target as it was written.
func (s *session) capsule(ctx context.Context, r *breakRecord, t *chaos.Target) (c capsule.Capsule, hash string, err error) {
	if t.Capsule.Hash == "" {
		return c, "", fmt.Errorf("no capsule of %s was kept", t.Stack)
	}
	text, err := r.books.Find(ctx, r.env, r.id, t.Capsule.Name, t.Capsule.Hash)
	if err != nil {
		return c, "", fmt.Errorf("the capsule of %s: %w", t.Stack, err)
	}
	c, err = capsule.Read(text)
	return c, logbook.Sum(text), err
}

// comparison is what was captured of all targets of a break, and how they are
// now: what was rebuilt has other ids, and others name it by them.
type comparison struct {
	before map[stacks.Path]capsule.Capsule
	now    map[stacks.Path]capsule.Observation
}

// compare reads what was captured and what is there now.
func (s *session) compare(ctx context.Context, r *breakRecord) (*comparison, error) {
	state, err := r.fold(ctx)
	if err != nil {
		return nil, err
	}
	out := &comparison{map[stacks.Path]capsule.Capsule{}, map[stacks.Path]capsule.Observation{}}
	for _, p := range state.Order {
		other := state.Targets[p]
		c, _, err := s.capsule(ctx, r, other)
		if err != nil {
			return nil, err
		}
		o, err := s.observe(ctx, other.Access, other.Name)
		switch {
		case absent(err):
			continue
		case err != nil:
			return nil, err
		}
		o.Secrets = s.secretsNow(ctx, p)
		out.before[p], out.now[p] = c, o
	}
	return out, nil
}

// of tells what of a target is not as it was captured. What has another id only
// because it, or something else of the break, was rebuilt is expected.
func (c *comparison) of(t *chaos.Target) ([]capsule.Difference, error) {
	seen, ok := c.now[t.Stack]
	if !ok {
		return nil, fmt.Errorf("%s is not there", t.Stack)
	}
	all := slices.Collect(maps.Values(c.before))
	return capsule.Compare(c.before[t.Stack], seen, capsule.Rename(all, c.now)), nil
}

// secretsNow is what the secret parameters of a stack resolve to now, as far as
// they can be had.
func (s *session) secretsNow(ctx context.Context, p stacks.Path) map[string]string {
	st, ok := s.project.Stack(p)
	if !ok {
		return nil
	}
	d, err := s.prepare.Prepare(ctx, st)
	if err != nil {
		return nil
	}
	out := map[string]string{}
	for _, one := range d.Parameters {
		if one.Secret && !one.Unknown && !one.Previous {
			out[one.Key] = one.Value
		}
	}
	return out
}
