package blast_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/deployer-cli/deployer/internal/blast"
	"github.com/deployer-cli/deployer/stacks"
)

// TestBlanksAreNamed: where nobody can see whether something uses what goes, the refusal
// names the stack, the resource and the property, and says how it can be seen.
func TestBlanksAreNamed(t *testing.T) {
	t.Parallel()
	const reference = "VpcId: '{{resolve:ssm:/net/vpc}}'"
	for name, tt := range map[string]struct {
		add func(*blast.Facts)
		why string
		fix string
	}{
		"nobody asked": {func(f *blast.Facts) { user(f, "AWS::EC2::RouteTable", reference, nil) }, "its VpcId is {{resolve:ssm:/net/vpc}}: it was not resolved", "hand it to dev/user as a parameter"},
		"denied": {func(f *blast.Facts) {
			user(f, "AWS::EC2::RouteTable", reference, func(s *blast.Seen) {
				s.Unresolved = map[string]blast.Blank{"ssm:/net/vpc": {Why: "AccessDenied", Fix: "let the caller read it"}}
			})
		}, "its VpcId is {{resolve:ssm:/net/vpc}}: AccessDenied", "let the caller read it; or leave out what it may use"},
		"deep": {func(f *blast.Facts) {
			user(f, "AWS::EC2::RouteTable", "A: [{B: {VpcId: '{{resolve:ssm:/net/vpc}}'}}]", nil)
		}, "its A.B.VpcId is", "hand it"},
		"a custom resource": {func(f *blast.Facts) {
			user(f, "AWS::EC2::Instance", "SubnetId: !GetAtt L.Subnet-Id", beside("L", "Custom::Lookup"))
		}, "its R (AWS::EC2::Instance) uses what goes: its SubnetId is what L.Subnet-Id (Custom::Lookup) gives", "add to the template of dev/user  Outputs: {LSubnetId: {Value: !GetAtt L.Subnet-Id}}  and launch it"},
		"hidden": {func(f *blast.Facts) { user(f, "AWS::EC2::Instance", "SubnetId: !Ref P", hides) }, "its SubnetId is a value that is not shown (NoEcho)", "take NoEcho from the parameter that SubnetId of R names, and launch dev/user"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := good()
			tt.add(f)
			_, refused := blast.MustGo(f)
			if len(refused) != 1 || refused[0].Name != "dev/user" || !strings.Contains(refused[0].Why, tt.why) || !strings.Contains(refused[0].Fix, tt.fix) {
				t.Errorf("%+v\nwant %q, %q", refused, tt.why, tt.fix)
			}
		})
	}
}

// TestShownByAnOutput: what a custom resource gave is seen in an output that is nothing
// but that.
func TestShownByAnOutput(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ output, value, going, refused string }{
		"the target's": {"!GetAtt L.Id", "subnet-0abc12345", "dev/app dev/user dev/network", ""},
		"another":      {"!GetAtt L.Id", "subnet-1", "dev/app dev/network", ""},
		"not that":     {"!GetAtt L.Name", "subnet-1", "dev/app dev/network", "dev/user"},
		"more":         {"!Sub '${L.Id}-x'", "subnet-1-x", "dev/app dev/network", "dev/user"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := good()
			user(f, "AWS::EC2::Instance", "SubnetId: !GetAtt L.Id", func(s *blast.Seen) {
				beside("L", "Custom::Lookup")(s)
				s.Template.Value += "\nOutputs: {Seen: {Value: " + tt.output + "}}\n"
				s.Live.Outputs = []stacks.Output{{Key: "Seen", Value: tt.value}}
			})
			if going, refused := goes(f); going != tt.going || refused != tt.refused {
				t.Errorf("goes %q, refused %q", going, refused)
			}
		})
	}
}

// TestUnresolved: what matters is asked for, once.
func TestUnresolved(t *testing.T) {
	t.Parallel()
	f := good()
	user(f, "AWS::EC2::RouteTable", "VpcId: '{{resolve:ssm:/net/vpc}}', X: ['{{resolve:ssm:/net/vpc}}', '{{resolve:ssm:/b:2}}', '{{resolve:secretsmanager:s}}']", nil)
	id := at(f, "dev/user").Live.ID
	got := blast.Unresolved(f)
	if !slices.Equal(slices.Collect(maps.Keys(got)), []string{id}) || !slices.Equal(got[id], []string{"ssm:/b:2", "ssm:/net/vpc"}) {
		t.Errorf("got %v", got)
	}
	at(f, "dev/user").Resolved = map[string]string{"ssm:/net/vpc": "vpc-1"}
	at(f, "dev/user").Unresolved = map[string]blast.Blank{"ssm:/b:2": {Why: "denied"}}
	if got := blast.Unresolved(f); len(got) != 0 {
		t.Errorf("again: %v", got)
	}
}
