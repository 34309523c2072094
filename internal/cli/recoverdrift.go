package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/deployer-cli/deployer/internal/capsule"
	"github.com/deployer-cli/deployer/internal/cfn"
	"github.com/deployer-cli/deployer/internal/chaos"
	"github.com/deployer-cli/deployer/internal/guard"
	"github.com/deployer-cli/deployer/stacks"
)

// before is the value that a drifted parameter had. Of one that was secret by its
// source it is what that gives now.
func (b *breaker) before(ctx context.Context, t *chaos.Target) (name, value string, secret bool, err error) {
	name, _, _ = strings.Cut(b.plan.Arg, ":")
	c, _, err := b.s.capsule(ctx, b.record, t)
	if err != nil {
		return name, "", false, err
	}
	i := slices.IndexFunc(c.Parameters, func(p capsule.Parameter) bool { return p.Key == name })
	switch {
	case i < 0:
		return name, "", false, fmt.Errorf("no parameter %s of %s was captured", name, t.Stack)
	case !c.Parameters[i].Secret:
		return name, c.Parameters[i].Value, false, nil
	}
	if value, ok := b.s.secretsNow(ctx, t.Stack)[name]; ok {
		return name, value, true, nil
	}
	return name, "", true, &stacks.Problem{
		What: fmt.Sprintf("parameter %s of %s is not put right", name, t.Stack), Why: "it is secret, and the files do not give its value now",
		Tip: "set it yourself, by a launch",
	}
}

// undrift gives a drifted parameter back the value that it had, and changes nothing
// else: what the files say by now is for a launch. The change set is looked at
// before it is carried out.
func (b *breaker) undrift(ctx context.Context, clearance guard.Clearance, t *chaos.Target, d *chaos.Deed) error {
	name, value, _, err := b.before(ctx, t)
	if err != nil {
		return err
	}
	w := b.s.cfn.Writer(clearance)
	to := stacks.Target{Path: d.Stack, Name: d.Name, StackID: d.StackID, Access: d.Access, Token: token(b.s.run, d.Stack, 2)}
	live, err := b.s.cfn.Stack(ctx, d.Access, d.StackID)
	if err != nil {
		return err
	}
	to.Role = live.ServiceRole
	set, err := w.ProposeDrift(ctx, to, map[string]string{name: value}, "deployer-recover-"+b.s.run)
	if _, nothing := errors.AsType[*stacks.NoChangesError](err); nothing {
		return nil // somebody did before
	}
	if err != nil {
		return err
	}
	changes, err := b.s.contents(ctx, d.Access, set)
	if err == nil {
		err = keepsData(d.Stack, "parameter "+name, changes)
	}
	if err != nil {
		return errors.Join(err, w.Discard(ctx, to, set.ID))
	}
	return b.carryOut(ctx, w, to, set)
}

// keepsData refuses a change set that would lose data, to put something right:
// recovery never does.
func keepsData(p stacks.Path, what string, changes []stacks.ResourceChange) error {
	var lost []string
	for _, c := range changes {
		if c.LosesData() {
			lost = append(lost, c.LogicalID)
		}
	}
	if len(lost) == 0 {
		return nil
	}
	slices.Sort(lost)
	return &guard.Refusal{
		Rule: "G10", Code: exitRefused, What: fmt.Sprintf("%s of %s is not put right", what, p),
		Why: "that would replace or remove what holds data: " + strings.Join(lost, ", "),
		Tip: "if that data may be lost, launch it yourself: deployer launch " + string(p),
	}
}

// carryOut executes a change set and watches it to its end.
func (b *breaker) carryOut(ctx context.Context, w *cfn.Writer, t stacks.Target, set cfn.ChangeSet) error {
	t.Token = token(b.s.run, t.Path, 3)
	op, err := w.Execute(ctx, t, set.ID, false)
	if err != nil {
		return err
	}
	for p, err := range b.s.cfn.Watch(ctx, op) {
		if err != nil {
			return err
		}
		if p.Done && !p.Status.Succeeded(stacks.Execute) {
			return fmt.Errorf("%s: putting it right ended with %s: %s", t.Path, p.Status, p.Reason)
		}
	}
	return nil
}
