package journal

import (
	"bytes"
	"cmp"
	"os"
	"path/filepath"
	"time"

	"github.com/deployer-cli/deployer/internal/event"
	"github.com/deployer-cli/deployer/stacks"
)

// Took is how long a stack's operations took the last time they ended well;
// zero where that is not known.
type Took struct{ Create, Update, Delete, Recreate time.Duration }

// recent is how many runs are looked at: of more environments than Prune leaves so many
// of, the older ones say little about today.
const recent = 4 * Keep

// Durations reads out of the latest journals how long each stack took.
func Durations(dir string) (map[stacks.Path]Took, error) {
	runs, err := Runs(dir)
	if err != nil {
		return nil, err
	}
	out := make(map[stacks.Path]Took)
	for _, r := range runs[max(0, len(runs)-recent):] {
		body, err := os.ReadFile(filepath.Join(dir, r.Run+suffix))
		if err != nil {
			continue // it is gone, or says nothing
		}
		for line := range bytes.Lines(body) {
			if !bytes.Contains(line, []byte(event.StepDone)) {
				continue // not worth decoding
			}
			if e, ok := parse(line); ok && e.Kind == event.StepDone && e.Seconds > 0 {
				t := out[e.Stack]
				t.take(e.Event)
				out[e.Stack] = t
			}
		}
	}
	return out, nil
}

// take notes one step that ended well: how long CloudFormation worked at it, which
// older journals do not tell from what it waited for its turn. What became of it may
// stand there in either form: "create" or "created".
func (t *Took) take(e event.Event) {
	took := time.Duration(cmp.Or(e.Worked, e.Seconds) * float64(time.Second))
	switch e.Action {
	case "create", "created":
		t.Create = took
	case "update", "updated":
		t.Update = took
	case "delete", "deleted":
		t.Delete = took
	case "recreate", "recreated":
		t.Recreate = took
	}
}
