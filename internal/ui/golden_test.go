package ui

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/deployer-cli/deployer/internal/event"
	"github.com/deployer-cli/deployer/internal/execute"
	"github.com/deployer-cli/deployer/internal/plan"
	"github.com/deployer-cli/deployer/stacks"
)

var update = flag.Bool("update", false, "write the goldens")

// golden compares with testdata/NAME.txt; escape codes stand there as \e.
func golden(t *testing.T, name, got string) {
	t.Helper()
	got = strings.ReplaceAll(got, "\x1b", `\e`)
	file := filepath.Join("testdata", name+".txt")
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s: got\n%s\nwant\n%s", file, got, want)
	}
}

// styles are a log and a terminal with colours.
var styles = map[string]Style{"plain": NewStyle(false), "colour": NewStyle(true)}

func TestBanner(t *testing.T) {
	t.Parallel()
	banners := []Banner{
		{Environment: "dev", Class: stacks.Development, Account: "111111111111", Region: "eu-west-1", Realm: stacks.RealmSandbox},
		{Environment: "staging", Class: stacks.Persistent, Account: "111111111111", Region: "eu-west-1", Realm: stacks.RealmAWS},
		{Environment: "prod", Class: stacks.Production, Production: true, Account: "222222222222", Region: "eu-west-1", Realm: stacks.RealmAWS},
		{Environment: "shop/live", Production: true, Account: "222222222222", Region: "eu-west-1", Realm: stacks.RealmAWS},
		{Environment: "tools", Account: "111111111111", Region: "us-east-1", Realm: stacks.RealmEndpoint, Endpoint: "http://127.0.0.1:4566"},
		{Region: "eu-west-1", Realm: "files only"},
	}
	for name, style := range styles {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out strings.Builder
			for _, columns := range []int{0, 40} {
				for _, b := range banners {
					b.Show(&out, style, columns)
				}
			}
			golden(t, "banner-"+name, out.String())
		})
	}
}

// somePlan has a step of every kind.
func somePlan() *plan.Plan {
	live := &stacks.Live{Status: stacks.CreateComplete}
	change := func(id, typ, action, replacement string, data bool) stacks.ResourceChange {
		return stacks.ResourceChange{LogicalID: id, Type: typ, Action: action, Replacement: replacement, Data: data}
	}
	many := make([]stacks.ResourceChange, 0, 20)
	for range 20 {
		many = append(many, change("Alarm", "AWS::CloudWatch::Alarm", "modify", "false", false))
	}
	return &plan.Plan{
		Digest: "sha256:0123",
		Steps: []plan.Step{
			{Stack: "dev/network", Action: plan.Create, Cause: "new stack, waits for nothing", Changes: many[:3]},
			{
				Stack: "dev/database", Action: plan.Update, Cause: "parameter Size: 20 -> 40", After: []stacks.Path{"dev/network"},
				Diff: []plan.Difference{
					{Part: "parameter", Key: "Size", Old: "20", New: "40"},
					{Part: "parameter", Key: "Name", New: "x", Why: "resets Name to its default"},
					{Part: "tag", Key: "team", Old: "a"},
					{Part: "policy"},
					{Part: "template"},
				},
				Changes: []stacks.ResourceChange{
					change("Db", "AWS::RDS::DBInstance", "modify", "true", true),
					change("Backup", "AWS::S3::Bucket", "remove", "false", true),
					change("Maybe", "AWS::EC2::Instance", "modify", "conditional", false),
					change("New", "AWS::SNS::Topic", "add", "false", false),
					change("Same", "AWS::SQS::Queue", "modify", "false", true),
				},
			},
			{Stack: "dev/alarms", Action: plan.Update, Late: true, Cause: "waits for Name of dev/database", Changes: many, Outside: true},
			{Stack: "dev/broken", Action: plan.Recreate, Cause: "it never came up (ROLLBACK_COMPLETE)", Asks: "delete dev/broken and create it again?"},
			{Stack: "dev/old", Action: plan.Delete, Cause: "asked for", Blocked: "it has termination protection", Changes: many[:1]},
			{Stack: "dev/busy", Action: plan.Join, Cause: "is UPDATE_IN_PROGRESS: wait for it"},
			{Stack: "dev/same", Action: plan.None, Cause: "nothing changed", Live: live},
			{Stack: "dev/gone", Action: plan.None, Cause: "does not exist"},
			{Stack: "dev/ignored", Action: plan.Skip, Cause: "ignore: true"},
		},
	}
}

func TestShowPlan(t *testing.T) {
	t.Parallel()
	for name, style := range styles {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out strings.Builder
			ShowPlan(&out, style, somePlan(), 0)
			ShowDigest(&out, style, somePlan())
			ShowPlan(&out, style, &plan.Plan{}, 0)
			golden(t, "plan-"+name, out.String())
		})
	}
}

func TestShowDiff(t *testing.T) {
	t.Parallel()
	diffs := []StackDiff{
		{Stack: "dev/new", Name: "shop-dev-new"},
		{Stack: "dev/same", Name: "shop-dev-same", Exists: true},
		{
			Stack: "dev/queue", Name: "shop-dev-queue", Exists: true,
			Differences: []plan.Difference{{Part: "parameter", Key: "Seconds", Old: "60", New: "90"}},
			Template:    Unified("live/dev/queue", []byte("a: 1\nb: 2\n"), "project/dev/queue", []byte("a: 1\nb: 3\n")),
		},
	}
	for name, style := range styles {
		var out strings.Builder
		for _, d := range diffs {
			ShowDiff(&out, style, d, 0)
		}
		golden(t, "diff-"+name, out.String())
	}
}

func TestSummary(t *testing.T) {
	t.Parallel()
	begun := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	results := []execute.Result{
		{
			Outcomes:  map[stacks.Path]execute.Outcome{"a": execute.Created, "b": execute.Updated, "c": execute.Unchanged},
			Durations: map[stacks.Path]time.Duration{"a": 61 * time.Second, "b": 1500 * time.Millisecond},
			Critical:  []stacks.Path{"a", "b"}, Started: begun, Ended: begun.Add(63 * time.Second),
		},
		{
			Outcomes:  map[stacks.Path]execute.Outcome{"a": execute.Failed, "b": execute.Skipped, "c": execute.Recreated},
			Durations: map[stacks.Path]time.Duration{"a": time.Second, "c": 2 * time.Hour},
			Failures:  []*execute.StepError{{Stack: "a", What: "failed"}}, Started: begun, Ended: begun.Add(2 * time.Hour),
		},
		{
			Outcomes:    map[stacks.Path]execute.Outcome{"a": execute.Running, "b": execute.Unknown, "c": execute.NotStarted},
			Interrupted: true, Started: begun, Ended: begun,
		},
		{Outcomes: map[stacks.Path]execute.Outcome{"a": execute.Unchanged}, Started: begun, Ended: begun},
		{Started: begun, Ended: begun},
	}
	for name, style := range styles {
		var out strings.Builder
		for _, r := range results {
			Summary(&out, style, "launch dev", r)
		}
		golden(t, "summary-"+name, out.String())
	}
}

// story is a run in which everything happens that leaves a line behind.
func story() []event.Event {
	return []event.Event{
		{Kind: event.RunStarted, Action: "launch", Total: 6},
		{Kind: event.StepDone, Stack: "dev/same", Action: "unchanged"},
		{Kind: event.StepStarted, Stack: "dev/network", Action: "create", Total: 2},
		{Kind: event.StepStarted, Stack: "dev/queue", Action: "recreate", Total: 1},
		{Kind: event.StepStarted, Stack: "dev/late", Action: "update", Total: 1},
		{Kind: event.StepDone, Stack: "dev/late", Action: "unchanged", Seconds: 0.1},
		{Kind: event.Resource, Stack: "dev/network", Resource: "Vpc", Type: "AWS::EC2::VPC", Status: "CREATE_IN_PROGRESS", Total: 2},
		{Kind: event.Resource, Stack: "dev/network", Resource: "Vpc", Type: "AWS::EC2::VPC", Status: "CREATE_FAILED", Reason: "no room\nleft", Total: 2},
		{Kind: event.Hook, Stack: "dev/network", Action: "after_create", Reason: "echo hello"},
		{Kind: event.Warning, Stack: "dev/queue", Reason: "something is odd"},
		{Kind: event.StepFailed, Stack: "dev/network", Reason: "create ended in ROLLBACK_COMPLETE: no room", Seconds: 61},
		{Kind: event.StepSkipped, Stack: "dev/app", Cause: "dev/network failed"},
		{Kind: event.Draining, Cause: "waiting for what runs"},
		{Kind: event.Detached},
		{Kind: event.StepUnknown, Stack: "dev/queue", Action: "unknown", Reason: "the credentials have expired"},
		{Kind: event.RunFinished},
	}
}
