package resolve_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"github.com/deployer-cli/deployer/internal/cfnyaml"
	"github.com/deployer-cli/deployer/internal/resolve"
	"github.com/deployer-cli/deployer/stacks"
)

// world answers every port from maps.
type world struct {
	stacks     map[stacks.Path]*stacks.Stack
	outputs    map[string]stacks.Value
	external   map[string]string
	parameters map[string]string // a leading * marks a SecureString
	secrets    map[string]string
	asked      atomic.Int64
	access     sync.Map
}

func (w *world) Stack(p stacks.Path) (*stacks.Stack, bool) { st, ok := w.stacks[p]; return st, ok }

func (w *world) Named(name string) []*stacks.Stack {
	var out []*stacks.Stack
	for _, st := range w.stacks {
		if st.Name == name {
			out = append(out, st)
		}
	}
	return out
}

func (w *world) Output(_ context.Context, _, producer *stacks.Stack, key string) (stacks.Value, error) {
	v, ok := w.outputs[string(producer.Path)+"::"+key]
	if !ok {
		return stacks.Value{}, errors.New("no output " + key)
	}
	return v, nil
}

func (w *world) ExternalOutput(_ context.Context, a stacks.Access, stack, key string) (string, error) {
	w.asked.Add(1)
	w.access.Store(stack+"::"+key, a)
	v, ok := w.external[stack+"::"+key]
	if !ok {
		return "", &stacks.NotFoundError{Name: stack}
	}
	return v, nil
}

func (w *world) Parameter(_ context.Context, a stacks.Access, name string) (string, bool, error) {
	w.asked.Add(1)
	w.access.Store(name, a)
	v, ok := w.parameters[name]
	if !ok {
		return "", false, errors.New("no parameter " + name)
	}
	text, secret := strings.CutPrefix(v, "*")
	return text, secret, nil
}

func (w *world) Secret(_ context.Context, _ stacks.Access, id string) (string, error) {
	return w.secrets[id], nil
}

func newWorld() (*world, *stacks.Stack) {
	env := &stacks.Environment{Name: "dev"}
	access := stacks.Access{Region: "eu-west-1"}
	consumer := &stacks.Stack{Path: "dev/app", Name: "demo-dev-app", Access: access, Environment: env}
	w := &world{
		stacks: map[stacks.Path]*stacks.Stack{
			"dev/app":     consumer,
			"dev/network": {Path: "dev/network", Name: "custom-name", Access: access, Environment: env},
			"us/network":  {Path: "us/network", Name: "us-network", Access: stacks.Access{Region: "us-east-1"}},
		},
		outputs: map[string]stacks.Value{
			"dev/network::VpcId": stacks.String("vpc-1"),
			"dev/network::Late":  stacks.Later("Late of dev/network", "dev/network"),
		},
		external:   map[string]string{"other::Key": "value", "us-network::Key": "far"},
		parameters: map[string]string{"/plain": "p", "/secure": "*s3cret", "/pointer": "*/plain"},
		secrets:    map[string]string{"db": `{"password":"hush","port":5432}`},
	}
	return w, consumer
}

func newSet(w *world) *resolve.Set {
	return resolve.New(resolve.Ports{
		Project: w, Outputs: w, External: w, Parameters: w, Secrets: w,
		Environ: func(name string) (string, bool) {
			v, ok := map[string]string{"PLAIN": "x", "DB_PASSWORD": "pw", "EMPTY": ""}[name]
			return v, ok
		},
		Files: fstest.MapFS{
			"src/a.json": {Data: []byte(`{"n": 1, "list": ["a", true]}`)},
			"src/b.yaml": {Data: []byte("on: yes\nz: [1.50]\n")},
			"src/t.txt":  {Data: []byte("text\n")},
			"src/c.yaml": {Data: []byte("a: !Ref x\n")},
		},
		Now: func() time.Time { return time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC) },
	})
}

// parse reads a value as a config would have it.
func parse(tb testing.TB, text string) stacks.Value {
	tb.Helper()
	node, _, err := cfnyaml.Parse([]byte(text))
	if err != nil {
		tb.Fatalf("test value: %v", err)
	}
	return fromNode(node)
}

func fromNode(n *cfnyaml.Node) stacks.Value {
	v := stacks.Value{Text: n.Text, Pos: stacks.Pos{File: "config/dev/app.yaml", Line: n.Line, Column: n.Column}}
	kinds := map[cfnyaml.Kind]stacks.Kind{
		cfnyaml.Null: stacks.Null, cfnyaml.Bool: stacks.Bool, cfnyaml.Int: stacks.Int, cfnyaml.Float: stacks.Float,
		cfnyaml.Time: stacks.Text, cfnyaml.String: stacks.Text, cfnyaml.List: stacks.List, cfnyaml.Map: stacks.Map,
	}
	v.Kind = kinds[n.Kind]
	for _, i := range n.Items {
		v.Items = append(v.Items, fromNode(i))
	}
	for _, p := range n.Pairs {
		v.Fields = append(v.Fields, stacks.Field{Key: p.Key.Text, Value: fromNode(p.Value)})
	}
	if n.Tag != "" {
		v = stacks.Value{Kind: stacks.Call, Call: &stacks.Invocation{Name: strings.TrimPrefix(n.Tag, "!"), Arg: v}, Pos: v.Pos}
	}
	return v
}

// plain is a resolved value in a form that is easy to compare.
func plain(tb testing.TB, v stacks.Value) string {
	tb.Helper()
	if v.Kind == stacks.Unknown {
		words := []string{"later: " + v.Hint}
		for _, p := range v.After {
			words = append(words, "@"+string(p))
		}
		return strings.Join(words, " ")
	}
	out, err := cfnyaml.MarshalJSON(v.Plain())
	if err != nil {
		tb.Fatal(err)
	}
	return strings.Join(strings.Fields(string(out)), "")
}

func TestValue(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, in, want string }{
		{"text", "hello", `"hello"`},
		{"stack output", "!stack_output dev/network.yaml::VpcId", `"vpc-1"`},
		{"stack output without extension", "!stack_output dev/network::VpcId", `"vpc-1"`},
		{"nested in list and map", "{a: [x, !stack_output dev/network::VpcId]}", `{"a":["x","vpc-1"]}`},
		{"external", "!stack_output_external other::Key", `"value"`},
		{"external in quotes", `!stack_output_external "other::Key prof"`, `"value"`},
		{"external of the project", "!stack_output_external custom-name::VpcId", `"vpc-1"`},
		{"external in another region", "!stack_output_external us-network::Key", `"far"`},
		{"environment variable", "!environment_variable PLAIN", `"x"`},
		{"empty variable is a value", "[!environment_variable EMPTY]", `[""]`},
		{"unset variable", "!environment_variable NOPE", "null"},
		{"unset variable leaves a list", "[a, !environment_variable NOPE, b]", `["a","b"]`},
		{"unset variable leaves a map", "{a: 1, b: !environment_variable NOPE}", `{"a":1}`},
		{"a null that is written stays", "{a: null}", `{"a":null}`},
		{"no value", "{a: !no_value , b: 1}", `{"b":1}`},
		{"file json", "!file src/a.json", `{"list":["a",true],"n":1}`},
		{"file yaml 1.1", "!file src/b.yaml", `{"on":true,"z":[1.5]}`},
		{"file text", "!file src/t.txt", `"text\n"`},
		{"file contents", "!file_contents src/a.json", `"{\"n\":1,\"list\":[\"a\",true]}"`},
		{"ssm", "!ssm /plain", `"p"`},
		{"ssm map", "!ssm {name: /plain, region: us-east-1}", `"p"`},
		{"secret", "!aws_secrets_manager db::SecretString::password", `"hush"`},
		{"join", "!join ['-', [a, 1, true, !stack_output dev/network::VpcId]]", `"a-1-True-vpc-1"`},
		{"join drops nothing", "!join [',', [a, !no_value , b]]", `"a,b"`},
		{"split", "!split [';', 'a;b']", `["a","b"]`},
		{"select", "!select [1, [a, b]]", `"b"`},
		{"select last", "!select [-1, !split [',', 'a,b,c']]", `"c"`},
		{"select key", "!select [k, {k: v}]", `"v"`},
		{"select what is known", "!select [0, [a, !stack_output dev/network::Late]]", `"a"`},
		{"sub", "!sub ['{a}/{{x}}/{b:>3}', {a: 1, b: z}]", `"1/{x}/z"`},
		{"sub with an item", "!sub ['{a[k]}{l[1]}', {a: {k: v}, l: [x, y]}]", `"vy"`},
		{"date", "!date '%Y-%m-%d'", `"2026-01-02"`},
		{"from json", `!from_json '{"a": [1]}'`, `{"a":[1]}`},
		{"late", "!stack_output dev/network::Late", "later: Late of dev/network @dev/network"},
		{"late join", "!join ['/', [a, !stack_output dev/network::Late]]", "later: a/<Late of dev/network> @dev/network"},
		{"late sub", "!sub ['{x}:{y}', {x: !stack_output dev/network::Late, y: 1}]", "later: <Late of dev/network>:1 @dev/network"},
		{"late split", "!split [',', !stack_output dev/network::Late]", "later: <Late of dev/network> split @dev/network"},
		{"late select", "!select [0, !split [',', !stack_output dev/network::Late]]", "later: item 0 of <<Late of dev/network> split> @dev/network"},
		{"late argument", "!from_json [!stack_output dev/network::Late]", "later: !from_json @dev/network"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w, st := newWorld()
			got, err := newSet(w).Value(t.Context(), st, parse(t, tt.in))
			if err != nil {
				t.Fatal(err)
			}
			// Spaces are left out of both, since plain does so.
			if g := plain(t, got); g != tt.want {
				t.Errorf("got %s, want %s", g, tt.want)
			}
		})
	}
}

func TestProblems(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, in, want string }{
		{"unknown tag", "!stack_outptu x", "config/dev/app.yaml:1:1: unknown resolver !stack_outptu: nothing answers to that name"},
		{"no such stack", "!stack_output dev/nope::X", "there is no stack dev/nope"},
		{"no key", "!stack_output dev/network", "its argument must be path/to/stack.yaml::OutputKey"},
		{"external form", "!stack_output_external x", "its argument must be"},
		{"external with too much", "!stack_output_external a::b c d", "its argument must be"},
		{"file is missing", "!file nope.json", "there is no file nope.json"},
		{"file outside", "!file_contents /etc/passwd", "lies outside the project"},
		{"file with dots", "!file ../x", "lies outside the project"},
		{"file with tags", "!file src/c.yaml", "!Ref means nothing here"},
		{"select range", "!select [2, [a]]", "there is no item 2"},
		{"select form", "!select x", "its argument must be"},
		{"join form", "!join ['-', x]", "its argument must be"},
		{"join of a map", "!join ['-', [{a: 1}]]", "an item to join is a map"},
		{"split without separator", "!split ['', x]", "its argument must be"},
		{"sub without value", "!sub ['{a}', {b: 1}]", "there is no value for {a}"},
		{"sub with a lone brace", "!sub ['a}', {b: 1}]", "a closing brace stands alone"},
		{"sub open", "!sub ['{a', {a: 1}]", "a brace is not closed"},
		{"sub numbered", "!sub ['{}', {a: 1}]", "a field has no name"},
		{"sub too wide", "!sub ['{a:>999999}', {a: 1}]", "is more than"},
		{"previous in a list", "[!previous ]", "it can only be a whole value"},
		{"previous in a join", "!join [',', [!previous ]]", "it can only be a whole value"},
		{"previous form", "!previous {other: 1}", "its argument must be"},
		{"attr unknown", "!stack_attr nope", "neither the stack nor its group has a key nope"},
		{"request of no address", "!request x", "its argument must be an address"},
		{"request with another auth", "!request {url: 'https://x', auth: digest}", "auth: digest is not known"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w, st := newWorld()
			_, err := newSet(w).Value(t.Context(), st, parse(t, tt.in))
			p, ok := errors.AsType[*stacks.Problem](err)
			if !ok {
				t.Fatalf("got %v, want a problem", err)
			}
			if !strings.Contains(p.Error(), tt.want) {
				t.Errorf("got %q, want %q in it", p.Error(), tt.want)
			}
			if p.Pos.Line == 0 {
				t.Errorf("%q has no place", p.Error())
			}
		})
	}
}

func TestPortErrorsKeepTheirPlace(t *testing.T) {
	t.Parallel()
	w, st := newWorld()
	_, err := newSet(w).Value(t.Context(), st, parse(t, "\n  !stack_output_external gone::Key"))
	if _, ok := errors.AsType[*stacks.NotFoundError](err); !ok {
		t.Fatalf("got %v, want the port's own error inside", err)
	}
	if want := "config/dev/app.yaml:2:3: cannot resolve !stack_output_external: stack gone does not exist"; err.Error() != want {
		t.Errorf("got %q, want %q", err, want)
	}
}

func TestOffline(t *testing.T) {
	t.Parallel()
	set := resolve.New(resolve.Ports{})
	for in, want := range map[string]string{
		"!stack_output_external other::Key": "later: Key of other",
		"!ssm /a":                           "later: !ssm /a",
		"!aws_secrets_manager x":            "later: !aws_secrets_manager x",
		"!rcmd git rev-parse HEAD":          "later: !rcmd git rev-parse HEAD",
		"!environment_variable HOME":        "null",
		"!join ['-', [a, !ssm /b]]":         "later: a-<!ssm /b>",
	} {
		got, err := set.Value(t.Context(), &stacks.Stack{}, parse(t, in))
		if err != nil {
			t.Errorf("%s: %v", in, err)
			continue
		}
		if g := plain(t, got); g != want {
			t.Errorf("%s: got %s, want %s", in, g, want)
		}
	}
}

func TestSecrets(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, in, secrets string
		want              map[string]bool
	}{
		{"secure string", "{A: !ssm /secure, B: !ssm /plain}", "", map[string]bool{"A": true, "B": false}},
		{"variable's name", "{A: !environment_variable DB_PASSWORD, B: !environment_variable PLAIN}", "", map[string]bool{"A": true, "B": false}},
		{"key's name", "{ApiToken: !environment_variable PLAIN, Note: password}", "", map[string]bool{"ApiToken": true, "Note": false}},
		{"joined", "{A: !join ['', [x, !ssm /secure]], B: !sub ['{a}', {a: !ssm /secure}]}", "", map[string]bool{"A": true, "B": true}},
		{"split and picked", "{A: !select [0, !split ['c', !ssm /secure]]}", "", map[string]bool{"A": true}},
		{"found by a secret", "{A: !ssm {name: !ssm /pointer}}", "", map[string]bool{"A": true}},
		{"secrets manager", "{A: !aws_secrets_manager db::SecretString::port}", "", map[string]bool{"A": true}},
		{"made secret", "{A: plain}", "{A: true}", map[string]bool{"A": true}},
		{"made open", "{A: !ssm /secure, B: [!ssm /secure]}", "{A: false, B: false}", map[string]bool{"A": false, "B": false}},
		{"own key called secrets", "{A: plain}", "{A: !ssm /x, B: 1}", map[string]bool{"A": false}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w, st := newWorld()
			if tt.secrets != "" {
				st.Config = stacks.Value{Kind: stacks.Map, Fields: []stacks.Field{{Key: "secrets", Value: parse(t, tt.secrets)}}}
			}
			got, err := newSet(w).Fields(t.Context(), st, parse(t, tt.in).Fields)
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range got {
				if f.Value.HasSecret() != tt.want[f.Key] {
					t.Errorf("%s: secret %t, want %t", f.Key, f.Value.HasSecret(), tt.want[f.Key])
				}
			}
			if len(got) != len(tt.want) {
				t.Errorf("%d fields, want %d", len(got), len(tt.want))
			}
		})
	}
}

func TestHintsHoldNoSecret(t *testing.T) {
	t.Parallel()
	w, st := newWorld()
	in := parse(t, "!sub ['{p}@{h}', {p: !ssm /secure, h: !stack_output dev/network::Late}]")
	got, err := newSet(w).Value(t.Context(), st, in)
	if err != nil {
		t.Fatal(err)
	}
	if got.Hint != "****@<Late of dev/network>" || !got.Secret {
		t.Errorf("got %q, secret %t", got.Hint, got.Secret)
	}
}

func TestStackAttr(t *testing.T) {
	t.Parallel()
	w, st := newWorld()
	st.Group = parse(t, "{custom: {deep: [x, !stack_output dev/network::VpcId]}, parsed: !file src/a.json, both: group}")
	st.Config = parse(t, "{region: eu-west-1, both: stack, own: 1, loop: !stack_attr loop}")
	st.UserData = parse(t, "{a: !stack_attr parameters.P, circle: !stack_attr sceptre_user_data.circle}")
	st.Parameters = parse(t, "{P: v, Q: !stack_attr sceptre_user_data.a, Pass: !ssm /secure}").Fields
	set := newSet(w)
	for in, want := range map[string]string{
		"!stack_attr custom.deep.1":       `"vpc-1"`,
		"!stack_attr custom.deep":         `["x","vpc-1"]`,
		"!stack_attr parsed.list.0":       `"a"`,
		"!stack_attr stack_name":          `"demo-dev-app"`,
		"!stack_attr name":                `"dev/app"`,
		"!stack_attr region":              `"eu-west-1"`,
		"!stack_attr protect":             `false`,
		"!stack_attr own":                 `1`,
		"!stack_attr both":                `"group"`, // as Sceptre: custom keys are the group's
		"!stack_attr parameters.Q":        `"v"`,
		"!stack_attr sceptre_user_data.a": `"v"`,
	} {
		got, err := set.Value(t.Context(), st, parse(t, in))
		if err != nil {
			t.Errorf("%s: %v", in, err)
		} else if g := plain(t, got); g != want {
			t.Errorf("%s: got %s, want %s", in, g, want)
		}
	}
	secret, err := set.Value(t.Context(), st, parse(t, "!stack_attr parameters.Pass"))
	if err != nil || !secret.Secret {
		t.Errorf("what is reached through stack_attr lost its secrecy: %+v, %v", secret, err)
	}
	for _, in := range []string{"!stack_attr sceptre_user_data.circle", "!stack_attr custom.nope", "!stack_attr custom.deep.7", "!stack_attr both.x"} {
		if _, err := set.Value(t.Context(), st, parse(t, in)); err == nil {
			t.Errorf("%s: no error", in)
		}
	}
}

func TestPreviousStaysACall(t *testing.T) {
	t.Parallel()
	w, st := newWorld()
	got, err := newSet(w).Fields(t.Context(), st, parse(t, "{A: !previous , B: !previous {default: !ssm /plain}}").Fields)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range got {
		if f.Value.Kind != stacks.Call || f.Value.Call.Name != resolve.Previous {
			t.Fatalf("%s: got %v", f.Key, f.Value.Kind)
		}
	}
	if def, _ := got[1].Value.Call.Arg.Get("default"); def.Text != "p" {
		t.Errorf("default %q, want it resolved", def.Text)
	}
}

func TestSourcesAreAskedOnce(t *testing.T) {
	t.Parallel()
	w, st := newWorld()
	set := newSet(w)
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if _, err := set.Value(t.Context(), st, parse(t, "[!ssm /plain, !stack_output_external other::Key]")); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := w.asked.Load(); n != 2 {
		t.Errorf("asked %d times, want 2", n)
	}
	if _, err := set.Value(t.Context(), st, parse(t, "!ssm {name: /plain, region: us-east-1}")); err != nil {
		t.Fatal(err)
	}
	if a, _ := w.access.Load("/plain"); a != any(stacks.Access{Region: "us-east-1"}) || w.asked.Load() != 3 {
		t.Errorf("another region is another source: %v", a)
	}
}

// slow answers when it is told to.
type slow struct {
	calls   atomic.Int64
	release chan struct{}
}

func (s *slow) Parameter(ctx context.Context, _ stacks.Access, _ string) (string, bool, error) {
	s.calls.Add(1)
	select {
	case <-s.release:
		return "v", false, nil
	case <-ctx.Done():
		return "", false, ctx.Err()
	}
}

func TestOneWhoGivesUpTakesNobodyAlong(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &slow{release: make(chan struct{})}
		set := resolve.New(resolve.Ports{Parameters: s})
		first, cancel := context.WithCancel(t.Context())
		in := parse(t, "!ssm /a")
		var wg sync.WaitGroup
		wg.Go(func() {
			if _, err := set.Value(first, &stacks.Stack{}, in); !errors.Is(err, context.Canceled) {
				t.Errorf("first: %v", err)
			}
		})
		synctest.Wait()
		wg.Go(func() {
			if v, err := set.Value(t.Context(), &stacks.Stack{}, in); err != nil || v.Text != "v" {
				t.Errorf("second: %q, %v", v.Text, err)
			}
		})
		synctest.Wait()
		cancel()
		synctest.Wait()
		close(s.release)
		wg.Wait()
		if n := s.calls.Load(); n != 2 {
			t.Errorf("%d calls, want 2", n)
		}
	})
}

func TestDependencies(t *testing.T) {
	t.Parallel()
	in := parse(t, "{a: !stack_output dev/x.yaml::K, b: !join ['', [!stack_output dev/y::L]], c: !stack_output_external z::M}")
	got := resolve.Dependencies(in)
	if len(got) != 2 || got[0].Path != "dev/x" || got[0].Key != "K" || got[1].Path != "dev/y" || got[1].Pos.Line != 1 {
		t.Errorf("got %+v", got)
	}
}

func TestReferences(t *testing.T) {
	t.Parallel()
	w, st := newWorld()
	st.Group = parse(t, "{vpc: !stack_output us/network::V, again: !stack_attr again}")
	st.Parameters = parse(t, "{A: !stack_output_external custom-name::VpcId, B: !stack_attr vpc, C: !stack_output_external foreign::X, D: !stack_attr again}").Fields
	st.Hooks = []stacks.HookPoint{{Name: "before_create", Hooks: []stacks.Value{parse(t, "!cmd {run: !stack_output dev/network::Cmd}")}}}
	var got []string
	for _, r := range newSet(w).References(st) {
		got = append(got, string(r.Path)+"::"+r.Key)
	}
	if want := "dev/network::VpcId us/network::V dev/network::Cmd"; strings.Join(got, " ") != want {
		t.Errorf("got %v, want %s", got, want)
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	if !resolve.Known("stack_output") || resolve.Known("cmd") {
		t.Error("Known does not know")
	}
	if names := resolve.Names(); len(names) < 15 {
		t.Errorf("names %v", names)
	}
}

func FuzzValue(f *testing.F) {
	for _, s := range []string{
		"!sub ['{a[0].b:>5}', {a: [{b: x}]}]", "!select [-1, !split [',', 'a,b']]", "!stack_attr a.b.0",
		"!join ['', [!no_value , !file src/a.json]]", "!previous {default: 1}", "!stack_output a::b", "!sub ['{', {}]",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		node, _, err := cfnyaml.Parse([]byte(text))
		if err != nil {
			return
		}
		w, st := newWorld()
		v, err := newSet(w).Value(t.Context(), st, fromNode(node))
		if err != nil {
			return
		}
		v.Walk(func(x stacks.Value) bool {
			if x.Kind == stacks.Call && x.Call.Name != resolve.Previous {
				t.Fatalf("!%s is left in the answer", x.Call.Name)
			}
			return true
		})
	})
}
