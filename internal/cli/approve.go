package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/deployer-cli/deployer/internal/guard"
	"github.com/deployer-cli/deployer/internal/plan"
	"github.com/deployer-cli/deployer/internal/state"
	"github.com/deployer-cli/deployer/internal/ui"
)

// approveCommand lets somebody else than the planner say yes to a plan.
func (a *app) approveCommand() *cli.Command {
	return &cli.Command{
		Name: "approve", Usage: "approve a plan that somebody else made, list approvals, or revoke one",
		Description: "An approval is for exactly one plan file, by its digest, and ends by itself. It counts\nif guard.approvers names you, and you neither made the plan nor apply it. It keeps\nwhat you were shown.",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "plan", Usage: "the plan `FILE` to approve"},
			&cli.StringFlag{Name: "digest", Usage: "the `DIGEST` that you read; needed where there is no terminal to type at"},
			&cli.StringFlag{Name: "for", Usage: "how long it is good, such as 4h", Value: "4h"},
			&cli.BoolFlag{Name: "during-freeze", Usage: "also while a freeze is on; needs --reason"},
			&cli.StringFlag{Name: "reason", Usage: "why, for the history"},
			&cli.StringFlag{Name: "list", Usage: "show the approvals of `ENV`"},
			&cli.StringFlag{Name: "revoke", Usage: "take the approval `ID` back"},
		},
		Action: func(c *cli.Context) error {
			if err := noArguments(c); err != nil {
				return err
			}
			given := 0
			for _, f := range []string{"plan", "list", "revoke"} {
				if c.String(f) != "" {
					given++
				}
			}
			if given != 1 {
				return &usageError{"approve needs one of --plan FILE, --list ENV and --revoke ID", "such as: deployer approve --plan plan.json"}
			}
			switch {
			case c.String("list") != "":
				return a.listApprovals(c.Context, c.String("list"))
			case c.String("revoke") != "":
				return a.revoke(c.Context, c.String("revoke"))
			}
			return a.approve(c.Context, approveOptions{
				file: c.String("plan"), digest: c.String("digest"), last: c.String("for"), freeze: c.Bool("during-freeze"), reason: c.String("reason"),
			})
		},
	}
}

type approveOptions struct {
	file, digest, last, reason string
	freeze                     bool
}

func (o approveOptions) period() (time.Duration, error) {
	d, err := guard.Period(o.last)
	switch {
	case err != nil:
		return 0, &usageError{"--for: " + err.Error(), ""}
	case d > guard.ApprovalMax:
		return 0, &usageError{fmt.Sprintf("--for %s: an approval is good for a week at most", o.last), ""}
	case o.freeze && strings.TrimSpace(o.reason) == "":
		return 0, &usageError{"--during-freeze needs --reason TEXT", "say what cannot wait until the freeze is over"}
	}
	return d, nil
}

func (a *app) approve(ctx context.Context, o approveOptions) error {
	lasts, err := o.period()
	if err != nil {
		return err
	}
	text, err := os.ReadFile(a.abs(o.file))
	if err != nil {
		return &usageError{fmt.Sprintf("the plan %s cannot be read: %v", o.file, pathless(err)), ""}
	}
	f, err := plan.ReadFile(text)
	if err != nil {
		return err
	}
	s, err := a.open(f.Path)
	if err != nil {
		return err
	}
	defer s.close() //nolint:errcheck // what matters was synced
	if err := s.connect(); err != nil {
		return err
	}
	places, err := s.planned(f)
	if err != nil {
		return err
	}
	if s.realm != f.Plan.Realm || s.endpoint != f.Endpoint {
		return &plan.StaleError{What: "the plan is for another realm", Why: fmt.Sprintf("it was made for %s, this is %s", f.Plan.Realm, s.realm), Tip: "approve it in the realm that it was made for"}
	}
	for _, place := range places {
		if err := s.ownBanner(ctx, place); err != nil {
			return err
		}
	}
	ui.ShowPlan(a.talk(), a.err, &f.Plan, a.columns())
	approvals, err := s.approvals(ctx, f, places, o)
	if err != nil {
		return err
	}
	if err := a.readIt(ctx, f, o, approvals); err != nil {
		return err
	}
	return s.store(ctx, places, approvals, lasts)
}

// readIt makes sure that somebody read what is approved: the phrase is typed,
// or the digest was given.
func (a *app) readIt(ctx context.Context, f *plan.File, o approveOptions, approvals []guard.Approval) error {
	switch {
	case o.digest == f.Digest:
		return nil
	case o.digest != "":
		return &plan.StaleError{What: "the digest does not match", Why: fmt.Sprintf("%q was given, the file's is %q", o.digest, f.Digest), Tip: "read the plan again: deployer plan show " + o.file}
	}
	want := "approve " + approvals[0].Quotes[0]
	return a.typed(ctx, guard.Question{ID: "approve", Text: fmt.Sprintf("type %q to approve", want), Want: want, Class: f.Plan.Class},
		"give what you read: --digest "+f.Digest)
}

// planned lists the environments that a plan changes.
func (s *session) planned(f *plan.File) ([]area, error) {
	all, err := s.environments()
	if err != nil {
		return nil, err
	}
	var out []area
	for i := range f.Plan.Steps {
		step := &f.Plan.Steps[i]
		if !step.Changing() && !step.Late {
			continue
		}
		st, ok := s.project.Stack(step.Stack)
		if !ok {
			return nil, &plan.StaleError{What: string(step.Stack) + " is not in the project", Why: "the plan changes it", Tip: "check out the commit that it was made from"}
		}
		i := slices.IndexFunc(all, func(a area) bool { return a.env == st.Environment })
		if i >= 0 && !slices.ContainsFunc(out, func(a area) bool { return a.env == st.Environment }) {
			out = append(out, all[i])
		}
	}
	if len(out) == 0 {
		return nil, &usageError{"the plan changes nothing", "there is nothing to approve"}
	}
	return out, nil
}

// approvals makes the records, as far as whoever runs this may approve.
func (s *session) approvals(ctx context.Context, f *plan.File, places []area, o approveOptions) ([]guard.Approval, error) {
	var out []guard.Approval
	var errs []error
	for _, place := range places {
		who, err := s.me(ctx, place)
		if err != nil {
			return nil, err
		}
		made, err := s.records(place.env, place.access).Plans(ctx, place.env.Name, f.Digest)
		if err != nil {
			return nil, err
		}
		if refusal := unfit(place, f, who, made); refusal != nil {
			errs = append(errs, refusal)
		}
		out = append(out, guard.Approval{
			ID: state.NewID(), Environment: place.env.Name, Digest: f.Digest, Approver: who, Planner: planners(f)[0],
			Quotes: quotes(f), Freeze: o.freeze, Reason: o.reason,
		})
	}
	return out, errors.Join(errs...)
}

// unfit tells why somebody's approval of a plan would not count, nil when it
// would.
func unfit(place area, f *plan.File, who guard.Identity, made []guard.PlanRecord) *guard.Refusal {
	why := place.policy.MayApprove(who, planners(f)[0])
	if why == "" && slices.ContainsFunc(planners(f), who.Same) {
		why = who.Person() + " made the plan"
	}
	if why == "" {
		return guard.Recorded(made, place.env.Name, f.Digest, planners(f))
	}
	return &guard.Refusal{
		Rule: "P6", Code: exitRefused, What: "this approval would not count for " + place.env.Name, Why: why,
		Tip: "somebody else has to approve, whom guard.approvers of " + place.env.Name + " names",
	}
}

// planners are those who made a plan, as its file says.
func planners(f *plan.File) []guard.Identity {
	out := []guard.Identity{{ARN: f.Planner, Account: f.Plan.Account}}
	for _, arn := range f.Planners {
		out = append(out, guard.Identity{ARN: arn})
	}
	return out
}

// quotes says in words what a plan does: the phrase first, then every step.
func quotes(f *plan.File) []string {
	var lines []string
	changes, deletes := 0, 0
	for i := range f.Plan.Steps {
		step := &f.Plan.Steps[i]
		if !step.Changing() && !step.Late {
			continue
		}
		changes++
		line := strings.TrimSpace(fmt.Sprintf("%s %s %s: %s", step.Action.Symbol(), step.Action, step.Stack, step.Cause))
		lost := replaced(step)
		if step.Action == plan.Delete || step.Action == plan.Recreate {
			deletes++
		} else {
			deletes += len(lost)
		}
		if len(lost) > 0 {
			line += "; removes or replaces " + strings.Join(lost, ", ")
		}
		lines = append(lines, line)
	}
	for _, l := range f.Plan.Losses() {
		lines = append(lines, "! "+l+" holds data")
	}
	return append([]string{fmt.Sprintf("%s %d changes %d deletes", f.Plan.Environment, changes, deletes)}, lines...)
}

// store keeps the approvals and notes them in the history.
func (s *session) store(ctx context.Context, places []area, approvals []guard.Approval, lasts time.Duration) error {
	a := s.app
	for i, place := range places {
		records := s.records(place.env, place.access)
		approval := approvals[i]
		approval.Made = s.now().UTC().Truncate(time.Second)
		approval.Expires = approval.Made.Add(lasts)
		if err := s.note(ctx, place, "approve", approval.ID+" of "+short(approval.Digest)+reasoned(approval.Reason)); err != nil {
			return err
		}
		if err := records.AddApproval(ctx, approval, state.Folder(approval.Approver)); err != nil {
			return unkept("P6", place, s, err)
		}
		fmt.Fprintf(a.env.Stdout, "%s %s for %s, until %s\n", a.out.Good("approved"), approval.ID, place.env.Name, stamp(approval.Expires))
		for _, q := range approval.Quotes {
			fmt.Fprintf(a.env.Stdout, "  %s\n", q)
		}
		if !records.Shared() {
			fmt.Fprintf(a.talk(), "%s it is on this machine only; environment.state would share it\n", a.err.Warn("note:"))
		}
	}
	return nil
}

func reasoned(reason string) string {
	if reason == "" {
		return ""
	}
	return ": " + reason
}

// short is the beginning of a digest, enough to tell two apart.
func short(digest string) string {
	kind, hex, ok := strings.Cut(digest, ":")
	if !ok {
		return digest
	}
	return kind + ":" + hex[:min(12, len(hex))]
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02 15:04 UTC")
}

// note puts what somebody did to an environment into its history. What cannot
// be noted is not done.
func (s *session) note(ctx context.Context, place area, command, reason string) error {
	who, err := s.me(ctx, place)
	if err != nil {
		return err
	}
	c := custody{s: s, command: command, caller: who}
	if _, err := s.records(place.env, place.access).Append(ctx, c.entry(place, state.Noted, reason)); err != nil {
		return unkept("P11", place, s, err)
	}
	return nil
}

// approvalRow is an approval as it is listed.
type approvalRow struct {
	guard.Approval
	State string `json:"state"`
}

func (a *app) listApprovals(ctx context.Context, name string) error {
	s, place, err := a.standAt(ctx, name)
	if err != nil {
		return err
	}
	defer s.close() //nolint:errcheck // only read from
	all, err := s.records(place.env, place.access).Approvals(ctx, place.env.Name)
	if err != nil {
		return err
	}
	slices.SortFunc(all, func(a, b guard.Approval) int { return a.Made.Compare(b.Made) })
	rows := make([]approvalRow, 0, len(all))
	for _, one := range all {
		why := cmp.Or(one.Over(s.now()), place.policy.MayApprove(one.Approver, one.Planner), "good until "+stamp(one.Expires))
		rows = append(rows, approvalRow{one, why})
	}
	if done, err := a.document(rows); done {
		return err
	}
	if len(rows) == 0 {
		fmt.Fprintf(a.env.Stdout, "no approvals for %s\n", place.env.Name)
		return nil
	}
	table := make([][]string, 0, len(rows))
	for _, r := range rows {
		table = append(table, []string{r.ID, r.Approver.Person(), short(r.Digest), stamp(r.Made), strings.Join(r.Quotes[:min(1, len(r.Quotes))], ""), r.State})
	}
	ui.Table(a.env.Stdout, []string{"id", "by", "plan", "made", "of", "state"}, table)
	return nil
}

// revoke takes an approval back, whichever environment it is for.
func (a *app) revoke(ctx context.Context, id string) error {
	s, err := a.open("")
	if err != nil {
		return err
	}
	defer s.close() //nolint:errcheck // what matters was synced
	if err := s.connect(); err != nil {
		return err
	}
	places, err := s.environments()
	if err != nil {
		return err
	}
	for _, place := range places {
		who, err := s.me(ctx, place)
		if err != nil {
			return err
		}
		err = s.records(place.env, place.access).ChangeApproval(ctx, place.env.Name, id, func(one *guard.Approval) {
			if one.Revoked.IsZero() {
				one.Revoked, one.RevokedBy = s.now().UTC(), who.ARN
			}
		})
		if errors.Is(err, state.ErrAbsent) {
			continue
		}
		if err != nil {
			return err
		}
		fmt.Fprintf(a.env.Stdout, "%s %s of %s\n", a.out.Good("revoked"), id, place.env.Name)
		return s.note(ctx, place, "approve --revoke", id)
	}
	return &usageError{fmt.Sprintf("there is no approval %s", id), "see: deployer approve --list ENV"}
}
