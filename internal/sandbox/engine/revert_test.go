package engine

import "testing"

// A change set may take back what somebody did behind the stack's back.
func TestRevertDrift(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.create("net", network)
	w.settle()
	for id, props := range map[string]map[string]any{"Topic": {"DisplayName": "by hand"}, "Subnet": nil} {
		if err := w.e.Drift(w.tx, w.now, home, "net", id, props); err != nil {
			t.Fatal(err)
		}
	}
	in := &CreateChangeSetInput{StackName: "net", ChangeSetName: "plain", TemplateBody: network}
	id := do[CreateChangeSetOutput](w, "CreateChangeSet", in).Id
	w.settle()
	want(t, do[DescribeChangeSetOutput](w, "DescribeChangeSet", &DescribeChangeSetInput{ChangeSetName: id}).StatusReason, noChanges)

	in.ChangeSetName, in.DeploymentMode = "revert", "REVERT_DRIFT"
	id = do[CreateChangeSetOutput](w, "CreateChangeSet", in).Id
	w.settle()
	cs := do[DescribeChangeSetOutput](w, "DescribeChangeSet", &DescribeChangeSetInput{ChangeSetName: id, IncludePropertyValues: new(true)})
	golden(t, "changeset-revert", w.shown(cs))
	do[ExecuteChangeSetOutput](w, "ExecuteChangeSet", &ExecuteChangeSetInput{ChangeSetName: id, ClientRequestToken: "exec"})
	w.settle()
	w.status("net", updateComplete)
	golden(t, "revert-drift", w.stream("net"))
	do[DetectStackDriftOutput](w, "DetectStackDrift", &DetectStackDriftInput{StackName: "net"})
	w.settle()
	want(t, w.stack("net").DriftInformation.StackDriftStatus, driftSame)
	in.ChangeSetName = "again"
	id = do[CreateChangeSetOutput](w, "CreateChangeSet", in).Id
	w.settle()
	want(t, do[DescribeChangeSetOutput](w, "DescribeChangeSet", &DescribeChangeSetInput{ChangeSetName: id}).StatusReason, noChanges)
	in.ChangeSetName, in.DeploymentMode = "other", "OTHER"
	w.refused("CreateChangeSet", in)
}
