package chaos_test

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"github.com/deployer-cli/deployer/internal/chaos"
	"github.com/deployer-cli/deployer/stacks"
)

// world is an account in which stacks are deleted by us and rebuilt by a team.
// It counts what must never happen.
type world struct {
	t       *rapid.T
	stacks  map[stacks.Path]*standing
	deleted map[string]int // accepted deletions by stack id
	made    int
}

// standing is what an account knows of one name.
type standing struct {
	old    *stacks.Live
	named  *stacks.Live // nil for none
	events []stacks.Event
	holds  bool // an export in use turns a deletion back
	sticks bool // a resource cannot be deleted
}

// remove is our DeleteStack, by id.
func (w *world) remove(path stacks.Path, id, token string) {
	s := w.stacks[path]
	if id != s.old.ID {
		w.t.Fatalf("a deletion of %s, which the team built", id)
	}
	if w.deleted[id]++; w.deleted[id] > 1 {
		w.t.Fatalf("a second deletion of %s", id)
	}
	if s.old.Status == stacks.DeleteComplete {
		return
	}
	s.events = append(s.events, stackEvent(token, id, "DELETE_IN_PROGRESS", token, ""))
	s.old.Status = stacks.DeleteInProgress
}

// goOn lets an account's time pass for one stack.
func (w *world) goOn(path stacks.Path) {
	s := w.stacks[path]
	if s.old.Status != stacks.DeleteInProgress {
		return
	}
	switch {
	case s.holds:
		s.old.Status, s.old.Reason = stacks.CreateComplete, "Export x cannot be deleted as it is in use by y"
	case s.sticks:
		s.old.Status = stacks.DeleteFailed
	default:
		s.old.Status, s.named = stacks.DeleteComplete, nil
	}
}

// rebuild is the team's hand: only once the old one is gone, by somebody.
func (w *world) rebuild(path stacks.Path) {
	s := w.stacks[path]
	if s.old.Status != stacks.DeleteComplete || s.named != nil {
		return
	}
	w.made++
	s.named = &stacks.Live{ID: fmt.Sprintf("arn:new:%d", w.made), Name: string(path), Status: stacks.CreateComplete}
}

// look is what a resume reads: sometimes stale by one step, sometimes nothing.
func (w *world) look(path stacks.Path) chaos.Seen {
	s := w.stacks[path]
	if rapid.IntRange(0, 5).Draw(w.t, "reads") == 0 {
		return chaos.Seen{Unknown: "throttled"}
	}
	old := *s.old
	if old.Status == stacks.DeleteInProgress && rapid.Bool().Draw(w.t, "stale") {
		old.Status = stacks.CreateComplete
	}
	seen := chaos.Seen{Old: &old, Events: s.events}
	if s.named != nil {
		named := *s.named
		seen.Named = &named
		if s.named == s.old {
			seen.Named = &old
		}
	}
	return seen
}

// facilitator runs breaks, and is killed.
type facilitator struct {
	w      *world
	d      *diary
	tokens int
}

type killed struct{}

// write puts an entry into the journal, and may be killed before or after.
func (f *facilitator) write(kind string, body any) {
	f.mayDie()
	f.d.after(1).add(kind, body)
	f.mayDie()
}

func (f *facilitator) mayDie() {
	if rapid.IntRange(0, 7).Draw(f.w.t, "kill") == 0 {
		panic(killed{})
	}
}

// breakIt is one step as the break does it: intent, call, acceptance.
func (f *facilitator) breakIt(path stacks.Path) {
	s := f.d.fold()
	f.tokens++
	i := chaos.Intent{Stack: path, StackID: s.Targets[path].StackID, Verb: stacks.Delete, Token: fmt.Sprintf("deployer-r-%d", f.tokens), For: chaos.ToBreak}
	if s.May(i) != nil {
		return
	}
	f.write(chaos.KindIntent, i)
	f.w.remove(path, i.StackID, i.Token)
	f.mayDie()
	f.write(chaos.KindAccepted, chaos.Accepted{Stack: path, StackID: i.StackID, Verb: stacks.Delete, Token: i.Token})
}

// resume is one attempt to go on after a crash.
func (f *facilitator) resume() {
	s := f.d.fold()
	seen := map[stacks.Path]chaos.Seen{}
	for _, p := range s.Order {
		seen[p] = f.w.look(p)
	}
	for _, made := range chaos.Resume(s, seen) {
		f.w.between()
		switch made.Act {
		case chaos.Adopt:
			f.write(chaos.KindAccepted, chaos.Accepted{Stack: made.Stack, StackID: made.StackID, Verb: stacks.Delete, Token: made.Token, Adopted: true})
			if made.Status == stacks.DeleteComplete {
				f.write(chaos.KindObserved, chaos.Observed{Stack: made.Stack, StackID: made.StackID, Status: made.Status})
			}
		case chaos.Returned:
			f.write(chaos.KindObserved, chaos.Observed{Stack: made.Stack, StackID: made.StackID, NewID: made.NewID, Status: made.Status})
		case chaos.Denied, chaos.Stuck:
			f.write(chaos.KindObserved, chaos.Observed{Stack: made.Stack, StackID: made.StackID, Status: made.Status, Reason: made.Why})
		case chaos.AskAgain:
			// The guards that run again look once more, right before the call.
			if l := f.w.look(made.Stack).Named; l != nil && l.ID == made.StackID && l.Status.Healthy() {
				f.breakIt(made.Stack)
			}
		case chaos.Settled, chaos.Moved, chaos.Unread:
		}
	}
}

// between is what others do meanwhile.
func (w *world) between() {
	for _, p := range []stacks.Path{"dev/a", "dev/b", "dev/c"} {
		if w.stacks[p] == nil {
			continue
		}
		switch rapid.IntRange(0, 3).Draw(w.t, "meanwhile") {
		case 0:
			w.goOn(p)
		case 1:
			w.rebuild(p)
		}
	}
}

// until runs something that may be killed.
func until(do func()) {
	defer func() {
		if r := recover(); r != nil {
			if _, ok := r.(killed); !ok {
				panic(r)
			}
		}
	}()
	do()
}

// TestNeverASecondDeletion: whatever stacks do, wherever the facilitator's
// machine dies and however often it resumes, no stack is deleted twice, and
// none that the team has built.
func TestNeverASecondDeletion(t *testing.T) {
	t.Parallel()
	calls, crashes := 0, 0
	rapid.Check(t, func(rt *rapid.T) {
		w := &world{t: rt, stacks: map[stacks.Path]*standing{}, deleted: map[string]int{}}
		var steps []chaos.Step
		for i, p := range []stacks.Path{"dev/a", "dev/b", "dev/c"}[:rapid.IntRange(1, 3).Draw(rt, "stacks")] {
			old := &stacks.Live{ID: fmt.Sprintf("arn:old:%d", i), Name: string(p), Status: stacks.CreateComplete}
			w.stacks[p] = &standing{old: old, named: old, holds: rapid.IntRange(0, 6).Draw(rt, "export") == 0, sticks: rapid.IntRange(0, 6).Draw(rt, "stuck") == 0}
			steps = append(steps, step(p, old.ID))
		}
		f := &facilitator{w: w, d: &diary{t: rt}}
		f.d.add(chaos.KindPlan, plan(steps...)).add(chaos.KindClearance, chaos.Consent{})
		until(func() {
			for _, s := range steps {
				f.breakIt(s.Stack)
				w.between()
			}
		})
		for range rapid.IntRange(1, 6).Draw(rt, "resumes") {
			crashes++
			until(f.resume)
			w.between()
		}
		for _, n := range w.deleted {
			calls += n
		}
	})
	t.Logf("%d deletions, %d times gone on after a crash", calls, crashes)
	if calls == 0 || crashes == 0 {
		t.Error("nothing was tried")
	}
}

// TestCutAnywhere: whichever entries a journal has lost at its end, and
// whatever is seen, a stack that AWS has our call for is never asked for again,
// nor is one that was rebuilt.
func TestCutAnywhere(t *testing.T) {
	t.Parallel()
	statuses := append(stacks.Statuses(), "")
	rapid.Check(t, func(rt *rapid.T) {
		d := &diary{t: rt}
		d.add(chaos.KindPlan, plan(step("dev/web", oldID))).add(chaos.KindClearance, chaos.Consent{})
		for i := range rapid.IntRange(0, 6).Draw(rt, "entries") {
			token := fmt.Sprintf("t%d", rapid.IntRange(1, 2).Draw(rt, "token"))
			switch rapid.IntRange(0, 4).Draw(rt, "kind") {
			case 0:
				d.add(chaos.KindIntent, intent(token))
			case 1:
				d.add(chaos.KindAccepted, accepted(token, i))
			case 2:
				d.add(chaos.KindObserved, chaos.Observed{Stack: "dev/web", StackID: oldID, Status: rapid.SampledFrom(statuses).Draw(rt, "status")})
			case 3:
				d.add(chaos.KindObserved, rebuilt(newID, rapid.SampledFrom(statuses).Draw(rt, "status"), i))
			case 4:
				d.add(chaos.KindStop, chaos.Stop{})
			}
		}
		look := chaos.Seen{}
		if s := rapid.SampledFrom(statuses).Draw(rt, "old"); s != "" {
			look.Old = live(oldID, s, "")
		}
		fresh := rapid.Bool().Draw(rt, "rebuilt")
		look.Named = look.Old
		if fresh {
			look.Named = live(newID, rapid.SampledFrom(stacks.Statuses()).Draw(rt, "new"), "")
		}
		sent := rapid.Bool().Draw(rt, "sent")
		if sent {
			look.Events = []stacks.Event{stackEvent("e", oldID, "DELETE_IN_PROGRESS", "t1", "")}
		}
		for cut := 2; cut <= len(d.entries); cut++ {
			s, err := chaos.Fold(d.entries[:cut])
			if err != nil {
				rt.Fatal(err)
			}
			made := chaos.Resume(s, map[stacks.Path]chaos.Seen{"dev/web": look})[0]
			if made.Act != chaos.AskAgain {
				continue
			}
			deed := s.Targets["dev/web"].Deed("")
			knows := sent && len(deed.Tokens) > 0 && (deed.Tokens[0] == "t1" || deed.Token() == "t1")
			if fresh || knows || !deed.Accepted.IsZero() || look.Old == nil || made.StackID != oldID {
				rt.Fatalf("asked for again: %+v after %d entries", made, cut)
			}
		}
	})
}
