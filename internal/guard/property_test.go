package guard_test

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/deployer-cli/deployer/internal/guard"
	"github.com/deployer-cli/deployer/stacks"
)

// facts are one situation in which a run asks for a clearance, in the words of
// the contract.
type facts struct {
	class, live  stacks.Class // of the file, and of the live tags
	tagged       bool         // the live tags say which stack it is
	rightAccount bool

	planFile   bool
	recorded   bool   // the plan's record names its planner
	planner    string // who the planner was besides, in another environment
	approver   string // "" for nobody
	sameDigest bool
	fresh      bool
	needs      int // guard.approvals

	lease, leaseNeeded bool
	freeze, forFreeze  bool
	locked             bool
	clockOff           bool

	does     string // update, delete, again (deleted and made again), propose
	neverUp  bool
	released bool
	holder   bool // of data, that goes
	relied   bool // something else goes that others rely on
	named    bool
	hooked   bool
	callers  string // who the caller is besides: "" nobody, another in this environment, or the approver in another

	terminal, yes bool
	typed         string // "", y, phrase
}

func drawFacts(t *rapid.T) facts {
	flip := func(name string) bool { return rapid.Bool().Draw(t, name) }
	mostly := func(name string) bool { return rapid.IntRange(0, 9).Draw(t, name) > 0 }
	seldom := func(name string) bool { return !mostly(name) }
	class := rapid.SampledFrom([]stacks.Class{stacks.Production, stacks.Production, stacks.Persistent, stacks.Development}).Draw(t, "class")
	return facts{
		class: class, live: rapid.SampledFrom([]stacks.Class{"", class, class, class, stacks.Production, stacks.Persistent}).Draw(t, "live class"),
		tagged: mostly("tagged"), rightAccount: mostly("right account"),
		planFile: mostly("plan file"), recorded: mostly("recorded"),
		planner:    rapid.SampledFrom([]string{"", "", "", "alice", "erin"}).Draw(t, "also planner"),
		approver:   rapid.SampledFrom([]string{"alice", "alice", "alice", "", "bob", "carol", "botocore-session-1"}).Draw(t, "approver"),
		sameDigest: mostly("same digest"), fresh: mostly("fresh"), needs: rapid.IntRange(0, 1).Draw(t, "approvals"),
		lease: mostly("lease"), leaseNeeded: flip("lease needed"),
		freeze: rapid.IntRange(0, 3).Draw(t, "freeze") == 0, forFreeze: flip("for freeze"), locked: seldom("locked"), clockOff: seldom("clock off"),
		does: rapid.SampledFrom([]string{"update", "update", "delete", "again", "propose"}).Draw(t, "does"), neverUp: flip("never up"), released: mostly("released"),
		holder: rapid.IntRange(0, 3).Draw(t, "holder") == 0, relied: rapid.IntRange(0, 3).Draw(t, "relied") == 0, named: flip("named"),
		hooked: flip("hooked"), callers: rapid.SampledFrom([]string{"", "", "", "dave here", "alice elsewhere"}).Draw(t, "callers"),
		terminal: flip("terminal"), yes: rapid.IntRange(0, 3).Draw(t, "yes") == 0,
		typed: rapid.SampledFrom([]string{"", "y", "phrase", "phrase"}).Draw(t, "typed"),
	}
}

// request puts the situation into the guard's words.
func (f facts) request(freezes []guard.Freeze) guard.Request {
	r := clone()
	r.Steps = []guard.Step{step("qa", f.class)}
	s := &r.Steps[0]
	if f.class != stacks.Production {
		s.Environment.Accounts = nil
	}
	if !f.rightAccount {
		s.Account, s.Environment.Accounts = "999999999999", []string{account}
	}
	s.OwnTags = ownTags(*s)
	for _, tag := range ownTags(*s) {
		if tag.Key != stacks.TagClass && (f.tagged || tag.Key != stacks.TagProject) {
			s.LiveTags = append(s.LiveTags, tag)
		}
	}
	s.LiveTags = append(s.LiveTags, stacks.Tag{Key: stacks.TagClass, Value: string(f.live)})
	switch f.does {
	case "delete":
		r.Command, s.Deletes, s.Verbs = "delete", true, []stacks.Verb{stacks.Delete}
	case "again":
		s.Deletes, s.Again, s.Verbs = true, true, []stacks.Verb{stacks.Delete, stacks.Propose, stacks.Execute}
	case "propose":
		s.Verbs = []stacks.Verb{stacks.Propose, stacks.Discard, stacks.Upload}
	}
	s.NeverUp = f.neverUp
	r.Hooked, r.Terminal, r.Yes = f.hooked, f.terminal, f.yes
	r.Plans[0].Environment = "qa"
	if !f.recorded {
		r.Plans[0].Planner = user("mallory")
	}
	if f.planner != "" {
		r.Planners = []guard.Identity{user(f.planner)}
	}
	if !f.planFile {
		r.Digest = ""
	}
	f.given(&r, freezes)
	return r
}

// given adds what people gave for the environment.
func (f facts) given(r *guard.Request, freezes []guard.Freeze) {
	s := &r.Steps[0]
	r.Approvals = nil
	if f.approver != "" {
		who := user(f.approver)
		if strings.HasPrefix(f.approver, "botocore") {
			who = session("Approver", f.approver)
		}
		a := approval(*r, who)
		a.Environment, a.Freeze = "qa", f.forFreeze
		if !f.sameDigest {
			a.Digest = "sha256:2"
		}
		if !f.fresh {
			a.Expires = r.Now
		}
		r.Approvals = []guard.Approval{a}
	}
	r.Leases[0].Environment = "qa"
	if !f.lease {
		r.Leases = nil
	}
	p := r.Policies["prod"]
	p.Approvals, p.Lease.Required = f.needs, f.leaseNeeded
	if f.freeze {
		p.Freezes = freezes
	}
	r.Policies = map[string]guard.Policy{"qa": p}
	if f.released {
		r.Releases = []guard.Release{{Environment: "qa", Stack: s.Path, StackID: s.StackID, Made: r.Now, Expires: r.Now.Add(time.Hour)}}
	}
	if f.locked {
		r.Locks = []guard.Lock{{Environment: "qa", Run: "other"}}
	}
	if f.clockOff {
		r.Skew = -time.Hour
	}
	if f.holder {
		r.DataLoss = []string{"qa/network::Db"}
	}
	if f.relied {
		r.Separate = map[string]string{"qa/network::Vpc": "has the output VpcId, used by qa/app"}
	}
	if f.named {
		r.Allowed = []string{"qa/network"}
	}
	switch f.callers {
	case "dave here":
		acting(r, "qa", user("carol"), user("dave"))
	case "alice elsewhere":
		acting(r, "qa", user("carol"))
		acting(r, "dev", user("alice"))
	}
}

// allowed is what break.md section 8 and design.md section 3 say of a situation. It
// was written from them and knows nothing of the code.
func (f facts) allowed() bool {
	if !f.rightAccount || (f.class != stacks.Production && f.live == stacks.Production) {
		return false // P2; P1, a class weaker than that of the live tags
	}
	production := stacks.Strictest(f.class, f.live) == stacks.Production
	if f.does == "propose" && (!production || !f.hooked) {
		return true // planning always works
	}
	// P6: somebody whom approvers name, who neither planned nor applies.
	good := f.planFile && f.recorded && f.approver == "alice" && f.sameDigest && f.fresh && f.planner != "alice" && f.callers != "alice elsewhere"
	gone := f.does == "delete" || (f.does == "again" && !f.neverUp) // for good
	if f.does == "delete" && f.neverUp {
		gone = true
	}
	lets := good && f.forFreeze
	switch {
	case f.locked, f.needs > 0 && !good, f.freeze && !lets:
		return false // P12, P6, P7
	case f.leaseNeeded && (!f.lease || f.callers == "dave here"):
		return false // P10: the lease is carol's
	}
	if !production {
		phrase := stacks.Strictest(f.class, f.live) == stacks.Persistent && (f.does == "delete" || f.does == "again")
		weaker := f.live == stacks.Persistent && f.class == stacks.Development && f.does != "delete"
		switch {
		case f.planFile:
			return true
		case weaker:
			return f.typed == "phrase" && f.terminal
		case phrase:
			return f.typed == "phrase"
		}
		return f.typed == "y" || f.yes
	}
	acts := f.planFile && f.released && f.tagged && f.live == f.class && good
	switch {
	case f.clockOff:
		return false // freezes, approvals and leases are judged by it
	case !f.terminal && f.yes, !f.planFile && (!f.terminal || f.typed != "phrase"):
		return false // P4, P5
	case (f.holder || f.relied) && !f.named, f.holder && !good:
		return false // P8, P6
	case gone && !acts:
		return false // P9, P6
	}
	return true
}

// TestOnlyTheContractReachesAClearance: over any mix of class, account, tags,
// plan, planners, callers, approval, lease, freeze, release, lock, losses, hooks,
// terminal and typing, exactly what the contract allows is cleared.
func TestOnlyTheContractReachesAClearance(t *testing.T) {
	t.Parallel()
	freezes := frozen(t)
	tried, cleared := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		tried++
		f := drawFacts(t)
		r := f.request(freezes)
		answers := guard.Answers{}
		switch f.typed {
		case "y":
			answers["go"] = "y"
		case "phrase":
			answers["go"] = r.Phrase()
		}
		want := f.allowed()
		c, err := guard.Check(r, answers)
		if (err == nil) != want || (c.Run() != "") != want {
			t.Fatalf("cleared %v, clearance %q, the contract says %v: %v\n%+v", err == nil, c.Run(), want, err, f)
		}
		if want {
			cleared++
		}
	})
	if tried >= 100 && cleared == 0 { // fewer, as with -short, may all be refused
		t.Error("nothing was ever cleared: the test cannot fail")
	}
}
