package cli

import (
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
		Name: "gameday", Usage: "people press the stopwatch of an exercise, take notes, and read the report", ArgsUsage: "detect|diagnose|recovered|note|report",
		Description: "What people say goes into the journal of the one break that is open, or of the one that\n--break names, with who said it and when. See it with: deployer break show",
		Subcommands: []*cli.Command{
			a.stopwatch("detect", chaos.Detect, "somebody noticed: T3"),
			a.stopwatch("diagnose", chaos.Diagnose, "somebody knows what it is: T4"),
			a.stopwatch("recovered", chaos.Recovered, "the team says that it is back; the probes decide"),
			{
				Name: "note", Usage: "write down what is worth remembering", ArgsUsage: "KIND TEXT",
				Description: "KIND is a word of your own, such as document, skill, monitoring, access. Notes of the\nkinds why and action have a section of their own in the report.",
				Flags: []cli.Flag{
					breakFlag(),
					&cli.StringFlag{Name: "stack", Usage: "the `STACK` that it is about"},
					&cli.StringFlag{Name: "owner", Usage: "`WHO` takes care of it"},
					atFlag(),
				},
				Action: a.takeNote,
			},
			a.reportCommand(),
		},
	}
}

func breakFlag() cli.Flag {
	return &cli.StringFlag{Name: "break", Usage: "the break with this `ID` (default: the one that is open)"}
}

func atFlag() cli.Flag {
	return &cli.StringFlag{Name: "at", Usage: "when it was, as `15:04` in UTC or a time of ISO 8601, since the break began (default: now)"}
}

func (a *app) stopwatch(name, what, usage string) *cli.Command {
	return &cli.Command{
		Name: name, Usage: usage, ArgsUsage: "TEXT",
		Flags: []cli.Flag{
			breakFlag(), atFlag(),
			&cli.BoolFlag{Name: "instead", Usage: "it takes the place of what was said before: a correction"},
		},
		Action: func(c *cli.Context) error {
			text, err := spoken(c, 0)
			if err != nil {
				return err
			}
			return a.intoJournal(c, chaos.KindPerson, func(s *session, st *chaos.State, who string) (any, error) {
				at, err := momentOf(c.String("at"), st.Planned, s.now())
				return chaos.Person{What: what, Text: text, Who: who, At: at, Instead: c.Bool("instead")}, err
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
	return a.intoJournal(c, chaos.KindNote, func(s *session, st *chaos.State, who string) (any, error) {
		owner := c.String("owner")
		if owner == "" {
			owner = who
		}
		at, err := momentOf(c.String("at"), st.Planned, s.now())
		return chaos.Note{Kind: c.Args().First(), Text: text, Stack: stacks.Path(c.String("stack")), Owner: owner, At: at}, err
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

// momentOf reads when something was; nothing is now, and a time of day is the last
// such since the break began. It has to lie between that and now.
func momentOf(text string, began, now time.Time) (time.Time, error) {
	began, now = began.UTC(), now.UTC()
	if text == "" {
		return now, nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		var clock time.Time
		if clock, err = time.Parse("15:04", text); err == nil {
			at = lastOf(clock, began, now)
		}
	}
	switch at = at.UTC(); {
	case err != nil:
		return time.Time{}, &usageError{fmt.Sprintf("--at %s: it has to be a time such as 14:07, or 2026-11-22T14:07:00Z", text), ""}
	case at.After(now):
		return time.Time{}, &usageError{fmt.Sprintf("--at %s: that is still to come: it is %s", text, stamp(now)), "times are in UTC"}
	case at.Before(began):
		return time.Time{}, &usageError{fmt.Sprintf("--at %s: that was before the break: it began at %s", text, stamp(began)), "times are in UTC"}
	}
	return at, nil
}

// lastOf is a time of day on the last day on which it has been; the minute in which
// a break began is told by its beginning.
func lastOf(clock, began, now time.Time) time.Time {
	at := time.Date(now.Year(), now.Month(), now.Day(), clock.Hour(), clock.Minute(), 0, 0, time.UTC)
	if before := at.AddDate(0, 0, -1); at.After(now) && before.Add(time.Minute).After(began) {
		at = before
	}
	if at.Before(began) && at.Add(time.Minute).After(began) {
		return began
	}
	return at
}

// intoJournal adds an entry to the journal of a break.
func (a *app) intoJournal(c *cli.Context, kind string, entry func(*session, *chaos.State, string) (any, error)) error {
	ctx := c.Context
	s, err := a.open("")
	if err != nil {
		return err
	}
	defer s.close() //nolint:errcheck // what matters was synced
	if err := s.connect(); err != nil {
		return err
	}
	k, err := s.findBreakAnyhow(ctx, c.String("break"), c.String("break") == "")
	if err != nil {
		return err
	}
	who, err := s.caller(ctx, k.place.access)
	if err != nil {
		return err
	}
	body, err := entry(s, k.state, who.ARN)
	if err != nil {
		return err
	}
	if err := k.record.Write(ctx, kind, body); err != nil {
		return err
	}
	fmt.Fprintf(a.env.Stdout, "%s in the journal of %s\n", a.out.Good("noted"), k.record.id)
	return nil
}
