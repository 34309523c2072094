package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/deployer-cli/deployer/internal/blast"
	"github.com/deployer-cli/deployer/internal/cfntemplate"
	"github.com/deployer-cli/deployer/internal/chaos"
	"github.com/deployer-cli/deployer/internal/guard"
	"github.com/deployer-cli/deployer/internal/plan"
	"github.com/deployer-cli/deployer/internal/restype"
	"github.com/deployer-cli/deployer/stacks"
)

// drifts says on paper what another value of one parameter changes in a stack.
func (b *breaker) drifts(ctx context.Context, p stacks.Path, live *stacks.Live) ([]stacks.ResourceChange, error) {
	name, value, _ := strings.Cut(b.opts.arg, ":")
	i := slices.IndexFunc(live.Parameters, func(l stacks.LiveParameter) bool { return l.Key == name })
	switch {
	case i < 0:
		names := make([]string, 0, len(live.Parameters))
		for _, l := range live.Parameters {
			names = append(names, l.Key)
		}
		return nil, &usageError{fmt.Sprintf("it has no parameter %s", name), "it has " + strings.Join(names, ", ")}
	case live.Parameters[i].Value == hiddenValue, b.keptSecret(p, name):
		b.opts.arg = name + ":" + hiddenValue // what was typed is one as well
		return nil, &usageError{fmt.Sprintf("parameter %s is secret", name), "drift one whose value may be seen"}
	case live.Parameters[i].Value == value:
		return nil, &usageError{fmt.Sprintf("parameter %s is %s already", name, value), "give it another value"}
	}
	other, err := b.asItLives(ctx, p, live)
	if err != nil {
		return nil, err
	}
	if err := b.takes(other.Body, name, value); err != nil {
		return nil, err
	}
	if err := b.foreseeable(other.Body); err != nil {
		return nil, err
	}
	other.Parameters[i] = stacks.Parameter{Key: name, Value: value}
	st := other.Stack
	snapshot, err := plan.Observe(ctx, plan.Sources{
		Finder: b.s.cfn, Reader: b.s.cfn, Relations: relations{b.s.cfn}, Cache: templateCache{b.s.cache},
	}, []*stacks.Stack{st})
	if err != nil {
		return nil, err
	}
	builder := plan.NewBuilder(plan.Input{
		Snapshot: snapshot, Environment: st.Environment, Realm: b.s.realm, Region: st.Access.Region, Parse: b.s.loader.Parse,
	})
	return b.lookedUp(other, builder.Add(other, plan.Edges{}).Changes)
}

// lookedUp adds the holders of data in which something stands that every update looks
// up anew, so that what was put there meanwhile may replace them.
func (b *breaker) lookedUp(d *stacks.Desired, changes []stacks.ResourceChange) ([]stacks.ResourceChange, error) {
	t, err := b.s.loader.Parse(d.Body)
	if err != nil {
		return nil, err
	}
	moving := map[string]bool{} // parameters
	for _, p := range d.Parameters {
		moving[p.Key] = looksUp(p.Value)
	}
	for _, id := range t.ResourceNames {
		r := t.Resources[id]
		_, known := restype.Lookup(r.Type)
		if known && !restype.HoldsData(r.Type) || slices.ContainsFunc(changes, func(c stacks.ResourceChange) bool { return c.LogicalID == id }) {
			continue
		}
		refs, _ := cfntemplate.Refs(r.Properties)
		if looksUp(r.Properties) || slices.ContainsFunc(refs, func(ref string) bool { return moving[ref] }) {
			changes = append(changes, stacks.ResourceChange{
				LogicalID: id, Type: r.Type, Action: "modify", Replacement: "conditional", Data: true, Why: "what it names elsewhere is looked up anew",
			})
		}
	}
	slices.SortFunc(changes, func(a, b stacks.ResourceChange) int { return strings.Compare(a.LogicalID, b.LogicalID) })
	return changes, nil
}

// looksUp tells whether a value holds what CloudFormation looks up at each update: a
// parameter of SSM without a version, an output of another stack.
func looksUp(v any) bool {
	switch v := v.(type) {
	case string:
		for rest := v; ; {
			_, after, found := strings.Cut(rest, "{{resolve:ssm:")
			if !found {
				return false
			}
			name, tail, _ := strings.Cut(after, "}}")
			if !strings.Contains(name, ":") {
				return true
			}
			rest = tail
		}
	case []any:
		return slices.ContainsFunc(v, looksUp)
	case map[string]any:
		for key, item := range v {
			if key == "Fn::GetStackOutput" || looksUp(item) {
				return true
			}
		}
	}
	return false
}

// foreseeable refuses a template that CloudFormation rewrites before it runs it: what
// another value replaces there would be known only from a change set.
func (b *breaker) foreseeable(body []byte) error {
	t, err := b.s.loader.Parse(body)
	if err != nil {
		return err
	}
	rewrites := slices.DeleteFunc(slices.Clone(t.Transforms), func(name string) bool { return name == "AWS::LanguageExtensions" })
	for _, key := range []string{"Fn::ForEach", "Fn::Transform"} {
		if mentions(t.Doc, key) {
			rewrites = append(rewrites, key)
		}
	}
	if len(rewrites) == 0 && !t.HasMacro() {
		return nil
	}
	return &usageError{
		"what another value would replace cannot be foreseen: its template is rewritten by " + strings.Join(rewrites, ", "), "drift a parameter of a stack whose template is not rewritten",
	}
}

// mentions tells whether a part of a template has a function, with or without a name
// behind it.
func mentions(v any, function string) bool {
	switch v := v.(type) {
	case []any:
		return slices.ContainsFunc(v, func(item any) bool { return mentions(item, function) })
	case map[string]any:
		for key, item := range v {
			if key == function || strings.HasPrefix(key, function+"::") || mentions(item, function) {
				return true
			}
		}
	}
	return false
}

// asItLives is a live stack as if a file described just that: the template and
// the values it has. What is not seen of a secret stays as it is.
func (b *breaker) asItLives(ctx context.Context, p stacks.Path, live *stacks.Live) (*stacks.Desired, error) {
	body, err := b.s.cfn.Template(ctx, b.access, live.ID)
	if err != nil {
		return nil, err
	}
	st := b.stack(p)
	if st == nil {
		return nil, errors.New("no file describes it")
	}
	d := &stacks.Desired{Stack: st, Body: body, Notifications: live.Notifications, ServiceRole: live.ServiceRole, Tags: live.Tags}
	for _, l := range live.Parameters {
		one := stacks.Parameter{Key: l.Key, Value: l.Value}
		if l.Value == hiddenValue {
			one = stacks.Parameter{Key: l.Key, Secret: true, Previous: true}
		}
		d.Parameters = append(d.Parameters, one)
	}
	return d, nil
}

// takes tells whether a template's parameter may have a value.
func (b *breaker) takes(body []byte, name, value string) error {
	t, err := b.s.loader.Parse(body)
	if err != nil {
		return err
	}
	one := cfntemplate.Template{ParameterNames: []string{name}, Parameters: map[string]cfntemplate.Parameter{name: t.Parameters[name]}}
	_, err = one.ResolveParameters(map[string]string{name: value}, nil)
	return err
}

// keptSecret tells whether the files give a parameter of a stack a secret.
func (b *breaker) keptSecret(p stacks.Path, name string) bool {
	return slices.ContainsFunc(b.secrets[p].Value, func(s blast.Secret) bool { return s.Parameter == name })
}

// hiddenValue is what CloudFormation shows of a NoEcho parameter.
const hiddenValue = "****"

// drift gives one parameter of a stack another value, and watches the update.
func (b *breaker) drift(ctx context.Context, clearance guard.Clearance, step *blast.Step) error {
	name, value, _ := strings.Cut(b.plan.Arg, ":")
	t := stacks.Target{Path: step.Stack, Name: step.Name, StackID: step.StackID, Access: b.access, Token: token(b.s.run, step.Stack, 1)}
	if live := b.live(step.StackID); live != nil {
		t.Role = live.ServiceRole
	}
	if err := b.record.Write(ctx, chaos.KindIntent, chaos.Intent{Stack: t.Path, StackID: t.StackID, Verb: stacks.Update, Token: t.Token, For: chaos.ToBreak}); err != nil {
		return err
	}
	op, err := b.s.cfn.Writer(clearance).Drift(ctx, t, map[string]string{name: value})
	if chaos.NeverSent(err) {
		return errors.Join(err, b.record.Write(context.WithoutCancel(ctx), chaos.KindObserved, chaos.Unsent(t.Path, t.StackID, b.s.now())))
	}
	if err != nil {
		return err
	}
	err = b.record.Write(context.WithoutCancel(ctx), chaos.KindAccepted, chaos.Accepted{
		Stack: t.Path, StackID: t.StackID, Verb: stacks.Update, Token: t.Token, Operation: op.OperationID, At: op.Accepted,
	})
	if err != nil {
		return err
	}
	for p, err := range b.s.cfn.Watch(ctx, op) {
		if err != nil {
			return err
		}
		if !p.Done {
			continue
		}
		o := chaos.Observed{Stack: t.Path, StackID: t.StackID, Status: p.Status, At: b.s.now().UTC()}
		if !p.Status.Succeeded(stacks.Update) {
			o.Reason = fmt.Sprintf("the update ended with %s: %s", p.Status, p.Reason)
		}
		if err := b.record.Write(context.WithoutCancel(ctx), chaos.KindObserved, o); err != nil {
			return err
		}
		if o.Reason != "" {
			return errors.New(o.Reason)
		}
		return nil
	}
	return errors.New("the watch ended before the update did")
}

// drifted tells whether a parameter has the value that a break gave it.
func drifted(live *stacks.Live, arg string) stacks.Condition {
	if live == nil {
		return stacks.Broken
	}
	name, value, _ := strings.Cut(arg, ":")
	for _, p := range live.Parameters {
		switch {
		case p.Key != name:
		case live.Status.InProgress():
			return stacks.Between
		case p.Value == value:
			return stacks.Broken
		}
	}
	return stacks.Whole
}
