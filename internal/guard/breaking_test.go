package guard_test

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/deployer-cli/deployer/internal/guard"
	"github.com/deployer-cli/deployer/stacks"
)

// breakable is a step that a break may take.
func breakable(name string) guard.Step {
	s := step(name, stacks.Development)
	s.Environment.Break = stacks.Value{Kind: stacks.Map, Fields: []stacks.Field{{Key: "allow", Value: stacks.Value{Kind: stacks.Bool, Text: "true"}}}}
	s.Verbs, s.Deletes = []stacks.Verb{stacks.Delete}, true
	s.LiveTags = []stacks.Tag{
		{Key: stacks.TagClass, Value: "development"},
		{Key: stacks.TagEnvironment, Value: name},
		{Key: stacks.TagStack, Value: string(s.Path)},
		{Key: stacks.TagProject, Value: "p1"},
	}
	return s
}

func breakRequest(steps ...guard.Step) guard.Request {
	r := terminal(request(steps...))
	r.Command, r.Project = "break", "p1"
	elsewhere := env("prod", stacks.Production)
	elsewhere.Accounts = []string{"999999999999"}
	r.Environments = []*stacks.Environment{env("dev", stacks.Development), elsewhere}
	return r
}

func setTag(s *guard.Step, key, value string) {
	for i := range s.LiveTags {
		if s.LiveTags[i].Key == key {
			s.LiveTags[i].Value = value
		}
	}
}

func TestBreakWall(t *testing.T) {
	t.Parallel()
	const dev1 = "dev 1"
	tests := map[string]struct {
		spoil  func(r *guard.Request, s *guard.Step)
		answer string
		code   int
		rule   string
	}{
		"by phrase":                   {nil, dev1, 0, ""},
		"by plan and digest":          {func(r *guard.Request, _ *guard.Step) { r.Digest, r.Terminal = "sha256:1", false }, "", 0, ""},
		"by y":                        {nil, "y", 4, "confirmation"},
		"by the phrase of a launch":   {nil, "dev 1 changes 1 deletes", 4, "confirmation"},
		"by another number":           {nil, "dev 2", 4, "confirmation"},
		"by --yes":                    {func(r *guard.Request, _ *guard.Step) { r.Yes = true }, dev1, 4, "G14"},
		"by --yes and digest":         {func(r *guard.Request, _ *guard.Step) { r.Yes, r.Digest = true, "sha256:1" }, dev1, 4, "G14"},
		"from a pipe":                 {func(r *guard.Request, _ *guard.Step) { r.Terminal = false }, dev1, 4, "G14"},
		"production":                  {func(_ *guard.Request, s *guard.Step) { s.Environment.Class = stacks.Production }, dev1, 3, "G1"},
		"persistent":                  {func(_ *guard.Request, s *guard.Step) { s.Environment.Class = stacks.Persistent }, dev1, 3, "G1"},
		"misspelt":                    {func(_ *guard.Request, s *guard.Step) { s.Environment.Class = "develop" }, dev1, 3, "G1"},
		"undeclared":                  {func(_ *guard.Request, s *guard.Step) { s.Environment.Declared = false }, dev1, 3, "G1"},
		"unknown environment":         {func(_ *guard.Request, s *guard.Step) { s.Environment = nil }, dev1, 3, "P1"},
		"live tag says production":    {func(_ *guard.Request, s *guard.Step) { setTag(s, stacks.TagClass, "production") }, dev1, 3, "G1"},
		"live tag says persistent":    {func(_ *guard.Request, s *guard.Step) { setTag(s, stacks.TagClass, "persistent") }, dev1, 3, "G1"},
		"group says production":       {func(_ *guard.Request, s *guard.Step) { s.Path = "dev/live/network" }, dev1, 3, "G1"},
		"not allowed":                 {func(_ *guard.Request, s *guard.Step) { s.Environment.Break = stacks.Value{} }, dev1, 3, "G2"},
		"allowed as a text":           {func(_ *guard.Request, s *guard.Step) { s.Environment.Break.Fields[0].Value.Kind = stacks.Text }, dev1, 3, "G2"},
		"no account":                  {func(_ *guard.Request, s *guard.Step) { s.Account = "" }, dev1, 3, "G3"},
		"no stack id":                 {func(_ *guard.Request, s *guard.Step) { s.StackID = "" }, dev1, 3, "G3"},
		"production's account":        {func(r *guard.Request, _ *guard.Step) { r.Environments[1].Accounts = []string{account} }, dev1, 3, "G3"},
		"production without account":  {func(r *guard.Request, _ *guard.Step) { r.Environments[1].Accounts = nil }, dev1, 3, "G3"},
		"environments not known":      {func(r *guard.Request, _ *guard.Step) { r.Environments = nil }, dev1, 3, "G3"},
		"no tags":                     {func(_ *guard.Request, s *guard.Step) { s.LiveTags = nil }, dev1, 3, "G4"},
		"tag of another environment":  {func(_ *guard.Request, s *guard.Step) { setTag(s, stacks.TagEnvironment, "qa") }, dev1, 3, "G4"},
		"tag of another stack":        {func(_ *guard.Request, s *guard.Step) { setTag(s, stacks.TagStack, "dev/other") }, dev1, 3, "G4"},
		"tag of another project":      {func(_ *guard.Request, s *guard.Step) { setTag(s, stacks.TagProject, "p2") }, dev1, 3, "G4"},
		"project not known":           {func(r *guard.Request, _ *guard.Step) { r.Project = "" }, dev1, 3, "G4"},
		"a tag twice":                 {func(_ *guard.Request, s *guard.Step) { s.LiveTags = append(s.LiveTags, s.LiveTags[2]) }, dev1, 3, "G4"},
		"another verb":                {func(_ *guard.Request, s *guard.Step) { s.Verbs = append(s.Verbs, stacks.Unprotect) }, dev1, 3, "G14"},
		"no verb":                     {func(_ *guard.Request, s *guard.Step) { s.Verbs, s.Deletes = nil, false }, dev1, 3, "G14"},
		"only proposing":              {func(_ *guard.Request, s *guard.Step) { s.Verbs, s.Deletes = []stacks.Verb{stacks.Propose}, false }, dev1, 3, "G14"},
		"deleted and not counted":     {func(_ *guard.Request, s *guard.Step) { s.Deletes = false }, dev1, 3, "G14"},
		"protect: true":               {func(_ *guard.Request, s *guard.Step) { s.Protected = true }, dev1, 3, "protect"},
		"another account than listed": {func(_ *guard.Request, s *guard.Step) { s.Environment.Accounts = []string{"1"} }, dev1, 5, "P2"},
		"locked":                      {func(r *guard.Request, _ *guard.Step) { r.Locks = []guard.Lock{{Environment: "dev", Run: "r2"}} }, dev1, 7, "P12"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := breakable("dev")
			r := breakRequest()
			if tt.spoil != nil {
				tt.spoil(&r, &s)
			}
			r.Steps = []guard.Step{s}
			c, err := guard.Check(r, guard.Answers{"go": tt.answer})
			expect(t, err, tt.code, tt.rule)
			if (c.Run() != "") != (tt.code == 0) {
				t.Errorf("clearance for run %q with code %d", c.Run(), tt.code)
			}
		})
	}
}

// TestBreakPhraseCounts: stacks deleted, or touched where none is.
func TestBreakPhraseCounts(t *testing.T) {
	t.Parallel()
	a, b := breakable("dev"), breakable("qa")
	r := breakRequest(a, b)
	if got := r.Phrase(); got != "dev qa 2" {
		t.Errorf("got %q", got)
	}
	a.Verbs, a.Deletes = []stacks.Verb{stacks.Inject}, false
	r = breakRequest(a)
	if r.Phrase() != "dev 1" {
		t.Errorf("got %q", r.Phrase())
	}
	c, err := guard.Check(r, guard.Answers{"go": "dev 1"})
	if err != nil {
		t.Fatal(err)
	}
	call := guard.Call{Verb: stacks.Delete, StackID: a.StackID, Path: a.Path, Name: a.Name, Account: account, Region: a.Region, Run: r.Run, At: r.Now}
	if c.Permits(call) == nil {
		t.Error("an injection may delete")
	}
	call.Verb = stacks.Inject
	if err := c.Permits(call); err != nil {
		t.Error(err)
	}
}

// TestBreakIsClearedForDevelopmentAlone: over any mix of classes, tags, names and
// flags, a break is cleared only where everything says development and the phrase,
// or a digest, was given.
func TestBreakIsClearedForDevelopmentAlone(t *testing.T) {
	t.Parallel()
	classes := []stacks.Class{stacks.Undeclared, stacks.Development, stacks.Persistent, stacks.Production, "Development", "dev"}
	rapid.Check(t, func(t *rapid.T) {
		r := breakRequest()
		r.Yes, r.Terminal = rapid.Bool().Draw(t, "yes"), rapid.Bool().Draw(t, "terminal")
		r.Digest = rapid.SampledFrom([]string{"", "sha256:1"}).Draw(t, "digest")
		for range rapid.IntRange(1, 3).Draw(t, "steps") {
			s := breakable(rapid.SampledFrom([]string{"dev", "qa", "prod"}).Draw(t, "name"))
			s.Environment.Class = rapid.SampledFrom(append(classes, stacks.Development, stacks.Development)).Draw(t, "class")
			s.Environment.Declared = s.Environment.Class != stacks.Undeclared
			setTag(&s, stacks.TagClass, string(rapid.SampledFrom(append(classes, stacks.Development, stacks.Development)).Draw(t, "tag")))
			r.Steps = append(r.Steps, s)
		}
		answer := rapid.SampledFrom([]string{"", "y", "yes", r.Phrase()}).Draw(t, "typed")
		_, err := guard.Check(r, guard.Answers{"go": answer})
		if err != nil {
			return
		}
		strange := slices.ContainsFunc(r.Steps, func(s guard.Step) bool {
			return s.Class() != stacks.Development || s.Environment.Class != stacks.Development || stacks.HasProductionWord(s.Environment.Name)
		})
		if strange || r.Yes || r.Digest == "" && (!r.Terminal || answer != r.Phrase()) {
			t.Fatalf("cleared: %+v by %q", r, answer)
		}
	})
}
