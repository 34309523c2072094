package guard_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/deployer-cli/deployer/internal/guard"
	"github.com/deployer-cli/deployer/stacks"
)

const account = "111111111111"

func env(name string, class stacks.Class) *stacks.Environment {
	e := &stacks.Environment{Name: name, Path: stacks.Path(name), Class: class, Declared: class != stacks.Undeclared}
	if class == stacks.Production {
		e.Accounts = []string{account}
	}
	return e
}

func step(name string, class stacks.Class) guard.Step {
	return guard.Step{
		Path: stacks.Path(name + "/network"), Name: "shop-" + name + "-network", StackID: "arn:1",
		Account: account, Region: "eu-west-1", Environment: env(name, class), Verbs: []stacks.Verb{stacks.Update},
	}
}

func request(steps ...guard.Step) guard.Request {
	return guard.Request{
		Run: "r1", Command: "launch", Realm: stacks.RealmSandbox, Steps: steps,
		Now: time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC), For: time.Hour,
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	deleting := func(s guard.Step) guard.Step { s.Deletes = true; return s }
	tests := map[string]struct {
		request guard.Request
		answers guard.Answers
		code    int // 0: cleared
		rule    string
	}{
		"development by --yes":                   {yes(request(step("dev", stacks.Development))), nil, 0, ""},
		"development by y":                       {request(step("dev", stacks.Development)), guard.Answers{"go": "y"}, 0, ""},
		"development by n":                       {request(step("dev", stacks.Development)), guard.Answers{"go": "n"}, 4, "confirmation"},
		"development, empty answer":              {request(step("dev", stacks.Development)), guard.Answers{"go": ""}, 4, "confirmation"},
		"development, nobody there":              {request(step("dev", stacks.Development)), nil, 4, "confirmation"},
		"development delete by --yes":            {yes(request(deleting(step("dev", stacks.Development)))), nil, 0, ""},
		"persistent launch by --yes":             {yes(request(step("staging", stacks.Persistent))), nil, 0, ""},
		"persistent delete by --yes":             {yes(request(deleting(step("staging", stacks.Persistent)))), nil, 4, "confirmation"},
		"persistent delete by y":                 {request(deleting(step("staging", stacks.Persistent))), guard.Answers{"go": "y"}, 4, "confirmation"},
		"persistent delete by phrase":            {request(deleting(step("staging", stacks.Persistent))), guard.Answers{"go": "staging 1 changes 1 deletes"}, 0, ""},
		"persistent weakened by --yes":           {yes(request(lived(step("qa", stacks.Development)))), nil, 4, "P1"},
		"persistent undeclared by --yes":         {yes(request(lived(step("qa", stacks.Undeclared)))), nil, 4, "P1"},
		"persistent weakened from a pipe":        {request(lived(step("qa", stacks.Development))), guard.Answers{"go": "qa 1 changes 0 deletes 1 weakened"}, 4, "P1"},
		"persistent weakened by y":               {terminal(yes(request(lived(step("qa", stacks.Development))))), guard.Answers{"go": "y"}, 4, "confirmation"},
		"persistent weakened by half the phrase": {terminal(request(lived(step("qa", stacks.Development)))), guard.Answers{"go": "qa 1 changes 0 deletes"}, 4, "confirmation"},
		"persistent weakened by phrase":          {terminal(request(lived(step("qa", stacks.Development)))), guard.Answers{"go": "qa 1 changes 0 deletes 1 weakened"}, 0, ""},
		"persistent weakened by plan":            {applied(request(lived(step("qa", stacks.Development)))), nil, 0, ""},
		"persistent made stronger by --yes":      {yes(request(lived(step("qa", stacks.Persistent)))), nil, 0, ""},
		"production by --yes":                    {yes(request(step("prod", stacks.Production))), nil, 4, "P4"},
		"production by y":                        {terminal(request(step("prod", stacks.Production))), guard.Answers{"go": "y"}, 4, "confirmation"},
		"production by phrase":                   {terminal(request(step("prod", stacks.Production))), guard.Answers{"go": " prod 1 changes 0 deletes\n"}, 0, ""},
		"production by another plan's phrase":    {terminal(request(step("prod", stacks.Production))), guard.Answers{"go": "prod 2 changes 0 deletes"}, 4, "confirmation"},
		"production in a dev run":                {yes(request(step("dev", stacks.Development), step("prod", stacks.Production))), nil, 4, "P4"},
		"undeclared by --yes":                    {yes(request(step("test", stacks.Undeclared))), nil, 0, ""},
		"undeclared production name in pipeline": {yes(request(step("prod", stacks.Undeclared))), nil, 0, ""},
		"undeclared production name at terminal": {terminal(yes(request(step("prod", stacks.Undeclared)))), nil, 4, "confirmation"},
		"undeclared production name, delete":     {yes(request(deleting(step("live", stacks.Undeclared)))), nil, 4, "confirmation"},
		"undeclared production name, phrase":     {terminal(request(step("prod", stacks.Undeclared))), guard.Answers{"go": "prod 1 changes 0 deletes"}, 0, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, err := guard.Check(tt.request, tt.answers)
			expect(t, err, tt.code, tt.rule)
			if (c.Run() != "") != (tt.code == 0) {
				t.Errorf("clearance for run %q with code %d", c.Run(), tt.code)
			}
		})
	}
}

// lived makes a step's stack live as persistent.
func lived(s guard.Step) guard.Step {
	s.LiveTags = []stacks.Tag{{Key: stacks.TagClass, Value: string(stacks.Persistent)}}
	return s
}

func applied(r guard.Request) guard.Request  { r.Digest = digest; return r }
func yes(r guard.Request) guard.Request      { r.Yes = true; return r }
func terminal(r guard.Request) guard.Request { r.Terminal = true; return r }

func expect(t *testing.T, err error, code int, rule string) {
	t.Helper()
	if code == 0 {
		if err != nil {
			t.Fatalf("refused: %v", err)
		}
		return
	}
	refused, ok := errors.AsType[*guard.Refused](err)
	if !ok {
		t.Fatalf("not refused: %v", err)
	}
	if refused.ExitCode() != code || !strings.Contains(err.Error(), "("+rule+")") {
		t.Errorf("exit %d, %v; want exit %d by rule %s", refused.ExitCode(), err, code, rule)
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	change := func(s guard.Step, f func(*guard.Step)) guard.Step { f(&s); return s }
	phrase := guard.Answers{"go": "prod 1 changes 0 deletes"}
	tests := map[string]struct {
		step guard.Step
		code int
		rule string
	}{
		"another account":        {change(step("prod", stacks.Production), func(s *guard.Step) { s.Account = "222222222222" }), 5, "P2"},
		"unknown account":        {change(step("prod", stacks.Production), func(s *guard.Step) { s.Account = "" }), 5, "P2"},
		"another region":         {change(step("prod", stacks.Production), func(s *guard.Step) { s.Environment.Regions = []string{"us-east-1"} }), 5, "P2"},
		"no accounts":            {change(step("prod", stacks.Production), func(s *guard.Step) { s.Environment.Accounts = nil }), 3, "P2"},
		"no environment":         {change(step("prod", stacks.Production), func(s *guard.Step) { s.Environment = nil }), 3, "P1"},
		"protect: true":          {change(step("prod", stacks.Production), func(s *guard.Step) { s.Protected = true }), 3, "protect"},
		"class taken off":        {change(step("prod", stacks.Undeclared), func(s *guard.Step) { s.LiveTags = []stacks.Tag{{Key: stacks.TagClass, Value: "production"}} }), 3, "P1"},
		"class weakened":         {change(step("qa", stacks.Development), func(s *guard.Step) { s.LiveTags = []stacks.Tag{{Key: stacks.TagClass, Value: "production"}} }), 3, "P1"},
		"another's, persistent":  {change(step("qa", stacks.Development), foreignTo("qa-b", "persistent")), 3, "P1"},
		"another's, by the file": {change(step("prod", stacks.Production), foreignTo("qa", "development")), 3, "P1"},
		"another's, and nothing": {change(step("prod", stacks.Production), foreignTo("qa", "")), 3, "P1"},
		"refusal before code":    {change(step("prod", stacks.Production), func(s *guard.Step) { s.Account, s.Protected = "2", true }), 3, "protect"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := guard.Check(terminal(request(tt.step)), phrase)
			expect(t, err, tt.code, tt.rule)
		})
	}
}

func foreignTo(environment, class string) func(*guard.Step) {
	return func(s *guard.Step) {
		s.LiveTags = []stacks.Tag{{Key: stacks.TagEnvironment, Value: environment}, {Key: stacks.TagClass, Value: class}}
	}
}

// TestWhoseStack: every command is refused that would write a stack which is another's
// by its live tags, also one that only makes change sets; what was the project's own
// before it had an id is not another's, nor is anything between two of development.
func TestWhoseStack(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		class stacks.Class
		tags  map[string]string
		want  bool // cleared
	}{
		"its own":                 {stacks.Production, map[string]string{stacks.TagEnvironment: "prod", stacks.TagProject: "id", stacks.TagStack: "prod/network"}, true},
		"no tags":                 {stacks.Production, nil, true},
		"before it had an id":     {stacks.Production, map[string]string{stacks.TagProject: "code"}, true},
		"another project":         {stacks.Production, map[string]string{stacks.TagProject: "other"}, false},
		"another environment":     {stacks.Persistent, map[string]string{stacks.TagEnvironment: "prod-b"}, false},
		"another stack":           {stacks.Persistent, map[string]string{stacks.TagStack: "prod/queue"}, false},
		"two of development":      {stacks.Development, map[string]string{stacks.TagEnvironment: "dev"}, true},
		"undeclared over nothing": {stacks.Undeclared, map[string]string{stacks.TagEnvironment: "dev"}, true},
	} {
		for _, verbs := range [][]stacks.Verb{{stacks.Update}, {stacks.Propose, stacks.Upload}, {stacks.Discard}, {stacks.Policy}, {stacks.Cancel}} {
			s := step("prod", tt.class)
			s.OwnTags, s.Projects, s.Verbs = []stacks.Tag{{Key: stacks.TagProject, Value: "id"}}, []string{"id", "code"}, verbs
			for k, v := range tt.tags {
				s.LiveTags = append(s.LiveTags, stacks.Tag{Key: k, Value: v})
			}
			r := terminal(request(s))
			answers := guard.Answers{"go": r.Phrase()}
			if qs := guard.Questions(r); len(qs) > 0 && qs[0].Want == "" {
				answers["go"] = "y"
			}
			_, err := guard.Check(r, answers)
			if tt.want {
				expect(t, err, 0, "")
				continue
			}
			expect(t, err, 3, "P1")
			if refusal, ok := errors.AsType[*guard.Refusal](err); !ok || !strings.Contains(refusal.Tip, "mend stack_name") {
				t.Errorf("%s: no way on: %v", name, err)
			}
		}
	}
}

// TestDroppingPlans: plans of production are dropped by the phrase, or by their digest,
// past freezes, leases and approvals, which are about beginning something, but not past
// a lock.
func TestDroppingPlans(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		class  stacks.Class
		change func(*guard.Request)
		typed  string
		code   int
		rule   string
	}{
		"by the phrase":          {stacks.Production, func(r *guard.Request) { r.Terminal = true }, "prod 1 drops", 0, ""},
		"by a y":                 {stacks.Production, func(r *guard.Request) { r.Terminal = true }, "y", 4, "confirmation"},
		"by --yes":               {stacks.Production, func(r *guard.Request) { r.Yes = true }, "", 4, "P4"},
		"by --yes and a digest":  {stacks.Production, func(r *guard.Request) { r.Yes, r.Digest = true, digest }, "", 4, "P4"},
		"by --yes at a terminal": {stacks.Production, func(r *guard.Request) { r.Yes, r.Terminal = true, true }, "y", 4, "confirmation"},
		"from a pipe":            {stacks.Production, func(*guard.Request) {}, "prod 1 drops", 4, "P5"},
		"by its digest":          {stacks.Production, func(r *guard.Request) { r.Digest = digest }, "", 0, ""},
		"locked":                 {stacks.Production, func(r *guard.Request) { r.Digest, r.Locks = digest, []guard.Lock{{Environment: "prod", Run: "other"}} }, "", 7, "P12"},
		"what is protected":      {stacks.Production, func(r *guard.Request) { r.Digest, r.Steps[0].Protected = digest, true }, "", 0, ""},
		"another's":              {stacks.Production, func(r *guard.Request) { r.Digest = digest; claim(r, stacks.TagEnvironment, "other") }, "", 3, "P1"},
		"another account's":      {stacks.Production, func(r *guard.Request) { r.Digest, r.Steps[0].Account = digest, "2" }, "", 5, "P2"},
		"of persistent":          {stacks.Persistent, func(*guard.Request) {}, "", 0, ""},
		"of development, locked": {stacks.Development, func(r *guard.Request) { r.Locks = []guard.Lock{{Environment: "prod", Run: "other"}} }, "", 7, "P12"},
		"and something else": {stacks.Production, func(r *guard.Request) {
			r.Digest = digest
			r.Steps[0].Verbs = []stacks.Verb{stacks.Discard, stacks.Delete}
		}, "", 3, "P7"},
		"of what lives as higher": {stacks.Persistent, func(r *guard.Request) {
			r.Steps[0].LiveTags = []stacks.Tag{{Key: stacks.TagClass, Value: "production"}}
		}, "", 3, "P1"},
	}
	for _, command := range []string{"plan discard", "prune --stale-plans", "delete a plan's change set"} {
		for name, tt := range tests {
			t.Run(command+" "+name, func(t *testing.T) {
				t.Parallel()
				s := step("prod", tt.class)
				s.Verbs = []stacks.Verb{stacks.Discard}
				r := request(s)
				r.Command = command
				r.Policies = map[string]guard.Policy{"prod": {Approvals: 1, Shared: true, Freezes: frozen(t), Lease: guard.LeasePolicy{Required: true}}}
				tt.change(&r)
				_, err := guard.Check(r, guard.Answers{"go": tt.typed})
				expect(t, err, tt.code, tt.rule)
			})
		}
	}
}

func TestBound(t *testing.T) {
	t.Parallel()
	here, there := step("prod", stacks.Production), step("prod", stacks.Production)
	there.Account = "222222222222"
	if err := guard.Bound([]guard.Step{here, step("dev", stacks.Development)}); err != nil {
		t.Errorf("within its account: %v", err)
	}
	expect(t, guard.Bound([]guard.Step{here, there}), 5, "P2")
}

func TestProductionIsNotDeletedWithoutAPlan(t *testing.T) {
	t.Parallel()
	s := step("prod", stacks.Production)
	s.Deletes = true
	r := request(s)
	r.Command = "delete"
	_, err := guard.Check(r, guard.Answers{"go": r.Phrase()})
	expect(t, err, 3, "P9")
}

func TestPermits(t *testing.T) {
	t.Parallel()
	r := yes(request(step("dev", stacks.Development)))
	c, err := guard.Check(r, nil)
	if err != nil {
		t.Fatal(err)
	}
	fits := guard.Call{
		Verb: stacks.Update, Path: "dev/network", Name: "shop-dev-network", StackID: "arn:1",
		Account: account, Region: "eu-west-1", Run: "r1", At: r.Now.Add(time.Minute),
	}
	if err := c.Permits(fits); err != nil {
		t.Fatalf("a call within the clearance: %v", err)
	}
	if err := (guard.Clearance{}).Permits(fits); err == nil {
		t.Error("the zero clearance permits")
	}
	for name, spoil := range map[string]func(*guard.Call){
		"verb":        func(c *guard.Call) { c.Verb = stacks.Delete },
		"path":        func(c *guard.Call) { c.Path = "dev/database" },
		"name":        func(c *guard.Call) { c.Name = "shop-prod-network" },
		"stack id":    func(c *guard.Call) { c.StackID = "arn:2" },
		"no stack id": func(c *guard.Call) { c.StackID = "" },
		"account":     func(c *guard.Call) { c.Account = "222222222222" },
		"no account":  func(c *guard.Call) { c.Account = "" },
		"region":      func(c *guard.Call) { c.Region = "us-east-1" },
		"endpoint":    func(c *guard.Call) { c.Endpoint = "http://127.0.0.1:1" },
		"run":         func(c *guard.Call) { c.Run = "r2" },
		"expiry":      func(c *guard.Call) { c.At = r.Now.Add(2 * time.Hour) },
	} {
		call := fits
		spoil(&call)
		if err := c.Permits(call); err == nil {
			t.Errorf("a call with another %s is permitted", name)
		}
	}
}

func TestMade(t *testing.T) {
	t.Parallel()
	s := step("dev", stacks.Development)
	s.StackID, s.Verbs = "", []stacks.Verb{stacks.Propose, stacks.Execute}
	c, err := guard.Check(yes(request(s)), nil)
	if err != nil {
		t.Fatal(err)
	}
	call := guard.Call{Verb: stacks.Execute, Path: s.Path, Name: s.Name, StackID: "arn:new", Account: account, Region: s.Region, Run: "r1", At: request().Now}
	c.Made(s.Path, "arn:new")
	if c.Permits(call) == nil {
		t.Error("an id counts that no proposal of the run can have made")
	}
	propose := call
	propose.Verb, propose.StackID = stacks.Propose, ""
	if err := c.Permits(propose); err != nil {
		t.Fatal(err)
	}
	c.Made(s.Path, "arn:new")
	c.Made(s.Path, "arn:other")
	if err := c.Permits(call); err != nil {
		t.Errorf("the run's own proposal: %v", err)
	}
	call.StackID = "arn:other"
	if c.Permits(call) == nil {
		t.Error("a second id counts")
	}
}

// TestProductionIsNeverClearedByHabit: over any mix of steps and flags, a run
// with a production stack in it is cleared only by the exact phrase.
func TestProductionIsNeverClearedByHabit(t *testing.T) {
	t.Parallel()
	classes := []stacks.Class{stacks.Undeclared, stacks.Development, stacks.Persistent, stacks.Production, "Production", "prod"}
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 4).Draw(t, "steps")
		r := request()
		r.Yes, r.Terminal = rapid.Bool().Draw(t, "yes"), rapid.Bool().Draw(t, "terminal")
		for range n {
			s := step(rapid.SampledFrom([]string{"dev", "prod", "qa"}).Draw(t, "name"), rapid.SampledFrom(classes).Draw(t, "class"))
			if rapid.Bool().Draw(t, "tagged") {
				s.LiveTags = []stacks.Tag{{Key: stacks.TagClass, Value: string(rapid.SampledFrom(classes).Draw(t, "tag"))}}
			}
			r.Steps = append(r.Steps, s)
		}
		typed := rapid.SampledFrom([]string{"", "y", "yes", "Y", "prod", "prod 1 changes 0 deletes", r.Phrase()}).Draw(t, "typed")
		answers := guard.Answers{}
		if rapid.Bool().Draw(t, "answered") {
			answers["go"] = typed
		}
		_, err := guard.Check(r, answers)
		if err == nil && r.Class().Strength() >= stacks.Production.Strength() && answers["go"] != r.Phrase() {
			t.Fatalf("cleared production by %q, yes=%v", answers["go"], r.Yes)
		}
	})
}
