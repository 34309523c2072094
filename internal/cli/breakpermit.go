package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/deployer-cli/deployer/internal/blast"
	"github.com/deployer-cli/deployer/internal/guard"
	"github.com/deployer-cli/deployer/internal/state"
	"github.com/deployer-cli/deployer/internal/ui"
	"github.com/deployer-cli/deployer/stacks"
)

// permits reads what was agreed for the environments of what goes, where they, or
// one around them, ask for that.
func (b *breaker) permits(ctx context.Context, going []blast.Going) ([]blast.Permit, error) {
	places := []area{b.place}
	for _, g := range going {
		st := b.stack(g.Path)
		if st == nil || st.Environment == nil || slices.ContainsFunc(places, func(a area) bool { return a.env.Name == st.Environment.Name }) {
			continue
		}
		st, err := b.s.located(ctx, st)
		if err != nil {
			return nil, err
		}
		places = append(places, area{env: st.Environment, access: st.Access})
	}
	out := []blast.Permit{}
	for _, place := range places {
		policy, err := blast.ParsePolicy(place.env, b.project().Environments())
		if err == nil && !policy.Permit {
			continue
		}
		all, err := b.s.permitsAt(place).read(ctx)
		if err != nil {
			return nil, err
		}
		for _, p := range all {
			out = append(out, blast.Permit{
				ID: p.ID, Environment: place.env.Name, Until: p.Until, Include: p.Include, Exclude: p.Exclude, Kinds: p.Kinds, Callers: p.Callers,
				AgreedBy: p.AgreedBy, Revoked: p.Revoked,
			})
		}
	}
	return out, nil
}

// permitCommand keeps the agreements of the day.
func (a *app) permitCommand() *cli.Command {
	return &cli.Command{
		Name: "permit", Usage: "what was agreed may be broken, by whom, until when: a second key, kept in the account", ArgsUsage: "create|show|revoke",
		Subcommands: []*cli.Command{
			{
				Name: "create", Usage: "agree that stacks of ENV may be broken for a while", ArgsUsage: "ENV",
				Flags: []cli.Flag{
					&cli.StringFlag{Name: "for", Usage: "how long, such as 4h", Value: "4h"},
					&cli.StringSliceFlag{Name: "include", Usage: "the stacks that match `GLOB` (default: all); may be given again"},
					&cli.StringSliceFlag{Name: "exclude", Usage: "but not those that match `GLOB`; may be given again"},
					&cli.StringSliceFlag{Name: "kind", Usage: "this `KIND` of break (default: all); may be given again"},
					&cli.StringSliceFlag{Name: "caller", Usage: "whoever has an ARN that matches `PATTERN`; may be given again"},
					&cli.StringFlag{Name: "reason", Usage: "what it is for"},
				},
				Action: func(c *cli.Context) error { return a.createPermit(c) },
			},
			{Name: "show", Usage: "show the permits of ENV", ArgsUsage: "ENV", Action: func(c *cli.Context) error {
				return a.withPermits(c, func(ctx context.Context, _ *session, _ area, book permitBook) error { return a.showPermits(ctx, book) })
			}},
			{Name: "revoke", Usage: "revoke all permits of ENV", ArgsUsage: "ENV", Action: func(c *cli.Context) error {
				return a.withPermits(c, func(ctx context.Context, _ *session, _ area, book permitBook) error {
					return errors.Join(book.revoke(ctx), a.showPermits(ctx, book))
				})
			}},
		},
	}
}

func (a *app) withPermits(c *cli.Context, do func(context.Context, *session, area, permitBook) error) error {
	name, err := a.path(c, true)
	if err != nil {
		return err
	}
	s, place, err := a.standAt(c.Context, name)
	if err != nil {
		return err
	}
	defer s.close() //nolint:errcheck // what matters was written
	if place.env.Class != stacks.Development {
		return &guard.Refusal{
			Rule: "G1", Code: exitRefused, What: "nothing is permitted in " + place.env.Name, Why: "its class is " + place.env.Class.Word() + ", and only development is broken",
		}
	}
	return do(c.Context, s, place, s.permitsAt(place))
}

func (a *app) createPermit(c *cli.Context) error {
	lasts, err := guard.Period(c.String("for"))
	if err != nil || lasts <= 0 {
		return &usageError{fmt.Sprintf("--for %s: it has to be a time such as 4h", c.String("for")), ""}
	}
	if len(c.StringSlice("caller")) == 0 {
		return &usageError{"permit create needs --caller PATTERN", "who may break: a pattern of ARNs, such as '*:assumed-role/Sre/*'; yours is in: deployer whoami"}
	}
	for _, kind := range c.StringSlice("kind") {
		if err := knownKind(kind); err != nil {
			return err
		}
	}
	return a.withPermits(c, func(ctx context.Context, s *session, place area, book permitBook) error {
		for _, flag := range []string{"include", "exclude"} {
			if err := s.matchAny("--"+flag, c.StringSlice(flag), place.env); err != nil {
				return err
			}
		}
		who, err := s.me(ctx, place)
		if err != nil {
			return err
		}
		now := s.now().UTC()
		err = book.add(ctx, permitText{
			ID: state.NewID(), Made: now, Until: now.Add(lasts).Truncate(time.Second), Include: c.StringSlice("include"), Exclude: c.StringSlice("exclude"),
			Kinds: c.StringSlice("kind"), Callers: c.StringSlice("caller"), AgreedBy: who.ARN, Reason: c.String("reason"),
		})
		return errors.Join(err, a.showPermits(ctx, book))
	})
}

func (a *app) showPermits(ctx context.Context, book permitBook) error {
	all, err := book.read(ctx)
	if err != nil {
		return err
	}
	if done, err := a.document(all); done {
		return err
	}
	if len(all) == 0 {
		fmt.Fprintln(a.env.Stdout, "there are no permits")
		return nil
	}
	rows := make([][]string, 0, len(all))
	for _, p := range all {
		until := stamp(p.Until)
		if p.Revoked {
			until = "revoked"
		}
		rows = append(rows, []string{p.ID, until, permitted(p), orAll(p.Kinds), strings.Join(p.Callers, ", "), p.AgreedBy, p.Reason})
	}
	ui.Table(a.env.Stdout, []string{"permit", "until", "stacks", "kinds", "callers", "agreed by", "reason"}, rows)
	return nil
}

// matchAny refuses globs that match no stack of an environment: somebody misspelt one.
func (s *session) matchAny(flag string, globs []string, e *stacks.Environment) error {
	for _, g := range globs {
		if err := stacks.CheckGlob(g); err != nil {
			return &usageError{fmt.Sprintf("%s %s: %v", flag, g, err), ""}
		}
		var names []string
		found := false
		for _, st := range s.project.Stacks() {
			if st.Environment != nil && st.Environment.Name == e.Name {
				names, found = append(names, string(st.Path)), found || st.Path.Matches(g)
			}
		}
		if !found {
			return &usageError{fmt.Sprintf("%s %s matches no stack of %s", flag, g, e.Name), didYouMean(g, names)}
		}
	}
	return nil
}

// permitted says which stacks a permit is for.
func permitted(p permitText) string {
	text := orAll(p.Include)
	if len(p.Exclude) > 0 {
		text += ", but not " + strings.Join(p.Exclude, ", ")
	}
	return text
}

func orAll(list []string) string {
	if len(list) == 0 {
		return "all"
	}
	return strings.Join(list, ", ")
}
