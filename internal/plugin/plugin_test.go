package plugin_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/deployer-cli/deployer/internal/hook"
	"github.com/deployer-cli/deployer/internal/plugin"
	"github.com/deployer-cli/deployer/stacks"
	"github.com/deployer-cli/deployer/templates"
)

// programs answers by program and notes what it is asked.
type programs struct {
	mu      sync.Mutex
	answers map[string]string
	asked   []map[string]any
}

func (p *programs) Answer(_ context.Context, a stacks.Access, args []string, stdin []byte) ([]byte, error) {
	var request map[string]any
	if err := json.Unmarshal(stdin, &request); err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked = append(p.asked, request)
	if a.Region != request["region"] {
		return nil, errors.New("the identity is another stack's")
	}
	return []byte(p.answers[args[0]]), nil
}

func (p *programs) Say(ctx context.Context, a stacks.Access, args []string, stdin []byte, line func(string)) error {
	out, err := p.Answer(ctx, a, args, stdin)
	line(string(out))
	return err
}

func (p *programs) look(program string) (string, bool) {
	_, ok := p.answers["/p/"+program]
	return "/p/" + program, ok
}

func app() *stacks.Stack {
	return &stacks.Stack{
		Path: "dev/app", Name: "shop-dev-app", Access: stacks.Access{Region: "eu-west-1"},
		Template: stacks.Source{Type: "made", Args: stacks.Value{Kind: stacks.Map, Fields: []stacks.Field{{Key: "x", Value: stacks.String("y")}}}},
	}
}

func TestResolve(t *testing.T) {
	t.Parallel()
	for answer, want := range map[string]string{
		`{"value": "x"}`: `"x"`,
		`{"value": {"b": [1, 2.5, true, null], "a": {}}}`: `{"b":[1,2.5,true,null],"a":{}}`,
		`{"value": null}`:      "null",
		`{}`:                   "null",
		`{"error": "no luck"}`: "no luck",
		`nonsense`:             "its answer is no JSON",
		``:                     "its answer is no JSON",
	} {
		w := &programs{answers: map[string]string{"/p/deployer-resolver-v": answer}}
		p := plugin.New(w, "/shop", w.look, func() bool { return true })
		got, err := p.Resolve(t.Context(), app(), "v", stacks.Strings("a"))
		text := string(templates.JSON(got))
		if err != nil {
			text = err.Error()
		}
		if !strings.Contains(text, want) {
			t.Errorf("%s: %s, want %s", answer, text, want)
		}
	}
}

func TestAskedOnceForAStack(t *testing.T) {
	t.Parallel()
	w := &programs{answers: map[string]string{"/p/deployer-resolver-v": `{"value": "x", "secret": true}`}}
	p := plugin.New(w, "/shop", w.look, func() bool { return true })
	for range 3 {
		if got, err := p.Resolve(t.Context(), app(), "v", stacks.String("a")); err != nil || !got.Secret {
			t.Errorf("%v, %v", got, err)
		}
	}
	other := app()
	other.Path, other.Access.Region = "dev/other", "us-east-1"
	if _, err := p.Resolve(t.Context(), other, "v", stacks.String("a")); err != nil {
		t.Error(err)
	}
	if len(w.asked) != 2 || w.asked[0]["argument"] != "a" || w.asked[0]["stack"] != "dev/app" || w.asked[0]["stack_name"] != "shop-dev-app" || w.asked[0]["project"] != "/shop" {
		t.Errorf("%v", w.asked)
	}
}

func TestHook(t *testing.T) {
	t.Parallel()
	w := &programs{answers: map[string]string{"/p/deployer-hook-tell": "told"}}
	p := plugin.New(w, "/shop", w.look, func() bool { return true })
	var said []string
	h := hook.Hook{Stack: "dev/app", Moment: "before_update", Call: &stacks.Invocation{Name: "tell"}}
	err := p.RunHook(t.Context(), app(), h, stacks.String("ops"), func(l string) { said = append(said, l) })
	if err != nil || len(said) != 1 || w.asked[0]["moment"] != "before_update" || w.asked[0]["argument"] != "ops" {
		t.Errorf("%q, %v, %v", said, w.asked, err)
	}
}

func TestTemplate(t *testing.T) {
	t.Parallel()
	w := &programs{answers: map[string]string{"/p/deployer-template-made": `{"value": {"Resources": {}}}`}}
	ready := false
	p := plugin.New(w, "/shop", w.look, func() bool { return ready })
	h, ok := p.Handler("made")
	if _, other := p.Handler("unmade"); !ok || other {
		t.Fatal("the wrong ones are found")
	}
	data := stacks.Value{Kind: stacks.Map, Fields: []stacks.Field{{Key: "k", Value: stacks.Later("Id", "dev/db")}}}
	if _, err := h(t.Context(), app(), data); len(w.asked) != 0 || !isLater(err) {
		t.Errorf("%v, asked %d times", err, len(w.asked))
	}
	ready = true
	body, err := h(t.Context(), app(), data)
	if err != nil || string(body.Text) != `{"Resources":{}}` || !body.Late || len(body.After) != 1 {
		t.Errorf("%+v, %v", body, err)
	}
	w.answers["/p/deployer-template-made"] = `{"error": "no"}`
	if _, err = h(t.Context(), app(), data); !isLater(err) {
		t.Errorf("what is not known yet is no error: %v", err)
	}
	if _, err = h(t.Context(), app(), stacks.Value{}); err == nil || isLater(err) {
		t.Errorf("%v", err)
	}
}

func isLater(err error) bool {
	_, ok := errors.AsType[*templates.LaterError](err)
	return ok
}

func TestNamesThatAreNoPrograms(t *testing.T) {
	t.Parallel()
	p := plugin.New(&programs{}, "/shop", func(string) (string, bool) { return "/bin/sh", true }, func() bool { return true })
	for _, name := range []string{"", "../x", "a/b", "a b", "a;b", "é"} {
		if p.HasResolver(name) || p.HasHook(name) {
			t.Errorf("%q is taken", name)
		}
	}
	if !p.HasResolver("ok_1-x") {
		t.Error("a good name is refused")
	}
}

func FuzzAnswer(f *testing.F) {
	for _, s := range []string{`{"value": "x"}`, `{"value": [{}, 1e400, -0]}`, `{"value":`, `[]`, "\xff", `{"value": {"a": {"a": 1}}, "secret": 1}`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, answer string) {
		w := &programs{answers: map[string]string{"/p/deployer-resolver-v": answer}}
		v, err := plugin.New(w, "", w.look, func() bool { return true }).Resolve(t.Context(), app(), "v", stacks.Value{})
		if err == nil && !json.Valid(templates.JSON(v)) {
			t.Errorf("%q became %s", answer, templates.JSON(v))
		}
	})
}
