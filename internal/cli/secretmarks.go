package cli

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/deployer-cli/deployer/internal/execute"
	"github.com/deployer-cli/deployer/internal/journal"
	"github.com/deployer-cli/deployer/stacks"
)

// secretMarks tells whether a NoEcho parameter still has the value that it was
// last given from here. CloudFormation never shows one, so that a keyed hash is
// kept of it, by the stack's id and the time of its change: once somebody else
// updates the stack, nothing is known any more.
type secretMarks struct {
	cache *journal.Cache
	key   []byte
}

const markKeyBytes = 32

// marks opens the marks of the realm, nil where there is no place for the key:
// then an update asks CloudFormation, as it would without them.
func (s *session) marks() *secretMarks {
	key, err := markKey(s.state("secret.key"))
	if err != nil {
		return nil
	}
	return &secretMarks{cache: journal.NewCache(s.state("marks")), key: key}
}

// markKey reads the key, which is made on first use and never leaves the machine.
func markKey(name string) ([]byte, error) {
	key, err := os.ReadFile(name)
	if err == nil && len(key) == markKeyBytes {
		return key, nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	key = make([]byte, markKeyBytes)
	_, _ = rand.Read(key) // never fails, says its documentation
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return nil, err
	}
	if err := os.WriteFile(name, key, 0o600); err != nil {
		return nil, err
	}
	return key, nil
}

func (m *secretMarks) mark(value string) string {
	mac := hmac.New(sha256.New, m.key)
	mac.Write([]byte(value))
	return hex.EncodeToString(mac.Sum(nil))
}

func (m *secretMarks) name(live *stacks.Live, parameter string) string {
	return "secret " + live.ID + " " + live.Changed().UTC().Format(time.RFC3339Nano) + " " + parameter
}

// same implements plan.Input.SameSecret.
func (p *planner) same(path stacks.Path, parameter, value string) (same, known bool) {
	seen, ok := p.snapshot.Get(path)
	if !ok || seen.Live == nil || p.marks == nil {
		return false, false
	}
	have, known := p.marks.cache.Get(p.marks.name(seen.Live, parameter))
	return known && hmac.Equal(have, []byte(p.marks.mark(value))), known
}

// mark writes down with which NoEcho values the stacks of a run came to rest. It
// is for what was sent from here in this very run: a change set carries the
// values of the time when it was made.
func (r *launcher) mark() {
	if r.planner.marks == nil || r.file != nil || r.proposals != nil || r.sets != nil {
		return
	}
	for path, outcome := range r.done.Outcomes {
		planned := r.planned(path)
		sent := outcome == execute.Created || outcome == execute.Updated || outcome == execute.Recreated ||
			outcome == execute.Unchanged && planned != nil && planned.Changing()
		live := r.s.known.landedAs(path)
		d := r.planner.wanted(path)
		if sent && live != nil && d != nil && !r.planner.isOvertaken(path) {
			r.planner.marks.keep(live, d, r.planner.defaults(d))
		}
	}
}

// keep marks every parameter whose value CloudFormation hides. What cannot be
// written only costs an update that finds nothing to do.
func (m *secretMarks) keep(live *stacks.Live, d *stacks.Desired, defaults map[string]string) {
	for _, shown := range live.Parameters {
		if shown.Value != "****" {
			continue
		}
		value, given := defaults[shown.Key]
		for _, p := range d.Parameters {
			if p.Key == shown.Key {
				value, given = p.Value, !p.Previous && !p.Unknown
			}
		}
		if given {
			_ = m.cache.Put(m.name(live, shown.Key), []byte(m.mark(value)))
		}
	}
}

func (p *planner) defaults(d *stacks.Desired) map[string]string {
	t, err := p.s.loader.Parse(d.Body)
	if err != nil {
		return nil
	}
	out := map[string]string{}
	for name, decl := range t.Parameters {
		if decl.Default != nil {
			out[name] = *decl.Default
		}
	}
	return out
}

// want keeps what was prepared last for a stack.
func (p *planner) want(d *stacks.Desired) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.desired == nil {
		p.desired = map[stacks.Path]*stacks.Desired{}
	}
	p.desired[d.Stack.Path] = d
}

func (p *planner) wanted(path stacks.Path) *stacks.Desired {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.desired[path]
}
