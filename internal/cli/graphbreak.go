package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/deployer-cli/deployer/internal/blast"
	"github.com/deployer-cli/deployer/internal/picture"
	"github.com/deployer-cli/deployer/internal/ui"
)

// graphBreak draws what a break of a path would take with it. It only looks; that
// guards refuse the break is told and changes nothing, unless nothing would go.
func (a *app) graphBreak(ctx context.Context, arg, format string) error {
	if arg == "" {
		return &usageError{"graph --break needs a PATH", "such as dev/network: what would be broken"}
	}
	b := newBreaker(a, breakOptions{command: "plan", args: []string{arg}, kind: blast.DeleteStack})
	if err := b.opts.checkArgs(); err != nil {
		return err
	}
	err := b.draw(ctx, format)
	if b.s != nil {
		err = errors.Join(err, b.s.close())
	}
	return err
}

func (b *breaker) draw(ctx context.Context, format string) error {
	if err := b.begin(ctx); err != nil {
		return err
	}
	if err := b.decide(ctx); err != nil {
		return err
	}
	a := b.app
	if done, err := a.document(b.plan); done {
		return errors.Join(err, b.refused())
	}
	if len(b.plan.Steps) == 0 {
		b.showGuards(a.talk(), a.err, a.columns())
		return b.refused()
	}
	if b.refused() != nil {
		fmt.Fprintf(a.talk(), "%s guards refuse this break; ask them with: %s\n", a.err.Warn("note:"), a.advice("deployer break doctor "+string(b.targets[0])))
	}
	if format == "text" {
		var out strings.Builder
		err := picture.Text(&out, b.plan)
		ui.Fold(a.env.Stdout, out.String(), a.outColumns())
		return err
	}
	write := map[string]func(io.Writer, *blast.Plan) error{"dot": picture.Dot, "mermaid": picture.Mermaid, "svg": picture.SVG}[format]
	return write(a.env.Stdout, b.plan)
}
