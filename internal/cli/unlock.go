package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/deployer-cli/deployer/internal/guard"
	"github.com/deployer-cli/deployer/internal/state"
	"github.com/deployer-cli/deployer/stacks"
)

// unlockCommand takes a lease: the right to change an environment for a while.
func (a *app) unlockCommand() *cli.Command {
	return &cli.Command{
		Name: "unlock", Usage: "take a lease: you may change ENV for a short while", ArgsUsage: "ENV",
		Description: "Where guard.lease is required nothing is changed without one. A lease is yours alone,\nand ends by itself, or with: deployer lock ENV. What runs when it ends goes on. With\nguard.lease.mfa: required a code of your MFA device is shown to STS.",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "for", Usage: "how long, such as 15m", Value: "15m"},
			&cli.StringFlag{Name: "reason", Usage: "why, for the history"},
			&cli.StringFlag{Name: "mfa-serial", Usage: "the `ARN` of your MFA device (default: the one with your user's name)"},
		},
		Action: func(c *cli.Context) error {
			name, err := a.path(c, true)
			if err != nil {
				return err
			}
			lasts, err := guard.Period(c.String("for"))
			if err != nil {
				return &usageError{"--for: " + err.Error(), ""}
			}
			if strings.TrimSpace(c.String("reason")) == "" {
				return &usageError{"unlock needs --reason TEXT", "say what you are about to do: it stands in the history"}
			}
			return a.unlock(c.Context, name, lasts, c.String("reason"), c.String("mfa-serial"))
		},
	}
}

func (a *app) unlock(ctx context.Context, name string, lasts time.Duration, reason, serial string) error {
	s, place, err := a.standAt(ctx, name)
	if err != nil {
		return err
	}
	defer s.close() //nolint:errcheck // what matters was synced
	if lasts > place.policy.Lease.Max {
		return &usageError{fmt.Sprintf("--for %s: a lease of %s lasts %s at most", lasts, place.env.Name, place.policy.Lease.Max), "guard.lease.max says so"}
	}
	who, err := s.me(ctx, place)
	if err != nil {
		return err
	}
	if place.env.Class == stacks.Production {
		want := "unlock " + place.env.Name
		if err := a.typed(ctx, guard.Question{Text: fmt.Sprintf("type %q to change it for %s", want, lasts), Want: want, Class: place.env.Class}, "run it at a terminal"); err != nil {
			return err
		}
	}
	if place.policy.Lease.MFA {
		if err := s.proveMFA(ctx, place, who, serial); err != nil {
			return err
		}
	}
	now := s.now().UTC().Truncate(time.Second)
	l := guard.Lease{
		ID: state.NewID(), Environment: place.env.Name, Holder: who, MFA: place.policy.Lease.MFA, Reason: reason, Made: now, Expires: now.Add(lasts),
	}
	if err := s.note(ctx, place, "unlock", l.ID+" for "+lasts.String()+": "+reason); err != nil {
		return err
	}
	records := s.records(place.env, place.access)
	if err := records.AddLease(ctx, l, state.Folder(who)); err != nil {
		return unkept("P10", place, s, err)
	}
	fmt.Fprintf(a.env.Stdout, "%s %s for %s, until %s\n", a.out.Good("unlocked"), place.env.Name, who.Person(), stamp(l.Expires))
	if !place.policy.Lease.Required {
		fmt.Fprintf(a.talk(), "%s guard.lease is not required here: it can be changed without one too\n", a.err.Warn("note:"))
	}
	return nil
}

// proveMFA asks for a code at the terminal and shows it to STS.
func (s *session) proveMFA(ctx context.Context, place area, who guard.Identity, serial string) error {
	if serial == "" {
		account, name, ok := strings.Cut(strings.TrimPrefix(who.ARN, "arn:aws:iam::"), ":user/")
		if !ok || account == "" {
			return &usageError{"which MFA device is yours is not known", "name it: --mfa-serial arn:aws:iam::111111111111:mfa/NAME"}
		}
		serial = "arn:aws:iam::" + account + ":mfa/" + name[strings.LastIndexByte(name, '/')+1:]
	}
	if !s.app.env.person() {
		return &guard.Refusal{Rule: "P10", Code: exitUnconfirmed, What: place.env.Name + " is not unlocked", Why: "there is no terminal to type an MFA code at", Tip: "run it at a terminal"}
	}
	code, err := s.app.line(ctx, guard.Question{Text: "code of " + serial, Want: "code", Class: place.env.Class})
	if err != nil {
		return err
	}
	code = strings.TrimSpace(code)
	if len(code) != 6 || strings.Trim(code, "0123456789") != "" {
		return &guard.Refusal{Rule: "P10", Code: exitUnconfirmed, What: place.env.Name + " is not unlocked", Why: "what was typed is no MFA code of six digits", Tip: "try again with the next code"}
	}
	if err := s.cloud.ProveMFA(ctx, own(place.access), serial, code); err != nil {
		return &guard.Refusal{Rule: "P10", Code: exitRefused, What: place.env.Name + " is not unlocked", Why: "STS did not take the MFA code: " + err.Error(), Tip: "try again with the next code; STS takes no code twice"}
	}
	return nil
}

// lockCommand ends a lease early, and shows who is changing an environment.
func (a *app) lockCommand() *cli.Command {
	return &cli.Command{
		Name: "lock", Usage: "end your lease of ENV now, or show who is changing ENV", ArgsUsage: "ENV",
		Action: func(c *cli.Context) error {
			name, err := a.path(c, true)
			if err != nil {
				return err
			}
			return a.endLeases(c.Context, name)
		},
		Subcommands: []*cli.Command{{
			Name: "show", Usage: "show who is changing ENV, and which leases are good", ArgsUsage: "ENV",
			Action: a.withPath(true, a.showLock),
		}},
	}
}

func (a *app) endLeases(ctx context.Context, name string) error {
	s, place, err := a.standAt(ctx, name)
	if err != nil {
		return err
	}
	defer s.close() //nolint:errcheck // what matters was synced
	who, err := s.me(ctx, place)
	if err != nil {
		return err
	}
	records := s.records(place.env, place.access)
	leases, err := records.Leases(ctx, place.env.Name)
	if err != nil {
		return err
	}
	ended := 0
	for _, l := range leases {
		if l.Over(s.now()) != "" || !strings.EqualFold(l.Holder.ARN, who.ARN) {
			continue
		}
		if err := records.ChangeLease(ctx, place.env.Name, l.ID, func(l *guard.Lease) { l.Ended = s.now().UTC() }); err != nil {
			return err
		}
		ended++
		if err := s.note(ctx, place, "lock", l.ID); err != nil {
			return err
		}
	}
	if ended == 0 {
		fmt.Fprintf(a.env.Stdout, "%s was locked already: you have no lease\n", place.env.Name)
		return nil
	}
	fmt.Fprintf(a.env.Stdout, "%s %s: your lease is over\n", a.out.Good("locked"), place.env.Name)
	return nil
}

// lockState is what lock show tells.
type lockState struct {
	Environment string        `json:"environment"`
	Place       string        `json:"place"` // where the records are
	Running     bool          `json:"running"`
	Lock        *guard.Lock   `json:"lock"` // the last, null where there never was one
	Says        string        `json:"says"`
	Died        []string      `json:"died,omitempty"` // what a dead run had begun, and how to go on
	Leases      []guard.Lease `json:"leases"`         // that are good
}

func (a *app) showLock(ctx context.Context, name string) error {
	s, place, err := a.standAt(ctx, name)
	if err != nil {
		return err
	}
	defer s.close() //nolint:errcheck // only read from
	records := s.records(place.env, place.access)
	out := lockState{Environment: place.env.Name, Place: records.Place(), Says: "nobody is changing it", Leases: []guard.Lease{}}
	l, r, err := records.Lock(ctx, place.env.Name)
	if err != nil && !errors.Is(err, state.ErrAbsent) {
		return err
	}
	if err == nil {
		out.Lock = &l
		signs := s.signs(l, r)
		why, dead := l.Dead(signs)
		switch {
		case !dead:
			out.Running = true
			out.Says = fmt.Sprintf("%s; last heard of %s ago", l.Says(), max(signs.Silent, 0).Round(time.Second))
		case !l.Released:
			out.Says = fmt.Sprintf("nobody: %s died; %s. The next run takes the lock over, and goes on from how the stacks live then", l.Says(), why)
			out.Died = s.died(ctx, place, l, r, "")[1:]
		}
	}
	leases, err := records.Leases(ctx, place.env.Name)
	if err != nil {
		return err
	}
	for _, l := range leases {
		if l.Over(s.now()) == "" {
			out.Leases = append(out.Leases, l)
		}
	}
	if done, err := a.document(out); done {
		return err
	}
	fmt.Fprintf(a.env.Stdout, "%s: %s (%s)\n", out.Environment, out.Says, out.Place)
	for _, line := range out.Died {
		fmt.Fprintf(a.env.Stdout, "  %s\n", line)
	}
	for _, l := range out.Leases {
		fmt.Fprintf(a.env.Stdout, "  lease of %s until %s: %s\n", l.Holder.Person(), stamp(l.Expires), l.Reason)
	}
	return nil
}
