package guard_test

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/deployer-cli/deployer/internal/guard"
	"github.com/deployer-cli/deployer/stacks"
)

func user(name string) guard.Identity {
	return guard.Identity{ARN: "arn:aws:iam::" + account + ":user/" + name, Account: account}
}

func session(role, name string) guard.Identity {
	return guard.Identity{ARN: "arn:aws:sts::" + account + ":assumed-role/" + role + "/" + name, Account: account}
}

const digest = "sha256:1"

// reviewed is a run in a pipeline that everything speaks for: a plan by bob that
// alice approved and carol applies, with a lease, outside of any freeze.
func reviewed() guard.Request {
	r := request(step("prod", stacks.Production))
	r.Digest, r.Planner, r.Caller = digest, user("bob"), user("carol")
	r.Policies = map[string]guard.Policy{"prod": {
		Approvers: []string{"arn:aws:iam::*:user/*", "arn:aws:sts::*:assumed-role/Approver/*"}, Approvals: 1, Shared: true,
		Lease: guard.LeasePolicy{Required: true, MFA: true, Max: time.Hour},
	}}
	r.Plans = []guard.PlanRecord{{Environment: "prod", Digest: digest, Planner: user("bob"), Made: r.Now.Add(-2 * time.Hour)}}
	r.Approvals = []guard.Approval{approval(r, user("alice"))}
	r.Leases = []guard.Lease{{Environment: "prod", Holder: user("carol"), MFA: true, Made: r.Now.Add(-time.Minute), Expires: r.Now.Add(10 * time.Minute)}}
	return r
}

func approval(r guard.Request, who guard.Identity) guard.Approval {
	return guard.Approval{ID: "1", Environment: "prod", Digest: digest, Approver: who, Made: r.Now.Add(-time.Hour), Expires: r.Now.Add(time.Hour)}
}

func frozen(t testing.TB) []guard.Freeze {
	t.Helper()
	f, err := guard.Interval("2026-11-01/2026-12-01")
	if err != nil {
		t.Fatal(err)
	}
	return []guard.Freeze{f}
}

func policy(r *guard.Request, change func(*guard.Policy)) {
	p := r.Policies["prod"]
	change(&p)
	r.Policies = map[string]guard.Policy{"prod": p}
}

func acting(r *guard.Request, environment string, who ...guard.Identity) {
	r.Callers = maps.Clone(r.Callers)
	if r.Callers == nil {
		r.Callers = map[string][]guard.Identity{}
	}
	r.Callers[environment] = who
}

// spoiler makes one rule refuse.
type spoiler struct {
	rule  string
	code  int
	spoil func(t testing.TB, r *guard.Request)
}

func spoilers() map[string]spoiler {
	return map[string]spoiler{
		"P1 weakened": {"P1", 3, func(_ testing.TB, r *guard.Request) {
			r.Steps = append(r.Steps, step("dev", stacks.Development))
			r.Steps[len(r.Steps)-1].LiveTags = []stacks.Tag{{Key: stacks.TagClass, Value: "production"}}
		}},
		"P1 another environment": {"P1", 3, func(_ testing.TB, r *guard.Request) { claim(r, stacks.TagEnvironment, "prod-b") }},
		"P1 another project":     {"P1", 3, func(_ testing.TB, r *guard.Request) { claim(r, stacks.TagProject, "other") }},
		"P1 another stack":       {"P1", 3, func(_ testing.TB, r *guard.Request) { claim(r, stacks.TagStack, "prod/queue") }},
		"P1 unknown":             {"P1", 3, func(_ testing.TB, r *guard.Request) { r.Steps = append(r.Steps, guard.Step{Path: "x"}) }},
		"P2 account":             {"P2", 5, func(_ testing.TB, r *guard.Request) { r.Steps[0].Account = "999999999999" }},
		"P2 region":              {"P2", 5, func(_ testing.TB, r *guard.Request) { r.Steps[0].Environment.Regions = []string{"us-east-1"} }},
		"P4 --yes":               {"P4", 4, func(_ testing.TB, r *guard.Request) { r.Yes = true }},
		"P5 no plan":             {"P5", 4, func(_ testing.TB, r *guard.Request) { r.Digest = "" }},
		"P6 none":                {"P6", 4, func(_ testing.TB, r *guard.Request) { r.Approvals = nil }},
		"P6 too few":             {"P6", 4, func(_ testing.TB, r *guard.Request) { policy(r, func(p *guard.Policy) { p.Approvals = 2 }) }},
		"P6 twice one": {"P6", 4, func(_ testing.TB, r *guard.Request) {
			policy(r, func(p *guard.Policy) { p.Approvals = 2 })
			r.Approvals = append(r.Approvals, approval(*r, session("Approver", "alice")))
		}},
		"P6 local": {"P6", 2, func(_ testing.TB, r *guard.Request) { policy(r, func(p *guard.Policy) { p.Shared = false }) }},
		"P6 planner": {"P6", 4, func(_ testing.TB, r *guard.Request) {
			r.Planner = user("alice")
			r.Plans[0].Planner = user("alice")
		}},
		"P6 planner rewritten": {"P6", 5, func(_ testing.TB, r *guard.Request) { r.Plans[0].Planner = user("alice") }},
		"P6 planner in another role": {"P6", 5, func(_ testing.TB, r *guard.Request) {
			r.Plans[0].Planner = session("Planner", "bob")
		}},
		"P6 two records": {"P6", 5, func(_ testing.TB, r *guard.Request) {
			r.Plans = append(r.Plans, guard.PlanRecord{Environment: "prod", Digest: digest, Planner: user("dave")})
		}},
		"P6 unrecorded":         {"P6", 3, func(_ testing.TB, r *guard.Request) { r.Plans = nil }},
		"P6 record of another":  {"P6", 3, func(_ testing.TB, r *guard.Request) { r.Plans[0].Digest = "sha256:2" }},
		"P6 recorded elsewhere": {"P6", 3, func(_ testing.TB, r *guard.Request) { r.Plans[0].Environment = "staging" }},
		"P6 record without a name": {"P6", 5, func(_ testing.TB, r *guard.Request) {
			r.Planner, r.Plans[0].Planner = guard.Identity{}, guard.Identity{}
		}},
		"P6 applier": {"P6", 4, func(_ testing.TB, r *guard.Request) { r.Approvals[0].Approver = user("carol") }},
		"P6 applier elsewhere": {"P6", 4, func(_ testing.TB, r *guard.Request) {
			acting(r, "dev", user("alice"))
		}},
		"P6 planner elsewhere": {"P6", 4, func(_ testing.TB, r *guard.Request) { r.Planners = []guard.Identity{user("alice")} }},
		"P10 lease of another profile": {"P10", 3, func(_ testing.TB, r *guard.Request) {
			acting(r, "prod", user("carol"), user("dave"))
		}},
		"P6 no planner": {"P6", 5, func(_ testing.TB, r *guard.Request) {
			r.Planner = guard.Identity{}
		}},
		"P6 expired": {"P6", 4, func(_ testing.TB, r *guard.Request) { r.Approvals[0].Expires = r.Now }},
		"P6 future":  {"P6", 4, func(_ testing.TB, r *guard.Request) { r.Approvals[0].Made = r.Now.Add(time.Hour) }},
		"P6 revoked": {"P6", 4, func(_ testing.TB, r *guard.Request) { r.Approvals[0].Revoked = r.Now }},
		"P6 another": {"P6", 4, func(_ testing.TB, r *guard.Request) { r.Approvals[0].Digest = "sha256:2" }},
		"P6 elsewhere": {"P6", 4, func(_ testing.TB, r *guard.Request) {
			r.Approvals[0].Environment = "staging"
		}},
		"P6 generic": {"P6", 4, func(_ testing.TB, r *guard.Request) {
			r.Approvals[0].Approver = session("Approver", "botocore-session-17")
		}},
		"P6 unmatched": {"P6", 4, func(_ testing.TB, r *guard.Request) { r.Approvals[0].Approver = session("Admin", "alice") }},
		"P6 root": {"P6", 4, func(_ testing.TB, r *guard.Request) {
			policy(r, func(p *guard.Policy) { p.Approvers = []string{"*"} })
			r.Approvals[0].Approver = guard.Identity{ARN: "arn:aws:iam::" + account + ":root"}
		}},
		"P6 nobody named": {"P6", 4, func(_ testing.TB, r *guard.Request) { policy(r, func(p *guard.Policy) { p.Approvers = nil }) }},
		"P6 data": {"P6", 4, func(_ testing.TB, r *guard.Request) {
			policy(r, func(p *guard.Policy) { p.Approvals = 0 })
			r.Approvals = nil
			r.DataLoss, r.Allowed = []string{"prod/network::Db"}, []string{"prod/network::Db"}
		}},
		"P8 relied on": {"P8", 3, func(_ testing.TB, r *guard.Request) {
			r.Separate = map[string]string{"prod/network::Vpc": "has the output VpcId, used by prod/app"}
		}},
		"P7 freeze": {"P7", 3, func(t testing.TB, r *guard.Request) {
			f := frozen(t)
			policy(r, func(p *guard.Policy) { p.Freezes = f })
		}},
		"P7 clock": {"P7", 3, func(_ testing.TB, r *guard.Request) { r.Skew = -time.Hour }},
		"P7 unread": {"P7", 3, func(_ testing.TB, r *guard.Request) {
			policy(r, func(p *guard.Policy) { p.Freezes = []guard.Freeze{{}} })
		}},
		"P7 runs into": {"P7", 3, func(t testing.TB, r *guard.Request) {
			f, err := guard.Interval("2026-11-22T10:20Z/PT1H")
			if err != nil {
				t.Fatal(err)
			}
			policy(r, func(p *guard.Policy) { p.Freezes = []guard.Freeze{f} })
			r.Forecast = 21 * time.Minute
		}},
		"P8 unnamed": {"P8", 3, func(_ testing.TB, r *guard.Request) { r.DataLoss = []string{"prod/network::Other"} }},
		"P8 other": {"P8", 3, func(_ testing.TB, r *guard.Request) {
			r.DataLoss, r.Allowed = []string{"prod/network::Db"}, []string{"prod/network::D"}
		}},
		"P9 delete": {"P9", 3, func(_ testing.TB, r *guard.Request) {
			r.Steps[0].Deletes, r.Steps[0].Verbs, r.Command = true, []stacks.Verb{stacks.Delete}, "delete"
		}},
		"P10 none":     {"P10", 3, func(_ testing.TB, r *guard.Request) { r.Leases = nil }},
		"P10 expired":  {"P10", 3, func(_ testing.TB, r *guard.Request) { r.Leases[0].Expires = r.Now }},
		"P10 ended":    {"P10", 3, func(_ testing.TB, r *guard.Request) { r.Leases[0].Ended = r.Now }},
		"P10 no MFA":   {"P10", 3, func(_ testing.TB, r *guard.Request) { r.Leases[0].MFA = false }},
		"P10 too long": {"P10", 3, func(_ testing.TB, r *guard.Request) { r.Leases[0].Expires = r.Now.Add(3 * time.Hour) }},
		"P10 another's": {"P10", 3, func(_ testing.TB, r *guard.Request) {
			r.Leases[0].Holder = user("dave")
		}},
		"P12 locked": {"P12", 7, func(_ testing.TB, r *guard.Request) { r.Locks = []guard.Lock{{Environment: "prod", Run: "other"}} }},
		"P9 untagged": {"P9", 3, func(_ testing.TB, r *guard.Request) {
			r.Steps[0].Deletes, r.Steps[0].Verbs = true, []stacks.Verb{stacks.Delete}
			r.Releases = []guard.Release{{Environment: "prod", Stack: r.Steps[0].Path, StackID: r.Steps[0].StackID, Made: r.Now, Expires: r.Now.Add(time.Hour)}}
		}},
		"P9 made again": {"P9", 3, func(_ testing.TB, r *guard.Request) {
			r.Steps[0].Deletes, r.Steps[0].Again, r.Steps[0].Verbs = true, true, []stacks.Verb{stacks.Delete, stacks.Propose, stacks.Execute}
		}},
		"P5 hooks": {"P5", 4, func(_ testing.TB, r *guard.Request) {
			r.Digest, r.Hooked, r.Steps[0].Verbs = "", true, []stacks.Verb{stacks.Propose, stacks.Upload, stacks.Discard}
		}},
		"protect": {"protect", 3, func(_ testing.TB, r *guard.Request) { r.Steps[0].Protected = true }},
	}
}

// claim lets the live stack of a request's first step be another's.
func claim(r *guard.Request, key, value string) {
	s := &r.Steps[0]
	s.OwnTags = ownTags(*s)
	s.LiveTags = []stacks.Tag{{Key: key, Value: value}}
}

// clone makes a request whose parts a spoiler may change.
func clone() guard.Request {
	r := reviewed()
	e := *r.Steps[0].Environment
	r.Steps[0].Environment = &e
	return r
}

// TestPlannersOtherNames: with a profile for each environment the record of one is
// by another of the planner's names, which the file tells too.
func TestPlannersOtherNames(t *testing.T) {
	t.Parallel()
	r := clone()
	r.Planners, r.Plans[0].Planner = []guard.Identity{session("Planner", "bob")}, session("Planner", "bob")
	if _, err := guard.Check(r, nil); err != nil {
		t.Error(err)
	}
	r.Plans[0].Planner.ARN = strings.ToUpper(r.Plans[0].Planner.ARN)
	if _, err := guard.Check(r, nil); err != nil {
		t.Error(err)
	}
	policy(&r, func(p *guard.Policy) { p.Approvals = 0 })
	r.Approvals, r.Plans = nil, nil
	if _, err := guard.Check(r, nil); err != nil {
		t.Errorf("what needs no approval needs no record: %v", err)
	}
}

func TestReviewedRunIsCleared(t *testing.T) {
	t.Parallel()
	r := reviewed()
	if qs := guard.Questions(r); len(qs) > 0 {
		t.Errorf("asks %v", qs)
	}
	if _, err := guard.Check(r, nil); err != nil {
		t.Fatal(err)
	}
	if got := guard.Counted(r); len(got) != 1 || got[0].ID != "1" {
		t.Errorf("counted %+v", got)
	}
}

// TestRulesAlone: each rule refuses by itself, with its own exit code, its name,
// its reason and a way on.
func TestRulesAlone(t *testing.T) {
	t.Parallel()
	for name, s := range spoilers() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := clone()
			s.spoil(t, &r)
			c, err := guard.Check(r, guard.Answers{"go": r.Phrase()})
			expect(t, err, s.code, s.rule)
			if c.Run() != "" {
				t.Error("there is a clearance")
			}
			refused, ok := errors.AsType[*guard.Refused](err)
			if !ok {
				return
			}
			for _, e := range refused.Unwrap() {
				refusal, ok := errors.AsType[*guard.Refusal](e)
				if !ok || refusal.Rule == "" || refusal.Why == "" || (refusal.Tip == "" && refusal.Why != "its environment is not known") {
					t.Errorf("%+v says too little", e)
				}
			}
		})
	}
}

// TestRulesInPairs: two rules refuse together, each is named, and the code is
// that of the more serious.
func TestRulesInPairs(t *testing.T) {
	t.Parallel()
	order := []int{4, 7, 5, 2, 3}
	all := spoilers()
	names := slices.Sorted(maps.Keys(all))
	for i, a := range names {
		for _, b := range names[i+1:] {
			if all[a].rule == all[b].rule {
				continue // two of one rule may undo each other
			}
			if all[a].rule == "P5" && all[b].rule == "P6" && (all[b].code == 3 || all[b].code == 5) {
				continue // there is no plan whose maker could be asked for
			}
			r := clone()
			all[a].spoil(t, &r)
			all[b].spoil(t, &r)
			_, err := guard.Check(r, guard.Answers{"go": r.Phrase()})
			refused, ok := errors.AsType[*guard.Refused](err)
			if !ok {
				t.Errorf("%s and %s: cleared", a, b)
				continue
			}
			least := max(slices.Index(order, all[a].code), slices.Index(order, all[b].code))
			if slices.Index(order, refused.ExitCode()) < least {
				t.Errorf("%s and %s: exit %d, %v", a, b, refused.ExitCode(), err)
			}
		}
	}
}

func TestWhatAFreezeLetsThrough(t *testing.T) {
	t.Parallel()
	freeze := func() guard.Request {
		r := clone()
		f := frozen(t)
		policy(&r, func(p *guard.Policy) { p.Freezes = f })
		return r
	}
	r := freeze()
	r.Approvals[0].Freeze = true
	if _, err := guard.Check(r, nil); err != nil {
		t.Errorf("approved for the freeze: %v", err)
	}
	r = freeze()
	r.Approvals[0].Freeze, r.Plans = true, nil
	policy(&r, func(p *guard.Policy) { p.Approvals = 0 })
	_, err := guard.Check(r, nil)
	expect(t, err, 3, "P6")
	r = freeze()
	r.Steps[0].Verbs = []stacks.Verb{stacks.Propose, stacks.Discard, stacks.Upload}
	r.Digest, r.Approvals, r.Leases = "", nil, nil
	if _, err := guard.Check(r, nil); err != nil {
		t.Errorf("planning: %v", err)
	}
	r = freeze()
	r.Command, r.Terminal, r.Digest = "cancel", true, ""
	r.Steps[0].Verbs = []stacks.Verb{stacks.Cancel}
	if _, err := guard.Check(r, guard.Answers{"go": r.Phrase()}); err != nil {
		t.Errorf("stopping what was cleared before: %v", err)
	}
}

func TestARunGoesOnIntoAFreeze(t *testing.T) {
	t.Parallel()
	r := clone()
	f, err := guard.Interval("2026-11-22T12:00Z/PT1H")
	if err != nil {
		t.Fatal(err)
	}
	policy(&r, func(p *guard.Policy) { p.Freezes = []guard.Freeze{f} })
	r.Forecast, r.For = 10*time.Minute, 24*time.Hour
	c, err := guard.Check(r, nil)
	if err != nil {
		t.Fatal(err)
	}
	s := r.Steps[0]
	call := guard.Call{Verb: stacks.Update, Path: s.Path, Name: s.Name, StackID: s.StackID, Account: s.Account, Region: s.Region, Run: r.Run, At: r.Now.Add(150 * time.Minute)}
	if err := c.Permits(call); err != nil {
		t.Errorf("cleared before the freeze: %v", err)
	}
}

func TestReleasedStackIsDeleted(t *testing.T) {
	t.Parallel()
	deleting := func() guard.Request {
		r := clone()
		r.Command, r.Steps[0].Deletes, r.Steps[0].Verbs = "delete", true, []stacks.Verb{stacks.Delete}
		r.Steps[0].OwnTags, r.Steps[0].LiveTags = ownTags(r.Steps[0]), ownTags(r.Steps[0])
		r.Releases = []guard.Release{{Environment: "prod", Stack: r.Steps[0].Path, StackID: r.Steps[0].StackID, Made: r.Now.Add(-time.Minute), Expires: r.Now.Add(time.Hour)}}
		return r
	}
	if _, err := guard.Check(deleting(), nil); err != nil {
		t.Errorf("released, planned and approved: %v", err)
	}
	for name, spoil := range map[string]func(*guard.Request){
		"expired":       func(r *guard.Request) { r.Releases[0].Expires = r.Now },
		"another id":    func(r *guard.Request) { r.Releases[0].StackID = "arn:2" },
		"no id":         func(r *guard.Request) { r.Releases[0].StackID, r.Steps[0].StackID = "", "" },
		"another stack": func(r *guard.Request) { r.Releases[0].Stack = "prod/queue" },
		"another env":   func(r *guard.Request) { r.Releases[0].Environment = "staging" },
		"the future":    func(r *guard.Request) { r.Releases[0].Made = r.Now.Add(time.Hour) },
	} {
		r := deleting()
		spoil(&r)
		_, err := guard.Check(r, nil)
		if err == nil {
			t.Errorf("deleted with a release that is %s", name)
			continue
		}
		expect(t, err, 3, "P9")
	}
	r := deleting()
	policy(&r, func(p *guard.Policy) { p.Approvals = 0 })
	r.Approvals = nil
	_, err := guard.Check(r, nil)
	expect(t, err, 4, "P6")
}

// ownTags are deployer's own, as the files would have them.
func ownTags(s guard.Step) []stacks.Tag {
	st := stacks.Stack{Path: s.Path, ProjectID: "0123456789abcdef", Environment: s.Environment}
	return st.OwnTags()
}

// TestLiveTagsProveWhatIsDeleted: production is deleted, pruned and released only
// where the live tags say that the stack is the one that the files mean.
func TestLiveTagsProveWhatIsDeleted(t *testing.T) {
	t.Parallel()
	set := func(key, value string) func(*guard.Step) {
		return func(s *guard.Step) {
			i := slices.IndexFunc(s.LiveTags, func(t stacks.Tag) bool { return t.Key == key })
			s.LiveTags[i].Value = value
		}
	}
	lose := func(key string) func(*guard.Step) {
		return func(s *guard.Step) {
			s.LiveTags = slices.DeleteFunc(s.LiveTags, func(t stacks.Tag) bool { return t.Key == key })
		}
	}
	tests := map[string]struct {
		spoil func(*guard.Step)
		says  string
		tip   string
	}{
		"none":                {func(s *guard.Step) { s.LiveTags = nil }, "no tag deployer:project, deployer:environment, deployer:class, deployer:stack", "if it is this one, tag it first: deployer launch --adopt prod/network"},
		"no project":          {lose(stacks.TagProject), "no tag deployer:project", "deployer launch --adopt prod/network"},
		"no environment":      {lose(stacks.TagEnvironment), "no tag deployer:environment", "deployer launch --adopt prod/network"},
		"no class":            {lose(stacks.TagClass), "no tag deployer:class", "deployer launch --adopt prod/network"},
		"no stack":            {lose(stacks.TagStack), "no tag deployer:stack", "deployer launch --adopt prod/network"},
		"another project":     {set(stacks.TagProject, "fedcba"), `deployer:project is "fedcba", the files say "0123456789abcdef"`, "find out whose it is"},
		"another environment": {set(stacks.TagEnvironment, "live"), `deployer:environment is "live", the files say "prod"`, "find out whose it is"},
		"another class":       {set(stacks.TagClass, "development"), `deployer:class is "development", the files say "production"`, "find out whose it is"},
		"another stack":       {set(stacks.TagStack, "prod/queue"), `deployer:stack is "prod/queue", the files say "prod/network"`, "find out whose it is"},
		"a project without a name": {func(s *guard.Step) {
			s.OwnTags = slices.DeleteFunc(slices.Clone(s.OwnTags), func(t stacks.Tag) bool { return t.Key == stacks.TagProject })
		}, "the files do not say it", "find out whose it is"},
	}
	for _, command := range []string{"delete", "prune", "launch", "release"} {
		for name, test := range tests {
			r := clone()
			s := &r.Steps[0]
			r.Command, s.Deletes, s.Verbs = command, true, []stacks.Verb{stacks.Delete}
			if command == "release" {
				s.Deletes, s.Verbs = false, []stacks.Verb{stacks.Unprotect}
			}
			s.OwnTags, s.LiveTags = ownTags(*s), ownTags(*s)
			r.Releases = []guard.Release{{Environment: "prod", Stack: s.Path, StackID: s.StackID, Made: r.Now, Expires: r.Now.Add(time.Hour)}}
			if _, err := guard.Check(r, nil); err != nil {
				t.Errorf("%s with every tag: %v", command, err)
			}
			test.spoil(s)
			_, err := guard.Check(r, nil)
			expect(t, err, 3, "P9")
			refused, ok := errors.AsType[*guard.Refused](err)
			if !ok || len(refused.Unwrap()) != 1 {
				t.Errorf("%s, %s: %v", command, name, err)
				continue
			}
			refusal, ok := errors.AsType[*guard.Refusal](refused.Unwrap()[0])
			if !ok || !strings.Contains(refusal.Why, test.says) || !strings.Contains(refusal.Tip, test.tip) {
				t.Errorf("%s, %s: %+v", command, name, refusal)
			}
		}
	}
	r := clone() // what never came up is made again, and stays
	s := &r.Steps[0]
	s.Deletes, s.NeverUp, s.Verbs = true, true, []stacks.Verb{stacks.Delete, stacks.Propose, stacks.Execute}
	if _, err := guard.Check(r, nil); err != nil {
		t.Errorf("making a stack again: %v", err)
	}
}

func TestGenericNamesAreNobody(t *testing.T) {
	t.Parallel()
	p := guard.Policy{Approvers: []string{"*"}}
	for _, who := range []guard.Identity{
		session("R", "GitHubActions"), session("R", "deployer"), session("R", "i-0123456789abcdef0"), session("R", "1700000000"), session("R", ""),
		session("R", "aws-go-sdk-1700000000000"), session("R", "AWSCodeBuild-1"), session("R", "my-session"),
		{},
		{ARN: "arn:aws:sts::" + account + ":federated-user/x"},
		{ARN: "arn:aws:iam::" + account + ":root"},
	} {
		if p.MayApprove(who, user("bob")) == "" {
			t.Errorf("%s may approve", who.ARN)
		}
	}
	for _, who := range []guard.Identity{session("R", "alice@example.com"), user("team/alice"), session("AWSReservedSSO_Admin_1", "Alice")} {
		if why := p.MayApprove(who, user("bob")); why != "" {
			t.Errorf("%s may not: %s", who.ARN, why)
		}
	}
	if p.MayApprove(session("R", "BOB"), user("bob")) == "" {
		t.Error("bob approves his own plan, by another role")
	}
}
