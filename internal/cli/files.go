package cli

import (
	"context"

	"github.com/urfave/cli/v2"

	"github.com/deployer-cli/deployer/internal/graph"
	"github.com/deployer-cli/deployer/stacks"
)

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
			&cli.StringFlag{Name: "format", Usage: "`FORMAT`: text, dot, mermaid or svg", Value: "text"},
			&cli.BoolFlag{Name: "break", Usage: "what a break of PATH would take with it: what must go first and why, what stays, what holds data"},
		},
		Action: func(c *cli.Context) error {
			arg, err := a.path(c, false)
			if err != nil {
				return err
			}
			if err := oneOf("--format", c.String("format"), "text", "dot", "mermaid", "svg"); err != nil {
				return err
			}
			if c.Bool("break") {
				return a.graphBreak(c.Context, arg, c.String("format"))
			}
			return a.runGraph(c.Context, arg, c.String("format"))
		},
	}
}

func (a *app) runGraph(ctx context.Context, arg, format string) error {
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
	case "svg":
		return sc.graph.SVG(a.env.Stdout)
	default:
		return sc.graph.Text(a.env.Stdout)
	}
}
