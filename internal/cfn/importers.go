package cfn

import (
	"context"
	"errors"
	"slices"

	"github.com/deployer-cli/deployer/internal/cfntemplate"
	"github.com/deployer-cli/deployer/stacks"
)

// importers finds the stacks that import an export in their own templates, for
// endpoints that do not have ListImports. A template that cannot be told leaves
// the answer unknown, which is why ListImports failed.
func (c *Cloud) importers(ctx context.Context, a stacks.Access, export string, why error) ([]string, error) {
	all, err := c.Sweep(ctx, a)
	if err != nil {
		return nil, errors.Join(why, err)
	}
	var out []string
	for i := range all {
		body, err := c.Template(ctx, a, all[i].ID)
		if err != nil {
			return nil, errors.Join(why, err)
		}
		names, ok := imported(body, &all[i])
		if !ok {
			return nil, why
		}
		if slices.Contains(names, export) {
			out = append(out, all[i].Name)
		}
	}
	return out, nil
}

// imported names what a live stack imports; ok is false where a name depends on
// more than its parameters.
func imported(body []byte, live *stacks.Live) (names []string, ok bool) {
	t, err := cfntemplate.Parse(body)
	if err != nil {
		return nil, false
	}
	args := t.Imports()
	if len(args) == 0 {
		return nil, true
	}
	given := make(map[string]string, len(live.Parameters))
	for _, p := range live.Parameters {
		given[p.Key] = p.Value
	}
	parameters, err := t.ResolveParameters(given, nil)
	if err != nil {
		return nil, false
	}
	env := &cfntemplate.Env{Parameters: parameters, StackName: live.Name, StackID: live.ID}
	for _, arg := range args {
		v, err := t.Eval(arg, env)
		name, plain := v.(string)
		if err != nil || !plain {
			return nil, false
		}
		names = append(names, name)
	}
	return names, true
}
