package guard

import (
	"strings"
	"testing"
	"time"
)

func sessionOf(role, id, name string) Identity {
	return Identity{ARN: "arn:aws:sts::111111111111:assumed-role/" + role + "/" + name, Account: "111111111111", ID: id + ":" + name}
}

// TestImpostor: whoever takes a role chooses the session's name, so that a record
// which names another role is found by that role's id.
func TestImpostor(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	forged := sessionOf("Engineer", "AROAPLAN", "alice")
	good := func(who Identity) Approval {
		return Approval{Approver: who, Made: now.Add(-time.Hour), Expires: now.Add(time.Hour)}
	}
	old := good(sessionOf("Engineer", "AROAENG", "dave"))
	old.Expires = now.Add(-time.Minute)
	tests := map[string]struct {
		who     Identity
		request Request
		want    string
	}{
		"alone":                        {forged, Request{}, ""}, // nothing tells: the bucket's policy has to
		"the role is known by another": {forged, Request{Approvals: []Approval{good(sessionOf("Engineer", "AROAENG", "dave"))}}, "role Engineer has two ids among the records, AROAPLAN and AROAENG"},
		"the true one counts no more":  {sessionOf("Engineer", "AROAENG", "alice"), Request{Approvals: []Approval{good(forged)}}, "two ids"},
		"known by who applies":         {forged, Request{Caller: sessionOf("Engineer", "AROAENG", "carol")}, "two ids"},
		"known by a lease":             {forged, Request{Leases: []Lease{{Holder: sessionOf("Engineer", "AROAENG", "carol"), Made: now, Expires: now.Add(time.Hour)}}}, "two ids"},
		"known by a release":           {forged, Request{Releases: []Release{{By: sessionOf("Engineer", "AROAENG", "carol"), Made: now, Expires: now.Add(time.Hour)}}}, "two ids"},
		"the id is the planner's":      {forged, Request{Plans: []PlanRecord{{Planner: sessionOf("Planner", "AROAPLAN", "bob")}}}, "AROAPLAN is the id of two roles, Engineer and Planner"},
		"made again, long ago":         {forged, Request{Approvals: []Approval{old}}, ""},
		"another account's":            {forged, Request{Caller: Identity{ARN: "arn:aws:sts::222222222222:assumed-role/Engineer/carol", Account: "222222222222", ID: "AROATWO:carol"}}, ""},
		"a user":                       {Identity{ARN: "arn:aws:iam::111111111111:user/alice", Account: "111111111111", ID: "AIDAX"}, Request{Approvals: []Approval{good(forged)}}, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tt.request.Now = now
			if got := tt.request.impostor(tt.who); (got == "") != (tt.want == "") || !strings.Contains(got, tt.want) {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}

// TestAWeekAtMost: what approve does not make does not count either.
func TestAWeekAtMost(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	for lasts, want := range map[time.Duration]string{ApprovalMax: "", ApprovalMax + time.Second: "a week", 375 * 24 * time.Hour: "a week"} {
		if got := (Approval{Made: now, Expires: now.Add(lasts)}).Over(now); (got == "") != (want == "") || !strings.Contains(got, want) {
			t.Errorf("%s: %q, want %q", lasts, got, want)
		}
	}
}

func TestWhole(t *testing.T) {
	t.Parallel()
	user := Identity{ARN: "arn:aws:iam::111111111111:user/team/bob", Account: "111111111111", ID: "AIDAX"}
	alice := sessionOf("Engineer", "AROAENG", "alice")
	for name, change := range map[string]func(*Identity){
		"no id":             func(i *Identity) { i.ID = "" },
		"another account":   func(i *Identity) { i.Account = "222222222222" },
		"another session":   func(i *Identity) { i.ID = "AROAENG:bob" },
		"no role's id":      func(i *Identity) { i.ID = ":alice" },
		"an id of no role":  func(i *Identity) { i.ID = "AIDAX" },
		"no ARN to go by":   func(i *Identity) { i.ARN = "alice" },
		"nobody's account":  func(i *Identity) { i.Account, i.ARN = "", strings.ReplaceAll(i.ARN, "111111111111", "") },
		"nobody's session ": func(i *Identity) { i.ARN, i.ID = "arn:aws:sts::111111111111:assumed-role/Engineer/", "AROAENG:" },
	} {
		i := alice
		change(&i)
		if i.Whole() {
			t.Errorf("%s: %+v is whole", name, i)
		}
	}
	if !user.Whole() || !alice.Whole() {
		t.Error("those as STS tells them are not whole")
	}
}
