package cli

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/deployer-cli/deployer/internal/cfn"
	"github.com/deployer-cli/deployer/internal/execute"
	"github.com/deployer-cli/deployer/internal/hook"
	"github.com/deployer-cli/deployer/internal/prepare"
	"github.com/deployer-cli/deployer/internal/restype"
	"github.com/deployer-cli/deployer/internal/ui"
	"github.com/deployer-cli/deployer/stacks"
)

// withChangeSet lets a command take the name of a change set as its second
// argument: then it is about that change set, and never about the stack.
func (a *app) withChangeSet(cmd *cli.Command, verb, says string, run func(*changeSets, context.Context) error) *cli.Command {
	about := cmd.Action
	cmd.ArgsUsage = "PATH [CHANGE_SET]"
	if cmd.Description != "" {
		cmd.Description += "\n\n"
	}
	cmd.Description += says
	cmd.Action = func(c *cli.Context) error {
		if c.NArg() < 2 {
			return about(c)
		}
		r := &changeSets{actor: actor{app: a, yes: c.Bool("yes"), dryRun: c.Bool("dry-run")}}
		var err error
		r.arg, r.name, err = twoArguments(c, "at most the name of one change set", "see: deployer list change-sets PATH")
		r.command = fmt.Sprintf("%s change set %s of", verb, r.name)
		switch {
		case err != nil:
		case c.Bool("disable-rollback"):
			err = &usageError{"--disable-rollback is no matter of making a change set", "give it to: deployer execute " + r.arg + " " + r.name}
		default:
			ctx, cancel := limitedBy(c.Context, c.Duration("timeout"))
			defer cancel()
			err = run(r, ctx)
		}
		return r.finish(err)
	}
	return cmd
}

// limitedBy ends a context after a time, if one was given.
func limitedBy(ctx context.Context, limit time.Duration) (context.Context, context.CancelFunc) {
	if limit > 0 {
		return context.WithTimeoutCause(ctx, limit, &timeoutError{limit})
	}
	return context.WithCancel(ctx)
}

// changeSets is one run over the change sets of one name.
type changeSets struct {
	actor
	name string
	made map[stacks.Path]cfn.ChangeSet
}

// changeSetRow is a change set in JSON.
type changeSetRow struct {
	Name      string                  `json:"name"`
	ID        string                  `json:"id"`
	Status    string                  `json:"status"`
	Execution string                  `json:"execution"`
	Reason    string                  `json:"reason"`
	Changes   []stacks.ResourceChange `json:"changes"`
}

func changeSetOf(cs cfn.ChangeSet) changeSetRow {
	row := changeSetRow{Name: cs.Name, ID: cs.ID, Status: cs.Status, Execution: cs.Execution, Reason: cs.Reason, Changes: []stacks.ResourceChange{}}
	for _, c := range cs.Changes {
		c.Data = restype.HoldsData(c.Type)
		row.Changes = append(row.Changes, c)
	}
	return row
}

// changeSetName is what CloudFormation takes, says the API reference of
// CreateChangeSet.
var changeSetName = regexp.MustCompile(`^[a-zA-Z][-a-zA-Z0-9]{0,127}$`)

// create makes a change set of that name for every stack under PATH. Values of
// other stacks are as those live.
func (r *changeSets) create(ctx context.Context) error {
	if !changeSetName.MatchString(r.name) {
		return &usageError{fmt.Sprintf("%q is no name for a change set", r.name), "letters, digits and dashes, a letter first, 128 at most"}
	}
	if err := r.begin(ctx); err != nil {
		return err
	}
	changes, err := r.changes(ctx)
	if err != nil {
		return err
	}
	var aims []aim
	for _, st := range r.sc.selected() {
		c, ok := changes[st.Path]
		if !ok {
			r.outcomes[st.Path] = execute.Skipped
			continue
		}
		aims = append(aims, aim{
			stack: st, live: r.live[st.Path], verbs: []stacks.Verb{stacks.Propose, stacks.Upload, stacks.Discard},
			says: map[stacks.Verb]string{stacks.Create: "a change set that creates it", stacks.Update: "a change set that updates it"}[c.Verb],
		})
	}
	if len(aims) == 0 {
		r.done("nothing to do")
		return nil
	}
	r.made = map[stacks.Path]cfn.ChangeSet{}
	r.hooked = r.hooks(aims)
	err = r.act(ctx, aims, func(ctx context.Context, w journaled, m aim) (execute.Outcome, error) {
		return r.propose(ctx, w, changes[m.stack.Path], r.target(m).Token)
	})
	r.report(aims)
	return err
}

// hooks tells whether hooks run with making the change sets.
func (r *changeSets) hooks(aims []aim) bool {
	return !r.app.globals.noHooks && slices.ContainsFunc(aims, func(m aim) bool {
		return m.stack.Hooked(string(hook.Before(hook.CreateChangeSet)), string(hook.After(hook.CreateChangeSet)))
	})
}

// propose makes one change set. That there is nothing to change is no failure.
func (r *changeSets) propose(ctx context.Context, w journaled, c stacks.Change, token string) (execute.Outcome, error) {
	c.Token = token
	var set cfn.ChangeSet
	err := r.s.around(ctx, []*stacks.Stack{c.Desired.Stack}, hook.CreateChangeSet, func() error {
		var err error
		set, err = w.Propose(ctx, c, r.name)
		return err
	})
	if _, none := errors.AsType[*stacks.NoChangesError](err); none {
		return execute.Unchanged, nil
	}
	if err != nil {
		return "", err
	}
	r.made[c.Desired.Stack.Path] = set
	return execute.Unchanged, nil
}

// changes prepares every selected stack with how the others live.
func (r *changeSets) changes(ctx context.Context) (map[stacks.Path]stacks.Change, error) {
	r.s.useLive()
	var wanted []*stacks.Stack
	for _, st := range r.sc.selected() {
		switch {
		case st.Ignore, st.Obsolete:
			fmt.Fprintf(r.app.talk(), "  %s  is marked %s\n", st.Path, map[bool]string{true: "ignore", false: "obsolete"}[st.Ignore])
		default:
			wanted = append(wanted, st)
		}
	}
	desired, err := r.s.prepare.All(ctx, wanted)
	if err != nil {
		return nil, err
	}
	if err := r.s.prepare.CheckAll(desired); err != nil {
		return nil, err
	}
	out := map[stacks.Path]stacks.Change{}
	var errs []error
	for _, d := range desired {
		c := stacks.Change{Verb: stacks.Create, Desired: d}
		if live := r.live[d.Stack.Path]; live != nil {
			c.StackID = live.ID
			if live.Status.Exists() {
				c.Verb = stacks.Update
			}
			errs = append(errs, r.free(ctx, d.Stack, live))
		}
		errs = append(errs, asUsage(prepare.Complete(d)))
		out[d.Stack.Path] = c
	}
	return out, errors.Join(errs...)
}

// asUsage gives an error that stopped a command before it touched anything the
// exit code of one.
func asUsage(err error) error {
	if err == nil {
		return nil
	}
	e := &usageError{what: err.Error()}
	if h, ok := errors.AsType[hinter](err); ok {
		e.hint = h.Hint()
	}
	return e
}

// free refuses to make a change set where one of that name is.
func (r *changeSets) free(ctx context.Context, st *stacks.Stack, live *stacks.Live) error {
	sets, err := r.s.cfn.ChangeSets(ctx, st.Access, live.ID)
	if err != nil {
		return err
	}
	for _, cs := range sets {
		if cs.Name == r.name {
			return &usageError{
				fmt.Sprintf("%s has a change set %s already", st.Path, r.name),
				fmt.Sprintf("see it with: deployer describe change-set %s %s", st.Path, r.name),
			}
		}
	}
	return nil
}

// report tells what the change sets that were made would do.
func (r *changeSets) report(aims []aim) {
	rows := map[stacks.Path]changeSetRow{}
	for path, set := range r.made {
		rows[path] = changeSetOf(set)
	}
	r.extra = map[string]any{"change_sets": rows}
	if r.app.globals.output != "text" {
		return
	}
	for _, m := range aims {
		set, made := r.made[m.stack.Path]
		switch {
		case made:
			r.app.showChangeSet(m.stack.Path, set)
			if e := m.stack.Environment; e != nil && e.Class == stacks.Production {
				fmt.Fprintf(r.app.talk(), "to look at: in production only the change sets of a reviewed plan are carried out (deployer plan %s --out F)\n", m.stack.Path)
				continue
			}
			fmt.Fprintf(r.app.talk(), "carry it out with: deployer execute %s %s\n", m.stack.Path, r.name)
		case r.outcomes[m.stack.Path] == execute.Unchanged:
			fmt.Fprintf(r.app.env.Stdout, "%s  nothing to change, so there is no change set\n", m.stack.Path)
		}
	}
}

// showChangeSet writes what a change set would do, a line for each resource.
func (a *app) showChangeSet(path stacks.Path, set cfn.ChangeSet) {
	fmt.Fprintf(a.env.Stdout, "%s  %s  %s  %s\n", path, set.Name, set.Status, set.Execution)
	if set.Reason != "" {
		fmt.Fprintln(a.env.Stdout, set.Reason)
	}
	rows := make([][]string, 0, len(set.Changes))
	for _, c := range changeSetOf(set).Changes {
		what := c.Replacement
		if c.Data {
			what = strings.TrimSpace(what + " (holds data)")
		}
		rows = append(rows, []string{"  " + c.Action, c.LogicalID, c.Type, what, c.Why})
	}
	ui.Table(a.env.Stdout, []string{"  action", "resource", "type", "replacement", "why"}, rows)
}

// discard deletes the change sets of that name. A name that none of the stacks
// knows is an error; the stacks themselves are never touched.
func (r *changeSets) discard(ctx context.Context) error {
	if err := r.begin(ctx); err != nil {
		return err
	}
	found, have, err := r.find(ctx)
	if err != nil {
		return err
	}
	var aims []aim
	for _, st := range r.sc.selected() {
		r.outcomes[st.Path] = execute.Skipped
		if set, ok := found[st.Path]; ok {
			aims = append(aims, aim{stack: st, live: r.live[st.Path], verbs: []stacks.Verb{stacks.Discard}, says: r.discarded(set)})
		}
	}
	if len(aims) == 0 {
		return r.unknown(have)
	}
	err = r.act(ctx, aims, func(ctx context.Context, w journaled, m aim) (execute.Outcome, error) {
		return execute.Unchanged, w.Discard(ctx, r.target(m), found[m.stack.Path].ID)
	})
	if err == nil && !r.dryRun {
		r.done(fmt.Sprintf("%d deleted, the stacks stay", len(aims)))
	}
	return err
}

// discarded says what the reader loses with a change set. One of a plan is not deleted by
// habit: somebody may have reviewed it, and it is dropped as a plan is.
func (r *changeSets) discarded(set cfn.ChangeSet) string {
	if !planSet.MatchString(set.Name) {
		return "its change set " + set.Name + " is deleted, the stack stays"
	}
	r.command, r.reason = "delete a plan's change set of", "drops "+set.Name+" of a plan"
	r.agree = "the plan cannot be carried out any more: delete its change set?"
	return r.app.advice("its change set " + set.Name + " belongs to a plan, which cannot be carried out without it; it is deleted, the stack stays (drop the whole plan with: deployer plan discard FILE)")
}

// find looks for the change sets of that name, and tells which others there are.
func (r *changeSets) find(ctx context.Context) (map[stacks.Path]cfn.ChangeSet, []string, error) {
	found := map[stacks.Path]cfn.ChangeSet{}
	var have []string
	for _, st := range r.sc.selected() {
		live := r.live[st.Path]
		if live == nil {
			continue
		}
		sets, err := r.s.cfn.ChangeSets(ctx, st.Access, live.ID)
		if err != nil {
			return nil, nil, err
		}
		for _, cs := range sets {
			have = append(have, fmt.Sprintf("%s of %s", cs.Name, st.Path))
			if cs.Name == r.name || cs.ID == r.name {
				found[st.Path] = cs
			}
		}
	}
	return found, have, nil
}

func (r *changeSets) unknown(have []string) error {
	hint := "there are no change sets; to delete stacks, leave the name out"
	if !strings.HasPrefix(r.command, "delete") {
		hint = fmt.Sprintf("there are no change sets; make one with: deployer create %s %s", r.arg, r.name)
	}
	if len(have) > 0 {
		hint = "there is " + strings.Join(have, ", ")
	}
	return &usageError{fmt.Sprintf("no stack under %s has a change set %s", r.arg, r.name), hint}
}

// describedChangeSet is a change set in JSON, with what it gives its stack
// where that was asked for.
func describedChangeSet(cs cfn.ChangeSet, verbose bool) any {
	row := changeSetOf(cs)
	if !verbose {
		return row
	}
	parameters, tags := map[string]string{}, map[string]string{}
	for _, p := range cs.Parameters {
		parameters[p.Key] = p.Value
	}
	for _, t := range cs.Tags {
		tags[t.Key] = t.Value
	}
	return struct {
		changeSetRow
		Description string            `json:"description"`
		Created     string            `json:"created"`
		StackID     string            `json:"stack_id"`
		Parameters  map[string]string `json:"parameters"`
		Tags        map[string]string `json:"tags"`
		Nested      []string          `json:"nested"`
	}{row, cs.Description, cs.Created.UTC().Format(time.RFC3339), cs.StackID, parameters, tags, append([]string{}, cs.Nested...)}
}
