package cli

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/deployer-cli/deployer/internal/flow"
	"github.com/deployer-cli/deployer/internal/graph"
	"github.com/deployer-cli/deployer/internal/ui"
	"github.com/deployer-cli/deployer/stacks"
)

// look opens the project, finds the stacks under PATH alone, connects and
// shows the banner: what every command that only looks begins with.
func (a *app) look(ctx context.Context, arg string) (*session, *scope, error) {
	s, err := a.open(arg)
	if err != nil {
		return nil, nil, err
	}
	sc, err := s.alone(ctx, arg)
	if err != nil {
		return nil, nil, s.failed(err)
	}
	if err := s.connect(); err != nil {
		return nil, nil, s.failed(err)
	}
	if err := s.banner(ctx, sc.selected()); err != nil {
		return nil, nil, s.failed(err)
	}
	return s, sc, nil
}

// alone is the scope of the stacks under arg and no others.
func (s *session) alone(ctx context.Context, arg string) (*scope, error) {
	ignore := s.app.globals.ignoreDeps
	s.app.globals.ignoreDeps, s.sketchy = true, true
	defer func() { s.app.globals.ignoreDeps, s.sketchy = ignore, false }()
	return s.scope(ctx, arg, graph.Up)
}

// statusCommand tells how stacks live.
func (a *app) statusCommand() *cli.Command {
	return &cli.Command{
		Name: "status", Usage: "show the status of stacks", ArgsUsage: "[PATH]",
		Action: func(c *cli.Context) error {
			arg, err := a.path(c, false)
			if err != nil {
				return err
			}
			return a.runStatus(c.Context, arg)
		},
	}
}

// statusRow is one stack in the output of status.
type statusRow struct {
	Stack       stacks.Path   `json:"stack"`
	Name        string        `json:"name"`
	Environment string        `json:"environment"`
	Class       stacks.Class  `json:"class"`
	Account     string        `json:"account"`
	Region      string        `json:"region"`
	Status      stacks.Status `json:"status"`
	Reason      string        `json:"reason"`
	Updated     string        `json:"updated"`
}

func (a *app) runStatus(ctx context.Context, arg string) error {
	s, sc, err := a.look(ctx, arg)
	if err != nil {
		return err
	}
	defer s.close() //nolint:errcheck // only read from
	live, err := s.sweep(ctx, sc.selected())
	if err != nil {
		return err
	}
	rows := make([]statusRow, 0, len(sc.stacks))
	for _, st := range sc.selected() {
		account, err := s.cloud.Account(ctx, st.Access)
		if err != nil {
			return err
		}
		rows = append(rows, statusOf(st, live[st.Path], account))
	}
	if done, err := a.document(rows); done {
		return err
	}
	table := make([][]string, 0, len(rows))
	for _, r := range rows {
		table = append(table, []string{string(r.Stack), a.out.Status(r.Status), r.Updated, r.Name, r.Reason})
	}
	ui.Table(a.env.Stdout, []string{"stack", "status", "changed", "name", "reason"}, table)
	return nil
}

func statusOf(st *stacks.Stack, live *stacks.Live, account string) statusRow {
	row := statusRow{
		Stack: st.Path, Name: st.Name, Environment: environmentName(st), Account: account,
		Region: st.Access.Region, Status: stacks.Pending,
	}
	if st.Environment != nil {
		row.Class = st.Environment.Class
	}
	if live != nil {
		row.Status, row.Reason = live.Status, strings.TrimSpace(live.Reason)
		row.Updated = live.Changed().UTC().Format(time.RFC3339)
	}
	return row
}

// sweep reads how stacks live, those of an account and region together. A stack
// that does not exist is not in the answer.
func (s *session) sweep(ctx context.Context, sts []*stacks.Stack) (map[stacks.Path]*stacks.Live, error) {
	type area struct{ account, region string }
	names := map[area]map[string]stacks.Access{}
	at := make(map[stacks.Access]area)
	var areas []area
	for _, st := range sts {
		if _, ok := at[st.Access]; !ok {
			account, err := s.cloud.Account(ctx, st.Access)
			if err != nil {
				return nil, err
			}
			at[st.Access] = area{account, st.Access.Region}
		}
		a := at[st.Access]
		if names[a] == nil {
			names[a] = map[string]stacks.Access{}
			areas = append(areas, a)
		}
		names[a][st.Name] = st.Access
	}
	found, errs := make([]map[string]*stacks.Live, len(areas)), make([]error, len(areas))
	flow.Each(ctx, len(areas), len(areas), func(i int) { found[i], errs[i] = s.cfn.Find(ctx, names[areas[i]]) })
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	out := make(map[stacks.Path]*stacks.Live, len(sts))
	for _, st := range sts {
		if live := found[slices.Index(areas, at[st.Access])][st.Name]; live != nil {
			out[st.Path] = live
		}
	}
	return out, nil
}

// existing calls do for every selected stack that lives, in order.
func (s *session) existing(ctx context.Context, sc *scope, do func(*stacks.Stack, *stacks.Live) error) error {
	live, err := s.sweep(ctx, sc.selected())
	if err != nil {
		return err
	}
	var errs []error
	for _, st := range sc.selected() {
		if l := live[st.Path]; l != nil {
			errs = append(errs, do(st, l))
		}
	}
	return errors.Join(errs...)
}

// listCommand lists stacks and what belongs to them.
func (a *app) listCommand() *cli.Command {
	return &cli.Command{
		Name: "list", Usage: "list stacks, outputs, resources or change sets",
		Subcommands: []*cli.Command{
			{
				Name: "stacks", Usage: "the stacks under PATH and their CloudFormation names", ArgsUsage: "[PATH]",
				Action: a.withPath(false, a.listStacks),
			},
			{
				Name: "outputs", Usage: "the outputs of the stacks under PATH", ArgsUsage: "PATH",
				Flags: []cli.Flag{
					&cli.StringFlag{Name: "export", Aliases: []string{"e"}, Usage: "as `KIND`: envvar, stackoutput or stackoutputexternal"},
				},
				Action: func(c *cli.Context) error {
					arg, err := a.path(c, true)
					if err != nil {
						return err
					}
					return a.listOutputs(c.Context, arg, c.String("export"))
				},
			},
			{Name: "resources", Usage: "the resources of the stacks under PATH", ArgsUsage: "PATH", Action: a.withPath(true, a.listResources)},
			{
				Name: "change-sets", Usage: "the change sets of the stacks under PATH", ArgsUsage: "PATH",
				Flags: []cli.Flag{
					&cli.BoolFlag{Name: "url", Aliases: []string{"U"}, Usage: "where the AWS console shows each, instead of its status"},
				},
				Action: func(c *cli.Context) error {
					arg, err := a.path(c, true)
					if err != nil {
						return err
					}
					return a.listChangeSets(c.Context, arg, c.Bool("url"))
				},
			},
		},
	}
}

// withPath makes an action of a function that needs PATH and nothing else.
func (a *app) withPath(need bool, run func(context.Context, string) error) cli.ActionFunc {
	return func(c *cli.Context) error {
		arg, err := a.path(c, need)
		if err != nil {
			return err
		}
		return run(c.Context, arg)
	}
}

func (a *app) listStacks(ctx context.Context, arg string) error {
	s, err := a.open(arg)
	if err != nil {
		return err
	}
	defer s.close() //nolint:errcheck // only read from
	sc, err := s.alone(ctx, arg)
	if err != nil {
		return err
	}
	if err := s.banner(ctx, sc.selected()); err != nil {
		return err
	}
	names := map[string]string{}
	for _, st := range sc.selected() {
		names[string(st.Path)] = st.Name
	}
	if done, err := a.document(names); done {
		return err
	}
	rows := make([][]string, 0, len(names))
	for _, p := range slices.Sorted(maps.Keys(names)) {
		rows = append(rows, []string{p, names[p]})
	}
	ui.Table(a.env.Stdout, []string{"stack", "name"}, rows)
	return nil
}

func (a *app) listOutputs(ctx context.Context, arg, export string) error {
	if err := oneOf("--export", export, "", "envvar", "stackoutput", "stackoutputexternal"); err != nil {
		return err
	}
	s, sc, err := a.look(ctx, arg)
	if err != nil {
		return err
	}
	defer s.close() //nolint:errcheck // only read from
	document := map[string]map[string]string{}
	var rows [][]string
	var lines []string
	err = s.existing(ctx, sc, func(st *stacks.Stack, live *stacks.Live) error {
		outputs := map[string]string{}
		for _, o := range live.Outputs {
			outputs[o.Key] = o.Value
			rows = append(rows, []string{string(st.Path), o.Key, o.Value})
			lines = append(lines, exported(export, st, o))
		}
		document[string(st.Path)] = outputs
		return nil
	})
	if err != nil {
		return err
	}
	if export != "" {
		for _, l := range lines {
			fmt.Fprintln(a.env.Stdout, l)
		}
		return nil
	}
	if done, err := a.document(document); done {
		return err
	}
	ui.Table(a.env.Stdout, []string{"stack", "output", "value"}, rows)
	return nil
}

// exported writes an output in the form that another program reads.
func exported(kind string, st *stacks.Stack, o stacks.Output) string {
	switch kind {
	case "envvar":
		return fmt.Sprintf("export SCEPTRE_%s='%s'", o.Key, strings.ReplaceAll(o.Value, "'", `'\''`))
	case "stackoutput":
		return fmt.Sprintf("!stack_output %s.yaml::%s [%s]", st.Path, o.Key, o.Value)
	default:
		return fmt.Sprintf("!stack_output_external %s::%s [%s]", st.Name, o.Key, o.Value)
	}
}

func (a *app) listResources(ctx context.Context, arg string) error {
	s, sc, err := a.look(ctx, arg)
	if err != nil {
		return err
	}
	defer s.close() //nolint:errcheck // only read from
	type row struct {
		LogicalID  string `json:"logical_id"`
		PhysicalID string `json:"physical_id"`
		Type       string `json:"type"`
		Status     string `json:"status"`
	}
	document := map[string][]row{}
	var rows [][]string
	err = s.existing(ctx, sc, func(st *stacks.Stack, live *stacks.Live) error {
		resources, err := s.cfn.Resources(ctx, st.Access, live.ID)
		document[string(st.Path)] = []row{}
		for _, r := range resources {
			document[string(st.Path)] = append(document[string(st.Path)], row{r.LogicalID, r.PhysicalID, r.Type, r.Status})
			rows = append(rows, []string{string(st.Path), r.LogicalID, r.Type, a.out.Status(stacks.Status(r.Status)), r.PhysicalID})
		}
		return err
	})
	if err != nil {
		return err
	}
	if done, err := a.document(document); done {
		return err
	}
	ui.Table(a.env.Stdout, []string{"stack", "resource", "type", "status", "physical id"}, rows)
	return nil
}

func (a *app) listChangeSets(ctx context.Context, arg string, urls bool) error {
	s, sc, err := a.look(ctx, arg)
	if err != nil {
		return err
	}
	defer s.close() //nolint:errcheck // only read from
	document := map[string][]string{}
	var rows [][]string
	err = s.existing(ctx, sc, func(st *stacks.Stack, live *stacks.Live) error {
		sets, err := s.cfn.ChangeSets(ctx, st.Access, live.ID)
		document[string(st.Path)] = []string{}
		for _, cs := range sets {
			if urls {
				url := consoleURL(st.Access.Region, cs)
				document[string(st.Path)] = append(document[string(st.Path)], url)
				rows = append(rows, []string{string(st.Path), cs.Name, url})
				continue
			}
			document[string(st.Path)] = append(document[string(st.Path)], cs.Name)
			rows = append(rows, []string{string(st.Path), cs.Name, cs.Status, cs.Execution})
		}
		return err
	})
	if err != nil {
		return err
	}
	if done, err := a.document(document); done {
		return err
	}
	header := []string{"stack", "change set", "status", "execution"}
	if urls {
		header = []string{"stack", "change set", "url"}
	}
	ui.Table(a.env.Stdout, header, rows)
	return nil
}
