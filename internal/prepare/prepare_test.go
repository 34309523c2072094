package prepare_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"github.com/hashicorp/go-multierror"

	"github.com/deployer-cli/deployer/internal/cfntemplate"
	"github.com/deployer-cli/deployer/internal/prepare"
	"github.com/deployer-cli/deployer/stacks"
	"github.com/deployer-cli/deployer/templates"
)

// answers is a resolver that knows some calls by how they are written.
type answers map[string]stacks.Value

func (a answers) Value(ctx context.Context, _ *stacks.Stack, v stacks.Value) (stacks.Value, error) {
	switch v.Kind {
	case stacks.Call:
		if v.Call.Name == "previous" {
			arg, err := a.Value(ctx, nil, v.Call.Arg)
			v.Call = &stacks.Invocation{Name: v.Call.Name, Arg: arg}
			return v, err
		}
		got, ok := a[v.Call.String()]
		if !ok {
			return stacks.Value{}, &stacks.Problem{Pos: v.Pos, What: v.Call.String(), Why: "cannot be resolved"}
		}
		return got, nil
	case stacks.List:
		items := make([]stacks.Value, 0, len(v.Items))
		for _, i := range v.Items {
			w, err := a.Value(ctx, nil, i)
			if err != nil {
				return w, err
			}
			items = append(items, w)
		}
		v.Items = items
	case stacks.Map:
		fields := make([]stacks.Field, 0, len(v.Fields))
		for _, f := range v.Fields {
			w, err := a.Value(ctx, nil, f.Value)
			if err != nil {
				return w, err
			}
			if w.Kind != stacks.Null {
				f.Value = w
				fields = append(fields, f)
			}
		}
		v.Fields = fields
	default:
	}
	return v, nil
}

func call(name, arg string) stacks.Value {
	return stacks.Value{Kind: stacks.Call, Call: &stacks.Invocation{Name: name, Arg: stacks.String(arg)}, Pos: stacks.Pos{File: "config/dev/app.yaml", Line: 9}}
}

func scalar(k stacks.Kind, text string) stacks.Value { return stacks.Value{Kind: k, Text: text} }

func list(items ...stacks.Value) stacks.Value { return stacks.Value{Kind: stacks.List, Items: items} }

func mapping(fields ...stacks.Field) stacks.Value {
	return stacks.Value{Kind: stacks.Map, Fields: fields}
}

func field(key string, v stacks.Value) stacks.Field {
	return stacks.Field{Key: key, Value: v, Pos: stacks.Pos{File: "config/dev/app.yaml", Line: 5, Column: 3}}
}

func secret(text string) stacks.Value {
	v := stacks.String(text)
	v.Secret = true
	return v
}

const open = `
Parameters:
  A: {Type: String, Default: x}
  B: {Type: CommaDelimitedList, Default: x}
  N: {Type: Number, Default: 1, MaxValue: 10}
  P: {Type: String, Default: x, NoEcho: true, MinLength: 3}
Resources:
  Topic: {Type: AWS::SNS::Topic}
`

var known = answers{
	"!ssm /pw":                secret("hunter2"),
	"!ssm /nothing":           {},
	"!ssm /list":              stacks.Strings("a", "b"),
	"!stack_output b::Id":     stacks.Later("Id of dev/b", "dev/b"),
	"!stack_output c::Id":     stacks.Later("Id of dev/c", "dev/c"),
	"!environment x":          stacks.String("late.j2"),
	"!offline x":              stacks.Later("x"),
	"!secret_later x":         {Kind: stacks.Unknown, Hint: "pw of dev/b", After: []stacks.Path{"dev/b"}, Secret: true},
	"!environment_variable Z": stacks.String("z"),
}

func files() fstest.MapFS {
	return fstest.MapFS{
		"templates/open.yaml":   {Data: []byte(open)},
		"templates/needs.yaml":  {Data: []byte("Parameters: {Name: {Type: String}}\nResources: {T: {Type: AWS::SNS::Topic}}\n")},
		"templates/broken.yaml": {Data: []byte("Resources: {A: {Typ: x}}")},
		"templates/late.j2":     {Data: []byte("Resources:\n  T:\n    Type: AWS::SNS::Topic\n    Properties:\n      TopicName: {{ sceptre_user_data.vpc }}\n")},
		"templates/bad.j2":      {Data: []byte("Resources: {A: {Typ: '{{ sceptre_user_data.vpc }}'}}")},
		"policies/deny.json":    {Data: []byte(`{"Statement":[{"Effect":"Deny","Action":"Update:*","Principal":"*","Resource":"*"}]}`)},
		"policies/odd.json":     {Data: []byte(`{"Statemnt":[]}`)},
	}
}

func preparer() *prepare.Preparer {
	fsys := files()
	l := templates.NewLoader(fsys, templates.Options{})
	return prepare.New(prepare.Ports{Resolver: known, Renderer: l, Parser: l, Files: fsys})
}

func stack(edits ...func(*stacks.Stack)) *stacks.Stack {
	st := &stacks.Stack{
		Path:        "dev/app",
		Name:        "demo-dev-app",
		File:        "config/dev/app.yaml",
		ProjectCode: "demo",
		Environment: &stacks.Environment{Name: "dev", Class: stacks.Development},
		Access:      stacks.Access{Region: "eu-west-1"},
		Template:    stacks.Source{Type: "file", Path: "open.yaml", Pos: stacks.Pos{File: "config/dev/app.yaml", Line: 1, Column: 1}},
	}
	for _, e := range edits {
		e(st)
	}
	return st
}

func parameters(fields ...stacks.Field) func(*stacks.Stack) {
	return func(st *stacks.Stack) { st.Parameters = fields }
}

func TestParameters(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		given stacks.Field
		want  stacks.Parameter
	}{
		{"text", field("A", stacks.String("x y")), stacks.Parameter{Key: "A", Value: "x y"}},
		{"empty", field("A", stacks.String("")), stacks.Parameter{Key: "A"}},
		{"yes", field("A", scalar(stacks.Bool, "true")), stacks.Parameter{Key: "A", Value: "true"}},
		{"float", field("A", scalar(stacks.Float, "1.5")), stacks.Parameter{Key: "A", Value: "1.5"}},
		{"null", field("A", stacks.Value{}), stacks.Parameter{}},
		{"resolved to nothing", field("A", call("ssm", "/nothing")), stacks.Parameter{}},
		{"list", field("B", list(stacks.String("a"), scalar(stacks.Int, "2"), stacks.Value{}, scalar(stacks.Bool, "false"))), stacks.Parameter{Key: "B", Value: "a,2,false"}},
		{"list from a resolver", field("B", call("ssm", "/list")), stacks.Parameter{Key: "B", Value: "a,b"}},
		{"secret", field("A", call("ssm", "/pw")), stacks.Parameter{Key: "A", Value: "hunter2", Secret: true}},
		{"secret in a list", field("B", list(stacks.String("a"), call("ssm", "/pw"))), stacks.Parameter{Key: "B", Value: "a,hunter2", Secret: true}},
		{"NoEcho", field("P", stacks.String("abc")), stacks.Parameter{Key: "P", Value: "abc", Secret: true}},
		{"later", field("A", call("stack_output", "b::Id")), stacks.Parameter{Key: "A", Unknown: true, After: []stacks.Path{"dev/b"}, Hint: "Id of dev/b"}},
		{
			"list with later", field("B", list(stacks.String("a"), call("stack_output", "c::Id"), call("stack_output", "b::Id"))),
			stacks.Parameter{Key: "B", Unknown: true, After: []stacks.Path{"dev/b", "dev/c"}, Hint: "a,Id of dev/c,Id of dev/b"},
		},
		{
			"a secret does not stand in a hint", field("B", list(call("ssm", "/pw"), call("stack_output", "b::Id"))),
			stacks.Parameter{Key: "B", Unknown: true, Secret: true, After: []stacks.Path{"dev/b"}, Hint: "****,Id of dev/b"},
		},
		{"previous", field("A", stacks.Value{Kind: stacks.Call, Call: &stacks.Invocation{Name: "previous"}}), stacks.Parameter{Key: "A", Previous: true}},
		{"previous, empty text", field("A", call("previous", "")), stacks.Parameter{Key: "A", Previous: true}},
		{
			"previous with default",
			field("P", stacks.Value{Kind: stacks.Call, Call: &stacks.Invocation{Name: "previous", Arg: mapping(field("default", call("environment_variable", "Z")))}}),
			stacks.Parameter{Key: "P", Value: "z", Secret: true, Previous: true},
		},
		{
			"previous with a late default",
			field("A", stacks.Value{Kind: stacks.Call, Call: &stacks.Invocation{Name: "previous", Arg: mapping(field("default", call("stack_output", "b::Id")))}}),
			stacks.Parameter{Key: "A", Unknown: true, After: []stacks.Path{"dev/b"}, Hint: "Id of dev/b", Previous: true},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			d, err := preparer().Prepare(t.Context(), stack(parameters(tt.given)))
			if err != nil {
				t.Fatal(err)
			}
			if tt.want.Key == "" {
				if len(d.Parameters) != 0 {
					t.Errorf("parameters %+v, want none", d.Parameters)
				}
				return
			}
			if len(d.Parameters) != 1 || fmt.Sprintf("%+v", d.Parameters[0]) != fmt.Sprintf("%+v", tt.want) {
				t.Errorf("parameters %+v, want %+v", d.Parameters, tt.want)
			}
			if !slices.Equal(d.After, tt.want.After) || d.Late() != tt.want.Unknown {
				t.Errorf("after %v, late %v", d.After, d.Late())
			}
		})
	}
}

// TestSnapshotParametersStay: what recovery sets is no launch's to reset.
func TestSnapshotParametersStay(t *testing.T) {
	t.Parallel()
	st := stack(parameters(field("A", stacks.String("old")), field("B", stacks.String("b"))))
	st.Break = mapping(field("data", mapping(field("Db", mapping(field("snapshot_parameter", stacks.String("A")))))))
	d, err := preparer().Prepare(t.Context(), st)
	if err != nil || len(d.Parameters) != 2 || !d.Parameters[0].Previous || d.Parameters[0].Value != "old" || d.Parameters[1].Previous {
		t.Errorf("%+v, %v", d, err)
	}
}

func TestProblemsComeTogether(t *testing.T) {
	t.Parallel()
	st := stack(parameters(
		field("A", mapping(field("x", stacks.String("y")))),
		field("B", list(list(stacks.String("x")))),
		field("C", call("nowhere", "x")),
	), func(st *stacks.Stack) {
		st.Tags = []stacks.Field{
			field("aws:x", stacks.String("y")), field("deployer:class", stacks.String("development")),
			field("l", stacks.Strings("a")), field("long", stacks.String(strings.Repeat("x", 257))),
			field("p", call("previous", "")),
		}
		st.Notifications = []stacks.Value{mapping()}
		st.ServiceRole = stacks.Strings("a", "b")
		st.StackPolicy = stacks.String("policies/nope.json")
		st.Template.Path = "broken.yaml"
	})
	_, err := preparer().Prepare(t.Context(), st)
	all, ok := errors.AsType[*multierror.Error](err)
	if !ok {
		t.Fatalf("error is a %T", err)
	}
	for _, e := range all.Errors {
		p, ok := errors.AsType[*stacks.Problem](e)
		if !ok || p.Pos.File == "" {
			t.Errorf("%v has no place", e)
		}
	}
	for _, want := range []string{
		"parameter A: it has to be a text, a number, a boolean or a list, not a map",
		"parameter B: a list holds texts, numbers and booleans, not a list",
		"!nowhere x: cannot be resolved",
		"tag aws:x: tags that begin with aws: belong to AWS",
		"tag deployer:class: tags that begin with deployer: are set by deployer alone",
		"tag l: it has to be a text, not a list",
		"tag long: its value is longer than 256 characters",
		"tag p: !previous is for parameters only",
		"notifications: it has to be a text, not a map",
		"cloudformation_service_role: it has to be a text, not a list",
		"stack_policy: the file policies/nope.json does not exist",
		"templates/broken.yaml:1:",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("nothing says %q in:\n%v", want, err)
		}
	}
	if len(all.Errors) != 12 {
		t.Errorf("%d problems, want 12:\n%v", len(all.Errors), err)
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, template string
		given          []stacks.Field
		want           string
	}{
		{"fine", "open.yaml", []stacks.Field{field("N", stacks.String("3"))}, ""},
		{"stranger", "open.yaml", []stacks.Field{field("Aa", stacks.String("x"))}, "config/dev/app.yaml:5:3: parameter Aa: the template has no such parameter"},
		{"constraint", "open.yaml", []stacks.Field{field("N", stacks.String("11"))}, "config/dev/app.yaml:5:3: parameter N: Parameter 'N' must be a number not greater than 10"},
		{"secret", "open.yaml", []stacks.Field{field("P", stacks.String("ab"))}, "parameter P: Parameter 'P' must contain at least 3 characters"},
		{"what a resolver gave", "open.yaml", []stacks.Field{field("N", call("environment_variable", "Z"))}, ""},
		{"missing", "needs.yaml", nil, "config/dev/app.yaml: parameter Name: the template needs a value for it and has no default"},
		{"left to the live stack", "needs.yaml", []stacks.Field{field("Name", call("previous", ""))}, ""},
		{"later", "needs.yaml", []stacks.Field{field("Name", call("stack_output", "b::Id"))}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := preparer()
			d, err := p.Prepare(t.Context(), stack(parameters(tt.given...), func(st *stacks.Stack) { st.Template.Path = tt.template }))
			if err != nil {
				t.Fatal(err)
			}
			err = p.CheckAll([]*stacks.Desired{d})
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("Check() = %v, want %q", err, tt.want)
			}
		})
	}
}

func TestTags(t *testing.T) {
	t.Parallel()
	d, err := preparer().Prepare(t.Context(), stack(func(st *stacks.Stack) {
		st.Environment.Declared = true
		st.ProjectID = "id-1"
		st.Tags = []stacks.Field{
			field("z", scalar(stacks.Bool, "true")), field("a", scalar(stacks.Int, "1")), field("n", stacks.Value{}),
			field("late", call("stack_output", "b::Id")), field("a", stacks.String("last")),
		}
	}))
	if err != nil {
		t.Fatal(err)
	}
	want := []stacks.Tag{
		{Key: "a", Value: "last"},
		{Key: "deployer:class", Value: "development"},
		{Key: "deployer:environment", Value: "dev"},
		{Key: "deployer:project", Value: "id-1"},
		{Key: "deployer:stack", Value: "dev/app"},
		{Key: "late", Value: prepare.Late("Id of dev/b")},
		{Key: "z", Value: "True"},
	}
	if !slices.Equal(d.Tags, want) {
		t.Errorf("tags %v, want %v", d.Tags, want)
	}
	if !slices.Equal(d.After, []stacks.Path{"dev/b"}) || prepare.Complete(d) == nil {
		t.Errorf("a late tag: after %v, complete %v", d.After, prepare.Complete(d))
	}
	plain, err := preparer().Prepare(t.Context(), stack())
	if err != nil || len(plain.Tags) != 0 {
		t.Errorf("an undeclared environment puts tags on: %v, %v", plain.Tags, err)
	}
	_, err = preparer().Prepare(t.Context(), stack(func(st *stacks.Stack) {
		for i := range 51 {
			st.Tags = append(st.Tags, field(fmt.Sprint(i), stacks.String("x")))
		}
	}))
	if err == nil || !strings.Contains(err.Error(), "51 tags") {
		t.Errorf("51 tags give %v", err)
	}
}

func TestTheRest(t *testing.T) {
	t.Parallel()
	d, err := preparer().Prepare(t.Context(), stack(func(st *stacks.Stack) {
		st.Notifications = []stacks.Value{stacks.String("arn:1"), call("ssm", "/list"), {}, call("stack_output", "b::Id")}
		st.ServiceRole = call("environment_variable", "Z")
		st.Bucket = call("stack_output", "c::Id")
		st.StackPolicy = stacks.String("policies/deny.json")
	}))
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"arn:1", "a", "b", prepare.Late("Id of dev/b")}; !slices.Equal(d.Notifications, want) {
		t.Errorf("notifications %v, want %v", d.Notifications, want)
	}
	if d.ServiceRole != "z" || !prepare.IsLate(d.Bucket) || string(d.Body) != open {
		t.Errorf("role %q, bucket %q, body %q", d.ServiceRole, d.Bucket, d.Body)
	}
	if !strings.Contains(string(d.Policy), `"Update:*"`) {
		t.Errorf("policy %s", d.Policy)
	}
	err = prepare.Complete(d)
	if err == nil || err.Error() != "dev/app is not complete: notification, template bucket known only after dev/b, dev/c" {
		t.Errorf("Complete() = %v", err)
	}
}

func TestPolicies(t *testing.T) {
	t.Parallel()
	statement := field("Statement", list(mapping(field("Effect", stacks.String("Deny")))))
	for _, tt := range []struct {
		name    string
		given   stacks.Value
		problem string
	}{
		{"none", stacks.Value{}, ""},
		{"inline", mapping(statement), ""},
		{"file", stacks.String("./policies/deny.json"), ""},
		{"no statement", stacks.String("policies/odd.json"), "needs a Statement"},
		{"out of the project", stacks.String("../x.json"), "leads out of the project"},
		{"a list", stacks.Strings("a"), "it has to be a map or the path of a file, not a list"},
		{"later", mapping(statement, field("x", call("stack_output", "b::Id"))), "it has to be known before the run"},
		{"too long", mapping(statement, field("x", stacks.String(strings.Repeat("x", 17000)))), "CloudFormation takes 16384"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			d, err := preparer().Prepare(t.Context(), stack(func(st *stacks.Stack) { st.StackPolicy = tt.given }))
			switch {
			case tt.problem == "" && err != nil:
				t.Error(err)
			case tt.problem == "" && (d.Policy == nil) != (tt.name == "none"):
				t.Errorf("policy %q", d.Policy)
			case tt.problem != "" && (err == nil || !strings.Contains(err.Error(), tt.problem)):
				t.Errorf("error %v, want %q", err, tt.problem)
			}
		})
	}
}

func TestLateTemplates(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"late.j2", "bad.j2"} {
		d, err := preparer().Prepare(t.Context(), stack(func(st *stacks.Stack) {
			st.Template.Path = path
			st.UserData = mapping(field("vpc", call("stack_output", "b::Id")))
		}))
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		if !d.BodyLate || !slices.Equal(d.After, []stacks.Path{"dev/b"}) || !strings.Contains(string(d.Body), templates.LateMark) {
			t.Errorf("%s: late %v after %v: %s", path, d.BodyLate, d.After, d.Body)
		}
		d.BodyLate, d.After = false, nil
		if prepare.Complete(d) == nil {
			t.Errorf("%s: a placeholder passes", path)
		}
	}
	d, err := preparer().Prepare(t.Context(), stack(func(st *stacks.Stack) {
		st.UserData = mapping(field("vpc", call("nowhere", "x")))
	}))
	if err != nil || d.Late() {
		t.Errorf("user data that a plain template does not use: %v", err)
	}
	d, err = preparer().Prepare(t.Context(), stack(func(st *stacks.Stack) {
		st.Template.Path = ""
		st.Template.Args = mapping(field("path", call("stack_output", "b::Id")))
	}))
	if err != nil || !d.BodyLate || len(d.After) != 1 {
		t.Errorf("a template that is named later: %+v, %v", d, err)
	}
	d, err = preparer().Prepare(t.Context(), stack(func(st *stacks.Stack) {
		st.Template.Path = ""
		st.Template.Args = mapping(field("path", call("environment", "x")))
		st.UserData = mapping(field("vpc", stacks.String("v")))
	}))
	if err != nil || !strings.Contains(string(d.Body), "TopicName: v") || d.Stack.Template.Path != "" {
		t.Errorf("a template that a resolver names: %+v, %v", d, err)
	}
}

func TestComplete(t *testing.T) {
	t.Parallel()
	d, err := preparer().Prepare(t.Context(), stack(parameters(field("A", stacks.String("x")))))
	if err != nil || prepare.Complete(d) != nil {
		t.Fatalf("a complete stack: %v, %v", err, prepare.Complete(d))
	}
	for what, edit := range map[string]func(*stacks.Desired){
		"parameter A":     func(d *stacks.Desired) { d.Parameters[0].Unknown = true },
		"parameter A ":    func(d *stacks.Desired) { d.Parameters[0].Value = prepare.Late("x") },
		"values":          func(d *stacks.Desired) { d.After = []stacks.Path{"dev/b"} },
		"service role":    func(d *stacks.Desired) { d.ServiceRole = "x" + prepare.Late("x") },
		"template":        func(d *stacks.Desired) { d.Body = []byte(templates.Placeholder("x")) },
		"template bucket": func(d *stacks.Desired) { d.Bucket = prepare.Late("") },
	} {
		broken := *d
		broken.Parameters = slices.Clone(d.Parameters)
		edit(&broken)
		e, ok := errors.AsType[*prepare.IncompleteError](prepare.Complete(&broken))
		if !ok || !slices.Equal(e.What, []string{strings.TrimSpace(what)}) {
			t.Errorf("%s: %v", what, e)
		}
	}
}

func TestSource(t *testing.T) {
	t.Parallel()
	d := preparer().Source(t.Context(), stack(parameters(
		field("A", stacks.String("x")), field("B", call("ssm", "/list")), field("N", call("stack_output", "b::Id")),
		field("P", call("nowhere", "x")), field("Z", stacks.Value{}),
		field("Q", stacks.Value{Kind: stacks.Call, Call: &stacks.Invocation{Name: "previous"}}),
	)))
	if d.Err != nil || d.Template == nil || len(d.Parameters) != 5 || d.Parameters["A"] != "x" || d.Parameters["B"] != "a,b" {
		t.Errorf("draft %+v", d)
	}
	for _, key := range []string{"N", "P", "Q"} {
		if _, ok := d.Parameters[key].(cfntemplate.Unknown); !ok {
			t.Errorf("%s is %v", key, d.Parameters[key])
		}
	}
	broken := preparer().Source(t.Context(), stack(func(st *stacks.Stack) { st.Template.Path = "broken.yaml" }))
	if broken.Err == nil || broken.Template != nil {
		t.Errorf("draft of a broken template: %+v", broken)
	}
}

func TestAccess(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		role    stacks.Value
		want    string
		problem string
	}{
		{stacks.Value{}, "", ""},
		{call("environment_variable", "Z"), "z", ""},
		{call("stack_output", "b::Id"), "", "it is known only after dev/b"},
		{stacks.Strings("a"), "", "it has to be a text"},
	} {
		got, err := preparer().Access(t.Context(), stack(func(st *stacks.Stack) { st.AccessRole = tt.role }))
		if tt.problem == "" && (err != nil || got.Role != tt.want || got.Region != "eu-west-1") {
			t.Errorf("Access() = %+v, %v", got, err)
		}
		if tt.problem != "" && (err == nil || !strings.Contains(err.Error(), tt.problem)) {
			t.Errorf("Access() error %v, want %q", err, tt.problem)
		}
	}
}

// slow is a resolver that takes a second and counts how many calls run at once.
type slow struct{ now, most atomic.Int64 }

func (s *slow) Value(ctx context.Context, _ *stacks.Stack, v stacks.Value) (stacks.Value, error) {
	n := s.now.Add(1)
	defer s.now.Add(-1)
	for m := s.most.Load(); n > m && !s.most.CompareAndSwap(m, n); m = s.most.Load() {
	}
	select {
	case <-time.NewTimer(time.Second).C:
		return v, nil
	case <-ctx.Done():
		return stacks.Value{}, ctx.Err()
	}
}

func TestAllIsBoundedAndKeepsOrder(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		fsys := files()
		l := templates.NewLoader(fsys, templates.Options{})
		r := &slow{}
		p := prepare.New(prepare.Ports{Resolver: r, Renderer: l, Parser: l, Parallel: 4})
		var sts []*stacks.Stack
		for i := range 20 {
			sts = append(sts, stack(parameters(field("A", stacks.String(fmt.Sprint(i)))), func(st *stacks.Stack) { st.Path = stacks.Path(fmt.Sprint(i)) }))
		}
		started := time.Now()
		out, err := p.All(t.Context(), sts)
		if err != nil {
			t.Fatal(err)
		}
		if took := time.Since(started); took != 5*time.Second || r.most.Load() != 4 {
			t.Errorf("took %s with %d at once, want 5s with 4", took, r.most.Load())
		}
		for i, d := range out {
			if d.Stack != sts[i] || d.Parameters[0].Value != fmt.Sprint(i) {
				t.Errorf("answer %d is about %s", i, d.Stack.Path)
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond)
		defer cancel()
		if _, err := p.All(ctx, sts); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("after the deadline: %v", err)
		}
	})
}

func TestAllTellsEveryProblem(t *testing.T) {
	t.Parallel()
	bad := func(path stacks.Path) *stacks.Stack {
		return stack(parameters(field("N", mapping())), func(st *stacks.Stack) { st.Path = path })
	}
	_, err := preparer().All(t.Context(), []*stacks.Stack{bad("a"), stack(), bad("b")})
	all, ok := errors.AsType[*multierror.Error](err)
	if !ok || len(all.Errors) != 2 {
		t.Errorf("errors %v, want two", err)
	}
}

func FuzzPolicyFile(f *testing.F) {
	f.Add([]byte(`{"Statement":[]}`))
	f.Add([]byte("Statement: [{Effect: Deny}]"))
	f.Add([]byte("- a"))
	f.Fuzz(func(t *testing.T, text []byte) {
		fsys := files()
		fsys["p.yaml"] = &fstest.MapFile{Data: text}
		l := templates.NewLoader(fsys, templates.Options{})
		p := prepare.New(prepare.Ports{Resolver: known, Renderer: l, Parser: l, Files: fsys})
		d, err := p.Prepare(t.Context(), stack(func(st *stacks.Stack) { st.StackPolicy = stacks.String("p.yaml") }))
		if err != nil {
			if _, ok := errors.AsType[*stacks.Problem](err); !ok {
				t.Errorf("%v is no problem", err)
			}
			return
		}
		if !strings.Contains(string(d.Policy), "Statement") {
			t.Errorf("policy %q", d.Policy)
		}
	})
}
