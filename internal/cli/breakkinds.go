package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/deployer-cli/deployer/internal/blast"
	"github.com/deployer-cli/deployer/internal/chaos"
	"github.com/deployer-cli/deployer/internal/event"
	"github.com/deployer-cli/deployer/internal/execute"
	"github.com/deployer-cli/deployer/internal/guard"
	"github.com/deployer-cli/deployer/internal/inject"
	"github.com/deployer-cli/deployer/internal/plan"
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

// checkKind refuses a kind that there is not.
func (o *breakOptions) checkKind() error {
	known := append([]string{blast.DeleteStack, blast.DriftParameter}, inject.Kinds()...)
	if !slices.Contains(known, o.kind) {
		hint := didYouMean(o.kind, known)
		if hint == "" {
			hint = "there is: " + strings.Join(known, ", ")
		}
		return &usageError{fmt.Sprintf("--kind %s: there is no such kind of break", o.kind), hint}
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
				f.Unfit = append(f.Unfit, blast.Finding{Stack: p, Why: err.Error(), Fix: hintOf(err)})
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
		if err != nil {
			f.Unfit = append(f.Unfit, blast.Finding{Stack: p, Why: err.Error(), Fix: hintOf(err)})
			continue
		}
		f.Injections = append(f.Injections, found...)
	}
}

// drifts says on paper what another value of one parameter changes in a stack.
func (b *breaker) drifts(ctx context.Context, p stacks.Path, live *stacks.Live) ([]stacks.ResourceChange, error) {
	name, value, _ := strings.Cut(b.opts.arg, ":")
	i := slices.IndexFunc(live.Parameters, func(l stacks.LiveParameter) bool { return l.Key == name })
	switch {
	case i < 0:
		names := make([]string, 0, len(live.Parameters))
		for _, l := range live.Parameters {
			names = append(names, l.Key)
		}
		return nil, &usageError{fmt.Sprintf("it has no parameter %s", name), "it has " + strings.Join(names, ", ")}
	case live.Parameters[i].Value == "****":
		return nil, &usageError{fmt.Sprintf("parameter %s is secret (NoEcho)", name), "drift one whose value may be seen"}
	case live.Parameters[i].Value == value:
		return nil, &usageError{fmt.Sprintf("parameter %s is %s already", name, value), "give it another value"}
	}
	d, ok := b.desired[p]
	if !ok {
		return nil, errors.New("its config cannot be made ready")
	}
	other := *d
	other.Parameters = slices.Clone(d.Parameters)
	j := slices.IndexFunc(other.Parameters, func(o stacks.Parameter) bool { return o.Key == name })
	if j < 0 {
		other.Parameters = append(other.Parameters, stacks.Parameter{Key: name})
		j = len(other.Parameters) - 1
	}
	other.Parameters[j].Value, other.Parameters[j].Unknown, other.Parameters[j].Previous = value, false, false
	st := d.Stack
	snapshot, err := plan.Observe(ctx, plan.Sources{
		Sweeper: sweeper{b.s.cfn}, Reader: b.s.cfn, Relations: relations{b.s.cfn}, Cache: templateCache{b.s.cache},
	}, []*stacks.Stack{st})
	if err != nil {
		return nil, err
	}
	builder := plan.NewBuilder(plan.Input{
		Snapshot: snapshot, Environment: st.Environment, Realm: b.s.realm, Region: st.Access.Region, Parse: b.s.loader.Parse,
	})
	step := builder.Add(&other, plan.Edges{})
	if step.Changes == nil {
		return []stacks.ResourceChange{}, nil
	}
	return step.Changes, nil
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
		err := b.pauseBefore(ctx, i, brake)
		if err == nil {
			sink.Event(event.Event{Kind: event.StepStarted, Stack: step.Stack, Action: "break", Total: len(step.Injections)})
			err = b.disturb(ctx, clearance, brake, step)
		}
		took := b.s.now().Sub(begun)
		result.Durations[step.Stack] = took
		if _, stopped := errors.AsType[*chaos.Stopped](err); stopped {
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

// pauseBefore lets the time between two targets pass.
func (b *breaker) pauseBefore(ctx context.Context, i int, brake *chaos.Brake) error {
	if i == 0 || b.opts.pause == 0 {
		return nil
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		select {
		case <-brake.Done():
			cancel()
		case <-ctx.Done():
		}
	}()
	err := b.clock().Wait(ctx, b.opts.pause)
	if why := brake.Pulled(); why != nil {
		return why
	}
	return err
}

// disturb asks the guards again, writes the intent down, and breaks one stack.
func (b *breaker) disturb(ctx context.Context, clearance guard.Clearance, brake *chaos.Brake, step *blast.Step) error {
	if why := brake.Pulled(); why != nil {
		return why
	}
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
	if b.plan.Kind == blast.DriftParameter {
		return b.drift(ctx, clearance, step)
	}
	writer := b.s.injector().Writer(clearance)
	for n, in := range b.captured[step.Stack] {
		if why := brake.Pulled(); why != nil {
			return why
		}
		in.Token = token(b.s.run, step.Stack, n+1)
		if err := b.intend(ctx, chaos.Intent{Stack: step.Stack, StackID: step.StackID, Verb: stacks.Inject, Token: in.Token, For: chaos.ToBreak, Injection: &in}); err != nil {
			return err
		}
		if err := writer.Do(ctx, in); err != nil {
			return err
		}
		now := b.s.now().UTC()
		err := b.record.Write(context.WithoutCancel(ctx), chaos.KindAccepted, chaos.Accepted{
			Stack: step.Stack, StackID: step.StackID, Verb: stacks.Inject, Token: in.Token, LogicalID: in.LogicalID, At: now,
		})
		if err == nil {
			err = b.record.Write(context.WithoutCancel(ctx), chaos.KindObserved, chaos.Observed{
				Stack: step.Stack, StackID: step.StackID, LogicalID: in.LogicalID, Condition: stacks.Broken, At: now,
			})
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// intend writes an intent, unless the journal already tells that the deed must
// not be done.
func (b *breaker) intend(ctx context.Context, i chaos.Intent) error {
	state, err := b.record.fold(ctx)
	if err != nil {
		return err
	}
	if err := state.May(i); err != nil {
		return err
	}
	return b.record.Write(ctx, chaos.KindIntent, i)
}

// drift gives one parameter of a stack another value, and watches the update.
func (b *breaker) drift(ctx context.Context, clearance guard.Clearance, step *blast.Step) error {
	name, value, _ := strings.Cut(b.plan.Arg, ":")
	t := stacks.Target{Path: step.Stack, Name: step.Name, StackID: step.StackID, Access: b.access, Token: token(b.s.run, step.Stack, 1)}
	if live := b.live(step.StackID); live != nil {
		t.Role = live.ServiceRole
	}
	if err := b.intend(ctx, chaos.Intent{Stack: t.Path, StackID: t.StackID, Verb: stacks.Update, Token: t.Token, For: chaos.ToBreak}); err != nil {
		return err
	}
	op, err := b.s.cfn.Writer(clearance).Drift(ctx, t, map[string]string{name: value})
	if err != nil {
		return err
	}
	err = b.record.Write(context.WithoutCancel(ctx), chaos.KindAccepted, chaos.Accepted{
		Stack: t.Path, StackID: t.StackID, Verb: stacks.Update, Token: t.Token, Operation: op.OperationID, At: op.Accepted,
	})
	if err != nil {
		return err
	}
	for p, err := range b.s.cfn.Watch(ctx, op) {
		if err != nil {
			return err
		}
		if !p.Done {
			continue
		}
		o := chaos.Observed{Stack: t.Path, StackID: t.StackID, Status: p.Status, At: b.s.now().UTC()}
		if !p.Status.Succeeded(stacks.Update) {
			o.Reason = fmt.Sprintf("the update ended with %s: %s", p.Status, p.Reason)
		}
		if err := b.record.Write(context.WithoutCancel(ctx), chaos.KindObserved, o); err != nil {
			return err
		}
		if o.Reason != "" {
			return errors.New(o.Reason)
		}
		return nil
	}
	return errors.New("the watch ended before the update did")
}

// capture reads how the resources are that are about to be broken.
func (b *breaker) capture(ctx context.Context) error {
	if !isInjection(b.plan.Kind) {
		return nil
	}
	b.captured = map[stacks.Path][]stacks.Injection{}
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

// drifted tells whether a parameter has the value that a break gave it.
func drifted(live *stacks.Live, arg string) stacks.Condition {
	if live == nil {
		return stacks.Broken
	}
	name, value, _ := strings.Cut(arg, ":")
	for _, p := range live.Parameters {
		switch {
		case p.Key != name:
		case live.Status.InProgress():
			return stacks.Between
		case p.Value == value:
			return stacks.Broken
		}
	}
	return stacks.Whole
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
	return sight, nil
}

// undo puts right what was injected: each as it was captured, and a deleted
// resource by a change set that reverts the drift.
func (b *breaker) undo(ctx context.Context, k *knownBreak, yes bool) error {
	request, deeds, err := b.undoRequest(ctx, k, yes)
	if err != nil || len(deeds) == 0 {
		return err
	}
	custody, err := b.s.custody(ctx, "recover", b.stacksOf(request))
	if err != nil {
		return err
	}
	request.Locks = custody.others()
	if err := b.s.gather(ctx, &request, custody.areas); err != nil {
		return err
	}
	if err := guard.Forbidden(request); err != nil {
		return err
	}
	answers, err := b.app.ask(ctx, request)
	if err != nil {
		return err
	}
	clearance, err := guard.Check(request, answers)
	if err != nil {
		return err
	}
	if err := custody.open(ctx, &request); err != nil {
		return err
	}
	var errs []error
	writer := b.s.injector().Writer(clearance)
	for _, d := range deeds {
		fmt.Fprintf(b.app.talk(), "  %s  %s is put right\n", d.Stack, d.LogicalID())
		if err := b.record.Write(ctx, chaos.KindIntent, chaos.Intent{Stack: d.Stack, StackID: d.StackID, Verb: stacks.Restore, Token: token(b.s.run, d.Stack, 1), For: chaos.ToRecover}); err != nil {
			errs = append(errs, err)
			break
		}
		if d.Injection.Kind == inject.DeleteResource {
			errs = append(errs, b.revert(ctx, clearance, d))
			continue
		}
		errs = append(errs, writer.Undo(ctx, *d.Injection))
	}
	err = errors.Join(errs...)
	return errors.Join(err, custody.end(ctx, fmt.Sprintf("exit %d", exitCode(err))))
}

// undoRequest says to the guard what is to be put right.
func (b *breaker) undoRequest(ctx context.Context, k *knownBreak, yes bool) (guard.Request, []*chaos.Deed, error) {
	s, a := b.s, b.app
	request := guard.Request{
		Run: s.run, Command: "recover", Realm: s.realm, Endpoint: s.endpoint, Terminal: a.env.person() && a.globals.output == "text",
		Yes: yes, Now: s.now(), For: clearanceFor,
	}
	var deeds []*chaos.Deed
	for _, p := range k.state.Order {
		t := k.state.Targets[p]
		found := false
		for _, d := range t.Deeds {
			if d.Verb == stacks.Inject && d.Status.Broken() {
				deeds, found = append(deeds, d), true
			}
		}
		st, ok := s.project.Stack(p)
		if !found || !ok {
			continue
		}
		live, err := s.cfn.Stack(ctx, t.Access, t.StackID)
		if err != nil {
			return request, nil, err
		}
		request.Steps = append(request.Steps, guard.Step{
			Path: p, Name: t.Name, StackID: t.StackID, Account: k.state.Plan.Account, Region: st.Access.Region, Environment: st.Environment,
			LiveTags: live.Tags, Verbs: []stacks.Verb{stacks.Restore, stacks.Propose, stacks.Execute, stacks.Discard},
		})
	}
	return request, deeds, nil
}

func (b *breaker) stacksOf(r guard.Request) []*stacks.Stack {
	var out []*stacks.Stack
	for i := range r.Steps {
		if st, ok := b.s.project.Stack(r.Steps[i].Path); ok {
			out = append(out, st)
		}
	}
	return out
}

// revert makes and carries out a change set that brings a stack's resources back
// to what its template says.
func (b *breaker) revert(ctx context.Context, clearance guard.Clearance, d *chaos.Deed) error {
	w := b.s.cfn.Writer(clearance)
	t := stacks.Target{Path: d.Stack, Name: d.Name, StackID: d.StackID, Access: d.Access, Token: token(b.s.run, d.Stack, 2)}
	set, err := w.ProposeRevert(ctx, t, "deployer-recover-"+b.s.run)
	if err != nil {
		return err
	}
	t.Token = token(b.s.run, d.Stack, 3)
	op, err := w.Execute(ctx, t, set.ID, false)
	if err != nil {
		return err
	}
	for p, err := range b.s.cfn.Watch(ctx, op) {
		if err != nil {
			return err
		}
		if p.Done && !p.Status.Succeeded(stacks.Execute) {
			return fmt.Errorf("%s: reverting ended with %s: %s", d.Stack, p.Status, p.Reason)
		}
	}
	return nil
}
