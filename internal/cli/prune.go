package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/deployer-cli/deployer/internal/plan"
	"github.com/deployer-cli/deployer/stacks"
)

// pruneCommand deletes what is marked obsolete.
func (a *app) pruneCommand() *cli.Command {
	return &cli.Command{
		Name: "prune", Usage: "delete the stacks that are marked obsolete", ArgsUsage: "[PATH]",
		Description: "Only stacks whose config says obsolete: true are deleted, those that depend on others\nfirst. A stack that is not obsolete and depends on one stops it. Without a PATH the\nwhole project is looked through. In production only a plan that was reviewed deletes:\nplan PATH --prune --out F, then prune --plan F --digest D.",
		Flags:       append(runFlags(), applyFlags()...),
		Action:      a.runAction,
	}
}

// prune plans deleting what is obsolete under PATH.
func (p *planner) prune(ctx context.Context) (*plan.Plan, error) {
	obsolete := p.obsolete()
	if err := errors.Join(p.needed(obsolete), p.absent(ctx, obsolete)); err != nil {
		return nil, err
	}
	for _, path := range slices.Backward(p.sc.order) {
		if slices.Contains(obsolete, path) {
			p.builder.Remove(p.sc.stacks[path], p.dependents(path), "marked obsolete")
		}
	}
	if err := p.lookUpImports(ctx); err != nil {
		return nil, err
	}
	return p.builder.Plan()
}

// obsolete lists the stacks that PATH names and that are marked obsolete.
func (p *planner) obsolete() []stacks.Path {
	var out []stacks.Path
	for _, st := range p.sc.selected() {
		if st.Obsolete {
			out = append(out, st.Path)
		}
	}
	return out
}

// pruned tells whether a launch is to delete a stack.
func (p *planner) pruned(path stacks.Path) bool {
	return p.prunes && p.sc.stacks[path].Obsolete && slices.Contains(p.sc.selection.Stacks, path)
}

// needed refuses to delete what stacks that stay depend on.
func (p *planner) needed(obsolete []stacks.Path) error {
	var errs []error
	for _, path := range obsolete {
		var by []string
		for _, e := range p.sc.whole.Dependents(path) {
			st, ok := p.s.project.Stack(e.From)
			if ok && !st.Ignore && !slices.Contains(obsolete, e.From) && !slices.Contains(by, string(e.From)) {
				by = append(by, string(e.From))
			}
		}
		if len(by) > 0 && !p.s.app.globals.ignoreDeps {
			errs = append(errs, &usageError{
				fmt.Sprintf("%s is obsolete and still needed by %s", path, strings.Join(by, ", ")),
				"mark them obsolete too, take the dependency out, or say --ignore-dependencies",
			})
		}
	}
	return errors.Join(errs...)
}
