package graph_test

import (
	"bytes"
	"cmp"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/go-multierror"

	"github.com/deployer-cli/deployer/internal/cfntemplate"
	"github.com/deployer-cli/deployer/internal/graph"
	"github.com/deployer-cli/deployer/stacks"
)

var update = flag.Bool("update", false, "write the golden files")

// project is a list of sources under construction.
type project struct {
	t       testing.TB
	sources []graph.Source
}

// option changes a source.
type option func(*graph.Source)

func (p *project) add(path stacks.Path, body string, options ...option) *project {
	p.t.Helper()
	s := graph.Source{
		Stack: &stacks.Stack{
			Path:        path,
			Name:        "demo-" + strings.ReplaceAll(string(path), "/", "-"),
			File:        "config/" + string(path) + ".yaml",
			Pos:         stacks.Pos{File: "config/" + string(path) + ".yaml", Line: 1, Column: 1},
			Environment: &stacks.Environment{Name: string(path.Group())},
			Access:      stacks.Access{Region: "eu-west-1"},
			Template:    stacks.Source{Type: "file", Path: path.Base() + ".yaml"},
		},
		Parameters: map[string]any{},
	}
	if body != "" {
		t, err := cfntemplate.Parse([]byte(body))
		if err != nil {
			p.t.Fatalf("%s: %v", path, err)
		}
		s.Template = t
	}
	for _, o := range options {
		o(&s)
	}
	p.sources = append(p.sources, s)
	return p
}

func at(s *graph.Source, line int) stacks.Pos {
	return stacks.Pos{File: s.Stack.File, Line: line, Column: 5}
}

func after(paths ...stacks.Path) option {
	return func(s *graph.Source) {
		for i, p := range paths {
			s.Stack.Dependencies = append(s.Stack.Dependencies, stacks.Dependency{Path: p, Pos: at(s, 3+i)})
		}
	}
}

// given sets a parameter to a text.
func given(key, value string) option {
	return func(s *graph.Source) {
		s.Stack.Parameters = append(s.Stack.Parameters, stacks.Field{Key: key, Value: stacks.String(value), Pos: at(s, 7)})
		s.Parameters[key] = value
	}
}

// resolved sets a parameter to a resolver call, whose value is not known.
func resolved(key, name string, arg stacks.Value) option {
	return func(s *graph.Source) {
		v := stacks.Value{Kind: stacks.Call, Call: &stacks.Invocation{Name: name, Arg: arg}, Pos: at(s, 8)}
		s.Stack.Parameters = append(s.Stack.Parameters, stacks.Field{Key: key, Value: v, Pos: at(s, 8)})
		s.Parameters[key] = cfntemplate.Unknown{Why: "later"}
	}
}

func change(f func(*stacks.Stack)) option { return func(s *graph.Source) { f(s.Stack) } }

func region(r string) option { return change(func(st *stacks.Stack) { st.Access.Region = r }) }

func account(id string) option {
	return change(func(st *stacks.Stack) { st.Environment.Declared = true; st.Environment.Accounts = []string{id} })
}

const (
	vpc = `
Parameters: {Public: {Type: String, Default: "true"}}
Conditions: {IsPublic: !Equals [!Ref Public, "true"]}
Resources:
  Vpc: {Type: "AWS::EC2::VPC", Properties: {CidrBlock: 10.0.0.0/16}}
Outputs:
  VpcId: {Value: !Ref Vpc, Export: {Name: !Sub "${AWS::StackName}-VPC"}}
  Gateway: {Condition: IsPublic, Value: x, Export: {Name: !Join ["-", [!Ref "AWS::StackName", GW]]}}
`
	app = `
Parameters: {Parent: {Type: String, Default: ""}, Public: {Type: String, Default: "false"}}
Conditions: {HasParent: !Not [!Equals [!Ref Parent, ""]], IsPublic: !Equals [!Ref Public, "true"]}
Resources:
  Group:
    Type: AWS::EC2::SecurityGroup
    Properties:
      GroupDescription: x
      VpcId: !If [HasParent, {"Fn::ImportValue": !Sub "${Parent}-VPC"}, vpc-1]
  Rule:
    Type: AWS::EC2::SecurityGroup
    Condition: IsPublic
    Properties:
      GroupDescription: {"Fn::ImportValue": !Sub "${Parent}-GW"}
`
	plain = `
Resources:
  Topic: {Type: AWS::SNS::Topic}
Outputs:
  Arn: {Value: !Ref Topic}
`
)

func edges(g *graph.Graph) []string {
	var out []string
	for e := range g.Edges() {
		weak := ""
		if e.Weak {
			weak = " weak"
		}
		out = append(out, fmt.Sprintf("%s -> %s %s %s%s", e.From, e.To, e.Kind, e.Key, weak))
	}
	return out
}

func TestEdges(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		make    func(*project)
		want    []string
		missing []string
	}{
		{"nothing", func(*project) {}, nil, nil},
		{
			"dependencies, a group's own included",
			func(p *project) { p.add("dev/a", "", after("dev/b", "dev/a", "dev/b")).add("dev/b", "") },
			[]string{"dev/a -> dev/b explicit "},
			nil,
		},
		{
			"resolvers wherever they stand",
			func(p *project) {
				call := stacks.Value{Kind: stacks.Call, Call: &stacks.Invocation{Name: "stack_output", Arg: stacks.String("dev/b.yaml::Arn")}}
				nested := stacks.Value{Kind: stacks.Call, Call: &stacks.Invocation{Name: "join", Arg: stacks.Value{Kind: stacks.List, Items: []stacks.Value{stacks.String(","), call}}}}
				hook := stacks.Value{Kind: stacks.Call, Call: &stacks.Invocation{Name: "cmd", Arg: call}}
				p.add("dev/b", plain).
					add("dev/a", "", change(func(st *stacks.Stack) { st.UserData = nested })).
					add("dev/c", "", change(func(st *stacks.Stack) { st.Hooks = []stacks.HookPoint{{Hooks: []stacks.Value{hook}}} })).
					add("dev/d", "", change(func(st *stacks.Stack) { st.AccessRole = call })).
					add("dev/e", "", change(func(st *stacks.Stack) { st.Tags = []stacks.Field{{Key: "x", Value: call}} }))
			},
			[]string{
				"dev/a -> dev/b resolver Arn weak", "dev/c -> dev/b resolver Arn weak",
				"dev/d -> dev/b resolver Arn weak", "dev/e -> dev/b resolver Arn weak",
			},
			nil,
		},
		{
			"an output that is not there",
			func(p *project) {
				p.add("dev/b", plain).add("dev/a", "", resolved("X", "stack_output", stacks.String("dev/b.yaml::Nope")))
			},
			[]string{"dev/a -> dev/b resolver Nope weak"},
			[]string{"config/dev/a.yaml:8:5 needs Nope of dev/b, whose template has no such output [its outputs are Arn]"},
		},
		{
			"external by CloudFormation's name",
			func(p *project) {
				p.add("dev/b", plain, change(func(st *stacks.Stack) { st.Name = "legacy" })).
					add("dev/a", "", resolved("X", "stack_output_external", stacks.String("legacy::Arn"))).
					add("dev/c", "", resolved("X", "stack_output_external", stacks.String("foreign::Arn")))
			},
			[]string{"dev/a -> dev/b resolver Arn weak"},
			nil,
		},
		{
			"import by parameter and stack name",
			func(p *project) { p.add("dev/vpc", vpc).add("dev/app", app, given("Parent", "demo-dev-vpc")) },
			[]string{"dev/app -> dev/vpc import demo-dev-vpc-VPC"},
			nil,
		},
		{
			"conditions decide what is imported and exported",
			func(p *project) {
				p.add("dev/vpc", vpc, given("Public", "false")).
					add("dev/app", app, given("Parent", "demo-dev-vpc"), given("Public", "true")).
					add("dev/none", app)
			},
			[]string{"dev/app -> dev/vpc import demo-dev-vpc-VPC"},
			[]string{"templates/app.yaml:10:3 imports demo-dev-vpc-GW, which no stack of the project exports [it has to be exported by a stack of another project before this one is launched]"},
		},
		{
			"a condition that is not known counts",
			func(p *project) {
				p.add("dev/vpc", vpc, resolved("Public", "ssm", stacks.String("/p"))).
					add("dev/app", app, given("Parent", "demo-dev-vpc"), resolved("Public", "ssm", stacks.String("/p")))
			},
			[]string{"dev/app -> dev/vpc import demo-dev-vpc-GW", "dev/app -> dev/vpc import demo-dev-vpc-VPC"},
			nil,
		},
		{
			"an import by a name that is not known",
			func(p *project) {
				p.add("dev/vpc", vpc).add("dev/app", app, resolved("Parent", "ssm", stacks.String("/p")))
			},
			nil, nil,
		},
		{
			"nearly the name",
			func(p *project) { p.add("dev/vpc", vpc).add("dev/app", app, given("Parent", "demo_dev_vpc")) },
			nil,
			[]string{"templates/app.yaml:5:3 imports demo_dev_vpc-VPC, which no stack of the project exports [did you mean demo-dev-vpc-VPC]"},
		},
		{
			"another region and another account export nothing for us",
			func(p *project) {
				p.add("dev/vpc", vpc, account("111111111111")).
					add("dev/app", app, given("Parent", "demo-dev-vpc"), region("us-east-1"), account("111111111111")).
					add("dev/far", app, given("Parent", "demo-dev-vpc"), account("222222222222")).
					add("dev/ours", app, given("Parent", "demo-dev-vpc"))
			},
			[]string{"dev/ours -> dev/vpc import demo-dev-vpc-VPC"},
			[]string{"templates/app.yaml:5:3 imports demo-dev-vpc-VPC", "templates/far.yaml:5:3 imports demo-dev-vpc-VPC"},
		},
		{
			"a role tells the account",
			func(p *project) {
				role := func(id string) option {
					return change(func(st *stacks.Stack) { st.Access.Role = "arn:aws:iam::" + id + ":role/deploy" })
				}
				p.add("dev/vpc", vpc, role("111111111111")).
					add("dev/app", app, given("Parent", "demo-dev-vpc"), account("111111111111")).
					add("dev/far", app, given("Parent", "demo-dev-vpc"), role("222222222222"))
			},
			[]string{"dev/app -> dev/vpc import demo-dev-vpc-VPC"},
			[]string{"templates/far.yaml:5:3 imports demo-dev-vpc-VPC"},
		},
		{
			"the same export in each environment",
			func(p *project) {
				const fixed = "Resources: {T: {Type: AWS::SNS::Topic}}\nOutputs: {V: {Value: x, Export: {Name: vpc}}}\n"
				const user = "Resources: {T: {Type: AWS::SNS::Topic, Properties: {TopicName: !ImportValue vpc}}}\n"
				p.add("dev/vpc", fixed).add("prod/vpc", fixed).add("dev/app", user).add("prod/app", user).
					add("prod/vpc-old", fixed, change(func(st *stacks.Stack) { st.Obsolete = true }))
			},
			[]string{"dev/app -> dev/vpc import vpc", "prod/app -> prod/vpc import vpc"},
			nil,
		},
		{
			"output of a stack by name",
			func(p *project) {
				const user = `
Resources:
  T:
    Type: AWS::SNS::Topic
    Properties:
      TopicName: {"Fn::GetStackOutput": {StackName: demo-dev-b, OutputName: Arn}}
      DisplayName: {"Fn::GetStackOutput": {StackName: demo-dev-us, OutputName: Arn, Region: us-east-1}}
      Tags: [{Key: a, Value: {"Fn::GetStackOutput": {StackName: foreign, OutputName: Arn}}}]
`
				p.add("dev/a", user).add("dev/b", plain).add("dev/us", plain, region("us-east-1"))
			},
			[]string{"dev/a -> dev/b output Arn weak", "dev/a -> dev/us output Arn weak"},
			nil,
		},
		{
			"nested stacks pass imports on",
			func(p *project) {
				const nested = `
Resources:
  Child:
    Type: AWS::CloudFormation::Stack
    Properties: {TemplateURL: https://x, Parameters: {Vpc: !ImportValue demo-dev-vpc-VPC}}
`
				p.add("dev/parent", nested).add("dev/vpc", vpc)
			},
			[]string{"dev/parent -> dev/vpc import demo-dev-vpc-VPC"},
			nil,
		},
		{
			"SSM parameters that a stack makes",
			func(p *project) {
				const maker = `
Parameters: {Env: {Type: String}}
Resources:
  P: {Type: AWS::SSM::Parameter, Properties: {Type: String, Value: x, Name: !Sub "/${Env}/vpc"}}
  Self: {Type: AWS::SNS::Topic, Properties: {TopicName: "{{resolve:ssm:/dev/vpc}}"}}
`
				const user = `
Parameters: {Vpc: {Type: "AWS::SSM::Parameter::Value<String>", Default: /dev/vpc}}
Resources:
  T: {Type: AWS::SNS::Topic, Properties: {TopicName: !Ref Vpc}}
`
				const dynamic = `
Resources:
  T: {Type: AWS::SNS::Topic, Properties: {TopicName: !Sub "a-{{resolve:ssm-secure:/dev/vpc:3}}-${AWS::Region}"}}
`
				p.add("dev/maker", maker, given("Env", "dev")).
					add("dev/call", plain, resolved("X", "ssm", stacks.String("/dev/vpc"))).
					add("dev/other", plain, resolved("X", "ssm", stacks.String("/dev/other"))).
					add("dev/default", user).
					add("dev/given", user, given("Vpc", "/dev/else")).
					add("dev/dynamic", dynamic).
					add("dev/passed", plain, given("X", "{{resolve:ssm:/dev/vpc}}")).
					add("dev/far", plain, resolved("X", "ssm", stacks.Value{Kind: stacks.Map, Fields: []stacks.Field{
						{Key: "name", Value: stacks.String("/dev/vpc")}, {Key: "region", Value: stacks.String("us-east-1")},
					}}))
			},
			[]string{
				"dev/call -> dev/maker ssm /dev/vpc weak", "dev/default -> dev/maker ssm /dev/vpc weak",
				"dev/dynamic -> dev/maker ssm /dev/vpc weak", "dev/passed -> dev/maker ssm /dev/vpc weak",
			},
			nil,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := &project{t: t}
			tt.make(p)
			g, err := graph.Make(p.sources, graph.Options{})
			if err != nil {
				t.Fatal(err)
			}
			if got := edges(g); !slices.Equal(got, tt.want) {
				t.Errorf("edges:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(tt.want, "\n"))
			}
			var missing []string
			for _, m := range g.Missing() {
				missing = append(missing, fmt.Sprintf("%s %s [%s]", m.Pos, m.What, m.Hint))
			}
			if !slices.EqualFunc(missing, tt.missing, strings.HasPrefix) {
				t.Errorf("missing:\n%s\nwant:\n%s", strings.Join(missing, "\n"), strings.Join(tt.missing, "\n"))
			}
			if a := g.Ambiguous(); len(a) > 0 {
				t.Errorf("ambiguous: %v", a)
			}
		})
	}
}

func TestAmbiguousExports(t *testing.T) {
	t.Parallel()
	const fixed = "Resources: {T: {Type: AWS::SNS::Topic}}\nOutputs: {V: {Value: x, Export: {Name: vpc}}}\n"
	const user = "Resources: {T: {Type: AWS::SNS::Topic, Properties: {TopicName: !ImportValue vpc}}}\n"
	p := (&project{t: t}).add("dev/b", fixed).add("dev/a", fixed).add("dev/app", user)
	g, err := graph.Make(p.sources, graph.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got := edges(g); len(got) != 2 {
		t.Errorf("edges %v, want one to each that exports it", got)
	}
	a := g.Ambiguous()
	if len(a) != 1 || a[0].Key != "vpc" || !slices.Equal(a[0].Makes, []stacks.Path{"dev/a", "dev/b"}) {
		t.Errorf("ambiguous: %+v", a)
	}
}

func TestProblems(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		make func(*project)
		want []string
	}{
		{
			"cycle through files", func(p *project) {
				p.add("dev/a", vpc, resolved("X", "stack_output", stacks.String("dev/b.yaml::Arn"))).
					add("dev/b", "Resources: {T: {Type: AWS::SNS::Topic, Properties: {TopicName: !ImportValue demo-dev-a-VPC}}}\nOutputs: {Arn: {Value: x}}\n")
			},
			[]string{"config/dev/a.yaml:8:5: dependency cycle: dev/a (config/dev/a.yaml:8:5) needs Arn of dev/b; dev/b (templates/b.yaml:1:13) imports demo-dev-a-VPC of dev/a"},
		},
		{
			"two cycles at once", func(p *project) {
				p.add("a", "", after("b")).add("b", "", after("a")).add("c", "", after("d")).add("d", "", after("c", "a"))
			},
			[]string{
				"a (config/a.yaml:3:5) depends on b; b (config/b.yaml:3:5) depends on a",
				"c (config/c.yaml:3:5) depends on d; d (config/d.yaml:3:5) depends on c",
			},
		},
		{
			"a stack that waits for itself",
			func(p *project) { p.add("a", plain, resolved("X", "stack_output", stacks.String("a.yaml::Arn"))) },
			[]string{"a (config/a.yaml:8:5) needs Arn of a"},
		},
		{
			"no such stack", func(p *project) { p.add("dev/a", "", after("dev/netwrok", "prod/b")).add("dev/b", "") }, //nolint:misspell // misspelt on purpose
			[]string{
				"config/dev/a.yaml:3:5: dependency dev/netwrok: there is no such stack in the project []", //nolint:misspell // misspelt on purpose
				"config/dev/a.yaml:4:5: dependency prod/b: there is no such stack in the project [did you mean dev/b.yaml]",
			},
		},
		{
			"a group", func(p *project) { p.add("dev/a", "", after("net")).add("net/b", "") },
			[]string{"config/dev/a.yaml:3:5: dependency net: it is a group [name the stacks, such as net/network.yaml]"},
		},
		{
			"a broken stack", func(p *project) { p.add("dev/a", "", after("dev/broken")) },
			[]string{"config/dev/a.yaml:3:5: dependency dev/broken: its own file has problems"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := &project{t: t}
			tt.make(p)
			g, err := graph.Make(p.sources, graph.Options{Exists: func(p stacks.Path) bool { return p == "dev/broken" }})
			if g == nil {
				t.Fatal("no graph for what is not concerned")
			}
			got := told(t, err)
			if !slices.EqualFunc(got, tt.want, strings.Contains) {
				t.Errorf("problems:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(tt.want, "\n"))
			}
		})
	}
}

// told lists problems as "text [hint]", sorted.
func told(t *testing.T, err error) []string {
	t.Helper()
	if err == nil {
		return nil
	}
	all, ok := errors.AsType[*multierror.Error](err)
	if !ok {
		t.Fatalf("error is a %T", err)
	}
	var out []string
	for _, e := range all.Errors {
		p, ok := errors.AsType[*stacks.Problem](e)
		if !ok {
			t.Fatalf("%v is no problem", e)
		}
		out = append(out, fmt.Sprintf("%s [%s]", p.Error(), p.Hint()))
	}
	slices.SortFunc(out, cmp.Compare)
	return out
}

func TestSelect(t *testing.T) {
	t.Parallel()
	p := (&project{t: t}).
		add("dev/app", "", after("dev/vpc")).add("dev/web", "", after("dev/app")).add("dev/vpc", "").
		add("dev/lone", "").add("bad/x", "", after("bad/y")).add("bad/y", "", after("bad/x")).add("dev/onbad", "", after("bad/x"))
	g, err := graph.Make(p.sources, graph.Options{})
	if err == nil {
		t.Fatal("the cycle in bad/ went unnoticed")
	}
	for _, tt := range []struct {
		name  string
		d     graph.Direction
		paths []stacks.Path
		want  string
		bad   bool
	}{
		{"launch takes dependencies along", graph.Up, []stacks.Path{"dev/web"}, "dev/vpc dev/app dev/web", false},
		{"delete takes dependents along", graph.Down, []stacks.Path{"dev/app"}, "dev/app dev/web", false},
		{"alone", graph.Up, []stacks.Path{"dev/lone"}, "dev/lone", false},
		{"a cycle below", graph.Up, []stacks.Path{"dev/onbad"}, "", true},
		{"a cycle elsewhere", graph.Down, []stacks.Path{"dev/vpc"}, "dev/vpc dev/app dev/web", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			part, err := g.Select(tt.d, tt.paths...)
			if (err != nil) != tt.bad {
				t.Fatalf("error %v", err)
			}
			if got := words(part.Order()); got != tt.want {
				t.Errorf("order %q, want %q", got, tt.want)
			}
		})
	}
	only := g.IgnoreDependencies("dev/web", "bad/x")
	if words(only.Order()) != "bad/x dev/web" || only.Check(nil) != nil || len(only.Dependencies("dev/web")) > 0 {
		t.Errorf("without dependencies: %v", only.Order())
	}
	part, _ := g.Select(graph.Up, "dev/web")
	if d := part.Dependents("dev/vpc"); len(d) != 1 || d[0].From != "dev/app" {
		t.Errorf("dependents of dev/vpc: %v", d)
	}
	if r := part.Remaining(func(stacks.Path) float64 { return 2 }); r["dev/vpc"] != 6 || r["dev/web"] != 2 {
		t.Errorf("remaining: %v", r)
	}
}

func words(paths []stacks.Path) string {
	var out []string
	for _, p := range paths {
		out = append(out, string(p))
	}
	return strings.Join(out, " ")
}

func TestRevise(t *testing.T) {
	t.Parallel()
	p := (&project{t: t}).add("dev/vpc", vpc).add("dev/late", "", after("dev/id")).add("dev/id", "").add("dev/top", "", after("dev/late"))
	p.add("dev/exports", "Resources: {T: {Type: AWS::SNS::Topic}}\nOutputs: {V: {Value: x, Export: {Name: top}}}\n", after("dev/top"))
	g, err := graph.Make(p.sources, graph.Options{})
	if err != nil {
		t.Fatal(err)
	}
	late := p.sources[1]
	for _, tt := range []struct{ name, imports, gained, problem string }{
		{"nothing new", "foreign", "", ""},
		{"a new dependency", "demo-dev-vpc-VPC", "dev/late -> dev/vpc", ""},
		{"a cycle", "top", "dev/late -> dev/exports", "dev/late (templates/late.yaml:1:13) imports top of dev/exports; dev/exports (config/dev/exports.yaml:3:5) depends on dev/top; dev/top (config/dev/top.yaml:3:5) depends on dev/late"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var err error
			s := late
			if s.Template, err = cfntemplate.Parse([]byte("Resources: {T: {Type: AWS::SNS::Topic, Properties: {TopicName: !ImportValue " + tt.imports + "}}}")); err != nil {
				t.Fatal(err)
			}
			gained, err := g.Revise(s)
			var got []string
			for _, e := range gained {
				got = append(got, fmt.Sprintf("%s -> %s", e.From, e.To))
			}
			if strings.Join(got, ",") != tt.gained {
				t.Errorf("gained %v, want %s", got, tt.gained)
			}
			if !slices.EqualFunc(told(t, err), slices.DeleteFunc([]string{tt.problem}, func(s string) bool { return s == "" }), strings.Contains) {
				t.Errorf("problems %v, want %q", told(t, err), tt.problem)
			}
		})
	}
}

func TestUnread(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	p := (&project{t: t}).add("dev/a", "").add("dev/b", "", func(s *graph.Source) { s.Err = broken })
	g, err := graph.Make(p.sources, graph.Options{})
	if err != nil {
		t.Errorf("a template that cannot be read stops everything: %v", err)
	}
	if u := g.Unread(); len(u) != 1 || !errors.Is(u["dev/b"], broken) {
		t.Errorf("unread: %v", u)
	}
}

func TestRendering(t *testing.T) {
	t.Parallel()
	p := (&project{t: t}).
		add("dev/vpc", vpc).
		add("dev/app", app, given("Parent", "demo-dev-vpc"), resolved("X", "stack_output", stacks.String("dev/vpc.yaml::VpcId")), after("dev/topic")).
		add("dev/topic", plain).
		add(`dev/we"ird`, "", after("dev/topic")).
		add("dev/x", "", after("dev/y")).add("dev/y", "", after("dev/x"))
	g, _ := graph.Make(p.sources, graph.Options{})
	for _, tt := range []struct {
		file  string
		write func(*bytes.Buffer) error
	}{
		{"graph.txt", func(b *bytes.Buffer) error { return g.Text(b) }},
		{"graph.dot", func(b *bytes.Buffer) error { return g.Dot(b) }},
		{"graph.mmd", func(b *bytes.Buffer) error { return g.Mermaid(b) }},
	} {
		t.Run(tt.file, func(t *testing.T) {
			t.Parallel()
			var got bytes.Buffer
			if err := tt.write(&got); err != nil {
				t.Fatal(err)
			}
			golden := filepath.Join("testdata", tt.file)
			if *update {
				if err := os.WriteFile(golden, got.Bytes(), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if got.String() != string(want) {
				t.Errorf("got:\n%swant:\n%s", got.String(), want)
			}
		})
	}
}
