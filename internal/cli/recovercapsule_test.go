package cli

import (
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

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

// TestHomeOutlastsTheCommand: what recover --from capsule tells beside, in the end, comes
// from the project's own folder too, though its command is through by then.
func TestHomeOutlastsTheCommand(t *testing.T) {
	t.Parallel()
	project, unpacked := t.TempDir(), t.TempDir()
	if err := os.Mkdir(filepath.Join(unpacked, "config"), 0o755); err != nil {
		t.Fatal(err)
	}
	a := &app{interrupts: watchInterrupts(nil, nil), home: project, globals: globals{dir: unpacked}, env: Env{Dir: project, Stdout: io.Discard, Stderr: io.Discard, Now: time.Now}}
	defer a.interrupts.stop()
	s, err := a.open("")
	if err != nil {
		t.Fatal(err)
	}
	a.home, a.globals.dir = "", ""
	if got := s.home(); got != project {
		t.Errorf("programs run in %s, not in %s", got, project)
	}
	if err := s.close(); err != nil {
		t.Error(err)
	}
}
