package cli

import (
	"bytes"
	"context"
	"fmt"

	"github.com/urfave/cli/v2"

	"github.com/deployer-cli/deployer/internal/cfnyaml"
	"github.com/deployer-cli/deployer/internal/graph"
	"github.com/deployer-cli/deployer/stacks"
)

// generateCommand prints rendered templates.
func (a *app) generateCommand() *cli.Command {
	return &cli.Command{
		Name: "generate", Usage: "print the template of a stack as it goes to CloudFormation", ArgsUsage: "PATH",
		Description: "Values that other stacks give are placeholders, unless those stacks live and the\ncommand may look: without credentials everything is taken from the files.",
		Action:      a.withPath(true, a.runGenerate),
	}
}

// dumpCommand prints what the project's files come to.
func (a *app) dumpCommand() *cli.Command {
	return &cli.Command{
		Name: "dump", Usage: "print merged configs or rendered templates",
		Subcommands: []*cli.Command{
			{Name: "config", Usage: "the merged, rendered config of the stacks under PATH", ArgsUsage: "PATH", Action: a.withPath(true, a.dumpConfig)},
			{Name: "template", Usage: "the same as generate", ArgsUsage: "PATH", Action: a.withPath(true, a.runGenerate)},
		},
	}
}

// offline opens the project for a command that reads files and nothing else.
func (a *app) offline(ctx context.Context, arg string) (*session, *scope, error) {
	s, err := a.open(arg)
	if err != nil {
		return nil, nil, err
	}
	sc, err := s.alone(ctx, arg)
	if err != nil {
		return nil, nil, s.failed(err)
	}
	if err := s.banner(ctx, sc.selected()); err != nil {
		return nil, nil, s.failed(err)
	}
	return s, sc, nil
}

func (a *app) runGenerate(ctx context.Context, arg string) error {
	s, sc, err := a.offline(ctx, arg)
	if err != nil {
		return err
	}
	defer s.close() //nolint:errcheck // only read from
	desired, err := s.prepare.All(ctx, sc.selected())
	if err != nil {
		return err
	}
	if a.globals.output == "text" {
		for i, d := range desired {
			if len(desired) > 1 {
				fmt.Fprintf(a.env.Stdout, "%s# %s\n", map[bool]string{true: "---\n"}[i > 0], d.Stack.Path)
			}
			body := bytes.TrimRight(d.Body, "\n")
			if len(desired) > 1 {
				body = bytes.TrimPrefix(body, []byte("---\n"))
			}
			fmt.Fprintf(a.env.Stdout, "%s\n", body)
		}
		return nil
	}
	documents := map[string]any{}
	for _, d := range desired {
		node, _, err := cfnyaml.Parse(d.Body)
		if err != nil {
			return fmt.Errorf("%s: %w", d.Stack.Path, err)
		}
		documents[string(d.Stack.Path)] = node.Long()
	}
	if len(desired) == 1 {
		_, err = a.document(documents[string(desired[0].Stack.Path)])
		return err
	}
	_, err = a.document(documents)
	return err
}

func (a *app) dumpConfig(ctx context.Context, arg string) error {
	s, sc, err := a.offline(ctx, arg)
	if err != nil {
		return err
	}
	defer s.close() //nolint:errcheck // only read from
	documents := map[string]any{}
	for _, st := range sc.selected() {
		documents[string(st.Path)] = shown(st.Config).Plain()
	}
	var v any = documents
	if len(documents) == 1 && !sc.selection.Group {
		v = documents[string(sc.selected()[0].Path)]
	}
	if done, err := a.document(v); done {
		return err
	}
	text, err := cfnyaml.Marshal(v)
	if err != nil {
		return err
	}
	_, err = a.env.Stdout.Write(text)
	return err
}

// shown is a value with everything secret in it covered.
func shown(v stacks.Value) stacks.Value {
	if v.Secret {
		return stacks.String("****")
	}
	for i := range v.Items {
		v.Items[i] = shown(v.Items[i])
	}
	fields := make([]stacks.Field, len(v.Fields))
	for i, f := range v.Fields {
		fields[i] = stacks.Field{Key: f.Key, Value: shown(f.Value), Pos: f.Pos}
	}
	v.Fields = fields
	return v
}

// graphCommand shows what depends on what.
func (a *app) graphCommand() *cli.Command {
	return &cli.Command{
		Name: "graph", Usage: "show which stacks depend on which, and why", ArgsUsage: "[PATH]",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "format", Usage: "`FORMAT`: text, dot or mermaid", Value: "text"},
		},
		Action: func(c *cli.Context) error {
			arg, err := a.path(c, false)
			if err != nil {
				return err
			}
			return a.runGraph(c.Context, arg, c.String("format"))
		},
	}
}

func (a *app) runGraph(ctx context.Context, arg, format string) error {
	if err := oneOf("--format", format, "text", "dot", "mermaid"); err != nil {
		return err
	}
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
	type edge struct {
		Stack string `json:"stack"`
		Needs string `json:"needs"`
		Kind  string `json:"kind"`
		What  string `json:"what"`
		Weak  bool   `json:"weak"`
		Where string `json:"where"`
	}
	if a.globals.output != "text" {
		edges := []edge{}
		for e := range sc.graph.Edges() {
			edges = append(edges, edge{string(e.From), string(e.To), string(e.Kind), e.What, e.Weak, e.Pos.String()})
		}
		_, err := a.document(map[string]any{"stacks": sc.order, "edges": edges})
		return err
	}
	switch format {
	case "dot":
		return sc.graph.Dot(a.env.Stdout)
	case "mermaid":
		return sc.graph.Mermaid(a.env.Stdout)
	default:
		return sc.graph.Text(a.env.Stdout)
	}
}
