package cli

import (
	"context"
	"errors"
	"fmt"
	"path"

	"github.com/urfave/cli/v2"

	"github.com/deployer-cli/deployer/internal/cfn"
	"github.com/deployer-cli/deployer/internal/graph"
	"github.com/deployer-cli/deployer/internal/hook"
	"github.com/deployer-cli/deployer/internal/prepare"
	"github.com/deployer-cli/deployer/stacks"
	"github.com/deployer-cli/deployer/templates"
)

// validateCommand checks stacks without AWS. Findings are exit 2.
func (a *app) validateCommand() *cli.Command {
	return &cli.Command{
		Name: "validate", Usage: "check configs and templates without AWS", ArgsUsage: "[PATH]",
		Description: "Finds unknown resource types and properties, missing required ones, references that\nlead nowhere, parameters without values, and exports that nobody makes.\nWith --live CloudFormation is asked too (ValidateTemplate), values are those of AWS and\nof the stacks as they live; with --no-placeholders one that is not to be had is a finding.",
		Flags:       valueFlags(),
		Action: func(c *cli.Context) error {
			arg, err := a.path(c, false)
			if err != nil {
				return err
			}
			return a.runValidate(c.Context, arg, validation{live: c.Bool("live"), complete: c.Bool("no-placeholders")})
		},
	}
}

// finding is one thing wrong, in JSON.
type finding struct {
	Stack stacks.Path `json:"stack"`
	Where string      `json:"where"`
	What  string      `json:"what"`
	Hint  string      `json:"hint"`
}

// validation says whether AWS is asked.
type validation struct {
	live     bool
	complete bool // take no placeholder; asks too
}

func (a *app) runValidate(ctx context.Context, arg string, v validation) error {
	s, err := a.open(arg)
	if err != nil {
		return err
	}
	defer s.close() //nolint:errcheck // only read from
	sc, err := s.scope(ctx, arg, graph.Up)
	if err != nil {
		return err
	}
	if v.live || v.complete {
		if err := s.goLive(ctx, sc.selected()); err != nil {
			return err
		}
	} else if err := s.banner(ctx, sc.selected()); err != nil {
		return err
	}
	return s.inside(ctx, sc, hook.Validate, func() error { return s.validateAll(ctx, sc, v) })()
}

// validateAll checks every selected stack and tells what it finds.
func (s *session) validateAll(ctx context.Context, sc *scope, v validation) error {
	a := s.app
	findings := []finding{}
	for _, st := range sc.selected() {
		found, err := s.validate(ctx, st, v)
		if err != nil {
			return err
		}
		findings = append(findings, found...)
		for _, e := range flatten(s.twins([]*stacks.Stack{st})) {
			findings = append(findings, asFinding(st.Path, e))
		}
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
func (s *session) validate(ctx context.Context, st *stacks.Stack, v validation) ([]finding, error) {
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
		Exact: st.Template.Type == "file" && path.Ext(name) != ".j2" && path.Ext(name) != ".py",
	}
	var out []finding
	for _, f := range s.loader.Validate(st, body, desired.Parameters) {
		out = append(out, finding{st.Path, f.Pos.String(), f.Text, f.Hint})
	}
	if v.complete {
		for _, e := range flatten(prepare.Complete(desired)) {
			out = append(out, asFinding(st.Path, e))
		}
	}
	if s.cfn == nil || desired.BodyLate {
		return out, nil
	}
	return s.refused(ctx, st, desired, out)
}

// refused asks CloudFormation about a template. That it says no is a finding;
// that it cannot be asked is an error.
func (s *session) refused(ctx context.Context, st *stacks.Stack, d *stacks.Desired, found []finding) ([]finding, error) {
	err := s.cfn.Validate(ctx, st.Access, d.Body)
	if _, large := errors.AsType[*cfn.TooLargeError](err); large {
		fmt.Fprintf(s.app.talk(), "%s: CloudFormation was not asked, for the template would have to go to a bucket first\n", st.Path)
		return found, nil
	}
	if answer, ok := errors.AsType[*stacks.ServiceError](err); ok && answer.Code == "ValidationError" {
		return append(found, finding{st.Path, path.Join(templates.Folder, st.Template.Path), answer.Message, answer.Tip}), nil
	}
	return found, err
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
