package plan

import (
	"testing"

	"github.com/deployer-cli/deployer/stacks"
)

// TestSecretsThatMove: a secret parameter with another value is stale and named,
// without the value; the same value twice does not look the same.
func TestSecretsThatMove(t *testing.T) {
	t.Parallel()
	planned := func(salt, first string) *Plan {
		w := newWorld()
		b := NewBuilder(Input{Snapshot: w.see(&stacks.Stack{Path: "p/a", Name: "a"}), Salt: []byte(salt)})
		b.Add(&stacks.Desired{
			Stack: &stacks.Stack{Path: "p/a", Name: "a"}, Body: []byte("Parameters: {Quiet: {Type: String, NoEcho: true}, Loud: {Type: String}}\nResources: {T: {Type: AWS::SNS::Topic}}"),
			Parameters: []stacks.Parameter{{Key: "Quiet", Value: first}, {Key: "Loud", Value: "canary", Secret: true}},
		}, Edges{})
		p, err := b.Plan()
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	was := planned("0123456789abcdef", "canary")
	f := File{Schema: FileSchema, Inputs: was.Digest, Plan: *was}
	if err := f.Seal(); err != nil {
		t.Fatal(err)
	}
	secrets := was.Steps[0].Secrets
	if len(secrets) != 2 || secrets["Quiet"] == secrets["Loud"] || len(secrets["Quiet"]) != 64 {
		t.Errorf("secrets %v", secrets)
	}
	if errs := f.Fits(f.Digest, Place{}, planned("0123456789abcdef", "canary")); len(errs) > 0 {
		t.Errorf("the same: %v", errs)
	}
	errs := f.Fits(f.Digest, Place{}, planned("0123456789abcdef", "other"))
	if len(errs) != 1 || errs[0].Error() != "p/a moved since the plan was made: the value of its secret parameter Quiet is another now" {
		t.Errorf("another value: %v", errs)
	}
	if planned("", "canary").Digest != planned("", "other").Digest {
		t.Error("without a salt a digest tells of a secret")
	}
}

// TestSecretsOfALateStep: a late step is decided again in the run; a secret that is
// another by then goes beyond what was planned.
func TestSecretsOfALateStep(t *testing.T) {
	t.Parallel()
	want := func(value string) *stacks.Desired {
		return &stacks.Desired{
			Stack: &stacks.Stack{Path: "p/a", Name: "a"}, Body: []byte("Parameters: {Quiet: {Type: String, NoEcho: true}, Later: {Type: String}}\nResources: {T: {Type: AWS::SNS::Topic}}"),
			Parameters: []stacks.Parameter{{Key: "Quiet", Value: value}, {Key: "Later", Unknown: true, Hint: "known after p/b"}},
		}
	}
	w := newWorld()
	b := NewBuilder(Input{Snapshot: w.see(&stacks.Stack{Path: "p/a", Name: "a"}), Salt: []byte("0123456789abcdef")})
	planned := b.Add(want("canary"), Edges{})
	if !planned.Late || len(planned.Secrets) != 1 {
		t.Fatalf("%+v", planned)
	}
	for value, beyond := range map[string]int{"canary": 0, "other": 1} {
		d := want(value)
		d.Parameters[1] = stacks.Parameter{Key: "Later", Value: "now", Secret: true} // known only now
		b.Add(d, Edges{})
		if got := b.Beyond(&planned); len(got) != beyond || beyond == 1 && got[0] != "parameter Quiet has another value" {
			t.Errorf("%s: %q", value, got)
		}
	}
}
