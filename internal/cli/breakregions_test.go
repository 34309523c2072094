package cli

import (
	"testing"
	"testing/fstest"

	"github.com/deployer-cli/deployer/config"
)

// TestMayBeThere: an environment that names a region and no accounts may have something
// there in any account, so that what cannot be read there is not left out.
func TestMayBeThere(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		accounts string
		mine     bool
	}{
		"any account":     {"", true},
		"this account":    {"  accounts: ['111111111111']\n", true},
		"another account": {"  accounts: ['222222222222']\n", false},
	} {
		p, err := config.Load(fstest.MapFS{
			"config/config.yaml": {Data: []byte("project_code: p\nregion: eu-west-2\n")},
			"config/dev/config.yaml": {Data: []byte("environment:\n  class: development\n" + tt.accounts +
				"  regions: [eu-west-2, us-east-1]\n")},
			"config/dev/a.yaml": {Data: []byte("template:\n  path: a.yaml\n")},
			"templates/a.yaml":  {Data: []byte("Resources: {}\n")},
		}, config.Options{})
		if err != nil {
			t.Fatal(err)
		}
		b := &breaker{s: &session{project: p}}
		if ways, mine := b.ways(t.Context(), "111111111111", "us-east-1"); mine != tt.mine || len(ways) > 0 {
			t.Errorf("%s: it is ours: %t, by %v", name, mine, ways)
		}
	}
}
