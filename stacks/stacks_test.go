package stacks_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/deployer-cli/deployer/stacks"
)

// TestStatuses files each of the 23: w is work, e exists, h healthy, f failed.
func TestStatuses(t *testing.T) {
	t.Parallel()
	want := map[stacks.Status]string{
		stacks.CreateInProgress: "we", stacks.CreateFailed: "ef", stacks.CreateComplete: "eh",
		stacks.RollbackInProgress: "wef", stacks.RollbackFailed: "ef", stacks.RollbackComplete: "ef",
		stacks.DeleteInProgress: "we", stacks.DeleteFailed: "ef", stacks.DeleteComplete: "",
		stacks.UpdateInProgress: "we", stacks.UpdateCompleteCleanup: "we", stacks.UpdateComplete: "eh", stacks.UpdateFailed: "ef",
		stacks.UpdateRollbackInProgress: "wef", stacks.UpdateRollbackFailed: "ef", stacks.UpdateRollbackCompleteCleanup: "wef", stacks.UpdateRollbackComplete: "ehf",
		stacks.ReviewInProgress: "", stacks.ImportInProgress: "we", stacks.ImportComplete: "eh",
		stacks.ImportRollbackInProgress: "wef", stacks.ImportRollbackFailed: "ef", stacks.ImportRollbackComplete: "ehf",
		stacks.Pending: "",
	}
	if n := len(stacks.Statuses()); n != 23 {
		t.Errorf("%d statuses", n)
	}
	for _, s := range append(stacks.Statuses(), stacks.Pending) {
		got := ""
		for mark, is := range map[string]bool{"w": s.InProgress(), "e": s.Exists(), "h": s.Healthy(), "f": s.Failed()} {
			if is {
				got += mark
			}
		}
		sort := func(s string) string { return string(slices.Sorted(slices.Values([]byte(s)))) }
		if w, known := want[s]; !known || sort(got) != sort(w) {
			t.Errorf("%s: %q, want %q", s, got, w)
		}
	}
}

// TestSucceeded: an update that rolled back left a healthy stack, and failed.
func TestSucceeded(t *testing.T) {
	t.Parallel()
	want := map[stacks.Verb][]stacks.Status{
		stacks.Create:   {stacks.CreateComplete, stacks.ImportComplete, stacks.UpdateComplete},
		stacks.Update:   {stacks.CreateComplete, stacks.ImportComplete, stacks.UpdateComplete},
		stacks.Delete:   {stacks.DeleteComplete},
		stacks.Rollback: {stacks.DeleteComplete, stacks.RollbackComplete, stacks.UpdateRollbackComplete},
	}
	for verb, good := range want {
		var got []stacks.Status
		for _, s := range stacks.Statuses() {
			if s.Succeeded(verb) {
				got = append(got, s)
			}
		}
		if slices.Sort(got); !slices.Equal(got, good) {
			t.Errorf("%s: %v, want %v", verb, got, good)
		}
	}
}

func TestRootCause(t *testing.T) {
	t.Parallel()
	resource := func(id, status, reason string) stacks.Event {
		return stacks.Event{ID: id, StackID: "arn:s", PhysicalID: "p", Status: status, Reason: reason}
	}
	whole := func(id, status, reason string) stacks.Event {
		return stacks.Event{ID: id, StackID: "arn:s", PhysicalID: "arn:s", Status: status, Reason: reason}
	}
	for name, tt := range map[string]struct {
		events []stacks.Event
		want   string
	}{
		"nothing failed":   {[]stacks.Event{whole("1", "CREATE_IN_PROGRESS", ""), resource("2", "CREATE_COMPLETE", "")}, ""},
		"the first of two": {[]stacks.Event{resource("1", "CREATE_FAILED", "no room"), resource("2", "CREATE_FAILED", "no rights")}, "1"},
		"echoes do not count": {
			[]stacks.Event{resource("1", "CREATE_FAILED", "Resource creation cancelled"), resource("2", "UPDATE_FAILED", "Resource update cancelled"), resource("3", "CREATE_FAILED", "no room")}, "3",
		},
		"a resource before the stack":       {[]stacks.Event{whole("1", "ROLLBACK_IN_PROGRESS", "[A] failed"), resource("2", "CREATE_FAILED", "no room")}, "2"},
		"the stack, when no resource tells": {[]stacks.Event{whole("1", "UPDATE_ROLLBACK_IN_PROGRESS", "User Initiated"), whole("2", "UPDATE_ROLLBACK_FAILED", "later")}, "1"},
		"a stack that gives no reason":      {[]stacks.Event{whole("1", "ROLLBACK_IN_PROGRESS", "")}, ""},
	} {
		if got, ok := stacks.RootCause(tt.events); got.ID != tt.want || ok != (tt.want != "") {
			t.Errorf("%s: %q, %t, want %q", name, got.ID, ok, tt.want)
		}
	}
}

func TestClasses(t *testing.T) {
	t.Parallel()
	known := []stacks.Class{stacks.Undeclared, stacks.Development, stacks.Persistent, stacks.Production}
	rapid.Check(t, func(t *rapid.T) {
		given := rapid.SliceOf(rapid.SampledFrom(append(known, "prodution"))).Draw(t, "classes")
		got := stacks.Strictest(given...)
		if !slices.Contains(known, got) {
			t.Fatalf("%v: %q is no class", given, got)
		}
		for _, c := range given {
			if c.Strength() > got.Strength() {
				t.Fatalf("%v: %q is weaker than %q", given, got, c)
			}
		}
		if got != stacks.Undeclared && got != stacks.Production && !slices.Contains(given, got) {
			t.Fatalf("%v: %q was not given", given, got)
		}
	})
	for name, want := range map[string]bool{
		"prod": true, "shop/PROD": true, "eu-live": true, "my.prd": true, "a_production_b": true,
		"nonprod": false, "product": false, "alive": false, "": false, "pre-production2": false,
	} {
		if got := stacks.HasProductionWord(name); got != want {
			t.Errorf("%q: %t", name, got)
		}
	}
}

func TestPaths(t *testing.T) {
	t.Parallel()
	element := rapid.StringMatching(`[a-z]{1,3}`)
	rapid.Check(t, func(t *rapid.T) {
		group, base := stacks.Path(element.Draw(t, "group")), element.Draw(t, "base")
		if deep := rapid.Bool().Draw(t, "deep"); deep {
			group += "/" + stacks.Path(element.Draw(t, "inner"))
		}
		p := group + "/" + stacks.Path(base)
		if p.Group() != group || p.Base() != base {
			t.Fatalf("%s: group %q, base %q", p, p.Group(), p.Base())
		}
		if !p.Within(group) || !p.Within(p) || !p.Within("") || group.Within(p) || (p + "x").Within(p) {
			t.Fatalf("%s and %s", p, group)
		}
	})
	if top := stacks.Path("a"); top.Group() != "" || top.Base() != "a" {
		t.Errorf("group %q, base %q", top.Group(), top.Base())
	}
	if got := stacks.SortPaths([]stacks.Path{"b", "a", "b"}); !slices.Equal(got, []stacks.Path{"a", "b"}) {
		t.Errorf("%v", got)
	}
}

func TestValuesTellWhatIsInThem(t *testing.T) {
	t.Parallel()
	secret := stacks.String("x")
	secret.Secret = true
	call := stacks.Value{Kind: stacks.Call, Call: &stacks.Invocation{Name: "env", Arg: stacks.String("HOME")}}
	wrap := func(v stacks.Value) stacks.Value {
		list := stacks.Value{Kind: stacks.List, Items: []stacks.Value{stacks.String("a"), v}}
		return stacks.Value{Kind: stacks.Map, Fields: []stacks.Field{{Key: "k", Value: list}}}
	}
	hidden := stacks.Value{Kind: stacks.Call, Call: &stacks.Invocation{Name: "join", Arg: wrap(secret)}}
	for name, tt := range map[string]struct {
		v                     stacks.Value
		call, unknown, secret bool
	}{
		"plain": {v: wrap(stacks.String("b"))}, "a call": {v: wrap(call), call: true}, "later": {v: wrap(stacks.Later("known later", "b", "a", "b")), unknown: true},
		"a secret": {v: wrap(secret), secret: true}, "a secret in a call": {v: hidden, call: true, secret: true}, "null": {},
	} {
		after, unknown := tt.v.HasUnknown()
		if tt.v.HasCall() != tt.call || unknown != tt.unknown || tt.v.HasSecret() != tt.secret {
			t.Errorf("%s: call %t, unknown %t, secret %t", name, tt.v.HasCall(), unknown, tt.v.HasSecret())
		}
		if unknown && !slices.Equal(after, []stacks.Path{"a", "b"}) {
			t.Errorf("%s: after %v", name, after)
		}
	}
	if got := hidden.Call.String(); got != `!join {k: ["a", "x"]}` {
		t.Errorf("%s", got)
	}
	if got := call.Call.String(); got != "!env HOME" {
		t.Errorf("%s", got)
	}
}

func TestProblemsHaveAPlace(t *testing.T) {
	t.Parallel()
	for want, p := range map[string]stacks.Problem{
		"a.yaml:3:5: key x: is unknown": {Pos: stacks.Pos{File: "a.yaml", Line: 3, Column: 5}, What: "key x", Why: "is unknown"},
		"a.yaml:3: key x":               {Pos: stacks.Pos{File: "a.yaml", Line: 3}, What: "key x"},
		"a.yaml: key x":                 {Pos: stacks.Pos{File: "a.yaml"}, What: "key x"},
		"key x: is unknown":             {What: "key x", Why: "is unknown"},
	} {
		if got := p.Error(); got != want || p.ExitCode() != 2 {
			t.Errorf("%q, exit %d, want %q", got, p.ExitCode(), want)
		}
	}
}

func TestLiveStacks(t *testing.T) {
	t.Parallel()
	made := time.Unix(1, 0)
	l := &stacks.Live{Created: made, Outputs: []stacks.Output{{Key: "Arn", Value: "x"}}, Tags: []stacks.Tag{{Key: "k", Value: "v"}}}
	if v, ok := l.Output("Arn"); v != "x" || !ok {
		t.Errorf("%q, %t", v, ok)
	}
	if _, ok := l.Output("arn"); ok {
		t.Error("keys of outputs have upper and lower case")
	}
	if v, ok := l.Tag("k"); v != "v" || !ok {
		t.Errorf("%q, %t", v, ok)
	}
	if !l.Changed().Equal(made) {
		t.Errorf("changed %s", l.Changed())
	}
	if l.Updated = made.Add(time.Hour); !l.Changed().Equal(l.Updated) {
		t.Errorf("changed %s", l.Changed())
	}
}

func TestServes(t *testing.T) {
	t.Parallel()
	var got []string
	for _, s := range stacks.Statuses() {
		if s.Serves() {
			got = append(got, string(s))
			if !s.Exists() {
				t.Errorf("%s serves and does not exist", s)
			}
		}
	}
	slices.Sort(got)
	if len(got) != 14 || !slices.Contains(got, "CREATE_COMPLETE") || slices.ContainsFunc(got, func(s string) bool {
		return strings.HasPrefix(s, "DELETE") || strings.HasPrefix(s, "ROLLBACK") || strings.HasPrefix(s, "REVIEW") || strings.HasPrefix(s, "CREATE_I") || strings.HasPrefix(s, "CREATE_F")
	}) {
		t.Errorf("%d: %v", len(got), got)
	}
}
