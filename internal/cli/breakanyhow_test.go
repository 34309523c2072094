package cli

import (
	"errors"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/deployer-cli/deployer/config"
	"github.com/deployer-cli/deployer/internal/blast"
	"github.com/deployer-cli/deployer/internal/capsule"
	"github.com/deployer-cli/deployer/internal/chaos"
	"github.com/deployer-cli/deployer/internal/guard"
	"github.com/deployer-cli/deployer/internal/inject"
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

// TestTheCapsuleIsInTheBucket: of an environment that is not broken any more a machine that
// has the journal, and no capsule, finds out from the bucket of its block where that is kept.
func TestTheCapsuleIsInTheBucket(t *testing.T) {
	t.Parallel()
	p, ctx := newTeam(t), t.Context()
	if _, err := s3.NewFromConfig(p.config, func(o *s3.Options) { o.UsePathStyle = true }).CreateBucket(ctx, &s3.CreateBucketInput{
		Bucket: new("team"), CreateBucketConfiguration: &types.CreateBucketConfiguration{LocationConstraint: types.BucketLocationConstraint(p.access.Region)},
	}); err != nil {
		t.Fatal(err)
	}
	p.dir = t.TempDir()
	block, err := config.Load(fstest.MapFS{
		"config/config.yaml":     {Data: []byte("project_code: p\nregion: eu-west-1\n")},
		"config/dev/config.yaml": {Data: []byte("environment: {class: persistent, state: {bucket: team}}\n")},
		"config/dev/web.yaml":    {Data: []byte("template: {path: web.yaml}\n")},
	}, config.Options{})
	if err != nil {
		t.Fatal(err)
	}
	now := &stacks.Environment{Name: "dev", Declared: true, Class: stacks.Persistent, State: stacks.State{Bucket: "team"}}
	p.project = &config.Project{}
	text, err := capsule.Capsule{Schema: capsule.Schema, Stack: "dev/web", Name: "web", StackID: "arn:old", Environment: capsule.Environment{Name: "dev", Declared: true, Block: "class: development\nstate: {bucket: team}\n"}}.Encode()
	if err != nil {
		t.Fatal(err)
	}
	target := &chaos.Target{Stack: "dev/web", Access: p.access}
	r := &breakRecord{p.books(now, p.access), "dev", logbook.NewID(p.now()), p.now}
	target.Capsule.Name = capsuleName(target.Stack)
	if target.Capsule.Hash, err = r.books.Put(ctx, "dev", r.id, target.Capsule.Name, text); err != nil {
		t.Fatal(err)
	}

	p.dir = t.TempDir() // another machine
	r.books = p.books(nil, stacks.Access{})
	k := &knownBreak{record: r, state: &chaos.State{Environment: "dev", Order: []stacks.Path{"dev/web"}, Targets: map[stacks.Path]*chaos.Target{"dev/web": target}}}
	if _, err := p.kept(ctx, k); exitCode(err) != exitRefused {
		t.Errorf("no block names the bucket: %v", err)
	}
	p.project = block
	if at, err := p.kept(ctx, k); err != nil || at.Bucket != "team" {
		t.Errorf("%+v, %v", at, err)
	}
	target.Capsule.Hash = logbook.Sum(nil)
	if _, err := p.kept(ctx, k); exitCode(err) != exitRefused {
		t.Errorf("it is not what the journal says: %v", err)
	}
}

// TestTheJournalStays: what is put back as production is written down where the break was.
func TestTheJournalStays(t *testing.T) {
	t.Parallel()
	c := capsule.Capsule{Environment: capsule.Environment{Name: "dev", Declared: true, Block: "class: development\nstate: {bucket: team, prefix: p}\n"}}
	now := &stacks.Environment{Name: "dev", Declared: true, Class: stacks.Production}
	st := &chaos.State{ID: "b-1"}
	if got, err := journalStays(c, now, st); err != nil || got.State != (stacks.State{Bucket: "team", Prefix: "p"}) || now.State.Bucket != "" {
		t.Errorf("%+v, %v", got, err)
	}
	now.State = stacks.State{Bucket: "prod"} // with its lock, its approvals and its history
	if _, err := journalStays(c, now, st); exitCode(err) != exitRefused {
		t.Errorf("in another bucket by now: %v", err)
	}
	c.Environment.Block = "class: development\nstate: 1\n"
	if _, err := journalStays(c, now, st); err == nil {
		t.Error("where it is kept cannot be read")
	}
}

// TestTheWayBack: where deployer may not recover, what it says to do instead helps for what
// was broken.
func TestTheWayBack(t *testing.T) {
	t.Parallel()
	holder := func(cover string) string {
		return `{"radius": {"stacks": [{"stack": "dev/web", "holders": [{"stack": "dev/web", "logical_id": "Data", "cover": "` + cover + `"}]}]}}`
	}
	const (
		launch = "deployer launch dev; then: deployer break close --reason TEXT"
		bucket = `name the bucket team as its state in the file again, with the prefix "p"; then: deployer recover b-1`
	)
	for name, c := range map[string]struct{ kind, detail, want string }{
		"a stack":                  {blast.DeleteStack, "{}", launch},
		"a parameter":              {blast.DriftParameter, "{}", launch},
		"a function":               {inject.LambdaZero, "{}", bucket},
		"a resource":               {blast.DeleteResource, "{}", bucket},
		"data that stays":          {blast.DeleteStack, holder(blast.Retained), bucket},
		"data in a snapshot":       {blast.DeleteStack, holder(blast.Snapshot), bucket},
		"data of no value":         {blast.DeleteStack, holder(blast.Expendable), launch},
		"data of which none knows": {blast.DeleteStack, "[", bucket},
	} {
		st := &chaos.State{ID: "b-1", Order: []stacks.Path{"dev/web"}, Plan: chaos.Plan{Kind: c.kind, Detail: []byte(c.detail)}}
		now := &stacks.Environment{Name: "dev", Class: stacks.Production, State: stacks.State{Bucket: "prod"}}
		refusal, ok := errors.AsType[*guard.Refusal](elsewhere("dev", now, stacks.State{Bucket: "team", Prefix: "p"}, st))
		if !ok || !strings.HasSuffix(refusal.Tip, c.want) {
			t.Errorf("%s: %+v", name, refusal)
		}
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
