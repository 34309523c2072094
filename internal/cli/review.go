package cli

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/urfave/cli/v2"

	"github.com/deployer-cli/deployer/internal/cfn"
	"github.com/deployer-cli/deployer/internal/execute"
	"github.com/deployer-cli/deployer/internal/guard"
	"github.com/deployer-cli/deployer/internal/journal"
	"github.com/deployer-cli/deployer/internal/plan"
	"github.com/deployer-cli/deployer/internal/ui"
	"github.com/deployer-cli/deployer/stacks"
)

// withReview gives update a way to look at change sets first.
func (a *app) withReview(cmd *cli.Command) *cli.Command {
	plain := cmd.Action
	cmd.Description = "With --change-set every update is a change set: they are made, shown, asked about,\ncarried out, and deleted where they were not. What waits for another stack of the\nsame run cannot be shown yet: it is left out, and the exit code is 1."
	cmd.Flags = append(cmd.Flags,
		&cli.BoolFlag{Name: "change-set", Aliases: []string{"c"}, Usage: "make change sets and show them before anything is updated"},
		&cli.BoolFlag{Name: "verbose", Aliases: []string{"v"}, Usage: "show the change sets' parameters and tags too"},
	)
	cmd.Action = func(c *cli.Context) error {
		if !c.Bool("change-set") {
			if c.Bool("verbose") {
				return &usageError{"--verbose is about change sets", "give --change-set too"}
			}
			return plain(c)
		}
		opts, err := a.runOptions(c)
		if err != nil {
			return err
		}
		r := &review{launcher: launcher{app: a, opts: opts}, verbose: c.Bool("verbose")}
		err = r.run(c.Context)
		if a.globals.output != "text" {
			return r.result(err)
		}
		return err
	}
	return cmd
}

// review is an update by change sets that a person sees first.
type review struct {
	launcher
	verbose bool
	made    map[stacks.Path]cfn.ChangeSet
	left    []error // what could not be shown, and is not done
}

func (r *review) run(ctx context.Context) error {
	if err := r.prepareInTime(ctx); err != nil {
		return err
	}
	defer r.s.close() //nolint:errcheck // what matters was synced
	r.leaveOut()
	if r.app.globals.output == "text" {
		ui.ShowPlan(r.app.talk(), r.app.err, r.plan, r.app.columns())
	}
	if r.opts.dryRun {
		return nil
	}
	if !r.working() {
		return errors.Join(append(r.left, r.nothing())...)
	}
	clearance, err := r.cleared(ctx, []stacks.Verb{stacks.Propose, stacks.Upload, stacks.Discard}, true)
	if err != nil {
		return err
	}
	j, err := journal.Open(r.s.state("journal"), r.s.run)
	if err != nil {
		return err
	}
	writer := journaled{writer: r.s.cfn.Writer(clearance), journal: j, accounts: r.planner.accounts}
	err = r.propose(ctx, writer)
	if err == nil {
		err = r.carryOut(ctx)
	}
	return errors.Join(append([]error{err, r.tidy(context.WithoutCancel(ctx), writer), j.Close()}, r.left...)...)
}

// leaveOut takes what is decided only later out of the plan.
func (r *review) leaveOut() {
	for i := range r.plan.Steps {
		step := &r.plan.Steps[i]
		if !step.Late && step.Action != plan.Join {
			continue
		}
		why := "what it waits for changes in the same run: run update again"
		if step.Action == plan.Join {
			why = fmt.Sprintf("it is %s: run update again when that is over", step.Status)
		}
		step.Action, step.Late, step.Cause = plan.Skip, false, why
		r.left = append(r.left, &execute.StepError{Stack: step.Stack, What: "not updated", Why: why})
	}
}

// cleared asks the guard for the same verbs on every step that changes.
// Making change sets changes nothing, so that it takes the yes that comes
// after them for granted wherever a yes is enough.
func (r *review) cleared(ctx context.Context, verbs []stacks.Verb, yes bool) (guard.Clearance, error) {
	request, err := r.request(ctx)
	if err != nil {
		return guard.Clearance{}, err
	}
	request.Yes = request.Yes || yes
	for i := range request.Steps {
		request.Steps[i].Verbs, request.Steps[i].Deletes = verbs, false
	}
	answers, err := r.app.ask(ctx, request)
	if err != nil {
		return guard.Clearance{}, err
	}
	return guard.Check(request, answers)
}

// proposeAtOnce is how many change sets are worked out at the same time.
const proposeAtOnce = 8

// propose makes a change set for every step and shows them in the plan's order.
func (r *review) propose(ctx context.Context, w journaled) error {
	r.made = map[stacks.Path]cfn.ChangeSet{}
	r.sets = &setsOf{name: "review-" + r.s.run, ids: map[stacks.Path]string{}}
	var mu sync.Mutex
	var wg sync.WaitGroup
	var errs []error
	slots := make(chan struct{}, proposeAtOnce)
	for i := range r.plan.Steps {
		step := &r.plan.Steps[i]
		if !step.Changing() {
			continue
		}
		wg.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			set, err := r.proposeOne(ctx, w, step)
			mu.Lock()
			defer mu.Unlock()
			if _, none := errors.AsType[*stacks.NoChangesError](err); none {
				return
			}
			if err != nil {
				errs = append(errs, &execute.StepError{Stack: step.Stack, What: "no change set could be made", Why: err.Error(), Cause: err})
				return
			}
			r.made[step.Stack], r.sets.ids[step.Stack] = set, set.ID
			step.Changes = changeSetOf(set).Changes
		})
	}
	wg.Wait()
	if r.app.globals.output == "text" {
		for i := range r.plan.Steps {
			if set, ok := r.made[r.plan.Steps[i].Stack]; ok {
				r.app.showChangeSet(r.plan.Steps[i].Stack, set)
				r.app.showInputs(set, r.verbose)
			}
		}
	}
	return errors.Join(errs...)
}

func (r *review) proposeOne(ctx context.Context, w journaled, step *plan.Step) (cfn.ChangeSet, error) {
	if step.Blocked != "" {
		return cfn.ChangeSet{}, errors.New(step.Blocked)
	}
	return w.Propose(ctx, stacks.Change{
		Verb: stacks.Update, Desired: step.Desired, StackID: step.StackID, Token: token(r.s.run, step.Stack, 100),
	}, r.sets.name)
}

// carryOut asks about what was shown and does it.
func (r *review) carryOut(ctx context.Context) error {
	clearance, err := r.cleared(ctx, []stacks.Verb{stacks.Execute, stacks.Policy, stacks.Protect}, false)
	if err != nil {
		return err
	}
	return r.execute(ctx, clearance)
}

// tidy deletes the change sets that were not carried out.
func (r *review) tidy(ctx context.Context, w journaled) error {
	var errs []error
	for path, set := range r.made {
		if o := r.done.Outcomes[path]; o == execute.Updated || o == execute.Running || o == execute.Unknown || o == execute.Failed {
			continue // CloudFormation drops those itself
		}
		st := r.planner.sc.stacks[path]
		t := stacks.Target{Path: path, Name: st.Name, StackID: set.StackID, Access: st.Access}
		errs = append(errs, w.Discard(ctx, t, set.ID))
	}
	return errors.Join(errs...)
}
