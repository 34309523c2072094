package report_test

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/deployer-cli/deployer/internal/blast"
	"github.com/deployer-cli/deployer/internal/capsule"
	"github.com/deployer-cli/deployer/internal/chaos"
	"github.com/deployer-cli/deployer/internal/record"
	"github.com/deployer-cli/deployer/internal/report"
	"github.com/deployer-cli/deployer/internal/ui"
	"github.com/deployer-cli/deployer/stacks"
)

var update = flag.Bool("update", false, "write the goldens anew")

const (
	webOld = "arn:aws:cloudformation:eu-west-1:123456789012:stack/dev-web/old"
	dbOld  = "arn:aws:cloudformation:eu-west-1:123456789012:stack/dev-db/old"
)

// at is so many seconds after the plan was made.
func at(seconds int) time.Time {
	return time.Date(2026, 11, 22, 14, 0, 0, 0, time.UTC).Add(time.Duration(seconds) * time.Second)
}

// diary writes a journal.
type diary struct {
	t       rapid.TB
	entries []record.Entry
}

func (d *diary) add(seconds int, kind string, body any) *diary {
	d.t.Helper()
	var last *record.Entry
	if len(d.entries) > 0 {
		last = &d.entries[len(d.entries)-1]
	}
	e, err := record.Next(last, at(seconds), "r1", kind, body)
	if err != nil {
		d.t.Fatal(err)
	}
	d.entries = append(d.entries, e)
	return d
}

func (d *diary) report(all ...*chaos.State) *report.Report {
	d.t.Helper()
	st, err := chaos.Fold(d.entries)
	if err != nil {
		d.t.Fatal(err)
	}
	r, err := report.Of(d.entries, report.About{Outcome: ui.Outcome(st), Earlier: ui.Earlier(st, all), Made: at(4000)})
	if err != nil {
		d.t.Fatal(err)
	}
	return r
}

// planned begins a journal: dev/web goes along, dev/db was chosen.
func planned(t rapid.TB, runbook string) *diary {
	t.Helper()
	detail, err := json.Marshal(blast.Plan{
		Choice: blast.Choice{Paths: []stacks.Path{"dev/db"}, Seed: "monday", Random: 1}, Version: "v1.2.3", Commit: "abc123", Dirty: true, Targets: []stacks.Path{"dev/db"},
		Steps: []blast.Step{{Stack: "dev/web", Why: []string{"it imports db-Url | of dev/db"}}, {Stack: "dev/db", Target: true}},
		Radius: blast.Radius{Stacks: []blast.StackRadius{
			{Stack: "dev/web", Runbook: "none"}, {Stack: "dev/db", Target: true, Runbook: runbook},
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	d := &diary{t: t}
	return d.add(0, chaos.KindPlan, chaos.Plan{
		ID: "b-20261122-1400-abcd", Environment: "dev", Class: stacks.Development, Account: "123456789012", Region: "eu-west-1", Realm: stacks.RealmSandbox,
		Kind: blast.DeleteStack, Objective: 600, Digest: "sha256:feed", By: "arn:aws:iam::123456789012:user/ann", Probes: []string{"site"}, Detail: detail,
		Steps: []chaos.Step{
			{Stack: "dev/web", Name: "dev-web", StackID: webOld, Verb: stacks.Delete}, {Stack: "dev/db", Name: "dev-db", StackID: dbOld, Verb: stacks.Delete},
		},
	}).add(1, chaos.KindClearance, chaos.Consent{Run: "r1", How: "typed", Who: "arn:aws:iam::123456789012:user/ann", Guards: []string{"G1", "G2"}})
}

// down is one of which both stacks are gone at 60; the site fails at 20.
func down(t rapid.TB) *diary {
	t.Helper()
	d := planned(t, "none")
	for i, s := range []struct {
		path stacks.Path
		id   string
	}{{"dev/web", webOld}, {"dev/db", dbOld}} {
		token := "t" + s.id
		d.add(10+20*i, chaos.KindIntent, chaos.Intent{Stack: s.path, StackID: s.id, Verb: stacks.Delete, Token: token, For: chaos.ToBreak})
		d.add(11+20*i, chaos.KindAccepted, chaos.Accepted{Stack: s.path, StackID: s.id, Verb: stacks.Delete, Token: token, At: at(11 + 20*i)})
		if i == 0 {
			d.add(20, chaos.KindProbe, chaos.Probe{Probe: "site", Role: "steady", At: at(20), Why: "it answered <503>"})
		}
		d.add(30+30*i, chaos.KindObserved, chaos.Observed{Stack: s.path, StackID: s.id, Status: stacks.DeleteComplete, At: at(30 + 30*i)})
	}
	return d
}

// back is one that people got back by hand, with one difference, after its objective.
func back(t rapid.TB) *diary {
	t.Helper()
	d := down(t).
		add(120, chaos.KindPerson, chaos.Person{What: chaos.Detect, Text: "the shop | is down", Who: "bob", At: at(120)}).
		add(130, chaos.KindProbe, chaos.Probe{Probe: "pager", Role: "evidence", Alarm: true, At: at(125), Why: "ALARM"}).
		add(180, chaos.KindPerson, chaos.Person{What: chaos.Diagnose, Text: "the stacks are gone", Who: "bob", At: at(180)}).
		add(190, chaos.KindNote, chaos.Note{Kind: "why", Text: "nobody *watches* it", Owner: "bob", At: at(190)}).
		add(191, chaos.KindNote, chaos.Note{Kind: "action", Text: "write a runbook", Stack: "dev/db", Owner: "ann", At: at(191)}).
		add(192, chaos.KindNote, chaos.Note{Kind: "document", Text: "the wiki is behind the VPN", Owner: "bob", At: at(192)})
	for i, s := range []struct {
		path stacks.Path
		id   string
	}{{"dev/db", dbOld}, {"dev/web", webOld}} {
		from := 200 + 400*i
		d.add(from, chaos.KindObserved, chaos.Observed{Stack: s.path, StackID: s.id, NewID: s.id + "2", Status: stacks.CreateInProgress, By: chaos.ByHand, At: at(from)})
		d.add(from+390, chaos.KindObserved, chaos.Observed{Stack: s.path, StackID: s.id, NewID: s.id + "2", Status: stacks.CreateComplete, By: chaos.ByHand, At: at(from + 390)})
	}
	return d.
		add(1000, chaos.KindProbe, chaos.Probe{Probe: "site", Role: "steady", OK: true, At: at(1000)}).
		add(1030, chaos.KindRestored, chaos.Restored{Probe: "site", At: at(1000), Verified: at(1030)}).
		add(1040, chaos.KindEqual, chaos.Equal{Stack: "dev/db", Differences: []capsule.Difference{
			{What: "termination protection", Was: "on", Is: "off"}, {What: "output Url", Note: "new id", Expected: true},
		}}).
		add(1041, chaos.KindEqual, chaos.Equal{Stack: "dev/web", Differences: []capsule.Difference{}}).
		add(1042, chaos.KindFinish, chaos.Finish{Result: "restored", Why: "not equal", Exit: 14})
}

// TestGoldens: whole reports, as people and programs read them.
func TestGoldens(t *testing.T) {
	t.Parallel()
	vienna := time.FixedZone("CET", 3600)
	for name, d := range map[string]*diary{"back": back(t), "down": down(t), "planned": planned(t, "none")} {
		for _, format := range report.Formats() {
			got, err := d.report().Render(format, vienna)
			if err != nil {
				t.Fatal(err)
			}
			file := filepath.Join("testdata", name+"."+format)
			if *update {
				if err := os.WriteFile(file, got, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if string(got) != string(want) {
				t.Errorf("%s is not as it was; look, then: go test ./internal/report -update\n%s", file, got)
			}
		}
	}
	if _, err := back(t).report().Render("pdf", time.UTC); err == nil {
		t.Error("a format that nobody knows was written")
	}
}

// TestFindings: what the journal tells by itself, and nothing else.
func TestFindings(t *testing.T) {
	t.Parallel()
	kinds := func(d *diary, all ...*chaos.State) string {
		var out []string
		for _, f := range d.report(all...).Findings {
			out = append(out, f.Kind)
		}
		return strings.Join(out, ", ")
	}
	for name, c := range map[string]struct {
		d    *diary
		want string
	}{
		"nothing was touched":  {planned(t, "none"), ""},
		"down":                 {down(t), "no runbook, no alarm, not noticed"},
		"back, late, by hand":  {back(t), "no runbook, people before alarm, recovered by hand, recovered by hand, protection lost, objective missed"},
		"with a runbook":       {begunWith(t, "https://wiki/db"), "no alarm, not noticed"},
		"an alarm before that": {down(t).add(70, chaos.KindProbe, chaos.Probe{Probe: "pager", Role: "evidence", Alarm: true, At: at(15)}).add(90, chaos.KindPerson, chaos.Person{What: chaos.Detect, At: at(90)}), "no runbook"},
	} {
		if got := kinds(c.d); got != c.want {
			t.Errorf("%s: %s; want %s", name, got, c.want)
		}
	}
}

func begunWith(t *testing.T, runbook string) *diary {
	t.Helper()
	d := planned(t, runbook)
	d.add(10, chaos.KindIntent, chaos.Intent{Stack: "dev/web", StackID: webOld, Verb: stacks.Delete, Token: "t", For: chaos.ToBreak})
	d.add(11, chaos.KindAccepted, chaos.Accepted{Stack: "dev/web", StackID: webOld, Verb: stacks.Delete, Token: "t", At: at(11)})
	return d.add(20, chaos.KindProbe, chaos.Probe{Probe: "site", Role: "steady", At: at(20)})
}

// TestSpells: a probe is down for as long as it was bad, each time, and no longer.
func TestSpells(t *testing.T) {
	t.Parallel()
	turn := func(d *diary, seconds int, ok, unknown bool) *diary {
		return d.add(seconds, chaos.KindProbe, chaos.Probe{Probe: "site", Role: "steady", OK: ok, Unknown: unknown, At: at(seconds)})
	}
	d := down(t)
	turn(turn(turn(d, 100, true, false), 200, false, false), 250, false, true)
	a := d.report().Affected[0]
	if a.Times != 2 || a.Down != 80+50 || a.Still || len(a.Spells) != 2 || !a.Failed.Equal(at(20)) {
		t.Errorf("%+v", a)
	}
	turn(d, 300, false, false).add(330, chaos.KindNote, chaos.Note{Kind: "x", Text: "y", At: at(330)})
	if a = d.report().Affected[0]; a.Times != 3 || a.Down != 80+50+30 || !a.Still {
		t.Errorf("%+v", a)
	}
	old := down(t).add(70, chaos.KindProbe, chaos.Probe{Probe: "pager", Role: "evidence", Alarm: true, At: at(-3 * 24 * 3600)})
	if a := old.report().Affected[1]; a.Failed != nil || a.Down != 0 || a.Still {
		t.Errorf("an alarm that has been on for days: %+v", a)
	}
	if first := old.report().Timeline[0]; first.What != "planned" {
		t.Errorf("it begins with %+v", first)
	}
	ahead := planned(t, "none").add(10, chaos.KindIntent, chaos.Intent{Stack: "dev/web", StackID: webOld, Verb: stacks.Delete, Token: "t", For: chaos.ToBreak}).
		add(11, chaos.KindAccepted, chaos.Accepted{Stack: "dev/web", StackID: webOld, Verb: stacks.Delete, Token: "t", At: at(41)}) // by a clock that is ahead of ours
	if a := turn(ahead, 20, false, false).report().Affected[0]; a.Failed == nil || !a.Still {
		t.Errorf("it failed after the call: %+v", a)
	}
	twice := turn(turn(down(t), 100, true, false).add(130, chaos.KindRestored, chaos.Restored{Probe: "site", At: at(100), Verified: at(130)}), 200, false, false)
	if a := turn(twice, 210, false, true).report().Affected[0]; a.Restored != nil || a.Still {
		t.Errorf("it was bad after it had been restored: %+v", a)
	}
	before := planned(t, "none")
	turn(before, 5, false, false)
	if a = before.report().Affected[0]; a.Failed != nil || a.Times != 0 {
		t.Errorf("what failed before the break began is no matter of it: %+v", a)
	}
}

// TestWithoutAnObjective: nothing is missed that nobody asked for.
func TestWithoutAnObjective(t *testing.T) {
	t.Parallel()
	d := back(t)
	var p chaos.Plan
	if err := json.Unmarshal(d.entries[0].Body, &p); err != nil {
		t.Fatal(err)
	}
	p.Objective, p.MaxDuration = 0, 300
	anew := (&diary{t: t}).add(0, chaos.KindPlan, p)
	for _, e := range d.entries[1:] {
		anew.add(int(e.Time.Sub(at(0)).Seconds()), e.Kind, e.Body)
		if e.Kind == chaos.KindPerson {
			anew.add(int(e.Time.Sub(at(0)).Seconds()), chaos.KindStop, chaos.Stop{By: chaos.ByDeadline, Why: "max_duration is over"})
		}
	}
	text, err := anew.report().Render("md", time.UTC)
	if err != nil || strings.Contains(string(text), "objective of 0s") || strings.Contains(string(text), "missed by") ||
		!strings.Contains(string(text), "There was no objective.") || !strings.Contains(string(text), "users were not back when max\\_duration (5m) was over") {
		t.Errorf("%v\n%s", err, text)
	}
}

// TestTurnedBack: what CloudFormation turned back was never down.
func TestTurnedBack(t *testing.T) {
	t.Parallel()
	d := begunWith(t, "none")
	d.add(30, chaos.KindObserved, chaos.Observed{Stack: "dev/web", StackID: webOld, Status: stacks.CreateComplete, Reason: "an export is in use", At: at(30)})
	r := d.report()
	page, err := r.Render("html", time.UTC)
	if err != nil || r.Happened[0].Status != chaos.StatusRefused || strings.Contains(string(page), `<rect class="going"`) {
		t.Errorf("%s, %v", r.Happened[0].Status, err)
	}
}

// TestComparedWithBefore: of the same, recovered before, the oldest first.
func TestComparedWithBefore(t *testing.T) {
	t.Parallel()
	past := func(days int) *chaos.State {
		st, err := chaos.Fold(back(t).entries)
		if err != nil {
			t.Fatal(err)
		}
		st.Planned = st.Planned.AddDate(0, 0, -days)
		return st
	}
	r := back(t).report(past(3), past(9), past(-1))
	if len(r.Before) != 2 || !r.Before[0].Began.Before(r.Before[1].Began) || r.Before[0].Verdict() != "missed" {
		t.Errorf("%+v", r.Before)
	}
	if got := r.Verdict(); got != "missed by 6m29s" {
		t.Error(got)
	}
}

// TestWhatPeopleWriteStaysText: nothing that came from people or services becomes markup,
// and nothing is cut.
func TestWhatPeopleWriteStaysText(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		said := rapid.StringOf(rapid.RuneFrom([]rune("ab |<>&*_`[]#~\\\"'\n\r\t\x1b\u009b\u202e\u0085"))).Draw(t, "said")
		r := down(t).add(100, chaos.KindPerson, chaos.Person{What: chaos.Detect, Text: "§" + said + "§", Who: said, At: at(100)}).report()
		page, err := r.Render("html", time.UTC)
		if err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(string(page), "<"); n != markup(t, "html") {
			t.Fatalf("%q made markup", said)
		}
		text, err := r.Render("md", time.UTC)
		if err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(string(text), "\n"); n != markup(t, "md") {
			t.Fatalf("%q made a line", said)
		}
		for line := range strings.Lines(string(text)) {
			if _, after, ok := strings.Cut(line, "§"); ok && strings.HasPrefix(line, "| 14:01:40 |  |") {
				cell, _, _ := strings.Cut(after, "§")
				if strings.Contains(strings.ReplaceAll(strings.ReplaceAll(cell, `\\`, ""), `\|`, ""), "|") {
					t.Fatalf("%q made a cell: %s", said, line)
				}
			}
		}
		if strings.ContainsAny(string(text)+string(page), "\x1b\u009b\u202e\u0085") {
			t.Fatal("a control character")
		}
	})
}

// markup counts what a report has of it where somebody said nothing in particular.
func markup(t rapid.TB, format string) int {
	t.Helper()
	text, err := down(t).add(100, chaos.KindPerson, chaos.Person{What: chaos.Detect, Text: "§§", At: at(100)}).report().Render(format, time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Count(string(text), map[string]string{"html": "<", "md": "\n"}[format])
}

// TestADayLater: times have their day where not all is of one.
func TestADayLater(t *testing.T) {
	t.Parallel()
	d := down(t).add(12*3600, chaos.KindPerson, chaos.Person{What: chaos.Detect, Text: "who turned that off", At: at(12 * 3600)})
	text, err := d.report().Render("md", time.UTC)
	if err != nil || !strings.Contains(string(text), "| Nov 23 02:00:00 |") || !strings.Contains(string(text), "| Nov 22 14:00:20 |") {
		t.Errorf("%v\n%s", err, text)
	}
}

// TestBrokenJournals: of what cannot be read there is no report.
func TestBrokenJournals(t *testing.T) {
	t.Parallel()
	whole := back(t).entries
	for name, entries := range map[string][]record.Entry{"none": nil, "no beginning": whole[1:], "a hole": slices.Delete(slices.Clone(whole), 3, 4)} {
		if r, err := report.Of(entries, report.About{}); err == nil {
			t.Errorf("%s: %+v", name, r)
		}
	}
}
