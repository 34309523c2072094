package main_test

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
)

// wish is a command in a situation that was drawn at random, in the words of the
// contract.
type wish struct {
	deletes        bool   // else it updates
	class, live    string // by the file, and under which the stacks were launched
	account        bool   // the credentials are of the environment's account
	region         bool
	planned        bool // applies a plan by bob, else goes by what is typed
	digest, edited bool // the right digest; the file was edited
	approved       string
	old            bool // the approval is over
	freezeApproved bool
	needs          int
	frozen         bool
	leaseNeeded    bool
	lease          string // whose
	released       bool
	locked         bool
	clock          time.Duration
	terminal, yes  bool
	typed          string // "", y, phrase
}

func drawWish(t *rapid.T) wish {
	mostly := func(name string) bool { return rapid.IntRange(0, 7).Draw(t, name) > 0 }
	seldom := func(name string) bool { return !mostly(name) }
	classes := []string{"production", "production", "persistent", "development"}
	w := wish{deletes: rapid.IntRange(0, 2).Draw(t, "deletes") == 0, class: rapid.SampledFrom(classes).Draw(t, "class")}
	w.live = w.class
	if seldom("reclassed") {
		w.live = rapid.SampledFrom(classes).Draw(t, "live class")
	}
	w.account, w.region, w.planned = mostly("account"), mostly("region"), rapid.Bool().Draw(t, "planned")
	w.digest, w.edited = mostly("digest"), seldom("edited")
	w.approved, w.old = rapid.SampledFrom([]string{"alice", "alice", "alice", "carol", ""}).Draw(t, "approved by"), seldom("old")
	w.freezeApproved, w.frozen = rapid.Bool().Draw(t, "for a freeze"), rapid.IntRange(0, 3).Draw(t, "frozen") == 0
	w.needs, w.leaseNeeded = rapid.IntRange(0, 1).Draw(t, "approvals"), rapid.IntRange(0, 2).Draw(t, "lease needed") == 0
	w.lease, w.released = rapid.SampledFrom([]string{"carol", "carol", "alice", ""}).Draw(t, "lease of"), mostly("released")
	w.locked = seldom("locked")
	if seldom("clock off") {
		w.clock = time.Hour
	}
	w.terminal, w.yes = rapid.Bool().Draw(t, "terminal"), rapid.IntRange(0, 3).Draw(t, "yes") == 0
	w.typed = rapid.SampledFrom([]string{"", "y", "phrase", "phrase"}).Draw(t, "typed")
	return w
}

// writes is what the contract says of a wish (break.md section 8, design.md section
// 3): whether anything may be sent. It was written from there.
func (w wish) writes() bool {
	strictest := w.class
	for _, class := range []string{"development", "persistent", "production"} {
		if w.class == class || w.live == class {
			strictest = class
		}
	}
	production := strictest == "production"
	switch {
	case !w.account, !w.region: // P2
		return false
	case w.live == "production" && w.class != "production": // P1
		return false
	case w.locked, production && w.clock != 0: // P12, and what is judged by the clock
		return false
	case w.planned && (!w.digest || w.edited): // P5
		return false
	}
	good := w.planned && w.approved == "alice" && !w.old
	switch {
	case w.needs > 0 && !good, w.frozen && !(good && w.freezeApproved): //nolint:staticcheck // as it is written there
		return false // P6, P7
	case w.leaseNeeded && w.lease != "carol":
		return false // P10
	}
	phrase := w.terminal && w.typed == "phrase"
	agreed := w.terminal && (w.typed == "y")
	switch {
	case production && w.deletes:
		return good && w.released && w.live == w.class && (w.terminal || !w.yes) // P9
	case production:
		return (w.planned || phrase) && (w.terminal || !w.yes) // P4, P5
	case w.planned:
		return true
	case strictest == "persistent" && w.deletes, w.weaker():
		return phrase
	}
	return agreed || w.yes
}

// weaker tells whether what lives as persistent would be less.
func (w wish) weaker() bool {
	return w.live == "persistent" && w.class == "development" && !w.deletes
}

// try plays a wish and tells what was sent.
func (w wish) try(t testing.TB, dir string) (ran, []string) {
	p := newPlace(t, dir, w.live)
	arg, phrase := "main/b", "main 1 changes 0 deletes\n"
	if w.deletes {
		arg, phrase = "main/a", "main 1 changes 1 deletes\n"
	}
	if w.weaker() {
		phrase = "main 1 changes 0 deletes 1 weakened\n"
	}
	s := situation{class: w.class, account: here, bucket: "records", approvers: everybody}
	p.block(s)
	weakened := w.live == "production" && w.class != "production"
	if w.deletes && w.released && w.class == "production" && w.live == "production" {
		p.must("bob", typing{"main 1 changes 0 deletes\n", true}, "guard", "release", arg, "--reason", "test")
	}
	command := []string{"launch", arg}
	if w.deletes {
		command[0] = "delete"
	}
	if w.planned && !weakened {
		planning := []string{arg}
		if w.deletes {
			planning = append(planning, "--delete", "--allow-delete", arg)
		}
		digest := p.planned(planning...)
		command = command[:1]
		w.approve(p, digest)
	}
	s.lease = true
	p.block(s)
	if w.lease != "" {
		p.must(w.lease, typing{"unlock main\n", true}, "unlock", environs, "--for", "30m", "--reason", "test")
	}
	return p.try(w.around(s, phrase), command...)
}

// approve has the plan approved as the wish says.
func (w wish) approve(p *place, digest string) {
	args := []string{"approve", "--plan", "f.plan", "--digest", digest, "--for", "20m"}
	if w.freezeApproved {
		args = append(args, "--during-freeze", "--reason", "test")
	}
	if w.approved != "" {
		p.must(w.approved, typing{}, args...)
	}
	if w.old {
		<-time.NewTimer(21 * time.Minute).C
	}
}

// around is the situation in which the wish is tried.
func (w wish) around(s situation, phrase string) situation {
	s.approvals, s.lease, s.user = w.needs, w.leaseNeeded, "carol"
	s.terminal, s.yes, s.edited, s.clock = w.terminal, w.yes, w.edited, w.clock
	switch w.typed {
	case "y":
		s.typed = "y\n"
	case "phrase":
		s.typed = phrase
	}
	if !w.account {
		s.account = "999999999999"
	}
	if !w.region {
		s.region = "us-east-1"
	}
	if w.frozen {
		s.freeze = frozenNow
	}
	if w.locked {
		s.locked = heldByThem
	}
	if !w.digest {
		s.digest = "sha256:0"
	}
	return s
}

// TestOnlyTheContractReachesAWrite: over random combinations of class, account,
// tags, plan, approval, lease, freeze, release, lock, clock and typing, what is sent
// to AWS is sent exactly where the contract allows it. Everything in between is real.
func TestOnlyTheContractReachesAWrite(t *testing.T) {
	t.Parallel()
	// holds plays w, fails where it goes otherwise than the contract says, and tells
	// whether anything was sent.
	holds := func(fatal func(string, ...any), w wish) bool {
		dir := t.TempDir()
		var got ran
		var sent []string
		synctest.Test(t, func(t *testing.T) { got, sent = w.try(t, dir) })
		sent = slices.DeleteFunc(sent, proposal) // planning always works
		if want := w.writes(); want != (len(sent) > 0) || want != (got.Exit == 0) {
			fatal("exit %d, sent %v, the contract says %v\n%+v\n%s", got.Exit, sent, want, w, errorsOf(got))
		}
		return len(sent) > 0
	}
	// The draws may all be refused: one wish has all it needs.
	granted := wish{
		deletes: true, class: "production", live: "production", account: true, region: true, planned: true, digest: true,
		approved: "alice", freezeApproved: true, needs: 1, frozen: true, leaseNeeded: true, lease: "carol", released: true,
	}
	if !holds(t.Fatalf, granted) {
		t.Error("nothing is ever let through: the test cannot fail")
	}
	rapid.Check(t, func(r *rapid.T) { holds(r.Fatalf, drawWish(r)) })
}

func errorsOf(r ran) string {
	var out strings.Builder
	for line := range strings.Lines(r.Stderr) {
		if strings.Contains(line, "error:") {
			out.WriteString(line)
		}
	}
	return out.String()
}
