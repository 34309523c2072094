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
	"github.com/deployer-cli/deployer/internal/plan"
	"github.com/deployer-cli/deployer/stacks"
)

// discarder drops one plan.
type discarder struct {
	actor
	file  *plan.File
	sets  map[stacks.Path]string // the change sets that are still there
	shell map[stacks.Path]bool   // whether the stack is nothing but the plan's shell
	tried bool                   // the guard said yes
}

// planDiscardCommand drops a plan: its change sets, and the shells that
// planning new stacks left.
func (a *app) planDiscardCommand() *cli.Command {
	return &cli.Command{
		Name: "discard", Usage: "drop a plan: its change sets, and the empty shells of new stacks", ArgsUsage: "FILE",
		Description: "Whoever has the file may drop the plan. It takes the environment's lock, and is in its\nhistory. A plan for production is dropped by a phrase that is typed, or where there is\nno terminal with --digest. Freezes and leases do not hold it up: it begins nothing.",
		Flags:       []cli.Flag{&cli.StringFlag{Name: "digest", Usage: "the `DIGEST` of the plan that is meant; in production where there is no terminal"}},
		Action: func(c *cli.Context) error {
			f, err := a.planArgument(c)
			if err != nil {
				return err
			}
			r := &discarder{actor: actor{app: a, command: "plan discard", arg: f.Path, digest: c.String("digest"), reason: "drops the plan " + f.Digest}, file: f}
			return r.finish(r.discard(c.Context))
		},
	}
}

func (r *discarder) discard(ctx context.Context) error {
	if r.digest != "" && r.digest != r.file.Digest {
		return &plan.StaleError{What: "another plan is meant", Why: fmt.Sprintf("the digest of this file is %s", r.file.Digest), Tip: "see: deployer plan show FILE"}
	}
	sts, err := r.find(ctx)
	if err != nil {
		return err
	}
	aims, err := r.aims(ctx, sts)
	if err != nil {
		return err
	}
	if len(aims) == 0 {
		r.done("nothing to drop")
		return nil
	}
	if err = r.act(ctx, aims, r.drop); r.tried {
		r.tell(aims)
	}
	return err
}

// find opens the project, and gives the stacks for which the plan made change sets.
func (r *discarder) find(ctx context.Context) ([]*stacks.Stack, error) {
	r.outcomes = map[stacks.Path]execute.Outcome{}
	var err error
	if r.s, r.sc, err = r.app.look(ctx, r.arg); err != nil {
		return nil, err
	}
	r.started = r.s.now()
	if r.s.realm != r.file.Plan.Realm || r.s.endpoint != r.file.Endpoint {
		return nil, &plan.StaleError{What: "the plan is for another realm", Why: fmt.Sprintf("it was made for %s, this is %s", r.file.Plan.Realm, r.s.realm), Tip: "use the realm that it was made for"}
	}
	var sts []*stacks.Stack
	for i := range r.file.Plan.Steps {
		step := &r.file.Plan.Steps[i]
		st, ok := r.s.project.Stack(step.Stack)
		if step.ChangeSet == "" {
			continue
		}
		if !strings.Contains(step.ChangeSet, ":changeSet/"+changeSetOfRun(r.file.Run)+"/") {
			return nil, &plan.StaleError{What: fmt.Sprintf("the change set of %s is not the plan's", step.Stack), Why: "a plan drops what its own run made, and nothing else", Tip: "see: deployer list change-sets " + string(step.Stack)}
		}
		if !ok {
			r.note(step.Stack, "is not in the project any more, what the plan made of it stays")
			continue
		}
		if st, err = r.s.located(ctx, st); err != nil {
			return nil, err
		}
		sts = append(sts, st)
	}
	if r.accounts, err = r.s.accountsOf(ctx, sts); err != nil {
		return nil, err
	}
	if err := r.s.boundTwins(ctx, sts, r.accounts); err != nil {
		return nil, err
	}
	r.live, err = r.s.sweep(ctx, sts)
	return sts, err
}

func (r *discarder) note(path stacks.Path, text string) {
	fmt.Fprintf(r.app.talk(), "  %s  %s\n", path, text)
}

// aims looks what of the plan is still there.
func (r *discarder) aims(ctx context.Context, sts []*stacks.Stack) ([]aim, error) {
	r.sets, r.shell = map[stacks.Path]string{}, map[stacks.Path]bool{}
	var aims []aim
	for _, st := range sts {
		i := slices.IndexFunc(r.file.Plan.Steps, func(s plan.Step) bool { return s.Stack == st.Path })
		step, live := &r.file.Plan.Steps[i], r.live[st.Path]
		r.outcomes[st.Path] = execute.Skipped
		if live == nil || live.ID != step.StackID {
			r.note(st.Path, "has nothing of the plan any more")
			continue
		}
		sets, err := r.s.cfn.ChangeSets(ctx, st.Access, live.ID)
		if err != nil {
			return nil, err
		}
		r.shell[st.Path] = step.Action == plan.Create && live.Status == stacks.ReviewInProgress
		at := slices.IndexFunc(sets, func(cs cfn.ChangeSet) bool { return cs.ID == step.ChangeSet })
		says := ""
		switch {
		case at >= 0 && strings.HasPrefix(sets[at].Execution, "EXECUTE_"):
			r.note(st.Path, "was applied")
			continue
		case at >= 0:
			r.sets[st.Path], says = sets[at].ID, "its change set "+sets[at].Name+" is dropped"
			if r.shell[st.Path] {
				says += ", and the empty shell of a stack that was never created"
			}
		case r.shell[st.Path] && len(sets) == 0:
			says = "the empty shell of a stack that was never created is dropped"
		default:
			r.note(st.Path, "has nothing of the plan any more")
			continue
		}
		aims = append(aims, aim{stack: st, live: live, verbs: []stacks.Verb{stacks.Discard}, says: says})
	}
	return aims, nil
}

// drop drops what the plan made of one stack. Somebody else's change set in the shell
// keeps that.
func (r *discarder) drop(ctx context.Context, w journaled, m aim) (execute.Outcome, error) {
	r.tried = true
	path := m.stack.Path
	if id := r.sets[path]; id != "" {
		return execute.Unchanged, drop(ctx, w, r.target(m), id, r.shell[path])
	}
	err := w.DiscardShell(ctx, r.target(m))
	if _, busy := errors.AsType[*stacks.BusyError](err); busy {
		err = nil
	}
	return execute.Unchanged, err
}

// tell says what was dropped, and what was not.
func (r *discarder) tell(aims []aim) {
	sets := 0
	var left []string
	for _, m := range aims {
		switch path := m.stack.Path; {
		case r.outcomes[path] != execute.Unchanged:
			left = append(left, string(path))
		case r.sets[path] != "":
			sets++
		}
	}
	if len(left) > 0 {
		fmt.Fprintf(r.app.talk(), "dropped %d change sets; not dropped: %s (run it again)\n", sets, strings.Join(left, ", "))
		return
	}
	if sets == 0 {
		r.done(fmt.Sprintf("dropped %d empty shells, their change sets were gone", len(aims)))
		return
	}
	r.done(fmt.Sprintf("dropped %d change sets", sets))
}
