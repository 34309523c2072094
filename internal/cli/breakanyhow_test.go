package cli

import (
	"errors"
	"testing"
	"time"

	"github.com/deployer-cli/deployer/config"
	"github.com/deployer-cli/deployer/internal/capsule"
	"github.com/deployer-cli/deployer/internal/chaos"
	"github.com/deployer-cli/deployer/internal/guard"
	"github.com/deployer-cli/deployer/internal/logbook"
	"github.com/deployer-cli/deployer/stacks"
)

// TestNothingIsWrittenWhereOthersMayNotSeeIt: a break of which no file and no capsule
// tells where its journal is shared is refused, and nothing is written.
func TestNothingIsWrittenWhereOthersMayNotSeeIt(t *testing.T) {
	t.Parallel()
	const shared = "class: development\nstate: {bucket: team}\n"
	for name, c := range map[string]struct {
		block string // of the capsule, "" for no capsule
		along string // of the capsule of what goes along, of another environment
		want  string
		ok    bool
	}{
		"nothing was captured":           {"", "", "", false},
		"the capsule is broken":          {"state: [", "", "", false},
		"its state is broken":            {"state: {bucket: [a]}", "", "", false},
		"it is shared":                   {shared, "", "team", true},
		"it is in files":                 {"class: development\n", "", "", true},
		"others are in files":            {shared, "class: development\n", "team", true},
		"others are shared":              {shared, "state: {bucket: theirs}\n", "team", true},
		"nothing is known but of others": {"", "state: {bucket: theirs}\n", "", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx := t.Context()
			r := &breakRecord{logbook.New(t.TempDir(), "r", nil), "dev", logbook.NewID(time.Now()), time.Now}
			kept := func(p stacks.Path, env, block string) *chaos.Target {
				target := &chaos.Target{Stack: p}
				if block == "" {
					return target
				}
				text, err := capsule.Capsule{Schema: capsule.Schema, Stack: p, Name: p.Base(), StackID: "arn:old", Environment: capsule.Environment{Name: env, Declared: true, Block: block}}.Encode()
				if err != nil {
					t.Fatal(err)
				}
				target.Capsule.Name = capsuleName(p)
				if target.Capsule.Hash, err = r.books.Put(ctx, "dev", r.id, target.Capsule.Name, text); err != nil {
					t.Fatal(err)
				}
				return target
			}
			targets := map[stacks.Path]*chaos.Target{"qa/app": kept("qa/app", "qa", c.along), "dev/web": kept("dev/web", "dev", c.block)}
			k := &knownBreak{record: r, state: &chaos.State{Environment: "dev", Order: []stacks.Path{"qa/app", "dev/web"}, Targets: targets}}
			got, err := (&session{project: &config.Project{}}).kept(ctx, k)
			refusal, refused := errors.AsType[*guard.Refusal](err)
			if got.Bucket != c.want || refused == c.ok || (err == nil) != c.ok {
				t.Errorf("%+v, %v", got, err)
			}
			if refused && (refusal.Code != exitRefused || refusal.Tip == "") {
				t.Errorf("%+v", refusal)
			}
		})
	}
}

// TestTheJournalStays: what is put back as production is written down where the break was.
func TestTheJournalStays(t *testing.T) {
	t.Parallel()
	c := capsule.Capsule{Environment: capsule.Environment{Name: "dev", Declared: true, Block: "class: development\nstate: {bucket: team, prefix: p}\n"}}
	now := &stacks.Environment{Name: "dev", Declared: true, Class: stacks.Production}
	if got, err := journalStays(c, now); err != nil || got.State != (stacks.State{Bucket: "team", Prefix: "p"}) || now.State.Bucket != "" {
		t.Errorf("%+v, %v", got, err)
	}
	now.State = stacks.State{Bucket: "prod"} // with its lock, its approvals and its history
	if _, err := journalStays(c, now); exitCode(err) != exitRefused {
		t.Errorf("in another bucket by now: %v", err)
	}
	c.Environment.Block = "class: development\nstate: 1\n"
	if _, err := journalStays(c, now); err == nil {
		t.Error("where it is kept cannot be read")
	}
}

// TestAFileThatMayAllowBreaks: what cannot be read hides no lever only where what was
// read says so.
func TestAFileThatMayAllowBreaks(t *testing.T) {
	t.Parallel()
	allow := stacks.Value{Kind: stacks.Map, Fields: []stacks.Field{{Key: "allow", Value: stacks.Value{Kind: stacks.Bool, Text: "true"}}}}
	all := []*stacks.Environment{
		{Name: "dev", Path: "dev", Declared: true, Class: stacks.Development, Break: allow},
		{Name: "prod", Path: "prod", Declared: true, Class: stacks.Production},
		{Name: "other", Path: "other", Class: stacks.Production},
	}
	for file, want := range map[string]bool{
		"config/config.yaml":          true,
		"config/dev/config.yaml":      true,
		"config/dev/web.yaml":         true,
		"config/qa/config.yaml":       true,
		"config/qa/config.yml":        true,
		"config/other/config.yaml":    true,
		"config/prod/new/config.yaml": true, // may be an environment of its own
		"config/prod/new":             true,
		"vars/dev.yaml":               true,
		"":                            true,
		"config/prod/config.yaml":     false,
		"config/prod/web.yaml":        false,
		"config/other/web.yaml":       false,
	} {
		if got := mayAllow(all, file); got != want {
			t.Errorf("%s: %t", file, got)
		}
	}
}
