package trial_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/deployer-cli/deployer/internal/chaos"
	"github.com/deployer-cli/deployer/internal/logbook"
	"github.com/deployer-cli/deployer/internal/state"
)

// Exit codes of the contract.
const (
	exitFine        = 0
	exitNothing     = 2 // nothing is broken
	exitUnconfirmed = 4
	exitStopped     = 10
)

// starts are the rigs that cases begin with.
var starts prepared

// endure goes through the case: the break is killed, what happens then happens,
// and recover -y, undisturbed in the end, has to bring everything back.
func (w wreck) endure(t testing.TB) (result verdict) {
	t.Helper()
	dir, err := os.MkdirTemp("", "wreck") //nolint:usetesting // there are thousands: each goes when its case is over
	if err != nil {
		return verdict{err: err}
	}
	defer os.RemoveAll(dir)
	g, err := starts.rig(t, w, dir)
	if err != nil {
		return verdict{err: err}
	}
	result, err = w.suffer(t.Context(), g)
	if err == nil {
		err = w.after(t.Context(), g)
	}
	if err == nil {
		err = w.intact(t.Context(), g)
	}
	if err != nil {
		result.err = fmt.Errorf("%w\n%s", err, g.story())
	}
	return result
}

// suffer is the break and its blow.
func (w wreck) suffer(ctx context.Context, g *rig) (result verdict, err error) {
	b := blow{}
	if len(w.blows) > 0 {
		b = w.blows[0]
	}
	r, err := g.run(ctx, b, "", "break", "run", "--plan", "b.plan", "--digest", g.digest, "--detach")
	switch {
	case err != nil:
		return result, err
	case !r.killed && r.exit != exitFine:
		return result, fmt.Errorf("break run: exit %d\n%s%s", r.exit, r.stdout, r.stderr)
	}
	result.calls, result.lines = r.calls, g.lines()
	if b.line > 0 {
		r.killed, err = g.cut(b)
	}
	if r.killed {
		result.kills++
	}
	return result, err
}

// after is what happens between the death and the last recover -y.
func (w wreck) after(ctx context.Context, g *rig) error {
	var err error
	switch w.then {
	case "resume":
		err = w.resume(ctx, g)
	case "team":
		if _, err = g.expect(ctx, []int{exitFine}, "launch", "dev", "-y"); err == nil {
			err = w.resume(ctx, g)
		}
	case "person":
		err = w.person(ctx, g)
	case "halt":
		_, err = g.expect(ctx, []int{exitStopped, exitNothing}, "break", "halt", "-y")
	}
	if err != nil {
		return fmt.Errorf("%s: %w", w.then, err)
	}
	for _, b := range w.blows[min(1, len(w.blows)):] {
		r, err := g.run(ctx, b, "", "recover", "-y")
		if err == nil && !r.killed && r.exit != exitFine {
			err = fmt.Errorf("recover -y: exit %d\n%s%s", r.exit, r.stdout, r.stderr)
		}
		if err != nil {
			return err
		}
	}
	_, err = g.expect(ctx, []int{exitFine}, "recover", "-y")
	return err
}

// resume finds out how it stands; what was not sent needs a person.
func (w wreck) resume(ctx context.Context, g *rig) error {
	if _, err := g.expect(ctx, []int{exitFine, exitNothing}, "break", "resume", "--detach"); err != nil {
		return err
	}
	st, err := g.state()
	if err != nil || st == nil || st.Stopped != nil || !st.Open() || !planned(st) {
		return err
	}
	_, err = g.expect(ctx, []int{exitUnconfirmed}, "break", "resume")
	return err
}

// planned tells whether something of a break was never sent.
func planned(st *chaos.State) bool {
	return slices.ContainsFunc(st.Order, func(p stackPath) bool { return unsent(st.Targets[p]) })
}

// unsent tells whether AWS does not have the call, after resume asked it.
func unsent(t *chaos.Target) bool {
	return t.Status == chaos.StatusPlanned || t.Status == chaos.StatusIntended
}

// person goes on with the break at a terminal, and stays, while the team rebuilds.
func (w wreck) person(ctx context.Context, g *rig) error {
	if err := w.resume(ctx, g); err != nil {
		return err
	}
	st, err := g.state()
	if err != nil || st == nil || !st.Open() || st.Stopped != nil {
		return err
	}
	left := 0
	for _, t := range st.Targets {
		if unsent(t) {
			left++
		}
	}
	ended := make(chan error, 1)
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	go func() {
		r, err := g.watcher().run(ctx, blow{}, fmt.Sprintf("dev %d\n", left), "break", "resume")
		if err == nil && r.exit != exitFine {
			err = fmt.Errorf("break resume: exit %d\n%s%s", r.exit, r.stdout, r.stderr)
		}
		ended <- err
	}()
	for {
		select {
		case err := <-ended:
			if err == nil {
				err = errors.New("break resume ended before anybody rebuilt anything")
			}
			return err
		case <-time.After(20 * time.Millisecond):
		}
		if st, err = g.state(); err != nil {
			cancel()
			return errors.Join(err, <-ended)
		}
		if down(st) {
			break
		}
	}
	if _, err = g.expect(ctx, []int{exitFine}, "launch", "dev", "-y"); err != nil {
		cancel()
	}
	return errors.Join(err, <-ended)
}

// down tells whether everything of the plan is gone.
func down(st *chaos.State) bool {
	return !slices.ContainsFunc(st.Order, func(p stackPath) bool { return st.Targets[p].Status != chaos.StatusGone })
}

// intact looks at the end: everything is there and equal, nothing was deleted
// twice, nothing that was rebuilt was deleted, and nothing that was written down
// is lost.
func (w wreck) intact(ctx context.Context, g *rig) error {
	deleted, err := w.once(g)
	if err != nil {
		return err
	}
	st, err := g.state()
	if err != nil {
		return err
	}
	if err := w.kept(g, st, deleted); err != nil {
		return err
	}
	if st != nil && (st.Open() || len(st.Broken()) > 0 || len(deleted) > 0 && !st.Equal()) {
		return fmt.Errorf("the break is not over: open %v, broken %v, equal %v", st.Open(), st.Broken(), st.Equal())
	}
	if st != nil && len(deleted) > 0 && (!st.Stamps[chaos.T0].Recorded() || !st.Stamps[chaos.T6].Recorded()) {
		return errors.New("the break has no T0, or no T6")
	}
	live, err := g.live(ctx)
	if err != nil {
		return err
	}
	if err := w.standing(g, live, deleted); err != nil {
		return err
	}
	before, err := g.calls()
	if err != nil {
		return err
	}
	for _, args := range [][]string{{"recover", "-y"}, {"launch", "dev", "-y"}} {
		if _, err := g.expect(ctx, []int{exitFine}, args...); err != nil {
			return err
		}
	}
	if now, err := g.calls(); err != nil || len(now) != len(before) {
		return fmt.Errorf("once more, with nothing to do, it wrote %v, %w", now[len(before):], err)
	}
	return nil
}

// once looks at the sandbox's own record of calls: one deletion of an id, and
// only of ids that were planned. It returns which stacks were deleted.
func (w wreck) once(g *rig) (map[string]bool, error) {
	calls, err := g.calls()
	if err != nil {
		return nil, err
	}
	times := map[string]int{}
	for _, c := range calls {
		if c.Action == "DeleteStack" {
			times[c.Stack]++
		}
	}
	deleted := map[string]bool{}
	for name, id := range g.ids {
		if name != bystander && times[id] > 0 {
			deleted[name] = true
			if times[id] > 1 {
				return nil, fmt.Errorf("%s was deleted %d times", name, times[id])
			}
			delete(times, id)
		}
	}
	if len(times) > 0 {
		return nil, fmt.Errorf("what is not in the plan was deleted: %v", times)
	}
	return deleted, nil
}

// kept looks at the journal and the capsules.
func (w wreck) kept(g *rig, st *chaos.State, deleted map[string]bool) error {
	if st == nil {
		if len(deleted) > 0 {
			return errors.New("there is no journal of what was deleted")
		}
		return nil
	}
	books := logbook.New(filepath.Join(g.dir, ".deployer/sandbox/journal/breaks"), "trial", nil)
	for _, p := range st.Order {
		t := st.Targets[p]
		name := strings.TrimPrefix(string(p), "dev/")
		if t.Capsule.Hash == "" {
			if deleted[name] {
				return fmt.Errorf("%s was deleted, and no capsule of it was kept", name)
			}
			continue
		}
		text, err := books.Find(context.Background(), "dev", st.ID, t.Capsule.Name, t.Capsule.Hash)
		if err != nil || logbook.Sum(text) != t.Capsule.Hash {
			return fmt.Errorf("the capsule of %s is lost: %w", name, err)
		}
	}
	return nil
}

// standing looks at the stacks: all are there, those that were deleted with
// another id, and the others with the one they had.
func (w wreck) standing(g *rig, live map[string]stackNow, deleted map[string]bool) error {
	for name, id := range g.ids {
		s, ok := live[name]
		switch {
		case !ok:
			return fmt.Errorf("%s is missing", name)
		case !strings.HasSuffix(string(s.StackStatus), "_COMPLETE") || strings.Contains(string(s.StackStatus), "ROLLBACK"):
			return fmt.Errorf("%s is %s", name, s.StackStatus)
		case deleted[name] == (aws.ToString(s.StackId) == id):
			return fmt.Errorf("%s: deleted %v, and was %s and is %s", name, deleted[name], id, aws.ToString(s.StackId))
		}
		for _, p := range s.Parameters {
			if aws.ToString(p.ParameterValue) != "n"+name {
				return fmt.Errorf("%s has %s=%s", name, aws.ToString(p.ParameterKey), aws.ToString(p.ParameterValue))
			}
		}
	}
	return nil
}

// state reads the journal as it is; nil where none was begun.
func (g *rig) state() (*chaos.State, error) {
	books := logbook.New(filepath.Join(g.dir, ".deployer/sandbox/journal/breaks"), "trial", nil)
	ids, err := books.List(context.Background(), "dev")
	if err != nil || len(ids) == 0 {
		return nil, err
	}
	if len(ids) > 1 {
		return nil, fmt.Errorf("there are %d breaks: %v", len(ids), ids)
	}
	entries, err := books.Read(context.Background(), "dev", ids[0])
	if errors.Is(err, state.ErrAbsent) {
		return nil, nil //nolint:nilnil // the first entry is not whole
	}
	if err != nil {
		return nil, err
	}
	return chaos.Fold(entries)
}

// story is the journal and the calls, for whoever has to find out what went wrong.
func (g *rig) story() string {
	var b strings.Builder
	calls, _ := g.calls() // as far as they can be read
	for _, c := range calls {
		fmt.Fprintf(&b, "call %v\n", c)
	}
	files, _ := filepath.Glob(filepath.Join(g.dir, journals)) // the pattern is ours
	for _, f := range files {
		text, _ := os.ReadFile(f) // as far as it can be read
		for line := range strings.Lines(string(text)) {
			var e struct {
				Seq  int
				Kind string
				Body json.RawMessage
			}
			if json.Unmarshal([]byte(line), &e) != nil {
				fmt.Fprintf(&b, "entry %q\n", line)
				continue
			}
			if len(e.Body) > 300 {
				e.Body = e.Body[:300]
			}
			fmt.Fprintf(&b, "entry %d %s %s\n", e.Seq, e.Kind, e.Body)
		}
	}
	return b.String()
}
