package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/deployer-cli/deployer/internal/awsconf"
	"github.com/deployer-cli/deployer/internal/blast"
	"github.com/deployer-cli/deployer/internal/cfn"
	"github.com/deployer-cli/deployer/internal/chaos"
	"github.com/deployer-cli/deployer/internal/event"
	"github.com/deployer-cli/deployer/internal/execute"
	"github.com/deployer-cli/deployer/internal/flow"
	"github.com/deployer-cli/deployer/internal/guard"
	"github.com/deployer-cli/deployer/internal/inject"
	"github.com/deployer-cli/deployer/stacks"
)

// injector makes what breaks single resources.
func (s *session) injector() *inject.Injector {
	poll := time.Duration(0)
	if s.server != nil {
		poll = s.poll
	}
	return inject.New(inject.Options{
		Config: s.configs.Config, Account: s.cloud.Account, Endpoint: s.endpoint, Run: s.run, Now: s.now, PollInterval: poll,
	})
}

// isInjection tells whether a kind of break is made behind CloudFormation's back.
func isInjection(kind string) bool { return slices.Contains(inject.Kinds(), kind) }

// knownKind refuses a kind that there is not.
func knownKind(kind string) error {
	known := append([]string{blast.DeleteStack, blast.DriftParameter}, inject.Kinds()...)
	if slices.Contains(known, kind) {
		return nil
	}
	hint := didYouMean(kind, known)
	if hint == "" {
		hint = "there is: " + strings.Join(known, ", ")
	}
	return &usageError{fmt.Sprintf("--kind %s: there is no such kind of break", kind), hint}
}

// checkKind refuses a kind that there is not, or that says too little or too much.
func (o *breakOptions) checkKind() error {
	if err := knownKind(o.kind); err != nil {
		return err
	}
	name, _, ok := strings.Cut(o.arg, ":")
	switch {
	case o.kind == blast.DriftParameter && (!ok || name == ""):
		return &usageError{"--kind drift-parameter needs NAME:VALUE", "such as --kind drift-parameter=Containers:0"}
	case o.kind == blast.DeleteStack && o.arg != "":
		return &usageError{"--kind delete-stack takes nothing behind it", ""}
	case o.kind == inject.DeleteResource && o.arg == "":
		return &usageError{"--kind delete-resource needs the LOGICAL id of the resource", "see: deployer list resources PATH"}
	}
	return nil
}

// kindFacts tells the guards what the kinds that delete no stack would do.
func (b *breaker) kindFacts(ctx context.Context, f *blast.Facts) {
	if f.Kind == blast.DeleteStack || !f.Stacks.Read {
		return
	}
	f.Changes = map[stacks.Path][]stacks.ResourceChange{}
	for _, p := range b.targets {
		i := slices.IndexFunc(f.Stacks.Value, func(s blast.Seen) bool { return s.Path() == p })
		if i < 0 {
			continue // the guards say that it does not live
		}
		seen := &f.Stacks.Value[i]
		if f.Kind == blast.DriftParameter {
			changes, err := b.drifts(ctx, p, seen.Live)
			if err != nil {
				f.Unfit, f.Arg = append(f.Unfit, blast.Finding{Stack: p, Why: err.Error(), Fix: hintOf(err)}), b.opts.arg
				continue
			}
			f.Changes[p] = changes
			continue
		}
		if !seen.Resources.Read {
			continue
		}
		t := stacks.Target{Path: p, Name: seen.Live.Name, StackID: seen.Live.ID, Access: b.access}
		found, err := inject.Preview(f.Kind, f.Arg, t, seen.Resources.Value)
		if err == nil {
			found, err = b.breakables(ctx, found)
		}
		if err == nil && f.Kind == inject.DeleteResource {
			f.Changes[p], err = remade(f, seen)
		}
		if err != nil {
			f.Unfit = append(f.Unfit, blast.Finding{Stack: p, Why: inOneLine(err), Fix: hintOf(err)})
			continue
		}
		f.Injections = append(f.Injections, found...)
	}
}

// breakables are those of what a kind would do that can be done, and put right, as it is
// now. Where a resource was named, or none of them can be, that is an error. What is of
// another environment than one that may be broken is not asked; nor is what has begun:
// of that it is what the plan, which goes on, said.
func (b *breaker) breakables(ctx context.Context, found []stacks.Injection) ([]stacks.Injection, error) {
	switch {
	case b.resumed:
		return b.plan.Planned(found), nil
	case !b.s.vetted || b.record != nil:
		return found, nil
	}
	injector := b.s.injector()
	errs := make([]error, len(found))
	flow.Each(ctx, reads, len(found), func(i int) { _, errs[i] = injector.Capture(ctx, found[i]) })
	var fit []stacks.Injection
	for i, err := range errs {
		_, unsuitable := errors.AsType[*inject.UnsuitableError](err)
		switch {
		case err == nil:
			fit = append(fit, found[i])
		case !unsuitable || b.opts.arg != "":
			return nil, err
		}
	}
	if err := errors.Join(ctx.Err(), errors.Join(errs...)); len(fit) == 0 && err != nil {
		return nil, err
	}
	for _, err := range errs {
		if err == nil {
			continue
		}
		if _, told := b.warned.LoadOrStore(err.Error(), true); !told {
			fmt.Fprintf(b.app.talk(), "%s %v: it is left as it is\n", b.app.err.Warn("note:"), err)
		}
	}
	return fit, nil
}

// inflict makes the breaks that delete no stack, one after the other.
func (b *breaker) inflict(ctx context.Context, clearance guard.Clearance, brake *chaos.Brake, sink event.Sink, sent func()) (execute.Result, error) {
	result := execute.Result{Outcomes: map[stacks.Path]execute.Outcome{}, Durations: map[stacks.Path]time.Duration{}, Started: b.s.now()}
	for i := range b.plan.Steps {
		result.Outcomes[b.plan.Steps[i].Stack] = execute.NotStarted
	}
	sink.Event(event.Event{Kind: event.RunStarted, Action: "break", Total: len(b.plan.Steps)})
	var errs []error
	for i := range b.plan.Steps {
		step := &b.plan.Steps[i]
		begun := b.s.now()
		err := b.pauseBefore(ctx, i, brake, sink)
		if err == nil {
			err = b.disturb(ctx, clearance, brake, step, sink)
		}
		took := b.s.now().Sub(begun)
		result.Durations[step.Stack] = took
		if _, stopped := errors.AsType[*chaos.Stopped](err); stopped {
			if b.begunOn(ctx, step.Stack) {
				result.Outcomes[step.Stack] = partly
			}
			sink.Event(event.Event{Kind: event.StepSkipped, Stack: step.Stack, Cause: "the break was stopped before it was done"})
			break
		}
		if err != nil {
			result.Outcomes[step.Stack] = execute.Failed
			failure := &execute.StepError{Stack: step.Stack, What: "could not be broken", Why: err.Error(), Tip: hintOf(err), Cause: err}
			sink.Event(event.Event{Kind: event.StepFailed, Stack: step.Stack, Action: string(execute.Failed), Reason: failure.Why, Seconds: took.Seconds()})
			errs = append(errs, failure)
			break // nothing further while it is not known what this one left
		}
		result.Outcomes[step.Stack] = "broken"
		sink.Event(event.Event{Kind: event.StepDone, Stack: step.Stack, Action: "broken", Seconds: took.Seconds()})
	}
	sent()
	result.Ended = b.s.now()
	sink.Event(event.Event{Kind: event.RunFinished, Action: "break"})
	if why := brake.Pulled(); why != nil {
		errs = append([]error{why}, errs...)
	}
	return result, errors.Join(errs...)
}

// partly is the outcome of a stack of which some was broken when the break was stopped.
const partly execute.Outcome = "partly broken"

// begunOn tells whether AWS took, or may have taken, anything that breaks a stack.
func (b *breaker) begunOn(ctx context.Context, p stacks.Path) bool {
	state, err := b.record.fold(context.WithoutCancel(ctx))
	return err == nil && state.Targets[p] != nil && state.Targets[p].Status != chaos.StatusPlanned && state.Targets[p].Status != chaos.StatusRefused
}

// pauseBefore lets the time between two targets pass.
func (b *breaker) pauseBefore(ctx context.Context, i int, brake *chaos.Brake, sink event.Sink) error {
	if i == 0 || b.opts.pause == 0 {
		return nil
	}
	sink.Event(chaos.PauseBefore(b.plan.Steps[i].Stack, b.opts.pause))
	return brake.Wait(ctx, b.clock(), b.opts.pause)
}

// begins tells that a stack's turn has come, how it is broken, and what of it.
func (b *breaker) begins(step *blast.Step) event.Event {
	e := event.Event{Kind: event.StepStarted, Stack: step.Stack, Action: b.plan.Kind}
	var names []string
	for _, in := range b.captured[step.Stack] {
		names = append(names, in.LogicalID)
	}
	if b.plan.Kind == blast.DriftParameter {
		name, _, _ := strings.Cut(b.plan.Arg, ":")
		names = append(names, name)
	}
	e.Resource = strings.Join(names, ", ")
	return e
}

// disturb asks the guards again, writes the intent down, and breaks one stack.
func (b *breaker) disturb(ctx context.Context, clearance guard.Clearance, brake *chaos.Brake, step *blast.Step, sink event.Sink) error {
	if why := brake.Pulled(); why != nil {
		return why
	}
	sink.Event(chaos.AskedAgain(step.Stack))
	if err := b.oncemore(ctx, step.Stack); err != nil {
		if why, ok := errors.AsType[*chaos.Stopped](err); ok {
			brake.Pull(*why)
		} else {
			brake.Pull(chaos.Stopped{By: chaos.ByGuard, Why: err.Error()})
		}
		return brake.Pulled()
	}
	if why := brake.Pulled(); why != nil {
		return why
	}
	sink.Event(b.begins(step))
	gate := b.braked(brake)
	if b.plan.Kind == blast.DriftParameter {
		gated := awsconf.Gated(ctx, func() error { return gate(ctx, stacks.Update) })
		return b.drift(gated, clearance, step)
	}
	return b.strike(ctx, b.s.injector().Writer(clearance), brake, step.Stack)
}

// spared writes down that AWS refused to break something, and that it is whole:
// nothing has to be put right.
func (b *breaker) spared(ctx context.Context, in stacks.Injection, cause error) error {
	if _, unknown := errors.AsType[*stacks.UnknownError](cause); unknown {
		return nil // it may have been broken: watching, and resume, find out
	}
	if c, err := b.s.injector().Check(ctx, in); err != nil || c != stacks.Whole {
		return nil //nolint:nilerr // the same
	}
	return b.record.Write(context.WithoutCancel(ctx), chaos.KindObserved, chaos.Observed{
		Stack: in.Stack, StackID: in.StackID, LogicalID: in.LogicalID, Condition: stacks.Whole, At: b.s.now().UTC(),
	})
}

// conditions tells how what was injected, or drifted, looks now.
func (b *breaker) conditions(ctx context.Context, t *chaos.Target, live *stacks.Live) (map[string]stacks.Condition, error) {
	return b.s.conditions(ctx, t, live, b.plan.Arg)
}

func (s *session) conditions(ctx context.Context, t *chaos.Target, live *stacks.Live, arg string) (map[string]stacks.Condition, error) {
	out := map[string]stacks.Condition{}
	for _, d := range t.Deeds {
		switch d.Verb {
		case stacks.Inject:
			c, err := s.injector().Check(ctx, *d.Injection)
			if err != nil {
				return nil, err
			}
			out[d.LogicalID()] = c
		case stacks.Update:
			out[""] = drifted(live, arg)
		default:
		}
	}
	return out, nil
}

// marked looks at a target that was not deleted.
func (l *looker) marked(ctx context.Context, t *chaos.Target, live *stacks.Live, sight chaos.Sight) (chaos.Sight, error) {
	if !l.down.Load() {
		return sight, nil // whoever breaks it writes down how it looks
	}
	conditions, err := l.s.conditions(ctx, t, live, l.arg)
	if err != nil {
		return sight, err
	}
	for id, c := range conditions {
		sight.Marks = append(sight.Marks, chaos.Mark{LogicalID: id, Condition: c})
	}
	if live != nil && t.Status.Broken() && !slices.ContainsFunc(sight.Marks, func(m chaos.Mark) bool { return m.Condition != stacks.Whole }) {
		if sight.By, sight.Token = chaos.ByDeployer, tokensOf(l.s.run); !l.undone[t.Stack] {
			sight.By, sight.Token, err = l.changedBy(ctx, t, live)
		}
	}
	return sight, err
}

// changedBy reads off the events of a stack who changed it since it was broken, and with
// which token; "" where nobody did: then it was put right behind its back as well.
func (l *looker) changedBy(ctx context.Context, t *chaos.Target, live *stacks.Live) (by chaos.By, token string, err error) {
	since := time.Time{}
	tokens := map[string]bool{}
	for _, d := range t.Deeds {
		if at := or2(d.Accepted, d.Intended); at.After(since) {
			since = at
		}
		for _, token := range d.Tokens {
			tokens[token] = true
		}
	}
	for e, err := range l.s.cfn.Events(ctx, t.Access, live.ID, cfn.EventOptions{}) {
		switch {
		case err != nil:
			return "", "", err
		case e.Time.Before(since):
			return "", "", nil
		case e.OfStack() && stacks.Status(e.Status).InProgress() && !tokens[e.Token]:
			by, token = chaos.HandOf([]stacks.Event{e}, live.ID)
			return by, token, nil
		}
	}
	return "", "", nil
}
