package cli

import (
	"testing"

	"github.com/deployer-cli/deployer/stacks"
)

// TestAbove: whatever a stack may inherit from counts when it cannot be read; only what
// clearly lies beside does not.
func TestAbove(t *testing.T) {
	t.Parallel()
	const p = stacks.Path("dev/eu/web")
	for file, want := range map[string]bool{
		"config/config.yaml":             true,
		"config/dev/config.yaml":         true,
		"config/dev/eu/config.yaml":      true,
		"config/dev/Config.yaml":         true, // not read, and says what should be
		"config/dev/eu/config.yml":       true,
		"config/dev/config.eu.yaml":      true,
		"config/dev":                     true, // a folder, with all that is in it
		"config/dev/eu":                  true,
		"config":                         true,
		"config/web.yaml":                true, // files of one name cascade
		"config/dev/web.yaml":            true,
		"config/dev/eu/web.yaml":         true,
		"config/dev/eu/macros.j2":        true, // may be included
		"vars/dev.yaml":                  true,
		"":                               true,
		"config/prod/config.yaml":        false,
		"config/dev/us/config.yaml":      false,
		"config/dev/eu/other.yaml":       false,
		"config/other.yaml":              false,
		"config/dev/us":                  false,
		"config/prod":                    false,
		"config/dev/us/web.yaml":         false,
		"config/development/config.yaml": false,
	} {
		if got := above(file, p); got != want {
			t.Errorf("%s: %t", file, got)
		}
	}
}
