package plan

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/deployer-cli/deployer/stacks"
)

const simple = `
Parameters: {In: {Type: String}}
Resources: {T: {Type: AWS::SNS::Topic, Properties: {DisplayName: !Ref In}}}
Outputs: {Out: {Value: !Ref In}}
`

// TestUpdate shows for one live stack what each change of what is wanted does.
func TestUpdate(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		live   *stacks.Desired       // nil: network with its defaults
		change func(*stacks.Desired) // of the desired stack
		lives  func(*stacks.Live)    // of the live stack
		input  func(*Input)          //
		want   string                // the step, without "[] -> " and the stack
	}{
		{name: "same", want: "none dev/net, nothing changed"},
		{name: "comments and format", change: func(d *stacks.Desired) {
			d.Body = []byte("# hello\n" + strings.ReplaceAll(network, "Type: String, Default: small", "Default: 'small', Type: \"String\""))
		}, want: "none dev/net, nothing changed"},
		{name: "number and string", change: func(d *stacks.Desired) {
			d.Body = []byte(strings.ReplaceAll(network, "Default: 80", "Default: '80'"))
		}, want: "none dev/net, nothing changed"},
		{name: "parameter", change: func(d *stacks.Desired) { d.Parameters = []stacks.Parameter{{Key: "Port", Value: "81"}} }, want: "update dev/net, parameter Port: 80 -> 81"},
		{name: "list parameter with blanks", change: func(d *stacks.Desired) { d.Parameters = []stacks.Parameter{{Key: "Zones", Value: "a, b"}} }, want: "none dev/net, nothing changed"},
		{name: "list parameter", change: func(d *stacks.Desired) { d.Parameters = []stacks.Parameter{{Key: "Zones", Value: "a,c"}} }, want: "update dev/net, parameter Zones: a,b -> a,c"},
		{
			name: "reset", lives: func(l *stacks.Live) { set(l, "Port", "90") },
			want: "update dev/net, parameter Port: 90 -> 80 (resets it to its default)",
		},
		{name: "previous", change: func(d *stacks.Desired) { d.Parameters = []stacks.Parameter{{Key: "Port", Previous: true, Value: "1"}} }, lives: func(l *stacks.Live) { set(l, "Port", "90") }, want: "none dev/net, nothing changed"},
		{name: "late", change: func(d *stacks.Desired) { later(d, "Port", "Port of dev/base", "dev/base") }, want: "update dev/net (late), waits for Port of dev/base"},
		{name: "late template", change: func(d *stacks.Desired) { d.BodyLate, d.Body, d.After = true, []byte("%"), []stacks.Path{"dev/base"} }, want: "update dev/net (late), waits for dev/base"},
		{name: "secret unchanged", change: func(d *stacks.Desired) { d.Parameters = []stacks.Parameter{{Key: "Password", Value: "", Secret: true}} }, want: "none dev/net, nothing changed"},
		{name: "secret changed", change: func(d *stacks.Desired) {
			d.Parameters = []stacks.Parameter{{Key: "Password", Value: "geheim", Secret: true}}
		}, want: "update dev/net, parameter Password: changed (secret)"},
		{
			name: "secret unknown", change: func(d *stacks.Desired) {
				d.Parameters = []stacks.Parameter{{Key: "Password", Value: "x", Secret: true}}
			},
			input: func(in *Input) { in.SameSecret = nil }, want: "update dev/net, NoEcho parameter Password cannot be compared; CloudFormation decides",
		},
		{
			name: "secret unknown beside a change", input: func(in *Input) { in.SameSecret = nil },
			change: func(d *stacks.Desired) {
				d.Parameters = []stacks.Parameter{{Key: "Port", Value: "81"}, {Key: "Password", Value: "x"}}
			},
			want: "update dev/net, parameter Port: 80 -> 81",
		},
		{name: "tags only", change: func(d *stacks.Desired) { d.Tags = []stacks.Tag{{Key: "team", Value: "a"}} }, want: "update dev/net, tags only"},
		{name: "tags of AWS", lives: func(l *stacks.Live) { l.Tags = []stacks.Tag{{Key: "aws:x", Value: "a"}} }, want: "none dev/net, nothing changed"},
		{name: "our tags alone", change: func(d *stacks.Desired) { d.Tags = []stacks.Tag{{Key: "deployer:class", Value: "x"}} }, want: "none dev/net, nothing changed, not adopted"},
		{name: "our tags adopted", change: func(d *stacks.Desired) { d.Tags = []stacks.Tag{{Key: "deployer:class", Value: "x"}} }, input: func(in *Input) { in.Adopt = true }, want: "update dev/net, tags only"},
		{name: "our tags ride", change: func(d *stacks.Desired) {
			d.Tags = []stacks.Tag{{Key: "deployer:class", Value: "x"}}
			d.Parameters = []stacks.Parameter{{Key: "Port", Value: "81"}}
		}, want: "update dev/net, parameter Port: 80 -> 81; tags"},
		{name: "role", change: func(d *stacks.Desired) { d.ServiceRole = "r2" }, lives: func(l *stacks.Live) { l.ServiceRole = "r1" }, want: "update dev/net, role: r1 -> r2"},
		{name: "role known later", change: func(d *stacks.Desired) { d.ServiceRole, d.After = "⟪Role of dev/base⟫", []stacks.Path{"dev/base"} }, want: "update dev/net (late), waits for dev/base"},
		{name: "tag known later", change: func(d *stacks.Desired) {
			d.Tags, d.After = []stacks.Tag{{Key: "vpc", Value: "⟪VpcId of dev/base⟫"}}, []stacks.Path{"dev/base"}
		}, want: "update dev/net (late), tags; waits for dev/base"},
		{name: "role not given", lives: func(l *stacks.Live) { l.ServiceRole = "r1" }, want: "none dev/net, nothing changed"},
		{name: "notifications", change: func(d *stacks.Desired) { d.Notifications = []string{"b", "a"} }, want: "update dev/net, notifications"},
		{name: "notifications in another order", change: func(d *stacks.Desired) { d.Notifications = []string{"b", "a"} }, lives: func(l *stacks.Live) { l.Notifications = []string{"a", "b"} }, want: "none dev/net, nothing changed"},
		{name: "policy", change: func(d *stacks.Desired) { d.Policy = []byte(`{"Statement":[]}`) }, want: "update dev/net, stack policy"},
		{name: "protection", change: func(d *stacks.Desired) { d.Stack.TerminationProtection = new(true) }, want: "update dev/net, termination protection on"},
		{name: "protection off is not ours to take", change: func(d *stacks.Desired) { d.Stack.TerminationProtection = new(false) }, lives: func(l *stacks.Live) { l.TerminationProtection = true }, want: "none dev/net, nothing changed"},
		{name: "one resource", change: func(d *stacks.Desired) {
			d.Body = []byte(strings.Replace(network, "DelaySeconds: !Ref Port", "DelaySeconds: 5", 1))
		}, want: "update dev/net, template: resource Queue changed"},
		{name: "resources and outputs", change: func(d *stacks.Desired) {
			d.Body = []byte(strings.NewReplacer("DelaySeconds: !Ref Port", "DelaySeconds: 5", "Condition: Big\n  Watcher", "Condition: Big\n  More: {Type: AWS::SNS::Topic}\n  Watcher", "Value: fixed", "Value: mended").Replace(network))
		}, want: "update dev/net, template: 1 resources added, 1 changed, Outputs changed"},
		{name: "type", change: func(d *stacks.Desired) {
			d.Body = []byte(strings.Replace(network, "AWS::SQS::Queue", "AWS::SNS::Topic", 1))
		}, want: "blocked: resource Queue changes its type"},
		{name: "macro", change: func(d *stacks.Desired) { d.Body = []byte("Transform: AWS::Serverless-2016-10-31\n" + network) }, live: desired("dev/net", "Transform: AWS::Serverless-2016-10-31\n"+network), want: "update dev/net, its template goes through AWS::Serverless-2016-10-31; CloudFormation decides"},
		{name: "dynamic reference", change: func(d *stacks.Desired) {
			d.Body = []byte(strings.Replace(network, "Value: fixed", "Value: '{{resolve:ssm:x}}'", 1))
		}, live: desired("dev/net", strings.Replace(network, "Value: fixed", "Value: '{{resolve:ssm:x}}'", 1)), want: "dynamic references; CloudFormation decides"},
		{name: "SSM parameter", live: desired("dev/net", "Parameters: {P: {Type: 'AWS::SSM::Parameter::Value<String>', Default: /x}}\nResources: {T: {Type: AWS::SNS::Topic}}"), change: func(d *stacks.Desired) {
			d.Body = []byte("Parameters: {P: {Type: 'AWS::SSM::Parameter::Value<String>', Default: /x}}\nResources: {T: {Type: AWS::SNS::Topic}}")
		}, want: "update dev/net, parameter P is read from SSM; CloudFormation decides"},
		{name: "ignored", change: func(d *stacks.Desired) { d.Stack.Ignore = true }, want: "skip dev/net, ignored by its config"},
		{name: "obsolete", change: func(d *stacks.Desired) { d.Stack.Obsolete = true }, want: "skip dev/net, marked obsolete"},
		{name: "protected and same", change: func(d *stacks.Desired) { d.Stack.Protect = true }, want: "none dev/net, nothing changed"},
		{name: "protected", change: func(d *stacks.Desired) {
			d.Stack.Protect = true
			d.Parameters = []stacks.Parameter{{Key: "Port", Value: "81"}}
		}, want: "blocked: its config protects it"},
		{name: "broken template", change: func(d *stacks.Desired) { d.Body = []byte("a: [") }, want: "blocked: its template is refused"},
		{name: "update failed before", lives: func(l *stacks.Live) { l.Status = stacks.UpdateFailed }, want: "update dev/net, its last update failed"},
		{name: "joined", lives: func(l *stacks.Live) { l.Status = stacks.UpdateInProgress }, want: "… dev/net"},
		{name: "rolled back", lives: func(l *stacks.Live) { l.Status = stacks.UpdateRollbackComplete }, want: "none dev/net, nothing changed"},
		{name: "left", change: func(d *stacks.Desired) {
			d.Parameters = []stacks.Parameter{{Key: "Port", Value: "81"}}
		}, input: func(in *Input) { in.Leave = func(*Step) string { return "left as it is" } }, want: "none dev/net, left as it is"},
		{name: "left, and its template is broken", change: func(d *stacks.Desired) { d.Body = []byte("a: [") }, input: func(in *Input) { in.Leave = func(*Step) string { return "left as it is" } }, want: "none dev/net, left as it is"},
		{name: "never came up", lives: func(l *stacks.Live) { l.Status = stacks.RollbackComplete }, want: "recreate dev/net, it never came up"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if tt.live == nil {
				tt.live = desired("dev/net", network)
			}
			w := brought(tt.live)
			if tt.lives != nil {
				tt.lives(w.live["dev-net"])
			}
			d := desired("dev/net", network)
			if tt.change != nil {
				tt.change(d)
			}
			b := w.builder(d)
			if tt.input != nil {
				tt.input(&b.in)
			}
			step := b.Add(d, Edges{})
			want := strings.Replace(tt.want, "…", "join", 1)
			if got := strings.TrimPrefix(step.String(), "[dev/base] -> "); !strings.Contains(got, want) {
				t.Errorf("got  %s\nwant %s", got, want)
			}
			if step.Action == None && len(step.Diff)+len(step.Changes) > 0 {
				t.Errorf("nothing changes and still: %+v %+v", step.Diff, step.Changes)
			}
			if data, _ := json.Marshal(step); strings.Contains(string(data), "geheim") {
				t.Errorf("a secret shows: %s", data)
			}
		})
	}
}

func set(l *stacks.Live, key, value string) {
	for i := range l.Parameters {
		if l.Parameters[i].Key == key {
			l.Parameters[i].Value = value
		}
	}
}

// TestChanges shows what an update is predicted to do to each resource.
func TestChanges(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name       string
		parameters []string
		body       string
		tags       []stacks.Tag
		want       string
	}{
		{"nothing", nil, network, nil, ""},
		{"in place", []string{"Port=81"}, network, nil, "modify Bucket false data: Tags; modify Queue false data: DelaySeconds"},
		{"replacement travels", []string{"Size=huge"}, network, nil, "modify Bucket true data: BucketName; modify Watcher conditional: DisplayName, TopicName"},
		{"condition", []string{"Size=big"}, network, nil, "modify Bucket true data: BucketName; add Extra false: ; modify Watcher conditional: DisplayName, TopicName"},
		{"stack tags", nil, network, []stacks.Tag{{Key: "a", Value: "b"}}, "modify Bucket false data: stack tags; modify Queue false data: stack tags; modify Watcher false: stack tags"},
		{"removed", nil, strings.Replace(network, "  Queue:\n    Type: AWS::SQS::Queue\n    Properties: {DelaySeconds: !Ref Port}\n", "  Kiosk: {Type: Custom::Kiosk, Properties: {A: 1, ServiceToken: x}}\n", 1), nil, "add Kiosk false: ; remove Queue false data: "},
		{"metadata", nil, strings.Replace(network, "    Type: AWS::SQS::Queue\n", "    Type: AWS::SQS::Queue\n    Metadata: {a: b}\n    DependsOn: Bucket\n", 1), nil, "modify Queue false data: Metadata"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := brought(desired("dev/net", network))
			d := desired("dev/net", tt.body, tt.parameters...)
			d.Tags = tt.tags
			step := w.builder(d).Add(d, Edges{})
			var got, replaced []string
			for _, c := range step.Changes {
				data := ""
				if c.Data {
					data = " data"
				}
				got = append(got, c.Action+" "+c.LogicalID+" "+c.Replacement+data+": "+c.Why)
				if c.Replacement != "false" {
					replaced = append(replaced, c.LogicalID)
				}
			}
			if strings.Join(got, "; ") != tt.want {
				t.Errorf("got  %s\nwant %s", strings.Join(got, "; "), tt.want)
			}
			if strings.Join(replaced, " ") != strings.Join(step.MayReplace, " ") {
				t.Errorf("may replace %v, changes say %v", step.MayReplace, replaced)
			}
		})
	}
}

func TestCreate(t *testing.T) {
	t.Parallel()
	w := newWorld()
	d := desired("dev/net", network)
	step := w.builder(d).Add(d, Edges{})
	if step.String() != "[] -> create dev/net, new stack" || len(step.Changes) != 3 || step.Resources != 3 {
		t.Errorf("got %s with %+v", step.String(), step.Changes)
	}
	d = desired("dev/app", simple)
	d.Parameters = []stacks.Parameter{{Key: "In", Previous: true}}
	if step := w.builder(d).Add(d, Edges{}); step.Blocked == "" {
		t.Errorf("!previous without a live value is let through: %s", step.String())
	}
	d.Parameters[0].Value = "x"
	if step := w.builder(d).Add(d, Edges{}); step.Blocked != "" {
		t.Errorf("!previous with a default is blocked: %s", step.String())
	}
}

// TestKnown tells which outputs a plan can count on before anything runs.
func TestKnown(t *testing.T) {
	t.Parallel()
	const unknown = "?"
	tests := []struct {
		name       string
		live       bool
		parameters []string
		want       map[string]string
	}{
		{"unchanged", true, nil, map[string]string{"Bucket": "Bucket-b-small-<nil>", "QueueArn": "Queue-<nil>-<nil>.Arn", "Label": "dev-net-small", "Fixed": "fixed", "Extra": unknown, "None": unknown}},
		{"new", false, nil, map[string]string{"Bucket": unknown, "QueueArn": unknown, "Label": "dev-net-small", "Fixed": "fixed", "Extra": unknown, "OfSecret": unknown}},
		{"changed in place", true, []string{"Port=81"}, map[string]string{"Bucket": "Bucket-b-small-<nil>", "QueueArn": "Queue-<nil>-<nil>.Arn", "Label": "dev-net-small", "OfSecret": unknown}},
		{"replaced", true, []string{"Size=huge"}, map[string]string{"Bucket": unknown, "QueueArn": "Queue-<nil>-<nil>.Arn", "Label": "dev-net-huge", "Fixed": "fixed"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld()
			if tt.live {
				w.bring(desired("dev/net", network))
			}
			d := desired("dev/net", network, tt.parameters...)
			b := w.builder(d)
			b.Add(d, Edges{})
			for key, want := range tt.want {
				got, ok := b.Known("dev/net", key)
				if !ok {
					got = unknown
				}
				if got != want {
					t.Errorf("%s is %s, want %s", key, got, want)
				}
			}
			if _, ok := b.Known("dev/other", "Fixed"); ok {
				t.Error("an output of an unknown stack is known")
			}
			live := &stacks.Live{Outputs: []stacks.Output{{Key: "Bucket", Value: "landed"}}}
			b.Landed("dev/net", live)
			if got, _ := b.Known("dev/net", "Bucket"); got != "landed" {
				t.Errorf("after landing: %s", got)
			}
		})
	}
}

// TestWeakReferences follows a value into the stacks that take it.
func TestWeakReferences(t *testing.T) {
	t.Parallel()
	reader := func(key string) string {
		return "Resources: {T: {Type: AWS::SNS::Topic, Properties: {DisplayName: {Fn::GetStackOutput: {StackName: dev-net, OutputName: " + key + "}}}}}"
	}
	net := func(p ...string) *stacks.Desired { return desired("dev/net", network, p...) }
	edges := func(key string) Edges { return Edges{Reads: []Read{{"dev/net", key}}} }

	w := brought(net(), desired("dev/app", reader("Label")))
	add := func(producer *stacks.Desired, key string) (*Builder, string) {
		w.bodies["dev-app"] = []byte(reader(key))
		app := desired("dev/app", reader(key))
		b := w.builder(producer, app)
		b.Add(producer, Edges{})
		b.Add(app, edges(key))
		return b, mustPlan(t, b).String()
	}
	if _, got := add(net(), "Label"); !strings.Contains(got, "[dev/net] -> none dev/app, nothing changed") {
		t.Errorf("unchanged producer:\n%s", got)
	}
	if _, got := add(net("Size=huge"), "Label"); !strings.Contains(got, "[dev/net] -> update dev/app, Label of dev/net changes") {
		t.Errorf("known change:\n%s", got)
	}
	if _, got := add(net("Port=81"), "Label"); !strings.Contains(got, "[dev/net] -> none dev/app, nothing changed") {
		t.Errorf("changed producer, same output:\n%s", got)
	}
	b, got := add(net("Size=huge"), "Bucket")
	if !strings.Contains(got, "[dev/net] -> update dev/app (late), waits for Bucket of dev/net") {
		t.Errorf("unknown change:\n%s", got)
	}
	landed := *w.live["dev-net"]
	b.Landed("dev/net", &landed) // as if nothing had been replaced after all
	if step := b.Add(desired("dev/app", reader("Bucket")), edges("Bucket")); step.Action != None || step.Late {
		t.Errorf("nothing changed at run time: %s", step.String())
	}
	landed.Outputs = []stacks.Output{{Key: "Bucket", Value: "other"}}
	if step := b.Add(desired("dev/app", reader("Bucket")), edges("Bucket")); step.Action != Update || step.Late {
		t.Errorf("changed at run time: %s", step.String())
	}
	foreign := desired("dev/app", reader("Label"))
	w.bodies["dev-app"] = foreign.Body
	if step := w.builder(foreign).Add(foreign, Edges{}); !strings.Contains(step.String(), "template reads an output of a stack outside the plan; CloudFormation decides") {
		t.Errorf("reading from a stack outside: %s", step.String())
	}
	w.live["dev-net"].Updated = w.clock.Add(time.Hour) // a run ended between the two
	if _, got := add(net(), "Label"); !strings.Contains(got, "update dev/app, Label of dev/net may have changed since; CloudFormation decides") {
		t.Errorf("producer changed later than consumer:\n%s", got)
	}
}

const exporter = `
Parameters: {Size: {Type: String, Default: small}}
Resources: {Bucket: {Type: AWS::S3::Bucket, Properties: {BucketName: !Ref Size}}, T: {Type: AWS::SNS::Topic}}
Outputs:
  Id: {Value: !Ref Bucket, Export: {Name: !Sub "${AWS::StackName}-Id"}}
  Topic: {Value: !Ref T, Export: {Name: topic}}
`

const importer = "Resources: {T: {Type: AWS::SNS::Topic, Properties: {DisplayName: !ImportValue dev-net-Id}}}"

// TestExports shows what becomes of a stack whose exports others use.
func TestExports(t *testing.T) {
	t.Parallel()
	without := strings.Replace(exporter, `, Export: {Name: !Sub "${AWS::StackName}-Id"}`, "", 1)
	tests := []struct {
		name     string
		net      *stacks.Desired
		app      *stacks.Desired
		edges    Edges // of the consumer
		imported map[string][]string
		unknown  error
		risk     string
		want     string
	}{
		{name: "kept", net: desired("dev/net", exporter), want: "[] -> none dev/net, nothing changed"},
		{name: "dropped, unused", net: desired("dev/net", without), imported: map[string][]string{"dev-net-Id": nil}, risk: "dev-net-Id", want: "[] -> update dev/net, template: Outputs changed"},
		{name: "dropped, nobody looked", net: desired("dev/net", without), risk: "dev-net-Id", want: "blocked: export dev-net-Id would go, and nobody looked"},
		{name: "dropped, not known", net: desired("dev/net", without), unknown: errors.New("access denied"), risk: "dev-net-Id", want: "who imports it is not known: access denied"},
		{name: "dropped, used outside", net: desired("dev/net", without), imported: map[string][]string{"dev-net-Id": {"other"}}, risk: "dev-net-Id", want: "blocked: export dev-net-Id would go while other imports it (two steps: first keep the export as it is and launch other without the import, then launch dev/net)"},
		{name: "dropped, still used", net: desired("dev/net", without), app: desired("dev/app", importer), imported: map[string][]string{"dev-net-Id": {"dev-app"}}, risk: "dev-net-Id", want: "while dev-app imports it"},
		{name: "dropped, given up", net: desired("dev/net", without), app: desired("dev/app", "Resources: {T: {Type: AWS::SNS::Topic}}"), imported: map[string][]string{"dev-net-Id": {"dev-app"}}, risk: "dev-net-Id", want: "[dev/app] -> update dev/net, template: Outputs changed; after dev/app, which stops importing dev-net-Id"},
		{name: "dropped, given up, but needed", net: desired("dev/net", without), app: desired("dev/app", "Resources: {T: {Type: AWS::SNS::Topic}}"), edges: Edges{After: []stacks.Path{"dev/net"}}, imported: map[string][]string{"dev-net-Id": {"dev-app"}}, risk: "dev-net-Id", want: "blocked: export dev-net-Id would go while dev-app"},
		{name: "replaced", net: desired("dev/net", exporter, "Size=big"), imported: map[string][]string{"dev-net-Id": {"other"}}, risk: "dev-net-Id", want: "blocked: export dev-net-Id would change while other"},
		{name: "may change", net: later(desired("dev/net", exporter), "Size", "x of dev/base", "dev/base"), imported: map[string][]string{"dev-net-Id": {"other"}}, risk: "dev-net-Id", want: "waits for x of dev/base; export dev-net-Id may change while other imports it"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := brought(desired("dev/net", exporter), desired("dev/app", importer))
			all := []*stacks.Desired{tt.net}
			if tt.app != nil {
				all = append(all, tt.app)
			}
			b := w.builder(all...)
			b.Add(tt.net, Edges{})
			if tt.app != nil {
				b.Add(tt.app, tt.edges)
			}
			if risk := strings.Join(b.AtRisk()["dev/net"], " "); risk != tt.risk {
				t.Errorf("at risk: %q, want %q", risk, tt.risk)
			}
			o, _ := b.in.Snapshot.Get("dev/net")
			o.Imported, o.ImportsUnknown = tt.imported, tt.unknown
			b.in.Snapshot.Put("dev/net", o)
			got := mustPlan(t, b).String()
			if !strings.Contains(got, tt.want) {
				t.Errorf("got\n%swant %s", got, tt.want)
			}
			if again := mustPlan(t, b).String(); again != got {
				t.Errorf("planned again it says\n%s", again)
			}
		})
	}
}

func TestRemove(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		lives func(*stacks.Live)
		stack func(*stacks.Stack)
		want  string
	}{
		{"plain", nil, nil, "[dev/app] -> delete dev/net, asked for"},
		{"gone", func(l *stacks.Live) { l.Status = stacks.DeleteComplete }, nil, "none dev/net, does not exist"},
		{"busy", func(l *stacks.Live) { l.Status = stacks.DeleteInProgress }, nil, "join dev/net"},
		{"protected", func(l *stacks.Live) { l.TerminationProtection = true }, nil, "blocked: it has termination protection"},
		{"protected by config", nil, func(s *stacks.Stack) { s.Protect = true }, "blocked: its config protects it"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			d := desired("dev/net", network)
			w := brought(d)
			if tt.lives != nil {
				tt.lives(w.live["dev-net"])
			}
			if tt.stack != nil {
				tt.stack(d.Stack)
			}
			b := w.builder(d)
			step := b.Remove(d.Stack, []stacks.Path{"dev/app"}, "asked for")
			if !strings.Contains(step.String(), tt.want) {
				t.Errorf("got %s, want %s", step.String(), tt.want)
			}
		})
	}
	d := desired("dev/net", exporter)
	w := brought(d)
	b := w.builder(d)
	b.Remove(d.Stack, nil, "asked for")
	if got := mustPlan(t, b).String(); !strings.Contains(got, "blocked: export dev-net-Id would go, and nobody looked") {
		t.Errorf("deleting an exporter: %s", got)
	}
}

func TestPlanOrderAndDigest(t *testing.T) {
	t.Parallel()
	make := func(change func(map[string]*stacks.Desired, *Input)) *Plan {
		ds := map[string]*stacks.Desired{
			"a": desired("a", simple, "In=1"), "b": desired("b", simple, "In=2"), "c": desired("c", simple, "In=3"),
		}
		w := brought(ds["a"])
		b := w.builder(ds["a"], ds["b"], ds["c"])
		if change != nil {
			change(ds, &b.in)
		}
		b.Add(ds["c"], Edges{})
		b.Add(ds["b"], Edges{After: []stacks.Path{"c", "elsewhere"}})
		b.Add(ds["a"], Edges{After: []stacks.Path{"b"}})
		return mustPlan(t, b)
	}
	base := make(nil)
	if got := base.String(); got != "[] -> create c, new stack\n[c] -> create b, new stack\n[b] -> none a, nothing changed\n" {
		t.Errorf("got\n%s", got)
	}
	if make(nil).Digest != base.Digest {
		t.Error("the same plan has two digests")
	}
	secret := func(v string, salt []byte) string {
		return make(func(ds map[string]*stacks.Desired, in *Input) {
			ds["b"].Parameters[0] = stacks.Parameter{Key: "In", Value: v, Secret: true}
			in.Salt = salt
		}).Digest
	}
	if secret("x", nil) != secret("y", nil) {
		t.Error("without a salt a secret enters the digest")
	}
	if secret("x", []byte("s")) == secret("y", []byte("s")) || secret("x", []byte("s")) == secret("x", []byte("t")) {
		t.Error("a salted secret does not enter the digest")
	}
	for name, change := range map[string]func(map[string]*stacks.Desired, *Input){
		"value":  func(ds map[string]*stacks.Desired, _ *Input) { ds["b"].Parameters[0].Value = "9" },
		"body":   func(ds map[string]*stacks.Desired, _ *Input) { ds["b"].Body = append(ds["b"].Body, " #"...) },
		"tag":    func(ds map[string]*stacks.Desired, _ *Input) { ds["b"].Tags = []stacks.Tag{{Key: "k", Value: "v"}} },
		"role":   func(ds map[string]*stacks.Desired, _ *Input) { ds["b"].ServiceRole = "r" },
		"realm":  func(_ map[string]*stacks.Desired, in *Input) { in.Realm = stacks.RealmAWS },
		"region": func(_ map[string]*stacks.Desired, in *Input) { in.Region = "x" },
		"account": func(_ map[string]*stacks.Desired, in *Input) {
			in.AccountOf = func(stacks.Access) string { return "222222222222" }
		},
		"changed since": func(_ map[string]*stacks.Desired, in *Input) {
			o, _ := in.Snapshot.Get("a")
			o.Live.Updated = o.Live.Changed().Add(time.Second)
		},
		"id": func(_ map[string]*stacks.Desired, in *Input) {
			o, _ := in.Snapshot.Get("a")
			o.Live.ID = "another"
		},
	} {
		if make(change).Digest == base.Digest {
			t.Errorf("%s does not enter the digest", name)
		}
	}
}

func TestPlanCycle(t *testing.T) {
	t.Parallel()
	a, c := desired("a", simple, "In=1"), desired("c", simple, "In=1")
	b := newWorld().builder(a, c)
	b.Add(a, Edges{After: []stacks.Path{"c"}})
	b.Add(c, Edges{After: []stacks.Path{"a"}})
	_, err := b.Plan()
	if e, ok := errors.AsType[*CycleError](err); !ok || !strings.Contains(e.Error(), "a -> c -> a") {
		t.Errorf("got %v", err)
	}
}

// TestDiffShape holds what scripts and renderers read of a step.
func TestDiffShape(t *testing.T) {
	t.Parallel()
	w := brought(desired("dev/net", network))
	d := desired("dev/net", strings.NewReplacer("Value: fixed", "Value: is-geheim", `NoEcho: true, Default: ""`, `NoEcho: true, Default: "hush"`, "Type: Number, Default: 80", "Type: Number, Default: 90").Replace(network))
	d.Parameters = []stacks.Parameter{{Key: "Password", Value: "geheim", Secret: true}}
	d.Tags = []stacks.Tag{{Key: "vpc", Value: "⟪VpcId of dev/base⟫"}}
	b := w.builder(d)
	step := b.Add(d, Edges{})
	data, err := json.Marshal(step.Diff)
	if err != nil {
		t.Fatal(err)
	}
	want := `[{"part":"parameter","key":"Port","old":"80","new":"90","why":"resets Port to its default"},` +
		`{"part":"parameter","key":"Password","old":"****","new":"****"},` +
		`{"part":"template","key":"Outputs.Fixed.Value","old":"****","new":"is-****"},` +
		`{"part":"template","key":"Parameters.Password.Default","old":"****","new":"****"},` +
		`{"part":"template","key":"Parameters.Port.Default","old":"80","new":"90"},` +
		`{"part":"tag","key":"vpc","old":"","new":"VpcId of dev/base","why":"known later"}]`
	if string(data) != want {
		t.Errorf("got  %s\nwant %s", data, want)
	}
	same := desired("dev/net", network)
	b = w.builder(same)
	b.Add(same, Edges{})
	data, err = json.Marshal(mustPlan(t, b).Steps[0])
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{`"after":[]`, `"may_replace":[]`, `"changes":[]`, `"late":false`, `"action":"none"`} {
		if !strings.Contains(string(data), part) {
			t.Errorf("%s is not in %s", part, data)
		}
	}
}

func TestNobodyLooked(t *testing.T) {
	t.Parallel()
	d := desired("a", simple, "In=1")
	step := NewBuilder(Input{Snapshot: &Snapshot{}}).Add(d, Edges{})
	if step.Blocked == "" {
		t.Errorf("a stack that was not looked at is planned: %s", step.String())
	}
}
