package plan

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/deployer-cli/deployer/stacks"
)

// unit is one stack of a drawn project, before its values are resolved.
type unit struct {
	path    stacks.Path
	body    string
	size    string
	port    string
	secret  string
	from    string // an output of an earlier unit, "unit.Key", for the parameter From
	reads   []Read
	tags    []stacks.Tag
	policy  string
	role    string
	protect bool
}

const drawn = `
Parameters:
  Size: {Type: String, Default: small}
  Port: {Type: Number, Default: 80}
  Secret: {Type: String, NoEcho: true, Default: ""}
  From: {Type: String, Default: none}
Conditions:
  Big: !Equals [!Ref Size, big]
Resources:
  Bucket: {Type: AWS::S3::Bucket, Properties: {BucketName: !Sub "%s-${Size}"}}
  Queue: {Type: AWS::SQS::Queue, Properties: {DelaySeconds: !Ref Port, QueueName: !If [Big, !Ref Bucket, fixed]}}
  Extra: {Type: AWS::SNS::Topic, Condition: Big, Properties: {DisplayName: !Ref From}}
  Vault: {Type: AWS::S3::Bucket, Properties: {BucketName: !Sub "v${Secret}"}}
Outputs:
  Bucket: {Value: !Ref Bucket}
  Queue: {Value: !GetAtt Queue.Arn}
  Label: {Value: !Sub "${AWS::StackName}-${Size}-%s"}
  Passed: {Value: !Ref From}
  Hidden: {Value: !Sub "x${Secret}"}
  Joined: {Value: !Join ["-", [!Ref Bucket, !Ref From, !Ref Port]]}
  Maybe: {Value: !Ref Extra, Condition: Big}
  Stack: {Value: !Ref "AWS::StackId"}
  Vault: {Value: !Ref Vault}
`

func drawProject(t *rapid.T, label string) []*unit {
	n := rapid.IntRange(1, 5).Draw(t, label+"stacks")
	var out []*unit
	for i := range n {
		pick := func(what string, values ...string) string {
			return rapid.SampledFrom(values).Draw(t, fmt.Sprintf("%s%d %s", label, i, what))
		}
		u := &unit{
			path: stacks.Path(fmt.Sprintf("s%d", i)),
			body: fmt.Sprintf(drawn, pick("name", "n", "m"), pick("text", "v1", "v2")),
			size: pick("size", "", "small", "big", "huge"), port: pick("port", "", "80", "81"),
			secret: pick("secret", "", "geheim1", "geheim2"), policy: pick("policy", "", `{"a":1}`, `{"a": 2}`),
			role: pick("role", "", "r1", "r2"), protect: pick("protect", "", "yes") != "",
		}
		if tag := pick("tag", "", "a", "b"); tag != "" {
			u.tags = []stacks.Tag{{Key: "team", Value: tag}, {Key: "deployer:class", Value: tag}}
		}
		keys := []string{"Bucket", "Queue", "Label", "Passed", "Hidden", "Joined", "Stack", "Vault"}
		if i > 0 {
			from := rapid.IntRange(0, i-1).Draw(t, fmt.Sprintf("%s%d from", label, i))
			switch pick("link", "", "value", "read") {
			case "value":
				u.from = fmt.Sprintf("s%d.%s", from, pick("key", keys...))
			case "read":
				u.reads = []Read{{stacks.Path(fmt.Sprintf("s%d", from)), pick("key", keys...)}}
			}
		}
		out = append(out, u)
	}
	return out
}

// prepare resolves a unit as far as known allows.
func (u *unit) prepare(known func(stacks.Path, string) (string, bool)) (*stacks.Desired, Edges) {
	d := desired(string(u.path), u.body)
	for _, p := range []stacks.Parameter{{Key: "Size", Value: u.size}, {Key: "Port", Value: u.port}, {Key: "Secret", Value: u.secret, Secret: true}} {
		if p.Value != "" {
			d.Parameters = append(d.Parameters, p)
		}
	}
	e := Edges{Reads: u.reads}
	if u.from != "" {
		name, key, _ := strings.Cut(u.from, ".")
		producer := stacks.Path(name)
		e.After = append(e.After, producer)
		if v, ok := known(producer, key); ok {
			d.Parameters = append(d.Parameters, stacks.Parameter{Key: "From", Value: v})
		} else {
			later(d, "From", key+" of "+name, producer)
		}
	}
	slices.SortFunc(d.Parameters, func(a, b stacks.Parameter) int { return strings.Compare(a.Key, b.Key) })
	d.Tags, d.ServiceRole = u.tags, u.role
	if u.policy != "" {
		d.Policy = []byte(u.policy)
	}
	if u.protect {
		d.Stack.TerminationProtection = new(true)
	}
	return d, e
}

// planAll plans a project against a world, with the hashes of secrets or
// without.
func planAll(t *rapid.T, w *world, units []*unit, hashes bool) (*Builder, *Plan) {
	var sts []*stacks.Stack
	for _, u := range units {
		d, _ := u.prepare(func(stacks.Path, string) (string, bool) { return "", false })
		sts = append(sts, d.Stack)
	}
	b := NewBuilder(Input{Snapshot: w.see(sts...), SameSecret: w.sameSecret, Realm: stacks.RealmSandbox})
	if !hashes {
		b.in.SameSecret = nil
	}
	for _, u := range units {
		b.Add(u.prepare(b.Known))
	}
	return b, mustPlan(t, b)
}

// carryOut does what a plan says, deciding late steps again as a run does, and
// holds every promise of Known against what came of it.
func carryOut(t *rapid.T, w *world, b *Builder, p *Plan, units []*unit) {
	type promise struct{ key, value string }
	promised := map[stacks.Path][]promise{}
	for _, u := range units {
		for _, key := range []string{"Bucket", "Queue", "Label", "Passed", "Hidden", "Joined", "Maybe", "Stack", "Vault"} {
			if v, ok := b.Known(u.path, key); ok {
				promised[u.path] = append(promised[u.path], promise{key, v})
			}
		}
	}
	for _, step := range p.Steps {
		i := slices.IndexFunc(units, func(u *unit) bool { return u.path == step.Stack })
		d, e := units[i].prepare(b.Known)
		if step.Late {
			step = b.Add(d, e)
		}
		if d.Late() {
			t.Fatalf("%s is still late in its turn: %s", step.Stack, step.String())
		}
		switch step.Action {
		case Create, Update, Recreate:
			if step.Action == Recreate {
				delete(w.live, step.Name)
			}
			b.Landed(step.Stack, w.bring(d))
		case None, Skip:
			if l := w.live[step.Name]; l != nil {
				b.Landed(step.Stack, l)
			}
		case Delete, Join:
			t.Fatalf("unexpected %s", step.String())
		}
		for _, pr := range promised[step.Stack] {
			if got, _ := outputOf(w.live[step.Name], pr.key); got != pr.value {
				t.Fatalf("%s of %s was known as %q and became %q after %s", pr.key, step.Stack, pr.value, got, step.String())
			}
		}
	}
}

// TestPlanConverges: after a plan is carried out there is nothing left to do,
// whatever lived before; and what was known did come true.
func TestPlanConverges(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld()
		before := drawProject(t, "before ")
		b, p := planAll(t, w, before, true)
		carryOut(t, w, b, p, before)
		for _, name := range slices.Sorted(maps.Keys(w.live)) {
			live := w.live[name]
			if rapid.IntRange(0, 3).Draw(t, "fate of "+name) == 0 {
				live.Status = rapid.SampledFrom([]stacks.Status{stacks.UpdateRollbackComplete, stacks.ImportComplete, stacks.RollbackComplete, stacks.DeleteComplete, stacks.UpdateFailed}).Draw(t, "status of "+name)
			}
		}
		after := drawProject(t, "after ")
		b, p = planAll(t, w, after, rapid.Bool().Draw(t, "hashes"))
		carryOut(t, w, b, p, after)
		_, p = planAll(t, w, after, true)
		for _, s := range p.Steps {
			// What reads from others cannot be compared where they changed later.
			if s.Action != None && !strings.Contains(s.Cause, "may have changed since") {
				t.Fatalf("there is still something to do: %s %+v", s.String(), s.Diff)
			}
		}
	})
}

// TestPlanIsSafe: whatever lives, every step has a cause, goes after what it
// needs, and no healthy stack is ever deleted.
func TestPlanIsSafe(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld()
		before := drawProject(t, "before ")
		b, p := planAll(t, w, before, true)
		carryOut(t, w, b, p, before)
		for _, name := range slices.Sorted(maps.Keys(w.live)) {
			live := w.live[name]
			live.Status = rapid.SampledFrom(stacks.Statuses()).Draw(t, "status of "+name)
			live.DisableRollback = rapid.Bool().Draw(t, "kept "+name)
		}
		after := drawProject(t, "after ")
		_, p = planAll(t, w, after, true)
		done := map[stacks.Path]bool{}
		for _, s := range p.Steps {
			if s.Cause == "" {
				t.Fatalf("no cause: %s", s.String())
			}
			if s.Status.Healthy() && (s.Action == Recreate || s.Action == Delete || s.Action == Create) {
				t.Fatalf("a healthy stack would go: %s", s.String())
			}
			if s.Status.InProgress() && s.Action != Join {
				t.Fatalf("a busy stack is not waited for: %s", s.String())
			}
			for _, a := range s.After {
				if !done[a] {
					t.Fatalf("%s comes before %s", s.String(), a)
				}
			}
			done[s.Stack] = true
			// Two outputs show the secret to anybody, as "xgeheim" and in a name.
			if strings.Contains(strings.ReplaceAll(strings.ReplaceAll(fmt.Sprintf("%+v", s.Diff)+s.Cause, "xgeheim", ""), "vgeheim", ""), "geheim") {
				t.Fatalf("a secret shows: %+v", s.Diff)
			}
		}
		if len(done) != len(after) {
			t.Fatalf("%d steps for %d stacks", len(done), len(after))
		}
	})
}
