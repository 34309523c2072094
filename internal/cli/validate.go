package cli

import (
	"context"
	"fmt"
	"path"

	"github.com/urfave/cli/v2"

	"github.com/deployer-cli/deployer/internal/graph"
	"github.com/deployer-cli/deployer/stacks"
	"github.com/deployer-cli/deployer/templates"
)

// validateCommand checks stacks without AWS. Findings are exit 2.
func (a *app) validateCommand() *cli.Command {
	return &cli.Command{
		Name: "validate", Usage: "check configs and templates without AWS", ArgsUsage: "[PATH]",
		Description: "Finds unknown resource types and properties, missing required ones, references that\nlead nowhere, parameters without values, and exports that nobody makes.",
		Action:      a.withPath(false, a.runValidate),
	}
}

// finding is one thing wrong, in JSON.
type finding struct {
	Stack stacks.Path `json:"stack"`
	Where string      `json:"where"`
	What  string      `json:"what"`
	Hint  string      `json:"hint"`
}

func (a *app) runValidate(ctx context.Context, arg string) error {
	s, err := a.open(arg)
	if err != nil {
		return err
	}
	defer s.close() //nolint:errcheck // only read from
	sc, err := s.scope(ctx, arg, graph.Up)
	if err != nil {
		return err
	}
	if err := s.banner(ctx, sc.selected()); err != nil {
		return err
	}
	findings := []finding{}
	for _, st := range sc.selected() {
		found, err := s.validate(ctx, st)
		if err != nil {
			return err
		}
		findings = append(findings, found...)
	}
	for _, m := range sc.graph.Missing() {
		findings = append(findings, finding{m.Stack, m.Pos.String(), m.What, m.Hint})
	}
	if done, err := a.document(findings); done {
		if err != nil {
			return err
		}
	} else {
		a.showFindings(findings, len(sc.selected()))
	}
	if len(findings) > 0 {
		return &exitError{exitUsage}
	}
	return nil
}

// validate checks one stack: what preparing it finds, then its template.
func (s *session) validate(ctx context.Context, st *stacks.Stack) ([]finding, error) {
	desired, err := s.prepare.Prepare(ctx, st)
	if err != nil {
		var out []finding
		for _, e := range flatten(err) {
			out = append(out, asFinding(st.Path, e))
		}
		return out, nil
	}
	name := path.Join(templates.Folder, st.Template.Path)
	body := templates.Body{
		Text: desired.Body, File: name, Late: desired.BodyLate,
		Exact: st.Template.Type == "file" && path.Ext(name) != ".j2",
	}
	var out []finding
	for _, f := range s.loader.Validate(st, body, desired.Parameters) {
		out = append(out, finding{st.Path, f.Pos.String(), f.Text, f.Hint})
	}
	return out, nil
}

func asFinding(p stacks.Path, err error) finding {
	f := finding{Stack: p, What: err.Error()}
	if h, ok := err.(hinter); ok { //nolint:errorlint // flatten gives single errors
		f.Hint = h.Hint()
	}
	return f
}

func (a *app) showFindings(findings []finding, checked int) {
	for _, f := range findings {
		where := f.Where
		if where != "" {
			where += ": "
		}
		fmt.Fprintf(a.env.Stdout, "%s%s\n", where, a.out.Bad(f.What))
		if f.Hint != "" {
			fmt.Fprintf(a.env.Stdout, "  hint: %s\n", f.Hint)
		}
	}
	if len(findings) == 0 {
		fmt.Fprintf(a.env.Stdout, "%s\n", a.out.Good(count(checked, "stack")+" checked, nothing found"))
		return
	}
	fmt.Fprintf(a.env.Stdout, "\n%s\n", a.out.Bad(fmt.Sprintf("%s checked, %s", count(checked, "stack"), count(len(findings), "finding"))))
}

func count(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return fmt.Sprintf("%d %ss", n, word)
}
