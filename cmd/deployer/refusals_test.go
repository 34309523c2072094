package main_test

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// attempt is a command in a situation in which nothing speaks against it.
type attempt struct {
	base  situation
	ready func(p *place) // what people do before
	args  []string
	plan  bool // it applies a plan
	never int  // exit code of what never goes through, whatever speaks for it
}

// attempts are the commands that write to production.
func attempts() map[string]attempt {
	typed := func(phrase string) situation {
		return situation{class: "production", account: here, user: "carol", terminal: true, typed: phrase + "\n"}
	}
	applied := situation{class: "production", account: here, bucket: "records", approvals: 1, approvers: everybody, user: "carol"}
	// planned has a plan made, and approved by alice.
	planned := func(args ...string) func(*place) {
		return func(p *place) {
			p.block(situation{class: "production", account: here, bucket: "records", approvers: everybody})
			if last := args[len(args)-1]; last == "--delete" || last == "--prune" {
				p.obsolete = last == "--prune"
				p.stacks("second", false)
				p.must("bob", typing{"main 1 changes 0 deletes\n", true}, "guard", "release", "main/a", "--reason", "test")
				args = append(args, "--allow-delete", "main/a")
			}
			p.approve("alice", p.planned(args...))
		}
	}
	obsolete := func(p *place) { p.obsolete = true }
	return map[string]attempt{
		"prune --plan":   {base: applied, ready: planned(environs, "--prune"), args: []string{"prune"}, plan: true},
		"delete":         {base: typed("main 2 changes 2 deletes"), args: []string{"delete", environs}, never: 3},
		"prune":          {base: typed("main 1 changes 1 deletes"), ready: obsolete, args: []string{"prune", environs}, never: 3},
		"launch --prune": {base: typed("main 2 changes 1 deletes"), ready: obsolete, args: []string{"launch", environs, "--prune"}, never: 3},
		"execute": {base: typed("main 1 changes 0 deletes"), ready: func(p *place) {
			p.must("bob", typing{}, "create", "main/b", "mine", "--no-hooks")
		}, args: []string{"execute", "main/b", "mine"}, never: 3},
		"launch":        {base: typed("main 1 changes 0 deletes"), args: []string{"launch", environs}},
		"update":        {base: typed("main 1 changes 0 deletes"), args: []string{"update", environs}},
		"set-policy":    {base: typed("main 1 changes 0 deletes"), args: []string{"set-policy", "main/a", "-b", "deny-all"}},
		"guard release": {base: typed("main 1 changes 0 deletes"), args: []string{"guard", "release", "main/a", "--reason", "test"}},
		"a change set":  {base: typed("main 1 changes 0 deletes"), args: []string{"create", "main/b", "mine"}},
		"launch --plan": {base: applied, ready: planned("main/b"), args: []string{"launch"}, plan: true},
		"delete --plan": {base: applied, ready: planned("main/a", "--delete"), args: []string{"delete"}, plan: true},
	}
}

// approve has a plan approved by somebody.
func (p *place) approve(user, digest string) {
	p.t.Helper()
	p.must(user, typing{}, "approve", "--plan", "f.plan", "--digest", digest)
}

// refusal is one thing that speaks against a command. Those of one field exclude
// each other.
type refusal struct {
	field string
	spoil func(*situation)
	typed int  // exit code of commands at a terminal, 0: it does not concern them
	plan  int  // and of those that apply a plan
	asked bool // change sets are shown before anybody is asked
}

func refusals() map[string]refusal {
	return map[string]refusal{
		"P1 a class that is misspelt":       {"class", func(s *situation) { s.class = "prodution" }, 2, 2, false},
		"P1 a class that is templated":      {"class", func(s *situation) { s.class = "{{ var.class }}" }, 2, 2, false},
		"P1 a class weaker than the tags":   {"class", func(s *situation) { s.class = "development" }, 3, 5, false},
		"P1 tags of another project":        {"project", func(s *situation) { s.project = "ffeeddccbbaa0099" }, 3, 0, false},
		"P1 two files of one stack name":    {"twins", func(s *situation) { s.twins = true }, 2, 2, false},
		"P1 no accounts":                    {"account", func(s *situation) { s.account = "" }, 2, 2, false},
		"P2 another account":                {"account", func(s *situation) { s.account = "999999999999" }, 5, 5, false},
		"P2 another region":                 {"region", func(s *situation) { s.region = "us-east-1" }, 5, 5, false},
		"P4 --yes":                          {"terminal", func(s *situation) { s.yes, s.terminal, s.typed = true, false, "" }, 4, 4, false},
		"P4 a y":                            {"typed", func(s *situation) { s.typed = "y\n" }, 4, 0, true},
		"P4 the end of the input":           {"typed", func(s *situation) { s.typed = "" }, 4, 0, true},
		"P4 another phrase":                 {"typed", func(s *situation) { s.typed = "main 7 changes 0 deletes\n" }, 4, 0, true},
		"P5 a pipe of yes":                  {"terminal", func(s *situation) { s.terminal, s.typed = false, strings.Repeat("yes\n", 50) }, 4, 0, false},
		"P5 the phrase from a pipe":         {"terminal", func(s *situation) { s.terminal = false }, 4, 0, false},
		"P5 another digest":                 {"plan", func(s *situation) { s.digest = "sha256:0" }, 0, 5, false},
		"P5 an edited plan":                 {"plan", func(s *situation) { s.edited = true }, 0, 5, false},
		"P6 two approvals":                  {"approvals", func(s *situation) { s.approvals = 2 }, 0, 4, false},
		"P6 an approver whom nobody names":  {"approvers", func(s *situation) { s.approvers = "arn:aws:iam::*:user/zoe" }, 0, 4, false},
		"P6 the approver applies":           {"user", func(s *situation) { s.user = "alice" }, 0, 4, false},
		"P6 approvals on one machine":       {"bucket", func(s *situation) { s.bucket, s.approvals = "", 1 }, 2, 2, false},
		"P7 a freeze":                       {"freeze", func(s *situation) { s.freeze = frozenNow }, 3, 3, false},
		"P7 a freeze that cannot be read":   {"freeze", func(s *situation) { s.freeze = "soon/later" }, 2, 2, false},
		"P7 a clock that is an hour behind": {"clock", func(s *situation) { s.clock = time.Hour }, 3, 3, false},
		"P7 a clock that is an hour ahead":  {"clock", func(s *situation) { s.clock = -time.Hour }, 3, 3, false},
		"P10 no lease":                      {"lease", func(s *situation) { s.lease = true }, 3, 3, false},
		"P11 a bucket that takes no writes": {"bucket", func(s *situation) { s.bucket, s.sealed = "records", true }, 3, 3, true},
		"P11 a bucket that is not there":    {"bucket", func(s *situation) { s.bucket = "nobodys" }, 3, 3, false},
		"P12 a lock":                        {"lock", func(s *situation) { s.locked = heldByThem }, 7, 7, false},
		"P12 a lock that cannot be read":    {"lock", func(s *situation) { s.locked = "{" }, 7, 7, false},
		"protect":                           {"protect", func(s *situation) { s.protect = true }, 3, 5, false},
	}
}

func (r refusal) code(a attempt) int {
	if a.plan {
		return r.plan
	}
	return r.typed
}

// TestEveryRefusalAloneAndInPairs: each command that writes to production, with each
// thing that speaks against it, alone and with each other: refused with the right
// code, and the record of what reached AWS holds no write. In the end, with nothing
// against it, the same command goes through, but for what never does.
func TestEveryRefusalAloneAndInPairs(t *testing.T) {
	t.Parallel()
	all := refusals()
	names := slices.Sorted(maps.Keys(all))
	for command, a := range attempts() {
		t.Run(command, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			synctest.Test(t, func(t *testing.T) {
				p := newPlace(t, dir, "production")
				if a.ready != nil {
					a.ready(p)
				}
				for i, one := range names {
					for _, other := range names[i:] {
						if testing.Short() && other != one {
							continue // the race detector has seen it by then
						}
						p.refused(a, command, [2]string{one, other})
					}
				}
				r, sent := p.try(a.base, a.args...)
				if r.Exit != a.never || (len(sent) == 0) != (a.never > 0) {
					t.Errorf("with nothing against it: exit %d, sent %v\n%s", r.Exit, sent, r.Stderr)
				}
			})
		})
	}
}

// proposal tells whether a call only makes or drops a change set.
func proposal(call string) bool { return call == "CreateChangeSet" || call == "DeleteChangeSet" }

// refused tries a command with one or two things against it.
func (p *place) refused(a attempt, command string, names [2]string) {
	p.t.Helper()
	one, other := refusals()[names[0]], refusals()[names[1]]
	if one.code(a) == 0 || other.code(a) == 0 || (one.field == other.field && names[0] != names[1]) {
		return
	}
	s := a.base
	one.spoil(&s)
	other.spoil(&s)
	r, sent := p.try(s, a.args...)
	if one.asked && other.asked {
		sent = slices.DeleteFunc(sent, proposal)
	}
	if r.Exit == 0 || !slices.Contains([]int{one.code(a), other.code(a), a.never}, r.Exit) || len(sent) > 0 {
		p.t.Fatalf("%s, %s and %s: exit %d, sent %v\n%s", command, names[0], names[1], r.Exit, sent, r.Stderr)
	}
}
