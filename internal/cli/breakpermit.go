package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/deployer-cli/deployer/internal/blast"
	"github.com/deployer-cli/deployer/internal/cloud"
	"github.com/deployer-cli/deployer/internal/guard"
	"github.com/deployer-cli/deployer/internal/state"
	"github.com/deployer-cli/deployer/internal/ui"
	"github.com/deployer-cli/deployer/stacks"
)

// permitText is one agreement in the permits' parameter.
type permitText struct {
	ID       string    `json:"id"`
	Until    time.Time `json:"until"`
	Include  []string  `json:"include"`
	Exclude  []string  `json:"exclude"`
	Kinds    []string  `json:"kinds"`
	Callers  []string  `json:"callers"`
	AgreedBy string    `json:"agreed_by"`
	Reason   string    `json:"reason"`
	Revoked  bool      `json:"revoked"`
}

// maxPermits keeps the parameter within the 4096 characters of a standard SSM
// parameter: older ones go first.
const maxPermits = 8

// permitName is the parameter with an environment's permits.
func permitName(project, env string) string {
	return "/deployer/" + project + "/permits/" + strings.ReplaceAll(env, "/", "-")
}

// permitsAt reaches the permits in the environment's own account, whoever asks.
func (s *session) permitsAt(a area) *cloud.Lever {
	return s.cloud.Lever(a.access, permitName(projectName(s.anyOf(a.env)), a.env.Name))
}

// readPermits reads an environment's permits; none were ever written is none.
func readPermits(ctx context.Context, l *cloud.Lever) ([]permitText, error) {
	text, err := l.Read(ctx)
	if cloud.IsMissing(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var out []permitText
	if err := json.Unmarshal([]byte(text), &out); err != nil {
		return nil, fmt.Errorf("%s holds something else", l.Name())
	}
	return out, nil
}

// permits reads what was agreed for the environment, where it asks for that.
func (b *breaker) permits(ctx context.Context) ([]blast.Permit, error) {
	if _, asked := b.place.env.Break.Get("permit"); !asked {
		return []blast.Permit{}, nil
	}
	all, err := readPermits(ctx, b.s.permitsAt(b.place))
	out := make([]blast.Permit, 0, len(all))
	for _, p := range all {
		out = append(out, blast.Permit{
			ID: p.ID, Until: p.Until, Include: p.Include, Exclude: p.Exclude, Kinds: p.Kinds, Callers: p.Callers, AgreedBy: p.AgreedBy, Revoked: p.Revoked,
		})
	}
	return out, err
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
				return a.withPermits(c, func(ctx context.Context, _ *session, _ area, l *cloud.Lever) error { return a.showPermits(ctx, l) })
			}},
			{Name: "revoke", Usage: "revoke all permits of ENV", ArgsUsage: "ENV", Action: func(c *cli.Context) error {
				return a.withPermits(c, func(ctx context.Context, _ *session, _ area, l *cloud.Lever) error {
					all, err := readPermits(ctx, l)
					if err != nil {
						return err
					}
					for i := range all {
						all[i].Revoked = true
					}
					return errors.Join(writePermits(ctx, l, all), a.showPermits(ctx, l))
				})
			}},
		},
	}
}

func (a *app) withPermits(c *cli.Context, do func(context.Context, *session, area, *cloud.Lever) error) error {
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
	return a.withPermits(c, func(ctx context.Context, s *session, place area, l *cloud.Lever) error {
		who, err := s.me(ctx, place)
		if err != nil {
			return err
		}
		all, err := readPermits(ctx, l)
		if err != nil {
			return err
		}
		all = append(all, permitText{
			ID: state.NewID(), Until: s.now().UTC().Add(lasts).Truncate(time.Second), Include: c.StringSlice("include"), Exclude: c.StringSlice("exclude"),
			Kinds: c.StringSlice("kind"), Callers: c.StringSlice("caller"), AgreedBy: who.ARN, Reason: c.String("reason"),
		})
		if len(all) > maxPermits {
			all = slices.Delete(all, 0, len(all)-maxPermits)
		}
		if err := writePermits(ctx, l, all); err != nil {
			return err
		}
		return a.showPermits(ctx, l)
	})
}

func writePermits(ctx context.Context, l *cloud.Lever, all []permitText) error {
	text, err := json.Marshal(all)
	if err != nil {
		return err
	}
	return l.Write(ctx, string(text))
}

func (a *app) showPermits(ctx context.Context, l *cloud.Lever) error {
	all, err := readPermits(ctx, l)
	if err != nil {
		return err
	}
	if all == nil {
		all = []permitText{}
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
		rows = append(rows, []string{p.ID, until, orAll(p.Include), orAll(p.Kinds), strings.Join(p.Callers, ", "), p.AgreedBy, p.Reason})
	}
	ui.Table(a.env.Stdout, []string{"permit", "until", "stacks", "kinds", "callers", "agreed by", "reason"}, rows)
	return nil
}

func orAll(list []string) string {
	if len(list) == 0 {
		return "all"
	}
	return strings.Join(list, ", ")
}
