package journal_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/deployer-cli/deployer/internal/event"
	"github.com/deployer-cli/deployer/internal/journal"
	"github.com/deployer-cli/deployer/stacks"
)

// The latest operation of each stack is known with its token, and with its id and
// time once it was accepted; what begins none does not count.
func TestOperations(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	at := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	note := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	one := open(t, dir, "one")
	intend := func(j *journal.Journal, verb stacks.Verb, p stacks.Path, token string, after time.Duration) {
		t.Helper()
		note(j.Intend(journal.Intent{Verb: verb, Stack: p, Name: "n-" + string(p), Token: token, Time: at.Add(after)}))
	}
	intend(one, stacks.Create, "a", "t1", 0)
	note(one.Append(event.Event{Kind: event.StepAccepted, Stack: "a", Token: "t1", StackID: "id-a", Operation: "op", Accepted: at}))
	note(one.Append(event.Event{Kind: event.Resource, Stack: "a", Reason: `"kind":"intent" step-accepted`}))
	intend(one, stacks.Policy, "a", "t2", time.Second)
	intend(one, stacks.Create, "b", "t3", time.Second)
	two := open(t, dir, "two")
	intend(two, stacks.Update, "b", "t4", time.Minute)
	note(two.Append(event.Event{Kind: event.StepAccepted, Stack: "b", Token: "another"}))
	if err := os.WriteFile(filepath.Join(dir, "two.jsonl"), append(read(t, dir, "two"), "{\"kind\":\"intent\",\n"...), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := journal.Operations(dir, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	a, b := got["a"], got["b"]
	if len(got) != 2 || !a.Known || a.Verb != stacks.Create || a.StackID != "id-a" || a.Operation != "op" || !a.Accepted.Equal(at) || a.Run != "one" {
		t.Errorf("a: %+v", a)
	}
	if b.Known || b.Verb != stacks.Update || b.Token != "t4" || b.Run != "two" {
		t.Errorf("b: %+v", b)
	}
	if got, err = journal.Operations(dir, time.Now().Add(time.Hour)); err != nil || len(got) != 0 {
		t.Errorf("of journals nobody wrote to: %v, %v", got, err)
	}
}

func read(t *testing.T, dir, run string) []byte {
	t.Helper()
	body, err := os.ReadFile(filepath.Join(dir, run+".jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	return body
}
