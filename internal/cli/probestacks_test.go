package cli

import (
	"slices"
	"testing"

	"github.com/deployer-cli/deployer/internal/chaos"
	"github.com/deployer-cli/deployer/internal/probe"
	"github.com/deployer-cli/deployer/internal/steady"
	"github.com/deployer-cli/deployer/stacks"
)

// TestProbesFromCapsules: a project that is made of capsules knows of other stacks what
// the journal tells, and what that does not tell is unknown, no failure.
func TestProbesFromCapsules(t *testing.T) {
	t.Parallel()
	s, at := playground(t, map[string]string{})
	build(t, s)
	other := chaos.Probed{Stack: "dev/other", Name: "demo-dev-network", Access: at}
	gone := chaos.Probed{Stack: "dev/gone", Name: "demo-dev-gone", Access: at}
	for name, c := range map[string]struct {
		remembered []chaos.Probed
		unpacked   bool
		glob       string
		ok         bool
		unknown    bool
		why        string
	}{
		"of the files":           {nil, false, "dev/**", true, false, ""},
		"no stack of the files":  {nil, false, "dev/other", false, false, "the project has no stack dev/other"},
		"of an old journal":      {nil, true, "dev/other", false, true, "neither the capsules nor the journal tell of a stack dev/other"},
		"of the journal":         {[]chaos.Probed{other}, true, "dev/other", true, false, ""},
		"of the journal, gone":   {[]chaos.Probed{other, gone}, true, "dev/gone", false, false, "dev/gone is not there"},
		"of both, and not as it": {[]chaos.Probed{gone}, true, "dev/**", false, false, "dev/gone is not there"},
	} {
		s.remembered, s.unpacked = c.remembered, c.unpacked
		r := probe.Once(t.Context(), steady.ForStacks([]stacks.Path{stacks.Path(c.glob)})[0], s.probePorts(at, s.clock()))
		if r.OK != c.ok || r.Unknown != c.unknown || r.Why != c.why {
			t.Errorf("%s: ok %v, unknown %v: %q", name, r.OK, r.Unknown, r.Why)
		}
	}
	s.remembered, s.unpacked = nil, false
	want := []chaos.Probed{{Stack: "dev/network", Name: "demo-dev-network", Access: at}}
	if got := s.probed(t.Context(), steady.ForStacks([]stacks.Path{"dev/**", "dev/network", "prod/**"})); !slices.Equal(got, want) {
		t.Errorf("%+v", got)
	}
}
