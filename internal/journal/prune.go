package journal

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/deployer-cli/deployer/internal/event"
	"github.com/deployer-cli/deployer/stacks"
)

const (
	// Keep is how many of the latest finished runs Prune leaves of each environment:
	// enough to know how long each of its stacks takes, and what was done to it of late.
	// What was done for good is in the environment's history.
	Keep = 50

	fresh    = time.Hour // what was written to since is left in any case: others may be reading it
	tailSize = 64 << 10  // more than the last line takes, and most plans
)

// Prune removes the journals of finished runs that are not among the latest Keep of any
// environment that they are about, and those of mere planning alike. One that is not
// finished is what is known of its run: it stays, and so does whatever cannot be read.
// It tells how many are gone.
func Prune(dir string, now time.Time) (int, error) {
	runs, err := Runs(dir)
	if err != nil || len(runs) <= Keep {
		return 0, err
	}
	type kind struct {
		environment string
		planned     bool
	}
	kept, gone := map[kind]int{}, 0
	for _, r := range slices.Backward(runs) {
		name := filepath.Join(dir, r.Run+suffix)
		over, planned := finished(name, now)
		if !over {
			continue
		}
		wanted := false
		for _, e := range append(r.Environments, "")[:max(1, len(r.Environments))] {
			k := kind{e, planned}
			wanted = wanted || kept[k] < Keep
			kept[k]++
		}
		if wanted {
			continue
		}
		if err := os.Remove(name); err != nil && !os.IsNotExist(err) {
			return gone, &Error{What: "an old journal cannot be removed", Dir: dir, cause: err}
		}
		gone++
	}
	return gone, nil
}

// finished tells whether the run of a journal is over, and was not a moment ago; and
// whether it only made change sets or dropped them.
func finished(name string, now time.Time) (over, planned bool) {
	f, err := os.Open(name)
	if err != nil {
		return false, false
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() || now.Sub(info.ModTime()) < fresh {
		return false, false
	}
	body, err := io.ReadAll(io.NewSectionReader(f, max(0, info.Size()-tailSize), tailSize))
	if err != nil {
		return false, false
	}
	lines, whole := bytes.CutSuffix(body, []byte("\n"))
	last, ok := parse(lines[bytes.LastIndexByte(lines, '\n')+1:])
	switch {
	case !whole || !ok:
		return false, false
	case last.Kind == event.RunFinished:
		return true, false
	}
	planned = info.Size() <= tailSize && onlyPlans(lines)
	return planned, planned
}

// onlyPlans tells whether a whole journal announces nothing but making and dropping
// change sets.
func onlyPlans(body []byte) bool {
	for line := range bytes.Lines(body) {
		e, ok := parse(bytes.TrimSuffix(line, []byte("\n")))
		switch {
		case !ok:
			return false
		case e.Kind == "": // the first line
		case e.Intent == nil, e.Intent.Verb != stacks.Propose && e.Intent.Verb != stacks.Discard:
			return false
		}
	}
	return true
}
