package blast_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/deployer-cli/deployer/internal/blast"
	"github.com/deployer-cli/deployer/stacks"
)

func sealed(t testing.TB) (*blast.Plan, []byte) {
	t.Helper()
	f := good()
	f.Injections = []stacks.Injection{{Kind: "k", Stack: "dev/network", Says: "<&>", Before: json.RawMessage(`{"a": [1, 2]}`)}}
	p := blast.Make(f)
	p.ID, p.Made, p.By, p.Version = "b-20261122-1432-x7f3", noon(), f.Caller, "v1"
	if err := p.Seal(); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := p.Write(&b); err != nil {
		t.Fatal(err)
	}
	return p, b.Bytes()
}

func TestMake(t *testing.T) {
	t.Parallel()
	p, text := sealed(t)
	if p.Phrase != "dev 2" || p.Environment != "dev" || p.Class != stacks.Development || len(p.Steps) != 2 {
		t.Fatalf("%+v", p)
	}
	app, network := p.Steps[0], p.Steps[1]
	if app.Target || !network.Target || app.Verb != stacks.Delete || joined(network.After) != "dev/app" || len(app.After) != 0 {
		t.Errorf("%+v\n%+v", app, network)
	}
	if !strings.Contains(app.Why[0], "AWS::EC2::VPC vpc-0abc12345 of dev/network") {
		t.Errorf("why: %q", app.Why)
	}
	back, err := blast.ReadPlan(text)
	if err != nil || back.Digest() != p.Sum || back.Sum != p.Sum {
		t.Fatalf("%v, %v", back, err)
	}
	if moved := blast.Stale(p, back); len(moved) > 0 {
		t.Errorf("moved: %v", moved)
	}
}

func TestPhraseOfSeveral(t *testing.T) {
	t.Parallel()
	p := &blast.Plan{Environment: "dev", Steps: []blast.Step{{Environment: "qa"}, {Environment: "dev"}, {Environment: "qa"}}}
	if got := blast.Phrase(p); got != "dev qa 3" {
		t.Errorf("got %q", got)
	}
	if got := blast.Phrase(&blast.Plan{Environment: "dev"}); got != "dev 0" {
		t.Errorf("got %q", got)
	}
}

func TestReadPlanRefuses(t *testing.T) {
	t.Parallel()
	_, text := sealed(t)
	for name, c := range map[string]struct {
		text string
		code int
	}{
		"nothing":           {"", 2},
		"no JSON":           {"steps: []", 2},
		"another schema":    {strings.Replace(string(text), blast.Schema, "deployer.plan/v1", 1), 2},
		"an unknown key":    {strings.Replace(string(text), `"id"`, `"ids"`, 1), 2},
		"something follows": {string(text) + "{}", 2},
		"another target":    {strings.Replace(string(text), "dev/network", "dev/queue", 1), 5},
		"another phrase":    {strings.Replace(string(text), `"dev 2"`, `"dev 1"`, 1), 5},
		"no digest":         {strings.Replace(string(text), `"digest": "`, `"digest": "","made": "`, 1), 2},
		"a key twice":       {strings.Replace(string(text), `"phrase": "dev 2"`, `"phrase": "dev 1", "phrase": "dev 2"`, 1), 5},
		"another case":      {strings.Replace(string(text), `"phrase"`, `"Phrase"`, 1), 5},
		"null":              {"null", 2},
	} {
		_, err := blast.ReadPlan([]byte(c.text))
		code, ok := errors.AsType[interface {
			error
			ExitCode() int
		}](err)
		if !ok || code.ExitCode() != c.code {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := blast.ReadPlan(bytes.ReplaceAll(text, []byte("\n"), []byte("\r\n"))); err != nil {
		t.Errorf("other line ends: %v", err)
	}
}

func TestStale(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		move func(f *blast.Facts)
		says string
	}{
		"replaced": {func(f *blast.Facts) {
			at(f, "dev/network").Live.ID = arn + "dev-network/2"
			f.Exports.Value[0].StackID = arn + "dev-network/2"
		}, "another stack is under its name"},
		"updated":      {func(f *blast.Facts) { at(f, "dev/app").Live.Updated = noon() }, "it was CREATE_COMPLETE since"},
		"import added": {func(f *blast.Facts) { f.Exports.Value[0].Importers.Value = []string{"dev-queue"} }, "dev/queue moved"},
		"account":      {func(f *blast.Facts) { f.Account = "444444444444" }, "the account is another"},
		"realm":        {func(f *blast.Facts) { f.Realm = stacks.RealmAWS }, "the realm is another"},
		"kind":         {func(f *blast.Facts) { f.Kind = "lambda-zero" }, "the kind is another"},
		"targets":      {func(f *blast.Facts) { f.Targets = []stacks.Path{"dev/app", "dev/network"} }, "the choice is another"},
		"gone":         {func(f *blast.Facts) { f.Stacks.Value = f.Stacks.Value[:1] }, "not in it any more"},
		"nothing covers": {func(f *blast.Facts) {
			at(f, "dev/app").Template.Value = strings.Replace(appTemplate, "DeletionPolicy: Retain", "X: y", 1)
		}, "what it takes with it"},
		"class":           {func(f *blast.Facts) { f.Environment.Class = stacks.Persistent }, "the class is another"},
		"another project": {func(f *blast.Facts) { f.Project = "p2" }, "the project is another"},
	} {
		p, _ := sealed(t)
		f := good()
		f.Injections = []stacks.Injection{{Kind: "k", Stack: "dev/network", Says: "<&>", Before: json.RawMessage(`{"a": [1, 2]}`)}}
		c.move(f)
		var said []string
		for _, err := range blast.Stale(p, blast.Make(f)) {
			said = append(said, err.Error())
			if e, ok := errors.AsType[*blast.StaleError](err); !ok || e.ExitCode() != 5 {
				t.Errorf("%T", err)
			}
		}
		if !strings.Contains(strings.Join(said, "\n"), c.says) {
			t.Errorf("%s: %q", name, said)
		}
	}
}

func FuzzReadPlan(f *testing.F) {
	_, text := sealed(f)
	f.Add(text)
	f.Add([]byte(`{"schema": "deployer.break/v1", "digest": ""}`))
	f.Add([]byte(`{"schema": "deployer.break/v1", "steps": [{"after": null}], "radius": {"stacks": [{}]}}`))
	f.Add([]byte("[]"))
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := blast.ReadPlan(text)
		if (p == nil) == (err == nil) {
			t.Fatalf("%v, %v", p, err)
		}
		if err != nil {
			if _, ok := errors.AsType[interface {
				error
				ExitCode() int
			}](err); !ok {
				t.Fatalf("%T without an exit code", err)
			}
			return
		}
		if p.Digest() != p.Sum {
			t.Fatal("read with another digest")
		}
		blast.Stale(p, p)
		blast.Phrase(p)
	})
}
