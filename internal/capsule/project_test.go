package capsule_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"pgregory.net/rapid"

	"github.com/deployer-cli/deployer/config"
	"github.com/deployer-cli/deployer/internal/capsule"
	"github.com/deployer-cli/deployer/stacks"
)

// loaded is the project that capsules make, read as any other. What is wrong in
// it fails the test.
func loaded(t interface {
	Helper()
	Fatalf(format string, args ...any)
}, all ...capsule.Capsule,
) (map[stacks.Path]*stacks.Stack, map[string][]byte) {
	t.Helper()
	files, err := capsule.Project(all)
	if err != nil {
		t.Fatalf("%v", err)
	}
	fsys := fstest.MapFS{}
	for name, text := range files {
		fsys[name] = &fstest.MapFile{Data: text}
	}
	p, err := config.Load(fsys, config.Options{})
	if err != nil {
		t.Fatalf("%v\n%s", err, shown(files))
	}
	out := map[stacks.Path]*stacks.Stack{}
	for _, c := range all {
		if err := p.Problems([]stacks.Path{c.Stack}); err != nil {
			t.Fatalf("%v\n%s", err, shown(files))
		}
		st, ok := p.Stack(c.Stack)
		if !ok {
			t.Fatalf("%s is not in it", c.Stack)
		}
		out[c.Stack] = st
	}
	return out, files
}

func shown(files map[string][]byte) string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(files)) {
		fmt.Fprintf(&b, "-- %s --\n%s\n", name, files[name])
	}
	return b.String()
}

// nasty are values that Jinja, YAML or Python would take for something else.
func nasty() []string {
	return []string{
		"", " ", "{{ var.x }}", "{% raw %}{{ x }}{% endraw %}", "{# no #}", "{{{", "}}", "a\nb\n", "\n", "\t", "yes", "no", "On", "null", "~", "1:30", "010", "0x1f", "1e3", "1_000",
		"2026-11-22", "-", "- a", "a: b", "# c", "a #b", "*x", "&x", "!x", "!stack_output a::b", "|", ">", "%", "@", "`", "'", `"`, `\`, `\n`, "[1, 2]", "{a: 1}", "<<", "=", "é", "日本", "🙂",
		"\u2028", "\ufeff", "\x7f", "\u0085", "1,2,3", "123456789012", "012345678901", "true", ".inf", "  two  spaces  ", "---", "...",
	}
}

func TestProject(t *testing.T) {
	t.Parallel()
	in := input()
	in.Stack.Break = stacks.Value{Kind: stacks.Map, Fields: []stacks.Field{{Key: "allow", Value: stacks.String("never")}, {Key: "probes", Value: stacks.Strings("site")}}}
	in.Stack.Environment.Probes = stacks.Value{Kind: stacks.Map, Fields: []stacks.Field{{Key: "site", Value: stacks.Value{Kind: stacks.Map, Fields: []stacks.Field{{Key: "tcp", Value: stacks.String("dev:1")}}}}}}
	in.Live.TimeoutMinutes = 7
	in.Stack.OnFailure = "DO_NOTHING"
	first := made(t, in)
	other := input()
	other.Stack.Path, other.Live.Name, other.Live.ID = "dev/network", "demo-dev-network", "arn:x"
	other.Template, other.After, other.Stack.AccessRole = `{"Resources": {"{{": 1}}`, nil, stacks.Value{Kind: stacks.Call, Call: &stacks.Invocation{Name: "ssm", Arg: stacks.String("/role")}}
	other.Live.Parameters = nil
	second := made(t, other)
	got, files := loaded(t, first, second)
	web := got["dev/web"]
	if web.Name != "demo-dev-web" || web.Access != in.Stack.Access || web.ProjectID != "p1" || web.ProjectCode != "demo" || web.TimeoutMinutes != 7 ||
		web.OnFailure != "DO_NOTHING" || !*web.TerminationProtection || web.ServiceRole.Text != in.Live.ServiceRole || len(web.Notifications) != 2 {
		t.Errorf("%+v", web)
	}
	if e := web.Environment; !e.Declared || e.Class != stacks.Development || !slices.Equal(e.Accounts, []string{"123456789012"}) || !e.Probes.Fields[0].Value.Fields[0].Value.IsScalar() {
		t.Errorf("%+v", e)
	}
	if v, _ := web.Break.Get("allow"); v.Text != "never" {
		t.Errorf("%+v", web.Break)
	}
	if v, _ := web.StackPolicy.Get("Statement"); len(v.Items) != 1 {
		t.Errorf("%+v", web.StackPolicy)
	}
	if len(web.Dependencies) != 1 || web.Dependencies[0].Path != "dev/network" {
		t.Errorf("%+v", web.Dependencies)
	}
	if p := web.Parameters; len(p) != 2 || p[0].Key != "Password" || p[0].Value.Call.String() != "!aws_secrets_manager dev/db" || p[1].Value.Text != "small" {
		t.Errorf("%+v", p)
	}
	if len(web.Tags) != 1 || web.Tags[0].Key != "team" {
		t.Errorf("%+v", web.Tags)
	}
	if r := got["dev/network"].AccessRole; r.Kind != stacks.Call || r.Call.String() != "!ssm /role" {
		t.Errorf("%+v", r)
	}
	if string(files["templates/dev/web.yaml"]) != template || string(files["templates/dev/network.json"]) != other.Template {
		t.Errorf("%s", shown(files))
	}
	for name, text := range files {
		if strings.Contains(string(text), secret) {
			t.Errorf("%s holds a secret", name)
		}
	}
}

// TestIDsAreAskedFor: an id of another captured stack is gone with it, and has
// to come from what is made in its place.
func TestIDsAreAskedFor(t *testing.T) {
	t.Parallel()
	network := input()
	network.Stack.Path, network.Live.Name = "dev/network", "demo-dev-network"
	network.After = nil
	web := input()
	vpc := "vpc-0123456789abcdef0"
	for key, value := range map[string]string{"A": vpc, "B": "x," + vpc + "," + vpc, "C": vpc + "1", "D": "small", "E": "a-" + vpc} {
		web.Live.Parameters = append(web.Live.Parameters, stacks.LiveParameter{Key: key, Value: value})
	}
	web.Live.Tags[1].Value, web.Live.ServiceRole = "in "+vpc, vpc
	web.Template += "# " + vpc + "\n"
	alone := input()
	alone.Stack.Path, alone.Live.Name, alone.After = "dev/alone", "demo-dev-alone", nil
	alone.Live.Parameters[2].Value = vpc
	all := []capsule.Capsule{made(t, network), made(t, web), made(t, alone)}
	got, files := loaded(t, all...)
	want := map[string]string{
		"A": "!stack_output dev/network.yaml::VpcId",
		"B": `!join ["", ["x,", "!stack_output dev/network.yaml::VpcId", ",", "!stack_output dev/network.yaml::VpcId"]]`,
		"C": vpc + "1", "D": "small", "E": "a-" + vpc, "Size": "small", "Password": "!aws_secrets_manager dev/db",
	}
	for _, f := range got["dev/web"].Parameters {
		if text := fmt.Sprint(f.Value.Plain()); text != want[f.Key] {
			t.Errorf("%s is %s, want %s", f.Key, text, want[f.Key])
		}
	}
	if text := fmt.Sprint(got["dev/web"].Tags[0].Value.Plain()); text != `!join ["", ["in ", "!stack_output dev/network.yaml::VpcId"]]` {
		t.Errorf("the tag is %s", text)
	}
	if got["dev/web"].ServiceRole.Kind != stacks.Call || got["dev/alone"].Parameters[1].Value.Text != vpc {
		t.Errorf("%s", shown(files))
	}
	if told := capsule.Embedded(all); len(told) != 2 || !strings.Contains(told[0], "the template of dev/web names "+vpc) {
		t.Errorf("%q", told)
	}
}

// TestAStackAboveGivesNothing: a stack of the same name in a folder above would
// hand its settings down.
func TestAStackAboveGivesNothing(t *testing.T) {
	t.Parallel()
	above := input()
	above.Stack.Path, above.Live.Name, above.Stack.Environment = "web", "demo-web", nil
	above.Live.TimeoutMinutes, above.Stack.Access.Profile, above.Stack.OnFailure, above.Stack.KeyPrefix = 9, "me", "DELETE", "k"
	above.Desired.Bucket = "b"
	above.After = []stacks.Path{"dev/db"}
	below := input()
	below.Stack.Access.Role, below.Live.ServiceRole, below.Policy = "", "", ""
	below.Live.Notifications, below.Live.Tags, below.Live.Parameters = nil, nil, nil
	db := input()
	db.Stack.Path, db.Live.Name = "dev/db", "demo-dev-db"
	got, files := loaded(t, made(t, above), made(t, below), made(t, db))
	web := got["dev/web"]
	if web.TimeoutMinutes != 0 || web.Access != (stacks.Access{Region: "eu-west-1"}) || web.OnFailure != "" || web.ServiceRole.Text != "" || web.StackPolicy.Kind != stacks.Null ||
		len(web.Notifications)+len(web.Tags)+len(web.Parameters)+len(web.Dependencies) > 0 || web.Bucket.Text != "" || web.KeyPrefix != "" {
		t.Errorf("%+v\n%s", web, shown(files))
	}
}

func TestProjectRefuses(t *testing.T) {
	t.Parallel()
	good := made(t, input())
	change := func(do func(*capsule.Capsule)) capsule.Capsule { c := good; do(&c); return c }
	for name, all := range map[string][]capsule.Capsule{
		"none":             nil,
		"twice":            {good, good},
		"outside":          {change(func(c *capsule.Capsule) { c.Stack = "../x" })},
		"a group's file":   {change(func(c *capsule.Capsule) { c.Stack = "dev/config" })},
		"another project":  {good, change(func(c *capsule.Capsule) { c.Stack, c.ProjectID = "dev/b", "p2" })},
		"another realm":    {good, change(func(c *capsule.Capsule) { c.Stack, c.Realm = "dev/b", stacks.RealmAWS })},
		"another place":    {change(func(c *capsule.Capsule) { c.Environment.Path = "prod" })},
		"policy is no map": {change(func(c *capsule.Capsule) { c.Policy = "[]" })},
	} {
		if files, err := capsule.Project(all); err == nil {
			t.Errorf("%s: %d files", name, len(files))
		}
	}
}

// TestProjectKeepsValues: whatever names, parameters, tags, blocks and calls
// hold, they come out of the project's files as they went in.
func TestProjectKeepsValues(t *testing.T) {
	t.Parallel()
	text := rapid.OneOf(rapid.SampledFrom(nasty()), rapid.String())
	value := deep(text, 2)
	rapid.Check(t, func(rt *rapid.T) {
		in := input()
		in.Stack.Parameters, in.Live.Parameters, in.Live.Tags, in.Desired.Parameters = nil, nil, nil, nil
		want, tags := map[string]string{}, map[string]string{}
		for key, v := range rapid.MapOfN(rapid.StringMatching(`[A-Za-z][A-Za-z0-9]{0,8}`), text, 0, 6).Draw(rt, "parameters") {
			in.Live.Parameters = append(in.Live.Parameters, stacks.LiveParameter{Key: key, Value: v})
			want[key] = v
		}
		in.Live.Parameters = slices.DeleteFunc(in.Live.Parameters, func(p stacks.LiveParameter) bool { return p.Key == "Secret" || p.Key == "Password" || p.Key == "Key" })
		delete(want, "Password")
		delete(want, "Key")
		delete(want, "Secret")
		call := stacks.Value{Kind: stacks.Call, Call: &stacks.Invocation{Name: "join", Arg: value.Filter(func(v stacks.Value) bool { return v.Kind != stacks.Call }).Draw(rt, "argument")}}
		in.Live.Parameters = append(in.Live.Parameters, stacks.LiveParameter{Key: "Secret", Value: "****"})
		in.Stack.Parameters = []stacks.Field{{Key: "Secret", Value: call}}
		in.Desired.Parameters = []stacks.Parameter{{Key: "Secret", Value: "\x00\x01never there\x02", Secret: true}}
		for key, v := range rapid.MapOfN(text, text, 0, 4).Draw(rt, "tags") {
			if lower := strings.ToLower(key); key != "" && !strings.HasPrefix(lower, "aws:") && !strings.HasPrefix(lower, "deployer:") {
				in.Live.Tags = append(in.Live.Tags, stacks.Tag{Key: key, Value: v})
				tags[key] = v
			}
		}
		in.Stack.Environment.Probes = stacks.Value{Kind: stacks.Map, Fields: []stacks.Field{{Key: "p", Value: stacks.Value{Kind: stacks.Map, Fields: []stacks.Field{
			{Key: "command", Value: stacks.Strings("x" + text.Draw(rt, "word"))},
		}}}}}
		c, err := capsule.Make(in)
		if err != nil {
			rt.Fatal(err)
		}
		encoded, _ := c.Encode()
		if c, err = capsule.Read(encoded); err != nil {
			rt.Fatal(err)
		}
		all, files := loaded(rt, c)
		st := all["dev/web"]
		got, gotTags := map[string]string{}, map[string]string{}
		for _, f := range st.Parameters {
			if f.Key == "Secret" {
				if f.Value.Kind != stacks.Call || !equal(f.Value, call) {
					rt.Fatalf("the call %s came back as %s\n%s", call.Call, f.Value.Call, shown(files))
				}
				continue
			}
			if f.Value.Kind != stacks.Text {
				rt.Fatalf("%s came back as %s", f.Key, f.Value.Kind)
			}
			got[f.Key] = f.Value.Text
		}
		for _, f := range st.Tags {
			gotTags[f.Key] = f.Value.Text
		}
		if !maps.Equal(got, want) || !maps.Equal(gotTags, tags) {
			rt.Fatalf("%q, want %q; tags %q, want %q\n%s", got, want, gotTags, tags, shown(files))
		}
		if !equal(st.Environment.Probes, in.Stack.Environment.Probes) || st.Name != in.Live.Name {
			rt.Fatalf("the block came back as %+v\n%s", st.Environment.Probes, shown(files))
		}
	})
}

// deep makes values as a config file may hold them.
func deep(text *rapid.Generator[string], depth int) *rapid.Generator[stacks.Value] {
	return rapid.Custom(func(t *rapid.T) stacks.Value {
		most := 6
		if depth == 0 {
			most = 4
		}
		switch rapid.IntRange(0, most).Draw(t, "kind") {
		case 0:
			return stacks.Value{}
		case 1:
			return stacks.Value{Kind: stacks.Bool, Text: rapid.SampledFrom([]string{"true", "false"}).Draw(t, "bool")}
		case 2:
			return stacks.Value{Kind: stacks.Int, Text: fmt.Sprint(rapid.Int32().Draw(t, "int"))}
		case 3, 4:
			return stacks.String(text.Draw(t, "text"))
		case 5:
			v := stacks.Value{Kind: stacks.List}
			v.Items = rapid.SliceOfN(deep(text, depth-1), 0, 3).Draw(t, "items")
			if rapid.Bool().Draw(t, "call") {
				return stacks.Value{Kind: stacks.Call, Call: &stacks.Invocation{Name: "sub", Arg: v}}
			}
			return v
		default:
			v := stacks.Value{Kind: stacks.Map}
			m := rapid.MapOfN(text, deep(text, depth-1), 0, 3).Draw(t, "fields")
			for _, k := range slices.Sorted(maps.Keys(m)) {
				v.Fields = append(v.Fields, stacks.Field{Key: k, Value: m[k]})
			}
			return v
		}
	})
}

// equal compares values, wherever they stand.
func equal(a, b stacks.Value) bool {
	if a.Kind != b.Kind || a.Text != b.Text || len(a.Items) != len(b.Items) || len(a.Fields) != len(b.Fields) || (a.Call == nil) != (b.Call == nil) {
		return false
	}
	for i := range a.Items {
		if !equal(a.Items[i], b.Items[i]) {
			return false
		}
	}
	for i := range a.Fields {
		if a.Fields[i].Key != b.Fields[i].Key || !equal(a.Fields[i].Value, b.Fields[i].Value) {
			return false
		}
	}
	return a.Call == nil || a.Call.Name == b.Call.Name && equal(a.Call.Arg, b.Call.Arg)
}
