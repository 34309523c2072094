package chaos

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/deployer-cli/deployer/internal/event"
)

// measured tells whether a probe of the plan can still be asked, as far as its last
// entry says.
func (s *State) measured(probe string) bool {
	w := s.Probes[probe]
	return w == nil || !w.Gone
}

// Unmeasured tells whether no probe of the plan can be asked any more: whether users
// are back is not known then, and nothing waits for it.
func (s *State) Unmeasured() bool {
	return len(s.Plan.Probes) > 0 && !slices.ContainsFunc(s.Plan.Probes, s.measured)
}

// lost writes down which probes of the plan this process cannot ask, since nothing
// declares them any more: renamed, or taken away. They hold nothing up.
func (v *watch) lost(ctx context.Context) error {
	for _, name := range v.state.Awaited() {
		if v.tracks[name] != nil {
			continue
		}
		v.sink.Event(event.Event{Kind: event.Warning, Reason: fmt.Sprintf("the probe %s is not declared any more: it cannot be measured, and is not waited for", name)})
		err := v.book.Write(ctx, KindProbe, Probe{
			Probe: name, Role: roleSteady, At: v.clock.Now().UTC(), Unknown: true, Gone: true, Why: "it is not declared any more",
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// patience is how long nothing is said of the probes that are waited for: most come
// back with their stacks.
const patience = time.Minute

// awaiting tells what is waited for when all stacks are back and users are not known
// to be, once for each state of it.
func (v *watch) awaiting() {
	s := v.state
	names := s.Awaited()
	stable := time.Duration(s.Plan.StableFor * float64(time.Second))
	if s.Pending() || len(s.Broken()) > 0 || len(names) == 0 || s.Stamps[T7].Recorded() || v.clock.Now().Sub(v.moved) < patience+stable {
		return
	}
	var keys, says []string
	for _, name := range names {
		state, why := "not asked yet", ""
		if t := v.tracks[name]; t != nil {
			if r, ok := t.Last(); ok {
				state, why = v.says[name], r.Why
			}
		}
		keys = append(keys, name+" "+state)
		says = append(says, strings.TrimSuffix(fmt.Sprintf("%s (%s: %s", name, state, why), ": ")+")")
	}
	key := strings.Join(keys, ";")
	if v.said["awaiting"] == key {
		return
	}
	v.said["awaiting"] = key
	v.sink.Event(event.Event{Kind: event.Warning, Reason: fmt.Sprintf("all stacks are back; waiting for the probes to be good for %s: %s", stable, strings.Join(says, ", "))})
}
