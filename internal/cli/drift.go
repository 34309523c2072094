package cli

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/deployer-cli/deployer/internal/hook"
	"github.com/deployer-cli/deployer/internal/ui"
	"github.com/deployer-cli/deployer/stacks"
)

// driftOptions are the flags of drift.
type driftOptions struct {
	arg      string
	show     bool // each resource, and not only each stack
	drifted  bool // only what drifted
	exitCode bool
	timeout  time.Duration
}

// driftCommand compares what lives with the templates it was made from.
func (a *app) driftCommand() *cli.Command {
	common := []cli.Flag{
		&cli.BoolFlag{Name: "exit-code", Usage: "exit 9 when something drifted"},
		&cli.DurationFlag{Name: "timeout", Usage: "wait at most `D` for each stack", Value: 30 * time.Minute},
	}
	return &cli.Command{
		Name: "drift", Usage: "find what was changed behind CloudFormation's back",
		Subcommands: []*cli.Command{
			{
				Name: "detect", Usage: "tell which stacks under PATH drifted", ArgsUsage: "PATH",
				Description: "CloudFormation looks at every resource; nothing is changed. A stack that cannot be\nlooked at is told, and makes the exit code 1.",
				Flags:       common, Action: a.driftAction(false),
			},
			{
				Name: "show", Usage: "tell which resources under PATH drifted, and how", ArgsUsage: "PATH",
				Description: "As detect, and then each resource that drifted, with the properties that differ.\nTheir values are not shown, for they may be secret.",
				Flags: append([]cli.Flag{
					&cli.BoolFlag{Name: "drifted", Aliases: []string{"D"}, Usage: "only the stacks that drifted"},
				}, common...),
				Action: a.driftAction(true),
			},
		},
	}
}

func (a *app) driftAction(show bool) cli.ActionFunc {
	return func(c *cli.Context) error {
		arg, err := a.path(c, true)
		if err != nil {
			return err
		}
		opts := driftOptions{arg: arg, show: show, drifted: c.Bool("drifted"), exitCode: c.Bool("exit-code"), timeout: c.Duration("timeout")}
		if opts.timeout <= 0 {
			return &usageError{fmt.Sprintf("--timeout %s: it has to be more than nothing", opts.timeout), ""}
		}
		return a.runDrift(c.Context, opts)
	}
}

// driftRow is one stack in the output of drift.
type driftRow struct {
	Stack     stacks.Path     `json:"stack"`
	Name      string          `json:"name"`
	Drift     string          `json:"drift"`
	Reason    string          `json:"reason"`
	Drifted   int             `json:"drifted"`
	Resources []resourceDrift `json:"resources,omitempty"`
}

type resourceDrift struct {
	LogicalID  string   `json:"logical_id"`
	PhysicalID string   `json:"physical_id"`
	Type       string   `json:"type"`
	Drift      string   `json:"drift"`
	Properties []string `json:"properties"`
}

// What drift says of stacks that nobody could look at.
const (
	driftAbsent   = "STACK_DOES_NOT_EXIST"
	driftFailed   = "DETECTION_FAILED"
	driftTimedOut = "TIMED_OUT"
)

func (a *app) runDrift(ctx context.Context, opts driftOptions) error {
	s, sc, err := a.look(ctx, opts.arg)
	if err != nil {
		return err
	}
	defer s.close() //nolint:errcheck // only read from
	if _, err := s.accountsOf(ctx, sc.selected()); err != nil {
		return err
	}
	live, err := s.sweep(ctx, sc.selected())
	if err != nil {
		return err
	}
	return s.inside(ctx, sc, map[bool]hook.Act{true: hook.DriftShow, false: hook.DriftDetect}[opts.show], func() error {
		return s.showDrifts(ctx, sc, live, opts)
	})()
}

func (s *session) showDrifts(ctx context.Context, sc *scope, live map[stacks.Path]*stacks.Live, opts driftOptions) error {
	a := s.app
	rows := s.drifts(ctx, sc.selected(), live, opts)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if opts.drifted {
		rows = slices.DeleteFunc(rows, func(r driftRow) bool { return r.Drift == "IN_SYNC" || r.Drift == driftAbsent })
	}
	if done, err := a.document(rows); done {
		if err != nil {
			return err
		}
	} else {
		a.showDrift(rows, opts)
	}
	return driftExit(rows, opts)
}

func driftExit(rows []driftRow, opts driftOptions) error {
	drifted := false
	for _, r := range rows {
		if r.Drift == driftFailed || r.Drift == driftTimedOut {
			return &exitError{exitFailed}
		}
		drifted = drifted || r.Drifted > 0
	}
	if drifted && opts.exitCode {
		return &exitError{exitChanges}
	}
	return nil
}

// driftAtOnce is how many stacks are looked at at the same time: detection is
// slow, and asking for its state costs calls.
const driftAtOnce = 8

func (s *session) drifts(ctx context.Context, sts []*stacks.Stack, live map[stacks.Path]*stacks.Live, opts driftOptions) []driftRow {
	rows := make([]driftRow, len(sts))
	var wg sync.WaitGroup
	slots := make(chan struct{}, driftAtOnce)
	for i, st := range sts {
		wg.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			rows[i] = s.drift(ctx, st, live[st.Path], opts)
		})
	}
	wg.Wait()
	return rows
}

func (s *session) drift(ctx context.Context, st *stacks.Stack, live *stacks.Live, opts driftOptions) driftRow {
	row := driftRow{Stack: st.Path, Name: st.Name}
	if live == nil || !live.Status.Exists() {
		row.Drift = driftAbsent
		return row
	}
	limited, cancel := context.WithTimeout(ctx, opts.timeout)
	defer cancel()
	found, err := s.cfn.DetectDrift(limited, st.Access, live.ID)
	switch {
	case err != nil && limited.Err() != nil:
		row.Drift, row.Reason = driftTimedOut, fmt.Sprintf("it took longer than %s", opts.timeout)
		return row
	case err != nil:
		row.Drift, row.Reason = driftFailed, err.Error()
		return row
	}
	row.Drift, row.Drifted, row.Reason = found.Status, len(found.Resources), found.Reason
	if !opts.show {
		return row
	}
	for _, r := range found.Resources {
		row.Resources = append(row.Resources, resourceDrift{
			LogicalID: r.LogicalID, PhysicalID: r.PhysicalID, Type: r.Type, Drift: r.Status, Properties: append([]string{}, r.Paths...),
		})
	}
	return row
}

func (a *app) showDrift(rows []driftRow, opts driftOptions) {
	table := make([][]string, 0, len(rows))
	for _, r := range rows {
		table = append(table, []string{string(r.Stack), a.driftWord(r.Drift), strconv.Itoa(r.Drifted), r.Reason})
	}
	ui.Table(a.env.Stdout, []string{"stack", "drift", "resources", "reason"}, table)
	table = nil
	for _, r := range rows {
		for _, res := range r.Resources {
			table = append(table, []string{string(r.Stack), res.LogicalID, res.Type, a.driftWord(res.Drift), strings.Join(res.Properties, " ")})
		}
	}
	if opts.show && len(table) > 0 {
		fmt.Fprintln(a.env.Stdout)
		ui.Table(a.env.Stdout, []string{"stack", "resource", "type", "drift", "properties"}, table)
	}
}

func (a *app) driftWord(word string) string {
	switch word {
	case "IN_SYNC":
		return a.out.Good(word)
	case "DRIFTED", "MODIFIED", "DELETED":
		return a.out.Bad(word)
	case "NOT_CHECKED":
		return word
	}
	return a.out.Warn(word)
}
