package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/deployer-cli/deployer/internal/cfnyaml"
	"github.com/deployer-cli/deployer/internal/hook"
	"github.com/deployer-cli/deployer/internal/plan"
	"github.com/deployer-cli/deployer/internal/prepare"
	"github.com/deployer-cli/deployer/stacks"
)

// generateCommand prints rendered templates.
func (a *app) generateCommand() *cli.Command {
	return &cli.Command{
		Name: "generate", Usage: "print the template of a stack as it goes to CloudFormation", ArgsUsage: "PATH",
		Description: "Everything is taken from the files: no AWS is asked, and values that only AWS or other\nstacks know are placeholders. With --live they are asked for, and the outputs of other\nstacks are what those give now; with --no-placeholders one that is missing is an error.",
		Flags:       valueFlags(),
		Action:      a.rendering(rendering{template: true}),
	}
}

// valueFlags say where the values come from that the files do not hold.
func valueFlags() []cli.Flag {
	return []cli.Flag{
		&cli.BoolFlag{Name: "live", Usage: "ask AWS for values, and take outputs from how the stacks live now"},
		&cli.BoolFlag{Name: "no-placeholders", Aliases: []string{"n"}, Usage: "as --live, and a value that is not to be had is an error"},
	}
}

// dumpCommand prints what the project's files come to.
func (a *app) dumpCommand() *cli.Command {
	toFile := &cli.BoolFlag{Name: "to-file", Usage: "write into .dump/<stack name>/ here, a file each, instead of printing"}
	return &cli.Command{
		Name: "dump", Usage: "print merged configs or rendered templates",
		Subcommands: []*cli.Command{
			{
				Name: "config", Usage: "the merged, rendered config of the stacks under PATH", ArgsUsage: "PATH",
				Flags: []cli.Flag{toFile}, Action: a.rendering(rendering{config: true}),
			},
			{
				Name: "template", Usage: "the same as generate", ArgsUsage: "PATH",
				Flags: append(valueFlags(), toFile), Action: a.rendering(rendering{template: true}),
			},
			{
				Name: "all", Usage: "config and template of the stacks under PATH", ArgsUsage: "PATH",
				Flags: append(valueFlags(), toFile), Action: a.rendering(rendering{config: true, template: true}),
			},
		},
	}
}

// rendering is what generate and dump show, and where.
type rendering struct {
	config   bool
	template bool
	arg      string
	live     bool // ask AWS for values
	complete bool // and take no placeholder
	toFile   bool
}

func (a *app) rendering(r rendering) cli.ActionFunc {
	return func(c *cli.Context) error {
		var err error
		if r.arg, err = a.path(c, true); err != nil {
			return err
		}
		r.complete = c.Bool("no-placeholders")
		r.live = c.Bool("live") || r.complete
		r.toFile = c.Bool("to-file")
		return a.runRendering(c.Context, r)
	}
}

// rendered is one stack in the output of dump.
type rendered struct {
	path   stacks.Path
	name   string
	config any
	body   []byte
}

func (a *app) runRendering(ctx context.Context, r rendering) error {
	s, sc, err := a.values(ctx, r.arg, r.live)
	if err != nil {
		return err
	}
	defer s.close() //nolint:errcheck // only read from
	do := func() error {
		all, err := s.render(ctx, sc.selected(), r)
		if err != nil {
			return errors.Join(err, s.showUnread(ctx, sc.selected(), r))
		}
		if r.toFile {
			return a.writeRendered(all, r)
		}
		return a.showRendered(all, r, !sc.selection.Group)
	}
	if r.template {
		do = s.inside(ctx, sc, hook.DumpTemplate, do)
	}
	if r.config {
		do = s.inside(ctx, sc, hook.DumpConfig, do)
	}
	return do()
}

// values opens the project for a command that works out values: from the files
// alone, or with what AWS knows.
func (a *app) values(ctx context.Context, arg string, live bool) (*session, *scope, error) {
	if !live {
		return a.offline(ctx, arg)
	}
	s, sc, err := a.look(ctx, arg)
	if err != nil {
		return nil, nil, err
	}
	if _, err := s.accountsOf(ctx, sc.selected()); err != nil {
		return nil, nil, s.failed(err)
	}
	s.useLive()
	return s, sc, nil
}

func (s *session) render(ctx context.Context, sts []*stacks.Stack, r rendering) ([]rendered, error) {
	out := make([]rendered, len(sts))
	for i, st := range sts {
		out[i] = rendered{path: st.Path, name: st.Name}
		if r.config {
			out[i].config = shown(st.Config).Plain()
		}
	}
	if !r.template {
		return out, nil
	}
	desired, err := s.prepare.All(ctx, sts)
	if err != nil {
		return nil, err
	}
	var errs []error
	for i, d := range desired {
		out[i].body = []byte(plan.CoverText(string(d.Body), d.Secrets))
		if r.complete && d.BodyLate {
			errs = append(errs, asUsage(prepare.Complete(d)))
		}
	}
	return out, errors.Join(errs...)
}

// showUnread prints what one template renders to where it is no template: that
// is what one looks for then.
func (s *session) showUnread(ctx context.Context, sts []*stacks.Stack, r rendering) error {
	if r.config || r.toFile || len(sts) != 1 || s.app.globals.output != "text" {
		return nil
	}
	d, err := s.prepare.Body(ctx, sts[0])
	if err != nil || len(d.Body) == 0 {
		return nil //nolint:nilerr // told already
	}
	_, err = fmt.Fprintln(s.app.env.Stdout, strings.TrimRight(plan.CoverText(string(d.Body), d.Secrets), "\n"))
	return err
}

// showRendered prints to stdout. In JSON all of it is one document.
func (a *app) showRendered(all []rendered, r rendering, alone bool) error {
	if !r.config {
		bodies := make([]namedBody, 0, len(all))
		for _, one := range all {
			bodies = append(bodies, namedBody{one.path, one.body})
		}
		return a.showBodies(bodies, alone)
	}
	documents := map[string]any{}
	for _, one := range all {
		v, err := one.document(r)
		if err != nil {
			return err
		}
		documents[string(one.path)] = v
	}
	var v any = documents
	if alone && len(all) == 1 {
		v = documents[string(all[0].path)]
	}
	if done, err := a.document(v); done {
		return err
	}
	if r.template {
		return a.showBoth(all)
	}
	text, err := cfnyaml.Marshal(v)
	if err != nil {
		return err
	}
	_, err = a.env.Stdout.Write(text)
	return err
}

// document is config and template as data.
func (one *rendered) document(r rendering) (any, error) {
	if !r.template {
		return one.config, nil
	}
	node, _, err := cfnyaml.Parse(one.body)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", one.path, err)
	}
	return map[string]any{"config": one.config, "template": node.Long()}, nil
}

// showBoth prints configs and templates as one stream of YAML documents.
func (a *app) showBoth(all []rendered) error {
	for i, one := range all {
		text, err := cfnyaml.Marshal(one.config)
		if err != nil {
			return err
		}
		body := bytes.TrimRight(bytes.TrimPrefix(one.body, []byte("---\n")), "\n")
		fmt.Fprintf(a.env.Stdout, "%s# config of %s\n%s---\n# template of %s\n%s\n",
			map[bool]string{true: "---\n"}[i > 0], one.path, text, one.path, body)
	}
	return nil
}

// writeRendered writes a folder for each stack below .dump, named as the stack
// is in CloudFormation.
func (a *app) writeRendered(all []rendered, r rendering) error {
	for _, one := range all {
		dir := filepath.Join(a.abs(".dump"), one.name)
		if err := os.MkdirAll(dir, 0o700); err != nil { // configs are nobody else's business
			return &usageError{fmt.Sprintf("%s cannot be made: %v", filepath.Join(".dump", one.name), pathless(err)), ""}
		}
		if err := a.writeFiles(dir, one, r); err != nil {
			return err
		}
	}
	return nil
}

func (a *app) writeFiles(dir string, one rendered, r rendering) error {
	files := map[string][]byte{}
	format := "yaml"
	encode := cfnyaml.Marshal
	if a.globals.output == "json" {
		format, encode = "json", cfnyaml.MarshalJSON
	}
	if r.config {
		text, err := encode(one.config)
		if err != nil {
			return err
		}
		files["config."+format] = text
	}
	if r.template {
		files["template."+format] = one.body
		if format == "json" {
			node, _, err := cfnyaml.Parse(one.body)
			if err != nil {
				return fmt.Errorf("%s: %w", one.path, err)
			}
			if files["template.json"], err = encode(node.Long()); err != nil {
				return err
			}
		}
	}
	for _, name := range []string{"config." + format, "template." + format} {
		text, wanted := files[name]
		if !wanted {
			continue
		}
		if err := writeFile(filepath.Join(dir, name), text); err != nil {
			return &usageError{fmt.Sprintf("%s cannot be written: %v", name, pathless(err)), ""}
		}
		fmt.Fprintln(a.talk(), filepath.ToSlash(filepath.Join(".dump", one.name, name)))
	}
	return nil
}

// unmark takes ignore and obsolete off the stacks that PATH names, for a
// command that only looks.
func (sc *scope) unmark() {
	for _, st := range sc.selected() {
		marked := *st
		marked.Ignore, marked.Obsolete = false, false
		sc.stacks[st.Path] = &marked
	}
}

// goLive connects after the stacks are known, and takes values from how they
// live.
func (s *session) goLive(ctx context.Context, sts []*stacks.Stack) error {
	if err := s.connect(); err != nil {
		return err
	}
	if err := s.banner(ctx, sts); err != nil {
		return err
	}
	if _, err := s.accountsOf(ctx, sts); err != nil {
		return err
	}
	s.useLive()
	return nil
}

// rollBack takes disable_rollback off all stacks of a run.
func (sc *scope) rollBack() {
	for path, st := range sc.stacks {
		if !st.DisableRollback {
			continue
		}
		undone := *st
		undone.DisableRollback = false
		sc.stacks[path] = &undone
	}
}
