package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/deployer-cli/deployer/internal/cfn"
	"github.com/deployer-cli/deployer/internal/chaos"
	"github.com/deployer-cli/deployer/internal/guard"
	"github.com/deployer-cli/deployer/internal/inject"
	"github.com/deployer-cli/deployer/internal/ui"
	"github.com/deployer-cli/deployer/stacks"
)

// undo puts right what was injected, or drifted: each as it was captured, and a
// deleted resource by a change set that reverts the drift.
func (b *breaker) undo(ctx context.Context, k *knownBreak, yes bool) error {
	request, deeds, err := b.undoRequest(ctx, k, yes)
	if err != nil || len(deeds) == 0 {
		return err
	}
	custody, err := b.s.custody(ctx, "recover", b.stacksOf(request))
	if err != nil {
		return err
	}
	request.Locks = custody.others()
	if err := b.s.gather(ctx, &request, custody.areas); err != nil {
		return err
	}
	if err := guard.Forbidden(request); err != nil {
		return err
	}
	answers, err := b.app.ask(ctx, request)
	if err != nil {
		return err
	}
	clearance, err := guard.Check(request, answers)
	if err != nil {
		return err
	}
	if err := custody.open(ctx, &request); err != nil {
		return err
	}
	var errs []error
	writer := b.s.injector().Writer(clearance)
	for _, d := range deeds {
		fmt.Fprintf(b.app.talk(), "  %s  %s is put right\n", d.Stack, cmp.Or(d.LogicalID(), "its parameter"))
		if err := b.record.Write(ctx, chaos.KindIntent, chaos.Intent{
			Stack: d.Stack, StackID: d.StackID, Verb: stacks.Restore, Token: token(b.s.run, d.Stack, 1), For: chaos.ToRecover, Overdue: b.overdueTokens(b.s.run),
		}); err != nil {
			errs = append(errs, err)
			break
		}
		switch {
		case d.Injection == nil:
			errs = append(errs, b.undrift(ctx, clearance, k.state.Targets[d.Stack], d))
		case d.Injection.Kind == inject.DeleteResource:
			errs = append(errs, b.revert(ctx, clearance, d))
		default:
			errs = append(errs, b.putRight(ctx, writer, d))
		}
	}
	err = errors.Join(errs...)
	return errors.Join(err, custody.end(ctx, fmt.Sprintf("exit %d", exitCode(err))))
}

// putRight undoes one injection, and writes down whose hand it was.
func (b *breaker) putRight(ctx context.Context, w *inject.Writer, d *chaos.Deed) error {
	if err := w.Undo(ctx, *d.Injection); err != nil {
		return err
	}
	if b.undone == nil {
		b.undone = map[stacks.Path]bool{}
	}
	b.undone[d.Stack] = true
	c, err := b.s.injector().Check(ctx, *d.Injection)
	if err != nil || c != stacks.Whole {
		return err // watching sees when it is
	}
	return b.record.Write(ctx, chaos.KindObserved, chaos.Observed{
		Stack: d.Stack, StackID: d.StackID, LogicalID: d.LogicalID(), Condition: c, By: chaos.ByDeployer, Token: tokensOf(b.s.run), At: b.s.now().UTC(),
	})
}

// undoDocument is what recover would put right, as JSON.
type undoDocument struct {
	Stack     stacks.Path `json:"stack"`
	LogicalID string      `json:"logical_id"`
	Type      string      `json:"type"`
	Kind      string      `json:"kind"`
	How       string      `json:"how"`
}

// showUndo shows what would be put right, and how.
func (b *breaker) showUndo(ctx context.Context, st *chaos.State) error {
	docs := []undoDocument{}
	for _, p := range st.Order {
		t := st.Targets[p]
		for _, d := range t.Deeds {
			if d.Verb == stacks.Delete || !b.broken(d) {
				continue
			}
			doc, err := b.undoOf(ctx, t, d)
			if err != nil {
				return err
			}
			docs = append(docs, doc)
		}
	}
	if b.undoing = docs; b.app.globals.output != "text" {
		return nil
	}
	rows := make([][]string, 0, len(docs))
	for _, d := range docs {
		rows = append(rows, []string{string(d.Stack), d.LogicalID, d.Type, d.Kind, d.How})
	}
	ui.Table(b.app.env.Stdout, []string{"stack", "resource", "type", "broken by", "recover puts it"}, rows)
	return nil
}

// undoOf says how one deed is put right.
func (b *breaker) undoOf(ctx context.Context, t *chaos.Target, d *chaos.Deed) (undoDocument, error) {
	switch {
	case d.Injection == nil:
		name, value, secret, err := b.before(ctx, t)
		if err != nil {
			return undoDocument{}, err
		}
		_, to, _ := strings.Cut(b.plan.Arg, ":")
		if secret {
			value = hiddenValue
		}
		return undoDocument{t.Stack, "", "", b.plan.Kind, fmt.Sprintf("parameter %s: %s -> %s, and nothing else", name, to, value)}, nil
	case d.Injection.Kind == inject.DeleteResource:
		return undoDocument{t.Stack, d.LogicalID(), d.Injection.Type, d.Injection.Kind, "made again by a change set that reverts the stack's drift"}, nil
	}
	return undoDocument{t.Stack, d.LogicalID(), d.Injection.Type, d.Injection.Kind, "back to how it was captured"}, nil
}

// undoRequest says to the guard what is to be put right.
func (b *breaker) undoRequest(ctx context.Context, k *knownBreak, yes bool) (guard.Request, []*chaos.Deed, error) {
	s, a := b.s, b.app
	request := guard.Request{
		Run: s.run, Command: "recover", Realm: s.realm, Endpoint: s.endpoint, Terminal: a.env.person() && a.globals.output == "text",
		Yes: yes, Now: s.now(), For: clearanceFor,
	}
	var deeds []*chaos.Deed
	for _, p := range k.state.Order {
		t := k.state.Targets[p]
		found := false
		for _, d := range t.Deeds {
			if d.Verb != stacks.Delete && b.broken(d) {
				deeds, found = append(deeds, d), true
			}
		}
		if !found {
			continue
		}
		st, ok := s.project.Stack(p)
		if !ok {
			return request, nil, undescribed(t, k.state)
		}
		live, err := s.cfn.Stack(ctx, t.Access, t.StackID)
		if err != nil {
			return request, nil, err
		}
		request.Steps = append(request.Steps, guard.Step{
			Path: p, Name: t.Name, StackID: t.StackID, Account: k.state.Plan.Account, Region: st.Access.Region, Environment: st.Environment,
			LiveTags: live.Tags, OwnTags: st.OwnTags(), Projects: projectsOf(st), Verbs: []stacks.Verb{stacks.Restore, stacks.Propose, stacks.Execute, stacks.Discard},
		})
	}
	return request, deeds, nil
}

// undescribed says that nothing tells whether a stack may be touched: the class of
// its environment is in its files, or in what was kept of them.
func undescribed(t *chaos.Target, st *chaos.State) error {
	return &usageError{
		fmt.Sprintf("%s cannot be put right: no file of the project describes it any more, and its environment's class is written there", t.Stack),
		withoutFiles(st),
	}
}

// withoutFiles is the way on where the files of what is broken are gone.
func withoutFiles(st *chaos.State) string {
	for _, t := range st.Targets {
		if t.Capsule.Hash == "" {
			return "not everything was captured; bring the files back, or put it right by hand and then: deployer break close " + st.ID + " --reason TEXT"
		}
	}
	return "bring the files back, or use what was kept: deployer recover " + st.ID + " --from capsule"
}

func (b *breaker) stacksOf(r guard.Request) []*stacks.Stack {
	var out []*stacks.Stack
	for i := range r.Steps {
		if st, ok := b.s.project.Stack(r.Steps[i].Path); ok {
			out = append(out, st)
		}
	}
	return out
}

// revert makes and carries out a change set that brings a stack's resources back
// to what its template says.
func (b *breaker) revert(ctx context.Context, clearance guard.Clearance, d *chaos.Deed) error {
	w := b.s.cfn.Writer(clearance)
	t := stacks.Target{Path: d.Stack, Name: d.Name, StackID: d.StackID, Access: d.Access, Token: token(b.s.run, d.Stack, 2)}
	set, err := w.ProposeRevert(ctx, t, "deployer-recover-"+b.s.run)
	if _, nothing := errors.AsType[*stacks.NoChangesError](err); nothing {
		return nil // somebody did before
	}
	if err != nil {
		return err
	}
	err = b.onlyOurs(ctx, d, set.Changes)
	if err == nil {
		err = b.sparing(ctx, d, set)
	}
	if err != nil {
		return errors.Join(err, w.Discard(ctx, t, set.ID))
	}
	return b.carryOut(ctx, w, t, set)
}

// sparing refuses a change set that would lose the data of what refers to the resource
// that it makes again.
func (b *breaker) sparing(ctx context.Context, d *chaos.Deed, set cfn.ChangeSet) error {
	changes, err := b.s.contents(ctx, d.Access, set)
	if err != nil {
		return err
	}
	return keepsData(d.Stack, "resource "+d.LogicalID(), slices.DeleteFunc(changes, func(c stacks.ResourceChange) bool { return c.LogicalID == d.LogicalID() }))
}
