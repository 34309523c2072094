package cli

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/deployer-cli/deployer/config"
	"github.com/deployer-cli/deployer/internal/chaos"
	"github.com/deployer-cli/deployer/internal/logbook"
	"github.com/deployer-cli/deployer/stacks"
)

// TestNoIntentAgainstTheJournal: what was stopped by another process, or sent
// already, is not announced, and so is never sent.
func TestNoIntentAgainstTheJournal(t *testing.T) {
	t.Parallel()
	step := chaos.Step{Stack: "dev/web", Name: "web", StackID: "arn:old", Verb: stacks.Delete}
	intent := chaos.Intent{Stack: "dev/web", StackID: "arn:old", Verb: stacks.Delete, Token: "deployer-r-2", For: chaos.ToBreak}
	for name, entry := range map[string]struct {
		kind string
		body any
	}{
		"stopped":  {chaos.KindStop, chaos.Stop{By: chaos.ByStop, Why: "enough"}},
		"finished": {chaos.KindFinish, chaos.Finish{Result: "closed", Why: "monday"}},
		"rebuilt":  {chaos.KindObserved, chaos.Observed{Stack: "dev/web", StackID: "arn:old", NewID: "arn:new", Status: stacks.CreateComplete}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx := t.Context()
			r := &breakRecord{logbook.New(t.TempDir(), "r", nil), "dev", logbook.NewID(time.Now()), time.Now}
			write := func(kind string, body any) {
				t.Helper()
				if err := r.Write(ctx, kind, body); err != nil {
					t.Fatal(err)
				}
			}
			write(chaos.KindPlan, chaos.Plan{ID: r.id, Environment: "dev", Steps: []chaos.Step{step}})
			write(chaos.KindClearance, chaos.Consent{Run: "r"})
			write(entry.kind, entry.body)
			if err := r.Write(ctx, chaos.KindIntent, intent); err == nil {
				t.Error("the intent was written")
			}
			if state, err := r.fold(ctx); err != nil || state.Touched() {
				t.Errorf("touched: %v, %v", state, err)
			}
		})
	}
}

// TestNoIntentBehindAStop: what another process stops while an intent is about to be
// written comes before it, so that it is not written.
func TestNoIntentBehindAStop(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	other := &breakRecord{logbook.New(dir, "other", nil), "dev", logbook.NewID(time.Now()), time.Now}
	step := chaos.Step{Stack: "dev/web", Name: "web", StackID: "arn:old", Verb: stacks.Delete}
	if err := other.Write(t.Context(), chaos.KindPlan, chaos.Plan{ID: other.id, Environment: "dev", Steps: []chaos.Step{step}}); err != nil {
		t.Fatal(err)
	}
	if err := other.Write(t.Context(), chaos.KindClearance, chaos.Consent{Run: "r"}); err != nil {
		t.Fatal(err)
	}
	ours := &breakRecord{logbook.New(dir, "r", nil), "dev", other.id, func() time.Time {
		if err := other.Write(t.Context(), chaos.KindStop, chaos.Stop{By: chaos.ByStop, Why: "enough"}); err != nil { // while the time is asked for
			t.Error(err)
		}
		return time.Now()
	}}
	err := ours.Write(t.Context(), chaos.KindIntent, chaos.Intent{Stack: "dev/web", StackID: "arn:old", Verb: stacks.Delete, Token: "deployer-r-1", For: chaos.ToBreak})
	if state, ferr := other.fold(t.Context()); err == nil || ferr != nil || state.Touched() || state.Stopped == nil {
		t.Errorf("%v; %+v, %v", err, state, ferr)
	}
}

// TestBreakable: an environment of which no stack can be read may have breaks as any other,
// and is looked for in its bucket by what tells of it.
func TestBreakable(t *testing.T) {
	t.Parallel()
	const block = "environment:\n  class: development\n  state: {bucket: team}\n"
	p, err := config.Load(fstest.MapFS{
		"config/config.yaml":       {Data: []byte("project_code: p\nregion: eu-west-1\n")},
		"config/dev/config.yaml":   {Data: []byte(block + "profile: {{ var.profile }}\n")},
		"config/dev/web.yaml":      {Data: []byte("template: {path: web.yaml}\n")},
		"config/far/config.yaml":   {Data: []byte(block + "  regions: [us-east-1]\nprofile: {{ var.profile }}\n")},
		"config/prod/config.yaml":  {Data: []byte("environment: {class: production, accounts: ['111111111111']}\nprofile: prod\n")},
		"config/prod/web.yaml":     {Data: []byte("template: {path: web.yaml}\n")},
		"config/qa/config.yaml":    {Data: []byte(block + "profile: qa\n")},
		"config/qa/web.yaml":       {Data: []byte("template: {path: web.yaml}\n")},
		"config/stage/config.yaml": {Data: []byte("environment: {class: persistent}\n{{ var.profile }}\n")},
	}, config.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s := &session{app: &app{}, project: p, dir: t.TempDir(), now: time.Now}
	compare := func(when string, want map[string]stacks.Access) {
		t.Helper()
		places, err := s.breakable(t.Context())
		if err != nil || len(places) != len(want) {
			t.Fatalf("%s: %+v, %v", when, places, err)
		}
		for _, place := range places {
			if got, there := want[place.env.Name]; !there || got != place.access || place.env.State.Bucket != "team" {
				t.Errorf("%s: %s in %+v by %+v", when, place.env.Name, place.env.State, place.access)
			}
		}
	}
	qa := stacks.Access{Profile: "qa", Region: "eu-west-1"}
	compare("nothing is here", map[string]stacks.Access{"dev": qa, "far": {Region: "us-east-1"}, "qa": qa})

	r := &breakRecord{s.books(nil, stacks.Access{}), "dev", logbook.NewID(time.Now()), time.Now}
	own := stacks.Access{Profile: "dev", Region: "eu-west-2"}
	steps := []chaos.Step{
		{Stack: "qa/app", Name: "app", StackID: "arn:app", Verb: stacks.Delete, Access: qa},
		{Stack: "dev/web", Name: "web", StackID: "arn:web", Verb: stacks.Delete, Access: own},
	}
	if err := r.Write(t.Context(), chaos.KindPlan, chaos.Plan{ID: r.id, Environment: "dev", Steps: steps}); err != nil {
		t.Fatal(err)
	}
	compare("a break of it is here", map[string]stacks.Access{"dev": own, "far": {Region: "us-east-1"}, "qa": qa})
}

// TestOlder: the latest break is the one that began last, also of two in one minute.
func TestOlder(t *testing.T) {
	t.Parallel()
	at := func(id string, seconds int) knownBreak {
		return knownBreak{record: &breakRecord{id: id}, state: &chaos.State{Planned: time.Unix(int64(seconds), 0)}}
	}
	all := []knownBreak{
		at("b-20261123-0100-aaaa", 50),
		at("b-20261123-0100-zzzz", 10),
		{record: &breakRecord{}},
		at("b-20261123-0059-mmmm", 70),
		{record: &breakRecord{id: "b-20261123-0100-mmmm"}, err: errors.New("damaged")},
	}
	slices.SortStableFunc(all, older)
	var ids []string
	for _, k := range all {
		ids = append(ids, k.record.id)
	}
	if got := strings.Join(ids, " "); got != " b-20261123-0059-mmmm b-20261123-0100-mmmm b-20261123-0100-zzzz b-20261123-0100-aaaa" {
		t.Error(got)
	}
}

// TestUnended: a break of which everything is back, and nobody has compared it yet, is
// still there for who recovers: its watcher died.
func TestUnended(t *testing.T) {
	t.Parallel()
	st := &chaos.State{Targets: map[stacks.Path]*chaos.Target{"dev/web": {Stack: "dev/web", Status: chaos.StatusRestored}}, Order: []stacks.Path{"dev/web"}}
	st.Stamps[chaos.T7] = chaos.Stamp{At: time.Unix(9, 0)}
	k := &knownBreak{record: &breakRecord{id: "b-20261123-0100-aaaa"}, place: area{env: &stacks.Environment{Name: "dev"}}, state: st}
	if st.Open() || !k.matches("", true) {
		t.Error("it is not found")
	}
	st.Finished = &chaos.Finish{Result: "equal"}
	if k.matches("", true) {
		t.Error("a finished one is")
	}
}
