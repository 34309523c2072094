package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/deployer-cli/deployer/internal/cfn"
	"github.com/deployer-cli/deployer/internal/ui"
	"github.com/deployer-cli/deployer/stacks"
)

// describeCommand shows one thing of a stack in full.
func (a *app) describeCommand() *cli.Command {
	return &cli.Command{
		Name: "describe", Usage: "show a change set or a stack policy",
		Subcommands: []*cli.Command{
			{
				Name: "change-set", Usage: "what a change set would do", ArgsUsage: "PATH CHANGE_SET",
				Flags: []cli.Flag{
					&cli.BoolFlag{Name: "verbose", Aliases: []string{"v"}, Usage: "its parameters, tags and nested change sets too"},
				},
				Action: func(c *cli.Context) error {
					if c.NArg() != 2 {
						return &usageError{"describe change-set needs a PATH and the name of a change set", "see: deployer list change-sets PATH"}
					}
					return a.describeChangeSet(c.Context, c.Args().Get(0), c.Args().Get(1), c.Bool("verbose"))
				},
			},
			{Name: "policy", Usage: "the stack policies under PATH", ArgsUsage: "PATH", Action: a.withPath(true, a.describePolicy)},
		},
	}
}

func (a *app) describeChangeSet(ctx context.Context, arg, name string, verbose bool) error {
	s, sc, err := a.look(ctx, arg)
	if err != nil {
		return err
	}
	defer s.close() //nolint:errcheck // only read from
	if len(sc.selected()) != 1 {
		return &usageError{fmt.Sprintf("%s is not one stack", arg), "a change set belongs to one stack"}
	}
	st := sc.selected()[0]
	live, err := s.cfn.Stack(ctx, st.Access, st.Name)
	if err != nil {
		return err
	}
	cs, err := s.cfn.ChangeSet(ctx, st.Access, live.ID, name)
	if err != nil {
		return err
	}
	if verbose {
		desired, err := s.prepare.Prepare(ctx, st)
		if err != nil {
			return err // what is secret would not be known
		}
		cs = covered(cs, desired)
	}
	if done, err := a.document(describedChangeSet(cs, verbose)); done {
		return err
	}
	a.showChangeSet(st.Path, cs)
	a.showInputs(cs, verbose)
	return nil
}

func (a *app) describePolicy(ctx context.Context, arg string) error {
	s, sc, err := a.look(ctx, arg)
	if err != nil {
		return err
	}
	defer s.close() //nolint:errcheck // only read from
	document := map[string]any{}
	err = s.existing(ctx, sc, func(st *stacks.Stack, live *stacks.Live) error {
		policy, err := s.cfn.Policy(ctx, st.Access, live.ID)
		document[string(st.Path)] = nil
		if len(policy) > 0 {
			document[string(st.Path)] = json.RawMessage(policy)
		}
		return err
	})
	if err != nil {
		return err
	}
	if done, err := a.document(document); done {
		return err
	}
	for _, st := range sc.selected() {
		policy, lives := document[string(st.Path)]
		switch text, _ := policy.(json.RawMessage); {
		case !lives:
			fmt.Fprintf(a.env.Stdout, "%s: does not exist\n", st.Path)
		case len(text) == 0:
			fmt.Fprintf(a.env.Stdout, "%s: no stack policy\n", st.Path)
		default:
			fmt.Fprintf(a.env.Stdout, "%s:\n%s\n", st.Path, text)
		}
	}
	return nil
}

// eventsCommand shows what happened to stacks, oldest first.
func (a *app) eventsCommand() *cli.Command {
	return &cli.Command{
		Name: "events", Usage: "show the events of stacks", ArgsUsage: "PATH",
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "follow", Aliases: []string{"f"}, Usage: "go on until every stack has come to rest"},
			&cli.IntFlag{Name: "limit", Aliases: []string{"n"}, Usage: "at most `N` events of each stack (0: all)", Value: 50},
		},
		Action: func(c *cli.Context) error {
			arg, err := a.path(c, true)
			if err != nil {
				return err
			}
			return a.runEvents(c.Context, arg, c.Int("limit"), c.Bool("follow"))
		},
	}
}

// followEvery is how long events --follow waits between two looks.
const followEvery = 2 * time.Second

func (a *app) runEvents(ctx context.Context, arg string, limit int, follow bool) error {
	if limit < 0 {
		return &usageError{fmt.Sprintf("--limit %d: it cannot be negative", limit), ""}
	}
	s, sc, err := a.look(ctx, arg)
	if err != nil {
		return err
	}
	defer s.close() //nolint:errcheck // only read from
	seen := map[string]bool{}
	for {
		events, busy, err := s.events(ctx, sc, limit, seen)
		if err != nil {
			return err
		}
		err = a.showEvents(events, follow)
		if w, ok := a.env.Stdout.(*checkedWriter); ok && w.unread() {
			return nil // it is told at the end, unless the reader just had enough
		}
		if err != nil || !follow || !busy {
			return err
		}
		timer := time.NewTimer(followEvery)
		select {
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		case <-timer.C:
		}
	}
}

// events reads what is new of every stack, oldest first, and whether any of
// them is still being worked on.
func (s *session) events(ctx context.Context, sc *scope, limit int, seen map[string]bool) ([]stacks.Event, bool, error) {
	var out []stacks.Event
	busy := false
	err := s.existing(ctx, sc, func(st *stacks.Stack, live *stacks.Live) error {
		busy = busy || live.Status.InProgress()
		for e, err := range s.cfn.Events(ctx, st.Access, live.ID, cfn.EventOptions{Limit: limit}) {
			if err != nil {
				return err
			}
			if seen[e.ID] {
				break
			}
			seen[e.ID] = true
			e.StackName = string(st.Path) // the project's word for it
			out = append(out, e)
		}
		return nil
	})
	slices.SortStableFunc(out, func(x, y stacks.Event) int { return x.Time.Compare(y.Time) })
	return out, busy, err
}

// eventRow is one event in JSON.
type eventRow struct {
	Time     string `json:"time"`
	Stack    string `json:"stack"`
	Resource string `json:"resource"`
	Type     string `json:"type"`
	Status   string `json:"status"`
	Reason   string `json:"reason"`
}

func (a *app) showEvents(events []stacks.Event, follow bool) error {
	rows := make([]eventRow, 0, len(events))
	table := make([][]string, 0, len(events))
	for _, e := range events {
		at := e.Time.UTC().Format(time.RFC3339)
		rows = append(rows, eventRow{at, e.StackName, e.LogicalID, e.Type, e.Status, strings.TrimSpace(e.Reason)})
		table = append(table, []string{at, e.StackName, e.LogicalID, a.out.Status(stacks.Status(e.Status)), strings.TrimSpace(e.Reason)})
	}
	if follow && a.globals.output == "json" {
		enc := json.NewEncoder(a.env.Stdout)
		for _, r := range rows {
			if err := enc.Encode(r); err != nil {
				return err
			}
		}
		return nil
	}
	if done, err := a.document(rows); done {
		return err
	}
	ui.Table(a.env.Stdout, nil, table)
	return nil
}
