package engine

import (
	"strings"
	"testing"
)

const firewalls = `
Resources:
  Vpc: {Type: AWS::EC2::VPC, Properties: {CidrBlock: 10.0.0.0/16}}
  Inner:
    Type: AWS::EC2::SecurityGroup
    Properties: {GroupDescription: inner, VpcId: !Ref Vpc}
  Outer:
    Type: AWS::EC2::SecurityGroup
    Properties:
      GroupDescription: outer
      VpcId: !Ref Vpc
      SecurityGroupIngress: [{IpProtocol: tcp, FromPort: 80, ToPort: 80, SourceSecurityGroupId: !Ref Inner}]
Outputs:
  Vpc: {Value: !Ref Vpc}
  Outer: {Value: !GetAtt Outer.GroupId}
`

func (w *world) found(name string) Outside {
	w.t.Helper()
	o, ok, err := w.e.Lookup(w.tx, home, name)
	if err != nil || !ok {
		w.t.Fatalf("lookup %s: %v %v", name, ok, err)
	}
	return o
}

// What others do to a resource shows as drift, and only a change set that reverts
// drift puts it right.
func TestOutside(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.create("net", firewalls)
	w.settle()
	var vpc, outer Outside
	all, err := w.e.ResourcesOf(w.tx, home, "net")
	if err != nil || len(all) != 3 {
		t.Fatalf("resources %v %v", all, err)
	}
	for _, o := range all {
		switch got := w.found(o.Physical); o.LogicalID {
		case "Vpc":
			vpc = got
		case "Outer":
			outer = got
		}
	}
	if why, err := w.e.Remove(w.tx, w.now, vpc); err != nil || !strings.Contains(why, "has dependencies and cannot be deleted") {
		t.Errorf("a VPC in use: %q %v", why, err)
	}
	if err := w.e.Alter(w.tx, w.now, vpc, map[string]any{"CidrBlock": "10.0.0.0/16", "Unheard": "of"}); err != nil {
		t.Fatal(err)
	}
	w.drift("net", driftSame)
	if got := w.found(vpc.Physical).Properties["Unheard"]; got != "of" {
		t.Errorf("what the template does not give was forgotten: %v", got)
	}
	if err := w.e.Alter(w.tx, w.now, outer, map[string]any{"GroupDescription": "other"}); err != nil {
		t.Fatal(err)
	}
	w.drift("net", driftFound)
	if err := w.e.Alter(w.tx, w.now, outer, map[string]any{"GroupDescription": "outer"}); err != nil {
		t.Fatal(err)
	}
	w.drift("net", driftSame)
	if why, err := w.e.Remove(w.tx, w.now, outer); why != "" || err != nil {
		t.Fatalf("%q %v", why, err)
	}
	if _, err := w.e.Remove(w.tx, w.now, outer); err == nil {
		t.Error("removed twice")
	}
	w.drift("net", driftFound)
	if !w.found(outer.Physical).Missing {
		t.Error("it is still there")
	}
	in := &CreateChangeSetInput{StackName: "net", ChangeSetName: "revert", TemplateBody: firewalls, DeploymentMode: revertDrift}
	id := do[CreateChangeSetOutput](w, "CreateChangeSet", in).Id
	w.settle()
	do[ExecuteChangeSetOutput](w, "ExecuteChangeSet", &ExecuteChangeSetInput{ChangeSetName: id})
	w.settle()
	w.status("net", updateComplete)
	w.drift("net", driftSame)
	if _, ok, err := w.e.Lookup(w.tx, home, outer.Physical); ok || err != nil {
		t.Errorf("the old group is found: %v", err)
	}
	groups, err := w.e.Members(w.tx, home, "AWS::EC2::SecurityGroup")
	if err != nil || len(groups) != 2 {
		t.Errorf("groups %v %v", groups, err)
	}
}

// A stack cannot change what is not there any more.
func TestUpdateOfWhatIsGone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.create("net", firewalls)
	w.settle()
	all, err := w.e.ResourcesOf(w.tx, home, "net")
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range all {
		if o.LogicalID == "Outer" {
			if why, err := w.e.Remove(w.tx, w.now, o); why != "" || err != nil {
				t.Fatalf("%q %v", why, err)
			}
		}
	}
	do[UpdateStackOutput](w, "UpdateStack", &UpdateStackInput{StackName: "net", TemplateBody: strings.ReplaceAll(firewalls, "FromPort: 80", "FromPort: 79")})
	w.settle()
	w.status("net", undoComplete)
	if !strings.Contains(w.stream("net"), "was not found") {
		t.Errorf("no reason:\n%s", w.stream("net"))
	}
}

// drift detects a stack's drift and compares.
func (w *world) drift(stack, status string) {
	w.t.Helper()
	do[DetectStackDriftOutput](w, "DetectStackDrift", &DetectStackDriftInput{StackName: stack})
	w.settle()
	want(w.t, w.stack(stack).DriftInformation.StackDriftStatus, status)
}
