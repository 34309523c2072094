package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/deployer-cli/deployer/internal/cfn"
	"github.com/deployer-cli/deployer/internal/execute"
	"github.com/deployer-cli/deployer/internal/graph"
	"github.com/deployer-cli/deployer/internal/guard"
	"github.com/deployer-cli/deployer/internal/hook"
	"github.com/deployer-cli/deployer/internal/plan"
	"github.com/deployer-cli/deployer/stacks"
)

// executeCommand carries out change sets that were made before.
func (a *app) executeCommand() *cli.Command {
	return &cli.Command{
		Name: "execute", Usage: "carry out the change set of that name on every stack under PATH that has it", ArgsUsage: "PATH CHANGE_SET",
		Description: "Stacks go in the order of their dependencies. In production only the change sets of a\nreviewed plan are carried out, so that this command is refused there.",
		Flags:       append(runFlags(), rollbackFlags()...),
		Action: func(c *cli.Context) error {
			r := &launcher{app: a}
			err := a.runExecute(c, r)
			if a.globals.output != "text" {
				return r.result(err)
			}
			return err
		},
	}
}

func (a *app) runExecute(c *cli.Context, r *launcher) error {
	arg, name, err := twoArguments(c, "the name of a change set", "see: deployer list change-sets PATH")
	if err != nil {
		return err
	}
	r.opts = runOptions{
		command: "execute", arg: arg, yes: c.Bool("yes"), dryRun: c.Bool("dry-run"),
		disableRollback: c.Bool("disable-rollback"), failFast: c.Bool("fail-fast"), timeout: c.Duration("timeout"),
	}
	r.sets = &setsOf{name: name, ids: map[stacks.Path]string{}}
	return r.run(c.Context)
}

// setsOf is the change sets that a run carries out.
type setsOf struct {
	name string
	ids  map[stacks.Path]string
}

// changer is what makes the executor's calls: where change sets are carried
// out nothing else ever is.
func (r *launcher) changer(w journaled) execute.Changer {
	var out execute.Changer = w
	switch {
	case r.file != nil || r.proposals != nil:
		out = reviewed{journaled: w, r: r}
	case r.left == nil && r.sets != nil:
		return executor{journaled: w, sets: r.sets}
	}
	if r.left != nil {
		return takesIn{journaled: w, r: r, other: out}
	}
	return out
}

// executor carries a change set out wherever a stack would be created or
// updated.
type executor struct {
	journaled
	sets *setsOf
}

// Create implements execute.Changer.
func (e executor) Create(ctx context.Context, c stacks.Change) (stacks.Operation, error) {
	return e.carryOut(ctx, c)
}

// Update implements execute.Changer.
func (e executor) Update(ctx context.Context, c stacks.Change) (stacks.Operation, error) {
	return e.carryOut(ctx, c)
}

// Delete implements execute.Changer: a change set deletes no stack.
func (e executor) Delete(_ context.Context, t stacks.Target, _ []string) (stacks.Operation, error) {
	return stacks.Operation{}, fmt.Errorf("%s is not deleted: a change set does not do that", t.Path)
}

func (e executor) carryOut(ctx context.Context, c stacks.Change) (stacks.Operation, error) {
	t := targetOf(c)
	id, ok := e.sets.ids[t.Path]
	if !ok {
		return stacks.Operation{}, &stacks.NoChangesError{Name: t.Name}
	}
	return e.Execute(ctx, t, id, c.DisableRollback)
}

// inOrder is the scope of the stacks under arg and no others, in the order of
// their dependencies.
func (s *session) inOrder(ctx context.Context, arg string) (*scope, error) {
	selection, err := s.project.Select(arg)
	if err != nil || !selection.Group || s.app.globals.ignoreDeps {
		return s.alone(ctx, arg)
	}
	return s.scope(ctx, arg, graph.Up)
}

// planExecution finds the change sets and makes a step of each.
func (r *launcher) planExecution(ctx context.Context) (*plan.Plan, error) {
	p := r.planner
	head := p.sc.head()
	out := &plan.Plan{
		Environment: environmentName(head), Account: p.accounts[head.Access], Region: head.Access.Region, Realm: r.s.realm, Steps: []plan.Step{},
	}
	if head.Environment != nil {
		out.Class = head.Environment.Class
	}
	var have []string
	var errs []error
	for _, st := range p.sc.list() {
		seen, _ := p.snapshot.Get(st.Path)
		if seen.Live == nil || !slices.Contains(p.sc.selection.Stacks, st.Path) {
			continue
		}
		sets, err := r.s.cfn.ChangeSets(ctx, st.Access, seen.Live.ID)
		if err != nil {
			return nil, err
		}
		for _, cs := range sets {
			have = append(have, fmt.Sprintf("%s of %s", cs.Name, st.Path))
			if cs.Name != r.sets.name && cs.ID != r.sets.name {
				continue
			}
			step, err := r.executionStep(ctx, st, seen.Live, cs.ID)
			errs = append(errs, err)
			out.Steps = append(out.Steps, step)
		}
	}
	if len(out.Steps) == 0 {
		hint := fmt.Sprintf("there are no change sets; make one with: deployer create %s %s", r.opts.arg, r.sets.name)
		if len(have) > 0 {
			hint = "there is " + strings.Join(have, ", ")
		}
		return nil, &usageError{fmt.Sprintf("no stack under %s has a change set %s", r.opts.arg, r.sets.name), hint}
	}
	return out, errors.Join(errs...)
}

// executionStep describes one change set, which has to be ready.
func (r *launcher) executionStep(ctx context.Context, st *stacks.Stack, live *stacks.Live, id string) (plan.Step, error) {
	cs, err := r.s.cfn.ChangeSet(ctx, st.Access, live.ID, id)
	if err != nil {
		return plan.Step{}, err
	}
	if !cs.Ready() {
		why := strings.TrimSpace(fmt.Sprintf("%s, %s %s", cs.Status, cs.Execution, cs.Reason))
		return plan.Step{}, &usageError{
			fmt.Sprintf("change set %s of %s cannot be carried out: it is %s", cs.Name, st.Path, why),
			fmt.Sprintf("delete it with: deployer delete %s %s; and make another", st.Path, cs.Name),
		}
	}
	r.sets.ids[st.Path] = cs.ID
	step := r.stepOf(st, live, cs)
	step.Cause = fmt.Sprintf("change set %s of %s", cs.Name, cs.Created.UTC().Format("2006-01-02 15:04"))
	for _, e := range r.planner.sc.graph.Dependencies(st.Path) {
		step.After = append(step.After, e.To)
	}
	step.After = stacks.SortPaths(step.After)
	return step, nil
}

// stepOf makes a step of what a change set would do.
func (r *launcher) stepOf(st *stacks.Stack, live *stacks.Live, cs cfn.ChangeSet) plan.Step {
	step := plan.Step{
		Stack: st.Path, Name: st.Name, Action: plan.Update, After: []stacks.Path{}, MayReplace: []string{},
		Changes: changeSetOf(cs).Changes, Environment: environmentName(st), Account: r.planner.accounts[st.Access],
		Region: st.Access.Region, StackID: live.ID, Status: live.Status, Live: live, Resources: len(cs.Changes),
		Desired: &stacks.Desired{Stack: st, ServiceRole: live.ServiceRole},
	}
	if !live.Status.Exists() {
		step.Action = plan.Create
	}
	if st.Environment != nil {
		step.Class = st.Environment.Class
	}
	for _, c := range step.Changes {
		if c.Replacement == "conditional" {
			step.MayReplace = append(step.MayReplace, c.LogicalID)
		}
	}
	return step
}

// hooks are those of the run: what goes by change sets that somebody asked for
// has moments of its own.
func (r *launcher) hooks(clearance guard.Clearance) execute.Hooks {
	h := r.s.hooks(clearance)
	if h == nil || r.sets == nil && !r.opts.changeSets {
		return h
	}
	return setHooks{h}
}

// setHooks runs the hooks of carrying out a change set instead of those of
// creating and updating.
type setHooks struct{ execute.Hooks }

// Run implements execute.Hooks.
func (h setHooks) Run(ctx context.Context, st *stacks.Stack, moment string, output func(line string)) error {
	switch hook.Moment(moment) {
	case hook.Before(hook.Create), hook.Before(hook.Update):
		return h.Hooks.Run(ctx, st, string(hook.Before(hook.ExecuteChangeSet)), output)
	case hook.After(hook.Create), hook.After(hook.Update):
		return h.Hooks.Run(ctx, st, string(hook.After(hook.ExecuteChangeSet)), output)
	}
	return nil
}
