package cli

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/deployer-cli/deployer/internal/sandbox"
	"github.com/deployer-cli/deployer/internal/ui"
)

// sandboxCommand looks at, and steers, the project's own CloudFormation.
func (a *app) sandboxCommand() *cli.Command {
	return &cli.Command{
		Name: "sandbox", Usage: "look at and steer the CloudFormation in the binary",
		Description: "The sandbox keeps its state in .deployer/sandbox of the project. Its time goes on\nbetween commands, sixty times as fast as ours unless told otherwise.",
		Subcommands: []*cli.Command{
			{Name: "status", Usage: "its clock, its speed, and what is in it", Action: a.sandboxAction(0, a.sandboxStatus)},
			{Name: "reset", Usage: "empty it", Flags: []cli.Flag{&cli.BoolFlag{Name: "yes", Aliases: []string{"y"}, Usage: "do not ask"}}, Action: a.sandboxReset},
			{Name: "speed", Usage: "set how fast its time goes", ArgsUsage: "N|max", Action: a.sandboxAction(1, a.sandboxSpeed)},
			{Name: "advance", Usage: "let time pass, such as 10m", ArgsUsage: "DURATION", Action: a.sandboxAction(1, a.sandboxAdvance)},
			{Name: "seed", Usage: "load SSM parameters, secrets, S3 objects and exports from a YAML file", ArgsUsage: "FILE", Action: a.sandboxAction(1, a.sandboxSeed)},
			a.faultCommand(),
			{
				Name: "serve", Usage: "open a loopback port for other clients", Flags: []cli.Flag{
					&cli.StringFlag{Name: "addr", Usage: "`ADDRESS` to listen on; port 0 takes a free one", Value: "127.0.0.1:0"},
				},
				Action: func(c *cli.Context) error {
					if err := noArguments(c); err != nil {
						return err
					}
					return a.inSandbox(c.Context, func(ctx context.Context, s *session) error { return a.sandboxServe(ctx, s, c.String("addr")) })
				},
			},
		},
	}
}

// inSandbox opens the project's sandbox and runs do with it.
func (a *app) inSandbox(ctx context.Context, do func(context.Context, *session) error) error {
	root, err := a.openRoot()
	if err != nil {
		return err
	}
	s := &session{app: a, dir: a.projectDir(), root: root, closers: []func() error{root.Close}}
	defer s.close() //nolint:errcheck // the store syncs every transaction
	if s.server, err = s.openSandbox(); err != nil {
		return err
	}
	return do(ctx, s)
}

// sandboxAction makes an action of a function that takes n arguments.
func (a *app) sandboxAction(n int, do func(context.Context, *session, []string) error) cli.ActionFunc {
	return func(c *cli.Context) error {
		args := c.Args().Slice()
		if len(args) != n {
			return &usageError{strings.TrimSpace(fmt.Sprintf("sandbox %s takes %d arguments: %s", c.Command.Name, n, c.Command.ArgsUsage)), ""}
		}
		return a.inSandbox(c.Context, func(ctx context.Context, s *session) error { return do(ctx, s, args) })
	}
}

func (a *app) sandboxStatus(ctx context.Context, s *session, _ []string) error {
	status, err := s.server.Status(ctx)
	if err != nil {
		return err
	}
	if done, err := a.document(status); done {
		return err
	}
	rows := [][]string{
		{"time", status.Time.UTC().Format(time.RFC3339)},
		{"speed", status.Speed},
		{"faults", strconv.Itoa(status.Faults)},
		{"messages", strconv.Itoa(status.Messages)},
	}
	if !status.NextDue.IsZero() {
		rows = append(rows, []string{"next event", status.NextDue.UTC().Format(time.RFC3339)})
	}
	for _, acct := range status.Accounts {
		n := 0
		for _, with := range acct.Stacks {
			n += with
		}
		rows = append(rows, []string{"account " + acct.Account, fmt.Sprintf("%s, %d stacks", acct.Region, n)})
	}
	ui.Table(a.env.Stdout, nil, rows)
	return nil
}

func (a *app) sandboxReset(c *cli.Context) error {
	if err := noArguments(c); err != nil {
		return err
	}
	yes := c.Bool("yes")
	return a.inSandbox(c.Context, func(ctx context.Context, s *session) error {
		if !yes {
			ok, err := a.agree(ctx, "empty the sandbox?")
			if err != nil {
				return err
			}
			if !ok {
				return &unconfirmedError{}
			}
		}
		if err := s.server.Reset(ctx); err != nil {
			return err
		}
		fmt.Fprintln(a.talk(), "the sandbox is empty")
		return nil
	})
}

// unconfirmedError says that nobody agreed.
type unconfirmedError struct{}

func (*unconfirmedError) Error() string { return "not confirmed" }
func (*unconfirmedError) Hint() string  { return "add --yes if you mean it" }
func (*unconfirmedError) ExitCode() int { return exitUnconfirmed }

// agree asks a y/N question; without a terminal nobody agrees.
func (a *app) agree(ctx context.Context, question string) (bool, error) {
	if !a.env.person() {
		return false, nil
	}
	if a.prompter == nil {
		a.prompter = ui.NewPrompter(a.talk(), a.env.Stdin, a.err)
	}
	text, err := a.prompter.Ask(ctx, ui.YesNo(question))
	if err != nil {
		return false, err
	}
	return strings.EqualFold(strings.TrimSpace(text), "y") || strings.EqualFold(strings.TrimSpace(text), "yes"), nil
}

func (a *app) sandboxSpeed(ctx context.Context, s *session, args []string) error {
	speed, err := sandbox.ParseSpeed(args[0])
	if err != nil {
		return &usageError{err.Error(), "a number of simulated seconds per second, or max"}
	}
	return s.server.SetSpeed(ctx, speed)
}

func (a *app) sandboxAdvance(ctx context.Context, s *session, args []string) error {
	d, err := time.ParseDuration(args[0])
	if err != nil || d < 0 {
		return &usageError{fmt.Sprintf("%q is no duration", args[0]), "such as 90s, 10m or 2h"}
	}
	now, err := s.server.Advance(ctx, d)
	if err != nil {
		return err
	}
	fmt.Fprintln(a.env.Stdout, now.UTC().Format(time.RFC3339))
	return nil
}

func (a *app) sandboxSeed(ctx context.Context, s *session, args []string) error {
	text, err := os.ReadFile(a.abs(args[0]))
	if err != nil {
		return &usageError{fmt.Sprintf("%s cannot be read: %v", args[0], pathless(err)), ""}
	}
	seeded, err := s.server.Seed(ctx, text)
	if err != nil {
		return &usageError{fmt.Sprintf("%s: %v", args[0], err), ""}
	}
	if done, err := a.document(seeded); done {
		return err
	}
	fmt.Fprintln(a.talk(), "seeded: "+seededWords(seeded))
	return nil
}

// seededWords says how many of what were loaded.
func seededWords(s sandbox.Seeded) string {
	var parts []string
	for _, one := range []struct {
		n         int
		one, many string
	}{
		{s.Parameters, "parameter", "parameters"},
		{s.Secrets, "secret", "secrets"},
		{s.Buckets, "bucket", "buckets"},
		{s.Objects, "object", "objects"},
		{s.Exports, "export", "exports"},
		{s.Keys, "access key", "access keys"},
		{s.Custom, "answer of custom resources", "answers of custom resources"},
	} {
		switch one.n {
		case 0:
		case 1:
			parts = append(parts, "1 "+one.one)
		default:
			parts = append(parts, fmt.Sprintf("%d %s", one.n, one.many))
		}
	}
	if len(parts) == 0 {
		return "nothing: the file names nothing"
	}
	return strings.Join(parts, ", ")
}

// anyRegion is a region in which the project has stacks, the sandbox's own where no
// file that can be read names one.
func (a *app) anyRegion() string {
	s, err := a.open("")
	if err != nil {
		return sandbox.DefaultRegion
	}
	defer s.close() //nolint:errcheck // it was only read
	for _, st := range s.project.Stacks() {
		if st.Access.Region != "" {
			return st.Access.Region
		}
	}
	return sandbox.DefaultRegion
}

// sandboxServe serves until Ctrl-C.
func (a *app) sandboxServe(ctx context.Context, s *session, addr string) error {
	l, err := s.server.Listen(ctx, addr)
	if err != nil {
		return &usageError{err.Error(), "the sandbox listens on loopback only, such as 127.0.0.1:4566"}
	}
	region := a.anyRegion()
	// The AWS CLI and boto3 read the one name of the region, other clients the other.
	fmt.Fprintf(a.env.Stdout, "export AWS_ENDPOINT_URL=http://%s\nexport AWS_ACCESS_KEY_ID=sandbox\nexport AWS_SECRET_ACCESS_KEY=sandbox\nexport AWS_REGION=%s\nexport AWS_DEFAULT_REGION=%s\n", l.Addr(), region, region)
	fmt.Fprintln(a.talk(), "serving the sandbox until Ctrl-C; the lines above set up a client")
	return s.server.ServeListener(ctx, l)
}

// faultCommand adds, lists and clears rules that make things go wrong.
func (a *app) faultCommand() *cli.Command {
	return &cli.Command{
		Name: "fault", Usage: "make things go wrong on purpose",
		Subcommands: []*cli.Command{
			{Name: "add", Usage: "add the rules of a YAML file", ArgsUsage: "FILE", Action: a.sandboxAction(1, a.faultAdd)},
			{Name: "list", Usage: "list the rules, and how often each with a count struck", Action: a.sandboxAction(0, a.faultList)},
			{
				Name: "clear", Usage: "remove rules by id, or all of them", ArgsUsage: "[ID...]",
				Action: func(c *cli.Context) error {
					ids := c.Args().Slice()
					return a.inSandbox(c.Context, func(ctx context.Context, s *session) error { return faultClear(ctx, s, ids) })
				},
			},
		},
	}
}

func (a *app) faultAdd(ctx context.Context, s *session, args []string) error {
	text, err := os.ReadFile(a.abs(args[0]))
	if err != nil {
		return &usageError{fmt.Sprintf("%s cannot be read: %v", args[0], pathless(err)), ""}
	}
	faults, err := sandbox.ParseFaults(text)
	if err != nil {
		return &usageError{fmt.Sprintf("%s: %v", args[0], err), ""}
	}
	for _, f := range faults {
		added, err := s.server.AddFault(ctx, f)
		if err != nil {
			return err
		}
		fmt.Fprintln(a.env.Stdout, added.ID)
	}
	return nil
}

func faultClear(ctx context.Context, s *session, ids []string) error {
	faults, err := s.server.ListFaults(ctx)
	if err != nil {
		return err
	}
	for _, id := range ids {
		if !slices.ContainsFunc(faults, func(f sandbox.Fault) bool { return f.ID == id }) {
			return &usageError{fmt.Sprintf("there is no rule %q", id), "see: deployer sandbox fault list"}
		}
	}
	return s.server.ClearFaults(ctx, ids...)
}

func (a *app) faultList(ctx context.Context, s *session, _ []string) error {
	faults, err := s.server.ListFaults(ctx)
	if err != nil {
		return err
	}
	if done, err := a.document(append([]sandbox.Fault{}, faults...)); done {
		return err
	}
	rows := make([][]string, 0, len(faults))
	for _, f := range faults {
		struck := "-" // only what ends by it is counted
		if f.Count > 0 {
			struck = strconv.Itoa(f.Fired)
		}
		rows = append(rows, []string{f.ID, f.Stack, f.Logical, f.Type, f.Phase, f.Message, struck})
	}
	ui.Table(a.env.Stdout, []string{"id", "stack", "resource", "type", "phase", "message", "struck"}, rows)
	return nil
}
