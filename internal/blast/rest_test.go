package blast_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/deployer-cli/deployer/internal/blast"
	"github.com/deployer-cli/deployer/stacks"
)

// TestRest: what is left of a break goes on only where it is as it was captured.
func TestRest(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		spoil func(f *blast.Facts)
		why   string
	}{
		"as it was":             {func(*blast.Facts) {}, ""},
		"what went first":       {func(f *blast.Facts) { f.Exports.Value[0].Importers.Value = nil }, ""},
		"updated":               {func(f *blast.Facts) { at(f, "dev/network").Live.Updated = noon() }, "dev/network moved since the break began: it was CREATE_COMPLETE"},
		"made anew":             {func(f *blast.Facts) { at(f, "dev/network").Live.ID = arn + "dev-network/2" }, "not in its plan"},
		"another resource":      {func(f *blast.Facts) { f.Injections[0].PhysicalID = "i-2" }, "what is done to it"},
		"data it had not":       {func(f *blast.Facts) { holds(at(f, "dev/network")) }, "the data that it takes with it"},
		"another of the plan":   {func(f *blast.Facts) { f.Targets = []stacks.Path{"dev/app"} }, ""},
		"another not of a plan": {func(f *blast.Facts) { f.Targets = []stacks.Path{"dev/queue"} }, "dev/queue"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			make := func(spoil func(*blast.Facts)) *blast.Plan {
				f := good()
				f.Injections = []stacks.Injection{{Stack: "dev/network", LogicalID: "Server", PhysicalID: "i-1"}}
				spoil(f)
				return blast.Make(f)
			}
			whole, rest := make(func(*blast.Facts) {}), make(c.spoil)
			var why []string
			for _, err := range blast.Rest(whole, rest) {
				why = append(why, err.Error())
			}
			if got := strings.Join(why, "; "); (got == "") != (c.why == "") || !strings.Contains(got, c.why) {
				t.Errorf("%q, want %q", got, c.why)
			}
		})
	}
}

// TestSince: a stack is compared, by its id, with how the plan found it.
func TestSince(t *testing.T) {
	t.Parallel()
	f := good()
	p := blast.Make(f)
	live := at(f, "dev/network").Live
	if why := p.Since(live); why != "" {
		t.Errorf("as it was: %s", why)
	}
	live.Updated = noon()
	if why := p.Since(live); !strings.Contains(why, "somebody changed it since: it was CREATE_COMPLETE since") {
		t.Errorf("updated: %q", why)
	}
	live.ID = "arn:another"
	if p.Since(live) == "" {
		t.Error("one of which the plan knows nothing is as it was")
	}
}

// holds puts data into a stack, without an update that would tell of it.
func holds(s *blast.Seen) {
	s.Template = blast.Got(appTemplate, nil)
	s.Resources.Value = append(s.Resources.Value, stacks.Resource{LogicalID: "Bucket", Type: "AWS::S3::Bucket", PhysicalID: "b-1", Status: "CREATE_COMPLETE"})
}

// TestPlanned: what was left out of a plan as unsuitable is nothing that goes on with it
// would do; what was made anew since is not taken for what was planned.
func TestPlanned(t *testing.T) {
	t.Parallel()
	server := stacks.Injection{Stack: "dev/network", LogicalID: "Server", PhysicalID: "i-1"}
	anew, out := server, server
	anew.PhysicalID, out.LogicalID = "i-2", "Unfit"
	f := good()
	f.Injections = []stacks.Injection{server}
	whole := blast.Make(f)
	for name, c := range map[string]struct {
		found, want []stacks.Injection
	}{
		"as planned": {[]stacks.Injection{server}, []stacks.Injection{server}},
		"left out":   {[]stacks.Injection{out, server}, []stacks.Injection{server}},
		"made anew":  {[]stacks.Injection{anew}, []stacks.Injection{}},
	} {
		if got := whole.Planned(c.found); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %+v", name, got)
		}
	}
	f = good()
	f.Injections = whole.Planned([]stacks.Injection{out, server})
	if errs := blast.Rest(whole, blast.Make(f)); len(errs) > 0 {
		t.Errorf("it does not go on: %v", errs)
	}
	f = good()
	f.Injections = whole.Planned([]stacks.Injection{anew})
	if errs := blast.Rest(whole, blast.Make(f)); len(errs) == 0 {
		t.Error("what was made anew is left out, and the rest goes on")
	}
}
