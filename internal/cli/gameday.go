package cli

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/deployer-cli/deployer/internal/chaos"
	"github.com/deployer-cli/deployer/stacks"
)

// gamedayCommand is how people press the stopwatch of an exercise.
func (a *app) gamedayCommand() *cli.Command {
	return &cli.Command{
		Name: "gameday", Usage: "people press the stopwatch of an exercise: detected, diagnosed, recovered; and take notes", ArgsUsage: "detect|diagnose|recovered|note TEXT",
		Description: "Each goes into the journal of the one break that is open, or of the one that --break\nnames, with who said it and when. See it with: deployer break show",
		Subcommands: []*cli.Command{
			a.stopwatch("detect", chaos.Detect, "somebody noticed: T3"),
			a.stopwatch("diagnose", chaos.Diagnose, "somebody knows what it is: T4"),
			a.stopwatch("recovered", chaos.Recovered, "the team says that it is back; the probes decide"),
			{
				Name: "note", Usage: "write down what is worth remembering", ArgsUsage: "KIND TEXT",
				Description: "KIND is a word of your own, such as document, skill, monitoring, access.",
				Flags: []cli.Flag{
					breakFlag(),
					&cli.StringFlag{Name: "stack", Usage: "the `STACK` that it is about"},
					&cli.StringFlag{Name: "owner", Usage: "`WHO` takes care of it"},
				},
				Action: a.takeNote,
			},
		},
	}
}

func breakFlag() cli.Flag {
	return &cli.StringFlag{Name: "break", Usage: "the break with this `ID` (default: the one that is open)"}
}

func (a *app) stopwatch(name, what, usage string) *cli.Command {
	return &cli.Command{
		Name: name, Usage: usage, ArgsUsage: "TEXT",
		Flags: []cli.Flag{breakFlag(), &cli.StringFlag{Name: "at", Usage: "when it was, as `15:04` of today or a time of ISO 8601 (default: now)"}},
		Action: func(c *cli.Context) error {
			text, err := spoken(c, 0)
			if err != nil {
				return err
			}
			return a.intoJournal(c, chaos.KindPerson, func(_ context.Context, s *session, who string) (any, error) {
				at, err := momentOf(c.String("at"), s.now())
				return chaos.Person{What: what, Text: text, Who: who, At: at}, err
			})
		},
	}
}

func (a *app) takeNote(c *cli.Context) error {
	if c.NArg() < 2 {
		return &usageError{"gameday note needs a KIND and a TEXT", `such as: deployer gameday note document "no runbook for the queue"`}
	}
	text, err := spoken(c, 1)
	if err != nil {
		return err
	}
	return a.intoJournal(c, chaos.KindNote, func(_ context.Context, s *session, who string) (any, error) {
		owner := c.String("owner")
		if owner == "" {
			owner = who
		}
		return chaos.Note{Kind: c.Args().First(), Text: text, Stack: stacks.Path(c.String("stack")), Owner: owner, At: s.now().UTC()}, nil
	})
}

// spoken is the text behind so many arguments, in quotes or not.
func spoken(c *cli.Context, skip int) (string, error) {
	words := c.Args().Slice()
	for _, w := range words {
		if isFlag(w) {
			return "", &usageError{"unknown flag " + w, "see: deployer gameday " + c.Command.Name + " --help"}
		}
	}
	text := strings.TrimSpace(strings.Join(words[min(skip, len(words)):], " "))
	if text == "" {
		return "", &usageError{"gameday " + c.Command.Name + " needs a TEXT", "say what you see: it stands in the journal"}
	}
	return text, nil
}

// momentOf reads when something was; nothing is now, and a time of day is that of
// today.
func momentOf(text string, now time.Time) (time.Time, error) {
	if text == "" {
		return now.UTC(), nil
	}
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return t.UTC(), nil
	}
	t, err := time.Parse("15:04", text)
	if err != nil {
		return time.Time{}, &usageError{fmt.Sprintf("--at %s: it has to be a time such as 14:07, or 2026-11-22T14:07:00Z", text), ""}
	}
	now = now.UTC()
	return time.Date(now.Year(), now.Month(), now.Day(), t.Hour(), t.Minute(), 0, 0, time.UTC), nil
}

// intoJournal adds an entry to the journal of a break.
func (a *app) intoJournal(c *cli.Context, kind string, entry func(context.Context, *session, string) (any, error)) error {
	ctx := c.Context
	s, err := a.open("")
	if err != nil {
		return err
	}
	defer s.close() //nolint:errcheck // what matters was synced
	if err := s.connect(); err != nil {
		return err
	}
	k, err := s.findBreak(ctx, c.String("break"), c.String("break") == "")
	if err != nil {
		return err
	}
	who, err := s.caller(ctx, k.place.access)
	if err != nil {
		return err
	}
	body, err := entry(ctx, s, who.ARN)
	if err != nil {
		return err
	}
	if err := k.record.Write(ctx, kind, body); err != nil {
		return err
	}
	fmt.Fprintf(a.env.Stdout, "%s in the journal of %s\n", a.out.Good("noted"), k.record.id)
	return nil
}
