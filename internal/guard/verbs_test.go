package guard_test

import (
	"testing"
	"time"

	"github.com/deployer-cli/deployer/internal/guard"
	"github.com/deployer-cli/deployer/stacks"
)

// TestNoCommandDeletesProduction: what is deleted for good needs a plan,
// whichever command asks; a stack that never came up may be made again.
func TestNoCommandDeletesProduction(t *testing.T) {
	t.Parallel()
	for _, command := range []string{"delete", "prune", "launch"} {
		s := step("prod", stacks.Production)
		s.Deletes, s.Verbs = true, []stacks.Verb{stacks.Delete}
		r := request(s)
		r.Command = command
		_, err := guard.Check(r, guard.Answers{"go": r.Phrase()})
		expect(t, err, 3, "P9")
	}
	s := step("prod", stacks.Production)
	s.Deletes, s.NeverUp, s.Verbs = true, true, []stacks.Verb{stacks.Delete, stacks.Create}
	r := terminal(request(s))
	if _, err := guard.Check(r, guard.Answers{"go": r.Phrase()}); err != nil {
		t.Errorf("making a stack again: %v", err)
	}
	s.NeverUp = false // it came up once, and its deletion stopped half-way
	r = terminal(request(s))
	_, err := guard.Check(r, guard.Answers{"go": r.Phrase()})
	expect(t, err, 3, "P9")
}

// TestMakingAgain: a stack that is deleted and made again has two ids in one
// run. The new one may be carried out, and only the old one deleted.
func TestMakingAgain(t *testing.T) {
	t.Parallel()
	s := step("dev", stacks.Development)
	s.StackID, s.Again = "old", true
	s.Verbs = []stacks.Verb{stacks.Delete, stacks.Unprotect, stacks.Propose, stacks.Execute}
	r := yes(request(s))
	c, err := guard.Check(r, nil)
	if err != nil {
		t.Fatal(err)
	}
	permits := func(v stacks.Verb, id string, want bool) {
		t.Helper()
		call := guard.Call{Verb: v, StackID: id, Path: s.Path, Name: s.Name, Account: account, Region: "eu-west-1", Run: "r1", At: r.Now}
		if err := c.Permits(call); (err == nil) != want {
			t.Errorf("%s %q: %v", v, id, err)
		}
	}
	permits(stacks.Delete, "new", false)
	permits(stacks.Execute, "new", false)
	permits(stacks.Unprotect, "old", true)
	permits(stacks.Delete, "old", true)
	permits(stacks.Propose, "", true)
	c.Made(s.Path, "new")
	permits(stacks.Execute, "new", true)
	permits(stacks.Delete, "new", false)
	permits(stacks.Unprotect, "new", false)
	permits(stacks.Execute, "old", false)
}

func TestExecuteIsRefusedInProduction(t *testing.T) {
	t.Parallel()
	s := step("prod", stacks.Production)
	s.Verbs = []stacks.Verb{stacks.Execute}
	r := request(s)
	r.Command = "execute"
	_, err := guard.Check(r, guard.Answers{"go": r.Phrase()})
	expect(t, err, 3, "P5")

	s = step("dev", stacks.Development)
	s.Verbs = []stacks.Verb{stacks.Execute}
	r = yes(request(s))
	r.Command = "execute"
	if _, err := guard.Check(r, nil); err != nil {
		t.Errorf("in development: %v", err)
	}
}

// TestProposingACreation: a change set that creates a stack names no id; one
// for a stack that lives has to.
func TestProposingACreation(t *testing.T) {
	t.Parallel()
	for id, allowed := range map[string]bool{"": true, "arn:1": false} {
		s := step("dev", stacks.Development)
		s.StackID, s.Verbs = id, []stacks.Verb{stacks.Propose}
		r := yes(request(s))
		c, err := guard.Check(r, nil)
		if err != nil {
			t.Fatal(err)
		}
		err = c.Permits(guard.Call{
			Verb: stacks.Propose, Path: s.Path, Name: s.Name, Account: account, Region: "eu-west-1", Run: "r1", At: r.Now.Add(time.Minute),
		})
		if (err == nil) != allowed {
			t.Errorf("looked at as %q: %v", id, err)
		}
	}
}
