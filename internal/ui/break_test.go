package ui

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"

	"github.com/deployer-cli/deployer/internal/blast"
	"github.com/deployer-cli/deployer/internal/capsule"
	"github.com/deployer-cli/deployer/internal/chaos"
	"github.com/deployer-cli/deployer/internal/event"
	"github.com/deployer-cli/deployer/internal/guard"
	"github.com/deployer-cli/deployer/stacks"
)

// widthsOf are a pipe, and terminals from narrow to wide.
var widthsOf = []int{0, 40, 80, 150}

// brokenAt is the moment at which the break of these tests began.
var brokenAt = time.Date(2026, 11, 22, 23, 50, 0, 0, time.UTC)

// someBreak takes two stacks along, and has a holder of data of every kind.
func someBreak() *blast.Plan {
	holder := func(stack stacks.Path, id, typ, cover, more string) blast.Holder {
		h := blast.Holder{Stack: stack, LogicalID: id, Type: typ, Cover: cover}
		if cover == blast.Snapshot {
			h.Parameter = more
		} else {
			h.Why = more
		}
		return h
	}
	return &blast.Plan{
		Environment: "dev", Account: "111111111111", Region: "eu-west-1", Kind: blast.DeleteStack,
		By: guard.Identity{ARN: "arn:aws:sts::111111111111:assumed-role/team/somebody@example.com"}, Choice: blast.Choice{Random: 1, Seed: "monday"},
		Targets: []stacks.Path{"dev/network"},
		Steps: []blast.Step{
			{Stack: "dev/dns", Why: []string{"its Zone (AWS::Route53::HostedZone) uses AWS::EC2::VPC vpc-08b507253b790071e of dev/network"}},
			{Stack: "dev/database", Why: []string{"it imports shop-dev-network-PrivateSubnets of dev/network", "it imports shop-dev-network-VpcId of dev/network"}},
			{Stack: "dev/network", Target: true, Why: []string{"it was chosen"}, After: []stacks.Path{"dev/database", "dev/dns"}},
		},
		Radius: blast.Radius{
			RTOSeconds: 1800, Dependents: []blast.Dependent{{Stack: "dev/alarms", Loses: []stacks.Path{"dev/database", "dev/dns"}}},
			Stacks: []blast.StackRadius{
				{Stack: "dev/dns", AgeSeconds: 195, Resources: 3, Policies: map[string]int{"Delete": 3}},
				{
					Stack: "dev/database", AgeSeconds: 86400, Resources: 13, Policies: map[string]int{"Delete": 10, "Retain": 2, "Snapshot": 1},
					Holders: []blast.Holder{
						holder("dev/database", "Archive", "AWS::S3::Bucket", blast.Retained, ""),
						holder("dev/database", "Database", "AWS::RDS::DBInstance", blast.Snapshot, "SnapshotId"),
						holder("dev/database", "Orders", "AWS::DynamoDB::Table", blast.Expendable, ""),
						holder("dev/database", "Password", "AWS::SecretsManager::Secret", blast.Generated, ""),
						holder("dev/database", "Queue", "AWS::SQS::Queue", blast.Passing, ""),
						holder("dev/database", "Users", "AWS::Cognito::UserPool", blast.Uncovered, "its data would be lost"),
					},
					NotSame: []blast.NotSame{{LogicalID: "Database", What: "a new endpoint, unless its identifier is fixed"}},
				},
				{
					Stack: "dev/network", Target: true, AgeSeconds: 8646000, Resources: 20, Runbook: "docs/network.md",
					Past: []blast.Past{{At: brokenAt, Recovered: true, Seconds: 1500}, {At: brokenAt.AddDate(0, -1, 0)}},
				},
			},
		},
	}
}

func TestShowBreak(t *testing.T) {
	t.Parallel()
	drift := someBreak()
	drift.Kind, drift.Arg, drift.Choice, drift.Radius = blast.DriftParameter, "Size:9", blast.Choice{}, blast.Radius{}
	drift.Steps = drift.Steps[2:]
	drift.Steps[0].Injections = []stacks.Injection{{LogicalID: "Size", Type: "parameter", Says: "20 becomes 9, and whoever reads it is not told"}}
	nothing := &blast.Plan{Environment: "prod", Account: "1", Region: "eu-west-1", Kind: blast.DeleteStack}
	for name, style := range styles {
		var out strings.Builder
		for _, columns := range widthsOf {
			fmt.Fprintf(&out, "--- %d columns\n", columns)
			ShowBreak(&out, style, someBreak(), columns)
			within(t, out.String(), columns)
		}
		fmt.Fprintln(&out, "--- drift, and nothing to break")
		ShowBreak(&out, style, drift, 80)
		ShowBreak(&out, style, nothing, 80)
		golden(t, "break-"+name, out.String())
	}
}

func TestShowGuards(t *testing.T) {
	t.Parallel()
	verdicts := []blast.Verdict{
		{Guard: "G1", Title: "the environment is development, written down", OK: true},
		{Guard: "G2", Title: "the files allow breaking it", Why: "break.allow of dev is not true", Fix: "if it may be broken, add to its environment block: break: {allow: true}"},
		{Guard: "G10", Title: "no data is lost", Findings: []blast.Finding{
			{Stack: "dev/database", Why: "Users (AWS::Cognito::UserPool): its data would be lost", Fix: "give it DeletionPolicy: Retain, or name it expendable"},
			{Stack: "dev/cache", Why: "what it holds cannot be read"},
		}},
	}
	for name, style := range styles {
		var out strings.Builder
		for _, columns := range widthsOf {
			for _, all := range []bool{true, false} {
				fmt.Fprintf(&out, "--- %d columns, all %v\n", columns, all)
				ShowGuards(&out, style, verdicts, all, columns)
				within(t, out.String(), columns)
			}
		}
		ShowGuards(&out, style, verdicts[:1], false, 0)
		golden(t, "guards-"+name, out.String())
	}
}

// within fails where a line since the last heading is wider than it may be and
// could have been broken.
func within(t *testing.T, text string, columns int) {
	t.Helper()
	for line := range strings.Lines(text[strings.LastIndex(text, "---"):]) {
		plain := ansi.Strip(strings.TrimRight(line, "\n"))
		if columns > 0 && ansi.StringWidth(plain) > columns && len(strings.Fields(plain)) > 2 {
			t.Errorf("%d columns of %d: %q", ansi.StringWidth(plain), columns, plain)
		}
	}
}

// someState is a break of dev/network, recovered after so many minutes; 0 for not.
func someState(id string, planned time.Time, minutes int) *chaos.State {
	detail, _ := json.Marshal(someBreak())
	st := &chaos.State{
		ID: id, Environment: "dev", Planned: planned, Order: []stacks.Path{"dev/dns", "dev/network"},
		Plan:    chaos.Plan{Kind: blast.DeleteStack, Objective: 1800, Detail: detail},
		Targets: map[stacks.Path]*chaos.Target{}, Cleared: &chaos.Consent{},
	}
	for _, p := range st.Order {
		st.Targets[p] = &chaos.Target{Stack: p, Status: chaos.StatusGone, Deeds: []*chaos.Deed{{Tokens: []string{"t"}}}}
	}
	st.Stamps[chaos.T0] = chaos.Stamp{At: planned, Source: "AWS accepted to delete dev/dns"}
	st.Stamps[chaos.T1] = chaos.Stamp{At: planned.Add(9600 * time.Millisecond), Source: "probe site"}
	if minutes > 0 {
		st.Stamps[chaos.T5] = chaos.Stamp{At: planned.Add(-time.Second), Source: "a new stack of dev/dns, by hand"}
		st.Stamps[chaos.T6] = chaos.Stamp{At: planned.Add(time.Duration(minutes) * time.Minute), Source: "probe site"}
		st.Stamps[chaos.T7] = chaos.Stamp{At: planned.Add(time.Duration(minutes)*time.Minute + 30*time.Second), Source: "probe site"}
		st.Finished = &chaos.Finish{Result: "equal"}
		for _, target := range st.Targets {
			target.Status, target.By, target.NewID, target.Compared = chaos.StatusRestored, chaos.ByHand, "new", planned
			target.Differences = []capsule.Difference{{What: "resource Zone", Was: "Z1", Is: "Z2", Expected: true, Note: "new id"}}
		}
	}
	return st
}

func TestShowExercise(t *testing.T) {
	t.Parallel()
	month := func(n int) time.Time { return brokenAt.AddDate(0, n, 0) }
	open := someState("b-20261122-2350-aaaa", brokenAt, 0)
	open.Stopped = &chaos.Stop{By: chaos.ByProbe, Why: "the guard probe live failed twice: it answered 503 Service Unavailable"}
	open.Targets["dev/network"].Status = chaos.StatusPlanned
	missed := someState("b-20261222-2350-bbbb", month(1), 59)
	missed.Targets["dev/dns"].Differences = []capsule.Difference{{What: "termination protection", Was: "true", Is: "false"}}
	met := someState("b-20270122-2350-cccc", month(2), 25)
	closed := someState("b-20270222-2350-dddd", month(3), 0)
	closed.Finished = &chaos.Finish{Result: "closed", Why: "the rest is for Monday"}
	all := []*chaos.State{open, missed, met, closed}
	for name, style := range styles {
		var out strings.Builder
		for _, columns := range widthsOf {
			for _, st := range all {
				fmt.Fprintf(&out, "--- %d columns\n", columns)
				ShowExercise(&out, style, st, all, columns)
				if columns >= 80 {
					within(t, out.String(), columns)
				}
			}
		}
		for _, columns := range widthsOf {
			fmt.Fprintf(&out, "--- a list of %d columns\n", columns)
			ShowBreaks(&out, style, all, columns)
			within(t, out.String(), columns)
		}
		golden(t, "exercise-"+name, out.String())
	}
}

// Half a break is compared with none, and a break of something else neither.
func TestEarlier(t *testing.T) {
	t.Parallel()
	first, half, other, last := someState("b-1", brokenAt, 9), someState("b-2", brokenAt.Add(1), 8), someState("b-3", brokenAt.Add(2), 7), someState("b-4", brokenAt.Add(3), 6)
	half.Targets["dev/dns"].Status = chaos.StatusPlanned
	other.Plan.Kind = blast.DriftParameter
	got := Earlier(last, []*chaos.State{first, half, other, last})
	if len(got) != 1 || got[0] != first {
		t.Errorf("compared with %d, want the first alone", len(got))
	}
}

// What is broken of a stack that stays is what counts, however it was named.
func TestEarlierInjections(t *testing.T) {
	t.Parallel()
	all := []*chaos.State{someState("b-1", brokenAt, 9), someState("b-2", brokenAt.Add(1), 8), someState("b-3", brokenAt.Add(2), 7)}
	for i, id := range []string{"Rule", "Rule", "Other"} {
		all[i].Plan.Kind = "disable-rule"
		for _, target := range all[i].Targets {
			for _, d := range target.Deeds {
				d.Injection = &stacks.Injection{LogicalID: id}
			}
		}
	}
	all[1].Plan.Argument = "Rule"
	if got := Earlier(all[1], all); len(got) != 1 || got[0] != all[0] {
		t.Errorf("the same rule is compared with %d", len(got))
	}
	if got := Earlier(all[2], all); len(got) != 0 {
		t.Errorf("another rule is compared with %d", len(got))
	}
}

// watchedStory is a break that is watched until it is back.
func watchedStory() []event.Event {
	at := func(s int) time.Time { return brokenAt.Add(time.Duration(s) * time.Second) }
	return []event.Event{
		{Kind: event.Watching, Expected: 1800},
		{Kind: event.RunStarted, Action: "break", Total: 2},
		{Kind: event.Probe, Time: at(-5), Resource: "site", Status: "up"},
		{Kind: event.Probe, Time: at(-5), Resource: "queue", Status: "up"},
		{Kind: event.StepStarted, Stack: "dev/dns", Action: "delete", Total: 3},
		{Kind: event.Stamp, Time: at(1), Action: "T0", Reason: "broken: AWS accepted to delete dev/network"},
		{Kind: event.Stamp, Time: at(0), Action: "T0", Reason: "broken: AWS accepted to delete dev/dns"},
		{Kind: event.Probe, Time: at(10), Resource: "site", Status: "down", Reason: "it answered 503 Service Unavailable"},
		{Kind: event.Probe, Time: at(10), Resource: "queue", Status: "unknown", Reason: "the credentials have expired"},
		{Kind: event.Stamp, Time: at(10), Action: "T1", Reason: "impact: probe site"},
		{},
		{Kind: event.StepDone, Stack: "dev/dns", Action: "deleted", Seconds: 12},
		{Kind: event.StepDone, Stack: "dev/network", Action: "deleted", Seconds: 12},
		{Kind: event.Target, Stack: "dev/dns"},
		{Kind: event.Target, Stack: "dev/network"},
		{Kind: event.Target, Stack: "dev/web", Status: "CREATE_COMPLETE", Resource: "Machine, Rule"},
		{},
		{Kind: event.Stamp, Time: at(300), Action: "T5", Reason: "recovery begun: a new stack of dev/network, by hand"},
		{Kind: event.Target, Stack: "dev/network", Status: "CREATE_IN_PROGRESS"},
		{Kind: event.Target, Stack: "dev/dns", Status: "CREATE_COMPLETE", Action: "back", Reason: "by hand"},
		{Kind: event.Target, Stack: "dev/web", Status: "CREATE_COMPLETE", Action: "back", Reason: "by hand"},
		{},
		{Kind: event.Target, Stack: "dev/network", Status: "CREATE_COMPLETE", Action: "back", Reason: "by hand"},
		{Kind: event.Probe, Time: at(1900), Resource: "site", Status: "up"},
		{Kind: event.Stamp, Time: at(1900), Action: "T6", Reason: "restored: probe site"},
		{},
	}
}

// The live block of a break that is watched: what it says, and that it keeps to
// its room however narrow that is. An event without a kind stands for a look.
func TestWatched(t *testing.T) {
	t.Parallel()
	for name, style := range styles {
		var out strings.Builder
		for _, columns := range widthsOf[1:] {
			now := brokenAt
			st := at(columns, 24)
			st.Style, st.Now, st.Advice = style, func() time.Time { return now }, func(c string) string { return strings.Replace(c, "deployer", "deployer --sandbox", 1) }
			l := &live{st: st, p: newProgress(st.Now), begun: brokenAt}
			fmt.Fprintf(&out, "--- %d columns\n", columns)
			for _, e := range watchedStory() {
				if e.Time.After(now) {
					now = e.Time
				}
				if line := l.p.hear(e, style); line != "" {
					fmt.Fprintln(&out, strings.Join(fold(line, columns, 2), "\n"))
				}
				if e.Kind != "" {
					continue
				}
				fmt.Fprintln(&out, "[block]")
				for _, line := range l.block() {
					fmt.Fprintln(&out, line)
					if w := ansi.StringWidth(line); w >= columns {
						t.Errorf("%d columns of %d: %q", w, columns, line)
					}
				}
				fmt.Fprintln(&out, l.p.watched.line(now, style))
			}
		}
		golden(t, "watched-"+name, out.String())
	}
}

// A terminal that became narrower has broken the lines of the block: all of it
// has to be rubbed out.
func TestLiveAfterResize(t *testing.T) {
	t.Parallel()
	columns := 80
	st := Stream{W: &screen{}, Columns: func() int { return columns }, Rows: func() int { return 24 }, Now: time.Now}
	l := &live{st: st, p: newProgress(time.Now)}
	l.replace([]string{strings.Repeat("x", 79), "short", "\x1b[31m" + strings.Repeat("y", 41) + "\x1b[0m"})
	for _, tt := range []struct{ columns, want int }{{80, 3}, {41, 4}, {40, 5}, {20, 4 + 1 + 3}, {0, 3}, {200, 3}} {
		columns = tt.columns
		if got := l.height(); got != tt.want {
			t.Errorf("%d columns: %d rows, want %d", tt.columns, got, tt.want)
		}
	}
}

func TestFold(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		text            string
		columns, indent int
		want            string
	}{
		{"", 10, 2, ""},
		{"one two", 0, 2, "one two"},
		{"one two", 7, 2, "one two"},
		{"one two", 6, 2, "one|  two"},
		{"  one two", 6, 4, "  one|    two"},
		{"averylongword two", 4, 1, "averylongword| two"},
		{"\x1b[31mone two\x1b[0m", 6, 0, "\x1b[31mone|two\x1b[0m"},
	} {
		if got := strings.Join(fold(tt.text, tt.columns, tt.indent), "|"); got != tt.want {
			t.Errorf("%q in %d: %q, want %q", tt.text, tt.columns, got, tt.want)
		}
	}
}
