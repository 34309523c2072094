package cli

import (
	"context"
	"fmt"

	"github.com/urfave/cli/v2"

	"github.com/deployer-cli/deployer/internal/ui"
	"github.com/deployer-cli/deployer/stacks"
)

// whoamiCommand says with which identity, and where, a PATH would be reached.
func (a *app) whoamiCommand() *cli.Command {
	return &cli.Command{
		Name: "whoami", Usage: "show the account and identity that a PATH is reached with", ArgsUsage: "[PATH]",
		Action: a.withPath(false, a.runWhoami),
	}
}

// identityRow is one way of reaching AWS that the project uses.
type identityRow struct {
	Account     string       `json:"account"`
	ARN         string       `json:"arn"`
	Region      string       `json:"region"`
	Project     string       `json:"project"`
	Environment string       `json:"environment"`
	Class       stacks.Class `json:"class"`
}

func (a *app) runWhoami(ctx context.Context, arg string) error {
	s, sc, err := a.look(ctx, arg)
	if err != nil {
		return err
	}
	defer s.close() //nolint:errcheck // only read from
	var rows []identityRow
	seen := map[identityRow]bool{}
	for _, st := range sc.selected() {
		id, err := s.cloud.Identity(ctx, st.Access)
		if err != nil {
			return err
		}
		row := identityRow{
			Account: id.Account, ARN: id.ARN, Region: st.Access.Region,
			Project: st.ProjectCode, Environment: environmentName(st),
		}
		if st.Environment != nil {
			row.Class = st.Environment.Class
		}
		if !seen[row] {
			seen[row] = true
			rows = append(rows, row)
		}
	}
	if len(rows) == 1 {
		if done, err := a.document(rows[0]); done {
			return err
		}
	} else if done, err := a.document(rows); done {
		return err
	}
	table := make([][]string, 0, len(rows))
	for _, r := range rows {
		table = append(table, []string{r.Environment, r.Class.Word(), r.Account, r.Region, r.ARN})
	}
	ui.Table(a.env.Stdout, []string{"environment", "class", "account", "region", "identity"}, table)
	return nil
}

// doctorCommand checks what a first launch would stumble over.
func (a *app) doctorCommand() *cli.Command {
	return &cli.Command{
		Name: "doctor", Usage: "check project, credentials, region and tools, each failure with its fix", ArgsUsage: "[PATH]",
		Action: a.withPath(false, a.runDoctor),
	}
}

// check is one thing that doctor looks at.
type check struct {
	Name string `json:"name"`
	OK   bool   `json:"ok"`
	Says string `json:"says"`
	Fix  string `json:"fix"`
}

func (a *app) runDoctor(ctx context.Context, arg string) error {
	checks := a.examine(ctx, arg)
	bad := 0
	for _, c := range checks {
		if !c.OK {
			bad++
		}
	}
	if done, err := a.document(checks); done {
		if err != nil {
			return err
		}
	} else {
		for _, c := range checks {
			mark := a.out.Good("ok  ")
			if !c.OK {
				mark = a.out.Bad("BAD ")
			}
			fmt.Fprintf(a.env.Stdout, "%s %-12s %s\n", mark, c.Name, c.Says)
			if c.Fix != "" {
				fmt.Fprintf(a.env.Stdout, "     fix: %s\n", c.Fix)
			}
		}
	}
	if bad > 0 {
		return &exitError{exitFailed}
	}
	return nil
}

// examine runs the checks in order; what builds on a failed one is left out.
func (a *app) examine(ctx context.Context, arg string) []check {
	s, err := a.open(arg)
	if err != nil {
		return failures("project", err)
	}
	defer s.close() //nolint:errcheck // only read from
	all := s.project.Stacks()
	out := []check{{Name: "project", OK: true, Says: fmt.Sprintf("%d stacks in %d environments", len(all), len(s.project.Environments()))}}
	if err := s.project.Problems(nil); err != nil {
		out = append(out, failures("config", err)...)
	}
	if s.project.ID() == "" {
		out = append(out, check{Name: "project id", OK: true, Says: "none: stacks are tagged with the project code", Fix: "add project_id: " + suggestedID() + " to config/config.yaml, so that prune --orphans can tell your stacks from others'"})
	}
	out = append(out, s.heritage()...)
	sc, err := s.alone(ctx, arg)
	if err != nil {
		return append(out, failures("stacks", err)...)
	}
	out = append(out, check{Name: "stacks", OK: true, Says: fmt.Sprintf("%d read, no cycles", len(sc.stacks))})
	if err := s.connect(); err != nil {
		return append(out, failures("connection", err)...)
	}
	return append(out, s.reach(ctx, sc)...)
}

func suggestedID() string {
	id, err := newProjectID()
	if err != nil {
		return "<16 random hex digits>"
	}
	return id
}

// reach asks STS and CloudFormation once for every way the project uses.
func (s *session) reach(ctx context.Context, sc *scope) []check {
	var out []check
	seen := map[stacks.Access]bool{}
	for _, st := range sc.selected() {
		if seen[st.Access] {
			continue
		}
		seen[st.Access] = true
		id, err := s.cloud.Identity(ctx, st.Access)
		if err != nil {
			out = append(out, failures("credentials", err)...)
			continue
		}
		out = append(out, check{Name: "credentials", OK: true, Says: fmt.Sprintf("%s in %s (realm %s)", id.ARN, st.Access.Region, s.realm)})
		live, err := s.cfn.Sweep(ctx, st.Access)
		if err != nil {
			out = append(out, failures("stacks", err)...)
			continue
		}
		out = append(out, check{Name: "reading", OK: true, Says: fmt.Sprintf("%d stacks live in account %s, %s", len(live), id.Account, st.Access.Region)})
	}
	return out
}

func failures(name string, err error) []check {
	var out []check
	for _, e := range flatten(err) {
		c := check{Name: name, Says: e.Error()}
		if h, ok := e.(hinter); ok { //nolint:errorlint // flatten gives single errors
			c.Fix = h.Hint()
		}
		out = append(out, c)
	}
	return out
}
