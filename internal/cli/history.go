package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/deployer-cli/deployer/internal/guard"
	"github.com/deployer-cli/deployer/internal/state"
	"github.com/deployer-cli/deployer/internal/ui"
)

// historyCommand shows who changed what, when, and under which approval.
func (a *app) historyCommand() *cli.Command {
	return &cli.Command{
		Name: "history", Usage: "show who did what to an environment, when, and under which approval", ArgsUsage: "[ENV]",
		Description: "Every run writes a line before its first change, and one after its last. Each line holds\nthe hash of the one before, and a record besides says how far they go, so that none can be\nchanged or taken out unseen, nor the newest: a history that does not add up is exit 1.",
		Action:      a.withPath(false, a.history),
	}
}

func (a *app) history(ctx context.Context, name string) error {
	var s *session
	var places []area
	var err error
	if name == "" {
		if s, err = a.open(""); err == nil {
			defer s.close() //nolint:errcheck // only read from
			if places, err = s.environments(); err == nil {
				err = s.connect()
			}
		}
	} else {
		var place area
		if s, place, err = a.standAt(ctx, name); err == nil {
			defer s.close() //nolint:errcheck // only read from
			places = []area{place}
		}
	}
	if err != nil {
		return err
	}
	all := []state.Entry{}
	var broken []error
	for _, place := range places {
		entries, err := s.records(place.env, place.access).History(ctx, place.env.Name)
		all = append(all, entries...)
		if _, ok := errors.AsType[*state.BrokenError](err); !ok && err != nil {
			return err
		}
		if err != nil {
			broken = append(broken, err)
			continue
		}
		if _, err := s.records(place.env, place.access).Head(ctx, place.env.Name); len(entries) > 0 && errors.Is(err, state.ErrAbsent) {
			fmt.Fprintf(a.talk(), "%s the history of %s is from before there was a record of how far it goes: that its newest entries are gone is noticed from the next entry on\n", a.err.Warn("note:"), place.env.Name)
		}
	}
	slices.SortStableFunc(all, func(a, b state.Entry) int { return a.Time.Compare(b.Time) })
	return errors.Join(append([]error{a.showHistory(all)}, broken...)...)
}

func (a *app) showHistory(all []state.Entry) error {
	if done, err := a.document(all); done {
		return err
	}
	if len(all) == 0 {
		fmt.Fprintln(a.env.Stdout, "nothing was done yet")
		return nil
	}
	ended := map[string]bool{}
	for _, e := range all {
		ended[e.Environment+" "+e.Run] = ended[e.Environment+" "+e.Run] || e.Kind == state.Ended
	}
	rows := make([][]string, 0, len(all))
	for _, e := range all {
		what := told(e)
		if e.Kind == state.Began && !ended[e.Environment+" "+e.Run] {
			what += "; no end was noted"
		}
		rows = append(rows, []string{stamp(e.Time), e.Environment, e.Command, e.Kind, guard.Identity{ARN: e.Who}.Person(), e.From, string(e.Realm), what})
	}
	ui.Table(a.env.Stdout, []string{"time", "environment", "command", "", "who", "from", "realm", "what"}, rows)
	return nil
}

// told is the rest of an entry, in one line.
func told(e state.Entry) string {
	var parts []string
	switch {
	case e.Result != "":
		parts = append(parts, e.Result)
	case len(e.Stacks) > 3:
		parts = append(parts, fmt.Sprintf("%d stacks", len(e.Stacks)))
	case len(e.Stacks) > 0:
		names := make([]string, 0, len(e.Stacks))
		for _, p := range e.Stacks {
			names = append(names, string(p))
		}
		parts = append(parts, strings.Join(names, " "))
	}
	if e.Digest != "" {
		parts = append(parts, "plan "+short(e.Digest))
	}
	for _, approval := range e.Approvals {
		id, who, _ := strings.Cut(approval, " by ")
		parts = append(parts, "approved by "+guard.Identity{ARN: who}.Person()+" ("+id+")")
	}
	if e.Reason != "" {
		parts = append(parts, e.Reason)
	}
	return strings.Join(parts, "; ")
}
