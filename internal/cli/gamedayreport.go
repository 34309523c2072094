package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/deployer-cli/deployer/internal/chaos"
	"github.com/deployer-cli/deployer/internal/report"
	"github.com/deployer-cli/deployer/internal/ui"
)

// reportCommand writes how an exercise went.
func (a *app) reportCommand() *cli.Command {
	return &cli.Command{
		Name: "report", Usage: "tell how an exercise went, for people who were not there", ArgsUsage: "[ID|PATH]",
		Description: "What happened, how users were affected, how long everything took, what came back\ndifferent, what to learn from it. Without an argument the break that is open, else the\nlast. Notes of the kinds why and action have a section of their own.",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "format", Usage: "`FORMAT`: md, html (one file, nothing else is needed) or json (default: what --out ends in, else md)"},
			&cli.StringFlag{Name: "out", Usage: "write it to `FILE`"},
		},
		Action: func(c *cli.Context) error {
			format, err := reportFormat(c.String("format"), c.String("out"))
			if err != nil {
				return err
			}
			return a.withBreaks(c, func(ctx context.Context, s *session, arg string) error {
				k, err := s.openOrLast(ctx, arg)
				if err != nil {
					return err
				}
				return s.writeReport(ctx, k, format, c.String("out"))
			})
		},
	}
}

// reportFormat is how a report is to be written: as was said, else as the file is called,
// else "", which is as everything is.
func reportFormat(said, file string) (string, error) {
	if said != "" {
		return said, oneOf("--format", said, report.Formats()...)
	}
	switch ending := strings.ToLower(strings.TrimPrefix(filepath.Ext(file), ".")); {
	case slices.Contains(report.Formats(), ending):
		return ending, nil
	case ending == "htm":
		return "html", nil
	case ending != "" && ending != "markdown" && ending != "txt":
		return "", &usageError{"--out " + file + ": what it ends in is no format of a report", "say which: --format " + strings.Join(report.Formats(), "|")}
	}
	return "", nil
}

// openOrLast finds the break that an argument names; without one the one that is open,
// else the last.
func (s *session) openOrLast(ctx context.Context, arg string) (*knownBreak, error) {
	k, err := s.findBreak(ctx, arg, arg == "")
	if arg != "" || err == nil && k.state.Open() {
		return k, err
	}
	// What was closed while something was down counts as open to those who bring it back.
	_, several := errors.AsType[*usageError](err)
	open := slices.ContainsFunc(s.readable(ctx), (*chaos.State).Open)
	if err == nil || isNoBreak(err) || several && !open {
		return s.findBreak(ctx, "", false)
	}
	return k, err
}

// writeReport writes the report of a break to a file, or where results go.
func (s *session) writeReport(ctx context.Context, k *knownBreak, format, file string) error {
	entries, err := k.record.books.Read(ctx, k.record.env, k.record.id)
	if err != nil {
		return err
	}
	r, err := report.Of(entries, report.About{Outcome: ui.Outcome(k.state), Earlier: ui.Earlier(k.state, s.readable(ctx)), Made: s.now()})
	if err != nil {
		return err
	}
	a := s.app
	if format == "" && file == "" {
		if done, err := a.document(r); done {
			return err
		}
	}
	text, err := r.Render(cmp.Or(format, "md"), time.Local)
	if err != nil {
		return err
	}
	if file == "" {
		_, err := a.env.Stdout.Write(text)
		return err
	}
	if err := writeFile(a.abs(file), text); err != nil {
		return &usageError{fmt.Sprintf("the report cannot be written to %s: %v", file, pathless(err)), ""}
	}
	fmt.Fprintf(a.talk(), "the report of %s is in %s\n", k.record.id, file)
	return nil
}
