package hook_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/deployer-cli/deployer/internal/hook"
	"github.com/deployer-cli/deployer/stacks"
)

// recorder notes the commands it is given, and fails those that say so.
type recorder struct{ ran []hook.Command }

func (r *recorder) Run(_ context.Context, c hook.Command, output func(string)) error {
	r.ran = append(r.ran, c)
	output("ran " + strings.Join(c.Argv(), " "))
	if strings.Contains(c.Args[0], "false") {
		return errors.New("exit status 1")
	}
	return nil
}

// resolver gives one value for every call it finds.
type resolver struct{ gives stacks.Value }

func (r resolver) Value(_ context.Context, _ *stacks.Stack, v stacks.Value) (stacks.Value, error) {
	if v.Kind == stacks.Call {
		return r.gives, nil
	}
	return v, nil
}

func call(name string, arg stacks.Value) stacks.Value {
	return stacks.Value{
		Kind: stacks.Call, Call: &stacks.Invocation{Name: name, Arg: arg},
		Pos: stacks.Pos{File: "config/dev/app.yaml", Line: 7, Column: 5},
	}
}

func fields(pairs ...string) stacks.Value {
	v := stacks.Value{Kind: stacks.Map}
	for i := 0; i < len(pairs); i += 2 {
		v.Fields = append(v.Fields, stacks.Field{Key: pairs[i], Value: stacks.String(pairs[i+1])})
	}
	return v
}

func stack(moment string, hooks ...stacks.Value) *stacks.Stack {
	return &stacks.Stack{Path: "dev/app", Hooks: []stacks.HookPoint{{Name: moment, Hooks: hooks}}}
}

func TestRun(t *testing.T) {
	t.Parallel()
	r := &recorder{}
	var printed []string
	set := hook.New(
		stack("before_create", call("cmd", stacks.String("echo one")), call("cmd", fields("run", "echo two", "shell", "/bin/bash"))),
		hook.Options{
			Runner: r, Dir: "/project", Env: []string{"AWS_REGION=eu-west-1"},
			Output: func(h hook.Hook, line string) { printed = append(printed, string(h.Stack)+": "+line) },
		})
	if err := set.Run(t.Context(), hook.Before(hook.Create)); err != nil {
		t.Fatal(err)
	}
	if err := set.Run(t.Context(), hook.After(hook.Create)); err != nil {
		t.Fatal(err)
	}
	want := []string{"dev/app: ran sh -c echo one", "dev/app: ran /bin/bash -c echo two"}
	if !slices.Equal(printed, want) {
		t.Errorf("printed %q, want %q", printed, want)
	}
	if r.ran[0].Dir != "/project" || !slices.Equal(r.ran[0].Env, []string{"AWS_REGION=eu-west-1"}) {
		t.Errorf("ran with %+v", r.ran[0])
	}
}

func TestGenerateHasTwoNames(t *testing.T) {
	t.Parallel()
	for _, written := range []string{"before_generate", "before_dump_template"} {
		for _, act := range []hook.Act{hook.Generate, hook.DumpTemplate} {
			if got := hook.New(stack(written, call("cmd", stacks.String("x"))), hook.Options{}).Hooks(hook.Before(act)); len(got) != 1 {
				t.Errorf("%s at %s: %d hooks", written, act, len(got))
			}
		}
	}
}

func TestFailureNamesStackMomentAndCommand(t *testing.T) {
	t.Parallel()
	r := &recorder{}
	set := hook.New(stack("after_update", call("cmd", stacks.String("false")), call("cmd", stacks.String("never"))), hook.Options{Runner: r})
	err := set.Run(t.Context(), hook.After(hook.Update))
	e, ok := errors.AsType[*hook.Error](err)
	if !ok || err.Error() != "dev/app: hook after_update failed: false: exit status 1" {
		t.Fatalf("got %v", err)
	}
	if e.Hint() != "the hook stands at config/dev/app.yaml:7:5" || len(r.ran) != 1 {
		t.Errorf("hint %q, %d ran", e.Hint(), len(r.ran))
	}
}

func TestSecretsStayOutOfErrors(t *testing.T) {
	t.Parallel()
	secret := stacks.Value{Kind: stacks.Text, Text: "false hunter2", Secret: true}
	set := hook.New(stack("before_create", call("cmd", call("join", stacks.String("…")))), hook.Options{Runner: &recorder{}, Resolver: resolver{secret}})
	err := set.Run(t.Context(), hook.Before(hook.Create))
	if err == nil || strings.Contains(err.Error(), "hunter2") || !strings.Contains(err.Error(), "!cmd !join") {
		t.Errorf("got %v", err)
	}
}

func TestProblems(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		hook stacks.Value
		want string
	}{
		{"asg", call("asg_scaling_processes", stacks.String("suspend::Launch")), "scaling cannot be changed here"},
		{"asg form", call("asg_scheduled_actions", stacks.String("suspend Launch")), "suspend:: or resume::"},
		{"unknown", call("bash", stacks.String("x")), "there is no such hook"},
		{"list", call("cmd", stacks.Strings("a")), "its argument is a list"},
		{"empty", call("cmd", stacks.String(" ")), "there is no command"},
		{"key", call("cmd", fields("run", "x", "cwd", "y")), "it has no key cwd"},
		{"no run", call("cmd", fields("shell", "bash")), "there is no command"},
		{"late", call("cmd", stacks.Later("x", "dev/db")), "not known yet; it comes from dev/db"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := &recorder{}
			err := hook.New(stack("before_launch", tt.hook), hook.Options{Runner: r}).Run(t.Context(), hook.Before(hook.Launch))
			p, ok := errors.AsType[*stacks.Problem](err)
			if !ok || !strings.Contains(p.Error(), tt.want) || p.Pos.Line != 7 || len(r.ran) != 0 {
				t.Errorf("got %v, %d ran", err, len(r.ran))
			}
		})
	}
}

func TestNothingRunsAfterTheEnd(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r := &recorder{}
	err := hook.New(stack("before_create", call("cmd", stacks.String("x"))), hook.Options{Runner: r}).Run(ctx, hook.Before(hook.Create))
	if !errors.Is(err, context.Canceled) || len(r.ran) != 0 {
		t.Errorf("got %v, %d ran", err, len(r.ran))
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	if got := hook.Check(stack("before_drift_show", call("cmd", stacks.String("x")))); len(got) != 0 {
		t.Errorf("a known moment is reported: %v", got[0])
	}
	got := hook.Check(stack("before_crate", call("cmd", stacks.String("x"))))
	if len(got) != 1 || got[0].Tip != "did you mean before_create?" || got[0].Pos.Line != 7 {
		t.Errorf("got %+v", got)
	}
	if len(hook.Moments()) != 26 {
		t.Errorf("%d moments", len(hook.Moments()))
	}
}

// world is a scaler and one plugin that note what they are asked.
type world struct{ did []string }

func (w *world) Scale(_ context.Context, st *stacks.Stack, process string, suspend bool, _ func(string)) error {
	w.did = append(w.did, fmt.Sprint(st.Path, " ", process, " ", suspend))
	return nil
}

func (w *world) HasHook(name string) bool { return name == "tell" }

func (w *world) RunHook(_ context.Context, _ *stacks.Stack, h hook.Hook, arg stacks.Value, output func(string)) error {
	w.did = append(w.did, string(h.Moment)+" "+arg.Text)
	output("told")
	return errors.New("nobody listens")
}

func TestOtherKinds(t *testing.T) {
	t.Parallel()
	w := &world{}
	st := stack("before_update",
		call("asg_scaling_processes", stacks.String("suspend::Launch")), call("asg_scheduled_actions", stacks.String("resume::AZRebalance")),
		call("tell", stacks.String("ops")))
	err := hook.New(st, hook.Options{Scaler: w, Plugins: w}).Run(t.Context(), hook.Before(hook.Update))
	if err == nil || err.Error() != "dev/app: hook before_update failed: !tell ops: nobody listens" {
		t.Errorf("%v", err)
	}
	if want := []string{"dev/app Launch true", "dev/app AZRebalance false", "before_update ops"}; !slices.Equal(w.did, want) {
		t.Errorf("%q", w.did)
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	st := stack("before_update", call("tell", stacks.String("x")), call("bash", stacks.String("x")), call("cmd", stacks.Strings("x")),
		call("cmd", stacks.Value{Kind: stacks.List, Items: []stacks.Value{call("join", stacks.String(""))}}), call("asg_scaling_processes", stacks.String("stop::x")))
	var got []string
	for _, err := range hook.Refused(st, &world{}) {
		got = append(got, err.Error())
	}
	if len(got) != 3 || !strings.Contains(got[0], "no such hook") || !strings.Contains(got[1], "a list") || !strings.Contains(got[2], "suspend::") {
		t.Errorf("%q", got)
	}
}
