package journal_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/deployer-cli/deployer/internal/event"
	"github.com/deployer-cli/deployer/internal/journal"
	"github.com/deployer-cli/deployer/stacks"
)

// Of each environment the latest runs are left, and all that are not finished.
func TestPrune(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	begun := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	n := 0
	file := func(run, environments string, entries ...string) {
		n++
		first := fmt.Sprintf(`{"journal":1,"run":%q,"time":%q%s}`, run, begun.Add(time.Duration(n)*time.Minute).Format(time.RFC3339), environments)
		name := filepath.Join(dir, run+".jsonl")
		if err := os.WriteFile(name, []byte(first+"\n"+strings.Join(entries, "\n")), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(name, begun, begun); err != nil {
			t.Fatal(err)
		}
	}
	const (
		dev, both = `,"environments":["dev"]`, `,"environments":["dev","prod"]`
		started   = `{"kind":"run-started"}`
		ended     = `{"kind":"step-done"}` + "\n" + `{"kind":"run-finished"}` + "\n"
		proposes  = `{"kind":"intent","intent":{"verb":"propose","stack":"dev/a","name":"a"}}` + "\n"
		updates   = `{"kind":"intent","intent":{"verb":"update","stack":"dev/a","name":"a"}}` + "\n"
	)
	file("old-prod", both, started, ended)
	file("killed", dev, started)
	file("torn", dev, started, `{"kind":"run-finished"`)
	file("garbage", dev, started, "garbage\n")
	file("acted", dev, updates)
	file("old-nowhere", "", started, ended)
	for i := range journal.Keep + 7 {
		file(fmt.Sprintf("dev-%02d", i), dev, started, ended)
		file(fmt.Sprintf("plan-%02d", i), dev, proposes)
	}
	file("just-now", dev, started, ended)
	if err := os.Chtimes(filepath.Join(dir, "dev-00.jsonl"), begun, begun.Add(30*24*time.Hour)); err != nil {
		t.Fatal(err)
	}
	now := begun.Add(30*24*time.Hour + time.Minute)
	gone, err := journal.Prune(dir, now)
	if err != nil || gone != 7+7 {
		t.Fatalf("%d are gone, %v", gone, err)
	}
	for name, want := range map[string]bool{
		"old-prod": true, "killed": true, "torn": true, "garbage": true, "acted": true, "old-nowhere": true, "just-now": true,
		"dev-00": true, // written to a moment ago
		"dev-01": false, "dev-07": false, "dev-08": true, "plan-06": false, "plan-07": true,
	} {
		if _, err := os.Stat(filepath.Join(dir, name+".jsonl")); (err == nil) != want {
			t.Errorf("%s is left: %v, want %v", name, err == nil, want)
		}
	}
	if again, err := journal.Prune(dir, now); again != 0 || err != nil {
		t.Errorf("%d more are gone, %v", again, err)
	}
}

// What Prune knows of a journal was written when it was opened.
func TestJournalKnowsItsEnvironments(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for i := range journal.Keep + 1 {
		j, err := journal.Open(dir, fmt.Sprintf("r%02d", i), "dev")
		if err != nil {
			t.Fatal(err)
		}
		if err := j.Append(event.Event{Kind: event.RunFinished}); err != nil {
			t.Fatal(err)
		}
		_ = j.Close()
	}
	j, err := journal.Open(dir, "other", "prod")
	if err != nil {
		t.Fatal(err)
	}
	if err := j.Intend(journal.Intent{Verb: stacks.Propose, Stack: "prod/a"}); err != nil {
		t.Fatal(err)
	}
	_ = j.Close()
	if gone, err := journal.Prune(dir, time.Now()); gone != 0 || err != nil {
		t.Errorf("%d are gone at once, %v", gone, err)
	}
	if gone, err := journal.Prune(dir, time.Now().Add(2*time.Hour)); gone != 1 || err != nil {
		t.Errorf("%d are gone, %v", gone, err)
	}
	runs, err := journal.Runs(dir)
	if err != nil || len(runs) != journal.Keep+1 || runs[0].Environments[0] != "dev" {
		t.Errorf("%v, %v", runs, err)
	}
}
