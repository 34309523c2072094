package cli

import (
	"context"
	"embed"
	"fmt"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/deployer-cli/deployer/internal/execute"
	"github.com/deployer-cli/deployer/internal/guard"
	"github.com/deployer-cli/deployer/internal/state"
	"github.com/deployer-cli/deployer/stacks"
)

//go:embed pipelines
var pipelineFiles embed.FS

// guardCommand explains the guard of an environment, and what belongs to it.
func (a *app) guardCommand() *cli.Command {
	return &cli.Command{
		Name: "guard", Usage: "explain in plain words what changing ENV takes, and why", ArgsUsage: "ENV",
		Action: a.withPath(true, a.explain),
		Subcommands: []*cli.Command{
			a.guardReleaseCommand(),
			{
				Name: "ci", Usage: "print a pipeline that plans, waits for a review, and applies what was reviewed", ArgsUsage: "github|gitlab|codepipeline",
				Action: a.guardCI,
			},
			{
				Name: "iam", Usage: "print the IAM and SCP statements that make AWS refuse too", ArgsUsage: "ENV",
				Action: a.withPath(true, a.guardIAM),
			},
			{
				Name: "test", Usage: "try every refusal in a sandbox that is thrown away, and print the table",
				Action: func(c *cli.Context) error {
					if err := noArguments(c); err != nil {
						return err
					}
					return a.guardTest()
				},
			},
		},
	}
}

// rule is one line of what a guard asks for.
type rule struct {
	Rule string `json:"rule"`
	Says string `json:"says"`
	Why  string `json:"why"`
}

func (a *app) explain(ctx context.Context, name string) error {
	s, place, err := a.standAt(ctx, name)
	if err != nil {
		return err
	}
	defer s.close() //nolint:errcheck // only read from
	who, err := s.me(ctx, place)
	if err != nil {
		return err
	}
	rules := explained(place, s.records(place.env, place.access).Place(), s.now())
	doc := struct {
		Environment string       `json:"environment"`
		Class       stacks.Class `json:"class"`
		You         string       `json:"you"`
		Rules       []rule       `json:"rules"`
	}{place.env.Name, place.env.Class, who.ARN, rules}
	if done, err := a.document(doc); done {
		return err
	}
	w := a.env.Stdout
	fmt.Fprintf(w, "%s is %s. You are %s.\n\nTo change it:\n", place.env.Name, class(place.env), who.ARN)
	for _, r := range rules {
		fmt.Fprintf(w, "  %-4s %s\n       %s\n", r.Rule, r.Says, a.out.Dim("because "+r.Why))
	}
	return nil
}

func class(e *stacks.Environment) string {
	if e.Class != stacks.Undeclared {
		return string(e.Class)
	}
	return "not declared: no environment block governs it"
}

// explained says for each rule what it asks for here.
func explained(a area, place string, now time.Time) []rule {
	e, p := a.env, a.policy
	if e.Class != stacks.Production {
		return ordinary(a, place, now)
	}
	rules := []rule{
		{"P1", "its class is production, in the file, literally", "no flag, variable or template can change a class; the live tags and the name have to agree"},
		{"P2", fmt.Sprintf("use credentials of account %s%s", strings.Join(e.Accounts, " or "), in(e.Regions)), "with any others nothing is read, run or touched"},
		{"P4", "at a terminal, type the phrase that the plan is shown with, such as: " + e.Name + " 3 changes 0 deletes", "a y is a habit; the phrase can only be typed by whoever read the plan"},
		{"P5", "without a terminal: deployer plan " + e.Name + " --out F, have it reviewed, deployer launch --plan F --digest D", "a pipeline applies exactly what was reviewed; --yes is exit 4"},
		{"P6", approvalSays(p), "one person alone does not change it, and nobody approves their own plan: who made it is recorded when it is made"},
	}
	rules = append(rules, freezeRules(p, now)...)
	rules = append(rules,
		rule{"P8", "what holds data, what others rely on, and what cannot be seen into is deleted or replaced only by name: plan --allow-delete STACK::LOGICAL, --allow-replace STACK::LOGICAL, and what holds data with an approval", "a change of one line can replace a database"},
		rule{"P9", "to delete a stack: guard release STACK --reason T, plan --delete, an approval, delete --plan F --digest D; its live tags have to say that it is the one", "termination protection is on for every stack, and is switched on again where it is off"},
	)
	rules = append(rules, leaseRules(e, p)...)
	return append(rules,
		rule{"P11", "nothing to do: every run is written into its history first (" + place + ")", "what cannot be written down does not happen; see: deployer history " + e.Name},
		rule{"P12", "wait while somebody else changes it; see: deployer lock show " + e.Name, "two runs at once leave what neither planned"},
	)
}

func in(regions []string) string {
	if len(regions) == 0 {
		return ""
	}
	return " in " + strings.Join(regions, ", ")
}

func approvalSays(p guard.Policy) string {
	who := "nobody yet: guard.approvers names nobody"
	if len(p.Approvers) > 0 {
		who = strings.Join(p.Approvers, ", ")
	}
	n := "what deletes or replaces a holder of data needs an approval"
	if p.Approvals == 1 {
		n = "every plan needs an approval"
	} else if p.Approvals > 1 {
		n = fmt.Sprintf("every plan needs %d approvals", p.Approvals)
	}
	text := n + " (deployer approve --plan F), by somebody whom guard.approvers names: " + who
	if !p.Shared {
		text += ". They are on this machine only: add environment.state"
	}
	return text
}

func freezeRules(p guard.Policy, now time.Time) []rule {
	var out []rule
	for _, f := range p.Freezes {
		says := "not during " + f.Text
		until, on := f.At(now)
		next := f.Next(now)
		switch {
		case on && until.IsZero():
			says += ": it is on now"
		case on:
			says += ": it is on now, until " + stamp(until)
		case !next.IsZero():
			says += "; it begins next at " + stamp(next)
		default:
			says += "; it is over"
		}
		out = append(out, rule{"P7", says, "that is the freeze; what cannot wait needs approve --during-freeze --reason T, and plan always works"})
	}
	return out
}

func leaseRules(e *stacks.Environment, p guard.Policy) []rule {
	if !p.Lease.Required {
		return nil
	}
	says := fmt.Sprintf("take a lease first: deployer unlock %s --for 15m --reason T (%s at most)", e.Name, p.Lease.Max)
	if p.Lease.MFA {
		says += ", with your MFA device"
	}
	return []rule{{"P10", says, "whoever is not about to change it cannot, by accident or otherwise"}}
}

// ordinary explains what is not production.
func ordinary(a area, place string, now time.Time) []rule {
	e, p := a.env, a.policy
	var rules []rule
	if e.Declared && len(e.Accounts) > 0 {
		rules = append(rules, rule{"P2", fmt.Sprintf("use credentials of account %s%s", strings.Join(e.Accounts, " or "), in(e.Regions)), "its environment block binds it"})
	}
	launch, remove := "y, or --yes", "y, or --yes"
	switch {
	case e.Class == stacks.Persistent:
		remove = "the typed phrase; --yes is not enough"
	case e.Class == stacks.Undeclared && stacks.HasProductionWord(e.Name):
		launch, remove = "the typed phrase at a terminal; --yes in a pipeline", "the typed phrase; --yes is not enough"
	}
	rules = append(rules, rule{"P4", "to launch: " + launch + "; to delete: " + remove, "its class is " + e.Class.Word()})
	if p.Approvals > 0 {
		rules = append(rules, rule{"P6", approvalSays(p), "one person alone does not change it, and nobody approves their own plan"})
	}
	rules = append(append(rules, freezeRules(p, now)...), leaseRules(e, p)...)
	return append(rules,
		rule{"P11", "nothing to do: every run is written into its history first (" + place + ")", "see: deployer history " + e.Name},
		rule{"P12", "wait while somebody else changes it; see: deployer lock show " + e.Name, "two runs at once leave what neither planned"},
	)
}

func (a *app) guardCI(c *cli.Context) error {
	kinds := []string{"github", "gitlab", "codepipeline"}
	if c.NArg() != 1 {
		return &usageError{"guard ci needs one of: " + strings.Join(kinds, ", "), "such as: deployer guard ci github > .github/workflows/production.yml"}
	}
	kind := c.Args().First()
	if err := oneOf("guard ci", kind, kinds...); err != nil {
		return err
	}
	text, err := pipelineFiles.ReadFile("pipelines/" + kind + ".yml")
	if err != nil {
		return err
	}
	_, err = a.env.Stdout.Write(text)
	return err
}

// guardReleaseCommand lets stacks be deleted: it takes their protection off.
func (a *app) guardReleaseCommand() *cli.Command {
	return &cli.Command{
		Name: "release", Usage: "let the stacks under PATH be deleted: take termination protection off, and say why", ArgsUsage: "PATH",
		Description: "The first of the acts that deleting a stack of production takes: release, a plan\n(plan --delete --out F), an approval, delete --plan F --digest D. It is for the stacks\nas they live now, and ends by itself; the next launch puts the protection back.",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "reason", Usage: "why, for the history"},
			&cli.StringFlag{Name: "for", Usage: "how long it is good, such as 4h", Value: "4h"},
			yesFlag(),
		},
		Action: func(c *cli.Context) error {
			arg, err := a.path(c, true)
			if err != nil {
				return err
			}
			lasts, err := guard.Period(c.String("for"))
			if err != nil {
				return &usageError{"--for: " + err.Error(), ""}
			}
			if strings.TrimSpace(c.String("reason")) == "" {
				return &usageError{"guard release needs --reason TEXT", "it stands in the history"}
			}
			if lasts > guard.ApprovalMax {
				return &usageError{fmt.Sprintf("--for %s: a release is good for a week at most", lasts), ""}
			}
			r := &actor{app: a, command: "release", arg: arg, yes: c.Bool("yes"), reason: c.String("reason")}
			return r.finish(r.release(c.Context, lasts))
		},
	}
}

func (r *actor) release(ctx context.Context, lasts time.Duration) error {
	if err := r.begin(ctx); err != nil {
		return err
	}
	var aims []aim
	for _, st := range r.sc.selected() {
		live := r.live[st.Path]
		if live == nil || !live.Status.Exists() {
			r.outcomes[st.Path] = execute.Skipped
			fmt.Fprintf(r.app.talk(), "  %s  does not exist\n", st.Path)
			continue
		}
		says := "may be deleted for " + lasts.String()
		if live.TerminationProtection {
			says += ", its termination protection goes off"
		}
		aims = append(aims, aim{stack: st, live: live, verbs: []stacks.Verb{stacks.Unprotect}, says: says})
	}
	if len(aims) == 0 {
		r.done("nothing to do")
		return nil
	}
	err := r.act(ctx, aims, func(ctx context.Context, w journaled, m aim) (execute.Outcome, error) {
		return execute.Updated, r.releaseOne(ctx, w, m, lasts)
	})
	if err == nil {
		r.done(fmt.Sprintf("%d released", len(aims)))
	}
	return err
}

// releaseOne writes the release down, and then takes the protection off.
func (r *actor) releaseOne(ctx context.Context, w journaled, m aim, lasts time.Duration) error {
	places, err := areas([]*stacks.Stack{m.stack})
	if err != nil {
		return err
	}
	place := places[0]
	who, err := r.s.me(ctx, place)
	if err != nil {
		return err
	}
	now := r.s.now().UTC().Truncate(time.Second)
	release := guard.Release{
		ID: state.NewID(), Environment: place.env.Name, Stack: m.stack.Path, StackID: m.live.ID, By: who,
		Reason: r.reason, Made: now, Expires: now.Add(lasts),
	}
	if err := r.s.records(place.env, place.access).AddRelease(ctx, release, state.Folder(who)); err != nil {
		return unkept("P9", place, r.s, err)
	}
	if !m.live.TerminationProtection {
		return nil
	}
	return w.Protect(ctx, r.target(m), false)
}
