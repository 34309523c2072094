package cfn_test

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/deployer-cli/deployer/internal/cfn"
	"github.com/deployer-cli/deployer/stacks"
)

// Somebody's operation is joined, and two of three reads are of before it.
func TestStaleReadsEndNothingJoined(t *testing.T) {
	t.Parallel()
	before := []string{"CREATE_IN_PROGRESS", "CREATE_COMPLETE"}
	for name, tt := range map[string]struct {
		before  []string
		during  string
		end     string
		verb    stacks.Verb
		updated bool
	}{
		"update":                        {before, "UPDATE_IN_PROGRESS", "UPDATE_COMPLETE", stacks.Update, true},
		"update that is rolled back":    {before, "UPDATE_IN_PROGRESS", "UPDATE_ROLLBACK_COMPLETE", stacks.Update, true},
		"update, when is not told":      {before, "UPDATE_IN_PROGRESS", "UPDATE_COMPLETE", stacks.Update, false},
		"rollback that is continued":    {[]string{"UPDATE_IN_PROGRESS", "UPDATE_ROLLBACK_FAILED"}, "UPDATE_ROLLBACK_IN_PROGRESS", "UPDATE_ROLLBACK_COMPLETE", stacks.Update, false},
		"rollback that fails again":     {[]string{"UPDATE_IN_PROGRESS", "UPDATE_ROLLBACK_FAILED"}, "UPDATE_ROLLBACK_IN_PROGRESS", "UPDATE_ROLLBACK_FAILED", stacks.Update, false},
		"deletion":                      {before, "DELETE_IN_PROGRESS", "DELETE_COMPLETE", stacks.Delete, false},
		"deletion that fails":           {before, "DELETE_IN_PROGRESS", "DELETE_FAILED", stacks.Delete, false},
		"deletion that failed before":   {[]string{"DELETE_IN_PROGRESS", "DELETE_FAILED"}, "DELETE_IN_PROGRESS", "DELETE_COMPLETE", stacks.Delete, false},
		"deletion that fails once more": {[]string{"DELETE_IN_PROGRESS", "DELETE_FAILED"}, "DELETE_IN_PROGRESS", "DELETE_FAILED", stacks.Delete, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for first := range 6 {
				synctest.Test(t, func(t *testing.T) {
					f := newFake()
					now := time.Now()
					s := f.add("web", "old")
					s.created = now.Add(-time.Hour)
					op := stacks.Operation{Verb: tt.verb, Joined: true, Access: access, Name: "web", StackID: s.id, Accepted: s.created}
					if tt.updated {
						s.updated = now
						op.Accepted = now
					}
					s.phases = []phase{
						{at: now.Add(-20 * time.Minute), status: tt.before[0], token: "old"},
						{at: now.Add(-10 * time.Minute), status: tt.before[1], token: "old"},
						{at: now, status: tt.during, reason: "User Initiated", token: "theirs"},
						{at: now.Add(25 * time.Second), status: tt.end, token: "theirs"},
					}
					reads := first
					f.stale = func(*fakeStack) time.Time {
						if reads++; reads%3 != 0 {
							return now.Add(-time.Millisecond)
						}
						return time.Time{}
					}
					time.Sleep(time.Second)
					p, _, err := await(t.Context(), cloud(f, func(o *cfn.Options) {
						if first >= 3 {
							o.Realm = stacks.RealmEndpoint
						}
					}), op)
					if took := time.Since(now); err != nil || p.Status != stacks.Status(tt.end) || took < 25*time.Second || took > 90*time.Second {
						t.Errorf("ended %s after %s, %v", p.Status, took, err)
					}
				})
			}
		})
	}
}

// Ours has ended when somebody else's goes on and ends, and nothing could be read
// meanwhile.
func TestWhatOthersDoAfterwardsIsNotOurs(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		verb   stacks.Verb
		id     string // of our operation, where it has one
		ours   string
		theirs string
		cause  string
		want   stacks.Status
		since  bool
	}{
		"update, theirs fails":           {stacks.Update, "", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "", stacks.UpdateComplete, true},
		"update, theirs ends well":       {stacks.Update, "", "UPDATE_COMPLETE", "UPDATE_COMPLETE", "", stacks.UpdateComplete, true},
		"update by id, theirs fails":     {stacks.Update, "op-new", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "", stacks.UpdateComplete, true},
		"update by id, theirs ends well": {stacks.Update, "op-new", "UPDATE_COMPLETE", "UPDATE_COMPLETE", "", stacks.UpdateComplete, true},
		"ours fails, theirs ends well":   {stacks.Update, "", "UPDATE_ROLLBACK_COMPLETE", "UPDATE_COMPLETE", "our mistake", stacks.UpdateRollbackComplete, true},
		"create, theirs fails":           {stacks.Create, "", "CREATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "", stacks.CreateComplete, true},
		"create, theirs ends well":       {stacks.Create, "", "CREATE_COMPLETE", "UPDATE_COMPLETE", "", stacks.CreateComplete, true},
		"change set":                     {stacks.Execute, "", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "", stacks.UpdateComplete, true},
		"update alone":                   {stacks.Update, "", "UPDATE_COMPLETE", "", "", stacks.UpdateComplete, false},
		"create alone":                   {stacks.Create, "", "CREATE_COMPLETE", "", "", stacks.CreateComplete, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := newFake()
				now := time.Now()
				s := f.add("web", "new")
				s.created, s.updated = now.Add(-time.Hour), now
				begun := "UPDATE_IN_PROGRESS"
				if tt.verb == stacks.Create {
					s.created, s.updated, begun = now, time.Time{}, "CREATE_IN_PROGRESS"
				}
				s.phases = []phase{
					{at: now, status: begun, reason: "User Initiated", token: "new", operation: tt.id},
					{at: now.Add(10 * time.Second), status: tt.ours, token: "new", operation: tt.id},
				}
				if tt.cause != "" {
					s.phases = append(s.phases[:1], phase{at: now.Add(5 * time.Second), status: "UPDATE_FAILED", resource: "Thing", reason: tt.cause, token: "new"}, s.phases[1])
				}
				if tt.theirs != "" {
					s.updated = now.Add(15 * time.Second)
					s.phases = append(s.phases,
						phase{at: now.Add(15 * time.Second), status: "UPDATE_IN_PROGRESS", reason: "User Initiated", token: "theirs", operation: "op-theirs"},
						phase{at: now.Add(16 * time.Second), status: "UPDATE_FAILED", resource: "Other", reason: "their mistake", token: "theirs", operation: "op-theirs"},
						phase{at: now.Add(20 * time.Second), status: tt.theirs, token: "theirs", operation: "op-theirs"})
				}
				f.before = func(string) answer {
					if d := time.Since(now); d > 30*time.Second {
						return nil
					}
					return func(w http.ResponseWriter, _ *http.Request) bool {
						fail(w, 500, "InternalFailure", "oops")
						return true
					}
				}
				op := stacks.Operation{Verb: tt.verb, Access: access, Name: "web", StackID: s.id, Token: "new", OperationID: tt.id, Accepted: now}
				p, events, err := await(t.Context(), cloud(f), op)
				if err != nil || p.Status != tt.want || p.Overtaken != tt.since {
					t.Errorf("ended %s (%s), overtaken %v, want %s, %v; %v", p.Status, p.Reason, p.Overtaken, tt.want, tt.since, err)
				}
				if root, _ := stacks.RootCause(events); root.Reason != tt.cause {
					t.Errorf("because %q, want %q", root.Reason, tt.cause)
				}
			})
		})
	}
}

// An update that somebody cancels ends as the cancelling does.
func TestCancelledByAnother(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		now := time.Now()
		s := f.add("web", "new")
		s.created, s.updated = now.Add(-time.Hour), now
		s.phases = []phase{
			{at: now, status: "UPDATE_IN_PROGRESS", reason: "User Initiated", token: "new"},
			{at: now.Add(10 * time.Second), status: "UPDATE_ROLLBACK_IN_PROGRESS", token: "theirs"},
			{at: now.Add(20 * time.Second), status: "UPDATE_ROLLBACK_COMPLETE", token: "theirs"},
		}
		op := stacks.Operation{Verb: stacks.Update, Access: access, Name: "web", StackID: s.id, Token: "new", Accepted: now}
		p, events, err := await(t.Context(), cloud(f), op)
		if err != nil || p.Status != stacks.UpdateRollbackComplete || p.Overtaken || len(events) != 3 {
			t.Errorf("%+v, %d events, %v", p, len(events), err)
		}
	})
}
