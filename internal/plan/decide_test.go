package plan

import (
	"strings"
	"testing"

	"github.com/deployer-cli/deployer/stacks"
)

// TestDecide has one row per stack status, and more where the status alone
// does not decide.
func TestDecide(t *testing.T) {
	t.Parallel()
	safe := Found{Ours: true, ResourcesKnown: true}
	with := func(change func(*Found)) Found {
		f := safe
		change(&f)
		return f
	}
	tests := []struct {
		name    string
		status  stacks.Status
		found   Found
		action  Action
		must    bool
		asks    string // part of it; "" for nothing to ask
		blocked string // part of it; "" for not blocked
		cause   string // part of it; "" for none
	}{
		{"absent", stacks.Pending, safe, Create, false, "", "", "new stack"},
		{"deleted", stacks.DeleteComplete, safe, Create, false, "", "", "new stack"},
		{"shell", stacks.ReviewInProgress, safe, Create, false, "", "", "empty shell"},
		{"shell of somebody", stacks.ReviewInProgress, with(func(f *Found) { f.Proposals = []string{"theirs"} }), Create, false, "", "change set theirs", ""},

		{"created", stacks.CreateComplete, safe, Update, false, "", "", ""},
		{"updated", stacks.UpdateComplete, safe, Update, false, "", "", ""},
		{"rolled back update", stacks.UpdateRollbackComplete, safe, Update, false, "", "", ""},
		{"imported", stacks.ImportComplete, safe, Update, false, "", "", ""},
		{"rolled back import", stacks.ImportRollbackComplete, safe, Update, false, "", "", ""},

		{"creating", stacks.CreateInProgress, safe, Join, false, "", "", "wait for it"},
		{"rolling back", stacks.RollbackInProgress, safe, Join, false, "", "", "wait for it"},
		{"deleting", stacks.DeleteInProgress, safe, Join, false, "", "", "wait for it"},
		{"updating", stacks.UpdateInProgress, safe, Join, false, "", "", "wait for it"},
		{"cleaning up", stacks.UpdateCompleteCleanup, safe, Join, false, "", "", "wait for it"},
		{"rolling back an update", stacks.UpdateRollbackInProgress, safe, Join, false, "", "", "wait for it"},
		{"cleaning up a rollback", stacks.UpdateRollbackCompleteCleanup, safe, Join, false, "", "", "wait for it"},
		{"importing", stacks.ImportInProgress, safe, Join, false, "", "", "wait for it"},
		{"rolling back an import", stacks.ImportRollbackInProgress, safe, Join, false, "", "", "wait for it"},

		{"create failed, kept", stacks.CreateFailed, with(func(f *Found) { f.DisableRollback = true }), Update, true, "", "", "in place"},
		{"create failed", stacks.CreateFailed, safe, Recreate, false, "", "", "delete it and create it again"},
		{"create rolled back", stacks.RollbackComplete, safe, Recreate, false, "", "", "never came up (ROLLBACK_COMPLETE: no room)"},
		{"create not rolled back", stacks.RollbackFailed, safe, Recreate, false, "", "", "never came up"},
		{"create rolled back, not ours", stacks.RollbackComplete, with(func(f *Found) { f.Ours = false }), Recreate, false, "nothing proves", "", "never came up"},
		{"create rolled back, data", stacks.RollbackFailed, with(func(f *Found) { f.Data = []string{"T (AWS::DynamoDB::Table)"} }), Recreate, false, "holds data in T", "", "never came up"},
		{"create rolled back, unread", stacks.RollbackComplete, with(func(f *Found) { f.ResourcesKnown = false }), Recreate, false, "could not be read", "", "never came up"},

		{"update failed", stacks.UpdateFailed, safe, Update, true, "", "", "update it again"},
		{"rollback failed", stacks.UpdateRollbackFailed, safe, Update, true, "continue the failed rollback", "", "continue the rollback"},
		{"delete failed", stacks.DeleteFailed, with(func(f *Found) { f.Stuck = []string{"B (AWS::S3::Bucket): not empty"} }), Recreate, false, "delete the rest", "", "at B (AWS::S3::Bucket): not empty"},
		{"import rollback failed", stacks.ImportRollbackFailed, safe, Update, false, "", "rollback of an import failed", ""},
		{"unheard of", "FUTURE_COMPLETE", safe, Update, false, "", "not known to this version", ""},
	}
	seen := map[stacks.Status]bool{}
	for _, tt := range tests {
		seen[tt.status] = true
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tt.found.Status, tt.found.Name, tt.found.Reason = tt.status, "net", "no room. "
			v := Decide(tt.found)
			if v.Action != tt.action || v.Must != tt.must {
				t.Errorf("got %s, must %v; want %s, %v", v.Action, v.Must, tt.action, tt.must)
			}
			for _, part := range []struct{ what, got, want string }{{"asks", v.Asks, tt.asks}, {"blocked", v.Blocked, tt.blocked}, {"cause", v.Cause, tt.cause}} {
				if (part.want == "") != (part.got == "") || !strings.Contains(part.got, part.want) {
					t.Errorf("%s is %q, want %q", part.what, part.got, part.want)
				}
			}
		})
	}
	for _, s := range stacks.Statuses() {
		if !seen[s] {
			t.Errorf("no row for %s", s)
		}
		v := Decide(Found{Status: s})
		if s.Healthy() && (v.Action != Update || v.Asks != "" || v.Blocked != "") {
			t.Errorf("%s is healthy and is not simply compared: %+v", s, v)
		}
	}
}

func TestOurs(t *testing.T) {
	t.Parallel()
	st := &stacks.Stack{Path: "dev/net", Name: "shop-dev-net", ProjectCode: "shop", ProjectID: "id-1"}
	tag := func(kv ...string) []stacks.Tag {
		var out []stacks.Tag
		for i := 0; i < len(kv); i += 2 {
			out = append(out, stacks.Tag{Key: kv[i], Value: kv[i+1]})
		}
		return out
	}
	tests := []struct {
		name string
		live string
		tags []stacks.Tag
		want []stacks.Tag // of the config
		ours bool
	}{
		{"our tags", "x", tag("deployer:project", "id-1", "deployer:stack", "dev/net"), nil, true},
		{"another project", "shop-dev-net", tag("deployer:project", "id-2", "deployer:stack", "dev/net"), nil, false},
		{"another stack", "shop-dev-net", tag("deployer:project", "id-1", "deployer:stack", "dev/app"), nil, false},
		{"half the tags", "shop-dev-net", tag("deployer:project", "id-1"), nil, false},
		{"the name", "shop-dev-net", nil, nil, true},
		{"another name", "vpc", nil, nil, false},
		{"the config's tags", "vpc", tag("team", "a", "cost", "1"), tag("team", "a"), true},
		{"other tags", "vpc", tag("team", "b"), tag("team", "a"), false},
		{"deployer's own in config prove nothing", "vpc", nil, tag("deployer:stack", "dev/net"), false},
	}
	for _, tt := range tests {
		d := &stacks.Desired{Stack: st, Tags: tt.want}
		if got := Ours(d, &stacks.Live{Name: tt.live, Tags: tt.tags}); got != tt.ours {
			t.Errorf("%s: got %v", tt.name, got)
		}
	}
}

func TestHoldingData(t *testing.T) {
	t.Parallel()
	got := HoldingData([]stacks.Resource{
		{LogicalID: "Z", PhysicalID: "z", Type: "AWS::S3::Bucket", Status: "CREATE_COMPLETE"},
		{LogicalID: "A", PhysicalID: "a", Type: "AWS::DynamoDB::Table", Status: "DELETE_FAILED"},
		{LogicalID: "Gone", PhysicalID: "g", Type: "AWS::S3::Bucket", Status: "DELETE_COMPLETE"},
		{LogicalID: "Kept", PhysicalID: "k", Type: "AWS::S3::Bucket", Status: "DELETE_SKIPPED"},
		{LogicalID: "Never", Type: "AWS::S3::Bucket", Status: "CREATE_FAILED"},
		{LogicalID: "Role", PhysicalID: "r", Type: "AWS::IAM::Role", Status: "CREATE_COMPLETE"},
	})
	if strings.Join(got, ", ") != "A (AWS::DynamoDB::Table), Z (AWS::S3::Bucket)" {
		t.Errorf("got %v", got)
	}
}
