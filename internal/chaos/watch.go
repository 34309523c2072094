package chaos

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/deployer-cli/deployer/internal/capsule"
	"github.com/deployer-cli/deployer/internal/event"
	"github.com/deployer-cli/deployer/internal/steady"
	"github.com/deployer-cli/deployer/stacks"
)

// Sight is how a target of a break looks now.
type Sight struct {
	ID     string // of the stack that lives under the name, "" for none
	Status stacks.Status
	Begun  time.Time     // when that stack was begun
	Since  time.Time     // when it came into its status, as its events tell; zero when they do not
	By     By            // by whose hand it is there, as its events tell
	Token  string        // of the operation that By speaks of, "" for none
	Old    stacks.Status // of the stack that was broken, "" when not looked at
	Taken  stacks.Event  // of that stack, which shows that AWS took our deletion, where the journal does not know; the zero Event where none does
	Marks  []Mark        // what was injected, or drifted, and how that looks
	Empty  []string      // the holders of data that were covered, and are new and empty
}

// Mark is how one thing that was injected looks.
type Mark struct {
	LogicalID string // "" for a drifted parameter
	Condition stacks.Condition
}

// Looker looks at the targets of a break.
type Looker interface {
	Look(ctx context.Context, s *State) (map[stacks.Path]Sight, error)
	// Equal compares what came back with what was captured.
	Equal(ctx context.Context, t *Target) ([]capsule.Difference, error)
	// Refold reads the journal again: other people write to it too.
	Refold(ctx context.Context) (*State, error)
}

// Watching is a break that goes on.
type Watching struct {
	State    *State
	Probes   []steady.Probe
	Readings <-chan steady.Reading
	Every    time.Duration    // between two looks
	Run      string           // that watches
	Missed   func()           // called when the objective has passed, by one of all who watch; may be nil
	Alone    func() bool      // tells that nobody is there who could end it, that nothing further is broken, and that it is not to bring anything back later; may be nil
	Barred   func(error) bool // tells that a look failed for want of good credentials; may be nil
}

// watch is the state of one watcher. Only the goroutine in Watch touches it.
type watch struct {
	w      Watching
	look   Looker
	book   Book
	clock  Clock
	sink   event.Sink
	state  *State
	tracks map[string]*steady.Track
	bad    map[string]time.Time // the last known failure of each probe
	says   map[string]string    // what each probe says, as it was told
	said   map[string]string    // what else was told, by what it is of
	seen   map[stacks.Path]Sight
	moved  time.Time // when a target last changed, or watching began
	blind  error     // why nothing can be read or written down that somebody has to mend, nil where it can
	dark   time.Time // when that was first found
}

// Watch stays with a break until everything is back, verified and compared, or
// somebody ends it, and returns the break as its journal tells it then. When ctx
// ends first it returns what is known and ctx's cause. What it sees for the first
// time it writes down, unless somebody did before. A read that fails is told and
// is no result.
func Watch(ctx context.Context, w Watching, look Looker, book Book, clock Clock, sink event.Sink) (*State, error) {
	v := &watch{
		w: w, look: look, book: marked{book}, clock: clock, sink: sink, state: w.State, tracks: map[string]*steady.Track{},
		bad: map[string]time.Time{}, says: map[string]string{}, said: map[string]string{}, seen: map[stacks.Path]Sight{}, moved: clock.Now(),
	}
	for _, p := range w.Probes {
		v.tracks[p.Name] = steady.NewTrack(p)
	}
	sink.Event(event.Event{Kind: event.Watching, Expected: w.State.Objective().Seconds()})
	if w.State.Finished == nil { // afterwards nothing waits for a probe
		if err := v.lost(ctx); err != nil {
			return v.state, err
		}
	}
	for {
		done, err := v.turn(ctx)
		if err == nil {
			delete(v.said, "journal")
		}
		lasting := v.outlast(ctx, err)
		if lasting == nil && v.forsaken() {
			lasting = v.blind
		}
		if done && err == nil || lasting != nil {
			return v.state, lasting
		}
		if err := v.rest(ctx); err != nil {
			return v.state, err
		}
	}
}

// rest takes readings in until it is time to look again.
func (v *watch) rest(ctx context.Context) error {
	inner, cancel := context.WithCancel(ctx)
	defer cancel()
	tick := make(chan error, 1)
	go func() { tick <- v.clock.Wait(inner, v.w.Every) }()
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case r := <-v.w.Readings:
			before := v.says[r.Probe]
			err := v.reading(ctx, r)
			if err != nil {
				v.says[r.Probe] = before // the next reading is written down instead
			}
			if err := v.outlast(ctx, err); err != nil {
				return err
			}
		case err := <-tick:
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			return err
		}
	}
}

// reading takes one reading of a probe. What changes is told and written down.
func (v *watch) reading(ctx context.Context, r steady.Reading) error {
	t, ok := v.tracks[r.Probe]
	if !ok {
		return nil
	}
	t.Add(r)
	says := "up"
	switch {
	case r.Unknown:
		says = "unknown"
	case !r.OK:
		says, v.bad[r.Probe] = "down", r.At
	}
	before := v.says[r.Probe]
	v.says[r.Probe] = says
	if before == says && v.state.measured(r.Probe) { // somebody else may not know how to ask it
		return nil
	}
	p := t.Probe()
	v.sink.Event(event.Event{Kind: event.Probe, Time: r.At, Resource: r.Probe, Type: string(p.Role), Status: says, Reason: r.Why})
	entry := Probe{Probe: r.Probe, Role: string(p.Role), Alarm: p.Alarm != "", At: r.At, OK: r.OK, Unknown: r.Unknown, Why: r.Why}
	if entry.Alarm && !r.Changed.IsZero() {
		entry.At = r.Changed
	}
	return v.book.Write(ctx, KindProbe, entry)
}

// turn looks once at everything. done is true when there is nothing to wait for.
func (v *watch) turn(ctx context.Context) (done bool, err error) {
	if err := v.refold(ctx); err != nil {
		return false, err
	}
	if v.state.Finished != nil {
		return true, v.afterwards(ctx)
	}
	sights, seen := v.sights(ctx)
	if ctx.Err() != nil {
		return false, context.Cause(ctx)
	}
	if !seen {
		return false, nil
	}
	for _, p := range slices.Sorted(maps.Keys(sights)) {
		if err := v.sight(ctx, p, sights[p]); err != nil {
			return false, err
		}
	}
	v.blank(sights)
	if err := v.windows(ctx); err != nil {
		return false, err
	}
	if err := v.refold(ctx); err != nil {
		return false, err
	}
	if err := v.late(ctx); err != nil {
		return false, err
	}
	v.blind = nil
	v.awaiting()
	if !v.over() {
		return false, nil
	}
	return true, v.finish(ctx)
}

// blank tells which stacks came back without the data that was covered.
func (v *watch) blank(sights map[stacks.Path]Sight) {
	for _, p := range slices.Sorted(maps.Keys(sights)) {
		list := sights[p].Empty
		if len(list) == 0 {
			delete(v.said, "empty "+string(p))
			continue
		}
		text := fmt.Sprintf("it is back without its data, and does not count as restored: %s; delete this new stack, and recover", strings.Join(list, "; "))
		if v.said["empty "+string(p)] != text {
			v.said["empty "+string(p)] = text
			v.sink.Event(event.Event{Kind: event.Warning, Stack: p, Reason: text})
		}
	}
}

// sights looks at the targets. That they cannot be read is told, and is no result.
func (v *watch) sights(ctx context.Context) (map[stacks.Path]Sight, bool) {
	out, err := v.look.Look(ctx, v.state)
	if err == nil {
		delete(v.said, "stacks")
	} else if ctx.Err() == nil {
		if v.said["stacks"] != err.Error() { // once, and not at every look
			v.said["stacks"] = err.Error()
			v.sink.Event(event.Event{Kind: event.Warning, Reason: "the stacks cannot be read now: " + err.Error()})
		}
		if v.blind = nil; v.w.Barred != nil && v.w.Barred(err) {
			v.blind = &stacks.UnknownError{What: "the stacks cannot be read", Cause: err}
		}
	}
	return out, err == nil
}

// refold reads the journal again and tells the stamps that are new, or moved.
func (v *watch) refold(ctx context.Context) error {
	s, err := v.look.Refold(ctx)
	if err != nil {
		return ofBook(err)
	}
	v.state = s
	for m := range moments {
		stamp := s.Stamps[m]
		at := stamp.At.Format(time.RFC3339Nano)
		if stamp.Recorded() && v.said[m.String()] != at { // it may move: calls run beside one another
			v.said[m.String()] = at
			v.sink.Event(event.Event{Kind: event.Stamp, Time: stamp.At, Action: m.String(), Reason: m.Word() + ": " + stamp.Source})
		}
	}
	return nil
}

// sight writes down what is new about one target.
func (v *watch) sight(ctx context.Context, p stacks.Path, s Sight) error {
	t := v.state.Targets[p]
	if t == nil {
		return nil
	}
	before, looked := v.seen[p]
	v.seen[p] = s
	if looked && (before.ID != s.ID || before.Status != s.Status) {
		v.moved = v.clock.Now()
	}
	if (!looked || before.ID != s.ID || before.Status != s.Status) && (s.ID != t.StackID || !s.Status.Healthy()) {
		v.show(t, s)
	}
	if err := v.old(ctx, t, s); err != nil {
		return err
	}
	v.showMarks(t, s)
	if err := v.marks(ctx, t, s); err != nil {
		return err
	}
	if s.ID == "" || s.ID == t.StackID {
		return v.vanished(ctx, t, s)
	}
	return v.rebuilt(ctx, t, s)
}

// old writes down that AWS took the deletion of the stack that was broken, where nobody
// saw the answer, and how it ended.
func (v *watch) old(ctx context.Context, t *Target, s Sight) error {
	d := t.Deed("")
	if d != nil && d.Accepted.IsZero() && s.Taken.Token != "" {
		a := Accepted{Stack: t.Stack, StackID: t.StackID, Verb: d.Verb, Token: s.Taken.Token, At: s.Taken.Time, Adopted: true}
		if err := v.book.Write(ctx, KindAccepted, a); err != nil {
			return err
		}
	}
	if s.Old == "" || t.NewID != "" || d == nil || s.Old.InProgress() || d.Status != StatusAccepted && d.Status != StatusIntended {
		return nil
	}
	return v.book.Write(ctx, KindObserved, Observed{Stack: t.Stack, StackID: t.StackID, Status: s.Old, At: or(s.Since, v.clock.Now().UTC())})
}

// rebuilt writes down that another stack stands under the name, and how.
func (v *watch) rebuilt(ctx context.Context, t *Target, s Sight) error {
	same := s.ID == t.NewID && s.Status == t.NewStatus
	if same && (!s.Status.Healthy() || slices.Equal(s.Empty, t.Empty)) {
		return nil
	}
	o := Observed{Stack: t.Stack, StackID: t.StackID, NewID: s.ID, Status: s.Status, By: s.By, Token: s.Token, Empty: s.Empty, At: or(s.Since, v.clock.Now().UTC())}
	if same {
		o.At = v.clock.Now().UTC() // its events do not tell when the data came, or went
	}
	if t.NewID != s.ID {
		// It was begun before it came to where it is now.
		first := o
		first.Status, first.Empty, first.At = stacks.CreateInProgress, nil, or(s.Begun, o.At)
		if err := v.book.Write(ctx, KindObserved, first); err != nil {
			return err
		}
		if s.Status == first.Status {
			return nil
		}
	}
	return v.book.Write(ctx, KindObserved, o)
}

// vanished writes down that what had been rebuilt is gone again.
func (v *watch) vanished(ctx context.Context, t *Target, s Sight) error {
	if t.NewID == "" || s.ID != "" {
		return nil
	}
	return v.book.Write(ctx, KindObserved, Observed{
		Stack: t.Stack, StackID: t.StackID, NewID: t.NewID, Status: stacks.DeleteComplete, At: v.clock.Now().UTC(),
	})
}

// show tells how a target looks.
func (v *watch) show(t *Target, s Sight) {
	e := event.Event{Kind: event.Target, Stack: t.Stack, StackID: s.ID, Status: string(s.Status)}
	if s.ID != "" && s.ID != t.StackID && s.Status.Healthy() && len(s.Empty) == 0 {
		e.Action = "back"
		e.Reason = s.By.Words()
	}
	v.sink.Event(e)
}

// windows writes down which probes have been good for long enough since the last
// thing went down.
func (v *watch) windows(ctx context.Context) error {
	if v.state.Pending() || v.state.Blank() {
		return nil
	}
	for _, name := range v.state.Awaited() {
		t := v.tracks[name]
		if t == nil {
			continue
		}
		at, verified, ok := t.Restored(v.since(name))
		if !ok {
			continue
		}
		if err := v.book.Write(ctx, KindRestored, Restored{Probe: name, At: at, Verified: verified}); err != nil {
			return err
		}
	}
	return nil
}

// since is the time after which a probe's window has to lie to count.
func (v *watch) since(probe string) time.Time {
	since := v.state.Since()
	if bad := v.bad[probe]; bad.After(since) {
		return bad
	}
	return since
}
