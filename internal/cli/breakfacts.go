package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/deployer-cli/deployer/config"
	"github.com/deployer-cli/deployer/internal/blast"
	"github.com/deployer-cli/deployer/internal/flow"
	"github.com/deployer-cli/deployer/internal/steady"
	"github.com/deployer-cli/deployer/stacks"
)

// reads is how many reads a break makes at once.
const reads = 8

// looks gives each thing that was read of a live stack once: it stays as it is
// while the stack's id and the time of its last change do. Its policy does not: that
// is set without changing the stack, and is read every time.
type looks struct {
	mu        sync.Mutex
	resources map[string]blast.Known[[]stacks.Resource]
	templates map[string]blast.Known[string]
}

func newLooks() *looks {
	return &looks{resources: map[string]blast.Known[[]stacks.Resource]{}, templates: map[string]blast.Known[string]{}}
}

func lookKey(l *stacks.Live) string {
	return l.ID + " " + string(l.Status) + " " + l.Changed().UTC().Format(time.RFC3339Nano)
}

// once reads what is not known yet. What could not be read is read again next
// time.
func once[T any](l *looks, of map[string]blast.Known[T], key string, read func() (T, error)) blast.Known[T] {
	l.mu.Lock()
	known, ok := of[key]
	l.mu.Unlock()
	if ok {
		return known
	}
	known = blast.Got(read())
	if known.Read {
		l.mu.Lock()
		of[key] = known
		l.mu.Unlock()
	}
	return known
}

// gather reads everything that the guards of a break look at. It fails only
// where nothing at all can be said; a fact that cannot be read says so itself.
func (b *breaker) gather(ctx context.Context) (*blast.Facts, error) {
	s := b.s
	account, err := s.cloud.Account(ctx, b.access)
	if err != nil {
		account = ""
	}
	caller, err := s.caller(ctx, b.access)
	if err != nil {
		return nil, err
	}
	f := &blast.Facts{
		Now: s.now().UTC(), Realm: s.realm, Endpoint: s.endpoint, Project: projectName(b.any), Caller: caller,
		Account: account, Region: b.access.Region, Environment: b.environment(), Environments: b.project().Environments(),
		Targets: b.targets, Choice: b.choice, OutOf: b.outOf, Kind: b.opts.kind, Arg: b.opts.arg, Only: b.opts.only, Break: b.id,
		Dependents: b.dependents(),
	}
	f.Stacks = blast.Got(b.liveStacks(ctx))
	f.Exports = blast.Got(b.exports(ctx, b.access))
	b.follow(ctx, f)
	b.contents(ctx, f)
	f.Lever = blast.Got(b.lever(ctx))
	b.past(ctx, f)
	going, _ := blast.MustGo(f)
	f.Permits = blast.Got(b.permits(ctx, going))
	f.Stands = blast.Got(b.stands(f), nil)
	f.Probes = blast.Known[[]blast.Probed]{Value: b.readings, Read: b.readings != nil || len(b.probes) == 0}
	if b.kindFacts(ctx, f); f.Kind != blast.DeleteStack {
		b.follow(ctx, f) // now that it is known what is broken
	}
	f.Elsewhere = b.elsewhere(ctx, f)
	f.Secrets = b.withEchoes(f)
	f.Veil = b.veil()
	f.Capsules = b.capsuled
	return f, nil
}

// project is the project as its files were read last.
func (b *breaker) project() *config.Project {
	if b.files != nil {
		return b.files
	}
	return b.s.project
}

// environment is that of the targets as the files were read last, nil where they
// do not have it any more.
func (b *breaker) environment() *stacks.Environment {
	if b.files == nil {
		return b.place.env
	}
	for _, e := range b.files.Environments() {
		if e.Name == b.place.env.Name {
			return e
		}
	}
	return nil
}

// refresh reads again what may have changed since the plan was made: the files,
// what the probes say, and whether the secrets of the stacks can still be had.
// What cannot be read is unknown, and refused.
func (b *breaker) refresh(ctx context.Context, paths []stacks.Path, probes []steady.Probe) error {
	var err error
	if b.files, err = b.s.reload(); err != nil {
		return fmt.Errorf("the files cannot be read any more: %w", err)
	}
	if _, err := guardBlocks(b.environment(), b.files.Environments()); err != nil {
		return err
	}
	for _, now := range b.judged(b.probeOnce(ctx, probes)) {
		b.readings = slices.Clone(b.readings)
		for i := range b.readings {
			if b.readings[i].Name == now.Name {
				b.readings[i] = now
			}
		}
	}
	fresh := b.s.anew()
	b.s.readOutputs()
	b.secrets = maps.Clone(b.secrets)
	for _, p := range paths {
		if st := b.stack(p); st != nil {
			b.secrets[p] = b.secretsOf(fresh.Prepare(ctx, st))
		}
	}
	return ctx.Err()
}

// judged takes it for given, in a break that goes on after a crash, that what is
// down of it has its effect: of the probes only those that guard still count.
func (b *breaker) judged(readings []blast.Probed) []blast.Probed {
	for i := range readings {
		if b.felt && readings[i].Role == string(steady.Steady) {
			readings[i].OK, readings[i].Unknown, readings[i].Why = true, false, ""
		}
	}
	return readings
}

// guarding are the probes that have to hold throughout.
func guarding(probes []steady.Probe) []steady.Probe {
	var out []steady.Probe
	for _, p := range probes {
		if p.Role == steady.Guard {
			out = append(out, p)
		}
	}
	return out
}

// dependents gives who in the project needs which stack, by configuration.
func (b *breaker) dependents() map[stacks.Path][]stacks.Path {
	out := map[stacks.Path][]stacks.Path{}
	for e := range b.sc.whole.Edges() {
		if !slices.Contains(out[e.To], e.From) {
			out[e.To] = append(out[e.To], e.From)
		}
	}
	return out
}

// liveStacks reads every live stack where the targets live, with what is in it.
func (b *breaker) liveStacks(ctx context.Context) ([]blast.Seen, error) {
	all, err := b.s.cfn.Sweep(ctx, b.access)
	if err != nil {
		return nil, err
	}
	out := make([]blast.Seen, len(all))
	flow.Each(ctx, reads, len(all), func(i int) {
		l := &all[i]
		seen := blast.Seen{Live: l, Stack: b.described(l)}
		b.look(ctx, b.access, &seen)
		if b.mayGo(seen) {
			text, err := b.s.cfn.Policy(ctx, b.access, l.ID)
			seen.Policy = blast.Got(string(text), err)
		}
		out[i] = seen
	})
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	return out, nil
}

// look reads what is in a live stack.
func (b *breaker) look(ctx context.Context, access stacks.Access, seen *blast.Seen) {
	id, key := seen.Live.ID, lookKey(seen.Live)
	seen.Resources = once(b.looks, b.looks.resources, key, func() ([]stacks.Resource, error) { return b.s.cfn.Resources(ctx, access, id) })
	seen.Template = once(b.looks, b.looks.templates, key, func() (string, error) {
		text, err := b.s.cfn.Processed(ctx, access, id)
		return string(text), err
	})
}

// described finds the file that describes a live stack: the one whose stack has
// its name, here.
func (b *breaker) described(l *stacks.Live) *stacks.Stack {
	for _, st := range b.project().Stacks() {
		if st.Name != l.Name || st.Access.Region != "" && st.Access.Region != l.Region {
			continue
		}
		if e := st.Environment; e != nil && len(e.Accounts) > 0 && !slices.Contains(e.Accounts, l.Account) {
			continue
		}
		if known, ok := b.sc.stacks[st.Path]; ok {
			moved := *st // the file as it is now, reached as before
			moved.Access = known.Access
			return &moved
		}
		return st
	}
	return nil
}

// mayGo tells whether a stack may go with the targets: any of a file does, and what
// is nested goes with its parent. Once there is a plan, only what is in it does.
func (b *breaker) mayGo(seen blast.Seen) bool {
	switch {
	case seen.Live.ParentID != "":
		return true
	case seen.Stack == nil || b.plan == nil:
		return seen.Stack != nil
	}
	return slices.ContainsFunc(b.plan.Steps, func(s blast.Step) bool { return s.StackID == seen.Live.ID })
}

func (b *breaker) exports(ctx context.Context, access stacks.Access) ([]blast.Export, error) {
	all, err := b.s.cfn.Exports(ctx, access)
	out := make([]blast.Export, 0, len(all))
	for _, e := range all {
		out = append(out, blast.Export{Export: e})
	}
	return out, err
}

// importers looks up who imports the exports named.
func (b *breaker) importers(ctx context.Context, f *blast.Facts, names []string) {
	found := make([]blast.Known[[]string], len(names))
	flow.Each(ctx, reads, len(names), func(i int) {
		found[i] = blast.Got(b.s.cfn.Imports(ctx, b.access, names[i]))
	})
	for i, name := range names {
		if !found[i].Read && found[i].Why == "" {
			found[i].Why = "it was not asked"
		}
		for j := range f.Exports.Value {
			if f.Exports.Value[j].Name == name {
				f.Exports.Value[j].Importers = found[i]
			}
		}
	}
}

// contents looks whether anything is in the buckets that would be deleted.
func (b *breaker) contents(ctx context.Context, f *blast.Facts) {
	names := blast.Unweighed(f)
	found := make([]blast.Known[bool], len(names))
	flow.Each(ctx, reads, len(names), func(i int) {
		found[i] = blast.Got(b.s.cloud.BucketFilled(ctx, b.access, names[i]))
	})
	f.Contents = map[string]blast.Known[bool]{}
	for i, name := range names {
		f.Contents[name] = found[i]
	}
}

// lever reads the project's off switch where the targets live.
func (b *breaker) lever(ctx context.Context) (blast.Lever, error) {
	l := b.s.cloud.Lever(b.access, leverName(projectName(b.any)))
	t, err := readLever(ctx, l)
	return blast.Lever{Engaged: t.Engaged, By: t.By, Reason: t.Reason, At: t.At}, err
}

// secretsOf tells of each secret parameter of a stack whether its value can be
// had from the config now. The values are not kept.
func (b *breaker) secretsOf(d *stacks.Desired, err error) blast.Known[[]blast.Secret] {
	if err != nil {
		return blast.Known[[]blast.Secret]{Why: inOneLine(err)}
	}
	out := []blast.Secret{}
	for _, p := range d.Parameters {
		if !p.Secret {
			continue
		}
		one := blast.Secret{Parameter: p.Key, Obtainable: !p.Unknown && !p.Previous}
		if i := slices.IndexFunc(d.Stack.Parameters, func(f stacks.Field) bool { return f.Key == p.Key }); i >= 0 {
			one.Literal = !hasCall(d.Stack.Parameters[i].Value)
		}
		switch {
		case p.Previous:
			one.Why = "it keeps the live value (!previous), and that goes with the stack"
		case p.Unknown:
			one.Why = "it is known only after another stack"
		}
		out = append(out, one)
	}
	if slices.ContainsFunc(d.Secrets, func(v string) bool { return v != "" && bytes.Contains(d.Body, []byte(v)) }) {
		out = append(out, blast.Secret{Rendered: true})
	}
	return blast.Known[[]blast.Secret]{Value: out, Read: true}
}

func hasCall(v stacks.Value) bool {
	found := false
	v.Walk(func(w stacks.Value) bool {
		found = found || w.Kind == stacks.Call
		return !found
	})
	return found
}

// withEchoes adds, to the secrets that the config gives, the NoEcho parameters of
// a live template that it does not: CloudFormation keeps their values, and nobody
// could give them again.
func (b *breaker) withEchoes(f *blast.Facts) map[stacks.Path]blast.Known[[]blast.Secret] {
	out := maps.Clone(b.secrets)
	for i := range f.Stacks.Value {
		seen := &f.Stacks.Value[i]
		d := b.desired[seen.Path()]
		known := out[seen.Path()]
		if d == nil || !known.Read || !seen.Template.Read {
			continue
		}
		t, err := b.s.loader.Parse([]byte(seen.Template.Value))
		if err != nil {
			continue // the guards say that it cannot be read
		}
		for _, name := range t.ParameterNames {
			given := slices.ContainsFunc(d.Parameters, func(p stacks.Parameter) bool { return p.Key == name })
			one := blast.Secret{Parameter: name, Why: "it is secret (NoEcho), and the config does not give it"}
			switch p := t.Parameters[name]; {
			case !p.NoEcho || given:
				continue
			case p.Default != nil:
				one.Obtainable, one.Literal, one.Why = true, *p.Default != "", "" // the template gives it
			}
			known.Value = append(slices.Clone(known.Value), one)
		}
		out[seen.Path()] = known
	}
	return out
}

// prepareValues makes the stacks ready as they are now: other stacks' outputs are
// read from how they live.
func (b *breaker) prepareValues(ctx context.Context, sts []*stacks.Stack) {
	b.s.readOutputs()
	b.secrets = map[stacks.Path]blast.Known[[]blast.Secret]{}
	b.desired = map[stacks.Path]*stacks.Desired{}
	for _, st := range sts {
		b.prepareOne(ctx, st)
	}
}

func (b *breaker) prepareOne(ctx context.Context, st *stacks.Stack) {
	d, err := b.s.prepare.Prepare(ctx, st)
	b.secrets[st.Path] = b.secretsOf(d, err)
	if err == nil {
		b.desired[st.Path] = d
	}
}

// prepareAlong makes the stacks of other environments ready that go along. Those
// are of development, or they would not go.
func (b *breaker) prepareAlong(ctx context.Context) {
	going, _ := blast.MustGo(b.facts)
	for _, g := range going {
		if _, known := b.secrets[g.Path]; known {
			continue
		}
		if st := b.stack(g.Path); st != nil && st.Access == b.access {
			b.prepareOne(ctx, st)
		}
	}
	b.facts.Secrets = b.withEchoes(b.facts)
	b.facts.Veil = b.veil()
}

// veil is of everything secret that the config gives now.
func (b *breaker) veil() stacks.Veil {
	var known []string
	for _, d := range b.desired {
		known = append(known, d.Secrets...)
		for _, p := range d.Parameters {
			if p.Secret {
				known = append(known, p.Value)
			}
		}
	}
	return stacks.NewVeil(known...)
}

// readOutputs makes resolvers read other stacks' outputs from how they live, each
// stack once.
func (s *session) readOutputs() {
	live := map[stacks.Path]*stacks.Live{}
	var mu sync.Mutex
	s.known.mu.Lock()
	s.known.known = nil
	s.known.live = func(ctx context.Context, producer *stacks.Stack) (*stacks.Live, error) {
		mu.Lock()
		defer mu.Unlock()
		if l, ok := live[producer.Path]; ok {
			return l, nil
		}
		producer, err := s.located(ctx, producer)
		if err != nil {
			return nil, err
		}
		l, err := s.cfn.Stack(ctx, producer.Access, producer.Name)
		if err != nil {
			return nil, err
		}
		live[producer.Path] = &l
		return &l, nil
	}
	s.known.mu.Unlock()
}

// errElsewhere says that a break is about one account and region at a time.
func errElsewhere(a, b *stacks.Stack) error {
	return &usageError{
		fmt.Sprintf("%s and %s are reached in different ways (account, region or role)", a.Path, b.Path),
		"break them one after the other",
	}
}

// missing tells whether err says that a stack is not there.
func absent(err error) bool {
	_, ok := errors.AsType[*stacks.NotFoundError](err)
	return ok
}
