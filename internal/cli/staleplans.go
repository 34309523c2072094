package cli

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/deployer-cli/deployer/internal/cfn"
	"github.com/deployer-cli/deployer/internal/execute"
	"github.com/deployer-cli/deployer/internal/guard"
	"github.com/deployer-cli/deployer/stacks"
)

// planSet is how the change sets of plans are called, and nobody else's.
var planSet = regexp.MustCompile(`^deployer-[0-9]{8}t[0-9]{6}-[0-9a-f]{6}$`)

// stalePlans drops the change sets of plans that were forgotten.
type stalePlans struct {
	actor
	older time.Duration
	found map[stacks.Path][]cfn.ChangeSet
}

// withStalePlans lets prune drop what plans left behind, instead of stacks.
func (a *app) withStalePlans(cmd *cli.Command) *cli.Command {
	plain := cmd.Action
	cmd.Description += "\n\nWith --stale-plans no stack that lives is touched: the change sets of plans are dropped\nwhich cannot be carried out any more, or are older than --older-than, and the empty\nshells of new stacks that they leave. Change sets of others are left alone."
	cmd.Flags = append(cmd.Flags,
		&cli.BoolFlag{Name: "stale-plans", Usage: "drop the change sets of plans that nobody applies any more, and no stacks"},
		&cli.StringFlag{Name: "older-than", Usage: "how old a plan is stale, such as 2d", Value: "7d"},
	)
	cmd.Action = func(c *cli.Context) error {
		if !c.Bool("stale-plans") {
			if c.IsSet("older-than") {
				return &usageError{"--older-than is about --stale-plans", "give --stale-plans too"}
			}
			return plain(c)
		}
		if c.IsSet("plan") || c.IsSet("digest") {
			return &usageError{"--stale-plans applies no plan", "leave out --plan and --digest"}
		}
		arg, err := a.path(c, false)
		if err != nil {
			return err
		}
		older, err := guard.Period(c.String("older-than"))
		if err != nil {
			return &usageError{"--older-than: " + err.Error(), ""}
		}
		r := &stalePlans{actor: actor{app: a, command: "prune --stale-plans", arg: arg, yes: c.Bool("yes"), dryRun: c.Bool("dry-run")}, older: older}
		return r.finish(r.prune(c.Context))
	}
	return cmd
}

func (r *stalePlans) prune(ctx context.Context) error {
	if err := r.begin(ctx); err != nil {
		return err
	}
	r.found = map[stacks.Path][]cfn.ChangeSet{}
	var aims []aim
	n := 0
	for _, st := range r.sc.selected() {
		live := r.live[st.Path]
		r.outcomes[st.Path] = execute.Unchanged
		if live == nil {
			continue
		}
		sets, err := r.s.cfn.ChangeSets(ctx, st.Access, live.ID)
		if err != nil {
			return err
		}
		var names []string
		for _, cs := range sets {
			if why := r.stale(cs); why != "" {
				r.found[st.Path] = append(r.found[st.Path], cs)
				names = append(names, fmt.Sprintf("%s (%s)", cs.Name, why))
			}
		}
		if len(names) == 0 {
			continue
		}
		n += len(names)
		says := "drops " + strings.Join(names, ", ")
		if live.Status == stacks.ReviewInProgress && len(names) == len(sets) {
			says += ", and the empty shell of a stack that was never created"
		}
		aims = append(aims, aim{stack: st, live: live, verbs: []stacks.Verb{stacks.Discard}, says: says})
	}
	if len(aims) == 0 {
		r.done("nothing to do")
		return nil
	}
	r.agree = fmt.Sprintf("drop %d change sets?", n)
	err := r.act(ctx, aims, r.drop)
	if err == nil && !r.dryRun {
		r.done(fmt.Sprintf("%d change sets dropped", n))
	}
	return err
}

// stale tells why nobody will carry a change set out, "" where somebody may.
func (r *stalePlans) stale(cs cfn.ChangeSet) string {
	age := r.s.now().Sub(cs.Created)
	switch {
	case !planSet.MatchString(cs.Name):
		return ""
	case age >= r.older:
		return "made " + cs.Created.UTC().Format("2006-01-02 15:04")
	case cs.Execution == "OBSOLETE", cs.Status == "FAILED":
		return "it cannot be carried out any more"
	}
	return ""
}

func (r *stalePlans) drop(ctx context.Context, w journaled, m aim) (execute.Outcome, error) {
	var errs []error
	for i, cs := range r.found[m.stack.Path] {
		last := i == len(r.found[m.stack.Path])-1
		t := r.target(m)
		if err := w.intend(ctx, stacks.Discard, t); err != nil {
			return execute.Failed, err
		}
		errs = append(errs, drop(ctx, w, t, cs.ID, last && m.live.Status == stacks.ReviewInProgress))
	}
	return execute.Unchanged, errors.Join(errs...)
}

// agreed asks for a yes where the guard asks for none, since nothing that lives
// is touched.
func (r *actor) agreed(ctx context.Context) error {
	if r.agree == "" || r.yes {
		return nil
	}
	no := &guard.Refusal{Rule: "confirmation", Code: exitUnconfirmed, What: "nobody said yes", Why: "there is no terminal to ask at", Tip: "add --yes if you mean it"}
	if !r.app.env.person() || r.app.globals.output != "text" {
		return no
	}
	text, err := r.app.line(ctx, guard.Question{ID: "stale", Text: r.agree})
	if err != nil {
		return err
	}
	if text = strings.TrimSpace(text); !strings.EqualFold(text, "y") && !strings.EqualFold(text, "yes") {
		no.What, no.Why, no.Tip = "not confirmed", "the answer was no", ""
		return no
	}
	return nil
}
