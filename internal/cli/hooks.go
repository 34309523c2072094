package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/hashicorp/go-multierror"

	"github.com/deployer-cli/deployer/internal/execute"
	"github.com/deployer-cli/deployer/internal/guard"
	"github.com/deployer-cli/deployer/internal/hook"
	"github.com/deployer-cli/deployer/stacks"
)

// hooks runs the hooks of a session's stacks, each with its own stack's
// identity.
type hooks struct {
	s         *session
	clearance guard.Clearance // zero outside of a run: nothing is scaled then
}

// Run implements execute.Hooks.
func (h hooks) Run(ctx context.Context, st *stacks.Stack, moment string, output func(line string)) error {
	opts := hook.Options{
		Runner: h.s.runner, Scaler: h, Plugins: h.s.plugins, Resolver: h.s.resolver, Dir: h.s.app.env.Dir,
		Output: func(_ hook.Hook, line string) { output(line) },
	}
	if len(hook.New(st, opts).Hooks(hook.Moment(moment))) == 0 {
		return nil
	}
	var err error
	if opts.Env, err = h.s.runner.environ(ctx, st.Access); err != nil {
		return err
	}
	err = hook.New(st, opts).Run(ctx, hook.Moment(moment))
	if failed, ok := errors.AsType[*hook.Error](err); ok {
		return &execute.StepError{
			Stack: st.Path, What: "hook " + string(failed.Hook.Moment) + " failed",
			Why: failed.Command + ": " + failed.Cause.Error(), Tip: failed.Hint(), Cause: failed,
		}
	}
	return err
}

// Scale implements hook.Scaler for every Auto Scaling group of the stack.
func (h hooks) Scale(ctx context.Context, st *stacks.Stack, process string, suspend bool, output func(string)) error {
	if h.s.cfn == nil {
		return errors.New("this command does not speak to AWS")
	}
	verb := map[bool]string{true: "suspend", false: "resume"}[suspend]
	live, err := h.s.cfn.Stack(ctx, st.Access, st.Name)
	if _, absent := errors.AsType[*stacks.NotFoundError](err); absent {
		output(fmt.Sprintf("nothing to %s: the stack does not exist yet", verb))
		return nil
	}
	if err != nil {
		return err
	}
	resources, err := h.s.cfn.Resources(ctx, st.Access, live.ID)
	if err != nil {
		return err
	}
	w := h.s.cloud.Writer(h.clearance, stacks.Target{Path: st.Path, Name: st.Name, StackID: live.ID, Access: st.Access})
	for _, r := range resources {
		if r.Type != "AWS::AutoScaling::AutoScalingGroup" || r.PhysicalID == "" {
			continue
		}
		note := ""
		if h.s.realm == stacks.RealmSandbox {
			note = " (the sandbox scales nothing)"
		} else if err := w.Scale(ctx, r.PhysicalID, process, suspend); err != nil {
			return err
		}
		output(fmt.Sprintf("%s %s of %s%s", verb, process, r.PhysicalID, note))
	}
	return nil
}

// checkHooks reports the hooks of stacks that can never run.
func (s *session) checkHooks(sts []*stacks.Stack) error {
	if s.app.globals.noHooks {
		return nil
	}
	var all *multierror.Error
	for _, st := range sts {
		all = multierror.Append(all, hook.Refused(st, s.plugins)...)
		for _, p := range hook.Check(st) {
			fmt.Fprintf(s.app.talk(), "%s %s\n", s.app.err.Warn("warning:"), p.Error())
			if p.Tip != "" {
				fmt.Fprintf(s.app.talk(), "hint: %s\n", p.Tip)
			}
		}
	}
	return all.ErrorOrNil()
}

// inside is what do is between the hooks of an act that only looks. Nobody is
// asked before one, so that those of production are left out, and that is said.
func (s *session) inside(ctx context.Context, sc *scope, act hook.Act, do func() error) func() error {
	return func() error {
		var sts []*stacks.Stack
		for _, st := range sc.selected() {
			production := st.Environment != nil && st.Environment.Class == stacks.Production
			switch {
			case !production:
				sts = append(sts, st)
			case !s.app.globals.noHooks && st.Hooked(string(hook.Before(act)), string(hook.After(act))):
				fmt.Fprintf(s.app.talk(), "%s hooks of %s do not run: it is production, and nobody was asked\n", s.app.err.Warn("note:"), st.Path)
			}
		}
		return s.around(ctx, sts, act, do)
	}
}

// around does something between the hooks before and after an act of a command
// that changes no stacks. As in Sceptre those after do not run when it failed.
func (s *session) around(ctx context.Context, sts []*stacks.Stack, act hook.Act, do func() error) error {
	if err := s.hooksAt(ctx, sts, hook.Before(act)); err != nil {
		return err
	}
	err := do()
	if _, done := errors.AsType[*exitError](err); err != nil && !done {
		return err
	}
	if failed := s.hooksAt(ctx, sts, hook.After(act)); failed != nil {
		return failed
	}
	return err
}

func (s *session) hooksAt(ctx context.Context, sts []*stacks.Stack, m hook.Moment) error {
	if s.app.globals.noHooks {
		return nil
	}
	for _, st := range sts {
		err := hooks{s: s}.Run(ctx, st, string(m), func(line string) {
			fmt.Fprintf(s.app.talk(), "%s: %s\n", st.Path, line)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// hooks gives what runs the hooks of a run, or nothing where they are left out.
func (s *session) hooks(clearance guard.Clearance) execute.Hooks {
	if s.app.globals.noHooks {
		return nil
	}
	return hooks{s: s, clearance: clearance}
}
