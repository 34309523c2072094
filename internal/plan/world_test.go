package plan

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/deployer-cli/deployer/internal/cfntemplate"
	"github.com/deployer-cli/deployer/stacks"
)

// world is a small CloudFormation: it knows what lives and does what a plan
// says. Physical ids follow from what makes a resource another, so that it
// notices when the planner calls something stable that is not.
type world struct {
	live    map[string]*stacks.Live // by stack name
	bodies  map[string][]byte
	policy  map[string][]byte
	secrets map[string]map[string]string
	clock   time.Time
}

func newWorld() *world {
	return &world{
		live: map[string]*stacks.Live{}, bodies: map[string][]byte{}, policy: map[string][]byte{},
		secrets: map[string]map[string]string{}, clock: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC),
	}
}

// see is what Observe would read.
func (w *world) see(sts ...*stacks.Stack) *Snapshot {
	s := &Snapshot{}
	for _, st := range sts {
		o := Observation{Resources: []stacks.Resource{}}
		if live := w.live[st.Name]; live != nil {
			copied := *live
			o.Live, o.Template, o.Policy = &copied, w.bodies[st.Name], w.policy[st.Name]
		}
		s.Put(st.Path, o)
	}
	return s
}

func (w *world) sameSecret(path stacks.Path, key, value string) (bool, bool) {
	old, known := w.secrets[string(path)][key]
	return old == value, known
}

// bring makes a stack live as desired.
func (w *world) bring(d *stacks.Desired) *stacks.Live {
	st := d.Stack
	t, err := cfntemplate.Parse(d.Body)
	if err != nil {
		panic(err)
	}
	w.clock = w.clock.Add(time.Minute)
	live := w.live[st.Name]
	if live == nil || !live.Status.Healthy() && live.Status != stacks.UpdateFailed {
		live = &stacks.Live{ID: "arn:" + st.Name + "/" + w.clock.Format("150405"), Name: st.Name, Created: w.clock, Status: stacks.CreateComplete}
	} else {
		copied := *live
		live = &copied
		live.Updated, live.Status = w.clock, stacks.UpdateComplete
	}
	live.Account, live.Region = "111111111111", "eu-west-1"
	w.parameters(live, t, d)
	live.Tags, live.Notifications = d.Tags, d.Notifications
	if d.ServiceRole != "" {
		live.ServiceRole = d.ServiceRole
	}
	if p := st.TerminationProtection; p != nil && *p {
		live.TerminationProtection = true
	}
	if d.Policy != nil {
		w.policy[st.Name] = d.Policy
	}
	w.live[st.Name], w.bodies[st.Name] = live, d.Body
	live.Outputs = w.outputs(live, t, w.secrets[string(st.Path)])
	return live
}

func (w *world) parameters(live *stacks.Live, t *cfntemplate.Template, d *stacks.Desired) {
	before := live.Parameters
	live.Parameters = nil
	secrets := map[string]string{}
	for _, name := range slices.Sorted(slices.Values(t.ParameterNames)) {
		decl, value := t.Parameters[name], ""
		if decl.Default != nil {
			value = *decl.Default
		}
		for _, p := range d.Parameters {
			if p.Key != name {
				continue
			}
			value = p.Value
			for _, b := range before {
				if p.Previous && b.Key == name {
					value = b.Value
				}
			}
		}
		if decl.NoEcho {
			secrets[name] = value
			value = hidden
		}
		live.Parameters = append(live.Parameters, stacks.LiveParameter{Key: name, Value: value})
	}
	w.secrets[string(d.Stack.Path)] = secrets
}

func (w *world) outputs(live *stacks.Live, t *cfntemplate.Template, secrets map[string]string) []stacks.Output {
	env := &cfntemplate.Env{
		Parameters: map[string]any{}, AccountID: live.Account, Region: live.Region, Partition: "aws",
		URLSuffix: "amazonaws.com", StackName: live.Name, StackID: live.ID,
		Import: func(name string) (any, error) { return "imported-" + name, nil },
	}
	for _, p := range live.Parameters {
		env.Parameters[p.Key] = typed(t.Parameters[p.Key].Type, p.Value)
		if v, ok := secrets[p.Key]; ok {
			env.Parameters[p.Key] = v
		}
	}
	env.Resource = func(id string) (any, error) {
		props, err := t.Eval(t.Resources[id].Properties, env)
		if err != nil {
			return nil, err
		}
		p, _ := props.(map[string]any)
		return fmt.Sprintf("%s-%v-%v", id, p["BucketName"], p["QueueName"]), nil
	}
	env.Attribute = func(id, attr string) (any, error) {
		ref, err := env.Resource(id)
		return fmt.Sprintf("%v.%s", ref, attr), err
	}
	holds, err := t.EvalConditions(env)
	if err != nil {
		panic(err)
	}
	env.Conditions = holds
	var out []stacks.Output
	for _, key := range slices.Sorted(slices.Values(t.OutputNames)) {
		o := t.Outputs[key]
		if o.Condition != "" && !holds[o.Condition] {
			continue
		}
		value, err := t.Eval(o.Value, env)
		if err != nil {
			panic(err)
		}
		made := stacks.Output{Key: key, Value: fmt.Sprint(value)}
		if o.ExportName != nil {
			name, err := t.Eval(o.ExportName, env)
			if err != nil {
				panic(err)
			}
			made.Export = fmt.Sprint(name)
		}
		out = append(out, made)
	}
	return out
}

// make makes a desired stack from a short form: parameters as K=V.
func desired(path, body string, parameters ...string) *stacks.Desired {
	st := &stacks.Stack{
		Path: stacks.Path(path), Name: strings.ReplaceAll(path, "/", "-"), Access: stacks.Access{Region: "eu-west-1"},
		Environment: &stacks.Environment{Name: "dev", Class: stacks.Development},
	}
	d := &stacks.Desired{Stack: st, Body: []byte(body)}
	for _, p := range parameters {
		key, value, _ := strings.Cut(p, "=")
		d.Parameters = append(d.Parameters, stacks.Parameter{Key: key, Value: value})
	}
	return d
}

func later(d *stacks.Desired, key, hint string, after ...stacks.Path) *stacks.Desired {
	d.Parameters = append(d.Parameters, stacks.Parameter{Key: key, Unknown: true, Hint: hint, After: after})
	d.After = stacks.SortPaths(append(d.After, after...))
	return d
}

// builder plans against what lives in w.
func (w *world) builder(ds ...*stacks.Desired) *Builder {
	sts := make([]*stacks.Stack, 0, len(ds))
	for _, d := range ds {
		sts = append(sts, d.Stack)
	}
	return NewBuilder(Input{
		Snapshot: w.see(sts...), SameSecret: w.sameSecret, Realm: stacks.RealmSandbox,
		Environment: &stacks.Environment{Name: "dev", Class: stacks.Development},
	})
}

func mustPlan(t interface {
	Helper()
	Fatal(...any)
}, b *Builder,
) *Plan {
	t.Helper()
	p, err := b.Plan()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

const network = `
Parameters:
  Size: {Type: String, Default: small}
  Zones: {Type: CommaDelimitedList, Default: "a,b"}
  Port: {Type: Number, Default: 80}
  Password: {Type: String, NoEcho: true, Default: ""}
Conditions:
  Big: !Equals [!Ref Size, big]
Resources:
  Bucket:
    Type: AWS::S3::Bucket
    Properties: {BucketName: !Sub "b-${Size}", Tags: [{Key: port, Value: !Ref Port}]}
  Queue:
    Type: AWS::SQS::Queue
    Properties: {DelaySeconds: !Ref Port}
  Extra:
    Type: AWS::SNS::Topic
    Condition: Big
  Watcher:
    Type: AWS::SNS::Topic
    Properties: {DisplayName: !Ref Bucket, TopicName: !Sub "t-${Bucket}"}
Outputs:
  Bucket: {Value: !Ref Bucket}
  QueueArn: {Value: !GetAtt Queue.Arn}
  QueueName: {Value: !GetAtt Queue.QueueName}
  Label: {Value: !Sub "${AWS::StackName}-${Size}"}
  Fixed: {Value: fixed}
  OfSecret: {Value: !Ref Password}
  Extra: {Value: !Ref Extra, Condition: Big}
`

// brought is a world in which the stack lives as given.
func brought(ds ...*stacks.Desired) *world {
	w := newWorld()
	for _, d := range ds {
		w.bring(d)
	}
	return w
}

func TestWorldIsConsistent(t *testing.T) {
	t.Parallel()
	w := brought(desired("dev/net", network))
	outputs := map[string]string{}
	for _, o := range w.live["dev-net"].Outputs {
		outputs[o.Key] = o.Value
	}
	want := map[string]string{"Bucket": "Bucket-b-small-<nil>", "QueueArn": "Queue-<nil>-<nil>.Arn", "QueueName": "Queue-<nil>-<nil>.QueueName", "Label": "dev-net-small", "Fixed": "fixed", "OfSecret": ""}
	if !maps.Equal(outputs, want) {
		t.Errorf("got %v", outputs)
	}
}
