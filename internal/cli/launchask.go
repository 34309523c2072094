package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/deployer-cli/deployer/internal/cfn"
	"github.com/deployer-cli/deployer/internal/guard"
	"github.com/deployer-cli/deployer/internal/plan"
	"github.com/deployer-cli/deployer/internal/ui"
	"github.com/deployer-cli/deployer/stacks"
)

// forbidden asks the guard before change sets are made: what is refused in any
// case leaves none behind.
func (r *launcher) forbidden(ctx context.Context) error {
	request, err := r.request(ctx)
	if err != nil || !r.changes {
		return err
	}
	request.DataLoss, request.Separate = nil, nil // change sets tell that better
	if err := r.gather(ctx, &request); err != nil {
		return err
	}
	return guard.Forbidden(request)
}

// blockedDelete refuses to delete some of the stacks where it is known that
// others cannot go: half an environment helps nobody.
func (r *launcher) blockedDelete() error {
	if !r.deletes() {
		return nil
	}
	var errs []error
	for i := range r.plan.Steps {
		if step := &r.plan.Steps[i]; step.Blocked != "" {
			errs = append(errs, &guard.Refusal{
				Rule: "all or nothing", Code: 3, What: fmt.Sprintf("%s cannot be deleted", step.Stack), Why: step.Blocked,
				Tip: "nothing was deleted; mend that, or name the stacks that may go",
			})
		}
	}
	return errors.Join(errs...)
}

// oversized finds the templates that would have to go through a bucket where
// none is given, before anything starts.
func (r *launcher) oversized() error {
	if r.plan == nil {
		return nil // said by verify
	}
	var errs []error
	for i := range r.plan.Steps {
		step := &r.plan.Steps[i]
		d := step.Desired
		if d == nil || d.BodyLate || d.Bucket != "" || !cfn.NeedsBucket(d.Body) || step.Action == plan.None || step.Action == plan.Skip {
			continue
		}
		errs = append(errs, &stacks.Problem{
			Pos:  d.Stack.Pos,
			What: "template of " + string(step.Stack),
			Why:  fmt.Sprintf("it has %d bytes, what is longer than 51200 goes through S3, and no bucket is given", len(d.Body)),
			Tip:  "set template_bucket_name in the group's config.yaml",
		})
	}
	return errors.Join(errs...)
}

// warn says what a person would have been told before the question.
func (r *launcher) warn(request guard.Request) {
	if r.app.globals.output != "text" {
		return
	}
	request.Yes = false
	for _, q := range guard.Questions(request) {
		for _, note := range q.Notes {
			fmt.Fprintf(r.app.talk(), "%s %s\n", r.app.err.Warn("warning:"), note)
		}
	}
}

// request says to the guard what the plan wants to touch.
func (r *launcher) request(ctx context.Context) (guard.Request, error) {
	a, s := r.app, r.s
	request := guard.Request{
		Run: s.run, Command: r.opts.command, Realm: s.realm, Endpoint: s.endpoint,
		Terminal: a.env.person() && a.globals.output == "text", Yes: r.opts.yes, Now: s.now(), For: clearanceFor,
		DataLoss: r.plan.Losses(), Allowed: r.opts.allow, Separate: map[string]string{},
	}
	if r.file != nil {
		request.Digest, request.Allowed = r.file.Digest, r.file.Allow
		made := planners(r.file)
		request.Planner, request.Planners = made[0], made[1:]
	}
	for i := range r.plan.Steps {
		step := &r.plan.Steps[i]
		if !step.Changing() && !step.Late && !step.Hooked {
			continue
		}
		for _, one := range step.Separate {
			request.Separate[one.Name] = one.Why
		}
		st := r.planner.sc.stacks[step.Stack]
		account, err := s.cloud.Account(ctx, st.Access)
		if err != nil {
			return request, err
		}
		request.Steps = append(request.Steps, r.guardStep(step, st, account))
	}
	return request, nil
}

// clearanceFor is how long a run may write after it was cleared.
const clearanceFor = 24 * time.Hour

func (r *launcher) guardStep(step *plan.Step, st *stacks.Stack, account string) guard.Step {
	g := guard.Step{
		Path: step.Stack, Name: step.Name, StackID: step.StackID, Account: account, Region: st.Access.Region,
		Environment: st.Environment, Protected: st.Protect, Asks: step.Asks, OwnTags: st.OwnTags(), Projects: projectsOf(st),
		Deletes: step.Action == plan.Delete || step.Action == plan.Recreate || r.deletes(), NeverUp: neverUp(step.Status),
	}
	if step.Live != nil {
		g.LiveTags = step.Live.Tags
	}
	switch {
	case r.deletes():
		g.Verbs = []stacks.Verb{stacks.Delete} // whatever is found: a delete never creates
		return g
	case r.file != nil || r.proposals != nil:
		g.Verbs = []stacks.Verb{
			stacks.Execute, stacks.Propose, stacks.Discard, stacks.Upload, stacks.Policy, stacks.Protect, stacks.Continue,
		}
		switch step.Action {
		case plan.Recreate:
			g.Verbs, g.Again = append(g.Verbs, stacks.Delete), true
			if g.NeverUp {
				g.Verbs = append(g.Verbs, stacks.Unprotect)
			}
		case plan.Delete:
			g.Verbs = []stacks.Verb{stacks.Delete}
		case plan.Create, plan.Update, plan.Join, plan.None, plan.Skip:
		}
		g.Replaces = replaced(step)
		return g
	case r.sets != nil:
		g.Verbs = []stacks.Verb{stacks.Execute, stacks.Policy, stacks.Protect}
		g.Replaces = replaced(step)
		return g
	}
	changes := []stacks.Verb{stacks.Update, stacks.Upload, stacks.Policy, stacks.Protect}
	switch step.Action {
	case plan.Delete:
		g.Verbs = []stacks.Verb{stacks.Delete}
	case plan.Create:
		g.Verbs = []stacks.Verb{stacks.Create, stacks.Upload}
	case plan.Recreate:
		g.Verbs = []stacks.Verb{stacks.Delete, stacks.Create, stacks.Upload}
	case plan.Join:
		g.Verbs = append(changes, stacks.Create)
		if neverCompleted(step.Status) && g.Class().Strength() <= stacks.Development.Strength() {
			g.Verbs = append(g.Verbs, stacks.Delete) // of that stack id, should its creation fail
		}
	case plan.Update, plan.None, plan.Skip:
		g.Verbs = append(changes, stacks.Continue)
	}
	if r.left != nil {
		g.Verbs = append(g.Verbs, r.left.verbs(step.Stack)...)
		g.Again = step.Action == plan.Recreate
	}
	g.Replaces = replaced(step)
	return g
}

// replaced lists the resources that a step loses.
func replaced(step *plan.Step) []string {
	var out []string
	for _, c := range step.Changes {
		if c.Action == "remove" || c.Replacement == "true" {
			out = append(out, c.LogicalID)
		}
	}
	return out
}

// neverUp tells whether the creation of a stack ended, and not well.
func neverUp(status stacks.Status) bool {
	return status == stacks.RollbackComplete || status == stacks.RollbackFailed || status == stacks.CreateFailed
}

// neverCompleted tells whether a stack is still in its first creation.
func neverCompleted(status stacks.Status) bool {
	return status == stacks.CreateInProgress || status == stacks.RollbackInProgress
}

// ask puts the guard's questions to a person, when one is there.
func (a *app) ask(ctx context.Context, request guard.Request) (guard.Answers, error) {
	questions := guard.Questions(request)
	if len(questions) == 0 || !request.Terminal {
		return nil, nil
	}
	if a.prompter == nil {
		a.prompter = ui.NewPrompter(a.talk(), a.env.Stdin, a.err)
	}
	answers := guard.Answers{}
	for _, q := range questions {
		text, err := a.prompter.Ask(ctx, q)
		if errors.Is(err, ui.ErrNoAnswer) {
			return answers, nil
		}
		if err != nil {
			return nil, err
		}
		answers[q.ID] = text
	}
	return answers, nil
}
